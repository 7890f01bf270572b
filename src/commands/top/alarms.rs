//! The alarms in ALARM: those to look at before those that drive the scaling as they should.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::picture::Picture;
use super::rows::{Content, Pane, PaneRows, Row, Subject, Tone, ago, stale, unseen};
use crate::aws::cloudwatch::{Alarm, AlarmState};
use crate::fleet::judge;
use crate::layout::{FleetId, Layout};
use crate::ui::one_line;

/// What is known of an alarm beside itself.
#[derive(Clone, Debug)]
struct Role {
    fleet: FleetId,
    /// Whether the layout names it; others invoke policies.
    named: bool,
    /// Why an operator should look.
    attention: Option<&'static str>,
}

pub(super) fn pane(picture: &Picture, layout: &Layout, now: Timestamp) -> PaneRows {
    let parts = [&picture.alarms, &picture.fleet_alarms];
    let known: Vec<&Alarm> = parts.iter().filter_map(|kept| kept.value()).flatten().collect();
    let roles = roles(picture, layout);
    let mut on: Vec<(Tone, &Alarm)> = known
        .iter()
        .filter(|alarm| alarm.is_on())
        .map(|alarm| {
            let expected = roles
                .get(&alarm.name)
                .is_some_and(|role| role.attention.is_none());
            (if expected { Tone::Dim } else { Tone::Bad }, *alarm)
        })
        .collect();
    // Of those to look at the newest first: it is the news.
    on.sort_by(|(a, one), (b, other)| {
        let expected = (*a == Tone::Dim).cmp(&(*b == Tone::Dim));
        expected
            .then_with(|| other.since.cmp(&one.since))
            .then_with(|| one.name.cmp(&other.name))
    });
    let rows = on
        .iter()
        .map(|(tone, alarm)| row(alarm, *tone, roles.get(&alarm.name), now))
        .collect();
    let unknown = known
        .iter()
        .filter(|alarm| alarm.state == AlarmState::InsufficientData)
        .count();
    let bad = on.iter().filter(|(tone, _)| *tone == Tone::Bad).count();
    let summary = match (gap(picture), known.is_empty()) {
        (Some(gap), _) => (gap.to_owned(), Tone::Warning),
        (None, true) => (String::new(), Tone::Plain),
        (None, false) => counts(bad, on.len(), unknown, known.len()),
    };
    let empty = unseen(&picture.alarms).or_else(|| unseen(&picture.fleet_alarms));
    PaneRows {
        pane: Pane::Alarms,
        summary,
        rows,
        all: 0,
        empty: empty.unwrap_or_else(|| ("none".to_owned(), Tone::Dim)),
        stale: stale(&picture.alarms).or_else(|| stale(&picture.fleet_alarms)),
    }
}

/// `1 to look at, 6 of 22 in ALARM, 3 without data`.
fn counts(bad: usize, on: usize, unknown: usize, all: usize) -> (String, Tone) {
    let look = if bad > 0 {
        format!("{bad} to look at, ")
    } else {
        String::new()
    };
    let without = if unknown > 0 {
        format!(", {unknown} without data")
    } else {
        String::new()
    };
    let tone = match (bad, unknown) {
        (0, 0) => Tone::Good,
        (0, _) => Tone::Dim,
        _ => Tone::Bad,
    };
    (format!("{look}{on} of {all} in ALARM{without}"), tone)
}

fn row(alarm: &Alarm, tone: Tone, role: Option<&Role>, now: Timestamp) -> Row {
    let reason = one_line(alarm.reason.as_deref().unwrap_or("no reason given"));
    let reason = match role {
        Some(Role {
            attention: Some(why), ..
        }) => format!("{why}: {reason}"),
        Some(Role {
            attention: None,
            named,
            ..
        }) => {
            let part = if *named {
                "as it should be"
            } else {
                "drives the scaling"
            };
            format!("{part}: {reason}")
        }
        None => reason,
    };
    Row {
        key: format!("alarm {}", alarm.name),
        subject: Subject::Alarm {
            name: alarm.name.clone(),
            fleet: role.map(|role| role.fleet.clone()),
            described: role.is_none_or(|role| role.named),
        },
        content: Content::Alarm {
            name: (one_line(&alarm.name), tone),
            since: alarm.since.map_or_else(|| "-".to_owned(), |at| ago(at, now)),
            reason,
        },
    }
}

/// The alarms of the fleets, and what being in ALARM means for each.
fn roles(picture: &Picture, layout: &Layout) -> BTreeMap<String, Role> {
    let known = picture.fleet_alarms.value().into_iter().flatten();
    let known: BTreeMap<String, Alarm> = known.map(|alarm| (alarm.name.clone(), alarm.clone())).collect();
    let mut roles = BTreeMap::new();
    for group in picture.groups.value().into_iter().flatten() {
        let role = |named, attention| Role {
            fleet: group.fleet.clone(),
            named,
            attention,
        };
        let invoking = picture.policies.get(&group.name).into_iter().flatten();
        for name in invoking.flat_map(|policy| &policy.alarms) {
            roles.insert(name.clone(), role(false, None));
        }
        for view in judge(layout, &group.fleet, Some(group.desired), &known) {
            roles.insert(view.name, role(true, view.attention));
        }
    }
    roles
}

/// Which alarms were never seen, where others were.
fn gap(picture: &Picture) -> Option<&'static str> {
    match (picture.alarms.value(), picture.fleet_alarms.value()) {
        (None, Some(_)) => Some("the platform's own could not be checked"),
        (Some(_), None) if picture.fleet_alarms.trouble().is_some() => {
            Some("those of the fleets could not be checked")
        }
        _ => None,
    }
}

/// An alarm in full, as far as the view knows it.
pub(super) fn told(picture: &Picture, name: &str) -> Option<String> {
    let parts = [&picture.alarms, &picture.fleet_alarms];
    let mut known = parts.iter().filter_map(|kept| kept.value()).flatten();
    let alarm = known.find(|alarm| alarm.name == name)?;
    let metric = alarm.metric.as_deref().unwrap_or("metric math");
    let mut lines = vec![
        format!("name      {}", alarm.name),
        format!(
            "state     {}",
            if alarm.is_on() {
                "ALARM"
            } else {
                "not in ALARM (any more)"
            }
        ),
    ];
    if let Some(since) = alarm.since {
        lines.push(format!("since     {since}"));
    }
    lines.push(format!("metric    {metric}"));
    if let (Some(comparison), Some(threshold)) = (&alarm.comparison, alarm.threshold) {
        lines.push(format!("condition {comparison} {threshold}"));
    }
    if let Some(reason) = &alarm.reason {
        lines.push(format!("reason    {reason}"));
    }
    for action in &alarm.actions {
        lines.push(format!("action    {action}"));
    }
    let lines: Vec<String> = lines.iter().map(|line| one_line(line)).collect();
    Some(lines.join("\n"))
}
