//! What a verb is going to do, before it does anything. Plain data: a verb's pure `plan` function makes
//! it, the engine derives everything else from it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::call::{ApiCall, Loss};
use super::target::Target;
use crate::error::{CtlError, ErrorKind, Hint};

/// How hard a change is to take back; decides what the operator is asked. Derived from the calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Risk {
    /// Can be undone by another command: y/N.
    Reversible,
    /// Loses data or work: a name must be typed.
    Destructive,
}

/// A reason not to go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Blocker {
    #[serde(skip)]
    pub(crate) kind: ErrorKind,
    pub(crate) reason: String,
    /// The next command, or the flag that overrides.
    pub(crate) hint: Hint,
}

impl Blocker {
    /// The error that a plan with this blocker ends with.
    pub(super) fn error(&self) -> CtlError {
        CtlError::new(self.kind, &self.reason).hint(self.hint.clone())
    }
}

/// What happens to the rest of a plan when a step fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum OnFailure {
    /// The other steps are carried out all the same.
    #[default]
    Continue,
    /// No further step is begun.
    Stop,
    /// No further step is begun, and those that are done are undone, the last one first.
    Undo,
}

/// Steps that become known only while the plan is carried out, as the plan announces them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Then {
    /// "for each instance: terminate it".
    pub(crate) text: String,
    /// Their calls, with [`Later`](super::Later) for what is not known yet.
    pub(crate) calls: Vec<ApiCall>,
}

/// One thing to do, with the typed action that does it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Step<A> {
    /// Names the step in journal, outcome and messages, e.g. the fleet.
    pub(crate) id: String,
    /// Imperative: "set desired capacity to 0".
    pub(crate) summary: String,
    pub(crate) calls: Vec<ApiCall>,
    /// Calls that may become necessary, e.g. StopTask on an interrupt.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) if_needed: Vec<ApiCall>,
    /// Where the parameters come from and what else the operator should know of the step.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) notes: Vec<String>,
    pub(crate) before: Option<String>,
    pub(crate) after: Option<String>,
    /// Steps that must be done first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) needs: Vec<String>,
    /// Whether the step waits until the verb says that the world is ready for it.
    #[serde(default)]
    pub(crate) waits: bool,
    /// Whether no request that an earlier run may have sent is the one of this step.
    #[serde(skip)]
    pub(crate) is_anew: bool,
    #[serde(default)]
    pub(crate) on_failure: OnFailure,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) then: Option<Then>,
    pub(crate) action: A,
}

impl<A> Step<A> {
    /// A step that fails alone.
    pub(crate) fn new(
        id: impl Into<String>,
        summary: impl Into<String>,
        calls: Vec<ApiCall>,
        action: A,
    ) -> Self {
        Self {
            id: id.into(),
            summary: summary.into(),
            calls,
            if_needed: Vec::new(),
            notes: Vec::new(),
            before: None,
            after: None,
            needs: Vec::new(),
            waits: false,
            is_anew: false,
            on_failure: OnFailure::Continue,
            then: None,
            action,
        }
    }

    /// The state of the world before and after, in words.
    #[must_use]
    pub(crate) fn changing(mut self, before: impl Into<String>, after: impl Into<String>) -> Self {
        self.before = Some(before.into());
        self.after = Some(after.into());
        self
    }

    /// Every call that the step may send.
    pub(super) fn possible_calls(&self) -> impl Iterator<Item = &ApiCall> {
        let announced = self.then.iter().flat_map(|then| &then.calls);
        self.calls.iter().chain(&self.if_needed).chain(announced)
    }
}

/// Everything that a command is going to do.
#[derive(Clone, Debug)]
pub(crate) struct Plan<A> {
    /// One sentence.
    pub(crate) title: String,
    pub(crate) steps: Vec<Step<A>>,
    /// What it is made from, where that is more than AWS and the command line.
    pub(crate) facts: Vec<String>,
    /// What is left as it is although the reader may think otherwise, a line each.
    pub(crate) stays: Vec<String>,
    pub(crate) warnings: Vec<String>,
    pub(crate) blockers: Vec<Blocker>,
    /// What is lost needs the account's number typed, whatever the context is.
    pub(crate) by_account: bool,
    /// What the plan was to remove is not there: a blocker, unless a run that was cut off has removed it.
    pub(crate) absent: Option<Blocker>,
    /// How many steps may be under way at once.
    pub(crate) at_once: usize,
}

impl<A> Plan<A> {
    /// A plan of these steps, one at a time.
    pub(crate) fn new(title: impl Into<String>, steps: Vec<Step<A>>) -> Self {
        Self {
            title: title.into(),
            steps,
            facts: Vec::new(),
            stays: Vec::new(),
            warnings: Vec::new(),
            blockers: Vec::new(),
            by_account: false,
            absent: None,
            at_once: 1,
        }
    }

    /// Whatever fails, everything that was done is undone.
    #[must_use]
    pub(crate) fn all_or_nothing(mut self) -> Self {
        for step in &mut self.steps {
            step.on_failure = OnFailure::Undo;
        }
        self
    }

    /// Puts what the plan does before reasons that are sentences of their own: an error reads "failed to (reason)".
    pub(crate) fn say_what_is_blocked(&mut self) {
        for blocker in &mut self.blockers {
            blocker.reason = format!("{}: {}", self.title, blocker.reason);
        }
    }

    fn losses(&self) -> impl Iterator<Item = &Loss> {
        let calls = self.steps.iter().flat_map(Step::possible_calls);
        calls.filter_map(|call| call.loses.as_ref())
    }

    /// Destructive as soon as one call loses something.
    pub(crate) fn risk(&self) -> Risk {
        match self.losses().next() {
            Some(_) => Risk::Destructive,
            None => Risk::Reversible,
        }
    }

    /// What must be typed when something must be typed: the context's name; the account's number when
    /// production loses data, or where the plan wants it.
    pub(crate) fn confirm_word<'a>(&self, target: &'a Target) -> &'a str {
        let loses_data = self.losses().any(|loss| matches!(loss, Loss::Data(_)));
        if self.by_account || (loses_data && target.production) {
            &target.account
        } else {
            &target.context
        }
    }

    /// What the plan changes, sorted: the names of its locks.
    pub(super) fn resources(&self) -> Vec<String> {
        let calls = self.steps.iter().flat_map(Step::possible_calls);
        let mut resources: Vec<String> = calls.map(|call| call.resource.clone()).collect();
        resources.sort();
        resources.dedup();
        resources
    }
}
