//! `bpctl reset`: what there is and what it costs, what goes, what is left alone, and what a run that was cut off leaves to
//! the next.

use bpctl::ExitStatus;
use bpctl_sandbox::{Sandbox, Service};
use serde_json::{Value, json};

use crate::backups::{FOLDER, manifest, prepared};
use crate::broken_network::{Break, Network};
use crate::campaign_verbs::over;
use crate::support::{Account, Run};
use crate::torn_down::{
    ask, drop_databases, leave_behind, move_in, move_out, place_foreign, tear_down, things,
};

const EVERYTHING: &[&str] = &["reset", "--everything", "--confirm", "123456789012"];

/// An account after its teardown, with all that may be left.
fn torn_down(keeps: bool) -> Account {
    Account::prepared(bpctl_sandbox::Options::default(), |sandbox| {
        tear_down(sandbox, keeps);
        leave_behind(sandbox);
    })
}

fn of_platform(sandbox: &Sandbox) -> Vec<String> {
    let mut all = things(sandbox);
    all.retain(|one| !one.contains("/shop/") && !one.contains("/ecs/bp-billing"));
    all
}

#[tokio::test(start_paused = true)]
async fn nothing_of_the_platform_is_left() {
    let account = torn_down(true);
    let before = of_platform(&account.sandbox);
    for kind in [
        "stack CDKToolkit",
        "bucket bp-models-123456789012",
        "secret /bp/oauth/marked",
        "parameter /bp/",
        "log group /gpu-workers/",
        "database bp-data",
        "snapshot bp-data",
        "subnet group bp-data",
        "image ami-",
        "image snapshot snap-",
        "dev instance i-",
        "security group sg-",
        "repository cdk-",
    ] {
        assert!(
            before.iter().any(|one| one.starts_with(kind)),
            "{kind}: {before:#?}"
        );
    }
    let run = account.run(EVERYTHING).await;
    assert_eq!(run.status, ExitStatus::Done, "{}", run.text());
    assert_eq!(of_platform(&account.sandbox), [""; 0], "{}", run.text());
    assert!(
        run.stdout.contains("nothing of the platform is left"),
        "{}",
        run.text()
    );
    // The network's stack may be deleted with a role that is in the other.
    let stacks: Vec<Value> = account.sandbox.with_world(|world| {
        let calls = world.calls().iter();
        let deletions = calls.filter(|call| call.operation == "DeleteStack");
        let named = deletions.filter_map(|call| Some(call.input.as_ref()?["StackName"].clone()));
        named.collect()
    });
    assert_eq!(
        stacks[stacks.len() - 2..],
        ["bp-network", "CDKToolkit"],
        "{stacks:?}"
    );
    let again = account.run(EVERYTHING).await;
    assert_eq!(again.status, ExitStatus::Done, "{}", again.text());
    assert!(again.changes.is_empty(), "{:?}", again.changes);
}

#[tokio::test(start_paused = true)]
async fn what_there_is_is_listed_with_its_cost_and_nothing_is_changed() {
    let account = torn_down(true);
    let before = things(&account.sandbox);
    let run = account.run(&["reset", "--list", "-o", "json"]).await;
    assert_eq!(run.status, ExitStatus::Done, "{}", run.text());
    assert!(run.changes.is_empty());
    let list = run.json();
    assert_eq!(list["schema"], "bpctl.reset.list/1");
    let all = list["leftovers"].as_array().unwrap();
    let of = |kind: &str| -> Vec<&Value> { all.iter().filter(|one| one["kind"] == kind).collect() };
    assert_eq!(of("database").len(), 1, "{list:#}");
    assert!(of("database")[0]["dollars_per_month"].as_f64().unwrap() > 90.0);
    assert_eq!(of("database-snapshot").len(), 1);
    let sum: f64 = all
        .iter()
        .filter_map(|one| one["dollars_per_month"].as_f64())
        .sum();
    assert!((list["dollars_per_month"].as_f64().unwrap() - sum).abs() < 0.01);
    let dry = account.run(&["reset", "--everything", "--dry-run"]).await;
    assert_eq!(dry.status, ExitStatus::Done, "{}", dry.text());
    assert!(dry.changes.is_empty());
    assert_eq!(things(&account.sandbox), before);
    // With stacks that stand they are listed too.
    let account = Account::with(&[]);
    let run = account.run(&["reset", "--list"]).await;
    assert_eq!(run.status, ExitStatus::Done, "{}", run.text());
    for line in ["bp-compute", "bp-media-123456789012", "about $"] {
        assert!(run.stdout.contains(line), "{line}: {}", run.text());
    }
}

fn assert_teardown_comes_first(run: &Run) {
    assert_eq!(run.status.code(), 1, "{}", run.text());
    assert!(run.changes.is_empty(), "{:?}", run.changes);
    assert!(
        run.stderr.contains("`bpctl teardown --database delete`"),
        "{}",
        run.text()
    );
}

#[tokio::test(start_paused = true)]
async fn as_long_as_a_stack_stands_the_teardown_is_named_and_nothing_is_deleted() {
    let account = Account::with(&[]);
    let before = things(&account.sandbox);
    for words in [EVERYTHING, &["reset", "--everything", "--dry-run"]] {
        assert_teardown_comes_first(&account.run(words).await);
    }
    assert_eq!(things(&account.sandbox), before);
    // One of another layout stands in the way as well, and needs a flag more.
    let account = Account::staged(&[]);
    let single = |process: &mut bpctl::Process| {
        process.env.remove("BPCTL_LAYOUT");
        process.env.remove("BPCTL_STAGE");
    };
    let run = account.run_with(EVERYTHING, single).await;
    assert!(
        run.stderr
            .contains("`bpctl teardown --database delete --all-layouts`"),
        "{}",
        run.text()
    );
}

#[tokio::test(start_paused = true)]
async fn after_a_teardown_the_reset_leaves_nothing() {
    let account = Account::with(&[]);
    let words = ["teardown", "--database", "delete", "--confirm", "123456789012"];
    let run = account.run(&words).await;
    assert_eq!(run.status, ExitStatus::Done, "{}", run.text());
    assert!(!of_platform(&account.sandbox).is_empty());
    let run = account.run(EVERYTHING).await;
    assert_eq!(run.status, ExitStatus::Done, "{}", run.text());
    assert_eq!(of_platform(&account.sandbox), [""; 0], "{}", run.text());
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_that_a_backup_stands_on_is_left_alone_until_it_is_asked_for() {
    const LAST: &str = "goes the last copy of the data of database";
    let account = prepared();
    let run = account.run(FOLDER).await;
    assert_eq!(run.status, ExitStatus::Done, "{}", run.text());
    let snapshot = manifest(&account)["database"]["snapshot"].clone();
    let snapshot = snapshot.as_str().expect("a snapshot");
    let words = ["teardown", "--database", "delete", "--confirm", "123456789012"];
    let run = account.run(&words).await;
    assert_eq!(run.status, ExitStatus::Done, "{}", run.text());
    let list = account.run(&["reset", "--list"]).await;
    let mut lines = list.stdout.lines();
    let line = lines.find(|line| line.contains(snapshot)).expect("a line");
    assert!(
        line.contains("; a backup stands on it") && !line.ends_with('?'),
        "{line}"
    );

    let both = ["--keep", "snapshots", "--backups"];
    let run = account.run(&[EVERYTHING, &both].concat()).await;
    assert_eq!((run.status.code(), run.calls), (2, 0), "{}", run.text());
    let run = account.run(EVERYTHING).await;
    assert_eq!(run.status, ExitStatus::Done, "{}", run.text());
    assert_eq!(
        of_platform(&account.sandbox),
        [format!("snapshot {snapshot}")],
        "{}",
        run.text()
    );
    let said = format!("left alone: database snapshot {snapshot} ($");
    assert!(run.stderr.contains(&said), "{}", run.text());
    assert!(
        run.stderr.contains("a month): a backup stands on it"),
        "{}",
        run.text()
    );
    assert!(!run.text().contains(LAST), "{}", run.text());

    let run = account.run(&[EVERYTHING, &["--backups"]].concat()).await;
    assert_eq!(run.status, ExitStatus::Done, "{}", run.text());
    assert!(
        run.stderr.contains(&format!("with snapshot {snapshot} {LAST}")),
        "{}",
        run.text()
    );
    assert_eq!(of_platform(&account.sandbox), [""; 0], "{}", run.text());
}

#[tokio::test(start_paused = true)]
async fn that_the_last_copy_of_the_data_goes_is_said() {
    for (keeps, why) in [
        (false, "the database is gone already"),
        (true, "the database goes as well"),
    ] {
        let account = torn_down(keeps);
        let run = account.run(&["reset", "--everything", "--dry-run"]).await;
        assert_eq!(run.status, ExitStatus::Done, "{}", run.text());
        let said = run.text();
        assert!(
            said.contains("-before-teardown-20260115-090000 goes the last copy of the data of"),
            "{said}"
        );
        assert!(said.contains(why), "{said}");
        let kept = ["reset", "--everything", "--keep", "snapshots", "--dry-run"];
        let run = account.run(&kept).await;
        assert!(!run.text().contains("goes the last copy"), "{}", run.text());
    }
    let account = torn_down(true);
    let kept = ["reset", "--everything", "--keep", "databases", "--dry-run"];
    let run = account.run(&kept).await;
    assert!(!run.text().contains("goes the last copy"), "{}", run.text());
}

/// A teardown leaves the database unless told otherwise, and the network with it.
#[tokio::test(start_paused = true)]
async fn what_a_teardown_has_left_for_the_database_goes_with_it() {
    for keep in [None, Some("databases")] {
        let account = Account::with(&[]);
        let run = account.run(&["teardown", "--confirm", "sandbox"]).await;
        assert_eq!(run.status, ExitStatus::Done, "{}", run.text());
        let before = of_platform(&account.sandbox);
        assert!(before.contains(&"stack bp-network".to_owned()), "{before:#?}");
        let keep: Vec<&str> = keep.into_iter().flat_map(|kept| ["--keep", kept]).collect();
        let run = account.run(&[EVERYTHING, &keep].concat()).await;
        assert_eq!(run.status, ExitStatus::Done, "{}", run.text());
        let mut stays = before;
        stays.retain(|one| !keep.is_empty() && (is_of_databases(one) || is_of_bootstrap(one)));
        assert_eq!(of_platform(&account.sandbox), stays, "{}", run.text());
        let said = "a month): bp-network stays, and CloudFormation deletes what the CDK has deployed with a role of its bootstrap";
        assert_eq!(run.stderr.contains(said), !keep.is_empty(), "{}", run.text());
    }
}

/// Which may have a role that the network is deleted with.
fn is_of_bootstrap(one: &str) -> bool {
    let parts = [
        "stack CDKToolkit",
        "bucket cdk-",
        "repository cdk-",
        "parameter /cdk-bootstrap/",
    ];
    parts.iter().any(|part| one.starts_with(part))
}

fn is_of_databases(one: &str) -> bool {
    one.ends_with("/master-credentials")
        || ["database ", "subnet group ", "stack bp-network"]
            .iter()
            .any(|kind| one.starts_with(kind))
}

/// Somebody else's stack imports from the network, or the network is protected.
#[tokio::test(start_paused = true)]
async fn a_network_that_cannot_go_is_said_with_the_reason() {
    let account = torn_down(true);
    let protect = json!({"StackName": "bp-network", "EnableTerminationProtection": true});
    ask(
        &account.sandbox,
        Service::CloudFormation,
        "UpdateTerminationProtection",
        &protect,
    );
    assert_teardown_comes_first(&account.run(EVERYTHING).await);

    let account = torn_down(true);
    let exports = ask(
        &account.sandbox,
        Service::CloudFormation,
        "ListExports",
        &json!({}),
    );
    let export = exports["Exports"][0]["Name"].as_str().expect("an export");
    let template = json!({
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
        "Outputs": {"Network": {"Value": {"Fn::ImportValue": export}}},
    });
    for (operation, input) in [
        (
            "CreateChangeSet",
            json!({
                "StackName": "elsewhere", "ChangeSetName": "first", "ChangeSetType": "CREATE",
                "TemplateBody": template.to_string(),
            }),
        ),
        (
            "ExecuteChangeSet",
            json!({"StackName": "elsewhere", "ChangeSetName": "first"}),
        ),
    ] {
        ask(&account.sandbox, Service::CloudFormation, operation, &input);
        account.sandbox.advance(std::time::Duration::from_secs(120));
    }
    let run = account.run(EVERYTHING).await;
    assert_ne!(run.status.code(), 0, "{}", run.text());
    let said = run.text();
    assert!(said.contains("as it is in use by elsewhere"), "{said}");
    assert!(said.contains("`bpctl stack events bp-network`"), "{said}");
}

/// EC2 keeps the subnet of a machine: the network is not even begun, and a machine of the platform's goes before it.
#[tokio::test(start_paused = true)]
async fn a_network_with_somebody_elses_machine_in_it_is_not_touched() {
    let account = torn_down(true);
    let sandbox = &account.sandbox;
    move_in(sandbox, ("ManagedBy", "dev-gpu-scripts"));
    let machine = move_in(sandbox, ("Name", "jump-host"));
    let run = account.run(EVERYTHING).await;
    assert_eq!((run.status.code(), run.changes.len()), (1, 0), "{}", run.text());
    let said = format!("nothing here takes these away: {machine} (jump-host)");
    assert!(run.stderr.contains(&said), "{}", run.text());
    let kept = account
        .run(&["reset", "--everything", "--keep", "databases", "--dry-run"])
        .await;
    assert!(!kept.stderr.contains("jump-host"), "{}", kept.text());

    // What CloudFormation makes of it when nobody looks first.
    drop_databases(sandbox);
    let delete = ["stack", "delete", "network", "--confirm", "sandbox"];
    let run = account.run(&delete).await;
    assert_ne!(run.status.code(), 0, "{}", run.text());
    assert!(
        run.stderr.contains("has dependencies and cannot be deleted"),
        "{}",
        run.text()
    );
    move_out(sandbox, &machine);
    let run = account.run(EVERYTHING).await;
    assert_eq!(run.status, ExitStatus::Done, "{}", run.text());
    assert_eq!(of_platform(sandbox), [""; 0], "{}", run.text());
}

#[tokio::test(start_paused = true)]
async fn what_is_kept_by_choice_stays_and_its_cost_is_told() {
    let account = torn_down(true);
    let kept = |one: &String| {
        let is_named = one.starts_with("secret ") || one.starts_with("snapshot ");
        is_of_databases(one) || is_of_bootstrap(one) || is_named
    };
    let wanted: Vec<String> = of_platform(&account.sandbox).into_iter().filter(kept).collect();
    let keep = ["--keep", "secrets,snapshots", "--keep", "databases"];
    let run = account.run(&[EVERYTHING, &keep].concat()).await;
    assert_eq!(run.status, ExitStatus::Done, "{}", run.text());
    assert_eq!(of_platform(&account.sandbox), wanted, "{}", run.text());
    for line in ["/bp/kept/old/master-credentials", "before-teardown", "about $"] {
        assert!(run.stdout.contains(line), "{line}: {}", run.text());
    }
    assert!(run.stderr.contains("all of it about $"), "{}", run.text());
    let wrong = account
        .run(&["reset", "--everything", "--keep", "everything"])
        .await;
    assert_eq!(wrong.status.code(), 2, "{}", wrong.text());
}

#[tokio::test(start_paused = true)]
async fn what_is_not_the_platforms_is_left_alone_and_told_with_the_reason() {
    let account = torn_down(false);
    place_foreign(&account.sandbox);
    let stack = json!({
        "StackName": "shop", "ChangeSetName": "first", "ChangeSetType": "CREATE",
        "TemplateBody": json!({"Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {}}}}).to_string(),
    });
    ask(
        &account.sandbox,
        Service::CloudFormation,
        "CreateChangeSet",
        &stack,
    );
    account.sandbox.advance(std::time::Duration::from_secs(30));
    let named = json!({"StackName": "shop", "ChangeSetName": "first"});
    ask(
        &account.sandbox,
        Service::CloudFormation,
        "ExecuteChangeSet",
        &named,
    );
    account.sandbox.advance(std::time::Duration::from_secs(300));
    let run = account.run(EVERYTHING).await;
    assert_eq!(run.status, ExitStatus::Done, "{}", run.text());
    let left = things(&account.sandbox);
    for foreign in [
        "log group /ecs/bp-billing",
        "secret /shop/key",
        "parameter /shop/endpoint",
        "stack shop",
        // The other stack may be deployed with it.
        "stack CDKToolkit",
    ] {
        assert!(left.iter().any(|one| one == foreign), "{foreign}: {left:#?}");
    }
    assert!(
        !left
            .iter()
            .any(|one| one.contains("bp-media") || one.contains(" /bp/")),
        "{left:#?}"
    );
    for line in [
        "left alone: log group /ecs/bp-billing: its name is none of the platform's",
        "left alone: CDK bootstrap CDKToolkit: the stack shop may be deployed with it",
    ] {
        assert!(run.stderr.contains(line), "{line}: {}", run.text());
    }
    assert!(run.stdout.contains("LEFT ALONE"), "{}", run.text());
}

#[tokio::test(start_paused = true)]
async fn versions_and_delete_markers_go_page_by_page() {
    let account = torn_down(false);
    let bucket = "bp-media-123456789012";
    account.sandbox.with_world(|world| {
        let versioned = json!({"Bucket": bucket, "VersioningConfiguration": {"Status": "Enabled"}});
        world
            .call(Service::S3, "PutBucketVersioning", &versioned)
            .expect("versions from now on");
        for number in 0..2_100 {
            let object =
                json!({"Bucket": bucket, "Key": format!("videos/{:04}", number % 1_300), "Body": "eA=="});
            world.call(Service::S3, "PutObject", &object).expect("an object");
        }
        for number in 0..300 {
            let object = json!({"Bucket": bucket, "Key": format!("videos/{number:04}")});
            world
                .call(Service::S3, "DeleteObject", &object)
                .expect("a marker");
        }
    });
    let run = account.run(EVERYTHING).await;
    assert_eq!(run.status, ExitStatus::Done, "{}", run.text());
    assert!(!things(&account.sandbox).contains(&format!("bucket {bucket}")));
    let sizes: Vec<usize> = account.sandbox.with_world(|world| {
        let calls = world.calls().iter();
        let own = calls.filter(|call| call.operation == "DeleteObjects");
        own.filter_map(|call| {
            let input = call.input.as_ref()?;
            (input["Bucket"] == bucket).then(|| input["Delete"]["Objects"].as_array().map(Vec::len))?
        })
        .collect()
    });
    assert!(
        sizes.len() >= 3 && sizes.iter().all(|size| *size <= 1_000),
        "{sizes:?}"
    );
    assert!(sizes.iter().sum::<usize>() >= 2_400, "{sizes:?}");
}

/// Killed when the first request of an operation has arrived, and no answer yet.
async fn killed(account: &Account, operation: &'static str) {
    let network = Network::new(account.sandbox.clone(), account.clock(), 0, Break::KilledAfter).on(operation);
    let run = over(account, EVERYTHING, &network).await;
    assert!(
        run.is_none(),
        "{operation}: {}",
        run.map(|run| run.text()).unwrap_or_default()
    );
}

#[tokio::test(start_paused = true)]
async fn after_three_kills_the_same_command_ends_as_one_that_was_never_killed() {
    let account = torn_down(true);
    place_foreign(&account.sandbox);
    for operation in ["DeregisterImage", "DeleteSecurityGroup", "DeleteDBSubnetGroup"] {
        killed(&account, operation).await;
    }
    let run = account.run(EVERYTHING).await;
    assert_eq!(run.status, ExitStatus::Done, "{}", run.text());
    assert!(run.stderr.contains("an earlier run"), "{}", run.text());
    assert_eq!(of_platform(&account.sandbox), [""; 0], "{}", run.text());
    let again = account.run(EVERYTHING).await;
    assert!(
        again.changes.is_empty() && !again.stderr.contains("an earlier run"),
        "{}",
        again.text()
    );
    let left = things(&account.sandbox);
    assert!(
        left.contains(&"log group /ecs/bp-billing".to_owned()),
        "{left:#?}"
    );
}

#[tokio::test(start_paused = true)]
async fn the_number_of_the_account_confirms_it_and_bad_words_are_refused_at_once() {
    let account = torn_down(false);
    let before = things(&account.sandbox);
    let run = account
        .run(&["reset", "--everything", "--confirm", "sandbox"])
        .await;
    assert_eq!(run.status.code(), 3, "{}", run.text());
    let run = account.run(&["reset", "--everything", "--yes"]).await;
    assert_eq!(run.status.code(), 3, "{}", run.text());
    for words in [
        &["reset"][..],
        &["reset", "--list", "--everything"],
        &["reset", "--list", "--yes"],
        &["reset", "--list", "--keep", "secrets"],
        &["reset", "--keep", "secrets"],
        &["reset", "--everything", "--no-wait", "--confirm", "123456789012"],
    ] {
        let run = account.run(words).await;
        assert_eq!(run.status.code(), 2, "{words:?}: {}", run.text());
        assert_eq!(run.calls, 0, "{words:?}");
    }
    assert_eq!(things(&account.sandbox), before);
}
