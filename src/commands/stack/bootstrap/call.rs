//! `npx cdk bootstrap`, as a call of a plan.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::sync::mpsc::UnboundedSender;

use super::super::deploy::synth::Npx;
use crate::change::{Call, NPX, Permit, Repeated, parameters};
use crate::error::Result;
use crate::stacks::{Bootstrap, QUALIFIER, TOOLKIT};

/// npx, and where its lines go.
pub(super) struct Bootstrapping {
    pub(super) npx: Npx,
    pub(super) lines: UnboundedSender<String>,
}

/// Makes or updates the bootstrap stack. A second one finds nothing to change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RunBootstrap {
    stack: String,
    arguments: Vec<String>,
}

impl RunBootstrap {
    pub(super) fn of(bootstrap: &Bootstrap, account: &str, region: &str) -> Self {
        let place = format!("aws://{account}/{region}");
        let mut arguments = ["cdk", "bootstrap", &place].map(str::to_owned).to_vec();
        for (option, value, usual) in [
            ("--qualifier", &bootstrap.qualifier, QUALIFIER),
            ("--toolkit-stack-name", &bootstrap.stack, TOOLKIT),
        ] {
            if value != usual {
                arguments.extend([option.to_owned(), value.clone()]);
            }
        }
        Self {
            stack: bootstrap.stack.clone(),
            arguments,
        }
    }

    pub(super) fn line(&self) -> String {
        format!("npx {}", self.arguments.join(" "))
    }
}

impl Call for RunBootstrap {
    const SERVICE: &'static str = NPX;
    const OPERATION: &'static str = "cdk bootstrap";
    const REPEATED: Repeated = Repeated::Harmless;
    type Via = Bootstrapping;
    type Answer = ();

    fn parameters(&self) -> Map<String, Value> {
        parameters([("arguments", self.arguments.clone().into())])
    }

    fn resource(&self) -> String {
        format!("stack/{}", self.stack)
    }

    async fn send(&self, via: &Bootstrapping, _permit: &Permit) -> Result<()> {
        let hear = |line: &str| {
            // The receiver may have gone.
            let _ = via.lines.send(line.to_owned());
        };
        via.npx
            .run_heard("bootstrap the account", &self.arguments, hear)
            .await
    }
}
