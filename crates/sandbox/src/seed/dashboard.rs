//! The platform's dashboard.

use serde_json::{Value, json};

use super::names::Names;
use crate::options::Layout;
use crate::service::cloudwatch;
use crate::world::World;

/// The titles of the widgets of the single layout (its monitoring stack), in their order.
const SINGLE: &[&str] = &[
    "ALB Requests & Errors",
    "ALB Latency",
    "ECS Backend CPU & Memory",
    "ECS Frontend CPU & Memory",
    "RDS CPU & Connections",
    "RDS Storage",
    "NAT Gateway Data (Bytes)",
    "NAT Gateway Port Allocation Errors",
];

/// The rows of the staged layout (runbook, "Dashboard").
const STAGED: &[&str] = &[
    "ALB Requests & 5xx Errors",
    "ALB Latency (p50/p95/p99)",
    "RDS CPU & Connections",
    "RDS Free Storage",
    "NAT Bytes In/Out",
    "Port Allocation Errors",
];

pub(super) fn place(world: &mut World, names: &Names) {
    let titles = match world.options.layout {
        Layout::Single => SINGLE,
        Layout::Staged => STAGED,
    };
    let widgets: Vec<Value> = (0..)
        .zip(titles)
        .map(|(position, title)| {
            json!({
                "type": "metric", "x": position % 2 * 12, "y": position / 2 * 6, "width": 12, "height": 6,
                "properties": { "title": title, "region": world.options.region, "view": "timeSeries", "metrics": [] },
            })
        })
        .collect();
    let body = json!({ "widgets": widgets }).to_string();
    cloudwatch::put_dashboard(world, &names.system(), &body);
}
