//! A result as values for the later steps of a GitHub workflow. Every document has them: nothing is to be
//! said in a verb.

use serde_json::Value;

use super::{Envelope, Render, document, items};
use crate::error::Result;

/// Names like `summary_P1` need no more; deeper structures are for those who read the document.
const DEPTH: usize = 3;

/// Every string, number and yes or no of the document by its path (`capacity_desired`), the names of the
/// items as a JSON list, and, when there is only one item, its own values and its `name`.
pub(super) fn values<R: Render>(result: &R, envelope: &Envelope) -> Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    let document = document(result, envelope)?;
    flatten("", &document, DEPTH, &mut found);
    if let Some([item]) = items::<R>(&document) {
        flatten("", item, DEPTH, &mut found);
    }
    let names = result.names();
    if let [name] = names.as_slice()
        && found.iter().all(|(known, _)| known != "name")
    {
        found.push(("name".to_owned(), name.clone()));
    }
    found.push(("names".to_owned(), Value::from(names).to_string()));
    Ok(found)
}

fn flatten(path: &str, value: &Value, depth: usize, found: &mut Vec<(String, String)>) {
    match value {
        Value::Object(members) if depth > 0 => {
            for (name, member) in members {
                let path = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}_{name}")
                };
                flatten(&path, member, depth - 1, found);
            }
        }
        Value::Null => found.push((path.to_owned(), String::new())),
        Value::String(text) => found.push((path.to_owned(), text.clone())),
        Value::Bool(_) | Value::Number(_) => found.push((path.to_owned(), value.to_string())),
        Value::Object(_) | Value::Array(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use schemars::JsonSchema;
    use serde::Serialize;
    use serde_json::json;

    use super::*;
    use crate::output::{Document, View};

    #[derive(Serialize, JsonSchema)]
    struct Fleets(Value);

    impl Document for Fleets {
        const SCHEMA: &'static str = "bpctl.fleets/1";
        const ITEMS: Option<&'static str> = Some("fleets");
    }

    impl Render for Fleets {
        fn human(&self, _view: &View) -> String {
            String::new()
        }

        fn names(&self) -> Vec<String> {
            let fleets = self.0["fleets"].as_array().into_iter().flatten();
            fleets
                .filter_map(|fleet| fleet["name"].as_str().map(str::to_owned))
                .collect()
        }
    }

    #[test]
    fn one_item_gives_its_own_values_and_several_their_names() {
        let fleet =
            |name: &str| json!({"name": name, "capacity": {"desired": 2, "zones": ["a"]}, "stack": null});
        let one = values(
            &Fleets(json!({"ok": true, "fleets": [fleet("production/a")]})),
            &Envelope::default(),
        )
        .unwrap();
        let text: Vec<String> = one
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        assert_eq!(
            text,
            [
                "schema=bpctl.fleets/1",
                "context=",
                "account=",
                "region=",
                "ok=true",
                "name=production/a",
                "capacity_desired=2",
                "stack=",
                "names=[\"production/a\"]",
            ]
        );
        let two = values(
            &Fleets(json!({"fleets": [fleet("production/a"), fleet("staging/a")]})),
            &Envelope::default(),
        )
        .unwrap();
        assert_eq!(
            two.last().unwrap(),
            &("names".to_owned(), "[\"production/a\",\"staging/a\"]".to_owned())
        );
        assert!(!two.iter().any(|(name, _)| name == "capacity_desired"));
    }
}
