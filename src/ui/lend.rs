//! The operator's streams for another command line of the same process: both write to them, and both may ask.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use super::{Ui, Verbosity};
use crate::process::{Process, Prompter};

/// A stream with several writers, of which one writes at a time.
#[derive(Clone)]
pub(super) struct SharedWriter(Arc<Mutex<Box<dyn Write + Send>>>);

impl SharedWriter {
    pub(super) fn new(writer: Box<dyn Write + Send>) -> Self {
        Self(Arc::new(Mutex::new(writer)))
    }
}

impl Write for SharedWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).flush()
    }
}

/// The person who answers, whoever asks.
#[derive(Clone)]
pub(super) struct SharedPrompter(Arc<Mutex<Box<dyn Prompter>>>);

impl SharedPrompter {
    pub(super) fn new(prompter: Box<dyn Prompter>) -> Self {
        Self(Arc::new(Mutex::new(prompter)))
    }

    fn ask<T>(&self, question: impl FnOnce(&mut dyn Prompter) -> io::Result<T>) -> io::Result<T> {
        question(&mut **self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Prompter for SharedPrompter {
    fn confirm(&mut self, question: &str) -> io::Result<bool> {
        self.ask(|prompter| prompter.confirm(question))
    }

    fn input(&mut self, question: &str) -> io::Result<String> {
        self.ask(|prompter| prompter.input(question))
    }

    fn hidden(&mut self, question: &str) -> io::Result<String> {
        self.ask(|prompter| prompter.hidden(question))
    }
}

impl Ui {
    /// Whether the SDK's own tracing is shown.
    pub(crate) fn is_verbose(&self) -> bool {
        self.verbosity == Verbosity::Verbose
    }

    /// Whether the terminal shows more letters than ASCII.
    pub(crate) fn has_unicode(&self) -> bool {
        self.unicode
    }

    /// Gives a process the streams and the person of this one: what it writes is seen, what it asks is answered.
    pub(crate) fn lend(&self, process: &mut Process) {
        let streams = self.streams();
        process.stdout = Box::new(streams.out.clone());
        process.stderr = Box::new(streams.err.clone());
        process.prompter = Box::new(self.person.clone());
        process.stdin_is_terminal = self.stdin_is_terminal;
        process.stdout_is_terminal = self.stdout_is_terminal;
        process.stderr_is_terminal = self.stderr_is_terminal;
        process.can_prompt = self.can_prompt;
    }
}
