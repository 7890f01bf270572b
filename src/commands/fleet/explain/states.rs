//! The states of alarms as they follow from the metrics, beside those that AWS reports. Pure.

use fleet_scaling::alarm::AlarmState as Known;
use fleet_scaling::metrics::{Metric, Metrics};
use fleet_scaling::state::FleetState;
use fleet_scaling::unknown::Part;
use jiff::Timestamp;

use super::super::text::minute;
use crate::aws::cloudwatch::AlarmState;
use crate::fleet::scaling::{Facts, Model};

/// CloudWatch receives and evaluates a data point a minute or two after its time, so that its state may
/// be that of a few minutes ago.
const LATE: usize = 3;

/// A sentence for each alarm whose state does not follow from the metrics, neither now nor a few minutes ago.
pub(super) fn differences(
    model: &Model,
    facts: &Facts,
    state: &FleetState,
    metrics: &Metrics,
    now: Timestamp,
) -> Vec<String> {
    let earlier: Vec<Metrics> = (0..=LATE).map(|minutes| metrics.ago(minutes)).collect();
    let others = of_other_units(model, facts, metrics);
    model
        .config
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
        .chain(others)
        .collect()
}

/// Alarms on points of one unit take no part, because AWS does not say which units a metric has. One that sees no data
/// where the metric has some tells it.
fn of_other_units(model: &Model, facts: &Facts, metrics: &Metrics) -> Vec<String> {
    let on_a_unit = |name: &str| {
        model.left_out.iter().any(|left_out| {
            matches!(left_out.part, Some((Part::Unit | Part::ScaleToZero, _)))
                && left_out.what.contains(&format!("`{name}`"))
        })
    };
    facts
        .alarms
        .values()
        .filter(|alarm| alarm.state == AlarmState::InsufficientData && on_a_unit(&alarm.name))
        .filter_map(|alarm| {
            let unit = alarm.details.unit.as_ref()?;
            let metric = Metric::new(alarm.metric.as_ref()?);
            metrics.newest(&metric)?;
            Some(format!(
                "AWS reports alarm `{}` as INSUFFICIENT_DATA, and {metric} has data: it counts only points with the unit \
                 {unit}, and the metric's have none or another one",
                alarm.name
            ))
        })
        .collect()
}
