//! Everything that was seen, and since when: what could not be seen again stays, and says how old it is and why.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::Timestamp;

use crate::aws::autoscaling::{Activity, Policy};
use crate::aws::cloudwatch::Alarm;
use crate::error::ErrorKind;
use crate::fleet::activity::desired_change;
use crate::layout::{FleetId, Layout};
use crate::triage::probes::glance::Glance;
use crate::triage::report::{Report, is_blindness};
use crate::triage::snapshot::{Blind, Checked, FleetGroup, FleetMetrics, Rollout, Service, Snapshot};

/// Minutes that a sparkline goes back.
pub(super) const MINUTES: usize = 60;

/// How many changes of a fleet's desired capacity are remembered.
const CHANGES: usize = 240;

/// How many comings and goings of findings are remembered.
const NOTES: usize = 50;

/// An answer of AWS that outlives later failures.
#[derive(Clone, Debug)]
pub(super) struct Kept<T> {
    seen: Option<(T, Timestamp)>,
    trouble: Option<Trouble>,
}

/// Why something was not seen again.
#[derive(Clone, Debug)]
pub(super) struct Trouble {
    pub(super) blind: Blind,
    /// When it was not seen for the first time.
    pub(super) since: Timestamp,
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self {
            seen: None,
            trouble: None,
        }
    }
}

impl<T> Kept<T> {
    fn take(&mut self, answer: Checked<T>, now: Timestamp) {
        match answer {
            Ok(value) => {
                self.seen = Some((value, now));
                self.trouble = None;
            }
            Err(blind) => {
                let since = self.trouble.as_ref().map_or(now, |trouble| trouble.since);
                self.trouble = Some(Trouble { blind, since });
            }
        }
    }

    /// What was seen last.
    pub(super) fn value(&self) -> Option<&T> {
        self.seen.as_ref().map(|(value, _)| value)
    }

    /// When that was.
    pub(super) fn at(&self) -> Option<Timestamp> {
        self.seen.as_ref().map(|(_, at)| *at)
    }

    /// Why it is not newer.
    pub(super) fn trouble(&self) -> Option<&Trouble> {
        self.trouble.as_ref()
    }
}

/// A finding that came or went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Note {
    pub(super) at: Timestamp,
    pub(super) text: String,
    pub(super) came: bool,
}

/// The whole picture.
#[derive(Debug, Default)]
pub(super) struct Picture {
    pub(super) services: Kept<Vec<Service>>,
    pub(super) groups: Kept<Vec<FleetGroup>>,
    pub(super) alarms: Kept<Vec<Alarm>>,
    pub(super) fleet_alarms: Kept<Vec<Alarm>>,
    pub(super) rollouts: Kept<Vec<Rollout>>,
    pub(super) activities: Kept<Vec<Activity>>,
    pub(super) metrics: Kept<BTreeMap<FleetId, FleetMetrics>>,
    /// The findings of the last whole look that saw anything.
    pub(super) report: Option<(Report, Timestamp)>,
    /// Findings by key that were not there, or were others, at the look before.
    pub(super) fresh: BTreeSet<String>,
    pub(super) notes: VecDeque<Note>,
    /// Findings in short, by key, as far as is known.
    found: Option<BTreeMap<String, serde_json::Value>>,
    /// What the fleets' alarms are called that no layout names.
    pub(super) policies: BTreeMap<String, Vec<Policy>>,
    desired: BTreeMap<FleetId, VecDeque<(Timestamp, u32)>>,
}

impl Picture {
    /// Takes in what was seen at a glance.
    pub(super) fn glanced(&mut self, glance: Glance, now: Timestamp) {
        self.services.take(glance.services, now);
        self.groups.take(glance.groups, now);
        self.alarms.take(glance.alarms, now);
        self.fleet_alarms.take(glance.fleet_alarms, now);
        if let Some(rollouts) = glance.rollouts {
            self.rollouts.take(rollouts, now);
        }
        if let Some(activities) = glance.activities {
            self.activities.take(activities, now);
        }
        if let Some(metrics) = glance.fleet_metrics {
            self.metrics.take(metrics, now);
        }
        self.note_desired(now);
    }

    /// Takes in a whole look, as `triage` judges it. One that saw nothing says why and changes nothing else.
    pub(super) fn looked(&mut self, snapshot: &Snapshot, report: Report, now: Timestamp) {
        self.glanced(Glance::of(snapshot), now);
        if let Ok(policies) = &snapshot.policies {
            self.policies.clone_from(policies);
        }
        if report.is_blind() {
            return;
        }
        self.compare(&report, now);
        self.report = Some((report, now));
    }

    /// What came and what went since the looks before. Where something could not be checked, what is not found may still be
    /// there: nothing has gone then. That something could not be checked is no finding that comes or goes.
    fn compare(&mut self, report: &Report, now: Timestamp) {
        let blind: BTreeSet<String> = report
            .all()
            .filter(|finding| is_blindness(finding))
            .map(|finding| format!("{} {}", finding.code.id(), finding.subject))
            .collect();
        let mut after = report.in_short();
        after.retain(|key, _| !blind.contains(key));
        let Some(before) = &mut self.found else {
            self.found = Some(after);
            return;
        };
        let told = |one: &serde_json::Value| {
            let text = |name: &str| one[name].as_str().unwrap_or_default().to_owned();
            format!("{} {}: {}", text("code"), text("title"), text("subject"))
        };
        let mut notes = Vec::new();
        self.fresh.clear();
        for (key, one) in &after {
            if before.get(key) == Some(one) {
                continue;
            }
            self.fresh.insert(key.clone());
            if !before.contains_key(key) {
                notes.push((told(one), true));
            }
        }
        if report.unchecked().is_empty() {
            let gone = before.iter().filter(|(key, _)| !after.contains_key(*key));
            notes.extend(gone.map(|(_, one)| (told(one), false)));
            *before = after;
        } else {
            before.extend(after);
        }
        for (text, came) in notes {
            self.notes.push_front(Note { at: now, text, came });
        }
        self.notes.truncate(NOTES);
    }

    fn note_desired(&mut self, now: Timestamp) {
        if self.groups.at() != Some(now) {
            return;
        }
        for group in self.groups.value().into_iter().flatten() {
            let seen = self.desired.entry(group.fleet.clone()).or_default();
            if seen.back().is_none_or(|(_, desired)| *desired != group.desired) {
                seen.push_back((now, group.desired));
            }
            if seen.len() > CHANGES {
                seen.pop_front();
            }
        }
    }

    /// Why the picture is not what it should be: the worst trouble, with credentials before all others, and when the
    /// oldest part in trouble was seen last.
    pub(super) fn trouble(&self) -> Option<(&Trouble, Option<Timestamp>)> {
        let parts = [
            (self.services.trouble(), self.services.at()),
            (self.groups.trouble(), self.groups.at()),
            (self.alarms.trouble(), self.alarms.at()),
            (self.fleet_alarms.trouble(), self.fleet_alarms.at()),
            (self.rollouts.trouble(), self.rollouts.at()),
            (self.activities.trouble(), self.activities.at()),
            (self.metrics.trouble(), self.metrics.at()),
        ];
        let troubles = parts.iter().filter_map(|(trouble, _)| *trouble);
        // A part that waits for another says nothing new.
        let own = troubles.clone().filter(|trouble| trouble.blind.needs.is_none());
        let worst = own
            .clone()
            .find(|trouble| trouble.blind.kind == ErrorKind::Credentials)
            .or_else(|| {
                own.clone()
                    .find(|trouble| trouble.blind.kind == ErrorKind::WrongAccount)
            })
            .or_else(|| own.clone().next())
            .or_else(|| troubles.clone().next())?;
        let stale = parts.iter().filter(|(trouble, _)| trouble.is_some());
        let oldest = stale.map(|(_, at)| *at).min().flatten();
        Some((worst, oldest))
    }

    /// When anything was seen last.
    pub(super) fn seen(&self) -> Option<Timestamp> {
        [
            self.services.at(),
            self.groups.at(),
            self.alarms.at(),
            self.fleet_alarms.at(),
        ]
        .into_iter()
        .max()
        .flatten()
    }

    /// The desired capacity of a fleet in each of the last [`MINUTES`] minutes, the oldest first: what this view has seen,
    /// and before that what the activities of the fleet say. `None`: not known.
    pub(super) fn desired(&self, layout: &Layout, fleet: &FleetId, now: Timestamp) -> Vec<Option<f64>> {
        let group = layout.auto_scaling_group(fleet);
        let mut known: Vec<(Timestamp, u32)> = Vec::new();
        let mut before = None;
        let seen = self.desired.get(fleet);
        let first = seen.and_then(|seen| seen.front()).map(|(at, _)| *at);
        let activities = self.activities.value().into_iter().flatten();
        for activity in activities.filter(|activity| activity.group == group) {
            let (Some(at), Some((from, to))) = (activity.started, desired_change(activity)) else {
                continue;
            };
            if first.is_none_or(|first| at < first) {
                known.push((at, to));
                if before.is_none_or(|(oldest, _)| at <= oldest) {
                    before = Some((at, from));
                }
            }
        }
        known.extend(seen.into_iter().flatten());
        known.sort_by_key(|(at, _)| *at);
        let minute = |ago: usize| now.as_second() - i64::try_from(ago * 60).unwrap_or(0);
        (0..MINUTES)
            .rev()
            .map(|ago| {
                let then = minute(ago);
                let last = known.iter().rev().find(|(at, _)| at.as_second() <= then);
                last.map(|(_, desired)| *desired)
                    .or(before.map(|(_, from)| from))
                    .map(f64::from)
            })
            .collect()
    }

    /// A metric of a fleet in each of the last [`MINUTES`] minutes, the oldest first; `None` where no value was published.
    pub(super) fn minutes(points: &[(Timestamp, f64)], now: Timestamp) -> Vec<Option<f64>> {
        let end = now.as_second().div_euclid(60);
        let mut row = vec![None; MINUTES];
        for (at, value) in points {
            let ago = end - at.as_second().div_euclid(60);
            let position = usize::try_from(ago)
                .ok()
                .and_then(|ago| MINUTES.checked_sub(ago + 1));
            if let Some(cell) = position.and_then(|position| row.get_mut(position)) {
                *cell = Some(*value);
            }
        }
        row
    }
}
