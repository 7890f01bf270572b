//! `bpctl top`: the platform on one screen, as it changes. Looks only; changes are commands of their own, with their questions.

mod alarms;
mod beside;
mod draw;
mod events;
mod findings;
mod keys;
mod live;
mod overlay;
mod picture;
mod poll;
mod propose;
mod rows;
mod screen;
mod view;

use std::time::Duration;

use clap::Args;

use crate::commands::triage::TriageArgs;
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, Result};
use crate::exit::ExitStatus;
use crate::iam::Uses;
use crate::output::OutputFormat;

/// Watch services, fleets, alarms and findings on one screen
///
/// Needs a terminal. Looks at most once a second on average, and keeps the last picture where AWS does not answer, with
/// since when and why. Enter describes what is selected, `l` follows its logs, `+`, `-` and `s` propose a change: that runs
/// the command which is shown, with its own plan and question. `?` shows all keys. What describing and following needs
/// beside it comes with `bpctl iam policy --for top,describe,logs`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl top                              everything
  bpctl top --stage staging              fleets of one stage
  bpctl top --interval 30s               fewer calls
  bpctl triage --watch                   without a terminal: findings as they come and go")]
pub(crate) struct TopArgs {
    /// How long to wait between two looks
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = interval)]
    interval: Duration,
}

/// Values of metrics come once a minute: a picture that is older than some is none.
fn interval(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(interval) if (Duration::from_secs(2)..=Duration::from_secs(600)).contains(&interval) => {
            Ok(interval)
        }
        _ => Err("write e.g. `10s` or `1m`, from `2s` to `10m`".to_owned()),
    }
}

impl Verb for TopArgs {
    fn uses() -> Uses {
        // It looks as triage does.
        TriageArgs::uses()
    }

    fn needs(&self) -> Needs {
        Needs::AWS.own_interrupts()
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        check_terminal(ctx)?;
        live::run(ctx, self.interval).await
    }
}

/// # Errors
/// No operator is at a terminal to look, or something else writes on the same screen.
fn check_terminal(ctx: &Ctx) -> Result<()> {
    let refuse = |why: &str| {
        CtlError::usage(format!("show the live view: {why}"))
            .hint((
                "see what changes without a terminal with",
                CommandLine::bpctl(["triage", "--watch"]),
            ))
            .hint((
                "or look once with",
                CommandLine::bpctl(["get", "services,fleets,alarms"]),
            ))
    };
    if ctx.output.format != OutputFormat::Table || ctx.output.query.is_some() {
        return Err(refuse("it is for people: there is no document of it"));
    }
    let attached = ctx.attached;
    if !attached.stdin_is_terminal || !attached.stdout_is_terminal || !ctx.ui.can_prompt() {
        return Err(refuse(
            "standard input, output and error must be a terminal, outside of CI",
        ));
    }
    if ctx.env.get("TERM").is_some_and(|term| term == "dumb") {
        return Err(refuse("this terminal (TERM=dumb) cannot place text"));
    }
    if ctx.ui.is_verbose() || ctx.env.contains_key("BPCTL_LOG") {
        return Err(
            CtlError::usage("show the live view: what the SDK does would be written over it")
                .hint("leave out `--verbose` and BPCTL_LOG"),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_a_few_seconds_or_minutes() {
        assert!(interval("2s").is_ok() && interval("10m").is_ok());
        for wrong in ["1s", "0s", "11m", "x", ""] {
            assert!(interval(wrong).is_err(), "{wrong}");
        }
    }
}
