//! The recent data points of one alarm as bits, so that a minute costs a shift and a count.

use std::collections::VecDeque;

use crate::alarm::{AlarmRule, AlarmState, MissingData};
use crate::config::Alarm;
use crate::decide::Reading;
use crate::metrics::math::Math;
use crate::metrics::{Source, Statistic};

/// The points of an alarm and its state.
#[derive(Clone, Debug)]
pub(crate) struct Window {
    points: Points,
    state: AlarmState,
    /// The newest real point and how many minutes ago it came; only of short windows.
    newest: Option<(f64, usize)>,
    /// The last minute's value, whether it breached, and for how many minutes it has been the same: the value, or in a
    /// short window its side of the threshold.
    last: f64,
    breached: bool,
    same: usize,
    /// Points that an evaluation looks at.
    range: usize,
    /// The bits of the newest N points, of short windows.
    full: u64,
}

/// What the last evaluation counted.
#[derive(Clone, Copy, Debug, Default)]
struct Counted {
    used: usize,
    breaching: usize,
    /// Periods since the oldest used point, which is 1 for the newest possible one.
    oldest: usize,
}

/// Which of the recent points exist and which breach; the newest is the lowest bit.
#[derive(Clone, Debug)]
enum Points {
    /// Periods of a minute, and at most as many as there are bits.
    Short {
        real: u64,
        breaching: u64,
    },
    Long(Long),
    /// Of metric math.
    Math(Computed),
}

/// The minutes of each metric of an expression, the newest first, and as many as it is computed from.
#[derive(Clone, Debug)]
struct Computed {
    minutes: Vec<VecDeque<f64>>,
    /// The points of the expression, the newest first.
    points: Vec<Option<f64>>,
}

/// "Alarm evaluation window": by default it slides with each evaluation, so that every minute ends a
/// period.
#[derive(Clone, Debug, Default)]
struct Long {
    /// The values of the last period's minutes, the newest first; NaN is no data.
    minutes: VecDeque<f64>,
    /// The point of the period that ended with each minute, the newest first.
    points: VecDeque<f64>,
}

impl Window {
    /// Without any data, in `INSUFFICIENT_DATA`.
    pub(crate) fn new(alarm: &Alarm) -> Self {
        let range = alarm.rule.evaluation_range();
        let points = if let Source::Math(math) = &alarm.metric {
            Points::Math(Computed {
                minutes: vec![VecDeque::new(); math.metrics().len()],
                points: Vec::new(),
            })
        } else if range <= 64 && alarm.period == 1 && alarm.statistic != Statistic::SampleCount {
            Points::Short {
                real: 0,
                breaching: 0,
            }
        } else {
            Points::Long(Long::default())
        };
        Self {
            points,
            state: AlarmState::default(),
            newest: None,
            last: f64::NAN,
            breached: false,
            same: 0,
            range,
            full: u64::MAX >> 64_usize.saturating_sub(alarm.rule.evaluation_periods).min(63),
        }
    }

    /// One minute passes; NaN is a minute without data. Returns what the alarm reads now.
    #[inline]
    pub(crate) fn minute(&mut self, alarm: &Alarm, value: f64) -> Reading {
        let rule = &alarm.rule;
        if let Points::Short { real, breaching } = &mut self.points
            && !value.is_nan()
        {
            let breaches = rule.comparison.breaches(value, rule.threshold);
            let before = self.state;
            let same_side = breaches == self.breached && !self.last.is_nan();
            self.same = if same_side { self.same + 1 } else { 1 };
            self.breached = breaches;
            self.last = value;
            // Nothing else has been seen for so long that one more minute of it changes nothing, or each of the
            // newest N points is there.
            let settled = self.same > self.range + 1;
            if settled || (*real << 1 | 1) & self.full == self.full {
                *real = *real << 1 | 1;
                *breaching = *breaching << 1 | u64::from(breaches);
                if !settled {
                    let of_newest = *breaching & self.full;
                    let alarming = if rule.datapoints_to_alarm == rule.evaluation_periods {
                        of_newest == self.full
                    } else {
                        of_newest.count_ones() as usize >= rule.datapoints_to_alarm
                    };
                    self.state = if alarming {
                        AlarmState::Alarm
                    } else {
                        AlarmState::Ok
                    };
                }
                self.newest = Some((value, 1));
                return Reading {
                    state: self.state,
                    before,
                    value: Some(value),
                    filled: 0,
                };
            }
        } else {
            self.same = if value.to_bits() == self.last.to_bits() {
                self.same + 1
            } else {
                1
            };
            self.last = value;
        }
        self.minute_with_gaps(alarm, value)
    }

    /// The same with missing points, or of a long window.
    fn minute_with_gaps(&mut self, alarm: &Alarm, value: f64) -> Reading {
        self.push(alarm, value);
        self.read(alarm)
    }

    /// Whether its state goes by the side of the threshold that each minute's value is on, and by nothing else.
    pub(crate) fn goes_by_threshold(&self) -> bool {
        matches!(self.points, Points::Short { .. })
    }

    /// Whether it is of metric math, and takes the minutes of several metrics.
    pub(crate) fn is_math(&self) -> bool {
        matches!(self.points, Points::Math(_))
    }

    /// One minute passes for an alarm on metric math, with a value for each of its metrics.
    pub(crate) fn minute_of_math(&mut self, alarm: &Alarm, values: impl Iterator<Item = f64>) -> Reading {
        if let (Points::Math(computed), Source::Math(math)) = (&mut self.points, &alarm.metric) {
            let same = computed.push(alarm, math, values);
            self.same = if same { self.same + 1 } else { 1 };
            self.newest = computed
                .points
                .iter()
                .find_map(|point| *point)
                .map(|point| (point, 1));
        }
        self.read(alarm)
    }

    /// Evaluates the points that are there.
    fn read(&mut self, alarm: &Alarm) -> Reading {
        let Counted {
            used,
            breaching,
            oldest,
        } = self.count(alarm);
        let verdict = alarm.rule.verdict(used, breaching, oldest, self.state);
        let reading = Reading {
            state: verdict.state,
            before: self.state,
            value: self.newest.map(|(value, _)| value),
            filled: verdict.filled,
        };
        self.state = verdict.state;
        reading
    }

    /// For how many more minutes with the value of this one the state cannot change.
    #[inline]
    pub(crate) fn stable(&self, alarm: &Alarm) -> usize {
        if self.same > self.range + 1 && self.goes_by_threshold() {
            usize::MAX
        } else {
            self.stable_while_changing(alarm)
        }
    }

    fn stable_while_changing(&self, alarm: &Alarm) -> usize {
        const FOREVER: usize = usize::MAX;
        let rule = &alarm.rule;
        let (range, needed) = (self.range, rule.evaluation_periods);
        let Points::Short { real, breaching } = &self.points else {
            // Every period of the range, the oldest one's first minute included, has seen the same.
            return if self.same > (range + 1) * alarm.period {
                FOREVER
            } else {
                0
            };
        };
        let value = self.last;
        let ok = self.state == AlarmState::Ok;
        if !value.is_nan() && real & self.full == self.full {
            return stable_when_full(rule, *breaching, self.full, self.state, value);
        }
        let Counted {
            used,
            breaching: count,
            oldest,
        } = self.count(alarm);
        if value.is_nan() {
            let oldest_first = u64::MAX >> (64 - range);
            // Points only fall out of the range, so the breaching ones do not become more.
            return match rule.missing_data {
                MissingData::NotBreaching if ok => FOREVER,
                MissingData::Missing | MissingData::Ignore if used == 0 => FOREVER,
                MissingData::Missing | MissingData::Ignore if ok && used > count => {
                    // As long as the newest point within the threshold is in the range.
                    let within = real & !breaching & oldest_first;
                    range - 1 - (within.trailing_zeros() as usize).min(range - 1)
                }
                MissingData::Missing if self.state == AlarmState::Alarm => {
                    // An unbroken row of breaching points up to the end of the range keeps the state
                    // until the newest of them has left.
                    let newest = (real.trailing_zeros() as usize).min(range - 1);
                    let row = oldest_first & (u64::MAX << newest);
                    if real & breaching & row == row {
                        range - 1 - newest
                    } else {
                        0
                    }
                }
                _ => 0,
            };
        }
        let missing = match (rule.comparison.breaches(value, rule.threshold), used == needed) {
            (false, _) => return if ok { FOREVER } else { 0 },
            // With every minute at most one more point breaches, and the oldest is a minute older.
            (true, true) => rule.datapoints_to_alarm.saturating_sub(count),
            (true, false) => match rule.missing_data {
                MissingData::Breaching => 0,
                _ if self.state == AlarmState::Alarm => 0,
                _ => rule.datapoints_to_alarm.saturating_sub(count.max(oldest)),
            },
        };
        missing.saturating_sub(1)
    }

    /// Minutes pass with the value of the last one, or one on its side of the threshold, not more than [`Self::stable`] allows.
    pub(crate) fn pass(&mut self, alarm: &Alarm, minutes: usize) {
        self.same += minutes;
        if self.same > self.range + 1 + minutes && !self.last.is_nan() {
            // Its bits are those of many such minutes already.
            return;
        }
        let value = self.last;
        let Points::Short { real, breaching } = &mut self.points else {
            // All of its points are the same.
            return;
        };
        let shift = |bits: u64, fill: bool| match minutes {
            0..64 => bits << minutes | if fill { !(u64::MAX << minutes) } else { 0 },
            _ if fill => u64::MAX,
            _ => 0,
        };
        *real = shift(*real, !value.is_nan());
        *breaching = shift(
            *breaching,
            alarm.rule.comparison.breaches(value, alarm.rule.threshold),
        );
        if let (true, Some((_, age))) = (value.is_nan(), &mut self.newest) {
            *age += minutes;
            if *age > alarm.rule.evaluation_range() {
                self.newest = None;
            }
        }
    }

    fn push(&mut self, alarm: &Alarm, value: f64) {
        let range = alarm.rule.evaluation_range();
        match &mut self.points {
            Points::Short { real, breaching } => {
                let breaches = alarm.rule.comparison.breaches(value, alarm.rule.threshold);
                *real = *real << 1 | u64::from(!value.is_nan());
                *breaching = *breaching << 1 | u64::from(breaches);
                if !value.is_nan() {
                    self.newest = Some((value, 1));
                } else if let Some((_, age)) = &mut self.newest {
                    *age += 1;
                    if *age > range {
                        self.newest = None;
                    }
                }
            }
            Points::Long(long) => {
                long.minutes.push_front(value);
                long.minutes.truncate(alarm.period);
                // Oldest first, as sums are made elsewhere: the same rounding.
                let minutes = long
                    .minutes
                    .iter()
                    .rev()
                    .map(|value| (!value.is_nan()).then_some(*value));
                long.points
                    .push_front(alarm.statistic.of(minutes).unwrap_or(f64::NAN));
                long.points.truncate(range * alarm.period);
                let periods = long.points.iter().step_by(alarm.period);
                self.newest = periods
                    .copied()
                    .find(|point| !point.is_nan())
                    .map(|point| (point, 1));
            }
            // Takes its minutes by `minute_of_math`.
            Points::Math(_) => {}
        }
    }

    fn count(&self, alarm: &Alarm) -> Counted {
        let needed = alarm.rule.evaluation_periods;
        match &self.points {
            Points::Short { real, breaching } => {
                if real & self.full == self.full {
                    return Counted {
                        used: needed,
                        breaching: (breaching & self.full).count_ones() as usize,
                        oldest: needed,
                    };
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
                Counted {
                    used: used.count_ones() as usize,
                    breaching: (breaching & used).count_ones() as usize,
                    oldest,
                }
            }
            Points::Long(long) => {
                let points = long.points.iter().step_by(alarm.period);
                counted(alarm, points.map(|point| (!point.is_nan()).then_some(*point)))
            }
            Points::Math(computed) => counted(alarm, computed.points.iter().copied()),
        }
    }
}

/// What an evaluation of these points, the newest first, counts.
fn counted(alarm: &Alarm, points: impl Iterator<Item = Option<f64>>) -> Counted {
    let mut counted = Counted::default();
    for (age, point) in points.enumerate() {
        if let Some(point) = point {
            let breaches = alarm.rule.comparison.breaches(point, alarm.rule.threshold);
            counted.used += 1;
            counted.breaching += usize::from(breaches);
            counted.oldest = age + 1;
            if counted.used == alarm.rule.evaluation_periods {
                break;
            }
        }
    }
    counted
}

impl Computed {
    /// Whether all metrics have the values of a minute ago.
    fn push(&mut self, alarm: &Alarm, math: &Math, values: impl Iterator<Item = f64>) -> bool {
        let range = alarm.rule.evaluation_range();
        let mut same = true;
        for (minutes, value) in self.minutes.iter_mut().zip(values) {
            let before = minutes.front().map(|value| value.to_bits());
            same &= before == Some(value.to_bits());
            minutes.push_front(value);
            minutes.truncate(range * alarm.period);
        }
        let inputs: Vec<Vec<Option<f64>>> = self
            .minutes
            .iter()
            .zip(math.metrics())
            .map(|(minutes, input)| {
                let point = |period: usize| {
                    let from = period * alarm.period;
                    let to = (from + alarm.period).min(minutes.len());
                    // Oldest first, as sums are made elsewhere: the same rounding.
                    let minutes = (from..to).rev().map(|at| minutes[at]);
                    let known = minutes.map(|value| (!value.is_nan()).then_some(value));
                    input.statistic.of(known)
                };
                (0..range).map(point).collect()
            })
            .collect();
        self.points = math.evaluate(&inputs, alarm.period);
        same
    }
}

/// For how many more minutes with `value` the state stays, when each of the newest N points is a real one;
/// `breaching` are the points that breach, `newest` the bits of those N.
fn stable_when_full(rule: &AlarmRule, breaching: u64, newest: u64, state: AlarmState, value: f64) -> usize {
    let (needed, to_alarm) = (rule.evaluation_periods, rule.datapoints_to_alarm);
    let breaches = rule.comparison.breaches(value, rule.threshold);
    match (breaches, state == AlarmState::Alarm) {
        // No point that is within the threshold follows, or none that breaches.
        (true, true) | (false, false) => return usize::MAX,
        (true, false) if to_alarm == needed => {
            return needed - 1 - (breaching.trailing_ones() as usize).min(needed - 1);
        }
        _ => {}
    }
    (1..needed)
        .find(|minutes| {
            let fill = if breaches { !(u64::MAX << minutes) } else { 0 };
            let count = ((breaching << minutes | fill) & newest).count_ones() as usize;
            (count >= to_alarm) == breaches
        })
        .unwrap_or(needed)
        - 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alarm::Comparison;
    use crate::config::Action;
    use crate::metrics::{Metric, Metrics};
    use crate::simulate::random::{Random, Stream};

    fn alarm(needed: usize, to_alarm: usize, missing_data: MissingData, period: usize) -> Alarm {
        Alarm {
            name: "a".to_owned(),
            metric: "QueueDepth".into(),
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
                    metrics.push(&Metric::new("QueueDepth"), value);
                    let reading = window.minute(&alarm, value.unwrap_or(f64::NAN));
                    let points = || alarm.points(&metrics);
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

    #[test]
    fn minutes_that_are_passed_over_change_nothing() {
        let mut random = Random::new(4, Stream::Service, 0);
        let treatments = [
            MissingData::Missing,
            MissingData::Ignore,
            MissingData::Breaching,
            MissingData::NotBreaching,
        ];
        let mut passed = 0;
        for round in 0..400 {
            let needed = 1 + random.below(20);
            let to_alarm = 1 + random.below(needed);
            let alarm = alarm(
                needed,
                to_alarm,
                treatments[round % 4],
                [1, 1, 1, 3][round / 4 % 4],
            );
            let (mut every, mut some) = (Window::new(&alarm), Window::new(&alarm));
            for _ in 0..60 {
                let value = [f64::NAN, 0.0, 2.0][random.below(3)];
                let longest = [2, 40][random.below(2)];
                let mut left = 1 + random.below(longest);
                while left > 0 {
                    let (expected, got) = (every.minute(&alarm, value), some.minute(&alarm, value));
                    assert_eq!(format!("{expected:?}"), format!("{got:?}"));
                    left -= 1;
                    let jump = some.stable(&alarm).min(left);
                    some.pass(&alarm, jump);
                    for _ in 0..jump {
                        assert_eq!(every.minute(&alarm, value).state, got.state);
                    }
                    passed += jump;
                    left -= jump;
                }
            }
        }
        assert!(passed > 100_000, "{passed}");
    }
}
