//! This module owns the result on stdout: formats, JSON envelopes and `--query`.

mod formats;
pub(crate) mod markdown;
mod outputs;
mod paragraph;
mod table;

use clap::ValueEnum;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::error::{CtlError, ErrorKind, Result};
use crate::ui::{Ui, keep_colors, mute, strip_controls};
use formats::{json, lines, plain, whole_seconds, yaml};

pub(crate) use crate::ui::one_line;
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
}

/// Format and filter of the result.
#[derive(Clone, Debug, Default)]
pub(crate) struct OutputSpec {
    pub(crate) format: OutputFormat,
    pub(crate) query: Option<String>,
}

/// A result that can be shown in every format.
pub(crate) trait Render: Serialize {
    /// Identifies the document's shape, e.g. `bpctl.whoami/1`.
    fn schema(&self) -> &'static str;

    /// For people. Ends with a newline unless empty.
    fn human(&self, view: &View) -> String;

    /// One name per item, for scripts.
    fn names(&self) -> Vec<String>;

    /// The items of a list, for `jsonl`; the whole document when there is no list.
    fn items(&self) -> Option<Vec<Value>> {
        None
    }

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
pub(crate) fn emit<R: Render>(
    ui: &Ui,
    spec: &OutputSpec,
    envelope: Option<&Envelope>,
    result: &R,
) -> Result<()> {
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
    envelope: Option<&Envelope>,
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
            OutputFormat::Table | OutputFormat::Wide | OutputFormat::Name | OutputFormat::Markdown => {
                plain(&found, github)
            }
            OutputFormat::Jsonl => match &found {
                Value::Array(items) => lines(items),
                other => lines(std::slice::from_ref(other)),
            },
        };
    }
    match spec.format {
        OutputFormat::Table | OutputFormat::Wide => {
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
            Ok(if github { mute(&text) } else { text.into_owned() })
        }
        OutputFormat::Json => json(&document(result, envelope)?),
        OutputFormat::Yaml => yaml(document(result, envelope)?, github),
        OutputFormat::Jsonl => match result.items() {
            Some(mut items) => {
                items.iter_mut().for_each(whole_seconds);
                lines(&items)
            }
            None => lines(&[document(result, envelope)?]),
        },
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

/// Where the facts of a document come from: the first members of every document about AWS.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Envelope {
    pub(crate) context: String,
    /// `null` when AWS could not be asked.
    pub(crate) account: Option<String>,
    pub(crate) region: Option<String>,
}

/// The JSON document: `schema` first, then the envelope, then the result's own members, which win.
pub(crate) fn document<R: Render>(result: &R, envelope: Option<&Envelope>) -> Result<Value> {
    let mut value = serde_json::to_value(result).map_err(unexpected)?;
    whole_seconds(&mut value);
    let mut document = Map::new();
    document.insert("schema".to_owned(), Value::String(result.schema().to_owned()));
    if let Some(Value::Object(members)) = envelope
        .map(serde_json::to_value)
        .transpose()
        .map_err(unexpected)?
    {
        document.extend(members);
    }
    match value {
        Value::Object(members) => document.extend(members),
        other => {
            document.insert("value".to_owned(), other);
        }
    }
    Ok(Value::Object(document))
}

/// The whole document in one line, as `jsonl` writes what has no items.
///
/// # Errors
/// A result that is no document.
pub(crate) fn document_line<R: Render>(ui: &Ui, envelope: Option<&Envelope>, result: &R) -> Result<String> {
    lines(&[document(result, envelope)?], ui.is_github())
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
    use super::*;

    #[derive(Serialize)]
    struct Plain(&'static str);

    impl Render for Plain {
        fn schema(&self) -> &'static str {
            "bpctl.plain/1"
        }

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
        let markdown = |text| render(&ui, &spec, None, &Plain(text)).unwrap();
        assert_eq!(markdown("A  B\n"), "```text\nA  B\n```\n");
        assert_eq!(markdown("```\n"), "````text\n```\n````\n");
    }
}
