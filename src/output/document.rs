//! Results as documents for programs: the members that all of them have, and the JSON Schemas of their shapes.

use std::collections::BTreeSet;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::formats::{lines, whole_seconds};
use super::unexpected;
use crate::error::Result;
use crate::ui::Ui;

/// What a program reads of a result.
///
/// Implemented by the table in `commands/documents.rs` alone, where it gets its name and number: a result that is not
/// in that table, or whose shape has no JSON Schema, cannot be written.
pub(crate) trait Document: Serialize + JsonSchema {
    /// Name and number of the shape, e.g. `bpctl.whoami/1`.
    const SCHEMA: &'static str;

    /// The member with the items that are the lines of `jsonl`; without one the document is one line.
    const ITEMS: Option<&'static str> = None;
}

/// Where the facts of a document come from: the first members of every document.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub(crate) struct Envelope {
    /// The context in force; null for what does not depend on one.
    pub(crate) context: Option<String>,
    /// The account that was asked; null when none was, or when it did not say which it is.
    pub(crate) account: Option<String>,
    /// The region that was asked, or would be; null when none is set.
    pub(crate) region: Option<String>,
}

/// The JSON document: `schema` first, then the envelope, then the result's own members, which win.
pub(crate) fn document<D: Document>(result: &D, envelope: &Envelope) -> Result<Value> {
    let mut value = serde_json::to_value(result).map_err(unexpected)?;
    whole_seconds(&mut value);
    enveloped(D::SCHEMA, envelope, value)
}

fn enveloped(schema: &str, envelope: &Envelope, value: Value) -> Result<Value> {
    let mut document = Map::new();
    document.insert("schema".to_owned(), Value::String(schema.to_owned()));
    if let Value::Object(members) = serde_json::to_value(envelope).map_err(unexpected)? {
        document.extend(members);
    }
    match value {
        Value::Object(members) => document.extend(members),
        other => {
            document.insert("value".to_owned(), other);
        }
    }
    Ok(Value::Object(document))
}

/// The items of a document that has some.
pub(super) fn items<D: Document>(document: &Value) -> Option<&[Value]> {
    document.get(D::ITEMS?)?.as_array().map(Vec::as_slice)
}

/// The lines of `jsonl`: each item as a document of its own, or the one document.
pub(super) fn item_lines<D: Document>(result: &D, envelope: &Envelope) -> Result<Vec<Value>> {
    let document = document(result, envelope)?;
    let Some(items) = items::<D>(&document) else {
        return Ok(vec![document]);
    };
    let schema = item_schema_name(D::SCHEMA);
    items
        .iter()
        .map(|item| enveloped(&schema, envelope, item.clone()))
        .collect()
}

/// `bpctl.fleet.list/1` → `bpctl.fleet.list.item/1`.
fn item_schema_name(schema: &str) -> String {
    match schema.split_once('/') {
        Some((name, number)) => format!("{name}.item/{number}"),
        None => format!("{schema}.item"),
    }
}

/// The whole document in one line, as `jsonl` writes what has no items.
///
/// # Errors
/// A result that is no document.
pub(crate) fn document_line<D: Document>(ui: &Ui, envelope: &Envelope, result: &D) -> Result<String> {
    lines(&[document(result, envelope)?], ui.is_github())
}

/// A shape of documents: its name, what it is, and its JSON Schema.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    /// Name and number, e.g. `bpctl.fleet.list/1`.
    pub(crate) name: String,
    /// What documents of this shape tell, in a sentence.
    pub(crate) about: String,
    pub(crate) json_schema: Value,
}

impl Shape {
    /// The shapes that a type of documents has: its own, and that of its items.
    pub(crate) fn of<D: Document>(about: &'static str) -> Vec<Self> {
        let own = schema_of::<D>();
        let items = D::ITEMS.and_then(|member| {
            let name = item_schema_name(D::SCHEMA);
            let item = item_of(&own, member)?;
            let about = format!("One of the `{member}` of `{}`.", D::SCHEMA);
            Some(Self::new(name, about, with_place(item)))
        });
        std::iter::once(Self::new(D::SCHEMA.to_owned(), about.to_owned(), with_place(own)))
            .chain(items)
            .collect()
    }

    /// The shape of documents that carry no place.
    pub(crate) fn without_place<T: JsonSchema>(name: &str, about: &'static str) -> Self {
        Self::new(name.to_owned(), about.to_owned(), schema_of::<T>())
    }

    /// The name without `bpctl.` and number, as it is typed: `fleet.list`.
    pub(crate) fn short_name(&self) -> &str {
        let name = self.name.strip_prefix("bpctl.").unwrap_or(&self.name);
        name.split_once('/').map_or(name, |(name, _)| name)
    }

    fn new(name: String, about: String, mut own: Map<String, Value>) -> Self {
        let mut root = Map::new();
        root.insert("$schema".to_owned(), json!(DIALECT));
        root.insert("title".to_owned(), json!(name));
        root.insert("description".to_owned(), json!(about));
        root.insert("type".to_owned(), json!("object"));
        let mut properties = Map::new();
        properties.insert(
            "schema".to_owned(),
            json!({"description": "Name and number of this shape.", "type": "string", "const": name}),
        );
        let own_members = members(&mut own, "properties").into_iter();
        properties.extend(own_members.filter(|(member, _)| member != "schema"));
        let mut required = vec![json!("schema")];
        if let Some(Value::Array(names)) = own.remove("required") {
            required.extend(names.into_iter().filter(|name| name != "schema"));
        }
        root.insert("properties".to_owned(), Value::Object(properties));
        root.insert("required".to_owned(), Value::Array(required));
        let definitions = members(&mut own, "$defs");
        for known in ["$schema", "title", "description", "type"] {
            own.remove(known);
        }
        root.extend(own);
        let definitions = needed(&root, definitions);
        if !definitions.is_empty() {
            root.insert("$defs".to_owned(), Value::Object(definitions));
        }
        Self {
            name,
            about,
            json_schema: Value::Object(root),
        }
    }
}

const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// What is written of a type, as a JSON Schema.
fn schema_of<T: JsonSchema>() -> Map<String, Value> {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let schema: Schema = settings.into_generator().into_root_schema_for::<T>();
    match schema.to_value() {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

/// The members of the envelope and then those of the document, which win.
fn with_place(mut own: Map<String, Value>) -> Map<String, Value> {
    let mut place = schema_of::<Envelope>();
    for member in ["properties", "$defs"] {
        let mut all = members(&mut place, member);
        all.extend(members(&mut own, member));
        own.insert(member.to_owned(), Value::Object(all));
    }
    let mut required: Vec<Value> = Vec::new();
    for list in [place.remove("required"), own.remove("required")] {
        for name in list.as_ref().and_then(Value::as_array).into_iter().flatten() {
            if !required.contains(name) {
                required.push(name.clone());
            }
        }
    }
    own.insert("required".to_owned(), Value::Array(required));
    own
}

fn members(of: &mut Map<String, Value>, name: &str) -> Map<String, Value> {
    match of.remove(name) {
        Some(Value::Object(members)) => members,
        _ => Map::new(),
    }
}

/// The schema of the items of a list among the document's members, with every definition of the document.
fn item_of(document: &Map<String, Value>, member: &str) -> Option<Map<String, Value>> {
    let list = document.get("properties")?.get(member)?;
    let reference = list.get("items")?.get("$ref")?.as_str()?;
    let definitions = document.get("$defs")?;
    let item = definitions.get(reference.strip_prefix(REFERENCE)?)?;
    let mut item = item.as_object()?.clone();
    item.insert("$defs".to_owned(), definitions.clone());
    Some(item)
}

/// How one part of a schema refers to a definition.
const REFERENCE: &str = "#/$defs/";

/// The definitions that are referred to, directly or by others.
fn needed(root: &Map<String, Value>, definitions: Map<String, Value>) -> Map<String, Value> {
    let mut names = BTreeSet::new();
    let mut open: Vec<&Value> = root.values().collect();
    while let Some(value) = open.pop() {
        match value {
            Value::Object(members) => {
                if let Some(Value::String(reference)) = members.get("$ref")
                    && let Some(name) = reference.strip_prefix(REFERENCE)
                    && names.insert(name.to_owned())
                {
                    open.extend(definitions.get(name));
                }
                open.extend(members.values());
            }
            Value::Array(values) => open.extend(values),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let needed = definitions.into_iter().filter(|(name, _)| names.contains(name));
    needed.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize, JsonSchema)]
    struct Pool {
        name: &'static str,
        /// Pools that this one feeds.
        feeds: Vec<Pool>,
        region: &'static str,
    }

    #[derive(Serialize, JsonSchema)]
    struct Pools {
        pools: Vec<Pool>,
        limits: Limits,
    }

    #[derive(Serialize, JsonSchema)]
    struct Limits {
        #[serde(skip_serializing_if = "Option::is_none")]
        most: Option<u32>,
    }

    impl Document for Pools {
        const SCHEMA: &'static str = "bpctl.pools/3";
        const ITEMS: Option<&'static str> = Some("pools");
    }

    fn pools() -> Pools {
        Pools {
            pools: vec![Pool {
                name: "a",
                feeds: Vec::new(),
                region: "eu-west-1",
            }],
            limits: Limits { most: None },
        }
    }

    fn envelope() -> Envelope {
        Envelope {
            context: Some("live".to_owned()),
            account: Some("123456789012".to_owned()),
            region: Some("us-east-1".to_owned()),
        }
    }

    #[test]
    fn every_line_of_jsonl_says_what_it_is_and_where_it_comes_from() {
        let lines = item_lines(&pools(), &envelope()).unwrap();
        assert_eq!(
            lines,
            // The item's own region wins.
            [json!({
                "schema": "bpctl.pools.item/3", "context": "live", "account": "123456789012", "region": "eu-west-1",
                "name": "a", "feeds": [],
            })]
        );
    }

    #[test]
    fn a_type_with_items_has_two_shapes() {
        let shapes = Shape::of::<Pools>("Pools.");
        let names: Vec<&str> = shapes.iter().map(|shape| shape.name.as_str()).collect();
        assert_eq!(names, ["bpctl.pools/3", "bpctl.pools.item/3"]);
        assert_eq!(shapes[0].short_name(), "pools");
        let [document, item] = [&shapes[0].json_schema, &shapes[1].json_schema];
        assert_eq!(document["properties"]["schema"]["const"], "bpctl.pools/3");
        assert_eq!(
            document["required"],
            json!(["schema", "context", "account", "region", "pools", "limits"])
        );
        // What is left out when there is none is not required.
        assert_eq!(document["$defs"]["Limits"].get("required"), None);
        assert_eq!(
            item["required"],
            json!(["schema", "context", "account", "region", "name", "feeds"])
        );
        assert_eq!(item["properties"]["region"]["type"], "string");
        // The item refers to itself, and to nothing else.
        let definitions: Vec<&String> = item["$defs"].as_object().unwrap().keys().collect();
        assert_eq!(definitions, ["Pool"]);
    }
}
