//! Intrinsic functions and pseudo parameters ("Intrinsic function reference", "Pseudo parameters reference").

mod conditions;
mod texts;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::document::{Document, target};
use super::exports;
use crate::world::World;

/// The physical id of a resource, or its attribute.
pub(super) type Find<'a> = dyn Fn(&str, Option<&str>) -> Result<Value, String> + 'a;

/// What the functions of a template are carried out with.
pub(super) struct Scope<'a> {
    world: &'a World,
    document: &'a Document,
    stack: &'a str,
    stack_id: &'a str,
    /// The values of the parameters, with what Parameter Store has.
    parameters: &'a BTreeMap<String, String>,
    find: &'a Find<'a>,
    /// An export that is missing stands for itself.
    lenient: bool,
}

impl<'a> Scope<'a> {
    pub(super) fn new(
        world: &'a World,
        document: &'a Document,
        stack: &'a str,
        stack_id: &'a str,
        parameters: &'a BTreeMap<String, String>,
        find: &'a Find<'a>,
    ) -> Self {
        Self {
            world,
            document,
            stack,
            stack_id,
            parameters,
            find,
            lenient: false,
        }
    }

    /// The same for a look ahead: an export that is missing is no error, for it may be there when it is needed.
    pub(super) fn lenient(mut self) -> Self {
        self.lenient = true;
        self
    }

    /// A value with every function carried out; `None` for `AWS::NoValue`.
    ///
    /// # Errors
    /// What CloudFormation says of a function that cannot be carried out.
    pub(super) fn value(&self, value: &Value) -> Result<Option<Value>, String> {
        match value {
            Value::Array(items) => {
                let mut done = Vec::with_capacity(items.len());
                for item in items {
                    done.extend(self.value(item)?);
                }
                Ok(Some(Value::Array(done)))
            }
            Value::Object(members) => {
                if let Some((name, argument)) = members.iter().next().filter(|_| members.len() == 1)
                    && (name == "Ref" || name == "Condition" || name.starts_with("Fn::"))
                    && (name != "Condition" || argument.is_string())
                {
                    return self.function(name, argument);
                }
                let mut done = Map::new();
                for (name, member) in members {
                    if let Some(member) = self.value(member)? {
                        done.insert(name.clone(), member);
                    }
                }
                Ok(Some(Value::Object(done)))
            }
            other => Ok(Some(other.clone())),
        }
    }

    fn function(&self, name: &str, argument: &Value) -> Result<Option<Value>, String> {
        match name {
            "Ref" => self.reference(argument.as_str().unwrap_or_default()),
            "Fn::GetAtt" => {
                let argument = self.value(argument)?.unwrap_or_default();
                let (logical, attribute) =
                    target(&argument).ok_or("Template error: every Fn::GetAtt object requires two non-empty parameters, the resource name and the resource attribute")?;
                (self.find)(&logical, Some(&attribute)).map(Some)
            }
            "Fn::ImportValue" => {
                let name = self.text(argument, name)?;
                match exports::value(self.world, &name) {
                    Some(value) => Ok(Some(json!(value))),
                    None if self.lenient => Ok(Some(json!(format!("{{{{import:{name}}}}}")))),
                    None => Err(format!("No export named {name} found")),
                }
            }
            "Fn::If" => {
                let parts = argument.as_array().filter(|parts| parts.len() == 3);
                let parts =
                    parts.ok_or("Template error: Fn::If requires a list argument with three elements")?;
                let holds = self.condition(parts[0].as_str().unwrap_or_default())?;
                self.value(&parts[if holds { 1 } else { 2 }])
            }
            "Fn::FindInMap" => self.in_map(argument).map(Some),
            "Fn::Equals" | "Fn::And" | "Fn::Or" | "Fn::Not" | "Fn::Contains" | "Condition" => {
                let whole = json!({ name: argument });
                Ok(Some(json!(self.holds(&whole)?)))
            }
            _ => self.text_function(name, argument).map(Some),
        }
    }

    /// A parameter, a pseudo parameter or a resource.
    fn reference(&self, name: &str) -> Result<Option<Value>, String> {
        let options = &self.world.options;
        Ok(Some(match name {
            "AWS::NoValue" => return Ok(None),
            "AWS::AccountId" => json!(options.account_id),
            "AWS::NotificationARNs" => json!([]),
            "AWS::Partition" => json!("aws"),
            "AWS::Region" => json!(options.region),
            "AWS::StackId" => json!(self.stack_id),
            "AWS::StackName" => json!(self.stack),
            "AWS::URLSuffix" => json!("amazonaws.com"),
            _ => match self.parameters.get(name) {
                Some(list) if self.document.is_list(name) => {
                    list.split(',').map(|item| json!(item.trim())).collect()
                }
                Some(value) => json!(value),
                None => return (self.find)(name, None).map(Some),
            },
        }))
    }

    fn in_map(&self, argument: &Value) -> Result<Value, String> {
        let parts = argument.as_array().filter(|parts| parts.len() >= 3);
        let parts = parts.ok_or("Template error: every Fn::FindInMap object requires three parameters, the map name, map key and the attribute for return value")?;
        let mut at = self.document.0.get("Mappings");
        for part in &parts[..3] {
            let key = self.text(part, "Fn::FindInMap")?;
            at = at.and_then(|at| at.get(&key));
        }
        match at {
            Some(found) => Ok(found.clone()),
            None => {
                let keys: Vec<String> = parts[..3]
                    .iter()
                    .map(|part| self.text(part, ""))
                    .collect::<Result<_, _>>()?;
                Err(format!(
                    "Template error: Unable to get mapping for {}",
                    keys.join("::")
                ))
            }
        }
    }

    /// A value that has to be a text.
    fn text(&self, value: &Value, function: &str) -> Result<String, String> {
        match self.value(value)? {
            Some(Value::String(text)) => Ok(text),
            Some(Value::Number(number)) => Ok(number.to_string()),
            Some(Value::Bool(value)) => Ok(value.to_string()),
            _ => Err(format!(
                "Template error: every {function} object must have a String-typed value."
            )),
        }
    }
}

#[cfg(test)]
mod tests;
