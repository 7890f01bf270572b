//! The GPU fleets: groups, alarms, activities, AMI pointers, secrets, and the topic that takes them to zero.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::try_join_all;

use super::deadline::Deadline;
use crate::aws::Aws;
use crate::error::Result;
use crate::fleet::hold;
use crate::layout::{DEPLOYED_PLACEHOLDER, FleetAlarm, FleetId, Layout, Stage};
use crate::triage::snapshot::{
    Activity, Alarm, FleetGroup, FleetSecret, FleetSecretState, Hold, Pointer, Policy, Topic,
};

/// How far back scaling activities count.
const MINUTES: u64 = 60;

/// The data type of parameters that launch templates resolve to an image.
const IMAGE: &str = "aws:ec2:image";

/// How many topics are asked about; a platform has one.
const TOPICS: usize = 5;

/// The groups of the fleets that were asked for, or of all fleets of the layout's stage.
pub(super) async fn groups(aws: &Aws, layout: &Layout, asked: &[FleetId]) -> Result<Vec<FleetGroup>> {
    let groups = if asked.is_empty() {
        aws.groups().await?
    } else {
        let names: Vec<String> = asked
            .iter()
            .map(|fleet| layout.auto_scaling_group(fleet))
            .collect();
        aws.groups_named(&names).await?
    };
    Ok(groups
        .into_iter()
        .filter(|group| !group.deleting)
        .filter_map(|group| {
            let fleet = layout.fleet_of_group(&group.name)?;
            Some(FleetGroup { fleet, group })
        })
        .filter(|group| layout.stage().is_none_or(|stage| group.fleet.stage == stage))
        .collect())
}

/// The fleets that have a group.
pub(super) fn ids(groups: &[FleetGroup]) -> BTreeSet<FleetId> {
    groups.iter().map(|group| group.fleet.clone()).collect()
}

/// The holds in force of the fleets that have something suspended which a hold suspends: of the others nothing is read.
pub(super) async fn holds(
    aws: &Aws,
    layout: &Layout,
    groups: &[FleetGroup],
) -> Result<BTreeMap<FleetId, std::result::Result<Hold, String>>> {
    let held = groups.iter().filter(|fleet| hold::may_be_held(&fleet.group));
    let held: Vec<FleetId> = held.map(|group| group.fleet.clone()).collect();
    let found = hold::in_force(aws, layout, &held).await?.into_iter();
    Ok(found
        .map(|(fleet, hold)| (fleet, hold.map_err(|error| error.to_string())))
        .collect())
}

/// The scaling policies of every fleet's group, or of the groups that were asked for.
pub(super) async fn policies(
    aws: &Aws,
    layout: &Layout,
    asked: &[FleetId],
) -> Result<BTreeMap<String, Vec<Policy>>> {
    match asked {
        [only] => aws.policies(Some(&layout.auto_scaling_group(only))).await,
        _ => aws.policies(None).await,
    }
}

/// The alarms of every fleet, a hundred per call: those that the layout names, and those that invoke the
/// scaling policies, whatever they are called.
pub(super) async fn alarms(
    aws: &Aws,
    layout: &Layout,
    fleets: &BTreeSet<FleetId>,
    policies: &BTreeMap<String, Vec<Policy>>,
) -> Result<Vec<Alarm>> {
    let named = fleets
        .iter()
        .flat_map(|fleet| FleetAlarm::ALL.map(|alarm| layout.fleet_alarm(alarm, fleet)));
    let invoking = fleets
        .iter()
        .filter_map(|fleet| policies.get(&layout.auto_scaling_group(fleet)))
        .flatten()
        .flat_map(|policy| policy.alarms.iter().cloned());
    let names: BTreeSet<String> = named.chain(invoking).collect();
    let names: Vec<String> = names.into_iter().collect();
    aws.alarms_named(&names).await
}

/// What happened to the region's groups within the last hour, as far as the newest hundred tell.
pub(super) async fn activities(aws: &Aws, deadline: &Deadline<'_>, layout: &Layout) -> Result<Vec<Activity>> {
    let from = deadline.minutes_ago(MINUTES);
    let activities = aws.recent_activities().await?;
    Ok(activities
        .into_iter()
        .filter(|activity| layout.fleet_of_group(&activity.group).is_some())
        .filter(|activity| activity.started.is_none_or(|started| started >= from))
        .collect())
}

/// The AMI pointers by parameter name. Values are read only where the data type is wrong: Parameter
/// Store itself checks those of the right one.
pub(super) async fn amis(
    aws: &Aws,
    layout: &Layout,
    fleets: &BTreeSet<FleetId>,
) -> Result<BTreeMap<String, Pointer>> {
    // Staged fleets of the same slug share a pointer.
    let names: BTreeSet<String> = fleets.iter().map(|fleet| layout.ami_parameter(fleet)).collect();
    let names: Vec<String> = names.into_iter().collect();
    let facts = aws.parameter_facts(&names).await?;
    let wrong: Vec<String> = facts
        .iter()
        .filter(|facts| facts.data_type != IMAGE)
        .map(|facts| facts.name.clone())
        .collect();
    let values = aws.parameters(&wrong).await?.found;
    Ok(facts
        .into_iter()
        .map(|facts| {
            let pointer = Pointer {
                value: values
                    .get(&facts.name)
                    .map(|parameter| parameter.value.expose().to_owned()),
                facts,
            };
            (pointer.name.clone(), pointer)
        })
        .collect())
}

/// Whether the fleet secrets of all stages that the layout speaks of still hold their placeholder.
pub(super) async fn secrets(aws: &Aws, layout: &Layout) -> Result<Vec<FleetSecret>> {
    let stages = Stage::ALL
        .into_iter()
        .filter(|stage| layout.stage().is_none_or(|only| only == *stage));
    let named: Vec<(Stage, String)> = stages
        .map(|stage| (stage, layout.fleet_secret_parameter(stage)))
        .collect();
    let names: Vec<String> = named.iter().map(|(_, name)| name.clone()).collect();
    let found = aws.parameters(&names).await?.found;
    Ok(named
        .into_iter()
        .map(|(stage, name)| {
            let modified = found.get(&name).and_then(|parameter| parameter.facts.modified);
            let state = match found.get(&name) {
                None => FleetSecretState::Missing,
                Some(parameter) if parameter.value.is(DEPLOYED_PLACEHOLDER) => {
                    FleetSecretState::Placeholder(parameter.facts.clone())
                }
                Some(_) => FleetSecretState::Set,
            };
            FleetSecret {
                stage,
                name,
                modified,
                state,
            }
        })
        .collect())
}

/// Who listens to the topics that the queue-empty alarms speak to; one that is gone has no listener.
pub(super) async fn topics(
    aws: &Aws,
    layout: &Layout,
    fleets: &BTreeSet<FleetId>,
    alarms: &[Alarm],
) -> Result<Vec<Topic>> {
    let empty: BTreeSet<String> = fleets
        .iter()
        .map(|fleet| layout.fleet_alarm(FleetAlarm::QueueEmpty, fleet))
        .collect();
    let arns: BTreeSet<&String> = alarms
        .iter()
        .filter(|alarm| empty.contains(&alarm.name))
        .flat_map(|alarm| &alarm.actions)
        .filter(|action| is_topic(action))
        .collect();
    listeners(aws, arns).await
}

/// Who listens to these topics, to the first few of them.
pub(super) async fn listeners(aws: &Aws, arns: BTreeSet<&String>) -> Result<Vec<Topic>> {
    try_join_all(arns.into_iter().take(TOPICS).map(async |arn| {
        Ok(Topic {
            arn: arn.clone(),
            subscriptions: aws.subscriptions(arn).await?,
        })
    }))
    .await
}

/// Whether an action of an alarm is a message to a topic.
pub(super) fn is_topic(action: &str) -> bool {
    action.split(':').nth(2) == Some("sns")
}
