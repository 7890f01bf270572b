//! One fleet in full.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::super::text::{counted, minute, number, phrase};
use super::{Capacity, FleetStatus};
use crate::aws::cloudwatch::AlarmState;
use crate::fleet::activity::{ActivityKind, instance, reason};
use crate::fleet::hold::Hold;
use crate::fleet::{AlarmView, FleetState, Gap, Pointer, Reading};
use crate::output::age;
use crate::output::one_line;

/// A fleet as a block of lines, each with a label.
pub(super) fn block(fleet: &FleetStatus, gaps: &[Gap], now: Timestamp) -> String {
    let mut text = format!("{}  {}\n", fleet.name, fleet.state.as_str());
    let mut line = |label: &str, value: &str| {
        text.push_str(&format!("  {label:<13} {}\n", one_line(value)));
    };
    let unread = |what: &str| gaps.iter().any(|gap| gap.what == what);
    if !fleet.missing.is_empty() {
        line("missing", &fleet.missing.join(", "));
    }
    if let Some(capacity) = &fleet.capacity {
        line("capacity", &sizes(capacity));
        if !capacity.instances.is_empty() {
            line("instances", &instances(capacity));
        }
        if !capacity.suspended_processes.is_empty() {
            line("suspended", &capacity.suspended_processes.join(", "));
        }
    }
    if let Some(hold) = &fleet.hold {
        line("hold", &held(hold, now));
    }
    let metrics = &fleet.metrics;
    line("queue depth", &phrase(&metrics.queue_depth));
    line("workers", &workers(fleet));
    line("backlog", &backlog(fleet));
    if unread("parameters") {
        line("pointers", "could not be read");
    } else {
        let pointers = &fleet.pointers;
        let ami = pointers.ami.as_ref();
        line(
            "AMI",
            &ami.map_or_else(none, |pointer| {
                let wrong = if pointer.is_image() {
                    ""
                } else {
                    " - not of data type aws:ec2:image"
                };
                pointed(&pointer.value, pointer) + wrong
            }),
        );
        let bundle = pointers.bundle.as_ref();
        line(
            "bundle",
            &bundle.map_or_else(none, |bundle| {
                pointed(
                    bundle.bundle_id.as_deref().unwrap_or("none active"),
                    &bundle.pointer,
                )
            }),
        );
        if let Some(config) = &pointers.desired_config {
            let part = |text: &Option<String>| text.clone().unwrap_or_else(|| "?".to_owned());
            let value = if config.invalid {
                "the parameter holds no JSON object".to_owned()
            } else {
                format!("{}, {}", part(&config.template_slug), part(&config.instance_type))
            };
            line("configured", &value);
        }
    }
    line(
        "last scaling",
        &activity(fleet, unread("scaling activities"), now),
    );
    if unread("alarms") {
        line("alarms", "could not be read");
    }
    for (position, view) in fleet.alarms.iter().enumerate() {
        line(if position == 0 { "alarms" } else { "" }, &alarm(view, now));
    }
    if let Some(stack) = &fleet.stack {
        line("stack", &format!("{} ({})", stack.name, stack.status));
    }
    text
}

/// `held until 2026-01-15 18:30 UTC, by arn:aws:iam::123456789012:user/operator: database upgrade`.
fn held(hold: &Hold, now: Timestamp) -> String {
    let reason = hold.reason.as_ref().map(|reason| format!(": {reason}"));
    format!(
        "{}, by {}{}",
        hold.clause(now),
        hold.by,
        reason.unwrap_or_default()
    )
}

fn none() -> String {
    "none".to_owned()
}

fn sizes(capacity: &Capacity) -> String {
    let protected = match capacity.protected {
        0 => String::new(),
        count => format!(", {count} protected from scale-in"),
    };
    format!(
        "desired {}, min {}, max {}; {} in service{protected}",
        capacity.desired, capacity.min, capacity.max, capacity.in_service
    )
}

/// Instances counted by what they have in common: `2 InService g4dn.xlarge us-east-1a`.
fn instances(capacity: &Capacity) -> String {
    let mut alike: BTreeMap<String, usize> = BTreeMap::new();
    for instance in &capacity.instances {
        let unhealthy = if instance.healthy { "" } else { " unhealthy" };
        let key = format!(
            "{}{unhealthy} {} {}",
            instance.lifecycle_state,
            instance.instance_type.as_deref().unwrap_or("?"),
            instance.availability_zone.as_deref().unwrap_or("?"),
        );
        *alike.entry(key).or_default() += 1;
    }
    let parts: Vec<String> = alike
        .into_iter()
        .map(|(what, count)| format!("{count} {what}"))
        .collect();
    parts.join(", ")
}

/// A fresh value as a count.
fn whole(reading: &Reading) -> Option<u64> {
    reading.value().map(|value| value.max(0.0) as u64)
}

fn workers(fleet: &FleetStatus) -> String {
    let metrics = &fleet.metrics;
    let mut text = phrase(&metrics.active_workers);
    if let (Some(free), Some(1..)) = (metrics.available_capacity.value(), whole(&metrics.active_workers)) {
        text.push_str(&format!(
            ", room for {}",
            counted(free.max(0.0) as u64, "more job")
        ));
    }
    text
}

/// Without workers the metric cannot exist: saying `silent` would cry wolf.
fn backlog(fleet: &FleetStatus) -> String {
    let metrics = &fleet.metrics;
    match &metrics.backlog_per_instance {
        Reading::Silent { .. } if metrics.active_workers.value() == Some(0.0) => {
            "none without workers".to_owned()
        }
        Reading::Fresh { value, age: old, .. } => {
            format!("{} per worker ({} ago)", number(*value), age(*old))
        }
        reading => phrase(reading),
    }
}

fn pointed(value: &str, pointer: &Pointer) -> String {
    let date = pointer
        .modified
        .map(|at| format!(", {}", minute(at)))
        .unwrap_or_default();
    format!("{value} (version {}{date})", pointer.version)
}

fn activity(fleet: &FleetStatus, unread: bool, now: Timestamp) -> String {
    let Some(activity) = &fleet.last_activity else {
        return match fleet.state {
            _ if unread => "could not be read".to_owned(),
            FleetState::NoGroup => none(),
            FleetState::Deleting
            | FleetState::AtZero
            | FleetState::Running
            | FleetState::ScalingOut
            | FleetState::ScalingIn => "none lately".to_owned(),
        };
    };
    let when = activity
        .started
        .map(|at| format!(" {} ago", since(at, now)))
        .unwrap_or_default();
    let kind = ActivityKind::of(activity).as_str();
    let what = match instance(activity) {
        Some(id) => format!("{kind} {id}, "),
        None if kind == "other" => String::new(),
        None => format!("{kind}, "),
    };
    format!("{}{when}: {what}{}", activity.status, reason(activity))
}

fn since(at: Timestamp, now: Timestamp) -> String {
    age(std::time::Duration::try_from(now.duration_since(at)).unwrap_or_default())
}

fn alarm(view: &AlarmView, now: Timestamp) -> String {
    let state = match view.state {
        None => "missing",
        Some(AlarmState::Ok) => "OK",
        Some(AlarmState::Alarm) => "ALARM",
        Some(AlarmState::InsufficientData) => "INSUFFICIENT_DATA",
    };
    let since = view
        .since
        .map(|at| format!(" for {}", since(at, now)))
        .unwrap_or_default();
    let attention = view.attention.map(|why| format!(" - {why}")).unwrap_or_default();
    format!("{:<15} {state}{since}{attention}", view.role)
}
