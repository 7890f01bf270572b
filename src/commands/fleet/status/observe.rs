//! The reads behind `fleet status`: two round trips, whatever the number of fleets.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::try_join_all;
use jiff::Timestamp;

use crate::aws::Aws;
use crate::aws::autoscaling::Activity;
use crate::aws::cloudwatch::Alarm;
use crate::aws::ssm::Parameter;
use crate::error::Result;
use crate::fleet::hold::Hold;
use crate::fleet::{
    AlarmView, Fleet, Gap, Pointers, Signals, alarm_names, assemble, judge, parameter_names, read_signals,
    select,
};
use crate::layout::{FleetId, Layout};

/// Up to this many fleets the last activity of each is asked for; beyond, those of the whole region.
const ONE_BY_ONE: usize = 3;

/// How far back the activities of the whole region are read.
const LATELY: Duration = Duration::from_secs(24 * 60 * 60);

/// How many pages of a hundred activities of the whole region are read to find the fleets' last ones.
const ACTIVITY_PAGES: usize = 2;

/// What was seen, by fleet.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) fleets: Vec<Fleet>,
    pub(super) missing: BTreeMap<FleetId, Vec<&'static str>>,
    pub(super) signals: BTreeMap<FleetId, Signals>,
    pub(super) pointers: BTreeMap<FleetId, Pointers>,
    /// By the name of the group.
    pub(super) activities: BTreeMap<String, Activity>,
    pub(super) alarms: BTreeMap<FleetId, Vec<AlarmView>>,
    /// The images that instances run, by instance: Auto Scaling does not say it of groups with a mixed instances policy.
    pub(super) images: BTreeMap<String, String>,
    /// Holds in force.
    pub(super) holds: BTreeMap<FleetId, Hold>,
    pub(super) gaps: Vec<Gap>,
}

/// Looks at `names`, or at every fleet when there are none.
///
/// # Errors
/// Only when the groups cannot be read or a name is unknown; everything else becomes a gap.
pub(super) async fn observe(aws: &Aws, layout: &Layout, names: &[FleetId]) -> Result<Seen> {
    // Parameters need no list of fleets: they tell of fleets themselves.
    let (groups, stacks, parameters) =
        futures::join!(aws.groups(), aws.stacks(), parameters(aws, layout, names));
    let mut seen = Seen::default();
    let parameters = or_gap(parameters, "parameters", &mut seen.gaps);
    let stacks = or_gap(stacks, "stacks", &mut seen.gaps);
    let known = assemble(layout, groups?, &stacks, parameters.keys().map(String::as_str));
    seen.fleets = select(&known, names)?;

    let ids: Vec<FleetId> = seen.fleets.iter().map(|fleet| fleet.id.clone()).collect();
    let alarm_names: Vec<String> = ids.iter().flat_map(|id| alarm_names(layout, id)).collect();
    let group_names: Vec<String> = seen
        .fleets
        .iter()
        .filter_map(|fleet| fleet.group.as_ref().map(|group| group.name.clone()))
        .collect();
    let instances: Vec<String> = seen
        .fleets
        .iter()
        .filter_map(|fleet| fleet.group.as_ref())
        .flat_map(|group| group.instances.iter().map(|instance| instance.id.clone()))
        .collect();
    let ((signals, no_signals), alarms, activities, machines) = futures::join!(
        read_signals(aws, layout, &ids),
        aws.alarms_named(&alarm_names),
        last_activities(aws, &group_names),
        aws.machines(&instances)
    );
    seen.images = or_gap(machines, "instances", &mut seen.gaps)
        .into_iter()
        .filter_map(|(id, machine)| Some((id, machine.image?)))
        .collect();
    seen.signals = signals;
    if let Some(error) = no_signals {
        seen.gaps.push(Gap::new("metrics", &error));
    }
    seen.activities = or_gap(activities, "scaling activities", &mut seen.gaps);
    let alarms_known = alarms.is_ok();
    let alarms: BTreeMap<String, Alarm> = or_gap(alarms, "alarms", &mut seen.gaps)
        .into_iter()
        .map(|alarm| (alarm.name.clone(), alarm))
        .collect();
    for fleet in &seen.fleets {
        let id = &fleet.id;
        let record = layout.hold_parameter(id);
        match parameters
            .get(&record)
            .map(|text| Hold::read(&record, text.value.expose()))
        {
            Some(Ok(hold)) if !hold.is_released() => {
                seen.holds.insert(id.clone(), hold);
            }
            Some(Err(error)) => seen.gaps.push(Gap::new("holds", &error)),
            Some(Ok(_)) | None => {}
        }
        let pointers = Pointers::of(layout, id, &parameters);
        seen.missing
            .insert(id.clone(), missing(layout, fleet, &pointers, &seen.gaps));
        seen.pointers.insert(id.clone(), pointers);
        if alarms_known {
            let desired = fleet.group.as_ref().map(|group| group.desired);
            seen.alarms
                .insert(id.clone(), judge(layout, id, desired, &alarms));
        }
    }
    Ok(seen)
}

/// What a whole fleet has and this one has not, as far as it could be read.
fn missing(layout: &Layout, fleet: &Fleet, pointers: &Pointers, gaps: &[Gap]) -> Vec<&'static str> {
    let looked_at = |what: &str| gaps.iter().all(|gap| gap.what != what);
    let mut missing = fleet.missing();
    missing.retain(|part| *part != "stack" || looked_at("stacks"));
    if looked_at("parameters") {
        let parts = [
            ("AMI pointer", pointers.ami.is_none()),
            ("bundle pointer", pointers.bundle.is_none()),
            (
                "desired configuration",
                pointers.desired_config.is_none() && layout.desired_config_parameter(&fleet.id).is_some(),
            ),
        ];
        missing.extend(
            parts
                .into_iter()
                .filter(|(_, absent)| *absent)
                .map(|(part, _)| part),
        );
    }
    missing
}

fn or_gap<T: Default>(result: Result<T>, what: &'static str, gaps: &mut Vec<Gap>) -> T {
    result.unwrap_or_else(|error| {
        gaps.push(Gap::new(what, &error));
        T::default()
    })
}

/// The fleets' parameters: by name for named fleets, ten a call; by path for all of them, which takes
/// as many calls as there are pages and tells of fleets that have nothing else.
async fn parameters(aws: &Aws, layout: &Layout, names: &[FleetId]) -> Result<BTreeMap<String, Parameter>> {
    if !names.is_empty() {
        let of = |id| {
            let hold = layout.hold_parameter(id);
            parameter_names(layout, id).into_iter().chain([hold])
        };
        let names: Vec<String> = names.iter().flat_map(of).collect();
        return Ok(aws.parameters(&names).await?.found);
    }
    let paths: Vec<_> = layout
        .fleet_stages()
        .into_iter()
        .flat_map(|stage| layout.fleet_parameter_paths(stage))
        .collect();
    let lists = try_join_all(
        paths
            .iter()
            .map(|path| aws.parameters_under(&path.path, path.recursive)),
    )
    .await?;
    let all = lists.into_iter().flatten();
    Ok(all.map(|parameter| (parameter.name.clone(), parameter)).collect())
}

async fn last_activities(aws: &Aws, groups: &[String]) -> Result<BTreeMap<String, Activity>> {
    if groups.len() > ONE_BY_ONE {
        let since = aws.clock().now().checked_sub(LATELY).unwrap_or(Timestamp::MIN);
        return aws.latest_activities(groups, since, ACTIVITY_PAGES).await;
    }
    let newest = try_join_all(groups.iter().map(|group| aws.activities(group, 1))).await?;
    let all = newest.into_iter().flatten();
    Ok(all.map(|activity| (activity.group.clone(), activity)).collect())
}
