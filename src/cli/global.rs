//! The flags of every command.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;

use crate::completion;
use crate::error::Place;
use crate::output::{OutputFormat, OutputSpec};
use crate::settings::holds_credentials;
use crate::ui::{ColorChoice, Verbosity};

/// Flags of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct GlobalArgs {
    /// Context from bpctl.toml, or `sandbox`; several with commas between them for what only looks [env: BPCTL_CONTEXT]
    #[arg(long, global = true, value_name = "NAME", add = completion::contexts())]
    pub(super) context: Option<String>,

    /// Look in every context of bpctl.toml, side by side
    #[arg(long, global = true, conflicts_with = "context", hide_short_help = true)]
    pub(super) all_contexts: bool,

    /// Configuration file of bpctl [env: BPCTL_CONFIG]
    #[arg(long, global = true, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(super) config_file: Option<PathBuf>,

    /// Naming layout: single or staged
    #[arg(long, global = true, value_name = "LAYOUT", hide_short_help = true)]
    pub(super) layout: Option<String>,

    /// Stage of the system (staged layout), or only GPU fleets of this stage
    #[arg(long, global = true, value_name = "STAGE")]
    pub(super) stage: Option<String>,

    /// Profile in the AWS configuration files
    #[arg(long, global = true, value_name = "NAME", hide_short_help = true)]
    pub(super) profile: Option<String>,

    /// AWS region
    #[arg(long, global = true, value_name = "REGION", hide_short_help = true)]
    pub(super) region: Option<String>,

    /// Role to assume
    #[arg(long, global = true, value_name = "ARN", hide_short_help = true)]
    pub(super) role_arn: Option<String>,

    /// Refuse to run in any other account
    #[arg(long, global = true, value_name = "ID", hide_short_help = true)]
    pub(super) account_id: Option<String>,

    /// Change things without an account guard, in whatever account the credentials belong to
    #[arg(long, global = true, conflicts_with = "account_id", hide_short_help = true)]
    pub(super) no_account_guard: bool,

    /// Treat the context as a protected one: every change needs its name typed
    #[arg(long, global = true, hide_short_help = true)]
    pub(super) protected: bool,

    /// Send API calls here instead of to AWS
    #[arg(long, global = true, value_name = "URL", hide_short_help = true)]
    pub(super) endpoint_url: Option<String>,

    /// Folder of the infrastructure code
    #[arg(long, global = true, value_name = "DIR", hide_short_help = true)]
    pub(super) infra_dir: Option<String>,

    /// Output format
    #[arg(
        short,
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "FORMAT"
    )]
    pub(super) output: OutputFormat,

    /// JMESPath over the JSON document
    #[arg(long, global = true, value_name = "JMESPATH")]
    pub(super) query: Option<String>,

    /// Say only what went wrong
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(super) quiet: bool,

    /// Also show what the SDK does (finer: BPCTL_LOG=debug)
    #[arg(short, long, global = true)]
    pub(super) verbose: bool,

    /// Colour: auto, always or never
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "WHEN",
        hide_possible_values = true,
        hide_short_help = true
    )]
    color: ColorChoice,

    /// The same as `--color never`, and as `NO_COLOR` in the environment
    #[arg(long, global = true, conflicts_with = "color", hide_short_help = true)]
    no_color: bool,

    /// Count API calls per operation on stderr
    #[arg(long, global = true, hide_short_help = true)]
    pub(super) api_stats: bool,
}

impl GlobalArgs {
    pub(super) fn verbosity(&self) -> Verbosity {
        match (self.quiet, self.verbose) {
            (true, _) => Verbosity::Quiet,
            (false, true) => Verbosity::Verbose,
            (false, false) => Verbosity::Normal,
        }
    }

    pub(super) fn color(&self) -> ColorChoice {
        match self.no_color {
            true => ColorChoice::Never,
            false => self.color,
        }
    }

    pub(super) fn output(&self) -> OutputSpec {
        OutputSpec {
            format: self.output,
            query: self.query.clone(),
        }
    }

    /// The place of these flags, with the output that other flags ask for.
    pub(super) fn shown_as(self, other: Self) -> Self {
        Self {
            output: other.output,
            query: other.query,
            quiet: other.quiet,
            verbose: other.verbose,
            color: other.color,
            no_color: other.no_color,
            api_stats: other.api_stats,
            ..self
        }
    }

    /// The flags that chose the place. What may hold a password is not repeated.
    pub(super) fn place(&self) -> Place {
        let mut flags = self.overrides();
        flags.retain(|name, value| *name != "endpoint-url" || !holds_credentials(value));
        Place::of_flags(flags)
    }

    pub(super) fn overrides(&self) -> BTreeMap<&'static str, String> {
        let config = self.config_file.as_ref().map(|path| path.display().to_string());
        let switch = |given: bool| given.then(|| "true".to_owned());
        [
            // No setting, but a repetition of this command line needs it.
            ("config-file", &config),
            ("context", &self.context),
            ("layout", &self.layout),
            ("stage", &self.stage),
            ("profile", &self.profile),
            ("region", &self.region),
            ("role-arn", &self.role_arn),
            ("account-id", &self.account_id),
            ("no-account-guard", &switch(self.no_account_guard)),
            ("protected", &switch(self.protected)),
            ("endpoint-url", &self.endpoint_url),
            ("infra-dir", &self.infra_dir),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.clone()?)))
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::Cli;

    fn color(words: &[&str]) -> Option<ColorChoice> {
        let words = ["bpctl", "whoami"].iter().chain(words);
        Cli::try_parse_from(words).ok().map(|cli| cli.global.color())
    }

    #[test]
    fn no_color_is_never_and_contradicts_another_choice() {
        assert_eq!(color(&[]), Some(ColorChoice::Auto));
        assert_eq!(color(&["--no-color"]), Some(ColorChoice::Never));
        assert_eq!(color(&["--color", "always"]), Some(ColorChoice::Always));
        assert_eq!(color(&["--no-color", "--color", "always"]), None);
    }
}
