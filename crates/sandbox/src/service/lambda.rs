//! Lambda: the function that takes idle fleets to zero, as its stack has it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::error::{ApiError, OpResult};
use crate::service::cloudformation;
use crate::service::member::{integer, page, present, text};
use crate::service::table::operations;
use crate::world::World;

operations! {
    Read GetFunction => get_function,
    Read GetFunctionConfiguration => get_function_configuration,
    Read ListFunctions => list_functions,
}

/// A page has 50 functions at most (API reference, ListFunctions).
const PAGE: i64 = 50;

/// The configurations of all functions.
fn functions(world: &World) -> Vec<Value> {
    let (region, account) = (&world.options.region, &world.options.account_id);
    cloudformation::resources(world)
        .filter(|(_, resource)| resource.kind == "AWS::Lambda::Function")
        .map(|(stack, resource)| {
            let name = &resource.physical;
            let properties = &resource.properties;
            let deployed = cloudformation::deployed(world, stack).unwrap_or(world.options.start);
            // LastModified has an offset instead of a `Z`.
            let modified = deployed.iso8601().replace('Z', "+0000");
            json!({
                "FunctionName": name,
                "FunctionArn": format!("arn:aws:lambda:{region}:{account}:function:{name}"),
                "Runtime": properties["Runtime"],
                "Handler": properties["Handler"],
                "Timeout": properties["Timeout"],
                "Role": format!("arn:aws:iam::{account}:role/{stack}-{}ServiceRole", resource.logical),
                "CodeSize": 1_184,
                "CodeSha256": STANDARD.encode(Sha256::digest(name)),
                "Description": "",
                "MemorySize": 128,
                "LastModified": modified,
                "Version": "$LATEST",
                "TracingConfig": { "Mode": "PassThrough" },
                "RevisionId": revision(name),
                "State": "Active",
                "LastUpdateStatus": "Successful",
                "PackageType": "Zip",
                "Architectures": ["x86_64"],
                "EphemeralStorage": { "Size": 512 },
                "SnapStart": { "ApplyOn": "None", "OptimizationStatus": "Off" },
                "LoggingConfig": { "LogFormat": "Text", "LogGroup": format!("/aws/lambda/{name}") },
            })
        })
        .collect()
}

/// A UUID that hangs on the name.
fn revision(name: &str) -> String {
    let hex: String = Sha256::digest(name)
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!(
        "{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    )
}

/// The function that a name or an ARN means, with or without a version behind it.
fn find(world: &World, input: &Value) -> Result<Value, ApiError> {
    let given = text(input, "FunctionName").unwrap_or_default();
    let name = given.split_once(":function:").map_or(given, |(_, name)| name);
    let (name, version) = name
        .split_once(':')
        .map_or((name, None), |(name, version)| (name, Some(version)));
    let qualifier = text(input, "Qualifier").or(version);
    let function = functions(world)
        .into_iter()
        .find(|function| function["FunctionName"] == *name);
    let arn = format!(
        "arn:aws:lambda:{}:{}:function:{name}",
        world.options.region, world.options.account_id
    );
    let missing = |arn: String| {
        let mut error = ApiError::client("ResourceNotFoundException", format!("Function not found: {arn}"));
        error.members.insert("Type".to_owned(), "User".into());
        error.with_status(404)
    };
    match qualifier {
        None | Some("$LATEST") => function.ok_or_else(|| missing(arn)),
        // The platform publishes no versions of it.
        Some(version) => Err(missing(format!("{arn}:{version}"))),
    }
}

fn get_function(world: &World, input: &Value) -> OpResult {
    let configuration = find(world, input)?;
    let name = configuration["FunctionName"].as_str().unwrap_or_default();
    let location = format!(
        "https://prod-04-2014-tasks.s3.{}.amazonaws.com/snapshots/{}/{name}",
        world.options.region, world.options.account_id
    );
    Ok(json!({
        "Configuration": configuration,
        "Code": { "RepositoryType": "S3", "Location": location },
    }))
}

fn get_function_configuration(world: &World, input: &Value) -> OpResult {
    find(world, input)
}

fn list_functions(world: &World, input: &Value) -> OpResult {
    let size = integer(input, "MaxItems").unwrap_or(PAGE).clamp(1, PAGE);
    let (functions, next) = page(functions(world), text(input, "Marker"), size as usize, || {
        ApiError::client("InvalidParameterValueException", "Invalid Marker")
    })?;
    Ok(present(json!({ "Functions": functions, "NextMarker": next })))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Options;
    use crate::service::Service;

    #[test]
    fn the_function_behind_the_topic_is_found_by_name_and_by_arn() {
        let mut world = World::new(Options::default());
        let listed = world.call(Service::Lambda, "ListFunctions", &json!({})).unwrap();
        let function = &listed["Functions"][0];
        assert_eq!(function["Runtime"], "python3.12");
        for name in [&function["FunctionName"], &function["FunctionArn"]] {
            let found = world.call(
                Service::Lambda,
                "GetFunctionConfiguration",
                &json!({"FunctionName": name}),
            );
            assert_eq!(found.as_ref().unwrap(), function);
        }
        let none = world
            .call(Service::Lambda, "GetFunction", &json!({"FunctionName": "none"}))
            .unwrap_err();
        assert_eq!(
            (none.code.as_str(), none.status),
            ("ResourceNotFoundException", 404)
        );
    }
}
