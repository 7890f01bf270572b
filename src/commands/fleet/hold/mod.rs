//! `bpctl fleet hold`: nothing lifts the fleet, and everybody can see who holds it, why, and until when.

pub(super) mod release;
pub(crate) mod view;

use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::aws::autoscaling::{Group, SuspendProcesses};
use crate::aws::ssm::record::WriteRecord;
use crate::change::journal::Record;
use crate::change::{
    Basis, Call as _, Change, ChangeArgs, Done, End, Outcome, Plan, Step, StepRun, Target, Verification,
    Words, carry_out, duration,
};
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Hint, Result};
use crate::exit::ExitStatus;
use crate::fleet::hold::{ALARMS, FORM, Hold, LAUNCH, last, minute, suspended_of};
use crate::fleet::{named_one, status_command};
use crate::iam::{CHANGE, On, Use, Uses};
use crate::layout::{FleetId, FleetName, Layout};
use crate::wait::{Look, Waited, Waiter};

use view::HoldResult;

/// The step that writes the record; the other one bears the fleet's name.
const RECORD: &str = "record";

/// Two periods of the alarms that lift a fleet, one minute each, and the time that an action takes.
const ALARM_TIME: Duration = Duration::from_secs(130);

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
        if self.lasting.is_some_and(|lasting| lasting.is_zero()) {
            return Err(CtlError::usage("hold the fleet: `--for` is no time at all")
                .hint("write e.g. `--for 2h`, or leave it out to hold the fleet until it is released"));
        }
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

struct Holding<'a> {
    ctx: &'a Ctx,
    layout: Layout,
    fleet: FleetId,
    lasting: Option<Duration>,
    launch: bool,
    reason: Option<String>,
}

/// One step of a hold or of its release.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Action {
    Record {
        call: WriteRecord,
        /// The record that the plan was made for.
        before: Option<Hold>,
    },
    Suspend(SuspendProcesses),
}

/// The group, and the last record.
type Seen = (Group, Option<Hold>);

async fn look(ctx: &Ctx, layout: &Layout, fleet: &FleetId) -> Result<Seen> {
    let name = layout.auto_scaling_group(fleet);
    futures::try_join!(ctx.aws.group(&name), last(&ctx.aws, layout, fleet))
}

/// Refuses to write over a record that another run has changed since the plan.
///
/// # Errors
/// When it was changed, or cannot be read.
async fn unchanged(ctx: &Ctx, layout: &Layout, fleet: &FleetId, before: Option<&Hold>) -> Result<()> {
    let now = last(&ctx.aws, layout, fleet).await?;
    if now.as_ref() == before {
        return Ok(());
    }
    Err(CtlError::changed(format!(
        "write the hold of {fleet}: its record was changed since the plan was made"
    )))
}

/// The processes of a group that are suspended, in words.
fn told(processes: &[String]) -> String {
    if processes.is_empty() {
        return "nothing suspended".to_owned();
    }
    format!("{} suspended", processes.join(", "))
}

impl Holding<'_> {
    fn wanted(&self) -> Vec<String> {
        let launch = self.launch.then_some(LAUNCH);
        std::iter::once(ALARMS).chain(launch).map(str::to_owned).collect()
    }

    /// The record that is to be in force.
    fn record(&self, (group, last): &Seen, basis: &Basis<'_>) -> Result<Hold> {
        let held = last.as_ref().filter(|hold| !hold.is_released());
        let suspended = suspended_of(group, &self.wanted());
        // What was suspended before the hold is not the hold's to resume.
        let mut processes = held.map(|hold| hold.processes.clone()).unwrap_or_default();
        for process in self.wanted() {
            if !suspended.contains(&process) && !processes.contains(&process) {
                processes.push(process);
            }
        }
        let now = Timestamp::from_second(basis.now.as_second()).unwrap_or(basis.now);
        let until = match self.lasting {
            Some(lasting) => Some(
                now.checked_add(lasting)
                    .map_err(|error| CtlError::usage("hold the fleet: `--for` is too long").source(&error))?,
            ),
            None => held.and_then(|hold| hold.until),
        };
        let reason = self
            .reason
            .clone()
            .or_else(|| held.and_then(|hold| hold.reason.clone()));
        if let Some(held) = held
            && held.processes == processes
            && held.until == until
            && held.reason == reason
        {
            return Ok(held.clone());
        }
        Ok(Hold {
            form: FORM.to_owned(),
            processes,
            since: held.map_or(now, |hold| hold.since),
            until,
            by: basis.target.principal.clone(),
            reason,
            run: basis.names.run.to_string(),
            released: None,
            released_by: None,
        })
    }

    fn resource(&self) -> String {
        format!("asg/{}", self.fleet)
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
        let record = self.record(seen, basis)?;
        let title = match record.until {
            Some(until) => format!("hold {} until {}", self.fleet, minute(until)),
            None => format!("hold {}", self.fleet),
        };
        let suspended = suspended_of(group, &self.wanted());
        let missing: Vec<String> = self
            .wanted()
            .into_iter()
            .filter(|process| !suspended.contains(process))
            .collect();
        let mut steps = Vec::new();
        if last.as_ref() != Some(&record) {
            let call = WriteRecord {
                name: self.layout.hold_parameter(&self.fleet),
                value: record.text()?,
            };
            let calls = vec![call.described()];
            let before = last.as_ref().filter(|hold| !hold.is_released());
            let before = before.map_or_else(|| "not held".to_owned(), |hold| hold.clause(basis.now));
            let action = Action::Record {
                call,
                before: last.clone(),
            };
            steps.push(
                Step::new(RECORD, "put the hold on record", calls, action)
                    .changing(before, record.clause(basis.now)),
            );
        }
        if !missing.is_empty() {
            let call = SuspendProcesses {
                group: group.name.clone(),
                processes: missing,
                resource: self.resource(),
            };
            let calls = vec![call.described()];
            let mut step = Step::new(
                self.fleet.to_string(),
                "suspend what would change the fleet",
                calls,
                Action::Suspend(call),
            )
            .changing(told(&suspended), told(&self.wanted()));
            // A release resumes what is on record: first the record.
            step.needs = steps.iter().map(|step| step.id.clone()).collect();
            steps.push(step);
        }
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
        match step.action() {
            Action::Record { call, before } => {
                unchanged(self.ctx, &self.layout, &self.fleet, before.as_ref()).await?;
                let version = step.send(&self.ctx.aws, call).await?;
                Ok(Done::new(format!("put on record, version {version}")))
            }
            Action::Suspend(call) => {
                let group = step.send(&self.ctx.aws, call).await?;
                let suspended = suspended_of(&group, &call.processes);
                if suspended == call.processes {
                    return Ok(Done::new(told(&suspended)));
                }
                Err(CtlError::new(
                    ErrorKind::Failed,
                    format!(
                        "hold {}: right after the write it has {}",
                        self.fleet,
                        told(&suspended)
                    ),
                ))
            }
        }
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
        let mut command = CommandLine::bpctl(["fleet", "hold"]).args([self.fleet.to_string()]);
        if let Some(lasting) = self.lasting {
            command = command.option(
                "--for",
                humantime::format_duration(lasting).to_string().replace(' ', ""),
            );
        }
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
