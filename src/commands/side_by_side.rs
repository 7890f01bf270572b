//! One read in several contexts: what each of them answered, beside each other.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::exit::ExitStatus;
use crate::output::{Render, View};

/// What a read found in each of several contexts, in the order in which they were named.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct SideBySide {
    pub(crate) contexts: Vec<Answer>,
}

/// What one context answered.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Answer {
    /// Its name.
    pub(crate) context: String,
    /// How the read ended there, as the status of its process would say it.
    pub(crate) exit_status: u8,
    /// The document of the read, or what `--query` found in it; null where there is none.
    pub(crate) document: Option<Value>,
    /// Why there is none, as the document of an error; null where nothing failed.
    pub(crate) error: Option<Value>,
    /// The result as text, in the formats that are none for programs.
    #[serde(skip)]
    pub(crate) text: String,
}

/// How the whole ends: as every context ended; with differences where the only other ones had none; as what is partly
/// done otherwise.
pub(crate) fn overall(statuses: &[ExitStatus]) -> ExitStatus {
    let Some(first) = statuses.first() else {
        return ExitStatus::Done;
    };
    if statuses.iter().all(|status| status == first) {
        return *first;
    }
    if statuses.contains(&ExitStatus::Interrupted) {
        return ExitStatus::Interrupted;
    }
    let found = [ExitStatus::Done, ExitStatus::Differences];
    if statuses.iter().all(|status| found.contains(status)) {
        ExitStatus::Differences
    } else {
        ExitStatus::Partial
    }
}

impl SideBySide {
    /// Everything as text, with a heading over each context.
    fn text(&self, mark: &str) -> String {
        let parts = self.contexts.iter().map(|answer| {
            let ended = match answer.exit_status {
                0 => String::new(),
                status => format!(" (exit status {status})"),
            };
            format!("{mark} {}{ended}\n{}", answer.context, answer.text)
        });
        parts.collect::<Vec<_>>().join("\n")
    }
}

impl Render for SideBySide {
    fn human(&self, _view: &View) -> String {
        self.text("==")
    }

    fn markdown(&self) -> Option<String> {
        Some(self.text("##"))
    }

    /// `context/name`.
    fn names(&self) -> Vec<String> {
        let of = |answer: &Answer| {
            let names = answer.text.lines();
            names
                .map(|name| format!("{}/{name}", answer.context))
                .collect::<Vec<_>>()
        };
        self.contexts.iter().flat_map(of).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_not_hidden_by_what_went_well() {
        use ExitStatus::{Denied, Differences, Done, Partial};
        assert_eq!(overall(&[Done, Done]), Done);
        assert_eq!(overall(&[Denied, Denied]), Denied);
        assert_eq!(overall(&[Done, Differences]), Differences);
        assert_eq!(overall(&[Done, Denied]), Partial);
        assert_eq!(overall(&[Differences, Denied]), Partial);
    }
}
