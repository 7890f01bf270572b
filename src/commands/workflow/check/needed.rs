//! What workflows need of GitHub, which only GitHub can tell.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;

use crate::layout::Stage;
use crate::workflows::{WORKFLOWS, is_optional, named};

/// The document's part.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub(super) struct Needed {
    /// Environments with the people who approve.
    environments: Vec<String>,
    secrets: Vec<Name>,
    variables: Vec<Name>,
}

/// A secret or a variable.
#[derive(Debug, Serialize, JsonSchema)]
struct Name {
    name: String,
    /// Whether a workflow fails without it.
    required: bool,
    /// The workflows that read it.
    workflows: BTreeSet<String>,
}

impl Needed {
    /// Adds what a workflow reads.
    pub(super) fn add(&mut self, workflow: &str, text: &str) {
        for known in WORKFLOWS.iter().filter(|known| known.name == workflow) {
            for stage in Stage::ALL {
                self.environments.extend(known.environment(stage));
            }
        }
        self.environments.sort();
        self.environments.dedup();
        for (context, list) in [("secrets", &mut self.secrets), ("vars", &mut self.variables)] {
            let mut all: BTreeMap<String, Name> = std::mem::take(list)
                .into_iter()
                .map(|one| (one.name.clone(), one))
                .collect();
            // GitHub makes this one.
            for name in named(text, context)
                .into_iter()
                .filter(|name| name != "GITHUB_TOKEN")
            {
                let required = !is_optional(&name, text);
                let entry = all.entry(name.clone()).or_insert_with(|| Name {
                    required,
                    workflows: BTreeSet::new(),
                    name,
                });
                entry.required |= required;
                entry.workflows.insert(workflow.to_owned());
            }
            *list = all.into_values().collect();
        }
    }

    /// For people.
    pub(super) fn lines(&self) -> Vec<(&'static str, String)> {
        let of = |list: &[Name], required: bool| {
            let names = list.iter().filter(|one| one.required == required);
            names.map(|one| one.name.as_str()).collect::<Vec<_>>().join(", ")
        };
        let lines = [
            ("environments", self.environments.join(", ")),
            ("secrets", of(&self.secrets, true)),
            ("secrets, where wanted", of(&self.secrets, false)),
            ("variables", of(&self.variables, true)),
            ("variables, where wanted", of(&self.variables, false)),
        ];
        lines.into_iter().filter(|(_, text)| !text.is_empty()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_collected_once_with_the_workflows_that_read_them() {
        let mut needed = Needed::default();
        needed.add(
            "db-seed",
            "${{ secrets.A }} ${{ vars.BPCTL_SHA256 }} ${{ secrets.GITHUB_TOKEN }}",
        );
        needed.add("db-migrate", "${{ secrets.A || secrets.B }}");
        assert_eq!(
            needed.lines(),
            [
                (
                    "environments",
                    "production-migrations, staging-migrations".to_owned()
                ),
                ("secrets", "A, B".to_owned()),
                ("variables, where wanted", "BPCTL_SHA256".to_owned()),
            ]
        );
        assert_eq!(needed.secrets[0].workflows.len(), 2);
    }

    #[test]
    fn what_one_workflow_needs_is_needed_whatever_another_one_says() {
        let elsewhere = "uses: acme/bpctl/examples/actions/setup-bpctl@0123456\n${{ vars.BPCTL_RELEASES }}";
        let copied = "uses: ./.github/actions/setup-bpctl\n${{ vars.BPCTL_RELEASES }}";
        let required = |texts: &[&str]| {
            let mut needed = Needed::default();
            for text in texts {
                needed.add("db-seed", text);
            }
            needed.variables[0].required
        };
        assert!(!required(&[elsewhere]));
        for texts in [&[copied][..], &[elsewhere, copied], &[copied, elsewhere]] {
            assert!(required(texts), "{texts:?}");
        }
    }
}
