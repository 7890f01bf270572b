//! ARNs of several things of a kind.

use super::place::Place;
use crate::layout::{Layout, LayoutKind, Stage};

/// The single layout, and the staged one of every stage.
fn every_layout(place: &Place) -> impl Iterator<Item = Layout> {
    let stages = Stage::ALL.into_iter();
    let stages = stages.map(|stage| (LayoutKind::Staged, Some(stage)));
    let kinds = [(LayoutKind::Single, None)].into_iter().chain(stages);
    let prefix = place.layout.prefix();
    kinds.filter_map(move |(kind, stage)| Layout::new(kind, prefix, stage).ok())
}

pub(super) fn every_cluster(place: &Place) -> Vec<String> {
    let arn = |layout: Layout| place.regional("ecs", &format!("cluster/{}", layout.cluster()));
    every_layout(place).map(arn).collect()
}

/// Services or tasks.
pub(super) fn in_every_cluster(place: &Place, kind: &str) -> Vec<String> {
    let arn = |layout: Layout| place.regional("ecs", &format!("{kind}/{}/*", layout.cluster()));
    every_layout(place).map(arn).collect()
}

/// Names of the generation between the two layouts; the rest of its stacks are called as those of the staged one.
fn legacy(prefix: &str, stage: Stage) -> [String; 2] {
    ["gpu-fleet-*", "gpu-shared"].map(|what| format!("{prefix}-{stage}-{what}"))
}

/// Those of the layout's stage.
pub(super) fn legacy_stacks(place: &Place) -> Vec<String> {
    let stage = place.layout.stage().into_iter();
    stacks(
        place,
        stage
            .flat_map(|stage| legacy(place.layout.prefix(), stage))
            .collect(),
    )
}

/// Stacks of every generation.
pub(super) fn every_stack(place: &Place) -> Vec<String> {
    let names = every_layout(place).flat_map(|layout| layout.stack_patterns());
    let stages = Stage::ALL.into_iter();
    let older = stages.flat_map(|stage| legacy(place.layout.prefix(), stage));
    let mut names: Vec<String> = names.chain(older).collect();
    names.sort();
    names.dedup();
    stacks(place, names)
}

/// CloudFormation deploys with it what the CDK synthesizes (CDK Developer Guide, "Customize CDK bootstrapping").
pub(super) fn cdk_execution_role(place: &Place) -> String {
    let (account, region) = (&place.account, &place.region);
    place.global(
        "iam",
        &format!("role/cdk-hnb659fds-cfn-exec-role-{account}-{region}"),
    )
}

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
