//! Whether a fleet can lose its instances without losing a job.

use serde::Serialize;

use std::collections::BTreeMap;

use super::signals::{read, read_one};
use super::{Reading, Signals};
use crate::aws::Aws;
use crate::aws::autoscaling::Group;
use crate::error::{CtlError, Result};
use crate::layout::{FleetId, Layout};

/// What is known of the work of a fleet.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Work {
    pub(crate) queue: Reading,
    pub(crate) workers: Reading,
    pub(crate) capacity: Reading,
    /// Instances that are there or on their way in.
    pub(crate) running: usize,
    /// Those of them that scale-in leaves alone.
    pub(crate) protected: usize,
}

/// Whether anything would be lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", rename_all = "kebab-case")]
pub(crate) enum Verdict {
    /// Nothing to lose.
    Idle,
    /// Jobs not done, and how many workers have one in hand.
    Busy { queued: u64, busy_workers: u64 },
    /// Instances run and no metric says what they do.
    Unknown { why: String },
}

impl Work {
    pub(crate) fn of(group: &Group, signals: &Signals) -> Self {
        let running = group.staying();
        Self {
            queue: signals.queue_depth.clone(),
            workers: signals.active_workers.clone(),
            capacity: signals.available_capacity.clone(),
            running: running.clone().count(),
            protected: running.filter(|instance| instance.protected).count(),
        }
    }

    /// Workers with a job in hand: those that are not free to take another. `None` when it is not known.
    ///
    /// A worker may hold several jobs, so free slots can hide a busy worker; the queue depth, which
    /// counts leased jobs too, does not.
    fn busy_workers(&self) -> Option<u64> {
        let workers = self.workers.value()?;
        // Without word of free slots every worker may be busy.
        Some(count(workers - self.capacity.value().unwrap_or(0.0)))
    }

    /// The verdict.
    ///
    /// Without any instance no job can be lost, whatever the metrics say or fail to say. With
    /// instances a metric that is silent or cannot be read means that it is not known.
    pub(crate) fn verdict(&self) -> Verdict {
        let queued = self.queue.value().map(count);
        let busy_workers = self.busy_workers();
        if queued.is_some_and(|jobs| jobs > 0)
            || (self.running > 0 && busy_workers.is_some_and(|jobs| jobs > 0))
        {
            return Verdict::Busy {
                queued: queued.unwrap_or(0),
                busy_workers: busy_workers.unwrap_or(0),
            };
        }
        if self.running == 0 || (queued.is_some() && busy_workers.is_some()) {
            return Verdict::Idle;
        }
        let why = [("QueueDepth", &self.queue), ("ActiveWorkers", &self.workers)]
            .into_iter()
            .filter_map(|(name, reading)| match reading {
                Reading::Fresh { .. } => None,
                Reading::Silent { last: None } => Some(format!("`{name}` has been silent for over an hour")),
                Reading::Silent { last: Some((_, age)) } => Some(format!(
                    "`{name}` has been silent for {} minutes",
                    age.as_secs() / 60
                )),
                Reading::Unknown { why } => Some(format!("`{name}` could not be read ({why})")),
            })
            .collect::<Vec<_>>();
        Verdict::Unknown { why: why.join(", ") }
    }
}

/// What fleets do, by their metrics, 125 fleets a call. When these cannot be read nothing is known, and the error comes
/// along.
pub(crate) async fn of_fleets<'g>(
    aws: &Aws,
    layout: &Layout,
    groups: impl IntoIterator<Item = (&'g FleetId, &'g Group)>,
) -> (BTreeMap<FleetId, Work>, Option<CtlError>) {
    let groups: Vec<(&FleetId, &Group)> = groups.into_iter().collect();
    let ids: Vec<FleetId> = groups.iter().map(|(fleet, _)| (*fleet).clone()).collect();
    let (mut signals, error) = Box::pin(read(aws, layout, &ids)).await;
    let work = groups.into_iter().map(|(fleet, group)| {
        let signals = signals.remove(fleet);
        let signals = signals.unwrap_or_else(|| Signals::unknown("no answer"));
        (fleet.clone(), Work::of(group, &signals))
    });
    (work.collect(), error)
}

/// What one fleet does whose group was read.
pub(crate) async fn of_fleet(aws: &Aws, layout: &Layout, fleet: &FleetId, group: &Group) -> Work {
    Work::of(group, &Box::pin(read_one(aws, layout, fleet)).await)
}

/// A fleet's group, and what the fleet does.
///
/// # Errors
/// When there is no such group.
pub(crate) async fn look(aws: &Aws, layout: &Layout, fleet: &FleetId) -> Result<(Group, Work)> {
    let name = layout.auto_scaling_group(fleet);
    let (group, signals) = futures::join!(Box::pin(aws.group(&name)), Box::pin(read_one(aws, layout, fleet)));
    let group = group?;
    let work = Work::of(&group, &signals);
    Ok((group, work))
}

/// A count that travelled as a float; negative ones are none.
fn count(value: f64) -> u64 {
    // Saturates: a float beyond the range becomes the range's end.
    value.ceil().max(0.0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fresh(value: f64) -> Reading {
        Reading::sample(value)
    }

    const SILENT: Reading = Reading::Silent { last: None };

    fn work(queue: Reading, workers: Reading, capacity: Reading, running: usize) -> Verdict {
        Work {
            queue,
            workers,
            capacity,
            running,
            protected: 0,
        }
        .verdict()
    }

    #[test]
    fn an_empty_queue_and_free_workers_are_idle() {
        assert_eq!(work(fresh(0.0), fresh(2.0), fresh(2.0), 2), Verdict::Idle);
        assert_eq!(work(fresh(0.0), fresh(0.0), SILENT, 1), Verdict::Idle);
    }

    #[test]
    fn waiting_jobs_and_taken_workers_are_work() {
        let busy = |queued, busy_workers| Verdict::Busy { queued, busy_workers };
        assert_eq!(work(fresh(3.0), fresh(2.0), fresh(2.0), 2), busy(3, 0));
        assert_eq!(work(fresh(0.0), fresh(2.0), fresh(1.0), 2), busy(0, 1));
        assert_eq!(work(fresh(0.5), fresh(0.0), fresh(0.0), 0), busy(1, 0));
        // No metric says how many are free: all may be taken.
        assert_eq!(work(fresh(0.0), fresh(2.0), SILENT, 2), busy(0, 2));
        // The queue is known to be deep even though the workers are not.
        assert_eq!(work(fresh(3.0), SILENT, SILENT, 2), busy(3, 0));
    }

    #[test]
    fn silence_over_running_instances_is_not_safety() {
        for (queue, workers) in [(SILENT, SILENT), (fresh(0.0), SILENT), (SILENT, fresh(0.0))] {
            assert!(matches!(work(queue, workers, SILENT, 1), Verdict::Unknown { .. }));
        }
        let denied = Reading::Unknown {
            why: "denied".to_owned(),
        };
        let Verdict::Unknown { why } = work(denied, fresh(0.0), fresh(0.0), 1) else {
            panic!("a denied metric is no safety")
        };
        assert_eq!(why, "`QueueDepth` could not be read (denied)");
    }

    #[test]
    fn without_instances_silence_loses_nothing() {
        assert_eq!(work(SILENT, SILENT, SILENT, 0), Verdict::Idle);
        // The last point may still count workers that are gone.
        assert_eq!(work(fresh(0.0), fresh(1.0), fresh(0.0), 0), Verdict::Idle);
    }

    #[test]
    fn free_slots_beyond_the_workers_are_not_negative_work() {
        assert_eq!(work(fresh(0.0), fresh(1.0), fresh(4.0), 1), Verdict::Idle);
    }
}
