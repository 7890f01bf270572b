//! This module owns pictures: what a chart is, how a terminal shows it and how an SVG file does.
//!
//! A [`Chart`] says nothing about looks. Both renderers keep series apart without colour too: by panel,
//! by shape (filled, line, marker) and by name.

mod file;
mod svg;
mod terminal;
mod ticks;

pub(crate) use file::PictureFile;
pub(crate) use svg::svg;
pub(crate) use terminal::terminal;

use ticks::ticks;

/// Panels one above the other, over the same horizontal axis.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Chart {
    /// What all of it shows.
    pub(crate) title: String,
    /// What the horizontal axis is.
    pub(crate) across: Across,
    /// From top to bottom.
    pub(crate) panels: Vec<Panel>,
}

/// The horizontal axis.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Across {
    /// Seconds from 0 to this; labelled in minutes, hours or days.
    Time(f64),
    /// A quantity with its unit, in the range of the data.
    Quantity(String),
}

/// Series that share a vertical axis.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Panel {
    /// What is shown, with its unit.
    pub(crate) title: String,
    /// Whether only whole numbers mean something, so that only they are labelled.
    pub(crate) whole: bool,
    /// Drawn in this order, each over the one before.
    pub(crate) series: Vec<Series>,
    /// A value not to be crossed.
    pub(crate) limit: Option<Limit>,
}

/// A horizontal line through a panel.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Limit {
    pub(crate) at: f64,
    pub(crate) name: String,
}

/// Points under one name.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Series {
    pub(crate) name: String,
    pub(crate) shape: Shape,
    /// In rising order of the first number, except for markers.
    pub(crate) points: Vec<(f64, f64)>,
}

/// How points are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Filled down to zero.
    Area,
    /// Joined.
    Line,
    /// Each value holds until the next point.
    Step,
    /// A ring at each point.
    Ring,
    /// A cross at each point.
    Cross,
    /// A star at each point.
    Star,
}

/// A unit of time for an axis: its name and its seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Unit {
    name: &'static str,
    seconds: f64,
}

const HOUR: f64 = 3_600.0;
const DAY: f64 = 86_400.0;

impl Unit {
    /// The unit in which `seconds` are read most easily.
    fn of(seconds: f64) -> Self {
        let (name, unit) = if seconds <= 3.0 * HOUR {
            ("minutes", 60.0)
        } else if seconds <= 3.0 * DAY {
            ("hours", HOUR)
        } else {
            ("days", DAY)
        };
        Self { name, seconds: unit }
    }
}

impl Chart {
    /// Name of the horizontal axis, what to divide its values by, and where it ends when that is known.
    fn horizontal(&self) -> (String, f64, Option<f64>) {
        match &self.across {
            Across::Time(seconds) => {
                let unit = Unit::of(*seconds);
                (unit.name.to_owned(), unit.seconds, Some(seconds / unit.seconds))
            }
            Across::Quantity(name) => (name.clone(), 1.0, None),
        }
    }

    /// Where the horizontal axis starts and ends, in its unit, and about `most` marks on it.
    fn marks(&self, most: usize) -> (f64, f64, Vec<f64>) {
        let (name, _, end) = self.horizontal();
        if let Some(end) = end {
            let steps: &[f64] = match name.as_str() {
                "minutes" => &[1.0, 5.0, 10.0, 15.0, 30.0],
                "hours" => &[0.5, 1.0, 2.0, 3.0, 6.0, 12.0],
                _ => &[1.0, 2.0, 5.0, 7.0, 14.0, 30.0],
            };
            // A course ends where it ends, be it between two marks.
            let end = end.max(f64::MIN_POSITIVE);
            let mut marks = ticks(end, most, false, steps);
            marks.retain(|mark| *mark <= end);
            return (0.0, end, marks);
        }
        let points = self.panels.iter().flat_map(|panel| &panel.series);
        let values = points.flat_map(|series| &series.points).map(|(x, _)| *x);
        let (least, highest) = values.fold((f64::INFINITY, 0.0_f64), |(least, highest), x| {
            (least.min(x), highest.max(x))
        });
        let mut marks = ticks(highest, most * 2, false, &[]);
        let first = marks.iter().rposition(|mark| *mark <= least).unwrap_or(0);
        marks.drain(..first.min(marks.len().saturating_sub(2)));
        let ends = (marks.first().copied(), marks.last().copied());
        (ends.0.unwrap_or(0.0), ends.1.unwrap_or(1.0), marks)
    }
}

impl Panel {
    /// The marks of the vertical axis.
    fn marks(&self) -> Vec<f64> {
        let points = self.series.iter().flat_map(|series| &series.points);
        let highest = points.map(|(_, y)| *y).fold(0.0, f64::max);
        let limit = self.limit.as_ref().map_or(0.0, |limit| limit.at);
        ticks(highest.max(limit), 5, self.whole, &[])
    }

    /// Whether names say more than the title does.
    fn needs_legend(&self) -> bool {
        self.series.len() + usize::from(self.limit.is_some()) > 1
    }
}

/// A chart that exercises everything, for the renderers' tests.
#[cfg(test)]
fn sample(seconds: f64) -> Chart {
    let at = |point: u32| f64::from(point) * seconds / 200.0;
    let course = |height: f64| {
        (0..200)
            .map(|point| (at(point), height * f64::from(point % 50)))
            .collect::<Vec<_>>()
    };
    Chart {
        title: "a <fleet> & \"more\"".to_owned(),
        across: Across::Time(seconds),
        panels: vec![
            Panel {
                title: "jobs waiting".to_owned(),
                whole: true,
                series: vec![Series {
                    name: "peak".to_owned(),
                    shape: Shape::Area,
                    points: course(1.0),
                }],
                limit: None,
            },
            Panel {
                title: "instances".to_owned(),
                whole: true,
                series: vec![
                    Series {
                        name: "busy".to_owned(),
                        shape: Shape::Area,
                        points: course(0.05),
                    },
                    Series {
                        name: "there".to_owned(),
                        shape: Shape::Step,
                        points: course(0.08),
                    },
                ],
                limit: Some(Limit {
                    at: 6.0,
                    name: "maximum".to_owned(),
                }),
            },
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_read_in_the_unit_that_suits_it() {
        let unit = |days: f64| Unit::of(days * DAY).name;
        assert_eq!(
            [0.1, 1.0, 3.0, 3.1, 30.0, 365.0].map(unit),
            ["minutes", "hours", "hours", "days", "days", "days"]
        );
    }
}
