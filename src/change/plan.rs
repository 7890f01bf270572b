//! What a command is going to do, before it does anything.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::error::{ErrorKind, Hint};
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

impl Target {
    /// The name, without extension, of this machine's files about `verb` in this place.
    pub(super) fn file_stem(&self, verb: &str) -> String {
        // The name of a context may hold anything; that of a file may not.
        let plain = |text: &str| -> String {
            text.bytes()
                .map(|byte| match byte {
                    b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => char::from(byte).to_string(),
                    other => format!("%{other:02x}"),
                })
                .collect()
        };
        format!(
            "{}-{}-{}-{}",
            verb.replace(' ', "-"),
            self.account,
            plain(&self.region),
            plain(&self.context)
        )
    }
}

/// One mutating API call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct ApiCall {
    /// E.g. `autoscaling`.
    pub(crate) service: &'static str,
    /// E.g. `SetDesiredCapacity`.
    pub(crate) operation: &'static str,
    /// The parameters that matter, by the names the API gives them.
    pub(crate) parameters: Map<String, Value>,
}

impl ApiCall {
    /// A call and the parameters that matter, in the order in which they are shown.
    pub(crate) fn new<const N: usize>(
        service: &'static str,
        operation: &'static str,
        parameters: [(&str, Value); N],
    ) -> Self {
        let parameters = parameters
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        Self {
            service,
            operation,
            parameters,
        }
    }

    /// One line for a call with few short parameters, otherwise a line for each.
    fn text(&self) -> String {
        let shown: Vec<(&str, String)> = self
            .parameters
            .iter()
            .map(|(name, value)| (name.as_str(), plain(value)))
            .collect();
        let words: Vec<String> = shown
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let line = format!(
            "      calls {}:{} {}",
            self.service,
            self.operation,
            words.join(" ")
        );
        if line.len() <= 79 {
            return line + "\n";
        }
        let width = shown.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        let mut text = format!("      calls {}:{} with\n", self.service, self.operation);
        for (name, value) in shown {
            text.push_str(&format!("        {name:<width$}  {value}\n"));
        }
        text
    }
}

/// A bare word for a string, JSON for everything else.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            value.to_string()
        }
    }
}

/// A reason not to go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Blocker {
    #[serde(skip)]
    pub(crate) kind: ErrorKind,
    pub(crate) reason: String,
    /// The next command, or the flag that overrides.
    pub(crate) hint: Hint,
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
                text.push_str(&call.text());
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_context_has_a_file_of_its_own() {
        let stem = |context: &str, region: &str| {
            Target {
                context: context.to_owned(),
                account: "123456789012".to_owned(),
                region: region.to_owned(),
                protected: false,
            }
            .file_stem("fleet scale-to-zero")
        };
        assert_eq!(
            stem("prod", "eu-west-1"),
            "fleet-scale-to-zero-123456789012-eu-west-1-prod"
        );
        assert_ne!(stem("prod", "eu-west-1"), stem("prod", "us-east-1"));
        assert_ne!(stem("a/b", "x"), stem("a.b", "x"));
        assert!(!stem("../../x y", "no region").contains(['/', '.', ' ']));
    }
}
