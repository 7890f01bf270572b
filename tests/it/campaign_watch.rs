//! What campaigns compare of what stands around the platform: alarms, logs, who is told, and certificates.

use bpctl_sandbox::{Sandbox, Service};
use serde_json::{Value, json};

use crate::campaign_worlds::{World, array, call};

/// Every alarm by its configuration, every log group by the days that it is kept.
pub(crate) fn watched(sandbox: &Sandbox) -> World {
    const OF_THE_STATE: [&str; 6] = [
        "AlarmConfigurationUpdatedTimestamp",
        "StateReason",
        "StateReasonData",
        "StateTransitionedTimestamp",
        "StateUpdatedTimestamp",
        "StateValue",
    ];
    let mut world = World::default();
    let alarms = call(
        sandbox,
        Service::CloudWatch,
        "DescribeAlarms",
        &json!({"MaxRecords": 100}),
    );
    for mut alarm in array(&alarms["MetricAlarms"]) {
        let members = alarm.as_object_mut().expect("an alarm");
        members.retain(|name, _| !OF_THE_STATE.contains(&name.as_str()));
        let name = alarm["AlarmName"].as_str().expect("a name").to_owned();
        world.things.insert(name, alarm);
    }
    let groups = call(sandbox, Service::Logs, "DescribeLogGroups", &json!({}));
    for group in array(&groups["logGroups"]) {
        let name = group["logGroupName"].as_str().expect("a name").to_owned();
        world.things.insert(name, group["retentionInDays"].clone());
    }
    world
}

/// Every subscription of the topic of the alarms: once, however often it was asked for.
pub(crate) fn subscribers(sandbox: &Sandbox) -> World {
    let topic = json!({"TopicArn": "arn:aws:sns:us-east-1:123456789012:bp-ops-alerts"});
    let listed = call(sandbox, Service::Sns, "ListSubscriptionsByTopic", &topic);
    let mut world = World::default();
    for one in array(&listed["Subscriptions"]) {
        let name = format!("{} {}", one["Protocol"], one["Endpoint"]);
        let times = world
            .things
            .get(&name)
            .and_then(Value::as_u64)
            .unwrap_or_default();
        world.things.insert(name, json!(times + 1));
    }
    let zones = call(sandbox, Service::Route53, "ListHostedZonesByName", &json!({}));
    for zone in array(&zones["HostedZones"]) {
        let id = json!({ "HostedZoneId": zone["Id"] });
        let records = call(sandbox, Service::Route53, "ListResourceRecordSets", &id);
        for record in array(&records["ResourceRecordSets"]) {
            let name = record["Name"].as_str().expect("a name").to_owned();
            world
                .things
                .insert(format!("{} {name}", record["Type"]), record.clone());
        }
    }
    world
}

/// How many certificates there are of each name.
pub(crate) fn certificates(sandbox: &Sandbox) -> World {
    let listed = call(sandbox, Service::Acm, "ListCertificates", &json!({}));
    let mut world = World::default();
    for one in array(&listed["CertificateSummaryList"]) {
        let name = one["DomainName"].as_str().expect("a name").to_owned();
        let times = world
            .things
            .get(&name)
            .and_then(Value::as_u64)
            .unwrap_or_default();
        world.things.insert(name, json!(times + 1));
    }
    world
}
