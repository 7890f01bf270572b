//! JSON Schemas of the types that write themselves by hand.

#![expect(
    dead_code,
    reason = "the types say how the documents look; no value of them is made"
)]

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator};

use crate::metrics::math::Input;
use crate::metrics::{Metric, Source, Statistic};

/// The name of a metric, or a table with what tells it from others of that name.
#[derive(JsonSchema)]
#[serde(untagged)]
enum NameOrTable {
    /// The name in CloudWatch.
    Name(String),
    /// The name and more.
    Table {
        /// The name in CloudWatch.
        name: String,
        /// Such as `AWS/SQS`.
        #[serde(default)]
        namespace: String,
        /// Whose metric it is.
        #[serde(default)]
        dimensions: BTreeMap<String, String>,
        /// Only the points that were published with this unit.
        #[serde(default)]
        unit: Option<String>,
    },
}

/// A metric, or metric math.
#[derive(JsonSchema)]
#[serde(untagged)]
enum MetricOrMath {
    /// One metric.
    Metric(Metric),
    /// An expression over metrics.
    Math {
        /// The expression of metric math.
        expression: String,
        /// What its ids stand for.
        inputs: BTreeMap<String, Input>,
    },
}

/// `Average`, `Maximum`, `Minimum`, `Sum`, `SampleCount` or a percentile such as `p99.9`.
#[derive(JsonSchema)]
struct Name(String);

/// `$written` has the schema of `$shape`, under its own name.
macro_rules! written_as {
    ($($written:ident as $shape:ident),* $(,)?) => {$(
        impl JsonSchema for $written {
            fn schema_name() -> Cow<'static, str> {
                stringify!($written).into()
            }

            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                $shape::json_schema(generator)
            }
        }
    )*};
}

written_as!(Metric as NameOrTable, Source as MetricOrMath, Statistic as Name);
