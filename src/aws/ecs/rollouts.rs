//! Service deployments and service revisions, as ECS has them on record.

use aws_sdk_ecs::types::DesiredStatus;
use jiff::Timestamp;

use crate::aws::pages::Pages;
use crate::aws::{Aws, convert};
use crate::error::{Required as _, Result, from_sdk};

/// DescribeServiceDeployments and DescribeServiceRevisions: "You can specify a maximum of 20 ARNs" (Amazon ECS API
/// Reference).
const BATCH: usize = 20;

/// The whole record of a service deployment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RolloutRecord {
    pub(crate) arn: String,
    /// `PENDING`, `IN_PROGRESS`, `SUCCESSFUL`, `STOPPED`, `STOP_REQUESTED`, `ROLLBACK_REQUESTED`, …
    pub(crate) status: String,
    pub(crate) reason: Option<String>,
    /// ARN of the revision that it brings; ends with the digits of the deployment's id.
    pub(crate) revision: Option<String>,
    /// Failed tasks that the circuit breaker has counted, and at how many it breaks.
    pub(crate) failures: Option<(i32, i32)>,
    pub(crate) rollback_reason: Option<String>,
    pub(crate) created: Option<Timestamp>,
    pub(crate) finished: Option<Timestamp>,
}

/// A service revision: what a deployment brings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ServiceRevision {
    pub(crate) arn: String,
    pub(crate) task_definition: String,
    /// Container, image as the task definition names it, digest once ECS has resolved it.
    pub(crate) images: Vec<RevisionImage>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RevisionImage {
    pub(crate) container: String,
    pub(crate) image: String,
    pub(crate) digest: Option<String>,
}

impl Aws {
    /// The records of service deployments; those that ECS does not know (any more) are left out.
    pub(crate) async fn rollout_records(&self, arns: &[String]) -> Result<Vec<RolloutRecord>> {
        const REQUEST: &str = "DescribeServiceDeployments";
        let client = self.ecs_client().await?;
        let mut records = Vec::with_capacity(arns.len());
        for batch in arns.chunks(BATCH) {
            let answer = client
                .describe_service_deployments()
                .set_service_deployment_arns(Some(batch.to_vec()))
                .send()
                .await
                .map_err(|error| from_sdk("describe the service deployments", &error))?;
            for record in answer
                .service_deployments
                .required(REQUEST, "serviceDeployments")?
            {
                let breaker = record.deployment_circuit_breaker();
                records.push(RolloutRecord {
                    arn: record
                        .service_deployment_arn()
                        .required(REQUEST, "serviceDeploymentArn")?
                        .to_owned(),
                    status: record.status().required(REQUEST, "status")?.as_str().to_owned(),
                    reason: record.status_reason().map(str::to_owned),
                    revision: record
                        .target_service_revision()
                        .and_then(|revision| revision.arn().map(str::to_owned)),
                    failures: breaker.map(|breaker| (breaker.failure_count(), breaker.threshold())),
                    rollback_reason: record
                        .rollback()
                        .and_then(|rollback| rollback.reason().map(str::to_owned)),
                    created: convert::time(record.created_at()),
                    finished: convert::time(record.finished_at()),
                });
            }
        }
        Ok(records)
    }

    /// Service revisions; those that ECS does not know are left out ("You can't describe a service revision that was
    /// created before October 25, 2024").
    pub(crate) async fn service_revisions(&self, arns: &[String]) -> Result<Vec<ServiceRevision>> {
        const REQUEST: &str = "DescribeServiceRevisions";
        let client = self.ecs_client().await?;
        let mut revisions = Vec::with_capacity(arns.len());
        for batch in arns.chunks(BATCH) {
            let answer = client
                .describe_service_revisions()
                .set_service_revision_arns(Some(batch.to_vec()))
                .send()
                .await
                .map_err(|error| from_sdk("describe the service revisions", &error))?;
            for revision in answer.service_revisions.required(REQUEST, "serviceRevisions")? {
                let image = |image: &aws_sdk_ecs::types::ContainerImage| RevisionImage {
                    container: image.container_name().unwrap_or_default().to_owned(),
                    image: image.image().unwrap_or_default().to_owned(),
                    digest: image.image_digest().map(str::to_owned),
                };
                revisions.push(ServiceRevision {
                    arn: revision
                        .service_revision_arn()
                        .required(REQUEST, "serviceRevisionArn")?
                        .to_owned(),
                    task_definition: revision
                        .task_definition()
                        .required(REQUEST, "taskDefinition")?
                        .to_owned(),
                    images: revision.container_images().iter().map(image).collect(),
                });
            }
        }
        Ok(revisions)
    }

    /// ARNs of the tasks of a deployment that stopped within the last hour, or are being stopped.
    pub(crate) async fn stopped_tasks_of(&self, cluster: &str, deployment: &str) -> Result<Vec<String>> {
        let stream = self
            .ecs_client()
            .await?
            .list_tasks()
            .cluster(cluster)
            .started_by(deployment)
            .desired_status(DesiredStatus::Stopped)
            .into_paginator()
            .send();
        Pages::new(format!("list the stopped tasks of {deployment}"), stream)
            .all()
            .await
    }
}
