//! `bpctl resume`: the end of a shutdown. Everything gets back what is on record.

mod plan;
pub(crate) mod view;

use std::cell::RefCell;

use clap::Args;
use jiff::Timestamp;

use crate::aws::rds::DbInstance;
use crate::aws::rds::power::Power;
use crate::change::journal::Record as Earlier;
use crate::change::{
    Basis, Change, ChangeArgs, Done, End, Outcome, Plan, Readiness, Step, StepRun, Target, Verification,
    Words, carry_out,
};
use crate::commands::shutdown::platform::{self, Platform};
use crate::commands::shutdown::record::{self, Record};
use crate::commands::shutdown::steps::{self, Action};
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, ErrorKind, Result};
use crate::exit::ExitStatus;
use crate::iam::{CHANGE, On, Use, Uses};
use crate::layout::{App, Layout};

use plan::{Meanwhile, Seen};
use view::ResumeResult;

/// Wake the platform after `bpctl shutdown`: everything gets back what is on record
///
/// Starts the database if the shutdown has stopped it and waits until it is available, sets the services to their
/// recorded desired counts and bounds of auto scaling, waits until the load balancer finds their targets healthy and
/// the application answers `/up` with 200, then gives the fleets their sizes back and marks the shutdown as resumed; the
/// versions of the parameter keep it as history. What was changed since the shutdown is said, and nothing is done until `--overwrite`
/// or `--keep` says what is to become of it. A resume that was cut off goes on when the command is run again.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl resume --dry-run
  bpctl resume
  bpctl resume --keep                                              what runs again stays as it is")]
pub(crate) struct ResumeArgs {
    /// Set what was changed since the shutdown to what is on record too
    #[arg(long, conflicts_with = "keep")]
    overwrite: bool,

    /// Leave what was changed since the shutdown as it is
    #[arg(long)]
    keep: bool,

    /// Do not ask the application at `/up`, where its load balancer cannot be reached from here
    #[arg(long)]
    no_up: bool,

    #[command(flatten)]
    change: ChangeArgs,
}

impl Verb for ResumeArgs {
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
                Use::of("cloudformation:DescribeStacks", On::Stacks),
                Use::of("ecs:DescribeServices", On::Services),
                Use::of("ecs:UpdateService", On::Services),
                Use::of("elasticloadbalancing:DescribeTargetHealth", On::Anything),
                Use::of("rds:DescribeDBInstances", On::Databases),
                Use::of("rds:StartDBInstance", On::Databases),
                Use::of("ssm:GetParameters", On::ShutdownRecord),
                Use::of("ssm:PutParameter", On::ShutdownRecord),
            ],
        ])
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let meanwhile = match (self.overwrite, self.keep) {
            (true, _) => Meanwhile::Overwrite,
            (false, true) => Meanwhile::Keep,
            (false, false) => Meanwhile::Ask,
        };
        let change = Resume {
            ctx,
            layout: ctx.layout()?,
            meanwhile,
            asks: !self.no_up,
            address: RefCell::default(),
        };
        carry_out(ctx, &change, &self.change).await
    }
}

struct Resume<'a> {
    ctx: &'a Ctx,
    layout: Layout,
    meanwhile: Meanwhile,
    /// Whether the application is asked whether it is up.
    asks: bool,
    /// Scheme and host of the application, once the stack has been read; why it is not known.
    address: RefCell<Option<std::result::Result<String, String>>>,
}

/// Output of the compute stack that holds the address of the application.
const ADDRESS_OUTPUT: &str = "ApiBaseUrl";

/// The path that says whether the application is up, behind the load balancer.
const UP: &str = "/up";

impl Resume<'_> {
    async fn look(&self) -> Result<Platform> {
        platform::look(&self.ctx.aws, &self.layout, true, true).await
    }

    /// The database that a shutdown has stopped; `None` when it has stopped none, or when it is gone.
    async fn database(&self, last: Option<&Record>) -> Result<Option<DbInstance>> {
        let Some(id) = last.and_then(|last| last.database.as_ref()) else {
            return Ok(None);
        };
        match self.ctx.aws.db_instance(id).await {
            Ok(instance) => Ok(Some(instance)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The address of the application, as the compute stack puts it out.
    async fn look_for_address(&self) -> std::result::Result<String, String> {
        let Some(stack) = self.layout.core_stack("compute") else {
            return Err("this layout has no compute stack".to_owned());
        };
        match self.ctx.aws.stack(&stack).await {
            Ok(Some(mut found)) => found
                .outputs
                .remove(ADDRESS_OUTPUT)
                .ok_or_else(|| format!("stack {stack} has no output {ADDRESS_OUTPUT}")),
            Ok(None) => Err(format!("there is no stack {stack}")),
            Err(error) => Err(format!("stack {stack} cannot be read ({error})")),
        }
    }

    /// What the application answers instead of 200; `None` when it is up, or not asked.
    async fn not_up(&self) -> Option<String> {
        let address = match &*self.address.borrow() {
            Some(Ok(address)) if self.asks => address.clone(),
            _ => return None,
        };
        match self.ctx.aws.health(&address, UP).await {
            Ok(200) => None,
            Ok(status) => Some(format!("{address}{UP} answers {status}")),
            Err(error) => Some(format!(
                "{address}{UP} does not answer ({error}); `--no-up` does not ask"
            )),
        }
    }

    /// What the services still lack; `None` when the load balancer finds as many targets healthy as are wanted.
    async fn lacking(&self, last: Option<&Record>) -> Result<Option<String>> {
        let aws = &self.ctx.aws;
        let platform = platform::look(aws, &self.layout, true, false).await?;
        for (name, part) in &platform.services {
            let recorded = last.and_then(|last| last.services.get(name));
            let desired = match recorded {
                // Before its count is set a service that is down would lack nothing.
                Some(size) if part.service.desired == 0 || self.meanwhile == Meanwhile::Overwrite => {
                    size.desired
                }
                _ => part.service.desired,
            };
            let desired = desired.max(0);
            if part.service.running < desired {
                return Ok(Some(format!(
                    "{name} runs {} of {desired} tasks",
                    part.service.running
                )));
            }
            for group in &part.service.target_groups {
                let targets = aws.target_health(group).await?;
                let healthy = targets.iter().filter(|target| target.state == "healthy").count();
                if healthy < usize::try_from(desired).unwrap_or_default() {
                    return Ok(Some(format!(
                        "{healthy} of {desired} targets of {name} are healthy"
                    )));
                }
            }
        }
        let backend = self.layout.service(App::Backend);
        let serves = platform.services.get(&backend);
        if serves.is_some_and(|part| part.service.desired > 0) {
            return Ok(self.not_up().await);
        }
        Ok(None)
    }
}

impl Change for Resume<'_> {
    const NAME: &'static str = "resume";
    type Seen = Seen;
    type Action = Action;
    type Output = ();
    type Ending = ResumeResult;
    type Document = ResumeResult;

    fn words(&self) -> Words {
        Words {
            goal: format!("resume {}", self.layout.cluster()),
            thing: "step",
            settle: format!("see {} healthy", self.layout.cluster()),
            following: "Waiting for the application".to_owned(),
        }
    }

    async fn observe(&self, _target: &Target, _recent: &[Earlier]) -> Result<Seen> {
        let (platform, last) = futures::try_join!(self.look(), record::last(&self.ctx.aws, &self.layout))?;
        let held = last.as_ref().filter(|last| last.resumed.is_none());
        let address = async {
            match held.is_some() && self.asks {
                true => Some(self.look_for_address().await),
                false => None,
            }
        };
        let (database, address) = futures::join!(Box::pin(self.database(held)), Box::pin(address));
        if let Some(Err(why)) = &address {
            let unasked = format!("the application is not asked whether it is up: {why}");
            self.ctx.ui.warn(&unasked);
        }
        self.address.replace(address);
        Ok(Seen {
            platform,
            last,
            database: database?,
        })
    }

    fn plan(&self, seen: &Seen, basis: &Basis<'_>) -> Result<Plan<Action>> {
        let now = Timestamp::from_second(basis.now.as_second()).unwrap_or(basis.now);
        let resumed = |record: &Record| Record {
            resumed: Some(now),
            resumed_by: Some(basis.target.principal.clone()),
            ..record.clone()
        };
        plan::plan(&self.layout, seen, resumed, self.meanwhile)
    }

    fn covers(&self, seen: &Seen, _plan: &Plan<Action>) -> Vec<String> {
        let services = seen.platform.services.keys();
        let bounds = services.map(|service| steps::bounds_id(service));
        std::iter::once(steps::RECORD.to_owned())
            .chain(bounds)
            .chain(seen.platform.names())
            .chain(
                seen.database
                    .iter()
                    .map(|instance| steps::database_id(&instance.id)),
            )
            .collect()
    }

    async fn ready(&self, steps: &[&Step<Action>]) -> Result<Vec<Readiness>> {
        let last = record::last(&self.ctx.aws, &self.layout).await?;
        let database = self.database(last.as_ref()).await?;
        let down = database.as_ref().filter(|instance| !instance.is_up());
        let down = down.map(|instance| format!("the database {} is {}", instance.id, instance.status));
        // As long as the database is down nobody needs to look at the services.
        let lacking = match &down {
            Some(why) => Some(why.clone()),
            None => self.lacking(last.as_ref()).await?,
        };
        let stopping = database.is_some_and(|instance| instance.power() == Power::Stopping);
        let until = |why: &Option<String>| match why {
            None => Readiness::Now,
            Some(why) => Readiness::NotYet(why.clone()),
        };
        let ready = |step: &&Step<Action>| match &step.action {
            // It is started when it has stopped.
            Action::Start { .. } if stopping => until(&down),
            Action::Start { .. } | Action::Stop { .. } => Readiness::Now,
            Action::Count { .. } | Action::Bounds { .. } => until(&down),
            Action::Resize { .. } | Action::Record { .. } => until(&lacking),
        };
        Ok(steps.iter().map(ready).collect())
    }

    async fn act(&self, step: &StepRun<'_, Self>) -> Result<Done<Self>> {
        steps::act(self.ctx, &self.layout, step).await
    }

    async fn verify(&self, _seen: &Seen, run: &mut Verification<'_, Self>) -> Result<()> {
        // The last step has waited for healthy targets; this is the platform as the result shows it.
        let (platform, last) = futures::try_join!(self.look(), record::last(&self.ctx.aws, &self.layout))?;
        let Some(last) = last else { return Ok(()) };
        let database = self.database(Some(&last)).await?;
        if run.done().iter().any(|(step, _)| step.id == steps::RECORD) {
            run.end(steps::RECORD, End::Settled);
        }
        run.ending(
            steps::RECORD,
            ResumeResult::new(self.layout.shutdown_parameter(), &platform, database, last),
        );
        Ok(())
    }

    fn document(&self, _seen: &Seen, outcome: &Outcome<Self>) -> Option<ResumeResult> {
        let mut result = outcome.endings.get(steps::RECORD)?.clone();
        result.run = Some(outcome.run.clone());
        Some(result)
    }

    fn resume(&self, _left: &[&str]) -> CommandLine {
        let mut command = CommandLine::bpctl(["resume"]);
        if !self.asks {
            command = command.args(["--no-up"]);
        }
        match self.meanwhile {
            Meanwhile::Ask => command,
            Meanwhile::Overwrite => command.args(["--overwrite"]),
            Meanwhile::Keep => command.args(["--keep"]),
        }
    }
}
