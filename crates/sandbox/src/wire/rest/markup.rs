//! Reads the XML document in a request's body.

use serde_json::{Map, Value};
use xmlparser::{ElementEnd, Token, Tokenizer};

use crate::wire::json::Malformed;
use crate::wire::read_scalar;
use crate::wire::shape::{Api, Kind};

/// No document of an API nests deeper; what does is an attack on the stack.
const DEEPEST: usize = 32;

/// An element with what stands in it.
#[derive(Debug, Default)]
struct Element {
    name: String,
    text: String,
    children: Vec<Element>,
}

/// `body` as the structure called `shape`, whatever its root element is called.
pub(super) fn read(api: &Api, shape: &str, body: &[u8]) -> Result<Value, Malformed> {
    let document = std::str::from_utf8(body).ok().and_then(parse);
    let root = document.ok_or_else(|| {
        Malformed(
            "The XML you provided was not well-formed or did not validate against our published schema"
                .to_owned(),
        )
    })?;
    root.read(api, shape)
}

/// The root element; `None` when the text is no well-formed document. Document types are not read.
fn parse(text: &str) -> Option<Element> {
    let mut open: Vec<Element> = Vec::new();
    let mut root = None;
    for token in Tokenizer::from(text) {
        match token.ok()? {
            Token::ElementStart { local, .. } => {
                if root.is_some() || open.len() == DEEPEST {
                    return None;
                }
                open.push(Element {
                    name: local.to_string(),
                    ..Element::default()
                });
            }
            Token::Text { text } => {
                if let Some(element) = open.last_mut() {
                    element.text.push_str(&unescaped(&text)?);
                }
            }
            Token::Cdata { text, .. } => open.last_mut()?.text.push_str(&text),
            Token::ElementEnd { end, .. } => {
                if let ElementEnd::Close(_, local) = end
                    && open.last()?.name != local.as_str()
                {
                    return None;
                }
                if end != ElementEnd::Open {
                    let done = open.pop()?;
                    match open.last_mut() {
                        Some(parent) => parent.children.push(done),
                        None => root = Some(done),
                    }
                }
            }
            Token::DtdStart { .. } | Token::EmptyDtd { .. } | Token::EntityDeclaration { .. } => return None,
            _ => {}
        }
    }
    root.filter(|_| open.is_empty())
}

fn unescaped(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        let (entity, after) = after.split_once(';')?;
        out.push_str(before);
        out.push(match entity {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            _ => {
                let digits = entity.strip_prefix('#')?;
                let code = match digits.strip_prefix('x') {
                    Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                    None => digits.parse().ok()?,
                };
                char::from_u32(code)?
            }
        });
        rest = after;
    }
    out.push_str(rest);
    Some(out)
}

impl Element {
    fn read(&self, api: &Api, shape: &str) -> Result<Value, Malformed> {
        let shape = api.shape(shape);
        match shape.kind {
            Kind::Structure => {
                let mut known = Map::new();
                for (name, reference) in &shape.members {
                    let sent = reference.location_name.as_deref().unwrap_or(name);
                    let inner = api.shape(&reference.shape);
                    let mut given = self.children.iter().filter(|child| child.name == sent).peekable();
                    if given.peek().is_none() {
                        continue;
                    }
                    let value = match inner.member.as_deref().filter(|_| inner.flattened) {
                        Some(each) => given
                            .map(|child| child.read(api, &each.shape))
                            .collect::<Result<_, _>>()?,
                        None => given
                            .next()
                            .map_or(Ok(Value::Null), |child| child.read(api, &reference.shape))?,
                    };
                    known.insert(name.clone(), value);
                }
                Ok(Value::Object(known))
            }
            Kind::List => {
                let each = shape.member.as_deref();
                let each = each.ok_or_else(|| Malformed("Unexpected list".to_owned()))?;
                self.children
                    .iter()
                    .map(|child| child.read(api, &each.shape))
                    .collect()
            }
            kind => read_scalar(kind, self.text.trim_matches(['\n', '\r', '\t'])),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::service::Service;

    fn delete(document: &str) -> Result<Value, Malformed> {
        read(Api::of(Service::S3), "Delete", document.as_bytes())
    }

    #[test]
    fn lists_text_and_entities_are_read() {
        let document = "<?xml version=\"1.0\"?><Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\n\
            <Object><Key>a&amp;b&#x41;</Key></Object><Object><Key><![CDATA[<c>]]></Key><VersionId>v</VersionId></Object>\
            <Quiet>true</Quiet></Delete>";
        assert_eq!(
            delete(document),
            Ok(json!({"Objects": [{"Key": "a&bA"}, {"Key": "<c>", "VersionId": "v"}], "Quiet": true}))
        );
    }

    #[test]
    fn what_is_not_well_formed_or_too_deep_is_refused() {
        let deep = format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000));
        let bomb = "<!DOCTYPE a [<!ENTITY b \"c\">]><Delete>&b;</Delete>";
        for document in [
            "",
            "<Delete>",
            "<a></b>",
            "<a/><b/>",
            "<a>&nbsp;</a>",
            &deep,
            bomb,
        ] {
            assert!(
                delete(document).is_err(),
                "{}",
                document.get(..20).unwrap_or(document)
            );
        }
    }
}
