//! `bpctl schema`: the JSON Schemas of the documents that bpctl writes.

use clap::Args;
use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};
use schemars::JsonSchema;
use serde::Serialize;

use super::documents::shapes;
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Result};
use crate::exit::ExitStatus;
use crate::output::{Render, Shape, Table, View};
use crate::settings::nearest;

/// List the documents that `-o json` writes, or print the JSON Schema of one
///
/// Every document names its schema in the member `schema`, e.g. `bpctl.fleet.list/1`. The lines that `-o jsonl` writes
/// for the items of a list have one of their own, `bpctl.fleet.list.item/1`. The number grows when a member goes
/// away, moves, or changes its meaning; members are added without a new number.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl schema                                    documents and what they tell
  bpctl schema fleet.status                       the JSON Schema of one
  bpctl schema fleet.list.item > fleet.json       that of a line of `fleet list -o jsonl`")]
pub(crate) struct SchemaArgs {
    /// Document, as `schema` in it says or without `bpctl.` and number, e.g. fleet.status
    #[arg(value_name = "NAME", add = ArgValueCandidates::new(candidates))]
    name: Option<String>,
}

/// The list.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Schemas {
    schemas: Vec<SchemaView>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct SchemaView {
    /// As documents name it, e.g. `bpctl.fleet.list/1`.
    name: String,
    /// What such a document tells.
    about: String,
}

fn candidates() -> Vec<CompletionCandidate> {
    let named = |shape: Shape| CompletionCandidate::new(shape.short_name()).help(Some(shape.about.into()));
    shapes().into_iter().map(named).collect()
}

impl Render for Schemas {
    fn human(&self, view: &View) -> String {
        let mut table = Table::new(&["SCHEMA", "WHAT IT TELLS"]);
        for schema in &self.schemas {
            table.row([schema.name.clone(), schema.about.clone()]);
        }
        table.render(view)
    }

    fn names(&self) -> Vec<String> {
        self.schemas.iter().map(|schema| schema.name.clone()).collect()
    }
}

impl Verb for SchemaArgs {
    fn needs(&self) -> Needs {
        Needs::NOTHING
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        match &self.name {
            Some(name) => ctx.emit_value(find(name)?.json_schema)?,
            None => ctx.emit(&Schemas {
                schemas: shapes()
                    .into_iter()
                    .map(|shape| SchemaView {
                        about: shape.about,
                        name: shape.name,
                    })
                    .collect(),
            })?,
        }
        Ok(ExitStatus::Done)
    }
}

/// The shape of this name, with or without `bpctl.` and number.
fn find(name: &str) -> Result<Shape> {
    let shapes = shapes();
    let bare = name.strip_prefix("bpctl.").unwrap_or(name);
    let (short, number) = match bare.split_once('/') {
        Some((short, number)) => (short, Some(number)),
        None => (bare, None),
    };
    let Some(found) = shapes.iter().find(|shape| shape.short_name() == short) else {
        let names: Vec<&str> = shapes.iter().map(Shape::short_name).collect();
        let error = CtlError::usage(format!("find the schema `{name}`: there is no such document"));
        return Err(match nearest(short, names.iter().copied()) {
            Some(near) => error.hint(("did you mean", CommandLine::bpctl(["schema", near]))),
            None => error.hint(("list them with", CommandLine::bpctl(["schema"]))),
        });
    };
    match number {
        Some(number) if !found.name.ends_with(&format!("/{number}")) => Err(CtlError::new(
            ErrorKind::NotFound,
            format!("find the schema `{name}`: this bpctl writes `{}`", found.name),
        )
        .hint(("see it with", CommandLine::bpctl(["schema", short])))),
        _ => Ok(found.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_is_found_by_every_form_of_its_name() {
        for name in ["whoami", "bpctl.whoami", "whoami/2", "bpctl.whoami/2"] {
            assert_eq!(find(name).unwrap().name, "bpctl.whoami/2", "{name}");
        }
    }

    #[test]
    fn a_wrong_name_is_answered_with_the_nearest_and_a_wrong_number_with_the_right_one() {
        let error = find("whoamj").unwrap_err();
        assert_eq!(error.exit_status().code(), 2);
        assert!(
            error.hints()[0].to_string().contains("bpctl schema whoami"),
            "{error:?}"
        );
        let error = find("whoami/9").unwrap_err();
        assert!(
            error.to_string().contains("this bpctl writes `bpctl.whoami/2`"),
            "{error}"
        );
    }
}
