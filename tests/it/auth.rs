//! `bpctl auth can-i`, and a sandbox that is asked as a role.

use bpctl_sandbox::{Fault, FaultRule, Options, Service, VIEWER_ROLE};

use crate::support::Account;

/// An account whose caller has exactly this policy.
fn with_policy(policy: &str) -> Account {
    Account::from_options(Options {
        role: "tested".to_owned(),
        roles: [("tested".to_owned(), policy.to_owned())].into(),
        ..Options::default()
    })
}

fn viewer() -> Account {
    Account::from_options(Options {
        role: VIEWER_ROLE.to_owned(),
        ..Options::default()
    })
}

#[tokio::test(start_paused = true)]
async fn an_operator_may_and_a_viewer_may_not() {
    let operator = Account::with(&[]);
    let run = operator
        .run(&["auth", "can-i", "migrate", "fleet", "scale"])
        .await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert_eq!(run.changes, [""; 0]);
    let run = operator.run(&["auth", "can-i", "migrate"]).await;
    assert_eq!(run.stdout, "yes\n", "{}", run.text());
    // One question for each kind of thing, and who the caller is.
    assert!(run.calls <= 13, "{} calls", run.calls);

    let run = viewer().run(&["auth", "can-i", "migrate", "-o", "json"]).await;
    assert_eq!(run.status.code(), 1, "{}", run.text());
    let verdict = &run.json()["verbs"][0];
    assert_eq!(verdict["allowed"], "no");
    let missing: Vec<&str> = verdict["missing"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|one| one["action"].as_str())
        .collect();
    for action in ["ecs:RunTask", "iam:PassRole", "s3:PutObject"] {
        assert!(missing.contains(&action), "{action} is not in {missing:?}");
    }
    assert!(!missing.contains(&"ecs:DescribeServices"), "{missing:?}");
    assert!(
        run.stderr.contains("bpctl iam policy --for migrate"),
        "{}",
        run.stderr
    );
}

#[tokio::test(start_paused = true)]
async fn the_list_shows_every_verb_and_ends_well() {
    let run = viewer().run(&["auth", "can-i", "--list"]).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    for (verb, allowed) in [
        ("fleet list", "yes"),
        ("task list", "yes"),
        ("migrate --snapshot", "no"),
    ] {
        let row = run
            .stdout
            .lines()
            .find(|line| line.starts_with(&format!("{verb} ")));
        let row = row.unwrap_or_else(|| panic!("{verb} is not in\n{}", run.stdout));
        assert!(row.split_whitespace().any(|word| word == allowed), "{row}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_checked_is_not_allowed() {
    let account = Account::with(&[]);
    let denied = FaultRule::on(Service::Iam, "SimulatePrincipalPolicy", Fault::Deny);
    account.sandbox.with_world(|world| world.inject(denied));
    let run = account.run(&["auth", "can-i", "migrate"]).await;
    assert_eq!(run.status.code(), 4, "{}", run.text());
    assert!(run.stderr.contains("could not check"), "{}", run.text());
    assert!(!run.stdout.contains("yes"), "{}", run.text());
}

#[tokio::test(start_paused = true)]
async fn a_condition_that_is_not_known_is_no_yes_and_a_deny_is_named() {
    let policy = |more: &str| {
        format!(
            r#"{{"Statement": [{{"Effect": "Allow", "Action": ["iam:*", "sts:*"], "Resource": "*"}}, {more}]}}"#
        )
    };
    let tagged = policy(
        r#"{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"aws:PrincipalTag/team": "ops"}}}"#,
    );
    let run = with_policy(&tagged)
        .run(&["auth", "can-i", "task list", "-o", "json"])
        .await;
    assert_eq!(run.status.code(), 1, "{}", run.text());
    let verdict = &run.json()["verbs"][0];
    assert_eq!(verdict["allowed"], "unknown", "{verdict}");
    assert_eq!(verdict["missing"][0]["depends_on"][0], "aws:PrincipalTag/team");
    let denied = policy(
        r#"{"Effect": "Allow", "Action": "*", "Resource": "*"}, {"Effect": "Deny", "Action": "ecs:ListTasks", "Resource": "*"}"#,
    );
    let run = with_policy(&denied)
        .run(&["auth", "can-i", "task list", "-o", "json"])
        .await;
    let verdict = &run.json()["verbs"][0];
    assert_eq!(verdict["allowed"], "no", "{verdict}");
    assert_eq!(verdict["missing"][0]["reason"], "denied");
    let run = with_policy(&denied).run(&["task", "list"]).await;
    assert_eq!(run.status.code(), 4, "{}", run.text());
    assert!(run.stderr.contains("explicit deny"), "{}", run.text());
}

#[tokio::test(start_paused = true)]
async fn a_verb_that_is_none_is_refused_before_any_call() {
    let account = Account::with(&[]);
    for args in [
        &["auth", "can-i"][..],
        &["auth", "can-i", "migrat"],
        &["auth", "can-i", "fleet", "migrat"],
    ] {
        let run = account.run(args).await;
        assert_eq!((run.status.code(), run.calls), (2, 0), "{}", run.text());
    }
}
