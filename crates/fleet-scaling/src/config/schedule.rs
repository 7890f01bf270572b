//! Scheduled actions and lifecycle hooks, as they are written down.

use serde::{Deserialize, Serialize};

use super::error::Problem;

/// A scheduled action that recurs every week.
///
/// EC2 Auto Scaling User Guide, "Scheduled scaling for Amazon EC2 Auto Scaling": it sets the minimum, the maximum and the
/// desired capacity, or only some of them; scaling policies go on from there, within the new bounds.
/// A simulation begins on a Monday at 00:00 UTC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ScheduledActionSpec {
    /// Its name.
    pub name: String,
    /// When, in UTC, as five fields of cron: minute, hour, day of the month, month, day of the week. Days of the month and
    /// months are not modelled and must be `*`.
    pub recurrence: String,
    /// The new minimum.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<i64>,
    /// The new maximum.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<i64>,
    /// The new desired capacity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub desired: Option<i64>,
}

impl ScheduledActionSpec {
    /// The minutes of the week, from Monday 00:00 on, at which it runs, in order.
    ///
    /// # Errors
    /// The recurrence is none, or is not modelled.
    pub fn minutes(&self) -> Result<Vec<u32>, Problem> {
        let wrong = |why: &str| Problem::Recurrence {
            recurrence: self.recurrence.clone(),
            why: why.to_owned(),
        };
        let fields: Vec<&str> = self.recurrence.split_whitespace().collect();
        let [minute, hour, day, month, weekday] = fields[..] else {
            return Err(wrong("has not five fields"));
        };
        if day != "*" || month != "*" {
            return Err(wrong(
                "goes by days of the month or months, which are not modelled",
            ));
        }
        let minutes = field(minute, 60, &[]).ok_or_else(|| wrong("has a wrong minute"))?;
        let hours = field(hour, 24, &[]).ok_or_else(|| wrong("has a wrong hour"))?;
        let names = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
        let weekdays = field(weekday, 7, &names).ok_or_else(|| wrong("has a wrong day of the week"))?;
        let mut found = Vec::new();
        for weekday in weekdays {
            // Cron's week begins on Sunday.
            let day = (weekday + 6) % 7;
            for hour in &hours {
                found.extend(minutes.iter().map(|minute| day * 1440 + hour * 60 + minute));
            }
        }
        found.sort_unstable();
        Ok(found)
    }
}

/// The numbers below `end` that a field of cron names: `*`, `5`, `1-5`, `*/15`, `0-30/10` and lists of them.
fn field(text: &str, end: u32, names: &[&str]) -> Option<Vec<u32>> {
    let number = |text: &str| -> Option<u32> {
        let named = names.iter().position(|name| name.eq_ignore_ascii_case(text));
        let number = named
            .and_then(|at| u32::try_from(at).ok())
            .or_else(|| text.parse().ok())?;
        (number < end).then_some(number)
    };
    let mut found = Vec::new();
    for part in text.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, step.parse().ok().filter(|step| *step > 0)?),
            None => (part, 1),
        };
        let (first, last) = match range.split_once('-') {
            _ if range == "*" => (0, end - 1),
            Some((first, last)) => (number(first)?, number(last)?),
            None => (number(range)?, number(range)?),
        };
        if first > last {
            return None;
        }
        found.extend((first..=last).step_by(step));
    }
    found.sort_unstable();
    found.dedup();
    Some(found)
}

/// What a lifecycle hook holds up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Transition {
    /// An instance that has booted, before it is in service: `Pending:Wait`.
    Launching,
    /// An instance that leaves, before it is terminated: `Terminating:Wait`. It takes no more jobs and is billed.
    Terminating,
}

/// A lifecycle hook.
///
/// EC2 Auto Scaling User Guide, "How lifecycle hooks work in Amazon EC2 Auto Scaling groups": the instance waits until
/// the action is complete or the timeout is over, an hour by default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LifecycleHookSpec {
    /// Its name.
    pub name: String,
    /// What it holds up.
    pub transition: Transition,
    /// How long its custom action takes; not longer than the timeout, after which AWS does as the hook's default result
    /// says.
    pub action_seconds: f64,
    /// Its heartbeat timeout.
    #[serde(default = "an_hour")]
    pub heartbeat_timeout_seconds: f64,
}

fn an_hour() -> f64 {
    3600.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minutes(recurrence: &str) -> Result<Vec<u32>, String> {
        let action = ScheduledActionSpec {
            name: "a".to_owned(),
            recurrence: recurrence.to_owned(),
            min: None,
            max: None,
            desired: None,
        };
        action.minutes().map_err(|problem| problem.to_string())
    }

    #[test]
    fn a_recurrence_is_a_list_of_minutes_of_the_week() {
        assert_eq!(minutes("0 0 * * MON"), Ok(vec![0]));
        assert_eq!(minutes("30 8 * * 1-2"), Ok(vec![510, 1440 + 510]));
        assert_eq!(
            minutes("0 8,20 * * sun"),
            Ok(vec![6 * 1440 + 480, 6 * 1440 + 1200])
        );
        assert_eq!(minutes("*/30 0 * * 0-6").map(|minutes| minutes.len()), Ok(14));
        assert_eq!(minutes("* * * * *").map(|minutes| minutes.len()), Ok(10_080));
    }

    #[test]
    fn what_is_no_recurrence_or_not_modelled_is_refused() {
        for (recurrence, why) in [
            ("0 8 * *", "has not five fields"),
            ("60 8 * * *", "has a wrong minute"),
            ("0 24 * * *", "has a wrong hour"),
            ("0 8 * * 7", "has a wrong day of the week"),
            ("0 8 * * 5-1", "has a wrong day of the week"),
            ("*/0 8 * * *", "has a wrong minute"),
            ("0 8 1 * *", "which are not modelled"),
            ("0 8 * JAN *", "which are not modelled"),
        ] {
            let refused = minutes(recurrence).unwrap_err();
            assert!(refused.contains(why), "{recurrence}: {refused}");
        }
    }
}
