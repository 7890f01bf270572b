//! What a deployment of stacks came to.

use schemars::JsonSchema;
use serde::Serialize;

use super::super::operation::StackResult;
use crate::change::RunId;
use crate::output::{Render, Table, View, took};

/// The document.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct StacksDeployed {
    pub(super) run: RunId,
    pub(super) stacks: Vec<StackResult>,
}

impl Render for StacksDeployed {
    fn human(&self, view: &View) -> String {
        let mut table = Table::new(&["STACK", "STATUS", "RESOURCES", "DURATION"]);
        for stack in &self.stacks {
            let status = match (&stack.status, &stack.token) {
                (Some(status), _) => status.clone(),
                (None, Some(_)) => "under way".to_owned(),
                (None, None) => "unchanged".to_owned(),
            };
            let took = match (stack.began, stack.ended) {
                (Some(began), Some(ended)) => took(began, ended),
                _ => "-".to_owned(),
            };
            table.row([stack.stack.clone(), status, stack.resources.to_string(), took]);
        }
        table.render(view)
    }

    fn names(&self) -> Vec<String> {
        self.stacks.iter().map(|stack| stack.stack.clone()).collect()
    }
}
