//! Application Auto Scaling: the bounds of the services' desired counts.

use std::collections::BTreeMap;

use aws_sdk_applicationautoscaling::types::{ScalableDimension, ServiceNamespace};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Aws;
use super::operation::ShowPermit;
use super::pages::Pages;
use crate::change::{Call, Permit, Repeated, parameters};
use crate::error::{Result, from_sdk};

const DIMENSION: ScalableDimension = ScalableDimension::EcsServiceDesiredCount;

/// The resource id of a service (RegisterScalableTarget, ResourceId).
fn resource_id(cluster: &str, service: &str) -> String {
    format!("service/{cluster}/{service}")
}

impl Aws {
    /// Minimum and maximum of these services of a cluster; those without service auto scaling are left out.
    pub(crate) async fn service_bounds(
        &self,
        cluster: &str,
        services: &[String],
    ) -> Result<BTreeMap<String, (i32, i32)>> {
        let ids = services.iter().map(|service| resource_id(cluster, service));
        let stream = self
            .application_autoscaling_client()
            .await?
            .describe_scalable_targets()
            .service_namespace(ServiceNamespace::Ecs)
            .scalable_dimension(DIMENSION)
            .set_resource_ids(Some(ids.collect()))
            .into_paginator()
            .send();
        let mut bounds = BTreeMap::new();
        for target in Pages::new("describe the auto scaling of the services", stream)
            .all()
            .await?
        {
            let is_its = |service: &&String| resource_id(cluster, service) == target.resource_id;
            if let Some(service) = services.iter().find(is_its) {
                bounds.insert(service.clone(), (target.min_capacity, target.max_capacity));
            }
        }
        Ok(bounds)
    }
}

/// Other bounds for a service that has service auto scaling; a desired count outside of them is moved inside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RegisterScalableTarget {
    pub(crate) cluster: String,
    pub(crate) service: String,
    pub(crate) min: i32,
    pub(crate) max: i32,
    /// What is changed, for locks, e.g. `ecs/bp-backend`.
    pub(crate) resource: String,
}

impl Call for RegisterScalableTarget {
    const SERVICE: &'static str = "application-autoscaling";
    const OPERATION: &'static str = "RegisterScalableTarget";
    const REPEATED: Repeated = Repeated::Harmless;
    type Via = Aws;
    /// The bounds as they are afterwards.
    type Answer = Option<(i32, i32)>;

    fn parameters(&self) -> Map<String, Value> {
        parameters([
            ("ServiceNamespace", "ecs".into()),
            ("ResourceId", resource_id(&self.cluster, &self.service).into()),
            ("ScalableDimension", DIMENSION.as_str().into()),
            ("MinCapacity", self.min.into()),
            ("MaxCapacity", self.max.into()),
        ])
    }

    fn resource(&self) -> String {
        self.resource.clone()
    }

    async fn send(&self, aws: &Aws, permit: &Permit) -> Result<Option<(i32, i32)>> {
        aws.application_autoscaling_client()
            .await?
            .register_scalable_target()
            .service_namespace(ServiceNamespace::Ecs)
            .resource_id(resource_id(&self.cluster, &self.service))
            .scalable_dimension(DIMENSION)
            .min_capacity(self.min)
            .max_capacity(self.max)
            .customize()
            .interceptor(ShowPermit::new(permit))
            .send()
            .await
            .map_err(|error| from_sdk(format!("set the bounds of service {}", self.service), &error))?;
        let bounds = aws
            .service_bounds(&self.cluster, std::slice::from_ref(&self.service))
            .await?;
        Ok(bounds.get(&self.service).copied())
    }
}
