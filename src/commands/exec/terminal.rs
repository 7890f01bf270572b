//! A program at the operator's terminal: keys go there, what it draws comes back, and the terminal is itself again at the
//! end, whatever the end is.

use std::time::Duration;

use tokio::sync::mpsc;

use super::open::demanded;
use super::place::Place;
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Result};
use crate::process::{RawTerminal, Resizes, Signals, TerminalChange, terminal_size};
use crate::session::wrapper::{Decoder, Piece};
use crate::session::{Command, Event, Talk, Turn};

/// How long the agent may take to begin.
const BEGINS: Duration = Duration::from_secs(60);

/// How a program at the terminal ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// With this status.
    Status(u8),
    /// The operator left with the escape.
    Left,
}

/// Hands the terminal to the program until it ends.
///
/// # Errors
/// No terminal, a session that breaks, a signal that ends bpctl.
pub(crate) async fn attend(
    ctx: &Ctx,
    place: &Place,
    nonce: &str,
    mut keys: mpsc::Receiver<Vec<u8>>,
    talk: Talk<'_>,
) -> Result<End> {
    let raw = RawTerminal::enter()
        .map_err(|error| CtlError::new(ErrorKind::Failed, "take over the terminal").source(&error))?;
    let ended = converse(ctx, place, nonce, &mut keys, talk).await;
    // Before anything is said: lines would come out as stairs.
    drop(raw);
    ended
}

async fn converse(
    ctx: &Ctx,
    place: &Place,
    nonce: &str,
    keys: &mut mpsc::Receiver<Vec<u8>>,
    mut talk: Talk<'_>,
) -> Result<End> {
    let failed = |what: &str| format!("keep the session in {}: {what}", place.told());
    let mut signals = Signals::new();
    let mut changes = Resizes::new();
    let mut escape = Escape::default();
    let mut decoder = Decoder::new(nonce);
    let mut status = None;
    let mut said = String::new();
    let (mut begun, mut typed_out) = (false, false);
    let mut deadline = Box::pin(ctx.clock.sleep(ctx.clock.from_real(BEGINS)));
    let size = |talk: &mut Talk<'_>| {
        if let Some((cols, rows)) = terminal_size() {
            talk.send(Command::Size { cols, rows });
        }
    };
    size(&mut talk);
    loop {
        let types = talk.has_room() && !typed_out;
        tokio::select! {
            biased;
            () = signals.or_cancelled(&ctx.cancel) => {
                talk.terminate().await;
                return Err(CtlError::new(ErrorKind::Interrupted, failed("bpctl was told to end")));
            }
            change = changes.next() => match change {
                TerminalChange::Resized => size(&mut talk),
                TerminalChange::Gone => {
                    talk.terminate().await;
                    return Err(CtlError::new(ErrorKind::Interrupted, failed("the terminal went away")));
                }
            },
            turn = talk.turn() => {
                let event = match turn {
                    Turn::Event(event) => event,
                    Turn::Sent => continue,
                    Turn::Over(over) => return finish(over, status, &failed, &said),
                };
                match event {
                    Event::Ready { message } => {
                        begun = true;
                        if !message.is_empty() {
                            show(ctx, format!("{message}\r\n").as_bytes())?;
                        }
                    }
                    Event::Output(bytes) => {
                        for piece in decoder.push(&bytes) {
                            match piece {
                                Piece::Text(text) => show(ctx, &text)?,
                                Piece::Status(ended) => status = Some(ended),
                                Piece::Ready | Piece::Missing(_) | Piece::Stdout(_) | Piece::StdErr(_)
                                | Piece::End | Piece::Damaged => {}
                            }
                        }
                        if let Some(status) = status {
                            talk.leave().await;
                            return Ok(End::Status(status));
                        }
                    }
                    Event::StdErr(bytes) => show(ctx, &bytes)?,
                    Event::Closed { output } => {
                        show(ctx, &decoder.finish())?;
                        said = output;
                        return finish(Ok(()), status, &failed, &said);
                    }
                    Event::Refused(refusal) => {
                        talk.leave().await;
                        return Err(demanded(&refusal, place));
                    }
                    Event::Lost => {
                        return Err(CtlError::new(
                            ErrorKind::Unreachable,
                            failed("the agent has not answered for five minutes"),
                        ));
                    }
                    Event::Handshake { .. } | Event::ExitCode(_) | Event::Flag(_) => {}
                }
            }
            bytes = keys.recv(), if types => match bytes {
                Some(bytes) => {
                    let (bytes, leaves) = escape.filter(&bytes);
                    if !bytes.is_empty() {
                        talk.send(Command::Data(bytes));
                    }
                    if leaves {
                        talk.terminate().await;
                        return Ok(End::Left);
                    }
                }
                None => typed_out = true,
            },
            () = &mut deadline, if !begun => {
                talk.terminate().await;
                return Err(CtlError::new(
                    ErrorKind::Failed,
                    failed(&format!("the agent did not begin within {} s", BEGINS.as_secs())),
                ));
            }
        }
    }
}

fn show(ctx: &Ctx, bytes: &[u8]) -> Result<()> {
    ctx.ui
        .raw_out(bytes)
        .map_err(|error| CtlError::new(ErrorKind::Failed, "write to the terminal").source(&error))
}

fn finish(over: Result<()>, status: Option<u8>, failed: &dyn Fn(&str) -> String, said: &str) -> Result<End> {
    if let Some(status) = status {
        return Ok(End::Status(status));
    }
    over?;
    let error = CtlError::new(
        ErrorKind::Failed,
        failed("the session ended before the program did"),
    );
    let error = if said.trim().is_empty() {
        error
    } else {
        error.cause(said.trim())
    };
    Err(error.hint((
        "Systems Manager ends a session in which nothing happens for 20 minutes, and the task may have stopped:",
        CommandLine::bpctl(["triage"]),
    )))
}

/// Finds the escape that leaves a session which does not answer: Enter, `~`, `.`, as in ssh.
#[derive(Debug, Default)]
struct Escape {
    state: EscapeState,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum EscapeState {
    #[default]
    LineBegins,
    Tilde,
    InLine,
}

impl Escape {
    /// What is to be sent of `bytes`, and whether the operator leaves.
    fn filter(&mut self, bytes: &[u8]) -> (Vec<u8>, bool) {
        let mut sent = Vec::with_capacity(bytes.len());
        for &byte in bytes {
            match (self.state, byte) {
                (EscapeState::Tilde, b'.') => return (sent, true),
                // A second one stands for itself.
                (EscapeState::Tilde, b'~') => {
                    sent.push(b'~');
                    self.state = EscapeState::InLine;
                    continue;
                }
                (EscapeState::Tilde, _) => sent.push(b'~'),
                (EscapeState::LineBegins, b'~') => {
                    self.state = EscapeState::Tilde;
                    continue;
                }
                (EscapeState::LineBegins | EscapeState::InLine, _) => {}
            }
            sent.push(byte);
            self.state = if matches!(byte, b'\r' | b'\n') {
                EscapeState::LineBegins
            } else {
                EscapeState::InLine
            };
        }
        (sent, false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enter_tilde_dot_leaves_and_everything_else_is_sent() {
        let sent = |typed: &[&str]| {
            let mut escape = Escape::default();
            let mut sent = String::new();
            for typed in typed {
                let (bytes, leaves) = escape.filter(typed.as_bytes());
                sent.push_str(&String::from_utf8(bytes).unwrap());
                if leaves {
                    sent.push_str("<left>");
                    break;
                }
            }
            sent
        };
        assert_eq!(sent(&["ls\r~."]), "ls\r<left>");
        assert_eq!(sent(&["~", "."]), "<left>");
        assert_eq!(sent(&["ls ~.\r"]), "ls ~.\r");
        assert_eq!(sent(&["\r~~."]), "\r~.");
        assert_eq!(sent(&["~/bin/x\r"]), "~/bin/x\r");
        assert_eq!(sent(&["a", "~", "."]), "a~.");
        assert_eq!(sent(&["~\r~."]), "~\r<left>");
    }
}
