//! GetMetricData: many metrics in few calls.

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::types::{
    Dimension, Metric, MetricDataQuery, MetricDataResult, MetricStat, ScanBy, StatusCode,
};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;
use serde::Serialize;

use super::super::Aws;
use super::super::convert::{date_time, timestamp};
use super::super::pages::Pages;
use crate::error::{CtlError, ErrorKind, Result};

/// "A single GetMetricData call can include up to 500 MetricDataQuery structures" (CloudWatch API Reference).
const BATCH: usize = 500;

/// How many batches are under way at once.
const CONCURRENT: usize = 4;

/// How the raw values of a period become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Statistic {
    Average,
    Maximum,
    Minimum,
    /// How many values were published.
    SampleCount,
    Sum,
}

impl Statistic {
    fn as_str(self) -> &'static str {
        match self {
            Self::Average => "Average",
            Self::Maximum => "Maximum",
            Self::Minimum => "Minimum",
            Self::SampleCount => "SampleCount",
            Self::Sum => "Sum",
        }
    }
}

/// One metric to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MetricQuery {
    pub(crate) namespace: &'static str,
    pub(crate) metric: &'static str,
    pub(crate) dimensions: Vec<(&'static str, String)>,
    pub(crate) statistic: Statistic,
    /// A multiple of 60.
    pub(crate) period_seconds: i32,
}

/// A value and the start of its period.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Datapoint {
    pub(crate) at: Timestamp,
    pub(crate) value: f64,
}

/// What CloudWatch knows of one metric.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct MetricSeries {
    /// The newest first. Empty when nothing was published.
    pub(crate) points: Vec<Datapoint>,
    /// Why the points may be missing although they were published (`Forbidden`, `InternalError`):
    /// a decision on an empty series must look here first.
    pub(crate) trouble: Option<String>,
}

impl MetricSeries {
    /// The newest point.
    pub(crate) fn latest(&self) -> Option<Datapoint> {
        self.points.first().copied()
    }
}

impl Aws {
    /// The points of every query between `from` and `to`, in the order of the queries.
    pub(crate) async fn metric_data(
        &self,
        queries: &[MetricQuery],
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<MetricSeries>> {
        if queries.is_empty() {
            return Ok(Vec::new());
        }
        read(&self.cloudwatch_client().await?, queries, from, to).await
    }

    /// The same of services that have no region.
    pub(crate) async fn global_metric_data(
        &self,
        queries: &[MetricQuery],
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<MetricSeries>> {
        if queries.is_empty() {
            return Ok(Vec::new());
        }
        read(&self.global_cloudwatch_client().await?, queries, from, to).await
    }
}

async fn read(
    client: &Client,
    queries: &[MetricQuery],
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<MetricSeries>> {
    let batches: Vec<Vec<MetricSeries>> = stream::iter(queries.chunks(BATCH).map(<[_]>::to_vec))
        .map(|batch| read_batch(client, batch, from, to))
        .buffered(CONCURRENT)
        .try_collect()
        .await?;
    Ok(batches.into_iter().flatten().collect())
}

async fn read_batch(
    client: &Client,
    queries: Vec<MetricQuery>,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<MetricSeries>> {
    let stream = client
        .get_metric_data()
        .set_metric_data_queries(Some(
            queries
                .iter()
                .enumerate()
                .map(|(position, query)| build(position, query))
                .collect(),
        ))
        .start_time(date_time(from))
        .end_time(date_time(to))
        .scan_by(ScanBy::TimestampDescending)
        .into_paginator()
        .send();
    let mut pages = Pages::new("read metrics", stream);
    let mut all = vec![MetricSeries::default(); queries.len()];
    while let Some(page) = pages.next().await? {
        for result in &page {
            let series = result
                .id()
                .and_then(|id| id.strip_prefix('q')?.parse::<usize>().ok())
                .and_then(|position| all.get_mut(position))
                .ok_or_else(|| {
                    CtlError::new(ErrorKind::Unexpected, "read metrics").cause(format!(
                        "read the answer to GetMetricData: it holds a query `{:?}` that was not asked",
                        result.id()
                    ))
                })?;
            add(series, result);
        }
    }
    Ok(all)
}

/// Ids start with a lowercase letter; the number is the query's place in its batch.
fn build(position: usize, query: &MetricQuery) -> MetricDataQuery {
    let dimensions = query
        .dimensions
        .iter()
        .map(|(name, value)| Dimension::builder().name(*name).value(value).build())
        .collect();
    let metric = Metric::builder()
        .namespace(query.namespace)
        .metric_name(query.metric)
        .set_dimensions(Some(dimensions))
        .build();
    let stat = MetricStat::builder()
        .metric(metric)
        .period(query.period_seconds)
        .stat(query.statistic.as_str())
        .build();
    MetricDataQuery::builder()
        .id(format!("q{position}"))
        .metric_stat(stat)
        .return_data(true)
        .build()
}

fn add(series: &mut MetricSeries, result: &MetricDataResult) {
    let points = result.timestamps().iter().zip(result.values());
    series.points.extend(points.filter_map(|(at, value)| {
        Some(Datapoint {
            at: timestamp(at)?,
            value: *value,
        })
    }));
    // `PartialData` only says that further pages follow.
    if let Some(code @ (StatusCode::Forbidden | StatusCode::InternalError)) = result.status_code() {
        let messages: Vec<&str> = result
            .messages()
            .iter()
            .filter_map(|message| message.value())
            .collect();
        series.trouble = Some(
            format!("{} {}", code.as_str(), messages.join("; "))
                .trim_end()
                .to_owned(),
        );
    }
}
