//! `bpctl sandbox`: a simulated account to try, rehearse and test everything in.

mod attach;
pub(super) mod control;
pub(super) mod env;
mod launch;
mod run;
pub(super) mod scenario;
mod serve;
mod state;

use clap::{Args, Subcommand};

use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::Result;
use crate::exit::ExitStatus;

pub(crate) use attach::attach;

/// Try, rehearse and test everything in a simulated account
///
/// The sandbox is a whole AWS account with the platform in it, on this machine: services deploy and fail over
/// time, containers run and log, alarms fire and fleets scale. Nothing in it costs money or can be broken for good.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl sandbox start --scenario rds-cpu        a broken platform, in the background
  bpctl --context sandbox triage                what is wrong with it
  bpctl sandbox run -- bpctl migrate --yes      one command against a sandbox of its own
  bpctl sandbox stop")]
pub(crate) struct SandboxArgs {
    #[command(subcommand)]
    command: SandboxCommand,
}

impl Verb for SandboxArgs {
    fn needs(&self) -> Needs {
        match self.command {
            SandboxCommand::Run(_) | SandboxCommand::Serve(_) => Needs::SETTINGS.own_interrupts(),
            _ => Needs::SETTINGS,
        }
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        run(ctx, self).await
    }
}

#[derive(Debug, Subcommand)]
enum SandboxCommand {
    /// Start a sandbox in the background
    #[command(after_help = "Examples:
  bpctl sandbox start                              a healthy platform
  bpctl sandbox start --scenario crash-loop        a broken one
  bpctl sandbox start --scenario '?' --speed 60    a drill: something is broken, and time runs fast")]
    Start(launch::WorldArgs),
    /// Stop the running sandbox
    #[command(after_help = "Examples:
  bpctl sandbox stop")]
    Stop,
    /// Show the running sandbox: address, simulated time, scenarios
    #[command(after_help = "Examples:
  bpctl sandbox status
  bpctl sandbox status -o json")]
    Status,
    /// Start over: the same account as in the beginning
    #[command(after_help = "Examples:
  bpctl sandbox reset")]
    Reset,
    /// Let simulated time pass at once
    #[command(after_help = "Examples:
  bpctl sandbox advance 20m")]
    Advance {
        /// How long, e.g. 10m
        #[arg(value_parser = humantime::parse_duration)]
        duration: std::time::Duration,
    },
    /// The ways the platform breaks
    Scenario(scenario::ScenarioArgs),
    /// Tell which scenarios are in force, also after a random start
    #[command(after_help = "Examples:
  bpctl sandbox reveal")]
    Reveal,
    /// Print the environment that points any AWS tool at the running sandbox
    Env(env::EnvArgs),
    /// Run a sandbox in the foreground until Ctrl-C
    Serve(serve::ServeArgs),
    /// Start a sandbox, run a command against it, stop it; the status is the command's
    Run(run::RunArgs),
}

async fn run(ctx: &Ctx, args: SandboxArgs) -> Result<ExitStatus> {
    match args.command {
        SandboxCommand::Start(args) => launch::start(ctx, &args).await,
        SandboxCommand::Stop => control::stop(ctx).await,
        SandboxCommand::Status => control::status(ctx).await,
        SandboxCommand::Reset => control::reset(ctx).await,
        SandboxCommand::Advance { duration } => control::advance(ctx, duration).await,
        SandboxCommand::Scenario(args) => scenario::run(ctx, args).await,
        SandboxCommand::Reveal => control::reveal(ctx).await,
        SandboxCommand::Env(args) => env::run(ctx, &args).await,
        SandboxCommand::Serve(args) => serve::run(ctx, &args).await,
        SandboxCommand::Run(args) => run::run(ctx, args).await,
    }
}
