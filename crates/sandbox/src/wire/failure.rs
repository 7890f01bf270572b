//! Gives an error the form that each protocol's clients recognise it by.

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::{Map, Value};

use super::rest::{self, Body};
use super::route::Protocol;
use super::shape::Api;
use super::{cbor, xml};
use crate::error::ApiError;
use crate::service::Service;

/// Errors that every service shares: the name in the JSON and CBOR protocols with its status, then the code in
/// the query protocol with its status ("Common Error Types" in each service's API reference).
const COMMON: &[(&str, u16, &str, u16)] = &[
    ("AccessDeniedException", 400, "AccessDenied", 403),
    ("ExpiredTokenException", 400, "ExpiredToken", 403),
    ("InternalFailure", 500, "InternalFailure", 500),
    ("SerializationException", 400, "MalformedInput", 400),
    ("ThrottlingException", 400, "Throttling", 400),
    ("UnknownOperationException", 400, "InvalidAction", 400),
    ("ValidationException", 400, "ValidationError", 400),
];

/// An error by its name in each protocol family.
struct Named<'a> {
    shape: &'a str,
    code: &'a str,
    status: u16,
}

/// The answer that carries `error`.
pub(crate) fn response(
    service: Service,
    operation: &str,
    protocol: Protocol,
    error: &ApiError,
    request_id: &str,
) -> Response<Bytes> {
    let api = Api::of(service);
    let named = named(service, operation, protocol, error);
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::from_u16(named.status).unwrap_or(StatusCode::BAD_REQUEST);
    let fault = if named.status < 500 { "Sender" } else { "Receiver" };
    let mut header = |name: &'static str, value: &str| {
        if let Ok(value) = value.parse() {
            response.headers_mut().insert(name, value);
        }
    };
    let body = match protocol {
        Protocol::Query => {
            header("content-type", "text/xml");
            xml::failure(api, fault, named.code, &error.message, request_id).into_bytes()
        }
        Protocol::Ec2 => {
            header("content-type", "text/xml;charset=UTF-8");
            xml::ec2_failure(named.code, &error.message, request_id).into_bytes()
        }
        Protocol::Json(version) => {
            header("content-type", &format!("application/x-amz-json-{version}"));
            header("x-amzn-errortype", named.shape);
            json(api, operation, named.shape, error)
        }
        Protocol::Cbor => {
            header("content-type", "application/cbor");
            header("smithy-protocol", "rpc-v2-cbor");
            cbor::failure(
                &format!("com.amazonaws.cloudwatch#{}", named.shape),
                &error.message,
                &error.members,
            )
        }
        Protocol::Rest(kind) => {
            return rest::failure(
                Some(service),
                kind,
                named.status,
                match kind {
                    Body::Xml => named.code,
                    Body::Json => named.shape,
                },
                &error.message,
                &error.members,
                request_id,
            );
        }
    };
    if !matches!(protocol, Protocol::Query | Protocol::Ec2) && api.metadata.query_compatible() {
        header("x-amzn-query-error", &format!("{};{fault}", named.code));
    }
    *response.body_mut() = body.into();
    response
}

/// The name under which clients of `protocol` know `error`.
pub(crate) fn code(service: Service, operation: &str, protocol: Protocol, error: &ApiError) -> String {
    let named = named(service, operation, protocol, error);
    match protocol {
        Protocol::Query | Protocol::Ec2 | Protocol::Rest(Body::Xml) => named.code.to_owned(),
        Protocol::Json(_) | Protocol::Cbor | Protocol::Rest(Body::Json) => named.shape.to_owned(),
    }
}

/// Handlers may use either name; modelled errors go before the common ones.
fn named<'a>(service: Service, operation: &str, protocol: Protocol, error: &'a ApiError) -> Named<'a> {
    let api = Api::of(service);
    let given = error.code.as_str();
    if let Some(modelled) = api.error(operation, given) {
        let status = match (protocol, modelled.status) {
            (Protocol::Query | Protocol::Cbor | Protocol::Rest(_), Some(status)) if error.status == 400 => {
                status
            }
            _ => error.status,
        };
        return Named {
            shape: modelled.shape,
            code: modelled.code,
            status,
        };
    }
    // S3 and EC2 share some of the names, but neither their words nor their statuses.
    let common = COMMON
        .iter()
        .filter(|_| !matches!(service, Service::Ec2 | Service::S3))
        .find(|(shape, _, code, _)| *shape == given || *code == given);
    if let Some((shape, json_status, code, query_status)) = common {
        let usual = match protocol {
            Protocol::Query | Protocol::Ec2 | Protocol::Rest(_) => *query_status,
            Protocol::Json(_) | Protocol::Cbor => *json_status,
        };
        return Named {
            shape,
            code,
            status: if error.status == 400 { usual } else { error.status },
        };
    }
    Named {
        shape: given,
        code: given,
        status: error.status,
    }
}

fn json(api: &Api, operation: &str, shape: &str, error: &ApiError) -> Vec<u8> {
    let mut body = Map::new();
    body.insert("__type".to_owned(), shape.into());
    // Some services call the member `Message`; where the API says so, that is its name here too.
    let modelled = api
        .error(operation, shape)
        .map(|modelled| api.shape(modelled.shape));
    let member = modelled.and_then(|shape| {
        shape
            .members
            .keys()
            .find(|name| name.eq_ignore_ascii_case("message"))
    });
    body.insert(
        member.map_or("message", String::as_str).to_owned(),
        error.message.as_str().into(),
    );
    body.extend(
        error
            .members
            .iter()
            .map(|(name, value)| (name.clone(), value.clone())),
    );
    Value::Object(body).to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(service: Service, operation: &str, protocol: Protocol, error: &ApiError) -> (u16, String) {
        let response = response(service, operation, protocol, error, "r");
        (
            response.status().as_u16(),
            String::from_utf8_lossy(response.body()).into_owned(),
        )
    }

    #[test]
    fn a_json_error_names_its_type_in_body_and_header() {
        let error = ApiError::client("ClusterNotFoundException", "Cluster not found.");
        let response = response(Service::Ecs, "ListTasks", Protocol::Json("1.1"), &error, "r");
        assert_eq!(response.headers()["x-amzn-errortype"], "ClusterNotFoundException");
        assert_eq!(
            String::from_utf8_lossy(response.body()),
            r#"{"__type":"ClusterNotFoundException","message":"Cluster not found."}"#
        );
    }

    #[test]
    fn secrets_manager_spells_its_message_with_a_capital() {
        let error = ApiError::client("ResourceNotFoundException", "no");
        let (_, body) = shown(
            Service::SecretsManager,
            "GetSecretValue",
            Protocol::Json("1.1"),
            &error,
        );
        assert_eq!(body, r#"{"__type":"ResourceNotFoundException","Message":"no"}"#);
    }

    #[test]
    fn a_query_error_has_the_code_and_status_of_its_shape() {
        let error = ApiError::client("DBInstanceNotFoundFault", "DBInstance x not found.");
        let (status, body) = shown(Service::Rds, "DescribeDBInstances", Protocol::Query, &error);
        assert_eq!(status, 404);
        assert!(
            body.contains("<Error><Type>Sender</Type><Code>DBInstanceNotFound</Code><Message>DBInstance x not found.</Message></Error><RequestId>r</RequestId>"),
            "{body}"
        );
    }

    #[test]
    fn cbor_errors_carry_the_query_code_too() {
        let error = ApiError::client("Throttling", "Rate exceeded");
        let response = response(Service::CloudWatch, "DescribeAlarms", Protocol::Cbor, &error, "r");
        assert_eq!(response.headers()["x-amzn-query-error"], "Throttling;Sender");
        assert!(
            String::from_utf8_lossy(response.body()).contains("com.amazonaws.cloudwatch#ThrottlingException")
        );
    }

    #[test]
    fn the_common_errors_have_each_protocols_code_and_status() {
        let denied = ApiError::client("AccessDeniedException", "no");
        assert_eq!(
            shown(Service::Ecs, "RunTask", Protocol::Json("1.1"), &denied).0,
            400
        );
        let (status, body) = shown(
            Service::AutoScaling,
            "SetDesiredCapacity",
            Protocol::Query,
            &denied,
        );
        assert_eq!(status, 403);
        assert!(body.contains("<Code>AccessDenied</Code>"), "{body}");
    }
}
