//! Instance refreshes: the instances of a group are replaced, a few at a time.
//!
//! After the Amazon EC2 Auto Scaling User Guide ("How an instance refresh works", "Add checkpoints to an instance
//! refresh", "Use an instance refresh with skip matching", "Suspend and resume processes") and the API Reference
//! (RefreshPreferences, InstanceRefresh). `PercentageComplete` counts instances whose warm-up has passed,
//! `InstancesToUpdate` those that have not been taken out of service yet.

use std::time::Duration;

use super::group::{Group, Instance, LifecycleState, seconds};
use super::lifecycle::terminate;
use crate::ids::Ids;
use crate::time::SimTime;

/// From the request to the first replacement: "The status should then quickly change to InProgress".
const BEGINS_AFTER: Duration = Duration::from_secs(4);
/// How often the group looks how far it is.
const PACE: Duration = Duration::from_secs(5);
/// "Amazon EC2 Auto Scaling waits one hour for you to remove scale-in protection. Otherwise, the instance refresh
/// will fail" (RefreshPreferences), and as long for instances that do not come up.
const PATIENCE: Duration = Duration::from_secs(3600);

/// Where a refresh is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Pending,
    InProgress,
    Successful,
    Failed,
    Cancelling,
    Cancelled,
}

impl Status {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::InProgress => "InProgress",
            Self::Successful => "Successful",
            Self::Failed => "Failed",
            Self::Cancelling => "Cancelling",
            Self::Cancelled => "Cancelled",
        }
    }

    pub(super) fn is_over(self) -> bool {
        matches!(self, Self::Successful | Self::Failed | Self::Cancelled)
    }
}

/// What is done about instances that are protected from scale-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protected {
    Refresh,
    Ignore,
    Wait,
}

/// How a refresh goes about it.
#[derive(Clone, Debug)]
pub(super) struct Preferences {
    pub(super) min_healthy: u32,
    pub(super) warmup: Duration,
    /// Ascending; the last one is where the refresh ends.
    pub(super) checkpoints: Vec<u32>,
    pub(super) checkpoint_delay: Duration,
    pub(super) skip_matching: bool,
    pub(super) protected: Protected,
}

/// One refresh of a group.
#[derive(Clone, Debug)]
pub(super) struct Refresh {
    pub(super) id: String,
    pub(super) status: Status,
    pub(super) reason: Option<String>,
    pub(super) start: SimTime,
    pub(super) end: Option<SimTime>,
    pub(super) preferences: Preferences,
    /// Instances that have not been taken out of service yet.
    pub(super) old: Vec<String>,
    /// How many it set out to replace.
    pub(super) total: usize,
    /// Share of them that is replaced and warm, in percent.
    pub(super) complete: usize,
    /// Position of the next checkpoint, and until when the refresh rests at it.
    checkpoint: usize,
    rests: Option<SimTime>,
    /// Since when nothing can be done.
    blocked: Option<SimTime>,
    /// When the group looks again.
    pub(super) next: SimTime,
}

impl Refresh {
    pub(super) fn new(id: String, preferences: Preferences, now: SimTime) -> Self {
        Self {
            id,
            status: Status::Pending,
            reason: None,
            start: now,
            end: None,
            preferences,
            old: Vec::new(),
            total: 0,
            complete: 0,
            checkpoint: 0,
            rests: None,
            blocked: None,
            next: now + BEGINS_AFTER,
        }
    }

    /// Whether a protected instance would go as soon as it were protected no more.
    pub(super) fn waits_for(&self, instance: &str) -> bool {
        self.status == Status::InProgress && self.rests.is_none() && self.old.iter().any(|id| id == instance)
    }

    fn finish(&mut self, status: Status, now: SimTime, reason: Option<String>) {
        self.status = status;
        self.reason = reason;
        self.end = Some(now);
    }
}

/// What is under way in the group because of a refresh.
struct Standing {
    /// Replacements that are not in service, or in service and not warm.
    coming: Vec<String>,
    /// Instances that the group should have and has not.
    missing: usize,
    /// Replaced ones that are done.
    updated: usize,
    /// Old and warm new instances in service.
    healthy: usize,
}

impl Group {
    /// The refresh that is under way.
    pub(super) fn active_refresh(&self) -> Option<&Refresh> {
        self.refreshes.front().filter(|refresh| !refresh.status.is_over())
    }

    fn standing(&self, refresh: &Refresh) -> Standing {
        let is_old = |instance: &&Instance| refresh.old.contains(&instance.id);
        let is_new = |instance: &&Instance| !is_old(instance) && instance.launched >= refresh.start;
        // The warm-up of a refresh may be another one than the group's.
        let is_warm = |instance: &&Instance| {
            instance.state == LifecycleState::InService
                && instance.in_service.is_some_and(|at| {
                    at + refresh.preferences.warmup <= refresh.next || refresh.preferences.warmup.is_zero()
                })
        };
        let begun = refresh.total.saturating_sub(refresh.old.len());
        let mut coming: Vec<String> = self
            .active()
            .filter(|instance| is_new(instance) && !is_warm(instance))
            .map(|instance| instance.id.clone())
            .collect();
        let missing = (self.desired as usize).saturating_sub(self.active().count());
        // Instances beyond the replaced ones are a scale-out's.
        coming.truncate(begun);
        let open = (coming.len() + missing).min(begun);
        let healthy = self
            .active()
            .filter(|instance| instance.state == LifecycleState::InService)
            .filter(|instance| !is_new(instance) || is_warm(instance))
            .count();
        Standing {
            coming,
            missing,
            updated: begun - open,
            healthy,
        }
    }
}

/// One look of the group at its refresh.
pub(super) fn advance(group: &mut Group, ids: &mut Ids, now: SimTime) {
    let Some(mut refresh) = group.refreshes.pop_front_if(|refresh| !refresh.status.is_over()) else {
        return;
    };
    if refresh.next <= now {
        refresh.next = now;
        step(group, &mut refresh, ids, now);
        refresh.next = now + PACE;
    }
    group.refreshes.push_front(refresh);
}

fn step(group: &mut Group, refresh: &mut Refresh, ids: &mut Ids, now: SimTime) {
    match refresh.status {
        Status::Pending => begin(group, refresh, now),
        Status::InProgress => replace(group, refresh, ids, now),
        // "indicates whether to wait for in-flight launches and terminations to complete. The default is true".
        Status::Cancelling => {
            let moving = |instance: &Instance| instance.state != LifecycleState::InService;
            if !group.instances.iter().any(moving) {
                refresh.finish(
                    Status::Cancelled,
                    now,
                    Some("Cancelled due to user request.".to_owned()),
                );
            }
        }
        Status::Successful | Status::Failed | Status::Cancelled => {}
    }
}

fn begin(group: &Group, refresh: &mut Refresh, now: SimTime) {
    // Skip matching looks at launch template, its version and the instance types. The parameter that names the image
    // is none of them: "If you enable skip matching, but none of these are changing, the instance refresh will succeed
    // immediately without replacing any instances".
    let matches = |instance: &&Instance| {
        refresh.preferences.skip_matching
            && instance.template_version == group.template_version
            && group.spec.instance_types.contains(&instance.instance_type)
    };
    refresh.old = group
        .active()
        .filter(|instance| !matches(instance))
        .map(|instance| instance.id.clone())
        .collect();
    refresh.total = refresh.old.len();
    refresh.status = Status::InProgress;
    if refresh.total == 0 {
        refresh.complete = 100;
        refresh.finish(Status::Successful, now, None);
    }
}

fn replace(group: &mut Group, refresh: &mut Refresh, ids: &mut Ids, now: SimTime) {
    if group.is_suspended("InstanceRefresh") {
        return;
    }
    // What scale-in or EC2 took is none of the refresh's business any more.
    let gone = refresh.old.len();
    refresh
        .old
        .retain(|id| group.active().any(|instance| instance.id == *id));
    refresh.total -= gone - refresh.old.len();
    let mut standing = group.standing(refresh);
    if refresh.preferences.protected == Protected::Ignore
        && standing.coming.is_empty()
        && standing.missing == 0
    {
        let protected = |id: &String| {
            group
                .instances
                .iter()
                .any(|known| known.id == *id && known.protected)
        };
        if refresh.old.iter().all(protected) {
            refresh.total -= refresh.old.len();
            refresh.old.clear();
            standing = group.standing(refresh);
        }
    }
    refresh.complete = (standing.updated * 100).checked_div(refresh.total).unwrap_or(100);
    if refresh.old.is_empty() && standing.updated == refresh.total {
        refresh.complete = 100;
        refresh.finish(Status::Successful, now, None);
        return;
    }
    let Some(allowed) = allowed(refresh, &standing, now) else {
        return;
    };
    let taken = take(group, refresh, &standing, allowed, ids, now);
    if taken > 0 {
        refresh.blocked = None;
        refresh.reason = None;
        group.look_at(now);
        return;
    }
    explain(group, refresh, &standing, now);
}

/// How many more instances may be taken before the next checkpoint; `None` while the refresh rests at one.
fn allowed(refresh: &mut Refresh, standing: &Standing, now: SimTime) -> Option<usize> {
    let begun = refresh.total - refresh.old.len();
    while let Some(percent) = refresh.preferences.checkpoints.get(refresh.checkpoint) {
        let limit = (refresh.total * *percent as usize).div_ceil(100);
        if standing.updated < limit {
            return Some(limit.saturating_sub(begun));
        }
        let is_last = refresh.checkpoint + 1 == refresh.preferences.checkpoints.len();
        if is_last {
            // "To replace all instances in the Auto Scaling group, the last number in the array must be 100."
            refresh.finish(Status::Successful, now, None);
            return None;
        }
        match refresh.rests {
            None => {
                let until = now + refresh.preferences.checkpoint_delay;
                refresh.rests = Some(until);
                refresh.reason = Some(format!(
                    "Waiting for {} seconds at the checkpoint of {percent} percent before continuing.",
                    refresh.preferences.checkpoint_delay.as_secs()
                ));
                return None;
            }
            Some(until) if now < until => return None,
            Some(_) => {
                refresh.rests = None;
                refresh.checkpoint += 1;
            }
        }
    }
    Some(usize::MAX)
}

/// Takes instances out of service, as many as the minimum of healthy ones leaves, and at least one at a time.
fn take(
    group: &mut Group,
    refresh: &mut Refresh,
    standing: &Standing,
    allowed: usize,
    ids: &mut Ids,
    now: SimTime,
) -> usize {
    if group.is_suspended("Terminate") || group.is_suspended("Launch") {
        return 0;
    }
    let minimum = (group.desired as usize * refresh.preferences.min_healthy as usize).div_ceil(100);
    let idle = standing.coming.is_empty() && standing.missing == 0;
    let spare = standing.healthy.saturating_sub(minimum).max(usize::from(idle));
    let may_go = |instance: &Instance| {
        refresh.old.contains(&instance.id)
            && instance.state == LifecycleState::InService
            && (!instance.protected || refresh.preferences.protected == Protected::Refresh)
    };
    let victims: Vec<usize> = (0..group.instances.len())
        .filter(|at| may_go(&group.instances[*at]))
        .take(spare.min(allowed))
        .collect();
    for at in &victims {
        let id = group.instances[*at].id.clone();
        let when = seconds(now);
        let cause = format!(
            "At {when} an instance was taken out of service in response to an instance refresh.  At {when} instance \
             {id} was selected for termination."
        );
        terminate(group, *at, cause, ids, now);
        refresh.old.retain(|old| *old != id);
    }
    victims.len()
}

/// Why nothing is taken now; after an hour without a way on the refresh fails.
fn explain(group: &Group, refresh: &mut Refresh, standing: &Standing, now: SimTime) {
    let protected = group
        .active()
        .find(|instance| instance.protected && refresh.old.contains(&instance.id));
    let waits = match (standing.coming.first(), protected) {
        // A launch that fails is tried again; until then an instance is missing.
        (None, _) if standing.missing > 0 => Some(
            "Waiting for remaining instances to be available. The group has fewer instances than its desired \
             capacity."
                .to_owned(),
        ),
        (Some(id), _) => {
            refresh.blocked = None;
            refresh.reason = Some(format!(
                "Waiting for instances to warm up before continuing. For example: {id} is warming up."
            ));
            return;
        }
        (None, Some(instance)) => Some(format!(
            "Waiting for remaining instances to be available. For example: {} is protected from scale in.",
            instance.id
        )),
        (None, None) => None,
    };
    let Some(waits) = waits else { return };
    let since = *refresh.blocked.get_or_insert(now);
    if now.since(since) >= PATIENCE {
        refresh.finish(Status::Failed, now, Some(waits));
    } else {
        refresh.reason = Some(waits);
    }
}
