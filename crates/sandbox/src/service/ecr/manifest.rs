//! Manifests: DescribeImages lists them, BatchGetImage gives them out, PutImage takes one back under another tag.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{Image, Platform, bad_token, layer, named, named_mut, page_size, untag};
use crate::error::{ApiError, OpResult};
use crate::service::member::{list, page, present, text};
use crate::time::SimTime;
use crate::world::World;

const MEDIA_TYPE: &str = "application/vnd.oci.image.index.v1+json";
/// What the classic builder of Docker pushes (Image Manifest Version 2, Schema 2).
const PLAIN_MEDIA_TYPE: &str = "application/vnd.docker.distribution.manifest.v2+json";
const PART_MEDIA_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";

/// An image of an index.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) digest: String,
    /// The index that it is in.
    pub(super) index: String,
    /// What the image is for; none for the attestation.
    pub(super) platform: Option<Platform>,
    pub(super) pushed: SimTime,
    pub(super) bytes: u64,
}

/// The image and the attestation of an index; an image without an index has none.
pub(super) fn parts(image: &Image) -> Vec<Part> {
    let part = |what: &str, bytes: u64, platform: Option<Platform>| Part {
        digest: sha256(&format!("{what} {}", image.digest)),
        index: image.digest.clone(),
        platform,
        // BuildKit pushes the parts first.
        pushed: image.pushed,
        bytes,
    };
    if !image.provenance {
        return Vec::new();
    }
    vec![
        part("manifest", image.bytes, Some(image.platform)),
        part("attestation", 12_304, None),
    ]
}

pub(super) fn sha256(text: &str) -> String {
    let digest = Sha256::digest(text);
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

/// What a tag points at after `docker buildx build --push`: an image index, because BuildKit adds a provenance
/// attestation to every image by default (Docker documentation, "Build attestations"; OCI image specification, "Image
/// Index"). An index does not hold its own digest, so this one is told apart by the digest of its image's manifest.
///
/// Without attestations the tag points at the manifest of the image itself.
fn manifest(image: &Image) -> String {
    let parts = parts(image);
    let [own, attestation] = parts.as_slice() else {
        let config = layer::config(&image.digest, Some(image.platform));
        return image_manifest(image.media_type(), &config, &image.digest, image.bytes);
    };
    let (own, attestation) = (&own.digest, &attestation.digest);
    json!({
        "schemaVersion": 2,
        "mediaType": MEDIA_TYPE,
        "manifests": [
            {
                "mediaType": PART_MEDIA_TYPE,
                "digest": own,
                "size": 2_202,
                "platform": {"architecture": image.platform.architecture(), "os": "linux"},
            },
            {
                "mediaType": PART_MEDIA_TYPE,
                "digest": attestation,
                "size": 566,
                "annotations": {
                    "vnd.docker.reference.digest": own,
                    "vnd.docker.reference.type": "attestation-manifest",
                },
                "platform": {"architecture": "unknown", "os": "unknown"},
            },
        ],
    })
    .to_string()
}

/// The manifest of a part, which does not say for which processor it is: that is in its configuration.
fn part_manifest(part: &Part) -> String {
    let config = layer::config(&part.digest, part.platform);
    image_manifest(PART_MEDIA_TYPE, &config, &part.digest, part.bytes)
}

fn image_manifest(media_type: &str, config: &str, digest: &str, bytes: u64) -> String {
    // Docker's and the Open Container Initiative's formats differ in the names of their types alone.
    let (of_config, of_layer) = match media_type {
        PART_MEDIA_TYPE => (
            "application/vnd.oci.image.config.v1+json",
            "application/vnd.oci.image.layer.v1.tar+gzip",
        ),
        _ => (
            "application/vnd.docker.container.image.v1+json",
            "application/vnd.docker.image.rootfs.diff.tar.gzip",
        ),
    };
    json!({
        "schemaVersion": 2,
        "mediaType": media_type,
        "config": {"mediaType": of_config, "digest": sha256(config), "size": config.len()},
        "layers": [{
            "mediaType": of_layer,
            "digest": sha256(&format!("layer {digest}")),
            "size": bytes,
        }],
    })
    .to_string()
}

impl Image {
    fn media_type(&self) -> &'static str {
        if self.provenance {
            MEDIA_TYPE
        } else {
            PLAIN_MEDIA_TYPE
        }
    }
}

fn shown(world: &World, repository: &str, image: &Image, tag: Option<&str>) -> Value {
    json!({
        "registryId": world.options.account_id,
        "repositoryName": repository,
        "imageId": { "imageDigest": image.digest, "imageTag": tag },
        "imageManifest": manifest(image),
        "imageManifestMediaType": image.media_type(),
    })
}

pub(super) fn batch_get_image(world: &World, input: &Value) -> OpResult {
    let name = text(input, "repositoryName").unwrap_or_default();
    let repository = named(world, name)?;
    let (mut images, mut failures) = (Vec::new(), Vec::new());
    for id in list(input, "imageIds") {
        let (digest, tag) = (text(id, "imageDigest"), text(id, "imageTag"));
        let found = repository.images.iter().find(|image| {
            digest.is_none_or(|digest| image.digest == digest)
                && tag.is_none_or(|tag| image.tags.contains(tag))
        });
        let part = || {
            repository
                .parts()
                .find(|part| tag.is_none() && digest == Some(part.digest.as_str()))
        };
        match found.map_or_else(|| part().map(Err), |image| Some(Ok(image))) {
            Some(Ok(image)) => images.push(shown(world, name, image, tag)),
            Some(Err(part)) => images.push(json!({
                "registryId": world.options.account_id,
                "repositoryName": name,
                "imageId": { "imageDigest": part.digest },
                "imageManifest": part_manifest(&part),
                "imageManifestMediaType": PART_MEDIA_TYPE,
            })),
            None => failures.push(json!({
                "imageId": id,
                "failureCode": "ImageNotFound",
                "failureReason": "Requested image not found",
            })),
        }
    }
    Ok(present(json!({ "images": images, "failures": failures })))
}

fn detail(world: &World, repository: &str, image: &Image) -> Value {
    json!({
        "registryId": world.options.account_id,
        "repositoryName": repository,
        "imageDigest": image.digest,
        "imageTags": (!image.tags.is_empty()).then_some(&image.tags),
        "imageSizeInBytes": image.bytes,
        "imagePushedAt": image.pushed.epoch_seconds(),
        "imageManifestMediaType": image.media_type(),
        "artifactMediaType": (!image.provenance).then_some("application/vnd.docker.container.image.v1+json"),
    })
}

fn part_detail(world: &World, repository: &str, part: &Part) -> Value {
    json!({
        "registryId": world.options.account_id,
        "repositoryName": repository,
        "imageDigest": part.digest,
        "imageSizeInBytes": part.bytes,
        "imagePushedAt": part.pushed.epoch_seconds(),
        "imageManifestMediaType": PART_MEDIA_TYPE,
        "artifactMediaType": "application/vnd.oci.image.config.v1+json",
    })
}

pub(super) fn describe_images(world: &World, input: &Value) -> OpResult {
    let name = text(input, "repositoryName").unwrap_or_default();
    let repository = named(world, name)?;
    let ids = list(input, "imageIds");
    let tag_status = input
        .get("filter")
        .and_then(|filter| text(filter, "tagStatus"))
        .unwrap_or("ANY");
    let mut details: Vec<Value> = Vec::new();
    for id in ids {
        let (digest, tag) = (text(id, "imageDigest"), text(id, "imageTag"));
        let detail = find(world, name, digest, tag)?;
        if !details.contains(&detail) {
            details.push(detail);
        }
    }
    if ids.is_empty() {
        let wanted = repository.images.iter().filter(|image| match tag_status {
            "TAGGED" => !image.tags.is_empty(),
            "UNTAGGED" => image.tags.is_empty(),
            _ => true,
        });
        details.extend(wanted.map(|image| detail(world, name, image)));
        if tag_status != "TAGGED" {
            details.extend(repository.parts().map(|part| part_detail(world, name, &part)));
        }
    }
    let (details, next) = page(details, text(input, "nextToken"), page_size(input), bad_token)?;
    Ok(present(json!({"imageDetails": details, "nextToken": next})))
}

/// The image that an identifier means.
fn find(world: &World, name: &str, digest: Option<&str>, tag: Option<&str>) -> Result<Value, ApiError> {
    let repository = named(world, name)?;
    let image = repository.images.iter().find(|image| {
        digest.is_none_or(|digest| image.digest == digest) && tag.is_none_or(|tag| image.tags.contains(tag))
    });
    if let Some(image) = image {
        return Ok(detail(world, name, image));
    }
    let mut parts = repository.parts();
    match parts.find(|part| tag.is_none() && digest == Some(part.digest.as_str())) {
        Some(part) => Ok(part_detail(world, name, &part)),
        None => Err(no_image(world, name, digest, tag)),
    }
}

pub(super) fn no_image(world: &World, name: &str, digest: Option<&str>, tag: Option<&str>) -> ApiError {
    ApiError::client(
        "ImageNotFoundException",
        format!(
            "The image with imageId {{imageDigest:'{}', imageTag:'{}'}} does not exist within the repository with name '{name}' in the registry with id '{}'",
            digest.unwrap_or("null"),
            tag.unwrap_or("null"),
            world.options.account_id,
        ),
    )
}

/// Only manifests of images that are there: no client can push layers into the sandbox.
pub(super) fn put_image(world: &mut World, input: &Value) -> OpResult {
    let name = text(input, "repositoryName").unwrap_or_default();
    let given = text(input, "imageManifest").unwrap_or_default();
    let same = |known: &Image| {
        let (given, known) = (
            serde_json::from_str::<Value>(given),
            serde_json::from_str::<Value>(&manifest(known)),
        );
        given.is_ok_and(|given| known.is_ok_and(|known| given == known))
    };
    let image = named(world, name)?
        .images
        .iter()
        .find(|image| same(image))
        .cloned();
    let Some(image) = image else {
        return Err(ApiError::client(
            "LayersNotFoundException",
            format!(
                "Image with manifest cannot be pushed to the repository '{name}': its layers do not exist in it"
            ),
        ));
    };
    let digest = text(input, "imageDigest");
    if digest.is_some_and(|digest| digest != image.digest) {
        return Err(ApiError::client(
            "ImageDigestDoesNotMatchException",
            format!(
                "The digest '{}' of the image manifest does not match the given digest '{}'",
                image.digest,
                digest.unwrap_or_default()
            ),
        ));
    }
    let tag = text(input, "imageTag");
    if tag.is_none_or(|tag| image.tags.contains(tag)) {
        let tag = tag.map_or("null", |tag| tag);
        return Err(ApiError::client(
            "ImageAlreadyExistsException",
            format!(
                "Image with digest '{}' and tag '{tag}' already exists in the repository with name '{name}'",
                image.digest
            ),
        ));
    }
    if let Some(tag) = tag {
        untag(world, name, tag);
        let repository = named_mut(world, name);
        let stored = repository.and_then(|repository| {
            repository
                .images
                .iter_mut()
                .find(|one| one.digest == image.digest)
        });
        if let Some(stored) = stored {
            stored.tags.insert(tag.to_owned());
        }
    }
    Ok(present(json!({ "image": shown(world, name, &image, tag) })))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Options;
    use crate::service::Service;

    #[test]
    fn an_image_gets_another_tag_with_its_own_manifest() {
        let mut world = World::new(Options::default());
        let mut ask = |operation: &str, input: Value| world.call(Service::Ecr, operation, &input);
        let ids = json!([{"imageTag": "php-latest"}, {"imageTag": "none"}]);
        let got = ask(
            "BatchGetImage",
            json!({"repositoryName": "bp-backend", "imageIds": ids}),
        )
        .unwrap();
        assert_eq!(got["failures"][0]["failureCode"], "ImageNotFound");
        let manifest = &got["images"][0]["imageManifest"];
        let put = json!({"repositoryName": "bp-backend", "imageManifest": manifest, "imageTag": "php-kept"});
        let kept = ask("PutImage", put.clone()).unwrap();
        assert_eq!(
            kept["image"]["imageId"]["imageDigest"],
            got["images"][0]["imageId"]["imageDigest"]
        );
        assert_eq!(
            ask("PutImage", put).unwrap_err().code,
            "ImageAlreadyExistsException"
        );
        let foreign = json!({"repositoryName": "bp-backend", "imageManifest": "{}", "imageTag": "x"});
        assert_eq!(
            ask("PutImage", foreign).unwrap_err().code,
            "LayersNotFoundException"
        );
    }
}
