//! This module owns the terminal: which stream gets what, colour, progress and questions.
//!
//! stdout carries the result, once. Everything else goes to stderr through the methods here.

mod progress;
pub(crate) mod prompt;
mod style;

use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use indicatif::MultiProgress;

use crate::error::{CtlError, ErrorKind, Result};
use crate::process::Process;

pub(crate) use progress::Progress;
use prompt::Prompter;
pub(crate) use style::{Role, paint, strip_controls};

/// `--color`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ColorChoice {
    /// Colour on a terminal, unless NO_COLOR is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How much is said on stderr.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verbosity {
    /// Errors, warnings and questions only.
    Quiet,
    /// What is being done.
    Normal,
    /// Also the SDK's own tracing.
    Verbose,
}

/// The operator's terminal (or pipe, or CI log).
pub(crate) struct Ui {
    streams: Mutex<Streams>,
    prompter: Mutex<Box<dyn Prompter>>,
    can_prompt: bool,
    verbosity: Verbosity,
    color_stdout: bool,
    color_stderr: bool,
    width: Option<u16>,
    bars: Option<MultiProgress>,
    github: bool,
}

struct Streams {
    out: Box<dyn Write + Send>,
    err: Box<dyn Write + Send>,
}

impl Ui {
    /// Takes over the streams of a process.
    pub(crate) fn new(process: &mut Process, color: ColorChoice, verbosity: Verbosity) -> Self {
        let env = |name: &str| process.env.get(name).is_some_and(|value| !value.is_empty());
        let wanted = |terminal: bool| match color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => (terminal && !env("NO_COLOR")) || env("CLICOLOR_FORCE"),
        };
        let github = process
            .env
            .get("GITHUB_ACTIONS")
            .is_some_and(|value| value == "true");
        let ci = env("CI") || github;
        let bars = process.stderr_is_terminal && verbosity == Verbosity::Normal && !ci;
        let out = std::mem::replace(&mut process.stdout, Box::new(io::sink()));
        let err = std::mem::replace(&mut process.stderr, Box::new(io::sink()));
        let prompter = std::mem::replace(&mut process.prompter, Box::new(prompt::NoPrompter));
        Self {
            streams: Mutex::new(Streams { out, err }),
            prompter: Mutex::new(prompter),
            can_prompt: process.can_prompt && !ci,
            verbosity,
            color_stdout: wanted(process.stdout_is_terminal),
            color_stderr: wanted(process.stderr_is_terminal),
            width: process.stdout_is_terminal.then(console_width).flatten(),
            bars: bars.then(MultiProgress::new),
            github,
        }
    }

    fn streams(&self) -> MutexGuard<'_, Streams> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Columns of the terminal that the result goes to; `None` when it is not a terminal.
    pub(crate) fn width(&self) -> Option<u16> {
        self.width
    }

    /// Whether the result may be coloured.
    pub(crate) fn colors_result(&self) -> bool {
        self.color_stdout
    }

    /// Whether this runs as a step of a GitHub Actions workflow.
    pub(crate) fn is_github(&self) -> bool {
        self.github
    }

    /// Writes the result. A reader that went away (a broken pipe) is not an error.
    ///
    /// # Errors
    /// What else keeps the result from being written whole, e.g. a full disk.
    pub(crate) fn result(&self, text: &str) -> Result<()> {
        let mut streams = self.streams();
        match streams
            .out
            .write_all(text.as_bytes())
            .and_then(|()| streams.out.flush())
        {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(CtlError::new(ErrorKind::Failed, "write the result to stdout").source(&error))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    fn line(&self, text: &str) {
        let write = || {
            let mut streams = self.streams();
            // Nothing can be done about a closed stderr.
            let _ = writeln!(streams.err, "{text}").and_then(|()| streams.err.flush());
        };
        match &self.bars {
            Some(bars) => bars.suspend(write),
            None => write(),
        }
    }

    /// `text` in the colour of `role` for stderr.
    pub(crate) fn paint(&self, role: Role, text: &str) -> String {
        style::paint(self.color_stderr, role, text)
    }

    /// Says what is being done or was done. Silent under `--quiet`.
    pub(crate) fn status(&self, text: &str) {
        if self.verbosity > Verbosity::Quiet {
            self.line(text);
        }
    }

    /// Text that must be seen even under `--quiet`: plans and what a question is about.
    pub(crate) fn important(&self, text: &str) {
        self.line(text);
    }

    /// A warning: something is off but the command goes on.
    pub(crate) fn warn(&self, text: &str) {
        if self.github {
            self.line(&format!("::warning::{}", github_escape(text)));
        }
        self.line(&format!("{} {text}", self.paint(Role::Warning, "warning:")));
    }

    /// The next command to type.
    pub(crate) fn hint(&self, text: &str) {
        self.line(&format!("{} {text}", self.paint(Role::Hint, "hint:")));
    }

    /// One line of somebody else's log. Control characters are taken out: a log must not be able to
    /// move the cursor, nor to speak to GitHub's runner (the prefix keeps `::` off the line's start).
    pub(crate) fn log(&self, from: &str, text: &str) {
        let from = self.paint(Role::Dim, &format!("{from} |"));
        self.line(&format!("{from} {}", strip_controls(text)));
    }

    /// Opens a foldable group in a GitHub log; nothing elsewhere.
    pub(crate) fn group(&self, title: &str) {
        if self.github {
            self.line(&format!("::group::{}", github_escape(title)));
        }
    }

    /// Closes the group.
    pub(crate) fn end_group(&self) {
        if self.github {
            self.line("::endgroup::");
        }
    }

    /// The last thing an operator reads: what failed, why, and what to type next.
    pub(crate) fn error(&self, error: &CtlError) {
        if self.github {
            self.line(&format!(
                "::error::{}",
                github_escape(&format!("failed to {error}"))
            ));
        }
        self.line(&format!(
            "{} failed to {}",
            self.paint(Role::Error, "error:"),
            strip_controls(error.message())
        ));
        for cause in error.causes() {
            self.line(&format!("  caused by: {}", strip_controls(cause)));
        }
        for hint in error.hints() {
            self.hint(hint);
        }
    }

    /// Shows that something is going on, for as long as the returned value lives.
    pub(crate) fn progress(&self, what: &str) -> Progress {
        match &self.bars {
            Some(bars) => Progress::spinner(bars, what),
            None => {
                self.status(what);
                Progress::silent()
            }
        }
    }

    /// Whether anybody can be asked.
    pub(crate) fn can_prompt(&self) -> bool {
        self.can_prompt
    }

    /// Asks a yes/no question, default no.
    pub(crate) fn confirm(&self, question: &str) -> io::Result<bool> {
        self.prompter
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .confirm(question)
    }

    /// Asks for a word to be typed.
    pub(crate) fn type_word(&self, question: &str) -> io::Result<String> {
        self.prompter
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .input(question)
    }
}

fn console_width() -> Option<u16> {
    let (rows, columns) = console::Term::stdout().size_checked()?;
    (rows > 0 && columns > 0).then_some(columns)
}

/// GitHub's workflow commands are one line each (GitHub docs, "Workflow commands for GitHub Actions").
fn github_escape(text: &str) -> String {
    strip_controls(text)
        .replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}
