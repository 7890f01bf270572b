//! The alarms of a fleet that have names: one that scales it to zero, three for people.

use serde_json::Value;

use super::Parts;
use crate::alarm::{Alarm, Missing};
use crate::build::Template;

fn put(template: &mut Template, parts: &Parts<'_>, what: &str, name: String, alarm: Alarm) {
    let alarm = Alarm {
        name: Some(name),
        ..alarm
    };
    template.add(&parts.logical(&[what]), alarm.resource());
}

/// The one that scales to zero by `topic`, and one that shows the opposite.
pub(super) fn scaling(template: &mut Template, parts: &Parts<'_>, topic: &Value) {
    let (stage, slug) = (parts.fleet.stage.as_str(), &parts.fleet.slug);
    put(
        template,
        parts,
        "QueueDepthAlarm",
        format!("{stage}-{slug}-queue-has-jobs"),
        Alarm {
            comparison: "GreaterThanThreshold",
            missing: Missing::NotBreaching,
            description: "the fleet has jobs; for people to see".to_owned(),
            ..Alarm::at_least(parts.metric("QueueDepth", "Maximum", 60), 0.0)
        },
    );
    let minutes = parts.kind.scale_to_zero_minutes;
    put(
        template,
        parts,
        "QueueEmptyAlarm",
        format!("{stage}-{slug}-queue-empty"),
        Alarm {
            comparison: "LessThanOrEqualToThreshold",
            periods: minutes,
            missing: silence(parts),
            description: format!("no job for {minutes} minutes: the fleet goes to zero"),
            actions: vec![topic.clone()],
            ..Alarm::at_least(parts.metric("QueueDepth", "Maximum", 60), 0.0)
        },
    );
}

/// Those that tell people by `topic`.
pub(super) fn judging(template: &mut Template, parts: &Parts<'_>, topic: &Value) {
    let (stage, slug) = (parts.fleet.stage.as_str(), &parts.fleet.slug);
    put(
        template,
        parts,
        "QueueDeepAlarm",
        format!("{stage}-p3-{slug}-queue-deep"),
        Alarm {
            missing: Missing::NotBreaching,
            description: "ten jobs or more wait or run".to_owned(),
            actions: vec![topic.clone()],
            ..Alarm::at_least(parts.metric("QueueDepth", "Maximum", 1800), 10.0)
        },
    );
    put(
        template,
        parts,
        "ErrorRateAlarm",
        format!("{stage}-p2-{slug}-error-rate"),
        Alarm {
            missing: Missing::NotBreaching,
            description: "a fifth of the jobs failed in five minutes".to_owned(),
            actions: vec![topic.clone()],
            ..Alarm::at_least(parts.metric("ErrorRate", "Average", 300), 20.0)
        },
    );
}

/// The platform takes silence for an empty queue, so that a backend that stops publishing ends fleets that work.
fn silence(parts: &Parts<'_>) -> Missing {
    if parts.settings.upstream_compatible {
        Missing::Breaching
    } else {
        Missing::Insufficient
    }
}
