//! BatchDeleteImage: by tag a tag goes, and with the last one the image; by digest the image with all its tags.

use serde_json::{Value, json};

use super::{named, named_mut};
use crate::error::{ApiError, OpResult};
use crate::service::member::{flag, list, present, text};
use crate::world::World;

/// What becomes of one identifier.
enum Fate {
    /// Digest and tags that are gone.
    Gone(String, Vec<String>),
    Failed(&'static str, String),
}

pub(super) fn batch_delete_image(world: &mut World, input: &Value) -> OpResult {
    let name = text(input, "repositoryName").unwrap_or_default();
    named(world, name)?;
    let (mut gone, mut failures) = (Vec::new(), Vec::new());
    for id in list(input, "imageIds") {
        match delete(world, name, text(id, "imageDigest"), text(id, "imageTag"))? {
            Fate::Gone(digest, tags) if tags.is_empty() => gone.push(json!({"imageDigest": digest})),
            Fate::Gone(digest, tags) => {
                gone.extend(
                    tags.iter()
                        .map(|tag| json!({"imageDigest": digest, "imageTag": tag})),
                );
            }
            Fate::Failed(code, reason) => failures.push(json!({
                "imageId": id,
                "failureCode": code,
                "failureReason": reason,
            })),
        }
    }
    Ok(present(json!({ "imageIds": gone, "failures": failures })))
}

/// "If the repository isn't empty when you use this operation without `force`, it fails" (API reference,
/// DeleteRepository: RepositoryNotEmptyException).
pub(super) fn delete_named_repository(world: &mut World, input: &Value) -> OpResult {
    let name = text(input, "repositoryName").unwrap_or_default();
    named(world, name)?;
    let options = &world.options;
    let arn = format!(
        "arn:aws:ecr:{}:{}:repository/{name}",
        options.region, options.account_id
    );
    if super::has_images(world, name) && flag(input, "force") != Some(true) {
        return Err(ApiError::client(
            "RepositoryNotEmptyException",
            format!(
                "The repository with name '{name}' in registry with id '{}' cannot be deleted because it still contains images",
                world.options.account_id
            ),
        ));
    }
    super::delete_repository(world, name);
    Ok(json!({ "repository": { "repositoryName": name, "repositoryArn": arn } }))
}

/// Codes as the API reference lists them (`ImageFailure`).
fn delete(world: &mut World, name: &str, digest: Option<&str>, tag: Option<&str>) -> Result<Fate, ApiError> {
    let failed = |code, reason: &str| Ok(Fate::Failed(code, reason.to_owned()));
    let Some(repository) = named_mut(world, name) else {
        return failed("ImageNotFound", "Requested image not found");
    };
    if digest.is_none() && tag.is_none() {
        return failed(
            "MissingDigestAndTag",
            "Invalid request parameters: both tag and digest cannot be null",
        );
    }
    let part = repository
        .parts()
        .find(|part| tag.is_none() && digest == Some(part.digest.as_str()));
    if let Some(part) = part {
        if repository.images.iter().any(|image| image.digest == part.index) {
            return Ok(Fate::Failed(
                "ImageReferencedByManifestList",
                format!("Requested image referenced by manifest list: [{}]", part.index),
            ));
        }
        repository.orphans.retain(|orphan| orphan.digest != part.digest);
        return Ok(Fate::Gone(part.digest, Vec::new()));
    }
    let found = repository.images.iter_mut().find(|image| match tag {
        Some(tag) => image.tags.contains(tag),
        None => digest == Some(image.digest.as_str()),
    });
    let Some(image) = found else {
        return failed("ImageNotFound", "Requested image not found");
    };
    if digest.is_some_and(|digest| digest != image.digest) {
        return failed(
            "ImageTagDoesNotMatchDigest",
            "Requested image tag does not match the digest",
        );
    }
    let own = image.digest.clone();
    let tags: Vec<String> = match tag {
        Some(tag) => {
            image.tags.remove(tag);
            vec![tag.to_owned()]
        }
        None => std::mem::take(&mut image.tags).into_iter().collect(),
    };
    if image.tags.is_empty() {
        repository.remove(&own);
    }
    Ok(Fate::Gone(own, tags))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::Service;
    use crate::service::operator::Operator;

    fn delete(operator: &mut Operator, ids: &Value) -> Value {
        let input = json!({"repositoryName": "bp-backend", "imageIds": ids});
        operator.call(Service::Ecr, "BatchDeleteImage", &input)
    }

    #[test]
    fn an_image_goes_with_its_last_tag_and_its_parts_can_go_after_it() {
        let mut operator = Operator::under(&[]);
        let ids = json!({"repositoryName": "bp-backend", "imageIds": [{"imageTag": "php-latest"}]});
        let image = operator.call(Service::Ecr, "BatchGetImage", &ids)["images"][0].clone();
        let index: Value = serde_json::from_str(image["imageManifest"].as_str().unwrap()).unwrap();
        let part = json!([{"imageDigest": index["manifests"][0]["digest"]}]);
        let kept = delete(&mut operator, &part);
        assert_eq!(
            kept["failures"][0]["failureCode"],
            "ImageReferencedByManifestList"
        );
        let digest = image["imageId"]["imageDigest"].clone();
        let gone = delete(&mut operator, &json!([{"imageTag": "php-latest"}]));
        assert_eq!(
            gone["imageIds"][0],
            json!({"imageDigest": digest, "imageTag": "php-latest"})
        );
        // Its other tag keeps it.
        let again = operator.call(
            Service::Ecr,
            "DescribeImages",
            &json!({"repositoryName": "bp-backend", "imageIds": [{"imageDigest": digest}]}),
        );
        assert_eq!(again["imageDetails"][0]["imageTags"].as_array().unwrap().len(), 1);
        let gone = delete(
            &mut operator,
            &json!([{"imageDigest": digest}, {"imageDigest": digest}]),
        );
        assert_eq!(gone["imageIds"].as_array().unwrap().len(), 1);
        assert_eq!(gone["failures"][0]["failureCode"], "ImageNotFound");
        assert!(
            delete(&mut operator, &part)["failures"]
                .as_array()
                .unwrap()
                .is_empty()
        );
    }

    #[test]
    fn identifiers_that_mean_nothing_are_failures_of_their_own() {
        let mut operator = Operator::under(&[]);
        let other = format!("sha256:{}", "0".repeat(64));
        let answer = delete(
            &mut operator,
            &json!([{}, {"imageTag": "none"}, {"imageTag": "php-latest", "imageDigest": other}]),
        );
        let codes: Vec<&str> = answer["failures"]
            .as_array()
            .unwrap()
            .iter()
            .map(|failure| failure["failureCode"].as_str().unwrap())
            .collect();
        assert_eq!(
            codes,
            [
                "MissingDigestAndTag",
                "ImageNotFound",
                "ImageTagDoesNotMatchDigest"
            ]
        );
    }
}
