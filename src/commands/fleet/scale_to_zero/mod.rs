//! `bpctl fleet scale-to-zero`: nothing may run, and nothing may be lost unless the operator says so.

mod act;
mod observe;
mod plan;
mod verify;
pub(in crate::commands) mod view;

use clap::Args;

use super::text::warn_of_gaps;
use crate::change::journal::Record;
use crate::change::{
    Basis, Change, ChangeArgs, Done, Outcome, Plan, Readiness, Step, StepRun, Target, Verification, Words,
    carry_out,
};
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, Result};
use crate::exit::ExitStatus;
use crate::fleet::{FleetEnd, named};
use crate::iam::{CHANGE, On, Use, Uses};
use crate::layout::{FleetId, FleetName, Layout};

use observe::Candidate;
use plan::Action;

/// Set the desired capacity of fleets to 0 and see their instances leave
///
/// A fleet with jobs in its queue or with workers at work is not touched, and neither is one whose
/// metrics are silent while instances run: it is not known then what would be lost. `--drain` waits
/// until no job is left, `--force` loses them. bpctl cannot keep workers from taking the next job, so
/// on a busy platform `--drain` may wait until its deadline.
///
/// Minimum and maximum stay as they are: the fleet starts again when the next job comes. Instances
/// that are protected from scale-in keep running until their protection ends.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl fleet scale-to-zero production/gpu-default --dry-run    what would be done, and lost
  bpctl fleet scale-to-zero production/gpu-default --drain      wait for the jobs first
  bpctl fleet scale-to-zero --all --stage staging --yes         a whole stage, for the night")]
#[command(group(clap::ArgGroup::new("which").required(true).args(["fleets", "all"])))]
pub(crate) struct ScaleToZeroArgs {
    /// Fleets, e.g. production/gpu-default
    #[arg(value_name = "FLEET", add = crate::completion::fleets())]
    fleets: Vec<FleetName>,

    /// Every fleet of the context (of one stage with --stage)
    #[arg(long)]
    all: bool,

    /// Wait until each fleet's queue is empty and no worker has a job
    #[arg(long, conflicts_with = "force")]
    drain: bool,

    /// Go on although running jobs are lost, or may be
    #[arg(long)]
    force: bool,

    #[command(flatten)]
    change: ChangeArgs,
}

impl Verb for ScaleToZeroArgs {
    fn uses() -> Uses {
        Uses::of(&[
            CHANGE,
            &[
                Use::of("autoscaling:DescribeAutoScalingGroups", On::Anything),
                Use::of("autoscaling:DescribeScalingActivities", On::Anything),
                Use::of("autoscaling:SetDesiredCapacity", On::Groups),
                Use::of("cloudwatch:GetMetricData", On::Anything),
            ],
        ])
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let layout = ctx.layout()?;
        let names = named(&ctx.aws, &layout, &self.fleets);
        let fleets = ctx.unless_interrupted(names).await?;
        let request = Request {
            drain: self.drain,
            force: self.force,
        };
        let change = ScaleToZero {
            ctx,
            layout,
            request,
            fleets,
        };
        carry_out(ctx, &change, &self.change).await
    }
}

/// What becomes of running jobs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Request {
    /// Wait until the jobs are done.
    drain: bool,
    /// Go on although jobs are (or may be) lost.
    force: bool,
}

/// The change: fleets go to zero one after the other.
struct ScaleToZero<'a> {
    ctx: &'a Ctx,
    layout: Layout,
    request: Request,
    /// Empty: all of them.
    fleets: Vec<FleetId>,
}

impl Change for ScaleToZero<'_> {
    const NAME: &'static str = "fleet scale-to-zero";
    type Seen = Vec<Candidate>;
    type Action = Action;
    type Output = ();
    type Ending = FleetEnd;
    type Document = view::ScaleToZeroResult;

    fn words(&self) -> Words {
        Words {
            goal: "take all fleets to zero".to_owned(),
            thing: "fleet",
            settle: "see every instance leave".to_owned(),
            following: "Waiting for jobs to end".to_owned(),
        }
    }

    async fn observe(&self, _target: &Target, _recent: &[Record]) -> Result<Vec<Candidate>> {
        let (candidates, gap) = observe::observe(&self.ctx.aws, &self.layout, &self.fleets).await?;
        warn_of_gaps(&self.ctx.ui, gap.as_slice());
        Ok(candidates)
    }

    fn plan(&self, seen: &Vec<Candidate>, _basis: &Basis<'_>) -> Result<Plan<Action>> {
        Ok(plan::plan(self.request, seen))
    }

    fn covers(&self, seen: &Vec<Candidate>, _plan: &Plan<Action>) -> Vec<String> {
        seen.iter().map(|candidate| candidate.id.to_string()).collect()
    }

    async fn ready(&self, steps: &[&Step<Action>]) -> Result<Vec<Readiness>> {
        act::ready(&self.ctx.aws, &self.layout, steps).await
    }

    async fn act(&self, step: &StepRun<'_, Self>) -> Result<Done<Self>> {
        act::act(self, step).await
    }

    fn undo(&self, step: &Step<Action>) -> Option<Step<Action>> {
        plan::undo(step)
    }

    async fn verify(&self, seen: &Vec<Candidate>, run: &mut Verification<'_, Self>) -> Result<()> {
        verify::verify(self, seen, run).await
    }

    fn document(&self, seen: &Vec<Candidate>, outcome: &Outcome<Self>) -> Option<view::ScaleToZeroResult> {
        Some(view::ScaleToZeroResult::new(self.request, seen, outcome))
    }

    fn resume(&self, left: &[&str]) -> CommandLine {
        let mut command = CommandLine::bpctl(["fleet", "scale-to-zero"]).args(left.iter().copied());
        if self.request.drain {
            command = command.args(["--drain"]);
        }
        if self.request.force {
            command = command.args(["--force"]);
        }
        command
    }

    fn explain(&self, error: CtlError, outcome: &Outcome<Self>) -> CtlError {
        verify::explain(error, outcome)
    }
}
