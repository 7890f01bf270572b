//! Which images go, and which snapshots with them. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Seen;
use crate::aws::ec2::{DeleteSnapshot, DeregisterImage, Image, Snapshot};
use crate::change::{ApiCall, Call as _, Plan, Step};
use crate::output::{age_at, counted};

/// What may go at all.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    /// Versions of each pointer whose images stay.
    pub(super) keep: usize,
    pub(super) older_than: Duration,
}

/// One step: an image with its snapshots, or a snapshot that an image has left behind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Removal {
    pub(super) image: Option<String>,
    /// Ids and sizes in GiB.
    pub(super) snapshots: Vec<(String, u64)>,
}

impl Removal {
    /// The requests, in order.
    pub(super) fn calls(&self) -> (Option<DeregisterImage>, Vec<DeleteSnapshot>) {
        let snapshots = self.snapshots.iter();
        (
            self.image.as_deref().map(DeregisterImage::of),
            snapshots.map(|(id, gib)| DeleteSnapshot::of(id, *gib)).collect(),
        )
    }

    fn step(self, id: &str, summary: impl Into<String>) -> Step<Self> {
        let (image, snapshots) = self.calls();
        let mut calls: Vec<ApiCall> = image.iter().map(DeregisterImage::described).collect();
        calls.extend(snapshots.iter().map(DeleteSnapshot::described));
        Step::new(id, summary, calls, self)
    }
}

/// What goes and what stays.
#[derive(Debug, Default)]
pub(super) struct Sorted {
    pub(super) steps: Vec<Step<Removal>>,
    /// How many images stay.
    pub(super) stay: usize,
    pub(super) warnings: Vec<String>,
}

/// Whether something is old enough; what has no time is not.
fn is_old(at: Option<Timestamp>, rules: Rules, now: Timestamp) -> bool {
    at.is_some_and(|at| now.duration_since(at).unsigned_abs() >= rules.older_than && at < now)
}

/// Why an image has to stay, if it has to.
pub(super) fn needed(seen: &Seen, image: &Image, rules: Rules, now: Timestamp) -> Option<String> {
    if let Some(why) = seen.usage.reason(&image.id) {
        return Some(why.to_owned());
    }
    if !["available", "failed", "error", "invalid"].contains(&image.state.as_str()) {
        return Some(format!("it is {}", image.state));
    }
    (!is_old(image.created, rules, now)).then(|| format!("it is {} old", age_at(now, image.created)))
}

pub(super) fn sort(seen: &Seen, rules: Rules, now: Timestamp) -> Sorted {
    let mut sorted = Sorted::default();
    let marked: BTreeMap<&String, &Snapshot> = seen
        .snapshots
        .iter()
        .map(|snapshot| (&snapshot.id, snapshot))
        .collect();
    let mut going = Vec::new();
    for image in &seen.images {
        if needed(seen, image, rules, now).is_some() {
            sorted.stay += 1;
        } else {
            going.push(image);
        }
    }
    let gone: BTreeSet<&String> = going.iter().map(|image| &image.id).collect();
    // Also of images that do not bear the tag.
    let users = |snapshot: &String| {
        let known = seen.images.iter().chain(&seen.others);
        known
            .filter(|image| image.snapshots.contains(snapshot))
            .map(|image| &image.id)
            .collect::<BTreeSet<_>>()
    };
    let mut claimed: BTreeSet<&String> = BTreeSet::new();
    for (position, image) in going.iter().enumerate() {
        let mut snapshots = Vec::new();
        let mut notes = Vec::new();
        for id in &image.snapshots {
            let others: Vec<&String> = users(id)
                .into_iter()
                .filter(|user| !gone.contains(*user))
                .collect();
            if let Some(other) = others.first() {
                notes.push(format!("its snapshot {id} stays: {other} stands on it as well"));
                continue;
            }
            // The last of the images that stand on it takes it along.
            let mut later = going.iter().skip(position + 1);
            if let Some(last) = later.rfind(|later| later.snapshots.contains(id)) {
                notes.push(format!("its snapshot {id} goes with {}", last.id));
                continue;
            }
            match marked.get(id) {
                Some(snapshot) => {
                    claimed.insert(id);
                    snapshots.push((id.clone(), snapshot.gib));
                }
                None => sorted.warnings.push(format!(
                    "snapshot {id} of {} stays: it does not bear the tag ManagedBy=packer",
                    image.id
                )),
            }
        }
        sorted.steps.push(image_step(image, snapshots, notes, now));
    }
    for snapshot in &seen.snapshots {
        let left = users(&snapshot.id).is_empty() && !claimed.contains(&snapshot.id);
        if left && snapshot.state == "completed" && is_old(snapshot.started, rules, now) {
            let removal = Removal {
                image: None,
                snapshots: vec![(snapshot.id.clone(), snapshot.gib)],
            };
            let mut step = removal.step(&snapshot.id, "delete a snapshot that no image stands on");
            step.notes.push(format!(
                "{} GiB, {} old",
                snapshot.gib,
                age_at(now, snapshot.started)
            ));
            sorted.steps.push(step);
        }
    }
    sorted
}

fn image_step(
    image: &Image,
    snapshots: Vec<(String, u64)>,
    mut notes: Vec<String>,
    now: Timestamp,
) -> Step<Removal> {
    let gib: u64 = snapshots.iter().map(|(_, gib)| gib).sum();
    let mut about = format!(
        "{}, built for {}, {} old, at most {gib} GiB",
        image.name.as_deref().unwrap_or("no name"),
        image.fleet_slug().unwrap_or("no fleet"),
        age_at(now, image.created)
    );
    if let Some(bundle) = image.bundle() {
        about.push_str(&format!(", bundle {bundle}"));
    }
    notes.insert(0, about);
    let summary = match snapshots.len() {
        0 => "deregister it".to_owned(),
        1 => "deregister it and delete its snapshot".to_owned(),
        several => format!("deregister it and delete its {several} snapshots"),
    };
    let removal = Removal {
        image: Some(image.id.clone()),
        snapshots,
    };
    let mut step = removal.step(&image.id, summary);
    step.notes = notes;
    step
}

pub(super) fn plan(seen: &Seen, rules: Rules, now: Timestamp) -> Plan<Removal> {
    let sorted = sort(seen, rules, now);
    let removals = || sorted.steps.iter().map(|step| &step.action);
    let images = removals().filter(|removal| removal.image.is_some()).count();
    let snapshots: Vec<&(String, u64)> = removals().flat_map(|removal| &removal.snapshots).collect();
    let gib: u64 = snapshots.iter().map(|(_, gib)| gib).sum();
    let title = match sorted.steps.len() {
        0 => "delete images that nothing needs".to_owned(),
        _ => format!(
            "delete {} that nothing needs and {}, at most {gib} GiB, and keep {}",
            counted(images as u64, "image"),
            counted(snapshots.len() as u64, "snapshot"),
            counted(sorted.stay as u64, "image")
        ),
    };
    let mut plan = Plan::new(title, sorted.steps);
    plan.warnings = sorted.warnings;
    for group in &seen.usage.unknown {
        plan.warnings.push(format!(
            "group {group} has no launch template: what its next instances start from was not looked at"
        ));
    }
    plan
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
