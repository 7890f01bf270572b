//! The pieces that templates are built from.

use serde_json::{Map, Value, json};

/// A template in the making.
pub(crate) struct Template {
    description: String,
    mappings: Map<String, Value>,
    resources: Map<String, Value>,
    outputs: Map<String, Value>,
}

impl Template {
    pub(crate) fn new(description: &str) -> Self {
        Self {
            description: description.to_owned(),
            mappings: Map::new(),
            resources: Map::new(),
            outputs: Map::new(),
        }
    }

    pub(crate) fn add(&mut self, logical: &str, resource: Resource) {
        let before = self
            .resources
            .insert(logical.to_owned(), Value::Object(resource.0));
        debug_assert!(before.is_none(), "two resources are called `{logical}`");
    }

    /// Values that several resources have in common: names of names (`Fn::FindInMap`).
    pub(crate) fn map(&mut self, name: &str, values: Value) {
        self.mappings.insert(name.to_owned(), values);
    }

    /// An output that people and the command line read.
    pub(crate) fn output(&mut self, key: &str, value: Value) {
        self.outputs.insert(key.to_owned(), json!({ "Value": value }));
    }

    /// An output that other stacks import under `name`.
    pub(crate) fn export(&mut self, key: &str, value: Value, name: &str) {
        let output = json!({ "Value": value, "Export": { "Name": name } });
        self.outputs.insert(key.to_owned(), output);
    }

    pub(crate) fn finish(self) -> Value {
        let mut template = json!({
            "AWSTemplateFormatVersion": "2010-09-09",
            "Description": self.description,
        });
        if !self.mappings.is_empty() {
            template["Mappings"] = Value::Object(self.mappings);
        }
        template["Resources"] = Value::Object(self.resources);
        if !self.outputs.is_empty() {
            template["Outputs"] = Value::Object(self.outputs);
        }
        template
    }
}

/// A resource of a template.
#[derive(Clone, Debug)]
pub(crate) struct Resource(Map<String, Value>);

impl Resource {
    pub(crate) fn new(kind: &str, properties: Value) -> Self {
        let mut attributes = Map::new();
        attributes.insert("Type".to_owned(), json!(kind));
        attributes.insert("Properties".to_owned(), properties);
        Self(attributes)
    }

    /// Made after others that it does not refer to.
    pub(crate) fn after(self, logical: &[&str]) -> Self {
        self.with("DependsOn", json!(logical))
    }

    /// Stays when its stack goes.
    pub(crate) fn retained(self) -> Self {
        self.with("DeletionPolicy", json!("Retain"))
            .with("UpdateReplacePolicy", json!("Retain"))
    }

    /// Stays when its stack goes, where `stays`.
    pub(crate) fn retained_if(self, stays: bool) -> Self {
        if stays { self.retained() } else { self }
    }

    pub(crate) fn with(mut self, attribute: &str, value: Value) -> Self {
        self.0.insert(attribute.to_owned(), value);
        self
    }
}

/// What identifies a resource of the same template.
pub(crate) fn reference(logical: &str) -> Value {
    json!({ "Ref": logical })
}

/// An attribute of a resource of the same template.
pub(crate) fn attribute(logical: &str, attribute: &str) -> Value {
    json!({ "Fn::GetAtt": [logical, attribute] })
}

/// A text with `${…}` in it.
pub(crate) fn sub(text: &str) -> Value {
    json!({ "Fn::Sub": text })
}

/// Texts put together, for what `${…}` cannot name, such as another stack's export.
pub(crate) fn join(parts: &[Value]) -> Value {
    json!({ "Fn::Join": ["", parts] })
}

/// Texts put together with commas.
pub(crate) fn comma_list(parts: &[Value]) -> Value {
    json!({ "Fn::Join": [",", parts] })
}

/// The ARN of what `rest` names in the stack's own partition, region and account.
pub(crate) fn own_arn(service: &str, rest: &str) -> Value {
    sub(&format!(
        "arn:${{AWS::Partition}}:{service}:${{AWS::Region}}:${{AWS::AccountId}}:{rest}"
    ))
}

/// The name by which people find a resource in the console.
pub(crate) fn named(name: &str) -> Value {
    json!([{ "Key": "Name", "Value": name }])
}
