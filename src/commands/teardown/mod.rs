//! `bpctl teardown`: the stacks of the platform in the order in which they can go, with what stands in their way.

mod clear;
pub(in crate::commands) mod database;
mod follow;
mod observe;
mod order;
mod plan;
mod remedy;
mod stacks;
pub(crate) mod view;

use clap::{Args, ValueEnum};
use tokio::sync::Mutex;

use crate::change::journal::Record;
use crate::change::{
    Basis, Blocker, Change, ChangeArgs, Done, Outcome, Plan, StepRun, Target, Verification, Words, carry_out,
};
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Result};
use crate::exit::ExitStatus;
use crate::iam::{CHANGE, On, Use, Uses};
use crate::layout::Layout;
use crate::leftovers::{Leftovers, Occupied, look};

pub(in crate::commands) use follow::refusal;
use observe::Seen;
use plan::Action;

/// Stacks, databases and the network take this long together more often than not.
const LASTS: std::time::Duration = std::time::Duration::from_secs(2 * 60 * 60);

/// Delete the stacks of the platform, in order, and say what stays in the account and what it costs
///
/// Fleets go first, then what they share, monitoring, services, data, network and repositories. One-off tasks and other
/// services in the cluster are stopped, a deletion that fails is explained and goes on where AWS allows it. What holds
/// data stays: the database with its network, the media, models and access-log buckets, machine images, parameters.
/// Before its stack goes, a last snapshot of the database is taken, and its master credentials, which go with the stack,
/// are copied into a secret of their own. A teardown that was cut off goes on when the command is run again.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl teardown --dry-run                                        what goes, what stays, what that costs
  bpctl teardown --confirm sandbox                                the database and its network stay
  bpctl teardown --database delete --confirm 123456789012         everything but its last snapshot goes
  bpctl teardown --database delete --no-final-snapshot --confirm 123456789012
  bpctl teardown --all-layouts --dry-run                          with the stacks of older layouts")]
pub(crate) struct TeardownArgs {
    /// What becomes of the database
    #[arg(long, value_enum, value_name = "WHAT", default_value_t)]
    database: Fate,

    /// Take no last snapshot of the database; the account's number confirms it
    #[arg(long)]
    no_final_snapshot: bool,

    /// The stacks of the other layout and of the generation between the two as well
    #[arg(long)]
    all_layouts: bool,

    /// Take termination protection off
    #[arg(long)]
    unprotect: bool,

    #[command(flatten)]
    change: ChangeArgs,
}

/// `--database`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Fate {
    /// It stays, and with it the network that it stands in
    #[default]
    Keep,
    /// It is deleted; the account's number confirms it
    Delete,
}

impl Verb for TeardownArgs {
    fn uses() -> Uses {
        Uses::of(&[
            CHANGE,
            &[
                Use::of("cloudformation:DeleteStack", On::Stacks),
                Use::of("cloudformation:DeleteStack", On::LegacyStacks),
                Use::of("cloudformation:DescribeStackEvents", On::Stacks),
                Use::of("cloudformation:DescribeStackEvents", On::LegacyStacks),
                Use::of("cloudformation:DescribeStacks", On::Anything),
                Use::of("cloudformation:GetTemplate", On::Stacks),
                Use::of("cloudformation:GetTemplate", On::LegacyStacks),
                Use::of("cloudformation:ListImports", On::Anything),
                Use::of("cloudformation:ListStackResources", On::Stacks),
                Use::of("cloudformation:ListStackResources", On::LegacyStacks),
                Use::of("cloudformation:ListStacks", On::Anything),
                Use::of("ec2:DescribeImages", On::Anything),
                Use::of("ec2:DescribeInstances", On::Anything),
                Use::of("ec2:DescribeSecurityGroups", On::Anything),
                Use::of("ec2:DescribeSnapshots", On::Anything),
                Use::of("ecr:DescribeRepositories", On::AllRepositories),
                Use::of("ecs:DeleteService", On::AllServices),
                Use::of("ecs:DescribeServices", On::AllServices),
                Use::of("ecs:DescribeTasks", On::Tasks),
                Use::of("ecs:ListServices", On::AnythingInCluster),
                Use::of("ecs:ListTasks", On::AnythingInCluster),
                Use::of("ecs:StopTask", On::Tasks),
                Use::of("logs:DescribeLogGroups", On::Anything),
                Use::of("rds:AddTagsToResource", On::Snapshots),
                Use::of("rds:CreateDBSnapshot", On::DatabasesAndSnapshots),
                Use::of("rds:DescribeDBInstances", On::Databases),
                Use::of("rds:DescribeDBSnapshots", On::DatabasesAndSnapshots),
                Use::of("rds:DescribeDBSubnetGroups", On::SubnetGroups),
                // A database that stays is protected where its template would let it go.
                Use::of("rds:ModifyDBInstance", On::Databases),
                Use::of("s3:ListAllMyBuckets", On::Anything),
                Use::of("s3:ListBucketVersions", On::EveryBucket),
                Use::of("secretsmanager:BatchGetSecretValue", On::Anything),
                Use::of("secretsmanager:CreateSecret", On::KeptSecrets),
                Use::of("secretsmanager:GetSecretValue", On::Secrets),
                Use::of("secretsmanager:GetSecretValue", On::KeptSecrets),
                Use::of("secretsmanager:ListSecrets", On::Anything),
                Use::of("secretsmanager:PutSecretValue", On::KeptSecrets),
                Use::of("secretsmanager:TagResource", On::KeptSecrets),
                Use::of("ssm:DescribeParameters", On::Anything),
            ],
        ])
        .with(
            "--database",
            &[
                Use::of("rds:DeleteDBInstance", On::Databases),
                Use::of("rds:DeleteDBSubnetGroup", On::SubnetGroups),
            ],
        )
        .with(
            "--unprotect",
            &[
                Use::of("cloudformation:UpdateTerminationProtection", On::Stacks),
                Use::of("cloudformation:UpdateTerminationProtection", On::LegacyStacks),
            ],
        )
        .with(
            "--all-layouts",
            &[
                Use::of("cloudformation:DeleteStack", On::EveryStack),
                Use::of("cloudformation:DescribeStackEvents", On::EveryStack),
                Use::of("cloudformation:GetTemplate", On::EveryStack),
                Use::of("cloudformation:ListStackResources", On::EveryStack),
                // With `--unprotect` as well.
                Use::of("cloudformation:UpdateTerminationProtection", On::EveryStack),
                Use::of("ecs:DeleteService", On::EveryService),
                Use::of("ecs:DescribeServices", On::EveryService),
                Use::of("ecs:DescribeTasks", On::EveryTask),
                Use::of("ecs:ListServices", On::AnythingInEveryCluster),
                Use::of("ecs:ListTasks", On::AnythingInEveryCluster),
                Use::of("ecs:StopTask", On::EveryTask),
                Use::of("secretsmanager:GetSecretValue", On::EverySecret),
            ],
        )
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        if self.change.no_wait {
            return Err(CtlError::usage(
                "tear down without waiting: each stack goes only when those that need it are gone",
            )
            .hint("leave `--no-wait` out; `--timeout` ends the wait, and the same command goes on"));
        }
        let mut args = self.change.clone();
        args.timeout.get_or_insert(LASTS);
        let change = Teardown {
            ctx,
            layout: ctx.layout()?,
            fate: self.database,
            snapshot: !self.no_final_snapshot,
            all_layouts: self.all_layouts,
            unprotect: self.unprotect,
            after: Mutex::new(None),
        };
        carry_out(ctx, &change, &args).await
    }
}

/// The command that takes these stacks down, with the database that keeps the network.
pub(in crate::commands) fn command_for<'s>(
    layout: &Layout,
    stacks: impl Iterator<Item = &'s str>,
) -> CommandLine {
    let command = CommandLine::bpctl(["teardown"]).option("--database", "delete");
    let mut places = stacks.filter_map(|stack| order::Place::of(layout, stack));
    match places.all(|place| place.is_in(layout)) {
        true => command,
        false => command.args(["--all-layouts"]),
    }
}

/// Whether a stack is the network of a platform: it stands as long as a database is in its subnets.
pub(in crate::commands) fn is_network(layout: &Layout, stack: &str) -> bool {
    order::Place::of(layout, stack).is_some_and(|place| place.part == order::Part::Network)
}

/// Why a network with machines of others in it cannot go.
pub(in crate::commands) fn blocker(network: &Occupied) -> Blocker {
    Blocker {
        kind: ErrorKind::Conflict,
        reason: network.reason(),
        hint: network.hint(),
    }
}

struct Teardown<'a> {
    ctx: &'a Ctx,
    layout: Layout,
    fate: Fate,
    snapshot: bool,
    all_layouts: bool,
    unprotect: bool,
    /// What is in the account when everything is over.
    after: Mutex<Option<Leftovers>>,
}

impl Change for Teardown<'_> {
    const NAME: &'static str = "teardown";
    type Seen = Seen;
    type Action = Action;
    /// What stayed of a stack although its template would have let it go, and why.
    type Output = Vec<String>;
    type Ending = ();
    type Document = view::TeardownResult;

    fn words(&self) -> Words {
        Words {
            goal: "tear the platform down".to_owned(),
            thing: "step",
            settle: "see what is left in the account".to_owned(),
            following: "Deleting the stacks".to_owned(),
        }
    }

    async fn observe(&self, target: &Target, recent: &[Record]) -> Result<Seen> {
        Box::pin(observe::observe(self, target, recent)).await
    }

    fn plan(&self, seen: &Seen, basis: &Basis<'_>) -> Result<Plan<Action>> {
        Ok(plan::plan(self, seen, basis))
    }

    fn covers(&self, seen: &Seen, _plan: &Plan<Action>) -> Vec<String> {
        seen.earlier.clone()
    }

    async fn act(&self, step: &StepRun<'_, Self>) -> Result<Done<Self>> {
        match step.action() {
            Action::Clear(action) => Box::pin(clear::act(self, step, action)).await,
            Action::Save(save) => Box::pin(database::save(self, step, save)).await,
            Action::Snapshot(call) => Box::pin(database::snapshot(self, step, call)).await,
            Action::Await(id, since) => Box::pin(database::begun(self, step, id, *since)).await,
            Action::Database(action) => Box::pin(database::delete(self.ctx, step, action)).await,
            Action::SubnetGroup(call) => {
                step.send(&self.ctx.aws, call).await?;
                Ok(Done::new("deleted"))
            }
            Action::Stack(action) => Box::pin(stacks::act(self, step, action)).await,
        }
    }

    async fn verify(&self, seen: &Seen, _run: &mut Verification<'_, Self>) -> Result<()> {
        let aws = &self.ctx.aws;
        let found = Box::pin(look(aws, &self.layout, &seen.account, &seen.region)).await?;
        *self.after.lock().await = Some(found);
        Ok(())
    }

    fn document(&self, seen: &Seen, outcome: &Outcome<Self>) -> Option<view::TeardownResult> {
        let after = self.after.try_lock().ok()?.clone()?;
        Some(view::TeardownResult::new(seen, outcome, &after))
    }

    fn resume(&self, _left: &[&str]) -> CommandLine {
        let mut command = CommandLine::bpctl(["teardown"]);
        if self.fate == Fate::Delete {
            command = command.option("--database", "delete");
        }
        for (is, flag) in [
            (!self.snapshot, "--no-final-snapshot"),
            (self.all_layouts, "--all-layouts"),
            (self.unprotect, "--unprotect"),
        ] {
            if is {
                command = command.args([flag]);
            }
        }
        command
    }
}
