//! Other commands of bpctl, in this process: those that only look write into the view, those that change something get the
//! terminal.

use std::io::{self, Write};

use futures::future::LocalBoxFuture;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::context::Ctx;
use crate::error::CommandLine;
use crate::exit::ExitStatus;
use crate::process::Process;

/// A command that only looks, while it runs.
pub(super) struct Job {
    running: LocalBoxFuture<'static, ExitStatus>,
    lines: mpsc::UnboundedReceiver<Vec<u8>>,
    /// The beginning of a line that has not ended.
    rest: Vec<u8>,
    ended: Option<ExitStatus>,
    cancel: CancellationToken,
    pub(super) tails: bool,
}

/// What a job does.
pub(super) enum News {
    /// Whole lines.
    Lines(String),
    Ended(ExitStatus),
}

/// Where a job writes.
struct Pipe(mpsc::UnboundedSender<Vec<u8>>);

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let gone = |_| io::Error::from(io::ErrorKind::BrokenPipe);
        self.0.send(bytes.to_vec()).map_err(gone)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The words of a command in the place of this one, without the program's name.
fn words(ctx: &Ctx, command: &CommandLine) -> Vec<String> {
    command
        .in_place(ctx.ui.place())
        .words()
        .into_iter()
        .skip(1)
        .collect()
}

fn process(ctx: &Ctx, words: &[String]) -> Process {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    ctx.process_beside(&words).0
}

impl Job {
    /// Starts a command that changes nothing; what it says has lines of `width` columns.
    pub(super) fn start(ctx: &Ctx, command: &CommandLine, width: u16, tails: bool) -> Self {
        let mut all = vec!["--color".to_owned(), "never".to_owned()];
        all.extend(words(ctx, command));
        let mut process = process(ctx, &all);
        let (sender, lines) = mpsc::unbounded_channel();
        process.stdout = Box::new(Pipe(sender.clone()));
        process.stderr = Box::new(Pipe(sender));
        if !tails {
            // Tables fit into the view.
            process.stdout_is_terminal = true;
            process.env.insert("COLUMNS".to_owned(), width.to_string());
        }
        let cancel = process.cancel.clone();
        Self {
            running: (ctx.run_beside)(process),
            lines,
            rest: Vec::new(),
            ended: None,
            cancel,
            tails,
        }
    }

    /// What comes next: lines, and in the end how it ended. May be dropped at any time.
    pub(super) async fn next(&mut self) -> News {
        loop {
            if let Some(status) = self.ended {
                while let Ok(bytes) = self.lines.try_recv() {
                    self.rest.extend(bytes);
                }
                if self.rest.is_empty() {
                    return News::Ended(status);
                }
                let rest = std::mem::take(&mut self.rest);
                return News::Lines(String::from_utf8_lossy(&rest).into_owned());
            }
            tokio::select! {
                biased;
                Some(bytes) = self.lines.recv() => {
                    self.rest.extend(bytes);
                    while let Ok(bytes) = self.lines.try_recv() {
                        self.rest.extend(bytes);
                    }
                    if let Some(end) = self.rest.iter().rposition(|byte| *byte == b'\n') {
                        let whole: Vec<u8> = self.rest.drain(..=end).collect();
                        return News::Lines(String::from_utf8_lossy(&whole).into_owned());
                    }
                }
                status = &mut self.running => self.ended = Some(status),
            }
        }
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

/// Runs a command with the terminal, its plan and its question, as if it had been typed.
pub(super) async fn attended(ctx: &Ctx, command: &CommandLine) -> ExitStatus {
    let mut process = process(ctx, &words(ctx, command));
    ctx.ui.lend(&mut process);
    (ctx.run_beside)(process).await
}
