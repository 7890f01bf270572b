//! Where what is there differs from what the platform's stacks make. Pure.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;

use super::wanted::{WantedAlarm, WantedGroup};
use crate::aws::budgets::Budget;
use crate::aws::cloudwatch::Alarm;
use crate::aws::logs::Kept;
use crate::aws::sns::Subscription;
use crate::layout::alarms::BUDGET_PERCENT;

/// The names of the stacks that are there, if they are known.
pub(super) type Stacks<'a> = Option<&'a BTreeSet<String>>;

/// What a difference is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Part {
    Alarm,
    Dashboard,
    LogGroup,
    Topic,
    Budget,
}

/// One thing that is not as the platform has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(super) struct Difference {
    pub(super) part: Part,
    /// The alarm, the dashboard, the log group, the topic or the budget.
    pub(super) name: String,
    /// E.g. `Threshold`, by the names of the API; `existence` for what is not there.
    pub(super) property: &'static str,
    pub(super) expected: String,
    pub(super) found: String,
    /// The stack that makes the thing anew, where it is known.
    pub(super) stack: Option<String>,
}

const NOT_THERE: &str = "existence";

impl Difference {
    fn absent(part: Part, name: &str, stack: Option<&str>, stacks: Stacks<'_>) -> Self {
        let gone = stack.filter(|stack| stacks.is_some_and(|stacks| !stacks.contains(*stack)));
        Self {
            part,
            name: name.to_owned(),
            property: NOT_THERE,
            expected: "there".to_owned(),
            found: match gone {
                Some(stack) => format!("not there, nor is its stack `{stack}`"),
                None => "not there".to_owned(),
            },
            stack: stack.map(str::to_owned),
        }
    }

    /// Whether the thing itself is missing.
    pub(super) fn is_absence(&self) -> bool {
        self.property == NOT_THERE
    }
}

/// The differences of an alarm; an alarm that is not there is one.
pub(super) fn alarm(wanted: &WantedAlarm, found: Option<&Alarm>, stacks: Stacks<'_>) -> Vec<Difference> {
    let Some(found) = found else {
        let stack = Some(wanted.stack.as_str());
        return vec![Difference::absent(Part::Alarm, &wanted.name, stack, stacks)];
    };
    let mut differences = Vec::new();
    let mut differs = |property, expected: String, found: String| {
        if expected != found {
            differences.push(Difference {
                part: Part::Alarm,
                name: wanted.name.clone(),
                property,
                expected,
                found,
                stack: Some(wanted.stack.clone()),
            });
        }
    };
    let (rule, details) = (&wanted.rule, &found.details);
    let none = || "none".to_owned();
    let text = |text: &Option<String>| text.clone().unwrap_or_else(none);
    let number = |number: Option<i32>| number.map_or_else(none, |number| number.to_string());
    if !details.expressions.is_empty() || details.anomaly_band {
        differs("Metrics", none(), "metric math or a band".to_owned());
    }
    differs("Namespace", rule.namespace.to_owned(), text(&found.namespace));
    differs("MetricName", rule.metric.to_owned(), text(&found.metric));
    if let Some(dimensions) = &wanted.dimensions {
        differs("Dimensions", told(dimensions), told(&found.dimensions));
    }
    differs("Statistic", rule.statistic.to_owned(), text(&found.statistic));
    differs(
        "Period",
        rule.period_seconds.to_string(),
        number(found.period_seconds),
    );
    differs(
        "ComparisonOperator",
        rule.comparison.to_owned(),
        text(&found.comparison),
    );
    let threshold = found
        .threshold
        .map_or_else(none, |threshold| threshold.to_string());
    differs("Threshold", rule.threshold.to_string(), threshold);
    differs(
        "EvaluationPeriods",
        rule.periods.to_string(),
        number(found.evaluation_periods),
    );
    // All of them, unless it is said otherwise (PutMetricAlarm).
    let points = found.datapoints_to_alarm.or(found.evaluation_periods);
    differs("DatapointsToAlarm", rule.periods.to_string(), number(points));
    // CloudWatch leaves out what is as by default.
    let missing = found.missing_data.as_deref().unwrap_or("missing");
    if !rule.missing_data.contains(&missing) {
        differs(
            "TreatMissingData",
            rule.missing_data.join(" or "),
            missing.to_owned(),
        );
    }
    differs("Unit", none(), text(&details.unit));
    if details.wall_clock {
        differs(
            "EvaluationWindow",
            "sliding".to_owned(),
            "of the clock".to_owned(),
        );
    }
    if let Some(topic) = &wanted.topic
        && !found.actions.contains(topic)
    {
        let actions = if found.actions.is_empty() {
            none()
        } else {
            found.actions.join(", ")
        };
        differs("AlarmActions", topic.clone(), actions);
    }
    differs(
        "ActionsEnabled",
        "true".to_owned(),
        found.actions_enabled.to_string(),
    );
    differences
}

fn told(dimensions: &[(String, String)]) -> String {
    let mut all: Vec<String> = dimensions
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    all.sort();
    if all.is_empty() {
        "none".to_owned()
    } else {
        all.join(", ")
    }
}

/// Widgets that are not there, by their titles. Further ones are anybody's own.
pub(super) fn dashboard(
    name: &str,
    wanted: Option<&[&str]>,
    found: Option<&[String]>,
    stack: Option<&str>,
    stacks: Stacks<'_>,
) -> Vec<Difference> {
    let Some(found) = found else {
        return vec![Difference::absent(Part::Dashboard, name, stack, stacks)];
    };
    let missing = wanted
        .unwrap_or_default()
        .iter()
        .filter(|title| !found.iter().any(|one| one == *title));
    missing
        .map(|title| Difference {
            part: Part::Dashboard,
            name: name.to_owned(),
            property: "widget",
            expected: (*title).to_owned(),
            found: "not there".to_owned(),
            stack: stack.map(str::to_owned),
        })
        .collect()
}

pub(super) fn kept_for(kept: Kept) -> String {
    match kept {
        Kept::Days(1) => "1 day".to_owned(),
        Kept::Days(days) => format!("{days} days"),
        Kept::Always => "for ever".to_owned(),
    }
}

/// The retention of a log group.
pub(super) fn log_group(wanted: &WantedGroup, found: Option<Kept>) -> Option<Difference> {
    let Some(found) = found else {
        return Some(Difference::absent(Part::LogGroup, &wanted.name, None, None));
    };
    let right = |days: &i32| found == Kept::Days(*days);
    if wanted.days.iter().any(right) {
        return None;
    }
    let expected: Vec<String> = wanted
        .days
        .iter()
        .map(|days| kept_for(Kept::Days(*days)))
        .collect();
    Some(Difference {
        part: Part::LogGroup,
        name: wanted.name.clone(),
        property: "retention",
        expected: expected.join(" or "),
        found: kept_for(found),
        stack: None,
    })
}

/// A topic that nobody listens to, as far as its subscribers have confirmed.
///
/// `protocol`: that of the subscriber that has to be there, which `stack` makes; anybody when `None`.
pub(super) fn topic(
    name: &str,
    found: Option<&[Subscription]>,
    protocol: Option<&str>,
    stack: Option<&str>,
) -> Option<Difference> {
    let difference = |property, expected: String, found: String| Difference {
        part: Part::Topic,
        name: name.to_owned(),
        property,
        expected,
        found,
        stack: stack.map(str::to_owned),
    };
    let Some(found) = found else {
        return Some(difference(NOT_THERE, "there".to_owned(), "not there".to_owned()));
    };
    let fits = |one: &&Subscription| protocol.is_none_or(|protocol| one.protocol == protocol);
    let mut own = found.iter().filter(fits).peekable();
    let expected = match protocol {
        Some(protocol) => format!("a confirmed subscriber ({protocol})"),
        None => "a confirmed subscriber".to_owned(),
    };
    if own.peek().is_none() {
        return Some(difference("subscribers", expected, "none".to_owned()));
    }
    if own.all(|one| !one.confirmed) {
        return Some(difference(
            "subscribers",
            expected,
            "none that has confirmed".to_owned(),
        ));
    }
    None
}

/// A budget that the stack has made: whether it is there and tells at the right percentages.
pub(super) fn budget(
    name: &str,
    is_configured: bool,
    found: Option<&Budget>,
    stack: Option<&str>,
) -> Vec<Difference> {
    let Some(found) = found else {
        let absent = Difference {
            part: Part::Budget,
            name: name.to_owned(),
            property: NOT_THERE,
            expected: "there".to_owned(),
            found: "not there".to_owned(),
            stack: stack.map(str::to_owned),
        };
        return is_configured.then_some(absent).into_iter().collect();
    };
    let tells = |percent: &f64| {
        found.notifications.iter().any(|one| {
            one.kind == "ACTUAL" && one.threshold_type == "PERCENTAGE" && one.threshold == *percent
        })
    };
    let missing = BUDGET_PERCENT.iter().filter(|percent| !tells(percent));
    missing
        .map(|percent| Difference {
            part: Part::Budget,
            name: name.to_owned(),
            property: "notification",
            expected: format!("at {percent} % of what was spent"),
            found: "not there".to_owned(),
            stack: stack.map(str::to_owned),
        })
        .collect()
}
