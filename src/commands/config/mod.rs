//! `bpctl config`: look at contexts and settings, choose a context, and write `bpctl.toml`.

pub(super) mod contexts;
mod edit;
pub(super) mod names;
pub(super) mod view;

use clap::{Args, Subcommand};

use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::Result;
use crate::exit::ExitStatus;
use crate::layout::FleetId;
use crate::settings::KEYS;

/// Look at contexts and settings, choose a context, write bpctl.toml
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl config get-contexts               the contexts, the one in force marked
  bpctl config use-context staging        choose one, for you alone
  bpctl config explain region             who decided the region
  bpctl config set region eu-west-1       change the context in bpctl.toml
  bpctl config names                      every name that the layout gives")]
pub(crate) struct ConfigArgs {
    #[command(subcommand)]
    command: ConfigCommand,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Show every setting in force
    #[command(after_help = "Examples:
  bpctl config view
  bpctl --context acme-production config view -o json    of another context")]
    View,
    /// List the contexts
    #[command(after_help = "Examples:
  bpctl config get-contexts
  bpctl config get-contexts -o name     the names alone")]
    GetContexts,
    /// Print the name of the context in force
    #[command(after_help = "Examples:
  bpctl config current-context")]
    CurrentContext,
    /// Choose a context, for you alone: bpctl.toml stays as it is
    #[command(after_help = "Examples:
  bpctl config use-context acme-staging
  bpctl config use-context sandbox      the simulated account, without a file
  bpctl config use-context --forget     what bpctl.toml says counts again")]
    UseContext {
        /// Context from bpctl.toml, or `sandbox`
        #[arg(add = crate::completion::contexts(), required_unless_present = "forget")]
        name: Option<String>,

        /// Take the choice back: what bpctl.toml says counts again
        #[arg(long, conflicts_with = "name")]
        forget: bool,
    },
    /// Set a value of the context in bpctl.toml
    #[command(after_help = "Examples:
  bpctl config set region eu-west-1
  bpctl --context acme-production config set protected true    of another context")]
    Set {
        /// Setting, e.g. region
        #[arg(value_parser = setting_name())]
        key: String,

        /// Its value
        #[arg(allow_hyphen_values = true)]
        value: String,
    },
    /// Remove a value of the context from bpctl.toml
    #[command(after_help = "Examples:
  bpctl config unset endpoint_url")]
    Unset {
        /// Setting, e.g. region
        #[arg(value_parser = setting_name())]
        key: String,
    },
    /// Write bpctl.toml with a first context, or add a context to it
    ///
    /// The values of the context are the global flags of this command line, e.g.
    /// `bpctl config init staging --profile acme --region us-east-1 --account-id 111122223333`.
    #[command(after_help = "Examples:
  bpctl config init staging --profile acme --region us-east-1 --account-id 111122223333
  bpctl config init staging --user      your own file, for every folder")]
    Init {
        /// Name of the context, e.g. staging
        name: String,

        /// Write your own file (~/.config/bpctl/bpctl.toml) and not the one of this folder
        #[arg(long)]
        user: bool,
    },
    /// Say which of flag, environment, file, profile and default decided a setting
    #[command(after_help = "Examples:
  bpctl config explain region
  bpctl config explain account_id -o json")]
    Explain {
        /// Setting, e.g. region
        #[arg(value_parser = setting_name())]
        key: String,
    },
    /// List every name that the layout gives: stacks, services, parameters, alarms and so on
    #[command(after_help = "Examples:
  bpctl config names
  bpctl config names production/gpu-default                      those of a fleet too
  bpctl --layout staged --stage staging config names -o json     of another layout")]
    Names {
        /// Also the names of these fleets, e.g. production/gpu-default
        #[arg(add = crate::completion::fleets())]
        fleets: Vec<FleetId>,
    },
}

/// The names of settings, also as their flags are written.
fn setting_name() -> clap::builder::PossibleValuesParser {
    clap::builder::PossibleValuesParser::new(
        KEYS.iter()
            .map(|key| clap::builder::PossibleValue::new(key.name).aliases(key.flag)),
    )
}

impl Verb for ConfigArgs {
    fn needs(&self) -> Needs {
        match self.command {
            // How one looks at a broken configuration, or mends it.
            ConfigCommand::View
            | ConfigCommand::GetContexts
            | ConfigCommand::UseContext { .. }
            | ConfigCommand::Set { .. }
            | ConfigCommand::Unset { .. }
            | ConfigCommand::Init { .. }
            | ConfigCommand::Explain { .. } => Needs::SETTINGS.even_broken(),
            // A script that asks must not go on with a context that is not there.
            ConfigCommand::CurrentContext | ConfigCommand::Names { .. } => Needs::SETTINGS,
        }
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        match &self.command {
            ConfigCommand::View => view::view(ctx)?,
            ConfigCommand::GetContexts => contexts::list(ctx)?,
            ConfigCommand::CurrentContext => contexts::current(ctx)?,
            ConfigCommand::UseContext { name: Some(name), .. } => contexts::choose(ctx, name)?,
            ConfigCommand::UseContext { name: None, .. } => contexts::forget(ctx)?,
            ConfigCommand::Set { key, value } => edit::set(ctx, key, value)?,
            ConfigCommand::Unset { key } => edit::unset(ctx, key)?,
            ConfigCommand::Init { name, user } => edit::init(ctx, name, *user)?,
            ConfigCommand::Explain { key } => view::explain(ctx, key)?,
            ConfigCommand::Names { fleets } => names::run(ctx, fleets)?,
        }
        Ok(ExitStatus::Done)
    }
}
