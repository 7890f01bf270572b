//! Writes the answers of the query protocol.

use std::fmt::Write as _;

use serde_json::Value;

use super::shape::{Api, Kind, Operation, Reference};
use crate::time::SimTime;

/// The whole answer of `operation`: its result in its wrapper, and the request's id.
pub(crate) fn answer(
    api: &Api,
    name: &str,
    operation: &Operation,
    output: &Value,
    request_id: &str,
) -> String {
    let namespace = api.metadata.xml_namespace.as_deref().unwrap_or_default();
    let mut document = format!("<{name}Response xmlns=\"{namespace}\">\n");
    match (&operation.output, &operation.result_wrapper) {
        (Some(shape), Some(wrapper)) => {
            element(&mut document, wrapper, |body| content(body, api, shape, output))
        }
        (Some(shape), None) => content(&mut document, api, shape, output),
        (None, _) => {}
    }
    let _ = writeln!(
        document,
        "<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{name}Response>"
    );
    document
}

/// The whole answer of an operation of EC2: no wrapper, and the request's id first.
pub(crate) fn ec2_answer(
    api: &Api,
    name: &str,
    operation: &Operation,
    output: &Value,
    request_id: &str,
) -> String {
    let namespace = api.metadata.xml_namespace.as_deref().unwrap_or_default();
    document(&format!("{name}Response"), &format!("{namespace}/"), |out| {
        element(out, "requestId", |out| escape(out, request_id));
        if let Some(shape) = &operation.output {
            content(out, api, shape, output);
        }
    })
}

/// The answer of a request to EC2 that failed.
pub(crate) fn ec2_failure(code: &str, message: &str, request_id: &str) -> String {
    let mut document = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    element(&mut document, "Response", |out| {
        element(out, "Errors", |out| {
            element(out, "Error", |out| {
                element(out, "Code", |out| escape(out, code));
                element(out, "Message", |out| escape(out, message));
            });
        });
        element(out, "RequestID", |out| escape(out, request_id));
    });
    document
}

/// The answer of a request that failed.
pub(crate) fn failure(api: &Api, fault: &str, code: &str, message: &str, request_id: &str) -> String {
    let namespace = api.metadata.xml_namespace.as_deref().unwrap_or_default();
    wrapped_failure(namespace, fault, code, message, request_id)
}

/// The same of a REST-XML service that wraps its errors, as all but S3 do.
pub(super) fn wrapped_failure(
    namespace: &str,
    fault: &str,
    code: &str,
    message: &str,
    request_id: &str,
) -> String {
    let mut document = format!("<ErrorResponse xmlns=\"{namespace}\">\n");
    element(&mut document, "Error", |body| {
        for (name, text) in [("Type", fault), ("Code", code), ("Message", message)] {
            element(body, name, |body| escape(body, text));
        }
    });
    element(&mut document, "RequestId", |body| escape(body, request_id));
    document.push_str("</ErrorResponse>\n");
    document
}

/// The answer of a request to a service that the sandbox does not simulate: the form is known, the namespace is not.
pub(super) fn unknown_service(code: &str, message: &str, request_id: &str) -> String {
    let mut document = String::from("<ErrorResponse>\n");
    element(&mut document, "Error", |body| {
        for (name, text) in [("Type", "Sender"), ("Code", code), ("Message", message)] {
            element(body, name, |body| escape(body, text));
        }
    });
    element(&mut document, "RequestId", |body| escape(body, request_id));
    document.push_str("</ErrorResponse>\n");
    document
}

fn element(out: &mut String, name: &str, inside: impl FnOnce(&mut String)) {
    let _ = write!(out, "<{name}>");
    inside(out);
    let _ = write!(out, "</{name}>");
}

/// A whole REST-XML document.
pub(super) fn document(root: &str, namespace: &str, inside: impl FnOnce(&mut String)) -> String {
    let mut document = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = write!(document, "<{root} xmlns=\"{namespace}\">");
    inside(&mut document);
    let _ = write!(document, "</{root}>");
    document
}

/// The answer of a REST-XML request that failed, with whatever else the error names.
pub(super) fn rest_failure(code: &str, message: &str, details: &[(&str, &str)], request_id: &str) -> String {
    let mut document = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    element(&mut document, "Error", |body| {
        for (name, text) in [("Code", code), ("Message", message)].iter().chain(details) {
            element(body, name, |body| escape(body, text));
        }
        element(body, "RequestId", |body| escape(body, request_id));
    });
    document
}

/// What stands between the tags of a value. The value is known to be of its shape (see `output`).
pub(super) fn content(out: &mut String, api: &Api, shape: &str, value: &Value) {
    let shape = api.shape(shape);
    match (shape.kind, value) {
        (Kind::Structure, Value::Object(members)) => {
            for (name, reference) in &shape.members {
                // What travels in headers does not stand in the document.
                if let Some(value) = members.get(name).filter(|_| reference.location.is_none()) {
                    member(out, api, name, reference, value);
                }
            }
        }
        (Kind::List, Value::Array(elements)) => {
            let Some(reference) = shape.member.as_deref() else {
                return;
            };
            for value in elements {
                element(out, tag(Some(reference), "member"), |out| {
                    content(out, api, &reference.shape, value)
                });
            }
        }
        (Kind::Map, Value::Object(entries)) => {
            let Some(reference) = shape.value.as_deref() else {
                return;
            };
            for (key, value) in entries {
                element(out, "entry", |out| {
                    element(out, tag(shape.key.as_deref(), "key"), |out| escape(out, key));
                    element(out, tag(Some(reference), "value"), |out| {
                        content(out, api, &reference.shape, value)
                    });
                });
            }
        }
        (Kind::Timestamp, Value::Number(seconds)) => {
            let seconds = seconds.as_f64().unwrap_or_default();
            out.push_str(&SimTime::from_epoch_seconds(seconds).iso8601());
        }
        (Kind::Float | Kind::Double, Value::Number(number)) => {
            // Java's form, which always has a fraction: `60.0`.
            let _ = write!(out, "{:?}", number.as_f64().unwrap_or_default());
        }
        (_, Value::String(text)) => escape(out, text),
        (_, other) => {
            let _ = write!(out, "{other}");
        }
    }
}

/// A member of a structure: one element, or one for each element of a flattened list.
pub(super) fn member(out: &mut String, api: &Api, name: &str, reference: &Reference, value: &Value) {
    let named = reference.location_name.as_deref().unwrap_or(name);
    let shape = api.shape(&reference.shape);
    match (shape.flattened, shape.member.as_deref(), value) {
        (true, Some(each), Value::Array(elements)) => {
            let named = each.location_name.as_deref().unwrap_or(named);
            for value in elements {
                element(out, named, |out| content(out, api, &each.shape, value));
            }
        }
        _ => element(out, named, |out| content(out, api, &reference.shape, value)),
    }
}

fn tag<'a>(reference: Option<&'a Reference>, otherwise: &'a str) -> &'a str {
    reference
        .and_then(|reference| reference.location_name.as_deref())
        .unwrap_or(otherwise)
}

fn escape(out: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\r' => out.push_str("&#xD;"),
            // XML 1.0 has no way to write the other control characters; AWS replaces them too.
            control if control < ' ' && control != '\n' && control != '\t' => out.push('\u{fffd}'),
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::service::Service;

    fn written(service: Service, operation: &str, output: &Value) -> String {
        let api = Api::of(service);
        answer(api, operation, &api.operations[operation], output, "r")
    }

    #[test]
    fn a_result_stands_in_its_wrapper_and_namespace() {
        let output = json!({"Arn": "arn:aws:sts::1:assumed-role/a/b", "Account": "1"});
        assert_eq!(
            written(Service::Sts, "GetCallerIdentity", &output),
            "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n\
             <GetCallerIdentityResult><Account>1</Account><Arn>arn:aws:sts::1:assumed-role/a/b</Arn></GetCallerIdentityResult>\
             <ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></GetCallerIdentityResponse>\n"
        );
    }

    #[test]
    fn an_operation_without_output_answers_with_its_metadata_only() {
        let text = written(Service::AutoScaling, "SuspendProcesses", &json!({}));
        assert!(!text.contains("Result"), "{text}");
        assert!(text.contains("<RequestId>r</RequestId>"), "{text}");
    }

    #[test]
    fn lists_times_numbers_and_special_characters() {
        let output = json!({"Datapoints": [{"Timestamp": 1_768_467_600.0, "Sum": 3.0, "Unit": "Count"}], "Label": "a<b&\"c\""});
        let text = written(Service::CloudWatch, "GetMetricStatistics", &output);
        assert!(
            text.contains("<Datapoints><member><Sum>3.0</Sum><Timestamp>2026-01-15T09:00:00.000Z</Timestamp><Unit>Count</Unit></member></Datapoints>"),
            "{text}"
        );
        assert!(text.contains("<Label>a&lt;b&amp;&quot;c&quot;</Label>"), "{text}");
    }

    #[test]
    fn a_map_is_a_row_of_entries() {
        let text = written(
            Service::Sns,
            "GetTopicAttributes",
            &json!({"Attributes": {"DisplayName": "ops"}}),
        );
        assert!(
            text.contains("<Attributes><entry><key>DisplayName</key><value>ops</value></entry></Attributes>"),
            "{text}"
        );
    }
}
