//! What the rules about fleets have in common: a fleet's group, its metrics, and what they say together.

use jiff::Timestamp;

use crate::layout::{FleetAlarm, FleetId};
use crate::triage::finding::Node;
use crate::triage::snapshot::{Alarm, FleetMetrics, Group, Series, Snapshot};
use crate::triage::wording::minutes_since;

/// The backend publishes once a minute, CloudWatch shows it within two: older values are silence.
pub(super) const SILENT_AFTER: i64 = 6;
/// A worker registers three to five minutes after its launch; twice as long is too long.
pub(super) const COLD_START: i64 = 10;

/// Every fleet that was seen.
pub(super) fn all(snapshot: &Snapshot) -> impl Iterator<Item = &FleetId> {
    snapshot.groups.iter().flatten().map(|group| &group.fleet)
}

/// One fleet with everything known about it.
#[derive(Clone, Copy)]
pub(super) struct Fleet<'a> {
    pub(super) id: &'a FleetId,
    pub(super) group: &'a Group,
    /// `None`: the metrics could not be read.
    pub(super) metrics: Option<&'a FleetMetrics>,
}

/// Every fleet that was seen, with its metrics.
pub(super) fn joined(snapshot: &Snapshot) -> Vec<Fleet<'_>> {
    static NOTHING: FleetMetrics = FleetMetrics {
        queue: Series(Vec::new()),
        workers: Series(Vec::new()),
        samples: Series(Vec::new()),
    };
    snapshot
        .groups
        .iter()
        .flatten()
        .map(|group| Fleet {
            id: &group.fleet,
            group: &group.group,
            metrics: snapshot
                .fleet_metrics
                .as_ref()
                .ok()
                .map(|all| all.get(&group.fleet).unwrap_or(&NOTHING)),
        })
        .collect()
}

impl Fleet<'_> {
    /// When the last value of QueueDepth was published.
    pub(super) fn last_seen(&self) -> Option<Timestamp> {
        self.metrics?.queue.last().map(|(at, _)| at)
    }

    /// Metrics could be read and there are no recent ones.
    pub(super) fn is_silent(&self, now: Timestamp) -> bool {
        self.metrics.is_some()
            && self
                .last_seen()
                .is_none_or(|at| minutes_since(now, at) >= SILENT_AFTER)
    }

    /// Jobs that wait now; `None` when that is not known.
    pub(super) fn queue(&self, now: Timestamp) -> Option<f64> {
        (!self.is_silent(now)).then(|| self.metrics?.queue.last().map(|(_, value)| value))?
    }

    /// Workers that are active now; `None` when that is not known.
    pub(super) fn workers(&self, now: Timestamp) -> Option<f64> {
        (!self.is_silent(now)).then(|| self.metrics?.workers.last().map(|(_, value)| value))?
    }

    /// Whether jobs have been waiting for the last `minutes` without a break.
    pub(super) fn waits(&self, now: Timestamp, minutes: i64) -> bool {
        self.holds(now, minutes, |metrics| &metrics.queue, |value| value > 0.0)
    }

    /// Whether no worker was active for the last `minutes`.
    pub(super) fn unmanned(&self, now: Timestamp, minutes: i64) -> bool {
        self.holds(now, minutes, |metrics| &metrics.workers, |value| value <= 0.0)
    }

    fn holds(
        &self,
        now: Timestamp,
        minutes: i64,
        series: impl Fn(&FleetMetrics) -> &Series,
        test: impl Fn(f64) -> bool,
    ) -> bool {
        // Two values may still be on their way and one may be lost.
        let points = usize::try_from(minutes - 3).unwrap_or(1).max(1);
        self.metrics
            .is_some_and(|metrics| series(metrics).holds(now, minutes, points, test))
    }

    /// What fails in a fleet whose instances do not come or do not work.
    pub(super) fn downstream(&self) -> [Node; 3] {
        [
            Node::Group(self.id.clone()),
            Node::Workers(self.id.clone()),
            Node::Queue(self.id.clone()),
        ]
    }

    /// `desired 1 of at most 10, 1 instance, 1 in service`.
    pub(super) fn capacity(&self) -> String {
        let group = self.group;
        format!(
            "group `{}`: desired {}, at most {}, {} in service",
            group.name,
            group.desired,
            group.max,
            if group.instances.len() == group.in_service() {
                group.in_service().to_string()
            } else {
                format!("{} of {} instances", group.in_service(), group.instances.len())
            }
        )
    }

    /// `QueueDepth 12, ActiveWorkers 0`.
    pub(super) fn load(&self, now: Timestamp) -> String {
        let number =
            |value: Option<f64>| value.map_or_else(|| "unknown".to_owned(), |value| format!("{value:.0}"));
        format!(
            "QueueDepth {}, ActiveWorkers {}",
            number(self.queue(now)),
            number(self.workers(now))
        )
    }
}

/// One of a fleet's four alarms.
pub(super) fn alarm<'a>(snapshot: &'a Snapshot, kind: FleetAlarm, fleet: &FleetId) -> Option<&'a Alarm> {
    snapshot.alarm(&snapshot.layout.fleet_alarm(kind, fleet))
}

/// The node of one of a fleet's alarms.
pub(super) fn alarm_node(snapshot: &Snapshot, kind: FleetAlarm, fleet: &FleetId) -> Node {
    Node::Alarm(snapshot.layout.fleet_alarm(kind, fleet))
}
