//! Where a port is reached.

use schemars::JsonSchema;
use serde::Serialize;

use crate::output::{Render, View};

/// The document, written as soon as connections are taken.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Forwarding {
    /// Address and port on this machine.
    pub(crate) listen: String,
    pub(crate) task: String,
    pub(crate) container: String,
    /// The task's port.
    pub(crate) port: u16,
}

impl Render for Forwarding {
    fn human(&self, _view: &View) -> String {
        format!(
            "Forwarding {} -> port {} of task {}\n",
            self.listen, self.port, self.task
        )
    }

    fn names(&self) -> Vec<String> {
        vec![self.listen.clone()]
    }
}
