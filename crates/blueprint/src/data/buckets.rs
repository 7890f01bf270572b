//! The buckets. All but that of the logs outlive their stack, where the platform keeps its data.

use serde_json::{Value, json};

use super::bucket_arn;
use crate::build::{Resource, Template, reference, sub};
use crate::iam;
use crate::names::Names;
use crate::settings::Settings;

/// A bucket by its logical id and the word in its name.
const BUCKETS: [(&str, &str); 4] = [
    ("MediaBucket", "media"),
    ("AccessLogsBucket", "access-logs"),
    ("ModelsBucket", "models"),
    ("LogsBucket", "logs"),
];

pub(super) fn add(template: &mut Template, settings: &Settings) {
    let names = Names::of(settings);
    for (logical, what) in BUCKETS {
        let mut properties = json!({
            "BucketName": names.bucket(what),
            "BucketEncryption": { "ServerSideEncryptionConfiguration": [
                { "ServerSideEncryptionByDefault": { "SSEAlgorithm": "AES256" } },
            ] },
            "OwnershipControls": { "Rules": [{ "ObjectOwnership": "BucketOwnerEnforced" }] },
            "PublicAccessBlockConfiguration": {
                "BlockPublicAcls": true,
                "BlockPublicPolicy": true,
                "IgnorePublicAcls": true,
                "RestrictPublicBuckets": true,
            },
            "LifecycleConfiguration": { "Rules": lifecycle(what) },
        });
        match what {
            "media" => {
                properties["CorsConfiguration"] = uploads(settings);
                properties["LoggingConfiguration"] = access_log(what);
            }
            "models" => {
                properties["VersioningConfiguration"] = json!({ "Status": "Enabled" });
                properties["LoggingConfiguration"] = access_log(what);
            }
            _ => {}
        }
        let mut bucket = Resource::new("AWS::S3::Bucket", properties);
        if matches!(what, "media" | "models") {
            // S3 refuses a target of access logs whose policy does not let it write.
            bucket = bucket.after(&["AccessLogsBucketPolicy"]);
        }
        // A bucket that goes goes empty: CloudFormation deletes none with objects in it.
        let stays = what != "logs" && settings.keeps_data();
        template.add(logical, bucket.retained_if(stays));
        let policy = Resource::new(
            "AWS::S3::BucketPolicy",
            json!({ "Bucket": reference(logical), "PolicyDocument": iam::document(&policy(logical)) }),
        );
        // A bucket that stays keeps what protects it.
        template.add(&format!("{logical}Policy"), policy.retained_if(stays));
    }
}

fn lifecycle(what: &str) -> Value {
    let mut rules = vec![json!({
        "Id": "incomplete-uploads",
        "Status": "Enabled",
        "AbortIncompleteMultipartUpload": { "DaysAfterInitiation": 1 },
    })];
    if what == "logs" {
        rules.push(json!({
            "Id": "age",
            "Status": "Enabled",
            "ExpirationInDays": 90,
            "Transitions": [{ "StorageClass": "STANDARD_IA", "TransitionInDays": 30 }],
        }));
    }
    Value::Array(rules)
}

/// Browsers upload to presigned addresses. Without a domain the address of the platform is not known yet.
fn uploads(settings: &Settings) -> Value {
    let origin = settings
        .domain
        .as_ref()
        .map_or("*".to_owned(), |domain| format!("https://{}", domain.name));
    json!({ "CorsRules": [{
        "AllowedHeaders": ["*"],
        "AllowedMethods": ["PUT", "POST"],
        "AllowedOrigins": [origin],
        "MaxAge": 3600,
    }] })
}

fn access_log(what: &str) -> Value {
    json!({
        "DestinationBucketName": reference("AccessLogsBucket"),
        "LogFilePrefix": format!("{what}/"),
    })
}

/// Nobody gets in without TLS; CloudFront reads media, and S3 writes access logs.
fn policy(logical: &str) -> Vec<Value> {
    let mut statements = vec![json!({
        "Effect": "Deny",
        "Principal": { "AWS": "*" },
        "Action": "s3:*",
        "Resource": [bucket_arn(logical, ""), bucket_arn(logical, "/*")],
        "Condition": { "Bool": { "aws:SecureTransport": "false" } },
    })];
    let of_service = |service: &str, action: &str, key: &str, source: Value| {
        json!({
            "Effect": "Allow",
            "Principal": { "Service": service },
            "Action": action,
            "Resource": bucket_arn(logical, "/*"),
            "Condition": { "StringEquals": { key: source } },
        })
    };
    match logical {
        "MediaBucket" => {
            let distribution =
                sub("arn:${AWS::Partition}:cloudfront::${AWS::AccountId}:distribution/${MediaCdn}");
            statements.push(of_service(
                "cloudfront.amazonaws.com",
                "s3:GetObject",
                "aws:SourceArn",
                distribution,
            ));
        }
        "AccessLogsBucket" => statements.push(of_service(
            "logging.s3.amazonaws.com",
            "s3:PutObject",
            "aws:SourceAccount",
            reference("AWS::AccountId"),
        )),
        _ => {}
    }
    statements
}
