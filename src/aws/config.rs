//! Builds the one `SdkConfig`: credentials, region, endpoint, retries, timeouts, user agent.

use std::sync::Arc;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::SharedAsyncSleep;
use aws_smithy_async::time::SharedTimeSource;
use aws_smithy_http_client::tls;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_types::SdkConfig;

use super::http::PoliteClient;
use super::loopback::is_loopback_url;
use super::rate_limits::RateLimits;
use super::stats::Stats;
use crate::clock::Clock;
use crate::error::{CtlError, Result};
use crate::process::Transport;
use crate::settings::{RetryMode, Settings};

/// Attempts per call, the first one included. The SDK's default is 3; operators' accounts are
/// shared with deploys and dashboards, so throttling is common and a little patience is cheap.
const MAX_ATTEMPTS: u32 = 6;

/// How long a body may stand still; the SDK's own default.
const STALLED: Duration = Duration::from_secs(20);

pub(super) async fn load(
    settings: &Settings,
    clock: &Clock,
    transport: Option<&Transport>,
    stats: &Arc<Stats>,
) -> Result<SdkConfig> {
    let endpoint = settings.endpoint_url.as_ref().map(|url| url.value.clone());
    let inner = match transport {
        Some(transport) => transport.client.clone(),
        None => network_client(endpoint.as_deref()),
    };
    let client = PoliteClient::new(
        inner,
        endpoint.as_deref(),
        RateLimits::documented(clock.clone()),
        Arc::clone(stats),
    );
    let retries = match settings.retry_mode.value {
        RetryMode::Standard => RetryConfig::standard(),
        RetryMode::Adaptive => RetryConfig::adaptive(),
    };
    // A timeout is about the network, which is not simulated: it means the machine's time at any speed.
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(clock.from_real(settings.connect_timeout.value))
        .read_timeout(clock.from_real(settings.read_timeout.value))
        .build();
    let stalled = StalledStreamProtectionConfig::enabled()
        .grace_period(clock.from_real(STALLED))
        .build();
    let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(SharedHttpClient::new(client))
        .sleep_impl(SharedAsyncSleep::new(clock.clone()))
        .time_source(SharedTimeSource::new(clock.clone()))
        // Not adaptive unless asked for: after one throttled call that mode lets the whole service have one request every
        // two seconds, which is for fleets of clients, not for one command. The client-side rate
        // limits already keep to the documented rates.
        .retry_config(retries.with_max_attempts(MAX_ATTEMPTS))
        .timeout_config(timeouts)
        .stalled_stream_protection(stalled);
    if let Some(region) = &settings.region {
        loader = loader.region(Region::new(region.value.clone()));
    }
    if settings.is_sandbox() || transport.is_some() {
        let endpoint = endpoint.unwrap_or_else(|| "http://127.0.0.1:1".to_owned());
        if !is_loopback_url(&endpoint) {
            return Err(CtlError::config(format!(
                "use the sandbox at `{endpoint}`: it is not on this machine"
            ))
            .hint("unset AWS_ENDPOINT_URL and BPCTL_ENDPOINT_URL, or use another context"));
        }
        let region = transport
            .map_or("us-east-1", |transport| transport.region.as_str())
            .to_owned();
        loader = loader
            .endpoint_url(endpoint)
            .region(Region::new(
                settings
                    .region
                    .as_ref()
                    .map_or(region, |region| region.value.clone()),
            ))
            .credentials_provider(Credentials::new("sandbox", "sandbox", None, None, "sandbox"));
        return Ok(loader.load().await);
    }
    if let Some(endpoint) = endpoint {
        loader = loader.endpoint_url(endpoint);
    }
    if let Some(profile) = &settings.profile {
        loader = loader.profile_name(&profile.value);
    }
    let base = loader.load().await;
    let Some(role) = &settings.role_arn else {
        return Ok(base);
    };
    let provider = aws_config::sts::AssumeRoleProvider::builder(&role.value)
        .session_name("bpctl")
        .configure(&base)
        .build()
        .await;
    Ok(base
        .into_builder()
        .credentials_provider(SharedCredentialsProvider::new(provider))
        .build())
}

/// The real network. Trusted certificates are only loaded when something will be encrypted.
fn network_client(endpoint: Option<&str>) -> SharedHttpClient {
    let builder = aws_smithy_http_client::Builder::new();
    if endpoint.is_some_and(|url| url.starts_with("http://")) {
        builder.build_http()
    } else {
        builder
            .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring))
            .build_https()
    }
}
