//! Many fleets, one line each.

use jiff::Timestamp;

use super::super::text::cell;
use super::FleetStatus;
use crate::fleet::Gap;
use crate::fleet::activity::reason;
use crate::output::{Table, View};

/// The table; `wide` adds what decides the contents of new instances.
pub(super) fn render(fleets: &[FleetStatus], gaps: &[Gap], now: Timestamp, view: &View) -> String {
    let mut headers = vec![
        "NAME",
        "DESIRED",
        "IN SERVICE",
        "QUEUE",
        "WORKERS",
        "STATE",
        "LOOK AT",
    ];
    if view.wide {
        headers.extend(["MIN", "MAX", "BACKLOG", "AMI", "BUNDLE", "LAST SCALING"]);
    }
    let mut table = Table::new(&headers);
    for fleet in fleets {
        let size = |value: Option<u32>| value.map_or_else(dash, |value| value.to_string());
        let capacity = fleet.capacity.as_ref();
        let mut cells = vec![
            fleet.name.to_string(),
            size(capacity.map(|capacity| capacity.desired)),
            capacity.map_or_else(dash, |capacity| capacity.in_service.to_string()),
            cell(&fleet.metrics.queue_depth),
            cell(&fleet.metrics.active_workers),
            fleet.state.as_str().to_owned(),
            look_at(fleet, gaps, now),
        ];
        if view.wide {
            let pointers = &fleet.pointers;
            cells.extend([
                size(capacity.map(|capacity| capacity.min)),
                size(capacity.map(|capacity| capacity.max)),
                cell(&fleet.metrics.backlog_per_instance),
                pointers
                    .ami
                    .as_ref()
                    .map_or_else(dash, |pointer| pointer.value.clone()),
                pointers
                    .bundle
                    .as_ref()
                    .and_then(|bundle| bundle.bundle_id.clone())
                    .unwrap_or_else(dash),
                fleet.last_activity.as_ref().map_or_else(dash, |activity| {
                    format!("{}: {}", activity.status, reason(activity))
                }),
            ]);
        }
        table.row(cells);
    }
    table.render(view)
}

fn dash() -> String {
    "-".to_owned()
}

/// What is not as it should be; a dash when everything is.
fn look_at(fleet: &FleetStatus, gaps: &[Gap], now: Timestamp) -> String {
    let missing = fleet.missing.iter().map(|part| format!("no {part}"));
    let alarms = fleet
        .alarms
        .iter()
        .filter(|alarm| alarm.attention.is_some())
        .map(|alarm| match alarm.state {
            None => format!("no alarm {}", alarm.role),
            Some(_) => alarm.role.to_owned(),
        });
    let suspended = fleet
        .capacity
        .iter()
        .flat_map(|capacity| &capacity.suspended_processes)
        .filter(|process| {
            let held = fleet.hold.as_ref();
            !held.is_some_and(|hold| hold.processes.contains(process))
        })
        .map(|process| format!("{process} suspended"));
    let held = fleet.hold.as_ref().map(|hold| hold.clause(now));
    let untyped = fleet.pointers.ami.iter().filter(|ami| !ami.is_image());
    let untyped = untyped.map(|_| "AMI pointer's type".to_owned());
    let mut all: Vec<String> = missing
        .chain(untyped)
        .chain(alarms)
        .chain(held)
        .chain(suspended)
        .collect();
    if gaps.iter().any(|gap| gap.what == "alarms") {
        all.push("alarms ?".to_owned());
    }
    if all.is_empty() { dash() } else { all.join(", ") }
}
