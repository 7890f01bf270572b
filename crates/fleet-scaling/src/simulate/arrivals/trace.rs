//! Recorded arrivals: how many jobs came in each interval, from CSV or from a CloudWatch export.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// How many jobs arrived in each of a row of equally long intervals.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(try_from = "Rows", into = "Rows")]
pub struct Trace {
    step: u64,
    jobs: Arc<[f64]>,
}

/// As it is written down.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
struct Rows {
    step_seconds: u64,
    jobs: Vec<f64>,
}

/// The recording cannot be used. Lines count from 1.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TraceError {
    /// There is no data in it.
    #[error("the trace has no data")]
    Empty,
    /// The first field of a line is no time.
    #[error("line {line}: `{text}` is not a time: write RFC 3339 such as 2026-01-31T09:00:00Z, or seconds")]
    Time {
        /// Where.
        line: usize,
        /// What stands there.
        text: String,
    },
    /// A field is no number of jobs.
    #[error("line {line}: `{text}` is not a number of jobs")]
    Jobs {
        /// Where.
        line: usize,
        /// What stands there.
        text: String,
    },
    /// A line does not have two fields.
    #[error("line {line}: {fields} fields, where a time and a number of jobs are expected")]
    Fields {
        /// Where.
        line: usize,
        /// How many.
        fields: usize,
    },
    /// A time is not after the one before.
    #[error("line {line}: the time is not after the one of the line before")]
    Unsorted {
        /// Where.
        line: usize,
    },
    /// An interval is missing, or has another length than the first.
    #[error("line {line}: {found} s after the line before, where every step is {step} s")]
    Gap {
        /// Where.
        line: usize,
        /// Seconds since the line before.
        found: f64,
        /// Seconds of the first step.
        step: f64,
    },
    /// The file is no answer of `get-metric-data` or `get-metric-statistics`.
    #[error("not a CloudWatch export: {0}")]
    Export(String),
}

impl Trace {
    /// A recording with `step` seconds for each entry of `jobs`.
    ///
    /// # Errors
    /// No entries, no step, or an entry that is no number of jobs (its line is its position from 1).
    pub fn new(step: u64, jobs: &[f64]) -> Result<Self, TraceError> {
        if jobs.is_empty() || step == 0 {
            return Err(TraceError::Empty);
        }
        if let Some(at) = jobs.iter().position(|jobs| !(jobs.is_finite() && *jobs >= 0.0)) {
            return Err(TraceError::Jobs {
                line: at + 1,
                text: jobs[at].to_string(),
            });
        }
        Ok(Self {
            step: step * 1000,
            jobs: jobs.into(),
        })
    }

    /// Reads lines of a time (RFC 3339 or seconds) and the jobs that arrived from then to the next
    /// line's time. Empty lines and lines that start with `#` do not count, nor does a first line of
    /// column names. The times must rise by the same step throughout; a single line stands for a minute.
    ///
    /// # Errors
    /// The first line that is wrong, or that there is none.
    pub fn from_csv(text: &str) -> Result<Self, TraceError> {
        let mut rows: Vec<(usize, i64, f64)> = Vec::new();
        for (at, text) in text.lines().enumerate() {
            let line = at + 1;
            let text = text.trim();
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            let fields: Vec<&str> = text
                .split(',')
                .map(|field| field.trim().trim_matches('"'))
                .collect();
            let [time, jobs] = fields[..] else {
                let fields = fields.len();
                return Err(TraceError::Fields { line, fields });
            };
            let Some(at) = time_of(time) else {
                if rows.is_empty() && jobs.parse::<f64>().is_err() {
                    continue;
                }
                let text = time.to_owned();
                return Err(TraceError::Time { line, text });
            };
            let count = jobs
                .parse::<f64>()
                .ok()
                .filter(|count| count.is_finite() && *count >= 0.0);
            let Some(count) = count else {
                let text = jobs.to_owned();
                return Err(TraceError::Jobs { line, text });
            };
            rows.push((line, at, count));
        }
        Self::from_rows(&rows)
    }

    /// Reads the JSON that `aws cloudwatch get-metric-data` or `get-metric-statistics --statistics Sum`
    /// prints. Its points come in any order. Lines in errors are positions in time order, from 1.
    ///
    /// # Errors
    /// Another kind of file, no data, or a gap.
    pub fn from_cloudwatch(json: &str) -> Result<Self, TraceError> {
        let export: Export =
            serde_json::from_str(json).map_err(|error| TraceError::Export(error.to_string()))?;
        let mut points: Vec<(String, f64)> = match export {
            Export::Data { results } => {
                let [only] = &results[..] else {
                    let message = format!("{} metrics, where one is expected", results.len());
                    return Err(TraceError::Export(message));
                };
                let (times, values) = (only.timestamps.len(), only.values.len());
                if times != values {
                    return Err(TraceError::Export(format!("{times} times and {values} values")));
                }
                let points = only.timestamps.iter().cloned();
                points.zip(only.values.iter().copied()).collect()
            }
            Export::Statistics { datapoints } => datapoints
                .into_iter()
                .map(|point| (point.timestamp, point.sum))
                .collect(),
        };
        let mut rows = Vec::with_capacity(points.len());
        for (at, (time, jobs)) in points.drain(..).enumerate() {
            let line = at + 1;
            if !(jobs.is_finite() && jobs >= 0.0) {
                let text = jobs.to_string();
                return Err(TraceError::Jobs { line, text });
            }
            match time_of(&time) {
                Some(at) => rows.push((line, at, jobs)),
                None => return Err(TraceError::Time { line, text: time }),
            }
        }
        rows.sort_by_key(|(_, at, _)| *at);
        for (at, row) in rows.iter_mut().enumerate() {
            row.0 = at + 1;
        }
        Self::from_rows(&rows)
    }

    /// Rows of line, milliseconds and jobs.
    fn from_rows(rows: &[(usize, i64, f64)]) -> Result<Self, TraceError> {
        let mut step = None;
        for pair in rows.windows(2) {
            let line = pair[1].0;
            let found = pair[1].1 - pair[0].1;
            if found <= 0 {
                return Err(TraceError::Unsorted { line });
            }
            let step = *step.get_or_insert(found);
            if found != step {
                let seconds = |millis: i64| millis as f64 / 1e3;
                return Err(TraceError::Gap {
                    line,
                    found: seconds(found),
                    step: seconds(step),
                });
            }
        }
        if rows.is_empty() {
            return Err(TraceError::Empty);
        }
        Ok(Self {
            step: step.map_or(60_000, i64::unsigned_abs),
            jobs: rows.iter().map(|(_, _, jobs)| *jobs).collect(),
        })
    }

    /// From the start of the first interval to the end of the last.
    #[must_use]
    pub fn length(&self) -> std::time::Duration {
        std::time::Duration::from_millis(self.step * self.jobs.len() as u64)
    }

    pub(crate) fn jobs(&self, row: usize, repeat: bool) -> Option<f64> {
        let row = if repeat { row % self.jobs.len() } else { row };
        self.jobs.get(row).copied()
    }

    pub(crate) fn step_millis(&self) -> u64 {
        self.step
    }

    pub(crate) fn mean_per_hour(&self) -> f64 {
        self.jobs.iter().sum::<f64>() / (self.length().as_secs_f64() / 3600.0)
    }
}

impl TryFrom<Rows> for Trace {
    type Error = TraceError;

    fn try_from(rows: Rows) -> Result<Self, TraceError> {
        Self::new(rows.step_seconds, &rows.jobs)
    }
}

impl From<Trace> for Rows {
    fn from(trace: Trace) -> Self {
        Self {
            step_seconds: trace.step / 1000,
            jobs: trace.jobs.to_vec(),
        }
    }
}

/// What the AWS CLI prints.
#[derive(Deserialize)]
#[serde(untagged)]
enum Export {
    Data {
        #[serde(rename = "MetricDataResults")]
        results: Vec<Results>,
    },
    Statistics {
        #[serde(rename = "Datapoints")]
        datapoints: Vec<Datapoint>,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Results {
    timestamps: Vec<String>,
    values: Vec<f64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Datapoint {
    timestamp: String,
    sum: f64,
}

/// Milliseconds; seconds are as good as a timestamp, because only differences count.
fn time_of(text: &str) -> Option<i64> {
    if let Ok(seconds) = text.parse::<f64>() {
        return (seconds.abs() < 1e12).then_some((seconds * 1e3).round() as i64);
    }
    timestamp(text)
}

#[cfg(feature = "jiff")]
fn timestamp(text: &str) -> Option<i64> {
    text.parse::<jiff::Timestamp>()
        .ok()
        .map(jiff::Timestamp::as_millisecond)
}

/// Without the feature `jiff` times are seconds.
#[cfg(not(feature = "jiff"))]
fn timestamp(_: &str) -> Option<i64> {
    None
}

#[cfg(test)]
mod tests;
