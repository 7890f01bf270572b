//! What the platform had before it was shut down, where every operator and CI can read it: a parameter of bpctl's own,
//! whose versions are its history.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::platform::Platform;
use crate::aws::Aws;
use crate::error::{CtlError, ErrorKind, Result};
use crate::layout::{FleetId, Layout};

/// The form that is written.
const FORM: &str = "bpctl.shutdown/2";

/// The form before it, which is read as well: each fleet with a size of its own.
const FIRST_FORM: &str = "bpctl.shutdown/1";

/// Bytes of a value: "Advanced: maximum size of a parameter value 8 KB" (Systems Manager User Guide, "Managing
/// parameter tiers").
pub(super) const LONGEST: usize = 8192;

/// Bytes that are kept free for the end of a shutdown: its time, and the ARN of who ended it.
pub(super) const FOR_THE_END: usize = 512;

/// The record of a shutdown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// The run that wrote it last.
    pub(crate) run: String,
    /// ARN of the principal that shut the platform down.
    pub(crate) by: String,
    pub(crate) since: Timestamp,
    pub(crate) reason: Option<String>,
    pub(crate) services: BTreeMap<String, ServiceSize>,
    pub(crate) fleets: BTreeMap<FleetId, FleetSize>,
    /// The database instance that the shutdown has stopped.
    #[serde(default)]
    pub(crate) database: Option<String>,
    /// When it was resumed.
    pub(crate) resumed: Option<Timestamp>,
    /// ARN of the principal that resumed it.
    pub(crate) resumed_by: Option<String>,
}

/// The value of the parameter: fleets of the same size are named together, so that hundreds of them fit.
#[derive(Debug, Serialize, Deserialize)]
struct Stored {
    form: String,
    run: String,
    by: String,
    since: Timestamp,
    reason: Option<String>,
    services: BTreeMap<String, ServiceSize>,
    fleets: Vec<SameSize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    database: Option<String>,
    resumed: Option<Timestamp>,
    resumed_by: Option<String>,
}

/// Fleets of one size.
#[derive(Debug, Serialize, Deserialize)]
struct SameSize {
    #[serde(flatten)]
    size: FleetSize,
    /// Slugs by stage.
    of: BTreeMap<String, Vec<String>>,
}

/// What a service had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ServiceSize {
    pub(crate) desired: i32,
    /// Absent without service auto scaling.
    pub(crate) bounds: Option<Bounds>,
}

/// Minimum and maximum of service auto scaling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Bounds {
    pub(crate) min: i32,
    pub(crate) max: i32,
}

/// What the group of a fleet had.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
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
    /// it; what runs (again) is recorded as it is. `database` is the instance that is going to be stopped.
    pub(crate) fn of(
        platform: &Platform,
        database: Option<&str>,
        last: Option<&Self>,
        author: Author,
    ) -> Self {
        let held = last.filter(|last| last.resumed.is_none());
        let mut record = Self {
            run: author.run,
            by: author.by,
            since: author.now,
            reason: author.reason,
            services: held.map(|held| held.services.clone()).unwrap_or_default(),
            fleets: held.map(|held| held.fleets.clone()).unwrap_or_default(),
            database: database
                .map(str::to_owned)
                .or_else(|| held.and_then(|held| held.database.clone())),
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
            Some(held) if held.is_about_the_same(&record) => held.clone(),
            _ => record,
        }
    }

    fn is_about_the_same(&self, other: &Self) -> bool {
        self.services == other.services && self.fleets == other.fleets && self.database == other.database
    }

    /// # Errors
    /// A text that is no record, or one of a later form.
    fn read(parameter: &str, text: &str) -> Result<Self> {
        /// What every form has.
        #[derive(Deserialize)]
        struct AnyForm {
            form: String,
        }
        let broken = |why: String| {
            CtlError::new(
                ErrorKind::Failed,
                format!("read the shutdown in `{parameter}`: {why}"),
            )
            .hint("look at the parameter and its history: without a record bpctl does not know what the platform had")
        };
        let no_record = |error: serde_json::Error| broken(error.to_string());
        let AnyForm { form } = serde_json::from_str(text).map_err(no_record)?;
        match form.as_str() {
            FORM => {
                let stored: Stored = serde_json::from_str(text).map_err(no_record)?;
                stored.record().map_err(broken)
            }
            FIRST_FORM => serde_json::from_str(text).map_err(no_record),
            other => Err(broken(format!("its form is `{other}`, not `{FORM}`"))),
        }
    }

    /// The value of the parameter.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub(crate) fn text(&self) -> Result<String> {
        serde_json::to_string(&Stored::of(self.clone()))
            .map_err(|error| CtlError::new(ErrorKind::Unexpected, "write a shutdown as JSON").source(&error))
    }
}

impl Stored {
    fn of(record: Record) -> Self {
        let mut sizes: BTreeMap<FleetSize, BTreeMap<String, Vec<String>>> = BTreeMap::new();
        for (fleet, size) in record.fleets {
            let stages = sizes.entry(size).or_default();
            let slugs = stages.entry(fleet.stage.to_string()).or_default();
            slugs.push(fleet.slug.to_string());
        }
        let fleets = sizes.into_iter().map(|(size, of)| SameSize { size, of });
        Self {
            form: FORM.to_owned(),
            run: record.run,
            by: record.by,
            since: record.since,
            reason: record.reason,
            services: record.services,
            fleets: fleets.collect(),
            database: record.database,
            resumed: record.resumed,
            resumed_by: record.resumed_by,
        }
    }

    fn record(self) -> std::result::Result<Record, String> {
        let mut fleets = BTreeMap::new();
        for SameSize { size, of } in self.fleets {
            for (stage, slugs) in of {
                for slug in slugs {
                    let fleet: FleetId = format!("{stage}/{slug}")
                        .parse()
                        .map_err(|error| format!("{error}"))?;
                    fleets.insert(fleet, size.clone());
                }
            }
        }
        Ok(Record {
            run: self.run,
            by: self.by,
            since: self.since,
            reason: self.reason,
            services: self.services,
            fleets,
            database: self.database,
            resumed: self.resumed,
            resumed_by: self.resumed_by,
        })
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
        let first = Record::of(&sample(2, (1, 4), (0, 10, 3)), None, None, author());
        assert_eq!(sizes(&first), AWAKE);
        for half_way in [
            sample(2, (1, 4), (0, 0, 0)),
            sample(2, (0, 4), (0, 0, 0)),
            sample(0, (0, 4), (0, 0, 0)),
        ] {
            let again = Record::of(&half_way, None, Some(&first), author());
            assert_eq!(again, first, "nothing to write: {half_way:?}");
        }
    }

    #[test]
    fn what_was_woken_by_other_means_is_recorded_as_it_is() {
        let first = Record::of(&sample(2, (1, 4), (0, 10, 3)), None, None, author());
        let woken = Record::of(&sample(3, (2, 6), (1, 5, 1)), None, Some(&first), author());
        assert_eq!(sizes(&woken), (3, Some(Bounds { min: 2, max: 6 }), (1, 5, 1)));
    }

    #[test]
    fn a_shutdown_that_was_resumed_says_nothing_of_the_next_one() {
        let first = Record {
            resumed: Some(author().now),
            ..Record::of(&sample(2, (1, 4), (0, 10, 3)), None, None, author())
        };
        let next = Record::of(&sample(0, (0, 4), (0, 0, 0)), None, Some(&first), author());
        assert_eq!(sizes(&next), (0, Some(Bounds { min: 0, max: 4 }), (0, 0, 0)));
    }

    #[test]
    fn a_record_of_another_form_is_refused() {
        let record = Record::of(&sample(2, (1, 4), (0, 10, 3)), None, None, author());
        let text = record.text().unwrap();
        assert_eq!(Record::read("/bp/shutdown", &text).unwrap(), record);
        let later = text.replace("bpctl.shutdown/2", "bpctl.shutdown/9");
        let refused = Record::read("/bp/shutdown", &later).unwrap_err();
        assert!(refused.to_string().contains("bpctl.shutdown/9"), "{refused}");
        assert!(Record::read("/bp/shutdown", "none").is_err());
    }

    #[test]
    fn a_record_of_the_first_form_is_read() {
        let text = r#"{"form": "bpctl.shutdown/1", "run": "r", "by": "operator", "since": "2026-01-15T09:00:00Z",
            "reason": null, "services": {"bp-backend": {"desired": 2, "bounds": {"min": 1, "max": 4}}},
            "fleets": {"production/a": {"min": 0, "max": 10, "desired": 3}}, "resumed": null, "resumed_by": null}"#;
        assert_eq!(sizes(&Record::read("/bp/shutdown", text).unwrap()), AWAKE);
    }

    #[test]
    fn a_database_that_is_going_to_be_stopped_is_a_new_record_and_stays_on_it() {
        let first = Record::of(&sample(0, (0, 4), (0, 0, 0)), None, None, author());
        let stops = Record::of(
            &sample(0, (0, 4), (0, 0, 0)),
            Some("bp-db"),
            Some(&first),
            author(),
        );
        assert_eq!(stops.database.as_deref(), Some("bp-db"));
        let again = Record::of(&sample(0, (0, 4), (0, 0, 0)), None, Some(&stops), author());
        assert_eq!(again, stops);
        assert_eq!(Record::read("/x", &stops.text().unwrap()).unwrap(), stops);
    }

    #[test]
    fn two_hundred_fleets_of_five_sizes_fit_and_are_read_back() {
        let mut record = Record::of(&sample(2, (1, 4), (0, 10, 3)), None, None, author());
        for number in 0..200 {
            let stage = if number % 2 == 0 { "production" } else { "staging" };
            let fleet = format!("{stage}/upscale-and-restore-{number:03}")
                .parse()
                .unwrap();
            let size = FleetSize {
                min: 0,
                max: 10,
                desired: number % 5,
                suspended: Vec::new(),
            };
            record.fleets.insert(fleet, size);
        }
        let text = record.text().unwrap();
        assert!(text.len() + FOR_THE_END <= LONGEST, "{} bytes", text.len());
        assert_eq!(Record::read("/bp/shutdown", &text).unwrap(), record);
    }
}
