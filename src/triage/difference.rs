//! What changed between two looks at the same platform.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::absence::{Doubt, Look, Why};
use super::finding::{Finding, Severity};
use super::report::Report;
use crate::output::{Render, Table, View};

/// Findings that came, went or changed.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Difference {
    before: Timestamp,
    after: Timestamp,
    findings: Vec<Turn>,
    /// How many findings are in both, as they were.
    same: usize,
    /// What the later look could not check.
    could_not_check: Vec<&'static str>,
}

/// One finding that is not in both as it was.
#[derive(Debug, Serialize, JsonSchema)]
struct Turn {
    change: Kind,
    /// E.g. `BP-ECS-003`.
    code: &'static str,
    severity: Severity,
    title: &'static str,
    subject: String,
    /// Of the later look; of the earlier one when it has gone, or may have.
    evidence: Vec<String>,
    /// Of the earlier look, when it is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    evidence_before: Option<Vec<String>>,
    /// Why it is unknown whether it has gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<Why>,
}

/// What became of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Kind {
    New,
    Gone,
    /// The later look does not have it, and could not see whether it is still there.
    Unknown,
    /// Its severity or its evidence is another one.
    Changed,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Gone => "gone",
            Self::Unknown => "unknown",
            Self::Changed => "changed",
        }
    }
}

impl Difference {
    /// A finding is the same one when code and subject are.
    pub(crate) fn of((before, earlier): (Look<'_>, &Report), (after, later): (Look<'_>, &Report)) -> Self {
        let could_not_check = later.unchecked();
        let by_name = |report: &'_ Report| -> BTreeMap<(&'static str, String), Finding> {
            report
                .all()
                .map(|finding| ((finding.code.id(), finding.subject.clone()), finding.clone()))
                .collect()
        };
        let (mut earlier, later) = (by_name(earlier), by_name(later));
        let (mut findings, mut same) = (Vec::new(), 0);
        for (name, finding) in later {
            match earlier.remove(&name) {
                None => findings.push(Turn::of(Kind::New, finding, None)),
                Some(was) if was.severity == finding.severity && was.evidence == finding.evidence => {
                    same += 1
                }
                Some(was) => findings.push(Turn::of(Kind::Changed, finding, Some(was.evidence))),
            }
        }
        let doubt = Doubt::between(before, after);
        findings.extend(earlier.into_values().map(|finding| {
            let why = doubt.about(&finding);
            let kind = why.map_or(Kind::Gone, |_| Kind::Unknown);
            Turn {
                why,
                ..Turn::of(kind, finding, None)
            }
        }));
        findings.sort_by_key(|turn| (turn.severity, turn.code));
        Self {
            before: before.at,
            after: after.at,
            findings,
            same,
            could_not_check,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.findings.is_empty()
    }

    /// Whether it is not known of some findings what became of them.
    pub(crate) fn is_in_doubt(&self) -> bool {
        self.findings.iter().any(|turn| turn.change == Kind::Unknown)
    }

    /// Why there are findings of which it is not known what became of them.
    fn doubts(&self) -> Vec<String> {
        let number = |why| self.findings.iter().filter(|turn| turn.why == Some(why)).count();
        let told = |why, reason: String| match number(why) {
            0 => None,
            1 => Some(format!("1 finding may still be there: {reason}")),
            many => Some(format!("{many} findings may still be there: {reason}")),
        };
        [
            told(
                Why::CouldNotCheck,
                format!("could not be checked: {}", self.could_not_check.join(", ")),
            ),
            told(Why::OtherFleets, "the later look is of other fleets".to_owned()),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

impl Turn {
    fn of(change: Kind, finding: Finding, before: Option<Vec<String>>) -> Self {
        Self {
            change,
            code: finding.code.id(),
            severity: finding.severity,
            title: finding.title,
            subject: finding.subject,
            evidence: finding.evidence,
            evidence_before: before,
            why: None,
        }
    }
}

impl Render for Difference {
    fn human(&self, view: &View) -> String {
        let mut table = Table::new(&["CHANGE", "SEVERITY", "CODE", "ABOUT", "WHAT"]);
        for turn in &self.findings {
            table.row([
                turn.change.as_str().to_owned(),
                turn.severity.as_str().to_owned(),
                turn.code.to_owned(),
                turn.subject.clone(),
                turn.title.to_owned(),
            ]);
        }
        let mut text = format!("from {} to {}\n", self.before, self.after);
        if self.findings.is_empty() {
            text.push_str("no finding came, went or changed");
        } else {
            text.push_str(&table.render(view));
        }
        let same = match self.same {
            0 => "no finding stayed as it was".to_owned(),
            1 => "1 finding stayed as it was".to_owned(),
            many => format!("{many} findings stayed as they were"),
        };
        if !text.ends_with('\n') {
            text.push('\n');
        }
        for doubt in self.doubts() {
            text.push_str(&doubt);
            text.push('\n');
        }
        text + &same + "\n"
    }

    fn names(&self) -> Vec<String> {
        let mut codes: Vec<String> = self.findings.iter().map(|turn| turn.code.to_owned()).collect();
        codes.dedup();
        codes
    }
}
