//! The recent data points of one alarm as bits, so that a minute costs a shift and a count.

use std::collections::VecDeque;

use crate::alarm::{AlarmState, Verdict};
use crate::config::Alarm;
use crate::decide::Reading;
use crate::metrics::Statistic;

/// The points of an alarm and its state.
#[derive(Clone, Debug)]
pub(crate) struct Window {
    points: Points,
    state: AlarmState,
    /// The newest real point and how many periods ago it came.
    newest: Option<(f64, usize)>,
    /// The minutes of the period that has not ended yet: how many have passed, how many had data,
    /// and what they come to.
    minutes: usize,
    with_data: u32,
    so_far: f64,
    /// The last minute's value as bits, and for how many minutes it has been the same.
    last: u64,
    same: usize,
    reading: Reading,
}

/// Which of the recent points exist and which breach; the newest is the lowest bit.
#[derive(Clone, Debug)]
enum Points {
    Short { real: u64, breaching: u64 },
    Long(VecDeque<Option<bool>>),
}

impl Window {
    /// Without any data, in `INSUFFICIENT_DATA`.
    pub(crate) fn new(alarm: &Alarm) -> Self {
        let range = alarm.rule.evaluation_range();
        Self {
            points: if range <= 64 {
                Points::Short {
                    real: 0,
                    breaching: 0,
                }
            } else {
                Points::Long(VecDeque::with_capacity(range + 1))
            },
            state: AlarmState::default(),
            newest: None,
            minutes: 0,
            with_data: 0,
            so_far: 0.0,
            last: f64::NAN.to_bits(),
            same: 0,
            reading: Reading {
                state: AlarmState::default(),
                before: AlarmState::default(),
                value: None,
                filled: 0,
            },
        }
    }

    /// One minute passes; NaN is a minute without data. Returns what the alarm reads now.
    #[inline]
    pub(crate) fn minute(&mut self, alarm: &Alarm, value: f64) -> Reading {
        let bits = value.to_bits();
        if bits == self.last {
            self.same += 1;
            if alarm.period == 1 && self.same > alarm.rule.evaluation_range() {
                // It has seen nothing else for as long as it looks back.
                self.reading.before = self.state;
                return self.reading;
            }
        } else {
            (self.last, self.same) = (bits, 1);
        }
        if alarm.period == 1 {
            self.push(alarm, value);
        } else {
            self.aggregate(alarm, value);
        }
        let verdict = self.verdict(alarm);
        let reading = Reading {
            state: verdict.state,
            before: self.state,
            value: self.newest.map(|(value, _)| value),
            filled: verdict.filled,
        };
        self.state = verdict.state;
        self.reading = reading;
        reading
    }

    /// `minutes` minutes have passed in which nothing changed, neither the value nor the state.
    pub(crate) fn pass(&mut self, alarm: &Alarm, minutes: usize) {
        if alarm.period > 1 {
            for _ in 0..minutes % alarm.period {
                self.aggregate(alarm, f64::from_bits(self.last));
            }
        }
    }

    /// Adds a minute to the period; its last one makes a point.
    fn aggregate(&mut self, alarm: &Alarm, value: f64) {
        if !value.is_nan() {
            self.so_far = match alarm.statistic {
                _ if self.with_data == 0 => value,
                Statistic::Maximum => self.so_far.max(value),
                Statistic::Minimum => self.so_far.min(value),
                Statistic::Average | Statistic::Sum => self.so_far + value,
            };
            self.with_data += 1;
        }
        self.minutes += 1;
        if self.minutes == alarm.period {
            let point = match (self.with_data, alarm.statistic) {
                (0, _) => f64::NAN,
                (minutes, Statistic::Average) => self.so_far / f64::from(minutes),
                _ => self.so_far,
            };
            self.push(alarm, point);
            (self.minutes, self.with_data) = (0, 0);
        }
    }

    fn push(&mut self, alarm: &Alarm, point: f64) {
        let range = alarm.rule.evaluation_range();
        if !point.is_nan() {
            self.newest = Some((point, 1));
        } else if let Some((_, age)) = &mut self.newest {
            *age += 1;
            if *age > range {
                self.newest = None;
            }
        }
        let breaches = alarm.rule.comparison.breaches(point, alarm.rule.threshold);
        match &mut self.points {
            Points::Short { real, breaching } => {
                *real = *real << 1 | u64::from(!point.is_nan());
                *breaching = *breaching << 1 | u64::from(breaches);
            }
            Points::Long(points) => {
                points.push_front((!point.is_nan()).then_some(breaches));
                points.truncate(range);
            }
        }
    }

    fn verdict(&self, alarm: &Alarm) -> Verdict {
        let needed = alarm.rule.evaluation_periods;
        match &self.points {
            Points::Short { real, breaching } => {
                let newest = u64::MAX >> (64 - needed);
                if real & newest == newest {
                    let breaching = (breaching & newest).count_ones() as usize;
                    return alarm.rule.verdict(needed, breaching, needed, self.state);
                }
                let (mut used, mut oldest) = (0_u64, 0);
                let mut left = real & (u64::MAX >> (64 - alarm.rule.evaluation_range()));
                for _ in 0..needed {
                    if left == 0 {
                        break;
                    }
                    let lowest = left & left.wrapping_neg();
                    used |= lowest;
                    oldest = lowest.trailing_zeros() as usize + 1;
                    left ^= lowest;
                }
                let breaching = (breaching & used).count_ones() as usize;
                let count = used.count_ones() as usize;
                alarm.rule.verdict(count, breaching, oldest, self.state)
            }
            Points::Long(points) => {
                let (mut used, mut breaching, mut oldest) = (0, 0, 0);
                for (age, breaches) in points.iter().enumerate() {
                    if let Some(breaches) = breaches {
                        used += 1;
                        breaching += usize::from(*breaches);
                        oldest = age + 1;
                        if used == needed {
                            break;
                        }
                    }
                }
                alarm.rule.verdict(used, breaching, oldest, self.state)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alarm::{AlarmRule, Comparison, MissingData};
    use crate::config::Action;
    use crate::metrics::{Metric, Metrics};
    use crate::simulate::random::{Random, Stream};

    fn alarm(needed: usize, to_alarm: usize, missing_data: MissingData, period: usize) -> Alarm {
        Alarm {
            name: "a".to_owned(),
            metric: Metric::QueueDepth,
            statistic: Statistic::Average,
            period,
            rule: AlarmRule {
                comparison: Comparison::GreaterThanThreshold,
                threshold: 1.0,
                evaluation_periods: needed,
                datapoints_to_alarm: to_alarm,
                missing_data,
            },
            action: Action::ScaleToZero,
        }
    }

    #[test]
    fn bits_come_to_the_same_as_the_evaluation_of_the_points() {
        let treatments = [
            MissingData::Missing,
            MissingData::Ignore,
            MissingData::Breaching,
            MissingData::NotBreaching,
        ];
        let mut random = Random::new(3, Stream::Service, 0);
        let sizes = [
            (1, 1, 1),
            (3, 2, 1),
            (15, 15, 1),
            (3, 3, 5),
            (130, 4, 1),
            (126, 126, 1),
        ];
        for (needed, to_alarm, period) in sizes {
            for treatment in treatments {
                let alarm = alarm(needed, to_alarm, treatment, period);
                let mut window = Window::new(&alarm);
                let mut metrics = Metrics::new();
                let mut state = AlarmState::default();
                // Stretches with much and with little data, high and low.
                for minute in 0..600 {
                    let gap = [0.02, 0.5, 0.97][minute / 40 % 3];
                    let value =
                        (random.uniform() > gap).then(|| (random.below(3) * (minute / 90 % 2)) as f64);
                    metrics.push(Metric::QueueDepth, value);
                    let reading = window.minute(&alarm, value.unwrap_or(f64::NAN));
                    if minute % period == period - 1 {
                        let points = || metrics.points(alarm.metric, alarm.statistic, alarm.period);
                        let verdict = alarm.rule.judge(points(), state);
                        let newest = points().take(alarm.rule.evaluation_range()).flatten().next();
                        state = verdict.state;
                        assert_eq!(
                            (reading.state, reading.filled, reading.value),
                            (verdict.state, verdict.filled, newest)
                        );
                    }
                }
            }
        }
    }
}
