//! The report as Markdown, for tickets and the summaries of workflow runs.

use super::{Report, State};
use crate::error::{Effect, Hint};
use crate::output::markdown::{block, cell, sentence};
use crate::output::one_line;
use crate::triage::finding::Finding;
use crate::triage::wording::count;

pub(super) fn render(report: &Report) -> String {
    let totals = &report.summary;
    let mut out = format!("## bpctl triage, {}\n\n", report.at);
    let unchecked = report.unchecked();
    if totals.root_causes == 0 && unchecked.is_empty() {
        out.push_str("No problem found.\n");
    } else if totals.root_causes == 0 {
        out.push_str("No problem found in what could be checked.\n");
    } else {
        out.push_str(&format!(
            "{}: {} P1, {} P2, {} P3.\n",
            count(totals.root_causes, "root cause"),
            totals.p1,
            totals.p2,
            totals.p3
        ));
    }
    if !unchecked.is_empty() {
        out.push_str(&format!("\nCould not be checked: {}.\n", unchecked.join(", ")));
    }
    for (number, finding) in report.findings.iter().enumerate() {
        root(&mut out, number + 1, finding);
    }
    out.push_str("\n### Checks\n\n| Check | State | Detail |\n|---|---|---|\n");
    for check in &report.checked {
        let detail = match check.state {
            State::Ok => String::new(),
            State::Problem => check.codes.join(" "),
            State::CouldNotCheck => check.reason.clone().unwrap_or_default(),
        };
        out.push_str(&format!(
            "| {} | {} | {} |\n",
            check.probe.name(),
            check.state.as_str(),
            cell(&sentence(&detail))
        ));
    }
    out
}

fn root(out: &mut String, number: usize, finding: &Finding) {
    out.push_str(&format!(
        "\n### {number}. {} {}: {}\n\n`{}`, runbook: {}\n\n",
        finding.severity.as_str(),
        finding.title,
        sentence(&finding.subject),
        finding.code.id(),
        finding.runbook
    ));
    for fact in &finding.evidence {
        out.push_str(&format!("- {}\n", sentence(fact)));
    }
    out.push_str(&format!("\n**Likely cause:** {}\n", sentence(&finding.cause)));
    if !finding.next.is_empty() {
        let mut script = String::new();
        for step in &finding.next {
            shell(&mut script, step);
        }
        out.push('\n');
        out.push_str(&block("sh", &script));
    }
    if !finding.symptoms.is_empty() {
        out.push_str("\nExplains:\n\n");
        symptoms(out, finding, 0);
    }
}

/// A step as lines of a script: words and the mark of a change are comments.
fn shell(out: &mut String, step: &Hint) {
    let mut line = |text: &str| {
        out.push_str(&one_line(text));
        out.push('\n');
    };
    if step.only_command().is_none() {
        line(&format!("# {step}"));
    }
    for command in step.commands() {
        if command.effect() == Effect::Changes {
            line("# changes something:");
        }
        line(&command.to_string());
    }
}

fn symptoms(out: &mut String, finding: &Finding, depth: usize) {
    for symptom in &finding.symptoms {
        out.push_str(&format!(
            "{}- {} `{}` {}: {}\n",
            "  ".repeat(depth),
            symptom.severity.as_str(),
            symptom.code.id(),
            symptom.title,
            sentence(&symptom.subject)
        ));
        symptoms(out, symptom, depth + 1);
    }
}
