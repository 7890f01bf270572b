//! Scaling activities: the diary of a group.

use serde_json::{Map, Value, json};

use super::{bad_token, max_records, validation};
use crate::error::{ApiError, OpResult};
use crate::service::paging::{page, strings};
use crate::time::SimTime;
use crate::world::World;

/// What came of an activity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    InProgress,
    Successful,
    Failed,
    Cancelled,
}

impl Status {
    fn name(self) -> &'static str {
        match self {
            Self::InProgress => "InProgress",
            Self::Successful => "Successful",
            Self::Failed => "Failed",
            Self::Cancelled => "Cancelled",
        }
    }
}

/// One activity.
#[derive(Clone, Debug)]
pub(super) struct Activity {
    pub(super) id: String,
    pub(super) description: String,
    pub(super) cause: String,
    pub(super) start: SimTime,
    pub(super) end: Option<SimTime>,
    pub(super) status: Status,
    pub(super) message: Option<String>,
    /// Availability zone and subnet.
    pub(super) place: Option<(String, String)>,
}

impl Activity {
    pub(super) fn finish(&mut self, now: SimTime) {
        self.status = Status::Successful;
        self.end = Some(now);
    }

    pub(super) fn shown(&self, group: &str, group_arn: &str) -> Value {
        let mut shape = Map::new();
        let mut set = |name: &str, value: Value| {
            shape.insert(name.to_owned(), value);
        };
        set("ActivityId", json!(self.id));
        set("AutoScalingGroupName", json!(group));
        set("Description", json!(self.description));
        set("Cause", json!(self.cause));
        set("StartTime", json!(self.start.epoch_seconds()));
        if let Some(end) = self.end {
            set("EndTime", json!(end.epoch_seconds()));
        }
        set("StatusCode", json!(self.status.name()));
        if let Some(message) = &self.message {
            set("StatusMessage", json!(message));
        }
        let progress = if self.status == Status::InProgress {
            50
        } else {
            100
        };
        set("Progress", json!(progress));
        if let Some((zone, subnet)) = &self.place {
            let details = json!({ "Subnet ID": subnet, "Availability Zone": zone });
            set("Details", json!(details.to_string()));
        }
        set("AutoScalingGroupARN", json!(group_arn));
        Value::Object(shape)
    }
}

pub(super) fn describe_scaling_activities(world: &mut World, input: &Value) -> OpResult {
    let limit = max_records(input, 100, 100)?;
    let ids = strings(input, "ActivityIds");
    let name = input["AutoScalingGroupName"].as_str();
    let filters = Filters::of(input, name.is_some())?;
    let mut found: Vec<(bool, SimTime, Value)> = Vec::new();
    for group in world.services.autoscaling.groups.values() {
        if name.is_some_and(|name| name != group.spec.name) {
            continue;
        }
        for activity in &group.activities {
            if (ids.is_empty() || ids.contains(&activity.id.as_str())) && filters.let_pass(activity) {
                let ended = activity.status != Status::InProgress;
                found.push((
                    ended,
                    activity.start,
                    activity.shown(&group.spec.name, &group.arn),
                ));
            }
        }
    }
    if name.is_some_and(|name| super::group(world, name).is_none()) {
        return Err(super::no_group(name.unwrap_or_default()));
    }
    // "Activities are sorted by start time. Activities still in progress are described first."
    // Groups follow each other in the map; a stable sort keeps each group's own order.
    found.sort_by_key(|(ended, start, _)| (*ended, std::cmp::Reverse(*start)));
    let activities = found.into_iter().map(|(_, _, shown)| shown).collect();
    let (activities, next): (Vec<Value>, _) =
        page(activities, input["NextToken"].as_str(), limit).map_err(|_| bad_token())?;
    let mut output = json!({ "Activities": activities });
    if let Some(next) = next {
        output["NextToken"] = json!(next);
    }
    Ok(output)
}

/// What a request limits the activities to.
#[derive(Debug, Default)]
struct Filters {
    from: Option<i64>,
    to: Option<i64>,
    status: Option<Vec<String>>,
}

impl Filters {
    fn of(input: &Value, names_a_group: bool) -> Result<Self, ApiError> {
        let mut filters = Self::default();
        for filter in input["Filters"].as_array().into_iter().flatten() {
            let values = strings(filter, "Values");
            let moment = || {
                values
                    .first()
                    .and_then(|text| text.parse::<jiff::Timestamp>().ok())
                    .map(jiff::Timestamp::as_millisecond)
                    .ok_or_else(|| validation("The filter value is not a valid ISO 8601 timestamp"))
            };
            match filter["Name"].as_str().unwrap_or_default() {
                "StartTimeLowerBound" => filters.from = Some(moment()?),
                "StartTimeUpperBound" => filters.to = Some(moment()?),
                "Status" if names_a_group => {
                    filters.status = Some(values.into_iter().map(str::to_owned).collect());
                }
                "Status" => {
                    return Err(validation(
                        "The Status filter can only be used in combination with AutoScalingGroupName",
                    ));
                }
                other => return Err(validation(format!("Filter type {other} is not correct"))),
            }
        }
        Ok(filters)
    }

    fn let_pass(&self, activity: &Activity) -> bool {
        let start = activity.start.0;
        let status = self.status.as_ref();
        self.from.is_none_or(|from| start >= from)
            && self.to.is_none_or(|to| start <= to)
            && status.is_none_or(|wanted| wanted.iter().any(|name| name == activity.status.name()))
    }
}
