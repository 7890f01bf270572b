//! What the stacks of network, data and compute consist of.

use serde_json::{Value, json};

use super::names::Names;
use super::parameters;
use super::stacks::{self, address, parameter, resource};
use crate::options::Layout;
use crate::scenario::{Scenario, in_force};
use crate::service::cloudformation::Resource;
use crate::service::elb;
use crate::world::World;

/// The ways in that a security group allows: port and from whom.
type Ingress<'a> = &'a [(u16, &'a str)];

/// VPC, subnets in two zones, NAT gateway, the gateway to S3, and a security group for every part.
pub(super) fn network(world: &World) -> Vec<Resource> {
    let facts = &world.services.facts;
    let mut resources = vec![resource(
        "Vpc",
        &facts.vpc,
        "AWS::EC2::VPC",
        json!({ "CidrBlock": "10.0.0.0/16", "EnableDnsHostnames": true, "EnableDnsSupport": true }),
    )];
    for (kind, subnets, blocks) in [
        ("public", &facts.public_subnets, ["10.0.0.0/24", "10.0.1.0/24"]),
        ("private", &facts.private_subnets, ["10.0.4.0/22", "10.0.8.0/22"]),
        (
            "isolated",
            &facts.isolated_subnets,
            ["10.0.12.0/24", "10.0.13.0/24"],
        ),
    ] {
        for (number, (subnet, block)) in (1..).zip(subnets.iter().zip(blocks)) {
            resources.push(resource(
                &format!("Vpc{kind}Subnet{number}"),
                subnet,
                "AWS::EC2::Subnet",
                json!({ "CidrBlock": block, "MapPublicIpOnLaunch": kind == "public", "VpcId": facts.vpc }),
            ));
        }
    }
    for (number, gateway) in (1..).zip(&facts.nat_gateways) {
        let logical = format!("VpcpublicSubnet{number}NATGateway");
        let properties = json!({ "SubnetId": facts.public_subnets.first() });
        resources.push(resource(&logical, gateway, "AWS::EC2::NatGateway", properties));
    }
    resources.push(resource(
        "VpcS3Endpoint",
        &facts.s3_endpoint,
        "AWS::EC2::VPCEndpoint",
        json!({ "ServiceName": format!("com.amazonaws.{}.s3", world.options.region), "VpcEndpointType": "Gateway" }),
    ));
    let (balancer, backend, frontend) = (
        facts.balancer_security_group.as_str(),
        facts.backend_security_group.as_str(),
        facts.frontend_security_group.as_str(),
    );
    let groups: [(&str, &str, Ingress<'_>); 6] = [
        ("SgAlb", balancer, &[(80, "0.0.0.0/0"), (443, "0.0.0.0/0")]),
        ("SgBackend", backend, &[(80, balancer)]),
        ("SgFrontend", frontend, &[(3000, balancer)]),
        ("SgRds", &facts.database_security_group, &[(3306, backend)]),
        ("SgRedis", &facts.cache_security_group, &[(6379, backend)]),
        // No client calls a worker; it calls the platform and AWS.
        ("SgGpuWorkers", &facts.gpu_security_group, &[]),
    ];
    for (logical, id, ingress) in groups {
        resources.push(security_group(logical, id, ingress, &facts.vpc));
    }
    resources
}

fn security_group(logical: &str, id: &str, ingress: Ingress<'_>, vpc: &str) -> Resource {
    let rules: Value = ingress
        .iter()
        .map(|(port, from)| {
            let source = if from.contains('/') {
                "CidrIp"
            } else {
                "SourceSecurityGroupId"
            };
            json!({ "FromPort": port, "ToPort": port, "IpProtocol": "tcp", source: from })
        })
        .collect();
    let egress = if logical == "SgGpuWorkers" {
        json!([80, 443].map(|port| {
            json!({ "FromPort": port, "ToPort": port, "IpProtocol": "tcp", "CidrIp": "0.0.0.0/0" })
        }))
    } else {
        json!([{ "CidrIp": "0.0.0.0/0", "IpProtocol": "-1" }])
    };
    resource(
        logical,
        id,
        "AWS::EC2::SecurityGroup",
        json!({ "SecurityGroupIngress": rules, "SecurityGroupEgress": egress, "VpcId": vpc }),
    )
}

/// The subnets of the database, which stay with it.
fn subnet_group(world: &World, retained: Value) -> Resource {
    Resource {
        attributes: retained,
        ..resource(
            "DatabaseSubnetGroup",
            &format!("{}-subnets", super::names::database(&world.options)),
            "AWS::RDS::DBSubnetGroup",
            json!({
                "DBSubnetGroupDescription": "Subnets of the database",
                "SubnetIds": world.services.facts.isolated_subnets,
            }),
        )
    }
}

/// The database, Redis, the buckets, the secrets and the parameters. The database and three of the buckets
/// outlive the stack.
pub(super) fn data(world: &World, names: &Names) -> Vec<Resource> {
    let facts = &world.services.facts;
    let retained = json!({ "DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain" });
    // Without a policy of its own a database is deleted with a last snapshot ("DeletionPolicy attribute").
    let database = match in_force(world, Scenario::DbProtected) {
        true => json!({ "DeletionPolicy": "Snapshot" }),
        false => retained.clone(),
    };
    let mut resources = vec![
        Resource {
            attributes: database,
            ..resource(
                "Database",
                &super::names::database(&world.options),
                "AWS::RDS::DBInstance",
                json!({
                    "AllocatedStorage": "20",
                    "BackupRetentionPeriod": 7,
                    "DBInstanceClass": "db.t4g.medium",
                    "DBName": "bp",
                    "DeletionProtection": true,
                    "Engine": "mariadb",
                    "EngineVersion": "10.11",
                    "MaxAllocatedStorage": 100,
                    "MonitoringInterval": 60,
                    "MultiAZ": true,
                    "StorageEncrypted": true,
                    "StorageType": "gp3",
                    "VPCSecurityGroups": [facts.database_security_group],
                }),
            )
        },
        resource(
            "Redis",
            &facts.cache,
            "AWS::ElastiCache::CacheCluster",
            json!({
                "CacheNodeType": "cache.t4g.small",
                "Engine": "redis",
                "EngineVersion": "7.1",
                "NumCacheNodes": 1,
                "VpcSecurityGroupIds": [facts.cache_security_group],
            }),
        ),
    ];
    let account = &world.options.account_id;
    let suffix = match world.options.layout {
        Layout::Single => String::new(),
        Layout::Staged => format!("-{}", world.options.stage),
    };
    for (logical, what) in [
        ("MediaBucket", "media"),
        ("AccessLogsBucket", "access-logs"),
        ("ModelsBucket", "models"),
        ("LogsBucket", "logs"),
    ] {
        let bucket = format!("bp-{what}-{account}{suffix}");
        let mut properties = json!({ "BucketName": bucket });
        if what == "models" {
            properties["VersioningConfiguration"] = json!({ "Status": "Enabled" });
        }
        // The logs go with their stack: CDK's custom resource empties the buckets with this tag.
        if what == "logs" {
            if !in_force(world, Scenario::BucketNotEmpty) {
                properties["Tags"] = json!([{ "Key": "aws-cdk:auto-delete-objects", "Value": "true" }]);
            }
            properties["LifecycleConfiguration"] = json!({ "Rules": [{
                "ExpirationInDays": 90,
                "Status": "Enabled",
                "Transitions": [{ "StorageClass": "STANDARD_IA", "TransitionInDays": 30 }],
            }] });
        }
        resources.push(Resource {
            attributes: if what == "logs" {
                Value::Null
            } else {
                retained.clone()
            },
            ..resource(logical, &bucket, "AWS::S3::Bucket", properties)
        });
    }
    for (logical, name) in [
        ("DatabaseSecret", "rds/master-credentials"),
        ("RedisAuth", "redis/auth-token"),
        ("LaravelAppKey", "laravel/app-key"),
        ("OauthSecrets", "oauth/secrets"),
        ("AssetOpsSecret", "asset-ops/secret"),
    ] {
        let name = names.secret(name);
        let properties = json!({ "Name": name });
        resources.push(resource(
            logical,
            &name,
            "AWS::SecretsManager::Secret",
            properties,
        ));
    }
    for (logical, name, value) in parameters::of_data_stack(world, names) {
        resources.push(parameter(&logical, &name, &value));
    }
    resources.push(subnet_group(world, retained));
    resources
}

/// The cluster, the load balancer and both services with their log groups.
pub(super) fn compute(world: &World, names: &Names) -> Vec<Resource> {
    let (region, account) = (&world.options.region, &world.options.account_id);
    let cluster = names.system();
    let mut resources = vec![
        resource(
            "Cluster",
            &cluster,
            "AWS::ECS::Cluster",
            json!({
                "ClusterName": cluster,
                "ClusterSettings": [{ "Name": "containerInsights", "Value": "enabled" }],
            }),
        ),
        resource(
            "Alb",
            elb::dns_name(world, &world.services.facts.load_balancer).unwrap_or_default(),
            "AWS::ElasticLoadBalancingV2::LoadBalancer",
            json!({ "Scheme": "internet-facing", "Type": "application" }),
        ),
    ];
    if address(world).0 == "https" {
        let balancer = elb::balancer_arn(world, &world.services.facts.load_balancer).unwrap_or_default();
        let redirect = json!({
            "Type": "redirect",
            "RedirectConfig": { "Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301" },
        });
        resources.push(elb::http(balancer, &redirect));
        resources.push(resource(
            "AlbHttps",
            &format!(
                "{}/8f6e5d4c3b2a1908",
                balancer.replace(":loadbalancer/", ":listener/")
            ),
            "AWS::ElasticLoadBalancingV2::Listener",
            json!({
                "Certificates": [{ "CertificateArn": stacks::certificate(world) }],
                "DefaultActions": [elb::not_found()],
                "LoadBalancerArn": balancer,
                "Port": 443,
                "Protocol": "HTTPS",
            }),
        ));
    }
    if in_force(world, Scenario::CapacityProviderInUse) {
        // By its ARN: two resources of one name would refer to each other in the template.
        resources.push(resource(
            "CapacityProviders",
            &format!("arn:aws:ecs:{region}:{account}:cluster/{cluster}"),
            "AWS::ECS::ClusterCapacityProviderAssociations",
            json!({
                "CapacityProviders": ["FARGATE", "FARGATE_SPOT"],
                "Cluster": cluster,
                "DefaultCapacityProviderStrategy": [],
            }),
        ));
    }
    for (name, logical) in [("backend", "Backend"), ("frontend", "Frontend")] {
        let service = names.core(name);
        let logs = match world.options.layout {
            Layout::Single => format!("/ecs/bp-{name}"),
            Layout::Staged => format!("/ecs/bp-{name}-{}", world.options.stage),
        };
        resources.push(resource(
            &format!("{logical}Logs"),
            &logs,
            "AWS::Logs::LogGroup",
            json!({ "LogGroupName": logs, "RetentionInDays": 30 }),
        ));
        resources.push(resource(
            &format!("{logical}Service"),
            &format!("arn:aws:ecs:{region}:{account}:service/{cluster}/{service}"),
            "AWS::ECS::Service",
            json!({
                "Cluster": cluster,
                "DeploymentConfiguration": {
                    "DeploymentCircuitBreaker": { "Enable": true, "Rollback": true },
                    "MaximumPercent": 200,
                    "MinimumHealthyPercent": 50,
                },
                "DesiredCount": 1,
                "EnableExecuteCommand": true,
                "ServiceName": service,
            }),
        ));
    }
    resources
}
