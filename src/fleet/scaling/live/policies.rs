//! The scaling policies of a live fleet, each with the alarms that really invoke it.

use fleet_scaling::alarm::Comparison;
use fleet_scaling::config::{AlarmSpec, PolicySpec, TrackingAlarmsSpec};
use fleet_scaling::policy::{AdjustmentType, StepAdjustment, TargetTrackingPolicy};
use fleet_scaling::unknown::{Direction, Part};

use super::super::LeftOut;
use super::alarms::simple;
use super::{DEFAULT_COOLDOWN, Reader, named};
use crate::aws::autoscaling::{Policy, PolicyKind, Tracked};

impl Reader<'_> {
    /// A policy for each of its alarms that can be understood.
    pub(super) fn policy(&mut self, policy: &Policy) -> Vec<PolicySpec> {
        let name = &policy.name;
        if !policy.enabled {
            self.leave_out(LeftOut::broken(format!("policy `{name}` is disabled")));
            return Vec::new();
        }
        match policy.kind {
            PolicyKind::Predictive {
                scales,
                raises_maximum,
            } => {
                self.predictive(policy, scales, raises_maximum);
                return Vec::new();
            }
            PolicyKind::Other(_) => {
                self.leave_out(not_understood(policy, Part::OtherPolicy));
                return Vec::new();
            }
            PolicyKind::Step { .. } | PolicyKind::Simple { .. } | PolicyKind::TargetTracking { .. } => {}
        }
        let default = self.facts.group.default_warmup_seconds;
        if let Some(own) = policy.warmup_seconds
            && u32::try_from(own).ok() != default
        {
            let what = format!("policy `{name}` has a warm-up of its own, {own} s");
            self.leave_out(LeftOut::not_modelled(Part::PolicyWarmUp, Direction::Both, what));
        }
        if let PolicyKind::TargetTracking {
            target,
            disable_scale_in,
            metric,
        } = &policy.kind
        {
            return self
                .tracking(policy, *target, *disable_scale_in, metric)
                .into_iter()
                .collect();
        }
        if policy.alarms.is_empty() {
            let what = format!("policy `{name}` has no alarm: nothing invokes it");
            self.leave_out(LeftOut::broken(what));
        }
        let several = policy.alarms.len() > 1;
        policy
            .alarms
            .iter()
            .filter_map(|alarm_name| {
                let alarm = self.alarm(policy, alarm_name)?;
                let shown = if several {
                    format!("{name} by {alarm_name}")
                } else {
                    name.clone()
                };
                let spec = self.adjusting(policy, shown, alarm)?;
                self.alarm_names.push(alarm_name.clone());
                Some(spec)
            })
            .collect()
    }

    /// "Predictive scaling": in the mode that only forecasts it changes no capacity. Otherwise it adds capacity ahead of
    /// what it forecasts, which may be more than the maximum, and takes none away.
    fn predictive(&mut self, policy: &Policy, scales: bool, raises_maximum: bool) {
        let name = &policy.name;
        if !scales {
            self.assumptions.push(format!(
                "policy `{name}` only forecasts: it changes the capacity once its mode is `ForecastAndScale`"
            ));
            return;
        }
        let what = if raises_maximum {
            format!(
                "policy `{name}` scales ahead of a forecast, also beyond the maximum, which is not modelled"
            )
        } else {
            format!("policy `{name}` scales ahead of a forecast, which is not modelled")
        };
        let left_out = LeftOut::not_modelled(Part::PredictiveScaling, direction_of(&policy.kind), what);
        self.leave_out(if raises_maximum {
            left_out.within(self.facts.group.min, None)
        } else {
            left_out
        });
    }

    fn adjusting(&mut self, policy: &Policy, name: String, alarm: AlarmSpec) -> Option<PolicySpec> {
        let magnitude = |value: &Option<i32>| value.and_then(|value| u32::try_from(value).ok());
        let understood = match &policy.kind {
            PolicyKind::Step {
                adjustment_type,
                minimum_adjustment_magnitude,
                steps,
            } => named::<AdjustmentType>(adjustment_type).map(|adjustment_type| PolicySpec::Step {
                name,
                adjustment_type,
                minimum_adjustment_magnitude: magnitude(minimum_adjustment_magnitude),
                alarm,
                steps: steps
                    .iter()
                    .map(|step| StepAdjustment {
                        lower: step.lower,
                        upper: step.upper,
                        adjustment: step.adjustment,
                    })
                    .collect(),
            }),
            PolicyKind::Simple {
                adjustment_type,
                adjustment,
                minimum_adjustment_magnitude,
                cooldown,
            } => {
                let cooldown = cooldown
                    .or(self.facts.group.default_cooldown_seconds)
                    .unwrap_or(DEFAULT_COOLDOWN);
                named::<AdjustmentType>(adjustment_type).map(|adjustment_type| PolicySpec::Simple {
                    name,
                    adjustment_type,
                    adjustment: *adjustment,
                    minimum_adjustment_magnitude: magnitude(minimum_adjustment_magnitude),
                    cooldown_seconds: f64::from(cooldown),
                    alarm,
                })
            }
            PolicyKind::TargetTracking { .. } | PolicyKind::Predictive { .. } | PolicyKind::Other(_) => None,
        };
        if understood.is_none() {
            self.leave_out(not_understood(policy, Part::OtherPolicy));
        }
        understood
    }

    fn tracking(
        &mut self,
        policy: &Policy,
        target: f64,
        disable_scale_in: bool,
        metric: &Tracked,
    ) -> Option<PolicySpec> {
        let name = &policy.name;
        let direction = direction_of(&policy.kind);
        let not_modelled = |part, what: String| {
            LeftOut::not_modelled(part, direction, format!("policy `{name}` tracks {what}"))
        };
        let tracked = match metric {
            Tracked::Metric(tracked) => tracked,
            Tracked::Predefined(predefined) => {
                let what = format!("the predefined metric {predefined}, which is not modelled");
                self.leave_out(not_modelled(Part::PredefinedMetric, what));
                return None;
            }
            Tracked::Math => {
                let what = "metric math, which is not modelled".to_owned();
                self.leave_out(not_modelled(Part::MetricMath, what));
                return None;
            }
        };
        if let Some(unit) = &tracked.unit {
            let what = format!("only points with the unit {unit}, and whether there are any is not known");
            self.leave_out(not_modelled(Part::Unit, what));
            return None;
        }
        if let Some(period) = tracked.period_seconds.filter(|period| *period != 60) {
            let what = format!("periods of {period} s, which is not modelled");
            self.leave_out(not_modelled(Part::TrackingPeriod, what));
            return None;
        }
        let metric = match self.metric(&tracked.namespace, &tracked.name, &tracked.dimensions) {
            Ok(metric) => metric,
            Err(why) => {
                let why = why.about(&format!("policy `{name}` tracks"), direction);
                self.leave_out(why);
                return None;
            }
        };
        let statistic = tracked.statistic.as_deref().unwrap_or("Average");
        let Some(statistic) = simple(statistic) else {
            let part = match statistic {
                "SampleCount" => Part::SampleCount,
                _ => Part::Percentile,
            };
            self.leave_out(not_modelled(
                part,
                format!("the statistic {statistic}, which is not modelled"),
            ));
            return None;
        };
        let (high, low) = (
            self.tracking_alarm(policy, target, true),
            self.tracking_alarm(policy, target, false)
                .filter(|_| !disable_scale_in),
        );
        Some(PolicySpec::TargetTracking {
            name: name.clone(),
            metric: metric.into(),
            statistic,
            target,
            disable_scale_in,
            alarms: Some(TrackingAlarmsSpec { high, low }),
            floor: 0,
        })
    }

    /// One of the two alarms that Auto Scaling has made for the policy, as it is now.
    fn tracking_alarm(&mut self, policy: &Policy, target: f64, high: bool) -> Option<AlarmSpec> {
        let name = &policy.name;
        let side = if high { "high" } else { "low" };
        let found = policy
            .alarms
            .iter()
            .filter_map(|name| self.facts.alarms.get(name))
            .find(|alarm| {
                let comparison = alarm.comparison.as_deref().and_then(named::<Comparison>);
                comparison.is_some_and(|comparison| comparison.looks_up() == high)
            });
        let never = matches!(
            &policy.kind,
            PolicyKind::TargetTracking {
                disable_scale_in: true,
                ..
            }
        );
        let Some(alarm) = found else {
            if high || !never {
                self.leave_out(LeftOut::broken(format!(
                    "the {side} alarm of policy `{name}` does not exist: AWS cannot invoke it"
                )));
            }
            return None;
        };
        let alarm_name = alarm.name.clone();
        let spec = self.alarm(policy, &alarm_name)?;
        if never && !high {
            return None;
        }
        // "Do not edit or delete the CloudWatch alarms that are managed" (Target tracking scaling policies).
        let usual = TargetTrackingPolicy {
            target,
            disable_scale_in: false,
            floor: 0,
        };
        let usual = if high {
            usual.alarms().high
        } else {
            usual.alarms().low
        };
        if (spec.threshold - usual.threshold).abs() > 1e-9 {
            self.assumptions.push(format!(
                "the {side} alarm of policy `{name}` is at {}, where Auto Scaling makes it at {} for the target {target}: \
                 somebody has edited it, or Auto Scaling makes it otherwise, which is not published",
                spec.threshold, usual.threshold
            ));
        }
        self.alarm_names.push(alarm_name);
        Some(spec)
    }
}

/// In which direction a policy may move the desired capacity.
pub(super) fn direction_of(kind: &PolicyKind) -> Direction {
    let of = |adjustment_type: &str, adjustments: &mut dyn Iterator<Item = i32>| {
        let signs: Vec<i32> = adjustments.map(i32::signum).collect();
        match adjustment_type {
            "ExactCapacity" => Direction::Both,
            _ if signs.iter().all(|sign| *sign >= 0) => Direction::Out,
            _ if signs.iter().all(|sign| *sign <= 0) => Direction::In,
            _ => Direction::Both,
        }
    };
    match kind {
        PolicyKind::Step {
            adjustment_type,
            steps,
            ..
        } => of(adjustment_type, &mut steps.iter().map(|step| step.adjustment)),
        PolicyKind::Simple {
            adjustment_type,
            adjustment,
            ..
        } => of(adjustment_type, &mut std::iter::once(*adjustment)),
        PolicyKind::TargetTracking {
            disable_scale_in: true,
            ..
        } => Direction::Out,
        PolicyKind::TargetTracking { .. } => Direction::Both,
        PolicyKind::Predictive { .. } => Direction::Out,
        PolicyKind::Other(_) => Direction::Both,
    }
}

fn not_understood(policy: &Policy, part: Part) -> LeftOut {
    let what = format!(
        "policy `{}` is of a kind that is not modelled ({})",
        policy.name,
        kind_name(&policy.kind)
    );
    LeftOut::not_modelled(part, direction_of(&policy.kind), what)
}

fn kind_name(kind: &PolicyKind) -> &str {
    match kind {
        PolicyKind::Step { adjustment_type, .. } | PolicyKind::Simple { adjustment_type, .. } => {
            adjustment_type
        }
        PolicyKind::TargetTracking { .. } => "TargetTrackingScaling",
        PolicyKind::Predictive { .. } => "PredictiveScaling",
        PolicyKind::Other(name) => name,
    }
}
