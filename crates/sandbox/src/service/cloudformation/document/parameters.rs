//! The parameters of a template and their values ("Parameters syntax").

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::validation;
use super::Document;
use crate::error::ApiError;
use crate::service::member::{flag, integer, list, text};
use crate::service::ssm;
use crate::world::World;

/// A default as the text that it stands for.
pub(super) fn plain(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// What a parameter's type takes from Parameter Store: `AWS::SSM::Parameter::Value<String>`.
fn stored(kind: &str) -> bool {
    kind.starts_with("AWS::SSM::Parameter::Value<")
}

impl Document {
    fn parameter(&self, key: &str) -> Option<&Value> {
        self.0.get("Parameters")?.get(key)
    }

    /// Whether the values of a parameter are masked.
    pub(in super::super) fn hides(&self, key: &str) -> bool {
        let said = self
            .parameter(key)
            .map_or(&Value::Null, |parameter| &parameter["NoEcho"]);
        said == "true" || said == true
    }

    /// Whether a reference to the parameter is a list.
    pub(in super::super) fn is_list(&self, key: &str) -> bool {
        let kind = self.parameter(key).and_then(|parameter| text(parameter, "Type"));
        kind.is_some_and(|kind| {
            kind == "CommaDelimitedList" || kind.contains("List<") || kind.contains("<CommaDelimitedList>")
        })
    }

    pub(in super::super) fn has_parameter(&self, key: &str) -> bool {
        self.parameter(key).is_some()
    }

    /// What Parameter Store has under the name that a parameter's value is; `None` for any other type.
    pub(in super::super) fn looked_up(&self, world: &World, key: &str, value: &str) -> Option<String> {
        let kind = text(self.parameter(key)?, "Type")?;
        let parameter = ssm::value(world, value).filter(|_| stored(kind))?;
        Some(parameter.value().to_owned())
    }

    /// The values that references have.
    pub(in super::super) fn resolved(
        &self,
        world: &World,
        values: &BTreeMap<String, String>,
    ) -> BTreeMap<String, String> {
        values
            .iter()
            .map(|(key, value)| {
                let found = self.looked_up(world, key, value);
                (key.clone(), found.unwrap_or_else(|| value.clone()))
            })
            .collect()
    }

    /// The values of the parameters for a deployment: those given, those of before, and the defaults.
    ///
    /// # Errors
    /// A `ValidationError` that names what is missing, unknown or not allowed.
    pub(in super::super) fn values(
        &self,
        world: &World,
        input: &Value,
        before: &BTreeMap<String, String>,
    ) -> Result<BTreeMap<String, String>, ApiError> {
        let given = list(input, "Parameters");
        let strangers: Vec<&str> = given
            .iter()
            .filter_map(|one| text(one, "ParameterKey"))
            .filter(|key| !self.has_parameter(key))
            .collect();
        if !strangers.is_empty() {
            let message = format!(
                "Parameters: [{}] do not exist in the template",
                strangers.join(", ")
            );
            return Err(validation(message));
        }
        let mut values = BTreeMap::new();
        let mut missing = Vec::new();
        for (key, parameter) in self.section("Parameters") {
            let said = given.iter().find(|one| text(one, "ParameterKey") == Some(key));
            let value = match said {
                Some(one) if flag(one, "UsePreviousValue") == Some(true) => before.get(key).cloned(),
                Some(one) => text(one, "ParameterValue").map(str::to_owned),
                None => plain(&parameter["Default"]),
            };
            match value {
                Some(value) => {
                    allowed(key, parameter, &value)?;
                    values.insert(key.clone(), value);
                }
                None => missing.push(key.as_str()),
            }
        }
        if !missing.is_empty() {
            return Err(validation(format!(
                "Parameters: [{}] must have values",
                missing.join(", ")
            )));
        }
        self.fetched(world, &values)?;
        Ok(values)
    }

    /// "CloudFormation always fetches the latest value" of what Parameter Store has, and needs all of them.
    fn fetched(&self, world: &World, values: &BTreeMap<String, String>) -> Result<(), ApiError> {
        let absent: Vec<&str> = values
            .iter()
            .filter(|(key, _)| {
                let kind = self.parameter(key).and_then(|parameter| text(parameter, "Type"));
                kind.is_some_and(stored)
            })
            .filter(|(_, name)| ssm::value(world, name).is_none())
            .map(|(_, name)| name.as_str())
            .collect();
        match absent.is_empty() {
            true => Ok(()),
            false => Err(validation(format!(
                "Unable to fetch parameters [{}] from parameter store for this account.",
                absent.join(",")
            ))),
        }
    }
}

/// The constraints of a parameter, but for `AllowedPattern`.
fn allowed(key: &str, parameter: &Value, value: &str) -> Result<(), ApiError> {
    let choices = list(parameter, "AllowedValues");
    if !choices.is_empty()
        && !choices
            .iter()
            .any(|choice| plain(choice).as_deref() == Some(value))
    {
        let choices: Vec<String> = choices.iter().filter_map(plain).collect();
        return Err(validation(format!(
            "Parameter '{key}' must be one of AllowedValues [{}]",
            choices.join(", ")
        )));
    }
    if text(parameter, "Type") == Some("Number") && value.parse::<f64>().is_err() {
        return Err(validation(format!("Parameter '{key}' must be a number.")));
    }
    let bound = |name: &str| {
        let bound = &parameter[name];
        integer(parameter, name).or_else(|| bound.as_str()?.parse().ok())
    };
    let characters = i64::try_from(value.chars().count()).unwrap_or(i64::MAX);
    if let Some(least) = bound("MinLength").filter(|least| characters < *least) {
        return Err(validation(format!(
            "Parameter '{key}' must contain at least {least} characters"
        )));
    }
    if let Some(most) = bound("MaxLength").filter(|most| characters > *most) {
        return Err(validation(format!(
            "Parameter '{key}' must contain at most {most} characters"
        )));
    }
    Ok(())
}
