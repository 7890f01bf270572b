//! `bpctl resume`: the end of a shutdown. Everything gets back what is on record.

mod plan;
pub(crate) mod view;

use clap::Args;
use jiff::Timestamp;

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
use crate::error::{CommandLine, Result};
use crate::exit::ExitStatus;
use crate::iam::{CHANGE, On, Use, Uses};
use crate::layout::Layout;

use plan::{Meanwhile, Seen};
use view::ResumeResult;

/// Wake the platform after `bpctl shutdown`: everything gets back what is on record
///
/// Sets the services to their recorded desired counts and bounds of auto scaling, waits until the load balancer finds
/// their targets healthy, then gives the fleets their sizes back and marks the shutdown as resumed; the versions of the
/// parameter keep it as history. What was changed since the shutdown is said, and nothing is done until `--overwrite`
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
                Use::of("ecs:DescribeServices", On::Services),
                Use::of("ecs:UpdateService", On::Services),
                Use::of("elasticloadbalancing:DescribeTargetHealth", On::Anything),
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
        };
        carry_out(ctx, &change, &self.change).await
    }
}

struct Resume<'a> {
    ctx: &'a Ctx,
    layout: Layout,
    meanwhile: Meanwhile,
}

impl Resume<'_> {
    async fn look(&self) -> Result<Platform> {
        platform::look(&self.ctx.aws, &self.layout, true, true).await
    }

    /// What the services still lack; `None` when the load balancer finds as many targets healthy as are wanted.
    async fn lacking(&self) -> Result<Option<String>> {
        let aws = &self.ctx.aws;
        let look = platform::look(aws, &self.layout, true, false);
        let (platform, last) = futures::try_join!(look, record::last(aws, &self.layout))?;
        for (name, part) in &platform.services {
            let recorded = last.as_ref().and_then(|last| last.services.get(name));
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
            following: "Waiting for healthy targets".to_owned(),
        }
    }

    async fn observe(&self, _target: &Target, _recent: &[Earlier]) -> Result<Seen> {
        let (platform, last) = futures::try_join!(self.look(), record::last(&self.ctx.aws, &self.layout))?;
        Ok(Seen { platform, last })
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
            .collect()
    }

    async fn ready(&self, steps: &[&Step<Action>]) -> Result<Vec<Readiness>> {
        let readiness = match self.lacking().await? {
            None => Readiness::Now,
            Some(why) => Readiness::NotYet(why),
        };
        Ok(steps.iter().map(|_| readiness.clone()).collect())
    }

    async fn act(&self, step: &StepRun<'_, Self>) -> Result<Done<Self>> {
        steps::act(self.ctx, &self.layout, step).await
    }

    async fn verify(&self, _seen: &Seen, run: &mut Verification<'_, Self>) -> Result<()> {
        // The last step has waited for healthy targets; this is the platform as the result shows it.
        let (platform, last) = futures::try_join!(self.look(), record::last(&self.ctx.aws, &self.layout))?;
        let Some(last) = last else { return Ok(()) };
        if run.done().iter().any(|(step, _)| step.id == steps::RECORD) {
            run.end(steps::RECORD, End::Settled);
        }
        run.ending(
            steps::RECORD,
            ResumeResult::new(self.layout.shutdown_parameter(), &platform, last),
        );
        Ok(())
    }

    fn document(&self, _seen: &Seen, outcome: &Outcome<Self>) -> Option<ResumeResult> {
        let mut result = outcome.endings.get(steps::RECORD)?.clone();
        result.run = Some(outcome.run.clone());
        Some(result)
    }

    fn resume(&self, _left: &[&str]) -> CommandLine {
        let command = CommandLine::bpctl(["resume"]);
        match self.meanwhile {
            Meanwhile::Ask => command,
            Meanwhile::Overwrite => command.args(["--overwrite"]),
            Meanwhile::Keep => command.args(["--keep"]),
        }
    }
}
