//! `bpctl get`: things of every kind, one a line.

use bpctl_sandbox::Scenario;
use serde_json::Value;

use crate::support::{Account, Run, idle_fleets};

const KINDS: [&str; 12] = [
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
    "leases",
];

fn items(run: &Run) -> Vec<Value> {
    assert_eq!(run.status.code(), 0, "{}", run.text());
    run.json()["items"].as_array().expect("items").clone()
}

fn names(run: &Run) -> Vec<String> {
    run.stdout.lines().map(str::to_owned).collect()
}

#[tokio::test(start_paused = true)]
async fn every_kind_is_there_in_both_layouts_and_changes_nothing() {
    for account in [Account::with(&[]), Account::staged(&[])] {
        // A run leaves a journal.
        let run = account.run(&["migrate", "--yes"]).await;
        assert_eq!(run.status.code(), 0, "{}", run.text());
        for kind in KINDS {
            let run = account.run(&["get", kind, "-o", "json"]).await;
            assert_eq!(run.json()["schema"], format!("bpctl.get.{kind}/1"));
            assert!(run.changes.is_empty(), "{}", run.text());
            let found = items(&run);
            // No lease is left, and nothing else is empty.
            assert_eq!(found.is_empty(), kind == "leases", "{kind}: {}", run.text());
            let listed = account.run(&["get", kind, "-o", "name"]).await;
            assert_eq!(names(&listed).len(), found.len(), "{}", listed.text());
            let table = account.run(&["get", kind]).await;
            let lines = table.stdout.lines().count();
            let expected = if found.is_empty() { 0 } else { found.len() + 1 };
            assert_eq!(lines, expected, "{}", table.text());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn every_name_of_a_list_can_be_asked_for() {
    let account = Account::with(&[]);
    account.run(&["migrate", "--yes"]).await;
    for kind in KINDS {
        let listed = account.run(&["get", kind, "-o", "name"]).await;
        for name in names(&listed) {
            let one = account.run(&["get", kind, &name, "-o", "name"]).await;
            assert_eq!(
                names(&one),
                std::slice::from_ref(&name),
                "{kind} {name}: {}",
                one.text()
            );
            let word = format!("{}/{name}", kind.trim_end_matches('s'));
            if kind != "leases" && kind != "alarms" && kind != "stacks" {
                let one = account.run(&["get", &word, "-o", "name"]).await;
                assert_eq!(names(&one), [name], "{}", one.text());
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_table_fits_eighty_columns() {
    let account = Account::with(&[]);
    account.run(&["migrate", "--yes"]).await;
    for kind in KINDS {
        let run = account.run(&["get", kind]).await;
        for line in run.stdout.lines() {
            // Ids of runs are long, and so is what a one-off task was told to do: a table breaks neither.
            assert!(
                ["runs", "tasks"].contains(&kind) || line.chars().count() <= 80,
                "{kind}: {line}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn several_kinds_are_told_apart() {
    let account = Account::with(&[]);
    let run = account.run(&["get", "svc,asg", "-o", "name"]).await;
    assert!(
        names(&run).starts_with(&["service/bp-backend".to_owned(), "service/bp-frontend".to_owned()]),
        "{}",
        run.text()
    );
    assert!(
        names(&run).contains(&"fleet/production/gpu-default".to_owned()),
        "{}",
        run.text()
    );
    let again = account
        .run(&["get", "svc/backend", "fleet/production/gpu-default", "-o", "json"])
        .await;
    let kinds: Vec<Value> = items(&again).iter().map(|item| item["kind"].clone()).collect();
    assert_eq!(kinds, ["service", "fleet"]);
    assert_eq!(again.json()["schema"], "bpctl.get/1");
    let table = account.run(&["get", "svc,asg"]).await;
    assert_eq!(
        table
            .stdout
            .lines()
            .filter(|line| line.starts_with("NAME"))
            .count(),
        2,
        "{}",
        table.text()
    );
}

#[tokio::test(start_paused = true)]
async fn a_bad_word_is_refused_before_any_call() {
    let account = Account::with(&[]);
    for (args, says) in [
        (&["get", "servics"][..], "did you mean `services`?"),
        (&["get", "qqqq"], "the kinds are services, tasks"),
        (&["get", "svc,fleets", "backend"], "`service/backend`"),
        (&["get", "alarms", "-l", "a=b"], "`-l` works with services"),
        (&["get", "svc", "-l", "=x"], "key=value"),
        (&["get", "svc", "--sort-by", "desird"], "did you mean `desired`?"),
        (
            &["get", "svc,secrets", "--sort-by", "desired"],
            "they have no such member",
        ),
    ] {
        let run = account.run(args).await;
        assert_eq!((run.status.code(), run.calls), (2, 0), "{}", run.text());
        assert!(run.stderr.contains(says), "{args:?}: {}", run.text());
    }
}

#[tokio::test(start_paused = true)]
async fn a_name_that_nothing_has_ends_with_1_and_what_there_is() {
    let account = Account::with(&[]);
    for (args, says) in [
        (
            &["get", "svc", "none-such"][..],
            "there are bp-backend, bp-frontend",
        ),
        (
            &["get", "fleets", "production/gpu-defualt"],
            "did you mean `production/gpu-default`?",
        ),
        (
            &["get", "tasks", "0123456789abcdef0123456789abcdef"],
            "find task `0123456789abcdef0123456789abcdef`",
        ),
        (&["get", "runs", "x"], "there are no runs at all"),
    ] {
        let run = account.run(args).await;
        assert_eq!(run.status.code(), 1, "{}", run.text());
        assert!(
            run.stdout.is_empty() && run.stderr.contains(says),
            "{args:?}: {}",
            run.text()
        );
    }
    // What there is is shown all the same.
    let run = account
        .run(&["get", "svc", "backend", "none-such", "-o", "name"])
        .await;
    assert_eq!(
        (run.status.code(), names(&run)),
        (1, vec!["bp-backend".to_owned()]),
        "{}",
        run.text()
    );
}

#[tokio::test(start_paused = true)]
async fn tags_choose_and_members_order() {
    let account = Account::with(&[]);
    let all = items(&account.run(&["get", "stacks", "-o", "json"]).await).len();
    let project = account
        .run(&["get", "stacks", "-l", "Project=bp", "-o", "name"])
        .await;
    assert_eq!(names(&project).len(), all, "{}", project.text());
    let none = account.run(&["get", "stacks", "-l", "Project=other"]).await;
    assert_eq!(
        (none.status.code(), none.stdout.as_str()),
        (0, ""),
        "{}",
        none.text()
    );
    assert!(none.stderr.contains("There are no stacks"), "{}", none.text());
    let ages = |run: &Run| -> Vec<i64> {
        items(run)
            .iter()
            .map(|item| item["age_seconds"].as_i64().expect("an age"))
            .collect()
    };
    let rising = ages(
        &account
            .run(&["get", "stacks", "--sort-by", "age", "-o", "json"])
            .await,
    );
    assert!(rising.is_sorted() && rising.len() > 1, "{rising:?}");
    let mut falling = ages(
        &account
            .run(&["get", "stacks", "--sort-by", "-age", "-o", "json"])
            .await,
    );
    falling.reverse();
    assert_eq!(rising, falling);
}

#[tokio::test(start_paused = true)]
async fn no_secret_is_read_for_a_list_of_names() {
    let account = Account::with(&[]);
    let before = account.sandbox.with_world(|world| world.calls().len());
    let run = account.run(&["get", "secrets", "-o", "json"]).await;
    assert!(
        items(&run).iter().any(|item| item["name"] == "app-key"),
        "{}",
        run.text()
    );
    let asked: Vec<String> = account.sandbox.with_world(|world| {
        let calls = world.calls().iter().skip(before);
        calls.map(|call| call.operation.to_string()).collect()
    });
    assert!(
        asked
            .iter()
            .all(|operation| !operation.contains("Value") && operation != "GetParameters"),
        "{asked:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_crash_loop_is_seen_in_tasks_and_services() {
    let account = Account::with(&[Scenario::CrashLoop]);
    let run = account.run(&["get", "tasks", "-o", "json"]).await;
    assert!(
        items(&run).iter().any(|item| item["state"] == "STOPPED"),
        "{}",
        run.text()
    );
    let table = account.run(&["get", "tasks"]).await;
    assert!(table.stdout.contains("exited with"), "{}", table.text());
}

#[tokio::test(start_paused = true)]
async fn runs_of_this_machine_need_no_aws() {
    let account = Account::with(&[]);
    let run = account.run(&["get", "runs"]).await;
    assert_eq!((run.status.code(), run.calls), (0, 0), "{}", run.text());
}

/// Identity is one call of every command.
#[tokio::test(start_paused = true)]
async fn calls_grow_with_pages_and_not_with_things() {
    for (fleets, pages_of_groups, alarms, machines) in
        [(1, 1, 1, 1), (2, 1, 1, 1), (20, 1, 1, 1), (200, 2, 9, 1)]
    {
        let account = idle_fleets(fleets);
        let calls = async |kind: &str| {
            let run = account.run(&["get", kind, "-o", "name"]).await;
            assert_eq!(run.status.code(), 0, "{}", run.text());
            run.calls
        };
        assert_eq!(calls("services").await, 1 + 1, "{fleets} fleets");
        assert_eq!(calls("deployments").await, 1 + 1 + 2 + 1, "{fleets} fleets");
        assert_eq!(calls("secrets").await, 1 + 1 + 1, "{fleets} fleets");
        // Alarms by the hundred, instances by two hundred.
        assert_eq!(
            calls("alarms").await,
            1 + pages_of_groups + alarms,
            "{fleets} fleets"
        );
        assert_eq!(
            calls("instances").await,
            1 + pages_of_groups + machines,
            "{fleets} fleets"
        );
    }
}
