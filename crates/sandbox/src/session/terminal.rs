//! The pseudo terminal between the agent and a program: echo, lines, signals, and what a program may read and write.

use std::collections::VecDeque;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::sync::mpsc;

use super::agent::{FromProgram, ToProgram};
use crate::transport::clock::pause;

/// The client is gone: the program gets SIGHUP.
#[derive(Debug)]
pub(super) struct HungUp;

/// How the program's two streams and its input travel.
#[derive(Debug)]
enum Mode {
    /// As a terminal shows them: lines, echo, control characters.
    Lines,
    /// Keys one by one, for programs that draw.
    Keys,
    /// In the frames of bpctl's script, by the session's number; with the next frame of each stream.
    Frames {
        nonce: String,
        next: [u64; 2],
        input: bool,
    },
}

/// A program's connection to its client.
pub(super) struct Terminal {
    input: mpsc::UnboundedReceiver<ToProgram>,
    output: mpsc::Sender<FromProgram>,
    mode: Mode,
    line: Vec<u8>,
    lines: VecDeque<Vec<u8>>,
    keys: VecDeque<u8>,
    ended: bool,
    interrupted: bool,
    pub(super) cols: u32,
    pub(super) rows: u32,
}

impl Terminal {
    pub(super) fn new(input: mpsc::UnboundedReceiver<ToProgram>, output: mpsc::Sender<FromProgram>) -> Self {
        Self {
            input,
            output,
            mode: Mode::Lines,
            line: Vec::new(),
            lines: VecDeque::new(),
            keys: VecDeque::new(),
            ended: false,
            interrupted: false,
            // What the kernel gives a new pseudo terminal.
            cols: 80,
            rows: 24,
        }
    }

    /// What bpctl's script does with `stty` and its encoders.
    pub(super) fn in_frames(&mut self, nonce: &str, input: bool) {
        self.mode = Mode::Frames {
            nonce: nonce.to_owned(),
            next: [0, 0],
            input,
        };
        self.ended = !input;
    }

    pub(super) fn is_terminal(&self) -> bool {
        !matches!(self.mode, Mode::Frames { .. })
    }

    /// Keys one by one, or whole lines again.
    pub(super) fn by_key(&mut self, by_key: bool) {
        if self.is_terminal() {
            self.mode = if by_key { Mode::Keys } else { Mode::Lines };
        }
    }

    /// Bytes as they are.
    pub(super) async fn raw(&self, bytes: impl Into<Vec<u8>>) -> Result<(), HungUp> {
        let bytes = bytes.into();
        self.output
            .send(FromProgram::Data(bytes))
            .await
            .map_err(|_| HungUp)
    }

    /// Standard output.
    pub(super) async fn out(&mut self, bytes: &[u8]) -> Result<(), HungUp> {
        self.write(0, bytes).await
    }

    /// Standard error.
    pub(super) async fn err(&mut self, bytes: &[u8]) -> Result<(), HungUp> {
        self.write(1, bytes).await
    }

    async fn write(&mut self, stream: usize, bytes: &[u8]) -> Result<(), HungUp> {
        match &mut self.mode {
            Mode::Keys => self.raw(bytes).await,
            Mode::Lines => {
                let mut shown = Vec::with_capacity(bytes.len());
                for &byte in bytes {
                    if byte == b'\n' {
                        shown.push(b'\r');
                    }
                    shown.push(byte);
                }
                self.raw(shown).await
            }
            Mode::Frames { nonce, next, .. } => {
                let mut frames = Vec::new();
                for chunk in bytes.chunks(3000) {
                    let text = STANDARD.encode(chunk);
                    let number = next[stream];
                    next[stream] += 1;
                    frames.push(format!("~{nonce}:{}:{number}:{}:{text}", stream + 1, text.len()));
                }
                for frame in frames {
                    self.raw(frame).await?;
                }
                Ok(())
            }
        }
    }

    /// The next line that was typed or piped, with its end; `None` at the end of input.
    pub(super) async fn read_line(&mut self) -> Result<Option<Vec<u8>>, HungUp> {
        let mut line = Vec::new();
        while let Some(piece) = self.next_piece().await? {
            let end = piece.iter().position(|byte| *byte == b'\n').map(|end| end + 1);
            let rest = piece[end.unwrap_or(piece.len())..].to_vec();
            line.extend(&piece[..piece.len() - rest.len()]);
            if !rest.is_empty() {
                self.lines.push_front(rest);
            }
            if end.is_some() || self.is_terminal() {
                return Ok(Some(line));
            }
        }
        Ok((!line.is_empty()).then_some(line))
    }

    async fn next_piece(&mut self) -> Result<Option<Vec<u8>>, HungUp> {
        loop {
            if let Some(line) = self.lines.pop_front() {
                return Ok(Some(line));
            }
            if self.ended {
                let rest = std::mem::take(&mut self.line);
                // At a terminal the end is said once; the next read waits again.
                self.ended = !self.is_terminal();
                return Ok((!rest.is_empty()).then_some(rest));
            }
            if self.interrupted {
                return Ok(Some(Vec::new()));
            }
            self.more().await?;
        }
    }

    /// Whatever has come of a pipe, or a line that was typed; `None` at the end.
    pub(super) async fn read(&mut self) -> Result<Option<Vec<u8>>, HungUp> {
        self.next_piece().await
    }

    /// The next key.
    pub(super) async fn read_key(&mut self) -> Result<u8, HungUp> {
        loop {
            if let Some(key) = self.keys.pop_front() {
                return Ok(key);
            }
            self.more().await?;
        }
    }

    /// Waits, and hears whether the program is interrupted.
    pub(super) async fn wait(&mut self, duration: Duration) -> Result<(), HungUp> {
        let until = pause(duration);
        tokio::pin!(until);
        loop {
            tokio::select! {
                () = &mut until => return Ok(()),
                heard = self.more() => heard?,
            }
        }
    }

    /// Whether Ctrl-C was pressed since the last question.
    pub(super) fn take_interrupt(&mut self) -> bool {
        std::mem::take(&mut self.interrupted)
    }

    async fn more(&mut self) -> Result<(), HungUp> {
        match self.input.recv().await.ok_or(HungUp)? {
            ToProgram::Size { cols, rows } => (self.cols, self.rows) = (cols, rows),
            ToProgram::Flag(_) => {}
            ToProgram::Data(bytes) => {
                for byte in bytes {
                    self.key(byte).await?;
                }
            }
        }
        Ok(())
    }

    async fn key(&mut self, byte: u8) -> Result<(), HungUp> {
        match &self.mode {
            Mode::Keys => self.keys.push_back(byte),
            Mode::Frames { input, .. } => {
                let input = *input;
                match byte {
                    0x03 => self.interrupted = true,
                    b'\n' if input && !self.ended => {
                        let line = std::mem::take(&mut self.line);
                        if line == b"." {
                            self.ended = true;
                        } else {
                            self.lines.extend(STANDARD.decode(line).ok());
                        }
                    }
                    _ => self.line.push(byte),
                }
            }
            Mode::Lines => match byte {
                0x03 => {
                    self.line.clear();
                    self.interrupted = true;
                    self.raw("^C\r\n").await?;
                }
                0x04 if self.line.is_empty() => self.ended = true,
                0x04 => {
                    let line = std::mem::take(&mut self.line);
                    self.lines.push_back(line);
                }
                0x15 => {
                    let erased = "\x08 \x08".repeat(self.line.len());
                    self.line.clear();
                    self.raw(erased).await?;
                }
                0x7f | 0x08 => {
                    if self.line.pop().is_some() {
                        self.raw("\x08 \x08").await?;
                    }
                }
                b'\r' | b'\n' => {
                    let mut line = std::mem::take(&mut self.line);
                    line.push(b'\n');
                    self.lines.push_back(line);
                    self.raw("\r\n").await?;
                }
                other => {
                    self.line.push(other);
                    self.raw(vec![other]).await?;
                }
            },
        }
        Ok(())
    }

    /// The program and everything around it has ended.
    pub(super) async fn end(self, said: &str) {
        let _ = self.output.send(FromProgram::End(said.to_owned())).await;
    }
}
