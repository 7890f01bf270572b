//! `bpctl bundle list`: the bundles of the models bucket.

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use super::library::{Entry, Library, fleets_of};
use crate::bundle::{Format, Manifest};
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::Result;
use crate::exit::ExitStatus;
use crate::iam::{On, Use, Uses};
use crate::layout::{FleetId, Slug};
use crate::output::{Render, Table, View, age_at};

/// List the bundles, the newest first
///
/// A bundle whose manifest cannot be read is listed with what is wrong with it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl bundle list                                         the newest 50 bundles
  bpctl bundle list --limit 500                             more of them
  bpctl bundle list --workflow image-to-video               those of one workflow (staged layout)
  bpctl bundle list --query 'bundles[?active_on].bundle'    those that a fleet has active")]
pub(crate) struct ListArgs {
    /// How many to show at most
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..))]
    limit: u16,

    /// Only bundles of this workflow (staged layout)
    #[arg(long, value_name = "SLUG", value_parser = slug)]
    workflow: Option<Slug>,
}

fn slug(text: &str) -> Result<Slug, String> {
    text.parse()
        .map_err(|error: crate::layout::InvalidName| error.to_string())
}

#[derive(Debug, Serialize, JsonSchema)]
struct Row {
    /// As commands take it.
    bundle: String,
    bundle_id: String,
    /// The workflow that it belongs to, in the staged layout.
    workflow: Option<String>,
    name: Option<String>,
    notes: Option<String>,
    /// As the manifest has it.
    created_at: Option<String>,
    /// When the manifest was written.
    written: Option<jiff::Timestamp>,
    assets: Option<usize>,
    format: Option<Format>,
    active_on: Vec<FleetId>,
    /// What is wrong with the manifest.
    problem: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct BundleList {
    bucket: String,
    bundles: Vec<Row>,
    /// Older bundles that are not shown.
    more: usize,
    /// When the list was made, for ages.
    #[serde(skip)]
    now: jiff::Timestamp,
}

impl Row {
    fn of(entry: &Entry, manifest: Result<Manifest>, active_on: Vec<FleetId>) -> Self {
        let problem = manifest.as_ref().err().map(ToString::to_string);
        let manifest = manifest.ok();
        Self {
            bundle: entry.label(),
            bundle_id: entry.id.to_string(),
            workflow: entry.slug.as_ref().map(ToString::to_string),
            assets: manifest.as_ref().map(|manifest| manifest.assets.len()),
            format: manifest.as_ref().map(|manifest| manifest.format),
            name: manifest.as_ref().and_then(|manifest| manifest.name.clone()),
            notes: manifest.as_ref().and_then(|manifest| manifest.notes.clone()),
            created_at: manifest.and_then(|manifest| manifest.created_at),
            written: entry.written,
            active_on,
            problem,
        }
    }
}

impl Verb for ListArgs {
    fn uses() -> Uses {
        Uses::of(&[&[
            Use::of("s3:GetObject", On::Bundles),
            Use::of("s3:ListBucket", On::ModelsBucket),
            Use::of("ssm:DescribeParameters", On::Anything),
            Use::of("ssm:GetParameters", On::ActiveBundles),
        ]])
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let list = ctx.unless_interrupted(look(ctx, &self)).await?;
        if list.bundles.is_empty() {
            ctx.ui
                .status(&format!("There are no bundles in bucket {}", list.bucket));
        }
        if list.more > 0 {
            ctx.ui.status(&format!(
                "{} older bundles are not shown: `--limit` shows more",
                list.more
            ));
        }
        ctx.emit(&list)?;
        Ok(ExitStatus::Done)
    }
}

async fn look(ctx: &Ctx, args: &ListArgs) -> Result<BundleList> {
    let library = Library::open(ctx).await?;
    let (entries, active) = futures::try_join!(library.entries(), library.active())?;
    let mut entries = entries;
    if let Some(workflow) = &args.workflow {
        entries.retain(|entry| entry.slug.as_ref() == Some(workflow));
    }
    let shown = entries.len().min(usize::from(args.limit));
    let more = entries.len() - shown;
    entries.truncate(shown);
    let manifests = library.manifests(&entries).await?;
    let bundles = entries.iter().zip(manifests);
    Ok(BundleList {
        bundles: bundles
            .map(|(entry, manifest)| Row::of(entry, manifest, fleets_of(&active, entry)))
            .collect(),
        bucket: library.bucket,
        more,
        now: ctx.clock.now(),
    })
}

impl Render for BundleList {
    fn human(&self, view: &View) -> String {
        let mut headers = vec!["BUNDLE", "AGE", "ASSETS", "ACTIVE ON", "NAME"];
        if view.wide {
            headers.extend(["CREATED", "NOTES"]);
        }
        let mut table = Table::new(&headers);
        let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
        for row in &self.bundles {
            let fleets: Vec<String> = row.active_on.iter().map(ToString::to_string).collect();
            let mut cells = vec![
                row.bundle.clone(),
                age_at(self.now, row.written),
                row.assets
                    .map_or_else(|| "?".to_owned(), |assets| assets.to_string()),
                if fleets.is_empty() {
                    "-".to_owned()
                } else {
                    fleets.join(", ")
                },
                match &row.problem {
                    Some(problem) => problem.clone(),
                    // The staged layout's bundles have no names, only notes.
                    None => text(&row.name.clone().or_else(|| row.notes.clone())),
                },
            ];
            if view.wide {
                cells.extend([text(&row.created_at), text(&row.notes)]);
            }
            table.row(cells);
        }
        table.render(view)
    }

    fn names(&self) -> Vec<String> {
        self.bundles.iter().map(|row| row.bundle.clone()).collect()
    }
}
