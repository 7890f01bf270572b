//! `bpctl explain`: what a finding of triage means, what proves it, and what to do.

use clap::Args;
use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use schemars::JsonSchema;
use serde::Serialize;

use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::Result;
use crate::exit::ExitStatus;
use crate::output::{Render, Table, View};
use crate::settings::nearest;
use crate::triage::catalog::Code;
use crate::triage::explanations;

/// Explain a finding of triage: what it means, what proves it, what to do
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl explain BP-ECS-003    one finding
  bpctl explain               all of them, one a line")]
pub(crate) struct ExplainArgs {
    /// Code of the finding, e.g. BP-ECS-003; all of them by default
    #[arg(hide_possible_values = true, value_parser = CodeParser)]
    code: Option<Code>,
}

/// Takes a code in any case, with or without the letters that all of them begin with. A list of eighty would be no
/// answer to a typing error: the nearest is named.
#[derive(Clone, Debug)]
struct CodeParser;

impl TypedValueParser for CodeParser {
    type Value = Code;

    fn parse_ref(
        &self,
        command: &clap::Command,
        arg: Option<&clap::Arg>,
        value: &std::ffi::OsStr,
    ) -> Result<Code, clap::Error> {
        StringValueParser::new()
            .try_map(|text| named(&text))
            .parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let values = Code::ALL
            .iter()
            .map(|code| PossibleValue::new(code.id()).help(code.title()));
        Some(Box::new(values))
    }
}

fn named(text: &str) -> Result<Code, String> {
    let wanted = text.to_ascii_uppercase();
    let wanted = match wanted.strip_prefix("BP-") {
        Some(_) => wanted,
        None => format!("BP-{wanted}"),
    };
    let found = Code::ALL.iter().find(|code| code.id() == wanted);
    found.copied().ok_or_else(|| {
        let like = nearest(&wanted, Code::ALL.iter().map(|code| code.id()));
        like.map_or_else(
            || "no finding has this code".to_owned(),
            |like| format!("no finding has this code: did you mean `{like}`?"),
        )
    })
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
        let findings = match self.code {
            Some(code) => vec![Page::of(code)],
            None => Code::ALL.iter().map(|code| Page::of(*code)).collect(),
        };
        ctx.emit(&Catalogue { findings })?;
        Ok(ExitStatus::Done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_found_as_it_is_typed() {
        for text in ["BP-ECS-011", "bp-ecs-011", "ecs-011"] {
            assert_eq!(named(text).map(Code::id), Ok("BP-ECS-011"), "{text}");
        }
        assert!(
            named("bp-esc-011")
                .unwrap_err()
                .contains("did you mean `BP-ECS-011`?")
        );
        assert_eq!(
            named("nonsense-in-words").unwrap_err(),
            "no finding has this code"
        );
    }
}
