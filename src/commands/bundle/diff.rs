//! `bpctl bundle diff`: what two bundles differ in.

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use super::library::{Bundle, Library, Objects};
use super::name::BundleName;
use super::text::size;
use crate::bundle::{Change, Difference, compare};
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::Result;
use crate::exit::ExitStatus;
use crate::iam::{On, Use, Uses};
use crate::output::{Render, Table, View};

/// Show what two bundles differ in
///
/// Compares by the paths on a node and by digests. A file that only has another name is removed under the old one and
/// added under the new one.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl bundle diff 2f6c1f0e c81d4e2e                what the second one changes
  bpctl bundle diff 2f6c1f0e c81d4e2e --all          also what stays the same
  bpctl bundle diff 2f6c1f0e c81d4e2e --exit-code    9 when they differ")]
pub(crate) struct DiffArgs {
    /// The bundle to start from
    #[arg(value_name = "FROM", value_parser = super::name::parse)]
    from: BundleName,

    /// The bundle to go to
    #[arg(value_name = "TO", value_parser = super::name::parse)]
    to: BundleName,

    /// Also show what is the same in both
    #[arg(long)]
    all: bool,

    /// Exit with status 9 when the bundles differ
    #[arg(long)]
    exit_code: bool,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Row {
    #[serde(flatten)]
    difference: Difference,
    /// Of the object in the first bundle.
    before_bytes: Option<u64>,
    /// Of the object in the second bundle.
    after_bytes: Option<u64>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct BundleDiff {
    from: String,
    to: String,
    /// Bytes of what is added and changed: what a node with the first bundle lacks.
    bytes: u64,
    differences: Vec<Row>,
}

/// How many bytes a node that has `before` lacks of `after`.
pub(super) fn lacking(before: &Bundle, after: &Bundle, objects: &Objects) -> u64 {
    let differences = compare(&before.manifest, &after.manifest);
    let lacks = |change: Change| matches!(change, Change::Added | Change::Changed);
    let keys = differences
        .into_iter()
        .filter(|difference| lacks(difference.change));
    keys.filter_map(|difference| bytes(objects, difference.after.as_deref()))
        .sum()
}

fn bytes(objects: &Objects, key: Option<&str>) -> Option<u64> {
    Some(objects.get(key?)?.as_ref()?.size)
}

impl Verb for DiffArgs {
    fn uses() -> Uses {
        Uses::of(&[&[
            Use::of("s3:GetObject", On::Assets),
            Use::of("s3:GetObject", On::Bundles),
            Use::of("s3:ListBucket", On::ModelsBucket),
        ]])
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let diff = ctx.unless_interrupted(look(ctx, &self)).await?;
        let differs = diff
            .differences
            .iter()
            .any(|row| row.difference.change != Change::Same);
        if !differs {
            ctx.ui
                .status(&format!("{} and {} have the same assets", diff.from, diff.to));
        }
        ctx.emit(&diff)?;
        Ok(if differs && self.exit_code {
            ExitStatus::Differences
        } else {
            ExitStatus::Done
        })
    }
}

async fn look(ctx: &Ctx, args: &DiffArgs) -> Result<BundleDiff> {
    let library = Library::open(ctx).await?;
    let (before, after) = futures::try_join!(library.find(&args.from, None), library.find(&args.to, None))?;
    let mut objects = library.objects(&before.manifest).await?;
    objects.extend(library.objects(&after.manifest).await?);
    let differences = compare(&before.manifest, &after.manifest);
    let shown = |difference: &Difference| args.all || difference.change != Change::Same;
    Ok(BundleDiff {
        bytes: lacking(&before, &after, &objects),
        from: before.entry.label(),
        to: after.entry.label(),
        differences: differences
            .into_iter()
            .filter(shown)
            .map(|difference| Row {
                before_bytes: bytes(&objects, difference.before.as_deref()),
                after_bytes: bytes(&objects, difference.after.as_deref()),
                difference,
            })
            .collect(),
    })
}

impl Render for BundleDiff {
    fn human(&self, view: &View) -> String {
        let mut table = Table::new(&["CHANGE", "KIND", "SIZE", "TARGET"]);
        for row in &self.differences {
            table.row([
                row.difference.change.as_str().to_owned(),
                row.difference.kind.clone(),
                match (row.after_bytes, row.before_bytes) {
                    (Some(bytes), _) | (None, Some(bytes)) => size(bytes),
                    (None, None) => "?".to_owned(),
                },
                row.difference.target.clone(),
            ]);
        }
        let mut text = table.render(view);
        let count = |change: Change| {
            self.differences
                .iter()
                .filter(|row| row.difference.change == change)
                .count()
        };
        let (added, changed, removed) = (
            count(Change::Added),
            count(Change::Changed),
            count(Change::Removed),
        );
        if added + changed + removed > 0 {
            text.push_str(&format!(
                "\n{added} added, {changed} changed, {removed} removed: a node with {} fetches {}\n",
                self.from,
                size(self.bytes)
            ));
        }
        text
    }

    fn names(&self) -> Vec<String> {
        let differing = self
            .differences
            .iter()
            .filter(|row| row.difference.change != Change::Same);
        differing.map(|row| row.difference.target.clone()).collect()
    }
}
