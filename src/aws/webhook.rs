//! A webhook of the operator's choice: one POST, beside AWS and without its credentials.

use std::time::Duration;

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use serde_json::Value;

use super::Aws;
use super::direct::call;
use super::operation::{APPLICATION, NOTIFY, read_of};
use crate::error::{CtlError, ErrorKind, Result};

/// How long it may take to answer.
const TIMEOUT: Duration = Duration::from_secs(10);

impl Aws {
    /// The status that a POST of `body` is answered with.
    ///
    /// # Errors
    /// When no answer comes. The path of the URL is not repeated: it may be a secret.
    pub(crate) async fn notify(&self, webhook: &http::Uri, body: &Value) -> Result<u16> {
        let doing = format!("notify {}", webhook.host().unwrap_or_default());
        let wrong = || CtlError::new(ErrorKind::Unexpected, format!("{doing}: its URL is none"));
        let mut request = HttpRequest::new(SdkBody::from(body.to_string()));
        request
            .set_method("POST")
            .and_then(|()| request.set_uri(webhook.to_string()))
            .map_err(|_| wrong())?;
        request.headers_mut().insert("content-type", "application/json");
        // It changes nothing in AWS.
        read_of(&mut request, APPLICATION, NOTIFY);
        let answer = call(&self.components().await?, TIMEOUT, &doing, request).await?;
        Ok(answer.status().as_u16())
    }
}
