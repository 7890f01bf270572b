//! The desired count of a service.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::services::{Service, convert_service};
use crate::aws::Aws;
use crate::aws::operation::ShowPermit;
use crate::change::{Call, Permit, Repeated, parameters};
use crate::error::{Required as _, Result, from_sdk};

/// Another number of tasks for a service; its task definition and its deployment stay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ScaleService {
    pub(crate) cluster: String,
    pub(crate) service: String,
    pub(crate) desired: i32,
    /// What is changed, for locks, e.g. `ecs/bp-backend`.
    pub(crate) resource: String,
}

impl Call for ScaleService {
    const SERVICE: &'static str = "ecs";
    const OPERATION: &'static str = "UpdateService";
    const REPEATED: Repeated = Repeated::Harmless;
    type Via = Aws;
    /// The service as it is afterwards.
    type Answer = Service;

    fn parameters(&self) -> Map<String, Value> {
        parameters([
            ("cluster", self.cluster.as_str().into()),
            ("service", self.service.as_str().into()),
            ("desiredCount", self.desired.into()),
        ])
    }

    fn resource(&self) -> String {
        self.resource.clone()
    }

    async fn send(&self, aws: &Aws, permit: &Permit) -> Result<Service> {
        let doing = || format!("set the desired count of service {}", self.service);
        let answer = aws
            .ecs_client()
            .await?
            .update_service()
            .cluster(&self.cluster)
            .service(&self.service)
            .desired_count(self.desired)
            .customize()
            .interceptor(ShowPermit::new(permit))
            .send()
            .await
            .map_err(|error| from_sdk(doing(), &error))?;
        convert_service(answer.service().required(Self::OPERATION, "service")?)
    }
}
