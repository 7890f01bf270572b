//! `bpctl fleet scale-to-zero`: nothing may run, and nothing may be lost unless the operator says so.

mod act;
mod observe;
mod plan;
mod verify;
pub(in crate::commands) mod view;

use std::time::Duration;

use clap::{Args, ValueEnum};

use super::hold::{lasting_again, some_time};
use super::text::warn_of_gaps;
use crate::change::journal::Record;
use crate::change::{
    Basis, Change, ChangeArgs, Done, Outcome, Plan, Readiness, Step, StepRun, Target, Verification, Words,
    carry_out, duration,
};
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, Result};
use crate::exit::ExitStatus;
use crate::fleet::hold::{ALARMS, LAUNCH, Wish};
use crate::fleet::named;
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
/// Minimum and maximum stay as they are: the fleet starts again when the next job comes, at once where jobs wait
/// already. `--hold` keeps it at zero: it suspends the process AlarmNotification first, as `bpctl fleet hold` does,
/// with who, why and until when on record, and watches over the next alarm periods that nothing lifts the fleet.
/// `bpctl fleet release` ends that. Instances that are protected from scale-in keep running until their protection
/// ends.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl fleet scale-to-zero production/gpu-default --dry-run    what would be done, and lost
  bpctl fleet scale-to-zero production/gpu-default --drain      wait for the jobs first
  bpctl fleet scale-to-zero production/gpu-default --hold --for 2h --reason 'upgrade of the models'
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

    /// Keep the fleets at zero until they are released: no alarm lifts them (`alarms`, which is what no word means), or
    /// no instance starts whatever the desired capacity (`launch`)
    #[arg(
        long,
        value_enum,
        value_name = "WHAT",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "alarms"
    )]
    hold: Option<Holds>,

    /// When the hold is to be released, from now on, e.g. 2h; afterwards it is shown as overdue
    #[arg(long = "for", value_name = "DURATION", value_parser = duration, requires = "hold")]
    lasting: Option<Duration>,

    #[command(flatten)]
    change: ChangeArgs,
}

/// `--hold`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Holds {
    /// Suspend AlarmNotification: no scaling policy changes the capacity
    Alarms,
    /// Suspend Launch as well: no instance starts
    Launch,
}

impl Holds {
    fn processes(self) -> Vec<String> {
        let names: &[&str] = match self {
            Self::Alarms => &[ALARMS],
            Self::Launch => &[ALARMS, LAUNCH],
        };
        names.iter().map(|&name| name.to_owned()).collect()
    }
}

impl Verb for ScaleToZeroArgs {
    fn uses() -> Uses {
        Uses::of(&[
            CHANGE,
            &[
                Use::of("autoscaling:DescribeAutoScalingGroups", On::Anything),
                Use::of("autoscaling:DescribeScalingActivities", On::Anything),
                Use::of("autoscaling:SetDesiredCapacity", On::Groups),
                Use::of("autoscaling:SuspendProcesses", On::Groups),
                Use::of("cloudwatch:GetMetricData", On::Anything),
                Use::of("ssm:GetParameters", On::Holds),
                Use::of("ssm:PutParameter", On::Holds),
            ],
        ])
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        some_time(self.lasting)?;
        let layout = ctx.layout()?;
        let names = named(&ctx.aws, &layout, &self.fleets);
        let fleets = ctx.unless_interrupted(names).await?;
        let request = Request {
            drain: self.drain,
            force: self.force,
            hold: self.hold,
        };
        let change = ScaleToZero {
            ctx,
            layout,
            request,
            fleets,
            lasting: self.lasting,
            reason: self.change.reason.clone(),
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
    /// Keep the fleets from being lifted again.
    hold: Option<Holds>,
}

/// The change: fleets go to zero one after the other.
struct ScaleToZero<'a> {
    ctx: &'a Ctx,
    layout: Layout,
    request: Request,
    /// Empty: all of them.
    fleets: Vec<FleetId>,
    /// How long a hold is to last.
    lasting: Option<Duration>,
    reason: Option<String>,
}

impl ScaleToZero<'_> {
    fn wish(&self, basis: &Basis<'_>) -> Option<Wish> {
        Some(Wish {
            processes: self.request.hold?.processes(),
            lasting: self.lasting,
            reason: self.reason.clone(),
            by: basis.target.principal.clone(),
            run: basis.names.run.to_string(),
            now: basis.now,
        })
    }
}

impl Change for ScaleToZero<'_> {
    const NAME: &'static str = "fleet scale-to-zero";
    type Seen = Vec<Candidate>;
    type Action = Action;
    type Output = ();
    type Ending = verify::Ending;
    type Document = view::ScaleToZeroResult;

    fn words(&self) -> Words {
        Words {
            goal: "take all fleets to zero".to_owned(),
            thing: if self.request.hold.is_some() {
                "step"
            } else {
                "fleet"
            },
            settle: "see every instance leave".to_owned(),
            following: "Waiting for jobs to end".to_owned(),
        }
    }

    async fn observe(&self, _target: &Target, _recent: &[Record]) -> Result<Vec<Candidate>> {
        let (candidates, gap) = observe::observe(
            &self.ctx.aws,
            &self.layout,
            &self.fleets,
            self.request.hold.is_some(),
        )
        .await?;
        warn_of_gaps(&self.ctx.ui, gap.as_slice());
        Ok(candidates)
    }

    fn plan(&self, seen: &Vec<Candidate>, basis: &Basis<'_>) -> Result<Plan<Action>> {
        plan::plan(&self.layout, self.request, self.wish(basis).as_ref(), seen)
    }

    fn covers(&self, seen: &Vec<Candidate>, _plan: &Plan<Action>) -> Vec<String> {
        let fleets = seen.iter();
        fleets.flat_map(|candidate| plan::ids(&candidate.id)).collect()
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
        Some(view::ScaleToZeroResult::new(self, seen, outcome))
    }

    fn resume(&self, left: &[&str]) -> CommandLine {
        let mut fleets: Vec<&str> = Vec::new();
        for step in left {
            let fleet = plan::fleet_of(step);
            if !fleets.contains(&fleet) {
                fleets.push(fleet);
            }
        }
        let mut command = CommandLine::bpctl(["fleet", "scale-to-zero"]).args(fleets);
        if self.request.drain {
            command = command.args(["--drain"]);
        }
        if self.request.force {
            command = command.args(["--force"]);
        }
        if let Some(hold) = self.request.hold {
            command = lasting_again(command.args([plan::hold_flag(hold)]), self.lasting);
            if let Some(reason) = &self.reason {
                command = command.option("--reason", reason.clone());
            }
        }
        command
    }

    fn explain(&self, error: CtlError, outcome: &Outcome<Self>) -> CtlError {
        verify::explain(error, self, outcome)
    }
}
