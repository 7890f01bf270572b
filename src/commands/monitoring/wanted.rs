//! What the platform's alarms and logs are to be in this account. Pure.

use std::collections::BTreeSet;

use crate::aws::cloudwatch::{Alarm, PutMetricAlarm};
use crate::layout::alarms::{AlarmRule, Told, Watched, fleet_log_days};
use crate::layout::{FleetAlarm, FleetId, Layout};

/// What the platform's own alarms look at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Targets {
    /// `app/<name>/<id>`.
    pub(super) balancer: Option<String>,
    /// `targetgroup/<name>/<id>`.
    pub(super) backend: Option<String>,
    pub(super) database: Option<String>,
}

/// The topics, by ARN.
#[derive(Clone, Debug)]
pub(super) struct Topics {
    pub(super) operators: String,
    pub(super) scale_to_zero: String,
}

/// An alarm as the platform has it.
#[derive(Clone, Debug)]
pub(super) struct WantedAlarm {
    pub(super) name: String,
    pub(super) fleet: Option<FleetId>,
    /// The stack that makes it.
    pub(super) stack: String,
    pub(super) rule: AlarmRule,
    /// `None` when it is not known which resource it is to look at.
    pub(super) dimensions: Option<Vec<(String, String)>>,
    /// The topic that it has to tell.
    pub(super) topic: Option<String>,
}

/// A log group as the platform has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct WantedGroup {
    pub(super) name: String,
    /// The days that are right; the first is what a write would set.
    pub(super) days: Vec<i32>,
}

/// The alarms of the platform and of these fleets.
pub(super) fn alarms(
    layout: &Layout,
    fleets: &BTreeSet<FleetId>,
    targets: &Targets,
    topics: &Topics,
) -> Vec<WantedAlarm> {
    let topic = |rule: &AlarmRule| match rule.told {
        Told::Operators => Some(topics.operators.clone()),
        Told::ScaleToZero => Some(topics.scale_to_zero.clone()),
        Told::Nobody => None,
    };
    let platform = layout
        .platform_alarm_rules()
        .into_iter()
        .map(|(name, rule)| WantedAlarm {
            name,
            fleet: None,
            stack: layout.core_stack("monitoring").unwrap_or_default(),
            rule,
            dimensions: targets.dimensions(rule.watched),
            topic: topic(&rule),
        });
    let of_fleets = fleets
        .iter()
        .flat_map(|fleet| FleetAlarm::ALL.into_iter().map(move |alarm| (fleet, alarm)));
    let of_fleets = of_fleets.map(|(fleet, alarm)| {
        let rule = alarm.rule();
        let dimensions = layout.metric_dimensions(fleet).into_iter();
        WantedAlarm {
            name: layout.fleet_alarm(alarm, fleet),
            fleet: Some(fleet.clone()),
            stack: layout.fleet_alarm_stack(alarm, fleet),
            rule,
            dimensions: Some(dimensions.map(|(name, value)| (name.to_owned(), value)).collect()),
            topic: topic(&rule),
        }
    });
    platform.chain(of_fleets).collect()
}

impl Targets {
    fn dimensions(&self, watched: Watched) -> Option<Vec<(String, String)>> {
        let one = |name: &str, value: &Option<String>| Some((name.to_owned(), value.clone()?));
        let all = match watched {
            Watched::Balancer => vec![one("LoadBalancer", &self.balancer)],
            Watched::BackendTargets => vec![
                one("LoadBalancer", &self.balancer),
                one("TargetGroup", &self.backend),
            ],
            Watched::Database => vec![one("DBInstanceIdentifier", &self.database)],
            Watched::Fleet => Vec::new(),
        };
        all.into_iter().collect()
    }
}

/// The log groups of the services and of the fleets' workers. Fleets of both stages may share one by its name; then
/// the days of either are right.
pub(super) fn log_groups(layout: &Layout, fleets: &BTreeSet<FleetId>) -> Vec<WantedGroup> {
    let mut groups: Vec<WantedGroup> = layout
        .service_log_groups()
        .into_iter()
        .map(|(name, days)| WantedGroup {
            name,
            days: vec![days],
        })
        .collect();
    for fleet in fleets {
        let (name, days) = (layout.fleet_log_group(fleet), fleet_log_days(fleet.stage));
        match groups.iter_mut().find(|group| group.name == name) {
            Some(group) => {
                group.days.push(days);
                // The longest first: nothing is lost that one of them is to keep.
                group.days.sort_unstable_by(|one, other| other.cmp(one));
                group.days.dedup();
            }
            None => groups.push(WantedGroup {
                name,
                days: vec![days],
            }),
        }
    }
    groups
}

impl WantedAlarm {
    /// The call that makes the alarm right. What the platform has no say in stays as `now` has it: description, further
    /// actions, actions in other states. `None` when it is not known what the alarm is to look at.
    pub(super) fn call(&self, now: Option<&Alarm>) -> Option<PutMetricAlarm> {
        let rule = &self.rule;
        let mut actions = now.map(|alarm| alarm.actions.clone()).unwrap_or_default();
        actions.extend(self.topic.clone().filter(|topic| !actions.contains(topic)));
        let details = now.map(|alarm| alarm.details.clone()).unwrap_or_default();
        let missing = now.and_then(|alarm| alarm.missing_data.as_deref());
        let missing = missing.filter(|value| rule.missing_data.contains(value));
        Some(PutMetricAlarm {
            name: self.name.clone(),
            description: details.description,
            actions_enabled: true,
            actions,
            ok_actions: details.ok_actions,
            insufficient_data_actions: details.insufficient_data_actions,
            namespace: rule.namespace.to_owned(),
            metric: rule.metric.to_owned(),
            dimensions: self.dimensions.clone()?,
            statistic: rule.statistic.to_owned(),
            period_seconds: rule.period_seconds,
            comparison: rule.comparison.to_owned(),
            threshold: rule.threshold,
            evaluation_periods: rule.periods,
            datapoints_to_alarm: rule.periods,
            missing_data: missing
                .or(rule.missing_data.first().copied())
                .unwrap_or("missing")
                .to_owned(),
            unit: None,
        })
    }
}
