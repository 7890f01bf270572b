//! The monitoring stack: the topic of alarms, the platform's own alarms, the dashboard and the budget.

mod dashboard;

use serde_json::{Value, json};

use crate::alarm::{Alarm, Metric, Missing, dimension};
use crate::build::{Resource, Template, reference};
use crate::exports;
use crate::fleet;
use crate::names::Names;
use crate::settings::{Layout, Settings};

/// Runbook, "Alarm Tiers": 2 GB.
const STORAGE_BYTES: f64 = 2_147_483_648.0;

pub(crate) fn template(settings: &Settings) -> Value {
    let names = Names::of(settings);
    let mut template = Template::new("Dashboard, alarms and alert topic");
    topic(&mut template, settings);
    let topic = reference("AlertTopic");
    for (logical, name, alarm) in alarms(settings) {
        let alarm = Alarm {
            name: Some(names.alarm(name)),
            actions: vec![topic.clone()],
            ..alarm
        };
        template.add(logical, alarm.resource());
    }
    if settings.layout == Layout::Staged {
        fleet::watch_all(&mut template, settings, &topic);
    }
    template.add("Dashboard", dashboard::resource(settings));
    if let (Some(limit), Some(mail)) = (settings.monthly_budget_usd, &settings.alert_email) {
        template.add("Budget", budget(names, limit, mail));
    }
    exports::alert_topic(names).put(&mut template);
    template.finish()
}

fn topic(template: &mut Template, settings: &Settings) {
    let name = Names::of(settings).core("ops-alerts");
    template.add(
        "AlertTopic",
        Resource::new("AWS::SNS::Topic", json!({ "TopicName": name })),
    );
    if let Some(mail) = &settings.alert_email {
        template.add(
            "AlertTopicMail",
            Resource::new(
                "AWS::SNS::Subscription",
                json!({ "TopicArn": reference("AlertTopic"), "Protocol": "email", "Endpoint": mail }),
            ),
        );
    }
}

/// The alarms by logical id and name, with their tiers: P1 wakes the operator on call, P2 waits for the morning. The staged layout
/// has none of unhealthy hosts (runbook, "Alarm Tiers").
fn alarms(settings: &Settings) -> Vec<(&'static str, &'static str, Alarm)> {
    let names = Names::of(settings);
    let balancer = dimension("LoadBalancer", exports::balancer_full_name(names).import());
    let errors = |threshold| Alarm {
        missing: Missing::NotBreaching,
        description: format!("the load balancer answered {threshold} times with 5xx in five minutes"),
        ..Alarm::at_least(
            Metric {
                namespace: "AWS/ApplicationELB",
                name: "HTTPCode_ELB_5XX_Count",
                dimensions: json!([balancer]),
                statistic: "Sum",
                period: 300,
            },
            threshold,
        )
    };
    let unhealthy = (settings.layout == Layout::Single).then(|| {
        let targets = exports::backend_targets_full_name(names).import();
        let alarm = Alarm {
            missing: Missing::NotBreaching,
            description: "a task of the backend fails the load balancer's health check".to_owned(),
            ..Alarm::at_least(
                Metric {
                    namespace: "AWS/ApplicationELB",
                    name: "UnHealthyHostCount",
                    dimensions: json!([balancer, dimension("TargetGroup", targets)]),
                    statistic: "Maximum",
                    period: 60,
                },
                1.0,
            )
        };
        ("P1BackendUnhealthyHosts", "p1-backend-unhealthy-hosts", alarm)
    });
    let database = |name, statistic, period| Metric {
        namespace: "AWS/RDS",
        name,
        dimensions: json!([dimension(
            "DBInstanceIdentifier",
            exports::database(names).import()
        )]),
        statistic,
        period,
    };
    let cpu = |threshold: f64, period: u32| Alarm {
        description: format!(
            "the database's CPU was at {threshold} % for {} minutes",
            period / 60
        ),
        ..Alarm::at_least(database("CPUUtilization", "Average", period), threshold)
    };
    let storage = Alarm {
        comparison: "LessThanThreshold",
        description: "less than 2 GB of the database's storage are free".to_owned(),
        ..Alarm::at_least(database("FreeStorageSpace", "Minimum", 300), STORAGE_BYTES)
    };
    let critical = ("P1Alb5xxHigh", "p1-alb-5xx-critical", errors(50.0));
    let others = [
        ("P1RdsCpuCritical", "p1-rds-cpu-critical", cpu(95.0, 600)),
        ("P1RdsStorageLow", "p1-rds-storage-low", storage),
        ("P2Alb5xxWarning", "p2-alb-5xx-warning", errors(10.0)),
        ("P2RdsCpuWarning", "p2-rds-cpu-warning", cpu(80.0, 300)),
    ];
    std::iter::once(critical).chain(unhealthy).chain(others).collect()
}

/// Mail at 80 and 100 % of what was spent, not of what is forecast.
fn budget(names: Names<'_>, limit: u32, mail: &str) -> Resource {
    let notifications: Value = [80, 100]
        .iter()
        .map(|percent| {
            json!({
                "Notification": {
                    "ComparisonOperator": "GREATER_THAN",
                    "NotificationType": "ACTUAL",
                    "Threshold": percent,
                    "ThresholdType": "PERCENTAGE",
                },
                "Subscribers": [{ "SubscriptionType": "EMAIL", "Address": mail }],
            })
        })
        .collect();
    Resource::new(
        "AWS::Budgets::Budget",
        json!({
            "Budget": {
                "BudgetName": names.core("monthly"),
                "BudgetType": "COST",
                "TimeUnit": "MONTHLY",
                "BudgetLimit": { "Amount": limit, "Unit": "USD" },
            },
            "NotificationsWithSubscribers": notifications,
        }),
    )
}
