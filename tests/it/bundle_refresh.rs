//! `bpctl bundle activate --refresh` and `rollback --refresh`: the pointer moves, and the nodes that run are replaced.

use bpctl_sandbox::{FleetSeed, Options, Scenario, Service};
use serde_json::{Value, json};

use crate::broken_network::{Break, Network};
use crate::bundle::NEXT;
use crate::campaign_verbs::{broken, over, position};
use crate::support::{Account, kept_by_hand};

const PUT: &str = "Ssm:PutParameter";
const START: &str = "AutoScaling:StartInstanceRefresh";
const A: &str = "production/fleet-a";
const B: &str = "production/fleet-b";

/// Two fleets that are idle and kept at one node each by hand, with a bundle that is not the newest.
fn idle() -> Account {
    let options = Options {
        fleets: ["fleet-a", "fleet-b"]
            .map(|slug| FleetSeed::new("production", slug, 1, 0.0))
            .into(),
        scenarios: [Scenario::ScaleToZeroUnsubscribed].into(),
        ..Options::default()
    };
    Account::prepared(options, |sandbox| {
        let groups = [A, B].map(|fleet| format!("asg-{}", fleet.replace('/', "-")));
        kept_by_hand(sandbox, &groups, 1);
    })
}

/// The nodes of a fleet, and in what each differs from its pointers.
async fn nodes(account: &Account, fleet: &str) -> Vec<(String, Value)> {
    let run = account.run(&["fleet", "instances", fleet, "-o", "json"]).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    let document = run.json();
    let instances = document["instances"].as_array().cloned().unwrap_or_default();
    let node = |one: &Value| {
        (
            one["id"].as_str().expect("an id").to_owned(),
            one["differs_in"].clone(),
        )
    };
    instances.iter().map(node).collect()
}

/// How many refreshes each fleet has had.
fn refreshes(account: &Account) -> [usize; 2] {
    [A, B].map(|fleet| {
        let input = json!({"AutoScalingGroupName": format!("asg-{}", fleet.replace('/', "-"))});
        let answer = account
            .sandbox
            .with_world(|world| world.call(Service::AutoScaling, "DescribeInstanceRefreshes", &input))
            .expect("they are described");
        answer["InstanceRefreshes"].as_array().map_or(0, Vec::len)
    })
}

#[tokio::test(start_paused = true)]
async fn with_refresh_every_node_boots_with_the_bundle_and_rollback_takes_both_back() {
    let account = idle();
    let before = nodes(&account, A).await;
    let args = ["bundle", "activate", NEXT, "--fleet", A, "--refresh"];
    let dry = account.run(&[&args[..], &["--dry-run"]].concat()).await;
    assert_eq!((dry.status.code(), dry.changes.len()), (0, 0), "{}", dry.text());
    assert!(
        dry.stdout
            .contains("the nodes that run now are replaced afterwards")
            && dry.stdout.contains("autoscaling:StartInstanceRefresh"),
        "{}",
        dry.text()
    );
    let args = [&args[..], &["--yes", "-o", "json"]].concat();
    let run = account.run(&args).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert_eq!(run.changes, [PUT, START]);
    assert_eq!(run.json()["fleets"][0]["refresh"]["status"], "Successful");
    assert!(!run.stderr.contains("bpctl fleet refresh"), "{}", run.text());
    let after = nodes(&account, A).await;
    assert_eq!((before.len(), after.len()), (1, 1));
    assert_ne!(before[0].0, after[0].0);
    assert_eq!(after[0].1, json!([]), "{}", run.text());
    // The second time there is nothing to do.
    let again = account.run(&args).await;
    assert_eq!(
        (again.status.code(), again.changes.len()),
        (0, 0),
        "{}",
        again.text()
    );
    let back = account
        .run(&["bundle", "rollback", "--fleet", A, "--refresh", "--yes"])
        .await;
    assert_eq!(back.status.code(), 0, "{}", back.text());
    assert_eq!(back.changes, [PUT, START]);
    let last = nodes(&account, A).await;
    assert_ne!(last[0].0, after[0].0);
    assert_eq!(last[0].1, json!([]));
}

#[tokio::test(start_paused = true)]
async fn nodes_of_a_bundle_that_is_active_already_are_replaced_as_well() {
    let account = idle();
    let args = ["bundle", "activate", NEXT, "--fleet", A, "--yes"];
    let moved = account.run(&args).await;
    assert_eq!(moved.changes, [PUT], "{}", moved.text());
    assert_eq!(nodes(&account, A).await[0].1, json!(["bundle"]));
    let run = account.run(&[&args[..], &["--refresh"]].concat()).await;
    assert_eq!(
        (run.status.code(), &run.changes[..]),
        (0, &[START.to_owned()][..])
    );
    assert_eq!(nodes(&account, A).await[0].1, json!([]));
}

#[tokio::test(start_paused = true)]
async fn a_refresh_that_cannot_begin_keeps_the_pointer_where_it_is() {
    let account = idle();
    let input = json!({"AutoScalingGroupName": "asg-production-fleet-a", "ScalingProcesses": ["Launch"]});
    account
        .sandbox
        .with_world(|world| world.call(Service::AutoScaling, "SuspendProcesses", &input))
        .expect("it is suspended");
    let run = account
        .run(&["bundle", "activate", NEXT, "--fleet", A, "--refresh", "--yes"])
        .await;
    assert_eq!((run.status.code(), run.changes.len()), (1, 0), "{}", run.text());
    assert!(
        run.stderr.contains("process Launch is suspended"),
        "{}",
        run.text()
    );
}

#[tokio::test(start_paused = true)]
async fn killed_over_either_refresh_the_same_command_goes_on_with_both() {
    let args = [
        "bundle",
        "activate",
        NEXT,
        "--fleet",
        A,
        "--fleet",
        B,
        "--refresh",
        "--yes",
    ];
    let account = idle();
    let network = Network::sound(account.sandbox.clone(), account.clock());
    let run = over(&account, &args, &network).await.expect("it is not killed");
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert_eq!(run.changes, [PUT, START, PUT, START]);
    let requests = network.seen.lock().expect("no panic").clone();
    for nth in 0..2 {
        for what in [Break::KilledAfter, Break::KilledInFlight] {
            let account = idle();
            let at = position(&requests, "StartInstanceRefresh", nth);
            let (network, ran) = broken(&account, &args, at, what).await;
            assert!(ran.is_none() && network.was_hit());
            let again = account.run(&args).await;
            assert_eq!(again.status.code(), 0, "{nth} {what:?}\n{}", again.text());
            assert_eq!(refreshes(&account), [1, 1], "{nth} {what:?}\n{}", again.text());
            for fleet in [A, B] {
                assert_eq!(nodes(&account, fleet).await[0].1, json!([]), "{fleet}");
            }
        }
    }
}
