//! How buckets are addressed under an endpoint override on this machine.

use aws_types::SdkConfig;

use super::loopback::is_loopback_url;

/// The bucket goes into the path there: `bucket.localhost` is a name that most machines do not resolve.
pub(super) fn on_loopback(
    builder: aws_sdk_s3::config::Builder,
    config: &SdkConfig,
) -> aws_sdk_s3::config::Builder {
    if config.endpoint_url().is_some_and(is_loopback_url) {
        builder.force_path_style(true)
    } else {
        builder
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use aws_config::{BehaviorVersion, Region};
    use aws_credential_types::Credentials;
    use aws_credential_types::provider::SharedCredentialsProvider;
    use aws_smithy_runtime_api::client::http::SharedHttpClient;
    use bpctl_sandbox::{Options, Sandbox};
    use jiff::Timestamp;

    use super::*;
    use crate::aws::http::{PoliteClient, Reach};
    use crate::aws::rate_limits::RateLimits;
    use crate::aws::stats::Stats;
    use crate::clock::Clock;

    #[tokio::test]
    async fn a_bucket_under_localhost_is_dialled_at_localhost_itself() {
        let endpoint = "http://localhost:1";
        let account = SharedHttpClient::new(Sandbox::stepped(Options::default()));
        let pace = RateLimits::documented(Clock::starting_at(Timestamp::UNIX_EPOCH, 1.0));
        // It refuses every host that is not this machine's.
        let client = PoliteClient::new(account, Reach::Loopback, pace, Arc::new(Stats::default()));
        let credentials = Credentials::new("AKIAEXAMPLE", "secret", None, None, "test");
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .endpoint_url(endpoint)
            .region(Region::new("us-east-1"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .http_client(SharedHttpClient::new(client))
            .build();
        let builder = on_loopback(aws_sdk_s3::config::Builder::from(&config), &config);
        #[expect(clippy::disallowed_methods, reason = "the client is what is under test")]
        let s3 = aws_sdk_s3::Client::from_conf(builder.build());
        let listed = s3
            .list_objects_v2()
            .bucket("bp-logs-123456789012")
            .send()
            .await
            .unwrap();
        assert_eq!(listed.key_count(), Some(0));
    }
}
