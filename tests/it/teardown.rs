//! `bpctl teardown`: what goes, what stays, what stands in the way, and what a run that was cut off leaves to the next.

use std::time::Duration;

use bpctl::ExitStatus;
use bpctl_sandbox::{Layout, Options, Sandbox, Scenario, Service};
use serde_json::{Value, json};

use crate::broken_network::{Break, Network};
use crate::campaign_verbs::over;
use crate::support::Account;
use crate::torn_down::{move_in, move_out};

const DELETE: &[&str] = &["teardown", "--database", "delete", "--confirm", "123456789012"];

fn ask(sandbox: &Sandbox, service: Service, operation: &str, input: &Value) -> Value {
    sandbox.with_world(|world| {
        world
            .call(service, operation, input)
            .unwrap_or_else(|error| panic!("{operation}: {error:?}"))
    })
}

fn names(answer: &Value, list: &str, member: &str) -> Vec<String> {
    let items = answer[list].as_array().cloned().unwrap_or_default();
    let mut names: Vec<String> = items
        .iter()
        .filter_map(|item| item[member].as_str().map(str::to_owned))
        .collect();
    names.sort();
    names
}

pub(crate) fn stacks(sandbox: &Sandbox) -> Vec<String> {
    let answer = ask(sandbox, Service::CloudFormation, "DescribeStacks", &json!({}));
    names(&answer, "Stacks", "StackName")
}

pub(crate) fn databases(sandbox: &Sandbox) -> Vec<String> {
    let answer = ask(sandbox, Service::Rds, "DescribeDBInstances", &json!({}));
    names(&answer, "DBInstances", "DBInstanceIdentifier")
}

fn manual_snapshots(sandbox: &Sandbox) -> Vec<String> {
    let input = json!({"SnapshotType": "manual"});
    let answer = ask(sandbox, Service::Rds, "DescribeDBSnapshots", &input);
    names(&answer, "DBSnapshots", "DBSnapshotIdentifier")
}

fn buckets(sandbox: &Sandbox) -> Vec<String> {
    names(
        &ask(sandbox, Service::S3, "ListBuckets", &json!({})),
        "Buckets",
        "Name",
    )
}

fn secrets(sandbox: &Sandbox) -> Vec<String> {
    let answer = ask(sandbox, Service::SecretsManager, "ListSecrets", &json!({}));
    names(&answer, "SecretList", "Name")
}

fn secret_value(sandbox: &Sandbox, name: &str) -> String {
    let input = json!({"SecretId": name});
    let answer = ask(sandbox, Service::SecretsManager, "GetSecretValue", &input);
    answer["SecretString"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test(start_paused = true)]
async fn the_database_stays_with_its_network_a_snapshot_and_its_credentials() {
    let account = Account::with(&[]);
    let before = secret_value(&account.sandbox, "/bp/rds/master-credentials");
    let plan = account.run(&["teardown", "--dry-run"]).await;
    assert_eq!(plan.status, ExitStatus::Done, "{}", plan.text());
    assert!(plan.changes.is_empty(), "{:?}", plan.changes);
    for line in [
        "bp-network stays because the database does",
        "database bp-data",
        "about $",
        "rds:CreateDBSnapshot",
        "secretsmanager:CreateSecret",
    ] {
        assert!(plan.stdout.contains(line), "{line}: {}", plan.text());
    }
    let run = account.run(&["teardown", "--confirm", "sandbox"]).await;
    assert_eq!(run.status, ExitStatus::Done, "{}", run.text());
    assert_eq!(stacks(&account.sandbox), ["CDKToolkit", "bp-network"]);
    let database = databases(&account.sandbox);
    assert_eq!(database.len(), 1);
    let copy = format!("/bp/kept/{}/master-credentials", database[0]);
    assert_eq!(secrets(&account.sandbox), std::slice::from_ref(&copy));
    assert_eq!(secret_value(&account.sandbox, &copy), before);
    assert!(!run.text().contains(&before));
    let snapshots = manual_snapshots(&account.sandbox);
    assert_eq!(snapshots.len(), 1, "{snapshots:?}");
    assert_eq!(
        buckets(&account.sandbox),
        [
            "bp-access-logs-123456789012",
            "bp-media-123456789012",
            "bp-models-123456789012",
            "cdk-hnb659fds-assets-123456789012-us-east-1"
        ]
    );
    for kept in [&database[0], &copy, &snapshots[0]] {
        assert!(run.stdout.contains(kept.as_str()), "{kept}: {}", run.text());
    }
    // The snapshot comes when nothing writes any more, the data stack after both copies.
    let at = |change: &str| run.changes.iter().position(|sent| sent == change).unwrap();
    assert!(at("SecretsManager:CreateSecret") < at("Rds:CreateDBSnapshot"));
    let again = account.run(&["teardown", "--confirm", "sandbox"]).await;
    assert_eq!(again.status, ExitStatus::Done, "{}", again.text());
    assert!(again.changes.is_empty(), "{:?}", again.changes);
}

#[tokio::test(start_paused = true)]
async fn credentials_that_cannot_be_read_are_not_given_up() {
    let secret = "arn:aws:secretsmanager:us-east-1:123456789012:secret:/bp/rds/*";
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": "secretsmanager:GetSecretValue", "Resource": secret},
    ]});
    let account = Account::from_options(Options {
        role: "operator".to_owned(),
        roles: [("operator".to_owned(), policy.to_string())].into(),
        ..Options::default()
    });
    let run = account.run(&["teardown", "--confirm", "sandbox"]).await;
    assert_eq!(run.status.code(), 1, "{}", run.text());
    assert!(run.changes.is_empty(), "{:?}", run.changes);
    for line in [
        "`/bp/rds/master-credentials` cannot be read (AccessDeniedException)",
        "secretsmanager:GetSecretValue",
    ] {
        assert!(run.stderr.contains(line), "{line}: {}", run.text());
    }
}

#[tokio::test(start_paused = true)]
async fn with_the_database_everything_goes_but_what_holds_data() {
    let account = Account::with(&[]);
    let wrong = account
        .run(&["teardown", "--database", "delete", "--confirm", "sandbox"])
        .await;
    assert_eq!(wrong.status.code(), 3, "{}", wrong.text());
    assert!(wrong.changes.is_empty());
    let run = account.run(DELETE).await;
    assert_eq!(run.status, ExitStatus::Done, "{}", run.text());
    assert_eq!(stacks(&account.sandbox), ["CDKToolkit"]);
    assert_eq!(databases(&account.sandbox), [""; 0]);
    assert_eq!(manual_snapshots(&account.sandbox).len(), 1);
    let groups = ask(
        &account.sandbox,
        Service::Rds,
        "DescribeDBSubnetGroups",
        &json!({}),
    );
    assert_eq!(names(&groups, "DBSubnetGroups", "DBSubnetGroupName"), [""; 0]);
    let left = account
        .run(&["teardown", "-o", "json", "--confirm", "123456789012"])
        .await
        .json();
    let kinds: Vec<&str> = left["kept"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|one| one["kind"].as_str())
        .collect();
    assert!(
        kinds.contains(&"database-snapshot") && kinds.contains(&"secret"),
        "{kinds:?}"
    );
    assert!(!kinds.contains(&"database"), "{kinds:?}");
    assert_eq!(left["stacks"], json!([]));
}

#[tokio::test(start_paused = true)]
async fn without_a_snapshot_nothing_of_the_database_is_left_and_the_account_confirms_it() {
    let account = Account::with(&[]);
    let words = ["teardown", "--database", "delete", "--no-final-snapshot"];
    let run = account
        .run(&[&words[..], &["--confirm", "123456789012"]].concat())
        .await;
    assert_eq!(run.status, ExitStatus::Done, "{}", run.text());
    assert_eq!(manual_snapshots(&account.sandbox), [""; 0]);
    assert_eq!(secrets(&account.sandbox), [""; 0]);
    // Keeping it without a copy is a loss to confirm as well: nothing else knows the data.
    let account = Account::with(&[]);
    let run = account
        .run(&["teardown", "--no-final-snapshot", "--confirm", "sandbox"])
        .await;
    assert_eq!(run.status.code(), 3, "{}", run.text());
}

#[tokio::test(start_paused = true)]
async fn tasks_in_the_cluster_are_stopped_before_its_stack_goes() {
    let account = Account::with(&[Scenario::CapacityProviderInUse]);
    let run = account.run(&["teardown", "--confirm", "sandbox"]).await;
    assert_eq!(run.status, ExitStatus::Done, "{}", run.text());
    assert_eq!(stacks(&account.sandbox), ["CDKToolkit", "bp-network"]);
    assert!(
        run.changes.contains(&"Ecs:StopTask".to_owned()),
        "{:?}",
        run.changes
    );
    // CloudFormation begins with the providers, while the services' tasks still drain.
    assert!(
        run.stderr.contains("The specified capacity provider is in use"),
        "{}",
        run.text()
    );
}

#[tokio::test(start_paused = true)]
async fn a_bucket_that_nothing_empties_stays_and_is_listed() {
    let account = Account::with(&[Scenario::BucketNotEmpty]);
    let run = account.run(&["teardown", "--confirm", "sandbox"]).await;
    assert_eq!(run.status, ExitStatus::Done, "{}", run.text());
    assert_eq!(stacks(&account.sandbox), ["CDKToolkit", "bp-network"]);
    assert!(buckets(&account.sandbox).contains(&"bp-logs-123456789012".to_owned()));
    assert!(
        run.stderr.contains("LogsBucket stays: the bucket is not empty"),
        "{}",
        run.text()
    );
    assert!(run.stdout.contains("bp-logs-123456789012"), "{}", run.text());
}

#[tokio::test(start_paused = true)]
async fn a_database_that_its_template_lets_go_stays_all_the_same() {
    let account = Account::with(&[Scenario::DbProtected]);
    let run = account.run(&["teardown", "--confirm", "sandbox"]).await;
    assert_eq!(run.status, ExitStatus::Done, "{}", run.text());
    assert_eq!(stacks(&account.sandbox), ["CDKToolkit", "bp-network"]);
    assert_eq!(databases(&account.sandbox).len(), 1);
    assert!(
        run.stderr.contains("Cannot delete protected DB Instance"),
        "{}",
        run.text()
    );
    // One that nobody protects would be gone with its stack: it is protected first.
    let account = Account::with(&[Scenario::DbProtected]);
    let name = databases(&account.sandbox).remove(0);
    let open = json!({"DBInstanceIdentifier": name, "DeletionProtection": false});
    ask(&account.sandbox, Service::Rds, "ModifyDBInstance", &open);
    let run = account.run(&["teardown", "--confirm", "sandbox"]).await;
    assert_eq!(run.status, ExitStatus::Done, "{}", run.text());
    assert_eq!(databases(&account.sandbox), [name], "{}", run.text());
}

#[tokio::test(start_paused = true)]
async fn termination_protection_is_a_blocker_with_its_way_out() {
    let account = Account::with(&[]);
    let protect = json!({"StackName": "bp-data", "EnableTerminationProtection": true});
    ask(
        &account.sandbox,
        Service::CloudFormation,
        "UpdateTerminationProtection",
        &protect,
    );
    let run = account.run(&["teardown", "--confirm", "sandbox"]).await;
    assert!(run.changes.is_empty(), "{:?}", run.changes);
    assert!(
        run.stderr.contains("bp-data is protected from deletion") && run.stderr.contains("--unprotect"),
        "{}",
        run.text()
    );
    let run = account
        .run(&["teardown", "--unprotect", "--confirm", "sandbox"])
        .await;
    assert_eq!(run.status, ExitStatus::Done, "{}", run.text());
    assert_eq!(stacks(&account.sandbox), ["CDKToolkit", "bp-network"]);
}

#[tokio::test(start_paused = true)]
async fn a_network_with_somebody_elses_machine_in_it_is_not_touched() {
    let account = Account::with(&[]);
    let machine = move_in(&account.sandbox, ("Name", "jump-host"));
    let before = stacks(&account.sandbox);
    let run = account.run(DELETE).await;
    assert_eq!((run.status.code(), run.changes.len()), (1, 0), "{}", run.text());
    assert!(
        run.stderr
            .contains(&format!("takes these away: {machine} (jump-host)"))
            && run
                .stderr
                .contains(&format!("aws ec2 describe-instances --instance-ids {machine}")),
        "{}",
        run.text()
    );
    assert_eq!(stacks(&account.sandbox), before);
    // A network that stays with its database may hold whatever it likes.
    let keeps = ["teardown", "--dry-run"];
    let run = account.run(&keeps).await;
    assert!(!run.stderr.contains("jump-host"), "{}", run.text());
    assert_eq!(run.status, ExitStatus::Done, "{}", run.text());
    move_out(&account.sandbox, &machine);
    let run = account.run(DELETE).await;
    assert_eq!(run.status, ExitStatus::Done, "{}", run.text());
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_is_over_says_how_it_goes_on_and_it_does() {
    let account = Account::with(&[]);
    let run = account
        .run(&["teardown", "--timeout", "1s", "--confirm", "sandbox"])
        .await;
    // The credentials are copied, and CloudFormation goes on with the fleets.
    assert_eq!(run.status.code(), 7, "{}", run.text());
    assert!(
        run.stderr.contains("to go on: `bpctl teardown`"),
        "{}",
        run.text()
    );
    account.sandbox.advance(Duration::from_secs(600));
    let run = account.run(&["teardown", "--confirm", "sandbox"]).await;
    assert_eq!(run.status, ExitStatus::Done, "{}", run.text());
}

#[tokio::test(start_paused = true)]
async fn the_staged_layout_goes_in_its_own_order_and_leaves_the_other_stage_alone() {
    let account = Account::staged(&[]);
    let run = account
        .run(&["teardown", "--database", "delete", "--confirm", "123456789012"])
        .await;
    assert_eq!(run.status, ExitStatus::Done, "{}", run.text());
    assert_eq!(stacks(&account.sandbox), ["CDKToolkit"]);
}

/// An account of these options, and a role that may do what the policy for these words says.
async fn allowed(words: &str, layout: Layout, options: Options) -> Account {
    let place = match layout {
        Layout::Single => Account::with(&[]),
        Layout::Staged => Account::staged(&[]),
    };
    let run = place.run(&["iam", "policy", "--for", words, "-o", "json"]).await;
    assert_eq!(run.status, ExitStatus::Done, "{}", run.text());
    let policy = run.json()["permissions"].to_string();
    Account::from_options(Options {
        role: "operator".to_owned(),
        roles: [("operator".to_owned(), policy)].into(),
        ..options
    })
}

/// Makes a stack beside those of the platform.
fn make(sandbox: &Sandbox, name: &str, resource: &Value) {
    let template = json!({"Resources": {"Thing": resource}}).to_string();
    let mut set = json!({"StackName": name, "ChangeSetName": "first"});
    let named = set.clone();
    set["ChangeSetType"] = json!("CREATE");
    set["TemplateBody"] = json!(template);
    for (operation, input) in [("CreateChangeSet", &set), ("ExecuteChangeSet", &named)] {
        ask(sandbox, Service::CloudFormation, operation, input);
        sandbox.advance(Duration::from_secs(120));
    }
}

/// A bucket of another layout is looked into, and a database that its template lets go is protected.
#[tokio::test(start_paused = true)]
async fn its_policy_is_enough_beside_another_layout_and_for_a_database_that_stays() {
    let account = allowed(
        "teardown",
        Layout::Single,
        Options {
            scenarios: [Scenario::DbProtected].into(),
            ..Options::default()
        },
    )
    .await;
    let database = databases(&account.sandbox).remove(0);
    let open = json!({"DBInstanceIdentifier": database, "DeletionProtection": false});
    ask(&account.sandbox, Service::Rds, "ModifyDBInstance", &open);
    let bucket = json!({
        "Type": "AWS::S3::Bucket", "Properties": {"BucketName": "bp-media-123456789012-staging"},
    });
    make(&account.sandbox, "elsewhere", &bucket);
    let run = account.run(&["teardown", "--confirm", "sandbox"]).await;
    assert_eq!(run.status, ExitStatus::Done, "{}", run.text());
    assert!(
        run.changes.contains(&"Rds:ModifyDBInstance".to_owned()),
        "{:?}",
        run.changes
    );
    assert_eq!(databases(&account.sandbox), [database]);
}

#[tokio::test(start_paused = true)]
async fn its_policy_is_enough_for_the_stacks_that_it_takes_along() {
    let staged = || Options {
        layout: Layout::Staged,
        ..Options::default()
    };
    // An older generation of the stage.
    let account = allowed("teardown --database", Layout::Staged, staged()).await;
    let topic = json!({"Type": "AWS::SNS::Topic"});
    make(&account.sandbox, "bp-staging-gpu-fleet-old", &topic);
    let run = account.run(DELETE).await;
    assert_eq!(run.status, ExitStatus::Done, "{}", run.text());
    assert_eq!(stacks(&account.sandbox), ["CDKToolkit"]);
    // Another layout.
    let account = allowed("teardown --database --all-layouts", Layout::Single, staged()).await;
    let all = [DELETE, &["--all-layouts"]].concat();
    let run = account
        .run_with(&all, |process| {
            process.env.remove("BPCTL_LAYOUT");
            process.env.remove("BPCTL_STAGE");
        })
        .await;
    assert_eq!(run.status, ExitStatus::Done, "{}", run.text());
    assert_eq!(stacks(&account.sandbox), ["CDKToolkit"]);
}

/// Killed when the first request of an operation has arrived, and no answer yet.
async fn killed(account: &Account, argv: &[&str], operation: &'static str) {
    broken(account, argv, operation, Break::KilledAfter).await;
}

async fn broken(account: &Account, argv: &[&str], operation: &'static str, what: Break) {
    let network = Network::new(account.sandbox.clone(), account.clock(), 0, what).on(operation);
    let run = over(account, argv, &network).await;
    assert!(
        run.is_none(),
        "{operation}: {}",
        run.map(|run| run.text()).unwrap_or_default()
    );
}

#[tokio::test(start_paused = true)]
async fn after_three_kills_the_same_command_ends_as_one_that_was_never_killed() {
    let account = Account::with(&[]);
    for operation in ["CreateSecret", "CreateDBSnapshot", "DeleteDBInstance"] {
        killed(&account, DELETE, operation).await;
    }
    let run = account.run(DELETE).await;
    assert_eq!(run.status, ExitStatus::Done, "{}", run.text());
    assert!(run.stderr.contains("an earlier run"), "{}", run.text());
    assert_eq!(stacks(&account.sandbox), ["CDKToolkit"]);
    assert_eq!(databases(&account.sandbox), [""; 0]);
    // One snapshot and one copy, although each was begun by a run that did not live to see it.
    assert_eq!(manual_snapshots(&account.sandbox).len(), 1);
    assert_eq!(secrets(&account.sandbox).len(), 1);
    let groups = ask(
        &account.sandbox,
        Service::Rds,
        "DescribeDBSubnetGroups",
        &json!({}),
    );
    assert_eq!(names(&groups, "DBSubnetGroups", "DBSubnetGroupName"), [""; 0]);
    // With the subnet group alone left to do.
    let account = Account::with(&[]);
    killed(&account, DELETE, "DeleteDBSubnetGroup").await;
    let run = account.run(DELETE).await;
    assert_eq!(run.status, ExitStatus::Done, "{}", run.text());
    assert_eq!(stacks(&account.sandbox), ["CDKToolkit"]);
    let again = account.run(DELETE).await;
    assert!(
        again.changes.is_empty() && !again.stderr.contains("an earlier run"),
        "{}",
        again.text()
    );
}

/// What is written between two teardowns is in no older snapshot, however young that one is.
#[tokio::test(start_paused = true)]
async fn a_database_is_not_deleted_on_the_strength_of_an_older_snapshot() {
    let account = Account::with(&[]);
    let keeps = ["teardown", "--confirm", "sandbox"];
    let run = account.run(&keeps).await;
    assert_eq!(run.status, ExitStatus::Done, "{}", run.text());
    let first = manual_snapshots(&account.sandbox);
    let run = account.run(DELETE).await;
    assert_eq!(run.status, ExitStatus::Done, "{}", run.text());
    assert_eq!(databases(&account.sandbox), [""; 0]);
    let both = manual_snapshots(&account.sandbox);
    assert_eq!((first.len(), both.len()), (1, 2), "{both:?}");
    let at = |change: &str| run.changes.iter().position(|sent| sent == change).unwrap();
    assert!(at("Rds:CreateDBSnapshot") < at("Rds:DeleteDBInstance"));
    // One that a run was taking when it was cut off is no older one.
    let account = Account::with(&[]);
    killed(&account, &keeps, "CreateDBSnapshot").await;
    let run = account.run(DELETE).await;
    assert_eq!(run.status, ExitStatus::Done, "{}", run.text());
    assert_eq!(manual_snapshots(&account.sandbox).len(), 1, "{}", run.text());
}

/// The services are deployed once more and taken down by other means: no journal of this verb knows.
#[tokio::test(start_paused = true)]
async fn a_snapshot_from_before_the_services_ran_again_is_not_the_last() {
    let account = Account::with(&[]);
    killed(&account, DELETE, "CreateDBSnapshot").await;
    account.sandbox.advance(Duration::from_secs(1800));
    let first = manual_snapshots(&account.sandbox);
    let dry = [DELETE, &["--dry-run"]].concat();
    let planned = account.run(&dry).await;
    assert!(
        !planned.stdout.contains("rds:CreateDBSnapshot"),
        "{}",
        planned.text()
    );
    assert!(planned.stdout.contains(&first[0]), "{}", planned.text());
    let template = json!({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}).to_string();
    for (operation, input) in [
        (
            "CreateChangeSet",
            json!({
                "StackName": "bp-compute", "ChangeSetName": "first", "ChangeSetType": "CREATE", "TemplateBody": template,
            }),
        ),
        (
            "ExecuteChangeSet",
            json!({"StackName": "bp-compute", "ChangeSetName": "first"}),
        ),
        ("DeleteStack", json!({"StackName": "bp-compute"})),
    ] {
        ask(&account.sandbox, Service::CloudFormation, operation, &input);
        account.sandbox.advance(Duration::from_secs(120));
    }
    let run = account.run(DELETE).await;
    assert_eq!(run.status, ExitStatus::Done, "{}", run.text());
    let both = manual_snapshots(&account.sandbox);
    assert_eq!((first.len(), both.len()), (1, 2), "{both:?}");
    // The plan says the name of the one that is taken, and of no other.
    let last = both
        .iter()
        .find(|one| !first.contains(one))
        .expect("a second one");
    assert!(
        run.stderr.contains(&format!("its data is in snapshot {last}")),
        "{}",
        run.text()
    );
    assert!(
        !run.stderr.contains(&format!("data is in snapshot {}", first[0])),
        "{}",
        run.text()
    );
}

/// A request that never arrived is sent again under its own name, and the deletion relies on that one.
#[tokio::test(start_paused = true)]
async fn a_snapshot_that_was_never_begun_is_taken_by_the_next_run() {
    let account = Account::with(&[]);
    broken(&account, DELETE, "CreateDBSnapshot", Break::KilledBefore).await;
    let run = account.run(DELETE).await;
    assert_eq!(run.status, ExitStatus::Done, "{}", run.text());
    assert_eq!(databases(&account.sandbox), [""; 0]);
    assert_eq!(manual_snapshots(&account.sandbox).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_stacks_of_other_layouts_are_told_and_go_only_when_asked_for() {
    let account = Account::staged(&[]);
    // The single layout looks at an account of the staged one.
    let single = |process: &mut bpctl::Process| {
        process.env.remove("BPCTL_LAYOUT");
        process.env.remove("BPCTL_STAGE");
    };
    let run = account.run_with(&["teardown", "--dry-run"], single).await;
    assert!(
        run.stdout.contains("nothing to change") && run.stdout.contains("bp-staging-data"),
        "{}",
        run.text()
    );
    let all = [DELETE, &["--all-layouts"]].concat();
    let run = account.run_with(&all, single).await;
    assert_eq!(run.status, ExitStatus::Done, "{}", run.text());
    assert_eq!(stacks(&account.sandbox), ["CDKToolkit"]);
    assert_eq!(databases(&account.sandbox), [""; 0]);
}
