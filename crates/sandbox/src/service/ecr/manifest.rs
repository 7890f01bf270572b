//! Manifests: BatchGetImage gives them out, PutImage takes one back under another tag.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{Image, named, named_mut, untag};
use crate::error::{ApiError, OpResult};
use crate::service::member::{list, present, text};
use crate::world::World;

pub(super) const MEDIA_TYPE: &str = "application/vnd.oci.image.index.v1+json";

/// What a tag points at after `docker buildx build --push`: an image index, because BuildKit adds a provenance
/// attestation to every image by default (Docker documentation, "Build attestations"; OCI image specification, "Image
/// Index"). An index does not hold its own digest, so this one is told apart by the digest of its image's manifest.
/// The parts of the index, which ECR lists as untagged images, are not simulated.
fn manifest(image: &Image) -> String {
    let part = |what: &str| {
        let digest = Sha256::digest(format!("{what} {}", image.digest));
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("sha256:{hex}")
    };
    let own = part("manifest");
    json!({
        "schemaVersion": 2,
        "mediaType": MEDIA_TYPE,
        "manifests": [
            {
                "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "digest": own,
                "size": 2_202,
                "platform": {"architecture": image.platform.architecture(), "os": "linux"},
            },
            {
                "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "digest": part("attestation"),
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

fn shown(world: &World, repository: &str, image: &Image, tag: Option<&str>) -> Value {
    json!({
        "registryId": world.options.account_id,
        "repositoryName": repository,
        "imageId": { "imageDigest": image.digest, "imageTag": tag },
        "imageManifest": manifest(image),
        "imageManifestMediaType": MEDIA_TYPE,
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
        match found {
            Some(image) => images.push(shown(world, name, image, tag)),
            None => failures.push(json!({
                "imageId": id,
                "failureCode": "ImageNotFound",
                "failureReason": "Requested image not found",
            })),
        }
    }
    Ok(present(json!({ "images": images, "failures": failures })))
}

/// Only manifests of images that are there: nobody can push layers into the sandbox.
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
