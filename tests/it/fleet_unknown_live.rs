//! `bpctl fleet explain`, `replay`, `lint` and `simulate` of a live fleet: for every kind of part that is not modelled, no
//! conclusion that depends on it, and the part is named.

use bpctl_sandbox::{Service, World};
use fleet_scaling::unknown::{Effect, Part};
use serde_json::{Value, json};

use crate::support::{Account, Run};

const FLEET: &str = "production/gpu-default";
const GROUP: &str = "asg-production-gpu-default";

/// A part of the fleet, as the account's answers carry it.
struct Case {
    part: Part,
    /// How it is told.
    says: &'static str,
    operation: (Service, &'static str),
    carry: fn(&mut Value),
}

impl Case {
    fn of_alarm(part: Part, says: &'static str, carry: fn(&mut Value)) -> Self {
        let operation = (Service::CloudWatch, "DescribeAlarms");
        Self {
            part,
            says,
            operation,
            carry,
        }
    }

    fn of_group(part: Part, says: &'static str, operation: &'static str, carry: fn(&mut Value)) -> Self {
        let operation = (Service::AutoScaling, operation);
        Self {
            part,
            says,
            operation,
            carry,
        }
    }

    fn account(&self) -> Account {
        let account = Account::with(&[]);
        account.sandbox.with_world(|world| self.carry_in(world));
        account
    }

    fn carry_in(&self, world: &mut World) {
        let (service, operation) = self.operation;
        world.amend(service, operation, self.carry);
    }
}

/// The members of `answer`'s list whose `name` contains `part`; requests for other alarms and groups have none.
fn each(answer: &mut Value, list: &str, name: &str, part: &str, change: impl Fn(&mut Value)) {
    for item in answer[list].as_array_mut().into_iter().flatten() {
        let is = |key: &str, part: &str| item[key].as_str().is_some_and(|text| text.contains(part));
        let of_the_fleet = item["AutoScalingGroupName"].is_null() || is("AutoScalingGroupName", GROUP);
        if is(name, part) && of_the_fleet {
            change(item);
        }
    }
}

pub(crate) fn alarm(answer: &mut Value, part: &str, change: impl Fn(&mut Value)) {
    each(answer, "MetricAlarms", "AlarmName", part, change);
}

fn policy(answer: &mut Value, part: &str, change: impl Fn(&mut Value)) {
    each(answer, "ScalingPolicies", "PolicyName", part, change);
}

fn tracked(answer: &mut Value, change: impl Fn(&mut Value)) {
    policy(answer, "BacklogTargetTracking", |policy| {
        change(&mut policy["TargetTrackingConfiguration"]);
    });
}

fn group(answer: &mut Value, change: impl Fn(&mut Value)) {
    each(answer, "AutoScalingGroups", "AutoScalingGroupName", GROUP, change);
}

fn another_policy(answer: &mut Value, mut policy: Value) {
    policy["AutoScalingGroupName"] = json!(GROUP);
    policy["PolicyName"] = json!("another");
    policy["PolicyARN"] = json!("arn:aws:autoscaling:us-east-1:123456789012:scalingPolicy:another");
    answer["ScalingPolicies"]
        .as_array_mut()
        .expect("a list")
        .push(policy);
}

fn forecast(mode: &str) -> Value {
    let metric = json!({
        "TargetValue": 60.0,
        "PredefinedMetricPairSpecification": { "PredefinedMetricType": "ASGCPUUtilization" },
    });
    json!({
        "PolicyType": "PredictiveScaling",
        "PredictiveScalingConfiguration": { "Mode": mode, "MetricSpecifications": [metric] },
    })
}

/// In place of a metric of its own.
fn on_math(alarm: &mut Value, expression: &str) {
    let members = alarm.as_object_mut().expect("a structure");
    let mut own = |name: &str| members.remove(name).unwrap_or_default();
    let metric = json!({
        "Namespace": own("Namespace"), "MetricName": own("MetricName"), "Dimensions": own("Dimensions"),
    });
    let stat = json!({ "Metric": metric, "Period": own("Period"), "Stat": own("Statistic") });
    alarm["Metrics"] = json!([
        { "Id": "m1", "MetricStat": stat, "ReturnData": false },
        { "Id": "e1", "Expression": expression, "ReturnData": true },
    ]);
}

fn percentile(alarm: &mut Value) {
    alarm.as_object_mut().expect("a structure").remove("Statistic");
    alarm["ExtendedStatistic"] = json!("p95");
}

/// What is on alarms.
fn of_alarms() -> [Case; 8] {
    [
        Case::of_alarm(Part::MetricMath, "is on metric math (METRICS() + 1)", |answer| {
            alarm(answer, "UpperAlarm", |alarm| on_math(alarm, "METRICS() + 1"));
        }),
        Case::of_alarm(Part::Percentile, "has the statistic `p95`", |answer| {
            alarm(answer, "UpperAlarm", percentile);
        }),
        Case::of_alarm(Part::AnomalyBand, "an anomaly detection band", |answer| {
            alarm(answer, "UpperAlarm", |alarm| {
                on_math(alarm, "ANOMALY_DETECTION_BAND(m1, 2)");
                alarm.as_object_mut().expect("a structure").remove("Threshold");
                alarm["ThresholdMetricId"] = json!("e1");
                alarm["ComparisonOperator"] = json!("GreaterThanUpperThreshold");
            });
        }),
        Case::of_alarm(Part::SampleCount, "has the statistic `SampleCount`", |answer| {
            alarm(answer, "LowerAlarm", |alarm| {
                alarm["Statistic"] = json!("SampleCount")
            });
        }),
        Case::of_alarm(Part::Unit, "counts only points with the unit Count", |answer| {
            alarm(answer, "UpperAlarm", |alarm| alarm["Unit"] = json!("Count"));
        }),
        Case::of_alarm(Part::HighResolution, "has the period `10 s`", |answer| {
            alarm(answer, "UpperAlarm", |alarm| alarm["Period"] = json!(10));
        }),
        Case::of_alarm(Part::OtherMetric, "watches AWS/EC2 CPUUtilization", |answer| {
            alarm(answer, "LowerAlarm", |alarm| {
                (alarm["Namespace"], alarm["MetricName"]) = (json!("AWS/EC2"), json!("CPUUtilization"));
            });
        }),
        Case::of_alarm(Part::ScaleToZero, "scale to zero: the alarm", |answer| {
            alarm(answer, "gpu-default-queue-empty", percentile);
        }),
    ]
}

/// What is on policies and on what they do.
fn of_policies() -> [Case; 7] {
    let of_policies = |part, says, carry| Case::of_group(part, says, "DescribePolicies", carry);
    [
        of_policies(Part::MetricMath, "tracks metric math", |answer| {
            tracked(answer, |tracked| {
                let query = json!({ "Id": "e1", "Expression": "m1 / m2", "ReturnData": true });
                tracked["CustomizedMetricSpecification"] = json!({ "Metrics": [query] });
            });
        }),
        of_policies(
            Part::PredefinedMetric,
            "tracks the predefined metric ASGAverageCPUUtilization",
            |answer| {
                tracked(answer, |tracked| {
                    let metric = json!({ "PredefinedMetricType": "ASGAverageCPUUtilization" });
                    *tracked = json!({ "PredefinedMetricSpecification": metric, "TargetValue": 60.0 });
                });
            },
        ),
        of_policies(Part::TrackingPeriod, "tracks periods of 10 s", |answer| {
            tracked(answer, |tracked| {
                tracked["CustomizedMetricSpecification"]["Period"] = json!(10)
            });
        }),
        Case::of_alarm(
            Part::OtherState,
            "invokes it in another state than ALARM",
            |answer| {
                alarm(answer, "LowerAlarm", |alarm| {
                    alarm["OKActions"] = alarm["AlarmActions"].take();
                    alarm["AlarmActions"] = json!([]);
                });
            },
        ),
        of_policies(Part::PredictiveScaling, "scales ahead of a forecast", |answer| {
            another_policy(answer, forecast("ForecastAndScale"));
        }),
        of_policies(
            Part::OtherPolicy,
            "of a kind that is not modelled (TidalScaling)",
            |answer| {
                another_policy(answer, json!({ "PolicyType": "TidalScaling" }));
            },
        ),
        of_policies(Part::PolicyWarmUp, "has a warm-up of its own, 3600 s", |answer| {
            policy(answer, "BacklogTargetTracking", |policy| {
                policy["EstimatedInstanceWarmup"] = json!(3600);
            });
        }),
    ]
}

/// What the group has beside its policies.
fn of_groups() -> [Case; 4] {
    [
        Case::of_group(
            Part::ScheduledAction,
            "the scheduled action `morning` sets the maximum to 40 and the desired capacity to 20 by `0 6 1 * *`",
            "DescribeScheduledActions",
            |answer| {
                answer["ScheduledUpdateGroupActions"] = json!([{
                    "AutoScalingGroupName": GROUP, "ScheduledActionName": "morning",
                    "Recurrence": "0 6 1 * *", "MaxSize": 40, "DesiredCapacity": 20,
                }]);
            },
        ),
        Case::of_group(
            Part::WarmPool,
            "the group has a warm pool beside Spot Instances",
            "DescribeAutoScalingGroups",
            |answer| {
                group(answer, |group| {
                    group["WarmPoolConfiguration"] = json!({ "MinSize": 1 })
                })
            },
        ),
        Case::of_group(
            Part::LifecycleHook,
            "the lifecycle hook `drain` holds every instance before it ends",
            "DescribeLifecycleHooks",
            |answer| {
                answer["LifecycleHooks"] = json!([{
                    "AutoScalingGroupName": GROUP, "LifecycleHookName": "drain", "HeartbeatTimeout": 900,
                    "LifecycleTransition": "autoscaling:EC2_INSTANCE_TERMINATING",
                }]);
            },
        ),
        Case::of_group(
            Part::Weights,
            "the instance types of the group have weights",
            "DescribeAutoScalingGroups",
            |answer| {
                group(answer, |group| {
                    let template = &mut group["MixedInstancesPolicy"]["LaunchTemplate"];
                    template["Overrides"][0]["WeightedCapacity"] = json!("2");
                });
            },
        ),
    ]
}

/// Every kind but one: an alarm on what no fleet publishes is on another metric to a live fleet's reader.
fn cases() -> Vec<Case> {
    let all: Vec<Case> = of_alarms()
        .into_iter()
        .chain(of_policies())
        .chain(of_groups())
        .collect();
    for part in Part::ALL {
        let there = all.iter().any(|case| case.part == part);
        assert_eq!(there, part != Part::UnpublishedMetric, "{part:?}");
    }
    all
}

/// Without the breaks of lines that a terminal's width makes.
pub(crate) fn joined(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

pub(crate) fn names(list: &Value, says: &str) -> bool {
    let mut said = list.as_array().expect("a list").iter();
    said.any(|text| text.as_str().is_some_and(|text| text.contains(says)))
}

async fn asked(account: &Account, args: &[&str]) -> Run {
    let run = account.run(args).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert_eq!(run.changes, [""; 0]);
    run
}

/// Instances are asked for, and warm up.
fn move_to(account: &Account, desired: u32) {
    account.sandbox.with_world(|world| {
        let input = json!({ "AutoScalingGroupName": GROUP, "DesiredCapacity": desired });
        world
            .call(Service::AutoScaling, "SetDesiredCapacity", &input)
            .expect("moved");
    });
}

/// `explain` once for programs and once for people: what it concludes is unknown or, where `known`, is not.
async fn explained(case: &Case, account: &Account, more: &[&str], known: bool) -> Value {
    let args = [&["fleet", "explain", FLEET], more].concat();
    let document = asked(account, &[&args[..], &["-o", "json"]].concat())
        .await
        .json();
    let human = joined(&asked(account, &args).await.stdout);
    let context = format!("{:?} {more:?}: {document:#}\n{human}", case.part);
    let decision = &document["decision"];
    assert_eq!(decision["desired"].is_null(), !known, "{context}");
    if !known {
        assert!(decision["instances"].is_null(), "{context}");
        assert_ne!(decision["least"], decision["most"], "{context}");
    }
    let concludes = ["the desired capacity goes from", "the desired capacity stays"];
    assert_eq!(
        concludes.iter().any(|words| human.contains(words)),
        known,
        "{context}"
    );
    assert_eq!(
        human.contains("not everything that decides on it is modelled"),
        !known,
        "{context}"
    );
    let told = ["why_this_many", "why_not_more", "why_not_zero"];
    assert!(
        told.iter().any(|section| names(&document[section], case.says)),
        "{context}"
    );
    assert!(human.contains(case.says), "{context}");
    document
}

#[tokio::test(start_paused = true)]
async fn explain_draws_no_conclusion_on_the_capacity_where_a_part_may_change_it() {
    for case in cases() {
        let account = case.account();
        if case.part == Part::PolicyWarmUp {
            move_to(&account, 5);
            tokio::time::advance(std::time::Duration::from_secs(60)).await;
        }
        let known = case.part.effect() == Effect::Course;
        explained(&case, &account, &[], known).await;
        if case.part == Part::PolicyWarmUp {
            // The group's own warm-up is over, and that of the policy is not.
            tokio::time::advance(std::time::Duration::from_secs(30 * 60)).await;
            explained(&case, &account, &[], false).await;
            continue;
        }
        // What is supposed beside it is no more certain; with 40 jobs a policy that is modelled asks for the maximum.
        explained(&case, &account, &["--what-if", "queue=0,workers=2"], known).await;
        let drought = explained(&case, &account, &["--what-if", "workers=2,spot=none"], known).await;
        let wanted = drought["why_not_more"].to_string();
        assert!(
            known || !wanted.contains("instances wanted"),
            "{:?}: {drought:#}",
            case.part
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_capacity_in_weights_is_no_number_of_instances() {
    let case = of_groups()
        .into_iter()
        .find(|case| case.part == Part::Weights)
        .expect("it");
    let account = case.account();
    let document = explained(
        &case,
        &account,
        &["--what-if", "queue=40,workers=2,spot=none"],
        true,
    )
    .await;
    assert_eq!(
        document["decision"],
        json!({ "desired": 10, "instances": null, "least": 10, "most": 10 })
    );
    assert!(
        !document["why_not_more"].to_string().contains("10 instances"),
        "{document:#}"
    );
    // While an instance warms up, nobody knows how much of the capacity is warm.
    move_to(&account, 5);
    tokio::time::advance(std::time::Duration::from_secs(60)).await;
    explained(&case, &account, &[], false).await;
}

/// EC2 Auto Scaling API Reference, `PredictiveScalingConfiguration`: `ForecastOnly` is the default mode, and
/// `IncreaseMaxCapacity` may increase the maximum.
#[tokio::test(start_paused = true)]
async fn a_forecast_changes_nothing_until_it_scales_and_may_then_raise_the_maximum() {
    let with = |carry: fn(&mut Value)| {
        let says = "scales ahead of a forecast, also beyond the maximum";
        let case = Case::of_group(Part::PredictiveScaling, says, "DescribePolicies", carry);
        (case.account(), case)
    };
    let (account, _) = with(|answer| another_policy(answer, forecast("ForecastOnly")));
    let document = asked(&account, &["fleet", "explain", FLEET, "-o", "json"])
        .await
        .json();
    assert_eq!(document["decision"]["desired"], 2, "{document:#}");
    assert!(
        names(&document["assumptions"], "policy `another` only forecasts"),
        "{document:#}"
    );
    let (account, case) = with(|answer| {
        let mut policy = forecast("ForecastAndScale");
        let configuration = &mut policy["PredictiveScalingConfiguration"];
        configuration["MaxCapacityBreachBehavior"] = json!("IncreaseMaxCapacity");
        another_policy(answer, policy);
    });
    let document = explained(&case, &account, &[], false).await;
    assert_eq!(
        document["decision"],
        json!({ "desired": null, "instances": null, "least": 2, "most": null })
    );
    let human = asked(&account, &["fleet", "explain", FLEET]).await.stdout;
    assert!(joined(&human).contains("is not known (2 or more)"), "{human}");
}

#[tokio::test(start_paused = true)]
async fn a_scheduled_action_is_bound_by_the_sizes_that_it_sets() {
    let case = of_groups()
        .into_iter()
        .find(|case| case.part == Part::ScheduledAction)
        .expect("it");
    let document = explained(&case, &case.account(), &[], false).await;
    let decision = &document["decision"];
    assert_eq!((&decision["least"], &decision["most"]), (&json!(0), &json!(40)));
}

/// An alarm that invokes a policy in ALARM and in OK takes part with the one, and the other is named.
#[tokio::test(start_paused = true)]
async fn a_policy_under_both_states_is_known_in_one_of_them() {
    let case = Case::of_alarm(
        Part::OtherState,
        "invokes it in another state than ALARM",
        |answer| {
            alarm(answer, "UpperAlarm", |alarm| {
                alarm["OKActions"] = alarm["AlarmActions"].clone()
            });
        },
    );
    let document = explained(&case, &case.account(), &[], false).await;
    assert!(names(&document["why_not_more"], "UpperAlarm"), "{document:#}");
    assert!(
        names(&document["why_not_more"], "is ALARM: 1 of 1 points"),
        "{document:#}"
    );
}

/// The scale-to-zero function sets the capacity after the policies: what they answer is no floor.
#[tokio::test(start_paused = true)]
async fn scale_to_zero_by_an_alarm_that_is_not_modelled_may_be_the_next_thing_that_happens() {
    let case = of_alarms()
        .into_iter()
        .find(|case| case.part == Part::ScaleToZero)
        .expect("it");
    let account = case.account();
    let document = explained(&case, &account, &[], false).await;
    let decision = &document["decision"];
    assert_eq!((&decision["least"], &decision["most"]), (&json!(0), &json!(2)));
    account.sandbox.with_world(|world| {
        let input = json!({ "AutoScalingGroupName": GROUP, "ScalingProcesses": ["AlarmNotification"] });
        world
            .call(Service::AutoScaling, "SuspendProcesses", &input)
            .expect("suspended");
    });
    explained(&case, &account, &[], false).await;
}

#[tokio::test(start_paused = true)]
async fn replay_blames_nobody_for_a_change_that_a_part_may_have_asked_for() {
    for case in cases() {
        let account = case.account();
        // What only takes away cannot have added: there the fleet goes to zero.
        let to = if case.part == Part::ScaleToZero { 0 } else { 5 };
        move_to(&account, to);
        tokio::time::advance(std::time::Duration::from_secs(240)).await;
        let document = asked(&account, &["fleet", "replay", FLEET, "-o", "json"])
            .await
            .json();
        let context = format!("{:?}: {document:#}", case.part);
        let left_out = document["left_out"].to_string();
        assert!(left_out.contains(case.says), "{context}");
        // Nothing had been launched for long before the change: no warm-up can be its reason.
        let known = case.part.effect() == Effect::Course || case.part == Part::PolicyWarmUp;
        let first = &document["disagreements"][0];
        assert_eq!(
            first["kind"],
            if known { "unasked" } else { "unknown" },
            "{context}"
        );
        assert_eq!(
            (&first["before"], &first["actual"]),
            (&json!(2), &json!(to)),
            "{context}"
        );
        let human = joined(&asked(&account, &["fleet", "replay", FLEET]).await.stdout);
        assert!(
            human.contains(&format!("left out: {}", left_out_sentence(&document))),
            "{human}"
        );
        for blame in ["no policy asks for it", "and the policies ask for"] {
            assert!(known || !human.contains(blame), "{:?}: {human}", case.part);
        }
        assert_eq!(
            human.contains("what the others ask for is not known"),
            !known,
            "{context}\n{human}"
        );
    }
}

fn left_out_sentence(document: &Value) -> String {
    document["left_out"][0]["what"]
        .as_str()
        .expect("a sentence")
        .to_owned()
}

#[tokio::test(start_paused = true)]
async fn a_quiet_past_beside_a_part_is_no_proof_that_all_policies_were_followed() {
    for case in cases() {
        let human = joined(&asked(&case.account(), &["fleet", "replay", FLEET]).await.stdout);
        let verdict = "no disagreement with the rest of the policies";
        assert!(human.contains(verdict), "{:?}: {human}", case.part);
        assert!(human.contains(case.says), "{:?}: {human}", case.part);
    }
}

#[tokio::test(start_paused = true)]
async fn lint_and_simulate_of_the_live_fleet_name_the_part() {
    for case in cases() {
        let account = case.account();
        let lint = account
            .run(&["fleet", "lint", FLEET, "-o", "json", "--fail-on", "never"])
            .await;
        let findings = lint.json()["fleets"][0]["findings"].clone();
        let rows = findings.as_array().expect("findings");
        let named = rows.iter().any(|row| {
            row["rule"] == "not-modelled"
                && row["problem"]
                    .as_str()
                    .is_some_and(|text| text.contains(case.says))
        });
        assert!(named, "{:?}: {findings:#}", case.part);
        let errors: Vec<&Value> = rows.iter().filter(|row| row["severity"] == "error").collect();
        assert!(errors.is_empty(), "{:?}: {errors:#?}", case.part);
        let simulate = [
            "fleet",
            "simulate",
            FLEET,
            "--arrivals",
            "none",
            "--days",
            "1",
            "-o",
            "json",
        ];
        let report = asked(&account, &simulate).await.json()["report"].clone();
        assert!(
            names(&report["unknown"], case.says),
            "{:?}: {report:#}",
            case.part
        );
    }
}
