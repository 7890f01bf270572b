//! How many jobs came: no metric says it, but it follows from what was done and what is left.

use std::time::Duration;

use fleet_scaling::metrics::Signal;
use fleet_scaling::simulate::Trace;

use super::Minutes;
use crate::aws::Aws;
use crate::error::{CtlError, ErrorKind, Result};
use crate::layout::{FleetId, Layout};

/// "Data points with a period of 60 seconds are available for 15 days" (CloudWatch User Guide,
/// "Metrics retention").
pub(crate) const LONGEST: Duration = Duration::from_secs(15 * 24 * 60 * 60);

/// Minutes that are counted together: long enough that the length of a single job does not show.
const BUCKET: usize = 15;

/// Demand has the rhythm of a day.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Jobs that came, in quarters of an hour.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Demand {
    pub(crate) trace: Trace,
    /// How the jobs were counted, in sentences.
    pub(crate) assumptions: Vec<String>,
}

/// What the fleet's metrics of the last `back` say of the jobs that came; a job takes `mean_seconds`.
///
/// # Errors
/// The metrics cannot be read, or there are none.
pub(crate) async fn demand(
    aws: &Aws,
    layout: &Layout,
    fleet: &FleetId,
    back: Duration,
    mean_seconds: f64,
) -> Result<Demand> {
    let count = usize::try_from(back.min(LONGEST).as_secs() / 60).unwrap_or_default();
    let group = layout.auto_scaling_group(fleet);
    let minutes = Minutes::read(aws, layout, fleet, &group, count)
        .await?
        .since_data();
    let none = || {
        CtlError::new(
            ErrorKind::Failed,
            format!("learn the demand on fleet `{fleet}`: its metrics hold no data for that time"),
        )
        .hint("state the demand with `--arrivals` or `--trace`, or look back further")
    };
    if minutes.len() < BUCKET {
        return Err(none());
    }
    let (jobs, silent) = arrivals(&minutes, mean_seconds);
    let trace = Trace::new(BUCKET as u64 * 60, &jobs).map_err(|error| none().source(&error))?;
    let mut assumptions = vec![format!(
        "jobs that came = jobs done (busy workers, {mean_seconds:.0} s each) + growth of QueueDepth: {:.0} in {:.1} hours",
        jobs.iter().sum::<f64>(),
        trace.length().as_secs_f64() / 3_600.0
    )];
    if trace.length() < DAY {
        assumptions.push(format!(
            "the metrics hold only {:.1} hours, less than a day, and are repeated: every hour is taken to be like these",
            trace.length().as_secs_f64() / 3_600.0
        ));
    }
    if silent > 0 {
        assumptions.push(format!(
            "no job is counted in {silent} of {} minutes, which have no data",
            minutes.len()
        ));
    }
    Ok(Demand { trace, assumptions })
}

/// Jobs per bucket, and minutes without data. What is left over at the end is not a whole bucket and
/// does not count.
fn arrivals(minutes: &Minutes, mean_seconds: f64) -> (Vec<f64>, usize) {
    let depth = minutes.of(Signal::Depth);
    let workers = minutes.of(Signal::Workers);
    let free = minutes.of(Signal::FreeSlots);
    let mut last_depth = None;
    let mut jobs = Vec::new();
    let mut silent = 0;
    for bucket in 0..minutes.len() / BUCKET {
        let range = bucket * BUCKET..(bucket + 1) * BUCKET;
        let mut came = 0.0;
        for minute in range {
            let (Some(depth), Some(workers)) = (depth[minute], workers[minute]) else {
                silent += 1;
                continue;
            };
            // Where no metric says how many are free, no more are busy than there are jobs: `QueueDepth`
            // counts those that run too.
            let busy = free[minute].map_or(workers.min(depth), |free| (workers - free).max(0.0));
            came += busy * 60.0 / mean_seconds;
            came += depth - last_depth.unwrap_or(depth);
            last_depth = Some(depth);
        }
        jobs.push(came.max(0.0));
    }
    (jobs, silent)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn minutes(queue: Vec<Option<f64>>, workers: f64, free: f64) -> Minutes {
        let length = queue.len();
        let all = |value: f64| vec![Some(value); length];
        Minutes::sample(
            Timestamp::UNIX_EPOCH,
            [queue, vec![None; length], all(workers), all(free)],
            vec![None; length],
        )
    }

    #[test]
    fn what_was_done_came_and_what_is_left_came_too() {
        // Two busy workers, a job each takes them five minutes: 0.4 jobs a minute.
        let (jobs, silent) = arrivals(&minutes(vec![Some(3.0); 30], 2.0, 0.0), 300.0);
        assert_eq!((jobs.len(), silent), (2, 0));
        assert!(jobs.iter().all(|jobs| (jobs - 6.0).abs() < 1e-9), "{jobs:?}");
        let grows = (0..30).map(|minute| Some(f64::from(minute))).collect();
        let (jobs, _) = arrivals(&minutes(grows, 2.0, 2.0), 300.0);
        assert_eq!(jobs, [14.0, 15.0]);
    }

    #[test]
    fn a_queue_that_shrinks_without_workers_brings_no_negative_jobs() {
        let shrinks = (0..15).map(|minute| Some(f64::from(20 - minute))).collect();
        assert_eq!(arrivals(&minutes(shrinks, 0.0, 0.0), 60.0), (vec![0.0], 0));
    }

    #[test]
    fn workers_that_say_nothing_of_their_capacity_are_not_busy_without_jobs() {
        let length = 15;
        let silent = |queue: f64| {
            let all = |value: f64| vec![Some(value); length];
            let none = vec![None; length];
            let series = [all(queue), none.clone(), all(3.0), none.clone()];
            arrivals(&Minutes::sample(Timestamp::UNIX_EPOCH, series, none), 60.0).0
        };
        assert_eq!(silent(0.0), [0.0]);
        assert_eq!(silent(2.0), [30.0]);
        assert_eq!(silent(9.0), [45.0]);
    }

    #[test]
    fn growth_over_a_silence_is_not_lost() {
        let mut queue = vec![Some(1.0); 15];
        queue[5..10].fill(None);
        queue[10..].fill(Some(8.0));
        assert_eq!(arrivals(&minutes(queue, 0.0, 0.0), 60.0), (vec![7.0], 5));
    }
}
