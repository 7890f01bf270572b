//! Publishing what templates refer to: files in the bootstrap bucket, images in its repository.
//!
//! `cdk-assets` does it. Its releases know an assembly's schema later than the library that writes it: an assembly that
//! is too new for it is published by the app's own CDK, which has made it.

use std::cell::Cell;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::synth::Npx;
use crate::change::{Call, NPX, Permit, Repeated, parameters};
use crate::error::{CtlError, ErrorKind, Result};

/// How `cdk-assets` refuses an assembly that is newer than itself.
const TOO_NEW: &str = "Maximum schema version supported is";

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
        let too_new = Cell::new(false);
        let hear = |line: &str| too_new.set(too_new.get() || line.contains(TOO_NEW));
        let what = format!("publish the assets of {}", self.stack);
        let published = npx.run_heard(&what, &self.words(), hear).await;
        published.map_err(|error| match too_new.get() {
            // Nothing was published: the manifest is read before anything else.
            true => CtlError::new(
                ErrorKind::Changed,
                format!("{what}: the assembly is too new for cdk-assets"),
            ),
            false => error,
        })
    }
}

/// The same by the CDK of the app (`cdk publish-assets`, which has to be opted in).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::commands) struct PublishByCdk {
    pub(super) stack: String,
    /// The folder of the assembly.
    pub(super) assembly: String,
    /// Its name in the assembly.
    pub(super) artifact: String,
}

impl PublishByCdk {
    fn words(&self) -> Vec<String> {
        let (assembly, artifact) = (self.assembly.as_str(), self.artifact.as_str());
        [
            "cdk",
            "publish-assets",
            "--unstable=publish-assets",
            "--exclusively",
            "--app",
            assembly,
            artifact,
        ]
        .map(str::to_owned)
        .into()
    }
}

impl Call for PublishByCdk {
    const SERVICE: &'static str = NPX;
    const OPERATION: &'static str = "cdk publish-assets";
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
