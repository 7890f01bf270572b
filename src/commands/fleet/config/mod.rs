//! `bpctl fleet config`: the configuration from which a fleet's stack is made.

mod change;
mod edit;
pub(crate) mod get;
mod set;
pub(crate) mod view;

use clap::Args;

use crate::aws::Aws;
use crate::commands::verb::{Continuation, Needs, Verb, verbs};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Result};
use crate::exit::ExitStatus;
use crate::iam::Uses;
use crate::layout::{FleetId, Layout};

/// Look at, set or edit the configuration from which a fleet's stack is made
///
/// It is a JSON document in Parameter Store: template, instance type, image pointer, and whether the fleet is enabled. A
/// change takes effect when the fleet's stack is applied, not before.
#[derive(Debug, Args)]
pub(crate) struct ConfigArgs {
    #[command(subcommand)]
    command: FleetConfigCommand,
}

verbs! {
    enum FleetConfigCommand {
        Get(get::GetArgs),
        Set(set::SetArgs),
        Edit(edit::EditArgs),
    }
}

impl Verb for ConfigArgs {
    fn uses() -> Uses {
        Uses::Verbs(FleetConfigCommand::uses())
    }

    fn needs(&self) -> Needs {
        self.command.needs()
    }

    fn continues(&self) -> Option<Continuation> {
        self.command.continues()
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        self.command.run(ctx).await
    }
}

/// The parameter of a fleet's configuration.
///
/// # Errors
/// [`ErrorKind::Usage`] where the configuration is compiled into the stack.
fn parameter(layout: &Layout, fleet: &FleetId) -> Result<String> {
    layout.desired_config_parameter(fleet).ok_or_else(|| {
        CtlError::usage(format!(
            "find the configuration of {fleet}: in the layout `staged` it is compiled into the stack"
        ))
        .hint((
            "change it where the stack is defined; see what runs with",
            show(fleet),
        ))
    })
}

fn show(fleet: &FleetId) -> CommandLine {
    CommandLine::bpctl(["fleet", "status"]).args([fleet.to_string()])
}

/// A configuration as Parameter Store has it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Stored {
    text: String,
    version: i64,
    modified: Option<jiff::Timestamp>,
}

/// `None` when there is no such parameter.
async fn stored(aws: &Aws, name: &str) -> Result<Option<Stored>> {
    let mut read = aws.parameters(&[name.to_owned()]).await?;
    Ok(read.found.remove(name).map(|parameter| Stored {
        // What a fleet is made of is no secret.
        text: parameter.value.expose().to_owned(),
        version: parameter.version,
        modified: parameter.modified,
    }))
}

/// A fleet without a configuration.
fn missing(fleet: &FleetId, name: &str) -> CtlError {
    CtlError::new(
        ErrorKind::NotFound,
        format!("find the configuration of {fleet}: there is no parameter `{name}`"),
    )
    .hint("the backend writes it when the fleet is made there, before it is provisioned")
}

/// What brings a configuration into force.
fn takes_effect(layout: &Layout, fleet: &FleetId) -> String {
    let stack = layout.fleet_stack(fleet);
    format!(
        "it takes effect when it is applied to the stack `{stack}`; instances that run keep their type until they are replaced"
    )
}
