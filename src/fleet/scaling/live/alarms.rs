//! The alarms that invoke a live fleet's policies, and what they watch.

use fleet_scaling::alarm::MissingData;
use fleet_scaling::config::AlarmSpec;
use fleet_scaling::metrics::{Metric, Statistic};
use fleet_scaling::unknown::{Direction, Part};
use fleet_templates::publishes;

use super::super::LeftOut;
use super::policies::direction_of;
use super::{Reader, named};
use crate::aws::autoscaling::Policy;
use crate::aws::cloudwatch::Alarm;
use crate::layout::FLEET_NAMESPACE;

/// Why an alarm or a metric takes no part; the words complete "the alarm ...".
#[derive(Clone, Debug)]
pub(super) struct Why {
    /// In AWS it has no effect either.
    broken: bool,
    part: Part,
    what: String,
}

impl Why {
    pub(super) fn broken(what: impl Into<String>) -> Self {
        Self {
            broken: true,
            part: Part::OtherMetric,
            what: what.into(),
        }
    }

    pub(super) fn not_modelled(part: Part, what: impl Into<String>) -> Self {
        Self {
            broken: false,
            part,
            what: what.into(),
        }
    }

    /// The same of another kind of part.
    pub(super) fn of(self, part: Part) -> Self {
        Self { part, ..self }
    }

    /// The same said of `subject`, which moves the capacity in `direction`.
    pub(super) fn about(self, subject: &str, direction: Direction) -> LeftOut {
        let what = format!("{subject} {}", self.what);
        if self.broken {
            LeftOut::broken(what)
        } else {
            LeftOut::not_modelled(self.part, direction, what)
        }
    }
}

impl Reader<'_> {
    /// An alarm that invokes `policy`. An alarm invokes a policy only through its `AlarmActions`, and only
    /// while its actions are enabled (CloudWatch API Reference, `PutMetricAlarm`).
    pub(super) fn alarm(&mut self, policy: &Policy, name: &str) -> Option<AlarmSpec> {
        let subject = format!("policy `{}`: its alarm `{name}`", policy.name);
        let Some(alarm) = self.facts.alarms.get(name) else {
            self.leave_out(LeftOut::broken(format!(
                "{subject} does not exist, so nothing invokes it"
            )));
            return None;
        };
        let otherwise = || {
            let what = "invokes it in another state than ALARM, which is not modelled";
            Why::not_modelled(Part::OtherState, what)
        };
        let elsewhere = alarm.actions_enabled
            && (alarm.details.ok_actions.contains(&policy.arn)
                || alarm.details.insufficient_data_actions.contains(&policy.arn));
        let acts = if alarm.actions.contains(&policy.arn) || !alarm.actions_enabled {
            if elsewhere {
                // It takes part with what it does in ALARM, and what it does in another state stays unknown.
                self.leave_out(otherwise().about(&subject, direction_of(&policy.kind)));
            }
            Ok(())
        } else if elsewhere {
            Err(otherwise())
        } else {
            Err(Why::broken(
                "does not invoke it: the policy is none of its actions",
            ))
        };
        match acts.and_then(|()| self.alarm_spec(alarm)) {
            Ok(spec) => Some(spec),
            Err(why) => {
                self.leave_out(why.about(&subject, direction_of(&policy.kind)));
                None
            }
        }
    }

    pub(super) fn alarm_spec(&self, alarm: &Alarm) -> Result<AlarmSpec, Why> {
        if !alarm.actions_enabled {
            return Err(Why::broken("has its actions switched off"));
        }
        let details = &alarm.details;
        if details.anomaly_band {
            let what = "compares with an anomaly detection band, which is not modelled";
            return Err(Why::not_modelled(Part::AnomalyBand, what));
        }
        if !details.expressions.is_empty() {
            let what = format!(
                "is on metric math ({}), which is not modelled",
                details.expressions.join(", ")
            );
            return Err(Why::not_modelled(Part::MetricMath, what));
        }
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let metric = self
            .metric(&text(&alarm.namespace), &text(&alarm.metric), &alarm.dimensions)
            .map_err(|why| Why {
                what: format!("watches {}", why.what),
                ..why
            })?;
        if let Some(unit) = &details.unit {
            let what = format!(
                "counts only points with the unit {unit}, and AWS does not say whether the metric has any: with another \
                 unit the alarm sees no data"
            );
            return Err(Why::not_modelled(Part::Unit, what));
        }
        let unknown = |part, what: &str, value: &str| {
            Why::not_modelled(part, format!("has the {what} `{value}`, which is not modelled"))
        };
        let statistic = text(&alarm.statistic);
        let comparison = text(&alarm.comparison);
        let period = alarm.period_seconds.unwrap_or(60);
        if period % 60 != 0 {
            return Err(unknown(Part::HighResolution, "period", &format!("{period} s")));
        }
        if details.wall_clock && period > 60 {
            return Err(unknown(Part::TrackingPeriod, "evaluation window", "wall clock"));
        }
        let of_statistic = match statistic.as_str() {
            "SampleCount" => Part::SampleCount,
            _ => Part::Percentile,
        };
        Ok(AlarmSpec {
            metric: metric.into(),
            statistic: simple(&statistic).ok_or_else(|| unknown(of_statistic, "statistic", &statistic))?,
            period_seconds: f64::from(period),
            comparison: named(&comparison)
                .ok_or_else(|| unknown(Part::AnomalyBand, "comparison", &comparison))?,
            threshold: alarm
                .threshold
                .ok_or_else(|| Why::not_modelled(Part::AnomalyBand, "has no fixed threshold"))?,
            evaluation_periods: i64::from(alarm.evaluation_periods.unwrap_or(1)),
            datapoints_to_alarm: alarm.datapoints_to_alarm.map(i64::from),
            missing_data: missing_data(alarm),
        })
    }

    /// The words of the error complete "watches ..." or "tracks ...".
    pub(super) fn metric(
        &self,
        namespace: &str,
        name: &str,
        dimensions: &[(String, String)],
    ) -> Result<Metric, Why> {
        let metric = Metric::new(name);
        let known = publishes().iter().any(|own| own.metric == metric);
        if !known || namespace != FLEET_NAMESPACE {
            let what = format!("{namespace} {name}, which is not modelled");
            return Err(Why::not_modelled(Part::OtherMetric, what));
        }
        let mut watched = dimensions.to_vec();
        let mut own = self.dimensions.clone();
        watched.sort();
        own.sort();
        if watched != own {
            let shown: Vec<String> = dimensions
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            let what = format!("{name} of {}, which is not this fleet", shown.join(","));
            return Err(Why::broken(what));
        }
        Ok(metric)
    }
}

/// The statistics that one value of each minute is enough for.
pub(super) fn simple(name: &str) -> Option<Statistic> {
    let known = name.parse().ok()?;
    match known {
        Statistic::Average | Statistic::Maximum | Statistic::Minimum | Statistic::Sum => Some(known),
        // How many samples a minute has, and how they are spread, is not read.
        _ => None,
    }
}

fn missing_data(alarm: &Alarm) -> MissingData {
    alarm.missing_data.as_deref().and_then(named).unwrap_or_default()
}
