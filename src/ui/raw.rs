//! The output of programs elsewhere, byte for byte.

use std::io::{self, Read, Write as _};
use std::sync::PoisonError;

use super::Ui;

impl Ui {
    /// Standard input, for a program elsewhere: nothing is left to be read here.
    pub(crate) fn take_input(&self) -> Box<dyn Read + Send> {
        let mut stdin = self.stdin.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *stdin, Box::new(io::empty()))
    }

    /// Writes a program's output to stdout.
    ///
    /// # Errors
    /// A reader that went away among others: there is no use in going on.
    pub(crate) fn raw_out(&self, bytes: &[u8]) -> io::Result<()> {
        let mut streams = self.streams();
        streams.out.write_all(bytes).and_then(|()| streams.out.flush())
    }

    /// Writes a program's messages to stderr.
    ///
    /// # Errors
    /// A reader that went away.
    pub(crate) fn raw_err(&self, bytes: &[u8]) -> io::Result<()> {
        let mut streams = self.streams();
        streams.err.write_all(bytes).and_then(|()| streams.err.flush())
    }
}
