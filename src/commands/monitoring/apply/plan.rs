//! From what there is to what is written. Pure.

use super::{Action, Seen};
use crate::aws::cloudwatch::PutMetricAlarm;
use crate::aws::logs::{Kept, PutRetentionPolicy};
use crate::change::{Blocker, Call as _, Loss, Plan, Step};
use crate::commands::monitoring::compare::{self, Difference};
use crate::commands::monitoring::wanted::{WantedAlarm, WantedGroup};
use crate::error::{CommandLine, ErrorKind, Hint};

/// The steps that put right what differs.
pub(super) fn plan(seen: &Seen) -> Plan<Action> {
    let mut plan = Plan::new("put alarms and logs right", Vec::new());
    for wanted in &seen.alarms.wanted {
        let found = seen.alarms.found.get(&wanted.name);
        let differences = compare::alarm(wanted, found, Some(&seen.stacks));
        if differences.is_empty() {
            continue;
        }
        if !seen.stacks.contains(&wanted.stack) {
            plan.blockers.push(without_stack(wanted));
            continue;
        }
        let Some(call) = wanted.call(found) else {
            plan.warnings.push(format!(
                "`{}` is left alone: the load balancer or the database that it is to watch was not found",
                wanted.name
            ));
            continue;
        };
        let before = found.and_then(PutMetricAlarm::of);
        plan.steps.push(alarm_step(wanted, call, before, &differences));
    }
    for (wanted, found) in &seen.log_groups {
        match found {
            Some(found) => plan.steps.extend(retention_step(wanted, *found)),
            None => plan.warnings.push(format!(
                "log group `{}` is not there: its stack, or the first event, makes it",
                wanted.name
            )),
        }
    }
    if !plan.steps.is_empty() {
        plan.warnings.push(
            "CloudFormation owns these alarms and log groups: the next deployment of a stack writes what its template says"
                .to_owned(),
        );
    }
    plan
}

fn without_stack(wanted: &WantedAlarm) -> Blocker {
    Blocker {
        kind: ErrorKind::NotFound,
        reason: format!(
            "write the alarm `{}`: its stack `{}` is not there, and an alarm that no stack owns is nobody's",
            wanted.name, wanted.stack
        ),
        hint: Hint::new("deploy the stack with").command(CommandLine::bpctl([
            "stack",
            "deploy",
            &wanted.stack,
        ])),
    }
}

fn alarm_step(
    wanted: &WantedAlarm,
    call: PutMetricAlarm,
    before: Option<PutMetricAlarm>,
    differences: &[Difference],
) -> Step<Action> {
    let absent = differences.iter().any(Difference::is_absence);
    let summary = match absent {
        true => "make the alarm",
        false => "write the alarm",
    };
    let told = |of: fn(&Difference) -> &String| -> String {
        let parts: Vec<String> = differences
            .iter()
            .map(|one| format!("{} {}", one.property, of(one)))
            .collect();
        parts.join(", ")
    };
    let (was, will) = match absent {
        true => ("not there".to_owned(), "as the platform has it".to_owned()),
        false => (told(|one| &one.found), told(|one| &one.expected)),
    };
    let calls = vec![call.described()];
    Step::new(
        &wanted.name,
        summary,
        calls,
        Action::Alarm {
            call: Box::new(call),
            before: before.map(Box::new),
        },
    )
    .changing(was, will)
}

fn retention_step(wanted: &WantedGroup, found: Kept) -> Option<Step<Action>> {
    let difference = compare::log_group(wanted, Some(found))?;
    let days = *wanted.days.first()?;
    let before = match found {
        Kept::Days(days) => Some(days),
        Kept::Always => None,
    };
    let call = PutRetentionPolicy {
        group: wanted.name.clone(),
        days,
        loses: shorter(before, days, &wanted.name),
    };
    let calls = vec![call.described()];
    let step = Step::new(
        &wanted.name,
        "set for how long the log is kept",
        calls,
        Action::Retention { call, before },
    );
    Some(step.changing(difference.found, compare::kept_for(Kept::Days(days))))
}

/// What is lost when a group keeps its events for `after` days instead of `before` (`None`: for ever).
pub(super) fn shorter(before: Option<i32>, after: i32, group: &str) -> Option<Loss> {
    let fewer = before.is_none_or(|before| after < before);
    fewer.then(|| Loss::Data(format!("events of `{group}` that are older than {after} days")))
}
