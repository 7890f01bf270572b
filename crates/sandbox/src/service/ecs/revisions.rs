//! Service revisions: what a deployment brings, with the digests that its tags meant.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::rollout::revision_arn;
use super::service::{Deployment, Provider, Service};
use super::{check_length, cluster_arn, invalid};
use crate::error::OpResult;
use crate::service::member::{present, texts};
use crate::time::SimTime;
use crate::world::World;

/// One revision of a service ("Amazon ECS service revisions"); it never changes, but for the digests, which are known
/// once its first task was started ("Container image resolution").
#[derive(Clone, Debug)]
pub(super) struct Revision {
    number: String,
    definition: usize,
    created: SimTime,
    strategy: Vec<Provider>,
    network: (Vec<String>, Vec<String>),
    /// The digest of each container's image, by position.
    pub(super) images: BTreeMap<usize, String>,
}

impl Revision {
    pub(super) fn new(service: &Service, deployment: &Deployment) -> Self {
        Self {
            number: deployment.number().to_owned(),
            definition: deployment.definition,
            created: deployment.created,
            strategy: service.strategy.clone(),
            network: (service.subnets.clone(), service.security_groups.clone()),
            images: BTreeMap::new(),
        }
    }

    pub(super) fn is_of(&self, deployment: &str) -> bool {
        deployment.strip_prefix("ecs-svc/") == Some(&self.number)
    }
}

pub(super) fn describe(world: &World, input: &Value) -> OpResult {
    check_length(input, "serviceRevisionArns", "Service revision ARNs", 20)?;
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for asked in texts(input, "serviceRevisionArns") {
        if !asked.contains(":service-revision/") {
            return Err(invalid(format!("Invalid identifier: {asked}")));
        }
        let known = world.services.ecs.services.iter().find_map(|service| {
            let of_it = |revision: &&Revision| revision_arn(world, service, &revision.number) == asked;
            let revision = service.revisions.iter().find(of_it)?;
            Some(described(world, service, revision))
        });
        match known {
            Some(known) => found.push(known),
            None => failures.push(json!({"arn": asked, "reason": "MISSING"})),
        }
    }
    Ok(json!({"serviceRevisions": found, "failures": failures}))
}

fn described(world: &World, service: &Service, revision: &Revision) -> Value {
    let definition = &world.services.ecs.definitions[revision.definition];
    let images: Vec<Value> = definition
        .containers
        .iter()
        .enumerate()
        .map(|(position, container)| {
            json!({
                "containerName": container.name,
                "image": container.image,
                "imageDigest": revision.images.get(&position),
            })
        })
        .collect();
    let strategy: Vec<Value> = revision
        .strategy
        .iter()
        .map(|provider| {
            json!({
                "capacityProvider": provider.name,
                "weight": provider.weight,
                "base": provider.base,
            })
        })
        .collect();
    present(json!({
        "serviceRevisionArn": revision_arn(world, service, &revision.number),
        "serviceArn": service.arn(world),
        "clusterArn": cluster_arn(world),
        "taskDefinition": definition.arn(world),
        "capacityProviderStrategy": strategy,
        "platformVersion": "1.4.0",
        "platformFamily": "Linux",
        "loadBalancers": [{
            "targetGroupArn": service.load_balancer.target_group,
            "containerName": service.load_balancer.container,
            "containerPort": service.load_balancer.port,
        }],
        "networkConfiguration": {"awsvpcConfiguration": {
            "subnets": revision.network.0,
            "securityGroups": revision.network.1,
            "assignPublicIp": "DISABLED",
        }},
        "containerImages": images,
        "guardDutyEnabled": false,
        "createdAt": revision.created.epoch_seconds(),
    }))
}
