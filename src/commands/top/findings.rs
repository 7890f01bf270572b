//! What `triage` finds, as rows, and one finding in full.

use jiff::Timestamp;

use super::picture::Picture;
use super::rows::{Content, Pane, PaneRows, Row, Subject, Tone, clock};
use crate::error::CommandLine;
use crate::layout::{App, FleetId};
use crate::triage::finding::{Finding, Node, Severity};
use crate::triage::report::{Report, is_blindness};
use crate::ui::one_line;

/// After which the findings count as stale: a whole look takes place more often than that.
const STALE_SECONDS: i64 = 600;

pub(super) fn pane(picture: &Picture, now: Timestamp) -> PaneRows {
    let Some((report, at)) = &picture.report else {
        let trouble = picture.trouble();
        let empty = match trouble {
            None => ("looking …".to_owned(), Tone::Dim),
            Some((trouble, _)) => (
                format!("could not check: {}", one_line(&trouble.blind.reason)),
                Tone::Warning,
            ),
        };
        return PaneRows {
            pane: Pane::Findings,
            summary: (String::new(), Tone::Plain),
            rows: Vec::new(),
            all: 0,
            empty,
            stale: None,
        };
    };
    let mut rows = Vec::new();
    for finding in report.findings() {
        add(&mut rows, picture, finding, 0);
    }
    // What the look itself could not see stands in its summary.
    let is_newer = picture.trouble().is_some_and(|(trouble, _)| trouble.since > *at);
    let old = now.as_second() - at.as_second() > STALE_SECONDS;
    PaneRows {
        pane: Pane::Findings,
        summary: summary(report, *at),
        rows,
        all: 0,
        empty: if report.unchecked().is_empty() {
            ("nothing is wrong".to_owned(), Tone::Good)
        } else {
            (
                "nothing was found in what could be checked".to_owned(),
                Tone::Warning,
            )
        },
        stale: (old || is_newer).then(|| format!("stale since {}", clock(*at))),
    }
}

/// `1 P1, 2 P3, 3 not checked, as of 12:34:56Z`.
fn summary(report: &Report, at: Timestamp) -> (String, Tone) {
    let mut parts = Vec::new();
    for severity in Severity::ALL {
        let all = report.all().filter(|finding| !is_blindness(finding));
        match all.filter(|finding| finding.severity == severity).count() {
            0 => {}
            count => parts.push(format!("{count} {}", severity.as_str())),
        }
    }
    let unchecked = report.unchecked().len();
    if unchecked > 0 {
        parts.push(format!("{unchecked} could not be checked"));
    }
    let tone = match report.worst() {
        Some(Severity::P1) => Tone::Bad,
        Some(_) => Tone::Warning,
        None if unchecked > 0 => Tone::Warning,
        None => Tone::Good,
    };
    parts.push(format!("as of {}", clock(at)));
    (parts.join(", "), tone)
}

/// As the report's differences know it.
fn key_of(finding: &Finding) -> String {
    format!("{} {}", finding.code.id(), finding.subject)
}

fn add(rows: &mut Vec<Row>, picture: &Picture, finding: &Finding, depth: usize) {
    let key = key_of(finding);
    rows.push(Row {
        key: format!("finding {depth} {key}"),
        subject: Subject::Finding {
            fleet: fleet_of(&finding.node).cloned(),
            app: app_of(&finding.node),
            key: key.clone(),
        },
        content: Content::Finding {
            depth,
            severity: finding.severity,
            code: finding.code.id(),
            text: one_line(&format!("{}: {}", finding.subject, finding.title)),
            fresh: picture.fresh.contains(&key),
        },
    });
    for symptom in &finding.symptoms {
        add(rows, picture, symptom, depth + 1);
    }
}

fn fleet_of(node: &Node) -> Option<&FleetId> {
    match node {
        Node::Queue(fleet)
        | Node::Workers(fleet)
        | Node::Group(fleet)
        | Node::Launch(fleet)
        | Node::FleetAlarms(fleet)
        | Node::Policies(fleet)
        | Node::FleetMetrics(fleet)
        | Node::Address(fleet)
        | Node::Ami(fleet) => Some(fleet),
        _ => None,
    }
}

fn app_of(node: &Node) -> Option<App> {
    match node {
        Node::Targets(app)
        | Node::Service(app)
        | Node::Deployment(app)
        | Node::Tasks(app, _)
        | Node::Image(app) => Some(*app),
        Node::Scheduler | Node::Upstream | Node::Migration | Node::Registration(_) => Some(App::Backend),
        _ => None,
    }
}

/// The finding of a row.
pub(super) fn find<'a>(picture: &'a Picture, key: &str) -> Option<&'a Finding> {
    let (report, _) = picture.report.as_ref()?;
    report.all().find(|finding| key_of(finding) == key)
}

/// A finding in full, as `triage` tells it.
pub(super) fn told(finding: &Finding) -> Vec<String> {
    let mut lines = vec![
        format!(
            "{} {} {}",
            finding.severity.as_str(),
            finding.code.id(),
            finding.title
        ),
        format!("about     {}", one_line(&finding.subject)),
        String::new(),
    ];
    if !finding.cause.is_empty() {
        lines.push(one_line(&finding.cause));
        lines.push(String::new());
    }
    for fact in &finding.evidence {
        lines.push(format!("evidence  {}", one_line(fact)));
    }
    for step in &finding.next {
        lines.push(format!("next      {}", one_line(&step.line())));
    }
    lines.push(format!("runbook   {}", finding.runbook));
    if !finding.symptoms.is_empty() {
        lines.push(String::new());
        lines.push("explains".to_owned());
        for symptom in &finding.symptoms {
            lines.push(format!("  {} {}", symptom.code.id(), one_line(&symptom.subject)));
        }
    }
    lines
}

/// What `triage` says to type next, of bpctl's own commands.
pub(super) fn next(finding: &Finding) -> Vec<CommandLine> {
    let commands = finding.next.iter().flat_map(crate::error::Hint::commands);
    let ours = commands.filter(|command| command.words().first().is_some_and(|word| word == "bpctl"));
    let mut found: Vec<CommandLine> = Vec::new();
    for command in ours {
        if !found.contains(command) {
            found.push(command.clone());
        }
    }
    found
}
