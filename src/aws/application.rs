//! The application's own API, asked as its customers ask it: over HTTP, with a bearer token, beside AWS.

use std::time::Duration;

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::Aws;
use super::direct::call;
use super::loopback::is_loopback_url;
use super::operation::{APPLICATION, ShowPermit, permitted, read_of};
use crate::bundle::Sha256;
use crate::change::{Call, Later, Permit, Repeated, parameters};
use crate::error::{CtlError, ErrorKind, Result, from_sdk};
use crate::redact::Secret;

/// The read of any route: see `READS` in `operation.rs`.
pub(super) const READ: &str = "Read";
/// A download by a presigned address.
pub(super) const DOWNLOAD: &str = "Download";

/// How long the application may take to answer. nginx gives php-fpm 300 s (runbook, "Backend Nginx config"); what is
/// asked here is small.
const TIMEOUT: Duration = Duration::from_secs(30);

/// How long an upload may take: no longer than its address is valid.
const UPLOAD_TIMEOUT: Duration = Duration::from_secs(900);

/// Bytes of an answer that are read; what comes behind is of no use here.
const MOST: usize = 1024 * 1024;

/// Where the application is, and who asks.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    /// Scheme and host.
    pub(crate) base: String,
    /// Never part of what is shown.
    pub(crate) token: Secret,
}

/// What the application or S3 answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Heard {
    pub(crate) status: u16,
    /// `content-type`, in small letters.
    pub(crate) kind: String,
    /// `content-range`, of a part.
    pub(crate) range: Option<String>,
    pub(crate) body: Vec<u8>,
}

impl Heard {
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The body as JSON; null when it is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// What it says of itself: the application's `message`, the code and message of an error of S3, or nothing.
    pub(crate) fn words(&self) -> Option<String> {
        if let Some(message) = self.json()["message"].as_str() {
            return Some(message.to_owned());
        }
        let text = String::from_utf8_lossy(&self.body);
        let member = |name: &str| {
            let (_, rest) = text.split_once(&format!("<{name}>"))?;
            Some(rest.split_once(&format!("</{name}>"))?.0.to_owned())
        };
        match (member("Code"), member("Message")) {
            (Some(code), Some(message)) => Some(format!("{code}: {message}")),
            (code, _) => code,
        }
    }

    /// "422 (Unsupported mime type.)".
    pub(crate) fn told(&self) -> String {
        match self.words() {
            Some(words) => format!("{} ({words})", self.status),
            None => self.status.to_string(),
        }
    }
}

/// A request before it is marked as what it is.
struct Asked<'a> {
    doing: String,
    method: &'static str,
    /// Scheme, host, path and query.
    url: &'a str,
    /// Whose endpoint stands in its place where all of AWS is on this machine.
    service: &'static str,
    headers: Vec<(String, String)>,
    body: Bytes,
    timeout: Duration,
}

impl Aws {
    /// Sends a request, as [`Aws::asked`] does: an endpoint on this machine is asked under the name that is meant.
    async fn heard(&self, asked: Asked<'_>, mark: impl FnOnce(&mut HttpRequest)) -> Result<Heard> {
        let doing = asked.doing;
        let wrong = |what: &str| CtlError::new(ErrorKind::Unexpected, format!("{doing}: {what}"));
        let address: http::Uri = asked.url.parse().map_err(|_| wrong("the address is none"))?;
        let host = address
            .authority()
            .ok_or_else(|| wrong("the address names no host"))?
            .as_str();
        let endpoint = self.endpoint(asked.service);
        let here = endpoint.filter(|endpoint| is_loopback_url(endpoint));
        let path = address
            .path_and_query()
            .map_or("/", http::uri::PathAndQuery::as_str);
        let url = match &here {
            Some(here) => format!("{}{path}", here.trim_end_matches('/')),
            None => asked.url.to_owned(),
        };
        let mut request = HttpRequest::new(SdkBody::from(asked.body));
        request
            .set_method(asked.method)
            .and_then(|()| request.set_uri(url.as_str()))
            .map_err(|_| wrong("the address is none"))?;
        let mut headers = vec![("host".to_owned(), host.to_owned())];
        if here.is_some() {
            let scheme = address.scheme_str().unwrap_or("http").to_owned();
            headers.push(("x-forwarded-proto".to_owned(), scheme));
        }
        // The host is the one of the address, whatever a list of headers says.
        let own = asked.headers.into_iter();
        headers.extend(own.filter(|(name, _)| !name.eq_ignore_ascii_case("host")));
        for (name, value) in headers {
            request
                .headers_mut()
                .try_insert(name.to_lowercase(), value)
                .map_err(|_| wrong("a header has signs in it that no header may have"))?;
        }
        mark(&mut request);
        let answer = call(&self.components().await?, asked.timeout, &doing, request).await?;
        let header = |name: &str| answer.headers().get(name).map(str::to_owned);
        let (status, kind, range) = (
            answer.status().as_u16(),
            header("content-type").unwrap_or_default().to_lowercase(),
            header("content-range"),
        );
        let mut stream = ByteStream::new(answer.into_body());
        let mut body = Vec::new();
        while body.len() < MOST {
            let piece = stream.try_next().await.map_err(|error| {
                CtlError::new(ErrorKind::Unreachable, format!("{doing}: the answer broke off")).source(&error)
            })?;
            let Some(piece) = piece else { break };
            body.extend_from_slice(&piece);
        }
        Ok(Heard {
            status,
            kind,
            range,
            body,
        })
    }

    /// A GET of a route of the application; without a token for routes that anybody may ask.
    ///
    /// # Errors
    /// When no answer comes.
    pub(crate) async fn read_route(&self, site: &Site, path: &str, signed_in: bool) -> Result<Heard> {
        let headers = if signed_in { authorized(site) } else { plain() };
        let asked = Asked {
            doing: format!("ask {}{}", site.base, path.split('?').next().unwrap_or(path)),
            method: "GET",
            url: &format!("{}{path}", site.base),
            service: APPLICATION,
            headers,
            body: Bytes::new(),
            timeout: TIMEOUT,
        };
        self.heard(asked, |request| read_of(request, APPLICATION, READ))
            .await
    }

    /// The first byte of what a presigned address leads to, which says how many there are.
    ///
    /// # Errors
    /// When no answer comes. The address is not repeated: it is good for whoever has it.
    pub(crate) async fn first_byte(&self, url: &str) -> Result<Heard> {
        let asked = Asked {
            doing: "download the result".to_owned(),
            method: "GET",
            url,
            service: "s3",
            headers: vec![("range".to_owned(), "bytes=0-0".to_owned())],
            body: Bytes::new(),
            timeout: TIMEOUT,
        };
        self.heard(asked, |request| read_of(request, APPLICATION, DOWNLOAD))
            .await
    }

    async fn tell(&self, site: &Site, route: &Route<'_>, permit: &Permit) -> Result<Heard> {
        let asked = Asked {
            doing: format!("{} {}{}", route.method, site.base, route.path),
            method: route.method,
            url: &format!("{}{}", site.base, route.path),
            service: APPLICATION,
            headers: authorized(site),
            body: route
                .body
                .as_ref()
                .map(|body| Bytes::from(body.to_string()))
                .unwrap_or_default(),
            timeout: TIMEOUT,
        };
        self.heard(asked, |request| permitted(request, permit)).await
    }
}

/// A request to a route that changes something.
struct Route<'a> {
    method: &'static str,
    path: &'a str,
    body: Option<Value>,
}

impl<'a> Route<'a> {
    const fn post(path: &'a str, body: Value) -> Self {
        Self {
            method: "POST",
            path,
            body: Some(body),
        }
    }
}

fn plain() -> Vec<(String, String)> {
    let json = |name: &str| (name.to_owned(), "application/json".to_owned());
    vec![json("accept"), json("content-type")]
}

fn authorized(site: &Site) -> Vec<(String, String)> {
    let mut headers = plain();
    headers.push((
        "authorization".to_owned(),
        format!("Bearer {}", site.token.expose()),
    ));
    headers
}

/// A number that an earlier step finds out.
fn later(number: Option<u64>, step: &str) -> Value {
    number.map_or_else(|| Later::FromStep(step.to_owned()).parameter(), Value::from)
}

/// The route of videos and their uploads.
const VIDEOS: &str = "/api/videos";
const UPLOADS: &str = "/api/videos/uploads";
const JOBS: &str = "/api/ai-jobs";

/// Begins an upload: the application answers with an address, and writes down a file.
#[derive(Clone, Debug)]
pub(crate) struct InitUpload {
    pub(crate) site: Site,
    pub(crate) effect: u64,
    pub(crate) mime_type: String,
    pub(crate) size: u64,
    pub(crate) name: String,
    /// SHA-256 in hexadecimal digits.
    pub(crate) hash: String,
}

impl Call for InitUpload {
    const SERVICE: &'static str = APPLICATION;
    const OPERATION: &'static str = "InitUpload";
    const REPEATED: Repeated = Repeated::Twice;
    type Via = Aws;
    type Answer = Heard;

    fn parameters(&self) -> Map<String, Value> {
        parameters([
            ("Url", format!("{}{UPLOADS}", self.site.base).into()),
            ("effect_id", self.effect.into()),
            ("mime_type", self.mime_type.as_str().into()),
            ("size", self.size.into()),
            ("original_filename", self.name.as_str().into()),
            ("file_hash", self.hash.as_str().into()),
        ])
    }

    fn resource(&self) -> String {
        "application/videos".to_owned()
    }

    async fn send(&self, aws: &Aws, permit: &Permit) -> Result<Heard> {
        let body = json!({
            "effect_id": self.effect,
            "mime_type": self.mime_type,
            "size": self.size,
            "original_filename": self.name,
            "file_hash": self.hash,
        });
        aws.tell(&self.site, &Route::post(UPLOADS, body), permit).await
    }
}

/// Sends bytes to the address that [`InitUpload`] was answered with, which is never part of what is shown: whoever has it
/// may write the object.
#[derive(Clone, Debug)]
pub(crate) struct PutUpload {
    /// Empty in a plan.
    pub(crate) url: String,
    /// All headers that the application wants sent, and no other.
    pub(crate) headers: Vec<(String, String)>,
    /// What was done to the address, e.g. "expired".
    pub(crate) address: &'static str,
    pub(crate) bytes: Bytes,
}

impl Call for PutUpload {
    const SERVICE: &'static str = APPLICATION;
    const OPERATION: &'static str = "PutUpload";
    const REPEATED: Repeated = Repeated::Harmless;
    type Via = Aws;
    type Answer = Heard;

    fn parameters(&self) -> Map<String, Value> {
        let from = || Later::FromStep("upload-url".to_owned()).parameter();
        parameters([
            ("upload_url", from()),
            ("Address", self.address.into()),
            ("upload_headers", from()),
            ("ContentLength", self.bytes.len().into()),
            ("ContentSHA256", Sha256::of(&self.bytes).to_string().into()),
        ])
    }

    fn resource(&self) -> String {
        "application/videos".to_owned()
    }

    async fn send(&self, aws: &Aws, permit: &Permit) -> Result<Heard> {
        let asked = Asked {
            doing: "put the file to its presigned address".to_owned(),
            method: "PUT",
            url: &self.url,
            service: "s3",
            headers: self.headers.clone(),
            body: self.bytes.clone(),
            timeout: UPLOAD_TIMEOUT,
        };
        aws.heard(asked, |request| permitted(request, permit)).await
    }
}

/// Makes a video of a file that was uploaded.
#[derive(Clone, Debug)]
pub(crate) struct CreateVideo {
    pub(crate) site: Site,
    /// `None` in a plan.
    pub(crate) file: Option<u64>,
    pub(crate) effect: u64,
    pub(crate) title: String,
}

impl Call for CreateVideo {
    const SERVICE: &'static str = APPLICATION;
    const OPERATION: &'static str = "CreateVideo";
    const REPEATED: Repeated = Repeated::Twice;
    const VOLATILE: &'static [&'static str] = &["title"];
    type Via = Aws;
    type Answer = Heard;

    fn parameters(&self) -> Map<String, Value> {
        parameters([
            ("Url", format!("{}{VIDEOS}", self.site.base).into()),
            ("original_file_id", later(self.file, "upload-url")),
            ("effect_id", self.effect.into()),
            ("title", self.title.as_str().into()),
        ])
    }

    fn resource(&self) -> String {
        "application/videos".to_owned()
    }

    async fn send(&self, aws: &Aws, permit: &Permit) -> Result<Heard> {
        let body = json!({
            "original_file_id": self.file,
            "effect_id": self.effect,
            "title": self.title,
        });
        aws.tell(&self.site, &Route::post(VIDEOS, body), permit).await
    }
}

/// Puts the work on a video into the queue of its fleet.
#[derive(Clone, Debug)]
pub(crate) struct StartJob {
    pub(crate) site: Site,
    /// `None` in a plan.
    pub(crate) video: Option<u64>,
    pub(crate) effect: u64,
    /// The application recognises a second request by it.
    pub(crate) key: String,
}

impl Call for StartJob {
    const SERVICE: &'static str = APPLICATION;
    const OPERATION: &'static str = "StartJob";
    // The key recognises a request of the same run; another run has a video of its own.
    const REPEATED: Repeated = Repeated::Twice;
    const VOLATILE: &'static [&'static str] = &["idempotency_key"];
    type Via = Aws;
    type Answer = Heard;

    fn parameters(&self) -> Map<String, Value> {
        parameters([
            ("Url", format!("{}{JOBS}", self.site.base).into()),
            ("video_id", later(self.video, "video")),
            ("effect_id", self.effect.into()),
            ("idempotency_key", self.key.as_str().into()),
        ])
    }

    fn resource(&self) -> String {
        "application/videos".to_owned()
    }

    async fn send(&self, aws: &Aws, permit: &Permit) -> Result<Heard> {
        let body = json!({
            "video_id": self.video,
            "effect_id": self.effect,
            "idempotency_key": self.key,
        });
        aws.tell(&self.site, &Route::post(JOBS, body), permit).await
    }
}

/// Deletes a video of this tool's own.
#[derive(Clone, Debug)]
pub(crate) struct DeleteVideo {
    pub(crate) site: Site,
    /// `None` in a plan that does not know it yet.
    pub(crate) video: Option<u64>,
}

impl Call for DeleteVideo {
    const SERVICE: &'static str = APPLICATION;
    const OPERATION: &'static str = "DeleteVideo";
    const REPEATED: Repeated = Repeated::Harmless;
    type Via = Aws;
    type Answer = Heard;

    fn parameters(&self) -> Map<String, Value> {
        parameters([
            ("Url", format!("{}{VIDEOS}", self.site.base).into()),
            ("id", later(self.video, "video")),
        ])
    }

    fn resource(&self) -> String {
        "application/videos".to_owned()
    }

    async fn send(&self, aws: &Aws, permit: &Permit) -> Result<Heard> {
        let path = format!("{VIDEOS}/{}", self.video.unwrap_or_default());
        let route = Route {
            method: "DELETE",
            path: &path,
            body: None,
        };
        aws.tell(&self.site, &route, permit).await
    }
}

/// Deletes an object of the media bucket that this tool has caused to be.
#[derive(Clone, Debug)]
pub(crate) struct RemoveUpload {
    pub(crate) bucket: String,
    /// `None` in a plan that does not know it yet.
    pub(crate) key: Option<String>,
    /// The step that finds it out.
    pub(crate) from: &'static str,
}

impl Call for RemoveUpload {
    const SERVICE: &'static str = "s3";
    const OPERATION: &'static str = "DeleteObject";
    const REPEATED: Repeated = Repeated::Harmless;
    type Via = Aws;
    type Answer = ();

    fn parameters(&self) -> Map<String, Value> {
        let from = || Later::FromStep(self.from.to_owned()).parameter();
        parameters([
            ("Bucket", self.bucket.as_str().into()),
            ("Key", self.key.as_deref().map_or_else(from, Value::from)),
        ])
    }

    fn resource(&self) -> String {
        "application/videos".to_owned()
    }

    async fn send(&self, aws: &Aws, permit: &Permit) -> Result<()> {
        let key = self.key.as_deref().unwrap_or_default();
        let answer = aws
            .s3_client()
            .await?
            .delete_object()
            .bucket(&self.bucket)
            .key(key)
            .customize()
            .interceptor(ShowPermit::new(permit))
            .send()
            .await;
        // What is not there any more counts as deleted (Amazon S3 API Reference, DeleteObject).
        answer
            .map(|_| ())
            .map_err(|error| from_sdk(format!("remove `{key}` in bucket {}", self.bucket), &error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(status: u16, body: &str) -> Heard {
        Heard {
            status,
            kind: String::new(),
            range: None,
            body: body.as_bytes().to_vec(),
        }
    }

    #[test]
    fn an_answer_is_told_in_its_own_words() {
        let s3 = "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>";
        assert_eq!(heard(403, s3).told(), "403 (AccessDenied: Request has expired)");
        let json = r#"{"success":false,"message":"Unsupported mime type."}"#;
        assert_eq!(heard(422, json).told(), "422 (Unsupported mime type.)");
        assert_eq!(heard(502, "<html>Bad Gateway</html>").told(), "502");
    }

    #[test]
    fn neither_token_nor_address_is_among_what_is_shown() {
        let site = Site {
            base: "https://app.example.com".to_owned(),
            token: "hunter2".into(),
        };
        let put = PutUpload {
            url: "https://b.s3.us-east-1.amazonaws.com/k?X-Amz-Signature=5ec2e7".to_owned(),
            headers: Vec::new(),
            address: "as it was given",
            bytes: Bytes::from_static(b"x"),
        };
        let video = DeleteVideo { site, video: Some(7) };
        let shown = format!("{:?}{:?}{:?}", put.described(), video.described(), video);
        assert!(!shown.contains("hunter2") && !shown.contains("5ec2e7"), "{shown}");
    }
}
