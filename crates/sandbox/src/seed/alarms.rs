//! The alarms of the platform and of its fleets, with their exact thresholds.

use fleet_scaling::alarm::{AlarmRule, Comparison, MissingData};
use fleet_scaling::fleet::FleetScaling;

use super::names::Names;
use crate::options::FleetSeed;
use crate::service::autoscaling::{self, Policy, PolicyKind};
use crate::service::cloudwatch::{self, AlarmSpec, Statistic};
use crate::service::{elb, sns};
use crate::world::World;

/// Where the backend publishes the metrics of fleets.
pub(super) const NAMESPACE: &str = "ComfyUI/Workers";

/// Runbook, "Alarm Tiers": 2 GB.
const STORAGE_BYTES: f64 = 2.0 * 1024.0 * 1024.0 * 1024.0;

/// Creates the policies and alarms of a fleet. `watched` is the slug in their dimensions.
pub(super) fn fleet(
    world: &mut World,
    names: &Names,
    fleet: &FleetSeed,
    scaling: &FleetScaling,
    watched: &str,
) {
    let group = names.group(fleet);
    let step = format!("{}-{}-step-scale", fleet.stage, fleet.slug);
    let tracking = format!("{}-{}-backlog-tracking", fleet.stage, fleet.slug);
    let step_arn = autoscaling::policy_arn(world, &group, &step);
    let tracking_arn = autoscaling::policy_arn(world, &group, &tracking);
    let (high, low) = (world.ids.uuid(), world.ids.uuid());
    let has_jobs = format!("{}-{}-queue-has-jobs", fleet.stage, fleet.slug);
    let tracked = [
        format!("TargetTracking-{group}-AlarmHigh-{high}"),
        format!("TargetTracking-{group}-AlarmLow-{low}"),
    ];
    let arn = |world: &World, name: &str| {
        (
            name.to_owned(),
            format!(
                "arn:aws:cloudwatch:{}:{}:alarm:{name}",
                world.options.region, world.options.account_id
            ),
        )
    };
    let policies = [
        Policy {
            name: step,
            arn: step_arn,
            kind: PolicyKind::Step(scaling.step_policy()),
            alarms: vec![arn(world, &has_jobs)],
        },
        Policy {
            name: tracking,
            arn: tracking_arn,
            kind: PolicyKind::Tracking {
                policy: scaling.tracking_policy(),
                namespace: NAMESPACE.to_owned(),
                metric: "BacklogPerInstance".to_owned(),
                dimensions: names.metric_dimensions(&fleet.stage, watched),
            },
            alarms: tracked.iter().map(|name| arn(world, name)).collect(),
        },
    ];
    if let Some(group) = autoscaling::group_mut(world, &group) {
        for policy in policies {
            group.add_policy(policy);
        }
    }
    watch(world, names, fleet, scaling, watched);
}

/// Writes the alarms of a fleet, new or changed, for the slug that they look at.
pub(super) fn watch(
    world: &mut World,
    names: &Names,
    fleet: &FleetSeed,
    scaling: &FleetScaling,
    watched: &str,
) {
    let dimensions = names.metric_dimensions(&fleet.stage, watched);
    let alerts = sns::topic_arn(world, &names.core("ops-alerts"));
    let zero = sns::topic_arn(world, &names.core("scale-to-zero"));
    let group = names.group(fleet);
    let Some(policies) = autoscaling::group_mut(world, &group).map(|group| {
        group.watch(&dimensions);
        group.policies().to_vec()
    }) else {
        return;
    };
    let rules = scaling.alarms();
    let spec = |name: String, metric: &str, rule: AlarmRule, actions: &[&String]| AlarmSpec {
        name,
        description: None,
        namespace: NAMESPACE.to_owned(),
        metric: metric.to_owned(),
        dimensions: dimensions.clone(),
        statistic: Statistic::Maximum,
        period: 60,
        rule,
        alarm_actions: actions.iter().map(|arn| (*arn).clone()).collect(),
        ok_actions: Vec::new(),
    };
    let (stage, slug) = (&fleet.stage, &fleet.slug);
    let mut specs = vec![
        spec(
            format!("{stage}-{slug}-queue-empty"),
            "QueueDepth",
            rules.queue_empty,
            &[&zero],
        ),
        AlarmSpec {
            statistic: Statistic::Average,
            period: 300,
            ..spec(
                format!("{stage}-p2-{slug}-error-rate"),
                "ErrorRate",
                rules.error_rate,
                &[&alerts],
            )
        },
        AlarmSpec {
            period: 300,
            ..spec(
                format!("{stage}-p3-{slug}-queue-deep"),
                "QueueDepth",
                rules.queue_deep,
                &[&alerts],
            )
        },
    ];
    for policy in &policies {
        match &policy.kind {
            PolicyKind::Step(_) => specs.push(spec(
                format!("{stage}-{slug}-queue-has-jobs"),
                "QueueDepth",
                rules.queue_has_jobs,
                &[&policy.arn],
            )),
            PolicyKind::Tracking { policy: tracking, .. } => {
                let pair = tracking.alarms();
                for ((name, _), rule) in policy.alarms.iter().zip([pair.high, pair.low]) {
                    specs.push(AlarmSpec {
                        statistic: Statistic::Average,
                        description: Some(format!(
                            "DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {}.",
                            policy.arn
                        )),
                        ..spec(name.clone(), "BacklogPerInstance", rule, &[&policy.arn])
                    });
                }
            }
        }
    }
    for spec in specs {
        cloudwatch::put_alarm(world, spec);
    }
}

/// The platform's own alarms; all of them tell the operators.
pub(super) fn platform(world: &mut World, names: &Names) {
    let alerts = sns::topic_arn(world, &names.core("ops-alerts"));
    let database = match world.options.layout {
        crate::options::Layout::Single => "bp-mariadb".to_owned(),
        crate::options::Layout::Staged => names.core("mariadb"),
    };
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
        };
        cloudwatch::put_alarm(world, spec);
    };
    let errors = Watched {
        namespace: "AWS/ApplicationELB",
        name: "HTTPCode_Target_5XX_Count",
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
    put("p1-backend-unhealthy-hosts", unhealthy, at_least, 1.0, within);
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
