//! The result of `bundle create`.

use schemars::JsonSchema;
use serde::Serialize;

use super::super::text::size;
use crate::change::RunId;
use crate::output::{Render, Table, View};

/// The result document.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct CreateResult {
    pub(super) run: RunId,
    /// As it is typed.
    pub(super) bundle: String,
    /// In the single layout.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    /// In the staged layout.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) workflow: Option<String>,
    pub(super) manifest_key: String,
    pub(super) assets: usize,
    pub(super) size_bytes: u64,
    /// Whether this run has written it; it was there already otherwise.
    pub(super) created: bool,
}

impl Render for CreateResult {
    fn human(&self, view: &View) -> String {
        let mut table = Table::new(&["BUNDLE", "ASSETS", "SIZE", "STATE", "NAME"]);
        table.row([
            self.bundle.clone(),
            self.assets.to_string(),
            size(self.size_bytes),
            if self.created { "created" } else { "was there" }.to_owned(),
            self.name.clone().unwrap_or_else(|| "-".to_owned()),
        ]);
        table.render(view)
    }

    fn names(&self) -> Vec<String> {
        vec![self.bundle.clone()]
    }
}
