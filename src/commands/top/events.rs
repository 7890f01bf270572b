//! What happened lately: deployments, scaling of the fleets, findings that came and went. The newest first.

use jiff::Timestamp;

use super::picture::Picture;
use super::rows::{Content, Pane, PaneRows, Row, Subject, Tone, moment, stale, unseen};
use crate::aws::autoscaling::Activity;
use crate::fleet::activity::{ActivityKind, instance, reason};
use crate::layout::{FleetId, Layout};
use crate::triage::snapshot::Rollout;
use crate::ui::one_line;

pub(super) fn pane(picture: &Picture, layout: &Layout, now: Timestamp) -> PaneRows {
    let mut rows: Vec<(Timestamp, Row)> = Vec::new();
    let rollouts = picture.rollouts.value().into_iter().flatten();
    rows.extend(rollouts.flat_map(|one| rollout(one, now)));
    for activity in picture.activities.value().into_iter().flatten() {
        if let Some(fleet) = layout.fleet_of_group(&activity.group) {
            rows.extend(scaling(activity, fleet, now));
        }
    }
    for (number, note) in picture.notes.iter().enumerate() {
        let (what, tone) = if note.came {
            ("came", Tone::Warning)
        } else {
            ("went", Tone::Good)
        };
        let row = Row {
            key: format!("note {} {number} {}", note.at, note.text),
            subject: Subject::Note,
            content: Content::Event {
                at: moment(note.at, now),
                what: "finding",
                text: (format!("{what}: {}", one_line(&note.text)), tone),
            },
        };
        rows.push((note.at, row));
    }
    rows.sort_by(|(a, one), (b, other)| b.cmp(a).then_with(|| one.key.cmp(&other.key)));
    let unseen = unseen(&picture.rollouts).or_else(|| unseen(&picture.activities));
    // Where one source is silent, the others' rows must not look like all there is.
    let summary = match (&unseen, rows.is_empty()) {
        (Some((why, tone)), false) => (why.clone(), *tone),
        _ => (String::new(), Tone::Plain),
    };
    PaneRows {
        pane: Pane::Events,
        summary,
        rows: rows.into_iter().map(|(_, row)| row).collect(),
        all: 0,
        empty: unseen.unwrap_or_else(|| ("nothing within the last hour".to_owned(), Tone::Dim)),
        stale: stale(&picture.rollouts).or_else(|| stale(&picture.activities)),
    }
}

/// A deployment: that it began, and how it ended.
fn rollout(rollout: &Rollout, now: Timestamp) -> Vec<(Timestamp, Row)> {
    let id = format!("ecs-svc/{}", rollout.revision());
    let row = |at: Timestamp, key: &str, text: String, tone: Tone| {
        let content = Content::Event {
            at: moment(at, now),
            what: "deploy",
            text: (one_line(&text), tone),
        };
        let subject = Subject::Deployment {
            app: rollout.app,
            id: id.clone(),
        };
        let row = Row {
            key: format!("deployment {id} {key}"),
            subject,
            content,
        };
        (at, row)
    };
    let app = rollout.app.word();
    let (words, tone) = match rollout.status.as_str() {
        "SUCCESSFUL" => ("done".to_owned(), Tone::Good),
        "IN_PROGRESS" | "PENDING" => ("under way".to_owned(), Tone::Warning),
        "ROLLBACK_SUCCESSFUL" => ("rolled back".to_owned(), Tone::Bad),
        "ROLLBACK_IN_PROGRESS" | "ROLLBACK_REQUESTED" => ("rolling back".to_owned(), Tone::Bad),
        other => (other.to_lowercase().replace('_', " "), Tone::Bad),
    };
    let why = match (&rollout.reason, tone) {
        (Some(reason), Tone::Bad) => format!(": {reason}"),
        _ => String::new(),
    };
    let mut rows = Vec::new();
    if let Some(at) = rollout.created {
        let begun = if rollout.finished.is_some() {
            ("begun".to_owned(), Tone::Dim)
        } else {
            (format!("{words}{why}"), tone)
        };
        rows.push(row(at, "begun", format!("{app} {id} {}", begun.0), begun.1));
    }
    if let Some(at) = rollout.finished {
        rows.push(row(at, "ended", format!("{app} {id} {words}{why}"), tone));
    }
    rows
}

fn scaling(activity: &Activity, fleet: FleetId, now: Timestamp) -> Option<(Timestamp, Row)> {
    let at = activity.started?;
    let kind = ActivityKind::of(activity);
    let (words, tone) = match activity.status.as_str() {
        "Successful" => (String::new(), Tone::Plain),
        "Failed" => (" failed".to_owned(), Tone::Bad),
        "Cancelled" => (" cancelled".to_owned(), Tone::Warning),
        _ => (" under way".to_owned(), Tone::Warning),
    };
    let which = instance(activity).map_or_else(String::new, |id| format!(" {id}"));
    let text = format!("{fleet} {}{which}{words}: {}", kind.as_str(), reason(activity));
    let row = Row {
        key: format!("activity {}", activity.id),
        subject: Subject::Activity { fleet },
        content: Content::Event {
            at: moment(at, now),
            what: "scaling",
            text: (one_line(&text), tone),
        },
    };
    Some((at, row))
}
