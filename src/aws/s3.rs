//! Small objects of bpctl's own in the platform's logs bucket: leases and the shared history; and the objects of other
//! buckets ([`objects`]).

pub(crate) mod beside;
pub(crate) mod buckets;
pub(crate) mod copy;
pub(crate) mod listing;
pub(crate) mod objects;
pub(crate) mod removal;
pub(crate) mod upload;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_s3::error::{ProvideErrorMetadata as _, SdkError};
use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_sdk_s3::primitives::{ByteStream, DateTime, DateTimeFormat};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::BeforeDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Aws;
use super::operation::ShowPermit;
use super::pages::Tokens;
use crate::change::{
    Call, Condition, Loss, Permit, Repeated, SharedStore, Stored, Written, lease, parameters,
};
use crate::error::{CtlError, ErrorKind, Required as _, Result, from_sdk};
use crate::layout::Layout;

/// The folder of bpctl in the logs bucket.
const FOLDER: &str = "bpctl/";

/// Bytes of a lease or of an entry of the history; anything longer is not ours.
const LIMIT: i64 = 1024 * 1024;

/// The store in the logs bucket of the account that the credentials belong to.
#[derive(Clone)]
pub(crate) struct LogsBucket<'a> {
    aws: &'a Aws,
    layout: Layout,
}

impl<'a> LogsBucket<'a> {
    pub(crate) fn new(aws: &'a Aws, layout: Layout) -> Self {
        Self { aws, layout }
    }

    async fn bucket(&self) -> Result<String> {
        let account = &self.aws.identity().await?.account;
        let buckets = self.layout.buckets(account);
        let logs = buckets.into_iter().find(|(role, _)| *role == "logs");
        logs.map(|(_, name)| name)
            .ok_or_else(|| CtlError::new(ErrorKind::Unexpected, "name the logs bucket"))
    }
}

/// HTTP status of an answer that is an error.
pub(super) fn status<E>(error: &SdkError<E, HttpResponse>) -> Option<u16> {
    error.raw_response().map(|response| response.status().as_u16())
}

/// A condition that did not hold (412), or another conditional write at the same moment (409); S3 User
/// Guide, "Add preconditions to S3 operations with conditional requests".
fn is_conflict<E>(error: &SdkError<E, HttpResponse>) -> bool {
    matches!(status(error), Some(409 | 412))
}

/// Remembers when S3 answered, by S3's clock.
#[derive(Clone, Debug, Default)]
struct KeepDate(Arc<Mutex<Option<DateTime>>>);

impl KeepDate {
    /// How old something was when S3 answered.
    fn age_of(&self, written: Option<&DateTime>) -> Option<Duration> {
        let answered = (*self.0.lock().unwrap_or_else(PoisonError::into_inner))?;
        let seconds = answered.secs().saturating_sub(written?.secs());
        Some(Duration::from_secs(u64::try_from(seconds).unwrap_or_default()))
    }
}

#[dyn_dispatch_hint]
impl Intercept for KeepDate {
    fn name(&self) -> &'static str {
        "KeepDate"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context.response().headers().get("date");
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) =
            date.and_then(|date| DateTime::from_str(date, DateTimeFormat::HttpDate).ok());
        Ok(())
    }
}

impl SharedStore for LogsBucket<'_> {
    fn place(&self) -> String {
        "the platform's logs bucket".to_owned()
    }

    async fn read(&self, key: &str) -> Result<Option<Stored>> {
        const REQUEST: &str = "GetObject";
        let doing = format!("read `{FOLDER}{key}` in the logs bucket");
        let date = KeepDate::default();
        let answer = self
            .aws
            .s3_client()
            .await?
            .get_object()
            .bucket(self.bucket().await?)
            .key(format!("{FOLDER}{key}"))
            .customize()
            .interceptor(date.clone())
            .send()
            .await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(GetObjectError::is_no_such_key) =>
            {
                return Ok(None);
            }
            Err(error) => return Err(from_sdk(doing, &error)),
        };
        // S3 always tells the length (API Reference, GetObject, "Response Elements").
        let length = answer.content_length().required(REQUEST, "Content-Length")?;
        if length > LIMIT {
            return Err(CtlError::new(
                ErrorKind::Unexpected,
                format!("{doing}: it is longer than {LIMIT} bytes"),
            )
            .hint("another program has written it: what bpctl keeps there is shorter"));
        }
        let etag = answer.e_tag().required(REQUEST, "ETag")?.to_owned();
        let age = date
            .age_of(answer.last_modified())
            .required(REQUEST, "Last-Modified and Date")?;
        let body = answer.body.collect().await;
        let body = body.map_err(|error| CtlError::new(ErrorKind::Unreachable, &doing).source(&error))?;
        Ok(Some(Stored {
            body: String::from_utf8_lossy(&body.into_bytes()).into_owned(),
            etag,
            age,
        }))
    }

    async fn write(
        &self,
        key: &str,
        body: &str,
        condition: Condition<'_>,
        permit: &Permit,
    ) -> Result<Written> {
        let request = self
            .aws
            .s3_client()
            .await?
            .put_object()
            .bucket(self.bucket().await?)
            .key(format!("{FOLDER}{key}"))
            .content_type("application/json")
            .body(ByteStream::from(body.as_bytes().to_vec()));
        let request = match condition {
            Condition::Absent => request.if_none_match("*"),
            Condition::Unchanged(etag) => request.if_match(etag),
        };
        match request
            .customize()
            .interceptor(ShowPermit::new(permit))
            .send()
            .await
        {
            Ok(answer) => {
                let etag = answer.e_tag().required("PutObject", "ETag")?;
                Ok(Written::Stored(etag.to_owned()))
            }
            Err(error) if is_conflict(&error) => Ok(Written::Conflict),
            // A condition on an object that is gone by now.
            Err(error) if status(&error) == Some(404) && error.code() == Some("NoSuchKey") => {
                Ok(Written::Conflict)
            }
            Err(error) => Err(from_sdk(
                format!("write `{FOLDER}{key}` in the logs bucket"),
                &error,
            )),
        }
    }

    async fn remove(&self, key: &str, etag: &str, permit: &Permit) -> Result<bool> {
        let object = Unchanged {
            bucket: &self.bucket().await?,
            key: format!("{FOLDER}{key}"),
            etag,
        };
        object.delete(self.aws, permit).await
    }

    async fn names(&self, prefix: &str, after: Option<&str>) -> Result<Vec<String>> {
        const DOING: &str = "list bpctl's objects in the logs bucket";
        let client = self.aws.s3_client().await?;
        let bucket = self.bucket().await?;
        let mut names = Vec::new();
        let mut tokens = Tokens::default();
        let mut token: Option<String> = None;
        loop {
            let page = client
                .list_objects_v2()
                .bucket(&bucket)
                .prefix(format!("{FOLDER}{prefix}"))
                .set_start_after(after.map(|after| format!("{FOLDER}{after}")))
                .set_continuation_token(token)
                .send()
                .await
                .map_err(|error| from_sdk(DOING, &error))?;
            let keys = page.contents().iter().filter_map(|object| object.key());
            names.extend(keys.filter_map(|key| Some(key.strip_prefix(FOLDER)?.to_owned())));
            token = page.next_continuation_token().map(str::to_owned);
            let Some(token) = &token else {
                return Ok(names);
            };
            tokens.note(DOING, token)?;
        }
    }
}

/// An object in the state that it was read in.
struct Unchanged<'a> {
    bucket: &'a str,
    key: String,
    etag: &'a str,
}

impl Unchanged<'_> {
    /// Removes the object if it is still in that state; whether it was.
    async fn delete(&self, aws: &Aws, permit: &Permit) -> Result<bool> {
        let answer = aws
            .s3_client()
            .await?
            .delete_object()
            .bucket(self.bucket)
            .key(&self.key)
            .if_match(self.etag)
            .customize()
            .interceptor(ShowPermit::new(permit))
            .send()
            .await;
        match answer {
            Ok(_) => Ok(true),
            Err(error) if is_conflict(&error) || status(&error) == Some(404) => Ok(false),
            Err(error) => Err(from_sdk(
                format!("remove `{}` in the logs bucket", self.key),
                &error,
            )),
        }
    }
}

/// Removes a lease if it is still as it was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DeleteLease {
    pub(crate) bucket: String,
    /// What the lease is on, e.g. `ecs/bp-backend`.
    pub(crate) resource: String,
    pub(crate) etag: String,
    pub(crate) loses: Option<Loss>,
}

impl DeleteLease {
    fn object(&self) -> String {
        format!("{FOLDER}{}", lease::key(&self.resource))
    }
}

impl Call for DeleteLease {
    const SERVICE: &'static str = "s3";
    const OPERATION: &'static str = "DeleteObject";
    const REPEATED: Repeated = Repeated::Harmless;
    type Via = Aws;
    /// Whether it was still as it was read.
    type Answer = bool;

    fn parameters(&self) -> Map<String, Value> {
        parameters([
            ("Bucket", self.bucket.as_str().into()),
            ("Key", self.object().into()),
            ("IfMatch", self.etag.as_str().into()),
        ])
    }

    fn resource(&self) -> String {
        format!("lease/{}", self.resource)
    }

    fn loses(&self) -> Option<Loss> {
        self.loses.clone()
    }

    async fn send(&self, aws: &Aws, permit: &Permit) -> Result<bool> {
        let object = Unchanged {
            bucket: &self.bucket,
            key: self.object(),
            etag: &self.etag,
        };
        object.delete(aws, permit).await
    }
}
