//! Metric math: an expression over metrics instead of a metric.
//!
//! Sources: CloudWatch User Guide, "Using math expressions with CloudWatch metrics" (syntax and functions, missing
//! data, `FILL`); Auto Scaling User Guide, "Create a target tracking scaling policy using metric math".

mod evaluate;
mod parse;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Metric, Metrics, Statistic};

/// A metric and how its samples become points.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct MetricStat {
    /// The metric.
    pub metric: Metric,
    /// The statistic.
    #[serde(default)]
    pub statistic: Statistic,
}

/// What an id in an expression stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(untagged)]
#[non_exhaustive]
pub enum Input {
    /// A metric.
    Metric(MetricStat),
    /// The result of another expression.
    Expression {
        /// Its text.
        expression: String,
    },
}

impl Input {
    /// A metric.
    #[must_use]
    pub fn metric(metric: impl Into<Metric>, statistic: Statistic) -> Self {
        Self::Metric(MetricStat {
            metric: metric.into(),
            statistic,
        })
    }
}

/// An expression and the metrics that it is computed from, all of the alarm's period.
///
/// Modelled are numbers, the operators `+ - * / ^`, comparisons, `AND`, `OR`, and the functions `ABS`, `CEIL`,
/// `FLOOR`, `LOG`, `LOG10`, `IF`, `FILL`, `PERIOD`, and `SUM` and `AVG` of several series in brackets.
///
/// ```
/// use fleet_scaling::metrics::math::{Input, Math};
/// use fleet_scaling::metrics::{Metrics, Statistic};
///
/// // "Amazon SQS queue backlog per instance" of the Auto Scaling User Guide.
/// let backlog = Math::new(
///     "m1 / m2",
///     [
///         ("m1", Input::metric("ApproximateNumberOfMessagesVisible", Statistic::Sum)),
///         ("m2", Input::metric("GroupInServiceInstances", Statistic::Average)),
///     ],
/// )?;
/// let metrics = Metrics::new()
///     .with("ApproximateNumberOfMessagesVisible", [Some(12.0), Some(30.0)])
///     .with("GroupInServiceInstances", [Some(3.0), None]);
/// // The newest first. What is missing counts as 0, and a division by 0 makes no point.
/// assert_eq!(backlog.points(&metrics, 1, 2), [None, Some(4.0)]);
/// # Ok::<(), fleet_scaling::metrics::math::MathError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Math {
    expression: String,
    inputs: BTreeMap<String, Input>,
    parsed: parse::Node,
    /// The metrics by their positions in `parsed`.
    metrics: Vec<MetricStat>,
}

/// An expression that gives no series, or that is not modelled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MathError {
    /// It is no expression.
    #[error("is no expression: {what} at `{rest}`")]
    Syntax {
        /// What is wrong.
        what: &'static str,
        /// The text from there on.
        rest: String,
    },
    /// A function that CloudWatch may have and nothing here models.
    #[error("calls `{function}`, which is not modelled")]
    NotModelled {
        /// Its name.
        function: String,
    },
    /// An id that nothing is given for.
    #[error("names `{id}`, and no metric or expression has that id")]
    UnknownId {
        /// The id.
        id: String,
    },
    /// It is a number, and an alarm needs a series.
    #[error("is a number, the same at all times: an alarm needs a time series")]
    Scalar,
    /// Expressions that name each other in a circle, or grow beyond all bounds.
    #[error("is too large, or refers to itself")]
    TooLarge,
}

impl Math {
    /// Parses `expression`, in which each id stands for one of `inputs`.
    ///
    /// # Errors
    /// It is not an expression that makes a time series, or not one that is modelled.
    pub fn new<Id: Into<String>>(
        expression: impl Into<String>,
        inputs: impl IntoIterator<Item = (Id, Input)>,
    ) -> Result<Self, MathError> {
        let expression = expression.into();
        let inputs = inputs.into_iter().map(|(id, input)| (id.into(), input)).collect();
        let parse::Parsed { node, metrics } = parse::parse(&expression, &inputs)?;
        Ok(Self {
            expression,
            inputs,
            parsed: node,
            metrics,
        })
    }

    /// As it is written.
    #[must_use]
    pub fn expression(&self) -> &str {
        &self.expression
    }

    /// What its ids stand for.
    #[must_use]
    pub fn inputs(&self) -> &BTreeMap<String, Input> {
        &self.inputs
    }

    /// The metrics that it is computed from, also through other expressions.
    #[must_use]
    pub fn metrics(&self) -> &[MetricStat] {
        &self.metrics
    }

    /// Its newest `range` points, each of `period` minutes, the newest first.
    #[must_use]
    pub fn points(&self, metrics: &Metrics, period: usize, range: usize) -> Vec<Option<f64>> {
        let inputs: Vec<Vec<Option<f64>>> = self
            .metrics
            .iter()
            .map(|input| {
                let points = metrics.points(&input.metric, input.statistic, period);
                let mut points: Vec<_> = points.take(range).collect();
                points.resize(range, None);
                points
            })
            .collect();
        self.evaluate(&inputs, period)
    }

    /// The same of the metrics' points, which are all of the same number.
    pub(crate) fn evaluate(&self, inputs: &[Vec<Option<f64>>], period: usize) -> Vec<Option<f64>> {
        evaluate::evaluate(&self.parsed, inputs, period)
    }
}

impl fmt::Display for Math {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.expression)
    }
}

#[cfg(test)]
mod tests;
