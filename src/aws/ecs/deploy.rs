//! Starting and stopping deployments of services.

use aws_sdk_ecs::types::StopServiceDeploymentStopType;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::services::{Service, convert_service};
use crate::aws::Aws;
use crate::aws::once::UnlessUnknown;
use crate::aws::operation::ShowPermit;
use crate::change::{Call, Later, Permit, Repeated, parameters};
use crate::error::{Required as _, Result, from_sdk};

/// A new deployment of a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct UpdateService {
    pub(crate) cluster: String,
    pub(crate) service: String,
    /// ARN of the task definition.
    pub(crate) definition: Later,
    pub(crate) resource: String,
}

impl Call for UpdateService {
    const SERVICE: &'static str = "ecs";
    const OPERATION: &'static str = "UpdateService";
    /// With `forceNewDeployment` every request starts a deployment, which takes the place of the one before.
    const REPEATED: Repeated = Repeated::Twice;
    type Via = Aws;
    /// The service with the deployment that was started.
    type Answer = Service;

    fn parameters(&self) -> Map<String, Value> {
        parameters([
            ("cluster", self.cluster.as_str().into()),
            ("service", self.service.as_str().into()),
            ("taskDefinition", self.definition.parameter()),
            ("forceNewDeployment", true.into()),
        ])
    }

    fn resource(&self) -> String {
        self.resource.clone()
    }

    async fn send(&self, aws: &Aws, permit: &Permit) -> Result<Service> {
        let answer = aws
            .ecs_client()
            .await?
            .update_service()
            .cluster(&self.cluster)
            .service(&self.service)
            .task_definition(self.definition.known()?)
            .force_new_deployment(true)
            .customize()
            .config_override(aws_sdk_ecs::config::Builder::new().retry_classifier(UnlessUnknown))
            .interceptor(ShowPermit::new(permit))
            .send()
            .await
            .map_err(|error| from_sdk(format!("deploy service {}", self.service), &error))?;
        convert_service(answer.service().required(Self::OPERATION, "service")?)
    }
}

/// The end of a deployment that is under way: ECS goes back to the service revision before, also where the circuit
/// breaker is off (Amazon ECS API Reference, StopServiceDeployment).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StopServiceDeployment {
    /// ARN of the service deployment.
    pub(crate) deployment: Later,
    pub(crate) resource: String,
}

impl Call for StopServiceDeployment {
    const SERVICE: &'static str = "ecs";
    const OPERATION: &'static str = "StopServiceDeployment";
    /// "The service deployment continues the rollback operation" (ECS Developer Guide, "Stopping Amazon ECS service
    /// deployments").
    const REPEATED: Repeated = Repeated::Harmless;
    type Via = Aws;
    type Answer = ();

    fn parameters(&self) -> Map<String, Value> {
        parameters([
            ("serviceDeploymentArn", self.deployment.parameter()),
            ("stopType", "ROLLBACK".into()),
        ])
    }

    fn resource(&self) -> String {
        self.resource.clone()
    }

    async fn send(&self, aws: &Aws, permit: &Permit) -> Result<()> {
        let deployment = self.deployment.known()?;
        aws.ecs_client()
            .await?
            .stop_service_deployment()
            .service_deployment_arn(deployment)
            .stop_type(StopServiceDeploymentStopType::Rollback)
            .customize()
            .interceptor(ShowPermit::new(permit))
            .send()
            .await
            .map_err(|error| {
                from_sdk(
                    format!("stop service deployment {}", super::short(deployment)),
                    &error,
                )
            })?;
        Ok(())
    }
}
