//! DescribeImageScanFindings: what a scan on push has found.
//!
//! The images of an index are scanned one by one, the index itself is not. DescribeImages tells nothing of findings
//! (API reference, `DescribeImages`: "The new version of Amazon ECR Basic Scanning doesn't use the
//! ImageDetail$imageScanFindingsSummary and ImageDetail$imageScanStatus attributes").

use std::time::Duration;

use serde_json::{Value, json};

use super::{Content, Image, bad_token, manifest, named, page_size};
use crate::error::{ApiError, OpResult};
use crate::service::member::{page, present, text};
use crate::world::World;

/// How long a scan takes.
const SCAN: Duration = Duration::from_secs(40);

/// Severities and how many findings an image has of each.
fn counts(image: &Image) -> &'static [(&'static str, usize)] {
    match image.content {
        Content::Nginx => &[("MEDIUM", 2), ("LOW", 5)],
        Content::Php(_) => &[("HIGH", 1), ("MEDIUM", 7), ("LOW", 19)],
        Content::Next => &[],
    }
}

pub(super) fn describe_image_scan_findings(world: &World, input: &Value) -> OpResult {
    let name = text(input, "repositoryName").unwrap_or_default();
    let repository = named(world, name)?;
    let id = input.get("imageId").cloned().unwrap_or_default();
    let (digest, tag) = (text(&id, "imageDigest"), text(&id, "imageTag"));
    let part_of = |image: &&Image| {
        if !image.provenance {
            return digest.is_none_or(|digest| image.digest == digest)
                && tag.is_none_or(|tag| image.tags.contains(tag));
        }
        let mut parts = manifest::parts(image).into_iter();
        parts.any(|part| part.platform.is_some() && tag.is_none() && digest == Some(part.digest.as_str()))
    };
    let Some(image) = repository.images.iter().find(part_of) else {
        let known = repository.images.iter().any(|image| {
            digest.is_none_or(|digest| image.digest == digest)
                && tag.is_none_or(|tag| image.tags.contains(tag))
        }) || repository
            .parts()
            .any(|part| digest == Some(part.digest.as_str()));
        if !known {
            return Err(manifest::no_image(world, name, digest, tag));
        }
        return Err(ApiError::client(
            "ScanNotFoundException",
            format!(
                "Image scan does not exist for the image with '{{imageDigest:'{}', imageTag:'{}'}}' in the repository with name '{name}' in the registry with id '{}'",
                digest.unwrap_or("null"),
                tag.unwrap_or("null"),
                world.options.account_id,
            ),
        ));
    };
    let scanned = image.pushed + SCAN;
    let mut answer = json!({
        "registryId": world.options.account_id,
        "repositoryName": name,
        "imageId": id,
        "imageScanStatus": {"status": "IN_PROGRESS", "description": "The scan is in progress."},
    });
    if world.now >= scanned {
        let findings: Vec<Value> = counts(image)
            .iter()
            .flat_map(|(severity, count)| (0..*count).map(move |number| (*severity, number)))
            .map(|(severity, number)| {
                json!({
                    "name": format!("CVE-2025-{}{number:03}", 10 + severity.len()),
                    "severity": severity,
                    "uri": format!("http://people.ubuntu.com/~ubuntu-security/cve/CVE-2025-{}{number:03}", 10 + severity.len()),
                })
            })
            .collect();
        let (findings, next) = page(findings, text(input, "nextToken"), page_size(input), bad_token)?;
        let counts: serde_json::Map<String, Value> = counts(image)
            .iter()
            .map(|(severity, count)| ((*severity).to_owned(), Value::from(*count)))
            .collect();
        answer["imageScanStatus"] = json!({
            "status": "COMPLETE",
            "description": "The scan was completed successfully.",
        });
        answer["imageScanFindings"] = json!({
            "imageScanCompletedAt": scanned.epoch_seconds(),
            "vulnerabilitySourceUpdatedAt": scanned.epoch_seconds(),
            "findingSeverityCounts": counts,
            "findings": findings,
        });
        answer["nextToken"] = json!(next);
    }
    Ok(present(answer))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::Service;
    use crate::service::operator::Operator;

    #[test]
    fn the_image_of_an_index_is_scanned_and_the_index_is_not() {
        let mut operator = Operator::under(&[]);
        let ids = json!({"repositoryName": "bp-backend", "imageIds": [{"imageTag": "php-latest"}]});
        let image = operator.call(Service::Ecr, "BatchGetImage", &ids)["images"][0].clone();
        let index: Value = serde_json::from_str(image["imageManifest"].as_str().unwrap()).unwrap();
        let ask =
            |digest: &Value| json!({"repositoryName": "bp-backend", "imageId": {"imageDigest": digest}});
        let found = operator.call(
            Service::Ecr,
            "DescribeImageScanFindings",
            &ask(&index["manifests"][0]["digest"]),
        );
        assert_eq!(found["imageScanStatus"]["status"], "COMPLETE");
        assert_eq!(found["imageScanFindings"]["findingSeverityCounts"]["HIGH"], 1);
        let refused = |operator: &mut Operator, digest: &Value| {
            operator
                .refused(Service::Ecr, "DescribeImageScanFindings", &ask(digest))
                .code
        };
        let whole = image["imageId"]["imageDigest"].clone();
        assert_eq!(refused(&mut operator, &whole), "ScanNotFoundException");
        let none = json!(format!("sha256:{}", "0".repeat(64)));
        assert_eq!(refused(&mut operator, &none), "ImageNotFoundException");
    }
}
