//! Finds the operation that a REST request asks for.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderMap, Request};
use percent_encoding::percent_decode_str;

use super::{Address, Body};
use crate::service::Service;
use crate::wire::route::{Parameters, Protocol, Route, Scope, text};
use crate::wire::shape::{Api, Location, Operation};

/// The operation of a REST service that `request` asks for; `None` when it is not for a REST service. An operation
/// that the sandbox does not know goes by its method and path.
pub(in crate::wire) fn find(request: &Request<Bytes>) -> Option<Route> {
    let headers = request.headers();
    let query: Vec<(String, String)> =
        form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes())
            .into_owned()
            .collect();
    // In process the host stands in the address alone.
    let host = request.uri().host().or_else(|| {
        let host = text(headers, "host")?;
        Some(host.rsplit_once(':').map_or(host, |(name, _)| name))
    });
    let service = service(headers, host, &query)?;
    let body = Body::of(service);
    let path = match host.and_then(bucket_of_host).filter(|_| service == Service::S3) {
        Some(bucket) => format!("/{bucket}{}", request.uri().path()),
        None => request.uri().path().to_owned(),
    };
    let api = Api::of(service);
    let found = api
        .operations
        .iter()
        .filter_map(|(name, operation)| {
            let http = operation.http.as_ref()?;
            if http.method != request.method().as_str() {
                return None;
            }
            let (template, literals) = http
                .request_uri
                .split_once('?')
                .unwrap_or((&http.request_uri, ""));
            let labels = labels(template, &path)?;
            let weight = weight(api, operation, literals, &query, headers)?;
            Some((weight, name, labels))
        })
        .max_by_key(|(weight, _, _)| *weight);
    let (operation, labels) = match found {
        Some((_, name, labels)) => (name.clone(), labels),
        None => (format!("{} {path}", request.method()), BTreeMap::new()),
    };
    Some(Route {
        service,
        operation,
        protocol: Protocol::Rest(body),
        parameters: Parameters::default(),
        address: Address { labels, query },
    })
}

impl Body {
    fn of(service: Service) -> Self {
        match service {
            Service::S3 | Service::Route53 => Self::Xml,
            _ => Self::Json,
        }
    }
}

/// The REST service by the scope of the signature, in the header or in a presigned address, or by the host.
fn service(headers: &HeaderMap, host: Option<&str>, query: &[(String, String)]) -> Option<Service> {
    let rest = || {
        Service::ALL
            .iter()
            .copied()
            .filter(|service| Api::of(*service).metadata.is_rest())
    };
    let presigned = query.iter().find(|(name, _)| name == "X-Amz-Credential");
    let scope = Scope::of(headers).or_else(|| Scope::parse(&presigned?.1));
    if let Some(scope) = scope {
        return rest().find(|service| Api::of(*service).metadata.signing_name() == scope.service);
    }
    let host = host.filter(|host| host.ends_with(".amazonaws.com"))?;
    rest().find(|service| {
        let prefix = Api::of(*service).metadata.endpoint_prefix();
        host.split('.').any(|label| label == prefix)
    })
}

/// The bucket in a virtual host's name: `bucket.s3.us-east-1.amazonaws.com`, `bucket.s3.amazonaws.com`,
/// `bucket.localhost`. Bucket names may hold dots themselves.
fn bucket_of_host(host: &str) -> Option<&str> {
    if let Some(before) = host.strip_suffix(".amazonaws.com") {
        let at = before
            .rfind(".s3.")
            .or_else(|| before.ends_with(".s3").then(|| before.len() - 3))?;
        return before.get(..at);
    }
    let before = host.strip_suffix(".localhost")?;
    Some(before.strip_suffix(".s3").unwrap_or(before)).filter(|bucket| *bucket != "s3")
}

/// The labels of `path` under `template` (`/{Bucket}/{Key+}`); `None` when it is another path.
fn labels(template: &str, path: &str) -> Option<BTreeMap<String, String>> {
    let mut labels = BTreeMap::new();
    let mut rest = path.trim_start_matches('/');
    // S3 keys may begin with a slash of their own: only the one that separates is taken off.
    let mut first = true;
    for part in template.split('/').filter(|part| !part.is_empty()) {
        if !first {
            rest = rest.strip_prefix('/')?;
        }
        first = false;
        let greedy = part.ends_with("+}");
        let end = if greedy {
            rest.len()
        } else {
            rest.find('/').unwrap_or(rest.len())
        };
        let (given, after) = rest.split_at(end);
        match part
            .strip_prefix('{')
            .map(|name| name.trim_end_matches(['+', '}']))
        {
            Some(_) if given.is_empty() => return None,
            Some(name) => {
                let value = percent_decode_str(given).decode_utf8().ok()?;
                labels.insert(name.to_owned(), value.into_owned());
            }
            None if part == given => {}
            None => return None,
        }
        rest = after;
    }
    (rest.is_empty() || rest == "/").then_some(labels)
}

/// How closely the request fits the operation: the literals of its address and the members that it requires. `None`
/// when one of them is not there, or the address names a part of the resource that the operation is not about.
fn weight(
    api: &Api,
    operation: &Operation,
    literals: &str,
    query: &[(String, String)],
    headers: &HeaderMap,
) -> Option<usize> {
    let literals: Vec<(&str, &str)> = literals
        .split('&')
        .filter(|literal| !literal.is_empty())
        .map(|literal| literal.split_once('=').unwrap_or((literal, "")))
        .collect();
    let there = |name: &str| query.iter().any(|(given, _)| given == name);
    if !literals
        .iter()
        .all(|(name, value)| query.iter().any(|(n, v)| n == name && v == value))
    {
        return None;
    }
    let input = api.shape(operation.input.as_deref()?);
    let mut weight = literals.len();
    for name in &input.required {
        let reference = input.members.get(name)?;
        let sent = reference.location_name.as_deref().unwrap_or(name);
        match reference.location {
            Some(Location::Querystring) if !there(sent) => return None,
            Some(Location::Header) if !headers.contains_key(sent) => return None,
            Some(Location::Querystring | Location::Header) => weight += 1,
            _ => {}
        }
    }
    // `PUT /bucket/key?acl` is not about the object itself.
    let known = |name: &str| {
        input.members.values().any(|reference| {
            reference.location == Some(Location::Querystring)
                && reference.location_name.as_deref() == Some(name)
        })
    };
    let about_something_else = query
        .iter()
        .any(|(name, value)| value.is_empty() && !literals.iter().any(|(l, _)| l == name) && !known(name));
    (!about_something_else).then_some(weight)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(method: &str, uri: &str, headers: &[(&str, &str)]) -> (String, BTreeMap<String, String>) {
        let scope = "AWS4-HMAC-SHA256 Credential=AKIA/20260115/us-east-1/s3/aws4_request, Signature=0";
        let mut request = Request::builder()
            .method(method)
            .uri(uri)
            .header("authorization", scope);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let route = find(&request.body(Bytes::new()).unwrap()).unwrap();
        (route.operation, route.address.labels)
    }

    #[test]
    fn an_operation_of_s3_is_told_by_method_path_parameters_and_headers() {
        for (method, uri, headers, operation) in [
            ("GET", "/", &[][..], "ListBuckets"),
            ("HEAD", "/b", &[], "HeadBucket"),
            ("GET", "/b?list-type=2&prefix=", &[], "ListObjectsV2"),
            ("GET", "/b/?versions", &[], "ListObjectVersions"),
            ("GET", "/b/k", &[], "GetObject"),
            ("GET", "/b/k?tagging", &[], "GetObjectTagging"),
            ("PUT", "/b/k?x-id=PutObject", &[], "PutObject"),
            ("PUT", "/b/k", &[("x-amz-copy-source", "b/a")], "CopyObject"),
            ("PUT", "/b/k?partNumber=1&uploadId=u", &[], "UploadPart"),
            (
                "PUT",
                "/b/k?partNumber=1&uploadId=u",
                &[("x-amz-copy-source", "b/a")],
                "UploadPartCopy",
            ),
            ("POST", "/b/k?uploads", &[], "CreateMultipartUpload"),
            ("POST", "/b/k?uploadId=u", &[], "CompleteMultipartUpload"),
            ("POST", "/b?delete", &[], "DeleteObjects"),
            ("DELETE", "/b/k?versionId=v", &[], "DeleteObject"),
            ("DELETE", "/b/k?uploadId=u", &[], "AbortMultipartUpload"),
            ("PUT", "/b/k?acl", &[], "PUT /b/k"),
            ("GET", "/b?policy", &[], "GET /b"),
        ] {
            assert_eq!(found(method, uri, headers).0, operation, "{method} {uri}");
        }
    }

    #[test]
    fn bucket_and_key_are_read_from_path_and_from_virtual_host() {
        let labels = |bucket: &str, key: &str| {
            BTreeMap::from([
                ("Bucket".to_owned(), bucket.to_owned()),
                ("Key".to_owned(), key.to_owned()),
            ])
        };
        assert_eq!(found("GET", "/b/a%20b/c%2Bd", &[]).1, labels("b", "a b/c+d"));
        assert_eq!(found("GET", "/b//k/", &[]).1, labels("b", "/k/"));
        for host in [
            "b.s3.us-east-1.amazonaws.com",
            "b.s3.amazonaws.com",
            "b.localhost:4566",
            "b.s3.localhost",
        ] {
            assert_eq!(
                found("GET", "/k", &[("host", host)]).1,
                labels("b", "k"),
                "{host}"
            );
        }
        assert_eq!(
            found("GET", "/k", &[("host", "a.b.localhost")]).1,
            labels("a.b", "k")
        );
        assert_eq!(
            found("GET", "/b/k", &[("host", "s3.us-east-1.amazonaws.com")]).1,
            labels("b", "k")
        );
    }

    #[test]
    fn a_presigned_address_names_its_service() {
        let uri = "/b/k?X-Amz-Credential=AKIA%2F20260115%2Fus-east-1%2Fs3%2Faws4_request";
        let route = find(&Request::get(uri).body(Bytes::new()).unwrap()).unwrap();
        assert_eq!(route.operation, "GetObject");
    }
}
