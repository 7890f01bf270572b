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

/// A load balancer, as far as it is paid for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Balancer {
    pub(crate) arn: String,
    pub(crate) name: String,
    pub(crate) dns: Option<String>,
    /// `application`, `network` or `gateway`.
    pub(crate) kind: String,
    /// Zones in which it has an address.
    pub(crate) zones: usize,
    pub(crate) internet_facing: bool,
}

/// A listener of a load balancer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listener {
    pub(crate) port: i32,
    /// ARNs of the certificates that it shows.
    pub(crate) certificates: Vec<String>,
}

impl Aws {
    /// The ARN of the load balancer that has this name in DNS; `None` when there is none.
    pub(crate) async fn balancer_named(&self, dns: &str) -> Result<Option<String>> {
        let stream = self
            .elb_client()
            .await?
            .describe_load_balancers()
            .into_paginator()
            .send();
        let found = Pages::new("describe the load balancers", stream).all().await?;
        let found = found
            .into_iter()
            .find(|one| one.dns_name().is_some_and(|name| name.eq_ignore_ascii_case(dns)));
        Ok(found.and_then(|one| one.load_balancer_arn))
    }

    /// The load balancers of this region.
    pub(crate) async fn balancers(&self) -> Result<Vec<Balancer>> {
        const REQUEST: &str = "DescribeLoadBalancers";
        let stream = self
            .elb_client()
            .await?
            .describe_load_balancers()
            .into_paginator()
            .send();
        let found = Pages::new("describe the load balancers", stream).all().await?;
        let convert = |one: &aws_sdk_elasticloadbalancingv2::types::LoadBalancer| {
            Ok(Balancer {
                arn: one
                    .load_balancer_arn()
                    .required(REQUEST, "LoadBalancerArn")?
                    .to_owned(),
                name: one
                    .load_balancer_name()
                    .required(REQUEST, "LoadBalancerName")?
                    .to_owned(),
                dns: one.dns_name().map(str::to_owned),
                kind: one.r#type().required(REQUEST, "Type")?.as_str().to_owned(),
                zones: one.availability_zones().len(),
                internet_facing: one
                    .scheme()
                    .is_some_and(|scheme| scheme.as_str() == "internet-facing"),
            })
        };
        found.iter().map(convert).collect()
    }

    /// Every listener of a load balancer, by ARN.
    pub(crate) async fn listeners(&self, balancer: &str) -> Result<Vec<Listener>> {
        let stream = self
            .elb_client()
            .await?
            .describe_listeners()
            .load_balancer_arn(balancer)
            .into_paginator()
            .send();
        let listeners = Pages::new("describe the listeners", stream).all().await?;
        let convert = |one: aws_sdk_elasticloadbalancingv2::types::Listener| {
            let certificates = one.certificates().iter();
            Ok(Listener {
                port: one.port().required("DescribeListeners", "Port")?,
                certificates: certificates
                    .filter_map(|certificate| certificate.certificate_arn().map(str::to_owned))
                    .collect(),
            })
        };
        listeners.into_iter().map(convert).collect()
    }

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
