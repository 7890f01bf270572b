//! Systems Manager: Parameter Store with its versions, labels and data types, and commands on instances; the sessions of
//! Session Manager are in `session/`.

mod command;
mod describe;
mod label;
mod parameter;
mod put;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

pub(crate) use command::tick;
pub(crate) use parameter::{Parameter, Version};
pub(crate) use put::is_ami;

use super::ec2;
use super::paging::{page, strings};
use crate::error::{ApiError, OpResult};
use crate::service::table::operations;
use crate::time::SimTime;
use crate::world::World;

/// Every parameter by name.
#[derive(Debug, Default)]
pub(crate) struct State {
    parameters: BTreeMap<String, Parameter>,
    /// Commands that were sent to instances, the oldest first.
    commands: Vec<command::Command>,
}

operations! {
    Write CancelCommand => command::cancel_command,
    Write DeleteParameter => put::delete_parameter,
    Write DeleteParameters => put::delete_parameters,
    Read DescribeInstanceInformation => command::describe_instance_information,
    Read DescribeParameters => describe::describe_parameters,
    Read GetCommandInvocation => command::get_command_invocation,
    Read GetParameter => get_parameter,
    Read GetParameterHistory => describe::get_parameter_history,
    Read GetParameters => get_parameters,
    Read GetParametersByPath => describe::get_parameters_by_path,
    Write LabelParameterVersion => label::label_parameter_version,
    Read ListCommandInvocations => command::list_command_invocations,
    Write PutParameter => put::put_parameter,
    Write ResumeSession => crate::session::resume,
    Write SendCommand => command::send_command,
    Write StartSession => crate::session::start,
    Write TerminateSession => crate::session::terminate,
}

/// The parameter with this name, its newest version in front.
pub(crate) fn value<'a>(world: &'a World, name: &str) -> Option<&'a Parameter> {
    world.services.ssm.parameters.get(name)
}

/// Creates the parameter or gives it a new version. `data_type` is `text` or `aws:ec2:image`.
pub(crate) fn put(world: &mut World, name: &str, value: &str, data_type: &str) {
    put_at(world, world.now, name, value, data_type);
}

/// The same, some time ago.
pub(crate) fn put_at(world: &mut World, at: SimTime, name: &str, value: &str, data_type: &str) {
    if is_ami(value) && data_type == "aws:ec2:image" {
        ec2::register_image(world, name, value, at);
    }
    let version = Version {
        modified: at,
        ..Version::new(world, value, data_type)
    };
    world
        .services
        .ssm
        .parameters
        .entry(name.to_owned())
        .or_insert_with(|| Parameter::new(name, "String"))
        .push(version);
}

/// Takes the parameter away, as `DeleteParameter` does.
pub(crate) fn remove(world: &mut World, name: &str) -> Option<Parameter> {
    world.services.ssm.parameters.remove(name)
}

/// `ParameterNotFound` carries no message in AWS either.
fn not_found() -> ApiError {
    ApiError::client("ParameterNotFound", "")
}

fn validation(message: impl Into<String>) -> ApiError {
    ApiError::client("ValidationException", message)
}

/// The parameter and version that `name`, `name:version`, `name:label` or an ARN selects, and the selector.
fn select<'a>(
    world: &'a World,
    wanted: &str,
) -> Result<(&'a Parameter, &'a Version, Option<String>), ApiError> {
    let prefix = arn(world, "");
    let wanted = wanted.strip_prefix(prefix.as_str()).map_or_else(
        || wanted.to_owned(),
        |rest| format!("/{}", rest.trim_start_matches('/')),
    );
    let (name, selector) = match wanted.split_once(':') {
        Some((name, selector)) => (name, Some(selector)),
        None => (wanted.as_str(), None),
    };
    let parameter = value(world, name).ok_or_else(not_found)?;
    let Some(selector) = selector else {
        return Ok((parameter, parameter.newest(), None));
    };
    let found = match selector.parse::<u64>() {
        Ok(number) => parameter.versions.iter().find(|v| v.number == number),
        Err(_) => parameter
            .versions
            .iter()
            .find(|v| v.labels.iter().any(|label| label == selector)),
    };
    match found {
        Some(version) => Ok((parameter, version, Some(format!(":{selector}")))),
        None => Err(ApiError::client(
            "ParameterVersionNotFound",
            format!(
                "Systems Manager could not find version {selector} of {name}. Verify the version and try again."
            ),
        )),
    }
}

fn arn(world: &World, name: &str) -> String {
    format!(
        "arn:aws:ssm:{}:{}:parameter/{}",
        world.options.region,
        world.options.account_id,
        name.trim_start_matches('/')
    )
}

/// The `Parameter` shape.
fn shown(
    world: &World,
    parameter: &Parameter,
    version: &Version,
    selector: Option<String>,
    decrypt: bool,
) -> Value {
    let mut shape = Map::new();
    shape.insert("Name".to_owned(), json!(parameter.name));
    shape.insert("Type".to_owned(), json!(parameter.kind));
    shape.insert(
        "Value".to_owned(),
        json!(version.shown_value(&parameter.kind, decrypt)),
    );
    shape.insert("Version".to_owned(), json!(version.number));
    if let Some(selector) = selector {
        shape.insert("Selector".to_owned(), json!(selector));
    }
    shape.insert(
        "LastModifiedDate".to_owned(),
        json!(version.modified.epoch_seconds()),
    );
    shape.insert("ARN".to_owned(), json!(arn(world, &parameter.name)));
    shape.insert("DataType".to_owned(), json!(version.data_type));
    Value::Object(shape)
}

fn decrypts(input: &Value) -> bool {
    input["WithDecryption"].as_bool().unwrap_or(false)
}

fn get_parameter(world: &mut World, input: &Value) -> OpResult {
    let name = input["Name"].as_str().unwrap_or_default();
    let (parameter, version, selector) = select(world, name)?;
    Ok(json!({ "Parameter": shown(world, parameter, version, selector, decrypts(input)) }))
}

fn get_parameters(world: &mut World, input: &Value) -> OpResult {
    let names = strings(input, "Names");
    if names.is_empty() || names.len() > 10 {
        return Err(validation(format!(
            "1 validation error detected: Value '[{}]' at 'names' failed to satisfy constraint: \
             Member must have length {} than or equal to {}",
            names.join(", "),
            if names.is_empty() { "greater" } else { "less" },
            if names.is_empty() { 1 } else { 10 },
        )));
    }
    let mut found = Vec::new();
    let mut invalid = Vec::new();
    let mut seen = Vec::new();
    for name in names {
        // AWS answers a repeated name once.
        if seen.contains(&name) {
            continue;
        }
        seen.push(name);
        match select(world, name) {
            Ok((parameter, version, selector)) => {
                found.push(shown(world, parameter, version, selector, decrypts(input)));
            }
            Err(_) => invalid.push(json!(name)),
        }
    }
    Ok(json!({ "Parameters": found, "InvalidParameters": invalid }))
}

/// A page of `items` under the member `name`, at most `limit` (and at most what the request asks for).
fn paged(name: &str, items: Vec<Value>, input: &Value, default: u64, most: u64) -> OpResult {
    let limit = input["MaxResults"].as_u64().unwrap_or(default);
    if limit == 0 || limit > most {
        return Err(validation(format!(
            "1 validation error detected: Value '{limit}' at 'maxResults' failed to satisfy constraint: \
             Member must have value {} than or equal to {}",
            if limit == 0 { "greater" } else { "less" },
            if limit == 0 { 1 } else { most },
        )));
    }
    let token = input["NextToken"].as_str();
    let (items, next) = page(items, token, usize::try_from(limit).unwrap_or(10))
        .map_err(|_| ApiError::client("InvalidNextToken", "The specified token is not valid."))?;
    let mut output = Map::new();
    output.insert(name.to_owned(), Value::Array(items));
    if let Some(next) = next {
        output.insert("NextToken".to_owned(), json!(next));
    }
    Ok(Value::Object(output))
}

#[cfg(test)]
mod tests;
