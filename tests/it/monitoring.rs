//! `bpctl monitoring`: alarms, dashboard, logs, budget and subscribers beside what the platform's stacks make.

use bpctl_sandbox::{Fault, FaultRule, Layout, Options, Service};
use serde_json::{Value, json};

use crate::support::{Account, Run};

const PUT: &str = "CloudWatch:PutMetricAlarm";
const RETAIN: &str = "Logs:PutRetentionPolicy";
const SUBSCRIBE: &str = "Sns:Subscribe";
const CPU: &str = "p2-rds-cpu-warning";
const TOPIC: &str = "arn:aws:sns:us-east-1:123456789012:bp-ops-alerts";

fn call(account: &Account, service: Service, operation: &str, input: &Value) -> Value {
    let called = account
        .sandbox
        .with_world(|world| world.call(service, operation, input));
    called.unwrap_or_else(|error| panic!("{operation}: {error:?}"))
}

fn alarm(account: &Account, name: &str) -> Value {
    let named = json!({ "AlarmNames": [name] });
    let found = call(account, Service::CloudWatch, "DescribeAlarms", &named);
    found["MetricAlarms"][0].clone()
}

/// Writes an alarm with other members than it has.
fn change(account: &Account, name: &str, members: &Value) {
    const OF_THE_STATE: [&str; 7] = [
        "AlarmArn",
        "AlarmConfigurationUpdatedTimestamp",
        "StateValue",
        "StateReason",
        "StateReasonData",
        "StateUpdatedTimestamp",
        "StateTransitionedTimestamp",
    ];
    let mut input = alarm(account, name);
    let all = input.as_object_mut().expect("an alarm");
    for of_the_state in OF_THE_STATE {
        all.remove(of_the_state);
    }
    for (member, value) in members.as_object().expect("members") {
        all.insert(member.clone(), value.clone());
    }
    call(account, Service::CloudWatch, "PutMetricAlarm", &input);
}

fn days(account: &Account, group: &str) -> Value {
    let named = json!({ "logGroupNamePrefix": group });
    call(account, Service::Logs, "DescribeLogGroups", &named)["logGroups"][0]["retentionInDays"].clone()
}

fn keep(account: &Account, group: &str, days: u32) {
    let input = json!({ "logGroupName": group, "retentionInDays": days });
    call(account, Service::Logs, "PutRetentionPolicy", &input);
}

/// `name property found` of each difference.
fn differences(run: &Run) -> Vec<String> {
    let all = run.json()["differences"].as_array().expect("a list").clone();
    let text = |one: &Value, name: &str| one[name].as_str().expect("text").to_owned();
    all.iter()
        .map(|one| {
            format!(
                "{} {} {}",
                text(one, "name"),
                text(one, "property"),
                text(one, "found")
            )
        })
        .collect()
}

async fn check(account: &Account) -> Run {
    account.run(&["monitoring", "check", "-o", "json"]).await
}

#[tokio::test(start_paused = true)]
async fn a_platform_as_its_stacks_make_it_has_no_difference_in_either_layout() {
    for layout in [Layout::Single, Layout::Staged] {
        let account = Account::from_options(Options {
            layout,
            ..Options::default()
        });
        let run = check(&account).await;
        assert_eq!(run.status.code(), 0, "{}", run.text());
        assert_eq!(
            (differences(&run).len(), &run.json()["unread"]),
            (0, &json!([])),
            "{}",
            run.text()
        );
        assert!(run.json()["alarms"].as_u64() > Some(8), "{}", run.text());
        let apply = account.run(&["monitoring", "apply", "--yes"]).await;
        assert_eq!(
            (apply.status.code(), apply.changes.len()),
            (0, 0),
            "{}",
            apply.text()
        );
    }
}

#[tokio::test(start_paused = true)]
async fn every_property_that_differs_is_told_and_put_right_and_what_is_others_own_stays() {
    let account = Account::from_options(Options::default());
    let own = "arn:aws:sns:us-east-1:123456789012:bp-scale-to-zero";
    change(
        &account,
        CPU,
        &json!({
            "Threshold": 99, "Period": 60, "EvaluationPeriods": 3, "DatapointsToAlarm": 2, "Statistic": "Maximum",
            "ComparisonOperator": "GreaterThanThreshold", "TreatMissingData": "ignore", "Unit": "Percent",
            "Dimensions": [{ "Name": "DBInstanceIdentifier", "Value": "other" }], "ActionsEnabled": false,
            "AlarmActions": [own], "OKActions": [own], "InsufficientDataActions": [own], "AlarmDescription": "ours",
        }),
    );
    change(
        &account,
        "production-gpu-default-queue-empty",
        &json!({ "TreatMissingData": "notBreaching" }),
    );
    keep(&account, "/ecs/bp-backend", 7);
    let run = check(&account).await;
    assert_eq!(run.status.code(), 9, "{}", run.text());
    let topic = format!("{CPU} AlarmActions {own}");
    let expected = [
        "Dimensions DBInstanceIdentifier=other",
        "Statistic Maximum",
        "Period 60",
        "ComparisonOperator GreaterThanThreshold",
        "Threshold 99",
        "EvaluationPeriods 3",
        "DatapointsToAlarm 2",
        "TreatMissingData ignore",
        "Unit Percent",
    ];
    let mut expected: Vec<String> = expected.iter().map(|text| format!("{CPU} {text}")).collect();
    expected.extend([topic, format!("{CPU} ActionsEnabled false")]);
    expected.push("production-gpu-default-queue-empty TreatMissingData notBreaching".to_owned());
    expected.push("/ecs/bp-backend retention 7 days".to_owned());
    assert_eq!(differences(&run), expected);
    assert!(run.stderr.contains("bpctl monitoring apply"), "{}", run.text());

    let apply = account.run(&["monitoring", "apply", "--yes", "-o", "json"]).await;
    assert_eq!(apply.status.code(), 0, "{}", apply.text());
    assert_eq!(apply.changes, [PUT, PUT, RETAIN]);
    assert_eq!(
        (
            &apply.json()["left"],
            apply.json()["written"].as_array().unwrap().len()
        ),
        (&json!(0), 3)
    );
    let now = alarm(&account, CPU);
    assert_eq!(
        (&now["AlarmDescription"], &now["Threshold"]),
        (&json!("ours"), &json!(80.0))
    );
    assert_eq!(
        (&now["OKActions"], &now["InsufficientDataActions"]),
        (&json!([own]), &json!([own]))
    );
    assert_eq!(
        (&now["AlarmActions"], now.get("Unit")),
        (&json!([own, TOPIC]), None)
    );
    assert_eq!(days(&account, "/ecs/bp-backend"), 30);
    assert_eq!(check(&account).await.status.code(), 0);

    let id = apply.json()["run"].as_str().unwrap().to_owned();
    // Back to seven days loses what is older.
    let undone = account.run(&["runs", "undo", &id, "--confirm", "sandbox"]).await;
    assert_eq!(undone.status.code(), 0, "{}", undone.text());
    let back = alarm(&account, CPU);
    assert_eq!(
        (&back["Unit"], &back["ActionsEnabled"]),
        (&json!("Percent"), &json!(false)),
        "{back}"
    );
    assert_eq!(days(&account, "/ecs/bp-backend"), 7);
}

/// Its events would be gone: that is asked for by name.
#[tokio::test(start_paused = true)]
async fn fewer_days_than_a_log_has_are_a_loss() {
    let account = Account::from_options(Options::default());
    keep(&account, "/ecs/bp-backend", 365);
    let run = account.run(&["monitoring", "apply", "--yes"]).await;
    assert_eq!((run.status.code(), run.changes.len()), (3, 0), "{}", run.text());
    assert!(run.stderr.contains("older than 30 days"), "{}", run.text());
    let run = account
        .run(&["monitoring", "apply", "--confirm", "sandbox"])
        .await;
    assert_eq!(
        (run.status.code(), &run.changes[..]),
        (0, &[RETAIN.to_owned()][..]),
        "{}",
        run.text()
    );
    assert_eq!(days(&account, "/ecs/bp-backend"), 30);
}

#[tokio::test(start_paused = true)]
async fn an_alarm_is_made_anew_where_its_stack_is_there_and_is_not_invented_where_it_is_not() {
    let account = Account::from_options(Options::default());
    let deleted = |account: &Account, stack: &str| {
        call(
            account,
            Service::CloudFormation,
            "DeleteStack",
            &json!({ "StackName": stack }),
        );
        account.sandbox.advance(std::time::Duration::from_secs(900));
    };
    let names = json!({ "AlarmNames": [CPU, "staging-p3-gpu-default-queue-deep"] });
    call(&account, Service::CloudWatch, "DeleteAlarms", &names);
    let run = account.run(&["monitoring", "apply", "--yes"]).await;
    assert_eq!(
        (run.status.code(), &run.changes[..]),
        (0, &[PUT.to_owned(), PUT.to_owned()][..]),
        "{}",
        run.text()
    );
    let made = alarm(&account, CPU);
    assert_eq!(
        (&made["Threshold"], &made["AlarmActions"]),
        (&json!(80.0), &json!([TOPIC]))
    );
    assert_eq!(check(&account).await.status.code(), 0);
    deleted(&account, "bp-gpu-fleet-staging-gpu-default");
    // The group went with the stack, and with it the fleet: no alarm of it is missing. What is left of the log that both
    // stages shared is to be kept as long as production's.
    let run = check(&account).await;
    assert_eq!(
        differences(&run),
        ["/gpu-workers/gpu-default retention 7 days"],
        "{}",
        run.text()
    );
    deleted(&account, "bp-gpu-fleet-production-gpu-default");
    deleted(&account, "bp-monitoring");
    let run = check(&account).await;
    assert_eq!(run.status.code(), 9, "{}", run.text());
    let missing = format!("{CPU} existence not there, nor is its stack `bp-monitoring`");
    assert!(differences(&run).contains(&missing), "{}", run.text());
    let run = account.run(&["monitoring", "apply", "--yes"]).await;
    assert_eq!((run.status.code(), run.changes.len()), (1, 0), "{}", run.text());
    assert!(
        run.stderr.contains("bpctl stack deploy bp-monitoring"),
        "{}",
        run.text()
    );
}

/// What is not known is never called right.
#[tokio::test(start_paused = true)]
async fn what_cannot_be_looked_at_is_said_and_hides_nothing_else() {
    let account = Account::from_options(Options::default());
    keep(&account, "/ecs/bp-backend", 7);
    for (service, operation) in [
        (Service::CloudWatch, "GetDashboard"),
        (Service::Budgets, "DescribeBudget"),
        (Service::Rds, "DescribeDBInstances"),
    ] {
        let deny = FaultRule::on(service, operation, Fault::Deny);
        account.sandbox.with_world(|world| world.inject(deny));
    }
    let run = check(&account).await;
    assert_eq!(run.status.code(), 7, "{}", run.text());
    let unread = run.json()["unread"].as_array().unwrap().clone();
    let what: Vec<&str> = unread.iter().filter_map(|gap| gap["what"].as_str()).collect();
    assert_eq!(
        what,
        ["what the alarms watch", "dashboard", "budget"],
        "{}",
        run.text()
    );
    assert_eq!(
        differences(&run),
        ["/ecs/bp-backend retention 7 days"],
        "{}",
        run.text()
    );
    let shown = account.run(&["monitoring", "show"]).await;
    assert_eq!(shown.status.code(), 7, "{}", shown.text());
    assert!(
        shown.stderr.contains("dashboard could not be looked at"),
        "{}",
        shown.text()
    );
}

#[tokio::test(start_paused = true)]
async fn show_tells_what_there_is() {
    let account = Account::from_options(Options::default());
    let told = |percent: u32| {
        json!({
            "Notification": { "NotificationType": "ACTUAL", "ComparisonOperator": "GREATER_THAN", "Threshold": percent },
            "Subscribers": [{ "SubscriptionType": "EMAIL", "Address": "ops@example.com" }],
        })
    };
    let budget = json!({
        "AccountId": "123456789012",
        "Budget": { "BudgetName": "bp-monthly", "BudgetType": "COST", "TimeUnit": "MONTHLY",
            "BudgetLimit": { "Amount": "500", "Unit": "USD" } },
        "NotificationsWithSubscribers": [told(80)],
    });
    call(&account, Service::Budgets, "CreateBudget", &budget);
    let run = account.run(&["monitoring", "show"]).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    for line in [
        "ALB Requests & Errors · ALB Latency",
        "ok: AWS/RDS CPUUtilization Average >= 80 in 1 of 1 periods of 300 s",
        "kept for 30 days",
        "email ops@example.com",
        "500 USD, tells at ACTUAL 80 %",
    ] {
        assert!(run.stdout.contains(line), "{line}\n{}", run.text());
    }
    let run = check(&account).await;
    assert_eq!(
        differences(&run),
        ["bp-monthly notification not there"],
        "{}",
        run.text()
    );
    assert_eq!(
        run.json()["differences"][0]["expected"],
        "at 100 % of what was spent"
    );
}

#[tokio::test(start_paused = true)]
async fn a_subscriber_is_pending_until_it_confirms_and_is_not_asked_twice_unasked() {
    let account = Account::from_options(Options::default());
    let subscriptions = || {
        let listed = call(
            &account,
            Service::Sns,
            "ListSubscriptionsByTopic",
            &json!({ "TopicArn": TOPIC }),
        );
        listed["Subscriptions"].as_array().unwrap().clone()
    };
    // Nobody who has confirmed is left.
    let first = subscriptions()[0]["SubscriptionArn"].clone();
    call(
        &account,
        Service::Sns,
        "Unsubscribe",
        &json!({ "SubscriptionArn": first }),
    );
    let run = check(&account).await;
    assert_eq!(
        differences(&run),
        ["bp-ops-alerts subscribers none"],
        "{}",
        run.text()
    );
    assert!(
        run.stderr.contains("bpctl monitoring subscribe --email"),
        "{}",
        run.text()
    );
    let line = ["monitoring", "subscribe", "--email", "night@example.com", "--yes"];
    let run = account.run(&line).await;
    assert_eq!(
        (run.status.code(), &run.changes[..]),
        (0, &[SUBSCRIBE.to_owned()][..]),
        "{}",
        run.text()
    );
    assert!(
        run.stdout.contains("pending until it is confirmed"),
        "{}",
        run.text()
    );
    let again = account.run(&line).await;
    assert_eq!(
        (again.status.code(), again.changes.len()),
        (0, 0),
        "{}",
        again.text()
    );
    assert!(again.stderr.contains("--resend"), "{}", again.text());
    let resent = account.run(&[&line[..], &["--resend"]].concat()).await;
    assert_eq!(
        (resent.status.code(), resent.changes.len()),
        (0, 1),
        "{}",
        resent.text()
    );
    assert_eq!(subscriptions().len(), 1);
    let run = check(&account).await;
    assert_eq!(
        differences(&run),
        ["bp-ops-alerts subscribers none that has confirmed"],
        "{}",
        run.text()
    );
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_is_none_is_refused_before_anything_is_asked() {
    let account = Account::from_options(Options::default());
    for line in [
        &["monitoring", "subscribe", "--email", "ops"][..],
        &["monitoring", "subscribe", "--https", "http://events.example.com"],
        &[
            "monitoring",
            "subscribe",
            "--https",
            "https://user:secret@events.example.com",
        ],
        &["monitoring", "subscribe"],
        &[
            "monitoring",
            "subscribe",
            "--email",
            "a@example.com",
            "--https",
            "https://a.example.com",
        ],
    ] {
        let run = account.run(line).await;
        assert_eq!((run.status.code(), run.calls), (2, 0), "{line:?}\n{}", run.text());
        assert!(!run.text().contains("user:secret"), "{}", run.text());
    }
}
