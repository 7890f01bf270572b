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
use crate::settings::Settings;

/// What AWS sees in front of the SDK's own user agent.
const USER_AGENT: &str = concat!("bpctl/", env!("CARGO_PKG_VERSION"));

#[derive(Clone, Debug)]
struct Shared {
    rate_limits: Arc<RateLimits>,
    stats: Arc<Stats>,
    reach: Reach,
}

/// Whom requests may go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// All services have endpoints on this machine, none of them encrypted: bpctl may dial no other machine.
    PlainLoopback,
    /// The same, encrypted or not.
    Loopback,
    /// Any host, but other machines only over encrypted connections.
    Encrypted,
    /// Any host, as the context says.
    AnyHost,
}

impl Reach {
    /// The application is asked as its users ask it, and the request holds nothing.
    fn of_request(self, operation: &Operation) -> Self {
        match self {
            Self::Encrypted if operation.is_health_check() => Self::AnyHost,
            other => other,
        }
    }

    pub(super) fn of(settings: &Settings, simulated: bool) -> Self {
        if simulated && settings.endpoint_url.is_none() {
            return Self::PlainLoopback;
        }
        let endpoints = || {
            settings
                .endpoint_url
                .iter()
                .chain(settings.service_endpoints.values())
        };
        let local = settings.endpoint_url.is_some() && endpoints().all(|url| is_loopback_url(&url.value));
        match (local, settings.allow_plain_http) {
            (true, _) if endpoints().all(|url| url.value.starts_with("http://")) => Self::PlainLoopback,
            (true, _) => Self::Loopback,
            (false, false) => Self::Encrypted,
            (false, true) => Self::AnyHost,
        }
    }
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
        reach: Reach,
        rate_limits: RateLimits,
        stats: Arc<Stats>,
    ) -> Self {
        Self {
            inner,
            shared: Shared {
                rate_limits: Arc::new(rate_limits),
                stats,
                reach,
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
            without_prefix(&mut request)?;
            refuse_strangers(&request, shared.reach.of_request(&operation))?;
            announce(&mut request);
            shared.rate_limits.take(&operation).await;
            let label = operation.label();
            let result = inner.call(request).await;
            if let Ok(response) = &result {
                let date = response.headers().get("date");
                shared.stats.note_date(date, shared.rate_limits.now());
            }
            shared.stats.record(
                &label,
                result.as_ref().ok().map(|response| response.status().as_u16()),
            );
            result
        })
    }
}

fn parsed(request: &HttpRequest) -> Result<http::Uri, ConnectorError> {
    request
        .uri()
        .parse()
        .map_err(|error: http::uri::InvalidUri| ConnectorError::other(error.into(), None))
}

/// StartLiveTail and GetLogObject put `stream-` in front of the host even under an endpoint
/// override, which no loopback address can answer; the prefix is taken off again.
fn without_prefix(request: &mut HttpRequest) -> Result<(), ConnectorError> {
    let uri = parsed(request)?;
    let host = uri.host().unwrap_or_default();
    if !host.strip_prefix("stream-").is_some_and(is_loopback_host) {
        return Ok(());
    }
    let rewritten = request.uri().replacen("//stream-", "//", 1);
    request
        .set_uri(rewritten.as_str())
        .map_err(|error| ConnectorError::other(error.into(), None))
}

/// The last word on whom a request may go to, whatever asked for it.
fn refuse_strangers(request: &HttpRequest, reach: Reach) -> Result<(), ConnectorError> {
    let uri = parsed(request)?;
    let host = uri.host().unwrap_or_default();
    let plain = uri.scheme_str() == Some("http");
    let why = match reach {
        _ if is_loopback_host(host) => return Ok(()),
        Reach::PlainLoopback | Reach::Loopback => "an endpoint override points at this machine",
        Reach::Encrypted if plain && !gives_credentials(host) => "it would be asked without encryption",
        Reach::Encrypted | Reach::AnyHost => return Ok(()),
    };
    Err(ConnectorError::user(
        format!("refused to dial `{host}`: {why}").into(),
    ))
}

/// The addresses at which instances, containers and pods get their credentials, in plain text by design
/// (AWS SDKs and Tools Reference Guide, "IMDS credential provider" and "Container credential provider").
fn gives_credentials(host: &str) -> bool {
    const ADDRESSES: [&str; 5] = [
        "169.254.169.254",
        "[fd00:ec2::254]",
        "169.254.170.2",
        "169.254.170.23",
        "[fd00:ec2::23]",
    ];
    ADDRESSES.contains(&host)
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
    fn under_a_loopback_override_no_other_host_is_dialled() {
        let mut live_tail = request("http://stream-127.0.0.1:4566/", &[], "");
        without_prefix(&mut live_tail).unwrap();
        assert_eq!(live_tail.uri(), "http://127.0.0.1:4566/");
        refuse_strangers(&live_tail, Reach::PlainLoopback).unwrap();
        let elsewhere = request("https://ssmmessages.us-east-1.amazonaws.com/x", &[], "");
        assert!(refuse_strangers(&elsewhere, Reach::Loopback).is_err());
        refuse_strangers(&elsewhere, Reach::Encrypted).unwrap();
    }

    #[test]
    fn plain_text_leaves_this_machine_only_for_credentials_or_on_demand() {
        let plain = request("http://10.0.0.1/", &[], "");
        assert!(refuse_strangers(&plain, Reach::Encrypted).is_err());
        refuse_strangers(&plain, Reach::AnyHost).unwrap();
        for address in ["http://169.254.169.254/latest", "http://[fd00:ec2::23]/v1"] {
            refuse_strangers(&request(address, &[], ""), Reach::Encrypted).unwrap();
        }
    }
}
