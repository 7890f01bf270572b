//! Writes the answers of the REST protocols: members in headers, the rest in the body.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode};
use serde_json::{Map, Value};

use super::Body;
use crate::service::Service;
use crate::time::SimTime;
use crate::wire::shape::{Api, Kind, Location, Operation, Shape};
use crate::wire::xml;

/// The XML namespace of S3.
const S3: &str = "http://s3.amazonaws.com/doc/2006-03-01/";
/// The XML namespace of Route 53.
const ROUTE_53: &str = "https://route53.amazonaws.com/doc/2013-04-01/";

/// How HTTP prints a time (RFC 9110, section 5.6.7).
const HTTP_DATE: &str = "%a, %d %b %Y %H:%M:%S GMT";

/// `Thu, 15 Jan 2026 09:00:00 GMT`.
pub(in crate::wire) fn http_date(at: SimTime) -> String {
    let at = jiff::Timestamp::from_millisecond(at.0).unwrap_or_default();
    at.strftime(HTTP_DATE).to_string()
}

/// The time in a header, or in a parameter that AWS allows in either form.
pub(super) fn read_http_date(text: &str) -> Option<SimTime> {
    let iso = || {
        text.parse::<jiff::Timestamp>()
            .ok()
            .map(jiff::Timestamp::as_millisecond)
    };
    let http = jiff::fmt::rfc2822::parse(text)
        .ok()
        .map(|at| at.timestamp().as_millisecond());
    http.or_else(iso).map(SimTime)
}

/// The answer of `operation`, its output known to be of its shape.
pub(in crate::wire) fn response(
    service: Service,
    operation: &Operation,
    kind: Body,
    output: &Value,
) -> Response<Bytes> {
    let api = Api::of(service);
    let mut response = Response::new(Bytes::new());
    let mut status = operation
        .http
        .as_ref()
        .and_then(|http| http.response_code)
        .unwrap_or(200);
    // A range was asked for and given (RFC 9110, section 15.3.7).
    if output.get("ContentRange").is_some() {
        status = 206;
    }
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let (Some(name), Value::Object(members)) = (&operation.output, output) else {
        return response;
    };
    let shape = api.shape(name);
    headers(api, shape, members, &mut response);
    let (content_type, body) = body(service, operation, shape, kind, members);
    *response.body_mut() = body.into();
    if let Some(content_type) = content_type
        && !response.headers().contains_key("content-type")
    {
        response
            .headers_mut()
            .insert("content-type", HeaderValue::from_static(content_type));
    }
    response
}

fn namespace(service: Service) -> &'static str {
    match service {
        Service::Route53 => ROUTE_53,
        _ => S3,
    }
}

fn headers(api: &Api, shape: &Shape, members: &Map<String, Value>, response: &mut Response<Bytes>) {
    let mut insert = |name: &str, value: &str| {
        if let (Ok(name), Ok(value)) = (
            name.parse::<HeaderName>(),
            HeaderValue::from_bytes(value.as_bytes()),
        ) {
            response.headers_mut().insert(name, value);
        }
    };
    for (name, reference) in &shape.members {
        let Some(value) = members.get(name) else { continue };
        let sent = reference.location_name.as_deref().unwrap_or(name);
        match (reference.location, value) {
            (Some(Location::Header), value) => insert(sent, &scalar(api.shape(&reference.shape), value)),
            (Some(Location::Headers), Value::Object(entries)) => {
                for (name, value) in entries {
                    insert(&format!("{sent}{name}"), value.as_str().unwrap_or_default());
                }
            }
            _ => {}
        }
    }
}

fn scalar(shape: &Shape, value: &Value) -> String {
    match (shape.kind, value) {
        (Kind::Timestamp, value) => {
            let at = SimTime::from_epoch_seconds(value.as_f64().unwrap_or_default());
            if shape.timestamp_format.as_deref() == Some("iso8601") {
                at.iso8601()
            } else {
                http_date(at)
            }
        }
        (_, Value::String(text)) => text.clone(),
        (_, other) => other.to_string(),
    }
}

fn body(
    service: Service,
    operation: &Operation,
    shape: &Shape,
    kind: Body,
    members: &Map<String, Value>,
) -> (Option<&'static str>, Vec<u8>) {
    let api = Api::of(service);
    if let Some(payload) = &shape.payload {
        let (Some(reference), Some(value)) = (shape.members.get(payload), members.get(payload)) else {
            return (None, Vec::new());
        };
        return match (api.shape(&reference.shape).kind, kind, value) {
            (Kind::Blob, _, Value::String(bytes)) => (None, STANDARD.decode(bytes).unwrap_or_default()),
            (Kind::String, _, Value::String(text)) => (None, text.clone().into_bytes()),
            (_, Body::Xml, value) => {
                let root = reference.location_name.as_deref().unwrap_or(payload);
                let text = xml::document(root, namespace(service), |out| {
                    xml::content(out, api, &reference.shape, value)
                });
                (Some("application/xml"), text.into_bytes())
            }
            (_, Body::Json, value) => (Some("application/json"), value.to_string().into_bytes()),
        };
    }
    let in_body = || {
        shape
            .members
            .iter()
            .filter(|(_, member)| member.location.is_none())
    };
    if in_body().next().is_none() {
        return (None, Vec::new());
    }
    match kind {
        Body::Xml => {
            // GetBucketLocation alone has its one value right in the root element.
            let Some(root) = operation.root.as_deref() else {
                let text = xml::document("LocationConstraint", namespace(service), |out| {
                    if let Some(value) = members.get("LocationConstraint") {
                        xml::content(out, api, "BucketLocationConstraint", value);
                    }
                });
                return (Some("application/xml"), text.into_bytes());
            };
            let text = xml::document(root, namespace(service), |out| {
                for (name, reference) in in_body() {
                    if let Some(value) = members.get(name) {
                        xml::member(out, api, name, reference, value);
                    }
                }
            });
            (Some("application/xml"), text.into_bytes())
        }
        Body::Json => {
            let known = in_body().filter_map(|(name, _)| Some((name.clone(), members.get(name)?.clone())));
            (
                Some("application/json"),
                Value::Object(known.collect()).to_string().into_bytes(),
            )
        }
    }
}

/// The answer that carries an error. Further members of the error stand beside its message; those whose names are
/// small are headers. Without a service the form is that of S3.
pub(in crate::wire) fn failure(
    service: Option<Service>,
    kind: Body,
    status: u16,
    code: &str,
    message: &str,
    members: &Map<String, Value>,
    request_id: &str,
) -> Response<Bytes> {
    let is_header = |name: &str| name.starts_with(|first: char| first.is_ascii_lowercase());
    let details: Vec<(&str, &str)> = members
        .iter()
        .filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)))
        .collect();
    let (content_type, body) = match kind {
        Body::Xml if service == Some(Service::Route53) => {
            let fault = if status < 500 { "Sender" } else { "Receiver" };
            (
                "text/xml",
                xml::wrapped_failure(ROUTE_53, fault, code, message, request_id),
            )
        }
        Body::Xml => {
            let inside: Vec<(&str, &str)> = details
                .iter()
                .copied()
                .filter(|(name, _)| !is_header(name))
                .collect();
            (
                "application/xml",
                xml::rest_failure(code, message, &inside, request_id),
            )
        }
        Body::Json => {
            let mut body = Map::new();
            body.insert("Message".to_owned(), message.into());
            body.extend(members.iter().map(|(name, value)| (name.clone(), value.clone())));
            ("application/json", Value::Object(body).to_string())
        }
    };
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    let mut insert = |name: &str, value: &str| {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value.parse()) {
            response.headers_mut().insert(name, value);
        }
    };
    for (name, value) in details
        .iter()
        .filter(|(name, _)| kind == Body::Xml && is_header(name))
    {
        insert(name, value);
    }
    if kind == Body::Json {
        insert("x-amzn-errortype", code);
    }
    // A 304 has no body (RFC 9110, section 15.4.5).
    if status != 304 {
        insert("content-type", content_type);
        *response.body_mut() = body.into();
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_and_read_as_http_has_it() {
        let at = SimTime(1_768_467_600_000);
        assert_eq!(http_date(at), "Thu, 15 Jan 2026 09:00:00 GMT");
        assert_eq!(read_http_date("Thu, 15 Jan 2026 09:00:00 GMT"), Some(at));
        assert_eq!(read_http_date("2026-01-15T09:00:00Z"), Some(at));
        assert_eq!(read_http_date("yesterday"), None);
    }
}
