//! Real metric history through the policies, compared with what the Auto Scaling group did.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Moment;
use crate::alarm::AlarmState;
use crate::config::FleetConfig;
use crate::decide::decide;
use crate::metrics::{Metric, Metrics, Source};
use crate::state::{FleetState, Suspended};

/// What was seen of the group in one minute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Minute {
    /// The desired capacity at the end of the minute.
    pub desired: u32,
    /// Instances that had not finished their warm-up.
    pub warming: u32,
}

/// A stretch of history, minute by minute.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct History {
    /// The end of the first minute.
    pub start: Moment,
    /// The group, oldest first.
    pub minutes: Vec<Minute>,
    /// Any metrics, each with a point for every one of the minutes. What no alarm watches and no signal is
    /// ([`FleetSpec::publishes`](crate::config::FleetSpec::publishes)) changes nothing.
    #[serde(default)]
    pub metrics: Metrics,
    /// Processes that were suspended all the time.
    #[serde(default)]
    pub suspended: Suspended,
    /// How many minutes later than the policies the group may follow. CloudWatch receives and evaluates
    /// a data point a minute or two after its time.
    #[serde(default = "two")]
    pub tolerance: usize,
    /// Minutes at the start that are not compared: the alarms need to have seen something first. See
    /// [`FleetConfig::look_back`].
    #[serde(default)]
    pub lead_in: usize,
}

/// The history cannot be replayed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// One minute is no history: there is nothing to compare with.
    #[error("the history has {minutes} minutes, and at least {needed} are needed")]
    Short {
        /// Its length.
        minutes: usize,
        /// The lead-in and two.
        needed: usize,
    },
    /// A metric has not a point for each minute.
    #[error("`{metric}` has {points} points, and the history {minutes} minutes")]
    Length {
        /// Which metric.
        metric: Metric,
        /// Its points, missing ones included.
        points: usize,
        /// The minutes of the history.
        minutes: usize,
    },
    /// A value that no metric has.
    #[error("minute {minute}: `{metric}` is {value}, and must be a finite number{}", if *.count { " from 0 on" } else { "" })]
    Value {
        /// Position from 1.
        minute: usize,
        /// Which metric.
        metric: Metric,
        /// Whether the metric counts something, so that it cannot be negative.
        count: bool,
        /// The value.
        value: f64,
    },
}

/// How policies and group compare.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct Diff {
    /// Compared minutes.
    pub minutes: usize,
    /// Changes of the desired capacity that the policies explain.
    pub explained: usize,
    /// Where policies and group part.
    pub disagreements: Vec<Disagreement>,
    /// The first disagreement in sentences: what the policies saw and wanted, and what the group did.
    pub first_explained: Vec<String>,
}

/// One minute in which policies and group part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct Disagreement {
    /// The end of the minute.
    pub at: Moment,
    /// Position in the history from 0.
    pub minute: usize,
    /// The desired capacity before.
    pub before: u32,
    /// What the policies make of it.
    pub expected: u32,
    /// What it became.
    pub actual: u32,
    /// In which way they part.
    pub kind: Kind,
}

/// In which way policies and group part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Kind {
    /// The policies ask for a change that does not come.
    NotFollowed,
    /// The group changes without a policy: a deploy, a person or a schedule.
    Unasked,
    /// They part, and something that is not modelled may be the reason.
    Unknown,
}

/// Replays `history`: every minute the policies decide on the real metrics and the real desired
/// capacity, and what they want is compared with what came.
///
/// # Errors
/// Too short a history, or a value that no metric has.
pub fn replay(config: &FleetConfig, history: &History) -> Result<Diff, ReplayError> {
    check(config, history)?;
    let minutes = &history.minutes;
    let memory = config.look_back();
    let mut metrics = history.metrics.without_data();
    let mut alarms: Vec<AlarmState> = Vec::new();
    let mut diff = Diff {
        minutes: minutes.len() - 1 - history.lead_in,
        explained: 0,
        disagreements: Vec::new(),
        first_explained: Vec::new(),
    };
    // What the policies have asked for lately and the group has not done yet.
    let mut pending: Option<(usize, u32)> = None;
    let mut not_followed: Option<u32> = None;
    let mut cooldown_began = None;
    let mut kept = 0;
    for (at, minute) in minutes[..minutes.len() - 1].iter().enumerate() {
        metrics.push_minute(&history.metrics, at);
        kept += 1;
        if kept > 2 * memory {
            metrics.keep_newest(memory);
            kept = memory;
        }
        let now = Moment(history.start.0 + at as i64 * 60_000);
        let state = |warming, alarms| FleetState {
            desired: minute.desired,
            running: minute.desired,
            warming,
            suspended: history.suspended,
            cooldown_began,
            alarms,
            ..FleetState::default()
        };
        let decision = decide(
            config,
            &state(minute.warming, std::mem::take(&mut alarms)),
            &metrics,
            now,
        );
        let (before, expected, actual) = (minute.desired, decision.desired, minutes[at + 1].desired);
        alarms = decision.alarm_states().collect();
        let compared = at >= history.lead_in;
        let mut part = |kind, expected, at: usize| {
            if !compared {
                return;
            }
            // What is not modelled may ask for what came, or keep the group from scaling in.
            let excused = (decision.least..=decision.most).contains(&actual);
            let kind = if excused && !decision.is_known() {
                Kind::Unknown
            } else {
                kind
            };
            let now = Moment(history.start.0 + at as i64 * 60_000);
            if diff.disagreements.is_empty() {
                diff.first_explained = decision.explain(config);
                diff.first_explained.push(summary(kind, before, expected, actual));
            }
            diff.disagreements.push(Disagreement {
                at: now,
                minute: at,
                before,
                expected,
                actual,
                kind,
            });
        };
        if expected != before && not_followed != Some(expected) {
            pending.get_or_insert((at, expected)).1 = expected;
        }
        // Policies are invoked at any second: what they see at the end of the next minute may have moved
        // the group within it.
        let in_time = || {
            let next = &minutes[at + 1];
            let mut seen = metrics.clone();
            seen.push_minute(&history.metrics, at + 1);
            let later = state(next.warming, alarms.clone());
            decide(config, &later, &seen, now.plus(Duration::from_secs(60))).desired == actual
        };
        if actual != before {
            // An answer of the last minutes explains the change, also one that has changed since.
            let asked =
                expected == actual || pending.is_some_and(|(_, wanted)| wanted == actual) || in_time();
            cooldown_began = Some(now);
            not_followed = None;
            if asked {
                diff.explained += usize::from(compared);
            } else {
                part(Kind::Unasked, expected, at);
            }
            pending = None;
        } else if expected == before {
            // The policies are content again.
            pending = None;
            not_followed = None;
        } else if let Some((since, wanted)) = pending
            && at - since >= history.tolerance
        {
            part(Kind::NotFollowed, wanted, at);
            not_followed = Some(wanted);
            pending = None;
        }
    }
    Ok(diff)
}

fn summary(kind: Kind, before: u32, expected: u32, actual: u32) -> String {
    match kind {
        Kind::NotFollowed => {
            format!("the policies ask for {expected}, and the desired capacity stays {before}")
        }
        Kind::Unasked if expected == before => format!(
            "the desired capacity goes from {before} to {actual}, and no policy asks for it: a deploy, a person or \
             a schedule may have done it"
        ),
        Kind::Unknown => format!(
            "the desired capacity goes from {before} to {actual}; the modelled policies ask for {expected}, and what the \
             others ask for is not known"
        ),
        Kind::Unasked => format!(
            "the desired capacity goes from {before} to {actual}, and the policies ask for {expected}"
        ),
    }
}

fn check(config: &FleetConfig, history: &History) -> Result<(), ReplayError> {
    let (minutes, needed) = (history.minutes.len(), history.lead_in.saturating_add(2));
    if minutes < needed {
        return Err(ReplayError::Short { minutes, needed });
    }
    for (metric, points) in history.metrics.all() {
        let metric = || metric.clone();
        if points.len() != minutes {
            let (metric, points) = (metric(), points.len());
            return Err(ReplayError::Length {
                metric,
                points,
                minutes,
            });
        }
        let count = config.signal_of(&Source::Metric(metric())).is_some();
        let wrong = |value: &f64| !value.is_finite() || (count && *value < 0.0);
        let values = points
            .iter()
            .enumerate()
            .filter_map(|(at, point)| Some((at, (*point)?)));
        if let Some((at, value)) = values.into_iter().find(|(_, value)| wrong(value)) {
            return Err(ReplayError::Value {
                minute: at + 1,
                metric: metric(),
                count,
                value,
            });
        }
    }
    Ok(())
}

fn two() -> usize {
    2
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::FleetSpec;

    fn config() -> FleetConfig {
        FleetConfig::new(FleetSpec::one_step()).unwrap()
    }

    /// Minutes of (queue, workers' backlog, desired).
    fn history(minutes: &[(f64, Option<f64>, u32)]) -> History {
        History {
            start: Moment(0),
            minutes: minutes
                .iter()
                .map(|(_, _, desired)| Minute {
                    desired: *desired,
                    warming: 0,
                })
                .collect(),
            metrics: Metrics::new()
                .with("QueueDepth", minutes.iter().map(|(queue, _, _)| Some(*queue)))
                .with(
                    "BacklogPerInstance",
                    minutes.iter().map(|(_, backlog, _)| *backlog),
                ),
            suspended: Suspended::default(),
            tolerance: 2,
            lead_in: 0,
        }
    }

    #[test]
    fn a_group_that_follows_its_policies_is_explained() {
        let mut minutes = vec![(0.0, None, 0); 5];
        minutes.extend([(6.0, None, 0), (6.0, None, 0), (6.0, None, 1)]);
        minutes.extend([
            (6.0, Some(6.0), 1),
            (6.0, Some(6.0), 1),
            (6.0, Some(6.0), 1),
            (6.0, Some(6.0), 3),
        ]);
        let diff = replay(&config(), &history(&minutes)).unwrap();
        assert_eq!(diff.disagreements, []);
        assert_eq!((diff.minutes, diff.explained), (11, 2));
    }

    #[test]
    fn a_change_that_no_policy_asked_for_is_named() {
        let minutes = [(0.0, None, 0), (0.0, None, 0), (0.0, None, 4), (0.0, None, 4)];
        let diff = replay(&config(), &history(&minutes)).unwrap();
        assert_eq!(diff.disagreements[0].kind, Kind::Unasked);
        assert_eq!(
            (diff.disagreements[0].minute, diff.disagreements[0].actual),
            (1, 4)
        );
        assert_eq!(
            diff.first_explained.last().unwrap(),
            "the desired capacity goes from 0 to 4, and no policy asks for it: a deploy, a person or a schedule may have done it"
        );
    }

    #[test]
    fn data_of_the_minute_in_which_the_group_changes_explains_it() {
        // One to ten jobs while a minute passes, and the group is at one when it has passed.
        let minutes = [(0.0, None, 0), (0.0, None, 0), (6.0, None, 1), (6.0, None, 1)];
        let diff = replay(&config(), &history(&minutes)).unwrap();
        assert_eq!((diff.explained, &diff.disagreements[..]), (1, &[][..]));
        // The same the other way round: the fifteenth empty minute is the one in which it goes to zero.
        let mut minutes = vec![(3.0, Some(2.0), 1); 4];
        minutes.extend([(0.0, Some(0.0), 1); 14]);
        minutes.extend([(0.0, None, 0); 5]);
        let diff = replay(&config(), &history(&minutes)).unwrap();
        assert_eq!((diff.explained, &diff.disagreements[..]), (1, &[][..]));
    }

    #[test]
    fn a_change_that_does_not_come_is_named_once() {
        let diff = replay(&config(), &history(&[(5.0, None, 0); 30])).unwrap();
        assert_eq!(diff.disagreements.len(), 1);
        let first = diff.disagreements[0];
        assert_eq!(
            (first.kind, first.minute, first.expected),
            (Kind::NotFollowed, 2, 1)
        );
        assert!(
            diff.first_explained
                .contains(&"policy `queue-has-jobs` answers QueueDepth 5 with a capacity of 1".to_owned()),
            "{:?}",
            diff.first_explained
        );
        let mut suspended = history(&[(5.0, None, 0); 30]);
        suspended.suspended.alarm_notification = true;
        assert_eq!(replay(&config(), &suspended).unwrap().disagreements, []);
    }

    #[test]
    fn a_change_within_the_minute_is_explained_by_what_was_seen_in_it() {
        // Warm until the very minute in which the group shrinks: a minute earlier the policies held.
        let mut late = history(&[(3.0, Some(1.0), 3); 20]);
        for minute in &mut late.minutes[..18] {
            minute.warming = 1;
        }
        late.minutes[18].desired = 2;
        late.minutes[19].desired = 2;
        let diff = replay(&config(), &late).unwrap();
        assert_eq!((diff.explained, &diff.disagreements[..]), (1, &[][..]));
        late.minutes[18].desired = 1;
        assert_eq!(
            replay(&config(), &late).unwrap().disagreements[0].kind,
            Kind::Unasked
        );
    }

    #[test]
    fn the_lead_in_fills_the_alarms_and_is_not_compared() {
        // A change at the start that no policy asked for, then fifteen minutes that empty the fleet.
        let mut minutes = vec![(3.0, Some(1.5), 1), (3.0, Some(1.0), 3)];
        minutes.extend([(0.0, Some(0.0), 1); 16]);
        minutes.extend([(0.0, None, 0)]);
        assert_eq!(
            replay(&config(), &history(&minutes)).unwrap().disagreements.len(),
            1
        );
        let mut late = history(&minutes);
        late.lead_in = 16;
        let diff = replay(&config(), &late).unwrap();
        assert_eq!((diff.minutes, diff.explained), (2, 1), "{diff:?}");
        assert_eq!(diff.disagreements, []);
        late.lead_in = 18;
        assert_eq!(
            replay(&config(), &late).unwrap_err().to_string(),
            "the history has 19 minutes, and at least 20 are needed"
        );
    }

    #[test]
    fn scale_to_zero_is_replayed_too() {
        let mut minutes = vec![(3.0, Some(2.0), 1); 4];
        minutes.extend([(0.0, Some(0.0), 1); 15]);
        minutes.extend([(0.0, None, 0); 10]);
        let diff = replay(&config(), &history(&minutes)).unwrap();
        assert_eq!((diff.explained, &diff.disagreements[..]), (1, &[][..]));
    }

    #[test]
    fn what_is_not_modelled_may_have_asked_for_it() {
        let mut spec = config().spec().clone();
        spec.not_modelled.push(crate::unknown::NotModelled {
            part: crate::unknown::Part::PredefinedMetric,
            what: "policy `cpu` tracks ASGAverageCPUUtilization".to_owned(),
            direction: crate::unknown::Direction::Both,
            bounds: None,
        });
        let config = FleetConfig::new(spec).unwrap();
        let minutes = [(0.0, None, 0), (0.0, None, 0), (0.0, None, 4), (0.0, None, 4)];
        let diff = replay(&config, &history(&minutes)).unwrap();
        assert_eq!(diff.disagreements[0].kind, Kind::Unknown, "{diff:?}");
        // A scale-out that a modelled policy asks for comes whatever the others say.
        let diff = replay(&config, &history(&[(5.0, None, 0); 30])).unwrap();
        assert_eq!(diff.disagreements[0].kind, Kind::NotFollowed, "{diff:?}");
    }

    #[test]
    fn history_that_is_none_is_refused() {
        assert_eq!(
            replay(&config(), &history(&[(0.0, None, 0)]))
                .unwrap_err()
                .to_string(),
            "the history has 1 minutes, and at least 2 are needed"
        );
        assert_eq!(
            replay(&config(), &history(&[(0.0, None, 0), (f64::NAN, None, 0)]))
                .unwrap_err()
                .to_string(),
            "minute 2: `QueueDepth` is NaN, and must be a finite number from 0 on"
        );
    }
}
