//! Holds what a handler answers against the API's shape, so that no client ever meets an answer AWS could not give.

use serde_json::Value;

use super::shape::{Api, Kind};

/// Where an answer departs from its shape: a mistake of the sandbox, never of the caller.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the sandbox's answer is not of its shape: {0}")]
pub(crate) struct Mismatch(String);

/// Checks that `value` is of `shape`: every required member there, no unknown one, nothing null.
pub(crate) fn check(api: &Api, shape: &str, value: &Value) -> Result<(), Mismatch> {
    walk(api, shape, value).map_err(|(path, problem)| Mismatch(format!("`{shape}{path}` {problem}")))
}

/// Values that AWS sends although the list of its model lacks them. The events of a stack itself carry the states of
/// stacks, those of the cleanup too (CloudFormation User Guide, "Stack status codes" and "Monitor stack progress").
const UNLISTED: &[(&str, &[&str])] = &[(
    "ResourceStatus",
    &[
        "REVIEW_IN_PROGRESS",
        "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
        "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
    ],
)];

/// The path of the departure, and what it is.
type Departure = (String, &'static str);

fn walk(api: &Api, name: &str, value: &Value) -> Result<(), Departure> {
    let shape = api.shape(name);
    match (shape.kind, value) {
        (Kind::Structure, Value::Object(members)) => {
            if let Some(name) = shape.required.iter().find(|name| !members.contains_key(*name)) {
                return Err((format!(".{name}"), "is required"));
            }
            for (member, value) in members {
                let Some(reference) = shape.members.get(member) else {
                    return Err((format!(".{member}"), "is not a member of the API"));
                };
                walk(api, &reference.shape, value)
                    .map_err(|(path, problem)| (format!(".{member}{path}"), problem))?;
            }
            Ok(())
        }
        (Kind::List, Value::Array(elements)) => {
            let Some(reference) = &shape.member else {
                return Ok(());
            };
            elements.iter().enumerate().try_for_each(|(index, value)| {
                walk(api, &reference.shape, value)
                    .map_err(|(path, problem)| (format!("[{index}]{path}"), problem))
            })
        }
        (Kind::Map, Value::Object(entries)) => {
            let Some(reference) = &shape.value else {
                return Ok(());
            };
            entries.iter().try_for_each(|(key, value)| {
                walk(api, &reference.shape, value)
                    .map_err(|(path, problem)| (format!("[{key:?}]{path}"), problem))
            })
        }
        (Kind::String, Value::String(text)) => {
            let unlisted = |(of, values): &(&str, &[&str])| *of == name && values.contains(&text.as_str());
            if shape.allowed.is_empty() || shape.allowed.contains(text) || UNLISTED.iter().any(unlisted) {
                Ok(())
            } else {
                Err((String::new(), "is not among the values the API allows"))
            }
        }
        (Kind::Blob, Value::String(_)) | (Kind::Boolean, Value::Bool(_)) => Ok(()),
        (Kind::Integer | Kind::Long, Value::Number(number)) if number.is_i64() || number.is_u64() => Ok(()),
        (Kind::Float | Kind::Double | Kind::Timestamp, Value::Number(_)) => Ok(()),
        _ => Err((String::new(), "has the wrong type")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::service::Service;

    fn problem(shape: &str, value: &Value) -> String {
        check(Api::of(Service::Ecs), shape, value).map_or_else(|Mismatch(text)| text, |()| "none".to_owned())
    }

    #[test]
    fn a_departure_is_named_with_its_place() {
        let clusters =
            json!({"clusters": [{"clusterName": "bp", "runningTasksCount": 2}, {"colour": "blue"}]});
        assert_eq!(
            problem("DescribeClustersResponse", &clusters),
            "`DescribeClustersResponse.clusters[1].colour` is not a member of the API"
        );
        for (value, end) in [
            (
                json!({"tasks": [{"launchType": "MOON"}]}),
                ".launchType` is not among the values the API allows",
            ),
            (
                json!({"tasks": [{"createdAt": "now"}]}),
                ".createdAt` has the wrong type",
            ),
            (
                json!({"tasks": [{"version": 1.5}]}),
                ".version` has the wrong type",
            ),
            (
                json!({"tasks": [{"taskArn": null}]}),
                ".taskArn` has the wrong type",
            ),
        ] {
            assert!(problem("DescribeTasksResponse", &value).ends_with(end), "{value}");
        }
        assert_eq!(
            problem(
                "DescribeTasksResponse",
                &json!({"tasks": [{"createdAt": 1.5, "version": 1}]})
            ),
            "none"
        );
    }
}
