//! Reads that tell how services have fared: records of rollouts, and the tasks of the last hour.

use aws_sdk_ecs::types::DesiredStatus;
use futures::future::try_join;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Task;
use crate::aws::{Aws, convert};
use crate::error::{ErrorKind, Required as _, Result, from_sdk};

/// ListTasks: at most 100 results per page (Amazon ECS API Reference).
const PAGE: i32 = 100;

/// The record of a rollout; it outlives the deployment, also one that was rolled back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ServiceDeployment {
    pub(crate) arn: String,
    /// ARN of the service revision that it brings; ends with the digits of the deployment's id.
    pub(crate) revision: Option<String>,
    /// `IN_PROGRESS`, `SUCCESSFUL`, `STOPPED`, `ROLLBACK_SUCCESSFUL`, `ROLLBACK_FAILED`, …
    pub(crate) status: String,
    pub(crate) reason: Option<String>,
    pub(crate) created: Option<Timestamp>,
    pub(crate) finished: Option<Timestamp>,
}

impl Aws {
    /// The newest 20 rollouts of a service, in the order of the answer; `None` when ECS does not know
    /// the service.
    pub(crate) async fn service_deployments(
        &self,
        cluster: &str,
        service: &str,
    ) -> Result<Option<Vec<ServiceDeployment>>> {
        const REQUEST: &str = "ListServiceDeployments";
        let answer = self
            .ecs_client()
            .await?
            .list_service_deployments()
            .cluster(cluster)
            .service(service)
            .send()
            .await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => {
                let error = from_sdk(format!("list the deployments of service {service}"), &error);
                return match error.kind() {
                    ErrorKind::NotFound => Ok(None),
                    _ => Err(error),
                };
            }
        };
        let deployments = answer
            .service_deployments
            .required(REQUEST, "serviceDeployments")?
            .iter()
            .map(|deployment| {
                Ok(ServiceDeployment {
                    arn: deployment
                        .service_deployment_arn()
                        .required(REQUEST, "serviceDeploymentArn")?
                        .to_owned(),
                    revision: deployment.target_service_revision_arn().map(str::to_owned),
                    status: deployment
                        .status()
                        .required(REQUEST, "status")?
                        .as_str()
                        .to_owned(),
                    reason: deployment.status_reason().map(str::to_owned),
                    created: convert::time(deployment.created_at()),
                    finished: convert::time(deployment.finished_at()),
                })
            })
            .collect::<Result<_>>()?;
        Ok(Some(deployments))
    }

    /// Tasks of the whole cluster: up to 100 that run and up to 100 that stopped within the last hour,
    /// for which ECS keeps them.
    pub(crate) async fn recent_tasks(&self, cluster: &str) -> Result<Vec<Task>> {
        let (mut running, stopped) = try_join(
            self.some_tasks(cluster, DesiredStatus::Running),
            self.some_tasks(cluster, DesiredStatus::Stopped),
        )
        .await?;
        running.extend(stopped);
        Ok(running)
    }

    async fn some_tasks(&self, cluster: &str, status: DesiredStatus) -> Result<Vec<Task>> {
        let answer = self
            .ecs_client()
            .await?
            .list_tasks()
            .cluster(cluster)
            .desired_status(status)
            .max_results(PAGE)
            .send()
            .await
            .map_err(|error| from_sdk(format!("list the tasks of cluster {cluster}"), &error))?;
        let arns = answer.task_arns.required("ListTasks", "taskArns")?;
        self.tasks(cluster, &arns).await
    }
}
