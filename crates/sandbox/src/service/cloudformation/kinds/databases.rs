//! The database, Redis, and CloudFront.

use serde_json::json;

use super::read::{flag, name, text};
use super::{Kind, PLAIN, Refusal};
use crate::service::member::texts;
use crate::service::{Service, rds};

pub(super) const KINDS: &[Kind] = &[
    Kind {
        name: "AWS::RDS::DBInstance",
        fixed: &[
            "DBInstanceIdentifier",
            "DBName",
            "DBSubnetGroupName",
            "Engine",
            "KmsKeyId",
            "MasterUsername",
            "StorageEncrypted",
        ],
        perhaps: &["AvailabilityZone", "EngineVersion"],
        named: Some("DBInstanceIdentifier"),
        attributes: &[
            "DBInstanceArn",
            "DbiResourceId",
            "Endpoint.Address",
            "Endpoint.Port",
        ],
        // Ten minutes and more for an instance in two zones.
        seconds: 600,
        create: |world, request| {
            let properties = request.properties;
            let id = name(world, request, "DBInstanceIdentifier").to_ascii_lowercase();
            if rds::endpoint(world, &id).is_some() {
                return Err(Refusal::exists(
                    "AWS::RDS::DBInstance",
                    "DBInstanceIdentifier",
                    &id,
                ));
            }
            let (region, place) = (world.options.region.clone(), world.ids.hex(11));
            let endpoint = format!("{id}.c{place}.{region}.rds.amazonaws.com");
            let groups = texts(properties, "VPCSecurityGroups");
            let instance = rds::Instance {
                class: text(properties, "DBInstanceClass").unwrap_or_default(),
                status: "available",
                created: world.now,
                zone: format!("{region}a"),
                multi_az: flag(properties, "MultiAZ"),
                vpc: world.services.facts.vpc.clone(),
                security_group: groups.into_iter().next().unwrap_or_default(),
                resource_id: format!("db-{}", world.ids.hex(26).to_uppercase()),
                endpoint: endpoint.clone(),
                subnet_group: text(properties, "DBSubnetGroupName")
                    .unwrap_or_else(|| "default".to_owned())
                    .to_ascii_lowercase(),
                id: id.clone(),
            };
            rds::make(world, instance);
            rds::protect(world, &id, flag(properties, "DeletionProtection"));
            world.services.facts.rds_endpoint = endpoint;
            Ok(id)
        },
        update: |world, physical, _, request| match rds::set_class(
            world,
            physical,
            request.properties["DBInstanceClass"].as_str(),
        ) {
            true => Ok(()),
            false => Err(Refusal::new(
                "NotFound",
                format!("DBInstance {physical} not found. (Service: Rds, Status Code: 404)"),
            )),
        },
        delete: |world, resource| {
            let is_there = rds::endpoint(world, &resource.physical).is_some();
            if is_there && rds::is_protected(world, &resource.physical) {
                return Err(Refusal::invalid(
                    "Cannot delete protected DB Instance, please disable deletion protection and try again. (Service: \
                     Rds, Status Code: 400)",
                ));
            }
            let leaves = resource.attributes["DeletionPolicy"] == "Snapshot";
            rds::go(world, &resource.physical, leaves).map_err(|error| Refusal::of(world, "Rds", &error))
        },
        attribute: |world, resource, attribute| match attribute {
            "Endpoint.Address" => rds::endpoint(world, &resource.physical).map(|endpoint| json!(endpoint)),
            "Endpoint.Port" => Some(json!("3306")),
            "DBInstanceArn" => Some(json!(format!(
                "arn:aws:rds:{}:{}:db:{}",
                world.options.region, world.options.account_id, resource.physical
            ))),
            _ => Some(json!(resource.physical)),
        },
        ..PLAIN
    },
    Kind {
        name: "AWS::RDS::DBParameterGroup",
        fixed: &["DBParameterGroupName", "Description", "Family"],
        named: Some("DBParameterGroupName"),
        attributes: &["DBParameterGroupName"],
        create: |world, request| Ok(name(world, request, "DBParameterGroupName").to_ascii_lowercase()),
        attribute: |_, resource, _| Some(json!(resource.physical)),
        ..PLAIN
    },
    Kind {
        name: "AWS::RDS::DBSubnetGroup",
        fixed: &["DBSubnetGroupName"],
        named: Some("DBSubnetGroupName"),
        create: |world, request| {
            let name = name(world, request, "DBSubnetGroupName").to_ascii_lowercase();
            rds::make_subnet_group(world, &name, texts(request.properties, "SubnetIds"));
            Ok(name)
        },
        delete: |world, resource| {
            let input = json!({ "DBSubnetGroupName": resource.physical });
            match world.call(Service::Rds, "DeleteDBSubnetGroup", &input) {
                Ok(_) => Ok(true),
                Err(error) if error.status == 404 => Ok(true),
                Err(error) => Err(Refusal::of(world, "Rds", &error)),
            }
        },
        ..PLAIN
    },
    Kind {
        name: "AWS::ElastiCache::CacheCluster",
        fixed: &["AZMode", "CacheSubnetGroupName", "ClusterName", "Engine", "Port"],
        named: Some("ClusterName"),
        attributes: &[
            "ConfigurationEndpoint.Address",
            "RedisEndpoint.Address",
            "RedisEndpoint.Port",
        ],
        seconds: 300,
        create: |world, request| {
            // A name that CloudFormation makes is short: ElastiCache takes 50 characters.
            let made = format!(
                "{}-{}",
                request.stack.chars().take(5).collect::<String>(),
                world.ids.hex(12)
            );
            let id = text(request.properties, "ClusterName").unwrap_or(made);
            let facts = &mut world.services.facts;
            facts.redis_endpoint = format!("{id}.x{}.0001.use1.cache.amazonaws.com", world.ids.hex(5));
            facts.cache.clone_from(&id);
            if let Some(group) = texts(request.properties, "VpcSecurityGroupIds")
                .into_iter()
                .next()
            {
                facts.cache_security_group = group;
            }
            Ok(id)
        },
        attribute: |world, _, attribute| match attribute {
            "RedisEndpoint.Port" => Some(json!("6379")),
            _ => Some(json!(world.services.facts.redis_endpoint)),
        },
        ..PLAIN
    },
    Kind {
        name: "AWS::ElastiCache::SubnetGroup",
        fixed: &["CacheSubnetGroupName"],
        named: Some("CacheSubnetGroupName"),
        create: |world, request| Ok(name(world, request, "CacheSubnetGroupName").to_ascii_lowercase()),
        ..PLAIN
    },
    Kind {
        name: "AWS::CloudFront::Distribution",
        attributes: &["DomainName", "Id"],
        // A distribution is deployed to every location.
        seconds: 300,
        create: |world, _| {
            world.services.facts.media_domain = format!("d{}.cloudfront.net", world.ids.hex(13));
            Ok(format!("E{}", world.ids.hex(13).to_uppercase()))
        },
        attribute: |world, resource, attribute| match attribute {
            "DomainName" => Some(json!(world.services.facts.media_domain)),
            _ => Some(json!(resource.physical)),
        },
        ..PLAIN
    },
    Kind {
        name: "AWS::CloudFront::OriginAccessControl",
        attributes: &["Id"],
        tagged: false,
        create: |world, _| Ok(format!("E{}", world.ids.hex(13).to_uppercase())),
        attribute: |_, resource, _| Some(json!(resource.physical)),
        ..PLAIN
    },
    Kind {
        name: "AWS::CloudFront::CloudFrontOriginAccessIdentity",
        attributes: &["Id", "S3CanonicalUserId"],
        tagged: false,
        attribute: |_, resource, _| Some(json!(resource.physical)),
        ..PLAIN
    },
];
