//! The alarms of a fleet that have names: one that scales it to zero, three for people.

use super::Parts;
use crate::alarm::{Alarm, Missing};
use crate::build::Template;
use crate::exports;

pub(super) fn add(template: &mut Template, parts: &Parts<'_>) {
    let (stage, slug) = (parts.fleet.stage.as_str(), &parts.fleet.slug);
    let names = parts.names();
    let (people, zero) = (
        exports::alert_topic(names).import(),
        exports::scale_to_zero_topic(names).import(),
    );
    let mut put = |what: &str, name: String, alarm: Alarm| {
        let alarm = Alarm {
            name: Some(name),
            ..alarm
        };
        template.add(&parts.logical(&[what]), alarm.resource());
    };
    put(
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
        "QueueEmptyAlarm",
        format!("{stage}-{slug}-queue-empty"),
        Alarm {
            comparison: "LessThanOrEqualToThreshold",
            periods: minutes,
            missing: silence(parts),
            description: format!("no job for {minutes} minutes: the fleet goes to zero"),
            actions: vec![zero],
            ..Alarm::at_least(parts.metric("QueueDepth", "Maximum", 60), 0.0)
        },
    );
    put(
        "QueueDeepAlarm",
        format!("{stage}-p3-{slug}-queue-deep"),
        Alarm {
            missing: Missing::NotBreaching,
            description: "ten jobs or more wait or run".to_owned(),
            actions: vec![people.clone()],
            ..Alarm::at_least(parts.metric("QueueDepth", "Maximum", 1800), 10.0)
        },
    );
    put(
        "ErrorRateAlarm",
        format!("{stage}-p2-{slug}-error-rate"),
        Alarm {
            missing: Missing::NotBreaching,
            description: "a fifth of the jobs failed in five minutes".to_owned(),
            actions: vec![people],
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
