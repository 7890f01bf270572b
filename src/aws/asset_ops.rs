//! The backend's audit log of bundles: one POST to the application, beside AWS.

use std::time::Duration;

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use serde_json::{Map, Value, json};

use super::Aws;
use super::direct::call;
use super::operation::permitted;
use crate::change::{Call, Permit, Repeated, parameters};
use crate::error::{CtlError, ErrorKind, Result};
use crate::redact::Secret;

/// How long the backend may take to answer.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Tells the backend that a bundle was applied.
#[derive(Clone, Debug)]
pub(crate) struct RecordSync {
    /// The whole address.
    pub(crate) url: String,
    /// In a header; never part of what is shown.
    pub(crate) secret: Secret,
    pub(crate) bundle_id: String,
    pub(crate) notes: Option<String>,
    /// Where the output is kept in the logs bucket.
    pub(crate) artifact: String,
    pub(crate) fleet_slug: String,
    pub(crate) instance: String,
    pub(crate) prefix: String,
}

impl RecordSync {
    fn body(&self) -> Value {
        json!({
            "bundle_id": self.bundle_id,
            "event": "dev_bundle_applied",
            "notes": self.notes,
            "artifact_s3_key": self.artifact,
            "metadata": {
                "fleet_slug": self.fleet_slug,
                "instance_id": self.instance,
                "bundle_prefix": self.prefix,
            },
        })
    }
}

impl Call for RecordSync {
    const SERVICE: &'static str = "asset-ops";
    const OPERATION: &'static str = "RecordSync";
    const REPEATED: Repeated = Repeated::Twice;
    type Via = Aws;
    type Answer = ();

    fn parameters(&self) -> Map<String, Value> {
        parameters([("Url", self.url.as_str().into()), ("Body", self.body())])
    }

    fn resource(&self) -> String {
        format!("audit/{}", self.bundle_id)
    }

    async fn send(&self, aws: &Aws, permit: &Permit) -> Result<()> {
        const DOING: &str = "write to the backend's audit log";
        let broken = |why: String| CtlError::new(ErrorKind::Unexpected, format!("{DOING}: {why}"));
        let components = aws.components().await?;
        let mut request = HttpRequest::new(SdkBody::from(self.body().to_string()));
        request
            .set_method("POST")
            .and_then(|()| request.set_uri(self.url.as_str()))
            .map_err(|error| broken("the address is none".to_owned()).source(&error))?;
        let headers = request.headers_mut();
        headers.insert("content-type", "application/json");
        headers.insert("accept", "application/json");
        headers
            .try_insert("x-asset-ops-secret", self.secret.expose().to_owned())
            .map_err(|_| {
                CtlError::config("write to the backend's audit log: ASSET_OPS_SECRET is no value of a header")
            })?;
        permitted(&mut request, permit);
        let answer = call(&components, TIMEOUT, DOING, request).await?;
        let failed = |why: &str| Err(CtlError::new(ErrorKind::Failed, format!("{DOING}: {why}")));
        match answer.status().as_u16() {
            200..=299 => Ok(()),
            401 | 403 => failed("the backend does not accept ASSET_OPS_SECRET"),
            404 => failed("the backend does not know the bundle"),
            422 => failed("the backend finds the entry invalid"),
            other => failed(&format!("the backend answers {other}")),
        }
    }
}
