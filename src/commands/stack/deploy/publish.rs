//! Publishing what templates refer to: files in the bootstrap bucket, images in its repository.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::synth::Npx;
use crate::change::{Call, NPX, Permit, Repeated, parameters};
use crate::error::Result;

/// Publishes every asset of a stack that is not there yet: their names are hashes of their content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::commands) struct PublishAssets {
    pub(super) stack: String,
    /// Path of the asset manifest.
    pub(super) manifest: String,
}

impl PublishAssets {
    fn words(&self) -> Vec<String> {
        ["--yes", "cdk-assets", "publish", "--path", self.manifest.as_str()]
            .map(str::to_owned)
            .into()
    }
}

impl Call for PublishAssets {
    const SERVICE: &'static str = NPX;
    const OPERATION: &'static str = "cdk-assets publish";
    const REPEATED: Repeated = Repeated::Harmless;
    type Via = Npx;
    type Answer = ();

    fn parameters(&self) -> Map<String, Value> {
        parameters([("arguments", self.words().into())])
    }

    fn resource(&self) -> String {
        format!("stack/{}", self.stack)
    }

    async fn send(&self, npx: &Npx, _permit: &Permit) -> Result<()> {
        npx.run(&format!("publish the assets of {}", self.stack), &self.words())
            .await
    }
}
