//! A metric of CloudWatch, whatever its name.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What identifies a metric in CloudWatch: "Metrics are uniquely defined by a name, a namespace, and zero or more
/// dimensions" (User Guide, "Metrics concepts"), and of one metric the points of each unit are kept apart. The
/// [`Statistic`](super::Statistic) stands beside it, as in `PutMetricAlarm`.
///
/// In a file it is its name, or a table with what tells it from others of that name:
///
/// ```
/// use fleet_scaling::metrics::Metric;
///
/// let queue: Metric = serde_json::from_str(
///     r#"{ "namespace": "AWS/SQS", "name": "ApproximateNumberOfMessagesVisible", "dimensions": { "QueueName": "jobs" } }"#,
/// )?;
/// let same = Metric::new("ApproximateNumberOfMessagesVisible")
///     .in_namespace("AWS/SQS")
///     .of("QueueName", "jobs");
/// assert_eq!(queue, same);
/// assert_eq!(serde_json::from_str::<Metric>("\"CPUUtilization\"")?, Metric::new("CPUUtilization"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct Metric {
    /// Its name.
    pub name: String,
    /// Such as `AWS/SQS`; empty where one fleet is spoken of and the name says enough.
    pub namespace: String,
    /// Whose metric it is.
    pub dimensions: BTreeMap<String, String>,
    /// Only the points that were published with this unit.
    pub unit: Option<String>,
}

impl Metric {
    /// The metric with this name, and nothing else said of it.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            namespace: String::new(),
            dimensions: BTreeMap::new(),
            unit: None,
        }
    }

    /// The one of this namespace.
    #[must_use]
    pub fn in_namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = namespace.into();
        self
    }

    /// The one with this dimension.
    #[must_use]
    pub fn of(mut self, dimension: impl Into<String>, value: impl Into<String>) -> Self {
        self.dimensions.insert(dimension.into(), value.into());
        self
    }

    /// Only its points with this unit.
    #[must_use]
    pub fn with_unit(mut self, unit: impl Into<String>) -> Self {
        self.unit = Some(unit.into());
        self
    }

    fn is_bare(&self) -> bool {
        self.namespace.is_empty() && self.dimensions.is_empty() && self.unit.is_none()
    }
}

impl From<&str> for Metric {
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}

impl From<&Metric> for Metric {
    fn from(metric: &Metric) -> Self {
        metric.clone()
    }
}

impl fmt::Display for Metric {
    /// Its name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// A metric as a table.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    namespace: String,
    name: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    dimensions: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unit: Option<String>,
}

impl Serialize for Metric {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.is_bare() {
            return serializer.serialize_str(&self.name);
        }
        let Self {
            name,
            namespace,
            dimensions,
            unit,
        } = self.clone();
        Table {
            namespace,
            name,
            dimensions,
            unit,
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Metric {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameOrTable;

        impl<'de> Visitor<'de> for NameOrTable {
            type Value = Metric;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a metric or a table with `name`")
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<Metric, E> {
                Ok(Metric::new(name))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Metric, A::Error> {
                let Table {
                    namespace,
                    name,
                    dimensions,
                    unit,
                } = Table::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Metric {
                    name,
                    namespace,
                    dimensions,
                    unit,
                })
            }
        }

        deserializer.deserialize_any(NameOrTable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_is_written_as_it_is_read() {
        for text in [
            r#""QueueDepth""#,
            r#"{"namespace":"AWS/EC2","name":"CPUUtilization","dimensions":{"AutoScalingGroupName":"g"},"unit":"Percent"}"#,
        ] {
            let metric: Metric = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&metric).unwrap(), text);
        }
        let refused = serde_json::from_str::<Metric>(r#"{"name":"a","dimension":{}}"#).unwrap_err();
        assert!(
            refused.to_string().starts_with("unknown field `dimension`"),
            "{refused}"
        );
        assert!(serde_json::from_str::<Metric>("3").is_err());
    }
}
