//! The command line: global flags, the table of verbs, and what happens around each of them.

mod dispatch;
mod global;
mod verbs;

use std::ffi::OsString;
use std::io::Write as _;
use std::sync::mpsc;

use clap::{CommandFactory as _, FromArgMatches as _, Parser};

use crate::completion;
use crate::error::{CtlError, ErrorKind, Result};
use crate::exit::ExitStatus;
use crate::process::Process;
use crate::ui::{ColorChoice, Ui, Verbosity};

use dispatch::{Owner, dispatch};
use global::GlobalArgs;
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
}

/// The whole command tree, for completions, man pages and tests.
#[must_use]
pub fn command_tree() -> clap::Command {
    Cli::command()
}

/// What a verb may take of the stack. The futures of SDK calls are large, and a debug build moves them about:
/// `triage` needs more than 1 MiB then. That is all that the main thread of Windows has; elsewhere `ulimit -s` decides.
const STACK: usize = 8 * 1024 * 1024;

/// Runs one command line in a thread and a runtime of its own.
pub(crate) fn run(mut process: Process) -> ExitStatus {
    if let Some(status) = completion::answer(&mut process, command_tree) {
        return status;
    }
    let cli = match parse(&mut process) {
        Ok(cli) => cli,
        Err(status) => return status,
    };
    let (give, take) = mpsc::channel();
    let running = std::thread::Builder::new()
        .name("bpctl".to_owned())
        .stack_size(STACK)
        .spawn(move || {
            let (cli, process) = take.recv().ok()?;
            Some(run_to_the_end(cli, process))
        });
    match (give.send((cli, process)), running) {
        (Ok(()), Ok(running)) => match running.join() {
            Ok(status) => status.unwrap_or(ExitStatus::Failed),
            Err(panic) => std::panic::resume_unwind(panic),
        },
        // The system gives no thread: the stack that there is must do.
        (Err(mpsc::SendError((cli, process))), _) => run_to_the_end(cli, process),
        (Ok(()), Err(_)) => ExitStatus::Failed,
    }
}

fn run_to_the_end(cli: Cli, mut process: Process) -> ExitStatus {
    // One thread: bpctl waits for the network, it does not compute.
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => {
            let status = runtime.block_on(dispatch(cli.global, cli.command, process, Owner::Us));
            // A question nobody answers any more, or a name that does not resolve, must not hold up the end.
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
    match parse(&mut process) {
        Ok(cli) => dispatch(cli.global, cli.command, process, Owner::Caller).await,
        Err(status) => status,
    }
}

/// Whether a command line that cannot be parsed asks for JSON.
fn wants_json(args: &[OsString]) -> bool {
    let words: Vec<&str> = args
        .iter()
        .map_while(|arg| arg.to_str().filter(|word| *word != "--"))
        .collect();
    let is_json = |word: &str| matches!(word, "json" | "jsonl");
    let joined = words.iter().any(|word| {
        ["--output=", "-o=", "-o"]
            .iter()
            .any(|flag| word.strip_prefix(flag).is_some_and(is_json))
    });
    joined
        || words
            .windows(2)
            .any(|pair| matches!(pair, ["-o" | "--output", word] if is_json(word)))
}

/// What clap has to say about a command line, as an error of bpctl's own.
fn complaint(error: &clap::Error) -> CtlError {
    let text = error.render().to_string();
    let mut paragraphs = text.split("\n\n").map(str::trim);
    let what = paragraphs.next().unwrap_or_default();
    let what = what.strip_prefix("error: ").unwrap_or(what);
    let what = what.split_whitespace().collect::<Vec<_>>().join(" ");
    let tips = paragraphs
        .filter_map(|paragraph| paragraph.strip_prefix("tip: "))
        .map(str::to_owned);
    tips.fold(
        CtlError::usage(format!("read the command line: {what}")),
        |error, tip| error.hint(tip),
    )
}

/// Command line → [`Cli`]; help and version texts and complaints are written here.
fn parse(process: &mut Process) -> Result<Cli, ExitStatus> {
    let args = std::mem::take(&mut process.args);
    let wants_json = wants_json(&args);
    let parsed = command_tree()
        .try_get_matches_from(args)
        .and_then(|matches| Cli::from_arg_matches(&matches));
    parsed.map_err(|error| {
        let is_answer = !error.use_stderr();
        if wants_json && !is_answer {
            let ui = Ui::new(process, ColorChoice::Never, Verbosity::Normal).with_documents(true);
            ui.error(&complaint(&error));
            return ExitStatus::Usage;
        }
        let (stream, terminal) = if is_answer {
            (&mut process.stdout, process.stdout_is_terminal)
        } else {
            (&mut process.stderr, process.stderr_is_terminal)
        };
        let no_color = process.env.get("NO_COLOR").is_some_and(|value| !value.is_empty());
        let colored = terminal && !no_color;
        let text = error.render();
        let text = if colored {
            text.ansi().to_string()
        } else {
            text.to_string()
        };
        // A reader that went away is not an error.
        let _ = stream.write_all(text.as_bytes()).and_then(|()| stream.flush());
        if is_answer {
            ExitStatus::Done
        } else {
            ExitStatus::Usage
        }
    })
}
