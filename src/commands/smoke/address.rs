//! Presigned addresses: what is to be read in one, and how one is spoilt (Amazon S3 API Reference, "Authenticating
//! Requests: Using Query Parameters").

use std::time::Duration;

use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use serde_json::Value;

/// An address to which bytes may be put, with the headers that go along. Neither is ever shown.
#[derive(Clone)]
pub(super) struct Upload {
    pub(super) url: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) bucket: String,
    pub(super) key: String,
}

impl Upload {
    /// Reads an answer's `upload_url` and `upload_headers`.
    ///
    /// # Errors
    /// Why it is none, without the address.
    pub(super) fn read(data: &Value) -> Result<Self, &'static str> {
        let url = data["upload_url"]
            .as_str()
            .ok_or("there is no `upload_url` in the answer")?;
        let address: http::Uri = url.parse().map_err(|_| "`upload_url` is no address")?;
        let host = address.host().ok_or("`upload_url` names no host")?;
        let (bucket, _) = host
            .split_once(".s3")
            .ok_or("`upload_url` leads to no bucket of S3")?;
        let key = percent_decode_str(address.path().trim_start_matches('/'));
        let key = key
            .decode_utf8()
            .map_err(|_| "the key in `upload_url` is no text")?
            .into_owned();
        Ok(Self {
            headers: headers(&data["upload_headers"])
                .ok_or("`upload_headers` has something else than headers in it")?,
            bucket: bucket.to_owned(),
            key,
            url: url.to_owned(),
        })
    }

    /// For how many seconds the address is good.
    pub(super) fn valid_seconds(&self) -> Option<u64> {
        member(&self.url, "X-Amz-Expires")?.parse().ok()
    }

    /// The same address as it would be an hour after its end.
    pub(super) fn expired(&self) -> Option<String> {
        let given = member(&self.url, "X-Amz-Date")?;
        let began: Timestamp = given.parse().ok()?;
        let back = Duration::from_secs(self.valid_seconds()?.checked_add(3600)?);
        let earlier = began
            .checked_sub(back)
            .ok()?
            .strftime("%Y%m%dT%H%M%SZ")
            .to_string();
        Some(self.url.replacen(
            &format!("X-Amz-Date={given}"),
            &format!("X-Amz-Date={earlier}"),
            1,
        ))
    }

    /// The same address with another signature.
    pub(super) fn tampered(&self) -> Option<String> {
        let given = member(&self.url, "X-Amz-Signature")?;
        let first = if given.starts_with('0') { '1' } else { '0' };
        let other = format!("{first}{}", given.get(1..)?);
        Some(self.url.replacen(
            &format!("X-Amz-Signature={given}"),
            &format!("X-Amz-Signature={other}"),
            1,
        ))
    }
}

/// The key that an address in `bucket` leads to.
pub(super) fn key_in(bucket: &str, url: &str) -> Option<String> {
    let address: http::Uri = url.parse().ok()?;
    let (name, _) = address.host()?.split_once(".s3")?;
    let key = percent_decode_str(address.path().trim_start_matches('/'))
        .decode_utf8()
        .ok()?;
    (name == bucket && !key.is_empty()).then(|| key.into_owned())
}

/// A parameter of the address, as it is written there.
fn member<'a>(url: &'a str, name: &str) -> Option<&'a str> {
    let (_, query) = url.split_once('?')?;
    query
        .split('&')
        .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

/// The framework hands out lists, since a header may have several values; proxies of it hand out texts.
fn headers(given: &Value) -> Option<Vec<(String, String)>> {
    let members = match given {
        Value::Object(members) => members,
        Value::Array(none) if none.is_empty() => return Some(Vec::new()),
        Value::Null => return Some(Vec::new()),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => return None,
    };
    let value = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Array(several) => {
            let several: Option<Vec<&str>> = several.iter().map(Value::as_str).collect();
            Some(several?.join(", "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
    };
    members
        .iter()
        .map(|(name, one)| Some((name.clone(), value(one)?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn upload() -> Upload {
        Upload::read(&json!({
            "upload_url": "https://bp-media-1.s3.us-east-1.amazonaws.com/tenants/t/a%20b.mp4?X-Amz-Date=20260115T090000Z&X-Amz-Expires=900&X-Amz-Signature=0abc",
            "upload_headers": {"Host": ["bp-media-1.s3.us-east-1.amazonaws.com"], "Content-Type": "video/mp4"},
        }))
        .expect("an upload")
    }

    #[test]
    fn bucket_key_and_headers_are_read() {
        let upload = upload();
        assert_eq!(
            (upload.bucket.as_str(), upload.key.as_str()),
            ("bp-media-1", "tenants/t/a b.mp4")
        );
        assert_eq!(upload.valid_seconds(), Some(900));
        assert_eq!(upload.headers.len(), 2);
        assert!(
            upload
                .headers
                .contains(&("Content-Type".to_owned(), "video/mp4".to_owned()))
        );
    }

    #[test]
    fn a_spoilt_address_differs_in_one_parameter() {
        let upload = upload();
        assert!(
            upload
                .expired()
                .expect("one")
                .contains("X-Amz-Date=20260115T074500Z&X-Amz-Expires=900&")
        );
        assert!(upload.tampered().expect("one").ends_with("X-Amz-Signature=1abc"));
    }

    #[test]
    fn what_is_no_address_of_s3_is_refused() {
        for url in ["", "nonsense", "https://example.com/a", "/a"] {
            assert!(Upload::read(&json!({"upload_url": url})).is_err(), "{url}");
        }
        let odd = json!({"upload_url": "https://b.s3.amazonaws.com/k", "upload_headers": {"A": 1}});
        assert!(Upload::read(&odd).is_err());
    }
}
