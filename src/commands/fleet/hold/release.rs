//! `bpctl fleet release`: the end of a hold.

use clap::Args;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::steps::{self, told, unchanged};
use super::view::HoldResult;
use super::{RECORD, Seen, look};
use crate::aws::autoscaling::{Group, ResumeProcesses};
use crate::aws::ssm::record::WriteRecord;
use crate::change::journal::Record;
use crate::change::{
    Basis, Blocker, Call as _, Change, ChangeArgs, Done, End, Outcome, Plan, Step, StepRun, Target,
    Verification, Words, carry_out,
};
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, ErrorKind, Hint, Result};
use crate::exit::ExitStatus;
use crate::fleet::hold::{ALARMS, Hold, LAUNCH, suspended_of};
use crate::fleet::named_one;
use crate::iam::{CHANGE, On, Use, Uses};
use crate::layout::{FleetId, FleetName, Layout};

/// Let scaling policies change a held fleet again
///
/// Resumes the processes that the hold has suspended, and no others, and marks its record as released.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl fleet release production/gpu-default
  bpctl fleet release production/gpu-default --unrecorded      what was suspended without a hold as well")]
pub(crate) struct ReleaseArgs {
    /// The fleet, e.g. production/gpu-default
    #[arg(value_name = "FLEET", add = crate::completion::fleets())]
    fleet: FleetName,

    /// Resume AlarmNotification and Launch also where no hold on record has suspended them
    #[arg(long)]
    unrecorded: bool,

    #[command(flatten)]
    change: ChangeArgs,
}

impl Verb for ReleaseArgs {
    fn uses() -> Uses {
        Uses::of(&[
            CHANGE,
            &[
                Use::of("autoscaling:DescribeAutoScalingGroups", On::Anything),
                Use::of("autoscaling:ResumeProcesses", On::Groups),
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
        let fleet = ctx
            .unless_interrupted(named_one(&ctx.aws, &layout, &self.fleet))
            .await?;
        let change = Releasing {
            ctx,
            layout,
            fleet,
            unrecorded: self.unrecorded,
        };
        carry_out(ctx, &change, &self.change).await
    }
}

struct Releasing<'a> {
    ctx: &'a Ctx,
    layout: Layout,
    fleet: FleetId,
    unrecorded: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum Action {
    Resume(ResumeProcesses),
    Record { call: WriteRecord, before: Option<Hold> },
}

impl Releasing<'_> {
    /// The processes to resume that are suspended now.
    fn to_resume(&self, group: &Group, held: Option<&Hold>) -> Vec<String> {
        let mut processes = held.map(|hold| hold.processes.clone()).unwrap_or_default();
        if self.unrecorded {
            for process in [ALARMS, LAUNCH] {
                if !processes.iter().any(|known| known == process) {
                    processes.push(process.to_owned());
                }
            }
        }
        suspended_of(group, &processes)
    }
}

impl Change for Releasing<'_> {
    const NAME: &'static str = "fleet release";
    type Seen = Seen;
    type Action = Action;
    type Output = ();
    type Ending = HoldResult;
    type Document = HoldResult;

    fn words(&self) -> Words {
        Words {
            goal: format!("release {}", self.fleet),
            thing: "step",
            settle: format!("see {} released", self.fleet),
            following: String::new(),
        }
    }

    async fn observe(&self, _target: &Target, _recent: &[Record]) -> Result<Seen> {
        look(self.ctx, &self.layout, &self.fleet).await
    }

    fn plan(&self, (group, last): &Seen, basis: &Basis<'_>) -> Result<Plan<Action>> {
        let held = last.as_ref().filter(|hold| !hold.is_released());
        let processes = self.to_resume(group, held);
        let mut steps = Vec::new();
        if !processes.is_empty() {
            let call = ResumeProcesses {
                group: group.name.clone(),
                processes: processes.clone(),
                resource: format!("asg/{}", self.fleet),
            };
            let calls = vec![call.described()];
            steps.push(
                Step::new(
                    self.fleet.to_string(),
                    "resume what the hold has suspended",
                    calls,
                    Action::Resume(call),
                )
                .changing(told(&processes), told(&[])),
            );
        }
        if let Some(held) = held {
            let now = Timestamp::from_second(basis.now.as_second()).unwrap_or(basis.now);
            let record = Hold {
                released: Some(now),
                released_by: Some(basis.target.principal.clone()),
                ..held.clone()
            };
            let call = WriteRecord {
                name: self.layout.hold_parameter(&self.fleet),
                value: record.text()?,
                may_be_advanced: false,
            };
            let calls = vec![call.described()];
            let action = Action::Record {
                call,
                before: last.clone(),
            };
            let mut step = Step::new(RECORD, "mark the hold as released", calls, action)
                .changing(held.clause(basis.now), "released");
            // As long as something is suspended, the record says what.
            step.needs = steps.iter().map(|step| step.id.clone()).collect();
            steps.push(step);
        }
        let resumes_alarms = processes.iter().any(|process| process == ALARMS);
        let mut plan = Plan::new(format!("release {}", self.fleet), steps);
        if resumes_alarms {
            plan.warnings.push(format!(
                "{}: alarms that are in ALARM may change its capacity at once",
                self.fleet
            ));
        }
        let others = suspended_of(group, &[ALARMS.to_owned(), LAUNCH.to_owned()]);
        if plan.steps.is_empty() && !others.is_empty() {
            plan.blockers.push(Blocker {
                kind: ErrorKind::Rejected,
                reason: format!(
                    "release {}: {} without a hold on record",
                    self.fleet,
                    told(&others)
                ),
                hint: Hint::new("ask who suspended it, then resume it with").command(
                    CommandLine::bpctl(["fleet", "release"])
                        .args([self.fleet.to_string(), "--unrecorded".to_owned()]),
                ),
            });
        }
        Ok(plan)
    }

    fn covers(&self, _seen: &Seen, _plan: &Plan<Action>) -> Vec<String> {
        vec![self.fleet.to_string(), RECORD.to_owned()]
    }

    async fn act(&self, step: &StepRun<'_, Self>) -> Result<Done<Self>> {
        match step.action() {
            Action::Resume(call) => steps::resume(self.ctx, &self.fleet, call, step).await,
            Action::Record { call, before } => {
                unchanged(self.ctx, &self.layout, &self.fleet, before.as_ref()).await?;
                let version = step.send(&self.ctx.aws, call).await?;
                Ok(Done::new(format!("marked as released, version {version}")))
            }
        }
    }

    async fn verify(&self, _seen: &Seen, run: &mut Verification<'_, Self>) -> Result<()> {
        // The steps have read back what they wrote; this is the fleet as the result shows it.
        let name = self.fleet.to_string();
        let (group, hold) = look(self.ctx, &self.layout, &self.fleet).await?;
        if !run.done().is_empty() {
            run.end(&name, End::Settled);
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
        let command = CommandLine::bpctl(["fleet", "release"]).args([self.fleet.to_string()]);
        if self.unrecorded {
            return command.args(["--unrecorded"]);
        }
        command
    }
}
