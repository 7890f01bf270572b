//! `LabelParameterVersion`: names for versions, each at one version at a time.

use serde_json::{Value, json};

use super::not_found;
use crate::error::{ApiError, OpResult};
use crate::service::paging::strings;
use crate::world::World;

/// A version carries at most this many labels.
const MOST_LABELS: usize = 10;

pub(super) fn label_parameter_version(world: &mut World, input: &Value) -> OpResult {
    let name = input["Name"].as_str().unwrap_or_default();
    let parameter = world
        .services
        .ssm
        .parameters
        .get_mut(name)
        .ok_or_else(not_found)?;
    let number = input["ParameterVersion"]
        .as_u64()
        .unwrap_or_else(|| parameter.newest().number);
    let Some(at) = parameter.versions.iter().position(|v| v.number == number) else {
        return Err(ApiError::client(
            "ParameterVersionNotFound",
            format!(
                "Systems Manager could not find version {number} of {name}. Verify the version and try again."
            ),
        ));
    };
    let (valid, invalid): (Vec<&str>, Vec<&str>) = strings(input, "Labels")
        .into_iter()
        .partition(|label| is_label(label));
    let fresh = valid
        .iter()
        .filter(|label| !parameter.versions[at].labels.iter().any(|l| l == *label))
        .count();
    if parameter.versions[at].labels.len() + fresh > MOST_LABELS {
        return Err(ApiError::client(
            "ParameterVersionLabelLimitExceeded",
            "A parameter version can have maximum 10 labels.Move one or more labels to another version and try again.",
        ));
    }
    for version in &mut parameter.versions {
        version.labels.retain(|label| !valid.contains(&label.as_str()));
    }
    parameter.versions[at]
        .labels
        .extend(valid.into_iter().map(str::to_owned));
    Ok(json!({ "InvalidLabels": invalid, "ParameterVersion": number }))
}

/// "Working with parameter labels": letters, digits, `.`, `-`, `_`; not a number first, not `aws` or `ssm`.
fn is_label(label: &str) -> bool {
    let lower = label.to_ascii_lowercase();
    label.chars().count() <= 100
        && label
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || ".-_".contains(c))
        && label.chars().next().is_some_and(|c| !c.is_ascii_digit())
        && !lower.starts_with("aws")
        && !lower.starts_with("ssm")
}
