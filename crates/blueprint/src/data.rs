//! The data stack: database, Redis, buckets, CloudFront, secrets and parameters.

mod buckets;
mod database;
mod secrets;

pub(crate) use secrets::{OAUTH, OAUTH_KEYS, read_by_the_backend};

use serde_json::{Value, json};

use crate::build::{Resource, Template, attribute, join, reference, sub};
use crate::exports::{self, Tier};
use crate::iam;
use crate::names::Names;
use crate::settings::{Layout, Settings};

/// What a parameter or a key of a secret holds until somebody fills it in.
const PLACEHOLDER: &str = "CHANGE_ME_AFTER_DEPLOY";

pub(crate) fn template(settings: &Settings) -> Value {
    let names = Names::of(settings);
    let mut template = Template::new("RDS MariaDB, ElastiCache Redis, buckets and CloudFront");
    secrets::add(&mut template, settings);
    database::add(&mut template, settings);
    redis(&mut template, settings);
    buckets::add(&mut template, settings);
    cdn(&mut template);
    let has_packer = settings.layout == Layout::Single;
    if has_packer {
        packer(&mut template, settings);
    }
    parameters(&mut template, names, has_packer);
    outputs(&mut template, settings);
    template.finish()
}

/// A single node. The token of `RedisAuth` is not used: a cluster of one node knows no AUTH (ElastiCache User Guide,
/// "Authenticating with the Valkey and Redis OSS AUTH command"), and only the backend's security group gets in.
fn redis(template: &mut Template, settings: &Settings) {
    let names = Names::of(settings);
    template.add(
        "RedisSubnets",
        Resource::new(
            "AWS::ElastiCache::SubnetGroup",
            json!({
                "Description": "Isolated subnets for Redis",
                "SubnetIds": exports::import_all(&exports::subnets(names, Tier::Isolated)),
            }),
        ),
    );
    template.add(
        "Redis",
        Resource::new(
            "AWS::ElastiCache::CacheCluster",
            json!({
                "CacheNodeType": settings.sizes.cache_node_type,
                "CacheSubnetGroupName": reference("RedisSubnets"),
                "Engine": "redis",
                "EngineVersion": "7.1",
                "NumCacheNodes": 1,
                "VpcSecurityGroupIds": [exports::security_group(names, "SgRedis").import()],
            }),
        ),
    );
}

/// Serves the media bucket, which nobody else may read. `658327ea-…` is the managed cache policy `CachingOptimized`
/// (CloudFront Developer Guide, "Use managed cache policies").
fn cdn(template: &mut Template) {
    template.add(
        "MediaOac",
        Resource::new(
            "AWS::CloudFront::OriginAccessControl",
            json!({ "OriginAccessControlConfig": {
                "Name": sub("${AWS::StackName}-media"),
                "OriginAccessControlOriginType": "s3",
                "SigningBehavior": "always",
                "SigningProtocol": "sigv4",
            } }),
        ),
    );
    template.add(
        "MediaCdn",
        Resource::new(
            "AWS::CloudFront::Distribution",
            json!({ "DistributionConfig": {
                "Enabled": true,
                "HttpVersion": "http2and3",
                "IPV6Enabled": true,
                "PriceClass": "PriceClass_100",
                "Origins": [{
                    "Id": "media",
                    "DomainName": attribute("MediaBucket", "RegionalDomainName"),
                    "OriginAccessControlId": attribute("MediaOac", "Id"),
                    // With an access control the identity of old is stated, and empty.
                    "S3OriginConfig": { "OriginAccessIdentity": "" },
                }],
                "DefaultCacheBehavior": {
                    "TargetOriginId": "media",
                    "AllowedMethods": ["GET", "HEAD"],
                    "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6",
                    "Compress": true,
                    "ViewerProtocolPolicy": "redirect-to-https",
                },
                "ViewerCertificate": { "CloudFrontDefaultCertificate": true },
            } }),
        ),
    );
}

/// What instances may do that images are built on, and those for developers: read models, and be reached by Systems
/// Manager. In the staged layout people make such a role themselves (runbook, "create → activate → promote").
fn packer(template: &mut Template, settings: &Settings) {
    let bucket = Names::of(settings).bucket("models");
    let objects = sub(&format!("arn:${{AWS::Partition}}:s3:::{bucket}/*"));
    let listed = sub(&format!("arn:${{AWS::Partition}}:s3:::{bucket}"));
    template.add(
        "PackerRole",
        iam::role(
            "ec2.amazonaws.com",
            &["AmazonSSMManagedInstanceCore"],
            &[
                iam::allow(&["s3:GetObject"], objects),
                iam::allow(&["s3:ListBucket"], listed),
            ],
        ),
    );
    template.add(
        "PackerInstanceProfile",
        Resource::new(
            "AWS::IAM::InstanceProfile",
            json!({ "Roles": [reference("PackerRole")] }),
        ),
    );
}

/// The secrets of the fleets' stages are plain texts: CloudFormation makes no `SecureString`.
fn parameters(template: &mut Template, names: Names<'_>, has_packer: bool) {
    for (stage, _, ending) in names.fleet_secrets() {
        let logical = format!("FleetSecret{ending}");
        parameter(template, &logical, &names.fleet_secret(stage), json!(PLACEHOLDER));
    }
    let mut put = |logical: &str, path: &str, value| parameter(template, logical, &names.path(path), value);
    put("ModelsBucketParam", "models/bucket", reference("ModelsBucket"));
    if has_packer {
        put(
            "PackerInstanceProfileParam",
            "packer/instance_profile",
            reference("PackerInstanceProfile"),
        );
    }
    put(
        "RedisEndpointParam",
        "redis/endpoint",
        attribute("Redis", "RedisEndpoint.Address"),
    );
}

pub(crate) fn parameter(template: &mut Template, logical: &str, name: &str, value: Value) {
    let properties = json!({ "Name": name, "Type": "String", "Value": value });
    template.add(logical, Resource::new("AWS::SSM::Parameter", properties));
}

fn outputs(template: &mut Template, settings: &Settings) {
    let names = Names::of(settings);
    template.output("RdsEndpoint", attribute("Database", "Endpoint.Address"));
    template.output("RedisEndpoint", attribute("Redis", "RedisEndpoint.Address"));
    for (key, bucket) in [
        ("MediaBucketName", "MediaBucket"),
        ("ModelsBucketName", "ModelsBucket"),
        ("LogsBucketName", "LogsBucket"),
    ] {
        template.output(key, reference(bucket));
    }
    template.output("CloudFrontDomain", attribute("MediaCdn", "DomainName"));
    for logical in read_by_the_backend(settings.layout) {
        exports::secret(names, logical).put(template);
    }
    exports::database(names).put(template);
    exports::redis_endpoint(names).put(template);
    if settings.layout == Layout::Single {
        exports::media_domain(names).put(template);
    }
}

/// The ARN of a bucket of this stack, or of what is in it.
fn bucket_arn(logical: &str, rest: &str) -> Value {
    match rest {
        "" => attribute(logical, "Arn"),
        rest => join(&[attribute(logical, "Arn"), json!(rest)]),
    }
}
