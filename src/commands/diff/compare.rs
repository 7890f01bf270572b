//! What lasts of things, and where two places differ in it.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

/// Kinds, and the members of their rows that are compared: what somebody has decided, not what happens at the moment.
pub(super) const COMPARED: &[(&str, &[&str])] = &[
    ("service", &["status", "desired", "execute_command"]),
    ("image", &["digest", "tags", "platforms"]),
    ("alarm", &["metric", "condition", "actions_enabled", "actions"]),
    ("fleet", &["min", "max", "instance_types", "suspended", "legacy"]),
    ("stack", &["status", "legacy"]),
    ("parameter", &["value", "data_type"]),
    ("secret", &["store", "has_value"]),
];

/// A member in which a thing is not the same in both places, or a thing that only one of them has.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Difference {
    /// `service`, `image`, `alarm`, `fleet`, `stack`, `parameter` or `secret`.
    pub(super) kind: String,
    /// Its name; for an image the repository and the tag that services pull.
    pub(super) name: String,
    /// Which member differs; null where one of the places has no such thing.
    pub(super) member: Option<String>,
    /// As it is in the first place; null where it has none.
    pub(super) first: Option<Value>,
    /// As it is in the second place; null where it has none.
    pub(super) second: Option<Value>,
}

/// What the names of a place are called in every place: its account, region and stage.
#[derive(Clone, Debug, Default)]
pub(super) struct Common(Vec<(String, &'static str)>);

impl Common {
    /// `stage` only where it is a part of the names of the whole system.
    pub(super) fn of(account: Option<&str>, region: Option<&str>, stage: Option<&str>) -> Self {
        let words = [(account, "ACCOUNT"), (region, "REGION"), (stage, "STAGE")];
        Self(
            words
                .into_iter()
                .filter_map(|(word, common)| Some((word?.to_owned(), common)))
                .collect(),
        )
    }

    /// A text with the words that every place has of its own taken for the same.
    fn text(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (own, common)| {
            whole_words(&text, own, common)
        })
    }

    fn value(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(text)),
            Value::Array(items) => {
                let mut items: Vec<Value> = items.iter().map(|item| self.value(item)).collect();
                items.sort_by_key(Value::to_string);
                Value::Array(items)
            }
            other => other.clone(),
        }
    }
}

/// `own` replaced where neither a letter nor a digit stands beside it.
fn whole_words(text: &str, own: &str, common: &str) -> String {
    let mut result = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(own) {
        let (before, from) = rest.split_at(at);
        let after = &from[own.len()..];
        let inside = |letter: Option<char>| letter.is_some_and(char::is_alphanumeric);
        let before_it = before.chars().next_back().or_else(|| result.chars().next_back());
        let is_whole = !inside(before_it) && !inside(after.chars().next());
        result.push_str(before);
        result.push_str(if is_whole { common } else { own });
        rest = after;
    }
    result + rest
}

/// Things by kind and name, with the members that are compared.
type Things = BTreeMap<(String, String), Map<String, Value>>;

/// The things of a place, from the items of `get`.
pub(super) fn things(items: &[Value], common: &Common) -> Things {
    let mut things = Things::new();
    for item in items {
        let kind = item["kind"].as_str().unwrap_or_default();
        let Some((_, members)) = COMPARED.iter().find(|(compared, _)| *compared == kind) else {
            continue;
        };
        for (name, item) in named(kind, item) {
            let compared = members.iter().map(|member| {
                let value = item.get(*member).map_or(Value::Null, |value| common.value(value));
                ((*member).to_owned(), value)
            });
            things.insert((kind.to_owned(), common.text(&name)), compared.collect());
        }
    }
    things
}

/// A thing under its name; an image under each tag that services pull, without that tag itself.
fn named(kind: &str, item: &Value) -> Vec<(String, Value)> {
    if kind != "image" {
        let name = item["name"].as_str().unwrap_or_default();
        return vec![(name.to_owned(), item.clone())];
    }
    let repository = item["repository"].as_str().unwrap_or_default();
    let tags: Vec<&str> = item["tags"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let pulled = tags
        .iter()
        .filter(|tag| **tag == "latest" || tag.ends_with("-latest"));
    let under = |tag: &&str| {
        let mut image = item.clone();
        let others = tags.iter().filter(|other| *other != tag);
        image["tags"] = others.map(|other| Value::from(*other)).collect();
        (format!("{repository}:{tag}"), image)
    };
    pulled.map(under).collect()
}

/// Where the two differ, in the order of kinds and names.
pub(super) fn differences(first: &Things, second: &Things) -> Vec<Difference> {
    let all: BTreeSet<&(String, String)> = first.keys().chain(second.keys()).collect();
    let mut found = Vec::new();
    for key in all {
        let (kind, name) = key;
        let mut differs = |member: Option<&str>, first: Option<Value>, second: Option<Value>| {
            found.push(Difference {
                kind: kind.clone(),
                name: name.clone(),
                member: member.map(str::to_owned),
                first,
                second,
            });
        };
        match (first.get(key), second.get(key)) {
            (Some(one), Some(other)) => {
                for (member, value) in one {
                    let beside = other.get(member).unwrap_or(&Value::Null);
                    if value != beside {
                        differs(Some(member), Some(value.clone()), Some(beside.clone()));
                    }
                }
            }
            (Some(one), None) => differs(None, Some(Value::Object(one.clone())), None),
            (None, other) => differs(None, None, other.cloned().map(Value::Object)),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_every_place_has_of_its_own_is_no_difference() {
        let common = Common::of(Some("111122223333"), Some("eu-west-1"), Some("staging"));
        assert_eq!(
            common.text("arn:aws:sns:eu-west-1:111122223333:bp-staging-ops"),
            "arn:aws:sns:REGION:ACCOUNT:bp-STAGE-ops"
        );
        assert_eq!(common.text("stagings"), "stagings");
    }

    #[test]
    fn a_thing_that_one_place_lacks_and_a_member_that_differs_are_told() {
        let items = |max: u32, more: bool| {
            let mut items = vec![json!({"kind": "fleet", "name": "a", "max": max, "in_service": max})];
            if more {
                items.push(json!({"kind": "secret", "name": "key", "store": "s", "has_value": true}));
            }
            things(&items, &Common::default())
        };
        let found = differences(&items(1, false), &items(2, true));
        let told: Vec<(&str, Option<&str>)> = found
            .iter()
            .map(|one| (one.name.as_str(), one.member.as_deref()))
            .collect();
        assert_eq!(told, [("a", Some("max")), ("key", None)]);
        assert!(differences(&items(1, true), &items(1, true)).is_empty());
    }

    #[test]
    fn an_image_is_compared_by_the_tag_that_is_pulled() {
        let image = |digest: &str, tags: &[&str]| json!({"kind": "image", "repository": "bp-backend", "digest": digest, "tags": tags});
        let one = things(
            &[image("a", &["php-latest", "php-1"]), image("old", &["php-0"])],
            &Common::default(),
        );
        let other = things(&[image("b", &["php-latest", "php-2"])], &Common::default());
        let found = differences(&one, &other);
        assert!(
            found.iter().all(|one| one.name == "bp-backend:php-latest"),
            "{found:?}"
        );
        assert_eq!(found.len(), 2);
    }
}
