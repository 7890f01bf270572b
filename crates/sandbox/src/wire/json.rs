//! Reads what a JSON (or CBOR) request says into the API's own terms: known members only, each of its shape's type.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::shape::{Api, Kind, Reference};
use crate::time::SimTime;

/// Why a request's body cannot be taken for the operation's input, in the words of AWS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Malformed(pub(crate) String);

/// `body` as the structure called `shape`. An empty body is an empty structure.
pub(crate) fn read(api: &Api, shape: &str, body: &[u8]) -> Result<Value, Malformed> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Value::Object(Map::new()));
    }
    let value: Value = serde_json::from_slice(body)
        .map_err(|_| Malformed("Could not parse the request body as JSON".to_owned()))?;
    normalise(api, shape, value)
}

/// `value` as `shape` has it: absent for null, no unknown members, times as seconds since the epoch.
pub(crate) fn normalise(api: &Api, shape: &str, value: Value) -> Result<Value, Malformed> {
    let shape = api.shape(shape);
    match (shape.kind, value) {
        (Kind::Structure, Value::Object(mut given)) => {
            let mut known = Map::new();
            for (name, reference) in &shape.members {
                match given.remove(name) {
                    None | Some(Value::Null) => {}
                    Some(value) => {
                        known.insert(name.clone(), normalise(api, &reference.shape, value)?);
                    }
                }
            }
            Ok(Value::Object(known))
        }
        (Kind::List, Value::Array(elements)) => {
            let element = target(shape.member.as_deref());
            elements
                .into_iter()
                .filter(|element| !element.is_null())
                .map(|value| normalise(api, element, value))
                .collect::<Result<_, _>>()
                .map(Value::Array)
        }
        (Kind::Map, Value::Object(entries)) => {
            let target = target(shape.value.as_deref());
            entries
                .into_iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(key, value)| Ok((key, normalise(api, target, value)?)))
                .collect::<Result<_, _>>()
                .map(Value::Object)
        }
        (Kind::String, Value::String(text)) => Ok(Value::String(text)),
        (Kind::Boolean, Value::Bool(flag)) => Ok(Value::Bool(flag)),
        (Kind::Integer | Kind::Long, Value::Number(number)) => whole(&number),
        (Kind::Float | Kind::Double, Value::Number(number)) => Ok(number.as_f64().into()),
        (Kind::Timestamp, Value::Number(number)) => Ok(number.as_f64().into()),
        (Kind::Timestamp, Value::String(text)) => time(&text),
        (Kind::Blob, Value::String(text)) => match STANDARD.decode(&text) {
            Ok(_) => Ok(Value::String(text)),
            Err(_) => Err(Malformed("Invalid base64-encoded value".to_owned())),
        },
        (kind, value) => Err(mistaken(kind, &value)),
    }
}

/// The shape that a list's or map's reference points to.
pub(crate) fn target(reference: Option<&Reference>) -> &str {
    reference.map_or("", |reference| reference.shape.as_str())
}

/// An integer; `2.0` is one, as it is for AWS.
fn whole(number: &serde_json::Number) -> Result<Value, Malformed> {
    if number.is_i64() || number.is_u64() {
        return Ok(Value::Number(number.clone()));
    }
    match number.as_f64() {
        Some(float) if float.fract() == 0.0 && float.abs() < 9.0e15 => Ok((float as i64).into()),
        _ => Err(Malformed(
            "NUMBER_VALUE can not be converted to an Integer".to_owned(),
        )),
    }
}

/// A time in text, as the query protocol sends it and the JSON protocols tolerate it.
pub(crate) fn time(text: &str) -> Result<Value, Malformed> {
    if let Ok(timestamp) = text.parse::<jiff::Timestamp>() {
        return Ok(SimTime(timestamp.as_millisecond()).epoch_seconds().into());
    }
    match text.parse::<f64>() {
        Ok(seconds) if seconds.is_finite() => Ok(seconds.into()),
        _ => Err(Malformed(format!("timestamp must follow ISO8601: {text}"))),
    }
}

/// AWS's words for a value of the wrong type.
fn mistaken(wanted: Kind, given: &Value) -> Malformed {
    let article = match wanted {
        Kind::Structure | Kind::Map | Kind::List => return Malformed("Unexpected field type".to_owned()),
        Kind::String => "a String",
        Kind::Integer => "an Integer",
        Kind::Long => "a Long",
        Kind::Float => "a Float",
        Kind::Double => "a Double",
        Kind::Boolean => "a Boolean",
        Kind::Timestamp => "a Timestamp",
        Kind::Blob => "a Blob",
    };
    let token = match given {
        Value::Object(_) => {
            return Malformed("Start of structure or map found where not expected.".to_owned());
        }
        Value::Array(_) => return Malformed("Start of list found where not expected.".to_owned()),
        Value::String(_) => "STRING_VALUE",
        Value::Number(_) => "NUMBER_VALUE",
        Value::Bool(true) => "TRUE_VALUE",
        Value::Bool(false) => "FALSE_VALUE",
        Value::Null => "NULL_VALUE",
    };
    Malformed(format!("{token} can not be converted to {article}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::service::Service;

    fn ecs(shape: &str, body: &Value) -> Result<Value, Malformed> {
        read(Api::of(Service::Ecs), shape, body.to_string().as_bytes())
    }

    #[test]
    fn null_members_and_unknown_members_are_as_good_as_absent() {
        let read = ecs(
            "ListTasksRequest",
            &json!({"cluster": null, "color": "blue", "maxResults": 10}),
        );
        assert_eq!(read, Ok(json!({"maxResults": 10})));
    }

    #[test]
    fn a_wrong_type_is_named_as_aws_names_it() {
        for (body, message) in [
            (
                json!({"cluster": 7}),
                "NUMBER_VALUE can not be converted to a String",
            ),
            (
                json!({"cluster": {}}),
                "Start of structure or map found where not expected.",
            ),
            (
                json!({"maxResults": "many"}),
                "STRING_VALUE can not be converted to an Integer",
            ),
            (
                json!({"maxResults": 1.5}),
                "NUMBER_VALUE can not be converted to an Integer",
            ),
            (json!([]), "Unexpected field type"),
        ] {
            assert_eq!(
                ecs("ListTasksRequest", &body),
                Err(Malformed(message.to_owned())),
                "{body}"
            );
        }
    }

    #[test]
    fn a_time_is_read_from_seconds_and_from_text() {
        let api = Api::of(Service::CloudWatch);
        for given in [
            json!(1_768_467_600.5),
            json!("2026-01-15T09:00:00.500Z"),
            json!("2026-01-15T10:00:00.5+01:00"),
        ] {
            assert_eq!(normalise(api, "Timestamp", given), Ok(json!(1_768_467_600.5)));
        }
    }
}
