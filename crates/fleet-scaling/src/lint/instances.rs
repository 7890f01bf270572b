//! Findings about the life of instances: warm-up, scale-in and deploys.

use std::time::Duration;

use super::evidence::{cold_start_seconds, compare, load, mean_seconds, some_workers, two_days};
use super::zero::minutes;
use super::{Finding, Severity};
use crate::config::{Action, FleetConfig, PolicyKind};
use crate::simulate::Arrivals;

/// "Set the default instance warmup": no scale-in while an instance warms up.
pub(super) fn warm_up_outlasts_the_scale_in_alarm(config: &FleetConfig) -> Option<Finding> {
    let warmup = config.warmup().as_secs_f64();
    let window = config
        .alarms()
        .iter()
        .filter(|alarm| matches!(alarm.action, Action::ScaleIn(_)))
        .map(|alarm| (alarm.period * alarm.rule.evaluation_periods) as f64 * 60.0)
        .min_by(f64::total_cmp)?;
    if warmup <= window {
        return None;
    }
    let better = cold_start_seconds(config).min(window);
    let burst = Arrivals::Burst {
        jobs: (some_workers(config) * 20.0) as u64,
        at: Duration::from_secs(9 * 3600),
        daily: true,
    };
    let evidence = compare(config, "two days with a burst each", &two_days(burst), |spec| {
        spec.warmup_seconds = better;
    })?;
    Some(Finding {
        rule: "warm-up-outlasts-alarm",
        severity: Severity::Warning,
        field: "warmup_seconds".to_owned(),
        problem: format!(
            "instances warm up for {}, and the alarm that scales in looks at {}",
            minutes(warmup),
            minutes(window)
        ),
        consequence: format!(
            "every launch blocks scale-in for longer than the alarm needs: {:.1} instance hours, {:.1} with the fix",
            evidence.now.instance_hours, evidence.fixed.instance_hours
        ),
        fix: format!("set `warmup_seconds` to {better:.0}"),
        unknown: None,
        evidence: Some(evidence),
    })
}

/// Instances that count as warm do not take jobs yet, so the backlog calls for more of them.
pub(super) fn warm_up_ends_before_the_first_job(config: &FleetConfig) -> Option<Finding> {
    let cold = &config.spec().cold_start;
    let needed = cold.register_seconds * (1.0 + cold.spread);
    let tracked = config
        .policies()
        .iter()
        .any(|policy| !matches!(policy.kind, PolicyKind::Simple(_)));
    if config.warmup().as_secs_f64() >= needed || !tracked || config.limits().max < 2 {
        return None;
    }
    let better = (needed / 60.0).ceil() * 60.0;
    let burst = Arrivals::Burst {
        jobs: (some_workers(config) * 4.0).ceil() as u64,
        at: Duration::from_secs(9 * 3600),
        daily: true,
    };
    let evidence = compare(config, "two days with a burst each", &two_days(burst), |spec| {
        spec.warmup_seconds = better;
    })?;
    Some(Finding {
        rule: "warm-up-shorter-than-cold-start",
        severity: Severity::Warning,
        field: "warmup_seconds".to_owned(),
        problem: format!(
            "an instance counts as warm after {:.0} s, and its worker registers after {needed:.0} s",
            config.warmup().as_secs_f64()
        ),
        consequence: format!(
            "the backlog calls for instances that are there already: {} launched for {:.2} dollars ({} for {:.2} \
             with the fix)",
            evidence.now.launched, evidence.now.cost, evidence.fixed.launched, evidence.fixed.cost
        ),
        fix: format!("set `warmup_seconds` to {better:.0}"),
        unknown: None,
        evidence: Some(evidence),
    })
}

/// Auto Scaling does not know which instance holds a job.
pub(super) fn scale_in_takes_busy_workers(config: &FleetConfig) -> Option<Finding> {
    let scales_in = config.policies().iter().any(|policy| match &policy.kind {
        PolicyKind::TargetTracking(tracking) => !tracking.disable_scale_in,
        PolicyKind::Step(step) => step.steps.iter().any(|step| step.adjustment < 0),
        PolicyKind::Simple(simple) => simple.adjustment < 0,
    });
    // Short jobs are done before an alarm notices.
    let short = mean_seconds(config) < 30.0;
    if config.spec().jobs.protect_busy || !scales_in || short || config.limits().max < 2 {
        return None;
    }
    let scenario = two_days(load(config, some_workers(config)));
    let evidence = compare(config, "two days of steady work", &scenario, |spec| {
        spec.jobs.protect_busy = true;
    })?;
    if evidence.now.ended_busy == 0 {
        return None;
    }
    Some(Finding {
        rule: "scale-in-takes-busy-workers",
        severity: Severity::Warning,
        field: "jobs.protect_busy".to_owned(),
        problem: "a scale-in ends any instance, also one that holds a job".to_owned(),
        consequence: format!(
            "{} instances are ended while they hold a job, and the job waits for its lease to end ({} with the fix)",
            evidence.now.ended_busy, evidence.fixed.ended_busy
        ),
        fix: "let workers set scale-in protection while they hold a job (`protect_busy`)".to_owned(),
        unknown: None,
        evidence: Some(evidence),
    })
}

/// A stack template with a desired capacity writes it with every deploy.
pub(super) fn a_deploy_resets_the_desired_capacity(config: &FleetConfig) -> Option<Finding> {
    let desired = config.spec().deploy_desired?;
    let mut scenario = two_days(load(config, some_workers(config)));
    scenario.deploy_every = Some(Duration::from_secs(4 * 3600));
    let evidence = compare(
        config,
        "two days of steady work with six deploys each",
        &scenario,
        |spec| {
            spec.deploy_desired = None;
        },
    )?;
    let (now, fixed) = (evidence.now, evidence.fixed);
    let under_load = if now.ended_busy > fixed.ended_busy {
        format!(
            "a deploy under load ends instances while they hold a job, {} here and {} with the fix",
            now.ended_busy, fixed.ended_busy
        )
    } else if now.p95() > fixed.p95() {
        format!(
            "after a deploy under load the fleet has to grow again: 95 % of the jobs wait up to {:.0} s ({:.0} s with \
             the fix)",
            now.p95(),
            fixed.p95()
        )
    } else {
        "after a deploy the policies start over from there, whatever the queue is; the simulated load does not suffer \
         from it"
            .to_owned()
    };
    let idle = if desired > i64::from(config.limits().min) {
        "; on an idle fleet it starts instances that nothing takes to zero again, because the alarm is in ALARM \
         already"
    } else {
        ""
    };
    Some(Finding {
        rule: "deploy-resets-desired",
        severity: Severity::Warning,
        field: "deploy_desired".to_owned(),
        problem: format!("every deploy of the stack sets the desired capacity to {desired}"),
        consequence: format!("{under_load}{idle}"),
        fix: "leave `DesiredCapacity` out of the stack's template".to_owned(),
        unknown: None,
        evidence: Some(evidence),
    })
}

/// A job that takes about as long as an instance lives is lost before it is done.
pub(super) fn jobs_outlive_spot_instances(config: &FleetConfig) -> Option<Finding> {
    let spec = config.spec();
    let rate = spec
        .instance_types
        .iter()
        .filter_map(|kind| kind.spot.as_ref())
        .map(|spot| spot.interruptions_per_hour)
        .fold(0.0, f64::max);
    let mean = mean_seconds(config);
    // Less than one in ten jobs meets an interruption, and has further attempts.
    if mean / 3600.0 * rate < 0.1 {
        return None;
    }
    let scenario = two_days(load(config, some_workers(config)));
    let evidence = compare(config, "two days of steady work", &scenario, |spec| {
        for kind in &mut spec.instance_types {
            kind.spot = None;
        }
    })?;
    let (now, fixed) = (&evidence.now, &evidence.fixed);
    if now.unfinished as f64 <= 1.1 * fixed.unfinished as f64 {
        return None;
    }
    Some(Finding {
        rule: "jobs-outlive-spot",
        severity: if now.done * 10 < fixed.done * 9 {
            Severity::Error
        } else {
            Severity::Warning
        },
        field: "instance_types".to_owned(),
        problem: format!(
            "a job takes {} in the mean, and a Spot Instance lives for {}",
            minutes(mean),
            minutes(3600.0 / rate)
        ),
        consequence: format!(
            "{} of {} jobs are done ({} on instances that are not taken back)",
            now.done,
            now.done + now.unfinished,
            fixed.done
        ),
        fix: "make jobs shorter or able to resume, or run them on On-Demand Instances".to_owned(),
        unknown: None,
        evidence: Some(evidence),
    })
}

/// Fifteen minutes, the default of `lease_seconds`.
const LEASE: f64 = 900.0;

/// A job whose worker goes away without a word waits for its lease to end.
pub(super) fn leases_of_hours_on_spot(config: &FleetConfig) -> Option<Finding> {
    let spec = config.spec();
    let taken_back = spec.instance_types.iter().any(|kind| {
        kind.spot
            .as_ref()
            .is_some_and(|spot| spot.interruptions_per_hour > 0.0)
    });
    let lease = spec.jobs.lease_seconds;
    if !taken_back || lease < 3600.0 {
        return None;
    }
    let scenario = two_days(load(config, some_workers(config)));
    let evidence = compare(config, "two days of steady work", &scenario, |spec| {
        spec.jobs.lease_seconds = LEASE;
    })?;
    let (now, fixed) = (&evidence.now, &evidence.fixed);
    let late = |outcome: &super::Outcome| outcome.turnaround_p99_seconds.unwrap_or(f64::INFINITY);
    let harm = late(now) > late(fixed) || now.unfinished > fixed.unfinished;
    Some(Finding {
        rule: "lease-of-hours-on-spot",
        severity: if harm { Severity::Warning } else { Severity::Note },
        field: "jobs.lease_seconds".to_owned(),
        problem: format!(
            "a job whose Spot Instance is taken back waits until its lease of {} has ended",
            minutes(lease)
        ),
        consequence: if harm {
            format!(
                "99 % of the jobs are done within {}, and {} do not finish (with the fix {} and {})",
                minutes(late(now)),
                now.unfinished,
                minutes(late(fixed)),
                fixed.unfinished
            )
        } else {
            "the simulation shows no harm: workers hand their jobs back on the two-minute notice; one that dies without \
             it keeps its job for so long"
                .to_owned()
        },
        fix: format!("set `lease_seconds` to {LEASE} and let workers renew it"),
        unknown: None,
        evidence: Some(evidence),
    })
}
