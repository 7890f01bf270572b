//! The third value beside yes and no: what a group has and nothing here models.
//!
//! A part that is left out is not "no". Every conclusion that it could change is unknown:
//! [`decide`](crate::decide()) gives a range, [`lint`](crate::lint()) lowers the findings that a simulation
//! without it supports, [`replay`](crate::replay()) blames no cause, and reports of simulations name it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::config::{Alarm, FleetConfig, FleetSpec};
use crate::metrics::Statistic;
use crate::metrics::math::MetricStat;

/// A part of a group's scaling that is there and not modelled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NotModelled {
    /// Which kind of part.
    pub part: Part,
    /// What it is in this group, a clause: "policy `p` tracks CPUUtilization".
    pub what: String,
    /// In which direction it may move the desired capacity.
    #[serde(default)]
    pub direction: Direction,
    /// Between which capacities, where the bounds of the group do not bind it: a scheduled action sets them too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bounds: Option<Bounds>,
}

/// Between which capacities a part may bring a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Bounds {
    /// The least.
    pub min: u32,
    /// The most, where one is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u32>,
}

/// In which direction a part may move the desired capacity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Direction {
    /// Only up.
    Out,
    /// Only down.
    In,
    /// Up and down.
    #[default]
    Both,
}

/// What an unmodelled part leaves unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Effect {
    /// The desired capacity, and all that follows from it.
    Capacity,
    /// When instances come and go, and what they cost; not the desired capacity of a group whose instances are warm.
    Course,
    /// What simulations come to. Decisions on given metrics are not affected.
    Simulation,
}

/// The kinds of parts that are not modelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Part {
    /// An alarm or a policy on an expression that [`Math`](crate::metrics::math::Math) does not know.
    MetricMath,
    /// An alarm on a percentile of several samples, or on another extended statistic.
    Percentile,
    /// An alarm on an anomaly detection band.
    AnomalyBand,
    /// An alarm on `SampleCount` of a metric whose samples are not counted.
    SampleCount,
    /// An alarm on points of one unit of a metric whose units are not known.
    Unit,
    /// An alarm with a period of 10, 20 or 30 seconds.
    HighResolution,
    /// A metric that was not read.
    OtherMetric,
    /// A metric that is not among those that the fleet publishes, so that simulations have no data of it.
    UnpublishedMetric,
    /// Target tracking of a predefined metric.
    PredefinedMetric,
    /// Target tracking with a period of its own.
    TrackingPeriod,
    /// A policy that an alarm invokes in another state than `ALARM`.
    OtherState,
    /// Predictive scaling.
    PredictiveScaling,
    /// A policy of a kind that is not known.
    OtherPolicy,
    /// A scheduled action that does not recur by hours and days of the week in UTC.
    ScheduledAction,
    /// Scale to zero by an alarm that is not modelled.
    ScaleToZero,
    /// A policy with a warm-up of its own.
    PolicyWarmUp,
    /// A warm pool beside Spot Instances, or one that is being deleted.
    WarmPool,
    /// A lifecycle hook whose action takes an unknown time.
    LifecycleHook,
    /// Instance types that count for more than one.
    Weights,
}

impl Part {
    /// Every kind.
    pub const ALL: [Self; 19] = [
        Self::MetricMath,
        Self::Percentile,
        Self::AnomalyBand,
        Self::SampleCount,
        Self::Unit,
        Self::HighResolution,
        Self::OtherMetric,
        Self::UnpublishedMetric,
        Self::PredefinedMetric,
        Self::TrackingPeriod,
        Self::OtherState,
        Self::PredictiveScaling,
        Self::OtherPolicy,
        Self::ScheduledAction,
        Self::ScaleToZero,
        Self::PolicyWarmUp,
        Self::WarmPool,
        Self::LifecycleHook,
        Self::Weights,
    ];

    /// What it is, a noun.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::MetricMath => {
                "metric math beyond arithmetic, comparisons, `IF`, `FILL`, `SUM` and `AVG` of series"
            }
            Self::Percentile => "percentiles of several samples, and other extended statistics",
            Self::AnomalyBand => "anomaly detection bands",
            Self::SampleCount => "`SampleCount` of samples that nobody has counted",
            Self::Unit => "points of one unit where the units are not known",
            Self::HighResolution => "periods of 10, 20 and 30 seconds",
            Self::OtherMetric => "metrics that are not read",
            Self::UnpublishedMetric => "metrics that the fleet does not publish",
            Self::PredefinedMetric => "predefined metrics of target tracking",
            Self::TrackingPeriod => "target tracking with a period of its own",
            Self::OtherState => "policies under `OKActions` and `InsufficientDataActions`",
            Self::PredictiveScaling => "predictive scaling",
            Self::OtherPolicy => "policies of other kinds",
            Self::ScheduledAction => "scheduled actions with dates, days of the month, months or a time zone",
            Self::ScaleToZero => "scale to zero by an alarm that is not modelled",
            Self::PolicyWarmUp => "policies with a warm-up of their own",
            Self::WarmPool => "warm pools beside Spot Instances, and those that are being deleted",
            Self::LifecycleHook => "lifecycle hooks whose action takes an unknown time",
            Self::Weights => "weights of instance types",
        }
    }

    /// What it leaves unknown.
    #[must_use]
    pub fn effect(self) -> Effect {
        match self {
            Self::MetricMath
            | Self::Percentile
            | Self::AnomalyBand
            | Self::SampleCount
            | Self::Unit
            | Self::HighResolution
            | Self::OtherMetric
            | Self::PredefinedMetric
            | Self::TrackingPeriod
            | Self::OtherState
            | Self::PredictiveScaling
            | Self::OtherPolicy
            | Self::ScheduledAction
            | Self::ScaleToZero
            | Self::PolicyWarmUp => Effect::Capacity,
            Self::UnpublishedMetric => Effect::Simulation,
            Self::WarmPool | Self::LifecycleHook | Self::Weights => Effect::Course,
        }
    }

    /// The table of what is not modelled, in Markdown.
    #[must_use]
    pub fn table() -> String {
        let mut table = "| not modelled | leaves unknown |\n|---|---|\n".to_owned();
        for part in Self::ALL {
            let unknown = match part.effect() {
                Effect::Capacity => "the desired capacity and all that follows",
                Effect::Course => "when instances come and go, and what they cost",
                Effect::Simulation => "what simulations come to: waits, hours, cost",
            };
            table.push_str(&format!("| {} | {unknown} |\n", part.name()));
        }
        table
    }
}

impl fmt::Display for NotModelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl NotModelled {
    fn decides(&self) -> bool {
        self.part.effect() == Effect::Capacity
    }

    fn may(&self, direction: Direction) -> bool {
        self.direction == Direction::Both || self.direction == direction
    }
}

/// What decides on a desired capacity beside the modelled policies.
pub(crate) struct Situation {
    /// The desired capacity before.
    pub(crate) before: u32,
    /// What the modelled parts make of it.
    pub(crate) desired: u32,
    /// What the modelled policies answered, within the bounds: others can only answer with more.
    pub(crate) answered: Option<u32>,
    /// Alarms are not listened to.
    pub(crate) ignores_alarms: bool,
    /// Instances warm up.
    pub(crate) warming: bool,
}

/// The least and the largest desired capacity that the unmodelled parts of `config` may make of what is
/// known, and the positions of those that may; `u32::MAX` when no largest one is known.
pub(crate) fn range(config: &FleetConfig, known: &Situation) -> (u32, u32, Vec<usize>) {
    let limits = config.limits();
    let (mut least, mut most) = (known.desired, known.desired);
    let mut by = Vec::new();
    for (position, part) in config.not_modelled().iter().enumerate() {
        let acts = match part.part {
            // They set the capacity themselves, whatever the policies say, and no alarm invokes them through the group.
            Part::ScheduledAction | Part::PredictiveScaling | Part::ScaleToZero => true,
            // Both decide on how much of the group counts as warm.
            Part::PolicyWarmUp | Part::Weights => known.warming && !known.ignores_alarms,
            _ => part.decides() && !known.ignores_alarms,
        };
        if !acts {
            continue;
        }
        let (before_least, before_most) = (least, most);
        let (lowest, highest) = match part.bounds {
            Some(bounds) => (bounds.min, bounds.max.unwrap_or(u32::MAX)),
            None => (limits.min, limits.max),
        };
        if part.may(Direction::Out) {
            most = highest.max(most);
        }
        if part.may(Direction::In) {
            // "Multiple dynamic scaling policies": the largest answer wins, so a known one is a floor.
            let floor = match (part.part, known.answered) {
                (Part::ScheduledAction | Part::ScaleToZero, _) | (_, None) => lowest,
                (_, Some(answered)) => answered,
            };
            least = least.min(floor);
            // Another tracking policy that is not ready to scale in keeps the group as it is.
            if known.desired < known.before {
                most = most.max(known.before);
            }
        }
        if (least, most) != (before_least, before_most) || least != most {
            by.push(position);
        }
    }
    (least, most, by)
}

/// What follows from the alarms themselves: metrics that simulations have no data of, and percentiles of periods that
/// hold several samples.
pub(crate) fn of_alarms(spec: &FleetSpec, alarms: &[Alarm]) -> Vec<NotModelled> {
    let mut found: Vec<NotModelled> = Vec::new();
    for alarm in alarms {
        for MetricStat { metric, statistic } in alarm.metric.metrics(alarm.statistic) {
            let mut add = |part, why: &str| {
                let what = format!("alarm `{}` watches {metric}, {why}", alarm.name);
                found.push(NotModelled {
                    part,
                    what,
                    direction: Direction::Both,
                    bounds: None,
                });
            };
            if !spec.publishes.iter().any(|own| own.metric == metric) {
                add(Part::UnpublishedMetric, "which the fleet does not publish");
            }
            if matches!(statistic, Statistic::Percentile(_)) && alarm.period > 1 {
                let why = "a percentile of several samples, and how CloudWatch computes it between them is not published";
                add(Part::Percentile, why);
            }
        }
    }
    found
}

impl FleetConfig {
    /// The parts that may change what the modelled ones make of the desired capacity.
    pub fn undecided(&self) -> impl Iterator<Item = &NotModelled> {
        self.not_modelled().iter().filter(|part| part.decides())
    }

    /// The parts without which a simulation may come to something else than the group.
    pub(crate) fn not_simulated(&self) -> impl Iterator<Item = &NotModelled> {
        let course = |part: &&NotModelled| part.part.effect() == Effect::Course;
        self.not_modelled().iter().filter(move |part| !course(part))
    }

    /// Sentences for the reader of figures of this configuration: what they leave out. None when nothing is.
    #[must_use]
    pub fn unknown(&self) -> Vec<String> {
        self.not_modelled()
            .iter()
            .map(|part| match part.part.effect() {
                Effect::Capacity => format!("{part}: what it does to the desired capacity is not known"),
                Effect::Course => {
                    format!("{part}: when instances come and go, and what they cost, is not known")
                }
                Effect::Simulation => {
                    format!("{part}: to the simulation it has no data, and what comes of them is not known")
                }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{FleetSpec, PolicySpec};
    use crate::metrics::Metrics;
    use crate::state::FleetState;
    use crate::{Moment, decide, explain, simulate};

    fn with(part: Part, direction: Direction) -> FleetConfig {
        let mut spec = FleetSpec::one_step();
        spec.not_modelled.push(NotModelled {
            part,
            what: "policy `other` is of another kind".to_owned(),
            direction,
            bounds: None,
        });
        FleetConfig::new(spec).unwrap()
    }

    fn range_of(config: &FleetConfig, desired: u32, queue: f64, backlog: f64) -> (u32, u32, u32) {
        let metrics = Metrics::new()
            .with("QueueDepth", [Some(queue); 20])
            .with("BacklogPerInstance", [Some(backlog); 20]);
        let decision = decide(config, &FleetState::settled(desired), &metrics, Moment(0));
        (decision.least, decision.desired, decision.most)
    }

    #[test]
    fn what_may_only_add_leaves_the_top_open_and_what_may_only_take_the_bottom() {
        use Direction::{Both, In, Out};
        let other = |direction| with(Part::OtherMetric, direction);
        // The modelled policies want three.
        assert_eq!(range_of(&other(Out), 1, 5.0, 5.0), (3, 3, 10));
        assert_eq!(range_of(&other(In), 1, 5.0, 5.0), (3, 3, 3));
        assert_eq!(range_of(&other(Both), 1, 5.0, 5.0), (3, 3, 10));
        // They want nothing: a fleet at zero with an empty queue.
        assert_eq!(range_of(&other(Out), 0, 0.0, 0.0), (0, 0, 10));
        assert_eq!(range_of(&other(In), 4, 5.0, 1.9), (1, 1, 4));
        assert_eq!(range_of(&with(Part::WarmPool, Both), 1, 5.0, 5.0), (3, 3, 3));
        assert_eq!(
            range_of(&with(Part::ScheduledAction, Both), 1, 5.0, 5.0),
            (0, 3, 10)
        );
        assert_eq!(range_of(&with(Part::PolicyWarmUp, Both), 1, 5.0, 5.0), (3, 3, 3));
        // A function sets the capacity after the policies: what they answer is no floor.
        assert_eq!(range_of(&with(Part::ScaleToZero, In), 1, 5.0, 5.0), (0, 3, 3));
    }

    /// EC2 Auto Scaling User Guide, "Scheduled scaling": an action sets the minimum and the maximum too. API Reference,
    /// `PredictiveScalingConfiguration`: with `IncreaseMaxCapacity` the maximum can be increased.
    #[test]
    fn what_sets_the_bounds_of_the_group_is_not_bound_by_them() {
        let within = |part, direction, min, max| {
            let mut spec = with(part, direction).spec().clone();
            spec.min = 1;
            spec.not_modelled[0].bounds = Some(Bounds { min, max });
            FleetConfig::new(spec).unwrap()
        };
        let scheduled = within(Part::ScheduledAction, Direction::Both, 0, Some(40));
        assert_eq!(range_of(&scheduled, 1, 5.0, 5.0), (0, 3, 40));
        let forecast = within(Part::PredictiveScaling, Direction::Out, 1, None);
        assert_eq!(range_of(&forecast, 1, 5.0, 5.0), (3, 3, u32::MAX));
        let metrics = Metrics::new()
            .with("QueueDepth", [Some(5.0); 20])
            .with("BacklogPerInstance", [Some(5.0); 20]);
        let said = explain(&forecast, &FleetState::settled(1), &metrics, Moment(0));
        assert_eq!(
            said.last().unwrap(),
            "what becomes of the desired capacity, 1, is not known: 3 or more"
        );
    }

    /// API Reference, `LaunchTemplateOverrides`, `WeightedCapacity`: how much an instance counts. Of a group that warms
    /// up nobody knows how much of its capacity the warm instances are.
    #[test]
    fn weights_and_own_warm_ups_leave_a_group_that_warms_up_unknown() {
        for part in [Part::Weights, Part::PolicyWarmUp] {
            let config = with(part, Direction::Both);
            let metrics = Metrics::new()
                .with("QueueDepth", [Some(5.0); 20])
                .with("BacklogPerInstance", [Some(1.0); 20]);
            let mut state = FleetState::settled(4);
            assert!(
                decide(&config, &state, &metrics, Moment(0)).is_known(),
                "{part:?}"
            );
            state.warming = 1;
            let decision = decide(&config, &state, &metrics, Moment(0));
            assert_eq!((decision.least, decision.most), (0, 10), "{part:?}");
        }
    }

    #[test]
    fn scale_to_zero_that_is_not_modelled_acts_although_the_group_ignores_its_alarms() {
        let config = with(Part::ScaleToZero, Direction::In);
        let mut state = FleetState::settled(3);
        state.suspended.alarm_notification = true;
        let decision = decide(&config, &state, &Metrics::new(), Moment(0));
        assert_eq!((decision.least, decision.most), (0, 3));
    }

    #[test]
    fn beside_what_is_not_modelled_no_alarm_and_no_policy_has_the_last_word() {
        let config = with(Part::OtherPolicy, Direction::Both);
        let said = |desired, queue, backlog| {
            let metrics = Metrics::new()
                .with("QueueDepth", [Some(queue); 20])
                .with("BacklogPerInstance", [backlog; 20]);
            explain(&config, &FleetState::settled(desired), &metrics, Moment(0)).join("\n")
        };
        let several = said(1, 5.0, Some(5.0));
        assert!(
            several.contains("of the policies that answer and are modelled, `"),
            "{several}"
        );
        assert!(
            !several.contains("so the fleet is not taken to zero"),
            "{several}"
        );
        let quiet = said(0, 0.0, None);
        assert!(
            quiet.contains("no alarm that is modelled invokes a policy"),
            "{quiet}"
        );
    }

    #[test]
    fn an_explanation_with_an_unmodelled_part_draws_no_conclusion() {
        let empty = Metrics::new().with("QueueDepth", [Some(40.0); 20]);
        let config = with(Part::MetricMath, Direction::Out);
        let mut spec = config.spec().clone();
        spec.policies.clear();
        let config = FleetConfig::new(spec).unwrap();
        let said = explain(&config, &FleetState::settled(0), &empty, Moment(0));
        assert_eq!(
            said.last().unwrap(),
            "what becomes of the desired capacity, 0, is not known: 0 to 10"
        );
        assert!(
            said.contains(
                &"policy `other` is of another kind: not modelled, and it may move the desired capacity"
                    .to_owned()
            ),
            "{said:?}"
        );
    }

    /// "CloudWatch statistics definitions": of one sample a percentile is the sample. How it is computed between several no
    /// page says.
    #[test]
    fn a_percentile_of_several_samples_leaves_the_capacity_unknown_and_one_of_a_single_sample_does_not() {
        let with = |period_seconds: f64| {
            let mut spec = FleetSpec::one_step();
            if let PolicySpec::Step { alarm, .. } = &mut spec.policies[0] {
                alarm.statistic = serde_json::from_str(r#""p95""#).unwrap();
                alarm.period_seconds = period_seconds;
            }
            FleetConfig::new(spec).unwrap()
        };
        assert_eq!(with(60.0).not_modelled(), []);
        let config = with(300.0);
        let uneven = Metrics::new()
            .with("QueueDepth", (0..20).map(|minute| Some(f64::from(minute))))
            .with("BacklogPerInstance", [Some(1.9); 20]);
        let decision = decide(&config, &FleetState::settled(2), &uneven, Moment(0));
        assert_eq!((decision.least, decision.most), (0, 10), "{decision:?}");
        assert!(!decision.is_known());
        let said = explain(&config, &FleetState::settled(2), &uneven, Moment(0));
        assert!(said.last().unwrap().contains("is not known: 0 to 10"), "{said:?}");
    }

    #[test]
    fn a_metric_that_the_fleet_does_not_publish_is_known_to_decisions_and_unknown_to_simulations() {
        let mut spec = FleetSpec::one_step();
        if let PolicySpec::Step { alarm, .. } = &mut spec.policies[0] {
            alarm.metric = "CPUUtilization".into();
        }
        let config = FleetConfig::new(spec).unwrap();
        let metrics = Metrics::new().with("CPUUtilization", [Some(7.0); 20]);
        assert!(decide(&config, &FleetState::settled(0), &metrics, Moment(0)).is_known());
        let load = "poisson:5/h".parse().unwrap();
        let report = simulate(&config, &load, 1, std::time::Duration::from_secs(86_400)).unwrap();
        assert_eq!(report.unknown.len(), 1, "{report:?}");
        assert!(report.unknown[0].contains("watches CPUUtilization, which the fleet does not publish"));
        assert!(report.unknown[0].ends_with("what comes of them is not known"));
    }

    #[test]
    fn every_kind_is_in_the_table_once_and_the_readme_has_it() {
        let table = Part::table();
        for part in Part::ALL {
            assert_eq!(table.matches(part.name()).count(), 1, "{part:?}");
        }
        assert!(include_str!("../README.md").contains(&table), "{table}");
    }
}
