//! Machines with state folders of their own that change the same account: with leases one of them at a time does,
//! without them the younger of two migrations gives way.

use std::process::{Child, Stdio};
use std::time::Duration;

use bpctl_sandbox::{Fault, FaultRule, FleetSeed, Options, Scenario, Service};
use serde_json::{Value, json};

use crate::link::{Link, lease};
use crate::site::{Site, eventually};
use crate::support::{Account, Run, idle_fleets, kept_by_hand};

const FLEET: &str = "production/fleet-000";
const FLEETS_LEASE: &str = "asg/production/fleet-000";
const BACKENDS_LEASE: &str = "ecs/bp-backend";

/// A delay that is long enough for everything else to happen in between.
const SECOND: Duration = Duration::from_secs(1);

/// Sets the fleet's size as the machine of this name.
async fn scale(account: &Account, link: &Link, name: &str, desired: &str, more: &[&str]) -> Option<Run> {
    let mut args = vec![
        "fleet",
        "scale",
        FLEET,
        "--desired",
        desired,
        "--yes",
        "--reason",
        name,
    ];
    args.extend(more);
    link.pause().await;
    link.run(account, &args).await
}

/// Every change of the machine arrived while it held the lease.
fn assert_held(link: &Link, name: &str, label: &str) {
    for holder in link.holders() {
        assert_eq!(holder.as_deref(), Some(name), "{label}");
    }
}

/// Done, refused because of the lease, or refused because the other one was first.
fn assert_one_of_the_ends(run: &Run, label: &str) -> u8 {
    match run.status.code() {
        1 => assert!(
            run.stderr.contains("another run has the lease"),
            "{label}\n{}",
            run.text()
        ),
        0 | 5 => {}
        other => panic!("{label}: status {other}\n{}", run.text()),
    }
    run.status.code()
}

#[tokio::test(start_paused = true)]
async fn two_machines_never_change_the_same_fleet_at_once() {
    let mut refused = 0;
    for seed in 0..40 {
        let label = format!("seed {seed}");
        let account = idle_fleets(1);
        let beside = account.beside();
        let one = Link::new(&account, FLEETS_LEASE, seed, SECOND);
        let other = Link::new(&beside, FLEETS_LEASE, seed + 1000, SECOND);
        let (first, second) = tokio::join!(
            scale(&account, &one, "one", "3", &[]),
            scale(&beside, &other, "other", "4", &[]),
        );
        let ends = [first, second].map(|run| assert_one_of_the_ends(&run.expect("it lives"), &label));
        assert!(ends.contains(&0), "{label}: {ends:?}");
        assert_held(&one, "one", &label);
        assert_held(&other, "other", &label);
        assert_eq!(
            one.holders().len() + other.holders().len(),
            ends.iter().filter(|end| **end == 0).count()
        );
        refused += usize::from(ends.contains(&1));
        assert!(
            lease(&account.sandbox, FLEETS_LEASE).is_none(),
            "{label}: given up"
        );
    }
    assert!(
        refused > 10,
        "only {refused} of 40 rounds were a race for the lease"
    );
}

#[tokio::test(start_paused = true)]
async fn of_two_machines_that_take_a_dead_runs_lease_over_one_gets_it_first() {
    for seed in 0..20 {
        let label = format!("seed {seed}");
        let account = idle_fleets(1);
        let (beside, third) = (account.beside(), account.beside());
        let dying = Link::new(&account, FLEETS_LEASE, seed, SECOND).dying_with_the_lease();
        assert!(scale(&account, &dying, "dead", "2", &[]).await.is_none());
        let held = lease(&account.sandbox, FLEETS_LEASE).expect("it outlives its run");
        assert_eq!(held["reason"], "dead");
        let one = Link::new(&beside, FLEETS_LEASE, seed + 1000, SECOND);
        let other = Link::new(&third, FLEETS_LEASE, seed + 2000, SECOND);
        let begun = account.sandbox.now();
        let wait = ["--lock-wait", "15m"];
        let (first, second) = tokio::join!(
            scale(&beside, &one, "one", "3", &wait),
            scale(&third, &other, "other", "4", &wait),
        );
        let runs = [first, second].map(|run| run.expect("it lives"));
        let ends = [&runs[0], &runs[1]].map(|run| assert_one_of_the_ends(run, &label));
        assert!(ends.contains(&0) && !ends.contains(&1), "{label}: {ends:?}");
        let took_over = runs
            .iter()
            .filter(|run| run.stderr.contains("took over the lease"));
        assert_eq!(
            took_over.count(),
            1,
            "{label}\n{}\n{}",
            runs[0].text(),
            runs[1].text()
        );
        assert!(
            account.sandbox.now().0 - begun.0 >= 110_000,
            "{label}: before the lease was over"
        );
        assert_held(&one, "one", &label);
        assert_held(&other, "other", &label);
    }
}

/// Begin and end of every migration that bpctl has started, the first one first.
fn migrations(account: &Account) -> Vec<Value> {
    let mut found: Vec<Value> = Vec::new();
    for status in ["RUNNING", "STOPPED"] {
        let tasks = account.sandbox.with_world(|world| {
            let input = json!({"cluster": "bp", "family": "bp-backend", "desiredStatus": status});
            let arns = world.call(Service::Ecs, "ListTasks", &input).expect("a list")["taskArns"].clone();
            if arns.as_array().is_none_or(Vec::is_empty) {
                return json!([]);
            }
            let input = json!({"cluster": "bp", "tasks": arns});
            world.call(Service::Ecs, "DescribeTasks", &input).expect("tasks")["tasks"].clone()
        });
        let ours = tasks.as_array().into_iter().flatten().filter(|task| {
            task["startedBy"]
                .as_str()
                .is_some_and(|by| by.starts_with("bpctl/"))
        });
        found.extend(ours.cloned());
    }
    found.sort_by(|a, b| {
        let key = |task: &Value| {
            (
                task["createdAt"].as_f64(),
                task["taskArn"].as_str().map(str::to_owned),
            )
        };
        key(a).partial_cmp(&key(b)).expect("times are numbers")
    });
    found
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_waits_for_the_lease_migrates_when_the_other_one_is_done() {
    for seed in 0..6 {
        let account = Account::with(&[]);
        let beside = account.beside();
        let links = [seed, seed + 1000]
            .map(|seed| Link::new(&account, BACKENDS_LEASE, seed, Duration::from_millis(100)));
        let mine = ["migrate", "--yes", "--lock-wait", "15m", "--reason", "one"];
        let others = ["migrate", "--yes", "--lock-wait", "15m", "--reason", "other"];
        let (first, second) = tokio::join!(links[0].run(&account, &mine), links[1].run(&beside, &others),);
        let runs = [first, second].map(|run| run.expect("it lives"));
        for run in &runs {
            assert_eq!(run.status.code(), 0, "{}", run.text());
        }
        let waited = runs
            .iter()
            .filter(|run| run.stderr.contains("waiting for the lease on ecs/bp-backend"));
        assert_eq!(waited.count(), 1, "{}\n{}", runs[0].text(), runs[1].text());
        assert_held(&links[0], "one", "");
        assert_held(&links[1], "other", "");
        let tasks = migrations(&account);
        assert_eq!(tasks.len(), 2);
        assert!(
            tasks[0]["stoppedAt"].as_f64() <= tasks[1]["createdAt"].as_f64(),
            "{tasks:#?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_cannot_renew_its_lease_starts_nothing_once_another_may_have_it() {
    let account = Account::with(&[]);
    let beside = account.beside();
    let one = Link::new(&account, BACKENDS_LEASE, 1, Duration::from_millis(20));
    let other = Link::new(&beside, BACKENDS_LEASE, 2, Duration::from_millis(20));
    // The snapshot takes more than three minutes.
    let args = ["migrate", "--snapshot", "--yes", "--reason", "one"];
    let waits = ["migrate", "--yes", "--lock-wait", "15m", "--reason", "other"];
    let clock = account.clock();
    let later = async {
        clock.sleep(Duration::from_secs(10)).await;
        assert_eq!(
            lease(&account.sandbox, BACKENDS_LEASE).expect("a lease")["reason"],
            "one"
        );
        one.lose_s3();
        other.run(&beside, &waits).await
    };
    let (first, second) = tokio::join!(one.run(&account, &args), later);
    let (first, second) = (first.expect("it lives"), second.expect("it lives"));
    assert_eq!(second.status.code(), 0, "{}", second.text());
    assert!(second.stderr.contains("took over the lease"), "{}", second.text());
    assert_held(&other, "other", "");
    assert_eq!(one.holders(), [None::<String>; 0], "{}", first.text());
    assert_eq!(first.status.code(), 7, "{}", first.text());
    for part in [
        "no change is sent until it is renewed",
        "rely on the lease on ecs/bp-backend",
        "another run may have it by now",
    ] {
        assert!(first.stderr.contains(part), "{part}\n{}", first.text());
    }
    assert_eq!(migrations(&account).len(), 1);
}

/// Two machines that no lease keeps apart, in an account whose ECS shows new tasks after `delay`.
fn without_leases(delay: Duration) -> (Account, Account) {
    let account = Account::with(&[]);
    account.sandbox.with_world(|world| {
        world.inject(FaultRule::on(Service::S3, "PutObject", Fault::Deny));
        world.show_new_tasks_after(delay);
    });
    let beside = account.beside();
    (account, beside)
}

/// Runs a migration on each machine, each after a pause, and says how they ended.
async fn race(machines: [&Account; 2], pauses: [u64; 2], args: &[&str]) -> [Run; 2] {
    let run = async |machine: &Account, pause: u64| {
        machine.clock().sleep(Duration::from_millis(pause)).await;
        machine.run(args).await
    };
    let (one, other) = tokio::join!(run(machines[0], pauses[0]), run(machines[1], pauses[1]));
    [one, other]
}

/// The older of two tasks goes on, the younger one is stopped by its own run.
fn assert_the_younger_gave_way(account: &Account, runs: &[Run; 2], younger: usize, label: &str) {
    let text = format!("{label}\n{}\n{}", runs[0].text(), runs[1].text());
    let (gone, stays) = (&runs[younger], &runs[1 - younger]);
    assert_eq!((stays.status.code(), gone.status.code()), (0, 5), "{text}");
    let tasks = migrations(account);
    assert_eq!(tasks.len(), 2, "{text}");
    let id = |task: &Value| {
        let arn = task["taskArn"].as_str().unwrap_or_default();
        arn.rsplit('/').next().unwrap_or_default().to_owned()
    };
    assert_ne!(tasks[0]["stopCode"], "UserInitiated", "{text}");
    assert_eq!(tasks[1]["stopCode"], "UserInitiated", "{text}");
    assert_eq!(
        tasks[1]["stoppedReason"], "bpctl migrate: another migration was started first",
        "{text}"
    );
    let told = format!(
        "task {} was started first, and task {} of this run",
        id(&tasks[0]),
        id(&tasks[1])
    );
    assert!(gone.stderr.contains(&told), "{told}\n{text}");
    let follow = format!("bpctl migrate --attach {}", id(&tasks[0]));
    assert!(gone.stderr.contains(&follow), "{follow}\n{text}");
}

#[tokio::test(start_paused = true)]
async fn without_leases_the_younger_of_two_migrations_stops_itself() {
    // ECS shows a new task after a second: neither sees the other before it starts.
    for (pauses, younger) in [([0, 400], 1), ([400, 0], 0), ([0, 1], 1), ([1, 0], 0)] {
        let (one, other) = without_leases(SECOND);
        let runs = race([&one, &other], pauses, &["migrate", "--yes"]).await;
        assert_the_younger_gave_way(&one, &runs, younger, &format!("{pauses:?}"));
        let entries: Vec<&str> = runs.iter().map(|run| run.stderr.as_str()).collect();
        assert!(
            entries[1 - younger].contains("its run is to stop it"),
            "the older one does not tell of the younger\n{entries:#?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn without_leases_one_of_two_migrations_of_the_same_moment_goes_on() {
    let (one, other) = without_leases(SECOND);
    let runs = race([&one, &other], [0, 0], &["migrate", "--yes"]).await;
    let younger = runs
        .iter()
        .position(|run| run.status.code() == 5)
        .expect("one gives way");
    assert_the_younger_gave_way(&one, &runs, younger, "at once");
}

#[tokio::test(start_paused = true)]
async fn a_migration_that_ecs_shows_late_is_given_way_to_late() {
    for (pauses, younger) in [([0, 3000], 1), ([3000, 0], 0)] {
        let (one, other) = without_leases(Duration::from_secs(10));
        let runs = race([&one, &other], pauses, &["migrate", "--yes"]).await;
        assert_the_younger_gave_way(&one, &runs, younger, &format!("{pauses:?}"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_does_not_wait_gives_way_before_it_lets_go() {
    let (one, other) = without_leases(SECOND);
    let runs = race([&one, &other], [0, 400], &["migrate", "--yes", "--no-wait"]).await;
    assert_eq!(
        (runs[0].status.code(), runs[1].status.code()),
        (0, 5),
        "{}\n{}",
        runs[0].text(),
        runs[1].text()
    );
    let account = &one;
    account.sandbox.advance(Duration::from_secs(600));
    assert_the_younger_gave_way(account, &runs, 1, "--no-wait");
}

/// A migration that is started by hand at the same moment stops for no other.
#[tokio::test(start_paused = true)]
async fn the_younger_one_that_bpctl_did_not_start_is_told_of() {
    let (account, _) = without_leases(SECOND);
    let plan = account.run(&["migrate", "--dry-run", "-o", "json"]).await.json();
    let mut input = plan["steps"][0]["calls"][0]["parameters"].clone();
    input["startedBy"] = json!("night-shift");
    input["clientToken"] = json!("by-hand");
    let clock = account.clock();
    let (run, ()) = tokio::join!(account.run(&["migrate", "--yes"]), async {
        clock.sleep(Duration::from_millis(500)).await;
        account
            .sandbox
            .with_world(|world| world.call(Service::Ecs, "RunTask", &input))
            .expect("a task");
    });
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert!(
        run.stderr
            .contains("started by night-shift after the one of this run, migrates at the same time"),
        "{}",
        run.text()
    );
    assert!(run.stderr.contains("bpctl did not start it"), "{}", run.text());
}

/// The deployments of the backend that ECS has on record, the newest first.
fn deployments(account: &Account) -> Vec<Value> {
    let input = json!({"cluster": "bp", "service": "bp-backend"});
    let listed = account
        .sandbox
        .with_world(|world| world.call(Service::Ecs, "ListServiceDeployments", &input));
    let listed = listed.expect("a list");
    listed["serviceDeployments"].as_array().expect("a list").clone()
}

#[tokio::test(start_paused = true)]
async fn of_two_machines_that_deploy_the_same_service_one_is_refused() {
    let mut races = 0;
    for seed in 0..12 {
        let label = format!("seed {seed}");
        let account = Account::with(&[]);
        let beside = account.beside();
        let one = Link::new(&account, BACKENDS_LEASE, seed, SECOND);
        let other = Link::new(&beside, BACKENDS_LEASE, seed + 1000, SECOND);
        let before = deployments(&account).len();
        let mine = ["deploy", "backend", "--yes", "--reason", "one"];
        let others = ["deploy", "backend", "--yes", "--reason", "other"];
        let (first, second) = tokio::join!(one.run(&account, &mine), other.run(&beside, &others));
        let runs = [first, second].map(|run| run.expect("it lives"));
        let text = format!("{label}\n{}\n{}", runs[0].text(), runs[1].text());
        let done = runs.iter().filter(|run| run.status.code() == 0);
        assert_eq!(done.count(), 1, "{text}");
        let refused = runs
            .iter()
            .find(|run| run.status.code() != 0)
            .expect("one is refused");
        // The lease keeps it out; or it sees the deployment of the other one, before its plan or behind it.
        let by_the_lease = refused.stderr.contains("another run has the lease");
        let by_a_look = [
            "is under way and does well so far",
            "has begun since the plan was made",
        ];
        assert!(
            by_the_lease || by_a_look.iter().any(|words| refused.stderr.contains(words)),
            "{text}"
        );
        races += usize::from(by_the_lease);
        assert_held(&one, "one", &label);
        assert_held(&other, "other", &label);
        assert_eq!(deployments(&account).len(), before + 1, "{text}");
    }
    assert!(races > 4, "only {races} of 12 rounds were a race for the lease");
}

#[tokio::test(start_paused = true)]
async fn without_leases_the_older_of_two_deployments_sees_that_it_was_superseded() {
    let mut superseded = 0;
    for seed in 0..10 {
        let (account, beside) = without_leases(SECOND);
        let before = deployments(&account).len();
        let one = Link::new(&account, BACKENDS_LEASE, seed, SECOND);
        let other = Link::new(&beside, BACKENDS_LEASE, seed + 1000, SECOND);
        let args = ["deploy", "backend", "--yes"];
        let (first, second) = tokio::join!(one.run(&account, &args), other.run(&beside, &args));
        let runs = [first, second].map(|run| run.expect("it lives"));
        let text = format!("seed {seed}\n{}\n{}", runs[0].text(), runs[1].text());
        let gone = runs
            .iter()
            .find(|run| run.status.code() != 0)
            .expect("one gives way");
        assert!(runs.iter().any(|run| run.status.code() == 0), "{text}");
        // One that had not planned yet is blocked by what is under way.
        assert!([1, 5].contains(&gone.status.code()), "{text}");
        let by_the_other = gone
            .stderr
            .contains("which somebody else started, took the place of");
        if by_the_other {
            assert_eq!(gone.status.code(), 5, "{text}");
            superseded += 1;
        }
        assert_eq!(
            deployments(&account).len(),
            before + 1 + usize::from(by_the_other),
            "{text}"
        );
        assert!(gone.stderr.contains("bpctl rollout watch backend"), "{text}");
        assert_eq!(deployments(&account)[0]["status"], "SUCCESSFUL", "{text}");
    }
    assert!(superseded > 0, "no round was a race behind both looks");
}

/// A fleet that is kept by hand, behind a listener, and a home folder for each machine.
fn site(speed: f64) -> (Site, [tempfile::TempDir; 3]) {
    let options = Options {
        fleets: vec![FleetSeed::new("production", "fleet-000", 2, 0.0)],
        scenarios: [Scenario::ScaleToZeroUnsubscribed].into(),
        ..Options::default()
    };
    let site = Site::start(options, speed, Duration::from_millis(20));
    kept_by_hand(&site.sandbox, &["asg-production-fleet-000".to_owned()], 1);
    (
        site,
        std::array::from_fn(|_| tempfile::tempdir().expect("a folder")),
    )
}

fn start(site: &Site, home: &tempfile::TempDir, desired: usize, more: &[&str]) -> Child {
    let desired = desired.to_string();
    let mut args = vec![
        "fleet",
        "scale",
        FLEET,
        "--desired",
        &desired,
        "--yes",
        "--reason",
        &desired,
    ];
    args.extend(more);
    site.bpctl(home.path(), &args)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("bpctl starts")
}

/// Status and stderr.
fn ended(child: Child) -> (i32, String) {
    let output = child.wait_with_output().expect("the child ends");
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code().expect("a status"), stderr)
}

/// What happened to the lease and the fleet, in order: `taken`, `given up`, or the size that was set.
fn story(site: &Site) -> Vec<String> {
    site.sandbox.with_world(|world| {
        let calls = world.calls().iter().filter(|call| call.changed());
        let told = calls.filter_map(|call| {
            let input = call.input.as_ref()?;
            let of_lease = input["Key"].as_str().is_some_and(|key| key.contains("leases/"));
            match call.operation.as_str() {
                "PutObject" if of_lease && input.get("IfNoneMatch").is_some() => Some("taken".to_owned()),
                "DeleteObject" if of_lease => Some("given up".to_owned()),
                "UpdateAutoScalingGroup" => Some(input["DesiredCapacity"].to_string()),
                _ => None,
            }
        });
        told.collect()
    })
}

#[test]
fn two_processes_never_change_the_same_fleet_at_once() {
    let (site, homes) = site(20.0);
    for round in 0..4 {
        let sizes = [2 + 2 * (round % 2), 3 + 2 * (round % 2)];
        let children = [
            start(&site, &homes[0], sizes[0], &[]),
            start(&site, &homes[1], sizes[1], &[]),
        ];
        let ends = children.map(ended);
        assert!(ends.iter().any(|(status, _)| *status == 0), "{ends:#?}");
        for (status, stderr) in &ends {
            assert!(
                matches!(status, 0 | 5) || stderr.contains("another run has the lease"),
                "{ends:#?}"
            );
        }
        assert!(lease(&site.sandbox, FLEETS_LEASE).is_none());
    }
    // The sizes are set one by one, each under a lease of its own. A run that gets the lease behind the other's
    // change sees that the size is no longer what its plan was made from, and gives the lease up without a change.
    let story = story(&site);
    let mut told = story.split_inclusive(|event| event == "given up");
    assert!(
        told.all(|held| match held {
            [taken, given_up] => taken == "taken" && given_up == "given up",
            [taken, size, given_up] =>
                taken == "taken" && size.parse::<u32>().is_ok() && given_up == "given up",
            _ => false,
        }),
        "{story:?}"
    );
    assert!(
        story.iter().any(|event| event.parse::<u32>().is_ok()),
        "{story:?}"
    );
}

#[test]
fn of_two_processes_that_take_a_killed_ones_lease_over_one_gets_it_first() {
    let (site, homes) = site(40.0);
    let mut dead = start(&site, &homes[0], 2, &[]);
    let is_held = || lease(&site.sandbox, FLEETS_LEASE).is_some();
    assert!(eventually(Duration::from_secs(60), is_held));
    dead.kill().expect("SIGKILL");
    dead.wait().expect("it is gone");
    let wait = ["--lock-wait", "15m"];
    let children = [
        start(&site, &homes[1], 3, &wait),
        start(&site, &homes[2], 4, &wait),
    ];
    let ends = children.map(ended);
    assert!(ends.iter().any(|(status, _)| *status == 0), "{ends:#?}");
    assert!(
        ends.iter().all(|(status, _)| matches!(status, 0 | 5)),
        "{ends:#?}"
    );
    let took_over = ends
        .iter()
        .filter(|(_, stderr)| stderr.contains("took over the lease"));
    assert_eq!(took_over.count(), 1, "{ends:#?}");
    assert!(!is_held());
}
