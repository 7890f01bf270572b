//! The plan as people and scripts see it: the same for a dry run and for the question before the change.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use super::call::{ApiCall, Loss};
use super::digest::digest;
use super::plan::{Blocker, Plan, Risk, Step};
use super::run_id::RunNames;
use super::target::Target;
use crate::error::Place;
use crate::output::{Render, View};
use crate::redact::Sealed;

/// A plan without its actions.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct PlanView {
    verb: &'static str,
    title: String,
    target: Target,
    risk: Risk,
    /// What identifies the plan: another one with the same digest does the same to the same things.
    digest: String,
    steps: Vec<StepView>,
    /// What the plan is made from, where that is more than AWS and the command line.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    facts: Vec<String>,
    /// What is left as it is although the reader may think otherwise.
    stays: Vec<String>,
    warnings: Vec<String>,
    blockers: Vec<Blocker>,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
struct StepView {
    id: String,
    summary: String,
    calls: Vec<ApiCall>,
    /// Calls that may become necessary.
    if_needed: Vec<ApiCall>,
    /// Calls that undo the step when a later one fails.
    undo: Vec<ApiCall>,
    notes: Vec<String>,
    before: Option<String>,
    after: Option<String>,
    needs: Vec<String>,
    then: Option<super::plan::Then>,
}

impl PlanView {
    /// `undo` gives the step that takes another one back, for plans that undo.
    pub(crate) fn new<A>(
        verb: &'static str,
        target: &Target,
        plan: &Plan<A>,
        names: &RunNames,
        undo: impl Fn(&Step<A>) -> Option<Step<A>>,
    ) -> Self {
        let steps = plan
            .steps
            .iter()
            .map(|step| StepView {
                id: step.id.clone(),
                summary: step.summary.clone(),
                calls: step.calls.clone(),
                if_needed: step.if_needed.clone(),
                undo: undo(step).map(|undo| undo.calls).unwrap_or_default(),
                notes: step.notes.clone(),
                before: step.before.clone(),
                after: step.after.clone(),
                needs: step.needs.clone(),
                then: step.then.clone(),
            })
            .collect();
        Self {
            verb,
            title: plan.title.clone(),
            target: target.clone(),
            risk: plan.risk(),
            digest: digest(verb, target, plan, names),
            steps,
            facts: plan.facts.clone(),
            stays: plan.stays.clone(),
            warnings: plan.warnings.clone(),
            blockers: plan.blockers.clone(),
        }
    }

    pub(super) fn digest(&self) -> &str {
        &self.digest
    }

    /// The plan with hints whose commands name the place.
    #[must_use]
    pub(super) fn in_place(mut self, place: &Place) -> Self {
        for blocker in &mut self.blockers {
            blocker.hint = blocker.hint.in_place(place);
        }
        self
    }

    /// The plan as text.
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
        for fact in &self.facts {
            text.push_str(&format!("  {fact}\n"));
        }
        for step in &self.steps {
            step.write(&mut text);
        }
        if self.steps.is_empty() {
            text.push_str("  nothing to change\n");
        }
        for line in &self.stays {
            text.push_str(&format!("  stays: {line}\n"));
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

impl StepView {
    fn write(&self, text: &mut String) {
        text.push_str(&format!("  - {}: {}\n", self.id, self.summary));
        if let (Some(before), Some(after)) = (&self.before, &self.after) {
            text.push_str(&format!("      {before} -> {after}\n"));
        }
        for note in &self.notes {
            text.push_str(&format!("      {note}\n"));
        }
        for call in &self.calls {
            text.push_str(&call_text("calls", call));
        }
        for call in &self.if_needed {
            text.push_str(&call_text("may call", call));
        }
        if let Some(then) = &self.then {
            text.push_str(&format!("      then, {}\n", then.text));
            for call in &then.calls {
                text.push_str(&call_text("calls", call));
            }
        }
        for call in &self.undo {
            text.push_str(&call_text("undone by", call));
        }
        let losses = self.calls.iter().chain(&self.if_needed);
        for loss in losses.filter_map(|call| call.loses.as_ref()) {
            let (Loss::Work(what) | Loss::Data(what)) = loss;
            text.push_str(&format!("      loses {what}\n"));
        }
    }
}

/// Parameters that people still read: a whole task definition has some hundred.
const MANY: usize = 40;

/// One line for a call with few short parameters, otherwise a line for each.
fn call_text(word: &str, call: &ApiCall) -> String {
    let mut shown = Vec::new();
    flatten(&call.parameters, "", &mut shown);
    let names = short_names(&shown);
    let words: Vec<String> = names
        .iter()
        .zip(&shown)
        .map(|(name, (_, value))| format!("{name}={value}"))
        .collect();
    let line = format!("      {word} {} {}", call.label(), words.join(" "));
    if line.len() <= 79 {
        return line + "\n";
    }
    if shown.len() > MANY {
        return format!(
            "      {word} {} with {} parameters: `--dry-run -o json` shows all\n",
            call.label(),
            shown.len()
        );
    }
    let width = names.iter().map(|name| name.len()).max().unwrap_or(0);
    let mut text = format!("      {word} {} with\n", call.label());
    for (name, (_, value)) in names.iter().zip(&shown) {
        text.push_str(&format!("        {name:<width$}  {}\n", readable(value)));
    }
    text
}

/// Characters of a value that people still read.
const LONG: usize = 240;

/// A value that is too long for people is cut, and says so: a list of a hundred digests.
fn readable(value: &str) -> String {
    match value.char_indices().nth(LONG) {
        None => value.to_owned(),
        Some((end, _)) => format!(
            "{}… ({} characters: `--dry-run -o json` shows all)",
            &value[..end],
            value.chars().count()
        ),
    }
}

/// Names that say too little without the structure that they are in.
const VAGUE: &[&str] = &["name", "id", "key", "value", "type"];

/// The last part of each dotted name, where that leaves no doubt; a vague one stands with its structure.
fn short_names(shown: &[(String, String)]) -> Vec<&str> {
    let last = |name: &'_ str| name.rsplit('.').next().unwrap_or_default().to_owned();
    shown
        .iter()
        .map(|(name, _)| {
            let short = name.rsplit('.').next().unwrap_or_default();
            let alike = shown.iter().filter(|(other, _)| last(other) == short).count();
            if alike > 1 {
                return name.as_str();
            }
            match name.rmatch_indices('.').nth(1) {
                Some((at, _)) if VAGUE.contains(&short) => &name[at + 1..],
                _ if VAGUE.contains(&short) => name.as_str(),
                _ => short,
            }
        })
        .collect()
}

/// Structures become dotted names, and so does the only structure in a list; tags are `key=value` words.
fn flatten(members: &Map<String, Value>, prefix: &str, shown: &mut Vec<(String, String)>) {
    for (name, value) in members {
        let name = format!("{prefix}{name}");
        if let Some(words) = Sealed::words_of(value) {
            shown.push((name, format!("({words})")));
            continue;
        }
        match value {
            Value::Object(members) if members.len() == 1 && members.contains_key("$from") => {
                let step = members["$from"].as_str().unwrap_or_default();
                shown.push((name, format!("(known after {step})")));
            }
            Value::Object(members) => flatten(members, &format!("{name}."), shown),
            Value::Array(items) => match items.as_slice() {
                [Value::Object(members)] => flatten(members, &format!("{name}."), shown),
                items => match tags(items) {
                    Some(tags) => shown.push((name, tags)),
                    None => shown.push((name, value.to_string())),
                },
            },
            Value::String(text) => shown.push((name, text.clone())),
            Value::Null | Value::Bool(_) | Value::Number(_) => shown.push((name, value.to_string())),
        }
    }
}

fn tags(items: &[Value]) -> Option<String> {
    let words: Option<Vec<String>> = items
        .iter()
        .map(|item| {
            let key = item.get("key").or(item.get("Key"))?.as_str()?;
            let value = item.get("value").or(item.get("Value"))?.as_str()?;
            Some(format!("{key}={value}"))
        })
        .collect();
    words
        .filter(|words| !words.is_empty())
        .map(|words| words.join(" "))
}

impl Render for PlanView {
    fn human(&self, _view: &View) -> String {
        self.text()
    }

    fn names(&self) -> Vec<String> {
        self.steps.iter().map(|step| step.id.clone()).collect()
    }
}
