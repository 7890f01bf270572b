//! What takes the place of the panes: text, and the list of proposals.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::Scene;
use super::pen::Pen;
use crate::commands::top::overlay::{Menu, Overlay, Pager};
use crate::commands::top::rows::Tone;

pub(super) fn draw(scene: &Scene<'_>, area: Rect, buffer: &mut Buffer) {
    match &scene.view.overlay {
        Overlay::None => {}
        Overlay::Pager(pager) => text(scene, pager, area, buffer),
        Overlay::Menu(menu) => choices(scene, menu, area, buffer),
    }
}

fn title(scene: &Scene<'_>, title: &str, right: &str, area: Rect, buffer: &mut Buffer) {
    let dim = scene.theme.tone(Tone::Dim);
    let mut pen = Pen::new(buffer, scene.theme, area, area.y, Style::new());
    pen.text(title, scene.theme.title()).skip(1);
    let rule = pen.left().saturating_sub(right.chars().count() + 1);
    pen.text(&scene.theme.rule().repeat(rule), dim)
        .skip(1)
        .rest(right, dim);
}

fn text(scene: &Scene<'_>, pager: &Pager, area: Rect, buffer: &mut Buffer) {
    let height = usize::from(area.height) - 1;
    let (first, count, lines) = pager.in_sight(usize::from(area.width), height);
    let place = if count > height {
        format!("{}-{} of {count}", first + 1, (first + height).min(count))
    } else {
        String::new()
    };
    title(scene, &pager.title, &place, area, buffer);
    let mut below = area.y + 1;
    for (y, line) in (below..area.bottom()).zip(lines) {
        let mut pen = Pen::new(buffer, scene.theme, area, y, Style::new());
        pen.rest(line, Style::new());
        below = y + 1;
    }
    if !pager.state.is_empty() && below < area.bottom() {
        let mut pen = Pen::new(buffer, scene.theme, area, below, Style::new());
        pen.rest(&pager.state, scene.theme.tone(Tone::Dim));
    }
}

fn choices(scene: &Scene<'_>, menu: &Menu, area: Rect, buffer: &mut Buffer) {
    let theme = scene.theme;
    let dim = theme.tone(Tone::Dim);
    title(scene, &format!("PROPOSE {}", menu.title), "", area, buffer);
    let mut y = area.y + 1;
    for (index, proposal) in menu.proposals.iter().enumerate() {
        if y >= area.bottom() {
            return;
        }
        let is_at = index == menu.at;
        let base = if is_at { theme.selected() } else { Style::new() };
        let mut pen = Pen::new(buffer, theme, area, y, base);
        pen.cell(2, if is_at { theme.marker() } else { "" }, Style::new());
        pen.text(&format!("{} ", index + 1), dim)
            .rest(&proposal.line(), Style::new());
        y += 1;
    }
    y += 1;
    if y >= area.bottom() {
        return;
    }
    let mut pen = Pen::new(buffer, theme, area, y, Style::new());
    if let Some((_, digits)) = &menu.number {
        pen.skip(2).text("N: ", theme.title()).text(digits, Style::new());
        pen.text(" ", theme.selected()).skip(2);
        match menu.sized() {
            Some(command) => pen.rest(&command.to_string(), dim),
            None => pen.rest("type a number of instances", dim),
        };
    } else {
        pen.skip(2).rest(
            "The command shows its plan and asks before it changes anything.",
            dim,
        );
    }
}
