//! `bpctl fleet scale`: another size for one fleet, on the condition that it is what the plan was made for.

use clap::Args;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::aws::autoscaling::{Group, ResizeGroup};
use crate::change::journal::Record;
use crate::change::{
    Basis, Blocker, Call as _, Change, ChangeArgs, Done, End, Loss, Outcome, Plan, RunId, Step, StepRun,
    Target, Verification, Words, carry_out,
};
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Hint, Result};
use crate::exit::ExitStatus;
use crate::fleet::hold::ALARMS;
use crate::fleet::{Verdict, Work, look_at_work, named_one, size as told};
use crate::iam::{CHANGE, On, Use, Uses};
use crate::layout::{FleetId, FleetName, Layout};
use crate::output::{Render, Table, View};

/// Set desired capacity, minimum or maximum of a fleet
///
/// Scaling policies stay in force: they may change the desired capacity again as soon as their alarms say so.
/// Fewer instances may cost the jobs that they work on; that needs the context's name typed.
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("size").required(true).multiple(true).args(["desired", "min", "max"])))]
#[command(after_help = "Examples:
  bpctl fleet scale production/gpu-default --desired 3             three workers, until a policy says otherwise
  bpctl fleet scale production/gpu-default --min 1 --max 4         other bounds")]
pub(crate) struct ScaleArgs {
    /// The fleet, e.g. production/gpu-default
    #[arg(value_name = "FLEET", add = crate::completion::fleets())]
    fleet: FleetName,

    /// Desired capacity
    #[arg(long, value_name = "N")]
    desired: Option<u32>,

    /// Minimum
    #[arg(long, value_name = "N")]
    min: Option<u32>,

    /// Maximum
    #[arg(long, value_name = "N")]
    max: Option<u32>,

    #[command(flatten)]
    change: ChangeArgs,
}

impl Verb for ScaleArgs {
    fn uses() -> Uses {
        Uses::of(&[
            CHANGE,
            &[
                Use::of("autoscaling:DescribeAutoScalingGroups", On::Anything),
                Use::of("autoscaling:UpdateAutoScalingGroup", On::Groups),
                Use::of("cloudwatch:GetMetricData", On::Anything),
            ],
        ])
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let layout = ctx.layout()?;
        let wanted = Size {
            min: self.min,
            max: self.max,
            desired: self.desired,
        };
        wanted.check()?;
        let fleet = ctx
            .unless_interrupted(named_one(&ctx.aws, &layout, &self.fleet))
            .await?;
        let change = Scale {
            ctx,
            layout,
            fleet,
            wanted,
        };
        carry_out(ctx, &change, &self.change).await
    }
}

/// Numbers that were asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Size {
    min: Option<u32>,
    max: Option<u32>,
    desired: Option<u32>,
}

impl Size {
    /// # Errors
    /// Numbers that contradict each other.
    fn check(self) -> Result<()> {
        let low = self.min.unwrap_or(0);
        let high = self.max.unwrap_or(u32::MAX);
        let desired = self.desired.unwrap_or(low);
        if low <= desired && desired <= high {
            return Ok(());
        }
        Err(
            CtlError::usage("scale the fleet: minimum, desired capacity and maximum are not in this order")
                .hint("choose --min <= --desired <= --max"),
        )
    }
}

struct Scale<'a> {
    ctx: &'a Ctx,
    layout: Layout,
    fleet: FleetId,
    wanted: Size,
}

/// One step: the size to set, and the one that the plan was made for.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Resize {
    call: ResizeGroup,
    /// Minimum, maximum and desired capacity before.
    before: (u32, u32, u32),
}

/// The result document.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ScaleResult {
    run: RunId,
    fleet: FleetId,
    min: u32,
    max: u32,
    desired: u32,
}

impl Scale<'_> {
    /// The size that the group would have.
    fn after(&self, group: &Group) -> (u32, u32, u32) {
        let min = self.wanted.min.unwrap_or(group.min);
        let max = self.wanted.max.unwrap_or(group.max);
        // A bound that the desired capacity would lie outside of moves it (UpdateAutoScalingGroup).
        let desired = self
            .wanted
            .desired
            .unwrap_or(group.desired.clamp(min, max.max(min)));
        (min, max, desired)
    }
}

impl Change for Scale<'_> {
    const NAME: &'static str = "fleet scale";
    type Seen = (Group, Work);
    type Action = Resize;
    type Output = ();
    type Ending = Group;
    type Document = ScaleResult;

    fn words(&self) -> Words {
        Words {
            goal: format!("scale {}", self.fleet),
            thing: "fleet",
            settle: format!("see {} at its new size", self.fleet),
            following: String::new(),
        }
    }

    async fn observe(&self, _target: &Target, _recent: &[Record]) -> Result<(Group, Work)> {
        look_at_work(&self.ctx.aws, &self.layout, &self.fleet).await
    }

    fn plan(&self, (group, work): &(Group, Work), _basis: &Basis<'_>) -> Result<Plan<Resize>> {
        let after = self.after(group);
        let title = format!("scale {} to {}", self.fleet, told(after));
        if after == group.size() {
            return Ok(Plan::new(title, Vec::new()));
        }
        let fewer = after.2 < group.desired && work.verdict() != Verdict::Idle;
        let call = ResizeGroup {
            group: group.name.clone(),
            min: self.wanted.min,
            max: self.wanted.max,
            desired: self.wanted.desired,
            resource: format!("asg/{}", self.fleet),
            loses: fewer.then(|| Loss::Work(format!("jobs of the instances that leave {}", self.fleet))),
        };
        let calls = vec![call.described()];
        let action = Resize {
            call,
            before: group.size(),
        };
        let step = Step::new(self.fleet.to_string(), "set the size of the group", calls, action)
            .changing(told(group.size()), told(after));
        let mut plan = Plan::new(title, vec![step]);
        let (min, max, desired) = after;
        if !(min <= desired && desired <= max) {
            plan.blockers.push(Blocker {
                kind: ErrorKind::Usage,
                reason: format!("scale {}: {} is not between its bounds", self.fleet, told(after)),
                hint: Hint::new("give `--min` or `--max` as well"),
            });
        }
        if self.wanted.desired.is_some() && !group.is_suspended(ALARMS) {
            plan.warnings.push(format!(
                "{}: its scaling policies stay in force and may change the desired capacity again",
                self.fleet
            ));
        }
        Ok(plan)
    }

    fn covers(&self, _seen: &(Group, Work), _plan: &Plan<Resize>) -> Vec<String> {
        vec![self.fleet.to_string()]
    }

    async fn act(&self, step: &StepRun<'_, Self>) -> Result<Done<Self>> {
        let Resize { call, before } = step.action();
        let group = self.ctx.aws.group(&call.group).await?;
        if call.is_kept(&group) {
            return Ok(Done::new(format!(
                "found at {} already: nothing was written",
                told(group.size())
            )));
        }
        if group.size() != *before {
            return Err(CtlError::changed(format!(
                "scale {}: it is at {} by now, and the plan was made for {}",
                self.fleet,
                told(group.size()),
                told(*before)
            )));
        }
        let group = step.send(&self.ctx.aws, call).await?;
        if call.is_kept(&group) {
            return Ok(Done::new(format!("set to {}", told(group.size()))));
        }
        Err(CtlError::new(
            ErrorKind::Failed,
            format!(
                "keep {} at its new size: right after the write it is at {}",
                self.fleet,
                told(group.size())
            ),
        ))
    }

    fn undo(&self, step: &Step<Resize>) -> Option<Step<Resize>> {
        let Resize { call, before } = &step.action;
        let back = ResizeGroup {
            min: Some(before.0),
            max: Some(before.1),
            desired: Some(before.2),
            loses: None,
            ..call.clone()
        };
        let after = (
            call.min.unwrap_or(before.0),
            call.max.unwrap_or(before.1),
            call.desired.unwrap_or(before.2),
        );
        let calls = vec![back.described()];
        let action = Resize {
            call: back,
            before: after,
        };
        Some(Step::new(&step.id, "set the size back", calls, action).changing(told(after), told(*before)))
    }

    async fn verify(&self, (group, _): &(Group, Work), run: &mut Verification<'_, Self>) -> Result<()> {
        // The step has read the size back; this is the group as the result shows it.
        let name = self.fleet.to_string();
        let group = self.ctx.aws.group(&group.name).await?;
        if !run.done().is_empty() {
            run.end(&name, End::Settled);
        }
        run.ending(&name, group);
        Ok(())
    }

    fn document(&self, _seen: &(Group, Work), outcome: &Outcome<Self>) -> Option<ScaleResult> {
        let group = outcome.endings.get(&self.fleet.to_string())?;
        Some(ScaleResult {
            run: outcome.run.clone(),
            fleet: self.fleet.clone(),
            min: group.min,
            max: group.max,
            desired: group.desired,
        })
    }

    fn resume(&self, _left: &[&str]) -> CommandLine {
        let mut command = CommandLine::bpctl(["fleet", "scale"]).args([self.fleet.to_string()]);
        for (flag, value) in [
            ("--min", self.wanted.min),
            ("--max", self.wanted.max),
            ("--desired", self.wanted.desired),
        ] {
            if let Some(value) = value {
                command = command.option(flag, value.to_string());
            }
        }
        command
    }
}

impl Render for ScaleResult {
    fn human(&self, view: &View) -> String {
        let mut table = Table::new(&["FLEET", "DESIRED", "MIN", "MAX"]);
        table.row([
            self.fleet.to_string(),
            self.desired.to_string(),
            self.min.to_string(),
            self.max.to_string(),
        ]);
        table.render(view)
    }

    fn names(&self) -> Vec<String> {
        vec![self.fleet.to_string()]
    }
}
