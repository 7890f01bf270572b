//! `bpctl shutdown`: everything that costs by the hour and can be started again goes to zero, and what there was is on
//! record.

mod database;
mod plan;
pub(crate) mod platform;
pub(crate) mod record;
mod saving;
pub(crate) mod steps;
mod verify;
pub(crate) mod view;

use std::collections::BTreeMap;

use clap::{Args, ValueEnum};
use jiff::Timestamp;

use crate::aws::rds::power::Power;
use crate::change::journal::Record as Earlier;
use crate::change::{
    Basis, Change, ChangeArgs, Done, Outcome, Plan, Readiness, Step, StepRun, Target, Verification, Words,
    carry_out,
};
use crate::commands::fleet::text::readiness;
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, Result};
use crate::exit::ExitStatus;
use crate::fleet::{Verdict, work_of_fleets};
use crate::iam::{CHANGE, On, Use, Uses};
use crate::layout::{FleetId, Layout};

use database::Database;
use plan::Seen;
use platform::Platform;
use record::Author;
use steps::Action;

/// Put the platform to sleep: services and GPU fleets to zero, with what they had on record
///
/// Writes desired counts, bounds of service auto scaling and sizes of fleets into a parameter that other operators and
/// CI can read, then takes the fleets and the services to zero, with their minimums, so that nothing lifts them again,
/// and waits until no task and no instance runs. `--rds stop` stops the database then, which AWS starts again by itself
/// after seven days. Cache, load balancer and NAT gateway go on and cost, and so does the storage of the database.
/// `bpctl resume` gives everything back what it had. A shutdown that was cut off goes on when the command is run again.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl shutdown --dry-run
  bpctl shutdown --drain --timeout 2h --reason 'no use over the weekend'
  bpctl shutdown --scope gpu                                       the fleets only
  bpctl shutdown --rds stop                                        the database as well
  bpctl resume                                                     back to what there was")]
pub(crate) struct ShutdownArgs {
    /// What goes to zero
    #[arg(long, value_enum, default_value_t)]
    scope: Scope,

    /// Wait until the jobs of each fleet are done before it goes down
    #[arg(long)]
    drain: bool,

    /// What becomes of the database when no task runs any more
    #[arg(long, value_enum, value_name = "WHAT", default_value_t)]
    rds: Rds,

    #[command(flatten)]
    change: ChangeArgs,
}

/// `--rds`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Rds {
    /// It goes on
    #[default]
    Keep,
    /// It is stopped, and started by `resume`, or by AWS after seven days
    Stop,
}

/// `--scope`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Scope {
    /// The services
    App,
    /// The GPU fleets
    Gpu,
    /// Both
    #[default]
    All,
}

impl Scope {
    fn word(self) -> &'static str {
        match self {
            Self::App => "app",
            Self::Gpu => "gpu",
            Self::All => "all",
        }
    }
}

impl Verb for ShutdownArgs {
    fn uses() -> Uses {
        Uses::of(&[
            CHANGE,
            &[
                Use::of("application-autoscaling:DescribeScalableTargets", On::Anything),
                Use::of(
                    "application-autoscaling:RegisterScalableTarget",
                    On::ScalableTargets,
                ),
                Use::of("autoscaling:DescribeAutoScalingGroups", On::Anything),
                Use::of("autoscaling:UpdateAutoScalingGroup", On::Groups),
                Use::of("cloudformation:DescribeStacks", On::DataStack),
                Use::of("cloudwatch:GetMetricData", On::Anything),
                Use::of("ecs:DescribeServices", On::Services),
                Use::of("ecs:ListTasks", On::AnythingInCluster),
                Use::of("ecs:UpdateService", On::Services),
                Use::of("rds:DescribeDBInstances", On::Databases),
                Use::of("rds:StopDBInstance", On::Databases),
                Use::of("ssm:GetParameters", On::ShutdownRecord),
                Use::of("ssm:PutParameter", On::ShutdownRecord),
            ],
        ])
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        if self.rds == Rds::Stop && self.scope == Scope::Gpu {
            return Err(
                CtlError::usage("stop the database: the services that need it are not in the scope")
                    .hint("leave `--scope gpu` out, or `--rds stop`"),
            );
        }
        let change = Shutdown {
            ctx,
            layout: ctx.layout()?,
            scope: self.scope,
            drain: self.drain,
            rds: self.rds,
            reason: self.change.reason.clone(),
        };
        carry_out(ctx, &change, &self.change).await
    }
}

struct Shutdown<'a> {
    ctx: &'a Ctx,
    layout: Layout,
    scope: Scope,
    drain: bool,
    rds: Rds,
    reason: Option<String>,
}

impl Shutdown<'_> {
    fn author(&self, basis: &Basis<'_>) -> Author {
        Author {
            run: basis.names.run.to_string(),
            by: basis.target.principal.clone(),
            now: Timestamp::from_second(basis.now.as_second()).unwrap_or(basis.now),
            reason: self.reason.clone(),
        }
    }

    async fn look(&self) -> Result<Platform> {
        let (app, gpu) = (self.scope != Scope::Gpu, self.scope != Scope::App);
        platform::look(&self.ctx.aws, &self.layout, app, gpu).await
    }

    /// Whether nothing needs the database any more, and it does nothing that keeps it from being stopped.
    async fn may_stop(&self, instance: &str) -> Result<Readiness> {
        let (needed, instance) = futures::try_join!(
            steps::needed_by(&self.ctx.aws, &self.layout),
            self.ctx.aws.db_instance(instance)
        )?;
        Ok(match (needed, instance.power()) {
            (Some(why), _) => Readiness::NotYet(why),
            (None, Power::Busy | Power::Starting) => {
                Readiness::NotYet(format!("{} is {}", instance.id, instance.status))
            }
            (None, Power::On | Power::Stopping | Power::Off | Power::Other) => Readiness::Now,
        })
    }

    /// What the fleets do that have instances, in one batched read.
    async fn work(&self, platform: &Platform) -> BTreeMap<FleetId, Verdict> {
        let groups = platform.groups.iter();
        let alive = groups.filter(|(_, group)| !group.instances.is_empty());
        let (work, _) = work_of_fleets(&self.ctx.aws, &self.layout, alive).await;
        let verdicts = work.into_iter().map(|(fleet, work)| (fleet, work.verdict()));
        verdicts.collect()
    }
}

impl Change for Shutdown<'_> {
    const NAME: &'static str = "shutdown";
    type Seen = Seen;
    type Action = Action;
    type Output = ();
    type Ending = verify::Left;
    type Document = view::ShutdownResult;

    fn words(&self) -> Words {
        Words {
            goal: format!("shut down {}", self.layout.cluster()),
            thing: "step",
            settle: "see every task and instance end".to_owned(),
            following: "Waiting for jobs and tasks to end".to_owned(),
        }
    }

    async fn observe(&self, _target: &Target, _recent: &[Earlier]) -> Result<Seen> {
        let database = async {
            match self.rds {
                Rds::Stop => database::look(self.ctx, &self.layout).await.map(Some),
                Rds::Keep => Ok(None),
            }
        };
        let (platform, last, database) = futures::try_join!(
            self.look(),
            record::last(&self.ctx.aws, &self.layout),
            Box::pin(database)
        )?;
        let work = self.work(&platform).await;
        Ok(Seen {
            platform,
            last,
            work,
            database,
        })
    }

    fn plan(&self, seen: &Seen, basis: &Basis<'_>) -> Result<Plan<Action>> {
        plan::plan(&self.layout, seen, self.author(basis), self.drain)
    }

    fn covers(&self, seen: &Seen, _plan: &Plan<Action>) -> Vec<String> {
        let services = seen.platform.services.keys();
        let bounds = services.map(|service| steps::bounds_id(service));
        let names = seen.platform.names().into_iter();
        let database = match &seen.database {
            Some(Database::Found { instance, .. }) => Some(steps::database_id(&instance.id)),
            Some(Database::Unknown(_)) | None => None,
        };
        std::iter::once(steps::RECORD.to_owned())
            .chain(bounds)
            .chain(names)
            .chain(database)
            .collect()
    }

    async fn ready(&self, steps: &[&Step<Action>]) -> Result<Vec<Readiness>> {
        let resizes = steps
            .iter()
            .any(|step| matches!(step.action, Action::Resize { .. }));
        let work = match resizes {
            true => {
                let platform = platform::look(&self.ctx.aws, &self.layout, false, true).await?;
                self.work(&platform).await
            }
            false => BTreeMap::new(),
        };
        let mut stop = Readiness::Now;
        for step in steps {
            if let Action::Stop { call } = &step.action {
                stop = self.may_stop(&call.instance).await?;
            }
        }
        let told = |verdict: &Verdict| match verdict {
            Verdict::Idle => String::new(),
            Verdict::Busy { queued, busy_workers } => {
                format!("{queued} in the queue, {busy_workers} at work")
            }
            Verdict::Unknown { why } => why.clone(),
        };
        let ready = |step: &&Step<Action>| match &step.action {
            Action::Resize { fleet, .. } => work
                .get(fleet)
                .map_or(Readiness::Now, |verdict| readiness(verdict, told)),
            Action::Stop { .. } => stop.clone(),
            Action::Record { .. } | Action::Bounds { .. } | Action::Count { .. } | Action::Start { .. } => {
                Readiness::Now
            }
        };
        Ok(steps.iter().map(ready).collect())
    }

    async fn act(&self, step: &StepRun<'_, Self>) -> Result<Done<Self>> {
        steps::act(self.ctx, &self.layout, step).await
    }

    async fn verify(&self, seen: &Seen, run: &mut Verification<'_, Self>) -> Result<()> {
        verify::verify(self, seen, run).await
    }

    fn document(&self, seen: &Seen, outcome: &Outcome<Self>) -> Option<view::ShutdownResult> {
        Some(view::ShutdownResult::new(self, seen, outcome))
    }

    fn resume(&self, _left: &[&str]) -> CommandLine {
        let mut command = CommandLine::bpctl(["shutdown"]);
        if self.scope != Scope::All {
            command = command.option("--scope", self.scope.word());
        }
        if self.drain {
            command = command.args(["--drain"]);
        }
        if self.rds == Rds::Stop {
            command = command.option("--rds", "stop");
        }
        command
    }
}
