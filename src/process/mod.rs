//! This module owns what the operating system gives a process: arguments, environment, working
//! directory, streams, signals and the person who answers questions. Tests put a virtual process in its place.

mod attached;
mod captured;
mod dial;
mod dumps;
mod program;
mod prompt;
mod signals;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, IsTerminal as _, Read, Write};
use std::path::PathBuf;

use aws_smithy_runtime_api::client::http::SharedHttpClient;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;

pub(crate) use attached::{
    Attached, ENTER_SCREEN, LEAVE_SCREEN, RawTerminal, Resizes, TerminalChange, Termination, Typed,
    read_in_thread, terminal_size,
};
pub use captured::Captured;
pub use dial::Dial;
pub(crate) use dumps::hold_back as hold_back_dumps;
pub(crate) use program::{Ended, Program};
pub(crate) use prompt::{NoPrompter, TerminalState};
pub use prompt::{Prompter, TerminalPrompter};
pub(crate) use signals::{Interrupts, Signals, interrupt};

/// What a verb may take of the stack. The futures of SDK calls are large, and a debug build moves them about:
/// `triage` needs more than 1 MiB then. That is all that the main thread of Windows has; elsewhere `ulimit -s` decides.
pub(crate) const STACK: usize = 8 * 1024 * 1024;

/// The context that a user has chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum ChosenContext {
    /// Whatever is chosen now.
    #[default]
    Latest,
    /// That of the command that runs this one beside itself, whatever `config use-context` has said since.
    Parent(String),
    /// That command has none.
    NoneOfParent,
}

/// One run of the program, seen from the inside.
pub struct Process {
    /// The command line, program name first.
    pub args: Vec<OsString>,
    /// Environment variables with Unicode names. A value that is not Unicode is left out, unless it is a
    /// setting: that one is kept with replacement characters, so that it is refused and not ignored.
    pub env: BTreeMap<String, String>,
    /// Where relative paths and the search for `bpctl.toml` start.
    pub cwd: PathBuf,
    /// Whether the operating system started this process for bpctl alone: settings of the process as a whole are
    /// bpctl's to change then.
    pub is_ours: bool,
    /// What is read from where a value is expected.
    pub stdin: Box<dyn Read + Send>,
    /// Where the result goes.
    pub stdout: Box<dyn Write + Send>,
    /// Where everything else goes.
    pub stderr: Box<dyn Write + Send>,
    /// Whether stdin is a terminal.
    pub stdin_is_terminal: bool,
    /// Whether stdout is a terminal.
    pub stdout_is_terminal: bool,
    /// Whether stderr is a terminal: progress and colour depend on it.
    pub stderr_is_terminal: bool,
    /// Whether questions can be asked (stdin and stderr are terminals).
    pub can_prompt: bool,
    /// Who answers questions.
    pub prompter: Box<dyn Prompter>,
    /// Reaches a sandbox in this process instead of the network.
    pub transport: Option<Transport>,
    /// Which context is chosen where nothing on the command line says so.
    pub(crate) context: ChosenContext,
    /// Cancelled by the first Ctrl-C, or by a holder of a clone.
    pub cancel: CancellationToken,
}

/// A way to "AWS" that involves no network: an HTTP client and the clock that goes with it.
#[derive(Clone, Debug)]
pub struct Transport {
    /// Answers every request.
    pub client: SharedHttpClient,
    /// The time on the other side.
    pub clock: Clock,
    /// Account that the other side simulates.
    pub account_id: String,
    /// Region of the other side.
    pub region: String,
    /// Opens a connection to the other side's sessions.
    pub dial: Dial,
}

impl Process {
    /// This process as the operating system started it.
    #[must_use]
    pub fn from_os() -> Self {
        let stderr_is_terminal = io::stderr().is_terminal();
        let stdin_is_terminal = io::stdin().is_terminal();
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place that reads the environment"
        )]
        let env = std::env::vars_os()
            .filter_map(|(name, value)| {
                let name = name.into_string().ok()?;
                let value = match value.into_string() {
                    Ok(value) => value,
                    Err(value) if ["BPCTL_", "AWS_"].iter().any(|ours| name.starts_with(ours)) => {
                        value.to_string_lossy().into_owned()
                    }
                    Err(_) => return None,
                };
                Some((name, value))
            })
            .collect();
        Self {
            args: std::env::args_os().collect(),
            env,
            cwd: std::env::current_dir().unwrap_or_else(|_| PathBuf::from(".")),
            is_ours: true,
            stdin: Box::new(io::stdin()),
            stdout: Box::new(io::stdout()),
            stderr: Box::new(io::stderr()),
            stdin_is_terminal,
            stdout_is_terminal: io::stdout().is_terminal(),
            stderr_is_terminal,
            can_prompt: stderr_is_terminal && stdin_is_terminal,
            prompter: Box::new(TerminalPrompter),
            transport: None,
            context: ChosenContext::Latest,
            cancel: CancellationToken::new(),
        }
    }

    /// A process without terminal, environment or network whose output is captured.
    ///
    /// `args` does not include the program name.
    #[must_use]
    pub fn captured(args: &[&str]) -> (Self, Captured) {
        let captured = Captured::default();
        let process = Self {
            args: std::iter::once("bpctl")
                .chain(args.iter().copied())
                .map(OsString::from)
                .collect(),
            env: BTreeMap::new(),
            cwd: PathBuf::from("/nonexistent"),
            is_ours: false,
            stdin: Box::new(io::empty()),
            stdout: Box::new(captured.stdout.clone()),
            stderr: Box::new(captured.stderr.clone()),
            stdin_is_terminal: false,
            stdout_is_terminal: false,
            stderr_is_terminal: false,
            can_prompt: false,
            prompter: Box::new(TerminalPrompter),
            transport: None,
            context: ChosenContext::Latest,
            cancel: CancellationToken::new(),
        };
        (process, captured)
    }
}
