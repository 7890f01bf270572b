//! `bpctl fleet hold`: nothing lifts the fleet, and everybody can see who holds it, why, and until when.

pub(super) mod release;
pub(super) mod steps;
pub(crate) mod view;

use std::time::Duration;

use clap::Args;
use jiff::Timestamp;

use crate::aws::autoscaling::Group;
use crate::change::journal::Record;
use crate::change::{
    Basis, Change, ChangeArgs, Done, End, Outcome, Plan, StepRun, Target, Verification, Words, carry_out,
    duration,
};
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, Hint, Result};
use crate::exit::ExitStatus;
use crate::fleet::hold::{ALARMS, Hold, LAUNCH, Wish, last, minute, suspended_of};
use crate::fleet::{named_one, status_command};
use crate::iam::{CHANGE, On, Use, Uses};
use crate::layout::{FleetId, FleetName, Layout};
use crate::wait::{Look, Waited, Waiter};

use steps::{Action, Parts, told};
use view::HoldResult;

/// The step that writes the record; the other one bears the fleet's name.
const RECORD: &str = "record";

/// Two periods of the alarms that lift a fleet, one minute each, and the time that an action takes.
pub(super) const ALARM_TIME: Duration = Duration::from_secs(130);

/// Keep scaling policies from changing a fleet
///
/// Suspends the process AlarmNotification of the fleet's group, so that no alarm changes its capacity, and puts who,
/// why and until when on record in a parameter that `bpctl fleet list` shows. Requests of people and of the
/// scale-to-zero function still count. AWS releases nothing by itself: `bpctl fleet release` does.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl fleet hold production/gpu-default --for 2h --reason 'database upgrade'
  bpctl fleet hold production/gpu-default --launch                 not even another desired capacity starts instances
  bpctl fleet release production/gpu-default")]
pub(crate) struct HoldArgs {
    /// The fleet, e.g. production/gpu-default
    #[arg(value_name = "FLEET", add = crate::completion::fleets())]
    fleet: FleetName,

    /// When it is to be released, from now on, e.g. 2h; afterwards it is shown as overdue
    #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
    lasting: Option<Duration>,

    /// Suspend Launch as well: no instance starts, whatever the desired capacity
    #[arg(long)]
    launch: bool,

    #[command(flatten)]
    change: ChangeArgs,
}

impl Verb for HoldArgs {
    fn uses() -> Uses {
        Uses::of(&[
            CHANGE,
            &[
                Use::of("autoscaling:DescribeAutoScalingGroups", On::Anything),
                Use::of("autoscaling:SuspendProcesses", On::Groups),
                Use::of("ssm:GetParameters", On::Holds),
                Use::of("ssm:PutParameter", On::Holds),
            ],
        ])
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let layout = ctx.layout()?;
        some_time(self.lasting)?;
        let fleet = ctx
            .unless_interrupted(named_one(&ctx.aws, &layout, &self.fleet))
            .await?;
        let change = Holding {
            ctx,
            layout,
            fleet,
            lasting: self.lasting,
            launch: self.launch,
            reason: self.change.reason.clone(),
        };
        carry_out(ctx, &change, &self.change).await
    }
}

/// # Errors
/// [`ErrorKind::Usage`](crate::error::ErrorKind::Usage) for a hold that is over at once.
pub(super) fn some_time(lasting: Option<Duration>) -> Result<()> {
    if lasting.is_some_and(|lasting| lasting.is_zero()) {
        return Err(CtlError::usage("hold the fleet: `--for` is no time at all")
            .hint("write e.g. `--for 2h`, or leave it out to hold the fleet until it is released"));
    }
    Ok(())
}

/// `--for` as it is typed again.
pub(super) fn lasting_again(command: CommandLine, lasting: Option<Duration>) -> CommandLine {
    let Some(lasting) = lasting else { return command };
    let text = humantime::format_duration(lasting).to_string().replace(' ', "");
    command.option("--for", text)
}

struct Holding<'a> {
    ctx: &'a Ctx,
    layout: Layout,
    fleet: FleetId,
    lasting: Option<Duration>,
    launch: bool,
    reason: Option<String>,
}

/// The group, and the last record.
type Seen = (Group, Option<Hold>);

async fn look(ctx: &Ctx, layout: &Layout, fleet: &FleetId) -> Result<Seen> {
    let name = layout.auto_scaling_group(fleet);
    futures::try_join!(ctx.aws.group(&name), last(&ctx.aws, layout, fleet))
}

impl Holding<'_> {
    fn wanted(&self) -> Vec<String> {
        let launch = self.launch.then_some(LAUNCH);
        std::iter::once(ALARMS).chain(launch).map(str::to_owned).collect()
    }

    fn wish(&self, basis: &Basis<'_>) -> Wish {
        Wish {
            processes: self.wanted(),
            lasting: self.lasting,
            reason: self.reason.clone(),
            by: basis.target.principal.clone(),
            run: basis.names.run.to_string(),
            now: basis.now,
        }
    }
}

impl Change for Holding<'_> {
    const NAME: &'static str = "fleet hold";
    type Seen = Seen;
    type Action = Action;
    type Output = ();
    type Ending = HoldResult;
    type Document = HoldResult;

    fn words(&self) -> Words {
        Words {
            goal: format!("hold {}", self.fleet),
            thing: "step",
            settle: format!("see {} left alone", self.fleet),
            following: String::new(),
        }
    }

    async fn observe(&self, _target: &Target, _recent: &[Record]) -> Result<Seen> {
        look(self.ctx, &self.layout, &self.fleet).await
    }

    fn plan(&self, seen: &Seen, basis: &Basis<'_>) -> Result<Plan<Action>> {
        let (group, last) = seen;
        let wish = self.wish(basis);
        let record = wish.record(group, last.as_ref())?;
        let title = match record.until {
            Some(until) => format!("hold {} until {}", self.fleet, minute(until)),
            None => format!("hold {}", self.fleet),
        };
        let parts = Parts {
            layout: &self.layout,
            fleet: &self.fleet,
            group,
            last: last.as_ref(),
            wish: &wish,
        };
        let steps = parts.steps(&record, [RECORD.to_owned(), self.fleet.to_string()], |action| {
            action
        })?;
        let any = !steps.is_empty();
        let mut plan = Plan::new(title, steps);
        if any && group.desired > 0 {
            plan.warnings.push(format!(
                "{}: its {} stay and cost until it is scaled by hand or by the scale-to-zero function",
                self.fleet,
                super::text::counted(u64::from(group.desired), "instance")
            ));
        }
        Ok(plan)
    }

    fn covers(&self, _seen: &Seen, _plan: &Plan<Action>) -> Vec<String> {
        vec![RECORD.to_owned(), self.fleet.to_string()]
    }

    async fn act(&self, step: &StepRun<'_, Self>) -> Result<Done<Self>> {
        steps::act(self.ctx, &self.layout, &self.fleet, step.action(), step).await
    }

    async fn verify(&self, (seen, _): &Seen, run: &mut Verification<'_, Self>) -> Result<()> {
        let name = self.fleet.to_string();
        let wanted = self.wanted();
        let suspends = run
            .done()
            .iter()
            .any(|(step, _)| matches!(step.action, Action::Suspend(_)));
        let watches = suspends && run.waits() && !self.ctx.cancel.is_cancelled();
        let end = if watches {
            self.watch(&seen.name, run.deadline()).await?
        } else {
            End::Settled
        };
        let (group, hold) = look(self.ctx, &self.layout, &self.fleet).await?;
        let left: Vec<String> = suspended_of(&group, &wanted);
        let end = if left == wanted {
            end
        } else {
            End::Overturned(format!("{} has {} now", self.fleet, told(&left)))
        };
        if !run.done().is_empty() {
            run.end(&name, end);
        }
        run.ending(&name, HoldResult::of(&self.fleet, &group, hold));
        Ok(())
    }

    fn document(&self, _seen: &Seen, outcome: &Outcome<Self>) -> Option<HoldResult> {
        let mut result = outcome.endings.get(&self.fleet.to_string())?.clone();
        result.run = Some(outcome.run.clone());
        Some(result)
    }

    fn resume(&self, _left: &[&str]) -> CommandLine {
        let command = CommandLine::bpctl(["fleet", "hold"]).args([self.fleet.to_string()]);
        let mut command = lasting_again(command, self.lasting);
        if self.launch {
            command = command.args(["--launch"]);
        }
        if let Some(reason) = &self.reason {
            command = command.option("--reason", reason.clone());
        }
        command
    }
}

impl Holding<'_> {
    /// Looks over two periods of the alarms whether the capacity is lifted all the same.
    async fn watch(&self, name: &str, deadline: Timestamp) -> Result<End> {
        let ctx = self.ctx;
        let before = ctx.aws.group(name).await?.desired;
        let enough = ctx.clock.now().checked_add(ALARM_TIME).unwrap_or(deadline);
        let waiter = Waiter::until_deadline(&ctx.clock, enough.min(deadline), &ctx.cancel)
            .pace(Duration::from_secs(10), Duration::from_secs(20));
        let progress = ctx
            .ui
            .progress(&format!("Watching {} over the next alarm periods", self.fleet));
        let waited = waiter
            .until(
                async || {
                    let desired = ctx.aws.group(name).await?.desired;
                    if desired > before {
                        return Ok(Look::Ready(desired));
                    }
                    Ok(Look::Pending(format!("desired {desired}")))
                },
                |text| progress.say(text),
            )
            .await?;
        Ok(match waited {
            Waited::Ready(desired) => End::Overturned(format!(
                "{} was set to {desired} by somebody or something that alarms do not go through",
                self.fleet
            )),
            Waited::TimedOut if enough <= deadline => End::Settled,
            Waited::TimedOut | Waited::Cancelled => End::Running {
                what: format!(
                    "{} is held, and was not watched over two alarm periods",
                    self.fleet
                ),
                hint: Hint::new("look again with").command(status_command(&self.fleet)),
            },
        })
    }
}
