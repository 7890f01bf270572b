//! Questions to the operator, behind a trait so that tests can answer them.

use std::io::{self, Write as _};

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
        let answer = ask(&format!("{question} [y/N]"))?;
        Ok(["y", "yes"].iter().any(|yes| answer.eq_ignore_ascii_case(yes)))
    }

    fn input(&mut self, question: &str) -> io::Result<String> {
        ask(&format!("{question}:"))
    }
}

/// One line from the terminal, without blanks around it. The terminal stays as it is, line by line with
/// echo: whatever ends bpctl in the middle of a question leaves nothing to mend.
fn ask(question: &str) -> io::Result<String> {
    let mut stderr = io::stderr();
    stderr.write_all(format!("{question} ").as_bytes())?;
    stderr.flush()?;
    let mut answer = String::new();
    match io::stdin().read_line(&mut answer)? {
        0 => Err(io::Error::from(io::ErrorKind::UnexpectedEof)),
        _ => Ok(answer.trim().to_owned()),
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
