//! Requests to services that the sandbox does not simulate, refused in the protocol that they were sent in.

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode};
use serde_json::{Map, json};

use super::cbor;
use super::query::Parameters;
use super::rest::{self, Body};
use super::route::{Scope, text};
use super::xml;

/// The code that services answer unknown operations with, and that of the query protocol.
const UNKNOWN: &str = "UnknownOperationException";
const INVALID: &str = "InvalidAction";

/// The services that answer in XML although no parameter names their action.
const REST_XML: &[&str] = &["cloudfront", "route53", "s3"];

/// The refusal of a request; `None` when it is no request of an AWS SDK at all.
pub(super) fn refusal(request: &Request<Bytes>, body: &[u8], request_id: &str) -> Option<Response<Bytes>> {
    let headers = request.headers();
    let message = |what: &str| format!("the sandbox does not simulate {what}");
    if text(headers, "smithy-protocol") == Some("rpc-v2-cbor") {
        let body = cbor::failure(UNKNOWN, &message(request.uri().path()), &Map::new());
        let mut response = answer(StatusCode::NOT_FOUND, "application/cbor", body);
        let protocol = HeaderValue::from_static("rpc-v2-cbor");
        response.headers_mut().insert("smithy-protocol", protocol);
        return Some(response);
    }
    if let Some(target) = text(headers, "x-amz-target") {
        let body = json!({ "__type": UNKNOWN, "message": message(target) });
        let mut response = answer(
            StatusCode::BAD_REQUEST,
            "application/x-amz-json-1.1",
            body.to_string().into_bytes(),
        );
        let kind = HeaderValue::from_static(UNKNOWN);
        response.headers_mut().insert("x-amzn-errortype", kind);
        return Some(response);
    }
    let scope = Scope::of(headers);
    let in_address = request.uri().query().unwrap_or_default().as_bytes();
    let action = [body, in_address]
        .into_iter()
        .find_map(|form| Parameters::parse(form).text("Action").map(str::to_owned));
    if let Some(action) = action {
        let service = scope.map_or("this service", |scope| scope.service);
        let message = message(&format!("{action} of {service}"));
        let body = xml::unknown_service(INVALID, &message, request_id);
        return Some(answer(StatusCode::BAD_REQUEST, "text/xml", body.into_bytes()));
    }
    let scope = scope?;
    let kind = if REST_XML.contains(&scope.service) {
        Body::Xml
    } else {
        Body::Json
    };
    let what = format!(
        "{} {} of {}",
        request.method(),
        request.uri().path(),
        scope.service
    );
    Some(rest::failure(
        None,
        kind,
        404,
        UNKNOWN,
        &message(&what),
        &Map::new(),
        request_id,
    ))
}

fn answer(status: StatusCode, content_type: &'static str, body: Vec<u8>) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    let content_type = HeaderValue::from_static(content_type);
    response.headers_mut().insert("content-type", content_type);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(request: http::request::Builder, body: &'static str) -> Option<(u16, String, String)> {
        let request = request.body(Bytes::from_static(body.as_bytes())).unwrap();
        let response = refusal(&request, request.body(), "r")?;
        let content_type = response.headers()["content-type"].to_str().unwrap().to_owned();
        let body = String::from_utf8_lossy(response.body()).into_owned();
        Some((response.status().as_u16(), content_type, body))
    }

    fn signed(service: &str) -> http::request::Builder {
        let scope = format!(
            "AWS4-HMAC-SHA256 Credential=AKIA/20260115/us-east-1/{service}/aws4_request, Signature=0"
        );
        Request::post("/2020-01-01/things").header("authorization", scope)
    }

    #[test]
    fn each_is_refused_in_its_own_protocol() {
        let json = Request::post("/").header("x-amz-target", "DynamoDB_20120810.ListTables");
        let (status, content_type, body) = refused(json, "{}").unwrap();
        assert_eq!(
            (status, content_type.as_str()),
            (400, "application/x-amz-json-1.1")
        );
        assert!(body.contains("DynamoDB_20120810.ListTables"), "{body}");
        let (status, content_type, body) = refused(signed("redshift"), "Action=DescribeClusters").unwrap();
        assert_eq!((status, content_type.as_str()), (400, "text/xml"));
        assert!(body.contains("<Code>InvalidAction</Code>"), "{body}");
        assert_eq!(refused(signed("route53"), "").unwrap().1, "application/xml");
        assert_eq!(refused(signed("apigateway"), "").unwrap().1, "application/json");
        let cbor = Request::post("/service/Other/operation/List").header("smithy-protocol", "rpc-v2-cbor");
        assert_eq!(refused(cbor, "").unwrap().0, 404);
        assert_eq!(refused(Request::get("/"), ""), None);
    }
}
