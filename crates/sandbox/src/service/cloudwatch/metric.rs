//! The data of a metric.

use std::collections::VecDeque;

use serde_json::{Value, json};

use crate::time::SimTime;

/// One-minute data is kept for 15 days (CloudWatch concepts, "Metrics retention").
const RETENTION_MILLIS: i64 = 15 * 24 * 3600 * 1000;

/// A metric of this account, valid as long as the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct MetricId(pub(super) usize);

/// What makes a metric unique.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct MetricKey {
    pub(super) namespace: String,
    pub(super) name: String,
    /// Sorted by name: their order does not matter.
    pub(super) dimensions: Vec<(String, String)>,
}

impl MetricKey {
    pub(super) fn new(namespace: &str, name: &str, dimensions: &[(&str, &str)]) -> Self {
        let mut dimensions: Vec<_> = dimensions
            .iter()
            .map(|&(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        dimensions.sort();
        Self {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            dimensions,
        }
    }

    /// From the members of a request: `Namespace`, `MetricName` and `Dimensions`.
    pub(super) fn from_input(namespace: &Value, name: &Value, dimensions: &Value) -> Self {
        let dimensions: Vec<_> = dimensions
            .as_array()
            .into_iter()
            .flatten()
            .map(|d| {
                (
                    d["Name"].as_str().unwrap_or_default(),
                    d["Value"].as_str().unwrap_or_default(),
                )
            })
            .collect();
        Self::new(
            namespace.as_str().unwrap_or_default(),
            name.as_str().unwrap_or_default(),
            &dimensions,
        )
    }

    /// The `Dimensions` member of a response.
    pub(super) fn shown_dimensions(&self) -> Value {
        self.dimensions
            .iter()
            .map(|(name, value)| json!({ "Name": name, "Value": value }))
            .collect()
    }
}

/// One publication: a single value or a statistic set.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Datum {
    pub(super) at: SimTime,
    pub(super) count: f64,
    pub(super) sum: f64,
    pub(super) min: f64,
    pub(super) max: f64,
}

impl Datum {
    pub(super) fn single(at: SimTime, value: f64) -> Self {
        Self {
            at,
            count: 1.0,
            sum: value,
            min: value,
            max: value,
        }
    }
}

/// A metric and its data, oldest first.
#[derive(Debug)]
pub(super) struct Metric {
    pub(super) key: MetricKey,
    data: VecDeque<Datum>,
}

impl Metric {
    pub(super) fn new(key: MetricKey) -> Self {
        Self {
            key,
            data: VecDeque::new(),
        }
    }

    pub(super) fn add(&mut self, datum: Datum) {
        let at = match self.data.back() {
            Some(last) if last.at > datum.at => self.data.partition_point(|d| d.at <= datum.at),
            _ => self.data.len(),
        };
        self.data.insert(at, datum);
        while self
            .data
            .front()
            .is_some_and(|d| datum.at.0 - d.at.0 > RETENTION_MILLIS)
        {
            self.data.pop_front();
        }
    }

    pub(super) fn last(&self) -> Option<SimTime> {
        self.data.back().map(|datum| datum.at)
    }

    /// The data in `from..to`, newest first: the present is asked for far more often than the past.
    pub(super) fn between(&self, from: SimTime, to: SimTime) -> impl Iterator<Item = &Datum> + Clone {
        self.data
            .iter()
            .rev()
            .skip_while(move |datum| datum.at >= to)
            .take_while(move |datum| datum.at >= from)
    }

    /// One value per period: `count` periods of `period_millis`, the last one ending at `end`.
    pub(super) fn series(
        &self,
        statistic: super::Statistic,
        period_millis: i64,
        count: usize,
        end: SimTime,
    ) -> Vec<Option<f64>> {
        let mut values = vec![None; count];
        let mut data = self.data.iter().rev().skip_while(|d| d.at >= end).peekable();
        let mut bucket = Vec::new();
        for (back, value) in values.iter_mut().rev().enumerate() {
            let from = end.0 - (back as i64 + 1) * period_millis;
            bucket.clear();
            while let Some(datum) = data.next_if(|d| d.at.0 >= from) {
                bucket.push(datum);
            }
            *value = statistic.of(bucket.iter().copied());
        }
        values
    }
}
