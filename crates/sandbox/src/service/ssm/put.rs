//! `PutParameter`: what AWS accepts as a parameter and what it says when it does not.

use serde_json::{Value, json};

use super::parameter::MOST_VERSIONS;
use super::{Parameter, Version, validation};
use crate::error::{ApiError, OpResult};
use crate::world::World;

/// Characters of a standard and of an advanced parameter's value.
const STANDARD_VALUE: usize = 4096;
const ADVANCED_VALUE: usize = 8192;

/// Removes a parameter with all of its versions (Systems Manager API Reference, DeleteParameter).
pub(super) fn delete_parameter(world: &mut World, input: &Value) -> OpResult {
    let name = input["Name"].as_str().unwrap_or_default();
    match world.services.ssm.parameters.remove(name) {
        Some(_) => Ok(json!({})),
        None => Err(super::not_found()),
    }
}

/// Removes up to ten parameters; what is not there is told (Systems Manager API Reference, DeleteParameters).
pub(super) fn delete_parameters(world: &mut World, input: &Value) -> OpResult {
    let names: Vec<String> = crate::service::member::texts(input, "Names");
    let parameters = &mut world.services.ssm.parameters;
    let (deleted, invalid): (Vec<String>, Vec<String>) = names
        .into_iter()
        .partition(|name| parameters.remove(name).is_some());
    Ok(json!({ "DeletedParameters": deleted, "InvalidParameters": invalid }))
}

pub(super) fn put_parameter(world: &mut World, input: &Value) -> OpResult {
    let name = input["Name"].as_str().unwrap_or_default();
    let text = input["Value"].as_str().unwrap_or_default();
    check_name(name)?;
    let existing = super::value(world, name);
    let overwrite = input["Overwrite"].as_bool().unwrap_or(false);
    if existing.is_some() && !overwrite {
        return Err(ApiError::client(
            "ParameterAlreadyExists",
            "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.",
        ));
    }
    let kind = kind(existing, input)?;
    let tier = tier(existing, input, text)?;
    let data_type = data_type(existing, input)?;
    check_value(text, &kind, &data_type)?;
    if let Some(parameter) = existing
        && parameter.versions.len() == MOST_VERSIONS
        && !parameter.versions[0].labels.is_empty()
    {
        return Err(ApiError::client(
            "ParameterMaxVersionLimitExceeded",
            format!(
                "You attempted to create a new version of {name} by calling the PutParameter API with the \
                 overwrite flag. Version {}, the oldest version, can't be deleted because it has a label \
                 associated with it. Move the label to another version of the parameter, and try again.",
                parameter.versions[0].number
            ),
        ));
    }
    let mut version = Version::new(world, text, &data_type);
    version.description = input["Description"].as_str().map(str::to_owned);
    let parameters = &mut world.services.ssm.parameters;
    let parameter = parameters
        .entry(name.to_owned())
        .or_insert_with(|| Parameter::new(name, &kind));
    parameter.tier.clone_from(&tier);
    if let Some(key) = input["KeyId"].as_str() {
        parameter.key_id = Some(key.to_owned());
    }
    let number = parameter.push(version);
    Ok(json!({ "Version": number, "Tier": tier }))
}

fn check_name(name: &str) -> Result<(), ApiError> {
    let path = name.strip_prefix('/');
    if path.is_none() && name.contains('/') {
        return Err(validation("Parameter name must be a fully qualified name."));
    }
    let first = path.unwrap_or(name).split('/').next().unwrap_or_default();
    if first.eq_ignore_ascii_case("aws") && path.is_some() {
        return Err(ApiError::client(
            "AccessDeniedException",
            format!("No access to reserved parameter name: {name}."),
        ));
    }
    let reserved = ["aws", "ssm"]
        .into_iter()
        .find(|prefix| first.to_ascii_lowercase().starts_with(prefix));
    let legal = |c: char| c.is_ascii_alphanumeric() || ".-_/".contains(c);
    if reserved.is_some() || name.is_empty() || !name.chars().all(legal) {
        return Err(validation(format!(
            "Parameter name: can't be prefixed with \"{}\" (case-insensitive). If formed as a path, it can \
             consist of sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, \
             numbers and the following 3 symbols .-_",
            reserved.unwrap_or("ssm")
        )));
    }
    if name.matches('/').count() > 15 {
        return Err(ApiError::client(
            "HierarchyLevelLimitExceededException",
            "Hierarchies can have at most 15 levels.",
        ));
    }
    Ok(())
}

fn kind(existing: Option<&Parameter>, input: &Value) -> Result<String, ApiError> {
    let asked = input["Type"].as_str();
    match (existing, asked) {
        (None, None) => Err(validation(
            "A parameter type is required when you create a parameter.",
        )),
        (None, Some(kind)) if ["String", "StringList", "SecureString"].contains(&kind) => Ok(kind.to_owned()),
        (None, Some(kind)) => Err(ApiError::client(
            "UnsupportedParameterType",
            format!("The parameter type {kind} isn't supported."),
        )),
        (Some(parameter), Some(kind)) if parameter.kind != kind => Err(ApiError::client(
            "HierarchyTypeMismatchException",
            "Parameter Store does not support changing a parameter type in a hierarchy.",
        )),
        (Some(parameter), _) => Ok(parameter.kind.clone()),
    }
}

fn tier(existing: Option<&Parameter>, input: &Value, text: &str) -> Result<String, ApiError> {
    let advanced_now = existing.is_some_and(|parameter| parameter.tier == "Advanced");
    let characters = text.chars().count();
    let tier = match input["Tier"].as_str() {
        Some("Standard") if advanced_now => {
            return Err(validation(
                "This parameter uses the advanced-parameter tier. You can't downgrade a parameter from the \
                 advanced-parameter tier to the standard-parameter tier.",
            ));
        }
        Some("Advanced") => "Advanced",
        Some("Intelligent-Tiering") if characters > STANDARD_VALUE => "Advanced",
        _ if advanced_now => "Advanced",
        _ => "Standard",
    };
    if tier == "Standard" && characters > STANDARD_VALUE {
        return Err(validation(format!(
            "Standard tier parameters support a maximum parameter value of {STANDARD_VALUE} characters. To \
             create a larger parameter value, upgrade the parameter to use the advanced-parameter tier. For \
             more information, see \
             https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html"
        )));
    }
    if characters > ADVANCED_VALUE {
        return Err(validation(format!(
            "Advanced tier parameters support a maximum parameter value of {ADVANCED_VALUE} characters."
        )));
    }
    Ok(tier.to_owned())
}

fn data_type(existing: Option<&Parameter>, input: &Value) -> Result<String, ApiError> {
    match input["DataType"].as_str() {
        // "You can't change a parameter to or from either of these data types" (Systems Manager User Guide, "Parameter
        // data types in Parameter Store", of aws:ec2:image and aws:ssm:integration).
        Some(asked)
            if existing.is_some_and(|parameter| {
                let now = parameter.data_type();
                now != asked && [now, asked].iter().any(|one| one.starts_with("aws:"))
            }) =>
        {
            Err(validation(format!(
                "The data type of an existing parameter can't be changed to or from {asked}."
            )))
        }
        // An update without a data type keeps the one the parameter has.
        None => Ok(existing.map_or("text", Parameter::data_type).to_owned()),
        Some(known @ ("text" | "aws:ec2:image" | "aws:ssm:integration")) => Ok(known.to_owned()),
        Some(other) => Err(validation(format!(
            "The following data type is not supported: {other} (Data type names are all lowercase.)"
        ))),
    }
}

/// Values are never empty, and an `aws:ec2:image` is an AMI id ("Using native parameter support for
/// Amazon Machine Image IDs": "the value must be in the correct format").
fn check_value(text: &str, kind: &str, data_type: &str) -> Result<(), ApiError> {
    if text.is_empty() {
        return Err(validation(
            "1 validation error detected: Value '' at 'value' failed to satisfy constraint: Member must have \
             length greater than or equal to 1.",
        ));
    }
    if data_type == "aws:ec2:image" && (kind != "String" || !is_ami(text)) {
        return Err(validation(format!(
            "Parameter value {text} is not valid for the data type aws:ec2:image. The value must be the ID of \
             an Amazon Machine Image in the format ami-12345abcdeEXAMPLE."
        )));
    }
    Ok(())
}

/// Whether `text` has the form of an AMI id: `ami-` and 8 or 17 hexadecimal digits.
pub(crate) fn is_ami(text: &str) -> bool {
    text.strip_prefix("ami-").is_some_and(|id| {
        matches!(id.len(), 8 | 17)
            && id
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    })
}
