//! `bpctl ami list`, `show`, `history`, `promote` and `rollback`.

use bpctl_sandbox::{Layout, Options, Sandbox, Scenario, Service};
use serde_json::{Value, json};

use crate::support::{Account, kept_by_hand};

const STAGING: &str = "staging/gpu-default";
const PRODUCTION: &str = "production/gpu-default";
const GROUP: &str = "asg-production-gpu-default";
const FROM: &str = "/bp/ami/fleets/staging/gpu-default";
const TO: &str = "/bp/ami/fleets/production/gpu-default";
const PUT: &str = "Ssm:PutParameter";
const START: &str = "AutoScaling:StartInstanceRefresh";

fn call(sandbox: &Sandbox, service: Service, operation: &str, input: &Value) -> Value {
    sandbox
        .with_world(|world| world.call(service, operation, input))
        .unwrap_or_else(|error| panic!("{operation}: {error:?}"))
}

/// A pointer with its data type.
fn pointer(account: &Account, name: &str) -> (String, String) {
    let answer = call(
        &account.sandbox,
        Service::Ssm,
        "GetParameter",
        &json!({"Name": name}),
    );
    let text = |member: &str| answer["Parameter"][member].as_str().expect(member).to_owned();
    (text("Value"), text("DataType"))
}

/// What the newest version of a template resolves to.
fn resolved(account: &Account, template: &str) -> Value {
    let input = json!({"LaunchTemplateName": template, "Versions": ["$Latest"], "ResolveAlias": true});
    let answer = call(
        &account.sandbox,
        Service::Ec2,
        "DescribeLaunchTemplateVersions",
        &input,
    );
    answer["LaunchTemplateVersions"][0]["LaunchTemplateData"]["ImageId"].clone()
}

/// The images that the instances of production run.
fn running(account: &Account) -> Vec<String> {
    let input = json!({"Filters": [{"Name": "tag:aws:autoscaling:groupName", "Values": [GROUP]},
        {"Name": "instance-state-name", "Values": ["pending", "running"]}]});
    let found = call(&account.sandbox, Service::Ec2, "DescribeInstances", &input);
    let reservations = found["Reservations"].as_array().cloned().unwrap_or_default();
    let image = |one: &Value| {
        one["Instances"][0]["ImageId"]
            .as_str()
            .expect("an image")
            .to_owned()
    };
    reservations.iter().map(image).collect()
}

/// Production is idle and kept at `size` instances by hand.
fn idle(size: u32) -> Account {
    let options = Options {
        scenarios: [Scenario::ScaleToZeroUnsubscribed].into(),
        ..Options::default()
    };
    Account::prepared(options, |sandbox| {
        kept_by_hand(sandbox, &[GROUP.to_owned()], size)
    })
}

#[tokio::test(start_paused = true)]
async fn the_image_of_staging_is_promoted_to_production() {
    let account = Account::with(&[]);
    let (wanted, _) = pointer(&account, FROM);
    let (before, _) = pointer(&account, TO);
    assert_ne!(wanted, before);
    let args = [
        "ami", "promote", "--from", STAGING, "--to", PRODUCTION, "--yes", "-o", "json",
    ];
    let dry = account
        .run(&[
            "ami",
            "promote",
            "--from",
            STAGING,
            "--to",
            PRODUCTION,
            "--dry-run",
        ])
        .await;
    assert_eq!((dry.status.code(), dry.changes.len()), (0, 0), "{}", dry.text());
    assert!(
        dry.stdout.contains("instances keep another image"),
        "{}",
        dry.text()
    );
    let run = account.run(&args).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert_eq!(run.changes, [PUT]);
    assert_eq!(
        pointer(&account, TO),
        (wanted.clone(), "aws:ec2:image".to_owned())
    );
    assert_eq!(resolved(&account, "lt-production-gpu-default"), json!(wanted));
    let document = run.json();
    assert_eq!(
        (
            &document["image"],
            &document["template_image"],
            &document["before"],
            &document["moved"]
        ),
        (&json!(wanted), &json!(wanted), &json!(before), &json!(true))
    );
    assert!(
        run.stderr.contains(&format!("bpctl fleet refresh {PRODUCTION}")),
        "{}",
        run.text()
    );
    // The second time there is nothing to do.
    let again = account.run(&args).await;
    assert_eq!(
        (again.status.code(), again.changes.len()),
        (0, 0),
        "{}",
        again.text()
    );
    assert_eq!(again.json()["moved"], false);
    let history = account
        .run(&["ami", "history", "--fleet", PRODUCTION, "-o", "json"])
        .await
        .json();
    assert_eq!(
        (
            &history["versions"][0]["image"],
            &history["versions"][0]["active"],
            &history["versions"][0]["state"]
        ),
        (&json!(wanted), &json!(true), &json!("available"))
    );
}

#[tokio::test(start_paused = true)]
async fn with_refresh_every_instance_runs_the_image_and_rollback_takes_both_back() {
    let account = idle(2);
    let (wanted, _) = pointer(&account, FROM);
    let (before, _) = pointer(&account, TO);
    assert!(running(&account).iter().all(|image| *image == before));
    let run = account
        .run(&[
            "ami",
            "promote",
            &wanted,
            "--fleet",
            PRODUCTION,
            "--refresh",
            "--yes",
            "-o",
            "json",
        ])
        .await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert_eq!(run.changes, [PUT, START]);
    assert_eq!(running(&account), [wanted.clone(), wanted.clone()]);
    assert_eq!(run.json()["refresh"]["status"], "Successful");
    let back = account
        .run(&["ami", "rollback", "--fleet", PRODUCTION, "--yes", "-o", "json"])
        .await;
    assert_eq!(back.status.code(), 0, "{}", back.text());
    assert_eq!(back.changes, [PUT, START]);
    assert_eq!(pointer(&account, TO).0, before);
    assert_eq!(running(&account), [before.clone(), before]);
    // It does not go forward again.
    let again = account
        .run(&["ami", "rollback", "--fleet", PRODUCTION, "--yes"])
        .await;
    assert_eq!(
        (again.status.code(), again.changes.len()),
        (0, 0),
        "{}",
        again.text()
    );
    assert!(
        again.stderr.contains("has been moved back already"),
        "{}",
        again.text()
    );
}

#[tokio::test(start_paused = true)]
async fn rollback_may_leave_the_instances_alone() {
    let account = idle(1);
    let (before, _) = pointer(&account, TO);
    let run = account
        .run(&["ami", "rollback", "--fleet", PRODUCTION, "--no-refresh", "--yes"])
        .await;
    assert_eq!(
        (run.status.code(), run.changes.as_slice()),
        (0, &[PUT.to_owned()][..]),
        "{}",
        run.text()
    );
    assert_eq!(running(&account), [before]);
}

#[tokio::test(start_paused = true)]
async fn in_the_staged_layout_the_pointer_belongs_to_the_workflow() {
    let account = Account::staged(&[]);
    let name = "/bp/ami/image-to-video";
    let input = json!({"Name": name});
    let history = call(&account.sandbox, Service::Ssm, "GetParameterHistory", &input);
    let earlier = history["Parameters"][0]["Value"].as_str().expect("an image");
    let run = account
        .run(&[
            "ami",
            "promote",
            earlier,
            "--fleet",
            "staging/image-to-video",
            "--yes",
        ])
        .await;
    assert_eq!(
        (run.status.code(), run.changes.as_slice()),
        (0, &[PUT.to_owned()][..]),
        "{}",
        run.text()
    );
    assert_eq!(pointer(&account, name).0, earlier);
}

#[tokio::test(start_paused = true)]
async fn an_image_of_another_account_is_refused_unless_forced() {
    let account = Account::with(&[Scenario::AmiForeign]);
    let run = account
        .run(&["ami", "promote", "--from", STAGING, "--to", PRODUCTION, "--yes"])
        .await;
    assert_eq!((run.status.code(), run.changes.len()), (1, 0), "{}", run.text());
    assert!(
        run.stderr.contains("belongs to account 999988887777"),
        "{}",
        run.text()
    );
    let forced = account
        .run(&[
            "ami", "promote", "--from", STAGING, "--to", PRODUCTION, "--yes", "--force",
        ])
        .await;
    assert_eq!(
        (forced.status.code(), forced.changes.len()),
        (0, 1),
        "{}",
        forced.text()
    );
    let list = account.run(&["ami", "list", "-o", "json"]).await.json();
    let images = list["images"].as_array().expect("images");
    let foreign = images.iter().find(|image| image["owner"] == "999988887777");
    assert_eq!(
        foreign.expect("the shared image")["active_on"],
        json!([STAGING, PRODUCTION])
    );
}

#[tokio::test(start_paused = true)]
async fn a_missing_pointer_is_created_and_one_of_another_type_is_not_overwritten() {
    let missing = Account::with(&[Scenario::AmiMissing]);
    let run = missing
        .run(&["ami", "promote", "--from", STAGING, "--to", PRODUCTION, "--yes"])
        .await;
    assert_eq!((run.status.code(), run.changes.len()), (0, 1), "{}", run.text());
    let (wanted, _) = pointer(&missing, FROM);
    assert_eq!(pointer(&missing, TO), (wanted, "aws:ec2:image".to_owned()));
    let wrong = Account::with(&[Scenario::AmiWrongType]);
    let run = wrong
        .run(&["ami", "promote", "--from", STAGING, "--to", PRODUCTION, "--yes"])
        .await;
    assert_eq!((run.status.code(), run.changes.len()), (1, 0), "{}", run.text());
    assert!(
        run.stderr.contains("aws ssm delete-parameter --name"),
        "{}",
        run.text()
    );
    // What it says helps.
    call(
        &wrong.sandbox,
        Service::Ssm,
        "DeleteParameter",
        &json!({"Name": TO}),
    );
    wrong.sandbox.advance(std::time::Duration::from_secs(31));
    let run = wrong
        .run(&["ami", "promote", "--from", STAGING, "--to", PRODUCTION, "--yes"])
        .await;
    assert_eq!((run.status.code(), run.changes.len()), (0, 1), "{}", run.text());
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_meant_is_refused_before_aws_is_asked() {
    let account = Account::with(&[]);
    for args in [
        &["ami", "promote", "ami-xyz", "--fleet", STAGING, "--yes"][..],
        &["ami", "promote", "--from", STAGING, "--to", STAGING, "--yes"],
        &["ami", "promote", "--fleet", STAGING, "--yes"],
        &["ami", "promote", "ami-0123456789abcdef0", "--yes"],
        &["ami", "promote", "--from", STAGING, "--yes"],
        &["ami", "rollback", "--yes"],
        &["ami", "rollback", "--fleet", STAGING, "--to-version", "0"],
    ] {
        let run = account.run(args).await;
        assert_eq!((run.status.code(), run.calls), (2, 0), "{args:?}: {}", run.text());
    }
    let run = account
        .run(&[
            "ami",
            "promote",
            "ami-0123456789abcdef0",
            "--fleet",
            STAGING,
            "--yes",
        ])
        .await;
    assert_eq!((run.status.code(), run.changes.len()), (1, 0), "{}", run.text());
    assert!(run.stderr.contains("EC2 shows no such image"), "{}", run.text());
}

#[tokio::test(start_paused = true)]
async fn an_image_is_shown_with_what_uses_it() {
    let account = Account::with(&[]);
    let (image, _) = pointer(&account, TO);
    let shown = account.run(&["ami", "show", &image, "-o", "json"]).await.json();
    assert_eq!(shown["active_on"], json!([PRODUCTION]));
    assert_eq!(shown["instances"].as_array().map(Vec::len), Some(2));
    assert_eq!(shown["tags"]["ManagedBy"], "packer");
    let text = account.run(&["ami", "show", &image]).await;
    assert!(
        text.stdout.contains("active on     production/gpu-default"),
        "{}",
        text.text()
    );
    let list = account
        .run(&["ami", "list", "--slug", "gpu-default", "-o", "json"])
        .await
        .json();
    let active: Vec<&Value> = list["images"].as_array().expect("images").iter().collect();
    assert_eq!(active.len(), 4, "{list}");
    let missing = account.run(&["ami", "show", "ami-0123456789abcdef0"]).await;
    assert_eq!(missing.status.code(), 1, "{}", missing.text());
    let status = account
        .run(&["fleet", "status", PRODUCTION, "-o", "json"])
        .await
        .json();
    assert_eq!(
        status["fleets"][0]["capacity"]["instances"][0]["image_id"],
        json!(image)
    );
}

#[tokio::test(start_paused = true)]
async fn a_promotion_takes_a_handful_of_calls_whatever_runs() {
    let mut calls = Vec::new();
    for size in [1, 8] {
        let account = idle(size);
        let run = account
            .run(&[
                "ami",
                "promote",
                "--from",
                STAGING,
                "--to",
                PRODUCTION,
                "--dry-run",
            ])
            .await;
        assert_eq!(run.status.code(), 0, "{}", run.text());
        calls.push(run.calls);
    }
    // Identity, parameters, group, image, types, instances, template.
    assert_eq!(calls, [7, 7]);
}

#[tokio::test(start_paused = true)]
async fn the_layouts_have_pointers_of_their_own() {
    let account = Account::from_options(Options {
        layout: Layout::Staged,
        ..Options::default()
    });
    let list = account.run(&["ami", "list", "-o", "json"]).await;
    assert_eq!(list.status.code(), 0, "{}", list.text());
    let active = list.json()["images"][0]["active_on"].clone();
    assert_ne!(active, json!([]), "{}", list.text());
}
