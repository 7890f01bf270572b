//! The states of alarms as they follow from the metrics, beside those that AWS reports. Pure.

use fleet_scaling::alarm::AlarmState as Known;
use fleet_scaling::config::FleetConfig;
use fleet_scaling::metrics::Metrics;
use fleet_scaling::state::FleetState;
use jiff::Timestamp;

use super::super::text::minute;
use crate::fleet::scaling::Facts;

/// CloudWatch receives and evaluates a data point a minute or two after its time, so that its state may
/// be that of a few minutes ago.
const LATE: usize = 3;

/// A sentence for each alarm whose state does not follow from the metrics, neither now nor a few minutes ago.
pub(super) fn differences(
    config: &FleetConfig,
    facts: &Facts,
    state: &FleetState,
    metrics: &Metrics,
    now: Timestamp,
) -> Vec<String> {
    let earlier: Vec<Metrics> = (0..=LATE).map(|minutes| metrics.ago(minutes)).collect();
    config
        .alarms()
        .iter()
        .enumerate()
        .filter_map(|(position, alarm)| {
            let reported = facts.alarms.get(&alarm.name)?;
            let says = state.alarm(position);
            let follows = |metrics: &Metrics| alarm.evaluate(metrics, Known::InsufficientData).state;
            if earlier.iter().any(|metrics| follows(metrics) == says) {
                return None;
            }
            let since = reported
                .since
                .filter(|since| *since <= now)
                .map_or_else(String::new, |since| format!(" since {}", minute(since)));
            let verdict = alarm.evaluate(metrics, says);
            let why = match (says, verdict.real) {
                (Known::InsufficientData, 1..) => {
                    "it sees no data where there is some: a unit or dimension that the metric does not have, or an \
                     alarm that is new"
                }
                (_, 0) => "it saw data that are not here: they came late, or the metric was asked for otherwise",
                _ => {
                    "the points that CloudWatch evaluates are others than these, or it looks back further than N points, \
                     by how many is not published"
                }
            };
            Some(format!(
                "AWS reports alarm `{}` as {says}{since}, and from the metrics it follows that it is {}: {why}",
                alarm.name, verdict.state
            ))
        })
        .collect()
}
