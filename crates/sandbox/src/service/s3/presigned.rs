//! Presigned addresses: what the application hands out for one object, and what S3 makes of a request to one
//! (Amazon S3 API Reference, "Authenticating Requests: Using Query Parameters (AWS Signature Version 4)").
//!
//! As the AWS SDK for PHP makes them, they sign the host alone and leave the payload unsigned.

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha2::{Digest as _, Sha256};

use super::checksum::hex;
use super::{Content, has_bucket, sha256_hex};
use crate::application::media::MediaTrouble;
use crate::world::World;

/// The credentials of the backend's task role. Nothing else signs with them.
const ACCESS_KEY: &str = "ASIAQSANDBOXBACKEND0";
const SECRET: &str = "the secret of the role of the backend's tasks";
const SESSION: &str = "IQoJb3JpZ2luX2VjSANDBOX";

/// What is written as it is ("UriEncode()", same chapter).
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');
/// The same in a path.
const PATH: &AsciiSet = &PLAIN.remove(b'/');

/// The longest that an address may be valid: seven days, in seconds.
const LONGEST: u64 = 604_800;

/// An address with which anybody may `method` one object for `seconds` from now on.
pub(crate) fn url(world: &World, method: &Method, bucket: &str, key: &str, seconds: u64) -> String {
    let stamp = stamp(world.now.0);
    let region = &world.options.region;
    let host = format!("{bucket}.s3.{region}.amazonaws.com");
    let scope = format!("{}/{region}/s3/aws4_request", stamp.get(..8).unwrap_or_default());
    let mut query: Vec<(String, String)> = [
        ("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD"),
        ("X-Amz-Security-Token", SESSION),
        ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
        ("X-Amz-Credential", &format!("{ACCESS_KEY}/{scope}")),
        ("X-Amz-Date", &stamp),
        ("X-Amz-SignedHeaders", "host"),
        ("X-Amz-Expires", &seconds.to_string()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .collect();
    let path = format!("/{}", utf8_percent_encode(key, PATH));
    let canonical = canonical(method, &path, &query, &[("host".to_owned(), host.clone())]);
    let signature = signature(&to_sign(&stamp, &scope, &canonical), &scope);
    query.push(("X-Amz-Signature".to_owned(), signature));
    format!("https://{host}{path}?{}", written(&query))
}

/// Whether a bucket of the account answers under this host.
pub(crate) fn is_bucket(world: &World, host: &str) -> bool {
    bucket_of(world, host).is_some()
}

fn bucket_of<'a>(world: &World, host: &'a str) -> Option<&'a str> {
    let end = format!(".s3.{}.amazonaws.com", world.options.region);
    let bucket = host.strip_suffix(&end)?;
    has_bucket(world, bucket).then_some(bucket)
}

/// Answers a request to a presigned address; `None` for any other.
pub(crate) fn answer(world: &mut World, request: &Request<Bytes>) -> Option<Response<Bytes>> {
    let host = request.headers().get("host")?.to_str().ok()?.to_owned();
    let bucket = bucket_of(world, &host)?.to_owned();
    let query = read(request.uri().query().unwrap_or_default());
    query.iter().find(|(name, _)| name == "X-Amz-Signature")?;
    let key = percent_decode_str(request.uri().path().trim_start_matches('/'))
        .decode_utf8_lossy()
        .into_owned();
    let open = world.services.media.troubles.contains(&MediaTrouble::OpenBucket);
    let mut response = match refused(world, request, &query).filter(|_| !open) {
        Some(refusal) => refusal,
        None if request.method() == Method::PUT => put(world, request, &bucket, &key),
        None => get(world, request, &bucket, &key),
    };
    let request_id = world.gateway.ids.clone().uuid();
    super::finish(&mut response, &request_id);
    Some(response)
}

/// The refusal of an address whose time is over.
fn expired(world: &World, began: jiff::Timestamp, seconds: u64) -> Option<Response<Bytes>> {
    let now = world.now.0.div_euclid(1000);
    let ends = began.as_second().saturating_add_unsigned(seconds);
    let at = |seconds: i64| {
        jiff::Timestamp::from_second(seconds)
            .map(|at| at.to_string())
            .unwrap_or_default()
    };
    let more = format!(
        "<X-Amz-Expires>{seconds}</X-Amz-Expires><Expires>{}</Expires><ServerTime>{}</ServerTime>",
        at(ends),
        at(now)
    );
    let refusal = || {
        error(
            StatusCode::FORBIDDEN,
            "AccessDenied",
            "Request has expired",
            &more,
        )
    };
    (now >= ends).then(refusal)
}

/// Why S3 refuses a request: it looks at the time before it looks at the signature.
fn refused(world: &World, request: &Request<Bytes>, query: &[(String, String)]) -> Option<Response<Bytes>> {
    let given = |name: &str| {
        query
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    };
    let malformed = |message: &str| {
        Some(error(
            StatusCode::BAD_REQUEST,
            "AuthorizationQueryParametersError",
            message,
            "",
        ))
    };
    let (Some(stamp), Some(expires), Some(credential), Some(signed), Some(signature_given)) = (
        given("X-Amz-Date"),
        given("X-Amz-Expires").and_then(|seconds| seconds.parse::<u64>().ok()),
        given("X-Amz-Credential"),
        given("X-Amz-SignedHeaders"),
        given("X-Amz-Signature"),
    ) else {
        return malformed(
            "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.",
        );
    };
    if expires > LONGEST {
        return malformed(
            "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds",
        );
    }
    let Ok(began) = stamp.parse::<jiff::Timestamp>() else {
        return malformed("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"");
    };
    if let Some(refusal) = expired(world, began, expires) {
        return Some(refusal);
    }
    let Some((key, scope)) = credential.split_once('/').filter(|(key, _)| *key == ACCESS_KEY) else {
        return Some(error(
            StatusCode::FORBIDDEN,
            "InvalidAccessKeyId",
            "The AWS Access Key Id you provided does not exist in our records.",
            "",
        ));
    };
    let unsigned: Vec<(String, String)> = query
        .iter()
        .filter(|(name, _)| name != "X-Amz-Signature")
        .cloned()
        .collect();
    let header = |name: &str| {
        let value = request.headers().get(name).and_then(|value| value.to_str().ok());
        (name.to_owned(), value.unwrap_or_default().trim().to_owned())
    };
    let headers: Vec<(String, String)> = signed.split(';').map(header).collect();
    let canonical = canonical(request.method(), request.uri().path(), &unsigned, &headers);
    let to_sign = to_sign(stamp, scope, &canonical);
    if signature(&to_sign, scope) != *signature_given {
        let more = format!(
            "<AWSAccessKeyId>{key}</AWSAccessKeyId><StringToSign>{}</StringToSign>",
            to_sign.replace('&', "&amp;").replace('<', "&lt;")
        );
        let message = "The request signature we calculated does not match the signature you provided. Check your key and signing method.";
        return Some(error(
            StatusCode::FORBIDDEN,
            "SignatureDoesNotMatch",
            message,
            &more,
        ));
    }
    let stranger = request
        .headers()
        .keys()
        .map(http::HeaderName::as_str)
        .find(|name| {
            name.starts_with("x-amz-")
                && *name != "x-amz-content-sha256"
                && !signed.split(';').any(|known| known == *name)
        })?;
    Some(error(
        StatusCode::FORBIDDEN,
        "AccessDenied",
        "There were headers present in the request which were not signed",
        &format!("<HeadersNotSigned>{stranger}</HeadersNotSigned>"),
    ))
}

fn put(world: &mut World, request: &Request<Bytes>, bucket: &str, key: &str) -> Response<Bytes> {
    let kind = request
        .headers()
        .get("content-type")
        .and_then(|kind| kind.to_str().ok());
    let content = Content::plain(request.body().clone(), kind.unwrap_or("binary/octet-stream"));
    let etag = content.etag.clone();
    let (now, mut ids) = (world.now, world.gateway.ids.clone());
    super::place(world, &mut ids, now, bucket, key, Some(content));
    world.gateway.ids = ids;
    let mut response = Response::new(Bytes::new());
    if let Ok(etag) = etag.parse() {
        response.headers_mut().insert("etag", etag);
    }
    response
}

/// A download: the whole object, or its first byte where that is asked for.
fn get(world: &World, request: &Request<Bytes>, bucket: &str, key: &str) -> Response<Bytes> {
    let Some(bytes) = super::bytes(world, bucket, key) else {
        return error(
            StatusCode::NOT_FOUND,
            "NoSuchKey",
            "The specified key does not exist.",
            &format!("<Key>{}</Key>", key.replace('&', "&amp;").replace('<', "&lt;")),
        );
    };
    let first = request
        .headers()
        .get("range")
        .is_some_and(|range| range == "bytes=0-0")
        && !bytes.is_empty();
    let length = bytes.len();
    let mut response = Response::new(if first { bytes.slice(..1) } else { bytes });
    if first {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        if let Ok(range) = format!("bytes 0-0/{length}").parse() {
            response.headers_mut().insert("content-range", range);
        }
    }
    response
}

fn error(status: StatusCode, code: &str, message: &str, more: &str) -> Response<Bytes> {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message>{more}</Error>"
    );
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert("content-type", HeaderValue::from_static("application/xml"));
    response
}

/// `20260115T090000Z`.
fn stamp(milliseconds: i64) -> String {
    jiff::Timestamp::from_millisecond(milliseconds)
        .map(|at| at.strftime("%Y%m%dT%H%M%SZ").to_string())
        .unwrap_or_default()
}

fn read(query: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

fn written(query: &[(String, String)]) -> String {
    let pairs = query.iter().map(|(name, value)| {
        format!(
            "{}={}",
            utf8_percent_encode(name, PLAIN),
            utf8_percent_encode(value, PLAIN)
        )
    });
    pairs.collect::<Vec<_>>().join("&")
}

fn canonical(
    method: &Method,
    path: &str,
    query: &[(String, String)],
    headers: &[(String, String)],
) -> String {
    let mut query = query.to_vec();
    query.sort();
    let lines: String = headers
        .iter()
        .map(|(name, value)| format!("{name}:{value}\n"))
        .collect();
    let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
    format!(
        "{method}\n{path}\n{}\n{lines}\n{}\nUNSIGNED-PAYLOAD",
        written(&query),
        names.join(";")
    )
}

fn to_sign(stamp: &str, scope: &str, canonical: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{}",
        sha256_hex(canonical.as_bytes())
    )
}

/// "Calculate Signature", same chapter.
fn signature(to_sign: &str, scope: &str) -> String {
    let first = format!("AWS4{SECRET}").into_bytes();
    let key = scope
        .split('/')
        .fold(first, |key, part| hmac(&key, part.as_bytes()));
    hex(&hmac(&key, to_sign.as_bytes()))
}

/// HMAC-SHA-256 (RFC 2104).
fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    const BLOCK: usize = 64;
    let mut block = if key.len() > BLOCK {
        Sha256::digest(key).to_vec()
    } else {
        key.to_vec()
    };
    block.resize(BLOCK, 0);
    let padded = |with: u8| block.iter().map(|byte| byte ^ with).collect::<Vec<u8>>();
    let inner = Sha256::digest([padded(0x36), message.to_vec()].concat());
    Sha256::digest([padded(0x5c), inner.to_vec()].concat()).to_vec()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::options::Options;

    const BUCKET: &str = "bp-media-123456789012";
    const KEY: &str = "tenants/t/uploads/a b.mp4";

    fn asked(world: &mut World, method: &Method, url: &str, headers: &[(&str, &str)]) -> (u16, String) {
        let uri: http::Uri = url.parse().expect("an address");
        let mut request = Request::builder()
            .method(method)
            .uri(uri.path_and_query().expect("a path").as_str())
            .header("host", uri.host().expect("a host"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Bytes::from_static(b"bytes")).expect("a request");
        let response = answer(world, &request).expect("an answer");
        let body = String::from_utf8_lossy(response.body()).into_owned();
        (response.status().as_u16(), body)
    }

    /// RFC 4231, test case 2.
    #[test]
    fn the_code_is_that_of_the_standard() {
        assert_eq!(
            hex(&hmac(b"Jefe", b"what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn an_address_writes_its_object_until_it_expires() {
        let mut world = World::new(Options::default());
        let url = url(&world, &Method::PUT, BUCKET, KEY, 900);
        assert_eq!(
            asked(&mut world, &Method::PUT, &url, &[("content-type", "video/mp4")]).0,
            200
        );
        assert_eq!(
            super::super::bytes(&world, BUCKET, KEY).as_deref(),
            Some(&b"bytes"[..])
        );
        let later = world.now + Duration::from_secs(900);
        world.advance(later);
        let (status, body) = asked(&mut world, &Method::PUT, &url, &[]);
        assert_eq!(status, 403);
        assert!(
            body.contains("<Code>AccessDenied</Code><Message>Request has expired</Message>"),
            "{body}"
        );
    }

    #[test]
    fn what_was_not_signed_is_refused() {
        let mut world = World::new(Options::default());
        let url = url(&world, &Method::PUT, BUCKET, KEY, 900);
        for other in [
            url.replace("X-Amz-Expires=900", "X-Amz-Expires=9000"),
            url.replace("a%20b.mp4", "other.mp4"),
            format!("{}0", url.get(..url.len() - 1).unwrap_or_default()) + "f",
        ] {
            let (status, body) = asked(&mut world, &Method::PUT, &other, &[]);
            assert_eq!(status, 403, "{other}");
            assert!(body.contains("SignatureDoesNotMatch"), "{body}");
        }
        let (status, body) = asked(&mut world, &Method::GET, &url, &[]);
        assert_eq!(
            (status, body.contains("SignatureDoesNotMatch")),
            (403, true),
            "{body}"
        );
        let (status, body) = asked(&mut world, &Method::PUT, &url, &[("x-amz-acl", "public-read")]);
        assert_eq!(
            (status, body.contains("<HeadersNotSigned>x-amz-acl<")),
            (403, true),
            "{body}"
        );
        assert_eq!(super::super::bytes(&world, BUCKET, KEY), None);
    }
}
