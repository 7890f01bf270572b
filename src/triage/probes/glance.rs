//! What changes from minute to minute, in the fewest calls: for a view that stays open between two whole looks.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::join;

use super::awaited;
use super::deadline::{Deadline, needed};
use super::{fleets, metrics, platform, services};
use crate::aws::Aws;
use crate::layout::{FleetId, Layout};
use crate::triage::snapshot::{
    Activity, Alarm, Blind, Checked, FleetGroup, FleetMetrics, Policy, Probe, Rollout, Service, Snapshot,
};

/// What is asked beside services, groups and alarms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Beside {
    /// Deployments and scaling activities: three calls.
    pub(crate) events: bool,
    /// The metrics of the fleets: one call for 166 fleets. They have a value a minute.
    pub(crate) metrics: bool,
}

/// What was seen; `None`: not asked this time.
#[derive(Clone, Debug)]
pub(crate) struct Glance {
    pub(crate) services: Checked<Vec<Service>>,
    pub(crate) groups: Checked<Vec<FleetGroup>>,
    pub(crate) alarms: Checked<Vec<Alarm>>,
    pub(crate) fleet_alarms: Checked<Vec<Alarm>>,
    pub(crate) rollouts: Option<Checked<Vec<Rollout>>>,
    pub(crate) activities: Option<Checked<Vec<Activity>>>,
    pub(crate) fleet_metrics: Option<Checked<BTreeMap<FleetId, FleetMetrics>>>,
}

impl Glance {
    /// The same part of a whole look.
    pub(crate) fn of(snapshot: &Snapshot) -> Self {
        Self {
            services: snapshot.services.clone(),
            groups: snapshot.groups.clone(),
            alarms: snapshot.alarms.clone(),
            fleet_alarms: snapshot.fleet_alarms.clone(),
            rollouts: Some(snapshot.rollouts.clone()),
            activities: Some(snapshot.activities.clone()),
            fleet_metrics: Some(snapshot.fleet_metrics.clone()),
        }
    }

    /// Why parts were not seen, of what was asked.
    pub(crate) fn blind(&self) -> Vec<&Blind> {
        let all = [
            self.services.as_ref().err(),
            self.groups.as_ref().err(),
            self.alarms.as_ref().err(),
            self.fleet_alarms.as_ref().err(),
            blind(self.rollouts.as_ref()),
            blind(self.activities.as_ref()),
            blind(self.fleet_metrics.as_ref()),
        ];
        all.into_iter().flatten().collect()
    }

    /// Whether nothing that was asked was seen.
    pub(crate) fn is_blind(&self) -> bool {
        let asked = [
            self.rollouts.is_some(),
            self.activities.is_some(),
            self.fleet_metrics.is_some(),
        ];
        self.blind().len() == 4 + asked.iter().filter(|asked| **asked).count()
    }
}

fn blind<T>(answer: Option<&Checked<T>>) -> Option<&Blind> {
    answer.and_then(|answer| answer.as_ref().err())
}

/// Looks at it: DescribeServices, DescribeAutoScalingGroups and DescribeAlarms, each with all names in one call as far as
/// the API takes them. Never fails as a whole. `policies` are those of the last whole look: they name alarms.
pub(crate) async fn glance(
    aws: &Aws,
    layout: &Layout,
    policies: &BTreeMap<String, Vec<Policy>>,
    beside: Beside,
    timeout: Duration,
) -> Glance {
    let deadline = &Deadline::begin(aws.clock(), timeout);
    let groups = awaited(deadline.check(fleets::groups(aws, layout, &[])));
    let known = awaited(async {
        let groups = groups.clone().await;
        needed(&groups, Probe::Groups).map(|groups| fleets::ids(groups))
    });
    let fleet_alarms = async {
        let known: BTreeSet<FleetId> = known.clone().await?;
        deadline
            .check(fleets::alarms(aws, layout, &known, policies))
            .await
    };
    let events = async {
        if !beside.events {
            return (None, None);
        }
        let rollouts = deadline.check(services::rollouts(aws, layout));
        let activities = deadline.check(fleets::activities(aws, deadline, layout));
        let (rollouts, activities) = join(rollouts, activities).await;
        (Some(rollouts), Some(activities))
    };
    let fleet_metrics = async {
        if !beside.metrics {
            return None;
        }
        let known = match known.clone().await {
            Ok(known) => known,
            Err(blind) => return Some(Err(blind)),
        };
        let read = metrics::fleets(aws, deadline, layout, &known);
        Some(deadline.check(read).await)
    };
    let services = deadline.check(services::services(aws, layout));
    let alarms = deadline.check(platform::alarms(aws, layout));
    // On the heap: a handful of requests of the SDK side by side is much for a stack.
    let (groups, services, alarms, fleet_alarms, (rollouts, activities), fleet_metrics) = futures::join!(
        groups.clone(),
        services,
        alarms,
        fleet_alarms.boxed_local(),
        events.boxed_local(),
        fleet_metrics.boxed_local()
    );
    Glance {
        services,
        groups,
        alarms,
        fleet_alarms,
        rollouts,
        activities,
        fleet_metrics,
    }
}
