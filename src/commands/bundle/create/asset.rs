//! An asset on the command line.

use std::fmt;
use std::str::FromStr;

use crate::aws::s3::objects::Described;
use crate::bundle::{Action, Asset, Kind, Sha256};
use crate::error::{CtlError, Result};
use crate::layout::{Layout, LayoutKind};

/// `KIND/SHA256[=PATH]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct AssetName {
    pub(super) kind: Kind,
    pub(super) sha256: Sha256,
    /// Below the folder of the kind, or from the ComfyUI root.
    pub(super) path: Option<String>,
}

/// For clap.
pub(super) fn parse(text: &str) -> Result<AssetName, String> {
    text.parse()
}

impl FromStr for AssetName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (asset, path) = match text.split_once('=') {
            Some((asset, path)) => (asset, Some(path.to_owned())),
            None => (text, None),
        };
        let asset = asset.strip_prefix("assets/").unwrap_or(asset);
        let (kind, digest) = asset
            .split_once('/')
            .ok_or_else(|| "write `KIND/SHA256`, as the upload of a file prints it".to_owned())?;
        Ok(Self {
            kind: Kind::named(kind).ok_or_else(|| format!("there is no kind `{kind}`"))?,
            sha256: digest
                .parse()
                .map_err(|expected| format!("`{digest}` is no SHA-256 digest: {expected}"))?,
            path,
        })
    }
}

impl fmt::Display for AssetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind.as_str(), self.sha256)?;
        self.path.iter().try_for_each(|path| write!(f, "={path}"))
    }
}

impl AssetName {
    /// The object that an upload has made.
    pub(super) fn key(&self, layout: &Layout) -> String {
        layout.asset_key(self.kind.as_str(), &self.sha256.to_string())
    }

    /// As a manifest has it. `found` knows the name that the file was uploaded under.
    ///
    /// # Errors
    /// No path, and no name of a file that could be one.
    pub(super) fn asset(&self, layout: &Layout, found: Option<&Described>) -> Result<Asset> {
        let uploaded = found.and_then(|object| object.file.clone());
        let folder = self.kind.folder();
        let path = match (&self.path, &uploaded) {
            (Some(path), _) => path.clone(),
            (None, Some(file)) => file.clone(),
            (None, None) => {
                return Err(CtlError::usage(format!(
                    "place the asset `{self}`: it was uploaded without the name of its file"
                ))
                .hint(format!("write `--asset {self}=FILE`")));
            }
        };
        let file = path.rsplit('/').next().unwrap_or_default().to_owned();
        let action = match layout.kind() {
            LayoutKind::Single => Action::of_file(self.kind, uploaded.as_deref().unwrap_or(&file)),
            // A node synchronises the folder of its bundle and unpacks nothing.
            LayoutKind::Staged => Action::Copy,
        };
        // An archive's place is the folder that it is unpacked into.
        let path = match (&self.path, action) {
            (None, Action::ExtractZip) => path.trim_end_matches(".zip").to_owned(),
            (None, Action::ExtractTarGz) => path
                .trim_end_matches(".tar.gz")
                .trim_end_matches(".tgz")
                .to_owned(),
            _ => path,
        };
        let below = path
            .strip_prefix(folder)
            .is_some_and(|rest| rest.starts_with('/'));
        Ok(Asset {
            id: None,
            kind: self.kind.as_str().to_owned(),
            sha256: Some(self.sha256.to_string()),
            key: self.key(layout),
            file: Some(uploaded.unwrap_or(file)),
            size: found.map(|object| object.size),
            target: if below { path } else { format!("{folder}/{path}") },
            action: action.as_str().to_owned(),
        })
    }
}
