//! Questions to the operator, behind a trait so that tests can answer them.

use std::io;

/// Where questions are answered.
pub trait Prompter: Send {
    /// Yes or no; no when the operator just presses Enter.
    ///
    /// # Errors
    /// When the terminal cannot be read.
    fn confirm(&mut self, question: &str) -> io::Result<bool>;

    /// A word, as typed.
    ///
    /// # Errors
    /// When the terminal cannot be read.
    fn input(&mut self, question: &str) -> io::Result<String>;

    /// A value that is not shown while it is typed, typed twice.
    ///
    /// # Errors
    /// When the terminal cannot be read; by default there is no terminal to ask on.
    fn hidden(&mut self, question: &str) -> io::Result<String> {
        let _ = question;
        Err(io::Error::from(io::ErrorKind::Unsupported))
    }
}

/// The person at the terminal, asked on stderr.
#[derive(Clone, Copy, Debug)]
pub struct TerminalPrompter;

impl Prompter for TerminalPrompter {
    fn confirm(&mut self, question: &str) -> io::Result<bool> {
        // A whole line and not one key: the first `y` of a longer word must not count as yes.
        let answer = self.input(&format!("{question} [y/N]"))?;
        Ok(["y", "yes"]
            .iter()
            .any(|yes| answer.trim().eq_ignore_ascii_case(yes)))
    }

    fn input(&mut self, question: &str) -> io::Result<String> {
        let input = dialoguer::Input::new().with_prompt(question).allow_empty(true);
        input.interact_text().map_err(into_io)
    }

    fn hidden(&mut self, question: &str) -> io::Result<String> {
        dialoguer::Password::new()
            .with_prompt(question)
            .with_confirmation("the same again", "the two are not the same")
            .report(false)
            .interact()
            .map_err(into_io)
    }
}

fn into_io(error: dialoguer::Error) -> io::Error {
    match error {
        dialoguer::Error::IO(error) => error,
    }
}

/// The terminal as it was before a question: a question that is given up has the cursor hidden and
/// echo off at that moment, and no code left to bring them back.
#[derive(Debug)]
pub(crate) struct TerminalState {
    #[cfg(unix)]
    modes: Option<rustix::termios::Termios>,
}

impl TerminalState {
    /// Remembers the terminal's state; nothing without a terminal.
    pub(crate) fn save() -> Self {
        Self {
            #[cfg(unix)]
            modes: rustix::termios::tcgetattr(io::stdin()).ok(),
        }
    }

    /// Brings it back, the cursor at the beginning of a line.
    pub(crate) fn restore(&self) {
        // The command ends anyway: nothing can be done about a terminal that went away.
        #[cfg(unix)]
        if let Some(modes) = &self.modes {
            let _ = rustix::termios::tcsetattr(io::stdin(), rustix::termios::OptionalActions::Now, modes);
        }
        let terminal = console::Term::stderr();
        if terminal.is_term() {
            let _ = terminal.show_cursor().and_then(|()| terminal.write_line(""));
        }
    }
}

/// No terminal: there is no answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NoPrompter;

impl Prompter for NoPrompter {
    fn confirm(&mut self, _question: &str) -> io::Result<bool> {
        Err(io::Error::from(io::ErrorKind::Unsupported))
    }

    fn input(&mut self, _question: &str) -> io::Result<String> {
        Err(io::Error::from(io::ErrorKind::Unsupported))
    }
}
