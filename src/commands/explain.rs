//! `bpctl explain`: what a finding of triage means, what proves it, and what to do.

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser};
use schemars::JsonSchema;
use serde::Serialize;

use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, Result};
use crate::exit::ExitStatus;
use crate::output::{Render, Table, View};
use crate::triage::catalog::Code;
use crate::triage::explanations;

/// Explain a finding of triage: what it means, what proves it, what to do
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl explain BP-ECS-003    one finding
  bpctl explain               all of them, one a line")]
pub(crate) struct ExplainArgs {
    /// Code of the finding, e.g. BP-ECS-003; all of them by default
    #[arg(ignore_case = true, hide_possible_values = true, value_parser = codes())]
    code: Option<String>,
}

fn codes() -> PossibleValuesParser {
    PossibleValuesParser::new(
        Code::ALL
            .iter()
            .map(|code| PossibleValue::new(code.id()).help(code.title())),
    )
}

/// The page of one kind of finding, as a document.
#[derive(Debug, Serialize, JsonSchema)]
struct Page {
    code: &'static str,
    severity: &'static str,
    title: &'static str,
    means: &'static str,
    proof: &'static str,
    remedy: &'static str,
    runbook: &'static str,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Catalogue {
    findings: Vec<Page>,
}

impl Page {
    fn of(code: Code) -> Self {
        let explanation = explanations::of(code);
        Self {
            code: code.id(),
            severity: code.severity().as_str(),
            title: code.title(),
            means: explanation.means,
            proof: explanation.proof,
            remedy: explanation.remedy,
            runbook: code.runbook(),
        }
    }

    /// Below a heading of this level.
    fn markdown(&self, level: usize) -> String {
        format!(
            "{} {}: {}\n\nUsually {}. {}\n\n- Proved by: {}\n- To do: {}\n- Runbook: {}\n",
            "#".repeat(level),
            self.code,
            self.title,
            self.severity,
            self.means,
            self.proof,
            self.remedy,
            self.runbook
        )
    }
}

/// The catalogue of findings as a page of the reference.
pub(crate) fn catalogue() -> String {
    let pages: Vec<String> = Code::ALL.iter().map(|code| Page::of(*code).markdown(2)).collect();
    pages.join("\n")
}

impl Render for Catalogue {
    fn human(&self, view: &View) -> String {
        if let [page] = self.findings.as_slice() {
            let lines = [
                ("means", page.means),
                ("proof", page.proof),
                ("to do", page.remedy),
                ("runbook", page.runbook),
            ];
            let body: String = lines
                .into_iter()
                .map(|(label, text)| format!("  {label:<8} {text}\n"))
                .collect();
            return format!("{} ({}): {}\n{body}", page.code, page.severity, page.title);
        }
        let mut table = Table::new(&["CODE", "USUALLY", "FINDING"]);
        for page in &self.findings {
            table.row([page.code, page.severity, page.title].map(str::to_owned));
        }
        table.render(view)
    }

    fn names(&self) -> Vec<String> {
        self.findings.iter().map(|page| page.code.to_owned()).collect()
    }

    fn markdown(&self) -> Option<String> {
        let pages: Vec<String> = self.findings.iter().map(|page| page.markdown(2)).collect();
        Some(pages.join("\n"))
    }
}

impl Verb for ExplainArgs {
    fn needs(&self) -> Needs {
        Needs::NOTHING
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let wanted = |code: &&Code| {
            self.code
                .as_ref()
                .is_none_or(|wanted| wanted.eq_ignore_ascii_case(code.id()))
        };
        let findings: Vec<Page> = Code::ALL
            .iter()
            .filter(wanted)
            .map(|code| Page::of(*code))
            .collect();
        if findings.is_empty() {
            return Err(CtlError::usage("explain the finding: there is no such code")
                .hint(("see all of them with", CommandLine::bpctl(["explain"]))));
        }
        ctx.emit(&Catalogue { findings })?;
        Ok(ExitStatus::Done)
    }
}
