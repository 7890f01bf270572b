//! What a shutdown does. Pure.

use std::collections::BTreeMap;

use super::database::Database;
use super::platform::Platform;
use super::record::{Author, Bounds, FOR_THE_END, LONGEST, Record};
use super::steps::{self, Action};
use crate::aws::autoscaling::ResizeGroup;
use crate::change::{Blocker, Loss, OnFailure, Plan};
use crate::error::{CommandLine, ErrorKind, Hint, Result};
use crate::fleet::Verdict;
use crate::layout::{FleetId, Layout};

/// What a shutdown is planned from.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(super) platform: Platform,
    pub(super) last: Option<Record>,
    /// What the fleets that have instances do.
    pub(super) work: BTreeMap<FleetId, Verdict>,
    /// The database, where it is to be stopped.
    pub(super) database: Option<Database>,
}

impl Seen {
    /// What is going to be on record.
    pub(super) fn record(&self, author: Author) -> Record {
        let database = self.database.as_ref().and_then(Database::to_stop);
        let database = database.map(|instance| instance.id.as_str());
        Record::of(&self.platform, database, self.last.as_ref(), author)
    }
}

/// The record, then fleets, bounds of the services, and the services last: the backend publishes the metrics that tell
/// when a fleet's jobs are done.
///
/// # Errors
/// When the record cannot be written as JSON.
pub(super) fn plan(layout: &Layout, seen: &Seen, author: Author, drain: bool) -> Result<Plan<Action>> {
    let now = author.now;
    let record = seen.record(author);
    let mut steps = Vec::new();
    let mut fleets = Vec::new();
    for (fleet, group) in &seen.platform.groups {
        if group.size() == (0, 0, 0) {
            continue;
        }
        let busy = seen
            .work
            .get(fleet)
            .is_some_and(|verdict| *verdict != Verdict::Idle);
        let loses = (busy && !drain).then(|| Loss::Work(format!("jobs of {fleet}")));
        let call = ResizeGroup {
            group: group.name.clone(),
            min: Some(0),
            max: Some(0),
            desired: Some(0),
            resource: format!("asg/{fleet}"),
            loses,
        };
        let mut step = steps::resize(fleet, call, group, !busy || drain);
        step.waits = drain;
        fleets.push(step.id.clone());
        steps.push(step);
    }
    let cluster = layout.cluster();
    for (name, part) in &seen.platform.services {
        let mut needs = fleets.clone();
        if let Some(before) = part.bounds.filter(|bounds| bounds.min > 0) {
            let after = Bounds { min: 0, ..before };
            let mut step = steps::bounds(&cluster, name, before, after);
            step.needs.clone_from(&fleets);
            needs.push(step.id.clone());
            steps.push(step);
        }
        if part.service.desired > 0 {
            let mut step = steps::count(&cluster, name, part.service.desired, 0);
            step.needs = needs;
            steps.push(step);
        }
    }
    let mut plan = Plan::new(format!("shut down {}", layout.cluster()), steps);
    if let Some(database) = &seen.database {
        database.plan(&mut plan, record.database.is_some(), now);
    }
    // Nothing is taken down whose size is not on record.
    let steps = &mut plan.steps;
    if !steps.is_empty() && seen.last.as_ref() != Some(&record) {
        for step in steps.iter_mut() {
            step.needs.push(steps::RECORD.to_owned());
        }
        steps.insert(0, steps::write(layout, &record, seen.last.as_ref())?);
    }
    for step in steps {
        step.on_failure = OnFailure::Stop;
    }
    plan.at_once = 4;
    plan.warnings.extend(warnings(seen, &plan));
    let length = record.text()?.len();
    let longest = LONGEST - FOR_THE_END;
    if length > longest {
        plan.blockers.push(Blocker {
            kind: ErrorKind::Quota,
            reason: format!(
                "put the sizes of {} fleets on record: {length} bytes, and there is room for {longest} in a parameter",
                record.fleets.len()
            ),
            hint: Hint::new("take the fleets down without a record with")
                .command(CommandLine::bpctl(["fleet", "scale-to-zero", "--all", "--hold"]))
                .and("and the services with")
                .command(CommandLine::bpctl(["shutdown", "--scope", "app"])),
        });
    }
    Ok(plan)
}

fn warnings(seen: &Seen, plan: &Plan<Action>) -> Vec<String> {
    if plan.steps.is_empty() {
        return Vec::new();
    }
    let mut warnings = Vec::new();
    if !seen.platform.services.is_empty() {
        warnings.push(
            "the application answers nobody, and the backend publishes no metrics: alarms on missing data fire"
                .to_owned(),
        );
    }
    let held = seen.last.as_ref().filter(|last| last.resumed.is_none());
    if let Some(held) = held {
        warnings.push(format!(
            "a shutdown by {} is on record: what runs again is recorded as it is now, the rest as it was then",
            held.by
        ));
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::super::platform::sample;
    use super::*;
    use crate::layout::LayoutKind;

    fn author() -> Author {
        Author {
            run: "r".to_owned(),
            by: "operator".to_owned(),
            now: jiff::Timestamp::UNIX_EPOCH,
            reason: None,
        }
    }

    fn planned(platform: Platform, last: Option<Record>, busy: bool, drain: bool) -> Plan<Action> {
        let verdict = Verdict::Busy {
            queued: 2,
            busy_workers: 0,
        };
        let fleets = platform.groups.keys().cloned();
        let work = fleets
            .map(|fleet| (fleet, if busy { verdict.clone() } else { Verdict::Idle }))
            .collect();
        let seen = Seen {
            platform,
            last,
            work,
            database: None,
        };
        let layout = Layout::new(LayoutKind::Single, "bp", None).unwrap();
        plan(&layout, &seen, author(), drain).unwrap()
    }

    fn ids(plan: &Plan<Action>) -> Vec<&str> {
        plan.steps.iter().map(|step| step.id.as_str()).collect()
    }

    #[test]
    fn the_record_comes_first_and_the_services_last() {
        let plan = planned(sample(1, (1, 4), (0, 10, 2)), None, false, false);
        assert_eq!(
            ids(&plan),
            ["record", "production/a", "bounds of bp-backend", "bp-backend"]
        );
        assert_eq!(plan.steps[1].needs, ["record"]);
        assert_eq!(
            plan.steps[3].needs,
            ["production/a", "bounds of bp-backend", "record"]
        );
        assert!(
            plan.steps
                .iter()
                .all(|step| step.calls.iter().all(|call| call.loses.is_none()))
        );
    }

    #[test]
    fn jobs_are_lost_unless_they_are_waited_for() {
        let loses = |plan: &Plan<Action>| plan.steps[1].calls[0].loses.is_some();
        let hard = planned(sample(1, (1, 4), (0, 10, 2)), None, true, false);
        assert!(loses(&hard) && !hard.steps[1].waits);
        let gentle = planned(sample(1, (1, 4), (0, 10, 2)), None, true, true);
        assert!(!loses(&gentle) && gentle.steps[1].waits);
    }

    #[test]
    fn what_is_down_needs_no_step_and_what_is_on_record_no_second_writing() {
        assert!(
            planned(sample(0, (0, 4), (0, 0, 0)), None, false, false)
                .steps
                .is_empty()
        );
        let record = Record::of(&sample(1, (1, 4), (0, 10, 2)), None, None, author());
        let half_way = planned(sample(1, (0, 4), (0, 0, 0)), Some(record), false, false);
        assert_eq!(ids(&half_way), ["bp-backend"]);
    }

    #[test]
    fn more_than_a_parameter_holds_is_refused_before_anything_is_written() {
        let mut platform = sample(1, (1, 4), (0, 10, 2));
        let group = platform.groups.values().next().unwrap().clone();
        for number in 0..200 {
            let fleet = format!("production/upscale-and-restore-old-photographs-{number:03}")
                .parse()
                .unwrap();
            platform.groups.insert(fleet, group.clone());
        }
        let plan = planned(platform, None, false, false);
        assert_eq!(plan.blockers.len(), 1, "{:?}", plan.blockers);
        assert_eq!(plan.blockers[0].kind, ErrorKind::Quota);
    }
}
