//! What the platform's alarms, logs and dashboard are to be, once per naming layout, as data.
//!
//! The numbers are those of the platform's monitoring and fleet stacks, and of the runbook's "Alarm Tiers" and "Log
//! Groups & Retention".

use super::{App, FLEET_NAMESPACE, FleetAlarm, FleetId, Layout, LayoutKind, Stage};

/// What an alarm looks at: decides on its dimensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Watched {
    Balancer,
    /// The backend's targets behind the load balancer.
    BackendTargets,
    Database,
    Fleet,
}

/// Who is told by an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Operators,
    /// The function that takes a fleet to zero.
    ScaleToZero,
    /// It is for people to see.
    Nobody,
}

/// An alarm on one metric (CloudWatch API Reference, PutMetricAlarm).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct AlarmRule {
    pub(crate) namespace: &'static str,
    pub(crate) metric: &'static str,
    pub(crate) watched: Watched,
    pub(crate) statistic: &'static str,
    pub(crate) period_seconds: i32,
    pub(crate) comparison: &'static str,
    pub(crate) threshold: f64,
    /// Periods in a row, all of which count.
    pub(crate) periods: i32,
    /// What missing data may count as; the first is the platform's own choice.
    pub(crate) missing_data: &'static [&'static str],
    pub(crate) told: Told,
}

const AT_LEAST: &str = "GreaterThanOrEqualToThreshold";
const NOT_BREACHING: &[&str] = &["notBreaching"];
const MISSING: &[&str] = &["missing"];

const ERRORS: AlarmRule = AlarmRule {
    namespace: "AWS/ApplicationELB",
    metric: "HTTPCode_ELB_5XX_Count",
    watched: Watched::Balancer,
    statistic: "Sum",
    period_seconds: 300,
    comparison: AT_LEAST,
    threshold: 50.0,
    periods: 1,
    missing_data: NOT_BREACHING,
    told: Told::Operators,
};

const CPU: AlarmRule = AlarmRule {
    namespace: "AWS/RDS",
    metric: "CPUUtilization",
    watched: Watched::Database,
    statistic: "Average",
    period_seconds: 300,
    threshold: 80.0,
    missing_data: MISSING,
    ..ERRORS
};

const QUEUE: AlarmRule = AlarmRule {
    namespace: FLEET_NAMESPACE,
    metric: "QueueDepth",
    watched: Watched::Fleet,
    statistic: "Maximum",
    period_seconds: 60,
    ..ERRORS
};

/// The platform's alarms by their names without a prefix.
const PLATFORM: &[(&str, AlarmRule)] = &[
    ("p1-alb-5xx-critical", ERRORS),
    (
        "p2-alb-5xx-warning",
        AlarmRule {
            threshold: 10.0,
            ..ERRORS
        },
    ),
    (
        "p1-backend-unhealthy-hosts",
        AlarmRule {
            metric: "UnHealthyHostCount",
            watched: Watched::BackendTargets,
            statistic: "Maximum",
            period_seconds: 60,
            threshold: 1.0,
            ..ERRORS
        },
    ),
    (
        "p1-rds-cpu-critical",
        AlarmRule {
            period_seconds: 600,
            threshold: 95.0,
            ..CPU
        },
    ),
    ("p2-rds-cpu-warning", CPU),
    (
        "p1-rds-storage-low",
        AlarmRule {
            metric: "FreeStorageSpace",
            statistic: "Minimum",
            comparison: "LessThanThreshold",
            // 2 GB, in bytes.
            threshold: 2_147_483_648.0,
            ..CPU
        },
    ),
];

impl FleetAlarm {
    pub(crate) const fn rule(self) -> AlarmRule {
        match self {
            Self::QueueHasJobs => AlarmRule {
                comparison: "GreaterThanThreshold",
                threshold: 0.0,
                told: Told::Nobody,
                ..QUEUE
            },
            Self::QueueEmpty => AlarmRule {
                comparison: "LessThanOrEqualToThreshold",
                threshold: 0.0,
                // Both templates of fleets: 15 minutes.
                periods: 15,
                // The platform takes silence for an empty queue. bpctl's own templates do not: a backend that stops
                // publishing then ends no fleet that works.
                missing_data: &["breaching", "missing"],
                told: Told::ScaleToZero,
                ..QUEUE
            },
            Self::ErrorRate => AlarmRule {
                metric: "ErrorRate",
                statistic: "Average",
                period_seconds: 300,
                threshold: 20.0,
                ..QUEUE
            },
            Self::QueueDeep => AlarmRule {
                period_seconds: 1800,
                threshold: 10.0,
                ..QUEUE
            },
        }
    }
}

/// The widgets of the single layout's dashboard, by title.
const WIDGETS: &[&str] = &[
    "ALB Requests & Errors",
    "ALB Latency",
    "ECS Backend CPU & Memory",
    "ECS Frontend CPU & Memory",
    "RDS CPU & Connections",
    "RDS Storage",
    "NAT Gateway Data (Bytes)",
    "NAT Gateway Port Allocation Errors",
];

/// A budget tells at these percentages of what was spent.
pub(crate) const BUDGET_PERCENT: [f64; 2] = [80.0, 100.0];

impl Layout {
    /// The platform's alarms by their full names.
    pub(crate) fn platform_alarm_rules(&self) -> Vec<(String, AlarmRule)> {
        let names = self.names().platform_alarms.iter().zip(self.platform_alarms());
        names
            .filter_map(|(plain, name)| {
                let (_, rule) = PLATFORM.iter().find(|(of, _)| of == plain)?;
                Some((name, *rule))
            })
            .collect()
    }

    /// The stack that makes an alarm of a fleet. In the staged layout those that tell people are with the platform's.
    pub(crate) fn fleet_alarm_stack(&self, alarm: FleetAlarm, fleet: &FleetId) -> String {
        let monitoring = match (self.kind, alarm.rule().told) {
            (LayoutKind::Staged, Told::Operators) => self.core_stack("monitoring"),
            (LayoutKind::Staged, Told::ScaleToZero | Told::Nobody) | (LayoutKind::Single, _) => None,
        };
        monitoring.unwrap_or_else(|| self.fleet_stack(fleet))
    }

    /// For how many days the logs of the services are kept.
    pub(crate) fn service_log_days(&self) -> i32 {
        match self.kind {
            LayoutKind::Single => 30,
            LayoutKind::Staged => self.stage.map_or(30, fleet_log_days),
        }
    }

    /// The titles that the dashboard has to have; `None` where they are not known.
    ///
    /// The staged layout's runbook describes rows of its dashboard, not titles.
    pub(crate) fn dashboard_widgets(&self) -> Option<&'static [&'static str]> {
        match self.kind {
            LayoutKind::Single => Some(WIDGETS),
            LayoutKind::Staged => None,
        }
    }

    /// The name of the monthly budget.
    pub(crate) fn budget(&self) -> String {
        self.fill(self.names().budget)
    }

    /// Names and days of the log groups of the services.
    pub(crate) fn service_log_groups(&self) -> [(String, i32); 2] {
        [App::Backend, App::Frontend].map(|app| (self.log_group(app), self.service_log_days()))
    }
}

/// For how many days the log of a fleet's workers is kept.
pub(crate) fn fleet_log_days(stage: Stage) -> i32 {
    match stage {
        Stage::Production => 30,
        Stage::Staging => 7,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_alarm_of_both_layouts_has_its_rule() {
        for (kind, stage, alarms) in [
            (LayoutKind::Single, None, 6),
            (LayoutKind::Staged, Some(Stage::Staging), 5),
        ] {
            let layout = Layout::new(kind, "bp", stage).unwrap();
            let rules = layout.platform_alarm_rules();
            let names: Vec<&String> = rules.iter().map(|(name, _)| name).collect();
            assert_eq!(names.len(), alarms);
            assert_eq!(names, layout.platform_alarms().iter().collect::<Vec<_>>());
        }
    }

    #[test]
    fn alarms_of_fleets_are_made_by_the_stack_that_the_layout_says() {
        let fleet: FleetId = "staging/a".parse().unwrap();
        let single = Layout::new(LayoutKind::Single, "bp", None).unwrap();
        let staged = Layout::new(LayoutKind::Staged, "bp", Some(Stage::Staging)).unwrap();
        let stacks = |layout: &Layout| FleetAlarm::ALL.map(|alarm| layout.fleet_alarm_stack(alarm, &fleet));
        assert_eq!(stacks(&single), ["bp-gpu-fleet-staging-a"; 4]);
        let (own, shared) = ("bp-staging-gpu", "bp-staging-monitoring");
        assert_eq!(stacks(&staged), [own, own, shared, shared]);
        assert_eq!((single.service_log_days(), staged.service_log_days()), (30, 7));
        assert_eq!(
            (single.budget().as_str(), staged.budget().as_str()),
            ("bp-monthly", "bp-staging-monthly")
        );
    }
}
