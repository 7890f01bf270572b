//! `bpctl stack deploy` and `stack diff`: from a cloud assembly, by change sets, to an end that is the stack's own.

use std::fs;
use std::path::Path;

use bpctl_sandbox::Service;
use serde_json::{Value, json};

use crate::assemblies::{changed_monitoring, configure_new_fleet, deployed, lay_files, new_fleet, write};
use crate::support::{Account, Run};

async fn deploy(account: &Account, args: &[&str]) -> Run {
    let mut words = vec!["stack", "deploy"];
    words.extend(args);
    words.extend(["--assembly", "cdk.out"]);
    account.run(&words).await
}

fn laid() -> Account {
    let account = Account::with(&[]);
    lay_files(&account.sandbox, account.home());
    account
}

fn threshold(account: &Account) -> Value {
    let input = json!({ "AlarmNames": ["p2-rds-cpu-warning"] });
    let shown = account
        .sandbox
        .with_world(|world| world.call(Service::CloudWatch, "DescribeAlarms", &input));
    shown.expect("alarms")["MetricAlarms"][0]["Threshold"].clone()
}

#[tokio::test(start_paused = true)]
async fn a_stack_is_updated_and_followed_to_its_own_end() {
    let account = laid();
    let plan = deploy(&account, &["monitoring", "--dry-run"]).await;
    assert_eq!(plan.status.code(), 0, "{}", plan.text());
    assert!(plan.changes.is_empty());
    for words in [
        "update it: 1 to add, 1 to change, 0 to remove",
        "+ AuditLogs (AWS::Logs::LogGroup)",
        "~ P2RdsCpuWarning (AWS::CloudWatch::Alarm): Threshold",
        "UPDATE_COMPLETE",
    ] {
        assert!(plan.stdout.contains(words), "{words}: {}", plan.text());
    }
    let run = deploy(&account, &["monitoring", "--yes", "-o", "json"]).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert_eq!(
        run.changes,
        [
            "CloudFormation:CreateChangeSet",
            "CloudFormation:ExecuteChangeSet"
        ]
    );
    let stack = &run.json()["stacks"][0];
    assert_eq!(
        (&stack["stack"], &stack["status"]),
        (&json!("bp-monitoring"), &json!("UPDATE_COMPLETE"))
    );
    assert!(stack["token"].is_string(), "{stack}");
    assert_eq!(threshold(&account), 85.0);
    // The same again has nothing to do.
    let again = deploy(&account, &["monitoring", "--yes"]).await;
    assert_eq!(
        (again.status.code(), again.changes.len()),
        (0, 0),
        "{}",
        again.text()
    );
}

#[tokio::test(start_paused = true)]
async fn stacks_wait_for_those_that_they_need() {
    let account = laid();
    let run = deploy(
        &account,
        &["production/gpu-default", "monitoring", "--yes", "-o", "json"],
    )
    .await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    let stacks = run.json()["stacks"].clone();
    let ended = |name: &str| {
        let found = stacks
            .as_array()
            .unwrap()
            .iter()
            .find(|stack| stack["stack"] == name)
            .unwrap();
        assert_eq!(found["status"], "UPDATE_COMPLETE", "{found}");
        (
            found["began"].as_str().unwrap().to_owned(),
            found["ended"].as_str().unwrap().to_owned(),
        )
    };
    assert!(ended("bp-monitoring").1 <= ended("bp-gpu-fleet-production-gpu-default").0);
}

#[tokio::test(start_paused = true)]
async fn the_difference_is_told_without_a_change() {
    let account = laid();
    let args = [
        "stack",
        "diff",
        "monitoring",
        "--assembly",
        "cdk.out",
        "--exit-code",
    ];
    let run = account.run(&args).await;
    assert_eq!(run.status.code(), 9, "{}", run.text());
    assert!(run.changes.is_empty());
    assert!(run.stdout.starts_with("bp-monitoring differs"), "{}", run.stdout);
    let same = deployed(&account.sandbox, "bp-monitoring");
    write(
        &account.sandbox,
        &account.home().join("cdk.out"),
        &[("bp-monitoring", same, &[])],
    );
    let run = account.run(&args).await;
    assert_eq!(
        (run.status.code(), run.stdout.as_str()),
        (0, "bp-monitoring is the same\n"),
        "{}",
        run.text()
    );
}

/// The bucket with the objects of users would be made anew under another name.
#[tokio::test(start_paused = true)]
async fn a_replacement_that_loses_data_is_stopped_before_anything_is_sent() {
    let account = Account::with(&[]);
    let mut data = deployed(&account.sandbox, "bp-data");
    data["Resources"]["LogsBucket"]["Properties"]["BucketName"] = json!("bp-other-123456789012");
    write(
        &account.sandbox,
        &account.home().join("cdk.out"),
        &[("bp-data", data, &[])],
    );
    let run = deploy(&account, &["data", "--yes"]).await;
    assert_eq!((run.status.code(), run.changes.len()), (3, 0), "{}", run.text());
    assert!(run.stderr.contains("the objects in it be lost"), "{}", run.text());
    assert!(
        run.stderr.contains("--allow-replacement LogsBucket"),
        "{}",
        run.text()
    );
    // Allowed, it is still data: its name is to be typed.
    let run = deploy(&account, &["data", "--yes", "--allow-replacement", "LogsBucket"]).await;
    assert_eq!((run.status.code(), run.changes.len()), (3, 0), "{}", run.text());
    assert!(run.stderr.contains("--confirm"), "{}", run.text());
}

#[tokio::test(start_paused = true)]
async fn what_is_in_force_is_not_taken_away_by_leaving_it_out() {
    let account = Account::with(&[]);
    let folder = account.home().join("cdk.out");
    let mail = json!({ "Type": "AWS::SNS::Subscription", "Properties": {
        "Protocol": "email", "Endpoint": "ops@example.com", "TopicArn": { "Ref": "AlertTopic" },
    } });
    let mut with = changed_monitoring(&account.sandbox);
    with["Resources"]["Mail"] = mail;
    write(&account.sandbox, &folder, &[("bp-monitoring", with, &[])]);
    let run = deploy(&account, &["monitoring", "--yes"]).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    let without = changed_monitoring(&account.sandbox);
    write(
        &account.sandbox,
        &folder,
        &[("bp-monitoring", without_mail(without), &[])],
    );
    let run = deploy(&account, &["monitoring", "--yes"]).await;
    assert_eq!((run.status.code(), run.changes.len()), (1, 0), "{}", run.text());
    assert!(
        run.stderr.contains("`-c alertEmail=ops@example.com`"),
        "{}",
        run.text()
    );
    let run = deploy(&account, &["monitoring", "--yes", "-c", "alertEmail="]).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
}

fn without_mail(mut template: Value) -> Value {
    template["Resources"].as_object_mut().unwrap().remove("Mail");
    template
}

#[tokio::test(start_paused = true)]
async fn exports_that_a_fleet_imports_stay() {
    let account = Account::with(&[]);
    let mut network = deployed(&account.sandbox, "bp-network");
    let outputs = network["Outputs"].as_object_mut().unwrap();
    outputs.retain(|_, output| output["Export"].is_null());
    write(
        &account.sandbox,
        &account.home().join("cdk.out"),
        &[("bp-network", network, &[])],
    );
    let run = deploy(&account, &["network", "--yes"]).await;
    assert_eq!((run.status.code(), run.changes.len()), (1, 0), "{}", run.text());
    assert!(run.stderr.contains("would no longer export"), "{}", run.text());
}

#[tokio::test(start_paused = true)]
async fn wrong_values_and_wrong_folders_are_told_before_any_change() {
    let account = laid();
    for (args, words) in [
        (
            &["monitoring", "--yes", "-c", "domainName=https://x.y"][..],
            "scheme",
        ),
        (&["monitoring", "--yes", "-c", "domainname=x.y"], "`domainName`"),
        (
            &["monitoring", "--yes", "-c", "owner=a", "-c", "owner=b"],
            "twice",
        ),
        (&["compute", "--yes"], "no such stack"),
    ] {
        let run = deploy(&account, args).await;
        assert_eq!((run.status.code(), run.changes.len()), (2, 0), "{}", run.text());
        assert!(run.stderr.contains(words), "{words}: {}", run.text());
    }
    // Without an app the templates are bpctl's own, and they do not take over what the app has made.
    let run = account.run(&["stack", "deploy", "monitoring", "--yes"]).await;
    assert_eq!((run.status.code(), run.changes.len()), (1, 0), "{}", run.text());
    assert!(
        run.stderr
            .contains("neither `infra_dir` nor `[blueprint]` is set")
            && run.stderr.contains("made by other templates"),
        "{}",
        run.text()
    );
}

/// The stack that somebody else works on is left alone.
#[tokio::test(start_paused = true)]
async fn a_stack_in_the_middle_of_something_is_left_alone() {
    let account = laid();
    let template = changed_monitoring(&account.sandbox).to_string();
    account.sandbox.with_world(|world| {
        let set = json!({
            "StackName": "bp-monitoring", "ChangeSetName": "theirs", "ChangeSetType": "UPDATE", "TemplateBody": template,
        });
        world.call(Service::CloudFormation, "CreateChangeSet", &set).expect("a change set");
    });
    account.sandbox.advance(std::time::Duration::from_secs(60));
    account.sandbox.with_world(|world| {
        let run = json!({ "StackName": "bp-monitoring", "ChangeSetName": "theirs" });
        world
            .call(Service::CloudFormation, "ExecuteChangeSet", &run)
            .expect("an operation");
    });
    let run = deploy(&account, &["monitoring", "--yes"]).await;
    assert_eq!((run.status.code(), run.changes.len()), (1, 0), "{}", run.text());
    assert!(run.stderr.contains("somebody else works on it"), "{}", run.text());
}

/// `npx`, as far as `cdk synth` goes: it writes the assembly that is beside it.
#[cfg(unix)]
#[tokio::test]
async fn templates_are_made_by_the_app_in_infra_dir() {
    use std::os::unix::fs::PermissionsExt as _;

    let account = laid();
    let app = account.home().join("app");
    let bin = account.home().join("bin");
    fs::create_dir_all(&app).unwrap();
    fs::create_dir_all(&bin).unwrap();
    fs::write(app.join("cdk.json"), r#"{"app": "node app.js"}"#).unwrap();
    let script = format!(
        "#!/bin/sh\nprintf '%s\\n' \"$*\" \"$CDK_DEFAULT_ACCOUNT $CDK_DEFAULT_REGION\" >>calls\ncase $* in *broken=*) echo 'Error: no such stage' >&2; exit 1;; esac\ncp -r '{}' cdk.out\n",
        account.home().join("cdk.out").display()
    );
    fs::write(bin.join("npx"), script).unwrap();
    fs::set_permissions(bin.join("npx"), fs::Permissions::from_mode(0o755)).unwrap();
    let with_npx = async |args: &[&str]| {
        let path = format!("{}:/usr/bin:/bin", bin.display());
        let app = app.display().to_string();
        account
            .run_with(args, move |process| {
                process.env.insert("PATH".to_owned(), path);
                process.env.insert("BPCTL_INFRA_DIR".to_owned(), app);
            })
            .await
    };
    let run = with_npx(&["stack", "diff", "monitoring", "-c", "owner=platform"]).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert!(run.stdout.contains("bp-monitoring differs"), "{}", run.text());
    let calls = fs::read_to_string(app.join("calls")).unwrap();
    assert_eq!(
        calls,
        "cdk synth --quiet --output cdk.out -c owner=platform\n123456789012 us-east-1\n"
    );
    let run = with_npx(&["stack", "diff", "monitoring", "-c", "broken=1"]).await;
    assert_eq!(run.status.code(), 1, "{}", run.text());
    assert!(run.stderr.contains("Error: no such stage"), "{}", run.text());
    assert!(Path::new(&app).join("cdk.out/manifest.json").is_file());
}

/// What a stack exports goes after the stacks that import it.
#[tokio::test(start_paused = true)]
async fn stacks_are_deleted_after_those_that_import_from_them() {
    let account = Account::with(&[]);
    let fleets = ["production/gpu-default", "staging/gpu-default"];
    let alone = account
        .run(&["stack", "delete", "gpu-shared", "--confirm", "sandbox"])
        .await;
    assert_eq!(
        (alone.status.code(), alone.changes.len()),
        (1, 0),
        "{}",
        alone.text()
    );
    assert!(
        alone.stderr.contains(
            "exports what bp-gpu-fleet-production-gpu-default, bp-gpu-fleet-staging-gpu-default import"
        ),
        "{}",
        alone.text()
    );
    let args = [
        "stack",
        "delete",
        "gpu-shared",
        fleets[0],
        fleets[1],
        "--confirm",
        "sandbox",
        "-o",
        "json",
    ];
    let run = account.run(&args).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    let stacks = run.json()["stacks"].clone();
    for stack in stacks.as_array().unwrap() {
        assert_eq!(stack["status"], "DELETE_COMPLETE", "{stack}");
    }
    assert_eq!(run.changes, ["CloudFormation:DeleteStack"; 3]);
    let shared = stacks
        .as_array()
        .unwrap()
        .iter()
        .find(|stack| stack["stack"] == "bp-gpu-shared")
        .unwrap();
    let began = shared["began"].as_str().unwrap();
    assert!(
        stacks
            .as_array()
            .unwrap()
            .iter()
            .all(|stack| stack == shared || stack["ended"].as_str().unwrap() <= began)
    );
    let gone = account
        .run(&["stack", "delete", "gpu-shared", "--confirm", "sandbox"])
        .await;
    assert_eq!(
        (gone.status.code(), gone.changes.len()),
        (1, 0),
        "{}",
        gone.text()
    );
}

/// The creation of the fleet's group fails: rolled back is 8, with the resource's own words.
#[tokio::test(start_paused = true)]
async fn a_creation_that_is_rolled_back_is_told_with_its_cause_and_then_made_anew() {
    let account = Account::prepared(
        bpctl_sandbox::Options {
            scenarios: [bpctl_sandbox::Scenario::StackCreateFails].into(),
            ..bpctl_sandbox::Options::default()
        },
        configure_new_fleet,
    );
    lay_files(&account.sandbox, account.home());
    let args = [
        "fleet",
        "provision",
        "staging/gpu-new",
        "--assembly",
        "cdk.out",
        "--yes",
    ];
    let run = account.run(&args).await;
    assert_eq!(run.status.code(), 8, "{}", run.text());
    assert!(
        run.stderr.contains("its creation failed and was rolled back"),
        "{}",
        run.text()
    );
    account.sandbox.with_world(|world| world.set_scenarios([].into()));
    // The template keeps the log group, also from a creation that was rolled back.
    let kept = account.run(&args).await;
    assert_eq!(
        (kept.status.code(), kept.changes.len()),
        (1, 0),
        "{}",
        kept.text()
    );
    assert!(
        kept.stderr
            .contains("aws logs delete-log-group --log-group-name /gpu-workers/gpu-new"),
        "{}",
        kept.text()
    );
    let mut template = new_fleet(&account.sandbox);
    let resources = template["Resources"].as_object_mut().unwrap();
    resources.retain(|_, shape| shape["Type"] != "AWS::Logs::LogGroup");
    let stack = "bp-gpu-fleet-staging-gpu-new";
    write(
        &account.sandbox,
        &account.home().join("cdk.out"),
        &[(stack, template, &[])],
    );
    let again = deploy(&account, &[stack, "--yes"]).await;
    assert_eq!(again.status.code(), 0, "{}", again.text());
    let calls =
        ["DeleteStack", "CreateChangeSet", "ExecuteChangeSet"].map(|name| format!("CloudFormation:{name}"));
    assert_eq!(again.changes, calls, "{}", again.text());
}

/// The templates that bpctl makes itself, beside those that are deployed.
#[tokio::test(start_paused = true)]
async fn the_built_in_templates_are_printed_compared_and_deployed() {
    let account = Account::with(&[]);
    let printed = account
        .run(&["stack", "template", "data", "--account-id", "123456789012"])
        .await;
    assert_eq!(
        (printed.status.code(), printed.calls),
        (0, 0),
        "{}",
        printed.text()
    );
    let template: Value = serde_json::from_str(&printed.stdout).expect("JSON");
    assert!(template["Resources"].as_object().unwrap().len() > 20);
    // What is deployed came from elsewhere: nothing is the same, and data would go.
    fs::write(
        account.home().join("platform.toml"),
        "alert_email = \"ops@example.com\"\n",
    )
    .unwrap();
    let diff = account
        .run(&[
            "stack",
            "diff",
            "monitoring",
            "--blueprint",
            "platform.toml",
            "--exit-code",
        ])
        .await;
    assert_eq!(
        (diff.status.code(), diff.changes.len()),
        (9, 0),
        "{}",
        diff.text()
    );
    let deployed = account
        .run(&[
            "stack",
            "deploy",
            "monitoring",
            "--blueprint",
            "platform.toml",
            "--yes",
        ])
        .await;
    assert_eq!(
        (deployed.status.code(), deployed.changes.len()),
        (1, 0),
        "{}",
        deployed.text()
    );
    assert!(
        deployed.stderr.contains("made by other templates"),
        "{}",
        deployed.text()
    );
    fs::write(
        account.home().join("platform.toml"),
        "account = \"210987654321\"\n",
    )
    .unwrap();
    let wrong = account
        .run(&["stack", "diff", "monitoring", "--blueprint", "platform.toml"])
        .await;
    assert_eq!(wrong.status.code(), 2, "{}", wrong.text());
    assert!(wrong.stderr.contains("`account`"), "{}", wrong.text());
}

/// The platform's own choices, where bpctl's templates have mended them, on request.
#[tokio::test(start_paused = true)]
async fn the_platforms_own_choices_come_back_on_request() {
    let account = Account::with(&[]);
    let of = async |more: &[&str]| {
        let words = ["stack", "template", "compute", "--account-id", "123456789012"];
        let run = account.run(&[&words[..], more].concat()).await;
        assert_eq!((run.status.code(), run.calls), (0, 0), "{}", run.text());
        serde_json::from_str::<Value>(&run.stdout).expect("JSON")
    };
    // The platform runs its frontend on Spot capacity alone, and states how many tasks a service has.
    let states = |template: &Value| {
        let resources = template["Resources"].as_object().unwrap().values();
        let services = resources.filter(|resource| resource["Type"] == "AWS::ECS::Service");
        services
            .filter(|service| !service["Properties"]["DesiredCount"].is_null())
            .count()
    };
    assert_eq!(states(&of(&[]).await), 0);
    assert_eq!(states(&of(&["--upstream-compatible"]).await), 2);
    let infra = account.home().join("infrastructure");
    fs::create_dir(&infra).unwrap();
    let app = account
        .run(&[
            "--infra-dir",
            "infrastructure",
            "stack",
            "diff",
            "--upstream-compatible",
        ])
        .await;
    assert_eq!((app.status.code(), app.changes.len()), (2, 0), "{}", app.text());
}
