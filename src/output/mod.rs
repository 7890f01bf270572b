//! This module owns the result on stdout: formats, JSON envelopes and `--query`.

mod age;
mod document;
mod formats;
pub(crate) mod markdown;
mod outputs;
mod paragraph;
mod table;

use clap::ValueEnum;
use serde_json::Value;

use crate::error::{CtlError, ErrorKind, Result};
use crate::ui::{Ui, keep_colors, mute, strip_controls};
use formats::{json, lines, plain, yaml};

pub(crate) use crate::ui::one_line;
pub(crate) use age::{age, age_at, lasted, took};
pub(crate) use document::{Document, Envelope, Shape, document, document_line};
use document::{item_lines, items};
use outputs::values;
pub(crate) use paragraph::paragraph;
pub(crate) use table::Table;

/// `-o`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFormat {
    /// Columns for people.
    #[default]
    Table,
    /// More columns.
    Wide,
    /// One JSON document with a `schema`.
    Json,
    /// The same as YAML.
    Yaml,
    /// One JSON document per line and item.
    Jsonl,
    /// Names only, one per line.
    Name,
    /// Markdown, for tickets and job summaries.
    Markdown,
    /// Lines as they were written (logs only).
    Raw,
}

/// Format and filter of the result.
#[derive(Clone, Debug, Default)]
pub(crate) struct OutputSpec {
    pub(crate) format: OutputFormat,
    pub(crate) query: Option<String>,
}

/// `1 job`, `2 jobs`.
pub(crate) fn counted(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// A result that can be shown in every format: a [`Document`] for programs, and what people see of it.
pub(crate) trait Render: Document {
    /// For people. Ends with a newline unless empty.
    fn human(&self, view: &View) -> String;

    /// One name per item, for scripts.
    fn names(&self) -> Vec<String>;

    /// Markdown, where a command has more to offer than the text for people in a fence.
    fn markdown(&self) -> Option<String> {
        None
    }
}

/// What a human rendering may use.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View {
    /// `-o wide`.
    pub(crate) wide: bool,
    /// Columns of the terminal; `None` in a pipe: nothing is wrapped then.
    pub(crate) width: Option<u16>,
    /// Whether colour may be used.
    pub(crate) color: bool,
}

impl OutputSpec {
    /// Whether a program reads the output as JSON.
    pub(crate) fn is_json(&self) -> bool {
        matches!(self.format, OutputFormat::Json | OutputFormat::Jsonl)
    }

    /// Checks what can be checked before any work is done.
    ///
    /// # Errors
    /// A query that does not parse.
    pub(crate) fn validate(&self) -> Result<()> {
        self.expression().map(|_| ())
    }

    /// Only a verb with lines of another program can show them as they were written.
    ///
    /// # Errors
    /// `-o raw` of any other verb.
    pub(crate) fn check_raw(&self, has_lines: bool) -> Result<()> {
        if self.format != OutputFormat::Raw || has_lines {
            return Ok(());
        }
        Err(
            CtlError::usage("choose the output format: this command has no lines that `-o raw` could show")
                .hint("only logs have them: leave it out, or use `-o json`"),
        )
    }

    /// Whether the result is written as a document and not for people.
    pub(crate) fn is_document(&self) -> bool {
        let document = matches!(self.format, OutputFormat::Json | OutputFormat::Yaml);
        document || self.query.is_some()
    }

    fn expression(&self) -> Result<Option<jmespath::Expression<'static>>> {
        let Some(query) = &self.query else { return Ok(None) };
        jmespath::compile(query).map(Some).map_err(|error| {
            CtlError::usage(format!("read the query `{query}`"))
                .cause(error.reason.to_string())
                .hint("`--query` takes JMESPath, as the aws command line does: https://jmespath.org")
        })
    }
}

/// Writes the result once, in the chosen format.
///
/// # Errors
/// A query that does not fit the document; a stdout that cannot be written.
pub(crate) fn emit<R: Render>(ui: &Ui, spec: &OutputSpec, envelope: &Envelope, result: &R) -> Result<()> {
    let text = render(ui, spec, envelope, result)?;
    ui.result(&text)?;
    if ui.is_github() {
        ui.leave(Some(&markdown(result)), &values(result, envelope)?);
    }
    Ok(())
}

/// The result as [`emit`] writes it.
///
/// # Errors
/// A query that does not fit the document.
pub(crate) fn render<R: Render>(
    ui: &Ui,
    spec: &OutputSpec,
    envelope: &Envelope,
    result: &R,
) -> Result<String> {
    let github = ui.is_github();
    let json = |value: &Value| json(value, github);
    let lines = |items: &[Value]| lines(items, github);
    if let Some(expression) = spec.expression()? {
        let found = search(&expression, &document(result, envelope)?)?;
        return match spec.format {
            OutputFormat::Yaml => yaml(found, github),
            OutputFormat::Json => json(&found),
            // Bare words are what a shell wants; structures stay JSON.
            OutputFormat::Table
            | OutputFormat::Wide
            | OutputFormat::Raw
            | OutputFormat::Name
            | OutputFormat::Markdown => plain(&found, github),
            OutputFormat::Jsonl => match &found {
                Value::Array(items) => lines(items),
                other => lines(std::slice::from_ref(other)),
            },
        };
    }
    match spec.format {
        OutputFormat::Table | OutputFormat::Wide | OutputFormat::Raw => {
            let color = ui.colors_result();
            let text = result.human(&View {
                wide: spec.format == OutputFormat::Wide,
                width: ui.width(),
                color,
            });
            let text = if color {
                keep_colors(&text)
            } else {
                strip_controls(&text)
            };
            let text = ui.in_locale(&text);
            Ok(if github { mute(&text) } else { text.into_owned() })
        }
        OutputFormat::Json => json(&document(result, envelope)?),
        OutputFormat::Yaml => yaml(document(result, envelope)?, github),
        OutputFormat::Jsonl => lines(&item_lines(result, envelope)?),
        OutputFormat::Name => {
            let names: String = result.names().iter().map(|name| one_line(name) + "\n").collect();
            Ok(if github { mute(&names) } else { names })
        }
        OutputFormat::Markdown => {
            let text = markdown(result);
            Ok(if github { mute(&text) } else { text })
        }
    }
}

fn markdown<R: Render>(result: &R) -> String {
    let text = result.markdown().unwrap_or_else(|| {
        let text = result.human(&View {
            wide: false,
            width: None,
            color: false,
        });
        markdown::block("text", &text)
    });
    strip_controls(&text).into_owned()
}

/// Writes a value that is a document of another standard, e.g. a JSON Schema: as YAML if that is asked for, as
/// JSON otherwise.
///
/// # Errors
/// A query that does not fit the value; a stdout that cannot be written.
pub(crate) fn emit_value(ui: &Ui, spec: &OutputSpec, value: Value) -> Result<()> {
    let github = ui.is_github();
    let found = match spec.expression()? {
        Some(expression) => search(&expression, &value)?,
        None => value,
    };
    let text = match spec.format {
        OutputFormat::Yaml => yaml(found, github),
        OutputFormat::Jsonl => lines(&[found], github),
        OutputFormat::Json | OutputFormat::Markdown => json(&found, github),
        OutputFormat::Table | OutputFormat::Wide | OutputFormat::Name | OutputFormat::Raw => {
            plain(&found, github)
        }
    }?;
    ui.result(&text)
}

fn search(expression: &jmespath::Expression<'_>, document: &Value) -> Result<Value> {
    let text = document.to_string();
    let data = jmespath::Variable::from_json(&text).map_err(|error| {
        CtlError::new(ErrorKind::Unexpected, "prepare the document for `--query`").cause(error)
    })?;
    let found = expression
        .search(data)
        .map_err(|error| CtlError::usage("apply the query to the result").cause(error.reason.to_string()))?;
    serde_json::to_value(&*found).map_err(unexpected)
}

fn unexpected(error: serde_json::Error) -> CtlError {
    CtlError::new(ErrorKind::Unexpected, "write the result as JSON").source(&error)
}

#[cfg(test)]
mod tests {
    use serde::Serialize;

    use super::*;

    #[derive(Serialize, schemars::JsonSchema)]
    struct Plain(&'static str);

    impl Document for Plain {
        const SCHEMA: &'static str = "bpctl.plain/1";
    }

    impl Render for Plain {
        fn human(&self, _view: &View) -> String {
            self.0.to_owned()
        }

        fn names(&self) -> Vec<String> {
            Vec::new()
        }
    }

    #[test]
    fn every_result_has_a_markdown() {
        let (mut process, _) = crate::process::Process::captured(&[]);
        let ui = Ui::new(
            &mut process,
            crate::ui::ColorChoice::Never,
            crate::ui::Verbosity::Quiet,
        );
        let spec = OutputSpec {
            format: OutputFormat::Markdown,
            query: None,
        };
        let markdown = |text| render(&ui, &spec, &Envelope::default(), &Plain(text)).unwrap();
        assert_eq!(markdown("A  B\n"), "```text\nA  B\n```\n");
        assert_eq!(markdown("```\n"), "````text\n```\n````\n");
    }
}
