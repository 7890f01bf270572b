//! Elastic Load Balancing: the health of targets, and which load balancer stands in front of them.

use super::Aws;
use super::pages::Pages;
use crate::error::{Required as _, Result, from_sdk};
use serde::{Deserialize, Serialize};

/// A target of a target group and what the load balancer thinks of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TargetHealth {
    /// An IP address for Fargate tasks.
    pub(crate) id: String,
    /// Absent where the load balancer does not tell.
    pub(crate) zone: Option<String>,
    /// `healthy`, `unhealthy`, `initial`, `draining`, `unused` or `unavailable`.
    pub(crate) state: String,
    /// E.g. `Target.ResponseCodeMismatch`; absent for healthy targets.
    pub(crate) reason: Option<String>,
    pub(crate) description: Option<String>,
}

impl Aws {
    /// Every target of a target group.
    pub(crate) async fn target_health(&self, group: &str) -> Result<Vec<TargetHealth>> {
        const REQUEST: &str = "DescribeTargetHealth";
        let answer = self
            .elb_client()
            .await?
            .describe_target_health()
            .target_group_arn(group)
            .send()
            .await
            .map_err(|error| from_sdk(format!("read the health of the targets of `{group}`"), &error))?;
        answer
            .target_health_descriptions
            .required(REQUEST, "TargetHealthDescriptions")?
            .iter()
            .map(|description| {
                let target = description.target().required(REQUEST, "Target")?;
                let health = description.target_health().required(REQUEST, "TargetHealth")?;
                Ok(TargetHealth {
                    id: target.id().required(REQUEST, "Target.Id")?.to_owned(),
                    zone: target.availability_zone().map(str::to_owned),
                    state: health
                        .state()
                        .required(REQUEST, "TargetHealth.State")?
                        .as_str()
                        .to_owned(),
                    reason: health.reason().map(|reason| reason.as_str().to_owned()),
                    description: health.description().map(str::to_owned),
                })
            })
            .collect()
    }

    /// ARNs of the load balancers in front of these target groups, each once.
    pub(crate) async fn balancers_of(&self, groups: &[String]) -> Result<Vec<String>> {
        let stream = self
            .elb_client()
            .await?
            .describe_target_groups()
            .set_target_group_arns(Some(groups.to_vec()))
            .into_paginator()
            .send();
        let mut balancers: Vec<String> = Vec::new();
        for group in Pages::new("describe the target groups", stream).all().await? {
            balancers.extend_from_slice(group.load_balancer_arns());
        }
        balancers.sort();
        balancers.dedup();
        Ok(balancers)
    }
}
