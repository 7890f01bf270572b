//! A step of a checklist, and what is next.

use schemars::JsonSchema;
use serde::Serialize;

use crate::error::{CommandLine, CtlError, Place};
use crate::output::{Render, Table, View, paragraph};

/// How far a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::commands) enum State {
    Done,
    /// It can be done now.
    Open,
    /// A step before it is not done.
    Waiting,
    /// It could not be read.
    Unknown,
}

impl State {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Open => "open",
            Self::Waiting => "waiting",
            Self::Unknown => "unknown",
        }
    }
}

/// A step as AWS shows it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(in crate::commands) struct Step {
    /// E.g. `stack bp-data`, or `ami production/gpu-default`.
    pub(super) step: String,
    pub(super) state: State,
    /// What was seen.
    pub(super) found: String,
    /// What does it; null where that is no command.
    pub(super) command: Option<String>,
    /// What is to be known before, or to be done by hand.
    pub(super) note: Option<String>,
    #[serde(skip)]
    pub(super) line: Option<CommandLine>,
    #[serde(skip)]
    pub(super) needs: Vec<String>,
}

impl Step {
    fn new(step: impl Into<String>, state: State, found: impl Into<String>) -> Self {
        Self {
            step: step.into(),
            state,
            found: found.into(),
            command: None,
            note: None,
            line: None,
            needs: Vec::new(),
        }
    }

    pub(super) fn done(step: impl Into<String>, found: impl Into<String>) -> Self {
        Self::new(step, State::Done, found)
    }

    pub(super) fn open(step: impl Into<String>, found: impl Into<String>) -> Self {
        Self::new(step, State::Open, found)
    }

    pub(super) fn unknown(step: impl Into<String>, error: &CtlError) -> Self {
        Self::unseen(step, format!("failed to {error}"))
    }

    /// It could not be read, and why.
    pub(super) fn unseen(step: impl Into<String>, why: impl Into<String>) -> Self {
        Self::new(step, State::Unknown, why)
    }

    /// Done when `is_done`, else open.
    pub(super) fn of(is_done: bool, step: impl Into<String>, found: impl Into<String>) -> Self {
        let state = if is_done { State::Done } else { State::Open };
        Self::new(step, state, found)
    }

    /// The command of bpctl that does it.
    #[must_use]
    pub(super) fn by<const N: usize>(self, words: [&str; N]) -> Self {
        self.by_line(CommandLine::bpctl(words))
    }

    /// The command that does it.
    #[must_use]
    pub(super) fn by_line(self, line: CommandLine) -> Self {
        Self {
            line: Some(line),
            ..self
        }
    }

    #[must_use]
    pub(super) fn note(self, note: impl Into<String>) -> Self {
        Self {
            note: Some(note.into()),
            ..self
        }
    }

    /// Cannot be done before these are.
    #[must_use]
    pub(super) fn after(self, needs: impl IntoIterator<Item = String>) -> Self {
        Self {
            needs: needs.into_iter().collect(),
            ..self
        }
    }
}

/// Both checklists.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::commands) struct Checklist {
    pub(super) steps: Vec<Step>,
    /// How many are done.
    done: usize,
    /// The first step that is neither done nor waiting; null when there is none.
    next: Option<Step>,
}

impl Checklist {
    /// Lets steps wait whose earlier ones are not done. A step that could not be read and stands behind an open one
    /// waits as well: it cannot be done.
    pub(super) fn new(mut steps: Vec<Step>, place: &Place) -> Self {
        for step in &mut steps {
            let line = step.line.as_ref().map(|line| line.in_place(place));
            step.command = line.map(|line| line.to_string());
        }
        for at in 0..steps.len() {
            let (before, rest) = steps.split_at_mut(at);
            let Some(step) = rest.first_mut().filter(|step| step.state != State::Done) else {
                continue;
            };
            let is_missing = |one: &&Step| {
                step.needs.contains(&one.step) && matches!(one.state, State::Open | State::Waiting)
            };
            if let Some(missing) = before.iter().find(is_missing) {
                step.found = format!("waits for {}", missing.step);
                step.state = State::Waiting;
            }
        }
        let next = steps
            .iter()
            .find(|step| matches!(step.state, State::Open | State::Unknown));
        Self {
            done: steps.iter().filter(|step| step.state == State::Done).count(),
            next: next.cloned(),
            steps,
        }
    }

    pub(super) fn next(&self) -> Option<&Step> {
        self.next.as_ref()
    }

    /// What was seen of a step.
    pub(super) fn found(&self, step: &str) -> Option<&str> {
        let found = self.steps.iter().find(|one| one.step == step);
        found.map(|step| step.found.as_str())
    }

    /// The state of a step.
    pub(super) fn state(&self, step: &str) -> Option<State> {
        let found = self.steps.iter().find(|one| one.step == step);
        found.map(|step| step.state)
    }
}

impl Render for Checklist {
    fn human(&self, view: &View) -> String {
        let mut table = Table::new(&["STEP", "STATE", "FOUND"]);
        for step in &self.steps {
            table.row([
                step.step.clone(),
                step.state.as_str().to_owned(),
                step.found.clone(),
            ]);
        }
        let mut text = table.render(view);
        text.push('\n');
        match &self.next {
            None => text.push_str("Every step is done.\n"),
            Some(next) => {
                text.push_str(&format!("Next: {}\n", next.step));
                if let Some(command) = &next.command {
                    text.push_str(&format!("  {command}\n"));
                }
                if let Some(note) = &next.note {
                    paragraph(&mut text, view, "  ", note);
                }
            }
        }
        text
    }

    fn names(&self) -> Vec<String> {
        self.steps.iter().map(|step| step.step.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn states(list: &Checklist) -> Vec<&'static str> {
        list.steps.iter().map(|step| step.state.as_str()).collect()
    }

    #[test]
    fn what_stands_behind_an_open_step_waits_and_is_never_next() {
        let error = CtlError::new(ErrorKind::Unreachable, "read it");
        let list = Checklist::new(
            vec![
                Step::done("a", ""),
                Step::open("b", "").by(["migrate"]).after(["a".to_owned()]),
                Step::open("c", "").after(["b".to_owned()]),
                Step::unknown("d", &error).after(["c".to_owned()]),
                Step::done("e", "").after(["c".to_owned()]),
                Step::unknown("f", &error).after(["a".to_owned()]),
            ],
            &Place::default(),
        );
        assert_eq!(
            states(&list),
            ["done", "open", "waiting", "waiting", "done", "unknown"]
        );
        assert_eq!(list.next().map(|step| step.step.as_str()), Some("b"));
        assert_eq!(list.done, 2);
    }

    #[test]
    fn a_step_that_could_not_be_read_is_never_done() {
        let error = CtlError::new(ErrorKind::Unreachable, "read it");
        let list = Checklist::new(
            vec![Step::done("a", ""), Step::unknown("b", &error)],
            &Place::default(),
        );
        assert_eq!(list.next().map(|step| step.state), Some(State::Unknown));
        assert!(
            Checklist::new(vec![Step::done("a", "")], &Place::default())
                .next()
                .is_none()
        );
    }
}
