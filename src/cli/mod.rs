//! The command line: global flags, the table of verbs, and what happens around each of them.

mod again;
mod dispatch;
mod foreign;
mod global;
mod help;
mod many;
mod parse;
mod verbs;

use std::sync::mpsc;

use clap::{CommandFactory as _, Parser};

use crate::change::Mode;
use crate::completion;
use crate::error::{CtlError, ErrorKind};
use crate::exit::ExitStatus;
use crate::process::{Process, STACK};
use crate::ui::{ColorChoice, Ui, Verbosity};

use dispatch::{Owner, dispatch, give_up};
use global::GlobalArgs;
use parse::parse;
use verbs::Command;

/// Operate the platform: migrations, GPU fleets, triage, and a sandbox to try all of it in
#[derive(Debug, Parser)]
#[command(name = "bpctl", version, max_term_width = 100, arg_required_else_help = true)]
#[command(after_help = "Try it without an AWS account: bpctl sandbox run -- bpctl migrate --tenant --yes")]
struct Cli {
    #[command(flatten)]
    global: GlobalArgs,

    #[command(subcommand)]
    command: Command,

    #[arg(skip)]
    kind: Kind,
}

/// What the words of a command line say of what it does, before it does anything.
#[derive(Clone, Copy, Debug, Default)]
struct Kind {
    /// The verb is one of those that change something by a plan.
    changes: bool,
    /// The verb changes nothing at all.
    looks: bool,
    /// It goes on until it is interrupted.
    lasts: bool,
}

/// The whole command tree, for completions, man pages and tests.
#[must_use]
pub fn command_tree() -> clap::Command {
    Cli::command()
}

/// Runs one command line in a thread and a runtime of its own.
pub(crate) fn run(mut process: Process) -> ExitStatus {
    if let Some(status) = completion::answer(&mut process, command_tree) {
        return status;
    }
    let (cli, mode) = match parsed(&mut process) {
        Ok(parsed) => parsed,
        Err(status) => return status,
    };
    let (give, take) = mpsc::channel();
    let running = std::thread::Builder::new()
        .name("bpctl".to_owned())
        .stack_size(STACK)
        .spawn(move || {
            let (cli, mode, process) = take.recv().ok()?;
            Some(run_to_the_end(cli, mode, process))
        });
    match (give.send((cli, mode, process)), running) {
        (Ok(()), Ok(running)) => match running.join() {
            Ok(status) => status.unwrap_or(ExitStatus::Failed),
            Err(panic) => std::panic::resume_unwind(panic),
        },
        // The system gives no thread: the stack that there is must do.
        (Err(mpsc::SendError((cli, mode, process))), _) => run_to_the_end(cli, mode, process),
        (Ok(()), Err(_)) => ExitStatus::Failed,
    }
}

fn run_to_the_end(cli: Cli, mode: Mode, mut process: Process) -> ExitStatus {
    // One thread: bpctl waits for the network, it does not compute.
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => {
            let status = runtime.block_on(ended(cli, mode, process, Owner::Us));
            // A question that is not answered any more, or a name that does not resolve, must not hold up the end.
            runtime.shutdown_background();
            status
        }
        Err(error) => {
            let ui = Ui::new(&mut process, ColorChoice::Auto, Verbosity::Normal);
            ui.error(&CtlError::new(ErrorKind::Unexpected, "start the runtime").source(&error));
            ExitStatus::Failed
        }
    }
}

/// Runs one command line in the caller's runtime.
pub(crate) async fn run_async(mut process: Process) -> ExitStatus {
    match parsed(&mut process) {
        Ok((cli, mode)) => ended(cli, mode, process, Owner::Caller).await,
        Err(status) => status,
    }
}

/// Runs the command line in its context, or in each of its contexts.
async fn ended(cli: Cli, mode: Mode, process: Process, owner: Owner) -> ExitStatus {
    // On the heap, both: the futures of verbs are large, and a debug build moves them about.
    if many::is_meant(&cli.global) {
        Box::pin(many::run(cli, process)).await
    } else {
        Box::pin(dispatch(cli, mode, process, owner)).await
    }
}

/// What to run: the command line, or that of the earlier run that it names.
fn parsed(process: &mut Process) -> Result<(Cli, Mode), ExitStatus> {
    let cli = parse(process)?;
    let color = cli.global.color();
    let documents = cli.global.output().is_json();
    again::in_place_of(cli, process).map_err(|error| {
        let ui = Ui::new(process, color, Verbosity::Normal).with_documents(documents);
        give_up(&ui, &error)
    })
}
