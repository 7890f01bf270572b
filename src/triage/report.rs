//! What triage says: findings in the order in which to deal with them, and what was looked at.

mod markdown;
mod text;

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::catalog::Code;
use super::finding::{Finding, Node, Severity};
use super::rules;
use super::snapshot::{Probe, Snapshot};
use super::wording::at;
use crate::error::{CommandLine, Hint, Place};
use crate::output::{Render, View};
use crate::ui::Ui;

/// The result of a triage.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Report {
    /// When the platform was looked at.
    #[schemars(with = "Timestamp")]
    at: String,
    layout: &'static str,
    summary: Summary,
    /// Root causes, the first one first; empty on a healthy platform.
    findings: Vec<Finding>,
    checked: Vec<Check>,
}

/// How much was found, symptoms included, and how much was looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
struct Summary {
    #[serde(rename = "P1")]
    p1: usize,
    #[serde(rename = "P2")]
    p2: usize,
    #[serde(rename = "P3")]
    p3: usize,
    /// Causes that are no symptom of another one; what could not be checked is not among them.
    root_causes: usize,
    ok: usize,
    problem: usize,
    could_not_check: usize,
}

impl Summary {
    fn of(&self, severity: Severity) -> usize {
        match severity {
            Severity::P1 => self.p1,
            Severity::P2 => self.p2,
            Severity::P3 => self.p3,
        }
    }
}

/// What became of one probe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
struct Check {
    #[schemars(with = "String")]
    probe: Probe,
    state: State,
    /// Why it could not be checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Codes of the findings about it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    codes: Vec<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum State {
    Ok,
    Problem,
    CouldNotCheck,
}

impl State {
    fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Problem => "problem",
            Self::CouldNotCheck => "could not check",
        }
    }
}

impl Report {
    /// Judges what was seen.
    pub(crate) fn new(snapshot: &Snapshot, now: Timestamp) -> Self {
        let findings = rules::evaluate(snapshot, now);
        let all: Vec<&Finding> = findings.iter().flat_map(Finding::walk).collect();
        let checked: Vec<Check> = Probe::ALL
            .iter()
            .map(|&probe| check(snapshot, probe, &all))
            .collect();
        let of = |severity| all.iter().filter(|finding| finding.severity == severity).count();
        let states = |state| checked.iter().filter(|check| check.state == state).count();
        let summary = Summary {
            p1: of(Severity::P1),
            p2: of(Severity::P2),
            p3: of(Severity::P3),
            root_causes: findings.iter().filter(|finding| !is_blindness(finding)).count(),
            ok: states(State::Ok),
            problem: states(State::Problem),
            could_not_check: states(State::CouldNotCheck),
        };
        Self {
            at: at(now),
            layout: snapshot.layout.kind().as_str(),
            summary,
            findings,
            checked,
        }
    }

    /// Every finding, symptoms included, by code and subject, without what only says when and how much: a finding is
    /// another one when its severity, its cause or what it explains is.
    pub(crate) fn in_short(&self) -> BTreeMap<String, serde_json::Value> {
        let all = self.findings.iter().flat_map(Finding::walk);
        all.map(|finding| {
            let symptoms = finding.symptoms.iter().map(Finding::key);
            let short = serde_json::json!({
                "code": finding.code.id(),
                "severity": finding.severity,
                "title": finding.title,
                "subject": finding.subject,
                "cause": finding.cause,
                "symptoms": symptoms.collect::<Vec<_>>(),
            });
            (finding.key(), short)
        })
        .collect()
    }

    /// The report with commands that name the place.
    #[must_use]
    pub(crate) fn in_place(mut self, place: &Place) -> Self {
        self.findings = self
            .findings
            .into_iter()
            .map(|finding| finding.in_place(place))
            .collect();
        self
    }

    /// Every finding, symptoms included.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().flat_map(Finding::walk)
    }

    /// Root causes, the first one first.
    pub(crate) fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Whether anything is to be done with the aws tool.
    pub(crate) fn names_aws(&self) -> bool {
        let findings = self.findings.iter().flat_map(Finding::walk);
        let commands = findings
            .flat_map(|finding| &finding.next)
            .flat_map(Hint::commands);
        commands.into_iter().any(CommandLine::uses_aws)
    }

    /// Shows root causes where GitHub shows errors (P1) and warnings (P2), each with what to do first.
    pub(crate) fn announce(&self, ui: &Ui) {
        for finding in self
            .findings
            .iter()
            .filter(|finding| finding.severity <= Severity::P2)
        {
            let text = format!(
                "{} {} {}: {}: {}",
                finding.severity.as_str(),
                finding.code.id(),
                finding.title,
                finding.subject,
                finding.cause
            );
            let next = finding.next.get(..1).unwrap_or_default();
            ui.found(finding.severity == Severity::P1, &text, next);
        }
    }

    /// The worst severity of all problems, symptoms included. That something could not be checked is no
    /// problem that was found.
    pub(crate) fn worst(&self) -> Option<Severity> {
        self.findings
            .iter()
            .flat_map(Finding::walk)
            .filter(|finding| !is_blindness(finding))
            .map(|finding| finding.severity)
            .min()
    }

    /// Whether there is nothing of the platform where it was looked for.
    pub(crate) fn is_elsewhere(&self) -> bool {
        self.findings
            .iter()
            .any(|finding| finding.code == Code::PlatformAbsent)
    }

    /// What could not be checked.
    pub(crate) fn unchecked(&self) -> Vec<&'static str> {
        self.checked
            .iter()
            .filter(|check| check.state == State::CouldNotCheck)
            .map(|check| check.probe.name())
            .collect()
    }

    /// Whether nothing at all could be checked.
    pub(crate) fn is_blind(&self) -> bool {
        self.summary.could_not_check == self.checked.len()
    }
}

/// Whether a finding only says that something could not be checked.
pub(crate) fn is_blindness(finding: &Finding) -> bool {
    matches!(finding.node, Node::Probe(_))
}

fn check(snapshot: &Snapshot, probe: Probe, findings: &[&Finding]) -> Check {
    if let Some(blind) = snapshot.blind(probe) {
        return Check {
            probe,
            state: State::CouldNotCheck,
            reason: Some(blind.reason.clone()),
            codes: Vec::new(),
        };
    }
    let mut codes: Vec<&'static str> = findings
        .iter()
        .filter(|finding| seen_by(&finding.node, snapshot) == Some(probe))
        .map(|finding| finding.code.id())
        .collect();
    codes.sort_unstable();
    codes.dedup();
    Check {
        probe,
        state: if codes.is_empty() {
            State::Ok
        } else {
            State::Problem
        },
        reason: None,
        codes,
    }
}

/// The probe that shows what a finding is about.
pub(super) fn seen_by(node: &Node, snapshot: &Snapshot) -> Option<Probe> {
    Some(match node {
        Node::Alarm(name) => {
            let platform = snapshot.alarms.iter().flatten();
            if platform.into_iter().any(|alarm| alarm.name == *name) {
                Probe::Alarms
            } else {
                Probe::FleetAlarms
            }
        }
        Node::Queue(_) | Node::Workers(_) | Node::FleetMetrics(_) | Node::Scheduler | Node::Publishers => {
            Probe::FleetMetrics
        }
        Node::Address(_) => Probe::Addresses,
        Node::Group(_) => Probe::Groups,
        Node::Launch(_) => Probe::Activities,
        Node::FleetAlarms(_) => Probe::FleetAlarms,
        Node::Responses | Node::Nat | Node::Redis => Probe::Metrics,
        Node::Targets(_) => Probe::Targets,
        Node::Service(_) => Probe::Services,
        Node::Deployment(_) => Probe::Rollouts,
        Node::Migration | Node::Tasks(..) => Probe::Tasks,
        Node::Upstream | Node::Registration(_) => Probe::BackendLogs,
        Node::Database => Probe::Database,
        Node::Stack(_) | Node::Place => Probe::Stacks,
        Node::Image(_) => Probe::Images,
        Node::Secret(_) => Probe::Secrets,
        Node::Ami(_) => Probe::Amis,
        Node::FleetSecret(_) => Probe::FleetSecrets,
        Node::Topic => Probe::Topics,
        Node::AlertTopic(_) => Probe::AlertTopics,
        Node::Policies(_) => Probe::Policies,
        Node::Probe(_) => return None,
    })
}

impl Render for Report {
    fn human(&self, view: &View) -> String {
        text::render(self, view)
    }

    fn names(&self) -> Vec<String> {
        let mut codes: Vec<String> = Vec::new();
        for root in &self.findings {
            for finding in root.walk() {
                let id = finding.code.id();
                if codes.iter().all(|known| known != id) {
                    codes.push(id.to_owned());
                }
            }
        }
        codes
    }

    fn markdown(&self) -> Option<String> {
        Some(markdown::render(self))
    }
}

#[cfg(test)]
mod tests;
