//! How buckets go: everything in them, versions and delete markers too, and then they themselves ("Deleting a general
//! purpose bucket", Amazon S3 User Guide).

use aws_sdk_s3::error::ProvideErrorMetadata as _;
use aws_sdk_s3::types::{ChecksumAlgorithm, Delete, ObjectIdentifier};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::super::Aws;
use super::super::operation::ShowPermit;
use super::status;
use crate::change::{Call, Later, Loss, Permit, Repeated, parameters};
use crate::error::{CtlError, ErrorKind, Result, from_sdk};

/// S3 takes no such request without a checksum of its body (API Reference, DeleteObjects).
const CHECKSUM: ChecksumAlgorithm = ChecksumAlgorithm::Crc32;

/// Deletes versions and delete markers for good: at most a thousand (API Reference, DeleteObjects), which is a page of
/// them. What is gone already counts as deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DeleteObjects {
    pub(crate) bucket: String,
    /// Key and version of each.
    pub(crate) objects: Objects,
    pub(crate) loses: Option<Loss>,
}

/// What is deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Objects {
    These(Vec<(String, String)>),
    /// Whatever the step of this name finds in the bucket.
    FoundBy(String),
}

/// A version that S3 did not delete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stays {
    pub(crate) key: String,
    pub(crate) code: String,
    pub(crate) message: String,
}

impl Stays {
    /// Whether the same request may well succeed a moment later (API Reference, "Error responses").
    pub(crate) fn passes(&self) -> bool {
        matches!(
            self.code.as_str(),
            "InternalError" | "ServiceUnavailable" | "SlowDown"
        )
    }
}

impl Call for DeleteObjects {
    const SERVICE: &'static str = "s3";
    const OPERATION: &'static str = "DeleteObjects";
    const REPEATED: Repeated = Repeated::Harmless;
    type Via = Aws;
    /// What is still there.
    type Answer = Vec<Stays>;

    fn parameters(&self) -> Map<String, Value> {
        let delete = match &self.objects {
            Objects::FoundBy(step) => Later::FromStep(step.clone()).parameter(),
            Objects::These(all) => {
                let all = all.iter();
                let all: Vec<Value> = all
                    .map(|(key, version)| json!({"Key": key, "VersionId": version}))
                    .collect();
                json!({"Objects": all, "Quiet": true})
            }
        };
        parameters([
            ("Bucket", self.bucket.as_str().into()),
            ("Delete", delete),
            ("ChecksumAlgorithm", CHECKSUM.as_str().into()),
        ])
    }

    fn resource(&self) -> String {
        resource(&self.bucket)
    }

    fn loses(&self) -> Option<Loss> {
        self.loses.clone()
    }

    async fn send(&self, aws: &Aws, permit: &Permit) -> Result<Vec<Stays>> {
        let doing = || format!("delete objects of bucket {}", self.bucket);
        let unfit = |error: &dyn std::error::Error| {
            CtlError::new(ErrorKind::Unexpected, doing()).cause(error.to_string())
        };
        let Objects::These(all) = &self.objects else {
            return Err(CtlError::new(ErrorKind::Unexpected, doing()).cause("which ones is not known"));
        };
        let mut delete = Delete::builder().quiet(true);
        for (key, version) in all {
            let one = ObjectIdentifier::builder().key(key).version_id(version).build();
            delete = delete.objects(one.map_err(|error| unfit(&error))?);
        }
        let answer = aws
            .s3_client()
            .await?
            .delete_objects()
            .bucket(&self.bucket)
            .delete(delete.build().map_err(|error| unfit(&error))?)
            .checksum_algorithm(CHECKSUM)
            .customize()
            .interceptor(ShowPermit::new(permit))
            .send()
            .await;
        let answer = match answer {
            Ok(answer) => answer,
            // The bucket went meanwhile, and all that was in it.
            Err(error) if status(&error) == Some(404) => return Ok(Vec::new()),
            Err(error) => return Err(from_sdk(doing(), &error)),
        };
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        let stays = answer.errors().iter().map(|error| Stays {
            key: text(error.key()),
            code: text(error.code()),
            message: text(error.message()),
        });
        Ok(stays.collect())
    }
}

/// Deletes a bucket that nothing is in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DeleteBucket {
    pub(crate) bucket: String,
}

/// What became of a bucket that was to be deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bucket {
    Gone,
    /// Something was written to it since it was emptied.
    NotEmpty,
}

impl Call for DeleteBucket {
    const SERVICE: &'static str = "s3";
    const OPERATION: &'static str = "DeleteBucket";
    const REPEATED: Repeated = Repeated::Harmless;
    type Via = Aws;
    type Answer = Bucket;

    fn parameters(&self) -> Map<String, Value> {
        parameters([("Bucket", self.bucket.as_str().into())])
    }

    fn resource(&self) -> String {
        resource(&self.bucket)
    }

    async fn send(&self, aws: &Aws, permit: &Permit) -> Result<Bucket> {
        let answer = aws
            .s3_client()
            .await?
            .delete_bucket()
            .bucket(&self.bucket)
            .customize()
            .interceptor(ShowPermit::new(permit))
            .send()
            .await;
        match answer {
            Ok(_) => Ok(Bucket::Gone),
            Err(error) if status(&error) == Some(404) => Ok(Bucket::Gone),
            Err(error) if error.code() == Some("BucketNotEmpty") => Ok(Bucket::NotEmpty),
            Err(error) => Err(from_sdk(format!("delete bucket {}", self.bucket), &error)),
        }
    }
}

fn resource(bucket: &str) -> String {
    format!("bucket/{bucket}")
}
