//! The course of a simulation as a chart.

use fleet_scaling::simulate::Series as Course;

use super::super::text::span;
use super::Simulation;
use crate::plot::{Across, Chart, Limit, Panel, Series, Shape};

/// Points across the picture in a file: more than one for each of its pixels would draw over each other.
pub(super) const FILE: usize = 720;

impl Simulation {
    /// The course with at most about `points` points; none when nothing was recorded.
    pub(super) fn chart(&self, points: usize) -> Option<Chart> {
        let course = coarser(self.course.as_ref()?, points);
        let at = |position: usize| position as f64 * course.step_seconds;
        let of = |name: &str, shape, values: &[f64]| Series {
            name: name.to_owned(),
            shape,
            points: values.iter().enumerate().map(|(n, y)| (at(n), *y)).collect(),
        };
        // What is the most of something is said to be, with the time that it is the most of.
        let (peak, mean) = if course.step_seconds > 60.0 {
            let step = span(course.step_seconds);
            (format!(", peak of each {step}"), format!(", mean of each {step}"))
        } else {
            (String::new(), String::new())
        };
        let waiting: Vec<f64> = course.waiting.iter().map(|jobs| *jobs as f64).collect();
        let desired: Vec<f64> = course.desired.iter().map(|size| f64::from(*size)).collect();
        let max = self.config.max as f64;
        let at_limit = desired.iter().any(|size| *size >= max);
        let panel = |title: String, series| Panel {
            title,
            whole: true,
            series,
            limit: None,
        };
        Some(Chart {
            title: format!(
                "{}: {} of {}, seed {}",
                self.fleet, self.scenario.length, self.scenario.arrivals, self.scenario.seed
            ),
            across: Across::Time(self.report.horizon_seconds),
            panels: vec![
                panel(
                    format!("jobs waiting{peak}"),
                    vec![of("waiting", Shape::Area, &waiting)],
                ),
                panel(
                    format!("instances{mean}"),
                    vec![
                        of("with a job", Shape::Area, &course.busy),
                        of("all", Shape::Line, &course.instances),
                    ],
                ),
                Panel {
                    limit: at_limit.then(|| Limit {
                        at: max,
                        name: "maximum".to_owned(),
                    }),
                    ..panel(
                        format!("desired capacity{peak}"),
                        vec![of("desired", Shape::Step, &desired)],
                    )
                },
            ],
        })
    }
}

/// Neighbouring points together until there are at most `points`: the most of what is a peak, the mean
/// of what is a mean.
fn coarser(course: &Course, points: usize) -> Course {
    let together = course.waiting.len().div_ceil(points.max(1)).max(1);
    let mean = |values: &[f64]| -> Vec<f64> {
        let chunks = values.chunks(together);
        chunks
            .map(|chunk| chunk.iter().sum::<f64>() / chunk.len() as f64)
            .collect()
    };
    Course {
        step_seconds: course.step_seconds * together as f64,
        waiting: most(&course.waiting, together),
        instances: mean(&course.instances),
        busy: mean(&course.busy),
        desired: most(&course.desired, together),
    }
}

fn most<T: Copy + Ord + Default>(values: &[T], together: usize) -> Vec<T> {
    let chunks = values.chunks(together);
    chunks
        .map(|chunk| chunk.iter().copied().max().unwrap_or_default())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_peak_is_lost_when_points_are_put_together() {
        let course = Course {
            step_seconds: 60.0,
            waiting: vec![0, 0, 9, 0, 1],
            instances: vec![1.0, 3.0, 0.0, 0.0, 2.0],
            busy: vec![0.0; 5],
            desired: vec![0, 4, 0, 0, 2],
        };
        let coarse = coarser(&course, 3);
        assert_eq!(coarse.step_seconds, 120.0);
        assert_eq!(coarse.waiting, [0, 9, 1]);
        assert_eq!(coarse.instances, [2.0, 0.0, 2.0]);
        assert_eq!(coarse.desired, [4, 0, 2]);
        assert_eq!(coarser(&course, 100), course);
        assert_eq!(coarser(&course, 0).waiting, [9]);
    }
}
