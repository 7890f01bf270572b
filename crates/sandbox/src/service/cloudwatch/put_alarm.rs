//! `PutMetricAlarm` (CloudWatch API Reference).
//!
//! An alarm of this name is overwritten completely and keeps its state; what the request leaves out is gone.

use fleet_scaling::alarm::{AlarmRule, Comparison, MissingData};
use serde_json::{Value, json};

use super::{AlarmSpec, Statistic, alarm, validation};
use crate::error::{ApiError, OpResult};
use crate::service::autoscaling;
use crate::service::member::{flag, integer, list, text, texts};
use crate::world::World;

/// A day, which an alarm on periods of less than an hour can look back; others look back a week.
const DAY: i64 = 86_400;

pub(super) fn put_metric_alarm(world: &mut World, input: &Value) -> OpResult {
    let spec = read(input)?;
    let name = spec.name.clone();
    let arn = format!(
        "arn:aws:cloudwatch:{}:{}:alarm:{name}",
        world.options.region, world.options.account_id
    );
    autoscaling::disconnect(world, &name);
    for policy in &spec.alarm_actions {
        autoscaling::connect(world, policy, &name, &arn);
    }
    alarm::put(world, spec);
    Ok(json!({}))
}

fn needed<'a>(input: &'a Value, name: &str) -> Result<&'a str, ApiError> {
    text(input, name).ok_or_else(|| missing(name))
}

fn missing(name: &str) -> ApiError {
    let message = format!("The parameter {name} is required when the alarm is on one metric.");
    ApiError::client("MissingParameter", message)
}

fn read(input: &Value) -> Result<AlarmSpec, ApiError> {
    if input.get("Metrics").is_some() || input.get("ThresholdMetricId").is_some() {
        return Err(validation(
            "The sandbox evaluates alarms on one metric; metric math of an alarm is not simulated.",
        ));
    }
    let statistic = match (text(input, "Statistic"), text(input, "ExtendedStatistic")) {
        (Some(name), None) | (None, Some(name)) => Statistic::parse(name),
        _ => None,
    };
    let statistic = statistic
        .ok_or_else(|| validation("Exactly one of statistic and extendedStatistic must be specified"))?;
    let comparison: Comparison = needed(input, "ComparisonOperator")?
        .parse()
        .map_err(|_| validation("Value at 'comparisonOperator' failed to satisfy constraint"))?;
    let missing_data: MissingData = text(input, "TreatMissingData")
        .unwrap_or("missing")
        .parse()
        .map_err(|_| validation("Value at 'treatMissingData' failed to satisfy constraint"))?;
    let period = integer(input, "Period").ok_or_else(|| missing("Period"))?;
    // "Valid values are 10, 20, 30, and any multiple of 60." High-resolution metrics are not simulated.
    if period < 60 || period % 60 != 0 {
        return Err(validation("Period must be 10, 20, 30 or a multiple of 60"));
    }
    let periods = integer(input, "EvaluationPeriods").ok_or_else(|| missing("EvaluationPeriods"))?;
    let points = integer(input, "DatapointsToAlarm").unwrap_or(periods);
    if !(1..=periods).contains(&points) {
        return Err(validation(
            "DatapointsToAlarm must be at least one and at most EvaluationPeriods",
        ));
    }
    let most = if period < 3600 { DAY } else { 7 * DAY };
    if period.saturating_mul(periods) > most {
        return Err(validation(format!(
            "Metrics cannot be checked across more than {most} seconds (EvaluationPeriods * Period must be <= {most})"
        )));
    }
    let dimensions = list(input, "Dimensions").iter().filter_map(|one| {
        let (name, value) = (text(one, "Name")?, text(one, "Value")?);
        Some((name.to_owned(), value.to_owned()))
    });
    Ok(AlarmSpec {
        name: needed(input, "AlarmName")?.to_owned(),
        description: text(input, "AlarmDescription").map(str::to_owned),
        namespace: needed(input, "Namespace")?.to_owned(),
        metric: needed(input, "MetricName")?.to_owned(),
        dimensions: dimensions.collect(),
        statistic,
        period,
        rule: AlarmRule {
            comparison,
            threshold: input["Threshold"].as_f64().ok_or_else(|| missing("Threshold"))?,
            evaluation_periods: usize::try_from(periods).unwrap_or(1),
            datapoints_to_alarm: usize::try_from(points).unwrap_or(1),
            missing_data,
        },
        alarm_actions: texts(input, "AlarmActions"),
        ok_actions: texts(input, "OKActions"),
        insufficient_data_actions: texts(input, "InsufficientDataActions"),
        actions_enabled: flag(input, "ActionsEnabled").unwrap_or(true),
        unit: text(input, "Unit").map(str::to_owned),
    })
}
