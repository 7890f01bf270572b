//! The alarms of the platform itself, with their exact thresholds.

use fleet_scaling::alarm::{AlarmRule, Comparison, MissingData};

use super::names::Names;
use crate::options::Layout;
use crate::service::cloudwatch::{self, AlarmSpec, Statistic};
use crate::service::{elb, sns};
use crate::world::World;

/// Runbook, "Alarm Tiers": 2 GB.
const STORAGE_BYTES: f64 = 2.0 * 1024.0 * 1024.0 * 1024.0;

/// The platform's own alarms; all of them tell the operators.
pub(super) fn platform(world: &mut World, names: &Names) {
    let alerts = sns::topic_arn(world, &names.core("ops-alerts"));
    let layout = world.options.layout;
    let database = super::names::database(&world.options);
    let Some((balancer, targets)) = elb::dimensions(world, &names.core("backend")) else {
        return;
    };
    let at_least = Comparison::GreaterThanOrEqualToThreshold;
    let mut put = |name: &str, metric: Watched<'_>, comparison, threshold, missing_data| {
        let spec = AlarmSpec {
            name: names.platform_alarm(name),
            description: None,
            namespace: metric.namespace.to_owned(),
            metric: metric.name.to_owned(),
            dimensions: metric
                .dimensions
                .iter()
                .map(|&(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            statistic: metric.statistic,
            period: metric.period,
            rule: AlarmRule {
                comparison,
                threshold,
                evaluation_periods: 1,
                datapoints_to_alarm: 1,
                missing_data,
            },
            alarm_actions: vec![alerts.clone()],
            ok_actions: Vec::new(),
            insufficient_data_actions: Vec::new(),
            actions_enabled: true,
            unit: None,
        };
        cloudwatch::put_alarm(world, spec);
    };
    let errors = Watched {
        namespace: "AWS/ApplicationELB",
        name: "HTTPCode_ELB_5XX_Count",
        dimensions: &[("LoadBalancer", &balancer)],
        statistic: Statistic::Sum,
        period: 300,
    };
    let unhealthy = Watched {
        name: "UnHealthyHostCount",
        dimensions: &[("LoadBalancer", &balancer), ("TargetGroup", &targets)],
        statistic: Statistic::Maximum,
        period: 60,
        ..errors
    };
    let database = [("DBInstanceIdentifier", database.as_str())];
    let cpu = |period| Watched {
        namespace: "AWS/RDS",
        name: "CPUUtilization",
        dimensions: &database,
        statistic: Statistic::Average,
        period,
    };
    let (missing, within) = (MissingData::Missing, MissingData::NotBreaching);
    put("p1-alb-5xx-critical", errors, at_least, 50.0, within);
    put("p2-alb-5xx-warning", errors, at_least, 10.0, within);
    // The staged layout has no such alarm.
    if layout == Layout::Single {
        put("p1-backend-unhealthy-hosts", unhealthy, at_least, 1.0, within);
    }
    put("p1-rds-cpu-critical", cpu(600), at_least, 95.0, missing);
    put("p2-rds-cpu-warning", cpu(300), at_least, 80.0, missing);
    put(
        "p1-rds-storage-low",
        Watched {
            name: "FreeStorageSpace",
            statistic: Statistic::Minimum,
            ..cpu(300)
        },
        Comparison::LessThanThreshold,
        STORAGE_BYTES,
        missing,
    );
}

/// A metric as an alarm looks at it.
#[derive(Clone, Copy)]
struct Watched<'a> {
    namespace: &'a str,
    name: &'a str,
    dimensions: &'a [(&'a str, &'a str)],
    statistic: Statistic,
    period: i64,
}
