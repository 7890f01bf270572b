//! What a smoke test found, and what it left.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::change::RunId;
use crate::error::CommandLine;
use crate::layout::FleetId;
use crate::output::{Render, Table, View, paragraph};

/// What one check found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum State {
    Ok,
    Wrong,
    /// It could not be checked.
    Unknown,
    /// Not tried, because something before it was not ok.
    Skipped,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Wrong => "wrong",
            Self::Unknown => "unknown",
            Self::Skipped => "skipped",
        }
    }
}

/// One check.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Check {
    /// `health`, `routes`, `upload-url`, `refuse-type`, `refuse-size`, `refuse-expired`, `refuse-tampered`, `upload`,
    /// `video`, `job`, `worker` or `result`.
    pub(crate) check: String,
    pub(crate) state: State,
    /// How long it took.
    pub(crate) milliseconds: u64,
    pub(crate) detail: String,
}

/// Something that the test has made and that is still there.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct Left {
    /// E.g. "video 7".
    pub(crate) what: String,
    /// Why it is.
    pub(crate) why: String,
    /// What removes it. `curl` reads the header with the token from its input.
    pub(crate) remove: String,
}

impl Left {
    /// `remove` is to be in its place.
    pub(crate) fn new(what: impl Into<String>, why: impl Into<String>, remove: &CommandLine) -> Self {
        Self {
            what: what.into(),
            why: why.into(),
            remove: remove.to_string(),
        }
    }
}

/// The document.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct SmokeResult {
    pub(crate) run: RunId,
    /// Scheme and host that were asked.
    pub(crate) address: String,
    pub(crate) effect: Option<u64>,
    /// The video that was made.
    pub(crate) video: Option<u64>,
    pub(crate) job: Option<u64>,
    /// The key of the upload in the media bucket.
    pub(crate) upload: Option<String>,
    /// The fleet whose worker was to take the job.
    pub(crate) fleet: Option<FleetId>,
    pub(crate) checks: Vec<Check>,
    /// What the test has made and removed again.
    pub(crate) removed: Vec<String>,
    pub(crate) left: Vec<Left>,
}

/// `0.3s`, `41.0s`.
fn seconds(milliseconds: u64) -> String {
    format!("{}.{}s", milliseconds / 1000, milliseconds % 1000 / 100)
}

impl Render for SmokeResult {
    fn human(&self, view: &View) -> String {
        let mut table = Table::new(&["CHECK", "RESULT", "TIME", "DETAIL"]);
        for check in &self.checks {
            let time = match check.state {
                State::Skipped => "-".to_owned(),
                State::Ok | State::Wrong | State::Unknown => seconds(check.milliseconds),
            };
            table.row([
                check.check.clone(),
                check.state.word().to_owned(),
                time,
                check.detail.clone(),
            ]);
        }
        let mut text = table.render(view);
        if !self.removed.is_empty() {
            paragraph(&mut text, view, "Removed: ", &self.removed.join(", "));
        }
        for left in &self.left {
            paragraph(
                &mut text,
                view,
                "Left: ",
                &format!("{} ({}), removed by", left.what, left.why),
            );
            // On a line of its own, so that it can be copied.
            text.push_str(&format!("  {}\n", left.remove));
        }
        text
    }

    fn names(&self) -> Vec<String> {
        let bad = self.checks.iter().filter(|check| check.state != State::Ok);
        bad.map(|check| check.check.clone()).collect()
    }
}
