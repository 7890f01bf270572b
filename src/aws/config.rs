//! Builds the one `SdkConfig`: credentials, region, endpoint, retries, timeouts, user agent.

use std::sync::Arc;
use std::time::Duration;

use aws_config::provider_config::ProviderConfig;
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

use super::credentials::{Chain, Signers};
use super::http::{PoliteClient, Reach};
use super::loopback::is_loopback_url;
use super::rate_limits::RateLimits;
use super::role::AssumedRole;
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

/// An address without a listener: a sandbox in this process needs no address.
pub(super) const NOWHERE: &str = "http://127.0.0.1:1";

/// What all clients share.
pub(super) struct Loaded {
    pub(super) sdk: SdkConfig,
    pub(super) signers: Signers,
}

pub(super) async fn load(
    settings: &Settings,
    clock: &Clock,
    transport: Option<&Transport>,
    stats: &Arc<Stats>,
) -> Result<Loaded> {
    let simulated = settings.is_sandbox() || transport.is_some();
    let reach = Reach::of(settings, simulated);
    let inner = match transport {
        Some(transport) => transport.client.clone(),
        None => network_client(reach),
    };
    let client = SharedHttpClient::new(PoliteClient::new(
        inner,
        reach,
        RateLimits::documented(clock.clone()),
        Arc::clone(stats),
    ));
    let retries = match settings.retry_mode.value {
        RetryMode::Standard => RetryConfig::standard(),
        RetryMode::Adaptive => RetryConfig::adaptive(),
    }
    // Not adaptive unless asked for: after one throttled call that mode lets the whole service have one request every
    // two seconds, which is for fleets of clients, not for one command. The client-side rate
    // limits already keep to the documented rates.
    .with_max_attempts(MAX_ATTEMPTS);
    // A timeout is about the network, which is not simulated: it means the machine's time at any speed.
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(clock.from_real(settings.connect_timeout.value))
        .read_timeout(clock.from_real(settings.read_timeout.value))
        .build();
    let stalled = StalledStreamProtectionConfig::enabled()
        .grace_period(clock.from_real(STALLED))
        .build();
    let sleep = SharedAsyncSleep::new(clock.clone());
    let time = SharedTimeSource::new(clock.clone());
    let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(client.clone())
        .sleep_impl(sleep.clone())
        .time_source(time.clone())
        .retry_config(retries.clone())
        .timeout_config(timeouts.clone())
        .stalled_stream_protection(stalled);
    let signers = Signers::default();
    if simulated {
        let endpoint = settings.endpoint_url.as_ref().map(|url| url.value.as_str());
        if let Some(endpoint) = endpoint.filter(|endpoint| !is_loopback_url(endpoint)) {
            return Err(CtlError::config(format!(
                "use the sandbox at `{endpoint}`: it is not on this machine"
            ))
            .hint("unset AWS_ENDPOINT_URL and BPCTL_ENDPOINT_URL, or use another context"));
        }
        let region = settings.region.as_ref().map(|region| region.value.as_str());
        let usual = transport.map_or("us-east-1", |transport| transport.region.as_str());
        let sdk = loader
            .endpoint_url(endpoint.unwrap_or(NOWHERE))
            .region(Region::new(region.unwrap_or(usual).to_owned()))
            .credentials_provider(Credentials::new("sandbox", "sandbox", None, None, "sandbox"))
            .load()
            .await;
        return Ok(Loaded { sdk, signers });
    }
    let region = settings
        .region
        .as_ref()
        .map(|region| Region::new(region.value.clone()));
    if let Some(region) = &region {
        loader = loader.region(region.clone());
    }
    if let Some(profile) = &settings.profile {
        loader = loader.profile_name(&profile.value);
    }
    if let Some(endpoint) = &settings.endpoint_url {
        loader = loader.endpoint_url(&endpoint.value);
    }
    let sdk = loader.no_credentials().load().await;
    let role = settings.role_arn.as_ref().map(|role| {
        let endpoint = settings.endpoint("sts").map(|endpoint| endpoint.value.clone());
        AssumedRole::new(&role.value, &sdk, endpoint)
    });
    let providers = ProviderConfig::without_region()
        .with_region(region)
        .with_use_fips(sdk.use_fips())
        .with_use_dual_stack(sdk.use_dual_stack())
        .with_http_client(client)
        .with_sleep_impl(sleep)
        .with_time_source(time)
        .with_retry_config(retries)
        .with_timeout_config(timeouts);
    let chain = Chain::new(settings, &providers, role, clock.clone(), signers.clone());
    let sdk = sdk
        .into_builder()
        .credentials_provider(SharedCredentialsProvider::new(chain))
        .build();
    Ok(Loaded { sdk, signers })
}

/// The real network. Trusted certificates are only loaded when something will be encrypted.
fn network_client(reach: Reach) -> SharedHttpClient {
    let builder = aws_smithy_http_client::Builder::new();
    if reach == Reach::PlainLoopback {
        builder.build_http()
    } else {
        builder
            .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring))
            .build_https()
    }
}
