//! What an alarm watches: a metric, or an expression over metrics.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::math::{Input, Math, MetricStat};
use super::{Metric, Metrics, Statistic};

/// What an alarm watches, and target tracking tracks.
///
/// In a file it is a [`Metric`], or a table with an `expression` and what its ids stand for:
///
/// ```
/// use fleet_scaling::metrics::Source;
///
/// let backlog: Source = serde_json::from_str(
///     r#"{
///         "expression": "FILL(queue, 0) / instances",
///         "inputs": {
///             "queue": { "metric": "ApproximateNumberOfMessagesVisible", "statistic": "Sum" },
///             "instances": { "metric": { "namespace": "AWS/AutoScaling", "name": "GroupInServiceInstances" } }
///         }
///     }"#,
/// )?;
/// assert_eq!(backlog.to_string(), "FILL(queue, 0) / instances");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Source {
    /// One metric.
    Metric(Metric),
    /// Metric math. Its statistics are those of its metrics, and the alarm's own says nothing.
    Math(Math),
}

impl Source {
    /// The metrics that it looks at, each with its statistic; `statistic` is the alarm's own.
    #[must_use]
    pub fn metrics(&self, statistic: Statistic) -> Vec<MetricStat> {
        match self {
            Self::Metric(metric) => vec![MetricStat {
                metric: metric.clone(),
                statistic,
            }],
            Self::Math(math) => math.metrics().to_vec(),
        }
    }

    /// Whether it is this metric itself.
    #[must_use]
    pub fn is(&self, metric: &Metric) -> bool {
        matches!(self, Self::Metric(own) if own == metric)
    }

    /// The data points of an alarm, newest first, each of `period` minutes, and as many as `range`.
    pub(crate) fn points<'a>(
        &self,
        metrics: &'a Metrics,
        statistic: Statistic,
        period: usize,
        range: usize,
    ) -> impl Iterator<Item = Option<f64>> + use<'a> {
        match self {
            Self::Metric(metric) => Points::Metric(metrics.points(metric, statistic, period).take(range)),
            Self::Math(math) => Points::Math(math.points(metrics, period, range).into_iter()),
        }
    }
}

/// The points of either source. A decision draws every point of every alarm, so this is one branch and no more.
enum Points<M, E> {
    Metric(M),
    Math(E),
}

impl<M, E> Iterator for Points<M, E>
where
    M: Iterator<Item = Option<f64>>,
    E: Iterator<Item = Option<f64>>,
{
    type Item = Option<f64>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Metric(points) => points.next(),
            Self::Math(points) => points.next(),
        }
    }
}

impl From<Metric> for Source {
    fn from(metric: Metric) -> Self {
        Self::Metric(metric)
    }
}

impl From<&Metric> for Source {
    fn from(metric: &Metric) -> Self {
        Self::Metric(metric.clone())
    }
}

impl From<&str> for Source {
    fn from(name: &str) -> Self {
        Self::Metric(name.into())
    }
}

impl From<Math> for Source {
    fn from(math: Math) -> Self {
        Self::Math(math)
    }
}

impl fmt::Display for Source {
    /// The name of the metric, or the expression.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Metric(metric) => metric.fmt(f),
            Self::Math(math) => math.fmt(f),
        }
    }
}

/// Either as a table.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[serde(default)]
    namespace: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    dimensions: BTreeMap<String, String>,
    #[serde(default)]
    unit: Option<String>,
    #[serde(default)]
    expression: Option<String>,
    #[serde(default)]
    inputs: BTreeMap<String, Input>,
}

impl Table {
    fn source<E: Error>(self) -> Result<Source, E> {
        let about_a_metric = !self.namespace.is_empty() || !self.dimensions.is_empty() || self.unit.is_some();
        match (self.name, self.expression) {
            (Some(name), None) if self.inputs.is_empty() => Ok(Source::Metric(Metric {
                name,
                namespace: self.namespace,
                dimensions: self.dimensions,
                unit: self.unit,
            })),
            (None, Some(expression)) if !about_a_metric => Math::new(expression.as_str(), self.inputs)
                .map(Source::Math)
                .map_err(|error| E::custom(format!("the expression `{expression}` {error}"))),
            (None, None) => Err(E::missing_field("name")),
            _ => Err(E::custom(
                "a metric has a `name`, `namespace`, `dimensions` and `unit`, and metric math an `expression` and \
                 `inputs`: this has both",
            )),
        }
    }
}

impl Serialize for Source {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Written<'a> {
            expression: &'a str,
            inputs: &'a BTreeMap<String, Input>,
        }

        match self {
            Self::Metric(metric) => metric.serialize(serializer),
            Self::Math(math) => Written {
                expression: math.expression(),
                inputs: math.inputs(),
            }
            .serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Source {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MetricOrMath;

        impl<'de> Visitor<'de> for MetricOrMath {
            type Value = Source;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a metric or a table with `name` or `expression`")
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<Source, E> {
                Ok(Source::from(name))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Source, A::Error> {
                Table::deserialize(MapAccessDeserializer::new(map))?.source()
            }
        }

        deserializer.deserialize_any(MetricOrMath)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        serde_json::from_str::<Source>(text).unwrap_err().to_string()
    }

    #[test]
    fn a_source_is_written_as_it_is_read() {
        for text in [
            r#""QueueDepth""#,
            r#"{"namespace":"AWS/SQS","name":"Visible"}"#,
            r#"{"expression":"e1 + 1","inputs":{"e1":{"expression":"m1 / 2"},"m1":{"metric":"Depth","statistic":"Sum"}}}"#,
        ] {
            let source: Source = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&source).unwrap(), text);
        }
    }

    #[test]
    fn what_is_neither_is_refused() {
        assert!(refused("{}").starts_with("missing field `name`"));
        assert!(refused(r#"{"name":"a","expression":"m1"}"#).contains("this has both"));
        assert!(refused(r#"{"expression":"m1","unit":"Count"}"#).contains("this has both"));
        assert!(refused(r#"{"nmae":"a"}"#).starts_with("unknown field `nmae`"));
        assert!(
            refused(r#"{"expression":"RATE(m1)","inputs":{"m1":{"metric":"a"}}}"#)
                .starts_with("the expression `RATE(m1)` calls `RATE`, which is not modelled")
        );
    }
}
