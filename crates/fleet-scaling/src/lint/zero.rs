//! Findings about the way to zero and back.

use std::time::Duration;

use super::evidence::{
    cold_start_seconds, compare, load, long_seconds, mean_seconds, some_workers, two_days,
};
use super::{Finding, Severity};
use crate::alarm::MissingData;
use crate::config::{FleetConfig, PolicySpec, ScaleToZeroSpec};
use crate::metrics::Metric;
use crate::simulate::Arrivals;

/// A metric per worker has no data without workers, so no policy on it can launch the first.
pub(super) fn nothing_leaves_zero(config: &FleetConfig) -> Option<Finding> {
    let from_zero = |policy: &PolicySpec| match policy {
        PolicySpec::Step { alarm, .. } | PolicySpec::Simple { alarm, .. } => match alarm.metric {
            Metric::QueueDepth => true,
            Metric::BacklogPerInstance => false,
            // Both are 0 there.
            Metric::ActiveWorkers | Metric::AvailableCapacity => {
                alarm.comparison.breaches(0.0, alarm.threshold)
            }
        },
        PolicySpec::TargetTracking { metric, .. } => *metric == Metric::QueueDepth,
    };
    let spec = config.spec();
    if spec.min > 0 || spec.max == 0 || spec.policies.iter().any(from_zero) {
        return None;
    }
    let jobs = Arrivals::Burst {
        jobs: 1,
        at: Duration::from_secs(3600),
        daily: true,
    };
    let evidence = compare(config, "two days with one job each", &two_days(jobs), |spec| {
        spec.min = 1
    })?;
    Some(Finding {
        rule: "nothing-leaves-zero",
        severity: Severity::Error,
        field: "policies".to_owned(),
        problem: "the fleet can be at zero, and no policy watches a metric that calls for more there"
            .to_owned(),
        consequence: format!(
            "at zero it stays: {} of the simulated jobs never finish",
            evidence.now.unfinished
        ),
        fix: "add a step policy on `QueueDepth`, or set `min` to 1".to_owned(),
        evidence: Some(evidence),
    })
}

/// `missing_data = breaching` without a guard.
pub(super) fn silence_is_taken_for_an_empty_queue(config: &FleetConfig) -> Option<Finding> {
    let zero = config.spec().scale_to_zero?;
    if zero.missing_data != MissingData::Breaching || zero.never_when_silent {
        return None;
    }
    let silence = 60 * u64::try_from(zero.minutes + 60).unwrap_or_default();
    let mut scenario = two_days(load(config, some_workers(config)));
    scenario.silences = vec![(Duration::from_secs(86_400), Duration::from_secs(silence))];
    let name = format!(
        "two days of steady work, with the metrics silent for {} minutes",
        silence / 60
    );
    let evidence = compare(config, &name, &scenario, |spec| {
        if let Some(zero) = &mut spec.scale_to_zero {
            zero.missing_data = MissingData::Missing;
            zero.never_when_silent = true;
        }
    })?;
    let (now, fixed) = (evidence.now.wait_max_seconds, evidence.fixed.wait_max_seconds);
    let (severity, comes_of_it) = if now > fixed {
        let waits = format!("the longest wait is {} and not {}", minutes(now), minutes(fixed));
        (Severity::Error, waits)
    } else {
        let saved = "under steady work only the protection of busy workers saves it";
        (Severity::Warning, saved.to_owned())
    };
    Some(Finding {
        rule: "silence-scales-to-zero",
        severity,
        field: "scale_to_zero.missing_data".to_owned(),
        problem: "a silent metric counts as an empty queue".to_owned(),
        consequence: format!(
            "when the publisher of the metrics stops, the fleet is taken to zero {} minutes later: {comes_of_it}",
            zero.minutes + 2,
        ),
        fix: "set `missing_data` to `missing` and `never_when_silent` to true".to_owned(),
        evidence: Some(evidence),
    })
}

/// The queue is empty while the last job runs, unless its depth counts that job too.
pub(super) fn long_jobs_are_killed(config: &FleetConfig) -> Option<Finding> {
    if config.spec().jobs.depth_counts_running {
        return None;
    }
    let zero = config.spec().scale_to_zero?;
    let window = zero.minutes as f64 * 60.0;
    let long = long_seconds(config);
    if zero.never_with_active_workers || zero.drain_first || long <= window {
        return None;
    }
    // One job at a time, so that the queue is empty while it runs.
    let jobs = Arrivals::Poisson {
        per_hour: 3600.0 / (4.0 * mean_seconds(config)),
    };
    let evidence = compare(config, "two days of single jobs", &two_days(jobs), |spec| {
        spec.scale_to_zero = Some(ScaleToZeroSpec::safe(zero.minutes));
    })?;
    Some(Finding {
        rule: "zero-kills-long-jobs",
        severity: Severity::Error,
        field: "scale_to_zero".to_owned(),
        problem: format!(
            "one job in a hundred takes {} or longer, and the queue is empty while it runs; after {} \
             minutes the fleet is taken to zero",
            minutes(long),
            zero.minutes
        ),
        consequence: format!(
            "{} instances are ended while they hold a job, and {} jobs do not finish (with the fix {} and {})",
            evidence.now.ended_busy,
            evidence.now.unfinished,
            evidence.fixed.ended_busy,
            evidence.fixed.unfinished
        ),
        fix: "set `drain_first` and `recheck` to true".to_owned(),
        evidence: Some(evidence),
    })
}

/// CloudWatch notifies once, when the state changes.
pub(super) fn a_guard_is_never_asked_again(config: &FleetConfig) -> Option<Finding> {
    let zero = config.spec().scale_to_zero?;
    let guarded = zero.never_with_active_workers || zero.drain_first || zero.never_with_queued_jobs;
    if !guarded || zero.recheck || config.limits().min > 0 {
        return None;
    }
    let (name, scenario) = if !config.spec().jobs.depth_counts_running {
        // The alarm rings while the last job runs, and a guard holds it back.
        let hours = (3.0 * mean_seconds(config) / 3600.0).max(zero.minutes as f64 / 30.0);
        let jobs = Arrivals::Poisson {
            per_hour: 1.0 / hours,
        };
        ("two days of rare jobs", two_days(jobs))
    } else if zero.missing_data == MissingData::Breaching {
        // No worker is busy when the queue is empty. A silent publisher makes the alarm ring all the
        // same, a guard holds it back because nobody knows, and the silence outlasts the job.
        let job = Duration::from_secs(9 * 3600);
        let silent_from = job + Duration::from_secs(600);
        let silence = zero.minutes as f64 * 60.0 + 3600.0 + 2.0 * long_seconds(config);
        let mut scenario = two_days(Arrivals::Burst {
            jobs: 1,
            at: job,
            daily: true,
        });
        scenario.silences = vec![(silent_from, Duration::from_secs_f64(silence))];
        let name = "two days with one job each, and the metrics silent after the first";
        (name, scenario)
    } else {
        // What holds a guard back takes the alarm out of ALARM too, and it rings again.
        return None;
    };
    let evidence = compare(config, name, &scenario, |spec| {
        if let Some(zero) = &mut spec.scale_to_zero {
            zero.recheck = true;
        }
    })?;
    Some(Finding {
        rule: "guard-without-recheck",
        severity: Severity::Warning,
        field: "scale_to_zero.recheck".to_owned(),
        problem: "what a safe option holds back is never tried again: the alarm notifies once".to_owned(),
        consequence: format!(
            "after a guard has held it back the fleet stays up until the next job: {:.1} instance hours, {:.1} \
             with the fix",
            evidence.now.instance_hours, evidence.fixed.instance_hours
        ),
        fix: "set `recheck` to true: run the function every minute while the alarm is in ALARM".to_owned(),
        evidence: Some(evidence),
    })
}

/// `SetDesiredCapacity` refuses less than the minimum.
pub(super) fn the_minimum_forbids_zero(config: &FleetConfig) -> Option<Finding> {
    let min = config.limits().min;
    config.spec().scale_to_zero?;
    (min > 0).then(|| Finding {
        rule: "minimum-forbids-zero",
        severity: Severity::Note,
        field: "min".to_owned(),
        problem: format!("the fleet is to be taken to zero, and its minimum is {min}"),
        consequence: "`SetDesiredCapacity` refuses every time: the fleet never gets below its minimum"
            .to_owned(),
        fix: "set `min` to 0, or leave `scale_to_zero` out".to_owned(),
        evidence: None,
    })
}

/// A fleet that goes to zero sooner than it comes back.
pub(super) fn the_window_is_shorter_than_a_cold_start(config: &FleetConfig) -> Option<Finding> {
    let zero = config.spec().scale_to_zero?;
    let (window, cold) = (zero.minutes as f64 * 60.0, cold_start_seconds(config));
    if window >= cold || config.limits().min > 0 {
        return None;
    }
    let better = (3.0 * cold / 60.0).ceil() as i64;
    let jobs = Arrivals::Poisson {
        per_hour: 3600.0 / (1.5 * (cold + window)),
    };
    let evidence = compare(config, "two days of single jobs", &two_days(jobs), |spec| {
        if let Some(zero) = &mut spec.scale_to_zero {
            zero.minutes = better;
        }
    })?;
    Some(Finding {
        rule: "zero-window-shorter-than-cold-start",
        severity: Severity::Warning,
        field: "scale_to_zero.minutes".to_owned(),
        problem: format!(
            "the fleet goes to zero after {} without jobs, and takes {} to come back",
            minutes(window),
            minutes(cold)
        ),
        consequence: format!(
            "{:.0} % of the jobs wait for a cold start, {} instances are launched (with the fix {:.0} % and {})",
            100.0 * evidence.now.cold_start_share,
            evidence.now.launched,
            100.0 * evidence.fixed.cold_start_share,
            evidence.fixed.launched
        ),
        fix: format!("set `minutes` to {better}"),
        evidence: Some(evidence),
    })
}

pub(super) fn minutes(seconds: f64) -> String {
    match (seconds / 60.0).round() {
        ..=1.0 => "a minute".to_owned(),
        minutes => format!("{minutes:.0} minutes"),
    }
}
