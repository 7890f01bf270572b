//! What was checked, as it is shown.

use schemars::JsonSchema;
use serde::Serialize;

use crate::error::{CommandLine, CtlError, Hint};
use crate::output::{Render, Table, View};

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    Ok,
    /// Something works worse without it.
    Warning,
    Problem,
    /// It could not be found out.
    Unknown,
}

impl State {
    fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Problem => "problem",
            Self::Unknown => "unknown",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(super) struct Check {
    pub(super) check: String,
    pub(super) state: State,
    pub(super) found: String,
    /// What to do about it; null where there is nothing to do.
    pub(super) fix: Option<String>,
}

impl Check {
    fn new(check: &str, state: State, found: impl Into<String>) -> Self {
        Self {
            check: check.to_owned(),
            state,
            found: found.into(),
            fix: None,
        }
    }

    pub(super) fn ok(check: &str, found: impl Into<String>) -> Self {
        Self::new(check, State::Ok, found)
    }

    pub(super) fn warning(check: &str, found: impl Into<String>) -> Self {
        Self::new(check, State::Warning, found)
    }

    pub(super) fn problem(check: &str, found: impl Into<String>) -> Self {
        Self::new(check, State::Problem, found)
    }

    pub(super) fn unknown(check: &str, found: impl Into<String>) -> Self {
        Self::new(check, State::Unknown, found)
    }

    /// A check that failed for a reason of its own, with what that reason says to do.
    pub(super) fn failed(check: &str, state: State, error: &CtlError) -> Self {
        Self {
            fix: error.hints().first().map(Hint::line),
            ..Self::new(check, state, format!("failed to {error}"))
        }
    }

    /// A command of bpctl that mends it.
    #[must_use]
    pub(super) fn run<const N: usize>(self, words: [&str; N]) -> Self {
        self.fix(Hint::new("run").command(CommandLine::bpctl(words)).line())
    }

    #[must_use]
    pub(super) fn fix(self, fix: impl Into<String>) -> Self {
        Self {
            fix: Some(fix.into()),
            ..self
        }
    }
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Report {
    checks: Vec<Check>,
    /// How many are a problem.
    problems: usize,
}

impl Report {
    pub(super) fn new(checks: Vec<Check>) -> Self {
        let problems = checks
            .iter()
            .filter(|check| check.state == State::Problem)
            .count();
        Self { checks, problems }
    }
}

impl Render for Report {
    fn human(&self, view: &View) -> String {
        let mut table = Table::new(&["CHECK", "STATE", "FOUND", "FIX"]);
        for check in &self.checks {
            table.row([
                check.check.clone(),
                check.state.as_str().to_owned(),
                check.found.clone(),
                check.fix.clone().unwrap_or_else(|| "-".to_owned()),
            ]);
        }
        table.render(view)
    }

    fn names(&self) -> Vec<String> {
        let problems = self.checks.iter().filter(|check| check.state == State::Problem);
        problems.map(|check| check.check.clone()).collect()
    }
}
