//! The report as Markdown, for tickets and the summaries of workflow runs.

use super::{Report, State};
use crate::error::{Effect, Hint};
use crate::triage::finding::Finding;
use crate::triage::wording::count;
use crate::ui::strip_controls;

pub(super) fn render(report: &Report) -> String {
    let totals = &report.summary;
    let mut out = format!("## bpctl triage, {}\n\n", report.at);
    if totals.root_causes == 0 {
        out.push_str("No problem found.\n");
    } else {
        out.push_str(&format!(
            "{}: {} P1, {} P2, {} P3.\n",
            count(totals.root_causes, "root cause"),
            totals.p1,
            totals.p2,
            totals.p3
        ));
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
            escape(&detail).replace('|', "\\|")
        ));
    }
    out
}

fn root(out: &mut String, number: usize, finding: &Finding) {
    out.push_str(&format!(
        "\n### {number}. {} {}: {}\n\n`{}`, runbook: {}\n\n",
        finding.severity.as_str(),
        finding.title,
        escape(&finding.subject),
        finding.code.id(),
        finding.runbook
    ));
    for fact in &finding.evidence {
        out.push_str(&format!("- {}\n", escape(fact)));
    }
    out.push_str(&format!("\n**Likely cause:** {}\n", escape(&finding.cause)));
    if !finding.next.is_empty() {
        out.push_str("\n```sh\n");
        for step in &finding.next {
            shell(out, step);
        }
        out.push_str("```\n");
    }
    if !finding.symptoms.is_empty() {
        out.push_str("\nExplains:\n\n");
        symptoms(out, finding, 0);
    }
}

/// A step as lines of a script: words and the mark of a change are comments.
fn shell(out: &mut String, step: &Hint) {
    let mut line = |text: &str| {
        out.push_str(&strip_controls(text).replace('\n', " "));
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
            escape(&symptom.subject)
        ));
        symptoms(out, symptom, depth + 1);
    }
}

/// Text from elsewhere on one line: no tags, no mentions of people, no links.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut code = false;
    // Within `code` nothing has a meaning, so nothing is escaped; an odd backtick at the end is literal.
    let balanced = text.matches('`').count().is_multiple_of(2);
    for c in strip_controls(text).chars() {
        match c {
            '\n' | '\t' => out.push(' '),
            '`' if balanced => {
                code = !code;
                out.push(c);
            }
            '`' | '*' | '_' | '[' | ']' | '\\' | '#' | '~' if !code => {
                out.push('\\');
                out.push(c);
            }
            '<' if !code => out.push_str("&lt;"),
            '@' if !code => out.push_str("&#64;"),
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn text_from_elsewhere_stays_text() {
        assert_eq!(escape("<b> @all [x](y)\n# z"), "&lt;b> &#64;all \\[x\\](y) \\# z");
        assert_eq!(escape("from `a_b` to a_b"), "from `a_b` to a\\_b");
        assert_eq!(escape("one ` tick"), "one \\` tick");
    }
}
