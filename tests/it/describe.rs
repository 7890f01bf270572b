//! `bpctl describe`: one thing, and what an operator looks up next.

use bpctl_sandbox::Scenario;
use serde_json::Value;

use crate::support::{Account, Run, idle_fleets};

const KINDS: [&str; 11] = [
    "services",
    "tasks",
    "deployments",
    "images",
    "alarms",
    "fleets",
    "instances",
    "stacks",
    "parameters",
    "secrets",
    "runs",
];

fn only(run: &Run) -> Value {
    assert_eq!(run.status.code(), 0, "{}", run.text());
    let items = run.json()["items"].as_array().expect("items").clone();
    assert_eq!(items.len(), 1, "{}", run.text());
    items[0].clone()
}

fn count(value: &Value) -> usize {
    value.as_array().map_or(0, Vec::len)
}

#[tokio::test(start_paused = true)]
async fn every_kind_is_described_in_both_layouts_and_changes_nothing() {
    for account in [Account::with(&[]), Account::staged(&[])] {
        account.run(&["migrate", "--yes"]).await;
        for kind in KINDS {
            let listed = account.run(&["get", kind, "-o", "name"]).await;
            let name = listed.stdout.lines().next().expect("a name").to_owned();
            let run = account.run(&["describe", kind, &name, "-o", "json"]).await;
            assert!(run.changes.is_empty(), "{}", run.text());
            let described = only(&run);
            assert_eq!(run.json()["schema"], "bpctl.describe/1");
            assert_eq!(described["gaps"], serde_json::json!([]), "{kind}: {}", run.text());
            let text = account.run(&["describe", kind, &name]).await;
            let word = kind.trim_end_matches('s');
            assert!(
                text.stdout.starts_with(&format!("{word}/{name}\n")),
                "{kind}: {}",
                text.text()
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_comes_with_what_is_looked_up_next() {
    let account = Account::with(&[]);
    let deployed = account.run(&["deploy", "backend", "--yes"]).await;
    assert_eq!(deployed.status.code(), 0, "{}", deployed.text());
    let service = only(&account.run(&["describe", "svc/backend", "-o", "json"]).await);
    assert_eq!(service["item"]["kind"], "service");
    for part in ["tasks", "targets", "events", "deployments", "images", "runs"] {
        assert!(count(&service[part]) > 0, "{part}: {service}");
    }
    assert_eq!(service["scaling"]["circuit_breaker"], true, "{service}");
    let all_of_it = service["tasks"].as_array().expect("tasks").iter();
    assert!(
        all_of_it.clone().all(|task| task["service"] == "bp-backend"),
        "{service}"
    );
    // A fleet has no place there.
    assert!(service["instances"].is_null() && service["alarms"].is_null());
    let frontend = only(&account.run(&["describe", "svc/frontend", "-o", "json"]).await);
    assert_eq!(
        count(&frontend["runs"]),
        0,
        "the run was of the backend: {frontend}"
    );
    let text = account.run(&["describe", "svc", "backend"]).await.stdout;
    for title in [
        "Tasks",
        "Targets",
        "Events",
        "Deployments",
        "Images that run",
        "Runs on this machine",
        "Next",
    ] {
        assert!(text.lines().any(|line| line == title), "{title}:\n{text}");
    }
    assert!(text.contains("  bpctl logs backend\n"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_fleet_comes_with_instances_skew_activities_and_alarms() {
    let account = Account::with(&[]);
    let name = "production/gpu-default";
    let scaled = account
        .run(&["fleet", "scale", name, "--desired", "3", "--yes"])
        .await;
    assert_eq!(scaled.status.code(), 0, "{}", scaled.text());
    account.sandbox.advance(std::time::Duration::from_secs(60));
    let fleet = only(&account.run(&["describe", "fleet", name, "-o", "json"]).await);
    for part in ["instances", "skew", "activities", "alarms", "stacks", "runs"] {
        assert!(count(&fleet[part]) > 0, "{part}: {fleet}");
    }
    assert_eq!(count(&fleet["skew"]), count(&fleet["instances"]), "{fleet}");
    let mine = |alarm: &Value| alarm["fleet"] == name;
    assert!(
        fleet["alarms"].as_array().expect("alarms").iter().all(mine),
        "{fleet}"
    );
    // What `fleet instances` says of an instance is said here too.
    let table = account
        .run(&["fleet", "instances", name, "-o", "json"])
        .await
        .json();
    let differs = |list: &Value, id: &str| -> Vec<(String, Value)> {
        let rows = list.as_array().expect("rows").iter();
        rows.map(|row| {
            (
                row[id].as_str().unwrap_or_default().to_owned(),
                row["differs_in"].clone(),
            )
        })
        .collect()
    };
    assert_eq!(
        differs(&fleet["skew"], "instance"),
        differs(&table["instances"], "id")
    );
}

#[tokio::test(start_paused = true)]
async fn a_crash_is_in_the_description_of_the_service() {
    let account = Account::with(&[Scenario::CrashLoop]);
    let text = account.run(&["describe", "svc", "backend"]).await.stdout;
    assert!(text.contains("exited with"), "{text}");
    let service = only(&account.run(&["describe", "svc", "backend", "-o", "json"]).await);
    let stopped = |task: &Value| task["state"] == "STOPPED";
    assert!(
        service["tasks"].as_array().expect("tasks").iter().any(stopped),
        "{service}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_described_is_refused() {
    let account = Account::with(&[]);
    for (args, says) in [
        (&["describe", "svc"][..], "bpctl get services"),
        (&["describe", "servics", "x"], "did you mean `services`?"),
        (&["describe", "svc,fleets", "x"], "`service/x`"),
    ] {
        let run = account.run(args).await;
        assert_eq!((run.status.code(), run.calls), (2, 0), "{}", run.text());
        assert!(run.stderr.contains(says), "{args:?}: {}", run.text());
    }
    let run = account.run(&["describe", "svc", "none-such"]).await;
    assert_eq!(
        (run.status.code(), run.stdout.as_str()),
        (1, ""),
        "{}",
        run.text()
    );
    assert!(run.stderr.contains("there are bp-backend"), "{}", run.text());
    // What there is is described all the same.
    let run = account
        .run(&["describe", "svc", "backend", "none-such", "-o", "name"])
        .await;
    assert_eq!(
        (run.status.code(), run.stdout.as_str()),
        (1, "service/bp-backend\n"),
        "{}",
        run.text()
    );
}

/// Lists are read once for all things; what only one thing has is bounded for each.
#[tokio::test(start_paused = true)]
async fn calls_do_not_grow_with_what_there_is() {
    let mut seen = Vec::new();
    for fleets in [1, 2, 20] {
        let account = idle_fleets(fleets);
        let listed = account.run(&["get", "fleets", "-o", "name"]).await;
        let fleet = listed.stdout.lines().next().expect("a fleet").to_owned();
        let calls = async |args: &[&str]| {
            let run = account.run(args).await;
            assert_eq!(run.status.code(), 0, "{}", run.text());
            run.calls
        };
        seen.push((
            calls(&["describe", "svc", "backend"]).await,
            calls(&["describe", "svc", "backend", "frontend"]).await,
            calls(&["describe", "fleet", &fleet]).await,
        ));
    }
    let (one, both, fleet) = seen[0];
    for calls in &seen {
        // Alarms are described by the hundred: those of twenty fleets are a second call.
        assert_eq!((calls.0, calls.1), (one, both), "{seen:?}");
        assert!(calls.2 <= fleet + 1, "{seen:?}");
    }
    // A second service adds its events, its targets and its bounds.
    assert_eq!(both, one + 3, "{seen:?}");
    assert!(one <= 20 && fleet <= 14, "{seen:?}");
}
