//! What is known of machine images without starting one.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::Filter;

use super::super::Aws;
use crate::error::{Required as _, Result, from_sdk};

/// Values of a filter (Amazon EC2 User Guide, "List and filter your resources": 200 for a filter).
const BATCH: usize = 200;

/// The tag that names the bundle that was baked into an image.
const BUNDLE_TAG: &str = "BundleId";

impl Aws {
    /// The bundle that was baked into each of these images, by image; an image that does not exist is left out.
    pub(crate) async fn baked_bundles(&self, images: &[String]) -> Result<BTreeMap<String, Option<String>>> {
        const REQUEST: &str = "DescribeImages";
        let client = self.ec2_client().await?;
        let mut found = BTreeMap::new();
        for batch in images.chunks(BATCH) {
            // By a filter: one id that does not exist would be an error for all of them.
            let answer = client
                .describe_images()
                .filters(
                    Filter::builder()
                        .name("image-id")
                        .set_values(Some(batch.to_vec()))
                        .build(),
                )
                .send()
                .await
                .map_err(|error| from_sdk("describe images", &error))?;
            for image in answer.images() {
                let id = image.image_id().required(REQUEST, "ImageId")?.to_owned();
                let tag = image.tags().iter().find(|tag| tag.key() == Some(BUNDLE_TAG));
                let bundle = tag
                    .and_then(|tag| tag.value())
                    .filter(|id| !id.is_empty() && *id != "none");
                found.insert(id, bundle.map(str::to_owned));
            }
        }
        Ok(found)
    }
}
