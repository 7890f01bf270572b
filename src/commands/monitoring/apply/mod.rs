//! `bpctl monitoring apply`: alarms and retention of logs as the platform's stacks make them.

mod plan;
pub(crate) mod view;

use std::collections::BTreeSet;

use clap::Args;
use serde::{Deserialize, Serialize};

use super::compare;
use super::observe::{self, Alarms, LogGroups};
use super::wanted::Targets;
use crate::aws::cloudwatch::PutMetricAlarm;
use crate::aws::logs::{Kept, PutRetentionPolicy};
use crate::change::journal::Record;
use crate::change::{
    Basis, Call as _, Change, ChangeArgs, Done, End, Outcome, Plan, Step, StepRun, Target, Verification,
    Words, carry_out,
};
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Result};
use crate::exit::ExitStatus;
use crate::iam::{CHANGE, On, Use, Uses};
use crate::layout::Layout;

use view::ApplyResult;

/// Put alarms and the retention of logs right
///
/// Writes what `bpctl monitoring check` finds in the alarms of the platform and of its fleets, and in their log groups,
/// and reads it back. Of an alarm, its description, its tags, further actions and actions in other states stay as they
/// are. Alarms whose stack is not there are not invented. CloudFormation owns all of it: the next deployment of a stack
/// writes what its template says. Dashboard, budget and the function that listens come from their stacks alone.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl monitoring apply --dry-run
  bpctl monitoring apply
  bpctl monitoring apply --confirm production   when a log group gets fewer days than it has")]
pub(crate) struct ApplyArgs {
    #[command(flatten)]
    change: ChangeArgs,
}

impl Verb for ApplyArgs {
    fn uses() -> Uses {
        Uses::of(&[
            CHANGE,
            &[
                Use::of("autoscaling:DescribeAutoScalingGroups", On::Anything),
                Use::of("cloudformation:DescribeStacks", On::DataStack),
                Use::of("cloudformation:ListStacks", On::Anything),
                Use::of("cloudwatch:DescribeAlarms", On::FleetAlarms),
                Use::of("cloudwatch:DescribeAlarms", On::PlatformAlarms),
                Use::of("cloudwatch:PutMetricAlarm", On::FleetAlarms),
                Use::of("cloudwatch:PutMetricAlarm", On::PlatformAlarms),
                Use::of("ecs:DescribeServices", On::Services),
                Use::of("elasticloadbalancing:DescribeTargetGroups", On::Anything),
                Use::of("logs:DescribeLogGroups", On::Anything),
                Use::of("logs:PutRetentionPolicy", On::Logs),
                Use::of("rds:DescribeDBInstances", On::Databases),
            ],
        ])
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let layout = ctx.layout()?;
        carry_out(ctx, &Applying { ctx, layout }, &self.change).await
    }
}

struct Applying<'a> {
    ctx: &'a Ctx,
    layout: Layout,
}

/// What there is beside what is to be.
#[derive(Debug)]
struct Seen {
    stacks: BTreeSet<String>,
    alarms: Alarms,
    log_groups: LogGroups,
}

/// One write.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Action {
    Alarm {
        call: Box<PutMetricAlarm>,
        /// The call that makes the alarm as it was; `None` for one that was not there, or that no such call makes.
        before: Option<Box<PutMetricAlarm>>,
    },
    Retention {
        call: PutRetentionPolicy,
        /// The days that the group had; `None` for ever.
        before: Option<i32>,
    },
}

async fn look(ctx: &Ctx, layout: &Layout) -> Result<Seen> {
    let aws = &ctx.aws;
    let (stacks, targets, topics) = futures::try_join!(
        observe::stacks(aws),
        observe::targets(aws, layout),
        observe::topics(aws, layout)
    )?;
    let fleets = observe::fleets(aws, layout, &stacks).await?;
    let targets: &Targets = &targets;
    let (alarms, log_groups) = futures::try_join!(
        observe::alarms(aws, layout, &fleets, targets, &topics),
        observe::log_groups(aws, layout, &fleets)
    )?;
    Ok(Seen {
        stacks,
        alarms,
        log_groups,
    })
}

impl Change for Applying<'_> {
    const NAME: &'static str = "monitoring apply";
    type Seen = Seen;
    type Action = Action;
    type Output = ();
    type Ending = usize;
    type Document = ApplyResult;

    fn words(&self) -> Words {
        Words {
            goal: "put alarms and logs right".to_owned(),
            thing: "step",
            settle: "see alarms and logs as they are to be".to_owned(),
            following: String::new(),
        }
    }

    async fn observe(&self, _target: &Target, _recent: &[Record]) -> Result<Seen> {
        look(self.ctx, &self.layout).await
    }

    fn plan(&self, seen: &Seen, _basis: &Basis<'_>) -> Result<Plan<Action>> {
        Ok(plan::plan(seen))
    }

    fn covers(&self, seen: &Seen, _plan: &Plan<Action>) -> Vec<String> {
        let alarms = seen.alarms.wanted.iter().map(|alarm| alarm.name.clone());
        let groups = seen.log_groups.iter().map(|(group, _)| group.name.clone());
        alarms.chain(groups).collect()
    }

    async fn act(&self, step: &StepRun<'_, Self>) -> Result<Done<Self>> {
        match step.action() {
            Action::Alarm { call, before } => self.put_alarm(step, call, before.as_deref()).await,
            Action::Retention { call, before } => self.put_retention(step, call, *before).await,
        }
    }

    fn undo(&self, step: &Step<Action>) -> Option<Step<Action>> {
        let (summary, action, described) = match &step.action {
            Action::Alarm { call, before } => {
                let back = before.clone()?;
                let described = back.described();
                let action = Action::Alarm {
                    call: back,
                    before: Some(call.clone()),
                };
                ("put the alarm back to what it was", action, described)
            }
            Action::Retention { call, before } => {
                let days = (*before)?;
                let back = PutRetentionPolicy {
                    group: call.group.clone(),
                    days,
                    loses: plan::shorter(Some(call.days), days, &call.group),
                };
                let described = back.described();
                let action = Action::Retention {
                    call: back,
                    before: Some(call.days),
                };
                ("put the retention back to what it was", action, described)
            }
        };
        Some(Step::new(&step.id, summary, vec![described], action))
    }

    async fn verify(&self, _seen: &Seen, run: &mut Verification<'_, Self>) -> Result<()> {
        let calls: Vec<(String, Action)> = run
            .done()
            .iter()
            .map(|(step, _)| (step.id.clone(), step.action.clone()))
            .collect();
        let names: Vec<String> = calls
            .iter()
            .filter_map(|(_, action)| match action {
                Action::Alarm { call, .. } => Some(call.name.clone()),
                Action::Retention { .. } => None,
            })
            .collect();
        let alarms = if names.is_empty() {
            Vec::new()
        } else {
            self.ctx.aws.alarms_named(&names).await?
        };
        for (id, action) in calls {
            let kept = match &action {
                Action::Alarm { call, .. } => alarms.iter().any(|alarm| call.is_kept(alarm)),
                Action::Retention { call, .. } => {
                    self.ctx.aws.log_retention(&call.group).await? == Some(Kept::Days(call.days))
                }
            };
            let end = match kept {
                true => End::Settled,
                false => End::Overturned(format!("`{id}` was changed again")),
            };
            run.end(id, end);
        }
        let left = look(self.ctx, &self.layout).await?;
        run.ending("left", plan::plan(&left).steps.len());
        Ok(())
    }

    fn document(&self, _seen: &Seen, outcome: &Outcome<Self>) -> Option<ApplyResult> {
        let left = outcome.endings.get("left").copied();
        Some(ApplyResult::of(outcome, left))
    }

    fn resume(&self, _left: &[&str]) -> CommandLine {
        CommandLine::bpctl(["monitoring", "apply"])
    }
}

impl Applying<'_> {
    async fn put_alarm(
        &self,
        step: &StepRun<'_, Self>,
        call: &PutMetricAlarm,
        before: Option<&PutMetricAlarm>,
    ) -> Result<Done<Self>> {
        let goal = format!("write the alarm `{}`", call.name);
        let found = self
            .ctx
            .aws
            .alarms_named(std::slice::from_ref(&call.name))
            .await?;
        let now = found.first();
        if now.is_some_and(|alarm| call.is_kept(alarm)) {
            return Ok(Done::new("found as it is to be already: nothing was written"));
        }
        let unchanged = match (before, now) {
            (Some(before), Some(now)) => before.is_kept(now),
            (Some(_), None) => false,
            // One that was not there, or that no call says: what would be overwritten is not known.
            (None, Some(now)) => PutMetricAlarm::of(now).is_none(),
            (None, None) => true,
        };
        if !unchanged {
            return Err(CtlError::changed(format!(
                "{goal}: it was changed since the plan was made"
            )));
        }
        let alarm = step.send(&self.ctx.aws, call).await?;
        if call.is_kept(&alarm) {
            return Ok(Done::new("written"));
        }
        Err(CtlError::new(
            ErrorKind::Failed,
            format!("{goal}: right after the write it is not what was written"),
        ))
    }

    async fn put_retention(
        &self,
        step: &StepRun<'_, Self>,
        call: &PutRetentionPolicy,
        before: Option<i32>,
    ) -> Result<Done<Self>> {
        let goal = format!("set the retention of log group `{}`", call.group);
        let wanted = Kept::Days(call.days);
        let now = self.ctx.aws.log_retention(&call.group).await?;
        if now == Some(wanted) {
            return Ok(Done::new("found as it is to be already: nothing was written"));
        }
        if now != Some(before.map_or(Kept::Always, Kept::Days)) {
            return Err(CtlError::changed(format!(
                "{goal}: it was changed since the plan was made"
            )));
        }
        match step.send(&self.ctx.aws, call).await? {
            Some(kept) if kept == wanted => Ok(Done::new(format!("kept for {}", compare::kept_for(kept)))),
            _ => Err(CtlError::new(
                ErrorKind::Failed,
                format!("{goal}: right after the write it is another one"),
            )),
        }
    }
}
