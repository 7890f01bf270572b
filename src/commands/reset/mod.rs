//! `bpctl reset`: everything of the platform's that outlives its stacks, listed or deleted.

mod act;
mod buckets;
mod databases;
mod observe;
mod plan;
mod stays;
pub(crate) mod view;

use clap::{Args, ValueEnum};
use tokio::sync::Mutex;

use crate::change::journal::Record;
use crate::change::{
    Basis, Change, ChangeArgs, Done, Outcome, Plan, StepRun, Target, Verification, Words, carry_out,
};
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, Result};
use crate::exit::ExitStatus;
use crate::iam::{CHANGE, On, Use, Uses};
use crate::layout::Layout;
use crate::leftovers::{Kind, Leftovers, look};

use observe::Seen;
use plan::Action;

/// Full buckets and databases take this long more often than not.
const LASTS: std::time::Duration = std::time::Duration::from_secs(2 * 60 * 60);

/// Delete what is left of the platform when its stacks are gone, or list it with what it costs
///
/// Databases and their snapshots, buckets with all versions and delete markers, secrets, parameters, log groups, machine
/// images and their snapshots, development instances and their security groups, and the CDK's bootstrap: in the region of
/// the context, of both layouts, and only what carries the platform's names or tags. Everything else of these kinds is
/// listed as left alone, with the reason. A snapshot of `bpctl backup` is left alone unless `--backups` asks for it. The
/// bootstrap is left alone where other stacks may be deployed with it, and as long as a network stays. As long as a stack
/// of the platform stands nothing is deleted, and `bpctl teardown` comes first; but a network that a teardown has left for
/// its database goes with that. The number of the account confirms it. A reset that was cut off goes on when the command
/// is run again.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl reset --list                                        what there is and what it costs a month
  bpctl reset --everything --dry-run                        what would go, what is left alone and why
  bpctl reset --everything --confirm 123456789012
  bpctl reset --everything --keep snapshots,secrets --confirm 123456789012
  bpctl reset --everything --backups --confirm 123456789012")]
pub(crate) struct ResetArgs {
    /// List what there is, and delete nothing
    #[arg(
        long,
        conflicts_with_all = [
            "everything", "keep", "backups", "dry_run", "exit_code", "print_aws", "yes", "confirm", "reason", "timeout", "no_wait",
            "lock_wait"
        ]
    )]
    list: bool,

    /// Delete everything but what is kept
    #[arg(long, required_unless_present = "list")]
    everything: bool,

    /// What stays, separated by commas; may be repeated
    #[arg(
        long,
        value_enum,
        value_name = "WHAT",
        value_delimiter = ',',
        requires = "everything"
    )]
    keep: Vec<Part>,

    /// Delete database snapshots that a backup stands on, too
    #[arg(long, requires = "everything")]
    backups: bool,

    #[command(flatten)]
    change: ChangeArgs,
}

/// `--keep`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// Databases with their subnet groups, networks and master credentials
    Databases,
    /// Snapshots of databases
    Snapshots,
    Buckets,
    Secrets,
    Parameters,
    /// Log groups
    Logs,
    /// Repositories of container images
    Repositories,
    /// Machine images with their snapshots
    Images,
    /// Development instances with their security groups
    Instances,
    /// What `cdk bootstrap` has made
    Bootstrap,
}

impl Part {
    /// Which part a thing belongs to; a stack belongs to none, it has to go before.
    fn of(kind: Kind) -> Option<Self> {
        Some(match kind {
            Kind::Stack => return None,
            Kind::Database | Kind::DatabaseSubnetGroup => Self::Databases,
            Kind::DatabaseSnapshot => Self::Snapshots,
            Kind::Bucket => Self::Buckets,
            Kind::Secret => Self::Secrets,
            Kind::Parameter => Self::Parameters,
            Kind::LogGroup => Self::Logs,
            Kind::Repository => Self::Repositories,
            Kind::Image | Kind::ImageSnapshot => Self::Images,
            Kind::DevInstance | Kind::DevSecurityGroup => Self::Instances,
            Kind::Bootstrap => Self::Bootstrap,
        })
    }
}

impl Verb for ResetArgs {
    fn uses() -> Uses {
        Uses::of(&[&[
            Use::of("cloudformation:DescribeStacks", On::Anything),
            Use::of("cloudformation:ListStacks", On::Anything),
            Use::of("ec2:DescribeImages", On::Anything),
            Use::of("ec2:DescribeInstances", On::Anything),
            Use::of("ec2:DescribeSecurityGroups", On::Anything),
            Use::of("ec2:DescribeSnapshots", On::Anything),
            Use::of("ecr:DescribeRepositories", On::AllRepositories),
            Use::of("logs:DescribeLogGroups", On::Anything),
            Use::of("rds:DescribeDBInstances", On::Databases),
            Use::of("rds:DescribeDBSnapshots", On::DatabasesAndSnapshots),
            Use::of("rds:DescribeDBSubnetGroups", On::SubnetGroups),
            Use::of("s3:ListAllMyBuckets", On::Anything),
            Use::of("s3:ListBucketVersions", On::EveryBucket),
            Use::of("secretsmanager:ListSecrets", On::Anything),
            Use::of("ssm:DescribeParameters", On::Anything),
        ]])
        .with(
            "--everything",
            &[
                CHANGE,
                &[
                    Use::of("cloudformation:DeleteStack", On::EveryStack),
                    Use::of("cloudformation:DeleteStack", On::Toolkit),
                    Use::of("cloudformation:DescribeStackEvents", On::EveryStack),
                    Use::of("cloudformation:DescribeStackEvents", On::Toolkit),
                    Use::of("cloudformation:ListStackResources", On::EveryStack),
                    Use::of("ec2:DeleteSecurityGroup", On::DevSecurityGroups),
                    Use::of("ec2:DeleteSnapshot", On::ImageSnapshots),
                    Use::of("ec2:DeregisterImage", On::MachineImages),
                    Use::of("ec2:DescribeNetworkInterfaces", On::Anything),
                    Use::of("ec2:TerminateInstances", On::DevInstances),
                    Use::of("ecr:DeleteRepository", On::EveryRepository),
                    Use::of("logs:DeleteLogGroup", On::EveryLogGroup),
                    Use::of("rds:DeleteDBInstance", On::Databases),
                    Use::of("rds:DeleteDBSnapshot", On::Snapshots),
                    Use::of("rds:DeleteDBSubnetGroup", On::SubnetGroups),
                    Use::of("rds:ModifyDBInstance", On::Databases),
                    Use::of("s3:DeleteBucket", On::EveryBucket),
                    Use::of("s3:DeleteObjectVersion", On::EveryObject),
                    Use::of("secretsmanager:DeleteSecret", On::EverySecret),
                    Use::of("ssm:DeleteParameters", On::EveryParameter),
                ],
            ]
            .concat(),
        )
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let layout = ctx.layout()?;
        if self.list {
            let target = ctx.target().await?;
            let found = Box::pin(look(&ctx.aws, &layout, &target.account, &target.region)).await?;
            ctx.emit(&view::LeftoverList::new(&found))?;
            return Ok(ExitStatus::Done);
        }
        if self.change.no_wait {
            return Err(CtlError::usage(
                "reset without waiting: a bucket goes when it is empty, a security group when its instances are gone",
            )
            .hint("leave `--no-wait` out; `--timeout` ends the wait, and the same command goes on"));
        }
        if self.backups && self.keep.contains(&Part::Snapshots) {
            return Err(CtlError::usage(
                "delete the snapshots of backups and keep the others: `--keep snapshots` keeps all of them",
            )
            .hint("leave `--backups` or `--keep snapshots` out"));
        }
        let mut args = self.change.clone();
        args.timeout.get_or_insert(LASTS);
        let change = Reset {
            ctx,
            layout,
            keep: self.keep,
            backups: self.backups,
            after: Mutex::new(None),
        };
        carry_out(ctx, &change, &args).await
    }
}

struct Reset<'a> {
    ctx: &'a Ctx,
    layout: Layout,
    keep: Vec<Part>,
    /// Whether snapshots that a backup stands on go as well.
    backups: bool,
    /// What is in the account when everything is over.
    after: Mutex<Option<Leftovers>>,
}

impl Reset<'_> {
    fn keeps(&self, kind: Kind) -> bool {
        Part::of(kind).is_some_and(|part| self.keep.contains(&part))
    }
}

impl Change for Reset<'_> {
    const NAME: &'static str = "reset";
    type Seen = Seen;
    type Action = Action;
    type Output = ();
    type Ending = ();
    type Document = view::ResetResult;

    fn words(&self) -> Words {
        Words {
            goal: "delete what is left of the platform".to_owned(),
            thing: "step",
            settle: "see that everything is gone".to_owned(),
            following: "Waiting until everything is gone".to_owned(),
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
        Box::pin(act::act(self, step)).await
    }

    async fn verify(&self, seen: &Seen, run: &mut Verification<'_, Self>) -> Result<()> {
        let found = Box::pin(act::settled(self, seen, run)).await?;
        *self.after.lock().await = Some(found);
        Ok(())
    }

    fn document(&self, _seen: &Seen, outcome: &Outcome<Self>) -> Option<view::ResetResult> {
        let after = self.after.try_lock().ok()?.clone()?;
        Some(view::ResetResult::new(outcome, &after))
    }

    fn resume(&self, _left: &[&str]) -> CommandLine {
        let mut command = CommandLine::bpctl(["reset", "--everything"]);
        if self.backups {
            command = command.args(["--backups"]);
        }
        let kept: Vec<String> = self
            .keep
            .iter()
            .filter_map(|part| Some(part.to_possible_value()?.get_name().to_owned()))
            .collect();
        match kept.is_empty() {
            true => command,
            false => command.option("--keep", kept.join(",")),
        }
    }
}
