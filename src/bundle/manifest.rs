//! A manifest as it is written in the models bucket, in either format.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::digest::Sha256;
use super::kind::{Action, Kind};
use crate::error::{CtlError, ErrorKind, Result};

/// Bytes of a manifest at most. One of 10,000 assets has about 5 MB.
pub(crate) const LONGEST_MANIFEST: u64 = 16 * 1024 * 1024;

/// Assets of a bundle at most: a node fetches each by itself while it boots, and real bundles have some dozens.
pub(crate) const MOST_ASSETS: usize = 10_000;

/// The newest manifest that is understood.
const NEWEST_VERSION: u64 = 1;

/// Which of the two formats a manifest has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Format {
    /// A manifest that names objects by their content (single layout).
    Manifest,
    /// A folder with copies of its own (staged layout).
    Copies,
}

/// The text of a manifest. Members that bpctl does not know are left alone.
#[derive(Debug, Deserialize)]
struct Text {
    manifest_version: Option<u64>,
    bundle_id: String,
    name: Option<String>,
    workflow_slug: Option<String>,
    created_at: Option<String>,
    notes: Option<String>,
    assets: Vec<AssetText>,
}

#[derive(Debug, Deserialize)]
struct AssetText {
    asset_id: Option<Id>,
    kind: String,
    sha256: Option<String>,
    asset_s3_key: Option<String>,
    s3_key: Option<String>,
    original_filename: Option<String>,
    size_bytes: Option<u64>,
    target_path: String,
    action: Option<String>,
}

/// The backend's ids of assets: a word or a number.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Id {
    Word(String),
    Number(u64),
}

/// A bundle as its manifest describes it. Whether that makes sense is what
/// [`of_manifest`](super::of_manifest) says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Manifest {
    pub(crate) format: Format,
    pub(crate) bundle_id: String,
    pub(crate) name: Option<String>,
    /// The workflow that the bundle belongs to (staged layout).
    pub(crate) slug: Option<String>,
    pub(crate) created_at: Option<String>,
    pub(crate) notes: Option<String>,
    pub(crate) assets: Vec<Asset>,
}

/// One asset as the manifest describes it: words that need not be known ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asset {
    pub(crate) id: Option<String>,
    pub(crate) kind: String,
    pub(crate) sha256: Option<String>,
    /// In the models bucket.
    pub(crate) key: String,
    pub(crate) file: Option<String>,
    pub(crate) size: Option<u64>,
    /// Below the ComfyUI root.
    pub(crate) target: String,
    pub(crate) action: String,
}

impl Asset {
    pub(crate) fn known_kind(&self) -> Option<Kind> {
        Kind::named(&self.kind)
    }

    pub(crate) fn known_action(&self) -> Option<Action> {
        Action::named(&self.action)
    }

    /// The digest, when the manifest has one that is one.
    pub(crate) fn digest(&self) -> Option<Sha256> {
        self.sha256.as_deref()?.parse().ok()
    }
}

impl Manifest {
    /// Reads a manifest. Keys that occur twice, members of another type, numbers that are too large and text that is
    /// no UTF-8 are errors, each with its place.
    ///
    /// # Errors
    /// One, fitting "failed to …", that says what is wrong with the manifest of `what`.
    pub(crate) fn read(what: &str, bytes: &[u8]) -> Result<Self> {
        let wrong = |why: String| {
            CtlError::new(ErrorKind::Failed, format!("read the manifest of {what}: {why}"))
                .coded("manifest-invalid")
        };
        let text = std::str::from_utf8(bytes)
            .map_err(|error| wrong(format!("byte {} is not UTF-8", error.valid_up_to() + 1)))?;
        let text: Text = serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
        if let Some(version) = text
            .manifest_version
            .filter(|version| *version > NEWEST_VERSION || *version == 0)
        {
            return Err(wrong(format!(
                "it is of version {version}, and this bpctl knows version {NEWEST_VERSION}"
            )));
        }
        if text.assets.len() > MOST_ASSETS {
            return Err(wrong(format!(
                "it has {} assets, and a bundle has {MOST_ASSETS} at most",
                text.assets.len()
            )));
        }
        let format = if text.manifest_version.is_some() {
            Format::Manifest
        } else {
            Format::Copies
        };
        let mut assets = Vec::with_capacity(text.assets.len());
        for (position, asset) in text.assets.into_iter().enumerate() {
            let asset = asset
                .read(format)
                .map_err(|member| wrong(format!("asset {} has no member `{member}`", position + 1)))?;
            assets.push(asset);
        }
        Ok(Self {
            format,
            bundle_id: text.bundle_id,
            name: text.name,
            slug: text.workflow_slug,
            created_at: text.created_at,
            notes: text.notes,
            assets,
        })
    }
}

impl AssetText {
    /// # Errors
    /// The name of a member that this format must have.
    fn read(self, format: Format) -> Result<Asset, &'static str> {
        let key = match format {
            Format::Manifest => self.asset_s3_key.ok_or("asset_s3_key")?,
            Format::Copies => self.s3_key.ok_or("s3_key")?,
        };
        let action = match (self.action, format) {
            (Some(action), _) => action,
            (None, Format::Manifest) => return Err("action"),
            // A folder is synchronised file by file.
            (None, Format::Copies) => Action::Copy.as_str().to_owned(),
        };
        if format == Format::Manifest && self.sha256.is_none() {
            return Err("sha256");
        }
        Ok(Asset {
            id: self.asset_id.map(|id| match id {
                Id::Word(word) => word,
                Id::Number(number) => number.to_string(),
            }),
            kind: self.kind,
            sha256: self.sha256,
            key,
            file: self.original_filename,
            size: self.size_bytes,
            target: self.target_path,
            action,
        })
    }
}

#[cfg(test)]
#[path = "manifest_tests.rs"]
mod tests;
