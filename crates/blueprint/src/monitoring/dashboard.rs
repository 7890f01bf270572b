//! The dashboard: a JSON text with the names of what other stacks made.

use serde_json::{Value, json};

use crate::build::Resource;
use crate::exports;
use crate::names::Names;
use crate::settings::Settings;

/// The width of a widget: two in a row of 24.
const WIDTH: u32 = 12;
const HEIGHT: u32 = 6;

/// A widget: its title and its metrics, each as CloudWatch writes them (namespace, metric, dimensions, options).
type Widget = (&'static str, Vec<Value>);

pub(super) fn resource(settings: &Settings) -> Resource {
    let names = Names::of(settings);
    let widgets: Vec<Value> = [balancer(), services(names), database(), nat()]
        .concat()
        .into_iter()
        .enumerate()
        .map(|(position, (title, metrics))| {
            let position = u32::try_from(position).unwrap_or_default();
            json!({
                "type": "metric",
                "x": position % 2 * WIDTH,
                "y": position / 2 * HEIGHT,
                "width": WIDTH,
                "height": HEIGHT,
                "properties": {
                    "title": title,
                    "region": "${AWS::Region}",
                    "view": "timeSeries",
                    "metrics": metrics,
                },
            })
        })
        .collect();
    let body = json!({ "widgets": widgets }).to_string();
    let values = json!({
        "Balancer": exports::balancer_full_name(names).import(),
        "Database": exports::database(names).import(),
        "NatGateway": exports::nat_gateway(names).import(),
    });
    Resource::new(
        "AWS::CloudWatch::Dashboard",
        json!({ "DashboardName": names.system(), "DashboardBody": { "Fn::Sub": [body, values] } }),
    )
}

fn balancer() -> Vec<Widget> {
    let metric = |name: &str, statistic: &str| json!(["AWS/ApplicationELB", name, "LoadBalancer", "${Balancer}", { "stat": statistic }]);
    vec![
        (
            "ALB Requests & Errors",
            vec![
                metric("RequestCount", "Sum"),
                metric("HTTPCode_ELB_5XX_Count", "Sum"),
                metric("HTTPCode_Target_5XX_Count", "Sum"),
            ],
        ),
        (
            "ALB Latency",
            ["p50", "p95", "p99"]
                .map(|percentile| metric("TargetResponseTime", percentile))
                .to_vec(),
        ),
    ]
}

fn services(names: Names<'_>) -> Vec<Widget> {
    let metrics = |what: &str| {
        ["CPUUtilization", "MemoryUtilization"]
            .map(|name| {
                json!([
                    "AWS/ECS", name, "ClusterName", names.system(), "ServiceName", names.core(what),
                    { "stat": "Average" }
                ])
            })
            .to_vec()
    };
    vec![
        ("ECS Backend CPU & Memory", metrics("backend")),
        ("ECS Frontend CPU & Memory", metrics("frontend")),
    ]
}

fn database() -> Vec<Widget> {
    let metric =
        |name: &str, options: Value| json!(["AWS/RDS", name, "DBInstanceIdentifier", "${Database}", options]);
    vec![
        (
            "RDS CPU & Connections",
            vec![
                metric("CPUUtilization", json!({ "stat": "Average" })),
                metric(
                    "DatabaseConnections",
                    json!({ "stat": "Average", "yAxis": "right" }),
                ),
            ],
        ),
        (
            "RDS Storage",
            vec![metric("FreeStorageSpace", json!({ "stat": "Minimum" }))],
        ),
    ]
}

fn nat() -> Vec<Widget> {
    let metric =
        |name: &str| json!(["AWS/NATGateway", name, "NatGatewayId", "${NatGateway}", { "stat": "Sum" }]);
    vec![
        (
            "NAT Gateway Data (Bytes)",
            vec![metric("BytesInFromDestination"), metric("BytesOutToDestination")],
        ),
        (
            "NAT Gateway Port Allocation Errors",
            vec![metric("ErrorPortAllocation")],
        ),
    ]
}
