//! ElastiCache: the platform's Redis, one node that is in no replication group.

use serde_json::{Value, json};

use crate::error::{ApiError, OpResult};
use crate::service::cloudformation;
use crate::service::member::{flag, present, text};
use crate::service::table::operations;
use crate::world::World;

operations! {
    Read DescribeCacheClusters => describe_cache_clusters,
    Read DescribeReplicationGroups => describe_replication_groups,
}

fn describe_cache_clusters(world: &World, input: &Value) -> OpResult {
    let (region, account) = (&world.options.region, &world.options.account_id);
    let nodes = flag(input, "ShowCacheNodeInfo") == Some(true);
    let wanted = text(input, "CacheClusterId");
    let clusters: Vec<Value> = cloudformation::resources(world)
        .filter(|(_, made)| made.kind == "AWS::ElastiCache::CacheCluster")
        .filter(|(_, made)| wanted.is_none_or(|wanted| wanted == made.physical))
        .map(|(stack, made)| {
            let properties = &made.properties;
            let created = cloudformation::deployed(world, stack).unwrap_or(world.options.start);
            let node = json!({
                "CacheNodeId": "0001",
                "CacheNodeStatus": "available",
                "CacheNodeCreateTime": created.epoch_seconds(),
                "Endpoint": { "Address": world.services.facts.redis_endpoint, "Port": 6379 },
                "ParameterGroupStatus": "in-sync",
                "CustomerAvailabilityZone": format!("{region}a"),
            });
            json!({
                "CacheClusterId": made.physical,
                "CacheClusterStatus": "available",
                "CacheClusterCreateTime": created.epoch_seconds(),
                "CacheNodeType": properties["CacheNodeType"],
                "Engine": properties["Engine"],
                "EngineVersion": properties["EngineVersion"],
                "NumCacheNodes": properties["NumCacheNodes"],
                "PreferredAvailabilityZone": format!("{region}a"),
                "CacheNodes": if nodes { json!([node]) } else { Value::Null },
                "AutoMinorVersionUpgrade": true,
                "SecurityGroups": [{
                    "SecurityGroupId": world.services.facts.cache_security_group,
                    "Status": "active",
                }],
                "SnapshotRetentionLimit": 0,
                "AuthTokenEnabled": false,
                "TransitEncryptionEnabled": false,
                "AtRestEncryptionEnabled": false,
                "ARN": format!("arn:aws:elasticache:{region}:{account}:cluster:{}", made.physical),
            })
        })
        .collect();
    match wanted {
        Some(wanted) if clusters.is_empty() => Err(ApiError::client(
            "CacheClusterNotFound",
            format!("CacheCluster not found: {wanted}"),
        )),
        _ => Ok(present(json!({ "CacheClusters": clusters }))),
    }
}

fn describe_replication_groups(_: &World, input: &Value) -> OpResult {
    match text(input, "ReplicationGroupId") {
        Some(wanted) => Err(ApiError::client(
            "ReplicationGroupNotFoundFault",
            format!("ReplicationGroup {wanted} not found."),
        )),
        None => Ok(json!({ "ReplicationGroups": [] })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Options;
    use crate::service::Service;

    #[test]
    fn redis_is_one_node_with_the_address_that_the_application_knows() {
        let mut world = World::new(Options::default());
        let input = json!({"ShowCacheNodeInfo": true});
        let answer = world
            .call(Service::ElastiCache, "DescribeCacheClusters", &input)
            .unwrap();
        let cluster = &answer["CacheClusters"][0];
        assert_eq!(cluster["NumCacheNodes"], 1);
        let endpoint = &cluster["CacheNodes"][0]["Endpoint"]["Address"];
        assert_eq!(*endpoint, *world.services.facts.redis_endpoint);
        let none = json!({"CacheClusterId": "none"});
        let none = world
            .call(Service::ElastiCache, "DescribeCacheClusters", &none)
            .unwrap_err();
        assert_eq!(none.code, "CacheClusterNotFound");
    }
}
