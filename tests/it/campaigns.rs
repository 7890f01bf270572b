//! Every mutating verb, broken at every one of its requests: killed, interrupted, cut off, answered with
//! garbage. Afterwards nothing has happened twice, nothing is lost, and what bpctl said was true.

use bpctl_sandbox::Service;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::broken_network::{Break, Network};
use crate::support::{Account, Run, idle_fleets};

const FLEETS: usize = 3;

/// The requests that are broken: each of the first ones, up to where a task is followed; then every fourth,
/// since following is one request like the other.
fn requests() -> impl Iterator<Item = usize> {
    (0..24).chain((24..).step_by(4))
}

/// Runs a command over a network that breaks. `None`: the process was killed.
pub(crate) async fn broken(
    account: &Account,
    args: &[&str],
    at: usize,
    what: Break,
) -> (Network, Option<Run>) {
    let network = Network::new(account.sandbox.clone(), account.clock(), at, what);
    let given = network.clone();
    let run = account.run_with(args, move |process| {
        process.cancel = given.interrupted.clone();
        if let Some(transport) = &mut process.transport {
            transport.client = given.client();
        }
    });
    let killed = network.killed.clone();
    let run = tokio::select! {
        run = run => Some(run),
        () = killed.notified() => None,
    };
    (network, run)
}

/// One-off tasks that bpctl has started: id, begin and end.
fn migrations(account: &Account) -> Vec<(String, Timestamp, Option<Timestamp>)> {
    let at = |value: &Value| {
        let seconds = value.as_f64()?;
        Timestamp::from_millisecond((seconds * 1000.0) as i64).ok()
    };
    let mut found = Vec::new();
    for status in ["RUNNING", "STOPPED"] {
        let listed = account.sandbox.with_world(|world| {
            let input = json!({"cluster": "bp", "family": "bp-backend", "desiredStatus": status});
            let arns = world.call(Service::Ecs, "ListTasks", &input).expect("a list")["taskArns"].clone();
            if arns.as_array().is_none_or(Vec::is_empty) {
                return json!({"tasks": []});
            }
            let input = json!({"cluster": "bp", "tasks": arns});
            world.call(Service::Ecs, "DescribeTasks", &input).expect("tasks")
        });
        for task in listed["tasks"].as_array().expect("a list") {
            let by = task["startedBy"].as_str().unwrap_or_default();
            if by.starts_with("bpctl/") {
                let created = at(&task["createdAt"]).expect("a time");
                let id = task["taskArn"].as_str().and_then(|arn| arn.rsplit('/').next());
                found.push((id.expect("an id").to_owned(), created, at(&task["stoppedAt"])));
            }
        }
    }
    found.sort_by_key(|(_, created, _)| *created);
    found
}

fn assert_no_overlap(account: &Account, what: &str) {
    let tasks = migrations(account);
    for pair in tasks.windows(2) {
        let ended = pair[0].2.unwrap_or(Timestamp::MAX);
        assert!(ended <= pair[1].1, "{what}: two migrations at once: {tasks:#?}");
    }
}

fn desired(account: &Account) -> Vec<u64> {
    let answer = account
        .sandbox
        .with_world(|world| world.call(Service::AutoScaling, "DescribeAutoScalingGroups", &json!({})))
        .expect("groups");
    let groups = answer["AutoScalingGroups"].as_array().expect("a list").clone();
    groups
        .iter()
        .map(|group| group["DesiredCapacity"].as_u64().expect("a number"))
        .collect()
}

/// After a migration was cut off: the same command again, and what it names when it refuses.
async fn migrate_to_the_end(account: &Account, what: &str) {
    let again = account.run(&["migrate", "--yes"]).await;
    let status = again.status.code();
    if status == 1 && again.stderr.contains("a migration is under way already: task ") {
        let (_, rest) = again
            .stderr
            .split_once("migrate --attach ")
            .expect("a way to follow it");
        let task = rest.split('`').next().expect("a task").to_owned();
        let followed = account.run(&["migrate", "--attach", &task]).await;
        assert_eq!(followed.status.code(), 0, "{what}\n{}", followed.text());
    } else {
        assert_eq!(status, 0, "{what}\n{}", again.text());
    }
    assert_no_overlap(account, what);
    assert!(!migrations(account).is_empty(), "{what}: nothing was migrated");
}

#[tokio::test(start_paused = true)]
async fn a_migration_that_is_killed_at_any_request_starts_nothing_twice() {
    for what in [Break::KilledBefore, Break::KilledAfter, Break::KilledInFlight] {
        for at in requests() {
            let account = Account::with(&[]);
            let (network, run) = broken(&account, &["migrate", "--yes"], at, what).await;
            if !network.was_hit() {
                assert!(run.is_some_and(|run| run.status.code() == 0) && at > 8, "{at}");
                break;
            }
            assert!(run.is_none());
            let label = format!("{what:?} at {at}: {:?}", network.hit.lock().expect("no panic"));
            migrate_to_the_end(&account, &label).await;
            // Over the whole story: the first request and its repetition are one task.
            assert!(migrations(&account).len() <= 2, "{label}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn another_migration_right_after_a_kill_does_not_overlap_with_one_in_flight() {
    for at in 4..9 {
        let account = Account::with(&[]);
        let (network, _) = broken(
            &account,
            &["migrate", "--central", "--yes"],
            at,
            Break::KilledInFlight,
        )
        .await;
        if !network.was_hit() {
            break;
        }
        let label = format!("{at}: {:?}", network.hit.lock().expect("no panic"));
        migrate_to_the_end(&account, &label).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_migration_that_is_interrupted_at_any_request_tells_the_truth() {
    for at in requests() {
        let account = Account::with(&[]);
        let (network, run) = broken(&account, &["migrate", "--yes"], at, Break::Interrupt).await;
        let run = run.expect("an interrupt is no kill");
        if !network.was_hit() {
            break;
        }
        let label = format!(
            "at {at}: {:?}\n{}",
            network.hit.lock().expect("no panic"),
            run.text()
        );
        let tasks = migrations(&account);
        match run.status.code() {
            // The task had ended, or the log was being read to its end.
            0 => assert!(tasks.iter().all(|(_, _, stopped)| stopped.is_some()), "{label}"),
            130 => {
                for (id, _, _) in &tasks {
                    assert!(run.stderr.contains(id.as_str()), "the task is not named\n{label}");
                }
            }
            other => panic!("status {other}\n{label}"),
        }
        migrate_to_the_end(&account, &label).await;
    }
}

#[tokio::test(start_paused = true)]
async fn fleets_end_at_zero_wherever_the_run_is_killed_or_interrupted() {
    let args = ["fleet", "scale-to-zero", "--all", "--yes"];
    for what in [
        Break::KilledBefore,
        Break::KilledAfter,
        Break::KilledInFlight,
        Break::Interrupt,
    ] {
        for at in requests() {
            let account = idle_fleets(FLEETS);
            let (network, run) = broken(&account, &args, at, what).await;
            if !network.was_hit() {
                break;
            }
            let label = format!("{what:?} at {at}: {:?}", network.hit.lock().expect("no panic"));
            if let Some(run) = run {
                let done = desired(&account).iter().filter(|desired| **desired == 0).count();
                match run.status.code() {
                    0 => assert_eq!(done, FLEETS, "{label}\n{}", run.text()),
                    130 => {}
                    other => panic!("status {other}: {label}\n{}", run.text()),
                }
            }
            let again = account.run(&args).await;
            assert_eq!(again.status.code(), 0, "{label}\n{}", again.text());
            assert_eq!(desired(&account), [0; FLEETS], "{label}");
            let third = account.run(&args).await;
            assert!(
                third.changes.is_empty() && !third.stderr.contains("an earlier run"),
                "{label}\n{}",
                third.text()
            );
        }
    }
}

/// What broken proxies, load balancers and endpoints answer.
const ANSWERS: &[Break] = &[
    Break::ResetBefore,
    Break::ResetAfter,
    Break::Answer(200, ""),
    Break::Answer(200, "{}"),
    Break::Answer(200, "\u{fffd}garbage\0"),
    Break::Answer(200, "<html><body>Welcome to the hotel</body></html>"),
    Break::Answer(503, "<html><body>Service Unavailable</body></html>"),
    Break::Answer(
        400,
        "{\"__type\":\"ThrottlingException\",\"message\":\"Rate exceeded\"}",
    ),
];

#[tokio::test(start_paused = true)]
async fn a_migration_behind_a_broken_network_starts_one_task_and_claims_nothing_false() {
    for what in ANSWERS {
        for at in requests() {
            let account = Account::with(&[]);
            let (network, run) = broken(&account, &["migrate", "--yes"], at, *what).await;
            let run = run.expect("nobody kills it");
            if !network.was_hit() {
                break;
            }
            let label = format!(
                "{what:?} at {at}: {:?}\n{}",
                network.hit.lock().expect("no panic"),
                run.text()
            );
            let tasks = migrations(&account);
            assert!(tasks.len() <= 1, "{label}");
            if run.status.code() == 0 {
                assert!(tasks.len() == 1 && tasks[0].2.is_some(), "{label}");
            } else {
                assert!(run.stderr.contains("hint: "), "no way on\n{label}");
                for (id, _, _) in &tasks {
                    let found = run.stderr.contains(id.as_str())
                        || run.stderr.contains("--started-by bpctl/migrate/");
                    assert!(found, "the task cannot be found\n{label}");
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn fleets_behind_a_broken_network_are_never_claimed_to_be_at_zero() {
    let args = ["fleet", "scale-to-zero", "--all", "--yes"];
    for what in ANSWERS {
        for at in requests() {
            let account = idle_fleets(FLEETS);
            let (network, run) = broken(&account, &args, at, *what).await;
            let run = run.expect("nobody kills it");
            if !network.was_hit() {
                break;
            }
            let label = format!(
                "{what:?} at {at}: {:?}\n{}",
                network.hit.lock().expect("no panic"),
                run.text()
            );
            if run.status.code() == 0 {
                assert_eq!(desired(&account), [0; FLEETS], "{label}");
            } else {
                assert!(run.stderr.contains("hint: "), "no way on\n{label}");
            }
        }
    }
}
