//! Requests beside the API of AWS, over the connections of the SDK: with its proxies, certificates and limits of reach.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::http::{HttpClient as _, HttpConnector as _, HttpConnectorSettings};
use aws_smithy_runtime_api::client::interceptors::context::BeforeTransmitInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

use super::Aws;
use crate::error::{CtlError, ErrorKind, Result, from_sdk};

/// Keeps what the SDK makes connections with: it hands that out only inside a request.
#[derive(Clone, Debug, Default)]
pub(super) struct KeepComponents(Arc<Mutex<Option<RuntimeComponents>>>);

#[dyn_dispatch_hint]
impl Intercept for KeepComponents {
    fn name(&self) -> &'static str {
        "KeepComponents"
    }

    fn read_before_transmit(
        &self,
        _context: &BeforeTransmitInterceptorContextRef<'_>,
        components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(components.clone());
        Ok(())
    }
}

impl KeepComponents {
    /// What the last request was made with.
    ///
    /// # Errors
    /// When no request was made.
    pub(super) fn taken(&self) -> Result<RuntimeComponents> {
        let components = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        components.ok_or_else(|| CtlError::new(ErrorKind::Unexpected, "make a connection: the SDK has none"))
    }
}

/// Sends one request, without retries and without following anything. `doing` begins the errors.
///
/// # Errors
/// When no answer comes within `timeout`.
pub(super) async fn call(
    components: &RuntimeComponents,
    timeout: Duration,
    doing: &str,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let client = components
        .http_client()
        .ok_or_else(|| CtlError::new(ErrorKind::Unexpected, format!("{doing}: there is no HTTP client")))?;
    let settings = HttpConnectorSettings::builder()
        .connect_timeout(timeout)
        .read_timeout(timeout)
        .build();
    let answer = client.http_connector(&settings, components).call(request).await;
    answer.map_err(|error| CtlError::new(ErrorKind::Unreachable, doing.to_owned()).source(&error))
}

impl Aws {
    /// What the SDK makes connections with.
    ///
    /// # Errors
    /// When AWS does not tell who the caller is.
    pub(super) async fn components(&self) -> Result<RuntimeComponents> {
        let kept = KeepComponents::default();
        self.sts_client()
            .await?
            .get_caller_identity()
            .customize()
            .interceptor(kept.clone())
            .send()
            .await
            .map_err(|error| from_sdk("find out who is signed in", &error))?;
        kept.taken()
    }
}
