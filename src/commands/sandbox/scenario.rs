//! `bpctl sandbox scenario`: list, set and clear what is broken.

use bpctl_sandbox::Scenario;
use clap::{Args, Subcommand};
use schemars::JsonSchema;
use serde::Serialize;

use super::control::{running, show};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Result};
use crate::exit::ExitStatus;
use crate::output::{Render, Table, View};

/// The ways the platform breaks
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl sandbox scenario list
  bpctl sandbox scenario set crash-loop rds-cpu     both, and nothing else
  bpctl sandbox scenario clear                      mend the platform")]
pub(crate) struct ScenarioArgs {
    #[command(subcommand)]
    command: ScenarioCommand,
}

#[derive(Debug, Subcommand)]
enum ScenarioCommand {
    /// List every scenario and what an operator should find in it
    #[command(after_help = "Examples:
  bpctl sandbox scenario list
  bpctl sandbox scenario list -o name")]
    List,
    /// Break the running sandbox: exactly these scenarios from now on
    #[command(after_help = "Examples:
  bpctl sandbox scenario set crash-loop rds-cpu")]
    Set {
        /// Scenario names
        #[arg(required = true, value_parser = clap::builder::PossibleValuesParser::new(Scenario::ALL.iter().map(|s| s.name())))]
        names: Vec<String>,
    },
    /// Mend the running sandbox
    #[command(after_help = "Examples:
  bpctl sandbox scenario clear")]
    Clear,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Scenarios {
    scenarios: Vec<ScenarioView>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ScenarioView {
    name: &'static str,
    help: &'static str,
}

impl Render for Scenarios {
    fn human(&self, view: &View) -> String {
        let mut table = Table::new(&["SCENARIO", "WHAT BREAKS, AND WHAT TO FIND"]);
        for scenario in &self.scenarios {
            table.row([scenario.name.to_owned(), scenario.help.to_owned()]);
        }
        table.render(view)
    }

    fn names(&self) -> Vec<String> {
        self.scenarios
            .iter()
            .map(|scenario| scenario.name.to_owned())
            .collect()
    }
}

pub(super) async fn run(ctx: &Ctx, args: ScenarioArgs) -> Result<ExitStatus> {
    match args.command {
        ScenarioCommand::List => {
            let view = |scenario: &Scenario| ScenarioView {
                name: scenario.name(),
                help: scenario.help(),
            };
            ctx.emit(&Scenarios {
                scenarios: Scenario::ALL.iter().map(view).collect(),
            })?;
            Ok(ExitStatus::Done)
        }
        ScenarioCommand::Set { names } => set(ctx, &names).await,
        ScenarioCommand::Clear => set(ctx, &[]).await,
    }
}

/// Nothing is broken, or something is: not both.
pub(super) fn refuse_contradiction(names: &[String]) -> Result<()> {
    let healthy = Scenario::Healthy.name();
    let other = names.iter().find(|name| *name != healthy);
    match other {
        Some(other) if names.iter().any(|name| name == healthy) => Err(CtlError::usage(format!(
            "set the scenarios `{healthy}` and `{other}`: in the first nothing is broken"
        ))
        .hint("name only what is to be broken")),
        _ => Ok(()),
    }
}

async fn set(ctx: &Ctx, names: &[String]) -> Result<ExitStatus> {
    refuse_contradiction(names)?;
    let state = running(ctx).await?;
    state
        .remote()?
        .set_scenarios(names)
        .await
        .map_err(|error| CtlError::new(ErrorKind::Failed, "change the sandbox's scenarios").source(&error))?;
    if names.is_empty() {
        ctx.ui
            .status("Cleared all scenarios; what they broke mends over simulated time");
    } else {
        ctx.ui.tell((
            format!("Set {}; effects take simulated time:", names.join(", ")),
            CommandLine::bpctl(["sandbox", "advance", "15m"]),
        ));
    }
    show(ctx, &state).await
}
