//! What the platform had before it was shut down, where every operator and CI can read it: a parameter of bpctl's own,
//! whose versions are its history.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::platform::Platform;
use crate::aws::Aws;
use crate::error::{CtlError, ErrorKind, Result};
use crate::layout::{FleetId, Layout};

/// The form of the record.
const FORM: &str = "bpctl.shutdown/1";

/// "Standard: maximum size of a parameter value 4 KB" (Systems Manager User Guide, "Managing parameter tiers").
pub(super) const LONGEST: usize = 4096;

/// The record of a shutdown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Record {
    /// `bpctl.shutdown/1`.
    pub(crate) form: String,
    /// The run that wrote it last.
    pub(crate) run: String,
    /// ARN of the principal that shut the platform down.
    pub(crate) by: String,
    pub(crate) since: Timestamp,
    pub(crate) reason: Option<String>,
    pub(crate) services: BTreeMap<String, ServiceSize>,
    pub(crate) fleets: BTreeMap<FleetId, FleetSize>,
    /// When it was resumed.
    pub(crate) resumed: Option<Timestamp>,
    /// ARN of the principal that resumed it.
    pub(crate) resumed_by: Option<String>,
}

/// What a service had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct ServiceSize {
    pub(crate) desired: i32,
    /// Absent without service auto scaling.
    pub(crate) bounds: Option<Bounds>,
}

/// Minimum and maximum of service auto scaling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Bounds {
    pub(crate) min: i32,
    pub(crate) max: i32,
}

/// What the group of a fleet had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct FleetSize {
    pub(crate) min: u32,
    pub(crate) max: u32,
    pub(crate) desired: u32,
    /// Processes that were suspended already; a shutdown suspends none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) suspended: Vec<String>,
}

/// Who writes a record, when and why.
#[derive(Clone, Debug)]
pub(crate) struct Author {
    pub(crate) run: String,
    pub(crate) by: String,
    pub(crate) now: Timestamp,
    pub(crate) reason: Option<String>,
}

impl Record {
    /// The record of `platform` as it is now. What a shutdown on record has taken down already stays as that recorded
    /// it; what runs (again) is recorded as it is.
    pub(crate) fn of(platform: &Platform, last: Option<&Self>, author: Author) -> Self {
        let held = last.filter(|last| last.resumed.is_none());
        let mut record = Self {
            form: FORM.to_owned(),
            run: author.run,
            by: author.by,
            since: author.now,
            reason: author.reason,
            services: held.map(|held| held.services.clone()).unwrap_or_default(),
            fleets: held.map(|held| held.fleets.clone()).unwrap_or_default(),
            resumed: None,
            resumed_by: None,
        };
        for (name, part) in &platform.services {
            let known = record.services.get(name).cloned();
            let desired = match &known {
                Some(known) if part.service.desired == 0 => known.desired,
                _ => part.service.desired,
            };
            let bounds = match known.and_then(|known| known.bounds) {
                Some(known) if part.bounds.is_some_and(|bounds| bounds.min == 0) => Some(known),
                _ => part.bounds,
            };
            record
                .services
                .insert(name.clone(), ServiceSize { desired, bounds });
        }
        for (fleet, group) in &platform.groups {
            let known = record.fleets.get(fleet).cloned();
            let size = match known {
                Some(known) if group.max == 0 => known,
                _ => FleetSize {
                    min: group.min,
                    max: group.max,
                    desired: group.desired,
                    suspended: group
                        .suspended
                        .iter()
                        .map(|(process, _)| process.clone())
                        .collect(),
                },
            };
            record.fleets.insert(fleet.clone(), size);
        }
        // The same sizes are the same shutdown: it is not written again.
        match held {
            Some(held) if held.services == record.services && held.fleets == record.fleets => held.clone(),
            _ => record,
        }
    }

    /// # Errors
    /// A text that is no record, or one of a later form.
    fn read(parameter: &str, text: &str) -> Result<Self> {
        let broken = |why: String| {
            CtlError::new(
                ErrorKind::Failed,
                format!("read the shutdown in `{parameter}`: {why}"),
            )
            .hint("look at the parameter and its history: without a record bpctl does not know what the platform had")
        };
        let record: Self = serde_json::from_str(text).map_err(|error| broken(error.to_string()))?;
        if record.form == FORM {
            return Ok(record);
        }
        Err(broken(format!("its form is `{}`, not `{FORM}`", record.form)))
    }

    /// The value of the parameter.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub(crate) fn text(&self) -> Result<String> {
        serde_json::to_string(self)
            .map_err(|error| CtlError::new(ErrorKind::Unexpected, "write a shutdown as JSON").source(&error))
    }
}

/// The last record, also of a shutdown that was resumed.
///
/// # Errors
/// When it cannot be read.
pub(crate) async fn last(aws: &Aws, layout: &Layout) -> Result<Option<Record>> {
    let name = layout.shutdown_parameter();
    let read = aws.parameters(std::slice::from_ref(&name)).await?;
    let Some(parameter) = read.found.get(&name) else {
        return Ok(None);
    };
    Record::read(&name, parameter.value.expose()).map(Some)
}

#[cfg(test)]
mod tests {
    use super::super::platform::sample;
    use super::*;

    fn author() -> Author {
        Author {
            run: "20260115T090000Z-0123456789ab".to_owned(),
            by: "arn:aws:iam::123456789012:user/operator".to_owned(),
            now: "2026-01-15T09:00:00Z".parse().unwrap(),
            reason: None,
        }
    }

    fn sizes(record: &Record) -> (i32, Option<Bounds>, (u32, u32, u32)) {
        let service = &record.services["bp-backend"];
        let fleet = record.fleets.values().next().unwrap();
        (
            service.desired,
            service.bounds,
            (fleet.min, fleet.max, fleet.desired),
        )
    }

    const AWAKE: (i32, Option<Bounds>, (u32, u32, u32)) = (2, Some(Bounds { min: 1, max: 4 }), (0, 10, 3));

    #[test]
    fn what_is_down_already_stays_as_the_shutdown_on_record_has_it() {
        let first = Record::of(&sample(2, (1, 4), (0, 10, 3)), None, author());
        assert_eq!(sizes(&first), AWAKE);
        for half_way in [
            sample(2, (1, 4), (0, 0, 0)),
            sample(2, (0, 4), (0, 0, 0)),
            sample(0, (0, 4), (0, 0, 0)),
        ] {
            let again = Record::of(&half_way, Some(&first), author());
            assert_eq!(again, first, "nothing to write: {half_way:?}");
        }
    }

    #[test]
    fn what_was_woken_by_other_means_is_recorded_as_it_is() {
        let first = Record::of(&sample(2, (1, 4), (0, 10, 3)), None, author());
        let woken = Record::of(&sample(3, (2, 6), (1, 5, 1)), Some(&first), author());
        assert_eq!(sizes(&woken), (3, Some(Bounds { min: 2, max: 6 }), (1, 5, 1)));
    }

    #[test]
    fn a_shutdown_that_was_resumed_says_nothing_of_the_next_one() {
        let first = Record {
            resumed: Some(author().now),
            ..Record::of(&sample(2, (1, 4), (0, 10, 3)), None, author())
        };
        let next = Record::of(&sample(0, (0, 4), (0, 0, 0)), Some(&first), author());
        assert_eq!(sizes(&next), (0, Some(Bounds { min: 0, max: 4 }), (0, 0, 0)));
    }

    #[test]
    fn a_record_of_another_form_is_refused() {
        let record = Record::of(&sample(2, (1, 4), (0, 10, 3)), None, author());
        let text = record.text().unwrap();
        assert_eq!(Record::read("/bp/shutdown", &text).unwrap(), record);
        let later = text.replace("bpctl.shutdown/1", "bpctl.shutdown/9");
        let refused = Record::read("/bp/shutdown", &later).unwrap_err();
        assert!(refused.to_string().contains("bpctl.shutdown/9"), "{refused}");
        assert!(Record::read("/bp/shutdown", "none").is_err());
    }
}
