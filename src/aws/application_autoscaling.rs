//! Application Auto Scaling: the bounds of the services' desired counts.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use aws_sdk_applicationautoscaling::types::{ScalableDimension, ServiceNamespace};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::AfterDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Aws;
use super::operation::ShowPermit;
use super::pages::Tokens;
use crate::change::{Call, Permit, Repeated, parameters};
use crate::error::{CommandLine, CtlError, Required as _, Result, from_sdk};

const DIMENSION: ScalableDimension = ScalableDimension::EcsServiceDesiredCount;

/// The resource id of a service (RegisterScalableTarget, ResourceId).
fn resource_id(cluster: &str, service: &str) -> String {
    format!("service/{cluster}/{service}")
}

impl Aws {
    /// Minimum and maximum of these services of a cluster; those without service auto scaling are left out.
    ///
    /// # Errors
    /// When AWS does not answer, or leaves a minimum or a maximum out: the SDK would take that for a 0.
    pub(crate) async fn service_bounds(
        &self,
        cluster: &str,
        services: &[String],
    ) -> Result<BTreeMap<String, (i32, i32)>> {
        const DOING: &str = "describe the auto scaling of the services";
        let ids: Vec<String> = services
            .iter()
            .map(|service| resource_id(cluster, service))
            .collect();
        let client = self.application_autoscaling_client().await?;
        let mut bounds = BTreeMap::new();
        let mut tokens = Tokens::default();
        let mut token = None;
        loop {
            let members = Members::default();
            let answer = client
                .describe_scalable_targets()
                .service_namespace(ServiceNamespace::Ecs)
                .scalable_dimension(DIMENSION)
                .set_resource_ids(Some(ids.clone()))
                .set_next_token(token)
                .customize()
                .interceptor(members.clone())
                .send()
                .await
                .map_err(|error| from_sdk(DOING, &error))?;
            members.all_there()?;
            let targets = answer
                .scalable_targets
                .required("DescribeScalableTargets", "ScalableTargets")?;
            for target in targets {
                let is_its = |service: &&String| resource_id(cluster, service) == target.resource_id;
                if let Some(service) = services.iter().find(is_its) {
                    bounds.insert(service.clone(), (target.min_capacity, target.max_capacity));
                }
            }
            token = answer.next_token.filter(|token| !token.is_empty());
            match &token {
                Some(token) => tokens.note(DOING, token)?,
                None => return Ok(bounds),
            }
        }
    }
}

/// Looks for members that an answer leaves out: the SDK's type has a 0 in their place.
#[derive(Clone, Debug, Default)]
struct Members {
    missing: Arc<Mutex<Option<String>>>,
}

impl Members {
    /// # Errors
    /// When an answer left a member out.
    fn all_there(&self) -> Result<()> {
        let missing = self.missing.lock().ok().and_then(|missing| missing.clone());
        missing.map_or(Ok(()), |missing| {
            let look = CommandLine::aws("application-autoscaling", "describe-scalable-targets")
                .option("--service-namespace", "ecs");
            Err(
                CtlError::missing_in_response("DescribeScalableTargets", &missing).hint((
                    "the bounds are not known, and bpctl takes no guess for them; look with",
                    look,
                )),
            )
        })
    }
}

#[dyn_dispatch_hint]
impl Intercept for Members {
    fn name(&self) -> &'static str {
        "Members"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> std::result::Result<(), BoxError> {
        let response = context.response();
        if let (true, Some(body)) = (response.status().is_success(), response.body().bytes())
            && let Ok(mut missing) = self.missing.lock()
        {
            *missing = left_out(body);
        }
        Ok(())
    }
}

/// The first bound that an answer leaves out.
fn left_out(body: &[u8]) -> Option<String> {
    let answer: Value = serde_json::from_slice(body).ok()?;
    let targets = answer.get("ScalableTargets")?.as_array()?;
    let mut missing = targets.iter().flat_map(|target| {
        let missing = ["MinCapacity", "MaxCapacity"].into_iter();
        missing
            .filter(|member| target.get(*member).and_then(Value::as_i64).is_none())
            .map(|member| format!("{member} of {}", target.get("ResourceId").unwrap_or(&Value::Null)))
    });
    missing.next()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_that_is_left_out_is_no_zero() {
        let answer = |target: &str| format!(r#"{{"ScalableTargets": [{target}]}}"#);
        let whole = r#"{"ResourceId": "service/bp/a", "MinCapacity": 0, "MaxCapacity": 4}"#;
        assert_eq!(left_out(answer(whole).as_bytes()), None);
        assert_eq!(left_out(answer("").as_bytes()), None);
        for (member, left) in [
            ("MinCapacity", r#""MaxCapacity": 4"#),
            ("MaxCapacity", r#""MinCapacity": null, "MaxCapacity": "4""#),
        ] {
            let target = format!(r#"{{"ResourceId": "service/bp/a", {left}}}"#);
            let missing = left_out(answer(&target).as_bytes()).unwrap_or_default();
            assert!(missing.ends_with(r#" of "service/bp/a""#), "{member}: {missing}");
        }
    }
}
