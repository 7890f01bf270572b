//! `bpctl bundle show`: one bundle and its assets.

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use super::library::{Bundle, Library, Objects, fleets_of};
use super::name::BundleName;
use super::text::{counted, size};
use super::verify::bytes_of;
use crate::bundle::{Asset, Format};
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, Result};
use crate::exit::ExitStatus;
use crate::iam::{On, Use, Uses};
use crate::layout::FleetId;
use crate::output::{Render, Table, View, one_line};

/// Show a bundle: its assets, their sizes and where it is active
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl bundle show c81d4e2e                                  by the beginning of its id
  bpctl bundle show c81d4e2e -o wide                          with digests and objects
  bpctl bundle show c81d4e2e --query 'assets[].target_path'   only the paths")]
pub(crate) struct ShowArgs {
    /// The bundle: its id or the beginning of it
    #[arg(value_name = "BUNDLE", value_parser = super::name::parse)]
    bundle: BundleName,
}

#[derive(Debug, Serialize, JsonSchema)]
struct AssetRow {
    target_path: String,
    kind: String,
    action: String,
    /// Of the object in S3; `null` when it is not there.
    size_bytes: Option<u64>,
    sha256: Option<String>,
    original_filename: Option<String>,
    asset_id: Option<String>,
    key: String,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct BundleDetails {
    bundle: String,
    bundle_id: String,
    /// The workflow that it belongs to, in the staged layout.
    workflow: Option<String>,
    name: Option<String>,
    created_at: Option<String>,
    notes: Option<String>,
    format: Format,
    bucket: String,
    manifest_key: String,
    size_bytes: u64,
    /// Assets whose object is not there.
    missing: usize,
    active_on: Vec<FleetId>,
    assets: Vec<AssetRow>,
}

impl AssetRow {
    fn of(asset: &Asset, objects: &Objects) -> Self {
        let found = objects.get(&asset.key).and_then(Option::as_ref);
        Self {
            target_path: asset.target.clone(),
            kind: asset.kind.clone(),
            action: asset.action.clone(),
            size_bytes: found.map(|object| object.size),
            sha256: asset.sha256.clone(),
            original_filename: asset.file.clone(),
            asset_id: asset.id.clone(),
            key: asset.key.clone(),
        }
    }
}

impl Verb for ShowArgs {
    fn uses() -> Uses {
        Uses::of(&[&[
            Use::of("s3:GetObject", On::Assets),
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
        let details = ctx.unless_interrupted(look(ctx, &self.bundle)).await?;
        if details.missing > 0 {
            ctx.ui.warn_with(
                &format!("{} not there", object_is(details.missing)),
                &[(
                    "see everything that is wrong with",
                    CommandLine::bpctl(["bundle", "verify", details.bundle.as_str()]),
                )
                    .into()],
            );
        }
        ctx.emit(&details)?;
        Ok(ExitStatus::Done)
    }
}

fn object_is(count: usize) -> String {
    match count {
        1 => "1 object is".to_owned(),
        many => format!("{many} objects are"),
    }
}

async fn look(ctx: &Ctx, name: &BundleName) -> Result<BundleDetails> {
    let library = Library::open(ctx).await?;
    let (bundle, active) = futures::try_join!(library.find(name, None), library.active())?;
    let objects = library.objects(&bundle.manifest).await?;
    let size_bytes = bytes_of(&bundle, &objects);
    let Bundle { entry, manifest } = bundle;
    let assets: Vec<AssetRow> = manifest
        .assets
        .iter()
        .map(|asset| AssetRow::of(asset, &objects))
        .collect();
    Ok(BundleDetails {
        bundle: entry.label(),
        bundle_id: entry.id.to_string(),
        workflow: entry.slug.as_ref().map(ToString::to_string),
        name: manifest.name,
        created_at: manifest.created_at,
        notes: manifest.notes,
        format: manifest.format,
        manifest_key: entry.key(&library.layout),
        bucket: library.bucket,
        size_bytes,
        missing: assets.iter().filter(|asset| asset.size_bytes.is_none()).count(),
        active_on: fleets_of(&active, &entry),
        assets,
    })
}

impl Render for BundleDetails {
    fn human(&self, view: &View) -> String {
        let mut text = format!(
            "Bundle {}, {}, {}\n",
            self.bundle,
            counted(self.assets.len() as u64, "asset"),
            size(self.size_bytes)
        );
        let mut line = |what: &str, value: Option<&str>| {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                text.push_str(&format!("{what:<11} {}\n", one_line(value)));
            }
        };
        line("Name:", self.name.as_deref());
        line("Created:", self.created_at.as_deref());
        line("Notes:", self.notes.as_deref());
        let fleets: Vec<String> = self.active_on.iter().map(ToString::to_string).collect();
        let fleets = fleets.join(", ");
        line(
            "Active on:",
            Some(if fleets.is_empty() { "no fleet" } else { &fleets }),
        );
        line(
            "Manifest:",
            Some(&format!("s3://{}/{}", self.bucket, self.manifest_key)),
        );
        text.push('\n');
        let mut headers = vec!["KIND", "SIZE", "TARGET"];
        if view.wide {
            headers.extend(["ACTION", "SHA-256", "OBJECT"]);
        }
        let mut table = Table::new(&headers);
        for asset in &self.assets {
            let mut cells = vec![
                asset.kind.clone(),
                asset.size_bytes.map_or_else(|| "missing".to_owned(), size),
                asset.target_path.clone(),
            ];
            if view.wide {
                cells.extend([
                    asset.action.clone(),
                    asset.sha256.clone().unwrap_or_else(|| "-".to_owned()),
                    asset.key.clone(),
                ]);
            }
            table.row(cells);
        }
        text + &table.render(view)
    }

    fn names(&self) -> Vec<String> {
        self.assets
            .iter()
            .map(|asset| asset.target_path.clone())
            .collect()
    }
}
