//! The body of a request as S3 meets it: taken out of `aws-chunked` framing, its trailing headers beside it.

use std::borrow::Cow;

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::error::ApiError;
use crate::wire::route::text;

/// A body without its framing.
#[derive(Debug)]
pub(crate) struct Payload<'a> {
    pub(crate) body: Cow<'a, [u8]>,
    /// The headers of the request and those that came behind the body.
    pub(crate) headers: HeaderMap,
}

/// Takes `body` out of its framing (Amazon S3 API Reference, "Signature calculation: transfer payload in multiple
/// chunks"; the chunks' own signatures are not checked, as no signature is).
///
/// # Errors
/// `IncompleteBody` when the framing or the announced length does not hold.
pub(in crate::wire) fn payload<'a>(headers: &HeaderMap, body: &'a [u8]) -> Result<Payload<'a>, ApiError> {
    let streaming = text(headers, "x-amz-content-sha256").is_some_and(|hash| hash.starts_with("STREAMING-"));
    let mut headers = headers.clone();
    if !streaming {
        return Ok(Payload {
            body: Cow::Borrowed(body),
            headers,
        });
    }
    let announced = text(&headers, "x-amz-decoded-content-length").and_then(|length| length.parse().ok());
    let (body, trailers) = unframed(body).ok_or_else(incomplete)?;
    if announced != Some(body.len()) {
        return Err(incomplete());
    }
    headers.extend(trailers.into_iter().map(|(name, value)| (Some(name), value)));
    // `aws-chunked` is how the body travelled; the rest belongs to the object.
    let coding: Vec<&str> = text(&headers, "content-encoding")
        .unwrap_or_default()
        .split(',')
        .map(str::trim)
        .filter(|coding| !coding.is_empty() && *coding != "aws-chunked")
        .collect();
    let coding = HeaderValue::from_str(&coding.join(","))
        .ok()
        .filter(|coding| !coding.is_empty());
    match coding {
        Some(coding) => drop(headers.insert("content-encoding", coding)),
        None => drop(headers.remove("content-encoding")),
    }
    headers.insert("content-length", HeaderValue::from(body.len()));
    Ok(Payload {
        body: Cow::Owned(body),
        headers,
    })
}

fn incomplete() -> ApiError {
    ApiError::client(
        "IncompleteBody",
        "You did not provide the number of bytes specified by the Content-Length HTTP header",
    )
}

type Trailers = Vec<(HeaderName, HeaderValue)>;

/// `<length in hex>[;extension]\r\n<bytes>\r\n`, ended by a chunk of length 0 and the trailing headers.
fn unframed(mut rest: &[u8]) -> Option<(Vec<u8>, Trailers)> {
    let mut body = Vec::with_capacity(rest.len());
    loop {
        let (line, after) = line(rest)?;
        let length = line.split(';').next()?.trim();
        let length = usize::from_str_radix(length, 16).ok()?;
        rest = after;
        if length == 0 {
            break;
        }
        body.extend_from_slice(rest.get(..length)?);
        rest = rest.get(length..)?.strip_prefix(b"\r\n")?;
    }
    let mut trailers = Vec::new();
    while !rest.is_empty() {
        let (line, after) = line(rest)?;
        rest = after;
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':')?;
        trailers.push((name.trim().parse().ok()?, value.trim().parse().ok()?));
    }
    Some((body, trailers))
}

fn line(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let end = bytes.windows(2).position(|pair| pair == b"\r\n")?;
    Some((
        std::str::from_utf8(bytes.get(..end)?).ok()?,
        bytes.get(end + 2..)?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(length: &'static str, coding: &'static str, body: &str) -> Option<(String, HeaderMap)> {
        let mut headers = HeaderMap::new();
        let unsigned = HeaderValue::from_static("STREAMING-UNSIGNED-PAYLOAD-TRAILER");
        headers.insert("x-amz-content-sha256", unsigned);
        headers.insert("x-amz-decoded-content-length", HeaderValue::from_static(length));
        headers.insert("content-encoding", HeaderValue::from_static(coding));
        let payload = payload(&headers, body.as_bytes()).ok()?;
        Some((
            String::from_utf8_lossy(&payload.body).into_owned(),
            payload.headers,
        ))
    }

    #[test]
    fn chunks_are_joined_and_trailers_become_headers() {
        let framed = "5\r\nhello\r\n1;chunk-signature=ab\r\n!\r\n0\r\nx-amz-checksum-crc32:sOO8/Q==\r\n\r\n";
        let (body, headers) = taken("6", "gzip,aws-chunked", framed).unwrap();
        assert_eq!(body, "hello!");
        assert_eq!(headers["x-amz-checksum-crc32"], "sOO8/Q==");
        assert_eq!(headers["content-encoding"], "gzip");
        let (_, headers) = taken("6", "aws-chunked", framed).unwrap();
        assert!(!headers.contains_key("content-encoding"));
    }

    #[test]
    fn a_body_that_is_not_all_there_is_refused() {
        for framed in [
            "5\r\nhel",
            "5\r\nhello\r\n",
            "x\r\nhello\r\n0\r\n\r\n",
            "5\r\nhello\r\n0\r\n\r\n",
            "",
        ] {
            assert!(taken("6", "aws-chunked", framed).is_none(), "{framed:?}");
        }
    }
}
