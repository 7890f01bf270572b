//! A metric alarm: its configuration and its state.

use fleet_scaling::alarm::{AlarmRule, AlarmState};
use serde_json::{Map, Value, json};

use super::Statistic;
use super::history::{self, HistoryItem};
use super::metric::{MetricId, MetricKey};
use crate::time::SimTime;
use crate::world::World;

/// What an alarm is created with.
#[derive(Clone, Debug)]
pub(crate) struct AlarmSpec {
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) namespace: String,
    pub(crate) metric: String,
    pub(crate) dimensions: Vec<(String, String)>,
    pub(crate) statistic: Statistic,
    /// Seconds.
    pub(crate) period: i64,
    pub(crate) rule: AlarmRule,
    /// ARNs of scaling policies and topics.
    pub(crate) alarm_actions: Vec<String>,
    pub(crate) ok_actions: Vec<String>,
    pub(crate) insufficient_data_actions: Vec<String>,
    /// Without it the alarm changes its state and does nothing.
    pub(crate) actions_enabled: bool,
    /// Shown as it was given. The metrics of the account have no units that it could be compared with.
    pub(crate) unit: Option<String>,
}

/// An alarm of the account.
#[derive(Clone, Debug)]
pub(crate) struct Alarm {
    pub(super) spec: AlarmSpec,
    pub(super) arn: String,
    pub(super) metric: MetricId,
    pub(super) configured: SimTime,
    pub(super) state: AlarmState,
    pub(super) reason: String,
    pub(super) reason_data: Option<String>,
    pub(super) updated: SimTime,
    pub(super) transitioned: SimTime,
}

impl Alarm {
    /// The metric that it looks at.
    pub(crate) fn metric(&self) -> MetricId {
        self.metric
    }

    /// What the alarm was created with.
    pub(crate) fn spec(&self) -> &AlarmSpec {
        &self.spec
    }

    /// The `MetricAlarm` shape.
    pub(crate) fn shown(&self) -> Value {
        let spec = &self.spec;
        let key = MetricKey::new(
            &spec.namespace,
            &spec.metric,
            &spec
                .dimensions
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect::<Vec<_>>(),
        );
        let mut shape = Map::new();
        let mut set = |name: &str, value: Value| shape.insert(name.to_owned(), value);
        set("AlarmName", json!(spec.name));
        set("AlarmArn", json!(self.arn));
        if let Some(text) = &spec.description {
            set("AlarmDescription", json!(text));
        }
        set(
            "AlarmConfigurationUpdatedTimestamp",
            json!(self.configured.epoch_seconds()),
        );
        set("ActionsEnabled", json!(spec.actions_enabled));
        set("OKActions", json!(spec.ok_actions));
        set("AlarmActions", json!(spec.alarm_actions));
        set("InsufficientDataActions", json!(spec.insufficient_data_actions));
        set("StateValue", json!(self.state.name()));
        set("StateReason", json!(self.reason));
        if let Some(data) = &self.reason_data {
            set("StateReasonData", json!(data));
        }
        set("StateUpdatedTimestamp", json!(self.updated.epoch_seconds()));
        set("MetricName", json!(spec.metric));
        set("Namespace", json!(spec.namespace));
        match spec.statistic {
            Statistic::Percentile(_) => set("ExtendedStatistic", json!(spec.statistic.name())),
            _ => set("Statistic", json!(spec.statistic.name())),
        };
        set("Dimensions", key.shown_dimensions());
        set("Period", json!(spec.period));
        if let Some(unit) = &spec.unit {
            set("Unit", json!(unit));
        }
        set("EvaluationPeriods", json!(spec.rule.evaluation_periods));
        set("DatapointsToAlarm", json!(spec.rule.datapoints_to_alarm));
        set("Threshold", json!(spec.rule.threshold));
        set("ComparisonOperator", json!(spec.rule.comparison.name()));
        set("TreatMissingData", json!(spec.rule.missing_data.name()));
        set(
            "StateTransitionedTimestamp",
            json!(self.transitioned.epoch_seconds()),
        );
        Value::Object(shape)
    }
}

/// Creates the alarm, or gives it another configuration and keeps its state.
pub(super) fn put(world: &mut World, spec: AlarmSpec) {
    let dimensions: Vec<_> = spec
        .dimensions
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let metric = super::metric(world, &spec.namespace, &spec.metric, &dimensions);
    let now = world.now;
    let name = spec.name.clone();
    let arn = format!(
        "arn:aws:cloudwatch:{}:{}:alarm:{name}",
        world.options.region, world.options.account_id
    );
    let state = &mut world.services.cloudwatch;
    let summary = match state.alarms.get_mut(&name) {
        Some(alarm) => {
            alarm.spec = spec;
            alarm.metric = metric;
            alarm.configured = now;
            format!("Alarm \"{name}\" updated")
        }
        None => {
            let alarm = Alarm {
                spec,
                arn,
                metric,
                configured: now,
                state: AlarmState::InsufficientData,
                reason: "Unchecked: Initial alarm creation".to_owned(),
                reason_data: None,
                updated: now,
                transitioned: now,
            };
            state.alarms.insert(name.clone(), alarm);
            format!("Alarm \"{name}\" created")
        }
    };
    history::add(
        world,
        HistoryItem {
            alarm: name,
            at: now,
            kind: history::CONFIGURATION_UPDATE,
            summary,
            data: json!({ "version": "1.0" }),
        },
    );
}
