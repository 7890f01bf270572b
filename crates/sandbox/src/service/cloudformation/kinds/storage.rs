//! Parameters, buckets, secrets and repositories.

use serde_json::{Value, json};

use super::read::{name, required, text};
use super::{Kind, Made, PLAIN, Refusal, Request};
use crate::service::Service;
use crate::service::member::present;
use crate::service::{ecr, rds, s3, secretsmanager, ssm};
use crate::world::World;

pub(super) const KINDS: &[Kind] = &[
    Kind {
        name: "AWS::SSM::Parameter",
        fixed: &["Name"],
        named: Some("Name"),
        attributes: &["Type", "Value"],
        create: |world, request| {
            let name = name(world, request, "Name");
            put_parameter(world, &name, request.properties, false)?;
            Ok(name)
        },
        update: |world, physical, _, request| put_parameter(world, physical, request.properties, true),
        delete: |world, resource| {
            // One that somebody has deleted by hand is gone as well.
            ssm::remove(world, &resource.physical);
            Ok(true)
        },
        attribute: |world, resource, attribute| {
            let parameter = ssm::value(world, &resource.physical)?;
            Some(json!(match attribute {
                "Type" => parameter.kind.as_str(),
                _ => parameter.value(),
            }))
        },
        ..PLAIN
    },
    Kind {
        name: "AWS::S3::Bucket",
        fixed: &["BucketName"],
        named: Some("BucketName"),
        attributes: &[
            "Arn",
            "DomainName",
            "DualStackDomainName",
            "RegionalDomainName",
            "WebsiteURL",
        ],
        seconds: 21,
        create: |world, request| {
            let name = name(world, request, "BucketName").to_ascii_lowercase();
            if s3::has_bucket(world, &name) {
                let message = format!("{name} already exists (Service: S3, Status Code: 409)");
                return Err(Refusal::new("AlreadyExists", message));
            }
            let now = world.now;
            s3::create_bucket(world, &name, versioned(request.properties), now);
            Ok(name)
        },
        update: |world, physical, before, request| {
            if versioned(before) != versioned(request.properties) {
                s3::set_versioning(world, physical, versioned(request.properties));
            }
            Ok(())
        },
        delete: |world, resource| match s3::delete_bucket(
            world,
            &resource.physical,
            empties(&resource.properties),
        ) {
            true => Ok(true),
            false => Err(Refusal::new(
                "GeneralServiceException",
                "The bucket you tried to delete is not empty (Service: S3, Status Code: 409)",
            )),
        },
        attribute: |world, resource, attribute| {
            let (name, region) = (&resource.physical, &world.options.region);
            Some(json!(match attribute {
                "Arn" => format!("arn:aws:s3:::{name}"),
                "DomainName" => format!("{name}.s3.amazonaws.com"),
                "DualStackDomainName" => format!("{name}.s3.dualstack.{region}.amazonaws.com"),
                "RegionalDomainName" => format!("{name}.s3.{region}.amazonaws.com"),
                _ => format!("http://{name}.s3-website-{region}.amazonaws.com"),
            }))
        },
        ..PLAIN
    },
    Kind {
        name: "AWS::S3::BucketPolicy",
        fixed: &["Bucket"],
        tagged: false,
        create: |_, request| required(request.properties, "Bucket"),
        ..PLAIN
    },
    Kind {
        name: "AWS::SecretsManager::Secret",
        fixed: &["Name"],
        named: Some("Name"),
        attributes: &["Id"],
        seconds: 2,
        create: create_secret,
        update: |world, physical, before, request| {
            let properties = request.properties;
            // A generated value stays what it is; one that the template states is written again where it changes.
            let value = text(properties, "SecretString")
                .filter(|_| before["SecretString"] != properties["SecretString"]);
            let input = present(json!({
                "SecretId": physical,
                "Description": text(properties, "Description"),
                "SecretString": value,
            }));
            match world.call(Service::SecretsManager, "UpdateSecret", &input) {
                Ok(_) => Ok(()),
                Err(error) => Err(Refusal::of(world, "SecretsManager", &error)),
            }
        },
        delete: |world, resource| {
            // CloudFormation deletes a secret without a recovery window.
            let input = json!({ "SecretId": resource.physical, "ForceDeleteWithoutRecovery": true });
            match world.call(Service::SecretsManager, "DeleteSecret", &input) {
                Ok(_) => Ok(true),
                Err(error) if error.code == "ResourceNotFoundException" => Ok(true),
                Err(error) => Err(Refusal::of(world, "SecretsManager", &error)),
            }
        },
        attribute: |_, resource, _| Some(json!(resource.physical)),
        ..PLAIN
    },
    Kind {
        name: "AWS::SecretsManager::SecretTargetAttachment",
        attributes: &["Id"],
        tagged: false,
        create: |world, request| {
            attach(world, request.properties)?;
            required(request.properties, "SecretId")
        },
        update: |world, _, before, request| {
            detach(world, before)?;
            attach(world, request.properties)
        },
        delete: |world, resource| match detach(world, &resource.properties) {
            Ok(()) => Ok(true),
            // The secret went before it.
            Err(refusal) if refusal.is_not_found() => Ok(true),
            Err(refusal) => Err(refusal),
        },
        attribute: |_, resource, _| Some(json!(resource.physical)),
        ..PLAIN
    },
    Kind {
        name: "AWS::ECR::Repository",
        fixed: &["EncryptionConfiguration", "RepositoryName"],
        named: Some("RepositoryName"),
        attributes: &["Arn", "RepositoryUri"],
        create: |world, request| {
            let name = name(world, request, "RepositoryName").to_ascii_lowercase();
            if ecr::has_repository(world, &name) {
                return Err(Refusal::exists("AWS::ECR::Repository", "RepositoryName", &name));
            }
            let now = world.now;
            ecr::create_repository(world, &name, now);
            Ok(name)
        },
        delete: |world, resource| {
            let empties = resource.properties["EmptyOnDelete"] == true
                || resource.properties["EmptyOnDelete"] == "true";
            if !empties && ecr::has_images(world, &resource.physical) {
                return Err(Refusal::new(
                    "GeneralServiceException",
                    format!(
                        "The repository with name '{}' in registry with id '{}' cannot be deleted because it still contains \
                         images (Service: Ecr, Status Code: 400)",
                        resource.physical, world.options.account_id
                    ),
                ));
            }
            ecr::delete_repository(world, &resource.physical);
            Ok(true)
        },
        attribute: |world, resource, attribute| {
            let options = &world.options;
            Some(json!(match attribute {
                "Arn" => format!(
                    "arn:aws:ecr:{}:{}:repository/{}",
                    options.region, options.account_id, resource.physical
                ),
                _ => ecr::repository_uri(world, &resource.physical),
            }))
        },
        ..PLAIN
    },
];

/// CDK's custom resource empties the buckets with this tag before they go (`autoDeleteObjects`).
fn empties(properties: &Value) -> bool {
    let tags = super::read::pairs(&properties["Tags"], "Key", "Value");
    tags.iter()
        .any(|(key, value)| key == "aws-cdk:auto-delete-objects" && value == "true")
}

fn versioned(properties: &Value) -> bool {
    properties["VersioningConfiguration"]["Status"] == "Enabled"
}

fn put_parameter(world: &mut World, name: &str, properties: &Value, overwrite: bool) -> Result<(), Refusal> {
    let input = present(json!({
        "Name": name,
        "Type": text(properties, "Type"),
        "Value": text(properties, "Value"),
        "Description": text(properties, "Description"),
        "DataType": text(properties, "DataType"),
        "Tier": text(properties, "Tier"),
        "Overwrite": overwrite,
    }));
    match world.call(Service::Ssm, "PutParameter", &input) {
        Ok(_) => Ok(()),
        Err(error) if error.code == "ParameterAlreadyExists" => {
            Err(Refusal::exists("AWS::SSM::Parameter", "Name", name))
        }
        Err(error) => Err(Refusal::of(world, "Ssm", &error)),
    }
}

fn create_secret(world: &mut World, request: &Request<'_>) -> Made {
    let properties = request.properties;
    let name = name(world, request, "Name");
    match secretsmanager::marked(world, &name) {
        // CreateSecret in the API Reference: InvalidRequestException.
        Some(true) => {
            return Err(Refusal::invalid(
                "You can't create this secret because a secret with this name is already scheduled for deletion. \
                 (Service: SecretsManager, Status Code: 400)",
            ));
        }
        Some(false) => {
            let message = format!(
                "The operation failed because the secret {name} already exists. (Service: SecretsManager, Status Code: 400)"
            );
            return Err(Refusal::new("AlreadyExists", message));
        }
        None => {}
    }
    let value = match text(properties, "SecretString") {
        Some(value) => value,
        None => generated_value(world, &properties["GenerateSecretString"]),
    };
    let now = world.now;
    let description = text(properties, "Description").unwrap_or_default();
    Ok(secretsmanager::create(
        world,
        &name,
        &description,
        now,
        Some(&value),
    ))
}

/// A random value, 32 characters unless said, or a JSON template with it under a key (`GenerateSecretString`).
/// Without the property the secret is an empty text.
fn generated_value(world: &mut World, rules: &Value) -> String {
    if !rules.is_object() {
        return String::new();
    }
    let length = super::read::count(rules, "PasswordLength").unwrap_or(32) as usize;
    let random = world.ids.hex(length);
    match (
        text(rules, "SecretStringTemplate"),
        text(rules, "GenerateStringKey"),
    ) {
        (Some(template), Some(key)) => {
            let mut value: Value = serde_json::from_str(&template).unwrap_or_else(|_| json!({}));
            value[key.as_str()] = json!(random);
            value.to_string()
        }
        _ => random,
    }
}

/// What the attachment of a database adds to the JSON of its credentials (AWS Secrets Manager User Guide, "JSON
/// structure of AWS Secrets Manager secrets").
const CONNECTION: [&str; 4] = ["engine", "host", "port", "dbInstanceIdentifier"];

/// Adds the connection of the database to its credentials.
fn attach(world: &mut World, properties: &Value) -> Result<(), Refusal> {
    let target = required(properties, "TargetId")?;
    let Some(host) = rds::endpoint(world, &target).map(str::to_owned) else {
        return Err(Refusal::new(
            "NotFound",
            format!("DBInstance {target} not found. (Service: Rds, Status Code: 404)"),
        ));
    };
    rewrite(world, properties, |members| {
        members.insert("engine".to_owned(), json!("mariadb"));
        members.insert("host".to_owned(), json!(host));
        members.insert("port".to_owned(), json!(3306));
        members.insert("dbInstanceIdentifier".to_owned(), json!(target));
    })
}

/// "When you remove a SecretTargetAttachment from a stack, Secrets Manager removes the database connection information
/// from the secret with a PutSecretValue call."
fn detach(world: &mut World, properties: &Value) -> Result<(), Refusal> {
    rewrite(world, properties, |members| {
        members.retain(|name, _| !CONNECTION.contains(&name.as_str()));
    })
}

/// Writes the JSON of the secret that an attachment names anew.
fn rewrite(
    world: &mut World,
    properties: &Value,
    change: impl FnOnce(&mut serde_json::Map<String, Value>),
) -> Result<(), Refusal> {
    let secret = required(properties, "SecretId")?;
    let read = world.call(
        Service::SecretsManager,
        "GetSecretValue",
        &json!({ "SecretId": secret }),
    );
    let read = read.map_err(|error| Refusal::of(world, "SecretsManager", &error))?;
    let text = read["SecretString"].as_str().unwrap_or_default();
    let Ok(Value::Object(mut members)) = serde_json::from_str(text) else {
        return Err(Refusal::invalid(
            "The secret string is not a JSON structure. (Service: SecretsManager, Status Code: 400)",
        ));
    };
    change(&mut members);
    let input = json!({ "SecretId": secret, "SecretString": Value::Object(members).to_string() });
    match world.call(Service::SecretsManager, "PutSecretValue", &input) {
        Ok(_) => Ok(()),
        Err(error) => Err(Refusal::of(world, "SecretsManager", &error)),
    }
}
