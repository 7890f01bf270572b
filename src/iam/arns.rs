//! ARNs of several things of a kind.

use super::place::Place;
use crate::layout::{Layout, LayoutKind};

/// Buckets of both layouts: those of the stages have a word more. And that of the CDK.
pub(super) fn every_bucket(place: &Place, rest: &str) -> Vec<String> {
    let single = Layout::new(LayoutKind::Single, place.layout.prefix(), None);
    let buckets = single.map(|layout| layout.buckets(&place.account));
    let names = buckets.into_iter().flatten().map(|(_, name)| name);
    let cdk = format!("cdk-*-assets-{}-{}", place.account, place.region);
    let patterns = names.map(|name| format!("{name}*")).chain([cdk]);
    patterns
        .map(|name| format!("arn:{}:s3:::{name}{rest}", place.partition))
        .collect()
}

/// Log groups, once for actions on the group and once for those on its streams.
pub(super) fn logs(place: &Place, names: Vec<String>) -> Vec<String> {
    let arn = |name: &String| {
        let group = place.regional("logs", &format!("log-group:{name}"));
        let streams = format!("{group}:*");
        [group, streams]
    };
    names.iter().flat_map(arn).collect()
}

pub(super) fn alarms(place: &Place, names: Vec<String>) -> Vec<String> {
    let arn = |name: String| place.regional("cloudwatch", &format!("alarm:{name}"));
    names.into_iter().map(arn).collect()
}

/// Stacks have a UUID behind their name.
pub(super) fn stacks(place: &Place, names: Vec<String>) -> Vec<String> {
    let arn = |name: String| place.regional("cloudformation", &format!("stack/{name}/*"));
    names.into_iter().map(arn).collect()
}
