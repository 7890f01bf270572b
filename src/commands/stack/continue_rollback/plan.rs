//! From what has failed to the request, or to what speaks against it. Pure.

use super::{Action, NESTED};
use crate::aws::cloudformation::{ContinueUpdateRollback, StackResource};
use crate::change::{Basis, Blocker, Call as _, Plan, Step};
use crate::error::{CommandLine, ErrorKind, Hint};

/// The state that a rollback is continued in.
const HALTED: &str = "UPDATE_ROLLBACK_FAILED";

/// What a plan is made from.
#[derive(Debug)]
pub(super) struct Seen {
    /// None when there is no such stack.
    pub(super) status: Option<String>,
    pub(super) failed: Vec<Failed>,
    /// The token of an earlier run's operation that is under way.
    pub(super) going_on: Option<String>,
}

impl Seen {
    pub(super) fn absent() -> Self {
        Self {
            status: None,
            failed: Vec::new(),
            going_on: None,
        }
    }
}

/// A resource that is `UPDATE_FAILED`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failed {
    /// As `--skip` names it.
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) reason: Option<String>,
}

impl Failed {
    /// `nested`: the name of the nested stack that it is in.
    pub(super) fn new(nested: Option<&str>, resource: StackResource) -> Self {
        Self {
            name: match nested {
                Some(stack) => format!("{stack}.{}", resource.logical),
                None => resource.logical,
            },
            kind: resource.kind,
            reason: resource.reason,
        }
    }

    /// Why AWS refuses to skip it (API reference, `ResourcesToSkip`): only what failed because the rollback did may be
    /// skipped, and a nested stack only when it is gone or going.
    fn unskippable(&self) -> Option<String> {
        let cancelled = |reason: &String| reason.to_lowercase().contains("cancel");
        if self.kind == NESTED {
            return Some(format!(
                "{} is a nested stack: skip the resource in it",
                self.name
            ));
        }
        if self.reason.as_ref().is_some_and(cancelled) {
            return Some(format!(
                "{} was cancelled because another resource failed: skip that one",
                self.name
            ));
        }
        None
    }

    fn line(&self) -> String {
        let reason = self.reason.as_deref().unwrap_or("no reason given");
        format!("{} ({}): {reason}", self.name, self.kind)
    }
}

/// The name in the ARN of a stack: `arn:…:stack/NAME/ID`.
pub(super) fn name_in(arn: &str) -> Option<String> {
    Some(arn.split('/').nth(1)?.to_owned())
}

pub(super) fn plan(name: &str, skip: &[String], seen: &Seen, basis: &Basis<'_>) -> Plan<Action> {
    let mut plan = Plan::new(format!("continue the rollback of {name}"), Vec::new());
    let Some(status) = &seen.status else {
        plan.absent = Some(Blocker {
            kind: ErrorKind::NotFound,
            reason: format!("{}: it is not there", plan.title),
            hint: (
                "see which stacks there are with",
                CommandLine::bpctl(["stack", "list"]),
            )
                .into(),
        });
        return plan;
    };
    // It has come to its end.
    if status == "UPDATE_ROLLBACK_COMPLETE" {
        return plan;
    }
    plan.blockers.extend(blockers(name, status, skip, seen));
    plan.say_what_is_blocked();
    if status != HALTED && seen.going_on.is_none() {
        return plan;
    }
    let is_skipped = |failed: &&Failed| skip.contains(&failed.name);
    let action = Action {
        call: ContinueUpdateRollback {
            stack: name.to_owned(),
            skip: skip.to_vec(),
            token: format!("{}-back", basis.names.token),
        },
        status: status.clone(),
        left: seen.failed.iter().filter(|failed| !is_skipped(failed)).count(),
        going_on: seen.going_on.clone(),
    };
    let (summary, calls) = match (&seen.going_on, skip) {
        (Some(_), _) => ("go on with the rollback that is under way".to_owned(), Vec::new()),
        (None, []) => ("continue its rollback".to_owned(), vec![action.call.described()]),
        (None, skip) => (
            format!("continue its rollback without {}", skip.join(", ")),
            vec![action.call.described()],
        ),
    };
    let mut step =
        Step::new(name, summary, calls, action).changing(status.clone(), "UPDATE_ROLLBACK_COMPLETE");
    for failed in &seen.failed {
        let what = if is_skipped(&failed) {
            "stays as it is"
        } else {
            "is tried again"
        };
        step.notes.push(format!("{what}: {}", failed.line()));
    }
    if seen.going_on.is_none() && !skip.is_empty() {
        plan.warnings.push(format!(
            "{} will not be what the template says: bring both in line before the next update, or the stack may fail for \
             good",
            skip.join(", ")
        ));
    }
    plan.steps.push(step);
    plan
}

fn blockers(name: &str, status: &str, skip: &[String], seen: &Seen) -> Vec<Blocker> {
    let block = |reason: String, hint: Hint| Blocker {
        kind: ErrorKind::Conflict,
        reason,
        hint,
    };
    let look = CommandLine::bpctl(["stack", "status", name]);
    if seen.going_on.is_some() {
        return Vec::new();
    }
    if status.ends_with("_IN_PROGRESS") {
        return vec![block(
            format!("{name} is {status}: somebody else works on it"),
            ("follow it with", look.args(["--watch"])).into(),
        )];
    }
    if status != HALTED {
        return vec![block(
            format!("{name} is {status}: it has no rollback that could be continued"),
            ("see what to do with", look).into(),
        )];
    }
    let refused = skip.iter().filter_map(|resource| {
        let failed = seen.failed.iter().find(|failed| failed.name == *resource);
        match failed {
            None => Some(format!(
                "{resource} has not failed in the rollback of {name}: nothing else can be skipped"
            )),
            Some(failed) => failed.unskippable(),
        }
    });
    let able = seen.failed.iter().filter(|failed| failed.unskippable().is_none());
    let able: Vec<&str> = able.map(|failed| failed.name.as_str()).collect();
    let hint = match able.as_slice() {
        [] => "leave out `--skip`".to_owned(),
        able => format!("leave it out; {} can be skipped", able.join(", ")),
    };
    refused
        .map(|reason| block(reason, Hint::new(hint.clone())))
        .collect()
}
