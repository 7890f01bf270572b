//! The first lines, which say where this is and how fresh the picture is, and the last, which says what can be done.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::pen::Pen;
use super::{Banner, Scene};
use crate::commands::top::overlay::Overlay;
use crate::commands::top::rows::{Tone, ago, clock};

/// From how many columns the layout is named.
const WIDE: u16 = 100;

/// Draws the header; the first line below it.
pub(super) fn header(scene: &Scene<'_>, area: Rect, buffer: &mut Buffer) -> u16 {
    let (theme, place) = (scene.theme, scene.place);
    let dim = theme.tone(Tone::Dim);
    let mut pen = Pen::new(buffer, theme, area, area.y, Style::new());
    pen.text("bpctl top", theme.title()).skip(2);
    pen.text(&place.context, Style::new().add_modifier(Modifier::BOLD));
    if place.protected {
        pen.skip(1).text("PROTECTED", theme.tone(Tone::Bad));
    }
    let dot = format!(" {} ", theme.dot());
    let stage = place.stage.as_deref().unwrap_or("all stages");
    let account = place.account.as_deref().unwrap_or("unknown account");
    let region = place.region.as_deref().unwrap_or("no region");
    pen.text(&dot, dim).text(stage, Style::new());
    if area.width >= WIDE {
        pen.text(&dot, dim).text(place.layout, Style::new());
    }
    pen.text(&dot, dim).text(account, Style::new());
    pen.text(&dot, dim).text(region, Style::new());
    let (fresh, tone) = freshness(scene);
    if pen.left() > fresh.len() {
        pen.last(&fresh, theme.tone(tone));
    }
    let mut y = area.y + 1;
    if let Some(banner) = scene.banner {
        y = trouble(scene, banner, area, y, buffer);
    }
    y
}

fn freshness(scene: &Scene<'_>) -> (String, Tone) {
    match (scene.seen, scene.banner) {
        (_, Some(_)) => (clock(scene.now), Tone::Warning),
        (Some(seen), None) => (format!("seen {}", clock(seen)), Tone::Dim),
        (None, None) => ("looking".to_owned(), Tone::Dim),
    }
}

/// Since when the picture is stale, why, and what to do about it.
fn trouble(scene: &Scene<'_>, banner: &Banner, area: Rect, y: u16, buffer: &mut Buffer) -> u16 {
    let theme = scene.theme;
    let strong = theme.tone(Tone::Warning).add_modifier(Modifier::BOLD);
    let mut pen = Pen::new(buffer, theme, area, y, Style::new());
    match banner.since {
        Some(since) => {
            let since = format!("STALE since {} ({})", clock(since), ago(since, scene.now));
            pen.text(&since, strong)
        }
        None => pen.text("COULD NOT CHECK", strong),
    };
    pen.text(": ", strong)
        .rest(&banner.why, theme.tone(Tone::Warning));
    let Some(hint) = &banner.hint else { return y + 1 };
    let mut pen = Pen::new(buffer, theme, area, y + 1, Style::new());
    pen.text("hint: ", theme.title())
        .rest(&hint.to_string(), Style::new());
    y + 2
}

pub(super) fn footer(scene: &Scene<'_>, line: Rect, buffer: &mut Buffer) {
    let (theme, view) = (scene.theme, scene.view);
    let dim = theme.tone(Tone::Dim);
    let mut pen = Pen::new(buffer, theme, line, line.y, Style::new());
    if view.types_filter {
        pen.text("/", theme.title()).text(&view.filter, Style::new());
        pen.text(" ", theme.selected());
        pen.last("Enter keeps it, Esc shows all", dim);
        return;
    }
    if let Some(notice) = &view.notice {
        pen.rest(notice, theme.tone(Tone::Warning));
        return;
    }
    if let Some(doing) = scene.doing {
        pen.rest(doing, dim);
        return;
    }
    if view.overlay.is_open() {
        let keys = match &view.overlay {
            Overlay::Menu(_) => "j k choose    Enter runs it    Esc back",
            Overlay::Pager(_) | Overlay::None => "j k scroll    g G first and last    Esc back",
        };
        pen.rest(keys, dim);
        return;
    }
    if !view.filter.is_empty() {
        pen.text("filter: ", theme.tone(Tone::Warning));
        pen.text(&view.filter, Style::new())
            .skip(2)
            .text("(Esc shows all)", dim)
            .skip(2);
    }
    for (key, does) in [
        ("/", "filter"),
        ("Enter", "describe"),
        ("l", "logs"),
        ("+ - s", "propose"),
        ("r", "refresh"),
        ("?", "help"),
        ("q", "quit"),
    ] {
        if pen.left() < key.len() + does.len() + 1 {
            break;
        }
        pen.text(key, Style::new().add_modifier(Modifier::BOLD));
        pen.skip(1).text(does, dim).skip(2);
    }
}
