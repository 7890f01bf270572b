//! A program without a terminal: its two streams, its input, and its exit status.

use std::time::Duration;

use tokio::sync::mpsc;

use super::open::demanded;
use super::place::Place;
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Result};
use crate::process::Signals;
use crate::session::wrapper::{Decoder, END_OF_INPUT, INPUT_LINE, Piece, input_line};
use crate::session::{Command, Event, Refusal, Talk, Turn};

/// How long the program may take to begin once the session is open.
const BEGINS: Duration = Duration::from_secs(60);
/// How long output may still come once the program has ended: what it left in the background may hold its streams open.
const LAST_OUTPUT: Duration = Duration::from_secs(5);
/// How much of what the agent says is kept for an error.
const PREAMBLE: usize = 4096;
/// The most output that is kept for a document.
const KEPT: usize = 64 * 1024 * 1024;

/// How a program ended.
#[derive(Debug, Default)]
pub(super) struct Ended {
    pub(super) status: u8,
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: Vec<u8>,
}

/// A program that is being followed.
pub(super) struct Streams<'a> {
    pub(super) ctx: &'a Ctx,
    pub(super) place: &'a Place,
    pub(super) nonce: &'a str,
    /// Standard input, when the program gets it.
    pub(super) input: Option<Input>,
    /// Whether output is kept instead of written.
    pub(super) keeps: bool,
}

/// Standard input as far as it has been read.
pub(super) struct Input {
    pub(super) first: Option<Vec<u8>>,
    pub(super) rest: mpsc::Receiver<Vec<u8>>,
}

impl Input {
    async fn next(&mut self) -> Option<Vec<u8>> {
        match self.first.take() {
            Some(first) => Some(first),
            None => self.rest.recv().await,
        }
    }
}

/// Where the program is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Begins,
    Runs,
    Ended(u8),
}

/// What came of one piece of output.
enum Step {
    GoOn,
    Done,
    /// The reader of the output is gone.
    Unread,
}

impl Streams<'_> {
    /// Follows the program to its end.
    ///
    /// # Errors
    /// A session that breaks, a container that lacks what the wrapper needs, two interrupts.
    pub(super) async fn follow(mut self, mut talk: Talk<'_>) -> Result<Ended> {
        let ctx = self.ctx;
        let mut signals = Signals::new();
        let mut interrupts = 0;
        let mut decoder = Decoder::new(self.nonce);
        let mut ended = Ended::default();
        let mut preamble = Vec::new();
        let mut stage = Stage::Begins;
        let mut deadline = Some(Box::pin(ctx.clock.sleep(ctx.clock.from_real(BEGINS))));
        loop {
            let sends = stage == Stage::Runs && talk.has_room();
            tokio::select! {
                biased;
                () = signals.or_cancelled(&ctx.cancel) => {
                    interrupts += 1;
                    if interrupts > 1 || stage == Stage::Begins {
                        talk.terminate().await;
                        return Err(CtlError::new(ErrorKind::Interrupted, self.failed("interrupted")));
                    }
                    ctx.ui.status("interrupted: the program in the container is told so; press Ctrl-C again to end the session");
                    talk.forget_pending();
                    talk.send(Command::Data(vec![0x03]));
                }
                turn = talk.turn() => {
                    let event = match turn {
                        Turn::Event(event) => event,
                        Turn::Sent => continue,
                        Turn::Over(over) => return self.over(over, stage, ended, &preamble),
                    };
                    let bytes = match event {
                        Event::Output(bytes) => bytes,
                        Event::StdErr(bytes) => {
                            preamble.extend(bytes);
                            continue;
                        }
                        Event::Refused(refusal) => return Err(self.refused(&refusal, talk).await),
                        Event::Closed { output } => {
                            preamble.extend(output.into_bytes());
                            return self.over(Ok(()), stage, ended, &preamble);
                        }
                        Event::Lost => return Err(self.lost()),
                        Event::Handshake { .. } | Event::Ready { .. } | Event::ExitCode(_) | Event::Flag(_) => continue,
                    };
                    for piece in decoder.push(&bytes) {
                        let step = self.take(piece, &mut stage, &mut ended, &mut preamble)?;
                        match step {
                            Step::GoOn => {}
                            Step::Done => {
                                talk.leave().await;
                                return Ok(ended);
                            }
                            Step::Unread => {
                                talk.terminate().await;
                                return Ok(ended);
                            }
                        }
                    }
                    match stage {
                        Stage::Begins => {}
                        Stage::Runs => deadline = None,
                        Stage::Ended(_) => {
                            if self.input.take().is_some() {
                                talk.forget_pending();
                                talk.send(Command::Data(END_OF_INPUT.to_vec()));
                            }
                            let patience = ctx.clock.from_real(LAST_OUTPUT);
                            deadline = Some(Box::pin(ctx.clock.sleep(patience)));
                        }
                    }
                }
                bytes = next(&mut self.input), if sends => match bytes {
                    Some(bytes) => bytes
                        .chunks(INPUT_LINE)
                        .for_each(|chunk| talk.send(Command::Data(input_line(chunk)))),
                    None => {
                        self.input = None;
                        talk.send(Command::Data(END_OF_INPUT.to_vec()));
                    }
                },
                () = passed(&mut deadline) => {
                    talk.terminate().await;
                    return match stage {
                        Stage::Ended(_) => {
                            ctx.ui.warn("the program has ended and left others behind that hold its output open: not waiting for them");
                            Ok(ended)
                        }
                        Stage::Begins | Stage::Runs => Err(CtlError::new(
                            ErrorKind::TimedOut,
                            self.failed(&format!("it did not begin within {} s", BEGINS.as_secs())),
                        )
                        .exit_with(crate::exit::ExitStatus::Failed)
                        .cause(self.said(&preamble))),
                    };
                }
            }
        }
    }

    fn failed(&self, what: &str) -> String {
        format!("run the program in {}: {what}", self.place.told())
    }

    /// What the agent or the container's shell said outside of the program's own output.
    fn said(&self, preamble: &[u8]) -> String {
        let text = String::from_utf8_lossy(preamble);
        let text = text.trim();
        if text.is_empty() {
            "the agent said nothing".to_owned()
        } else {
            text.to_owned()
        }
    }

    fn take(
        &mut self,
        piece: Piece,
        stage: &mut Stage,
        ended: &mut Ended,
        preamble: &mut Vec<u8>,
    ) -> Result<Step> {
        let (bytes, kept) = match piece {
            Piece::Text(text) => {
                let room = PREAMBLE.saturating_sub(preamble.len());
                preamble.extend(text.into_iter().take(room));
                return Ok(Step::GoOn);
            }
            Piece::Ready => {
                *stage = Stage::Runs;
                return Ok(Step::GoOn);
            }
            Piece::Missing(what) => return Err(self.missing(&what)),
            Piece::Damaged => {
                return Err(CtlError::new(
                    ErrorKind::Unexpected,
                    self.failed("a part of its output came garbled, so none of it can be relied on"),
                ));
            }
            Piece::Status(status) => {
                ended.status = status;
                *stage = Stage::Ended(status);
                return Ok(Step::GoOn);
            }
            Piece::End => return Ok(Step::Done),
            Piece::Stdout(bytes) => (bytes, Some(&mut ended.stdout)),
            Piece::StdErr(bytes) => (bytes, None),
        };
        let is_stdout = kept.is_some();
        let kept = kept.unwrap_or(&mut ended.stderr);
        if self.keeps {
            if kept.len() + bytes.len() > KEPT {
                return Err(CtlError::new(
                    ErrorKind::Failed,
                    self.failed("its output is too large for a document"),
                )
                .hint("leave `-o` out: the output is written as it comes then"));
            }
            kept.extend(bytes);
            return Ok(Step::GoOn);
        }
        let ui = &self.ctx.ui;
        let written = if is_stdout {
            ui.raw_out(&bytes)
        } else {
            ui.raw_err(&bytes)
        };
        match written {
            Ok(()) => Ok(Step::GoOn),
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(Step::Unread),
            Err(error) => Err(CtlError::new(ErrorKind::Failed, "write the program's output").source(&error)),
        }
    }

    fn missing(&self, what: &str) -> CtlError {
        let error = CtlError::new(
            ErrorKind::Failed,
            self.failed(&format!(
                "the container has no `{what}`, without which its output cannot come back whole"
            )),
        );
        if what == "stty" {
            return CtlError::new(
                ErrorKind::Failed,
                self.failed("the container has no `stty`, without which standard input cannot be handed on"),
            )
            .hint("give `--no-stdin` when the program needs no input");
        }
        error.hint("run it at a terminal instead, with `--tty`: only `sh` is needed then")
    }

    /// The session is over.
    fn over(&self, over: Result<()>, stage: Stage, ended: Ended, preamble: &[u8]) -> Result<Ended> {
        if let Stage::Ended(_) = stage {
            self.ctx
                .ui
                .warn("the session ended right behind the program: the last of its output may be missing");
            return Ok(ended);
        }
        over?;
        let what = match stage {
            Stage::Begins => "the session ended before it began",
            Stage::Runs | Stage::Ended(_) => {
                "the session ended before the program did; its exit status is not known"
            }
        };
        Err(CtlError::new(ErrorKind::Failed, self.failed(what)).cause(self.said(preamble)))
    }

    fn lost(&self) -> CtlError {
        CtlError::new(
            ErrorKind::Unreachable,
            self.failed("the agent has not answered for five minutes; the program may still run"),
        )
        .hint(("look at the task with", CommandLine::bpctl(["triage"])))
    }

    async fn refused(&self, refusal: &Refusal, talk: Talk<'_>) -> CtlError {
        // The agent is told of the refusal before the connection closes.
        talk.leave().await;
        demanded(refusal, self.place)
    }
}

/// The next of standard input; waits for ever when there is none.
async fn next(input: &mut Option<Input>) -> Option<Vec<u8>> {
    match input {
        Some(input) => input.next().await,
        None => std::future::pending().await,
    }
}

async fn passed<F: Future<Output = ()>>(deadline: &mut Option<std::pin::Pin<Box<F>>>) {
    match deadline {
        Some(deadline) => deadline.await,
        None => std::future::pending().await,
    }
}
