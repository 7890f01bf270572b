//! Alarms of the platform and of its fleets.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::aws::cloudwatch::{Alarm, AlarmState};
use crate::commands::get::row::{Found, Row, or_dash, seconds_since};
use crate::commands::get::selector::Tags;
use crate::context::Ctx;
use crate::error::Result;
use crate::fleet::{Gap, alarm_names, known_groups};
use crate::kinds::Kind;
use crate::layout::FleetId;
use crate::output::age_at;

/// An alarm.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(in crate::commands) struct AlarmRow {
    pub(in crate::commands) name: String,
    /// The fleet that it watches; null for those of the whole platform.
    pub(in crate::commands) fleet: Option<FleetId>,
    state: AlarmState,
    /// Since when it is in this state.
    since: Option<Timestamp>,
    /// Since then.
    age_seconds: Option<i64>,
    reason: Option<String>,
    /// Namespace and name; null for metric math.
    metric: Option<String>,
    /// What has to hold for ALARM.
    condition: Option<String>,
    actions_enabled: bool,
    /// ARNs of what happens in ALARM.
    actions: Vec<String>,
}

impl AlarmRow {
    pub(in crate::commands) fn of(alarm: &Alarm, fleet: Option<FleetId>, now: Timestamp) -> Self {
        let metric = alarm.namespace.as_ref().zip(alarm.metric.as_ref());
        Self {
            name: alarm.name.clone(),
            fleet,
            state: alarm.state,
            since: alarm.since,
            age_seconds: seconds_since(now, alarm.since),
            reason: alarm.reason.clone(),
            metric: metric.map(|(namespace, name)| format!("{namespace} {name}")),
            condition: condition(alarm),
            actions_enabled: alarm.actions_enabled,
            actions: alarm.actions.clone(),
        }
    }

    pub(in crate::commands) fn state(&self) -> &'static str {
        match self.state {
            AlarmState::Ok => "ok",
            AlarmState::Alarm => "ALARM",
            AlarmState::InsufficientData => "no data",
        }
    }
}

impl AlarmRow {
    /// State, condition and whether anything happens, in one line.
    pub(in crate::commands) fn in_short(&self) -> String {
        let acts = match (self.actions_enabled, self.actions.is_empty()) {
            (false, _) => ", actions off",
            (true, true) => ", no action",
            (true, false) => "",
        };
        let metric = self.metric.as_deref().unwrap_or("metric math");
        let condition = self.condition.as_deref().unwrap_or("-");
        format!("{}: {metric} {condition}{acts}", self.state())
    }
}

/// `Sum >= 10 in 3 of 5 periods of 60 s`.
fn condition(alarm: &Alarm) -> Option<String> {
    let sign = match alarm.comparison.as_deref()? {
        "GreaterThanOrEqualToThreshold" => ">=",
        "GreaterThanThreshold" => ">",
        "LessThanOrEqualToThreshold" => "<=",
        "LessThanThreshold" => "<",
        // A band of anomaly detection.
        _ => return None,
    };
    let (threshold, periods) = (alarm.threshold?, alarm.evaluation_periods?);
    let statistic = alarm.statistic.as_deref().unwrap_or("value");
    let points = alarm.datapoints_to_alarm.unwrap_or(periods);
    let seconds = alarm.period_seconds.map(|seconds| format!(" of {seconds} s"));
    Some(format!(
        "{statistic} {sign} {threshold} in {points} of {periods} periods{}",
        seconds.unwrap_or_default()
    ))
}

impl Row for AlarmRow {
    const KIND: Kind = Kind::Alarm;
    const COLUMNS: &'static [&'static str] = &["NAME", "STATE", "AGE", "FLEET"];
    const WIDE: &'static [&'static str] = &["METRIC", "CONDITION", "ACTIONS", "REASON"];
    // DescribeAlarms leaves tags out, and ListTagsForResource takes one alarm a call.
    const TAGGED: bool = false;

    fn name(&self) -> String {
        self.name.clone()
    }

    fn cells(&self, now: Timestamp) -> Vec<String> {
        let actions = match (self.actions_enabled, self.actions.len()) {
            (true, count) => count.to_string(),
            (false, count) => format!("{count}, off"),
        };
        vec![
            self.name.clone(),
            self.state().to_owned(),
            age_at(now, self.since),
            self.fleet
                .as_ref()
                .map_or_else(|| "-".to_owned(), ToString::to_string),
            or_dash(self.metric.as_deref()),
            or_dash(self.condition.as_deref()),
            actions,
            or_dash(self.reason.as_deref()),
        ]
    }

    fn tags(&self) -> Option<&Tags> {
        None
    }

    async fn read(ctx: &Ctx, _names: &[String]) -> Result<Found<Self>> {
        let layout = ctx.layout()?;
        let mut gaps = Vec::new();
        let fleets: Vec<FleetId> = match known_groups(&ctx.aws, &layout).await {
            Ok(known) => known.fleets.into_keys().collect(),
            Err(error) => {
                gaps.push(Gap::new("alarms of fleets", &error));
                Vec::new()
            }
        };
        let platform = layout.platform_alarms().into_iter().map(|name| (name, None));
        let of_fleets = fleets.iter().flat_map(|fleet| {
            let names = alarm_names(&layout, fleet).into_iter();
            names.map(move |name| (name, Some(fleet)))
        });
        let known: Vec<(String, Option<&FleetId>)> = platform.chain(of_fleets).collect();
        let names: Vec<String> = known.iter().map(|(name, _)| name.clone()).collect();
        let alarms = ctx.aws.alarms_named(&names).await?;
        let now = ctx.clock.now();
        let rows = known.iter().filter_map(|(name, fleet)| {
            let alarm = alarms.iter().find(|alarm| alarm.name == *name)?;
            Some(Self::of(alarm, fleet.cloned(), now))
        });
        Ok(Found {
            rows: rows.collect(),
            gaps,
        })
    }
}
