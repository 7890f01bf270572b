//! The terminal: its other screen while the view is shown, and what it was before as soon as it is not.

use std::io::{self, Write};

use ratatui::backend::CrosstermBackend;
use ratatui::buffer::Buffer;
use ratatui::crossterm::style::force_color_output;
use ratatui::layout::Rect;
use ratatui::{Terminal, TerminalOptions, Viewport};

use crate::context::Ctx;
use crate::error::{CtlError, ErrorKind, Result};
use crate::process::{ENTER_SCREEN, LEAVE_SCREEN, RawTerminal, terminal_size};
use crate::ui::Ui;

/// Where the size is not known (the size of a VT100).
const USUAL: (u16, u16) = (80, 24);

/// One picture begins and ends: the terminal shows it at once (terminal-wg, "Synchronized Output"); others pass over it.
const BEGIN: &[u8] = b"\x1b[?2026h";
const END: &[u8] = b"\x1b[?2026l";

/// Collects what is drawn, and writes it in one piece.
struct Out<'a> {
    ui: &'a Ui,
    bytes: Vec<u8>,
}

impl Write for Out<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.bytes.is_empty() {
            return Ok(());
        }
        let whole = [BEGIN, &self.bytes, END].concat();
        self.bytes.clear();
        self.ui.raw_out(&whole)
    }
}

/// The other screen, as long as it is shown.
pub(super) struct Screen<'a> {
    ctx: &'a Ctx,
    /// Only where the terminal is this process' own.
    raw: Option<RawTerminal>,
    terminal: Terminal<CrosstermBackend<Out<'a>>>,
    size: (u16, u16),
    is_shown: bool,
}

impl<'a> Screen<'a> {
    /// Takes over the terminal.
    ///
    /// # Errors
    /// It does not hand on keys, or nothing can be written to it.
    pub(super) fn enter(ctx: &'a Ctx) -> Result<Self> {
        // The view knows itself whether there are to be colours.
        force_color_output(true);
        let size = size(ctx);
        let mut screen = Self {
            ctx,
            raw: None,
            terminal: terminal(ctx, size).map_err(|error| lost(&error))?,
            size,
            is_shown: false,
        };
        screen.show()?;
        Ok(screen)
    }

    /// Shows the other screen.
    ///
    /// # Errors
    /// As [`Self::enter`].
    pub(super) fn show(&mut self) -> Result<()> {
        self.take_keys()?;
        if self.ctx.owns_process {
            RawTerminal::on_other_screen(true);
        }
        self.is_shown = true;
        self.ctx
            .ui
            .raw_out(ENTER_SCREEN.as_bytes())
            .map_err(|error| lost(&error))?;
        self.measure()
    }

    /// Keys come as they are pressed, whatever is shown.
    ///
    /// # Errors
    /// Standard input is no terminal (any more).
    pub(super) fn take_keys(&mut self) -> Result<()> {
        if self.ctx.owns_process && self.raw.is_none() {
            self.raw = Some(RawTerminal::enter().map_err(|error| lost(&error))?);
        }
        Ok(())
    }

    /// The terminal as it was before.
    pub(super) fn hide(&mut self) {
        if std::mem::take(&mut self.is_shown) {
            // Nothing can be done about a terminal that went away.
            let _ = self.ctx.ui.raw_out(LEAVE_SCREEN.as_bytes());
        }
        RawTerminal::on_other_screen(false);
        self.raw = None;
    }

    /// Columns and rows of the terminal.
    pub(super) fn room(&self) -> (u16, u16) {
        self.size
    }

    /// Everything is drawn anew, in the size that the terminal has now.
    ///
    /// # Errors
    /// Nothing can be written to it.
    pub(super) fn measure(&mut self) -> Result<()> {
        self.size = size(self.ctx);
        self.terminal = terminal(self.ctx, self.size).map_err(|error| lost(&error))?;
        let clear = b"\x1b[0m\x1b[2J";
        self.ctx.ui.raw_out(clear).map_err(|error| lost(&error))
    }

    /// Draws what has changed.
    ///
    /// # Errors
    /// Nothing can be written to it.
    pub(super) fn draw(&mut self, scene: impl FnOnce(Rect, &mut Buffer)) -> Result<()> {
        self.terminal
            .draw(|frame| scene(frame.area(), frame.buffer_mut()))
            .map(|_| ())
            .map_err(|error| lost(&error))
    }
}

impl Drop for Screen<'_> {
    fn drop(&mut self) {
        self.hide();
    }
}

fn terminal(ctx: &Ctx, (columns, rows): (u16, u16)) -> io::Result<Terminal<CrosstermBackend<Out<'_>>>> {
    let out = Out {
        ui: &ctx.ui,
        bytes: Vec::new(),
    };
    // A fixed size: whoever draws asks for it, and is told when it changes.
    let viewport = Viewport::Fixed(Rect::new(0, 0, columns, rows));
    Terminal::with_options(CrosstermBackend::new(out), TerminalOptions { viewport })
}

fn size(ctx: &Ctx) -> (u16, u16) {
    let said = |name: &str| ctx.env.get(name)?.parse().ok().filter(|size| *size > 0);
    let of_process = ctx.owns_process.then(terminal_size).flatten();
    of_process.unwrap_or_else(|| {
        (
            said("COLUMNS").unwrap_or(USUAL.0),
            said("LINES").unwrap_or(USUAL.1),
        )
    })
}

fn lost(error: &io::Error) -> CtlError {
    CtlError::new(ErrorKind::Failed, "use the terminal").source(error)
}
