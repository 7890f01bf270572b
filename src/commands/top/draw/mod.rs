//! Draws the view: a pure function from what was seen and what is selected to cells.

mod above;
mod edges;
mod panes;
mod pen;
mod room;
mod spark;
mod theme;

#[cfg(test)]
mod tests;

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::rows::PaneRows;
use super::view::View;
use crate::error::Hint;
use pen::Pen;
pub(super) use theme::Theme;

/// What there must be room for.
const SMALLEST: (u16, u16) = (60, 14);

/// Where this is, for the header.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) context: String,
    pub(super) stage: Option<String>,
    pub(super) layout: &'static str,
    pub(super) account: Option<String>,
    pub(super) region: Option<String>,
    pub(super) protected: bool,
}

/// What is wrong with the picture as a whole.
#[derive(Clone, Debug)]
pub(super) struct Banner {
    pub(super) since: Option<Timestamp>,
    pub(super) why: String,
    pub(super) hint: Option<Hint>,
}

/// Everything that is drawn.
pub(super) struct Scene<'a> {
    pub(super) place: &'a Place,
    pub(super) panes: &'a [PaneRows],
    pub(super) view: &'a View,
    pub(super) banner: Option<&'a Banner>,
    /// When anything was seen last.
    pub(super) seen: Option<Timestamp>,
    /// What is being done now.
    pub(super) doing: Option<&'a str>,
    pub(super) theme: Theme,
    pub(super) now: Timestamp,
}

/// Draws the scene.
pub(super) fn draw(scene: &Scene<'_>, area: Rect, buffer: &mut Buffer) {
    let (columns, rows) = SMALLEST;
    if area.width < columns || area.height < rows {
        too_small(scene, area, buffer);
        return;
    }
    let top = edges::header(scene, area, buffer);
    let bottom = area.bottom() - 1;
    edges::footer(scene, Rect::new(area.x, bottom, area.width, 1), buffer);
    let middle = Rect::new(area.x, top, area.width, bottom - top);
    if scene.view.overlay.is_open() {
        above::draw(scene, middle, buffer);
    } else {
        panes::draw(scene, middle, buffer);
    }
}

/// Lines of text that are in sight above the panes: without header, banner, title and footer.
pub(super) fn room_above(rows: u16, banner: Option<&Banner>) -> usize {
    let banner = banner.map_or(0, |banner| if banner.hint.is_some() { 2 } else { 1 });
    usize::from(rows).saturating_sub(3 + banner)
}

fn too_small(scene: &Scene<'_>, area: Rect, buffer: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let lines = [
        format!("too small: {}x{}", area.width, area.height),
        format!("{}x{} are needed", SMALLEST.0, SMALLEST.1),
        "q quits".to_owned(),
    ];
    for (y, line) in (area.y..area.bottom()).zip(lines) {
        Pen::new(buffer, scene.theme, area, y, Style::new()).rest(&line, Style::new());
    }
}
