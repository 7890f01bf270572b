//! What a command is going to do, before it does anything.

use serde::Serialize;

use crate::error::ErrorKind;
use crate::output::{Render, View};

/// How hard a change is to take back; decides what the operator is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Risk {
    /// Can be undone by another command: y/N.
    Reversible,
    /// Loses data or work: the context's name must be typed.
    Destructive,
}

/// Where the change happens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Target {
    pub(crate) context: String,
    pub(crate) account: String,
    pub(crate) region: String,
    /// A protected context: every change needs the name typed.
    pub(crate) protected: bool,
}

/// One mutating API call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct ApiCall {
    /// E.g. `autoscaling`.
    pub(crate) service: &'static str,
    /// E.g. `SetDesiredCapacity`.
    pub(crate) operation: &'static str,
    /// The parameters that matter, `name=value`.
    pub(crate) parameters: String,
}

/// A reason not to go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Blocker {
    #[serde(skip)]
    pub(crate) kind: ErrorKind,
    pub(crate) reason: String,
    /// The next command, or the flag that overrides.
    pub(crate) hint: String,
}

/// One thing to do, with the typed action that does it.
#[derive(Clone, Debug)]
pub(crate) struct Step<A> {
    /// Names the step in journal, outcome and messages, e.g. the fleet.
    pub(crate) id: String,
    /// Imperative: "set desired capacity to 0".
    pub(crate) summary: String,
    pub(crate) calls: Vec<ApiCall>,
    pub(crate) before: Option<String>,
    pub(crate) after: Option<String>,
    pub(crate) action: A,
}

/// Everything that a command is going to do.
#[derive(Clone, Debug)]
pub(crate) struct Plan<A> {
    /// The command, e.g. `fleet scale-to-zero`.
    pub(crate) verb: &'static str,
    /// One sentence.
    pub(crate) title: String,
    pub(crate) target: Target,
    pub(crate) risk: Risk,
    /// What must be typed when something must be typed; the context's name unless a verb says otherwise.
    pub(crate) confirm_word: String,
    pub(crate) steps: Vec<Step<A>>,
    pub(crate) warnings: Vec<String>,
    pub(crate) blockers: Vec<Blocker>,
}

impl<A> Plan<A> {
    /// The plan as it is shown.
    pub(crate) fn view(&self) -> PlanView {
        PlanView {
            verb: self.verb,
            title: self.title.clone(),
            target: self.target.clone(),
            risk: self.risk,
            steps: self
                .steps
                .iter()
                .map(|step| StepView {
                    id: step.id.clone(),
                    summary: step.summary.clone(),
                    calls: step.calls.clone(),
                    before: step.before.clone(),
                    after: step.after.clone(),
                })
                .collect(),
            warnings: self.warnings.clone(),
            blockers: self.blockers.clone(),
        }
    }
}

/// A plan without its actions: what people and scripts see.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct PlanView {
    verb: &'static str,
    title: String,
    target: Target,
    risk: Risk,
    steps: Vec<StepView>,
    warnings: Vec<String>,
    blockers: Vec<Blocker>,
}

#[derive(Clone, Debug, Serialize)]
struct StepView {
    id: String,
    summary: String,
    calls: Vec<ApiCall>,
    before: Option<String>,
    after: Option<String>,
}

impl PlanView {
    /// The plan as text; the same for a dry run and for the question before the real one.
    pub(crate) fn text(&self) -> String {
        let target = &self.target;
        let mut text = format!(
            "plan: {}\n  in context {} (account {}, {}){}\n",
            self.title,
            target.context,
            target.account,
            target.region,
            if target.protected { ", protected" } else { "" },
        );
        for step in &self.steps {
            text.push_str(&format!("  - {}: {}\n", step.id, step.summary));
            if let (Some(before), Some(after)) = (&step.before, &step.after) {
                text.push_str(&format!("      {before} -> {after}\n"));
            }
            for call in &step.calls {
                text.push_str(&format!(
                    "      calls {}:{} {}\n",
                    call.service, call.operation, call.parameters
                ));
            }
        }
        if self.steps.is_empty() {
            text.push_str("  nothing to change\n");
        }
        for warning in &self.warnings {
            text.push_str(&format!("  warning: {warning}\n"));
        }
        for blocker in &self.blockers {
            text.push_str(&format!("  blocked: {}\n", blocker.reason));
        }
        text
    }
}

impl Render for PlanView {
    fn schema(&self) -> &'static str {
        "bpctl.plan/1"
    }

    fn human(&self, _view: &View) -> String {
        self.text()
    }

    fn names(&self) -> Vec<String> {
        self.steps.iter().map(|step| step.id.clone()).collect()
    }
}
