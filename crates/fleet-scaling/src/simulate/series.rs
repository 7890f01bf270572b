//! The course of a simulation in a fixed number of points, for plots.

use serde::Serialize;

/// Queue and fleet over time. All lists have the same length.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct Series {
    /// From the start of one point to the next.
    pub step_seconds: f64,
    /// The most jobs that waited at the end of a minute.
    pub waiting: Vec<u64>,
    /// The mean number of instances that are there or on their way.
    pub instances: Vec<f64>,
    /// The mean number of workers that hold a job.
    pub busy: Vec<f64>,
    /// The largest desired capacity.
    pub desired: Vec<u32>,
}

/// What is recorded of a stretch of time in which nothing changes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    pub(crate) waiting: u64,
    pub(crate) instances: u32,
    pub(crate) busy: u32,
    pub(crate) desired: u32,
}

/// Collects the points.
#[derive(Debug)]
pub(crate) struct Recorder {
    series: Series,
    step: f64,
    recorded: u64,
}

impl Recorder {
    /// With `points` points for `horizon` milliseconds; none when 0.
    pub(crate) fn new(points: usize, horizon: u64) -> Self {
        let step = horizon as f64 / points.max(1) as f64;
        Self {
            series: Series {
                step_seconds: step / 1e3,
                waiting: vec![0; points],
                instances: vec![0.0; points],
                busy: vec![0.0; points],
                desired: vec![0; points],
            },
            step,
            recorded: 0,
        }
    }

    /// `sample` held from the last recorded moment to `now`.
    pub(crate) fn record(&mut self, now: u64, sample: Sample) {
        let points = self.series.waiting.len();
        if points == 0 || now <= self.recorded {
            return;
        }
        let position = |at: f64| ((at / self.step) as usize).min(points - 1);
        let (from, to) = (self.recorded as f64, now as f64);
        for point in position(from)..=position(to) {
            let start = (point as f64 * self.step).max(from);
            let end = if point + 1 == points {
                to
            } else {
                ((point + 1) as f64 * self.step).min(to)
            };
            if end <= start {
                continue;
            }
            let share = (end - start) / self.step;
            self.series.instances[point] += share * f64::from(sample.instances);
            self.series.busy[point] += share * f64::from(sample.busy);
            let waiting = &mut self.series.waiting[point];
            *waiting = sample.waiting.max(*waiting);
            let desired = &mut self.series.desired[point];
            *desired = sample.desired.max(*desired);
        }
        self.recorded = now;
    }

    pub(crate) fn finish(self) -> Option<Series> {
        (!self.series.waiting.is_empty()).then_some(self.series)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_are_shared_out_to_the_points_they_cover() {
        let mut recorder = Recorder::new(4, 400);
        let sample = |instances, waiting| Sample {
            waiting,
            instances,
            busy: 0,
            desired: instances,
        };
        recorder.record(50, sample(2, 1));
        recorder.record(350, sample(4, 9));
        recorder.record(400, sample(0, 3));
        let series = recorder.finish().unwrap();
        assert_eq!(series.instances, [3.0, 4.0, 4.0, 2.0]);
        assert_eq!(series.waiting, [9, 9, 9, 9]);
        assert_eq!(series.desired, [4, 4, 4, 4]);
        assert_eq!(Recorder::new(0, 400).finish(), None);
    }
}
