//! Questions to the operator, behind a trait so that tests can answer them.

use std::io;

/// Somebody who answers questions.
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
}

/// The person at the terminal, asked on stderr.
#[derive(Clone, Copy, Debug)]
pub struct TerminalPrompter;

impl Prompter for TerminalPrompter {
    fn confirm(&mut self, question: &str) -> io::Result<bool> {
        dialoguer::Confirm::new()
            .with_prompt(question)
            .default(false)
            .interact()
            .map_err(into_io)
    }

    fn input(&mut self, question: &str) -> io::Result<String> {
        dialoguer::Input::new()
            .with_prompt(question)
            .allow_empty(true)
            .interact_text()
            .map_err(into_io)
    }
}

/// The question has hidden the cursor; an interrupted one does not bring it back.
fn into_io(error: dialoguer::Error) -> io::Error {
    let _ = console::Term::stderr().show_cursor();
    match error {
        dialoguer::Error::IO(error) => error,
    }
}

/// Nobody.
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
