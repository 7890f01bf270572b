//! Launches that failed, grouped by what EC2 says and where.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::aws::autoscaling::Activity;

/// Launches that failed in the same way at the same place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct FailedLaunches {
    /// EC2's word for it, e.g. `InsufficientInstanceCapacity`; `other` without one.
    pub(crate) error: String,
    /// `null` when the activity names none.
    pub(crate) zone: Option<String>,
    /// `null` when neither the message nor the fleet's configuration leaves but one.
    pub(crate) instance_type: Option<String>,
    pub(crate) count: usize,
    /// The newest message.
    pub(crate) message: String,
}

impl FailedLaunches {
    /// `3 × InsufficientInstanceCapacity (g4dn.xlarge in us-east-1a)`.
    pub(crate) fn text(&self) -> String {
        let place = match (&self.instance_type, &self.zone) {
            (Some(kind), Some(zone)) => format!(" ({kind} in {zone})"),
            (Some(one), None) | (None, Some(one)) => format!(" ({one})"),
            (None, None) => String::new(),
        };
        format!("{} × {}{place}", self.count, self.error)
    }
}

/// Groups the failed launches among activities, the newest first. `types` are the instance types of the fleet.
pub(crate) fn group(activities: &[Activity], types: &[String]) -> Vec<FailedLaunches> {
    let mut groups: BTreeMap<(String, Option<String>, Option<String>), FailedLaunches> = BTreeMap::new();
    let failed = activities
        .iter()
        .filter(|activity| activity.status == "Failed" && activity.is_launch());
    for activity in failed {
        let message = activity.message.clone().unwrap_or_default();
        let named = types.iter().find(|kind| message.contains(kind.as_str()));
        let instance_type = match (named, types) {
            (Some(named), _) => Some(named.clone()),
            (None, [only]) => Some(only.clone()),
            (None, _) => None,
        };
        let error = error_of(&message);
        let key = (error.clone(), activity.zone.clone(), instance_type.clone());
        let found = groups.entry(key).or_insert(FailedLaunches {
            error,
            zone: activity.zone.clone(),
            instance_type,
            count: 0,
            message,
        });
        found.count += 1;
    }
    let mut groups: Vec<FailedLaunches> = groups.into_values().collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.count));
    groups
}

/// The error code in a message: `… UnfulfillableCapacity - Unable to …`, or what sentences without one speak of
/// (EC2 Auto Scaling User Guide, "Troubleshoot Amazon EC2 Auto Scaling: EC2 instance launch failures").
pub(super) fn error_of(message: &str) -> String {
    let is_code = |word: &str| {
        word.len() > 8
            && word
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric() || letter == '.')
            && word.chars().filter(char::is_ascii_uppercase).count() >= 2
    };
    let mut words = message.split_whitespace().peekable();
    while let Some(word) = words.next() {
        if words.peek() == Some(&"-") && is_code(word) {
            return word.to_owned();
        }
    }
    for (sign, error) in [
        ("do not have sufficient", "InsufficientInstanceCapacity"),
        ("no Spot capacity", "InsufficientInstanceCapacity"),
        ("vCPU limit", "VcpuLimitExceeded"),
        ("Max spot instance count exceeded", "MaxSpotInstanceCountExceeded"),
        ("quota", "QuotaExceeded"),
        ("launch template", "InvalidLaunchTemplate"),
        ("not authorized", "UnauthorizedOperation"),
    ] {
        if message.contains(sign) {
            return error.to_owned();
        }
    }
    "other".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_have_their_errors() {
        for (message, error) in [
            (
                "Could not launch Spot Instances. UnfulfillableCapacity - Unable to fulfill capacity due to your request configuration.",
                "UnfulfillableCapacity",
            ),
            (
                "We currently do not have sufficient g5.xlarge capacity in the Availability Zone you requested (us-east-1a).",
                "InsufficientInstanceCapacity",
            ),
            (
                "You have requested more vCPU capacity than your current vCPU limit of 0 allows.",
                "VcpuLimitExceeded",
            ),
            ("The moon is full - again.", "other"),
        ] {
            assert_eq!(error_of(message), error, "{message}");
        }
    }

    fn failed(zone: &str, message: &str) -> Activity {
        Activity {
            id: String::new(),
            group: String::new(),
            status: "Failed".to_owned(),
            description: "Launching a new EC2 instance.  Status Reason: …".to_owned(),
            cause: String::new(),
            message: Some(message.to_owned()),
            started: None,
            ended: None,
            progress: None,
            zone: Some(zone.to_owned()),
        }
    }

    #[test]
    fn failures_are_counted_by_error_zone_and_type() {
        let none = "UnfulfillableCapacity - x";
        let activities = [failed("a", none), failed("b", none), failed("a", none)];
        let one = ["g5.xlarge".to_owned()];
        let texts: Vec<String> = group(&activities, &one)
            .iter()
            .map(FailedLaunches::text)
            .collect();
        assert_eq!(
            texts,
            [
                "2 × UnfulfillableCapacity (g5.xlarge in a)",
                "1 × UnfulfillableCapacity (g5.xlarge in b)"
            ]
        );
        let two = ["g5.xlarge".to_owned(), "g4dn.xlarge".to_owned()];
        assert_eq!(group(&activities, &two)[0].instance_type, None);
    }
}
