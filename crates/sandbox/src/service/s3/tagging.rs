//! The tags of objects.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::object::Content;
use super::{named, named_mut, read};
use crate::error::{ApiError, OpResult};
use crate::service::member::{list, present, text};
use crate::world::World;

/// An object has ten tags at most, with keys of 128 and values of 256 characters (user guide, "Categorizing your
/// objects using tags").
const MOST: usize = 10;
const LONGEST_KEY: usize = 128;
const LONGEST_VALUE: usize = 256;

type Tags = BTreeMap<String, String>;

/// `a=1&b=2`, as PutObject has them in a header.
pub(super) fn from_header(header: &str) -> Result<Tags, ApiError> {
    checked(form_urlencoded::parse(header.as_bytes()).into_owned())
}

fn checked(given: impl Iterator<Item = (String, String)>) -> Result<Tags, ApiError> {
    let mut tags = Tags::new();
    for (key, value) in given {
        if key.is_empty() || key.chars().count() > LONGEST_KEY {
            return Err(invalid("The TagKey you have provided is invalid"));
        }
        if value.chars().count() > LONGEST_VALUE {
            return Err(invalid("The TagValue you have provided is invalid"));
        }
        if tags.insert(key, value).is_some() {
            return Err(invalid("Cannot provide multiple Tags with the same key"));
        }
    }
    if tags.len() > MOST {
        return Err(ApiError::client(
            "BadRequest",
            "Object tags cannot be greater than 10",
        ));
    }
    Ok(tags)
}

fn invalid(message: &str) -> ApiError {
    ApiError::client("InvalidTag", message)
}

/// Lets `change` have the content that the request is about, and answers its version id.
fn of_object(world: &mut World, input: &Value, change: impl FnOnce(&mut Content)) -> OpResult {
    let key = text(input, "Key").unwrap_or_default();
    let bucket = named(world, input)?;
    let (object, _) = read::version(bucket, key, text(input, "VersionId"))?;
    let (name, shown) = (object.version_name().to_owned(), object.shown_version(bucket));
    let versions = named_mut(world, input)?
        .objects
        .get_mut(key)
        .into_iter()
        .flatten();
    let found = versions
        .filter(|version| version.version_name() == name)
        .find_map(|version| version.content.as_mut());
    if let Some(content) = found {
        change(content);
    }
    Ok(present(json!({ "VersionId": shown })))
}

pub(super) fn get(world: &World, input: &Value) -> OpResult {
    let bucket = named(world, input)?;
    let key = text(input, "Key").unwrap_or_default();
    let (object, content) = read::version(bucket, key, text(input, "VersionId"))?;
    let tags: Vec<Value> = content
        .tags
        .iter()
        .map(|(key, value)| json!({"Key": key, "Value": value}))
        .collect();
    Ok(present(
        json!({ "TagSet": tags, "VersionId": object.shown_version(bucket) }),
    ))
}

pub(super) fn put(world: &mut World, input: &Value) -> OpResult {
    let given = input.get("Tagging").cloned().unwrap_or_default();
    let member = |tag: &Value, name: &str| text(tag, name).unwrap_or_default().to_owned();
    let tags = checked(
        list(&given, "TagSet")
            .iter()
            .map(|tag| (member(tag, "Key"), member(tag, "Value"))),
    )?;
    of_object(world, input, |content| content.tags = tags)
}

pub(super) fn delete(world: &mut World, input: &Value) -> OpResult {
    of_object(world, input, |content| content.tags.clear())
}
