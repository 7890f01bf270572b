//! A chart as lines of text, for a terminal of a given width.

use anstream::adapter::strip_str;
use malevich::{
    Area, Charset, Color, ColorMode, Dash, Frame, Line, Plot, PointStyle, Points, Rule, Scale,
    stat::{StepDirection, steps},
};

use super::ticks::label;
use super::{Chart, Panel, Shape};

/// Rows of one panel of several: enough for a course to be seen, few enough for three on a laptop's terminal.
const ROWS: usize = 9;

/// Rows of the only panel.
const ROWS_ALONE: usize = 16;

/// Narrower than this nothing can be read off.
const NARROWEST: usize = 30;

/// The chart in `width` columns, with colour or without; ends with a newline. Nothing in a terminal
/// that is too narrow for it.
pub(crate) fn terminal(chart: &Chart, width: u16, color: bool) -> String {
    let width = usize::from(width);
    if width < NARROWEST {
        return String::new();
    }
    let plots: Vec<Drawn> = chart
        .panels
        .iter()
        .map(|panel| Drawn::new(chart, panel, width, color))
        .collect();
    // The vertical axes stand in one column.
    let gutter = plots.iter().map(|drawn| drawn.gutter).max().unwrap_or(0);
    let last = plots.len().saturating_sub(1);
    let mut text = String::new();
    for (at, (panel, drawn)) in chart.panels.iter().zip(plots).enumerate() {
        let indent = gutter - drawn.gutter;
        let drawn = match indent {
            0 => drawn,
            _ => Drawn::new(chart, panel, width - indent, color),
        };
        for line in &drawn.lines {
            text.push_str(format!("{:indent$}{line}", "").trim_end());
            text.push('\n');
        }
        for line in axis(chart, gutter, width, at == last) {
            text.push_str(line.trim_end());
            text.push('\n');
        }
    }
    text
}

/// A panel without its horizontal axis.
struct Drawn {
    lines: Vec<String>,
    /// Columns left of the vertical axis.
    gutter: usize,
}

impl Drawn {
    fn new(chart: &Chart, panel: &Panel, width: usize, color: bool) -> Self {
        let (_, unit, _) = chart.horizontal();
        let (from, to, _) = chart.marks(width / 8);
        let rows = match chart.panels.len() {
            1 => ROWS_ALONE,
            _ => ROWS,
        };
        let frame = Frame {
            // The axis is two rows, and of no interest; a legend is one more.
            height: rows + 2 + usize::from(panel.needs_legend()),
            color: if color {
                // The terminal's own palette: readable on light and dark.
                ColorMode::Ansi16
            } else {
                ColorMode::Plain
            },
            charset: Charset::Braille,
            ..Frame::plain(width, rows)
        };
        let plot = draw(panel, unit).title(&panel.title).x_domain(from, to);
        let lines: Vec<String> = plot.render(&frame).lines().map(str::to_owned).collect();
        let corner = lines.iter().enumerate().find_map(|(at, line)| {
            let plain = strip_str(line).to_string();
            plain.chars().position(|c| c == '└').map(|column| (at, column))
        });
        let (row, gutter) = corner.unwrap_or((lines.len(), 0));
        Self {
            lines: lines.into_iter().take(row).collect(),
            gutter,
        }
    }
}

/// The horizontal axis below a panel: round marks, which the drawing library places at any number, and
/// below the last panel their labels and the unit.
fn axis(chart: &Chart, gutter: usize, width: usize, labelled: bool) -> Vec<String> {
    let columns = width - gutter - 1;
    let (from, to, marks) = chart.marks(columns / 8);
    let (name, ..) = chart.horizontal();
    let mut line = vec!['─'; columns];
    let mut labels = vec![' '; gutter + 1 + columns];
    let mut free = 0;
    for mark in marks {
        let column = ((mark - from) / (to - from) * (columns - 1) as f64).round() as usize;
        let Some(place) = line.get_mut(column) else {
            continue;
        };
        *place = '┬';
        let text = label(mark);
        let length = text.chars().count();
        let start = (gutter + 1 + column).saturating_sub(length / 2);
        let start = start.min(labels.len().saturating_sub(length));
        if start < free {
            continue;
        }
        for (place, c) in labels[start..].iter_mut().zip(text.chars()) {
            *place = c;
        }
        free = start + length + 1;
    }
    let line: String = line.into_iter().collect();
    let mut lines = vec![format!("{:gutter$}└{line}", "")];
    if labelled {
        lines.push(labels.into_iter().collect());
        let middle = (gutter + 1 + columns / 2).saturating_sub(name.chars().count() / 2);
        lines.push(format!("{:middle$}{name}", ""));
    }
    lines
}

fn draw(panel: &Panel, unit: f64) -> Plot<'static> {
    let top = panel.marks().last().copied().unwrap_or(1.0);
    let mut plot = Plot::new().y_domain(0.0, top);
    if panel.whole {
        plot = plot.y_scale(Scale::Integer);
    }
    if let Some(limit) = &panel.limit {
        let rule = Rule::h(limit.at).dash(Dash::Dashed).color(Color::Red);
        plot = plot.layer(rule.label(&limit.name));
    }
    let named = panel.needs_legend();
    for (at, series) in panel.series.iter().enumerate() {
        let x: Vec<f64> = series.points.iter().map(|(x, _)| x / unit).collect();
        let y: Vec<f64> = series.points.iter().map(|(_, y)| *y).collect();
        let color = [Color::Blue, Color::Yellow, Color::Green][at % 3];
        let name = named.then_some(&series.name);
        plot = match series.shape {
            Shape::Area => {
                let area = Area::xy(x, y).color(color);
                plot.layer(match name {
                    Some(name) => area.label(name),
                    None => area,
                })
            }
            Shape::Line | Shape::Step => {
                let (x, y) = if series.shape == Shape::Step {
                    steps(&x, &y, StepDirection::Post)
                } else {
                    (x, y)
                };
                let line = Line::xy(x, y).color(color);
                plot.layer(match name {
                    Some(name) => line.label(name),
                    None => line,
                })
            }
            Shape::Ring | Shape::Cross | Shape::Star => {
                let style = match series.shape {
                    Shape::Cross => PointStyle::Cross,
                    Shape::Star => PointStyle::Asterisk,
                    _ => PointStyle::Circle,
                };
                let points = Points::xy(x, y).style(style).color(color);
                plot.layer(match name {
                    Some(name) => points.label(name),
                    None => points,
                })
            }
        };
    }
    plot
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn it_fits_the_terminal_and_can_be_read_without_colour() {
        for width in [30, 80, 120, 300] {
            for color in [false, true] {
                let text = terminal(&sample(30.0 * 86_400.0), width, color);
                assert_eq!(text.contains('\u{1b}'), color);
                let plain = strip_str(&text).to_string();
                let widest = plain.lines().map(|line| line.chars().count()).max();
                assert!(widest <= Some(usize::from(width)), "{widest:?}\n{plain}");
                assert!(plain.lines().all(|line| line == line.trim_end()));
                if width >= 80 {
                    for word in ["jobs waiting", "instances", "days", "busy", "there", "maximum"] {
                        assert!(plain.contains(word), "{word} is not in\n{plain}");
                    }
                }
            }
        }
        assert_eq!(terminal(&sample(86_400.0), 29, false), "");
    }

    #[test]
    fn a_chart_of_nothing_is_still_a_chart() {
        let mut chart = sample(86_400.0);
        for panel in &mut chart.panels {
            panel.series.iter_mut().for_each(|series| series.points.clear());
        }
        assert!(terminal(&chart, 80, false).contains("hours"));
    }
}
