//! The functions that make texts and lists.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::Scope;

impl Scope<'_> {
    pub(super) fn text_function(&self, name: &str, argument: &Value) -> Result<Value, String> {
        match name {
            "Fn::Sub" => self.substitute(argument).map(Value::String),
            "Fn::Join" => {
                let (separator, list) = self.two(name, argument)?;
                let items = list.as_array().ok_or("Template error: every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of strings to be joined or a function that returns a list of strings (such as Fn::GetAZs) to be joined.")?;
                let texts = items
                    .iter()
                    .map(|item| self.text(item, name))
                    .collect::<Result<Vec<_>, _>>()?;
                Ok(json!(texts.join(separator.as_str().unwrap_or_default())))
            }
            "Fn::Split" => {
                let (separator, source) = self.two(name, argument)?;
                let source = source.as_str().unwrap_or_default();
                let separator = separator.as_str().unwrap_or_default();
                Ok(source.split(separator).map(|part| json!(part)).collect())
            }
            "Fn::Select" => {
                let (index, list) = self.two(name, argument)?;
                let position: Option<usize> = match &index {
                    Value::String(text) => text.parse().ok(),
                    other => other.as_u64().and_then(|position| usize::try_from(position).ok()),
                };
                let found = position.and_then(|position| list.get(position));
                found.cloned().ok_or_else(|| {
                    format!("Template error: Fn::Select cannot select nonexistent value at index {index}")
                })
            }
            "Fn::Base64" => Ok(json!(STANDARD.encode(self.text(argument, name)?))),
            "Fn::GetAZs" => {
                // "Fn::GetAZs returns only Availability Zones that have a default subnet": here, both.
                let region = self.text(argument, name)?;
                let region = if region.is_empty() {
                    &self.world.options.region
                } else {
                    &region
                };
                Ok(json!([format!("{region}a"), format!("{region}b")]))
            }
            other => Err(format!(
                "Template error: function {other} is not supported by the sandbox"
            )),
        }
    }

    /// Both elements of a list of two, carried out.
    fn two(&self, name: &str, argument: &Value) -> Result<(Value, Value), String> {
        match argument.as_array().map(Vec::as_slice) {
            Some([first, second]) => Ok((
                self.value(first)?.unwrap_or_default(),
                self.value(second)?.unwrap_or_default(),
            )),
            _ => Err(format!(
                "Template error: every {name} object requires two parameters"
            )),
        }
    }

    fn substitute(&self, argument: &Value) -> Result<String, String> {
        let (text, own) = match argument {
            Value::String(text) => (text.as_str(), None),
            Value::Array(parts) => (
                parts.first().and_then(Value::as_str).unwrap_or_default(),
                parts.get(1),
            ),
            _ => return Err("Template error: One or more Fn::Sub intrinsic functions don't specify expected arguments. Specify a string as first argument, and an optional second argument to specify a mapping of values to replace in the string".to_owned()),
        };
        let mut made = String::new();
        let mut rest = text;
        while let Some(at) = rest.find("${") {
            made.push_str(&rest[..at]);
            rest = &rest[at + 2..];
            let Some(end) = rest.find('}') else {
                made.push_str("${");
                break;
            };
            let name = rest[..end].trim();
            rest = &rest[end + 1..];
            // "${!Literal}" stands for "${Literal}".
            if let Some(literal) = name.strip_prefix('!') {
                made.push_str(&format!("${{{literal}}}"));
                continue;
            }
            let function = match (own.and_then(|own| own.get(name)), name.split_once('.')) {
                (Some(value), _) => value.clone(),
                (None, Some((logical, attribute))) => json!({ "Fn::GetAtt": [logical, attribute] }),
                (None, None) => json!({ "Ref": name }),
            };
            made.push_str(&self.text(&function, "Fn::Sub")?);
        }
        made.push_str(rest);
        Ok(made)
    }
}
