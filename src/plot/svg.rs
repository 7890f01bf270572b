//! A chart as an SVG file: light background, the reader's own sans-serif font, the same bytes for the
//! same chart.

use std::error::Error as StdError;

use plotters::coord::Shift;
use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use plotters::prelude::*;

use super::ticks::label;
use super::{Chart, Panel, Series, Shape};
use crate::error::{CtlError, ErrorKind, Result};
use crate::ui::strip_controls;

const WIDTH: u32 = 960;
/// Of the title.
const HEAD: u32 = 48;
/// Of a panel's own title and legend.
const CAPTION: u32 = 36;
/// Of one panel of several, below its caption.
const PANEL: u32 = 190;
/// Of the only panel.
const PANEL_ALONE: u32 = 380;
/// Of the name of the horizontal axis.
const FOOT: u32 = 24;
const LEFT: u32 = 64;
const RIGHT: u32 = 24;

const INK: RGBColor = RGBColor(0x22, 0x22, 0x22);
const GRID: RGBColor = RGBColor(0xdd, 0xdd, 0xdd);
const LIMIT: RGBColor = RGBColor(0xc0, 0x2d, 0x1a);
/// Okabe and Ito's colours, which colour-blind readers tell apart.
const COLOURS: [RGBColor; 3] = [
    RGBColor(0x00, 0x72, 0xb2),
    RGBColor(0xd5, 0x5e, 0x00),
    RGBColor(0x00, 0x9e, 0x73),
];

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Drawn<T = ()> = Result<T, Box<dyn StdError>>;

/// The chart as the text of an SVG file.
///
/// # Errors
/// What the drawing library cannot draw; no chart is known that it cannot.
pub(crate) fn svg(chart: &Chart) -> Result<String> {
    let mut text = String::new();
    draw(chart, &mut text)
        .map_err(|error| CtlError::new(ErrorKind::Unexpected, "draw the picture").cause(error.to_string()))?;
    text.push('\n');
    Ok(text)
}

fn draw(chart: &Chart, text: &mut String) -> Drawn {
    let panel_height = CAPTION
        + match chart.panels.len() {
            1 => PANEL_ALONE,
            _ => PANEL,
        };
    let panels = u32::try_from(chart.panels.len())?;
    let height = HEAD + panels * panel_height + FOOT;
    let root = SVGBackend::with_string(text, (WIDTH, height)).into_drawing_area();
    root.fill(&WHITE)?;
    let (title, size) = fitting(&chart.title);
    words(&root, &title, (24, 16), size, INK)?;
    let (name, unit, _) = chart.horizontal();
    let (from, to, marks) = chart.marks(12);
    let scale = Axis { from, to, marks };
    let across = Horizontal { unit, scale };
    let mut top = HEAD;
    for panel in &chart.panels {
        let area = root.clone().shrink((0, top), (WIDTH, panel_height));
        draw_panel(panel, &area, &across)?;
        top += panel_height;
    }
    let middle = (LEFT + (WIDTH - RIGHT - LEFT) / 2).cast_signed();
    words(&root, &name, (middle - 20, top.cast_signed() + 2), 14, INK)?;
    root.present()?;
    Ok(())
}

/// What all panels share.
struct Horizontal {
    unit: f64,
    scale: Axis,
}

/// From one value to another, labelled at marks.
#[derive(Clone, Debug)]
struct Axis {
    from: f64,
    to: f64,
    marks: Vec<f64>,
}

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (first, last): (i32, i32)) -> i32 {
        let share = (value - self.from) / (self.to - self.from);
        first + (f64::from(last - first) * share).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _hint: Hint) -> Vec<f64> {
        self.marks.clone()
    }

    fn range(&self) -> std::ops::Range<f64> {
        self.from..self.to
    }
}

impl ValueFormatter<f64> for Axis {
    fn format(value: &f64) -> String {
        label(*value)
    }
}

fn draw_panel(panel: &Panel, area: &Area<'_>, across: &Horizontal) -> Drawn {
    caption(panel, area)?;
    let marks = panel.marks();
    let upright = Axis {
        from: 0.0,
        to: marks.last().copied().unwrap_or(1.0),
        marks,
    };
    let mut plot = ChartBuilder::on(area)
        .margin_top(CAPTION)
        .margin_right(RIGHT)
        .x_label_area_size(24)
        .y_label_area_size(LEFT)
        .build_cartesian_2d(across.scale.clone(), upright)?;
    plot.configure_mesh()
        .label_style(font(14, INK))
        .axis_style(INK)
        .bold_line_style(GRID)
        .light_line_style(TRANSPARENT)
        .draw()?;
    for (at, series) in panel.series.iter().enumerate() {
        let colour = COLOURS[at % COLOURS.len()];
        let points = series.points.iter().map(|(x, y)| (x / across.unit, *y));
        match series.shape {
            Shape::Area => {
                let fill = colour.mix(0.35);
                plot.draw_series(AreaSeries::new(points, 0.0, fill).border_style(colour))?;
            }
            Shape::Line => {
                plot.draw_series(LineSeries::new(points, colour.stroke_width(2)))?;
            }
            Shape::Step => {
                let points: Vec<(f64, f64)> = points.collect();
                plot.draw_series(LineSeries::new(
                    held(&points, across.scale.to),
                    colour.stroke_width(2),
                ))?;
            }
            Shape::Ring => {
                plot.draw_series(points.map(|point| Circle::new(point, 5, colour.stroke_width(2))))?;
            }
            Shape::Cross => {
                plot.draw_series(points.map(|point| Cross::new(point, 6, colour.stroke_width(3))))?;
            }
            Shape::Star => {
                plot.draw_series(points.map(|point| TriangleMarker::new(point, 9, colour.filled())))?;
            }
        }
    }
    if let Some(limit) = &panel.limit {
        let line = [(across.scale.from, limit.at), (across.scale.to, limit.at)];
        plot.draw_series(DashedLineSeries::new(line, 6, 4, LIMIT.stroke_width(1)))?;
    }
    Ok(())
}

/// The corners of a course that holds each value until the next point.
fn held(points: &[(f64, f64)], end: f64) -> Vec<(f64, f64)> {
    let mut corners = Vec::with_capacity(points.len() * 2);
    for (at, (x, y)) in points.iter().enumerate() {
        let next = points.get(at + 1).map_or(end, |(x, _)| *x);
        corners.extend([(*x, *y), (next, *y)]);
    }
    corners
}

/// A title with the size in which it fits, cut off when there is none.
fn fitting(title: &str) -> (String, u32) {
    // A character of a sans-serif font is 0.6 of its size wide, or less.
    let room = |size: u32| (WIDTH - 48) * 10 / (6 * size);
    let length = u32::try_from(title.chars().count()).unwrap_or(u32::MAX);
    match [20, 16, 13].into_iter().find(|size| length <= room(*size)) {
        Some(size) => (title.to_owned(), size),
        None => {
            let kept: String = title.chars().take(room(13) as usize - 1).collect();
            (format!("{kept}…"), 13)
        }
    }
}

/// The panel's title, and what is what when there is more than one thing.
fn caption(panel: &Panel, area: &Area<'_>) -> Drawn {
    words(area, &panel.title, (24, 12), 16, INK)?;
    if !panel.needs_legend() {
        return Ok(());
    }
    let width = |text: &str| 8 * i32::try_from(text.chars().count()).unwrap_or(0);
    let mut left = 24 + width(&panel.title) + 24;
    for (at, series) in panel.series.iter().enumerate() {
        sample(area, series, (left, 20), COLOURS[at % COLOURS.len()])?;
        words(area, &series.name, (left + 24, 13), 14, INK)?;
        left += 24 + width(&series.name) + 16;
    }
    if let Some(limit) = &panel.limit {
        area.draw(&PathElement::new([(left, 20), (left + 8, 20)], LIMIT))?;
        area.draw(&PathElement::new([(left + 12, 20), (left + 20, 20)], LIMIT))?;
        words(area, &limit.name, (left + 24, 13), 14, INK)?;
    }
    Ok(())
}

/// A bit of a series, for the legend.
fn sample(area: &Area<'_>, series: &Series, (x, y): (i32, i32), colour: RGBColor) -> Drawn {
    let middle = (x + 10, y);
    match series.shape {
        Shape::Area => {
            let corners = [(x, y - 6), (x + 20, y + 6)];
            area.draw(&Rectangle::new(corners, colour.mix(0.35).filled()))?;
            area.draw(&Rectangle::new(corners, colour))?;
        }
        Shape::Line | Shape::Step => {
            area.draw(&PathElement::new([(x, y), (x + 20, y)], colour.stroke_width(2)))?;
        }
        Shape::Ring => area.draw(&Circle::new(middle, 5, colour.stroke_width(2)))?,
        Shape::Cross => area.draw(&Cross::new(middle, 6, colour.stroke_width(3)))?,
        Shape::Star => area.draw(&TriangleMarker::new(middle, 9, colour.filled()))?,
    }
    Ok(())
}

/// `size` is that of the file: the library divides what it is given by 1.24.
fn font(size: u32, colour: RGBColor) -> TextStyle<'static> {
    let size = f64::from(size) * 1.24;
    ("sans-serif", size).into_font().color(&colour)
}

/// XML cannot hold control characters, wherever the text comes from.
fn words(area: &Area<'_>, text: &str, at: (i32, i32), size: u32, colour: RGBColor) -> Drawn {
    let text: String = strip_controls(text).replace(['\t', '\n'], " ");
    area.draw_text(&text, &font(size, colour), at)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use xmlparser::{ElementEnd, Token, Tokenizer};

    use super::super::sample;
    use super::*;

    /// The texts of a document, whose elements must be closed as they were opened.
    fn texts(svg: &str) -> Vec<String> {
        let (mut open, mut texts) = (Vec::new(), Vec::new());
        for token in Tokenizer::from(svg) {
            match token.unwrap() {
                Token::ElementStart { local, .. } => open.push(local.as_str()),
                Token::ElementEnd { end, .. } => match end {
                    ElementEnd::Open => {}
                    ElementEnd::Empty => {
                        open.pop();
                    }
                    ElementEnd::Close(_, name) => assert_eq!(open.pop(), Some(name.as_str())),
                },
                Token::Text { text } if open.last() == Some(&"text") => {
                    texts.push(text.as_str().trim().to_owned());
                }
                _ => {}
            }
        }
        assert!(open.is_empty(), "{open:?}");
        texts
    }

    #[test]
    fn it_is_well_formed_says_everything_and_is_the_same_every_time() {
        let chart = sample(30.0 * 86_400.0);
        let drawn = svg(&chart).unwrap();
        assert_eq!(drawn, svg(&chart).unwrap());
        let texts = texts(&drawn);
        for wanted in [
            "jobs waiting",
            "instances",
            "busy",
            "there",
            "maximum",
            "days",
            "0",
            "30",
        ] {
            assert!(texts.iter().any(|text| text == wanted), "{wanted}: {texts:?}");
        }
        assert!(
            texts.contains(&"a &lt;fleet&gt; &amp; &quot;more&quot;".to_owned()),
            "{texts:?}"
        );
    }

    #[test]
    fn text_from_outside_does_not_break_the_file() {
        let mut chart = sample(86_400.0);
        chart.title = "\u{1b}[2J\u{0}</text><script>alert(1)</script>\n&".to_owned();
        let drawn = svg(&chart).unwrap();
        texts(&drawn);
        assert!(!drawn.contains("<script") && !drawn.contains('\u{1b}') && !drawn.contains('\u{0}'));
    }

    #[test]
    fn a_day_reads_in_hours_and_nothing_is_still_a_picture() {
        let mut chart = sample(86_400.0);
        for panel in &mut chart.panels {
            panel.series.iter_mut().for_each(|series| series.points.clear());
        }
        let texts = texts(&svg(&chart).unwrap());
        for wanted in ["hours", "6", "24"] {
            assert!(texts.iter().any(|text| text == wanted), "{wanted}: {texts:?}");
        }
    }
}
