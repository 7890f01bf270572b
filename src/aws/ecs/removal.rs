//! What keeps a cluster from being deleted: its services and tasks.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::services::Service;
use super::tasks::Task;
use crate::aws::Aws;
use crate::aws::operation::ShowPermit;
use crate::aws::pages::Pages;
use crate::change::{Call, Later, Loss, Permit, Repeated, parameters};
use crate::error::{CtlError, Result, from_sdk};

/// Whether ECS says that there is no such cluster.
fn is_without_cluster(error: &CtlError) -> bool {
    let said = error.reply();
    said.is_some_and(|reply| reply.is("ClusterNotFoundException"))
}

impl Aws {
    /// Every service of a cluster; none when there is no such cluster.
    pub(crate) async fn services_of_cluster(&self, cluster: &str) -> Result<Vec<Service>> {
        let stream = self
            .ecs_client()
            .await?
            .list_services()
            .cluster(cluster)
            .max_results(100)
            .into_paginator()
            .send();
        let listed = Pages::new(format!("list the services of cluster {cluster}"), stream)
            .all()
            .await;
        match listed {
            Ok(arns) => self.services(cluster, &arns).await,
            Err(error) if is_without_cluster(&error) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Every task of a cluster that is to go on; none when there is no such cluster.
    pub(crate) async fn tasks_of_cluster(&self, cluster: &str) -> Result<Vec<Task>> {
        match self.running_tasks(cluster).await {
            Ok(arns) if arns.is_empty() => Ok(Vec::new()),
            Ok(arns) => self.tasks(cluster, &arns).await,
            Err(error) if is_without_cluster(&error) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }
}

/// Deletes a service with whatever runs of it: its tasks drain and stop (API Reference, DeleteService, `force`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DeleteService {
    pub(crate) cluster: String,
    pub(crate) service: Later,
    pub(crate) resource: String,
    pub(crate) loses: Option<Loss>,
}

impl Call for DeleteService {
    const SERVICE: &'static str = "ecs";
    const OPERATION: &'static str = "DeleteService";
    const REPEATED: Repeated = Repeated::Harmless;
    type Via = Aws;
    type Answer = ();

    fn parameters(&self) -> Map<String, Value> {
        parameters([
            ("cluster", self.cluster.as_str().into()),
            ("service", self.service.parameter()),
            ("force", true.into()),
        ])
    }

    fn resource(&self) -> String {
        self.resource.clone()
    }

    fn loses(&self) -> Option<Loss> {
        self.loses.clone()
    }

    async fn send(&self, aws: &Aws, permit: &Permit) -> Result<()> {
        let service = self.service.known()?;
        let answer = aws
            .ecs_client()
            .await?
            .delete_service()
            .cluster(&self.cluster)
            .service(service)
            .force(true)
            .customize()
            .interceptor(ShowPermit::new(permit))
            .send()
            .await;
        match answer {
            Ok(_) => Ok(()),
            Err(error) => {
                let gone = error
                    .as_service_error()
                    .is_some_and(|error| error.is_service_not_found_exception());
                match gone {
                    true => Ok(()),
                    false => Err(from_sdk(format!("delete service {service}"), &error)),
                }
            }
        }
    }
}
