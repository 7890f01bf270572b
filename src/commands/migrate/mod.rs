//! `bpctl migrate`: database migrations in a one-off task, followed to their end.

mod act;
mod attach;
mod follow;
pub(super) mod observe;
mod plan;
mod request;
pub(super) mod view;
pub(super) mod within;

use clap::Args;
use serde::{Deserialize, Serialize};

use crate::change::journal::Record;
use crate::change::{
    Basis, Change, ChangeArgs, Done, Outcome, Plan, StepRun, Target, Verification, Words, carry_out,
};
use crate::commands::one_off::{ChoiceArgs, attach};
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, Hint, Result};
use crate::exit::ExitStatus;
use crate::iam::{CHANGE, ONE_OFF, On, Use, Uses};
use crate::layout::Layout;
use crate::tasks::TaskName;
use attach::Migration;
use follow::FOLLOWING;
use request::{Databases, Request};

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
    #[command(flatten)]
    databases: Databases,

    /// Follow a migration that was started before: id or ARN of its task
    #[arg(
        long,
        value_name = "TASK",
        conflicts_with_all = ["no_wait", "stop_on_interrupt", "subnets", "security_groups", "print_aws", "dry_run"]
    )]
    attach: Option<TaskName>,

    #[command(flatten)]
    choices: ChoiceArgs,

    #[command(flatten)]
    change: ChangeArgs,
}

impl Verb for MigrateArgs {
    fn uses() -> Uses {
        Uses::of(&[
            CHANGE,
            ONE_OFF,
            &[Use::of("ecs:ListTasks", On::AnythingInCluster)],
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
        if let Some(task) = &self.attach {
            return attach(ctx, Migration, task, self.change.timeout).await;
        }
        let change = Migrate {
            ctx,
            layout: ctx.layout()?,
            request: Request::new(self.databases, self.choices.read(&ctx.env)?)?,
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
        FOLLOWING.cut_off("migration", record)
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
        act::verify(self, run).await
    }

    fn document(&self, _seen: &plan::Observed, outcome: &Outcome<Self>) -> Option<view::MigrateResult> {
        outcome.endings.get(plan::START).cloned()
    }

    fn resume(&self, left: &[&str]) -> CommandLine {
        // Once its task has begun, tables may be gone: they are not dropped a second time.
        let command = if left.contains(&plan::START) {
            self.request.again()
        } else {
            self.request.go_on()
        };
        if left.contains(&plan::SNAPSHOT) {
            command.args(["--snapshot"])
        } else {
            command
        }
    }

    fn explain(&self, error: CtlError, outcome: &Outcome<Self>) -> CtlError {
        match (outcome.output(plan::SNAPSHOT), outcome.output(plan::START)) {
            (Some(Output::Snapshot(id)), None) => error.hint((
                format!("snapshot {id} was taken and stays:"),
                self.request.again(),
                "without `--snapshot` goes on from here",
            )),
            _ => error,
        }
    }
}
