//! The reads behind a live model: three round trips, whatever the number of fleets, and one more
//! for their stacks' templates.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;

use super::deployed::{self, Deployed};
use super::listener;
use super::live::{Facts, alarm_names};
use crate::aws::Aws;
use crate::aws::autoscaling::{Group, LifecycleHook, Policy, ScheduledAction};
use crate::aws::cloudwatch::{Alarm, MetricQuery, MetricSeries, Statistic};
use crate::error::{CtlError, ErrorKind, Result};
use crate::fleet::{assemble, known_groups, select};
use crate::layout::{FLEET_NAMESPACE, FleetAlarm, FleetId, Layout};

/// How far back `JobProcessingP50` is looked for.
const JOBS_LOOK_BACK: Duration = Duration::from_secs(24 * 60 * 60);

/// What AWS says of `fleet`.
///
/// # Errors
/// There is no such fleet, or something cannot be read: half a model would be a wrong one.
pub(crate) async fn facts_of(aws: &Aws, layout: &Layout, fleet: &FleetId) -> Result<Facts> {
    let name = layout.auto_scaling_group(fleet);
    let named = [name.clone()];
    let (groups, policies, schedule) = futures::try_join!(
        aws.groups_named(&named),
        aws.policies(Some(&name)),
        aws.scheduled_actions(Some(&name))
    )?;
    let Some(group) = groups.into_iter().next() else {
        // The error knows the fleets there are.
        let known = known_groups(aws, layout).await?;
        select(&known, std::slice::from_ref(fleet))?;
        return Err(CtlError::new(
            ErrorKind::Changed,
            format!("read fleet `{fleet}`: its group has just appeared"),
        )
        .hint("run the command again"));
    };
    let mut facts = complete(aws, layout, vec![(fleet.clone(), group)], policies, schedule).await?;
    facts
        .pop()
        .map(|(_, facts)| facts)
        .ok_or_else(|| CtlError::missing_in_response("DescribeAutoScalingGroups", "group"))
}

/// What AWS says of every fleet that has a group.
///
/// # Errors
/// Something cannot be read.
pub(crate) async fn facts_of_all(aws: &Aws, layout: &Layout) -> Result<Vec<(FleetId, Facts)>> {
    let (groups, policies, schedule) =
        futures::try_join!(aws.groups(), aws.policies(None), aws.scheduled_actions(None))?;
    let known = assemble(layout, groups, &[], std::iter::empty());
    let groups = known
        .fleets
        .into_iter()
        .filter_map(|(id, fleet)| Some((id, fleet.group?)));
    complete(aws, layout, groups.collect(), policies, schedule).await
}

/// Adds what the fleets' stacks would deploy; a template that cannot be read is an assumption later on.
pub(crate) async fn with_templates(
    aws: &Aws,
    layout: &Layout,
    mut fleets: Vec<(FleetId, Facts)>,
) -> Vec<(FleetId, Facts)> {
    deployed::read(aws, layout, &mut fleets).await;
    fleets
}

/// Alarms and jobs of all groups at once.
async fn complete(
    aws: &Aws,
    layout: &Layout,
    groups: Vec<(FleetId, Group)>,
    mut policies: BTreeMap<String, Vec<Policy>>,
    mut schedule: BTreeMap<String, Vec<ScheduledAction>>,
) -> Result<Vec<(FleetId, Facts)>> {
    let now = aws.clock().now();
    let from = now.checked_sub(JOBS_LOOK_BACK).unwrap_or(Timestamp::MIN);
    let fleets: Vec<(FleetId, Group, Vec<Policy>)> = groups
        .into_iter()
        .map(|(id, group)| {
            let policies = policies.remove(&group.name).unwrap_or_default();
            (id, group, policies)
        })
        .collect();
    let mut names: Vec<String> = fleets
        .iter()
        .flat_map(|(id, _, policies)| alarm_names(layout, id, policies))
        .collect();
    names.sort();
    names.dedup();
    let queries: Vec<MetricQuery> = fleets
        .iter()
        .map(|(id, _, _)| MetricQuery {
            namespace: FLEET_NAMESPACE,
            metric: "JobProcessingP50",
            dimensions: layout.metric_dimensions(id),
            statistic: Statistic::Maximum,
            period_seconds: 3600,
        })
        .collect();
    let (alarms, jobs, hooks) = futures::try_join!(
        aws.alarms_named(&names),
        aws.metric_data(&queries, from, now),
        hooks_of(aws, &fleets)
    )?;
    if let Some(why) = jobs.iter().find_map(|series| series.trouble.as_deref()) {
        return Err(CtlError::new(
            ErrorKind::Failed,
            "read how long the fleets' jobs take (JobProcessingP50)",
        )
        .cause(why));
    }
    let alarms: BTreeMap<String, Alarm> = alarms
        .into_iter()
        .map(|alarm| (alarm.name.clone(), alarm))
        .collect();
    let empty = |id: &FleetId| alarms.get(&layout.fleet_alarm(FleetAlarm::QueueEmpty, id));
    let topics = listener::topics(aws, fleets.iter().filter_map(|(id, _, _)| empty(id))).await;
    let found = fleets.into_iter().zip(jobs).zip(hooks);
    let facts = found.map(|(((id, group, policies), jobs), hooks)| {
        let own = alarm_names(layout, &id, &policies);
        let facts = Facts {
            alarms: own
                .iter()
                .filter_map(|name| Some((name.clone(), alarms.get(name)?.clone())))
                .collect(),
            schedule: schedule.remove(&group.name).unwrap_or_default(),
            hooks,
            group,
            policies,
            median_job_seconds: median(&jobs),
            deployed: Deployed::NotRead,
            zero_listener: listener::of_alarm(empty(&id), &topics),
        };
        (id, facts)
    });
    Ok(facts.collect())
}

/// The lifecycle hooks of each fleet, in their order.
async fn hooks_of(aws: &Aws, fleets: &[(FleetId, Group, Vec<Policy>)]) -> Result<Vec<Vec<LifecycleHook>>> {
    let names: Vec<String> = fleets.iter().map(|(_, group, _)| group.name.clone()).collect();
    stream::iter(names)
        .map(|name| async move { aws.lifecycle_hooks(&name).await })
        .buffered(4)
        .try_collect()
        .await
}

/// The median of the hours in which jobs ended; the publisher says 0 when none did.
fn median(hours: &MetricSeries) -> Option<f64> {
    let mut seconds: Vec<f64> = hours
        .points
        .iter()
        .map(|point| point.value)
        .filter(|seconds| *seconds > 0.0)
        .collect();
    seconds.sort_by(f64::total_cmp);
    seconds.get(seconds.len() / 2).copied()
}
