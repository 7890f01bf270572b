//! Findings about the way to zero and back.

use std::time::Duration;

use super::asked::{answer, capacity, depths};
use super::evidence::{
    cold_start_seconds, compare, load, long_seconds, mean_seconds, some_workers, two_days,
};
use super::{Finding, Severity};
use crate::alarm::{Comparison, MissingData};
use crate::config::{Action, AlarmSpec, FleetConfig, PolicySpec, ScaleToZeroSpec};
use crate::metrics::{Signal, Statistic};
use crate::policy::{AdjustmentType, StepAdjustment};
use crate::simulate::Arrivals;

/// The policies asked at zero instances: is there a queue that they leave lying?
pub(super) fn nothing_leaves_zero(config: &FleetConfig) -> Option<Finding> {
    let spec = config.spec();
    if spec.min > 0 || spec.max == 0 {
        return None;
    }
    let starts = |depth: &u64| capacity(config, 0, *depth as f64) > 0;
    let first = depths(config).into_iter().find(starts);
    if first == Some(1) {
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
    if evidence.now.unfinished <= evidence.fixed.unfinished && evidence.now.p95() <= evidence.fixed.p95() {
        return None;
    }
    let problem = match first {
        None => format!(
            "at zero instances no queue starts one: no policy answers any depth from 1 to {}",
            spec.jobs.queue_limit
        ),
        Some(first) => format!("at zero instances a queue of less than {first} jobs starts nothing"),
    };
    Some(Finding {
        rule: "nothing-leaves-zero",
        severity: Severity::Error,
        field: "policies".to_owned(),
        problem,
        consequence: format!(
            "at zero it stays: {} of the simulated jobs never finish",
            evidence.now.unfinished
        ),
        fix: format!(
            "add a step policy on {} that adds an instance from 1 job on, or set `min` to 1",
            depth_in_words(config)
        ),
        unknown: None,
        evidence: Some(evidence),
    })
}

/// The policies asked at the maximum with an empty queue.
pub(super) fn nothing_scales_in(config: &FleetConfig) -> Option<Finding> {
    let limits = config.limits();
    if limits.max <= limits.min || capacity(config, limits.max, 0.0) < limits.max {
        return None;
    }
    let depth = config.metric_of(Signal::Depth)?;
    let burst = Arrivals::Burst {
        jobs: (some_workers(config) * 20.0) as u64,
        at: Duration::from_secs(9 * 3600),
        daily: true,
    };
    let evidence = compare(config, "two days with a burst each", &two_days(burst), |spec| {
        let mut alarm = AlarmSpec::on(depth, Comparison::LessThanThreshold, 1.0);
        alarm.statistic = Statistic::Maximum;
        alarm.evaluation_periods = 15;
        spec.policies.push(PolicySpec::Step {
            name: "lint-scale-in".to_owned(),
            adjustment_type: AdjustmentType::ChangeInCapacity,
            minimum_adjustment_magnitude: None,
            alarm,
            steps: vec![StepAdjustment {
                lower: None,
                upper: Some(0.0),
                adjustment: -1,
            }],
        });
    })?;
    if evidence.now.instance_hours <= evidence.fixed.instance_hours {
        return None;
    }
    Some(Finding {
        rule: "nothing-scales-in",
        severity: Severity::Warning,
        field: "policies".to_owned(),
        problem: format!(
            "with {} instances and an empty queue nothing takes one away",
            limits.max
        ),
        consequence: format!(
            "what has been launched stays: {:.0} instance hours ({:.0} with the fix)",
            evidence.now.instance_hours, evidence.fixed.instance_hours
        ),
        fix: format!(
            "add a policy that scales in, for example a step of -1 when {} was below 1 for 15 minutes",
            depth_in_words(config)
        ),
        unknown: None,
        evidence: Some(evidence),
    })
}

/// A step policy that empties the fleet sooner than the rule that is there for it.
pub(super) fn a_step_overtakes_scale_to_zero(config: &FleetConfig) -> Option<Finding> {
    let zero = config.spec().scale_to_zero?;
    let limits = config.limits();
    let (position, alarm) = config.alarms().iter().enumerate().find(|(position, alarm)| {
        matches!(alarm.action, Action::Invoke(_))
            && config.signal_of(&alarm.metric) == Some(Signal::Depth)
            && answer(config, *position, limits.max, 0.0) == Some(0)
    })?;
    let after = alarm.period * alarm.rule.datapoints_to_alarm;
    let minutes_to_zero = usize::try_from(zero.minutes).unwrap_or(usize::MAX);
    let at = alarm.action.policy()?;
    if limits.min > 0 || after >= minutes_to_zero || position >= config.alarms().len() {
        return None;
    }
    let evidence = compare(
        config,
        "two days of steady work",
        &two_days(load(config, some_workers(config).min(1.0) * 0.5)),
        |spec| drop(spec.policies.remove(at)),
    )?;
    let (now, fixed) = (&evidence.now, &evidence.fixed);
    if now.launched <= fixed.launched {
        return None;
    }
    Some(Finding {
        rule: "step-overtakes-zero",
        severity: Severity::Warning,
        field: format!("policies[{at}]"),
        problem: format!(
            "policy `{}` takes a fleet of any size to zero after {} without jobs, so that the {} of `scale_to_zero` \
             never pass",
            config.policies()[at].name,
            minutes(after as f64 * 60.0),
            minutes(zero.minutes as f64 * 60.0)
        ),
        consequence: format!(
            "the fleet flaps: {} launches, and 95 % of the jobs wait up to {} (without the policy {} and {}, for {:.0} \
             instance hours instead of {:.0})",
            now.launched,
            minutes(now.p95()),
            fixed.launched,
            minutes(fixed.p95()),
            fixed.instance_hours,
            now.instance_hours
        ),
        fix: "leave the policy out: tracking scales in and `scale_to_zero` ends the last instance".to_owned(),
        unknown: None,
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
    let (now, fixed) = (evidence.now.longest(), evidence.fixed.longest());
    let (severity, comes_of_it) = if now > fixed {
        let waits = format!("the longest wait is {} and not {}", minutes(now), minutes(fixed));
        (Severity::Error, waits)
    } else {
        // Where nothing differs, the simulation shows no harm.
        let severity = if evidence.now == evidence.fixed {
            Severity::Note
        } else {
            Severity::Warning
        };
        let saved = "the simulation shows no harm, because the safe options or the protection of busy workers hold it";
        (severity, saved.to_owned())
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
        unknown: None,
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
    let (now, fixed) = (&evidence.now, &evidence.fixed);
    if now.ended_busy <= fixed.ended_busy && now.unfinished <= fixed.unfinished {
        return None;
    }
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
        unknown: None,
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
        // same, a guard holds it back because it is not known, and the silence outlasts the job.
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
        unknown: None,
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
        unknown: None,
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
            100.0 * evidence.now.cold_start_share.unwrap_or(0.0),
            evidence.now.launched,
            100.0 * evidence.fixed.cold_start_share.unwrap_or(0.0),
            evidence.fixed.launched
        ),
        fix: format!("set `minutes` to {better}"),
        unknown: None,
        evidence: Some(evidence),
    })
}

/// The metric of the queue's depth by its name.
fn depth_in_words(config: &FleetConfig) -> String {
    let metric = config.metric_of(Signal::Depth);
    metric.map_or_else(
        || "the depth of the queue".to_owned(),
        |metric| format!("`{metric}`"),
    )
}

pub(super) fn minutes(seconds: f64) -> String {
    match (seconds / 60.0).round() {
        minutes if minutes.is_infinite() => "for ever".to_owned(),
        ..=1.0 => "a minute".to_owned(),
        minutes => format!("{minutes:.0} minutes"),
    }
}
