//! Tags that are moved, images that are deleted.

use aws_sdk_ecr::types::ImageIdentifier;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::aws::Aws;
use crate::aws::operation::ShowPermit;
use crate::change::{Call, Later, Loss, Permit, Repeated, parameters};
use crate::error::{CtlError, ErrorKind, Required as _, Result, from_sdk};

/// BatchDeleteImage: "Maximum number of 100 items" (Amazon ECR API Reference).
pub(crate) const MAX_IDS: usize = 100;

/// Images that are deleted with all their tags.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DeleteImages {
    pub(crate) repository: String,
    /// At most [`MAX_IDS`].
    pub(crate) digests: Vec<String>,
}

/// What became of images that were to be deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Deleted {
    /// Digests of those that are gone, also by somebody else's hand.
    pub(crate) gone: Vec<String>,
    /// Digest, code and reason of those that stay.
    pub(crate) failed: Vec<(String, String)>,
}

impl Call for DeleteImages {
    const SERVICE: &'static str = "ecr";
    const OPERATION: &'static str = "BatchDeleteImage";
    /// What is gone is a failure `ImageNotFound` then.
    const REPEATED: Repeated = Repeated::Harmless;
    type Via = Aws;
    type Answer = Deleted;

    fn parameters(&self) -> Map<String, Value> {
        let ids = self.digests.iter().map(|digest| json!({"imageDigest": digest}));
        parameters([
            ("repositoryName", self.repository.as_str().into()),
            ("imageIds", ids.collect::<Vec<_>>().into()),
        ])
    }

    fn resource(&self) -> String {
        format!("ecr/{}", self.repository)
    }

    fn loses(&self) -> Option<Loss> {
        Some(Loss::Data(format!(
            "{} images of {}",
            self.digests.len(),
            self.repository
        )))
    }

    async fn send(&self, aws: &Aws, permit: &Permit) -> Result<Deleted> {
        let ids = self
            .digests
            .iter()
            .map(|digest| ImageIdentifier::builder().image_digest(digest).build());
        let answer = aws
            .ecr_client()
            .await?
            .batch_delete_image()
            .repository_name(&self.repository)
            .set_image_ids(Some(ids.collect()))
            .customize()
            .interceptor(ShowPermit::new(permit))
            .send()
            .await
            .map_err(|error| from_sdk(format!("delete images of `{}`", self.repository), &error))?;
        let mut deleted = Deleted::default();
        for id in answer.image_ids() {
            deleted.gone.extend(id.image_digest().map(str::to_owned));
        }
        for failure in answer.failures() {
            let digest = failure.image_id().and_then(ImageIdentifier::image_digest);
            let digest = digest
                .required(Self::OPERATION, "failures[].imageId.imageDigest")?
                .to_owned();
            let code = failure.failure_code().map_or("no code", |code| code.as_str());
            if code == "ImageNotFound" {
                deleted.gone.push(digest);
                continue;
            }
            let why = failure.failure_reason().unwrap_or("no reason");
            deleted.failed.push((digest, format!("{code}: {why}")));
        }
        deleted.gone.sort();
        deleted.gone.dedup();
        Ok(deleted)
    }
}

/// A tag that is put on an image which is there, and with that taken off the one that had it (Amazon ECR User Guide,
/// "Retagging an image").
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TagImage {
    pub(crate) repository: String,
    pub(crate) tag: String,
    pub(crate) digest: Later,
    /// The manifest that the digest is of; ECR compares the two.
    pub(crate) manifest: Later,
}

impl Call for TagImage {
    const SERVICE: &'static str = "ecr";
    const OPERATION: &'static str = "PutImage";
    /// `ImageAlreadyExistsException` says that the tag is there already.
    const REPEATED: Repeated = Repeated::Harmless;
    type Via = Aws;
    type Answer = ();

    fn parameters(&self) -> Map<String, Value> {
        parameters([
            ("repositoryName", self.repository.as_str().into()),
            ("imageTag", self.tag.as_str().into()),
            ("imageDigest", self.digest.parameter()),
            ("imageManifest", self.manifest.parameter()),
        ])
    }

    fn resource(&self) -> String {
        format!("ecr/{}", self.repository)
    }

    async fn send(&self, aws: &Aws, permit: &Permit) -> Result<()> {
        let sent = aws
            .ecr_client()
            .await?
            .put_image()
            .repository_name(&self.repository)
            .image_tag(&self.tag)
            .image_digest(self.digest.known()?)
            .image_manifest(self.manifest.known()?)
            .customize()
            .interceptor(ShowPermit::new(permit))
            .send()
            .await;
        match sent {
            Ok(_) => Ok(()),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(|error| error.is_image_already_exists_exception()) =>
            {
                Ok(())
            }
            Err(error) => {
                let immutable = error
                    .as_service_error()
                    .is_some_and(|error| error.is_image_tag_already_exists_exception());
                let told = from_sdk(format!("tag `{}` in `{}`", self.tag, self.repository), &error);
                if immutable {
                    let why = "the repository's tags are immutable: none can be moved";
                    return Err(CtlError::new(ErrorKind::Rejected, format!("{told}: {why}")));
                }
                Err(told)
            }
        }
    }
}
