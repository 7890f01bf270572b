//! The HTTP layer under every client: it counts requests, keeps to the documented rates, refuses changes
//! without a permit, and with an endpoint override it never dials another host.

use std::sync::Arc;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

use super::loopback::{is_loopback_host, is_loopback_url};
use super::operation::Operation;
use super::rate_limits::RateLimits;
use super::stats::Stats;

/// What AWS sees in front of the SDK's own user agent.
const USER_AGENT: &str = concat!("bpctl/", env!("CARGO_PKG_VERSION"));

#[derive(Clone, Debug)]
struct Shared {
    rate_limits: Arc<RateLimits>,
    stats: Arc<Stats>,
    /// With a loopback endpoint override: no other machine may be dialled.
    loopback_only: bool,
}

/// An HTTP client around the real one.
#[derive(Debug)]
pub(super) struct PoliteClient {
    inner: SharedHttpClient,
    shared: Shared,
}

impl PoliteClient {
    pub(super) fn new(
        inner: SharedHttpClient,
        endpoint: Option<&str>,
        rate_limits: RateLimits,
        stats: Arc<Stats>,
    ) -> Self {
        let loopback_only = endpoint.is_some_and(is_loopback_url);
        Self {
            inner,
            shared: Shared {
                rate_limits: Arc::new(rate_limits),
                stats,
                loopback_only,
            },
        }
    }
}

impl HttpClient for PoliteClient {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Connector {
            inner: self.inner.http_connector(settings, components),
            shared: self.shared.clone(),
        })
    }
}

#[derive(Debug)]
struct Connector {
    inner: SharedHttpConnector,
    shared: Shared,
}

impl HttpConnector for Connector {
    fn call(&self, mut request: HttpRequest) -> HttpConnectorFuture {
        let inner = self.inner.clone();
        let shared = self.shared.clone();
        HttpConnectorFuture::new(async move {
            let operation = Operation::take(&mut request);
            if !operation.may_be_sent() {
                let refusal = format!(
                    "refused to send `{}`: it is no known read, and no permit of an approved plan names it",
                    operation.label()
                );
                return Err(ConnectorError::user(refusal.into()));
            }
            if shared.loopback_only {
                keep_local(&mut request)?;
            }
            announce(&mut request);
            shared.rate_limits.take(&operation).await;
            let label = operation.label();
            let result = inner.call(request).await;
            shared.stats.record(
                &label,
                result.as_ref().ok().map(|response| response.status().as_u16()),
            );
            result
        })
    }
}

/// StartLiveTail and GetLogObject put `stream-` in front of the host even under an endpoint
/// override, which no loopback address can answer; the prefix is taken off again. Whatever else
/// would leave this machine is refused.
fn keep_local(request: &mut HttpRequest) -> Result<(), ConnectorError> {
    let uri: http::Uri = request
        .uri()
        .parse()
        .map_err(|error: http::uri::InvalidUri| ConnectorError::other(error.into(), None))?;
    let host = uri.host().unwrap_or_default();
    if is_loopback_host(host) {
        return Ok(());
    }
    if host.strip_prefix("stream-").is_some_and(is_loopback_host) {
        let rewritten = request.uri().replacen("//stream-", "//", 1);
        return request
            .set_uri(rewritten.as_str())
            .map_err(|error| ConnectorError::other(error.into(), None));
    }
    let refusal = format!("refused to dial `{host}`: an endpoint override points at this machine");
    Err(ConnectorError::user(refusal.into()))
}

fn announce(request: &mut HttpRequest) {
    let agent = match request.headers().get("user-agent") {
        Some(agent) => format!("{USER_AGENT} {agent}"),
        None => USER_AGENT.to_owned(),
    };
    // The header is not part of the signature (AWS General Reference, "Create a signed request").
    request.headers_mut().insert("user-agent", agent);
}

#[cfg(test)]
mod tests {
    use aws_smithy_types::body::SdkBody;

    use super::*;

    fn request(uri: &str, headers: &[(&'static str, &str)], body: &'static str) -> HttpRequest {
        let mut request = HttpRequest::new(SdkBody::from(body));
        request.set_uri(uri).unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, (*value).to_owned());
        }
        request
    }

    #[test]
    fn under_a_loopback_override_nobody_else_is_dialled() {
        let mut live_tail = request("http://stream-127.0.0.1:4566/", &[], "");
        keep_local(&mut live_tail).unwrap();
        assert_eq!(live_tail.uri(), "http://127.0.0.1:4566/");
        let mut elsewhere = request("https://ssmmessages.us-east-1.amazonaws.com/x", &[], "");
        assert!(keep_local(&mut elsewhere).is_err());
    }
}
