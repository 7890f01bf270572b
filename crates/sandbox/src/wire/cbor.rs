//! Smithy RPC v2 CBOR, which CloudWatch's current SDKs speak.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ciborium::Value as Cbor;
use serde_json::{Map, Number, Value};

use super::json::{Malformed, normalise, target};
use super::shape::{Api, Kind};

/// Tag of an epoch-based time (RFC 8949, section 3.4.2).
const EPOCH: u64 = 1;

/// `body` as the structure called `shape`. An empty body is an empty structure.
pub(crate) fn read(api: &Api, shape: &str, body: &[u8]) -> Result<Value, Malformed> {
    if body.is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    let value = ciborium::from_reader(body)
        .map_err(|_| Malformed("Could not parse the request body as CBOR".to_owned()))?;
    normalise(api, shape, plain(value)?)
}

/// CBOR's values in those of JSON; the shapes decide afterwards what they mean.
fn plain(value: Cbor) -> Result<Value, Malformed> {
    match value {
        Cbor::Null => Ok(Value::Null),
        Cbor::Bool(flag) => Ok(Value::Bool(flag)),
        Cbor::Text(text) => Ok(Value::String(text)),
        Cbor::Bytes(bytes) => Ok(Value::String(STANDARD.encode(bytes))),
        Cbor::Integer(integer) => {
            let integer = i64::try_from(integer).map_err(|_| Malformed("Integer out of range".to_owned()))?;
            Ok(integer.into())
        }
        Cbor::Float(float) => Number::from_f64(float)
            .map(Value::Number)
            .ok_or_else(|| Malformed("Numbers must be finite".to_owned())),
        Cbor::Tag(EPOCH, inner) => plain(*inner),
        Cbor::Array(elements) => elements
            .into_iter()
            .map(plain)
            .collect::<Result<_, _>>()
            .map(Value::Array),
        Cbor::Map(entries) => {
            let mut map = Map::new();
            for (key, value) in entries {
                let Cbor::Text(key) = key else {
                    return Err(Malformed("Map keys must be text".to_owned()));
                };
                map.insert(key, plain(value)?);
            }
            Ok(Value::Object(map))
        }
        _ => Err(Malformed("Unexpected CBOR type".to_owned())),
    }
}

/// `output` as the structure called `shape`; without a shape an empty map.
pub(crate) fn answer(api: &Api, shape: Option<&str>, output: &Value) -> Vec<u8> {
    bytes(&shape.map_or(Cbor::Map(Vec::new()), |shape| shaped(api, shape, output)))
}

/// A failure: its shape, its message and its further members.
pub(crate) fn failure(shape: &str, message: &str, members: &Map<String, Value>) -> Vec<u8> {
    let mut entries = vec![
        (Cbor::Text("__type".to_owned()), Cbor::Text(shape.to_owned())),
        (Cbor::Text("message".to_owned()), Cbor::Text(message.to_owned())),
    ];
    for (name, value) in members {
        if let Value::String(text) = value {
            entries.push((Cbor::Text(name.clone()), Cbor::Text(text.clone())));
        }
    }
    bytes(&Cbor::Map(entries))
}

fn bytes(value: &Cbor) -> Vec<u8> {
    let mut bytes = Vec::new();
    // Writing into memory cannot fail.
    let _ = ciborium::into_writer(value, &mut bytes);
    bytes
}

/// The value is known to be of its shape (see `output`).
fn shaped(api: &Api, shape: &str, value: &Value) -> Cbor {
    let shape = api.shape(shape);
    match (shape.kind, value) {
        (Kind::Structure, Value::Object(members)) => Cbor::Map(
            shape
                .members
                .iter()
                .filter_map(|(name, reference)| {
                    let value = shaped(api, &reference.shape, members.get(name)?);
                    Some((Cbor::Text(name.clone()), value))
                })
                .collect(),
        ),
        (Kind::List, Value::Array(elements)) => {
            let element = target(shape.member.as_deref());
            Cbor::Array(elements.iter().map(|value| shaped(api, element, value)).collect())
        }
        (Kind::Map, Value::Object(entries)) => {
            let target = target(shape.value.as_deref());
            let entry =
                |(key, value): (&String, &Value)| (Cbor::Text(key.clone()), shaped(api, target, value));
            Cbor::Map(entries.iter().map(entry).collect())
        }
        (Kind::Timestamp, Value::Number(seconds)) => {
            Cbor::Tag(EPOCH, Box::new(Cbor::Float(seconds.as_f64().unwrap_or_default())))
        }
        (Kind::Float | Kind::Double, Value::Number(number)) => {
            Cbor::Float(number.as_f64().unwrap_or_default())
        }
        (_, Value::Number(number)) => Cbor::Integer(number.as_i64().unwrap_or_default().into()),
        (Kind::Blob, Value::String(text)) => Cbor::Bytes(STANDARD.decode(text).unwrap_or_default()),
        (_, Value::String(text)) => Cbor::Text(text.clone()),
        (_, Value::Bool(flag)) => Cbor::Bool(*flag),
        _ => Cbor::Null,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::service::Service;

    #[test]
    fn times_carry_their_tag_and_numbers_their_kind() {
        let output = json!({"Datapoints": [{"Timestamp": 1_768_467_600.5, "Sum": 3}], "Label": "x"});
        let bytes = answer(
            Api::of(Service::CloudWatch),
            Some("GetMetricStatisticsOutput"),
            &output,
        );
        let read: Cbor = ciborium::from_reader(bytes.as_slice()).unwrap();
        let datapoint = Cbor::Map(vec![
            (Cbor::Text("Sum".to_owned()), Cbor::Float(3.0)),
            (
                Cbor::Text("Timestamp".to_owned()),
                Cbor::Tag(EPOCH, Box::new(Cbor::Float(1_768_467_600.5))),
            ),
        ]);
        assert_eq!(
            read,
            Cbor::Map(vec![
                (Cbor::Text("Datapoints".to_owned()), Cbor::Array(vec![datapoint])),
                (Cbor::Text("Label".to_owned()), Cbor::Text("x".to_owned())),
            ])
        );
    }

    #[test]
    fn maps_and_lists_of_indefinite_length_are_read() {
        // {_ "MetricName": "QueueDepth", "Period": 60, "Statistics": [_ "Sum"], "StartTime": 1(1768467600)}
        let mut body = vec![0xbf, 0x6a];
        body.extend(b"MetricName");
        body.push(0x6a);
        body.extend(b"QueueDepth");
        body.push(0x66);
        body.extend(b"Period");
        body.extend([0x18, 60, 0x6a]);
        body.extend(b"Statistics");
        body.extend([0x9f, 0x63]);
        body.extend(b"Sum");
        body.extend([0xff, 0x69]);
        body.extend(b"StartTime");
        body.extend([0xc1, 0x1a]);
        body.extend(1_768_467_600_u32.to_be_bytes());
        body.push(0xff);
        assert_eq!(
            read(Api::of(Service::CloudWatch), "GetMetricStatisticsInput", &body),
            Ok(
                json!({"MetricName": "QueueDepth", "Period": 60, "StartTime": 1_768_467_600.0, "Statistics": ["Sum"]})
            )
        );
    }

    #[test]
    fn half_a_body_is_refused() {
        let whole = answer(
            Api::of(Service::CloudWatch),
            Some("GetMetricStatisticsOutput"),
            &json!({"Label": "x"}),
        );
        assert!(
            read(
                Api::of(Service::CloudWatch),
                "GetMetricStatisticsInput",
                &whole[..whole.len() - 1]
            )
            .is_err()
        );
    }
}
