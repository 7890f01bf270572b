//! What a line in the diary of an Auto Scaling group says, in one clause.
//!
//! The sentences are those of the Amazon EC2 Auto Scaling User Guide ("Verify a scaling activity for an Auto Scaling
//! group", "Troubleshoot Amazon EC2 Auto Scaling") and of the groups of the platform.

use schemars::JsonSchema;
use serde::Serialize;

use super::launches::error_of;
use crate::aws::autoscaling::Activity;

/// Words of a sentence that no pattern knows.
const MOST_WORDS: usize = 14;

/// What an activity does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ActivityKind {
    Launch,
    Terminate,
    Other,
}

impl ActivityKind {
    pub(crate) fn of(activity: &Activity) -> Self {
        if activity.is_launch() {
            Self::Launch
        } else if activity.description.starts_with("Terminating EC2 instance") {
            Self::Terminate
        } else {
            Self::Other
        }
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Launch => "launch",
            Self::Terminate => "terminate",
            Self::Other => "other",
        }
    }
}

/// The instance that an activity is about.
pub(crate) fn instance(activity: &Activity) -> Option<&str> {
    let (_, rest) = activity.description.split_once("EC2 instance: ")?;
    let id = rest.split_whitespace().next()?;
    id.starts_with("i-").then_some(id)
}

/// What brought an activity about, and why it failed, in one clause.
pub(crate) fn reason(activity: &Activity) -> String {
    match (activity.status.as_str(), &activity.message) {
        ("Failed", Some(message)) if !message.is_empty() => failure(message),
        ("Cancelled", Some(message)) if message.contains("protected from scale-in") => {
            "every instance left is protected from scale-in".to_owned()
        }
        _ => cause(&activity.cause),
    }
}

/// Why a launch failed.
pub(crate) fn failure(message: &str) -> String {
    let code = error_of(message);
    let short = match code.as_str() {
        "UnfulfillableCapacity" | "InsufficientInstanceCapacity" => "EC2 has no capacity",
        "VcpuLimitExceeded" | "MaxSpotInstanceCountExceeded" | "QuotaExceeded" => "a quota is used up",
        "UnauthorizedOperation" => "Auto Scaling may not do it",
        "InvalidLaunchTemplate" => {
            return match message.split_once("launch template. ") {
                Some((_, why)) => format!("launch template: {}", few_words(first_sentence(why))),
                None => "the launch template is refused".to_owned(),
            };
        }
        _ => return few_words(first_sentence(message)),
    };
    format!("{short} ({code})")
}

/// What triggered an activity: the first sentence that names a trigger, else what it was in response to.
fn cause(text: &str) -> String {
    let sentences: Vec<&str> = sentences(text).collect();
    let known = sentences.iter().rev().find_map(|sentence| trigger(sentence));
    let known = known.or_else(|| sentences.iter().find_map(|sentence| response(sentence)));
    known.unwrap_or_else(|| match sentences.first() {
        Some(first) => few_words(first),
        None => "no cause given".to_owned(),
    })
}

/// The sentences of a cause, without the time with which each begins: `At 2026-01-15T09:00:00Z …`.
fn sentences(text: &str) -> impl Iterator<Item = &str> {
    text.split(".  ")
        .flat_map(|part| part.split(". At "))
        .map(|part| {
            let part = part.trim().trim_end_matches('.');
            let part = part.strip_prefix("At ").unwrap_or(part);
            let (first, rest) = part.split_once(' ').unwrap_or((part, ""));
            if first.ends_with('Z') && first.contains('T') {
                rest
            } else {
                part
            }
        })
        .filter(|sentence| !sentence.is_empty())
}

/// Who changed the desired capacity.
fn trigger(sentence: &str) -> Option<String> {
    let change = change(sentence);
    if let Some((alarm, rest)) = sentence
        .split_once("monitor alarm ")
        .and_then(|(_, rest)| rest.split_once(" in state "))
    {
        let policy = rest.split_once("triggered policy ").map(|(_, rest)| rest);
        let policy = policy.and_then(|rest| rest.split(' ').next()).unwrap_or("?");
        return Some(format!(
            "policy {} by alarm {}{change}",
            readable(policy),
            readable(alarm)
        ));
    }
    for (sign, who) in [
        (
            "user request update of AutoScalingGroup constraints",
            "size set by a user",
        ),
        (
            "user request explicitly set group desired capacity",
            "desired capacity set by a user",
        ),
        (
            "user request created an AutoScalingGroup",
            "the group was created",
        ),
        ("scheduled action", "a scheduled action"),
        ("predictive scaling", "a predictive scaling policy"),
    ] {
        if sentence.contains(sign) {
            return Some(format!("{who}{change}"));
        }
    }
    None
}

/// What an instance came or went for, where nobody changed the desired capacity.
fn response(sentence: &str) -> Option<String> {
    let known = [
        (
            "rebalance recommendation",
            "Spot is about to take the instance back",
        ),
        ("Spot interruption", "Spot took the instance back"),
        ("an instance refresh", "instance refresh"),
        (
            "terminated or stopped",
            "EC2 found it terminated or stopped (Spot takes instances back so)",
        ),
        ("status check failure", "EC2 status check failed"),
        ("health check failure", "health check failed"),
        ("unhealthy", "unhealthy"),
        ("balancing the group", "the zones are balanced"),
        ("in response to a user request", "a user terminated it"),
    ];
    if let Some((_, short)) = known.iter().find(|(sign, _)| sentence.contains(sign)) {
        return Some(format!("{short}{}", change(sentence)));
    }
    let difference = sentence.contains("difference between desired and actual capacity");
    difference.then(|| format!("to reach the desired capacity{}", change(sentence)))
}

/// The desired capacity before and after an activity whose cause names a user request for it.
pub(crate) fn desired_change(activity: &Activity) -> Option<(u32, u32)> {
    let (_, rest) = activity
        .cause
        .rsplit_once("changing the desired capacity from ")?;
    let (from, rest) = rest.split_once(" to ")?;
    let to: String = rest.chars().take_while(char::is_ascii_digit).collect();
    Some((from.parse().ok()?, to.parse().ok()?))
}

/// `: 0 to 1`, where a sentence names the capacity before and after.
fn change(sentence: &str) -> String {
    let found = ["desired capacity from ", "the capacity from "]
        .iter()
        .find_map(|sign| sentence.split_once(sign));
    let numbers = found.and_then(|(_, rest)| rest.split_once(" to "));
    match numbers {
        Some((from, to)) => {
            let to: String = to.chars().take_while(char::is_ascii_digit).collect();
            format!(": {from} to {to}")
        }
        None => String::new(),
    }
}

/// The telling part of a name that CloudFormation or Auto Scaling has generated:
/// `bp-gpu-fleet-…-QueueDepthStepScaleOutUpperPolicy1A2B` is `QueueDepthStepScaleOutUpperPolicy1A2B`.
fn readable(name: &str) -> &str {
    const LONG: usize = 40;
    if name.len() <= LONG {
        return name;
    }
    let from = ["QueueDepth", "Backlog", "TargetTracking", "AlarmHigh", "AlarmLow"]
        .iter()
        .find_map(|part| name.find(part));
    from.and_then(|from| name.get(from..)).unwrap_or(name)
}

fn first_sentence(text: &str) -> &str {
    text.split(". ").next().unwrap_or(text).trim_end_matches('.')
}

fn few_words(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    match words.get(..MOST_WORDS) {
        Some(first) if words.len() > MOST_WORDS => format!("{} …", first.join(" ")),
        _ => words.join(" "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_have_one_clause() {
        for (text, clause) in [
            (
                "At 2026-01-15T08:59:00Z a monitor alarm bp-gpu-fleet-production-gpu-default-FleetgpudefaultAsgSpotQueueDepthStepScaleOutUpperAlarm0F1A in state ALARM triggered policy bp-gpu-fleet-production-gpu-default-FleetgpudefaultAsgSpotQueueDepthStepScaleOutUpperPolicy9C changing the desired capacity from 0 to 1.  At 2026-01-15T08:59:08Z an instance was started in response to a difference between desired and actual capacity, increasing the capacity from 0 to 1.",
                "policy QueueDepthStepScaleOutUpperPolicy9C by alarm QueueDepthStepScaleOutUpperAlarm0F1A: 0 to 1",
            ),
            (
                "At 2026-01-15T08:59:00Z a user request explicitly set group desired capacity changing the desired capacity from 1 to 3.  At 2026-01-15T08:59:08Z an instance was started in response to a difference between desired and actual capacity, increasing the capacity from 1 to 3.",
                "desired capacity set by a user: 1 to 3",
            ),
            (
                "At 2026-01-15T08:59:00Z a user request update of AutoScalingGroup constraints to min: 0, max: 0, desired: 0 changing the desired capacity from 2 to 0.",
                "size set by a user: 2 to 0",
            ),
            (
                "At 2026-01-15T09:00:00Z an instance was taken out of service in response to an EC2 health check indicating it has been terminated or stopped.",
                "EC2 found it terminated or stopped (Spot takes instances back so)",
            ),
            (
                "At 2026-01-15T09:00:00Z an instance was taken out of service in response to an EC2 instance rebalance recommendation.",
                "Spot is about to take the instance back",
            ),
            (
                "At 2026-01-15T09:00:00Z an instance was taken out of service in response to an instance refresh.  At 2026-01-15T09:00:00Z instance i-0 was selected for termination.",
                "instance refresh",
            ),
            (
                "At 2026-01-15T09:00:00Z instance i-0 was taken out of service in response to a user request, shrinking the capacity from 2 to 1.",
                "a user terminated it: 2 to 1",
            ),
            (
                "At 2026-01-15T09:00:10Z an instance was started in response to a difference between desired and actual capacity, increasing the capacity from 1 to 2.",
                "to reach the desired capacity: 1 to 2",
            ),
            ("", "no cause given"),
            ("At 2026-01-15T09:00:10Z the moon rose.", "the moon rose"),
        ] {
            assert_eq!(cause(text), clause, "{text}");
        }
    }

    /// The newest of several triggers is the one that counts.
    #[test]
    fn of_two_triggers_the_last_is_told() {
        let text = "At 2026-01-15T08:59:00Z a user request explicitly set group desired capacity changing the desired capacity from 1 to 3.  At 2026-01-15T08:59:03Z a monitor alarm a in state ALARM triggered policy p changing the desired capacity from 3 to 0.";
        assert_eq!(cause(text), "policy p by alarm a: 3 to 0");
    }

    #[test]
    fn a_change_of_the_desired_capacity_is_told_by_its_cause() {
        let because = |cause: &str| Activity {
            id: String::new(),
            group: String::new(),
            status: String::new(),
            description: String::new(),
            cause: cause.to_owned(),
            message: None,
            started: None,
            ended: None,
            progress: None,
            zone: None,
        };
        let set = "At 2026-01-15T08:59:00Z a user request explicitly set group desired capacity changing the desired capacity from 1 to 13.  At 2026-01-15T08:59:08Z an instance was started in response to a difference between desired and actual capacity, increasing the capacity from 1 to 2.";
        assert_eq!(desired_change(&because(set)), Some((1, 13)));
        let launched = "an instance was started in response to a difference between desired and actual capacity, increasing the capacity from 1 to 2.";
        assert_eq!(desired_change(&because(launched)), None);
        assert_eq!(
            desired_change(&because("changing the desired capacity from x to y")),
            None
        );
    }

    #[test]
    fn failures_have_one_clause() {
        for (message, clause) in [
            (
                "Could not launch Spot Instances. UnfulfillableCapacity - Unable to fulfill capacity due to your request configuration. Please adjust your request and try again. Launching EC2 instance failed.",
                "EC2 has no capacity (UnfulfillableCapacity)",
            ),
            (
                "You must use a valid fully-formed launch template. The Systems Manager parameter /bp/ami/x for the AMI could not be found. Launching EC2 instance failed.",
                "launch template: The Systems Manager parameter /bp/ami/x for the AMI could not be found",
            ),
            ("The moon is full. And bright.", "The moon is full"),
        ] {
            assert_eq!(failure(message), clause, "{message}");
        }
    }
}
