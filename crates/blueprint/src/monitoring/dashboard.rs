//! The dashboard: a JSON text with the names of what other stacks made.

use serde_json::{Value, json};

use crate::build::Resource;
use crate::exports;
use crate::names::Names;
use crate::settings::{Layout, Settings};

/// The width of a widget: two in a row of 24.
const WIDTH: u32 = 12;
const HEIGHT: u32 = 6;

/// A widget: its title and its metrics, each as CloudWatch writes them (namespace, metric, dimensions, options).
type Widget = (String, Vec<Value>);

pub(super) fn resource(settings: &Settings) -> Resource {
    let names = Names::of(settings);
    let rows = match settings.layout {
        Layout::Single => [balancer(), services(names), database(), nat()].concat(),
        Layout::Staged => staged(settings),
    };
    let widgets: Vec<Value> = rows
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

/// The rows of the staged layout (runbook, "Dashboard"): the same without the services, and a row for every fleet.
fn staged(settings: &Settings) -> Vec<Widget> {
    let titles = [
        "ALB Requests & 5xx Errors",
        "ALB Latency (p50/p95/p99)",
        "RDS CPU & Connections",
        "RDS Free Storage",
        "NAT Bytes In/Out",
        "Port Allocation Errors",
    ];
    let platform = [balancer(), database(), nat()].concat().into_iter();
    let platform = titles
        .into_iter()
        .zip(platform)
        .map(|(title, (_, metrics))| (title.to_owned(), metrics));
    let fleets = settings.fleets.iter().flat_map(|fleet| {
        let metric = |name: &str, statistic: &str, axis: &str| {
            let mut metric = vec![json!(crate::fleet::NAMESPACE), json!(name)];
            metric.extend(Names::of(settings).flat_dimensions(fleet));
            metric.push(json!({ "stat": statistic, "yAxis": axis }));
            Value::Array(metric)
        };
        [
            (
                format!("{}: Queue Depth & Workers", fleet.slug),
                vec![
                    metric("QueueDepth", "Maximum", "left"),
                    metric("ActiveWorkers", "Maximum", "right"),
                ],
            ),
            (
                format!("{}: Performance & Errors", fleet.slug),
                vec![
                    metric("JobProcessingP50", "Average", "left"),
                    metric("ErrorRate", "Average", "right"),
                ],
            ),
        ]
    });
    platform.chain(fleets).collect()
}

fn balancer() -> Vec<Widget> {
    let metric = |name: &str, statistic: &str| json!(["AWS/ApplicationELB", name, "LoadBalancer", "${Balancer}", { "stat": statistic }]);
    vec![
        (
            "ALB Requests & Errors".to_owned(),
            vec![
                metric("RequestCount", "Sum"),
                metric("HTTPCode_ELB_5XX_Count", "Sum"),
                metric("HTTPCode_Target_5XX_Count", "Sum"),
            ],
        ),
        (
            "ALB Latency".to_owned(),
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
        ("ECS Backend CPU & Memory".to_owned(), metrics("backend")),
        ("ECS Frontend CPU & Memory".to_owned(), metrics("frontend")),
    ]
}

fn database() -> Vec<Widget> {
    let metric =
        |name: &str, options: Value| json!(["AWS/RDS", name, "DBInstanceIdentifier", "${Database}", options]);
    vec![
        (
            "RDS CPU & Connections".to_owned(),
            vec![
                metric("CPUUtilization", json!({ "stat": "Average" })),
                metric(
                    "DatabaseConnections",
                    json!({ "stat": "Average", "yAxis": "right" }),
                ),
            ],
        ),
        (
            "RDS Storage".to_owned(),
            vec![metric("FreeStorageSpace", json!({ "stat": "Minimum" }))],
        ),
    ]
}

fn nat() -> Vec<Widget> {
    let metric =
        |name: &str| json!(["AWS/NATGateway", name, "NatGatewayId", "${NatGateway}", { "stat": "Sum" }]);
    vec![
        (
            "NAT Gateway Data (Bytes)".to_owned(),
            vec![metric("BytesInFromDestination"), metric("BytesOutToDestination")],
        ),
        (
            "NAT Gateway Port Allocation Errors".to_owned(),
            vec![metric("ErrorPortAllocation")],
        ),
    ]
}
