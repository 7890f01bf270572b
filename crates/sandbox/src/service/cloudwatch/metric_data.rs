//! `GetMetricData`: many metrics, and simple math on them, in one call.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::expression::Expression;
use super::metric::MetricKey;
use super::metrics_api::{period_millis, window};
use super::{Statistic, validation};
use crate::error::{ApiError, OpResult};
use crate::service::paging::page;
use crate::time::SimTime;
use crate::world::World;

/// Queries in one request.
const MOST_QUERIES: usize = 500;
/// Data points in one response.
const MOST_POINTS: usize = 100_800;

/// Values by the start of their period.
pub(super) type Series = BTreeMap<i64, f64>;

pub(super) fn get_metric_data(world: &mut World, input: &Value) -> OpResult {
    let queries = input["MetricDataQueries"].as_array().cloned().unwrap_or_default();
    if queries.len() > MOST_QUERIES {
        return Err(validation(format!(
            "The collection MetricDataQueries must not have a size greater than {MOST_QUERIES}."
        )));
    }
    let (start, end) = window(&input["StartTime"], &input["EndTime"])?;
    let mut results = Results::new(world, &queries, start, end);
    let mut shown = Vec::new();
    for query in &queries {
        let id = query["Id"].as_str().unwrap_or_default();
        let series = results.of(id)?;
        if query["ReturnData"].as_bool().unwrap_or(true) {
            let descending = input["ScanBy"].as_str() != Some("TimestampAscending");
            shown.push(result(query, &series, descending));
        }
    }
    let budget = input["MaxDatapoints"]
        .as_u64()
        .map_or(MOST_POINTS, |most| usize::try_from(most).unwrap_or(MOST_POINTS))
        .min(MOST_POINTS);
    respond(shown, input["NextToken"].as_str(), budget)
}

/// As many whole results as fit, at least one.
fn respond(shown: Vec<Value>, token: Option<&str>, budget: usize) -> OpResult {
    let bad_token = |_| ApiError::client("InvalidNextToken", "The next token specified is invalid.");
    let rest = page(shown.iter().collect(), token, shown.len())
        .map_err(bad_token)?
        .0;
    let mut points = 0;
    let fitting = rest
        .iter()
        .take_while(|result| {
            points += result["Values"].as_array().map_or(0, Vec::len);
            points <= budget
        })
        .count()
        .max(1);
    let (results, next) = page(shown, token, fitting).map_err(bad_token)?;
    let mut output = json!({ "MetricDataResults": results, "Messages": [] });
    if let Some(next) = next {
        output["NextToken"] = json!(next);
    }
    Ok(output)
}

fn result(query: &Value, series: &Series, descending: bool) -> Value {
    let label = query["Label"]
        .as_str()
        .or_else(|| query["MetricStat"]["Metric"]["MetricName"].as_str())
        .or_else(|| query["Id"].as_str());
    let mut points: Vec<_> = series.iter().collect();
    if descending {
        points.reverse();
    }
    let (timestamps, values): (Vec<f64>, Vec<f64>) = points
        .into_iter()
        .map(|(at, value)| (SimTime(*at).epoch_seconds(), *value))
        .unzip();
    json!({
        "Id": query["Id"],
        "Label": label,
        "Timestamps": timestamps,
        "Values": values,
        "StatusCode": "Complete",
    })
}

/// The results of a request's queries, each worked out once and only when something asks for it.
struct Results<'a> {
    world: &'a World,
    queries: BTreeMap<&'a str, &'a Value>,
    start: SimTime,
    end: SimTime,
    done: BTreeMap<String, Series>,
    /// Ids whose expression is being worked out: one that comes up again refers to itself.
    open: Vec<String>,
}

impl<'a> Results<'a> {
    fn new(world: &'a World, queries: &'a [Value], start: SimTime, end: SimTime) -> Self {
        Self {
            world,
            queries: queries
                .iter()
                .map(|query| (query["Id"].as_str().unwrap_or_default(), query))
                .collect(),
            start,
            end,
            done: BTreeMap::new(),
            open: Vec::new(),
        }
    }

    fn of(&mut self, id: &str) -> Result<Series, ApiError> {
        if let Some(series) = self.done.get(id) {
            return Ok(series.clone());
        }
        let Some(query) = self.queries.get(id).copied() else {
            return Err(validation(format!(
                "Error in expression: the id '{id}' is not defined in this request"
            )));
        };
        if self.open.iter().any(|open| open == id) {
            return Err(validation(format!(
                "Error in expression '{id}': circular dependency"
            )));
        }
        let series = match query["Expression"].as_str() {
            None => self.metric(query)?,
            Some(text) => {
                let expression = Expression::parse(text)
                    .map_err(|why| validation(format!("Error in expression '{id}': {why}")))?;
                self.open.push(id.to_owned());
                let mut inputs = BTreeMap::new();
                for name in expression.ids() {
                    inputs.insert(name.clone(), self.of(&name)?);
                }
                self.open.pop();
                expression.evaluate(&inputs)
            }
        };
        self.done.insert(id.to_owned(), series.clone());
        Ok(series)
    }

    fn metric(&self, query: &Value) -> Result<Series, ApiError> {
        let stat = &query["MetricStat"];
        let name = stat["Stat"].as_str().unwrap_or_default();
        let statistic = Statistic::parse(name)
            .ok_or_else(|| validation(format!("The value {name} for parameter MetricDataQueries.member.1.MetricStat.Stat is not a valid statistic.")))?;
        let period = period_millis(&stat["Period"])?;
        let metric = &stat["Metric"];
        let key = MetricKey::from_input(&metric["Namespace"], &metric["MetricName"], &metric["Dimensions"]);
        let state = &self.world.services.cloudwatch;
        let Some(id) = state.by_key.get(&key) else {
            return Ok(Series::new());
        };
        let first = self.start.0.div_euclid(period) * period;
        let count = (self.end.0 - first + period - 1) / period;
        let last = SimTime(first + count * period);
        let count = usize::try_from(count).unwrap_or_default();
        if count > MOST_POINTS {
            return Err(validation(format!(
                "You have requested up to {count} datapoints, which exceeds the limit of {MOST_POINTS}."
            )));
        }
        Ok(state.metrics[id.0]
            .series(statistic, period, count, last)
            .into_iter()
            .enumerate()
            .filter_map(|(position, value)| Some((first + position as i64 * period, value?)))
            .collect())
    }
}
