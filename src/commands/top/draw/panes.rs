//! The panes, one below the other.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::Scene;
use super::pen::Pen;
use super::room::share;
use super::spark::spark;
use crate::commands::top::rows::{Content, FleetRow, Pane, PaneRows, Row, Tone};
use crate::triage::finding::Severity;

/// The widest column of names.
const NAMES: usize = 44;

/// Before every row.
const MARGIN: usize = 2;

pub(super) fn draw(scene: &Scene<'_>, area: Rect, buffer: &mut Buffer) {
    let wanted: Vec<usize> = scene.panes.iter().map(|pane| pane.rows.len()).collect();
    let lines = share(&wanted, usize::from(area.height));
    let selection = scene.view.selection(scene.panes);
    let mut y = area.y;
    for (pane, lines) in scene.panes.iter().zip(lines) {
        let height = u16::try_from(lines)
            .unwrap_or(u16::MAX)
            .min(area.bottom().saturating_sub(y));
        if height == 0 {
            break;
        }
        let place = Rect::new(area.x, y, area.width, height);
        let selected = selection
            .filter(|(of, _)| *of == pane.pane)
            .map(|(_, index)| index);
        one(scene, pane, selected, place, buffer);
        y += height;
    }
}

fn one(scene: &Scene<'_>, pane: &PaneRows, selected: Option<usize>, area: Rect, buffer: &mut Buffer) {
    let theme = scene.theme;
    let room = usize::from(area.height).saturating_sub(1);
    let first = first_row(selected, pane.rows.len(), room);
    title(scene, pane, (first, room), area, buffer);
    let below = area.y + 1;
    if pane.rows.is_empty() {
        if room > 0 {
            let (text, tone) = &pane.empty;
            let mut pen = Pen::new(buffer, theme, area, below, Style::new());
            pen.skip(MARGIN).rest(text, theme.tone(*tone));
        }
        return;
    }
    let columns = Columns::of(pane, usize::from(area.width));
    // What is stale looks so, whatever it says.
    let base = if pane.stale.is_some() {
        Style::new().add_modifier(Modifier::DIM)
    } else {
        Style::new()
    };
    for (line, (index, row)) in (below..area.bottom()).zip(pane.rows.iter().enumerate().skip(first)) {
        let is_selected = selected == Some(index);
        let base = if is_selected {
            base.patch(theme.selected())
        } else {
            base
        };
        let mut pen = Pen::new(buffer, theme, area, line, base);
        let mark = if is_selected { theme.marker() } else { "" };
        pen.cell(MARGIN, mark, Style::new());
        columns.write(scene, row, &mut pen);
    }
}

/// The first row in sight: the selected one is among them.
fn first_row(selected: Option<usize>, count: usize, room: usize) -> usize {
    let last = count.saturating_sub(room);
    match selected {
        Some(index) if index >= room => (index + 1 - room).min(last),
        _ => 0,
    }
}

fn title(scene: &Scene<'_>, pane: &PaneRows, (first, room): (usize, usize), area: Rect, buffer: &mut Buffer) {
    let theme = scene.theme;
    let dim = theme.tone(Tone::Dim);
    let mut pen = Pen::new(buffer, theme, area, area.y, Style::new());
    pen.text(pane.pane.title(), theme.title());
    let count = pane.rows.len();
    if count > room && room > 0 {
        let seen = format!(" {}-{} of {count}", first + 1, (first + room).min(count));
        pen.text(&seen, dim);
    }
    if let Some(stale) = &pane.stale {
        pen.skip(1).text(stale, theme.tone(Tone::Warning));
    } else {
        let (text, tone) = &pane.summary;
        if !text.is_empty() {
            pen.skip(1).text(text, theme.tone(*tone));
        }
    }
    let columns = Columns::of(pane, usize::from(area.width));
    let used = usize::from(area.width) - pen.left();
    if !pane.rows.is_empty() && pane.stale.is_none() && columns.headings(used, &mut pen, dim) {
        return;
    }
    pen.skip(1).fill(theme.rule(), dim);
}

/// Where the columns of a pane are.
struct Columns {
    pane: Pane,
    names: usize,
    /// Columns of each sparkline.
    spark: usize,
    /// Whether there is room for how a fleet is.
    states: bool,
}

impl Columns {
    fn of(pane: &PaneRows, width: usize) -> Self {
        let name = |row: &Row| match &row.content {
            Content::Service { name, .. } => name.chars().count(),
            Content::Alarm { name, .. } => name.0.chars().count(),
            Content::Fleet(fleet) => fleet.name.chars().count(),
            Content::Finding { .. } | Content::Event { .. } => 0,
        };
        let most = match pane.pane {
            Pane::Fleets => (width / 3).max(20),
            _ => width / 2,
        };
        let names = pane.rows.iter().map(name).max().unwrap_or(0).min(NAMES).min(most);
        let states = width >= 100;
        // Beside the sparklines: margin, name, three numbers, what is in service, bounds, how it is, and blanks.
        let fixed = MARGIN + names + 2 + 6 + 2 + 4 + 2 + 4 + 2 + 3 + 2 + 6 + if states { 19 } else { 0 };
        Self {
            pane: pane.pane,
            names,
            spark: (width.saturating_sub(fixed) / 3).clamp(1, 60),
            states,
        }
    }

    /// Writes what stands above the columns, unless the title is in the way; whether it did.
    fn headings(&self, used: usize, pen: &mut Pen<'_>, style: Style) -> bool {
        let start = MARGIN + self.names + 2;
        if used >= start {
            return false;
        }
        pen.skip(start - used);
        match self.pane {
            Pane::Services => {
                pen.right(7, "RUNNING", style).right(9, "PENDING", style).skip(2);
                pen.cell(24, "STATE", style)
                    .cell(24, "DEFINITION", style)
                    .rest("AGE", style);
            }
            Pane::Fleets => {
                pen.right(5, "QUEUE", style).skip(1 + self.spark + 2);
                pen.cell(3 + 1 + self.spark, "WORKERS", style).skip(2);
                pen.cell(3 + 1 + self.spark, "DESIRED", style).skip(2);
                pen.right(3, "UP", style).skip(2).cell(6, "BOUNDS", style);
            }
            Pane::Alarms => {
                pen.right(4, "AGE", style).skip(2).rest("REASON", style);
            }
            Pane::Findings | Pane::Events => return false,
        }
        true
    }

    fn write(&self, scene: &Scene<'_>, row: &Row, pen: &mut Pen<'_>) {
        let theme = scene.theme;
        let (plain, dim) = (Style::new(), theme.tone(Tone::Dim));
        match &row.content {
            Content::Service {
                name,
                running,
                pending,
                state,
                definition,
                age,
            } => {
                pen.cell(self.names, name, plain).skip(2);
                pen.right(7, running, plain).right(9, pending, plain).skip(2);
                pen.cell(23, &state.0, theme.tone(state.1)).skip(1);
                pen.cell(23, definition, dim).skip(1).rest(age, dim);
            }
            Content::Fleet(fleet) => self.fleet(scene, fleet, pen),
            Content::Alarm { name, since, reason } => {
                pen.cell(self.names, &name.0, theme.tone(name.1)).skip(2);
                pen.right(4, since, plain).skip(2).rest(reason, dim);
            }
            Content::Finding {
                depth,
                severity,
                code,
                text,
                fresh,
            } => {
                let tone = match severity {
                    Severity::P1 => Tone::Bad,
                    Severity::P2 => Tone::Warning,
                    Severity::P3 => Tone::Plain,
                };
                pen.cell(2, if *fresh { "*" } else { "" }, theme.tone(Tone::Warning));
                pen.cell(4, severity.as_str(), theme.tone(tone))
                    .cell(12, code, dim);
                if *depth > 0 {
                    pen.skip((depth - 1) * 2).text(theme.branch(), dim);
                }
                pen.rest(text, plain);
            }
            Content::Event { at, what, text } => {
                pen.cell(14, at, dim)
                    .cell(9, what, dim)
                    .rest(&text.0, theme.tone(text.1));
            }
        }
    }

    fn fleet(&self, scene: &Scene<'_>, fleet: &FleetRow, pen: &mut Pen<'_>) {
        let theme = scene.theme;
        let plain = Style::new();
        pen.cell(self.names, &fleet.name, plain).skip(2);
        let (queue, hour) = &fleet.queue;
        pen.right(5, &number(*queue), plain).skip(1);
        pen.cell(self.spark, &spark(theme, hour, self.spark), theme.queue())
            .skip(2);
        let (workers, hour) = &fleet.workers;
        pen.right(3, &number(*workers), plain).skip(1);
        pen.cell(self.spark, &spark(theme, hour, self.spark), theme.workers())
            .skip(2);
        let (desired, hour) = &fleet.desired;
        pen.right(3, &desired.to_string(), plain).skip(1);
        pen.cell(self.spark, &spark(theme, hour, self.spark), theme.desired())
            .skip(2);
        let missing = u32::try_from(fleet.in_service).is_ok_and(|up| up < *desired);
        let tone = if missing { Tone::Warning } else { Tone::Plain };
        pen.right(3, &fleet.in_service.to_string(), theme.tone(tone))
            .skip(2);
        pen.cell(6, &fleet.bounds, theme.tone(Tone::Dim));
        if self.states {
            pen.skip(2).cell(17, &fleet.state.0, theme.tone(fleet.state.1));
        }
    }
}

/// A number in four columns and less; `-` for one that is not known.
fn number(value: Option<f64>) -> String {
    match value {
        None => "-".to_owned(),
        Some(value) if value >= 10_000.0 => format!("{:.0}k", value / 1_000.0),
        Some(value) if value.fract() == 0.0 => format!("{value:.0}"),
        Some(value) => format!("{value:.1}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_selected_row_is_in_sight() {
        assert_eq!(first_row(None, 20, 5), 0);
        assert_eq!(first_row(Some(4), 20, 5), 0);
        assert_eq!(first_row(Some(5), 20, 5), 1);
        assert_eq!(first_row(Some(19), 20, 5), 15);
        assert_eq!(first_row(Some(0), 1, 0), 1);
    }

    #[test]
    fn numbers_stay_short() {
        let shown: Vec<String> = [None, Some(0.0), Some(12.0), Some(0.5), Some(123_456.0)]
            .map(number)
            .to_vec();
        assert_eq!(shown, ["-", "0", "12", "0.5", "123k"]);
    }
}
