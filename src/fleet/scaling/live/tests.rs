//! A fleet as its stack makes it: two step policies with an alarm each, target tracking, scale to zero.

use fleet_scaling::alarm::AlarmState as Known;
use fleet_scaling::alarm::MissingData;
use fleet_scaling::config::Action;
use fleet_scaling::metrics::Metrics;
use jiff::Timestamp;

use super::super::state;
use super::*;
use crate::aws::autoscaling::{Instance, Phase, PolicyKind, Step, Tracked, TrackedMetric, sample};
use crate::aws::cloudwatch::AlarmState;
use crate::layout::{FLEET_NAMESPACE, LayoutKind};

const OWN: [(&str, &str); 2] = [("FleetSlug", "gpu-default"), ("Stage", "production")];

fn layout() -> Layout {
    Layout::new(LayoutKind::Single, "bp", None).unwrap()
}

fn fleet() -> FleetId {
    "production/gpu-default".parse().unwrap()
}

fn pairs(dimensions: &[(&str, &str)]) -> Vec<(String, String)> {
    dimensions
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn alarm(name: &str, metric: &str, comparison: &str, threshold: f64, periods: i32) -> Alarm {
    Alarm {
        name: name.to_owned(),
        state: AlarmState::Ok,
        reason: None,
        since: None,
        actions_enabled: true,
        actions: vec![
            "arn:aws:sns:us-east-1:123456789012:bp-scale-to-zero".to_owned(),
            arn("LowerPolicy"),
            arn("UpperPolicy"),
            arn("Backlog"),
        ],
        namespace: Some(FLEET_NAMESPACE.to_owned()),
        metric: Some(metric.to_owned()),
        dimensions: pairs(&OWN),
        statistic: Some("Maximum".to_owned()),
        period_seconds: Some(60),
        comparison: Some(comparison.to_owned()),
        threshold: Some(threshold),
        evaluation_periods: Some(periods),
        datapoints_to_alarm: None,
        missing_data: None,
        details: crate::aws::cloudwatch::AlarmDetails::default(),
    }
}

fn arn(policy: &str) -> String {
    format!(
        "arn:aws:autoscaling:us-east-1:123456789012:scalingPolicy:1:autoScalingGroupName/asg-production-gpu-default:policyName/{policy}"
    )
}

fn policy(name: &str, alarms: &[&str], kind: PolicyKind) -> Policy {
    sample::policy("asg-production-gpu-default", name, alarms, kind)
}

fn exact(lower: Option<f64>, upper: Option<f64>, adjustment: i32) -> PolicyKind {
    PolicyKind::Step {
        adjustment_type: "ExactCapacity".to_owned(),
        minimum_adjustment_magnitude: None,
        steps: vec![Step {
            lower,
            upper,
            adjustment,
        }],
    }
}

fn instance(protected: bool) -> Instance {
    Instance {
        instance_type: None,
        protected,
        ..sample::instance(1, Phase::InService)
    }
}

fn facts() -> Facts {
    let tracked = TrackedMetric {
        namespace: FLEET_NAMESPACE.to_owned(),
        name: "BacklogPerInstance".to_owned(),
        dimensions: pairs(&OWN),
        statistic: Some("Average".to_owned()),
        unit: None,
        period_seconds: None,
    };
    let less = "LessThanOrEqualToThreshold";
    let mut empty = alarm("production-gpu-default-queue-empty", "QueueDepth", less, 0.0, 10);
    empty.missing_data = Some("breaching".to_owned());
    let alarms = [
        alarm("lower", "QueueDepth", less, 0.0, 1),
        alarm("upper", "QueueDepth", "GreaterThanOrEqualToThreshold", 1.0, 1),
        alarm("low", "BacklogPerInstance", "LessThanThreshold", 1.8, 15),
        alarm("high", "BacklogPerInstance", "GreaterThanThreshold", 2.0, 3),
        empty,
    ];
    Facts {
        group: Group {
            max: 4,
            instances: vec![instance(true), instance(false)],
            instance_types: vec!["g4dn.xlarge".to_owned(), "q9.huge".to_owned()],
            default_warmup_seconds: Some(240),
            suspended: vec![("Launch".to_owned(), "by hand".to_owned())],
            zones: vec!["us-east-1a".to_owned()],
            default_cooldown_seconds: Some(300),
            ..sample::group("asg-production-gpu-default", 2, &[])
        },
        policies: vec![
            policy("LowerPolicy", &["lower"], exact(None, Some(0.0), 0)),
            policy("UpperPolicy", &["upper"], exact(Some(0.0), None, 1)),
            policy(
                "Backlog",
                &["low", "high"],
                PolicyKind::TargetTracking {
                    target: 2.0,
                    disable_scale_in: false,
                    metric: Tracked::Metric(tracked),
                },
            ),
        ],
        schedule: Vec::new(),
        hooks: Vec::new(),
        alarms: alarms
            .into_iter()
            .map(|alarm| (alarm.name.clone(), alarm))
            .collect(),
        median_job_seconds: Some(120.0),
        deployed: Deployed::States(Some(0)),
        zero_listener: Listener::Present,
    }
}

fn read(facts: &Facts) -> Model {
    model(&layout(), &fleet(), facts).unwrap()
}

/// What is left out when `change` is made.
fn left_out(change: impl FnOnce(&mut Facts)) -> Vec<LeftOut> {
    let mut facts = facts();
    change(&mut facts);
    read(&facts).left_out
}

#[test]
fn group_policies_and_alarms_are_one_model() {
    let model = read(&facts());
    assert_eq!(model.left_out, []);
    let spec = model.config.spec();
    assert_eq!((spec.min, spec.max, spec.warmup_seconds), (0, 4, 240.0));
    assert_eq!(spec.deploy_desired, Some(0));
    assert_eq!(spec.scale_to_zero.unwrap().minutes, 10);
    assert_eq!(spec.scale_to_zero.unwrap().missing_data, MissingData::Breaching);
    assert!(spec.jobs.depth_counts_running && spec.jobs.protect_busy);
    let names: Vec<(&str, Action)> = model
        .config
        .alarms()
        .iter()
        .map(|alarm| (alarm.name.as_str(), alarm.action))
        .collect();
    // In CloudWatch's names, the tracking policy's by what they do and not by their order.
    assert_eq!(
        names,
        [
            ("lower", Action::Invoke(0)),
            ("upper", Action::Invoke(1)),
            ("high", Action::ScaleOut(2)),
            ("low", Action::ScaleIn(2)),
            ("production-gpu-default-queue-empty", Action::ScaleToZero),
        ]
    );
}

#[test]
fn what_cannot_be_read_is_listed_as_an_assumption() {
    let mut facts = facts();
    let assumptions = read(&facts).assumptions.join("\n");
    for part in [
        "On-Demand list price in dollars (g4dn.xlarge 0.526)",
        "the price of q9.huge is not known",
        "the median of the last day, 120 s",
        "1 are protected now",
        "Spot Instances are never interrupted",
        "no safe options",
        "no process of the group is suspended (Launch now)",
    ] {
        assert!(assumptions.contains(part), "{part}: {assumptions}");
    }
    facts.median_job_seconds = None;
    facts.deployed = Deployed::Unknown("denied".to_owned());
    facts.group.instances.clear();
    assert!(
        read(&facts)
            .assumptions
            .join("\n")
            .contains("no instance is protected from scale-in now")
    );
    assert!(
        read(&facts)
            .assumptions
            .join("\n")
            .contains("(its template: denied)")
    );
    assert!(
        read(&facts)
            .assumptions
            .join("\n")
            .contains("tells of no job in the last day")
    );
}

#[test]
fn a_group_without_a_list_of_types_has_those_that_run() {
    let mut facts = facts();
    facts.group.instance_types.clear();
    facts.group.instances[1].instance_type = Some("g5.xlarge".to_owned());
    let types = |facts: &Facts| {
        let types = read(facts).config.spec().instance_types.clone();
        types.into_iter().map(|kind| kind.name).collect::<Vec<_>>()
    };
    assert_eq!(types(&facts), ["g5.xlarge"]);
    facts.group.instances.clear();
    assert_eq!(types(&facts), ["unknown"]);
    assert!(
        read(&facts)
            .assumptions
            .join("\n")
            .contains("in the launch template")
    );
}

#[test]
fn a_policy_that_looks_elsewhere_is_left_out() {
    let elsewhere = left_out(|facts| {
        for alarm in facts.alarms.values_mut() {
            alarm.dimensions = pairs(&[("FleetSlug", "other"), ("Stage", "production")]);
        }
    });
    // Both step policies, the two alarms of the tracking policy, and scale to zero.
    assert_eq!(elsewhere.len(), 5, "{elsewhere:?}");
    assert_eq!(
        elsewhere[0],
        LeftOut::broken(
            "policy `LowerPolicy`: its alarm `lower` watches QueueDepth of FleetSlug=other,Stage=production, which is not \
             this fleet"
        )
    );
    assert!(elsewhere[4].what.starts_with("scale to zero: the alarm"));
}

#[test]
fn what_does_not_work_is_told_from_what_is_not_modelled() {
    let one = |change: fn(&mut Facts)| {
        let left_out = left_out(change);
        assert_eq!(left_out.len(), 1, "{left_out:?}");
        (left_out[0].broken, left_out[0].what.clone())
    };
    let (broken, what) = one(|facts| facts.policies[1].enabled = false);
    assert_eq!(
        (broken, what.as_str()),
        (true, "policy `UpperPolicy` is disabled")
    );
    let (broken, what) = one(|facts| drop(facts.alarms.remove("upper")));
    assert!(broken && what.contains("`upper` does not exist"), "{what}");
    let (broken, what) = one(|facts| drop(facts.alarms.remove("high")));
    assert!(
        broken && what.contains("the high alarm of policy `Backlog` does not exist"),
        "{what}"
    );
    let (broken, what) = one(|facts| facts.policies[0].alarms.clear());
    assert!(broken && what.contains("has no alarm"), "{what}");
    let (broken, what) = one(|facts| {
        facts
            .alarms
            .get_mut("production-gpu-default-queue-empty")
            .unwrap()
            .actions
            .clear();
    });
    assert!(broken && what.contains("has no action"), "{what}");
    let (broken, what) =
        one(|facts| facts.zero_listener = Listener::Absent("no function listens".to_owned()));
    assert!(
        broken && what.ends_with("notifies in vain: no function listens"),
        "{what}"
    );
    let (broken, what) = one(|facts| facts.alarms.get_mut("upper").unwrap().actions_enabled = false);
    assert!(broken && what.contains("actions switched off"), "{what}");
    let (broken, what) =
        one(|facts| facts.policies[1].kind = PolicyKind::Other("PredictiveScaling".to_owned()));
    assert!(!broken && what.contains("(PredictiveScaling)"), "{what}");
    let (broken, what) = one(|facts| facts.alarms.get_mut("upper").unwrap().period_seconds = Some(10));
    assert!(!broken && what.contains("period `10 s`"), "{what}");
    let (broken, what) = one(|facts| {
        facts.alarms.get_mut("upper").unwrap().metric = Some("CPUUtilization".to_owned());
    });
    assert!(
        !broken && what.contains("CPUUtilization, which is not modelled"),
        "{what}"
    );
}

/// CloudWatch API Reference, `PutMetricAlarm`: `AlarmActions` act in ALARM, `OKActions` in OK; `Unit`;
/// `Metrics`; `ExtendedStatistic`; `ThresholdMetricId`.
#[test]
fn what_aws_evaluates_and_the_model_does_not_is_named_and_has_a_direction() {
    use fleet_scaling::unknown::{Direction, Part};
    let one = |change: fn(&mut Alarm)| {
        let left_out = left_out(|facts| change(facts.alarms.get_mut("upper").unwrap()));
        assert_eq!(left_out.len(), 1, "{left_out:?}");
        left_out[0].clone()
    };
    let unit = one(|alarm| alarm.details.unit = Some("Seconds".to_owned()));
    assert_eq!(unit.part, Some((Part::Unit, Direction::Both)));
    assert!(unit.what.contains("the unit Seconds"), "{unit:?}");
    let math = one(|alarm| {
        alarm.details.expressions = vec!["FILL(m1,0)".to_owned()];
        (alarm.metric, alarm.namespace) = (None, None);
    });
    assert_eq!(math.part.map(|(part, _)| part), Some(Part::MetricMath));
    assert!(math.what.contains("metric math (FILL(m1,0))"), "{math:?}");
    for (statistic, part) in [("p99", Part::Percentile), ("SampleCount", Part::SampleCount)] {
        let mut facts = facts();
        facts.alarms.get_mut("upper").unwrap().statistic = Some(statistic.to_owned());
        assert_eq!(read(&facts).left_out[0].part.map(|(part, _)| part), Some(part));
    }
    let band = one(|alarm| alarm.details.anomaly_band = true);
    assert_eq!(band.part.map(|(part, _)| part), Some(Part::AnomalyBand));
    let ok_only = one(|alarm| std::mem::swap(&mut alarm.actions, &mut alarm.details.ok_actions));
    assert_eq!(ok_only.part.map(|(part, _)| part), Some(Part::OtherState));
    let no_action = one(|alarm| alarm.actions = vec!["arn:aws:sns:us-east-1:1:people".to_owned()]);
    assert!(
        no_action.broken && no_action.what.contains("the policy is none of its actions"),
        "{no_action:?}"
    );
}

#[test]
fn a_tracking_policy_has_the_alarms_that_it_has() {
    let mut facts = facts();
    facts.alarms.get_mut("high").unwrap().threshold = Some(5.0);
    facts.alarms.get_mut("low").unwrap().evaluation_periods = Some(30);
    let model = read(&facts);
    let rules: Vec<_> = model.config.alarms()[2..4]
        .iter()
        .map(|alarm| (alarm.rule.threshold, alarm.rule.evaluation_periods))
        .collect();
    assert_eq!(rules, [(5.0, 3), (1.8, 30)]);
    assert!(
        model.assumptions.join("\n").contains("somebody has edited it"),
        "{model:?}"
    );
    // Without its alarms it gives no answer.
    facts.alarms.retain(|name, _| name != "high" && name != "low");
    let model = read(&facts);
    assert!(
        model
            .config
            .alarms()
            .iter()
            .all(|alarm| alarm.action.policy() != Some(2))
    );
    assert_eq!(model.left_out.len(), 2, "{model:?}");
}

#[test]
fn on_demand_instances_of_a_spot_group_are_part_of_the_model() {
    let mut facts = facts();
    facts.group.features.on_demand_base = 1;
    facts.group.features.on_demand_percent = 20;
    let on_demand = read(&facts).config.spec().on_demand;
    assert_eq!((on_demand.base, on_demand.percent_above_base), (1, 20));
    facts.group.spot = false;
    assert_eq!(read(&facts).config.spec().on_demand.of(4), 0);
}

fn office_hours() -> ScheduledAction {
    ScheduledAction {
        group: "asg-production-gpu-default".to_owned(),
        name: "office-hours".to_owned(),
        recurrence: Some("0 8 * * MON-FRI".to_owned()),
        time_zone: None,
        bounded: false,
        min: Some(2),
        max: None,
        desired: None,
    }
}

#[test]
fn a_weekly_scheduled_action_is_part_of_the_model() {
    let mut facts = facts();
    facts.schedule.push(office_hours());
    let model = read(&facts);
    assert_eq!(model.left_out, []);
    let [action] = &model.config.spec().schedule[..] else {
        panic!("{model:?}");
    };
    assert_eq!((action.name.as_str(), action.min), ("office-hours", Some(2)));
}

fn stopped_pool() -> WarmPool {
    WarmPool {
        min: 1,
        max_prepared: Some(4),
        state: "Stopped".to_owned(),
        reuse_on_scale_in: true,
        deleting: false,
    }
}

#[test]
fn a_warm_pool_of_on_demand_instances_is_part_of_the_model_and_its_start_is_an_assumption() {
    let mut facts = facts();
    facts.group.spot = false;
    facts.group.features.warm_pool = Some(stopped_pool());
    let model = read(&facts);
    assert_eq!(model.left_out, []);
    let pool = model.config.spec().warm_pool.clone().unwrap();
    assert_eq!(
        (pool.min, pool.max_prepared, pool.reuse_on_scale_in),
        (1, Some(4), true)
    );
    assert_eq!(pool.state, fleet_scaling::config::PoolState::Stopped);
    let assumed = "an instance of the warm pool is in service 30 s after it was asked for";
    assert!(
        model.assumptions.iter().any(|said| said == assumed),
        "{:?}",
        model.assumptions
    );
}

/// "The default value is ABANDON" (API Reference, PutLifecycleHook).
#[test]
fn a_launch_hook_that_nobody_completes_is_said_to_give_the_instance_up() {
    let told = |transition: &str, result: Option<&str>| {
        let mut facts = facts();
        facts.hooks.push(LifecycleHook {
            name: "h".to_owned(),
            transition: format!("autoscaling:EC2_INSTANCE_{transition}"),
            timeout_seconds: None,
            default_result: result.map(str::to_owned),
        });
        read(&facts).left_out.remove(0).what
    };
    let held = "the lifecycle hook `h` holds every instance";
    assert_eq!(
        told("LAUNCHING", None),
        format!("{held} before it serves, for 3600 s at most without a heartbeat, and gives it up then")
    );
    assert_eq!(
        told("LAUNCHING", Some("CONTINUE")),
        format!("{held} before it serves, for 3600 s at most without a heartbeat")
    );
    assert_eq!(
        told("TERMINATING", Some("ABANDON")),
        format!("{held} before it ends, for 3600 s at most without a heartbeat")
    );
}

#[test]
fn what_a_group_has_beside_its_policies_is_named() {
    let parts = |change: fn(&mut Facts)| {
        let left_out = left_out(change);
        left_out
            .iter()
            .filter_map(|left_out| left_out.part)
            .map(|(part, _)| part)
            .collect::<Vec<_>>()
    };
    use fleet_scaling::unknown::Part;
    assert_eq!(
        parts(|facts| {
            facts.group.spot = true;
            facts.group.features.warm_pool = Some(stopped_pool());
        }),
        [Part::WarmPool]
    );
    assert_eq!(
        parts(|facts| {
            facts.group.spot = false;
            facts.group.features.warm_pool = Some(WarmPool {
                deleting: true,
                ..stopped_pool()
            });
        }),
        [Part::WarmPool]
    );
    assert_eq!(
        parts(|facts| facts.group.features.weights = true),
        [Part::Weights]
    );
    assert_eq!(
        parts(|facts| facts.policies[0].warmup_seconds = Some(60)),
        [Part::PolicyWarmUp]
    );
    assert_eq!(
        parts(|facts| facts.schedule.push(ScheduledAction {
            time_zone: Some("Europe/Vienna".to_owned()),
            ..office_hours()
        })),
        [Part::ScheduledAction]
    );
    assert_eq!(
        parts(|facts| facts.schedule.push(ScheduledAction {
            bounded: true,
            ..office_hours()
        })),
        [Part::ScheduledAction]
    );
    assert_eq!(
        parts(|facts| facts.hooks.push(LifecycleHook {
            name: "drain".to_owned(),
            transition: "autoscaling:EC2_INSTANCE_TERMINATING".to_owned(),
            timeout_seconds: Some(900),
            default_result: Some("CONTINUE".to_owned()),
        })),
        [Part::LifecycleHook]
    );
    let predefined = parts(|facts| {
        if let PolicyKind::TargetTracking { metric, .. } = &mut facts.policies[2].kind {
            *metric = Tracked::Predefined("ASGAverageCPUUtilization".to_owned());
        }
    });
    assert_eq!(predefined, [Part::PredefinedMetric]);
}

#[test]
fn a_policy_with_two_alarms_is_invoked_by_both() {
    let mut facts = facts();
    facts.policies[1].alarms.push("lower".to_owned());
    let model = read(&facts);
    let names: Vec<&str> = model
        .config
        .policies()
        .iter()
        .map(|policy| policy.name.as_str())
        .collect();
    assert_eq!(
        names,
        [
            "LowerPolicy",
            "UpperPolicy by upper",
            "UpperPolicy by lower",
            "Backlog"
        ]
    );
}

#[test]
fn the_state_is_that_of_the_group_and_its_alarms() {
    let mut facts = facts();
    facts.alarms.get_mut("low").unwrap().state = AlarmState::Alarm;
    let model = read(&facts);
    let metrics = Metrics::new()
        .with("ActiveWorkers", [Some(2.0)])
        .with("AvailableCapacity", [Some(1.0)]);
    let state = state(&model.config, &facts, &[], &metrics, Timestamp::UNIX_EPOCH);
    assert_eq!((state.desired, state.running, state.warming), (2, 2, 0));
    assert_eq!((state.protected, state.busy), (1, Some(1)));
    assert!(state.suspended.launch && !state.suspended.terminate);
    let mut states = [Known::Ok; 5];
    states[3] = Known::Alarm;
    assert_eq!(state.alarms, states);
}
