//! Writes cells of one line, each with its width: columns stay where they are, whatever is in them.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Span;

use super::theme::Theme;

/// A place on one line.
pub(super) struct Pen<'a> {
    buffer: &'a mut Buffer,
    theme: Theme,
    x: u16,
    y: u16,
    end: u16,
    base: Style,
}

impl<'a> Pen<'a> {
    /// At the beginning of the line `y` of `area`; `base` lies under everything.
    pub(super) fn new(buffer: &'a mut Buffer, theme: Theme, area: Rect, y: u16, base: Style) -> Self {
        let line = Rect::new(area.x, y, area.width, 1);
        buffer.set_style(line, base);
        Self {
            buffer,
            theme,
            x: area.x,
            y,
            end: area.right(),
            base,
        }
    }

    /// Columns that are left.
    pub(super) fn left(&self) -> usize {
        usize::from(self.end.saturating_sub(self.x))
    }

    /// Text in a column of `width`; what does not fit ends with an ellipsis.
    pub(super) fn cell(&mut self, width: usize, text: &str, style: Style) -> &mut Self {
        let width = width.min(self.left());
        self.write(text, width, style);
        self.skip(width)
    }

    /// The same at the right of its column.
    pub(super) fn right(&mut self, width: usize, text: &str, style: Style) -> &mut Self {
        let long = Span::raw(text).width();
        let before = width.saturating_sub(long);
        self.skip(before).cell(width - before, text, style)
    }

    /// Text that takes what it needs.
    pub(super) fn text(&mut self, text: &str, style: Style) -> &mut Self {
        self.cell(Span::raw(text).width(), text, style)
    }

    /// Text in all that is left.
    pub(super) fn rest(&mut self, text: &str, style: Style) -> &mut Self {
        self.cell(self.left(), text, style)
    }

    /// Text at the end of the line, where there is room for it.
    pub(super) fn last(&mut self, text: &str, style: Style) -> &mut Self {
        let long = Span::raw(text).width();
        if long > self.left() {
            return self.rest(text, style);
        }
        self.skip(self.left() - long).text(text, style)
    }

    /// Goes on by `width`.
    pub(super) fn skip(&mut self, width: usize) -> &mut Self {
        let width = u16::try_from(width).unwrap_or(u16::MAX);
        self.x = self.x.saturating_add(width).min(self.end);
        self
    }

    /// The same sign up to the end of the line.
    pub(super) fn fill(&mut self, sign: &str, style: Style) -> &mut Self {
        let text = sign.repeat(self.left());
        self.rest(&text, style)
    }

    fn write(&mut self, text: &str, width: usize, style: Style) {
        let style = self.base.patch(style);
        let (end, _) = self.buffer.set_stringn(self.x, self.y, text, width, style);
        if Span::raw(text).width() <= width || width == 0 {
            return;
        }
        // The last column says that there is more; a wide letter before it may leave a blank.
        let last = self.x + u16::try_from(width).unwrap_or(u16::MAX) - 1;
        if end <= last {
            self.buffer
                .set_stringn(end, self.y, "  ", usize::from(last - end) + 1, style);
        }
        self.buffer
            .set_stringn(last, self.y, self.theme.ellipsis(), 1, style);
    }
}
