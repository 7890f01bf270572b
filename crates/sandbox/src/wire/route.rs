//! Finds out which service, operation and protocol a request addresses, the ways real SDKs address them.

use bytes::Bytes;
use http::{HeaderMap, Request};

pub(super) use super::query::Parameters;
use super::rest::{self, Address, Body};
use super::shape::Api;
use crate::service::Service;

/// The protocols of the simulated services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// awsJson 1.0 or 1.1, by its content type.
    Json(&'static str),
    /// awsQuery: a form in, XML out.
    Query,
    /// EC2's dialect of it.
    Ec2,
    /// Smithy RPC v2 CBOR.
    Cbor,
    /// restXml or restJson.
    Rest(Body),
}

/// What a request asks for, before anything is known about its input.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) service: Service,
    pub(crate) operation: String,
    pub(crate) protocol: Protocol,
    /// The parameters of a query request, already taken apart.
    pub(crate) parameters: Parameters,
    /// The address of a REST request, already taken apart.
    pub(crate) address: Address,
}

/// The service that `request` is for; `None` when it is not a request to a simulated service. `body` is the
/// request's body without its content encoding.
pub(crate) fn find(request: &Request<Bytes>, body: &[u8]) -> Option<Route> {
    rest::find(request)
        .or_else(|| cbor(request))
        .or_else(|| json(request.headers()))
        .or_else(|| query(request, body))
}

/// `/service/<target prefix>/operation/<operation>` with its protocol header.
fn cbor(request: &Request<Bytes>) -> Option<Route> {
    if text(request.headers(), "smithy-protocol") != Some("rpc-v2-cbor") {
        return None;
    }
    let rest = request.uri().path().strip_prefix("/service/")?;
    let (prefix, operation) = rest.split_once("/operation/")?;
    Some(Route {
        service: by_target(prefix)?,
        operation: operation.to_owned(),
        protocol: Protocol::Cbor,
        parameters: Parameters::default(),
        address: Address::default(),
    })
}

/// `X-Amz-Target: <target prefix>.<operation>`.
fn json(headers: &HeaderMap) -> Option<Route> {
    let (prefix, operation) = text(headers, "x-amz-target")?.rsplit_once('.')?;
    let content_type = text(headers, "content-type").unwrap_or_default();
    let version = if content_type.contains("json-1.0") {
        "1.0"
    } else {
        "1.1"
    };
    Some(Route {
        service: by_target(prefix)?,
        operation: operation.to_owned(),
        protocol: Protocol::Json(version),
        parameters: Parameters::default(),
        address: Address::default(),
    })
}

/// `Action=…&Version=…` in the body or the address. The signature says which service is meant, else the host,
/// else the API version, which is different for each of them.
fn query(request: &Request<Bytes>, body: &[u8]) -> Option<Route> {
    let in_body = Parameters::parse(body);
    let parameters = match in_body.text("Action") {
        Some(_) => in_body,
        None => Parameters::parse(request.uri().query().unwrap_or_default().as_bytes()),
    };
    let operation = parameters.text("Action")?.to_owned();
    let version = parameters.text("Version");
    let headers = request.headers();
    let speaks_query = |service: &&Service| Api::of(**service).metadata.xml_namespace.is_some();
    let services = || Service::ALL.iter().filter(speaks_query).copied();
    let service = if let Some(scope) = Scope::of(headers) {
        services().find(|service| Api::of(*service).metadata.signing_name() == scope.service)
    } else if let Some(host) = text(headers, "host").filter(|host| host.contains(".amazonaws.com")) {
        services().find(|service| {
            let rest = host.strip_prefix(Api::of(*service).metadata.endpoint_prefix());
            rest.is_some_and(|rest| rest.starts_with('.'))
        })
    } else {
        services().find(|service| version == Some(Api::of(*service).metadata.api_version.as_str()))
    }?;
    // Classic and current load balancing share their signing name and their host.
    if version.is_some_and(|version| version != Api::of(service).metadata.api_version) {
        return None;
    }
    Some(Route {
        service,
        operation,
        protocol: if Api::of(service).metadata.is_ec2() {
            Protocol::Ec2
        } else {
            Protocol::Query
        },
        parameters,
        address: Address::default(),
    })
}

/// CloudTrail is asked by a long prefix (botocore) and by its last part alone (the SDKs that are made from Smithy models).
fn by_target(prefix: &str) -> Option<Service> {
    let last = |text: &str| text.rsplit('.').next().map(str::to_owned);
    Service::ALL.iter().copied().find(|service| {
        let known = Api::of(*service).metadata.target_prefix.as_deref();
        known.is_some_and(|known| known == prefix || last(known).as_deref() == Some(prefix))
    })
}

/// The scope of a signature: `Credential=<access key>/<date>/<region>/<service>/aws4_request`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Scope<'a> {
    pub(crate) access_key: &'a str,
    pub(crate) region: &'a str,
    pub(crate) service: &'a str,
}

impl<'a> Scope<'a> {
    /// What the `Authorization` header says; the signature itself is not checked.
    pub(crate) fn of(headers: &'a HeaderMap) -> Option<Self> {
        let header = text(headers, "authorization")?;
        Self::parse(header.split_once("Credential=")?.1.split([',', ' ']).next()?)
    }

    /// `<access key>/<date>/<region>/<service>/aws4_request`.
    pub(crate) fn parse(scope: &'a str) -> Option<Self> {
        let mut parts = scope.split('/');
        let access_key = parts.next()?;
        let _date = parts.next()?;
        Some(Self {
            access_key,
            region: parts.next()?,
            service: parts.next()?,
        })
    }
}

pub(crate) fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(request: http::request::Builder, body: &str) -> Option<(Service, String, Protocol)> {
        let request = request.body(Bytes::copy_from_slice(body.as_bytes())).unwrap();
        find(&request, request.body()).map(|route| (route.service, route.operation, route.protocol))
    }

    fn signed(service: &str) -> http::request::Builder {
        let scope = format!(
            "AWS4-HMAC-SHA256 Credential=AKIA/20260115/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
        );
        Request::post("/").header("authorization", scope)
    }

    #[test]
    fn cloudwatch_is_found_in_all_of_its_protocols() {
        let cbor = Request::post("/service/GraniteServiceVersion20100801/operation/ListMetrics")
            .header("smithy-protocol", "rpc-v2-cbor");
        let json = Request::post("/")
            .header("x-amz-target", "GraniteServiceVersion20100801.ListMetrics")
            .header("content-type", "application/x-amz-json-1.0");
        let expected = |protocol| Some((Service::CloudWatch, "ListMetrics".to_owned(), protocol));
        assert_eq!(found(cbor, ""), expected(Protocol::Cbor));
        assert_eq!(found(json, "{}"), expected(Protocol::Json("1.0")));
        assert_eq!(
            found(signed("monitoring"), "Action=ListMetrics"),
            expected(Protocol::Query)
        );
    }

    #[test]
    fn a_query_is_told_by_signature_then_host_then_version() {
        let rds = Some((Service::Rds, "DescribeDBInstances".to_owned(), Protocol::Query));
        let action = "Action=DescribeDBInstances";
        assert_eq!(found(signed("rds"), action), rds);
        assert_eq!(
            found(
                Request::post("/").header("host", "rds.us-east-1.amazonaws.com"),
                action
            ),
            rds
        );
        assert_eq!(
            found(
                Request::get("/?Action=DescribeDBInstances&Version=2014-10-31"),
                ""
            ),
            rds
        );
        assert_eq!(found(Request::post("/"), action), None);
    }

    #[test]
    fn classic_load_balancing_is_not_taken_for_the_current_one() {
        let body = "Action=DescribeLoadBalancers&Version=2012-06-01";
        assert_eq!(found(signed("elasticloadbalancing"), body), None);
    }
}
