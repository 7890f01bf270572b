//! What was changed beside a stack since it was deployed (CloudFormation User Guide, "Detect unmanaged configuration
//! changes to stacks and resources with drift detection"). Looking for it changes nothing: IAM counts it as a read.

use aws_sdk_cloudformation::types::{StackDriftDetectionStatus, StackResourceDriftStatus};
use schemars::JsonSchema;
use serde::Serialize;

use super::super::Aws;
use super::super::pages::Pages;
use crate::error::{ErrorKind, Required as _, Result, from_sdk};

/// How far a detection is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Detection {
    Running,
    /// `IN_SYNC`, `DRIFTED` or `UNKNOWN`.
    Complete(String),
    /// It could not be done for some resources; what CloudFormation says of that.
    Failed(String),
}

/// A resource that is not as it was deployed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Drifted {
    /// Its name in the template.
    pub(crate) logical: String,
    /// Its name or id in the account.
    pub(crate) physical: Option<String>,
    /// E.g. `AWS::EC2::SecurityGroup`.
    pub(crate) kind: String,
    /// `MODIFIED` or `DELETED`.
    pub(crate) status: String,
    pub(crate) differences: Vec<Difference>,
}

/// A property that is not as it was deployed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Difference {
    /// E.g. `/SecurityGroupIngress/0`.
    pub(crate) path: String,
    /// `ADD`, `REMOVE` or `NOT_EQUAL`.
    pub(crate) kind: String,
    /// As deployed, in JSON.
    pub(crate) expected: String,
    /// As it is, in JSON.
    pub(crate) actual: String,
}

impl Aws {
    /// Begins to compare a stack with what it was deployed as, and returns the id of the detection. `None` when one is
    /// under way already: CloudFormation does not begin a second one.
    pub(crate) async fn detect_drift(&self, stack: &str) -> Result<Option<String>> {
        let answer = self
            .cloudformation_client()
            .await?
            .detect_stack_drift()
            .stack_name(stack)
            .send()
            .await;
        match answer {
            Ok(answer) => {
                let id = answer.stack_drift_detection_id();
                Ok(Some(
                    id.required("DetectStackDrift", "StackDriftDetectionId")?
                        .to_owned(),
                ))
            }
            Err(error) => {
                let error = from_sdk(format!("look for drift of stack `{stack}`"), &error);
                let running = error
                    .reply()
                    .is_some_and(|reply| reply.message.contains("already in progress"));
                match running || error.kind() == ErrorKind::Conflict {
                    true => Ok(None),
                    false => Err(error),
                }
            }
        }
    }

    /// How far a detection is.
    pub(crate) async fn drift_detection(&self, id: &str) -> Result<Detection> {
        const REQUEST: &str = "DescribeStackDriftDetectionStatus";
        let answer = self
            .cloudformation_client()
            .await?
            .describe_stack_drift_detection_status()
            .stack_drift_detection_id(id)
            .send()
            .await
            .map_err(|error| from_sdk("see how far the detection of drift is", &error))?;
        let status = answer.detection_status().required(REQUEST, "DetectionStatus")?;
        Ok(match status {
            StackDriftDetectionStatus::DetectionInProgress => Detection::Running,
            StackDriftDetectionStatus::DetectionComplete => {
                let status = answer.stack_drift_status();
                Detection::Complete(status.required(REQUEST, "StackDriftStatus")?.as_str().to_owned())
            }
            other => Detection::Failed(
                answer
                    .detection_status_reason()
                    .unwrap_or_else(|| other.as_str())
                    .to_owned(),
            ),
        })
    }

    /// The resources of a stack that the last detection found to differ.
    pub(crate) async fn drifted(&self, stack: &str) -> Result<Vec<Drifted>> {
        const REQUEST: &str = "DescribeStackResourceDrifts";
        let stream = self
            .cloudformation_client()
            .await?
            .describe_stack_resource_drifts()
            .stack_name(stack)
            .stack_resource_drift_status_filters(StackResourceDriftStatus::Modified)
            .stack_resource_drift_status_filters(StackResourceDriftStatus::Deleted)
            .into_paginator()
            .send();
        let found = Pages::new(format!("read the drift of stack `{stack}`"), stream)
            .all()
            .await?;
        found
            .iter()
            .map(|resource| {
                let status = resource.stack_resource_drift_status();
                Ok(Drifted {
                    logical: resource
                        .logical_resource_id()
                        .required(REQUEST, "LogicalResourceId")?
                        .to_owned(),
                    physical: resource.physical_resource_id().map(str::to_owned),
                    kind: resource.resource_type().unwrap_or_default().to_owned(),
                    status: status
                        .required(REQUEST, "StackResourceDriftStatus")?
                        .as_str()
                        .to_owned(),
                    differences: resource
                        .property_differences()
                        .iter()
                        .map(|difference| Difference {
                            path: difference.property_path().unwrap_or_default().to_owned(),
                            kind: difference
                                .difference_type()
                                .map(|kind| kind.as_str().to_owned())
                                .unwrap_or_default(),
                            expected: difference.expected_value().unwrap_or_default().to_owned(),
                            actual: difference.actual_value().unwrap_or_default().to_owned(),
                        })
                        .collect(),
                })
            })
            .collect()
    }
}
