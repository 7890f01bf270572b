//! Values that are read and not shown: from stdin, and from a question whose answer stays hidden.

use std::io::{self, Read as _};
use std::sync::PoisonError;

use tokio_util::sync::CancellationToken;

use super::Ui;

impl Ui {
    /// Whether the result goes to a terminal.
    pub(crate) fn shows_results(&self) -> bool {
        self.stdout_is_terminal
    }

    /// Whether stdin is a terminal: nothing has been put there to be read.
    pub(crate) fn has_terminal_input(&self) -> bool {
        self.stdin_is_terminal
    }

    /// Everything on stdin.
    ///
    /// # Errors
    /// More than `limit` bytes; what the operating system says.
    pub(crate) fn read_input(&self, limit: u64) -> io::Result<Vec<u8>> {
        // Room for all of it: the bytes never move and leave no copy behind.
        let mut bytes = Vec::with_capacity(usize::try_from(limit).unwrap_or_default() + 1);
        let mut stdin = self.stdin.lock().unwrap_or_else(PoisonError::into_inner);
        (&mut *stdin).take(limit + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > limit {
            return Err(io::Error::from(io::ErrorKind::FileTooLarge));
        }
        Ok(bytes)
    }

    /// Asks for a value that is not shown, twice; a caller that cancels need not wait for the answer.
    pub(crate) async fn type_hidden(&self, question: &str, cancel: &CancellationToken) -> io::Result<String> {
        let question = self.harmless(question);
        self.ask(cancel, move |prompter| prompter.hidden(&question)).await
    }
}
