//! `bpctl deploy` and `bpctl rollout`: each outcome, bound to the deployment that was started.

use std::time::Duration;

use bpctl_sandbox::{Scenario, Service};
use serde_json::{Value, json};

use crate::support::{Account, Run};

const UPDATE: &str = "Ecs:UpdateService";
const STOP: &str = "Ecs:StopServiceDeployment";
const REGISTER: &str = "Ecs:RegisterTaskDefinition";

fn service(account: &Account, name: &str) -> Value {
    account.sandbox.with_world(|world| {
        let input = json!({"cluster": "bp", "services": [name]});
        world
            .call(Service::Ecs, "DescribeServices", &input)
            .expect("an answer")["services"][0]
            .clone()
    })
}

/// A deployment by other means than bpctl.
fn deployed_by_hand(account: &Account, name: &str) -> String {
    let answer = account.sandbox.with_world(|world| {
        let input = json!({"cluster": "bp", "service": name, "forceNewDeployment": true});
        world
            .call(Service::Ecs, "UpdateService", &input)
            .expect("a deployment")
    });
    answer["service"]["deployments"][0]["id"]
        .as_str()
        .expect("an id")
        .to_owned()
}

fn verdicts(run: &Run) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let document = run.json();
    let services = document["services"].as_array().expect("a list");
    services
        .iter()
        .map(|one| (text(&one["app"]), text(&one["verdict"])))
        .collect()
}

fn tags(account: &Account, repository: &str) -> Vec<String> {
    let answer = account.sandbox.with_world(|world| {
        let input = json!({"repositoryName": repository});
        world
            .call(Service::Ecr, "DescribeImages", &input)
            .expect("images")
    });
    let images = answer["imageDetails"].as_array().expect("a list").clone();
    images
        .iter()
        .flat_map(|image| image["imageTags"].as_array().cloned().unwrap_or_default())
        .filter_map(|tag| tag.as_str().map(str::to_owned))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn both_services_are_deployed_side_by_side_and_followed_with_one_look_for_both() {
    for account in [Account::with(&[]), Account::staged(&[])] {
        let run = account.run(&["deploy", "all", "--yes", "-o", "json"]).await;
        assert_eq!(run.status.code(), 0, "{}", run.text());
        assert_eq!(run.changes, [UPDATE, UPDATE]);
        let both = [("backend", "completed"), ("frontend", "completed")];
        assert_eq!(
            verdicts(&run),
            both.map(|(app, verdict)| (app.to_owned(), verdict.to_owned()))
        );
        for one in run.json()["services"].as_array().expect("a list") {
            assert!(
                one["deployment"]
                    .as_str()
                    .is_some_and(|id| id.starts_with("ecs-svc/"))
            );
            let arn = one["service_deployment"].as_str().unwrap_or_default();
            assert!(arn.contains(":service-deployment/"), "{arn}");
            assert!(
                one["images"][0]["digest"]
                    .as_str()
                    .is_some_and(|digest| digest.starts_with("sha256:"))
            );
        }
        assert!(
            run.stderr
                .contains("backend: nothing new: same digests as run now"),
            "{}",
            run.stderr
        );
    }
}

#[tokio::test(start_paused = true)]
async fn two_services_cost_no_more_looks_than_one() {
    let mut looks = Vec::new();
    for which in ["backend", "all"] {
        let account = Account::with(&[]);
        let begun = account.clock().now();
        let run = account.run(&["deploy", which, "--yes"]).await;
        assert_eq!(run.status.code(), 0, "{}", run.text());
        let took = account
            .clock()
            .now()
            .duration_since(begun)
            .as_secs()
            .unsigned_abs();
        let count = |operation: &str| {
            account.sandbox.with_world(|world| {
                world
                    .calls()
                    .iter()
                    .filter(|call| call.operation == operation)
                    .count()
            })
        };
        let services = count("DescribeServices");
        // One before the plan, one before the write, then one every four seconds at most.
        assert!(
            services as u64 <= 2 + took / 4 + 1,
            "{services} looks in {took} s"
        );
        assert!(count("DescribeServiceDeployments") <= services + 2);
        looks.push(services);
    }
    assert!(looks[1] <= looks[0] + 4, "{looks:?}");
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_shows_the_plan_and_sends_nothing() {
    let account = Account::with(&[]);
    let run = account.run(&["deploy", "all", "--dry-run", "-o", "json"]).await;
    assert_eq!((run.status.code(), run.changes.len()), (0, 0), "{}", run.text());
    let steps = run.json()["steps"].as_array().expect("a list").clone();
    assert_eq!(steps.len(), 2);
    assert_eq!(steps[0]["calls"][0]["parameters"]["forceNewDeployment"], true);
    assert!(run.calls <= 14, "{} calls", run.calls);
    let differs = account.run(&["deploy", "--dry-run", "--exit-code"]).await;
    assert_eq!(differs.status.code(), 9);
}

#[tokio::test(start_paused = true)]
async fn flags_that_do_not_fit_are_refused_before_any_call() {
    let account = Account::with(&[]);
    for args in [
        &["deploy", "all", "--task-definition", "41", "--yes"][..],
        &["deploy", "backend", "--tag", "php-0af12cd", "--yes"],
        &[
            "deploy",
            "backend",
            "--tag",
            "0af12cd",
            "--task-definition",
            "3",
            "--yes",
        ],
        &["deploy", "backend", "--image", "php-fpm", "--yes"],
        &["deploy", "worker", "--yes"],
        &["deploy", "backend", "--rollback-on-timeout", "--no-wait", "--yes"],
        &["rollout", "watch", "backend", "--deployment", "$(id)"],
        &["rollout", "undo", "--yes"],
    ] {
        let run = account.run(args).await;
        assert_eq!((run.status.code(), run.calls), (2, 0), "{args:?}\n{}", run.text());
    }
}

#[tokio::test(start_paused = true)]
async fn a_rolled_back_restart_is_seen_as_rolled_back_although_the_service_is_stable() {
    let account = Account::with(&[Scenario::BreakerRollback]);
    let before = service(&account, "bp-backend")["taskDefinition"].clone();
    let run = account.run(&["deploy", "backend", "--yes", "-o", "json"]).await;
    assert_eq!(run.status.code(), 8, "{}", run.text());
    assert_eq!(verdicts(&run), [("backend".to_owned(), "rolled-back".to_owned())]);
    let document = run.json();
    let one = &document["services"][0];
    // The same task definition before and after: nothing but the deployment's own record tells.
    assert_eq!(one["task_definition"], before);
    assert_eq!(one["stopped"].as_array().map(Vec::len), Some(3));
    assert_eq!(
        (&one["stopped"][0]["container"], &one["stopped"][0]["exit_code"]),
        (&json!("php-fpm"), &json!(78))
    );
    assert!(
        one["stopped"][0]["lines"]
            .to_string()
            .contains("FPM initialization failed")
    );
    let error: Value = serde_json::from_str(run.stderr.lines().last().expect("a line")).expect("a document");
    assert!(error.to_string().contains("php-fpm exited with 78"), "{error}");
    // Exactly what `aws ecs wait services-stable` waits for.
    let after = service(&account, "bp-backend");
    assert_eq!(after["deployments"].as_array().map(Vec::len), Some(1));
    assert_eq!(after["runningCount"], after["desiredCount"]);
    // A later look says the same.
    let later = account.run(&["rollout", "watch", "backend"]).await;
    assert_eq!(later.status.code(), 8, "{}", later.text());
    let status = account.run(&["rollout", "status", "backend", "-o", "json"]).await;
    assert_eq!(status.json()["services"][0]["state"], "rolled-back");
}

#[tokio::test(start_paused = true)]
async fn a_crash_loop_is_stopped_at_the_first_task_that_fails() {
    let account = Account::with(&[Scenario::CrashLoop]);
    let run = account
        .run(&[
            "deploy",
            "backend",
            "--abort-on-first-failure",
            "--yes",
            "-o",
            "json",
        ])
        .await;
    assert_eq!(run.status.code(), 8, "{}", run.text());
    assert_eq!(run.changes, [UPDATE, STOP]);
    let one = run.json()["services"][0].clone();
    assert_eq!(one["stopped"].as_array().map(Vec::len), Some(1));
    assert!(
        run.stderr.contains("takes the place of deployment ecs-svc/"),
        "{}",
        run.stderr
    );
    assert!(
        run.stderr
            .contains("was stopped and rolled back: php-fpm exited with 255"),
        "{}",
        run.stderr
    );
}

#[tokio::test(start_paused = true)]
async fn one_service_that_fails_does_not_hide_the_other() {
    let account = Account::with(&[Scenario::BreakerRollback]);
    let run = account.run(&["deploy", "--yes", "-o", "json"]).await;
    assert_eq!(run.status.code(), 7, "{}", run.text());
    let both = [("backend", "rolled-back"), ("frontend", "completed")];
    assert_eq!(
        verdicts(&run),
        both.map(|(app, verdict)| (app.to_owned(), verdict.to_owned()))
    );
    assert!(
        run.stderr.contains("1 of 2 services are, backend not"),
        "{}",
        run.stderr
    );
    // The one that went well is not deployed once more.
    assert!(
        run.stderr.contains("to go on: `bpctl deploy backend`"),
        "{}",
        run.stderr
    );
}

#[tokio::test(start_paused = true)]
async fn another_deployment_that_takes_the_place_is_no_success_of_this_run() {
    let account = Account::with(&[]);
    let run = {
        let ours = account.run(&["deploy", "backend", "--yes"]);
        let theirs = async {
            account.clock().sleep(Duration::from_secs(25)).await;
            deployed_by_hand(&account, "bp-backend")
        };
        let (run, theirs) = tokio::join!(ours, theirs);
        assert!(
            run.stderr
                .contains(&format!("deployment {theirs}, which somebody else started")),
            "{}",
            run.text()
        );
        run
    };
    assert_eq!(run.status.code(), 5, "{}", run.text());
    let watched = account.run(&["rollout", "watch", "backend"]).await;
    assert_eq!(watched.status.code(), 0, "{}", watched.text());
}

#[tokio::test(start_paused = true)]
async fn a_healthy_deployment_by_other_means_is_left_alone() {
    let account = Account::with(&[]);
    let theirs = deployed_by_hand(&account, "bp-backend");
    account.sandbox.advance(Duration::from_secs(10));
    let run = account.run(&["deploy", "backend", "--yes"]).await;
    assert_eq!((run.status.code(), run.changes.len()), (1, 0), "{}", run.text());
    assert!(
        run.stderr.contains(&theirs) && run.stderr.contains("`bpctl rollout watch backend`"),
        "{}",
        run.text()
    );
    let run = account.run(&["deploy", "backend", "--supersede", "--yes"]).await;
    assert_eq!((run.status.code(), run.changes.len()), (0, 1), "{}", run.text());
}

#[tokio::test(start_paused = true)]
async fn what_is_not_done_in_time_goes_on_and_can_be_followed_again() {
    let account = Account::with(&[Scenario::SlowHealth]);
    let run = account
        .run(&["deploy", "backend", "--timeout", "60s", "--yes"])
        .await;
    assert_eq!(run.status.code(), 6, "{}", run.text());
    let (_, rest) = run
        .stderr
        .split_once("follow it again with `bpctl ")
        .expect("a command");
    let command: Vec<&str> = rest.split('`').next().expect("a command").split(' ').collect();
    assert_eq!(command[..3], ["rollout", "watch", "backend"]);
    let again = account.run(&command).await;
    assert_eq!(again.status.code(), 0, "{}", again.text());
}

#[tokio::test(start_paused = true)]
async fn what_is_not_done_in_time_goes_back_when_that_is_wanted() {
    let account = Account::with(&[Scenario::SlowHealth]);
    let before = service(&account, "bp-backend")["deployments"][0]["id"].clone();
    let args = [
        "deploy",
        "backend",
        "--timeout",
        "60s",
        "--rollback-on-timeout",
        "--yes",
    ];
    let run = account.run(&args).await;
    assert_eq!(run.status.code(), 8, "{}", run.text());
    assert_eq!(run.changes, [UPDATE, STOP]);
    assert!(run.stderr.contains("it was not done in time"), "{}", run.stderr);
    assert_eq!(service(&account, "bp-backend")["deployments"][0]["id"], before);
}

#[tokio::test(start_paused = true)]
async fn a_commits_images_are_deployed_in_a_revision_that_differs_in_nothing_else() {
    let account = Account::with(&[]);
    let commit = tags(&account, "bp-backend")
        .iter()
        .filter_map(|tag| tag.strip_prefix("php-").map(str::to_owned))
        .find(|commit| commit != "latest")
        .expect("a commit");
    let args = [
        "deploy",
        "backend",
        "--tag",
        &commit,
        "--yes",
        "--reason",
        "back to the old one",
        "-o",
        "json",
    ];
    let run = account.run(&args).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert_eq!(run.changes, [REGISTER, UPDATE]);
    let one = run.json()["services"][0].clone();
    assert!(
        one["task_definition"]
            .as_str()
            .is_some_and(|arn| arn.ends_with("bp-backend:43"))
    );
    for image in one["images"].as_array().expect("a list") {
        let name = image["image"].as_str().expect("a name");
        assert!(name.ends_with(&format!("-{commit}")), "{name}");
    }
    let definition = |name: &str| {
        account.sandbox.with_world(|world| {
            world
                .call(
                    Service::Ecs,
                    "DescribeTaskDefinition",
                    &json!({"taskDefinition": name}),
                )
                .expect("it")
        })["taskDefinition"]
            .clone()
    };
    let (mut old, mut new) = (definition("bp-backend:42"), definition("bp-backend:43"));
    for one in [&mut old, &mut new] {
        for own in ["taskDefinitionArn", "revision", "registeredAt", "registeredBy"] {
            one[own] = Value::Null;
        }
        for container in one["containerDefinitions"].as_array_mut().expect("a list") {
            container["image"] = Value::Null;
        }
    }
    assert_eq!(old, new);
    // The same again: it is in place.
    let again = account.run(&args).await;
    assert_eq!(
        (again.status.code(), again.changes.len()),
        (0, 0),
        "{}",
        again.text()
    );
    assert!(again.stderr.contains("is in place already"), "{}", again.stderr);
    // Who, why and what, from records and the shared history.
    let history = account
        .run(&["rollout", "history", "backend", "-o", "json"])
        .await;
    let rows = history.json()["deployments"].clone();
    assert_eq!(rows[0]["why"], "back to the old one");
    assert_eq!(
        (&rows[0]["status"], &rows[0]["current"]),
        (&json!("SUCCESSFUL"), &json!(true))
    );
    assert!(
        rows[0]["who"]
            .as_str()
            .is_some_and(|who| who.starts_with("arn:aws:sts::"))
    );
    assert!(rows[0]["images"][0]["digest"].as_str().is_some());
}

#[tokio::test(start_paused = true)]
async fn undo_brings_back_the_digests_that_ran_before() {
    let account = Account::with(&[]);
    let digests = |run: &Run| {
        let document = run.json();
        let images = document["services"][0]["images"]
            .as_array()
            .expect("a list")
            .clone();
        images
            .iter()
            .map(|image| image["digest"].clone())
            .collect::<Vec<_>>()
    };
    let first = account.run(&["deploy", "backend", "--yes", "-o", "json"]).await;
    let good = digests(&first);
    // A newer build gets the moving tag, and an operator restarts the service with it.
    account
        .sandbox
        .with_world(|world| world.set_scenarios([Scenario::BreakerRollback].into()));
    account.sandbox.advance(Duration::from_secs(900));
    account.sandbox.with_world(|world| world.set_scenarios([].into()));
    let second = account.run(&["deploy", "backend", "--yes", "-o", "json"]).await;
    assert_eq!(second.status.code(), 0, "{}", second.text());
    assert_ne!(digests(&second), good);
    let undone = account
        .run(&["rollout", "undo", "backend", "--yes", "-o", "json"])
        .await;
    assert_eq!(undone.status.code(), 0, "{}", undone.text());
    assert_eq!(undone.changes, [REGISTER, UPDATE]);
    assert_eq!(digests(&undone), good);
    let to = account
        .run(&["rollout", "undo", "backend", "--to", "42", "--yes", "-o", "json"])
        .await;
    assert_eq!((to.status.code(), to.changes.len()), (0, 1), "{}", to.text());
    assert_eq!(digests(&to), digests(&second));
}

#[tokio::test(start_paused = true)]
async fn a_deployment_can_be_ended_by_hand() {
    let account = Account::with(&[]);
    let nothing = account.run(&["rollout", "abort", "backend", "--yes"]).await;
    assert_eq!(
        (nothing.status.code(), nothing.changes.len()),
        (0, 0),
        "{}",
        nothing.text()
    );
    let before = service(&account, "bp-backend")["deployments"][0]["id"].clone();
    deployed_by_hand(&account, "bp-backend");
    account.sandbox.advance(Duration::from_secs(10));
    let run = account
        .run(&["rollout", "abort", "backend", "--yes", "-o", "json"])
        .await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert_eq!(run.changes, [STOP]);
    assert_eq!(verdicts(&run), [("backend".to_owned(), "rolled-back".to_owned())]);
    assert_eq!(service(&account, "bp-backend")["deployments"][0]["id"], before);
}

#[tokio::test(start_paused = true)]
async fn without_waiting_the_way_to_follow_is_told() {
    let account = Account::with(&[]);
    let run = account
        .run(&["deploy", "backend", "--no-wait", "--yes", "-o", "json"])
        .await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    let deployment = run.json()["services"][0]["deployment"]
        .as_str()
        .expect("an id")
        .to_owned();
    assert!(
        run.stderr
            .contains(&format!("rollout watch backend --deployment {deployment}")),
        "{}",
        run.text()
    );
    let watched = account
        .run(&["rollout", "watch", "backend", "--deployment", &deployment])
        .await;
    assert_eq!(watched.status.code(), 0, "{}", watched.text());
}

#[tokio::test(start_paused = true)]
async fn a_breaker_that_does_not_roll_back_leaves_a_failure() {
    let account = Account::with(&[Scenario::BreakerRollback]);
    account.sandbox.with_world(|world| {
        let rules = json!({"deploymentCircuitBreaker": {"enable": true, "rollback": false}});
        let input = json!({"cluster": "bp", "service": "bp-backend", "deploymentConfiguration": rules});
        world
            .call(Service::Ecs, "UpdateService", &input)
            .expect("it is configured");
    });
    let run = account.run(&["deploy", "backend", "--yes"]).await;
    assert_eq!(run.status.code(), 1, "{}", run.text());
    assert!(
        run.stderr.contains("failed and was not rolled back"),
        "{}",
        run.text()
    );
}
