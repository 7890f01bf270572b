//! What became of the files.

use schemars::JsonSchema;
use serde::Serialize;

use super::super::local::Local;
use super::super::text::size;
use crate::bundle::{Kind, Sha256};
use crate::change::RunId;
use crate::output::{Render, Table, View};

#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(super) struct Row {
    file: String,
    kind: Kind,
    sha256: Sha256,
    size_bytes: u64,
    /// The object, and with it what `bundle create --asset` takes.
    key: String,
    /// Whether this run has sent it; it was there already otherwise.
    sent: bool,
}

impl Row {
    pub(super) fn new(file: &Local, kind: Kind, sha256: &Sha256, key: String, sent: bool) -> Self {
        Self {
            file: file.name.clone(),
            kind,
            sha256: *sha256,
            size_bytes: file.size,
            key,
            sent,
        }
    }
}

/// The result document.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct UploadResult {
    run: RunId,
    bucket: String,
    assets: Vec<Row>,
}

impl UploadResult {
    pub(super) fn new(run: &RunId, bucket: &str, assets: Vec<Row>) -> Option<Self> {
        (!assets.is_empty()).then(|| Self {
            run: run.clone(),
            bucket: bucket.to_owned(),
            assets,
        })
    }
}

impl Render for UploadResult {
    fn human(&self, view: &View) -> String {
        let mut table = Table::new(&["FILE", "SIZE", "STATE", "ASSET"]);
        for row in &self.assets {
            table.row([
                row.file.clone(),
                size(row.size_bytes),
                if row.sent { "sent" } else { "was there" }.to_owned(),
                row.key.clone(),
            ]);
        }
        table.render(view)
    }

    fn names(&self) -> Vec<String> {
        self.assets.iter().map(|row| row.key.clone()).collect()
    }
}
