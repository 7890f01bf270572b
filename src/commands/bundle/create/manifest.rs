//! What a new bundle is called, and its manifest in the format of the layout.

use serde_json::{Value, json};

use crate::bundle::{Action, Asset, Format, Manifest, Sha256};
use crate::error::{CtlError, ErrorKind, Result};
use crate::layout::{BundleId, InvalidName, Slug};

/// A bundle to be, without its assets.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    /// In the single layout.
    pub(super) name: Option<String>,
    /// In the staged layout.
    pub(super) workflow: Option<Slug>,
    pub(super) notes: Option<String>,
    /// Instead of the one that follows from the content.
    pub(super) id: Option<BundleId>,
}

impl Draft {
    /// The members of a manifest that say what the bundle is, wherever its copies lie.
    fn content(&self, assets: &[Asset]) -> Value {
        match &self.workflow {
            None => {
                json!({ "name": self.name, "notes": self.notes, "assets": assets.iter().map(named).collect::<Vec<_>>() })
            }
            Some(workflow) => {
                let assets: Vec<Value> = assets.iter().map(|asset| copied(asset, None)).collect();
                json!({ "workflow_slug": workflow, "notes": self.notes, "assets": assets })
            }
        }
    }

    /// A UUID (version 8) of the content: the same command makes the same bundle.
    pub(super) fn id(&self, assets: &[Asset]) -> Result<BundleId> {
        if let Some(id) = &self.id {
            return Ok(id.clone());
        }
        let hex = Sha256::of(self.content(assets).to_string().as_bytes()).to_string();
        let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default().to_owned();
        let id = format!(
            "{}-{}-8{}-a{}-{}",
            part(0, 8),
            part(8, 12),
            part(13, 16),
            part(17, 20),
            part(20, 32)
        );
        id.parse().map_err(|error: InvalidName| {
            CtlError::new(ErrorKind::Unexpected, "name the bundle").source(&error)
        })
    }

    /// The assets as the manifest has them: those of the staged layout are copies below the bundle's folder.
    pub(super) fn written(&self, assets: &[Asset], prefix: &str) -> Vec<Asset> {
        let mut assets = assets.to_vec();
        if self.workflow.is_some() {
            for asset in &mut assets {
                asset.key = format!("{prefix}/{}", asset.target);
                Action::Copy.as_str().clone_into(&mut asset.action);
            }
        }
        assets
    }

    pub(super) fn manifest(&self, id: &BundleId, assets: Vec<Asset>) -> Manifest {
        Manifest {
            format: if self.workflow.is_some() {
                Format::Copies
            } else {
                Format::Manifest
            },
            bundle_id: id.to_string(),
            name: self.name.clone(),
            slug: self.workflow.as_ref().map(ToString::to_string),
            created_at: None,
            notes: self.notes.clone(),
            assets,
        }
    }

    /// The manifest as it is written at `now`.
    pub(super) fn text(&self, manifest: &Manifest, now: jiff::Timestamp) -> Result<String> {
        let created = now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let manifest = match &self.workflow {
            None => json!({
                "manifest_version": 1,
                "bundle_id": manifest.bundle_id,
                "name": self.name,
                "created_at": created,
                "notes": self.notes,
                "assets": manifest.assets.iter().map(named).collect::<Vec<_>>(),
            }),
            Some(workflow) => json!({
                "bundle_id": manifest.bundle_id,
                "workflow_slug": workflow,
                "created_at": created,
                "notes": self.notes,
                "assets": manifest.assets.iter().map(|asset| copied(asset, Some(&asset.key))).collect::<Vec<_>>(),
            }),
        };
        serde_json::to_string_pretty(&manifest)
            .map_err(|error| CtlError::new(ErrorKind::Unexpected, "write the manifest").source(&error))
    }
}

/// An asset that is named by its content (single layout).
fn named(asset: &Asset) -> Value {
    json!({
        "asset_id": asset.id,
        "kind": asset.kind,
        "sha256": asset.sha256,
        "asset_s3_key": asset.key,
        "original_filename": asset.file,
        "target_path": asset.target,
        "action": asset.action,
    })
}

/// A copy of the bundle's own (staged layout).
fn copied(asset: &Asset, key: Option<&str>) -> Value {
    let mut members = json!({
        "kind": asset.kind,
        "original_filename": asset.file,
        "size_bytes": asset.size,
        "sha256": asset.sha256,
        "target_path": asset.target,
    });
    if let Some(key) = key {
        members["s3_key"] = key.into();
    }
    members
}

/// Whether two bundles put the same objects into the same places.
pub(super) fn is_same(one: &[Asset], other: &[Asset]) -> bool {
    let key = |asset: &Asset| (asset.target.clone(), asset.key.clone(), asset.action.clone());
    let sorted = |assets: &[Asset]| {
        let mut keys: Vec<_> = assets.iter().map(key).collect();
        keys.sort();
        keys
    };
    sorted(one) == sorted(other)
}
