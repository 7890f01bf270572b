//! `bpctl migrate`: database migrations in a one-off task, followed to their end.

mod act;
mod attach;
mod command;
mod follow;
pub(super) mod observe;
mod plan;
mod request;
mod rival;
mod verify;
pub(super) mod view;
pub(super) mod within;

use clap::Args;
use serde::{Deserialize, Serialize};

use crate::change::journal::Record;
use crate::change::{
    Basis, Change, ChangeArgs, Done, Outcome, Plan, StepRun, Target, Verification, Words, carry_out,
};
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, Hint, Result};
use crate::exit::ExitStatus;
use crate::iam::{CHANGE, On, Use, Uses};
use crate::layout::{Layout, PoolName, SecurityGroupId, SubnetId};
use crate::tasks::TaskName;
use request::{Flags, Request, name};

/// Migrate the databases in a one-off task and follow it to its end
///
/// Runs `php artisan tenancy:pools-migrate` in a new task of the backend's task definition: the
/// central database and all tenant pools, unless flags say less. Shows the task's states and
/// php-fpm's lines as they come and ends with php-fpm's exit code. Refuses to start while another
/// migration is under way.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl migrate                          central database and all tenant pools
  bpctl migrate --pools tenant_pool_1    one pool
  bpctl migrate --fresh --snapshot       drop all tables, after a snapshot
  bpctl migrate --detach                 start only; follow later with --attach
  bpctl migrate --print-aws              the same as an `aws ecs run-task` command")]
pub(crate) struct MigrateArgs {
    /// Migrate the central database
    #[arg(long)]
    central: bool,

    /// Migrate the tenant pools
    #[arg(long)]
    tenant: bool,

    /// Migrate only these tenant pools (implies --tenant)
    #[arg(long, value_name = "POOL,…", value_delimiter = ',', value_parser = name::<PoolName>, add = crate::completion::pools())]
    pools: Vec<PoolName>,

    /// Drop all tables first
    #[arg(long)]
    fresh: bool,

    /// Take a snapshot of the database first; without it nothing is migrated
    #[arg(long)]
    snapshot: bool,

    /// Follow a migration that was started before: id or ARN of its task
    #[arg(
        long,
        value_name = "TASK",
        conflicts_with_all = [
            "central", "tenant", "pools", "fresh", "snapshot", "no_wait", "stop_on_interrupt",
            "subnets", "security_groups", "print_aws", "dry_run",
        ]
    )]
    attach: Option<TaskName>,

    /// On Ctrl-C stop the task instead of leaving it running
    #[arg(long, conflicts_with_all = ["no_wait", "print_aws"])]
    stop_on_interrupt: bool,

    /// Subnets of the task [env: PRIVATE_SUBNET_IDS, a JSON array] [default: the service's]
    #[arg(long, value_name = "ID,…", value_delimiter = ',', value_parser = name::<SubnetId>)]
    subnets: Vec<SubnetId>,

    /// Security groups of the task [env: BACKEND_SG_ID] [default: the service's]
    #[arg(long, value_name = "ID,…", value_delimiter = ',', value_parser = name::<SecurityGroupId>)]
    security_groups: Vec<SecurityGroupId>,

    #[command(flatten)]
    change: ChangeArgs,
}

impl Verb for MigrateArgs {
    fn uses() -> Uses {
        Uses::of(&[
            CHANGE,
            &[
                Use::of("ecs:DescribeServices", On::Services),
                Use::of("ecs:DescribeTaskDefinition", On::Anything),
                Use::of("ecs:DescribeTasks", On::Tasks),
                Use::of("ecs:ListTasks", On::AnythingInCluster),
                Use::of("ecs:RunTask", On::BackendDefinitions),
                Use::of("ecs:TagResource", On::TagsOfNewTasks),
                Use::of("iam:PassRole", On::TaskRoles),
                Use::of("logs:GetLogEvents", On::BackendLogs),
            ],
        ])
        .with(
            "--snapshot",
            &[
                Use::of("cloudformation:DescribeStacks", On::DataStack),
                Use::of("rds:AddTagsToResource", On::Snapshots),
                Use::of("rds:CreateDBSnapshot", On::DatabasesAndSnapshots),
                Use::of("rds:DescribeDBInstances", On::Databases),
                Use::of("rds:DescribeDBSnapshots", On::Snapshots),
            ],
        )
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let layout = ctx.layout()?;
        if let Some(task) = &self.attach {
            let timeout = self.change.timeout.unwrap_or(ctx.settings.wait_timeout.value);
            return attach::run(ctx, &layout, task, timeout).await;
        }
        let flags = Flags {
            central: self.central,
            tenant: self.tenant,
            pools: &self.pools,
            fresh: self.fresh,
            snapshot: self.snapshot,
            stop_on_interrupt: self.stop_on_interrupt,
            subnets: &self.subnets,
            security_groups: &self.security_groups,
        };
        let change = Migrate {
            ctx,
            layout,
            request: Request::new(&flags, &ctx.env)?,
        };
        carry_out(ctx, &change, &self.change).await
    }
}

/// The change: a snapshot if wanted, then the task.
struct Migrate<'a> {
    ctx: &'a Ctx,
    layout: Layout,
    request: Request,
}

/// What a step finds out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Output {
    /// Identifier of the snapshot.
    Snapshot(String),
    /// ARN of the task.
    Task(String),
}

/// The words of a migration's outcome, also of one that was attached to.
fn words() -> Words {
    Words {
        goal: "migrate".to_owned(),
        thing: "step",
        settle: "see the end of the migration".to_owned(),
        following: "migrating".to_owned(),
    }
}

impl Change for Migrate<'_> {
    const NAME: &'static str = "migrate";
    type Seen = plan::Observed;
    type Action = plan::Action;
    type Output = Output;
    type Ending = view::MigrateResult;
    type Document = view::MigrateResult;

    fn words(&self) -> Words {
        words()
    }

    fn tell(&self, record: &Record) -> (String, Option<Hint>) {
        let sentence = format!(
            "the migration of {} was not followed to its end on this machine",
            record.started
        );
        let task = record.notes.get("task");
        let hint = task.map(|task| Hint::new("see how it ended with").command(attach::attach_command(task)));
        (sentence, hint)
    }

    async fn observe(&self, _target: &Target, recent: &[Record]) -> Result<plan::Observed> {
        observe::observe(self.ctx, &self.layout, &self.request, recent).await
    }

    fn plan(&self, seen: &plan::Observed, basis: &Basis<'_>) -> Result<Plan<plan::Action>> {
        plan::plan(&self.request, seen, basis)
    }

    fn covers(&self, _seen: &plan::Observed, _plan: &Plan<plan::Action>) -> Vec<String> {
        // A snapshot belongs to the migration that was to follow it.
        [plan::SNAPSHOT, plan::START].map(str::to_owned).into()
    }

    async fn act(&self, step: &StepRun<'_, Self>) -> Result<Done<Self>> {
        act::act(self, step).await
    }

    async fn verify(&self, _seen: &plan::Observed, run: &mut Verification<'_, Self>) -> Result<()> {
        verify::verify(self, run).await
    }

    fn document(&self, _seen: &plan::Observed, outcome: &Outcome<Self>) -> Option<view::MigrateResult> {
        outcome.endings.get(plan::START).cloned()
    }

    fn resume(&self, _left: &[&str]) -> CommandLine {
        CommandLine::bpctl(["migrate"])
    }

    fn explain(&self, error: CtlError, outcome: &Outcome<Self>) -> CtlError {
        match (outcome.output(plan::SNAPSHOT), outcome.output(plan::START)) {
            (Some(Output::Snapshot(id)), None) => error.hint((
                format!("snapshot {id} was taken and stays:"),
                CommandLine::bpctl(["migrate"]),
                "without `--snapshot` goes on from here",
            )),
            _ => error,
        }
    }
}
