//! Alarms, metrics, database, images, secrets and stacks of the platform itself.

use std::collections::BTreeMap;

use futures::future::try_join_all;

use super::fleets;
use super::services::APPS;
use crate::aws::Aws;
use crate::aws::cloudformation::StackSummary;
use crate::aws::rds::{DbInstance, platform_instance};
use crate::error::Result;
use crate::layout::{FleetId, Layout, Stage};
use crate::triage::snapshot::{Alarm, Database, Repository, Secret, Topic, UnsettledStack};

/// Failed stacks whose events are read.
const EXPLAINED: usize = 5;

/// Outputs of the stacks that name resources (runbook: "Stack outputs").
pub(super) type Outputs = BTreeMap<String, String>;

/// The platform's own alarms.
pub(super) async fn alarms(aws: &Aws, layout: &Layout) -> Result<Vec<Alarm>> {
    aws.alarms_named(&layout.platform_alarms()).await
}

/// Who listens to the topics that the platform's alarms speak to.
pub(super) async fn alert_topics(aws: &Aws, alarms: &[Alarm]) -> Result<Vec<Topic>> {
    let actions = alarms.iter().flat_map(|alarm| &alarm.actions);
    fleets::listeners(aws, actions.filter(|action| fleets::is_topic(action)).collect()).await
}

/// The outputs of the stacks that hold the network and the data.
pub(super) async fn outputs(aws: &Aws, layout: &Layout) -> Result<Outputs> {
    let stacks = ["network", "data"]
        .into_iter()
        .filter_map(|role| layout.core_stack(role));
    let stacks = try_join_all(stacks.map(async |name| aws.stack(&name).await)).await?;
    Ok(stacks
        .into_iter()
        .flatten()
        .flat_map(|stack| stack.outputs)
        .collect())
}

/// Name and state of every stack of the region.
pub(super) async fn all_stacks(aws: &Aws) -> Result<Vec<StackSummary>> {
    aws.stack_summaries().await
}

/// Stacks of the platform that are not at rest after a success, with what failed in the first few of them.
pub(super) async fn stacks(
    aws: &Aws,
    layout: &Layout,
    all: Vec<StackSummary>,
) -> Result<Vec<UnsettledStack>> {
    let mut failed = all;
    failed.retain(|stack| owns(layout, &stack.name) && !stack.is_settled());
    failed.sort_by_key(|stack| std::cmp::Reverse(stack.updated));
    let explained = failed.iter().take(EXPLAINED);
    let events = try_join_all(explained.map(async |stack| aws.stack_events(&stack.name).await)).await?;
    let events = events.into_iter().chain(std::iter::repeat(Vec::new()));
    Ok(failed
        .into_iter()
        .zip(events)
        .map(|(stack, events)| UnsettledStack::of(stack, &events))
        .collect())
}

/// Whether a stack is one of the layout's: a core stack, or the stack of a fleet, also of one whose
/// group never came to be.
fn owns(layout: &Layout, name: &str) -> bool {
    let stages = Stage::ALL
        .into_iter()
        .filter(|stage| layout.stage().is_none_or(|only| only == *stage));
    // Where fleets have stacks of their own, the slug ends the name.
    let mut beginnings = stages.filter_map(|stage| {
        let slug = "x".parse().ok()?;
        let name = layout.fleet_stack(&FleetId { stage, slug });
        name.strip_suffix('x').map(str::to_owned)
    });
    layout.core_stacks().iter().any(|core| core == name)
        || beginnings.any(|beginning| name.starts_with(&beginning))
}

/// The instance that the data stack names, else the one that the platform's alarms watch, else the
/// only one.
pub(super) fn database(instances: &[DbInstance], outputs: &Outputs, alarms: &[Alarm]) -> Option<Database> {
    let endpoint = outputs.get("RdsEndpoint").map(String::as_str);
    let watched = dimension(alarms, "DBInstanceIdentifier");
    let (found, _) = platform_instance(instances, endpoint, watched)?;
    Some(found.clone())
}

/// The value of a dimension, from the first alarm that has it.
pub(super) fn dimension<'a>(alarms: &'a [Alarm], name: &str) -> Option<&'a str> {
    alarms
        .iter()
        .flat_map(|alarm| &alarm.dimensions)
        .find(|(dimension, _)| dimension == name)
        .map(|(_, value)| value.as_str())
}

/// The repositories of both services; one that does not exist has no tags.
pub(super) async fn images(aws: &Aws, layout: &Layout) -> Result<Vec<Repository>> {
    try_join_all(APPS.map(async |app| {
        let name = layout.repository(app);
        let images = aws.images(&name).await?.unwrap_or_default();
        Ok(Repository { app, name, images })
    }))
    .await
}

/// Whether the secrets that the layout names have a value.
pub(super) async fn secrets(aws: &Aws, layout: &Layout) -> Result<Vec<Secret>> {
    let wanted = layout.secrets();
    let names: Vec<String> = wanted.iter().map(|(_, name)| name.clone()).collect();
    let mut found = aws.secrets_named(&names).await?;
    let secrets = wanted.into_iter().map(|(role, name)| {
        let known = found.iter().position(|secret| secret.name == name);
        let facts = known.map(|known| found.swap_remove(known));
        Secret {
            role: role.to_owned(),
            name,
            facts,
        }
    });
    Ok(secrets.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::LayoutKind;

    #[test]
    fn stacks_of_others_are_not_ours() {
        let single = Layout::new(LayoutKind::Single, "bp", None).unwrap();
        for (name, ours) in [
            ("bp-compute", true),
            ("bp-gpu-fleet-staging-gpu-default", true),
            ("bp-other", false),
            ("CDKToolkit", false),
        ] {
            assert_eq!(owns(&single, name), ours, "{name}");
        }
        let staged = Layout::new(LayoutKind::Staged, "bp", Some(Stage::Staging)).unwrap();
        assert!(owns(&staged, "bp-staging-gpu"));
        assert!(!owns(&staged, "bp-production-gpu"));
    }

    #[test]
    fn the_database_is_the_one_that_the_stack_names() {
        let instance = |id: &str| DbInstance {
            id: id.to_owned(),
            endpoint: Some(format!("{id}.c1.rds.amazonaws.com")),
            ..DbInstance::default()
        };
        let both = [instance("other"), instance("bp-mariadb")];
        let outputs = Outputs::from([(
            "RdsEndpoint".to_owned(),
            "bp-mariadb.c1.rds.amazonaws.com:3306".to_owned(),
        )]);
        let id = |found: Option<Database>| found.map(|database| database.id);
        assert_eq!(id(database(&both, &outputs, &[])).as_deref(), Some("bp-mariadb"));
        assert_eq!(id(database(&both, &Outputs::new(), &[])), None);
        assert_eq!(
            id(database(&both[..1], &Outputs::new(), &[])).as_deref(),
            Some("other")
        );
    }
}
