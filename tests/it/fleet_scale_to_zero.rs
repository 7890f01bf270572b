//! `bpctl fleet scale-to-zero`.

use std::io;

use bpctl::Prompter;
use bpctl_sandbox::{Fault, FaultRule, FleetSeed, Options, Sandbox, Scenario, Service};
use serde_json::{Value, json};

use crate::support::{Account, Run, idle_fleets, kept_by_hand};

const FLEET: &str = "production/gpu-default";
const GROUP: &str = "asg-production-gpu-default";
const SET: &str = "AutoScaling:SetDesiredCapacity";

/// One production fleet that an operator keeps running although it has no work.
fn idle() -> Account {
    idle_under(&[])
}

fn idle_under(scenarios: &[Scenario]) -> Account {
    let options = Options {
        scenarios: scenarios
            .iter()
            .copied()
            .chain([Scenario::ScaleToZeroUnsubscribed])
            .collect(),
        ..Options::default()
    };
    Account::prepared(options, |sandbox| kept_by_hand(sandbox, &[GROUP.to_owned()], 1))
}

fn inject(account: &Account, rule: FaultRule) {
    account.sandbox.with_world(|world| world.inject(rule));
}

fn call(sandbox: &Sandbox, operation: &str, input: &Value) {
    sandbox
        .with_world(|world| world.call(Service::AutoScaling, operation, input))
        .expect("the sandbox does it");
}

/// Desired capacity and lifecycle states of a group.
fn group(account: &Account, name: &str) -> (u64, Vec<String>) {
    let input = json!({ "AutoScalingGroupNames": [name] });
    let answer = account
        .sandbox
        .with_world(|world| world.call(Service::AutoScaling, "DescribeAutoScalingGroups", &input))
        .expect("the group is there");
    let group = &answer["AutoScalingGroups"][0];
    let states = group["Instances"].as_array().expect("instances");
    (
        group["DesiredCapacity"].as_u64().expect("a number"),
        states
            .iter()
            .map(|instance| instance["LifecycleState"].as_str().unwrap_or("?").to_owned())
            .collect(),
    )
}

fn outcomes(run: &Run) -> Vec<String> {
    let document = run.json();
    let fleets = document["fleets"].as_array().expect("fleets");
    fleets
        .iter()
        .map(|fleet| fleet["outcome"].as_str().unwrap_or("?").to_owned())
        .collect()
}

#[tokio::test(start_paused = true)]
async fn an_idle_fleet_goes_to_zero_and_its_instances_leave() {
    let account = idle();
    let run = account
        .run(&["fleet", "scale-to-zero", FLEET, "--yes", "-o", "json"])
        .await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert_eq!(run.changes, [SET]);
    let document = run.json();
    assert_eq!(document["schema"], "bpctl.fleet.scale-to-zero/1");
    assert_eq!(
        (&document["changed"], &document["fleets"][0]["outcome"]),
        (&json!(1), &json!("at-zero"))
    );
    assert_eq!(document["fleets"][0]["desired_after"], 0);
    let (desired, states) = group(&account, GROUP);
    assert!(
        desired == 0 && states.iter().all(|state| state == "Terminating"),
        "{states:?}"
    );
    tokio::time::advance(std::time::Duration::from_secs(180)).await;
    assert_eq!(group(&account, GROUP), (0, Vec::new()));

    let again = account
        .run(&["fleet", "scale-to-zero", FLEET, "--yes", "-o", "json"])
        .await;
    assert_eq!(
        (again.status.code(), again.changes.len()),
        (0, 0),
        "{}",
        again.text()
    );
    assert!(again.stderr.contains("Nothing to change"), "{}", again.text());
    assert_eq!(outcomes(&again), ["unchanged"]);
}

#[tokio::test(start_paused = true)]
async fn the_staged_layout_works_the_same() {
    let options = Options {
        layout: bpctl_sandbox::Layout::Staged,
        scenarios: [Scenario::ScaleToZeroUnsubscribed].into(),
        ..Options::default()
    };
    let account = Account::prepared(options, |sandbox| {
        kept_by_hand(sandbox, &["asg-staging-image-to-video".to_owned()], 1);
    });
    let run = account
        .run(&["fleet", "scale-to-zero", "--all", "--yes", "-o", "json"])
        .await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert_eq!(
        (outcomes(&run), run.changes),
        (vec!["at-zero".to_owned()], vec![SET.to_owned()])
    );
}

#[tokio::test(start_paused = true)]
async fn work_blocks_and_nothing_is_written() {
    let account = Account::with(&[]);
    let run = account.run(&["fleet", "scale-to-zero", "--all", "--yes"]).await;
    assert_eq!(run.status.code(), 1, "{}", run.text());
    assert!(
        run.stderr.contains("3 jobs in the queue, 2 workers at work"),
        "{}",
        run.text()
    );
    assert!(
        run.stderr.contains("--drain") && run.stderr.contains("--force"),
        "{}",
        run.text()
    );
    assert_eq!(run.changes, [""; 0]);
    assert_eq!(run.stdout, "");
}

#[tokio::test(start_paused = true)]
async fn silence_over_a_running_fleet_blocks() {
    // The alarm that takes silence for an empty queue has no way to act: the fleet still runs.
    let account = idle();
    account.sandbox.with_world(|world| {
        world.set_scenarios([Scenario::ScaleToZeroUnsubscribed, Scenario::MetricsSilent].into());
    });
    tokio::time::advance(std::time::Duration::from_secs(7 * 60)).await;
    for extra in ["--yes", "--drain"] {
        let run = account.run(&["fleet", "scale-to-zero", FLEET, extra]).await;
        assert_eq!(run.status.code(), 1, "{}", run.text());
        assert!(
            run.stderr.contains(
                "1 instance runs and nobody can say whether they work: `QueueDepth` has been silent"
            ),
            "{}",
            run.text()
        );
        assert_eq!(run.changes, [""; 0]);
    }
    let args = [
        "fleet",
        "scale-to-zero",
        FLEET,
        "--force",
        "--confirm",
        "sandbox",
        "-o",
        "json",
    ];
    let run = account.run(&args).await;
    assert_eq!(
        (run.status.code(), outcomes(&run)),
        (0, vec!["at-zero".to_owned()]),
        "{}",
        run.text()
    );
}

#[tokio::test(start_paused = true)]
async fn denied_metrics_block() {
    let account = idle();
    inject(
        &account,
        FaultRule::on(Service::CloudWatch, "GetMetricData", Fault::Deny),
    );
    let run = account.run(&["fleet", "scale-to-zero", FLEET, "--yes"]).await;
    assert_eq!((run.status.code(), run.changes.len()), (1, 0), "{}", run.text());
    assert!(run.stderr.contains("could not be read"), "{}", run.text());
    assert!(
        run.stderr.contains("allow `cloudwatch:GetMetricData`"),
        "{}",
        run.text()
    );
}

#[tokio::test(start_paused = true)]
async fn drain_waits_for_the_jobs() {
    let account = Account::with(&[]);
    // What would take the fleet to zero by itself as soon as its queue is empty.
    let alarms = json!({ "AutoScalingGroupName": GROUP, "ScalingProcesses": ["AlarmNotification"] });
    call(&account.sandbox, "SuspendProcesses", &alarms);
    // From now on no new jobs come; those that are there take some minutes.
    account
        .sandbox
        .with_world(|world| world.set_scenarios([Scenario::ScaleToZeroUnsubscribed].into()));
    let began = account.sandbox.now();
    let run = account
        .run(&["fleet", "scale-to-zero", FLEET, "--drain", "--yes", "-o", "json"])
        .await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert_eq!(
        (outcomes(&run), run.changes.as_slice()),
        (vec!["at-zero".to_owned()], [SET.to_owned()].as_slice())
    );
    assert!(
        run.stderr
            .contains("Waiting for production/gpu-default (3 jobs in the queue, 2 workers at work)"),
        "{}",
        run.text()
    );
    let minutes = (account.sandbox.now().0 - began.0) / 60_000;
    assert!((2..20).contains(&minutes), "{minutes} minutes");
}

#[tokio::test(start_paused = true)]
async fn drain_gives_up_at_its_deadline_and_touches_nothing() {
    let account = Account::with(&[]);
    let args = [
        "fleet",
        "scale-to-zero",
        FLEET,
        "--drain",
        "--yes",
        "--timeout",
        "5m",
        "-o",
        "json",
    ];
    let run = account.run(&args).await;
    assert_eq!(run.status.code(), 6, "{}", run.text());
    assert_eq!(
        (outcomes(&run), run.changes.len()),
        (vec!["still-busy".to_owned()], 0)
    );
    assert!(
        run.stderr
            .contains("bpctl fleet scale-to-zero production/gpu-default --drain"),
        "{}",
        run.text()
    );
}

#[tokio::test(start_paused = true)]
async fn force_needs_the_contexts_name_and_tells_of_the_policy_that_undoes_it() {
    let account = Account::with(&[]);
    let run = account
        .run(&["fleet", "scale-to-zero", FLEET, "--force", "--yes"])
        .await;
    assert_eq!((run.status.code(), run.changes.len()), (3, 0), "{}", run.text());
    assert!(run.stderr.contains("--confirm sandbox"), "{}", run.text());
    let args = [
        "fleet",
        "scale-to-zero",
        FLEET,
        "--force",
        "--confirm",
        "sandbox",
        "-o",
        "json",
    ];
    let run = account.run(&args).await;
    // Jobs wait: the step policy asks for one instance again, and that is no success.
    assert_eq!(run.status.code(), 1, "{}", run.text());
    assert_eq!(
        (outcomes(&run), run.changes.len()),
        (vec!["raised-again".to_owned()], 1)
    );
    assert!(
        run.stderr
            .contains("the scaling policies are going to raise the capacity again"),
        "{}",
        run.text()
    );
    assert!(run.stderr.contains("was set to 1 again"), "{}", run.text());
}

#[tokio::test(start_paused = true)]
async fn a_protected_instance_stays_and_is_said_to() {
    let account = idle();
    let run = account.run(&["fleet", "status", FLEET, "-o", "json"]).await;
    let instance = run.json()["fleets"][0]["capacity"]["instances"][0]["id"].clone();
    let input =
        json!({ "AutoScalingGroupName": GROUP, "InstanceIds": [instance], "ProtectedFromScaleIn": true });
    call(&account.sandbox, "SetInstanceProtection", &input);
    let run = account
        .run(&["fleet", "scale-to-zero", FLEET, "--yes", "-o", "json"])
        .await;
    assert_eq!(
        (run.status.code(), outcomes(&run)),
        (0, vec!["stays".to_owned()]),
        "{}",
        run.text()
    );
    assert_eq!(run.json()["fleets"][0]["staying"], json!([instance]));
    assert!(
        run.stderr.contains("1 instance is protected from scale-in"),
        "{}",
        run.text()
    );
    assert_eq!(group(&account, GROUP).1, ["InService"]);
}

#[tokio::test(start_paused = true)]
async fn a_minimum_blocks_with_the_way_out() {
    let account = idle();
    call(
        &account.sandbox,
        "UpdateAutoScalingGroup",
        &json!({ "AutoScalingGroupName": GROUP, "MinSize": 1 }),
    );
    let run = account.run(&["fleet", "scale-to-zero", FLEET, "--yes"]).await;
    assert_eq!((run.status.code(), run.changes.len()), (1, 0), "{}", run.text());
    assert!(
        run.stderr
            .contains(" fleet scale production/gpu-default --min 0`"),
        "{}",
        run.text()
    );
}

#[tokio::test(start_paused = true)]
async fn nothing_is_written_without_consent() {
    let account = idle();
    let dry = account
        .run(&["fleet", "scale-to-zero", FLEET, "--dry-run", "-o", "json"])
        .await;
    assert_eq!(
        (dry.status.code(), dry.json()["schema"].as_str()),
        (0, Some("bpctl.plan/2")),
        "{}",
        dry.text()
    );
    assert_eq!(
        dry.json()["steps"][0]["calls"][0]["operation"],
        "SetDesiredCapacity"
    );
    let differs = account
        .run(&["fleet", "scale-to-zero", FLEET, "--dry-run", "--exit-code"])
        .await;
    assert_eq!(differs.status.code(), 9);
    let silent = account.run(&["fleet", "scale-to-zero", FLEET]).await;
    assert_eq!(silent.status.code(), 3);
    assert!(silent.stderr.contains("`--yes`"), "{}", silent.text());
    let declined = account
        .run_with(&["fleet", "scale-to-zero", FLEET], |process| {
            process.can_prompt = true;
            process.prompter = Box::new(Answer(false, || ()));
        })
        .await;
    assert_eq!(declined.status.code(), 3, "{}", declined.text());
    for run in [dry, differs, silent, declined] {
        assert_eq!(run.changes, [""; 0]);
    }
    assert_eq!(group(&account, GROUP).0, 1);
    // Bad input costs no call.
    for args in [
        ["fleet", "scale-to-zero"].as_slice(),
        &["fleet", "scale-to-zero", "non sense"],
        &["fleet", "scale-to-zero", FLEET, "--all"],
        &["fleet", "scale-to-zero", FLEET, "--drain", "--force"],
        &["fleet", "scale-to-zero", FLEET, "--timeout", "30"],
    ] {
        let run = account.run(args).await;
        assert_eq!((run.status.code(), run.calls), (2, 0), "{args:?} {}", run.text());
    }
}

/// Says yes or no, after something has happened.
struct Answer<F: FnMut() + Send>(bool, F);

impl<F: FnMut() + Send> Prompter for Answer<F> {
    fn confirm(&mut self, _question: &str) -> io::Result<bool> {
        (self.1)();
        Ok(self.0)
    }

    fn input(&mut self, _question: &str) -> io::Result<String> {
        (self.1)();
        Ok("sandbox".to_owned())
    }
}

#[tokio::test(start_paused = true)]
async fn a_fleet_that_moves_while_the_operator_thinks_is_left_alone() {
    let account = idle();
    let sandbox = account.sandbox.clone();
    let run = account
        .run_with(&["fleet", "scale-to-zero", FLEET], move |process| {
            process.can_prompt = true;
            process.prompter = Box::new(Answer(true, move || {
                let input = json!({ "AutoScalingGroupName": GROUP, "DesiredCapacity": 3 });
                call(&sandbox, "SetDesiredCapacity", &input);
            }));
        })
        .await;
    assert_eq!(run.status.code(), 5, "{}", run.text());
    assert!(
        run.stderr
            .contains("the desired capacity went from 1 to 3 since the plan was made"),
        "{}",
        run.text()
    );
    assert_eq!(run.changes, [""; 0]);
    assert_eq!(group(&account, GROUP).0, 3);
}

#[tokio::test(start_paused = true)]
async fn a_fleet_that_is_at_zero_already_is_no_error() {
    let account = idle();
    let sandbox = account.sandbox.clone();
    let run = account
        .run_with(&["fleet", "scale-to-zero", FLEET, "-o", "json"], move |process| {
            process.can_prompt = true;
            process.prompter = Box::new(Answer(true, move || {
                let input = json!({ "AutoScalingGroupName": GROUP, "DesiredCapacity": 0 });
                call(&sandbox, "SetDesiredCapacity", &input);
            }));
        })
        .await;
    assert_eq!(
        (run.status.code(), outcomes(&run)),
        (0, vec!["at-zero".to_owned()]),
        "{}",
        run.text()
    );
    assert_eq!(run.changes, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn denied_names_the_permission() {
    let account = idle();
    inject(
        &account,
        FaultRule::on(Service::AutoScaling, "SetDesiredCapacity", Fault::Deny),
    );
    let run = account.run(&["fleet", "scale-to-zero", FLEET, "--yes"]).await;
    assert_eq!((run.status.code(), run.changes.len()), (4, 0), "{}", run.text());
    assert!(
        run.stderr
            .contains("hint: allow `autoscaling:SetDesiredCapacity`"),
        "{}",
        run.text()
    );
}

#[tokio::test(start_paused = true)]
async fn throttling_slows_it_down_and_no_more() {
    let account = idle_under(&[Scenario::Throttled]);
    let run = account
        .run(&["fleet", "scale-to-zero", FLEET, "--yes", "-o", "json"])
        .await;
    assert_eq!(
        (run.status.code(), outcomes(&run)),
        (0, vec!["at-zero".to_owned()]),
        "{}",
        run.text()
    );
    assert_eq!(run.changes, [SET]);
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_asked_again_without_harm() {
    let account = idle();
    inject(
        &account,
        FaultRule::on(Service::AutoScaling, "SetDesiredCapacity", Fault::LoseAnswer).times(1),
    );
    let run = account
        .run(&["fleet", "scale-to-zero", FLEET, "--yes", "-o", "json"])
        .await;
    assert_eq!(
        (run.status.code(), outcomes(&run)),
        (0, vec!["at-zero".to_owned()]),
        "{}",
        run.text()
    );
}

#[tokio::test(start_paused = true)]
async fn half_done_is_status_7_and_the_next_run_does_the_rest() {
    let account = idle_fleets(4);
    // The first two go through, everything after them is denied.
    inject(
        &account,
        FaultRule::on(Service::AutoScaling, "SetDesiredCapacity", Fault::Deny).after(2),
    );
    let run = account
        .run(&["fleet", "scale-to-zero", "--all", "--yes", "-o", "json"])
        .await;
    assert_eq!(run.status.code(), 7, "{}", run.text());
    assert_eq!(outcomes(&run), ["at-zero", "at-zero", "failed", "failed"]);
    assert_eq!(run.changes, [SET, SET]);
    assert!(
        run.stderr
            .contains("`bpctl fleet scale-to-zero production/fleet-002 production/fleet-003`"),
        "{}",
        run.text()
    );
    account.sandbox.with_world(|world| world.clear_faults());
    let run = account
        .run(&["fleet", "scale-to-zero", "--all", "--yes", "-o", "json"])
        .await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert_eq!(outcomes(&run), ["unchanged", "unchanged", "at-zero", "at-zero"]);
    assert_eq!(run.changes, [SET, SET]);
    // The first run came to its end: nothing was interrupted.
    assert_eq!(run.json()["interrupted_before"], json!(null));
}

#[tokio::test(start_paused = true)]
async fn what_was_written_is_told_even_when_aws_cannot_be_read_afterwards() {
    let account = idle();
    // The list, the check before the write and the read after it go through; the looks afterwards do not.
    let rule = FaultRule::on(Service::AutoScaling, "DescribeAutoScalingGroups", Fault::Deny).after(3);
    inject(&account, rule);
    let run = account
        .run(&["fleet", "scale-to-zero", FLEET, "--yes", "-o", "json"])
        .await;
    assert_eq!(run.status.code(), 4, "{}", run.text());
    assert_eq!(
        (outcomes(&run), run.changes.len()),
        (vec!["still-running".to_owned()], 1)
    );
    assert!(
        run.stderr
            .contains("the capacity is set; look again with `bpctl fleet status"),
        "{}",
        run.text()
    );
}

#[tokio::test(start_paused = true)]
async fn drain_with_two_fleets_takes_the_idle_one_first() {
    let account = Account::from_options(Options {
        fleets: vec![
            FleetSeed::new("production", "busy", 2, 1.0),
            FleetSeed::new("production", "idle", 2, 0.0),
        ],
        ..Options::default()
    });
    // An operator started a worker by hand: nothing to do for it, and no alarm acts.
    let alarms =
        json!({ "AutoScalingGroupName": "asg-production-idle", "ScalingProcesses": ["AlarmNotification"] });
    call(&account.sandbox, "SuspendProcesses", &alarms);
    let input = json!({ "AutoScalingGroupName": "asg-production-idle", "DesiredCapacity": 1 });
    call(&account.sandbox, "SetDesiredCapacity", &input);
    tokio::time::advance(std::time::Duration::from_secs(5 * 60)).await;
    let args = [
        "fleet",
        "scale-to-zero",
        "--all",
        "--drain",
        "--yes",
        "--timeout",
        "10m",
        "-o",
        "json",
    ];
    let run = account.run(&args).await;
    assert_eq!(run.status.code(), 6, "{}", run.text());
    assert_eq!(
        (outcomes(&run), run.changes.len()),
        (vec!["still-busy".to_owned(), "at-zero".to_owned()], 1)
    );
    assert!(
        run.stderr
            .contains("`bpctl fleet scale-to-zero production/busy --drain`"),
        "{}",
        run.text()
    );
}
