//! What all `Describe…` operations share: ids, filters, pages.

use serde_json::{Map, Value, json};

use crate::error::{ApiError, OpResult};
use crate::service::member::{integer, list, page, present, text, texts};

/// How one kind of thing is asked for.
pub(super) struct Kind {
    /// The member of the answer that lists them.
    pub(super) output: &'static str,
    /// The members of the request that select some, each with the member that they select by.
    pub(super) ids: &'static [(&'static str, &'static str)],
    /// The error for an id that nothing has, and what it calls the thing.
    pub(super) missing: (&'static str, &'static str),
    /// The filters by name, each with the path of what it looks at. `tag:…`, `tag-key` go without saying.
    pub(super) filters: &'static [(&'static str, &'static str)],
}

/// Answers a request with those of `items` that it is about.
pub(super) fn describe(kind: &Kind, items: Vec<Value>, input: &Value) -> OpResult {
    let items = selected(kind, items, input)?;
    let limit = integer(input, "MaxResults").and_then(|most| usize::try_from(most).ok());
    let size = limit.unwrap_or(1000).clamp(1, 1000);
    let (items, next) = page(items, text(input, "NextToken"), size, || {
        ApiError::client("InvalidNextToken", "The token is not valid.")
    })?;
    let mut output = Map::new();
    output.insert(kind.output.to_owned(), items.into());
    if let Some(next) = next {
        output.insert("NextToken".to_owned(), next.into());
    }
    Ok(present(Value::Object(output)))
}

/// Those of `items` that the ids and the filters of the request leave.
pub(super) fn selected(kind: &Kind, mut items: Vec<Value>, input: &Value) -> Result<Vec<Value>, ApiError> {
    super::answers_dry_run(input)?;
    for (member, by) in kind.ids {
        let wanted = texts(input, member);
        let has = |item: &Value, id: &str| item[*by] == *id;
        if let Some(missing) = wanted.iter().find(|id| !items.iter().any(|item| has(item, id))) {
            let (code, what) = kind.missing;
            return Err(ApiError::client(
                code,
                format!("The {what} '{missing}' does not exist"),
            ));
        }
        if !wanted.is_empty() {
            items.retain(|item| wanted.iter().any(|id| has(item, id)));
        }
    }
    // One operation spells the member in the singular.
    let filters = [list(input, "Filters"), list(input, "Filter")].concat();
    for filter in &filters {
        let name = text(filter, "Name").unwrap_or_default();
        let wanted = texts(filter, "Values");
        let looked_at = look(kind, name)?;
        items.retain(|item| {
            let found = looked_at(item);
            wanted
                .iter()
                .any(|pattern| found.iter().any(|value| matches(pattern, value)))
        });
    }
    Ok(items)
}

type Look = Box<dyn Fn(&Value) -> Vec<String>>;

/// What a filter looks at.
fn look(kind: &Kind, name: &str) -> Result<Look, ApiError> {
    if let Some(key) = name.strip_prefix("tag:") {
        let key = key.to_owned();
        return Ok(Box::new(move |item| {
            let tags = list(item, "Tags").iter().chain(list(item, "TagSet"));
            tags.filter(|tag| tag["Key"] == *key)
                .filter_map(|tag| text(tag, "Value").map(str::to_owned))
                .collect()
        }));
    }
    if name == "tag-key" {
        return Ok(Box::new(|item| {
            [at(item, "Tags.Key"), at(item, "TagSet.Key")].concat()
        }));
    }
    let path = kind
        .filters
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, path)| *path);
    let path = path.ok_or_else(|| {
        ApiError::client("InvalidParameterValue", format!("The filter '{name}' is invalid"))
    })?;
    Ok(Box::new(move |item| at(item, path)))
}

/// The values at a path; lists on the way are gone through.
fn at(item: &Value, path: &str) -> Vec<String> {
    let mut values = vec![item];
    for step in path.split('.') {
        values = values
            .into_iter()
            .filter_map(|value| value.get(step))
            .flat_map(|value| {
                value
                    .as_array()
                    .map_or_else(|| vec![value], |list| list.iter().collect())
            })
            .collect();
    }
    values
        .into_iter()
        .map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
        .collect()
}

/// Whether `text` fits a pattern in which `*` stands for any letters and `?` for one.
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(wanted) if *wanted == '?' || *wanted == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    p = at + 1;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|left| *left == '*')
}

/// `Tags` of keys and values.
pub(super) fn tags<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Value {
    pairs
        .into_iter()
        .map(|(key, value)| json!({ "Key": key, "Value": value }))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_have_stars_and_question_marks() {
        for (pattern, text, fits) in [
            ("bp-*", "bp-comfyui", true),
            ("*ui", "bp-comfyui", true),
            ("b?-c*i", "bp-comfyui", true),
            ("bp", "bp-comfyui", false),
            ("*", "", true),
            ("?", "", false),
            ("a*b*c", "aXbXbXc", true),
        ] {
            assert_eq!(matches(pattern, text), fits, "{pattern} {text}");
        }
    }
}
