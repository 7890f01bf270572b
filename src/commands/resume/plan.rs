//! What the end of a shutdown does. Pure.

use crate::aws::autoscaling::ResizeGroup;
use crate::aws::rds::DbInstance;
use crate::aws::rds::power::Power;
use crate::change::{Blocker, OnFailure, Plan, Step};
use crate::commands::shutdown::platform::Platform;
use crate::commands::shutdown::record::{FleetSize, Record, ServiceSize};
use crate::commands::shutdown::steps::{self, Action};
use crate::error::{CommandLine, ErrorKind, Hint, Result};
use crate::fleet::size as told;
use crate::layout::Layout;

/// What to do with services and fleets that are neither down nor as they were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Meanwhile {
    /// Stop and say so.
    #[default]
    Ask,
    /// Give them what is on record all the same.
    Overwrite,
    /// Leave them as they are.
    Keep,
}

/// What a resume is planned from.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(super) platform: Platform,
    pub(super) last: Option<Record>,
    /// The database that the shutdown has stopped; `None` when it has stopped none, or when it is gone.
    pub(super) database: Option<DbInstance>,
}

impl Seen {
    /// The shutdown that is to end.
    pub(super) fn held(&self) -> Option<&Record> {
        self.last.as_ref().filter(|last| last.resumed.is_none())
    }
}

/// Services first, the fleets when the services are healthy, whose backend their workers register with, and the record
/// last: as long as anything is to do, the shutdown is on record.
///
/// # Errors
/// When the record cannot be written as JSON.
pub(super) fn plan(
    layout: &Layout,
    seen: &Seen,
    resumed: impl FnOnce(&Record) -> Record,
    meanwhile: Meanwhile,
) -> Result<Plan<Action>> {
    let title = format!("resume {}", layout.cluster());
    let Some(record) = seen.held() else {
        let mut plan = Plan::new(title, Vec::new());
        if seen.last.is_none() {
            plan.blockers.push(Blocker {
                kind: ErrorKind::NotFound,
                reason: format!(
                    "resume {}: no shutdown is on record in `{}`",
                    layout.cluster(),
                    layout.shutdown_parameter()
                ),
                hint: Hint::new("see what runs with").command(CommandLine::bpctl(["get", "services,fleets"])),
            });
        }
        return Ok(plan);
    };
    let mut wake = Wake {
        layout,
        meanwhile,
        steps: Vec::new(),
        changed: Vec::new(),
    };
    let blocked = wake.database(record, seen.database.as_ref());
    let first: Vec<String> = wake.steps.iter().map(|step| step.id.clone()).collect();
    for (name, size) in &record.services {
        wake.service(&seen.platform, name, size);
    }
    for step in wake.steps.iter_mut().skip(first.len()) {
        // Without its database a task of the backend is never healthy.
        step.needs.extend(first.iter().cloned());
        step.waits = seen.database.as_ref().is_some_and(|database| !database.is_up());
    }
    let services: Vec<String> = wake.steps.iter().map(|step| step.id.clone()).collect();
    let waits_for_services = !record.services.is_empty() || record.database.is_some();
    for (fleet, size) in &record.fleets {
        let before = wake.steps.len();
        wake.fleet(&seen.platform, fleet, size);
        for step in wake.steps.iter_mut().skip(before) {
            step.needs.clone_from(&services);
            step.waits = waits_for_services;
        }
    }
    let Wake {
        mut steps, changed, ..
    } = wake;
    let mut last = steps::write(layout, &resumed(record), Some(record))?;
    last.summary = "mark the shutdown as resumed".to_owned();
    last.needs = steps.iter().map(|step| step.id.clone()).collect();
    last.waits = waits_for_services;
    steps.push(last);
    for step in &mut steps {
        step.on_failure = OnFailure::Stop;
    }
    let mut plan = Plan::new(title, steps);
    plan.at_once = 4;
    plan.blockers.extend(blocked);
    if meanwhile == Meanwhile::Ask && !changed.is_empty() {
        plan.blockers.push(Blocker {
            kind: ErrorKind::Changed,
            reason: format!(
                "resume {}: changed since the shutdown: {}",
                layout.cluster(),
                changed.join("; ")
            ),
            hint: Hint::new(
                "give `--overwrite` to set these to what is on record too, or `--keep` to leave them",
            ),
        });
    }
    plan.warnings = changed;
    if steps::size_changes(&plan) {
        plan.warnings
            .push("scaling policies stay in force and may change the fleets again".to_owned());
    }
    Ok(plan)
}

struct Wake<'a> {
    layout: &'a Layout,
    meanwhile: Meanwhile,
    steps: Vec<Step<Action>>,
    /// What is neither down nor as it was, a clause each.
    changed: Vec<String>,
}

impl Wake<'_> {
    /// Starts the database that the shutdown has stopped, or says why it cannot be.
    fn database(&mut self, record: &Record, now: Option<&DbInstance>) -> Option<Blocker> {
        let id = record.database.as_ref()?;
        let Some(instance) = now else {
            self.changed
                .push(format!("the database {id} is not there any more"));
            return None;
        };
        match instance.power() {
            Power::Off | Power::Stopping => self.steps.push(steps::start(instance)),
            // AWS starts it by itself after seven days.
            Power::On | Power::Busy | Power::Starting => {}
            Power::Other => {
                return Some(Blocker {
                    kind: ErrorKind::Conflict,
                    reason: format!("start the database {id}: it is `{}`", instance.status),
                    hint: Hint::new("find out why with").command(CommandLine::bpctl(["triage"])),
                });
            }
        }
        None
    }

    fn service(&mut self, platform: &Platform, name: &str, size: &ServiceSize) {
        let Some(part) = platform.services.get(name) else {
            self.changed.push(format!("{name} is not there any more"));
            return;
        };
        let cluster = self.layout.cluster();
        let now = part.service.desired;
        let mut needs = Vec::new();
        if now != size.desired {
            if now != 0 {
                self.changed.push(format!(
                    "{name} has a desired count of {now}, on record are {}",
                    size.desired
                ));
            }
            if now == 0 || self.meanwhile == Meanwhile::Overwrite {
                let step = steps::count(&cluster, name, now, size.desired);
                needs.push(step.id.clone());
                self.steps.push(step);
            }
        }
        let (Some(before), Some(after)) = (part.bounds, size.bounds) else {
            if part.bounds.is_some() != size.bounds.is_some() {
                self.changed
                    .push(format!("{name} has or had no auto scaling, which stays so"));
            }
            return;
        };
        if before == after {
            return;
        }
        let down = before.min == 0 && before.max == after.max;
        if !down {
            self.changed.push(format!(
                "{name} scales from {} to {} tasks, on record are {} to {}",
                before.min, before.max, after.min, after.max
            ));
        }
        if down || self.meanwhile == Meanwhile::Overwrite {
            let mut step = steps::bounds(&cluster, name, before, after);
            // A minimum above the desired count would lift it before its own step.
            step.needs = needs;
            self.steps.push(step);
        }
    }

    fn fleet(&mut self, platform: &Platform, fleet: &crate::layout::FleetId, size: &FleetSize) {
        let Some(group) = platform.groups.get(fleet) else {
            self.changed.push(format!("{fleet} is not there any more"));
            return;
        };
        let suspended: Vec<String> = group
            .suspended
            .iter()
            .map(|(process, _)| process.clone())
            .collect();
        if suspended != size.suspended {
            self.changed.push(format!(
                "{fleet} has other suspended processes ({}), which stay so",
                if suspended.is_empty() {
                    "none".to_owned()
                } else {
                    suspended.join(", ")
                }
            ));
        }
        // Its policies may have changed the desired capacity as soon as its bounds were back.
        if (group.min, group.max) == (size.min, size.max) {
            return;
        }
        let down = group.size() == (0, 0, 0);
        if !down {
            self.changed.push(format!(
                "{fleet} is at {}, on record is {}",
                told(group.size()),
                told((size.min, size.max, size.desired))
            ));
        }
        if down || self.meanwhile == Meanwhile::Overwrite {
            let call = ResizeGroup {
                group: group.name.clone(),
                min: Some(size.min),
                max: Some(size.max),
                desired: Some(size.desired),
                resource: format!("asg/{fleet}"),
                loses: None,
            };
            self.steps.push(steps::resize(fleet, call, group, false));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::shutdown::platform::sample;
    use crate::commands::shutdown::record::Author;
    use crate::layout::LayoutKind;

    fn record() -> Record {
        let author = Author {
            run: "r".to_owned(),
            by: "operator".to_owned(),
            now: jiff::Timestamp::UNIX_EPOCH,
            reason: None,
        };
        Record::of(&sample(2, (1, 4), (0, 10, 3)), None, None, author)
    }

    fn planned(platform: Platform, last: Option<Record>, meanwhile: Meanwhile) -> Plan<Action> {
        let layout = Layout::new(LayoutKind::Single, "bp", None).unwrap();
        let resumed = |record: &Record| Record {
            resumed: Some(jiff::Timestamp::UNIX_EPOCH),
            ..record.clone()
        };
        let seen = Seen {
            platform,
            last,
            database: None,
        };
        plan(&layout, &seen, resumed, meanwhile).unwrap()
    }

    fn with_database(status: Option<&str>) -> Plan<Action> {
        let layout = Layout::new(LayoutKind::Single, "bp", None).unwrap();
        let last = Record {
            database: Some("bp-db".to_owned()),
            ..record()
        };
        let database = status.map(|status| DbInstance {
            id: "bp-db".to_owned(),
            status: status.to_owned(),
            ..DbInstance::default()
        });
        let seen = Seen {
            platform: sample(0, (0, 4), (0, 0, 0)),
            last: Some(last),
            database,
        };
        plan(&layout, &seen, Record::clone, Meanwhile::Ask).unwrap()
    }

    #[test]
    fn the_database_comes_before_the_services() {
        for status in ["stopped", "stopping"] {
            let plan = with_database(Some(status));
            assert_eq!(
                ids(&plan),
                [
                    "database bp-db",
                    "bp-backend",
                    "bounds of bp-backend",
                    "production/a",
                    "record"
                ]
            );
            assert_eq!(plan.steps[1].needs, ["database bp-db"]);
            assert!(plan.steps.iter().all(|step| step.waits));
        }
        // AWS has started it: there is nothing to start, and the services wait until it serves.
        let plan = with_database(Some("starting"));
        assert_eq!(ids(&plan)[0], "bp-backend");
        assert!(plan.steps[0].waits);
    }

    #[test]
    fn a_database_that_is_gone_or_broken_is_told_before_anything_is_written() {
        let gone = with_database(None);
        assert_eq!(gone.blockers[0].kind, ErrorKind::Changed);
        assert!(gone.blockers[0].reason.contains("bp-db is not there any more"));
        assert_eq!(
            with_database(Some("failed")).blockers[0].kind,
            ErrorKind::Conflict
        );
    }

    fn ids(plan: &Plan<Action>) -> Vec<&str> {
        plan.steps.iter().map(|step| step.id.as_str()).collect()
    }

    #[test]
    fn services_come_first_and_the_record_last() {
        let plan = planned(sample(0, (0, 4), (0, 0, 0)), Some(record()), Meanwhile::Ask);
        assert_eq!(
            ids(&plan),
            ["bp-backend", "bounds of bp-backend", "production/a", "record"]
        );
        assert_eq!(plan.steps[1].needs, ["bp-backend"]);
        assert!(plan.steps[2].waits && plan.steps[3].waits);
        assert!(plan.blockers.is_empty(), "{:?}", plan.blockers);
    }

    #[test]
    fn what_is_back_already_needs_no_step() {
        let plan = planned(sample(2, (0, 4), (0, 10, 1)), Some(record()), Meanwhile::Ask);
        assert_eq!(ids(&plan), ["bounds of bp-backend", "record"]);
    }

    #[test]
    fn what_was_changed_meanwhile_is_said_and_asked_about() {
        let changed = || sample(5, (2, 9), (1, 1, 1));
        let asked = planned(changed(), Some(record()), Meanwhile::Ask);
        let [blocker] = asked.blockers.as_slice() else {
            panic!("{:?}", asked.blockers)
        };
        assert_eq!(blocker.kind, ErrorKind::Changed);
        for part in ["count of 5", "from 2 to 9", "production/a is at desired 1"] {
            assert!(blocker.reason.contains(part), "{part}: {}", blocker.reason);
        }
        let kept = planned(changed(), Some(record()), Meanwhile::Keep);
        assert_eq!((ids(&kept), kept.blockers.len()), (vec!["record"], 0));
        let overwritten = planned(changed(), Some(record()), Meanwhile::Overwrite);
        assert_eq!(
            ids(&overwritten),
            ["bp-backend", "bounds of bp-backend", "production/a", "record"]
        );
    }

    #[test]
    fn without_a_shutdown_on_record_there_is_nothing_to_resume() {
        let none = planned(sample(0, (0, 4), (0, 0, 0)), None, Meanwhile::Ask);
        assert_eq!(none.blockers[0].kind, ErrorKind::NotFound);
        let over = Record {
            resumed: Some(jiff::Timestamp::UNIX_EPOCH),
            ..record()
        };
        let over = planned(sample(0, (0, 4), (0, 0, 0)), Some(over), Meanwhile::Ask);
        assert!(over.steps.is_empty() && over.blockers.is_empty());
    }
}
