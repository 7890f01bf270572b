//! What scans have found in images.

use std::collections::BTreeMap;

use aws_sdk_ecr::types::{ImageIdentifier, ScanStatus};

use crate::aws::Aws;
use crate::error::{ErrorKind, Result, from_sdk};

/// DescribeImageScanFindings: only the counts are wanted, which every page has.
const FINDINGS: i32 = 1;

/// What is known of a scan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Scan {
    /// Findings by severity, as ECR spells it.
    Found(BTreeMap<String, i32>),
    /// There is no result: not scanned, under way, of a kind that is not scanned; in ECR's words.
    Without(String),
}

impl Aws {
    /// What the scan of an image has found. An index is not scanned: ask for the image in it.
    pub(crate) async fn scan(&self, repository: &str, digest: &str) -> Result<Scan> {
        let answer = self
            .ecr_client()
            .await?
            .describe_image_scan_findings()
            .repository_name(repository)
            .image_id(ImageIdentifier::builder().image_digest(digest).build())
            .max_results(FINDINGS)
            .send()
            .await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => {
                let error = from_sdk(format!("read the scan of an image of `{repository}`"), &error);
                return match error.kind() {
                    ErrorKind::NotFound => Ok(Scan::Without("not scanned".to_owned())),
                    _ => Err(error),
                };
            }
        };
        let status = answer.image_scan_status().and_then(|status| status.status());
        let counts = answer
            .image_scan_findings()
            .and_then(|findings| findings.finding_severity_counts());
        // `ACTIVE`: enhanced scanning goes on for as long as the image is there, and has findings all the while.
        match (status, counts) {
            (Some(ScanStatus::Complete | ScanStatus::Active), counts) => Ok(Scan::Found(
                counts
                    .into_iter()
                    .flatten()
                    .map(|(severity, count)| (severity.as_str().to_owned(), *count))
                    .collect(),
            )),
            (status, _) => Ok(Scan::Without(status.map_or_else(
                || "no result".to_owned(),
                |status| status.as_str().to_lowercase().replace('_', " "),
            ))),
        }
    }
}
