//! What is known of machine images without starting one.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{Filter, Image as SdkImage};
use jiff::Timestamp;

use super::super::Aws;
use super::BATCH;
use crate::error::{Required as _, Result, from_sdk};

/// The tag that names the bundle that was baked into an image.
const BUNDLE_TAG: &str = "BundleId";

/// The tag that names the fleet or workflow that an image was built for.
const FLEET_TAG: &str = "FleetSlug";

/// The tag of images that Packer has built, and its value.
pub(super) const MANAGED_BY: (&str, &str) = ("ManagedBy", "packer");

/// A machine image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Image {
    pub(crate) id: String,
    pub(crate) name: Option<String>,
    /// Account that owns it.
    pub(crate) owner: Option<String>,
    /// `available`, `pending`, `failed`, …
    pub(crate) state: String,
    /// `x86_64` or `arm64`.
    pub(crate) architecture: Option<String>,
    pub(crate) created: Option<Timestamp>,
    pub(crate) tags: BTreeMap<String, String>,
    /// The device of the root volume, e.g. `/dev/sda1`.
    pub(crate) root_device: Option<String>,
    /// Whether the snapshot of the root volume is encrypted; `None` when the image does not say it.
    pub(crate) encrypted: Option<bool>,
    /// Of the root volume, in GiB.
    pub(crate) root_gib: Option<u32>,
    /// Snapshots of its volumes.
    pub(crate) snapshots: Vec<String>,
}

impl Image {
    fn of(image: &SdkImage) -> Result<Self> {
        const REQUEST: &str = "DescribeImages";
        let root = image.root_device_name();
        let volume = image
            .block_device_mappings()
            .iter()
            .find(|mapping| root.is_some() && mapping.device_name() == root)
            .and_then(|mapping| mapping.ebs());
        let tags = image.tags().iter();
        Ok(Self {
            id: image.image_id().required(REQUEST, "ImageId")?.to_owned(),
            name: image.name().map(str::to_owned),
            owner: image.owner_id().map(str::to_owned),
            state: image.state().required(REQUEST, "State")?.as_str().to_owned(),
            architecture: image
                .architecture()
                .map(|architecture| architecture.as_str().to_owned()),
            created: image.creation_date().and_then(|text| text.parse().ok()),
            tags: tags
                .filter_map(|tag| Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned())))
                .collect(),
            root_device: root.map(str::to_owned),
            encrypted: volume.and_then(|volume| volume.encrypted()),
            root_gib: volume
                .and_then(|volume| volume.volume_size())
                .and_then(|size| u32::try_from(size).ok()),
            snapshots: image
                .block_device_mappings()
                .iter()
                .filter_map(|mapping| mapping.ebs()?.snapshot_id().map(str::to_owned))
                .collect(),
        })
    }

    /// The bundle that was baked into it.
    pub(crate) fn bundle(&self) -> Option<&str> {
        let bundle = self.tags.get(BUNDLE_TAG).map(String::as_str);
        bundle.filter(|id| !id.is_empty() && *id != "none")
    }

    /// The fleet that it was built for.
    pub(crate) fn fleet_slug(&self) -> Option<&str> {
        self.tags.get(FLEET_TAG).map(String::as_str)
    }
}

impl Aws {
    /// The images of these ids, two hundred a call; those that do not exist or are not visible are left out.
    pub(crate) async fn machine_images(&self, ids: &[String]) -> Result<Vec<Image>> {
        self.images_where("image-id", ids, false).await
    }

    /// The images of this account that were built for fleets, in one call.
    pub(crate) async fn own_images(&self) -> Result<Vec<Image>> {
        let (tag, value) = MANAGED_BY;
        self.images_where(&format!("tag:{tag}"), &[value.to_owned()], true)
            .await
    }

    /// The images of this account with a tag of this value.
    pub(crate) async fn own_images_tagged(&self, tag: &str, value: &str) -> Result<Vec<Image>> {
        self.images_where(&format!("tag:{tag}"), &[value.to_owned()], true)
            .await
    }

    /// The image of this account that has this name: at most one has.
    pub(crate) async fn own_image_named(&self, name: &str) -> Result<Option<Image>> {
        let found = self.images_where("name", &[name.to_owned()], true).await?;
        Ok(found.into_iter().next())
    }

    /// The images of this account that stand on one of these snapshots.
    pub(crate) async fn images_on(&self, snapshots: &[String]) -> Result<Vec<Image>> {
        self.images_where("block-device-mapping.snapshot-id", snapshots, true)
            .await
    }

    async fn images_where(&self, filter: &str, values: &[String], own: bool) -> Result<Vec<Image>> {
        let client = self.ec2_client().await?;
        let mut found = Vec::new();
        for batch in values.chunks(BATCH) {
            // Without MaxResults the answer is whole (API Reference, DescribeImages).
            let answer = client
                .describe_images()
                .filters(
                    Filter::builder()
                        .name(filter)
                        .set_values(Some(batch.to_vec()))
                        .build(),
                )
                .set_owners(own.then(|| vec!["self".to_owned()]))
                .send()
                .await
                .map_err(|error| from_sdk("describe images", &error))?;
            for image in answer.images() {
                found.push(Image::of(image)?);
            }
        }
        Ok(found)
    }

    /// The bundle that was baked into each of these images, by image; an image that does not exist is left out.
    pub(crate) async fn baked_bundles(&self, images: &[String]) -> Result<BTreeMap<String, Option<String>>> {
        let found = self.machine_images(images).await?.into_iter();
        Ok(found
            .map(|image| (image.id.clone(), image.bundle().map(str::to_owned)))
            .collect())
    }
}
