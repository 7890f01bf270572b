//! This module owns the terminal: which stream gets what, colour, progress and questions.
//!
//! stdout carries the result, once. Everything else goes to stderr through the methods here.

mod ascii;
mod bar;
mod defuse;
mod input;
mod lend;
mod progress;
mod raw;
mod runner;
mod style;
mod trace;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use indicatif::MultiProgress;
use tokio_util::sync::CancellationToken;

use crate::error::{CommandLine, CtlError, ErrorKind, Hint, Place, Result};
use crate::process::{NoPrompter, Process, Prompter, TerminalState};
use crate::redact::redact;

pub(crate) use bar::{Bar, Gauge};
pub(crate) use defuse::{
    for_yaml as mark_for_yaml, json as escape_json, keep_colors, mute, one_line, strip_controls,
    yaml as write_marks,
};
use lend::{SharedPrompter, SharedWriter};
pub(crate) use progress::Progress;
use runner::Runner;
pub(crate) use style::{Role, paint, tint};
use trace::TraceWriter;

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
    stdin: Mutex<Box<dyn Read + Send>>,
    stdin_is_terminal: bool,
    stdout_is_terminal: bool,
    stderr_is_terminal: bool,
    prompter: Mutex<Box<dyn Prompter>>,
    /// The same person, for commands beside this one.
    person: SharedPrompter,
    can_prompt: bool,
    asking: AtomicBool,
    verbosity: Verbosity,
    color_stdout: bool,
    color_stderr: bool,
    width: Option<u16>,
    bars: Option<MultiProgress>,
    /// Whether stderr shows more letters than ASCII.
    unicode: bool,
    /// GitHub's runner, when this is a step of a workflow.
    runner: Option<Runner>,
    /// Errors are documents, for the program that reads them.
    documents: bool,
    /// What the commands in hints need, for them to mean the same place.
    place: Place,
    /// What is to be done before commands of the aws tool has been said.
    explained: AtomicBool,
}

struct Streams {
    out: SharedWriter,
    err: SharedWriter,
}

impl Ui {
    /// Takes over the streams of a process.
    pub(crate) fn new(process: &mut Process, color: ColorChoice, verbosity: Verbosity) -> Self {
        let env = |name: &str| process.env.get(name).is_some_and(|value| !value.is_empty());
        let wanted = |terminal: bool| match color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => !env("NO_COLOR") && (terminal || env("CLICOLOR_FORCE")),
        };
        let runner = Runner::of(&process.env);
        let ci = env("CI") || runner.is_some();
        let bars = process.stderr_is_terminal && verbosity == Verbosity::Normal && !ci;
        let columns = process
            .env
            .get("COLUMNS")
            .and_then(|columns| columns.parse().ok());
        let width = || columns.filter(|columns| *columns > 0).or_else(console_width);
        let width = process.stdout_is_terminal.then(width).flatten();
        let out = std::mem::replace(&mut process.stdout, Box::new(io::sink()));
        let err = std::mem::replace(&mut process.stderr, Box::new(io::sink()));
        let stdin = std::mem::replace(&mut process.stdin, Box::new(io::empty()));
        let person = std::mem::replace(&mut process.prompter, Box::new(NoPrompter));
        let person = SharedPrompter::new(person);
        Self {
            streams: Mutex::new(Streams {
                out: SharedWriter::new(out),
                err: SharedWriter::new(err),
            }),
            stdin: Mutex::new(stdin),
            stdin_is_terminal: process.stdin_is_terminal,
            stdout_is_terminal: process.stdout_is_terminal,
            stderr_is_terminal: process.stderr_is_terminal,
            prompter: Mutex::new(Box::new(person.clone())),
            person,
            can_prompt: process.can_prompt && !ci,
            asking: AtomicBool::new(false),
            verbosity,
            color_stdout: wanted(process.stdout_is_terminal),
            color_stderr: wanted(process.stderr_is_terminal),
            width,
            bars: bars.then(MultiProgress::new),
            unicode: is_unicode(&process.env),
            runner,
            documents: false,
            place: Place::default(),
            explained: AtomicBool::new(false),
        }
    }

    /// Where the commands in hints are to do their work.
    #[must_use]
    pub(crate) fn in_place(mut self, place: Place) -> Self {
        self.place = place;
        self
    }

    /// Whether errors are JSON documents instead of text.
    #[must_use]
    pub(crate) fn with_documents(mut self, documents: bool) -> Self {
        self.documents = documents;
        self
    }

    /// Where the commands in hints do their work.
    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    fn streams(&self) -> MutexGuard<'_, Streams> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Columns of the terminal that the result goes to, or what `COLUMNS` says of it; `None` when it is
    /// not a terminal.
    pub(crate) fn width(&self) -> Option<u16> {
        self.width
    }

    /// Whether stderr may be coloured.
    #[cfg(test)]
    pub(crate) fn colors_messages(&self) -> bool {
        self.color_stderr
    }

    /// Where the SDK's tracing goes: stderr, without secrets.
    pub(crate) fn trace_writer(&self) -> impl Fn() -> TraceWriter<io::Stderr> + Send + Sync + 'static {
        let github = self.is_github();
        move || trace::stderr(github)
    }

    /// Whether the result may be coloured.
    pub(crate) fn colors_result(&self) -> bool {
        self.color_stdout
    }

    /// Whether this runs as a step of a GitHub Actions workflow.
    pub(crate) fn is_github(&self) -> bool {
        self.runner.is_some()
    }

    /// Leaves a result with GitHub's runner: Markdown for the page of the workflow run, values for later steps.
    pub(crate) fn leave(&self, markdown: Option<&str>, values: &[(String, String)]) {
        let Some(runner) = &self.runner else { return };
        let summarized = markdown.map_or(Ok(()), |markdown| runner.summarize(markdown));
        for trouble in [summarized, runner.set(values)]
            .into_iter()
            .filter_map(Result::err)
        {
            self.warn(&trouble);
        }
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

    /// Writes a part of a result that comes in parts, as it is; whether a reader is still there.
    ///
    /// # Errors
    /// What keeps it from being written, apart from a reader that went away.
    pub(crate) fn stream(&self, text: &str) -> Result<bool> {
        let write = || {
            let mut streams = self.streams();
            streams
                .out
                .write_all(text.as_bytes())
                .and_then(|()| streams.out.flush())
        };
        let written = match &self.bars {
            Some(bars) => bars.suspend(write),
            None => write(),
        };
        match written {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
            Err(error) => Err(CtlError::new(ErrorKind::Failed, "write the result to stdout").source(&error)),
        }
    }

    /// Writes to stderr as it is: the text has been made harmless, or is ours alone.
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

    /// Repeats a line on stderr that another [`Ui`] of this process has written, and made harmless.
    pub(crate) fn repeat(&self, line: &str) {
        self.line(line);
    }

    /// `text` without what could move the cursor or speak to GitHub's runner: much of what bpctl says
    /// quotes AWS, a log or a stop reason whose author bpctl does not know.
    fn harmless(&self, text: &str) -> String {
        let text = strip_controls(text);
        let text = self.in_locale(&text);
        if self.is_github() {
            mute(&text)
        } else {
            text.into_owned()
        }
    }

    /// `text` with the marks that the locale has.
    pub(crate) fn in_locale<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if self.unicode {
            Cow::Borrowed(text)
        } else {
            ascii::ascii(text)
        }
    }

    fn says(&self, role: Role, word: &str, text: &str) {
        self.line(&format!("{} {}", self.paint(role, word), self.harmless(text)));
    }

    /// `text` in the colour of `role` for stderr.
    pub(crate) fn paint(&self, role: Role, text: &str) -> String {
        style::paint(self.color_stderr, role, text)
    }

    /// Says what is being done or was done. Silent under `--quiet`.
    pub(crate) fn status(&self, text: &str) {
        if self.verbosity > Verbosity::Quiet {
            self.line(&self.harmless(text));
        }
    }

    /// The same for a sentence with a command in it.
    pub(crate) fn tell(&self, text: impl Into<Hint>) {
        self.status(&text.into().in_place(&self.place).to_string());
    }

    /// Text that must be seen even under `--quiet`: plans and what a question is about.
    pub(crate) fn important(&self, text: &str) {
        self.line(&self.harmless(text));
    }

    /// A warning: something is off but the command goes on.
    pub(crate) fn warn(&self, text: &str) {
        self.warn_with(text, &[]);
    }

    /// A warning and what can be done about it.
    pub(crate) fn warn_with(&self, text: &str, hints: &[Hint]) {
        self.annotate("warning", text, hints, &self.place);
        self.says(Role::Warning, "warning:", text);
        for hint in hints {
            self.says_hint(hint, &self.place);
        }
    }

    /// Something that is wrong with what was looked at, not with the command: shown where GitHub shows errors
    /// (or warnings); elsewhere the result says it.
    pub(crate) fn found(&self, grave: bool, text: &str, next: &[Hint]) {
        let level = if grave { "error" } else { "warning" };
        self.annotate(level, text, next, &self.place);
    }

    /// An annotation of the workflow run with all of its hints.
    fn annotate(&self, level: &str, text: &str, hints: &[Hint], place: &Place) {
        if !self.is_github() {
            return;
        }
        let hints = hints
            .iter()
            .map(|hint| format!("\nhint: {}", hint.in_place(place)));
        let text = std::iter::once(text.to_owned()).chain(hints).collect::<String>();
        self.line(&format!("::{level}::{}", github_escape(&text)));
    }

    /// What to do next.
    pub(crate) fn hint(&self, hint: impl Into<Hint>) {
        self.says_hint(&hint.into(), &self.place);
    }

    fn says_hint(&self, hint: &Hint, place: &Place) {
        self.says(Role::Hint, "hint:", &hint.in_place(place).to_string());
        if hint.commands().any(CommandLine::uses_aws) {
            self.explain_aws();
        }
    }

    /// Says once what has to be done before the commands of the aws tool sign as bpctl does.
    pub(crate) fn explain_aws(&self) {
        if let Some(before) = self.place.before_aws()
            && !self.explained.swap(true, Ordering::SeqCst)
        {
            self.says(Role::Hint, "hint:", &before.to_string());
        }
    }

    /// The log of another program, each line with its origin in front.
    pub(crate) fn log(&self, from: &str, text: &str) {
        let from = self.paint(Role::Dim, &format!("{} |", self.harmless(from)));
        for line in self.harmless(&redact(text)).split('\n') {
            self.line(&format!("{from} {line}"));
        }
    }

    /// Opens a foldable group in a GitHub log; nothing elsewhere.
    pub(crate) fn group(&self, title: &str) {
        if self.is_github() {
            self.line(&format!("::group::{}", github_escape(title)));
        }
    }

    /// Closes the group.
    pub(crate) fn end_group(&self) {
        if self.is_github() {
            self.line("::endgroup::");
        }
    }

    /// The last thing an operator reads: what failed, why, and what to type next.
    pub(crate) fn error(&self, error: &CtlError) {
        let place = self.place.clone().without(error.wrong_flags());
        self.annotate("error", &format!("failed to {error}"), error.hints(), &place);
        if self.documents {
            // A type of plain members: it can be written.
            let document = serde_json::to_string(&error.document(&place)).unwrap_or_default();
            self.line(&defuse::json(document, self.is_github()));
            return;
        }
        self.says(Role::Error, "error:", &format!("failed to {}", error.message()));
        for cause in error.causes() {
            self.line(&format!("  caused by: {}", self.harmless(cause)));
        }
        for hint in error.hints() {
            self.says_hint(hint, &place);
        }
    }

    /// Whether lines that [`Self::progress`] shows change in place.
    pub(crate) fn is_live(&self) -> bool {
        self.bars.is_some()
    }

    /// Whether there is a terminal to ask the operator on.
    pub(crate) fn can_prompt(&self) -> bool {
        self.can_prompt
    }

    /// Whether a question waits for its answer.
    pub(crate) fn is_asking(&self) -> bool {
        self.asking.load(Ordering::SeqCst)
    }

    /// Asks a yes/no question, default no; a caller that cancels need not wait for the answer.
    pub(crate) async fn confirm(&self, question: &str, cancel: &CancellationToken) -> io::Result<bool> {
        let question = self.harmless(question);
        self.ask(cancel, move |prompter| prompter.confirm(&question))
            .await
    }

    /// Asks for a word to be typed.
    pub(crate) async fn type_word(&self, question: &str, cancel: &CancellationToken) -> io::Result<String> {
        let question = self.harmless(question);
        self.ask(cancel, move |prompter| prompter.input(&question)).await
    }

    /// A question blocks a thread of its own, so that signals are heard meanwhile.
    async fn ask<T: Send + 'static>(
        &self,
        cancel: &CancellationToken,
        question: impl FnOnce(&mut dyn Prompter) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let absent: Box<dyn Prompter> = Box::new(NoPrompter);
        let mut prompter = std::mem::replace(
            &mut *self.prompter.lock().unwrap_or_else(PoisonError::into_inner),
            absent,
        );
        let terminal = TerminalState::save();
        self.asking.store(true, Ordering::SeqCst);
        let asking = tokio::task::spawn_blocking(move || {
            let answer = question(&mut *prompter);
            (prompter, answer)
        });
        let answer = tokio::select! {
            biased;
            asked = asking => {
                let (prompter, answer) = asked.map_err(io::Error::other)?;
                *self.prompter.lock().unwrap_or_else(PoisonError::into_inner) = prompter;
                answer
            }
            () = cancel.cancelled() => Err(io::Error::from(io::ErrorKind::Interrupted)),
        };
        if matches!(&answer, Err(error) if error.kind() == io::ErrorKind::Interrupted) {
            terminal.restore();
        }
        self.asking.store(false, Ordering::SeqCst);
        answer
    }
}

/// Whether the locale has more letters than ASCII (POSIX, "Environment Variables": LC_ALL, then LC_CTYPE, then
/// LANG). Where none is set terminals show UTF-8 today.
fn is_unicode(env: &BTreeMap<String, String>) -> bool {
    ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .find_map(|name| env.get(*name).filter(|value| !value.is_empty()))
        .is_none_or(|locale| {
            let locale = locale.to_ascii_lowercase();
            locale.contains("utf-8") || locale.contains("utf8")
        })
}

fn console_width() -> Option<u16> {
    let (rows, columns) = console::Term::stdout().size_checked()?;
    (rows > 0 && columns > 0).then_some(columns)
}

/// GitHub's workflow commands are one line each (GitHub docs, "Workflow commands for GitHub Actions").
fn github_escape(text: &str) -> String {
    strip_controls(text)
        .replace("##[", "## [")
        .replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::CommandLine;

    fn github() -> (Ui, crate::process::Captured) {
        let (mut process, captured) = Process::captured(&[]);
        process.env.insert("GITHUB_ACTIONS".to_owned(), "true".to_owned());
        (
            Ui::new(&mut process, ColorChoice::Auto, Verbosity::Normal),
            captured,
        )
    }

    #[test]
    fn text_from_outside_sends_no_commands_to_githubs_runner() {
        let hostile = "x\n  ::error::a\nb ##[add-mask]c\n::stop-commands::d\u{1b}[2J";
        let (ui, captured) = github();
        ui.log("php-fpm", hostile);
        ui.status(hostile);
        ui.important(hostile);
        ui.hint(hostile);
        ui.warn(hostile);
        ui.error(&CtlError::new(ErrorKind::Failed, hostile).cause(hostile));
        let text = captured.stderr();
        let commands: Vec<&str> = text
            .lines()
            .filter(|line| line.trim_start().starts_with("::") || line.contains("##["))
            .collect();
        // The two annotations that warn and error make themselves; GitHub gives them back unescaped as
        // text, not as commands.
        assert_eq!(commands.len(), 2, "{text}");
        assert!(
            commands[0].starts_with("::warning::x%0A") && commands[1].starts_with("::error::failed to x%0A")
        );
        assert!(!text.contains('\u{1b}'), "{text}");
    }

    #[test]
    fn every_line_of_a_log_says_where_it_comes_from() {
        let (mut process, captured) = Process::captured(&[]);
        let ui = Ui::new(&mut process, ColorChoice::Never, Verbosity::Normal);
        ui.log("php-fpm", "a\n::error::b\r");
        assert_eq!(captured.stderr(), "php-fpm | a\nphp-fpm | ::error::b\n");
    }

    #[test]
    fn hints_mean_the_same_place_without_the_flag_that_was_wrong() {
        let (mut process, captured) = Process::captured(&[]);
        let place = Place::of_flags([("context", "prod"), ("stage", "stagin")])
            .aws("--profile", Some("ops"))
            .aws("--region", None);
        let ui = Ui::new(&mut process, ColorChoice::Never, Verbosity::Normal).in_place(place);
        let triage = || CommandLine::bpctl(["triage"]);
        ui.hint(("run", triage(), "again"));
        ui.hint(CommandLine::aws("sts", "get-caller-identity"));
        ui.error(&CtlError::usage("x").wrong_flag("stage").hint(("see", triage())));
        assert_eq!(
            captured.stderr(),
            "hint: run `bpctl --context prod --stage stagin triage` again\n\
             hint: `aws sts get-caller-identity --profile ops`\n\
             error: failed to x\n\
             hint: see `bpctl --context prod triage`\n"
        );
    }

    #[test]
    fn the_locale_says_which_letters_there_are() {
        let unicode = |env: &[(&str, &str)]| {
            let pairs = env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
            is_unicode(&pairs.collect())
        };
        assert!(unicode(&[]) && unicode(&[("LANG", "de_DE.UTF-8"), ("LC_ALL", "")]));
        assert!(unicode(&[("LC_ALL", "C.utf8")]));
        assert!(!unicode(&[("LC_ALL", "C"), ("LANG", "en_US.UTF-8")]));
        assert!(!unicode(&[("LANG", "POSIX")]));
    }

    #[test]
    fn no_color_wins_unless_empty() {
        let colored = |env: &[(&str, &str)], terminal: bool| {
            let (mut process, _) = Process::captured(&[]);
            process.stderr_is_terminal = terminal;
            process.env = env
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect();
            Ui::new(&mut process, ColorChoice::Auto, Verbosity::Normal).colors_messages()
        };
        assert!(colored(&[], true) && !colored(&[], false));
        assert!(colored(&[("CLICOLOR_FORCE", "1")], false));
        assert!(!colored(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], true));
        assert!(colored(&[("NO_COLOR", "")], true));
    }
}
