//! Lists of parameters: by path, by filter, and the history of one.

use serde_json::{Map, Value, json};

use super::{Parameter, arn, decrypts, not_found, paged, shown, validation};
use crate::error::{ApiError, OpResult};
use crate::service::paging::strings;
use crate::world::World;

pub(super) fn get_parameters_by_path(world: &mut World, input: &Value) -> OpResult {
    let path = input["Path"].as_str().unwrap_or_default();
    if !path.starts_with('/') {
        return Err(validation(format!(
            "The parameter doesn't meet the parameter name requirements. The parameter name must begin with a \
             forward slash \"/\". It can't be prefixed with \"aws\" or \"ssm\" (case-insensitive). It must use \
             only letters, numbers, or the following symbols: . (period), - (hyphen), _ (underscore). Special \
             characters are not allowed. All sub-paths, if specified, must use the forward slash symbol \"/\". \
             Valid example: /get/parameters2-/by1./path0_. Path: {path}"
        )));
    }
    let recursive = input["Recursive"].as_bool().unwrap_or(false);
    let filters = filters(input)?;
    let found = world
        .services
        .ssm
        .parameters
        .values()
        .filter(|p| below(&p.name, path, recursive) && filters.iter().all(|f| f.matches(p)))
        .map(|p| shown(world, p, p.newest(), None, decrypts(input)))
        .collect();
    paged("Parameters", found, input, 10, 10)
}

pub(super) fn describe_parameters(world: &mut World, input: &Value) -> OpResult {
    let filters = filters(input)?;
    let found = world
        .services
        .ssm
        .parameters
        .values()
        .filter(|p| filters.iter().all(|f| f.matches(p)))
        .map(|p| metadata(world, p))
        .collect();
    paged("Parameters", found, input, 50, 50)
}

pub(super) fn get_parameter_history(world: &mut World, input: &Value) -> OpResult {
    let name = input["Name"].as_str().unwrap_or_default();
    let parameter = super::value(world, name).ok_or_else(not_found)?;
    let history = parameter
        .versions
        .iter()
        .map(|version| {
            let mut item = Map::new();
            item.insert("Name".to_owned(), json!(parameter.name));
            item.insert("Type".to_owned(), json!(parameter.kind));
            if let Some(key) = &parameter.key_id {
                item.insert("KeyId".to_owned(), json!(key));
            }
            item.insert(
                "LastModifiedDate".to_owned(),
                json!(version.modified.epoch_seconds()),
            );
            item.insert("LastModifiedUser".to_owned(), json!(version.modified_by));
            if let Some(text) = &version.description {
                item.insert("Description".to_owned(), json!(text));
            }
            let value = version.shown_value(&parameter.kind, decrypts(input));
            item.insert("Value".to_owned(), json!(value));
            item.insert("Version".to_owned(), json!(version.number));
            item.insert("Labels".to_owned(), json!(version.labels));
            item.insert("Tier".to_owned(), json!(parameter.tier));
            item.insert("Policies".to_owned(), json!([]));
            item.insert("DataType".to_owned(), json!(version.data_type));
            Value::Object(item)
        })
        .collect();
    paged("Parameters", history, input, 50, 50)
}

fn metadata(world: &World, parameter: &Parameter) -> Value {
    let newest = parameter.newest();
    let mut item = Map::new();
    item.insert("Name".to_owned(), json!(parameter.name));
    item.insert("ARN".to_owned(), json!(arn(world, &parameter.name)));
    item.insert("Type".to_owned(), json!(parameter.kind));
    if let Some(key) = &parameter.key_id {
        item.insert("KeyId".to_owned(), json!(key));
    }
    item.insert(
        "LastModifiedDate".to_owned(),
        json!(newest.modified.epoch_seconds()),
    );
    item.insert("LastModifiedUser".to_owned(), json!(newest.modified_by));
    if let Some(text) = &newest.description {
        item.insert("Description".to_owned(), json!(text));
    }
    item.insert("Version".to_owned(), json!(newest.number));
    item.insert("Tier".to_owned(), json!(parameter.tier));
    item.insert("Policies".to_owned(), json!([]));
    item.insert("DataType".to_owned(), json!(newest.data_type));
    Value::Object(item)
}

/// Whether `name` lies below `path`: directly, or at any depth.
fn below(name: &str, path: &str, recursive: bool) -> bool {
    let path = path.trim_end_matches('/');
    name.strip_prefix(path)
        .and_then(|rest| rest.strip_prefix('/'))
        .is_some_and(|rest| !rest.is_empty() && (recursive || !rest.contains('/')))
}

/// One `ParameterStringFilter`.
struct Filter {
    key: String,
    option: String,
    values: Vec<String>,
}

impl Filter {
    fn matches(&self, parameter: &Parameter) -> bool {
        let text = |actual: &str| {
            self.values.iter().any(|wanted| match self.option.as_str() {
                "BeginsWith" => actual.starts_with(wanted.as_str()),
                "Contains" => actual.contains(wanted.as_str()),
                _ => actual == wanted,
            })
        };
        match self.key.as_str() {
            "Name" => text(&parameter.name) || text(parameter.name.trim_start_matches('/')),
            "Type" => text(&parameter.kind),
            "Tier" => text(&parameter.tier),
            "KeyId" => parameter.key_id.as_deref().is_some_and(text),
            "DataType" => text(parameter.data_type()),
            "Label" => parameter
                .versions
                .iter()
                .flat_map(|version| &version.labels)
                .any(|label| text(label)),
            "Path" => self
                .values
                .iter()
                .any(|path| below(&parameter.name, path, self.option == "Recursive")),
            _ => false,
        }
    }
}

/// The request's filters, old form (`Filters`) and new (`ParameterFilters`).
fn filters(input: &Value) -> Result<Vec<Filter>, ApiError> {
    let mut filters = Vec::new();
    for filter in input["ParameterFilters"].as_array().into_iter().flatten() {
        let key = filter["Key"].as_str().unwrap_or_default();
        let path = key == "Path";
        let option = filter["Option"]
            .as_str()
            .unwrap_or(if path { "OneLevel" } else { "Equals" });
        if !["Name", "Type", "KeyId", "Path", "Label", "Tier", "DataType"].contains(&key)
            && !key.starts_with("tag:")
        {
            return Err(ApiError::client(
                "InvalidFilterKey",
                format!("The specified filter key isn't valid: {key}"),
            ));
        }
        let known: &[&str] = match key {
            "Path" => &["Recursive", "OneLevel"],
            "Name" => &["BeginsWith", "Equals", "Contains"],
            "KeyId" | "DataType" => &["Equals", "BeginsWith"],
            _ => &["Equals"],
        };
        if !known.contains(&option) {
            return Err(ApiError::client(
                "InvalidFilterOption",
                format!(
                    "The following filter option is not valid: {option}. Valid options include: {known:?}."
                ),
            ));
        }
        filters.push(Filter {
            key: key.to_owned(),
            option: option.to_owned(),
            values: strings(filter, "Values").into_iter().map(str::to_owned).collect(),
        });
    }
    for filter in input["Filters"].as_array().into_iter().flatten() {
        let key = filter["Key"].as_str().unwrap_or_default();
        filters.push(Filter {
            key: key.to_owned(),
            option: if key == "Name" { "BeginsWith" } else { "Equals" }.to_owned(),
            values: strings(filter, "Values").into_iter().map(str::to_owned).collect(),
        });
    }
    Ok(filters)
}
