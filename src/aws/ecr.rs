//! ECR: which images there are, by their tags.

use aws_sdk_ecr::types::{DescribeImagesFilter, TagStatus};
use jiff::Timestamp;

use super::Aws;
use super::convert::time;
use crate::error::{ErrorKind, Result, from_sdk};

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
        let mut pages = self
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
        let mut images = Vec::new();
        while let Some(page) = pages.next().await {
            let page = match page {
                Ok(page) => page,
                Err(error) => {
                    let error = from_sdk(format!("list the images of `{repository}`"), &error);
                    return match error.kind() {
                        ErrorKind::NotFound => Ok(None),
                        _ => Err(error),
                    };
                }
            };
            images.extend(page.image_details().iter().map(|image| Image {
                tags: image.image_tags().to_vec(),
                pushed: time(image.image_pushed_at()),
            }));
        }
        images.sort_by_key(|image| std::cmp::Reverse(image.pushed));
        Ok(Some(images))
    }
}
