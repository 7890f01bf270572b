//! ECR: which images there are, by their tags.

mod platform;
mod removal;
mod scan;
mod token;
mod write;

use aws_sdk_ecr::types::{DescribeImagesFilter, ImageIdentifier, ImageTagMutability, TagStatus};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(crate) use self::removal::DeleteRepository;
pub(crate) use self::scan::Scan;
pub(crate) use self::token::RegistryLogin;
pub(crate) use self::write::{DeleteImages, Deleted, MAX_IDS, TagImage};
use super::Aws;
use super::convert::time;
use super::pages::Pages;
use crate::error::{ErrorKind, Required as _, Result, from_sdk};

/// DescribeImages: at most 1000 images per page (Amazon ECR API Reference).
const PAGE: i32 = 1000;

/// An image, as ECR lists it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Image {
    pub(crate) digest: String,
    pub(crate) tags: Vec<String>,
    pub(crate) pushed: Option<Timestamp>,
    /// Compressed, as it is pulled; of the largest image where this is an index.
    pub(crate) bytes: Option<u64>,
    /// Whether it only names other images: one for each processor, and what was recorded of its build.
    pub(crate) is_index: bool,
}

/// Media types of indexes.
const INDEXES: [&str; 2] = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
];

/// BatchGetImage: at most 100 images (Amazon ECR API Reference).
const BATCH: usize = 100;

/// Every kind of manifest that ECR keeps; it converts what is not accepted (BatchGetImage, `acceptedMediaTypes`).
const KINDS: [&str; 4] = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
];

/// What a tag points at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Manifest {
    pub(crate) digest: String,
    /// `linux/arm64`, …; `None` for the manifest of one image, whose configuration says what it is for.
    pub(crate) platforms: Option<Vec<String>>,
    /// Digest of the configuration of one image.
    pub(crate) config: Option<String>,
    /// Why the configuration could not be read.
    pub(crate) unread: Option<String>,
    /// Digests of the images of an index.
    pub(crate) parts: Vec<String>,
    /// Digest of the first image of an index that is no attestation.
    pub(crate) image: Option<String>,
    /// As ECR keeps it.
    pub(crate) text: String,
}

impl Manifest {
    fn of(digest: &str, text: &str) -> Self {
        let document: Value = serde_json::from_str(text).unwrap_or_default();
        let parts = document.get("manifests").and_then(Value::as_array);
        let said = |part: &Value| {
            let platform = part.get("platform")?;
            let of = |member: &str| Some(platform.get(member)?.as_str()?.to_owned());
            Some(format!("{}/{}", of("os")?, of("architecture")?))
        };
        let digest_of = |part: &Value| Some(part.get("digest")?.as_str()?.to_owned());
        let is_image = |part: &&Value| said(part).is_some_and(|platform| platform != "unknown/unknown");
        Self {
            image: parts.and_then(|parts| digest_of(parts.iter().find(is_image)?)),
            text: text.to_owned(),
            digest: digest.to_owned(),
            // Attestations have the platform `unknown/unknown`.
            platforms: parts.map(|parts| {
                let all = parts.iter().filter_map(said);
                all.filter(|platform| platform != "unknown/unknown").collect()
            }),
            parts: parts.into_iter().flatten().filter_map(digest_of).collect(),
            config: document.get("config").and_then(digest_of),
            unread: None,
        }
    }

    /// Whether `digest` is that of the manifest or of an image in it.
    pub(crate) fn has(&self, digest: &str) -> bool {
        self.digest == digest || self.parts.iter().any(|part| part == digest)
    }
}

/// A repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Repository {
    pub(crate) name: String,
    /// Registry and name, as images are named by it.
    pub(crate) uri: String,
    /// Whether a tag can be put on another image.
    pub(crate) mutable: bool,
}

impl Aws {
    /// Repositories by their names.
    ///
    /// # Errors
    /// One that is not there.
    pub(crate) async fn repositories(&self, names: &[String]) -> Result<Vec<Repository>> {
        const REQUEST: &str = "DescribeRepositories";
        let answer = self
            .ecr_client()
            .await?
            .describe_repositories()
            .set_repository_names(Some(names.to_vec()))
            .send()
            .await
            .map_err(|error| from_sdk(format!("find the repositories {}", names.join(", ")), &error))?;
        let repositories = answer.repositories.required(REQUEST, "repositories")?;
        repositories
            .iter()
            .map(|repository| {
                Ok(Repository {
                    name: repository
                        .repository_name()
                        .required(REQUEST, "repositoryName")?
                        .to_owned(),
                    uri: repository
                        .repository_uri()
                        .required(REQUEST, "repositoryUri")?
                        .to_owned(),
                    mutable: repository.image_tag_mutability() != Some(&ImageTagMutability::Immutable),
                })
            })
            .collect()
    }

    /// Whether the account has a repository of this name.
    pub(crate) async fn has_repository(&self, name: &str) -> Result<bool> {
        match self.repositories(&[name.to_owned()]).await {
            Ok(found) => Ok(!found.is_empty()),
            Err(error)
                if error
                    .reply()
                    .is_some_and(|reply| reply.is("RepositoryNotFoundException")) =>
            {
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// The names of all repositories of the region.
    pub(crate) async fn repository_names(&self) -> Result<Vec<String>> {
        let stream = self
            .ecr_client()
            .await?
            .describe_repositories()
            .into_paginator()
            .send();
        let found = Pages::new("list the repositories", stream).all().await?;
        Ok(found
            .into_iter()
            .filter_map(|repository| repository.repository_name)
            .collect())
    }

    /// What references of a repository point at: tags, or digests where they begin with `sha256:`. References that
    /// are not there are left out; `None` when there is no such repository.
    pub(crate) async fn manifests(
        &self,
        repository: &str,
        references: &[String],
    ) -> Result<Option<Vec<(String, Manifest)>>> {
        const REQUEST: &str = "BatchGetImage";
        let client = self.ecr_client().await?;
        let mut found = Vec::new();
        for batch in references.chunks(BATCH) {
            let ids = batch.iter().map(|reference| {
                let id = ImageIdentifier::builder();
                match reference.starts_with("sha256:") {
                    true => id.image_digest(reference).build(),
                    false => id.image_tag(reference).build(),
                }
            });
            let answer = client
                .batch_get_image()
                .repository_name(repository)
                .set_image_ids(Some(ids.collect()))
                .set_accepted_media_types(Some(KINDS.map(str::to_owned).into()))
                .send()
                .await;
            let answer = match answer {
                Ok(answer) => answer,
                Err(error) => {
                    let error = from_sdk(format!("read the images of `{repository}`"), &error);
                    return match error.kind() {
                        ErrorKind::NotFound => Ok(None),
                        _ => Err(error),
                    };
                }
            };
            for image in answer.images.required(REQUEST, "images")? {
                let id = image.image_id().required(REQUEST, "imageId")?;
                let digest = id.image_digest().required(REQUEST, "imageId.imageDigest")?;
                let manifest = Manifest::of(digest, image.image_manifest().unwrap_or_default());
                let reference = id.image_tag().unwrap_or(digest).to_owned();
                found.push((reference, manifest));
            }
        }
        Ok(Some(found))
    }

    /// The tagged images of a repository, the newest first; `None` when there is no such repository.
    ///
    /// All of them are listed: asking for single tags fails as a whole when one of them is missing.
    pub(crate) async fn images(&self, repository: &str) -> Result<Option<Vec<Image>>> {
        self.images_that_are(repository, TagStatus::Tagged).await
    }

    /// The same with those that have no tag, the parts of indexes among them.
    pub(crate) async fn all_images(&self, repository: &str) -> Result<Option<Vec<Image>>> {
        self.images_that_are(repository, TagStatus::Any).await
    }

    async fn images_that_are(&self, repository: &str, status: TagStatus) -> Result<Option<Vec<Image>>> {
        const REQUEST: &str = "DescribeImages";
        let stream = self
            .ecr_client()
            .await?
            .describe_images()
            .repository_name(repository)
            .filter(DescribeImagesFilter::builder().tag_status(status).build())
            .max_results(PAGE)
            .into_paginator()
            .send();
        let pages = Pages::new(format!("list the images of `{repository}`"), stream);
        let found = match pages.all().await {
            Ok(found) => found,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut images = Vec::with_capacity(found.len());
        for image in &found {
            images.push(Image {
                digest: image.image_digest().required(REQUEST, "imageDigest")?.to_owned(),
                tags: image.image_tags().to_vec(),
                pushed: time(image.image_pushed_at()),
                bytes: image
                    .image_size_in_bytes()
                    .and_then(|bytes| u64::try_from(bytes).ok()),
                is_index: image
                    .image_manifest_media_type()
                    .is_some_and(|kind| INDEXES.contains(&kind)),
            });
        }
        images.sort_by_key(|image| std::cmp::Reverse(image.pushed));
        Ok(Some(images))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_index_says_what_its_images_are_for_and_a_single_manifest_does_not() {
        let index = json!({"manifests": [
            {"digest": "sha256:a", "platform": {"os": "linux", "architecture": "arm64"}},
            {"digest": "sha256:b", "platform": {"os": "unknown", "architecture": "unknown"}},
        ]});
        let manifest = Manifest::of("sha256:i", &index.to_string());
        assert_eq!(manifest.platforms, Some(vec!["linux/arm64".to_owned()]));
        assert_eq!(manifest.image.as_deref(), Some("sha256:a"));
        assert!(manifest.has("sha256:i") && manifest.has("sha256:a") && !manifest.has("sha256:c"));
        let single = json!({"config": {"digest": "sha256:c"}, "layers": []});
        assert_eq!(Manifest::of("sha256:i", &single.to_string()).platforms, None);
        assert_eq!(Manifest::of("sha256:i", "garbage").platforms, None);
    }
}
