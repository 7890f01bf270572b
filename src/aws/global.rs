//! Metrics of services that have no region.

use aws_sdk_cloudwatch::config::{Builder, Region};
use aws_types::SdkConfig;

/// "You must choose the US East (N. Virginia) Region" (Amazon CloudFront Developer Guide, "View CloudFront and edge function
/// metrics", of the metrics of distributions).
pub(super) fn in_us_east_1(builder: Builder, _config: &SdkConfig) -> Builder {
    builder.region(Region::new("us-east-1"))
}
