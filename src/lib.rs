//! `bpctl`: an operator toolkit for a multi-tenant Laravel and Next.js platform on AWS.
//!
//! [`run`] is the whole program: it takes a [`Process`] (arguments, environment, streams) and gives
//! back an [`ExitStatus`]. Nothing in this crate ends the process or prints past `ui`.

mod aws;
mod bundle;
mod change;
mod cli;
mod clock;
mod commands;
mod completion;
mod context;
mod error;
mod exit;
mod files;
mod fleet;
mod iam;
mod kinds;
mod layout;
mod leftovers;
mod logs;
mod output;
mod plot;
mod prices;
mod process;
mod redact;
mod rollout;
mod secrets;
mod session;
mod settings;
mod stacks;
mod tasks;
mod triage;
mod ui;
mod wait;
mod workflows;

pub use cli::command_tree;
pub use clock::Clock;
pub use exit::{ExitStatus, TABLE as EXIT_STATUSES};
pub use process::{Captured, Dial, Process, Prompter, TerminalPrompter, Transport};

/// Runs one command line to its end.
#[must_use]
pub fn run(process: Process) -> ExitStatus {
    cli::run(process)
}

/// Runs one command line inside a runtime that the caller owns.
pub async fn run_async(process: Process) -> ExitStatus {
    cli::run_async(process).await
}
