//! Reads that tell how services have fared: records of rollouts, and the tasks of the last hour.

use aws_sdk_ecs::error::SdkError;
use aws_sdk_ecs::operation::list_service_deployments::{
    ListServiceDeploymentsError, ListServiceDeploymentsOutput,
};
use aws_sdk_ecs::types::{CreatedAt, DesiredStatus, ServiceDeploymentBrief};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use futures::future::try_join;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Task;
use crate::aws::pages::Tokens;
use crate::aws::{Aws, convert};
use crate::error::{ErrorKind, Required as _, Result, from_sdk};

/// ListTasks and ListServiceDeployments: at most 100 results per page (Amazon ECS API Reference).
const PAGE: i32 = 100;

/// Pages of a list that are read at most. ECS slows services down whose tasks fail again and again: a thousand tasks that
/// stopped within the hour are more than one platform has.
const PAGES: usize = 10;

const DEPLOYMENTS: &str = "ListServiceDeployments";

/// What was read of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listed<T> {
    pub(crate) found: Vec<T>,
    /// There are more that were not read.
    pub(crate) cut_off: bool,
}

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
        let answer = self
            .ecs_client()
            .await?
            .list_service_deployments()
            .cluster(cluster)
            .service(service)
            .send()
            .await;
        known(service, answer)?.map(deployments).transpose()
    }

    /// The rollouts of a service that began after `since`, up to a thousand of them; `None` when ECS does not know the
    /// service. "You can see the most recent 90-day history" (Amazon ECS Developer Guide, "Viewing service deployments").
    pub(crate) async fn service_deployments_since(
        &self,
        cluster: &str,
        service: &str,
        since: Timestamp,
    ) -> Result<Option<Listed<ServiceDeployment>>> {
        let after = CreatedAt::builder().after(convert::date_time(since)).build();
        let call = self
            .ecs_client()
            .await?
            .list_service_deployments()
            .cluster(cluster)
            .service(service)
            .created_at(after)
            .max_results(PAGE);
        let (mut tokens, mut token) = (Tokens::default(), None);
        let mut found = Vec::new();
        for _ in 0..PAGES {
            let answer = call.clone().set_next_token(token.take()).send().await;
            let Some(mut answer) = known(service, answer)? else {
                return Ok(None);
            };
            token = answer.next_token.take().filter(|token| !token.is_empty());
            found.extend(deployments(answer)?);
            match &token {
                Some(token) => tokens.note(&doing(service), token)?,
                None => break,
            }
        }
        let cut_off = token.is_some();
        Ok(Some(Listed { found, cut_off }))
    }

    /// Tasks of the whole cluster that stopped or are about to, up to a thousand of them, in no order. ECS keeps them for
    /// an hour.
    pub(crate) async fn stopped_tasks(&self, cluster: &str) -> Result<Listed<Task>> {
        let doing = format!("list the tasks of cluster {cluster}");
        let call = self
            .ecs_client()
            .await?
            .list_tasks()
            .cluster(cluster)
            .desired_status(DesiredStatus::Stopped)
            .max_results(PAGE);
        let (mut tokens, mut token) = (Tokens::default(), None);
        let mut arns = Vec::new();
        for _ in 0..PAGES {
            let answer = call.clone().set_next_token(token.take()).send().await;
            let answer = answer.map_err(|error| from_sdk(&doing, &error))?;
            token = answer.next_token.filter(|token| !token.is_empty());
            arns.extend(answer.task_arns.required("ListTasks", "taskArns")?);
            match &token {
                Some(token) => tokens.note(&doing, token)?,
                None => break,
            }
        }
        let cut_off = token.is_some();
        let found = self.tasks(cluster, &arns).await?;
        Ok(Listed { found, cut_off })
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

/// Fits "failed to …".
fn doing(service: &str) -> String {
    format!("list the deployments of service {service}")
}

/// The answer; `None` when ECS does not know the service.
fn known(
    service: &str,
    answer: Result<ListServiceDeploymentsOutput, SdkError<ListServiceDeploymentsError, HttpResponse>>,
) -> Result<Option<ListServiceDeploymentsOutput>> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) => {
            let error = from_sdk(doing(service), &error);
            match error.kind() {
                ErrorKind::NotFound => Ok(None),
                _ => Err(error),
            }
        }
    }
}

fn deployments(answer: ListServiceDeploymentsOutput) -> Result<Vec<ServiceDeployment>> {
    let deployments = answer
        .service_deployments
        .required(DEPLOYMENTS, "serviceDeployments")?;
    deployments.iter().map(deployment).collect()
}

fn deployment(brief: &ServiceDeploymentBrief) -> Result<ServiceDeployment> {
    Ok(ServiceDeployment {
        arn: brief
            .service_deployment_arn()
            .required(DEPLOYMENTS, "serviceDeploymentArn")?
            .to_owned(),
        revision: brief.target_service_revision_arn().map(str::to_owned),
        status: brief
            .status()
            .required(DEPLOYMENTS, "status")?
            .as_str()
            .to_owned(),
        reason: brief.status_reason().map(str::to_owned),
        created: convert::time(brief.created_at()),
        finished: convert::time(brief.finished_at()),
    })
}
