//! Holds: processes of a fleet's group that an operator has suspended, with who, why and until when on record.
//!
//! The record is a parameter beside the fleet's others, so that every operator and CI can read it. AWS releases
//! nothing at a time: a hold whose time is over is overdue, and stays until it is released.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::aws::Aws;
use crate::aws::autoscaling::Group;
use crate::error::{CtlError, ErrorKind, Result};
use crate::layout::{FleetId, Layout};

/// The form of the record.
pub(crate) const FORM: &str = "bpctl.hold/1";

/// What lets alarms change the desired capacity.
pub(crate) const ALARMS: &str = "AlarmNotification";
/// What starts instances.
pub(crate) const LAUNCH: &str = "Launch";

/// The record of a hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Hold {
    /// `bpctl.hold/1`.
    pub(crate) form: String,
    /// The processes that the hold has suspended: a release resumes these and no others.
    pub(crate) processes: Vec<String>,
    pub(crate) since: Timestamp,
    /// When it is to be released; without it, when an operator releases it.
    pub(crate) until: Option<Timestamp>,
    /// ARN of the principal that holds.
    pub(crate) by: String,
    pub(crate) reason: Option<String>,
    /// The run that wrote it.
    pub(crate) run: String,
    /// When it was released.
    pub(crate) released: Option<Timestamp>,
    /// ARN of the principal that released it.
    pub(crate) released_by: Option<String>,
}

/// What a hold is to be like.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    /// Processes that are to be suspended.
    pub(crate) processes: Vec<String>,
    /// How long from `now` on; without it the time of a hold in force stays.
    pub(crate) lasting: Option<Duration>,
    /// Without it the reason of a hold in force stays.
    pub(crate) reason: Option<String>,
    /// ARN of the principal that holds.
    pub(crate) by: String,
    pub(crate) run: String,
    pub(crate) now: Timestamp,
}

impl Wish {
    /// The processes of the wish that are not suspended yet.
    pub(crate) fn missing(&self, group: &Group) -> Vec<String> {
        let missing = |process: &&String| !group.is_suspended(process);
        self.processes.iter().filter(missing).cloned().collect()
    }

    /// The record that is to be in force: `last` itself where it says all of that already.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] for a time beyond the end of calendars.
    pub(crate) fn record(&self, group: &Group, last: Option<&Hold>) -> Result<Hold> {
        let held = last.filter(|hold| !hold.is_released());
        // What was suspended before the hold is not the hold's to resume.
        let mut processes = held.map(|hold| hold.processes.clone()).unwrap_or_default();
        for process in self.missing(group) {
            if !processes.contains(&process) {
                processes.push(process);
            }
        }
        let now = Timestamp::from_second(self.now.as_second()).unwrap_or(self.now);
        let until = match self.lasting {
            Some(lasting) => Some(
                now.checked_add(lasting)
                    .map_err(|error| CtlError::usage("hold the fleet: `--for` is too long").source(&error))?,
            ),
            None => held.and_then(|hold| hold.until),
        };
        let reason = self
            .reason
            .clone()
            .or_else(|| held.and_then(|hold| hold.reason.clone()));
        if let Some(held) = held
            && held.processes == processes
            && held.until == until
            && held.reason == reason
        {
            return Ok(held.clone());
        }
        Ok(Hold {
            form: FORM.to_owned(),
            processes,
            since: held.map_or(now, |hold| hold.since),
            until,
            by: self.by.clone(),
            reason,
            run: self.run.clone(),
            released: None,
            released_by: None,
        })
    }
}

impl Hold {
    /// # Errors
    /// A text that is no record, or one of a later form.
    pub(crate) fn read(parameter: &str, text: &str) -> Result<Self> {
        let broken = |why: String| {
            CtlError::new(
                ErrorKind::Failed,
                format!("read the hold in `{parameter}`: {why}"),
            )
            .hint("look at the parameter; without a record bpctl does not know which processes a hold has suspended")
        };
        let hold: Self = serde_json::from_str(text).map_err(|error| broken(error.to_string()))?;
        if hold.form == FORM {
            return Ok(hold);
        }
        Err(broken(format!("its form is `{}`, not `{FORM}`", hold.form)))
    }

    /// The value of the parameter.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub(crate) fn text(&self) -> Result<String> {
        serde_json::to_string(self)
            .map_err(|error| CtlError::new(ErrorKind::Unexpected, "write a hold as JSON").source(&error))
    }

    pub(crate) fn is_released(&self) -> bool {
        self.released.is_some()
    }

    /// Whether its time is over and it is not released.
    pub(crate) fn is_overdue(&self, now: Timestamp) -> bool {
        !self.is_released() && self.until.is_some_and(|until| until < now)
    }

    /// One short clause: `held until 18:30 UTC`.
    pub(crate) fn clause(&self, now: Timestamp) -> String {
        match self.until {
            Some(until) if until < now => format!("hold overdue since {}", minute(until)),
            Some(until) => format!("held until {}", minute(until)),
            None => "held".to_owned(),
        }
    }
}

/// `2026-01-15 18:30 UTC`.
pub(crate) fn minute(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// Which of these processes the group has suspended.
pub(crate) fn suspended_of(group: &Group, processes: &[String]) -> Vec<String> {
    let is = |name: &&String| group.is_suspended(name);
    processes.iter().filter(is).cloned().collect()
}

/// Whether the group has something suspended that a hold suspends.
pub(crate) fn may_be_held(group: &Group) -> bool {
    group.is_suspended(ALARMS) || group.is_suspended(LAUNCH)
}

/// The last record of a fleet, also of a hold that is released.
///
/// # Errors
/// When it cannot be read.
pub(crate) async fn last(aws: &Aws, layout: &Layout, fleet: &FleetId) -> Result<Option<Hold>> {
    let name = layout.hold_parameter(fleet);
    let read = aws.parameters(std::slice::from_ref(&name)).await?;
    let Some(parameter) = read.found.get(&name) else {
        return Ok(None);
    };
    Hold::read(&name, parameter.value.expose()).map(Some)
}

/// The holds in force of these fleets, ten fleets a call. A record that cannot be read is an error in its place.
///
/// # Errors
/// When Parameter Store does not answer.
pub(crate) async fn in_force(
    aws: &Aws,
    layout: &Layout,
    fleets: &[FleetId],
) -> Result<BTreeMap<FleetId, Result<Hold>>> {
    let mut holds = records(aws, layout, fleets).await?;
    holds.retain(|_, hold| !hold.as_ref().is_ok_and(Hold::is_released));
    Ok(holds)
}

/// The last records of these fleets, also of holds that are released, ten fleets a call. A record that cannot be read
/// is an error in its place.
///
/// # Errors
/// When Parameter Store does not answer.
pub(crate) async fn records(
    aws: &Aws,
    layout: &Layout,
    fleets: &[FleetId],
) -> Result<BTreeMap<FleetId, Result<Hold>>> {
    if fleets.is_empty() {
        return Ok(BTreeMap::new());
    }
    let names: Vec<String> = fleets.iter().map(|fleet| layout.hold_parameter(fleet)).collect();
    let read = aws.parameters(&names).await?;
    let holds = fleets.iter().zip(&names).filter_map(|(fleet, name)| {
        let hold = Hold::read(name, read.found.get(name)?.value.expose());
        Some((fleet.clone(), hold))
    });
    Ok(holds.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn hold(until: Option<&str>) -> Hold {
        Hold {
            form: FORM.to_owned(),
            processes: vec![ALARMS.to_owned()],
            since: at("2026-01-15T09:00:00Z"),
            until: until.map(at),
            by: "arn:aws:iam::123456789012:user/operator".to_owned(),
            reason: None,
            run: "20260115T090000Z-0123456789ab".to_owned(),
            released: None,
            released_by: None,
        }
    }

    #[test]
    fn a_hold_is_overdue_only_when_its_time_is_over_and_it_is_not_released() {
        let mut hold = hold(Some("2026-01-15T11:00:00Z"));
        assert_eq!(
            hold.clause(at("2026-01-15T10:59:00Z")),
            "held until 2026-01-15 11:00 UTC"
        );
        assert!(!hold.is_overdue(at("2026-01-15T11:00:00Z")));
        assert!(hold.is_overdue(at("2026-01-15T11:00:01Z")));
        assert_eq!(
            hold.clause(at("2026-01-15T11:00:01Z")),
            "hold overdue since 2026-01-15 11:00 UTC"
        );
        hold.released = Some(at("2026-01-15T12:00:00Z"));
        assert!(!hold.is_overdue(at("2026-01-16T11:00:01Z")));
        assert!(!self::hold(None).is_overdue(Timestamp::MAX));
    }

    #[test]
    fn a_record_of_another_form_is_refused() {
        let text = hold(None).text().unwrap();
        assert_eq!(Hold::read("/x", &text).unwrap(), hold(None));
        let later = text.replace("bpctl.hold/1", "bpctl.hold/9");
        assert!(
            Hold::read("/x", &later)
                .unwrap_err()
                .to_string()
                .contains("bpctl.hold/9")
        );
        assert!(Hold::read("/x", "none").is_err());
    }
}
