//! `manifest.json`: what a backup holds, without values. A backup without it is none.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::bundle::Sha256;
use crate::change::RunId;
use crate::error::{CtlError, ErrorKind, Result};

/// The form that this version writes and reads.
pub(super) const FORM: &str = "bpctl.backup-manifest/1";

/// What a backup holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(in crate::commands) struct Manifest {
    pub(super) form: String,
    /// The run that made it.
    pub(in crate::commands) run: RunId,
    /// When it was complete.
    pub(in crate::commands) made: Timestamp,
    pub(super) context: String,
    pub(in crate::commands) account: String,
    pub(in crate::commands) region: String,
    pub(in crate::commands) secrets: Option<SavedSecrets>,
    pub(in crate::commands) buckets: Vec<SavedBucket>,
    pub(in crate::commands) database: Option<SavedDatabase>,
    /// What was left out, as it was asked for.
    pub(super) skipped: Vec<String>,
}

/// The encrypted parameters and secrets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(in crate::commands) struct SavedSecrets {
    /// Beside the manifest.
    pub(super) file: String,
    pub(super) bytes: u64,
    /// Of the encrypted file.
    pub(in crate::commands) sha256: Sha256,
    /// Who can read it, as age writes them.
    pub(super) recipients: Vec<String>,
    pub(super) entries: Vec<SavedEntry>,
}

/// One parameter or secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(super) struct SavedEntry {
    /// As AWS knows it.
    pub(super) path: String,
    /// `secrets-manager` or `parameter-store`.
    pub(super) store: String,
    /// An id in Secrets Manager, a number in Parameter Store.
    pub(super) version: String,
    /// In characters.
    pub(super) length: usize,
    /// Compares values on the machine that made the backup, and says nothing elsewhere.
    pub(super) fingerprint: String,
}

/// The objects of one bucket.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(in crate::commands) struct SavedBucket {
    /// `media`, `models`, `logs`, `access-logs`.
    pub(super) role: String,
    pub(in crate::commands) bucket: String,
    /// The objects that are in force; no older versions.
    pub(in crate::commands) objects: u64,
    pub(in crate::commands) bytes: u64,
    /// In a folder: the list of the objects with size, ETag, SHA-256 and file, a line each, and that list's own SHA-256.
    pub(super) list: Option<(String, Sha256)>,
}

/// The database's snapshot, which stays in RDS.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(in crate::commands) struct SavedDatabase {
    pub(super) instance: String,
    pub(in crate::commands) snapshot: String,
    pub(super) arn: String,
}

impl SavedBucket {
    pub(in crate::commands) fn role(&self) -> &str {
        &self.role
    }
}

impl Manifest {
    /// # Errors
    /// A text that is no manifest, or one of a later form.
    pub(in crate::commands) fn parse(bytes: &[u8], place: &str) -> Result<Self> {
        let doing = format!("read the manifest of the backup in `{place}`");
        let manifest: Self = serde_json::from_slice(bytes)
            .map_err(|error| CtlError::new(ErrorKind::Failed, &doing).source(&error))?;
        if manifest.form == FORM {
            return Ok(manifest);
        }
        Err(CtlError::new(
            ErrorKind::Failed,
            format!(
                "{doing}: it is of the form `{}`, and this bpctl reads `{FORM}`",
                manifest.form
            ),
        ))
    }
}
