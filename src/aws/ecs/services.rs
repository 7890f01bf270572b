//! Services: what runs permanently, and how.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use aws_sdk_ecs::types::ServiceField;
use jiff::Timestamp;

use super::run::Network;
use crate::aws::{Aws, convert};
use crate::error::{Required as _, Result, from_sdk};

/// DescribeServices takes at most 10 names (Amazon ECS API Reference).
const BATCH: usize = 10;

const REQUEST: &str = "DescribeServices";

/// A service (ECS Service), as far as bpctl cares.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Service {
    pub(crate) name: String,
    /// `ACTIVE`, `DRAINING` or `INACTIVE`.
    pub(crate) status: String,
    pub(crate) desired: i32,
    pub(crate) running: i32,
    pub(crate) pending: i32,
    /// ARN of the task definition of the primary deployment.
    pub(crate) task_definition: String,
    pub(crate) platform_version: Option<String>,
    pub(crate) execute_command: bool,
    /// Absent for services that are not in `awsvpc` mode.
    pub(crate) network: Option<Network>,
    /// The primary deployment first.
    pub(crate) deployments: Vec<Deployment>,
    /// The newest first, at most 100.
    pub(crate) events: Vec<Event>,
    /// ARNs of the target groups that its tasks register with.
    pub(crate) target_groups: Vec<String>,
    /// Names of the capacity providers that it may place tasks on; empty for a launch type.
    pub(crate) providers: Vec<String>,
    pub(crate) rules: RolloutRules,
    /// ARN of the service deployment that is under way.
    pub(crate) service_deployment: Option<String>,
    /// ARNs of the service revisions that have tasks.
    pub(crate) revisions: Vec<String>,
    /// Empty unless they were asked for.
    pub(crate) tags: BTreeMap<String, String>,
}

/// How deployments of a service go (ECS DeploymentConfiguration).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RolloutRules {
    /// Percent of the desired count.
    pub(crate) minimum_healthy: Option<i32>,
    pub(crate) maximum: Option<i32>,
    /// The circuit breaker is on.
    pub(crate) breaker: bool,
    /// It rolls back.
    pub(crate) rollback: bool,
    /// `ECS` unless CodeDeploy or something else deploys.
    pub(crate) controller: Option<String>,
}

/// Something that happened to a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Event {
    pub(crate) at: Timestamp,
    pub(crate) message: String,
}

/// A deployment of a service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Deployment {
    /// `ecs-svc/<digits>`.
    pub(crate) id: String,
    /// `PRIMARY`, `ACTIVE` or `INACTIVE`.
    pub(crate) status: String,
    /// `IN_PROGRESS`, `COMPLETED` or `FAILED`; absent without the ECS deployment controller.
    pub(crate) rollout_state: Option<String>,
    pub(crate) rollout_reason: Option<String>,
    /// ARN of the task definition that it brings.
    pub(crate) task_definition: String,
    pub(crate) desired: i32,
    pub(crate) running: i32,
    pub(crate) pending: i32,
    /// Consecutive tasks that did not reach RUNNING or failed their health checks.
    pub(crate) failed: i32,
    pub(crate) created: Option<Timestamp>,
}

impl Deployment {
    /// Whether ECS is bringing the service to it.
    pub(crate) fn is_primary(&self) -> bool {
        self.status == "PRIMARY"
    }
}

impl Service {
    /// The deployment that ECS is bringing the service to.
    pub(crate) fn primary(&self) -> Option<&Deployment> {
        self.deployments.iter().find(|deployment| deployment.is_primary())
    }
}

impl Aws {
    /// The services of `cluster` with these names; names that ECS does not know are left out.
    pub(crate) async fn services(&self, cluster: &str, names: &[String]) -> Result<Vec<Service>> {
        self.describe_services(cluster, names, None).await
    }

    /// The same with their tags.
    pub(crate) async fn services_with_tags(&self, cluster: &str, names: &[String]) -> Result<Vec<Service>> {
        self.describe_services(cluster, names, Some(vec![ServiceField::Tags]))
            .await
    }

    async fn describe_services(
        &self,
        cluster: &str,
        names: &[String],
        include: Option<Vec<ServiceField>>,
    ) -> Result<Vec<Service>> {
        let client = self.ecs_client().await?;
        let mut services = Vec::with_capacity(names.len());
        for batch in names.chunks(BATCH) {
            let answer = client
                .describe_services()
                .cluster(cluster)
                .set_services(Some(batch.to_vec()))
                .set_include(include.clone())
                .send()
                .await
                .map_err(|error| {
                    from_sdk(
                        format!("describe service {} in cluster {cluster}", batch.join(", ")),
                        &error,
                    )
                })?;
            for service in answer.services.required(REQUEST, "services")? {
                services.push(convert_service(&service)?);
            }
        }
        Ok(services)
    }

    /// The service of `cluster` with this name.
    pub(crate) async fn service(&self, cluster: &str, name: &str) -> Result<Option<Service>> {
        Ok(self.services(cluster, &[name.to_owned()]).await?.pop())
    }
}

pub(super) fn convert_service(service: &aws_sdk_ecs::types::Service) -> Result<Service> {
    Ok(Service {
        name: service
            .service_name()
            .required(REQUEST, "serviceName")?
            .to_owned(),
        status: service.status().required(REQUEST, "status")?.to_owned(),
        desired: service.desired_count(),
        running: service.running_count(),
        pending: service.pending_count(),
        task_definition: service
            .task_definition()
            .required(REQUEST, "taskDefinition")?
            .to_owned(),
        platform_version: service.platform_version().and_then(super::tasks::said),
        execute_command: service.enable_execute_command(),
        network: service
            .network_configuration()
            .and_then(|network| network.awsvpc_configuration())
            .map(Network::from_sdk),
        deployments: service
            .deployments()
            .iter()
            .map(|deployment| Deployment {
                id: deployment.id().unwrap_or_default().to_owned(),
                status: deployment.status().unwrap_or_default().to_owned(),
                rollout_state: deployment.rollout_state().map(|state| state.as_str().to_owned()),
                rollout_reason: deployment.rollout_state_reason().map(str::to_owned),
                task_definition: deployment.task_definition().unwrap_or_default().to_owned(),
                desired: deployment.desired_count(),
                running: deployment.running_count(),
                pending: deployment.pending_count(),
                failed: deployment.failed_tasks(),
                created: convert::time(deployment.created_at()),
            })
            .collect(),
        events: service
            .events()
            .iter()
            .filter_map(|event| {
                Some(Event {
                    at: convert::time(event.created_at())?,
                    message: event.message()?.to_owned(),
                })
            })
            .collect(),
        target_groups: service
            .load_balancers()
            .iter()
            .filter_map(|balancer| balancer.target_group_arn().map(str::to_owned))
            .collect(),
        providers: service
            .capacity_provider_strategy()
            .iter()
            .map(|item| item.capacity_provider().to_owned())
            .collect(),
        rules: rules(service),
        service_deployment: service.current_service_deployment().map(str::to_owned),
        revisions: service
            .current_service_revisions()
            .iter()
            .filter_map(|revision| revision.arn().map(str::to_owned))
            .collect(),
        tags: service
            .tags()
            .iter()
            .filter_map(|tag| Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned())))
            .collect(),
    })
}

fn rules(service: &aws_sdk_ecs::types::Service) -> RolloutRules {
    let configuration = service.deployment_configuration();
    let breaker = configuration.and_then(|rules| rules.deployment_circuit_breaker());
    RolloutRules {
        minimum_healthy: configuration.and_then(|rules| rules.minimum_healthy_percent()),
        maximum: configuration.and_then(|rules| rules.maximum_percent()),
        breaker: breaker.is_some_and(|breaker| breaker.enable()),
        rollback: breaker.is_some_and(|breaker| breaker.rollback()),
        controller: service
            .deployment_controller()
            .map(|controller| controller.r#type().as_str().to_owned()),
    }
}
