//! The report for people at a terminal: readable in 80 columns and without colour.

use super::{Report, State};
use crate::error::{Effect, Hint};
use crate::output::{Table, View, one_line, paragraph};
use crate::triage::finding::{Finding, Severity};
use crate::triage::wording::{count, shorten};
use crate::ui::{Role, paint};

/// Evidence lines of a finding without `-o wide`.
const EVIDENCE: usize = 6;

/// Characters of one of them without `-o wide`: three lines or four. Documents hold it whole.
const FACT: usize = 300;

pub(super) fn render(report: &Report, view: &View) -> String {
    let mut out = String::new();
    for (number, finding) in report.findings.iter().enumerate() {
        root(&mut out, view, number + 1, finding);
        out.push('\n');
    }
    out.push_str(&summary(report, view));
    let unchecked = report.unchecked();
    if !unchecked.is_empty() {
        paragraph(&mut out, view, "not checked: ", &unchecked.join(", "));
    }
    if view.wide {
        out.push('\n');
        out.push_str(&checks(report, view));
    }
    out
}

fn root(out: &mut String, view: &View, number: usize, finding: &Finding) {
    let severity = paint(view.color, role(finding.severity), finding.severity.as_str());
    let title = paint(view.color, Role::Strong, finding.title);
    let head = format!(
        "{number}. {severity} {} {title}: {}\n",
        finding.code.id(),
        one_line(&finding.subject)
    );
    out.push_str(&head);
    let shown = if view.wide {
        finding.evidence.len()
    } else {
        EVIDENCE
    };
    for fact in finding.evidence.iter().take(shown) {
        paragraph(out, view, "   - ", &fact_for(view, fact));
    }
    if finding.evidence.len() > shown {
        let more = count(finding.evidence.len() - shown, "more fact");
        paragraph(out, view, "   - ", &format!("{more}: `-o wide`"));
    }
    if !finding.cause.is_empty() {
        paragraph(out, view, "   cause: ", &finding.cause);
    }
    for (index, step) in steps(view, finding).into_iter().enumerate() {
        let label = match (index, step.effect()) {
            (_, Effect::Changes) => "change:",
            (0, Effect::Reads) => "next:",
            (_, Effect::Reads) => "then:",
        };
        if step.commands().next().is_none() {
            paragraph(out, view, &format!("   {label:<7}"), &step.line());
            continue;
        }
        // One line, whatever its length: it is to be copied.
        let painted = paint(view.color, Role::Hint, label);
        let blank = " ".repeat(7_usize.saturating_sub(label.len()).max(1));
        out.push_str(&format!("   {painted}{blank}{}\n", one_line(&step.line())));
    }
    if view.wide {
        paragraph(out, view, "   runbook: ", finding.runbook);
    }
    symptoms(out, view, finding, 1);
}

/// A fact: its beginning, unless everything is wanted.
fn fact_for(view: &View, fact: &str) -> String {
    if view.wide {
        fact.to_owned()
    } else {
        shorten(fact, FACT)
    }
}

/// What is shown of what to do: without `-o wide` the first step and either the first change or the second step.
fn steps<'a>(view: &View, finding: &'a Finding) -> Vec<&'a Hint> {
    let all: Vec<&Hint> = finding.next.iter().collect();
    if view.wide || all.len() <= 2 {
        return all;
    }
    let change = all.iter().skip(1).find(|step| step.effect() == Effect::Changes);
    vec![all[0], change.copied().unwrap_or(all[1])]
}

fn symptoms(out: &mut String, view: &View, finding: &Finding, depth: usize) {
    for symptom in &finding.symptoms {
        let lead = format!("   {}-> ", "   ".repeat(depth - 1));
        let line = format!(
            "{} {} {}: {}",
            symptom.severity.as_str(),
            symptom.code.id(),
            symptom.title,
            symptom.subject
        );
        paragraph(out, view, &lead, &line);
        if view.wide {
            let lead = format!("   {}   - ", "   ".repeat(depth - 1));
            for fact in &symptom.evidence {
                paragraph(out, view, &lead, fact);
            }
        }
        symptoms(out, view, symptom, depth + 1);
    }
}

fn summary(report: &Report, view: &View) -> String {
    let totals = &report.summary;
    let unchecked = report.unchecked();
    let blind = if unchecked.is_empty() {
        String::new()
    } else {
        format!(", {} could not be checked", unchecked.len())
    };
    let looked = totals.ok + totals.problem;
    if totals.root_causes == 0 {
        let verdict = if unchecked.is_empty() {
            paint(view.color, Role::Good, "no problem found")
        } else {
            paint(
                view.color,
                Role::Warning,
                "no problem found in what could be checked",
            )
        };
        return format!("{verdict}: {}{blind}\n", count(looked, "check"));
    }
    let found: Vec<String> = Severity::ALL
        .into_iter()
        .map(|severity| (severity, totals.of(severity)))
        .filter(|(_, number)| *number > 0)
        .map(|(severity, number)| format!("{number} {}", severity.as_str()))
        .collect();
    format!(
        "{} ({}); {}{blind}\n",
        count(totals.root_causes, "root cause"),
        found.join(", "),
        count(looked, "check"),
    )
}

fn checks(report: &Report, view: &View) -> String {
    let mut table = Table::new(&["CHECK", "STATE", "DETAIL"]);
    for check in &report.checked {
        let detail = match check.state {
            State::Ok => String::new(),
            State::Problem => check.codes.join(" "),
            State::CouldNotCheck => check.reason.as_deref().map(one_line).unwrap_or_default(),
        };
        table.row([
            check.probe.name().to_owned(),
            check.state.as_str().to_owned(),
            detail,
        ]);
    }
    table.render(view)
}

fn role(severity: Severity) -> Role {
    match severity {
        Severity::P1 => Role::Error,
        Severity::P2 => Role::Warning,
        Severity::P3 => Role::Dim,
    }
}
