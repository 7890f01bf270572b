//! Why an alarm is in its state, in the words and the JSON that CloudWatch uses.

use fleet_scaling::alarm::{AlarmState, Evaluation, MissingData};
use serde_json::json;

use super::AlarmSpec;
use crate::time::SimTime;

/// A data point that an evaluation looked at: the start of its period and its value.
pub(super) type Point = (SimTime, f64);

/// The `StateReason` sentence. `points` are newest first, as CloudWatch lists them.
pub(super) fn sentence(spec: &AlarmSpec, evaluation: &Evaluation, points: &[Point]) -> String {
    let rule = &spec.rule;
    let periods = rule.evaluation_periods;
    let filled = evaluation.filled;
    if evaluation.state == AlarmState::InsufficientData {
        return format!(
            "Insufficient Data: {periods} {} unknown.",
            if periods == 1 {
                "datapoint was"
            } else {
                "datapoints were"
            }
        );
    }
    let treated = match rule.missing_data {
        MissingData::Breaching => Some("Breaching"),
        MissingData::NotBreaching => Some("NonBreaching"),
        _ => None,
    }
    .filter(|_| filled > 0)
    .map(|how| {
        let (noun, verb) = if filled == 1 {
            ("datapoint", "was")
        } else {
            ("datapoints", "were")
        };
        format!("{filled} missing {noun} {verb} treated as [{how}]")
    });
    if points.is_empty() {
        let received = format!(
            "Threshold Crossed: no datapoints were received for {periods} {}",
            if periods == 1 { "period" } else { "periods" }
        );
        return match treated {
            Some(treated) => format!("{received} and {treated}."),
            None => format!("{received}."),
        };
    }
    let alarming = evaluation.state == AlarmState::Alarm;
    let listed: Vec<_> = points
        .iter()
        .filter(|(_, value)| rule.comparison.breaches(*value, rule.threshold) == alarming)
        .collect();
    // A filled-in point can decide an ALARM on its own; then the real points are what there is to show.
    let listed = if listed.is_empty() {
        points.iter().collect()
    } else {
        listed
    };
    let values: Vec<String> = listed
        .iter()
        .map(|(at, value)| format!("{} ({})", number(*value), date(*at)))
        .collect();
    let counted = format!(
        "{} out of the last {} {}",
        listed.len(),
        points.len(),
        if points.len() == 1 {
            "datapoint"
        } else {
            "datapoints"
        }
    );
    // CloudWatch writes "1 datapoints" for an alarm of one period.
    let counted = if filled == 0 {
        counted.replace("last 1 datapoint", "last 1 datapoints")
    } else {
        counted
    };
    let verb = if listed.len() == 1 { "was" } else { "were" };
    let not = if alarming { "" } else { "not " };
    let least = if alarming {
        rule.datapoints_to_alarm
    } else {
        periods - rule.datapoints_to_alarm + 1
    };
    let tail = treated.map_or_else(String::new, |treated| format!(" and {treated}"));
    let transition = if alarming { "OK -> ALARM" } else { "ALARM -> OK" };
    format!(
        "Threshold Crossed: {counted} [{}] {verb} {not}{} the threshold ({}){tail} (minimum {least} {} for \
         {transition} transition).",
        values.join(", "),
        rule.comparison.phrase(),
        number(rule.threshold),
        if least == 1 { "datapoint" } else { "datapoints" },
    )
}

/// The `StateReasonData` document.
pub(super) fn data(spec: &AlarmSpec, points: &[Point], now: SimTime) -> String {
    let values: Vec<f64> = points.iter().rev().map(|(_, value)| *value).collect();
    let start = points.last().map_or(now, |(at, _)| *at);
    let evaluated: Vec<_> = points
        .iter()
        .map(|(at, value)| json!({ "timestamp": stamp(*at), "value": value }))
        .collect();
    json!({
        "version": "1.0",
        "queryDate": stamp(now),
        "startDate": stamp(start),
        "statistic": spec.statistic.name(),
        "period": spec.period,
        "recentDatapoints": values,
        "threshold": spec.rule.threshold,
        "evaluatedDatapoints": evaluated,
    })
    .to_string()
}

/// `2026-01-15T09:00:00.000+0000`.
pub(super) fn stamp(at: SimTime) -> String {
    at.iso8601().replace('Z', "+0000")
}

/// `15/01/26 09:00:00`.
fn date(at: SimTime) -> String {
    let iso = at.iso8601();
    format!("{}/{}/{} {}", &iso[8..10], &iso[5..7], &iso[2..4], &iso[11..19])
}

/// A number as Java prints a double: `97.0`, `0.337675`, `2.147483648E9`.
fn number(value: f64) -> String {
    let size = value.abs();
    if size != 0.0 && !(1e-3..1e7).contains(&size) {
        let text = format!("{value:E}");
        return match text.split_once('E') {
            Some((mantissa, exponent)) if !mantissa.contains('.') => format!("{mantissa}.0E{exponent}"),
            _ => text,
        };
    }
    format!("{value:?}")
}

#[cfg(test)]
mod tests {
    use fleet_scaling::alarm::{AlarmRule, Comparison};

    use super::*;
    use crate::service::cloudwatch::Statistic;

    fn spec(comparison: Comparison, threshold: f64, periods: usize, missing: MissingData) -> AlarmSpec {
        AlarmSpec {
            name: "a".to_owned(),
            description: None,
            namespace: "n".to_owned(),
            metric: "m".to_owned(),
            dimensions: Vec::new(),
            statistic: Statistic::Average,
            period: 60,
            rule: AlarmRule {
                comparison,
                threshold,
                evaluation_periods: periods,
                datapoints_to_alarm: periods,
                missing_data: missing,
            },
            alarm_actions: Vec::new(),
            ok_actions: Vec::new(),
            insufficient_data_actions: Vec::new(),
            actions_enabled: true,
            unit: None,
        }
    }

    /// 2026-01-15T09:00:00Z.
    const NINE: SimTime = SimTime(1_768_467_600_000);

    fn why(spec: &AlarmSpec, values: &[Option<f64>], previous: AlarmState) -> String {
        let evaluation = spec.rule.evaluate(values, previous);
        let points: Vec<Point> = evaluation
            .used
            .iter()
            .map(|&at| (SimTime(NINE.0 + at as i64 * 60_000), values[at].unwrap()))
            .collect();
        sentence(spec, &evaluation, &points)
    }

    #[test]
    fn a_crossed_threshold_in_both_directions() {
        let spec = spec(
            Comparison::GreaterThanOrEqualToThreshold,
            95.0,
            1,
            MissingData::Missing,
        );
        assert_eq!(
            why(&spec, &[Some(97.0)], AlarmState::Ok),
            "Threshold Crossed: 1 out of the last 1 datapoints [97.0 (15/01/26 09:00:00)] was greater than or \
             equal to the threshold (95.0) (minimum 1 datapoint for OK -> ALARM transition)."
        );
        assert_eq!(
            why(&spec, &[Some(40.5)], AlarmState::Alarm),
            "Threshold Crossed: 1 out of the last 1 datapoints [40.5 (15/01/26 09:00:00)] was not greater than or \
             equal to the threshold (95.0) (minimum 1 datapoint for ALARM -> OK transition)."
        );
    }

    #[test]
    fn several_points_are_listed_newest_first() {
        let spec = spec(
            Comparison::LessThanThreshold,
            2_147_483_648.0,
            2,
            MissingData::Missing,
        );
        assert_eq!(
            why(&spec, &[Some(1.2e9), Some(1.0)], AlarmState::Ok),
            "Threshold Crossed: 2 out of the last 2 datapoints [1.0 (15/01/26 09:01:00), 1.2E9 (15/01/26 09:00:00)] \
             were less than the threshold (2.147483648E9) (minimum 2 datapoints for OK -> ALARM transition)."
        );
    }

    #[test]
    fn silence_is_named_and_what_it_was_taken_for() {
        let breaching = spec(
            Comparison::LessThanOrEqualToThreshold,
            0.0,
            15,
            MissingData::Breaching,
        );
        assert_eq!(
            why(&breaching, &[None; 17], AlarmState::Ok),
            "Threshold Crossed: no datapoints were received for 15 periods and 15 missing datapoints were treated \
             as [Breaching]."
        );
        let missing = spec(Comparison::GreaterThanThreshold, 2.0, 3, MissingData::Missing);
        assert_eq!(
            why(&missing, &[None; 5], AlarmState::Ok),
            "Insufficient Data: 3 datapoints were unknown."
        );
    }
}
