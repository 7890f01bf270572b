//! Where the text of a template comes from, and YAML.

use serde_json::{Map, Value, json};
use serde_norway::Value as Yaml;

use super::super::validation;
use crate::error::ApiError;
use crate::service::member::text;
use crate::service::s3;
use crate::world::World;

/// Bytes of a template in the request, and of one in a bucket ("CloudFormation quotas").
const INLINE: usize = 51_200;
const STORED: usize = 1_048_576;

/// The template that a request brings; `None` when it brings none.
///
/// # Errors
/// A `ValidationError` when it brings two, one that is too large, or one that is not in its bucket.
pub(in super::super) fn of_request(world: &World, input: &Value) -> Result<Option<String>, ApiError> {
    match (text(input, "TemplateBody"), text(input, "TemplateURL")) {
        (Some(_), Some(_)) => Err(validation(
            "You cannot specify both Template URL and Template Body",
        )),
        (Some(body), None) if body.len() > INLINE => Err(validation(format!(
            "1 validation error detected: Value '{}...' at 'templateBody' failed to satisfy constraint: Member must \
             have length less than or equal to {INLINE}",
            body.chars().take(64).collect::<String>()
        ))),
        (Some(body), None) => Ok(Some(body.to_owned())),
        (None, Some(url)) => stored(world, url).map(Some),
        (None, None) => Ok(None),
    }
}

fn stored(world: &World, url: &str) -> Result<String, ApiError> {
    let (bucket, key) =
        place(url).ok_or_else(|| validation(format!("TemplateURL must be a supported URL: {url}")))?;
    let bytes = s3::bytes(world, &bucket, &key)
        .ok_or_else(|| validation("S3 error: The specified key does not exist."))?;
    if bytes.len() > STORED {
        return Err(validation(format!(
            "Template may not exceed {STORED} bytes in size."
        )));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Bucket and key of an address of S3: `https://bucket.s3.region.amazonaws.com/key`, or with the bucket in the path.
fn place(url: &str) -> Option<(String, String)> {
    let rest = url.strip_prefix("https://")?;
    let (host, path) = rest.split_once('/')?;
    let path = path.split('?').next().unwrap_or(path);
    let path = percent_encoding::percent_decode_str(path).decode_utf8().ok()?;
    host.strip_suffix(".amazonaws.com")
        .or_else(|| host.strip_suffix(".amazonaws.com.cn"))?;
    if host.starts_with("s3.") || host.starts_with("s3-") {
        let (bucket, key) = path.split_once('/')?;
        return Some((bucket.to_owned(), key.to_owned()));
    }
    let at = host.find(".s3.").or_else(|| host.find(".s3-"))?;
    Some((host.get(..at)?.to_owned(), path.into_owned()))
}

/// A template in YAML, with the short forms of the functions written out ("Template syntax", "YAML short form").
pub(super) fn yaml(text: &str) -> Result<Value, ApiError> {
    let parsed: Yaml = serde_norway::from_str(text)
        .map_err(|error| validation(format!("Template format error: YAML not well-formed. ({error})")))?;
    match long(parsed) {
        value @ Value::Object(_) => Ok(value),
        _ => Err(validation("Template format error: unsupported structure.")),
    }
}

fn long(value: Yaml) -> Value {
    match value {
        Yaml::Null => Value::Null,
        Yaml::Bool(value) => json!(value),
        Yaml::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => json!(whole),
            (None, Some(number)) => json!(number),
            (None, None) => json!(number.to_string()),
        },
        Yaml::String(text) => Value::String(text),
        Yaml::Sequence(items) => items.into_iter().map(long).collect(),
        Yaml::Mapping(members) => {
            let members = members.into_iter().map(|(name, member)| {
                let name = match name {
                    Yaml::String(name) => name,
                    other => long(other).to_string(),
                };
                (name, long(member))
            });
            Value::Object(members.collect::<Map<_, _>>())
        }
        Yaml::Tagged(tagged) => {
            let tag = tagged.tag.to_string();
            let tag = tag.trim_start_matches('!');
            let value = long(tagged.value);
            match (tag, &value) {
                ("Ref" | "Condition", _) => json!({ tag: value }),
                // `!GetAtt Resource.Attribute`
                ("GetAtt", Value::String(path)) => match path.split_once('.') {
                    Some((logical, attribute)) => json!({ "Fn::GetAtt": [logical, attribute] }),
                    None => json!({ "Fn::GetAtt": [path] }),
                },
                _ => json!({ format!("Fn::{tag}"): value }),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_buckets_are_read_in_every_form() {
        for url in [
            "https://assets.s3.us-east-1.amazonaws.com/a/b.json",
            "https://s3.us-east-1.amazonaws.com/assets/a/b.json",
            "https://s3.amazonaws.com/assets/a/b.json",
            "https://assets.s3.amazonaws.com/a/b.json",
        ] {
            assert_eq!(
                place(url),
                Some(("assets".to_owned(), "a/b.json".to_owned())),
                "{url}"
            );
        }
        assert_eq!(place("https://example.com/a"), None);
        assert_eq!(place("http://assets.s3.amazonaws.com/a"), None);
    }

    #[test]
    fn short_forms_are_written_out() {
        let read =
            yaml("a: !Ref B\nc: !GetAtt D.E.F\ng: !Sub ['${x}', {x: 1}]\nh: !If [I, !Ref J, no]\n").unwrap();
        assert_eq!(
            read,
            json!({
                "a": {"Ref": "B"},
                "c": {"Fn::GetAtt": ["D", "E.F"]},
                "g": {"Fn::Sub": ["${x}", {"x": 1}]},
                "h": {"Fn::If": ["I", {"Ref": "J"}, "no"]},
            })
        );
        assert_eq!(
            yaml("just text").unwrap_err().message,
            "Template format error: unsupported structure."
        );
    }
}
