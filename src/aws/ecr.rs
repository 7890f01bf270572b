//! ECR: which images there are, by their tags.

use aws_sdk_ecr::types::{DescribeImagesFilter, TagStatus};
use jiff::Timestamp;

use super::Aws;
use super::convert::time;
use super::pages::Pages;
use crate::error::{ErrorKind, Result};

/// DescribeImages: at most 1000 images per page (Amazon ECR API Reference).
const PAGE: i32 = 1000;

/// A tagged image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Image {
    pub(crate) tags: Vec<String>,
    pub(crate) pushed: Option<Timestamp>,
}

impl Aws {
    /// The tagged images of a repository, the newest first; `None` when there is no such repository.
    ///
    /// All of them are listed: asking for single tags fails as a whole when one of them is missing.
    pub(crate) async fn images(&self, repository: &str) -> Result<Option<Vec<Image>>> {
        let stream = self
            .ecr_client()
            .await?
            .describe_images()
            .repository_name(repository)
            .filter(
                DescribeImagesFilter::builder()
                    .tag_status(TagStatus::Tagged)
                    .build(),
            )
            .max_results(PAGE)
            .into_paginator()
            .send();
        let pages = Pages::new(format!("list the images of `{repository}`"), stream);
        let found = match pages.all().await {
            Ok(found) => found,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut images: Vec<Image> = found
            .iter()
            .map(|image| Image {
                tags: image.image_tags().to_vec(),
                pushed: time(image.image_pushed_at()),
            })
            .collect();
        images.sort_by_key(|image| std::cmp::Reverse(image.pushed));
        Ok(Some(images))
    }
}
