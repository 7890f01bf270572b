//! How a group's desired capacity changed, and by whom, from the diary of its scaling activities.

use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::aws::autoscaling::Activity;

/// One change of the desired capacity.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub(crate) struct Change {
    pub(crate) at: Timestamp,
    pub(crate) from: u32,
    pub(crate) to: u32,
    /// In the words of AWS, e.g. "a user request explicitly set group desired capacity".
    pub(crate) by: String,
}

const CHANGING: &str = " changing the desired capacity from ";

/// The changes that the activities tell of, the oldest first, each once.
///
/// Causes read `At TIME SUBJECT changing the desired capacity from 0 to 1.  At TIME an instance was
/// started …` (EC2 Auto Scaling User Guide, "Verify a scaling activity for an Auto Scaling group").
pub(crate) fn changes(activities: &[Activity]) -> Vec<Change> {
    let mut all: Vec<Change> = activities
        .iter()
        .flat_map(|activity| in_cause(&activity.cause))
        .collect();
    all.sort();
    // An activity for each instance tells the same story.
    all.dedup();
    all
}

fn in_cause(cause: &str) -> Vec<Change> {
    let mut found = Vec::new();
    let mut rest = cause;
    while let Some(position) = rest.find(CHANGING) {
        let (before, after) = rest.split_at(position);
        let after = &after[CHANGING.len()..];
        rest = after;
        let Some((at, by)) = before
            .rfind("At ")
            .and_then(|begin| before[begin + 3..].split_once(' '))
        else {
            continue;
        };
        let mut numbers = after
            .split(|c: char| !c.is_ascii_digit())
            .filter(|word| !word.is_empty());
        let (Some(from), Some(to)) = (
            numbers.next().and_then(|from| from.parse().ok()),
            numbers.next().and_then(|to| to.parse().ok()),
        ) else {
            continue;
        };
        if let Ok(at) = at.parse() {
            found.push(Change {
                at,
                from,
                to,
                by: by.to_owned(),
            });
        }
    }
    found
}

/// The desired capacity at `at`, when it is `now` now.
pub(crate) fn desired_at(changes: &[Change], now: u32, at: Timestamp) -> u32 {
    // What the next change came from holds until then.
    changes
        .iter()
        .find(|change| change.at > at)
        .map_or(now, |change| change.from)
}

/// How many launched instances had not finished their warm-up at `at`.
pub(crate) fn warming_at(activities: &[Activity], warmup: Duration, at: Timestamp) -> u32 {
    let warming = activities.iter().filter(|activity| {
        let Some(started) = activity.started else {
            return false;
        };
        if !activity.is_launch() || started > at {
            return false;
        }
        match (activity.status.as_str(), activity.ended) {
            ("Successful", Some(ended)) => ended.checked_add(warmup).is_ok_and(|warm| warm > at),
            ("Failed" | "Cancelled", _) => false,
            // Still on its way, or over later than `at`.
            _ => true,
        }
    });
    u32::try_from(warming.count()).unwrap_or(u32::MAX)
}

/// How many instances were in service at `at` and had not finished their warm-up.
pub(crate) fn settling_at(activities: &[Activity], warmup: Duration, at: Timestamp) -> u32 {
    let settling = activities.iter().filter(|activity| {
        activity.is_launch()
            && activity.status == "Successful"
            && activity
                .ended
                .is_some_and(|ended| ended <= at && ended.checked_add(warmup).is_ok_and(|warm| warm > at))
    });
    u32::try_from(settling.count()).unwrap_or(u32::MAX)
}

/// How many of the instances that are wanted at `at` were not there: still on their way, or launches that
/// failed. They are no part of what a policy scales up from. `in_service` is how many are in service now.
pub(crate) fn missing_at(activities: &[Activity], in_service: u32, desired: u32, at: Timestamp) -> u32 {
    let later = |time: Option<Timestamp>| time.is_some_and(|time| time > at);
    let count = |counts: &dyn Fn(&Activity) -> bool| {
        let found = activities.iter().filter(|activity| counts(activity)).count();
        u32::try_from(found).unwrap_or(u32::MAX)
    };
    let launched =
        count(&|activity| activity.is_launch() && activity.status == "Successful" && later(activity.ended));
    let ended = count(&|activity| activity.description.starts_with("Terminating") && later(activity.started));
    let there = in_service.saturating_add(ended).saturating_sub(launched);
    desired.saturating_sub(there)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn activity(description: &str, status: &str, cause: &str) -> Activity {
        Activity {
            id: "1".to_owned(),
            group: "asg".to_owned(),
            status: status.to_owned(),
            description: description.to_owned(),
            cause: cause.to_owned(),
            message: None,
            started: Some(at("2026-01-15T09:00:10Z")),
            ended: (status != "InProgress").then(|| at("2026-01-15T09:01:00Z")),
            progress: None,
            zone: None,
        }
    }

    fn launch(status: &str) -> Activity {
        activity("Launching a new EC2 instance: i-1", status, "")
    }

    const CAUSE: &str = "At 2026-01-15T09:00:00Z a monitor alarm x in state ALARM triggered policy y changing the desired \
                         capacity from 0 to 1.  At 2026-01-15T09:00:05Z a user request explicitly set group desired capacity \
                         changing the desired capacity from 1 to 3.  At 2026-01-15T09:00:08Z an instance was started in response \
                         to a difference between desired and actual capacity, increasing the capacity from 0 to 3.";

    #[test]
    fn each_change_is_told_once_with_who_did_it() {
        let one = activity("Launching a new EC2 instance: i-1", "Successful", CAUSE);
        let two = activity("Launching a new EC2 instance: i-2", "Successful", CAUSE);
        let changes = changes(&[one, two]);
        let shown: Vec<_> = changes
            .iter()
            .map(|change| (change.from, change.to, change.by.as_str()))
            .collect();
        assert_eq!(
            shown,
            [
                (0, 1, "a monitor alarm x in state ALARM triggered policy y"),
                (1, 3, "a user request explicitly set group desired capacity"),
            ]
        );
        for (time, desired) in [("08:59:59", 0), ("09:00:00", 1), ("09:00:04", 1), ("09:00:05", 3)] {
            let time = at(&format!("2026-01-15T{time}Z"));
            assert_eq!(desired_at(&changes, 3, time), desired, "{time}");
        }
        assert_eq!(desired_at(&[], 2, at("2026-01-15T09:00:00Z")), 2);
    }

    #[test]
    fn what_is_no_cause_of_a_change_is_passed_over() {
        for cause in [
            "",
            "At 2026-01-15T09:00:00Z an instance was taken out of service in response to an EC2 health check.",
            "At noon somebody changing the desired capacity from 1 to 2.",
            "At 2026-01-15T09:00:00Z x changing the desired capacity from a to b.",
            " changing the desired capacity from 1 to 2",
        ] {
            assert_eq!(in_cause(cause), [], "{cause:?}");
        }
    }

    #[test]
    fn what_was_wanted_and_not_there_is_missing() {
        let time = |text: &str| at(&format!("2026-01-15T{text}Z"));
        let done = [launch("Successful")];
        // Two in service now, one of them since 09:01.
        assert_eq!(missing_at(&done, 2, 2, time("09:00:30")), 1);
        assert_eq!(missing_at(&done, 2, 2, time("09:01:00")), 0);
        // A launch that failed leaves the group short.
        assert_eq!(missing_at(&[launch("Failed")], 2, 4, time("09:02:00")), 2);
        // An instance that is gone now was there before.
        let gone = [activity("Terminating EC2 instance: i-1", "Successful", "")];
        assert_eq!(missing_at(&gone, 1, 2, time("09:00:00")), 0);
        assert_eq!(missing_at(&gone, 1, 2, time("09:00:30")), 1);
        let settling = |text: &str| settling_at(&done, Duration::from_secs(300), time(text));
        assert_eq!(["09:00:30", "09:01:00", "09:06:00"].map(settling), [0, 1, 0]);
    }

    #[test]
    fn a_launch_warms_up_after_it_has_succeeded() {
        let warmup = Duration::from_secs(300);
        let count = |activity: Activity, time: &str| {
            warming_at(&[activity], warmup, at(&format!("2026-01-15T{time}Z")))
        };
        assert_eq!(count(launch("Successful"), "09:00:00"), 0);
        assert_eq!(count(launch("Successful"), "09:00:30"), 1);
        assert_eq!(count(launch("Successful"), "09:05:59"), 1);
        assert_eq!(count(launch("Successful"), "09:06:00"), 0);
        assert_eq!(count(launch("InProgress"), "09:30:00"), 1);
        assert_eq!(count(launch("Failed"), "09:00:30"), 0);
        let ended = activity("Terminating EC2 instance: i-1", "Successful", "");
        assert_eq!(count(ended, "09:00:30"), 0);
    }
}
