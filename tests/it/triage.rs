//! `bpctl triage`: the account broken in every way it can break, the cause found first.

use std::collections::BTreeMap;
use std::time::Duration;

use bpctl_sandbox::{Fault, FaultRule, FleetSeed, Options, Scenario, Service};
use serde_json::Value;

use crate::support::{Account, Run};

/// Codes of the root causes, in order.
fn roots(run: &Run) -> Vec<String> {
    codes(&run.json()["findings"])
}

fn codes(findings: &Value) -> Vec<String> {
    findings
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|finding| finding["code"].as_str().map(str::to_owned))
        .collect()
}

/// State by probe.
fn probes(run: &Run) -> BTreeMap<String, String> {
    run.json()["checked"]
        .as_array()
        .expect("a list of probes")
        .iter()
        .map(|probe| {
            let text = |member: &str| probe[member].as_str().unwrap_or_default().to_owned();
            (text("probe"), text("state"))
        })
        .collect()
}

async fn triage(account: &Account) -> Run {
    let run = account.run(&["triage", "--fail-on", "never", "-o", "json"]).await;
    assert_eq!(run.changes, [""; 0], "triage changes nothing");
    run
}

/// What triage must find first under each scenario; `None`: nothing at all.
fn expected(scenario: Scenario) -> Option<&'static str> {
    Some(match scenario {
        // Throttling lies between bpctl and the account: nothing is broken there.
        Scenario::Healthy | Scenario::Throttled | Scenario::ExpiredCredentials => return None,
        // What only shows when something is deployed.
        Scenario::WrongArchitecture | Scenario::SlowHealth => return None,
        // What only shows while instances are replaced: `fleet refresh` says why it does not advance.
        Scenario::RefreshNoCapacity | Scenario::RefreshStuck => return None,
        // What only shows when a stack is deployed or deleted.
        Scenario::StackCreateFails
        | Scenario::StackRollbackFailed
        | Scenario::CapacityProviderInUse
        | Scenario::BucketNotEmpty
        | Scenario::DbProtected => return None,
        // `stack drift` looks for it, which takes CloudFormation minutes.
        Scenario::Drifted => return None,
        // Instances start from a shared image: `ami promote` refuses it.
        Scenario::AmiForeign => return None,
        // Triage does not look into the models bucket; `bundle verify` does.
        Scenario::BundleCorrupt
        | Scenario::BundleMissingObject
        | Scenario::ApplyFails
        | Scenario::BuilderNeverReady => return None,
        Scenario::MigrationFails => "BP-MIG-001",
        Scenario::MigrationSlow => "BP-MIG-002",
        Scenario::PullError => "BP-ECS-008",
        Scenario::CrashLoop => "BP-ECS-012",
        Scenario::BreakerRollback => "BP-ECS-006",
        Scenario::SecretMissing => "BP-SEC-001",
        Scenario::OauthNoJson => "BP-SEC-005",
        Scenario::CapacityUnavailable => "BP-ECS-010",
        Scenario::Alb5xx => "BP-ALB-001",
        Scenario::Backend502 => "BP-ALB-004",
        Scenario::NoHealthyTargets | Scenario::ResumeConflict => "BP-ECS-002",
        Scenario::RdsCpu => "BP-RDS-001",
        Scenario::RdsStorageLow => "BP-RDS-002",
        Scenario::RdsRefused => "BP-RDS-004",
        Scenario::FleetSecretPlaceholder => "BP-SEC-003",
        Scenario::AmiMissing => "BP-FLT-005",
        Scenario::AmiWrongType => "BP-FLT-006",
        Scenario::MemoryExhausted => "BP-ECS-011",
        Scenario::ZoneDisabled => "BP-ALB-005",
        Scenario::RedisFull => "BP-RED-003",
        Scenario::FleetSecretStale => "BP-REG-001",
        Scenario::WorkerLimit => "BP-REG-002",
        Scenario::FleetUnknown => "BP-REG-003",
        Scenario::WorkersRegisteredTwice => "BP-REG-004",
        Scenario::FleetWithoutWorkflow => "BP-REG-005",
        Scenario::RegisterThrottled => "BP-REG-006",
        Scenario::BackendWithoutFleetSecret => "BP-REG-007",
        Scenario::WorkerAddressStale => "BP-FLT-023",
        Scenario::SchedulerStopped => "BP-FLT-021",
        Scenario::SecondPublisher => "BP-FLT-022",
        Scenario::PolicyWithoutAlarm => "BP-FLT-020",
        Scenario::MetricsSilent => "BP-FLT-001",
        Scenario::WrongDimensions => "BP-FLT-003",
        Scenario::ScaleToZeroUnsubscribed => "BP-FLT-019",
        Scenario::SpotDrought => "BP-FLT-007",
        Scenario::QueueSurge => "BP-FLT-014",
        Scenario::NatExhausted => "BP-NAT-001",
        Scenario::EcrTagMissing => "BP-IMG-001",
    })
}

/// Every scenario has one cause, and everything else that is seen belongs under it.
async fn every_scenario(account: fn(&[Scenario]) -> Account, except: &[Scenario]) {
    let mut wrong = Vec::new();
    for &scenario in Scenario::ALL {
        if scenario == Scenario::ExpiredCredentials || except.contains(&scenario) {
            continue;
        }
        let run = triage(&account(&[scenario])).await;
        assert_eq!(run.status.code(), 0, "{scenario}: {}", run.text());
        let wanted: Vec<String> = expected(scenario).into_iter().map(str::to_owned).collect();
        let found = roots(&run);
        if found != wanted {
            wrong.push(format!(
                "{scenario}: found {found:?}, not {wanted:?}\n{}",
                run.stdout
            ));
        }
        for (probe, state) in probes(&run) {
            assert!(state != "could-not-check", "{scenario}: {probe}");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(start_paused = true)]
async fn every_scenario_of_the_single_layout_has_its_cause_found() {
    every_scenario(Account::with, &[]).await;
}

#[tokio::test(start_paused = true)]
async fn every_scenario_of_the_staged_layout_has_its_cause_found() {
    // Its containers take nothing from the OAuth secret.
    every_scenario(Account::staged, &[Scenario::OauthNoJson]).await;
}

#[tokio::test(start_paused = true)]
async fn two_incidents_at_once_are_two_causes_the_worse_first() {
    for (scenarios, wanted) in [
        (
            [Scenario::SpotDrought, Scenario::RdsCpu],
            ["BP-RDS-001", "BP-FLT-007"],
        ),
        (
            [Scenario::MigrationFails, Scenario::QueueSurge],
            ["BP-MIG-001", "BP-FLT-014"],
        ),
        (
            [Scenario::RdsRefused, Scenario::AmiMissing],
            ["BP-RDS-004", "BP-FLT-005"],
        ),
        (
            [Scenario::Alb5xx, Scenario::NatExhausted],
            ["BP-ALB-001", "BP-NAT-001"],
        ),
    ] {
        let run = triage(&Account::with(&scenarios)).await;
        assert_eq!(roots(&run), wanted, "{}", run.text());
    }
}

#[tokio::test(start_paused = true)]
async fn a_migration_that_failed_for_want_of_its_image_is_a_symptom() {
    let run = triage(&Account::with(&[
        Scenario::MigrationFails,
        Scenario::EcrTagMissing,
    ]))
    .await;
    assert_eq!(roots(&run), ["BP-IMG-001"], "{}", run.text());
    assert!(run.stdout.contains("BP-MIG-001"), "{}", run.text());
}

#[tokio::test(start_paused = true)]
async fn an_incident_on_throttled_apis_is_still_seen_whole() {
    let run = triage(&Account::with(&[Scenario::Throttled, Scenario::RdsCpu])).await;
    assert_eq!(roots(&run), ["BP-RDS-001"], "{}", run.text());
    let unseen: Vec<_> = probes(&run)
        .into_iter()
        .filter(|(_, state)| state == "could-not-check")
        .collect();
    assert_eq!(unseen, []);
}

#[tokio::test(start_paused = true)]
async fn without_credentials_there_is_nothing_to_report() {
    let account = Account::with(&[Scenario::ExpiredCredentials]);
    for (format, hint) in [("table", "hint: "), ("json", "\"hints\":[{\"text\":")] {
        let run = account.run(&["triage", "-o", format]).await;
        assert_eq!(run.status.code(), 4, "{}", run.text());
        assert_eq!(run.stdout, "");
        assert!(run.stderr.contains("ExpiredToken"), "{}", run.text());
        assert!(run.stderr.contains(hint), "{}", run.text());
    }
}

#[tokio::test(start_paused = true)]
async fn the_account_guard_holds_although_nothing_is_changed() {
    let account = Account::with(&[]);
    let run = account.run(&["triage", "--account-id", "999988887777"]).await;
    assert_eq!(run.status.code(), 4, "{}", run.text());
    assert_eq!(run.stdout, "");
}

/// The fleets of a busy production account.
fn busy(fleets: usize) -> Account {
    let fleets = (0..fleets)
        .map(|n| FleetSeed::new("production", &format!("fleet-{n:03}"), 2, 1.0))
        .collect();
    Account::from_options(Options {
        fleets,
        ..Options::default()
    })
}

/// Delays every answer by a second of paused time and tells how many calls were made, and how many
/// of them had to wait for one another.
async fn cost(account: &Account) -> (usize, u64) {
    let second = Duration::from_secs(1);
    account
        .sandbox
        .with_world(|world| world.inject(FaultRule::everywhere(Fault::Delay(second))));
    let before = tokio::time::Instant::now();
    let run = triage(account).await;
    let trips = before.elapsed().as_secs();
    assert_eq!(roots(&run), [""; 0], "{}", run.text());
    (run.calls, trips)
}

#[tokio::test(start_paused = true)]
async fn calls_and_round_trips_stay_within_the_budget_up_to_200_fleets() {
    // The account guard's call is among them, and comes first, and one page of the backend's log. The budget is 66 calls, and up to
    // 30 fleets 4 round trips behind it.
    // Of up to ten fleets the deployed template is read.
    // Every fleet has three policies and four alarms that invoke them, beside the four that tell people.
    assert_eq!(cost(&busy(2)).await, (31, 4));
    assert_eq!(cost(&busy(20)).await, (40, 4));
    // DescribePolicies has a hundred on a page, one page after the other.
    assert_eq!(cost(&busy(200)).await, (66, 10));
}

#[tokio::test(start_paused = true)]
async fn incidents_cost_no_more_than_four_round_trips_behind_the_guard() {
    for scenario in [Scenario::Backend502, Scenario::CrashLoop, Scenario::AmiWrongType] {
        let account = Account::with(&[scenario]);
        let second = Duration::from_secs(1);
        account
            .sandbox
            .with_world(|world| world.inject(FaultRule::everywhere(Fault::Delay(second))));
        let before = tokio::time::Instant::now();
        let run = triage(&account).await;
        let took = before.elapsed();
        assert_eq!(
            codes(&run.json()["findings"]).first().map(String::as_str),
            expected(scenario)
        );
        assert!(run.calls <= 40, "{scenario}: {} calls", run.calls);
        assert!(took < Duration::from_secs(6), "{scenario}: {took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_denied_probe_says_so_and_hides_nothing_else() {
    let account = Account::with(&[Scenario::RdsCpu]);
    account.sandbox.with_world(|world| {
        world.inject(FaultRule::on(Service::SecretsManager, "ListSecrets", Fault::Deny));
    });
    let run = triage(&account).await;
    assert_eq!(roots(&run), ["BP-RDS-001", "BP-TRI-001"], "{}", run.text());
    let unseen: Vec<String> = probes(&run)
        .into_iter()
        .filter(|(_, state)| state == "could-not-check")
        .map(|(probe, _)| probe)
        .collect();
    assert_eq!(unseen, ["secrets"]);
    assert!(
        run.stdout.contains("secretsmanager:ListSecrets"),
        "{}",
        run.text()
    );
}

#[tokio::test(start_paused = true)]
async fn what_a_blind_probe_leaves_without_a_question_goes_under_it() {
    let account = Account::with(&[]);
    account.sandbox.with_world(|world| {
        world.inject(FaultRule::on(
            Service::AutoScaling,
            "DescribeAutoScalingGroups",
            Fault::Deny,
        ));
    });
    let run = triage(&account).await;
    assert_eq!(roots(&run), ["BP-TRI-001"], "{}", run.text());
    let document = run.json();
    let symptoms = codes(&document["findings"][0]["symptoms"]);
    assert!(symptoms.iter().all(|code| code == "BP-TRI-001"), "{symptoms:?}");
    let unseen = probes(&run)
        .into_iter()
        .filter(|(_, state)| state == "could-not-check")
        .count();
    assert_eq!(unseen, 7, "{}", run.text());
}

#[tokio::test(start_paused = true)]
async fn no_single_refusal_hides_the_incident_or_itself() {
    for (service, operation) in [
        (Service::Ecs, "DescribeServices"),
        (Service::Ecs, "ListServiceDeployments"),
        (Service::Ecs, "ListTasks"),
        (Service::Elb, "DescribeTargetHealth"),
        (Service::Ecr, "DescribeImages"),
        (Service::SecretsManager, "ListSecrets"),
        (Service::CloudFormation, "ListStacks"),
        (Service::CloudFormation, "DescribeStacks"),
        (Service::AutoScaling, "DescribeAutoScalingGroups"),
        (Service::AutoScaling, "DescribeScalingActivities"),
        (Service::Ssm, "DescribeParameters"),
        (Service::Ssm, "GetParameters"),
        (Service::Sns, "ListSubscriptionsByTopic"),
        (Service::Logs, "FilterLogEvents"),
    ] {
        let account = Account::with(&[Scenario::RdsStorageLow]);
        account
            .sandbox
            .with_world(|world| world.inject(FaultRule::on(service, operation, Fault::Deny)));
        let found = roots(&triage(&account).await);
        assert!(
            found.iter().any(|code| code == "BP-RDS-002"),
            "{operation}: {found:?}"
        );
        assert!(
            found.iter().any(|code| code == "BP-TRI-001"),
            "{operation}: {found:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_probe_is_given_up_and_the_rest_reported_in_time() {
    let account = Account::with(&[Scenario::EcrTagMissing]);
    account.sandbox.with_world(|world| {
        world.inject(FaultRule::on(
            Service::Rds,
            "DescribeDBInstances",
            Fault::Delay(Duration::from_secs(45)),
        ));
    });
    let before = tokio::time::Instant::now();
    let run = account
        .run(&["triage", "--timeout", "10s", "--fail-on", "never", "-o", "json"])
        .await;
    assert!(
        before.elapsed() < Duration::from_secs(11),
        "{:?}",
        before.elapsed()
    );
    let found = roots(&run);
    assert_eq!(
        found.first().map(String::as_str),
        Some("BP-IMG-001"),
        "{}",
        run.text()
    );
    assert_eq!(probes(&run)["rds-instance"], "could-not-check");
    assert_eq!(probes(&run)["ecs-services"], "ok");
    assert!(run.stdout.contains("no answer within 10s"), "{}", run.text());
}

#[tokio::test(start_paused = true)]
async fn the_status_follows_the_worst_finding() {
    // P1, P2 and P3 at worst, and nothing.
    for (scenario, statuses) in [
        (Scenario::RdsCpu, [1, 1, 1, 0]),
        (Scenario::MigrationFails, [0, 1, 1, 0]),
        (Scenario::QueueSurge, [0, 0, 1, 0]),
        (Scenario::Healthy, [0, 0, 0, 0]),
    ] {
        let account = Account::with(&[scenario]);
        for (limit, status) in ["P1", "p2", "P3", "never"].into_iter().zip(statuses) {
            let run = account.run(&["triage", "--fail-on", limit]).await;
            assert_eq!(run.status.code(), status, "{scenario} {limit}: {}", run.text());
        }
    }
    let run = Account::with(&[Scenario::RdsCpu]).run(&["triage"]).await;
    assert_eq!(run.status.code(), 1, "P1 is the default: {}", run.text());
}

#[tokio::test(start_paused = true)]
async fn one_fleet_is_looked_at_alone() {
    let account = Account::with(&[Scenario::AmiMissing]);
    let run = account
        .run(&["triage", "--fleet", "staging/gpu-default", "-o", "json"])
        .await;
    assert_eq!(roots(&run), [""; 0], "{}", run.text());
    let run = account
        .run(&["triage", "--fleet", "production/gpu-default", "-o", "name"])
        .await;
    assert!(run.stdout.starts_with("BP-FLT-005"), "{}", run.text());
}

#[tokio::test(start_paused = true)]
async fn fleets_that_cannot_be_meant_are_refused() {
    let account = Account::with(&[]);
    for args in [
        &["triage", "--fleet", "non sense"][..],
        &[
            "triage",
            "--stage",
            "staging",
            "--fleet",
            "production/gpu-default",
        ],
        &["triage", "--timeout", "soon"],
        &["triage", "--fail-on", "P4"],
    ] {
        let run = account.run(args).await;
        assert_eq!(run.status.code(), 2, "{}", run.text());
        assert_eq!(run.calls, 0, "{}", run.text());
    }
    let run = account.run(&["triage", "--fleet", "production/gone"]).await;
    assert_eq!(run.status.code(), 1, "{}", run.text());
    assert!(run.stderr.contains("bpctl fleet list"), "{}", run.text());
}

#[tokio::test(start_paused = true)]
async fn every_format_can_be_read() {
    let account = Account::with(&[Scenario::Backend502, Scenario::AmiMissing]);
    let run = async |format: &str| account.run(&["triage", "-o", format, "--fail-on", "never"]).await;
    let json = run("json").await.json();
    assert_eq!(json["schema"], "bpctl.triage/2");
    let yaml: Value = serde_norway::from_str(&run("yaml").await.stdout).expect("YAML");
    assert_eq!(codes(&yaml["findings"]), codes(&json["findings"]));
    let lines: Vec<Value> = run("jsonl")
        .await
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).expect("a JSON document per line"))
        .collect();
    assert_eq!(codes(&Value::Array(lines)), codes(&json["findings"]));
    let names = run("name").await.stdout;
    assert_eq!(names.lines().next(), Some("BP-ALB-004"));
    for format in ["table", "wide", "markdown"] {
        let text = run(format).await.stdout;
        assert!(
            text.contains("BP-ALB-004") && text.contains("BP-FLT-005"),
            "{format}: {text}"
        );
        assert!(!text.contains('\u{1b}'), "{format}: {text}");
    }
}

#[tokio::test(start_paused = true)]
async fn in_github_actions_the_job_summary_gets_the_report() {
    let account = Account::with(&[Scenario::RdsCpu]);
    let summary = account.home().join("summary.md");
    std::fs::write(&summary, "before\n").expect("a file");
    let run = async |file: &std::path::Path, actions: &str| {
        account
            .run_with(&["triage", "-o", "json", "--fail-on", "never"], |process| {
                let mut set = |name: &str, value: &str| {
                    process.env.insert(name.to_owned(), value.to_owned());
                };
                set("GITHUB_ACTIONS", actions);
                set("GITHUB_STEP_SUMMARY", &file.display().to_string());
            })
            .await
    };
    let read = || std::fs::read_to_string(&summary).expect("the summary");
    run(&summary, "false").await;
    assert_eq!(read(), "before\n");
    let first = run(&summary, "true").await;
    first.json();
    let text = read();
    assert!(
        text.starts_with("before\n") && text.contains("BP-RDS-001"),
        "{text}"
    );
    // A summary that cannot be written costs a warning, not the report.
    let lost = run(&account.home().join("missing/summary.md"), "true").await;
    assert_eq!(lost.status.code(), 0, "{}", lost.text());
    assert!(
        lost.stderr.contains("could not add the report"),
        "{}",
        lost.text()
    );
}

#[tokio::test(start_paused = true)]
async fn the_wrong_layout_is_one_finding_that_names_the_right_one() {
    let account = Account::with(&[]);
    let run = account
        .run(&["triage", "--layout", "staged", "--stage", "staging", "-o", "json"])
        .await;
    assert_eq!(run.status.code(), 2, "{}", run.text());
    assert_eq!(roots(&run), ["BP-TRI-002"], "{}", run.text());
    let evidence = run.json()["findings"][0]["evidence"].to_string();
    assert!(
        evidence.contains("no stack of layout `staged` here"),
        "{evidence}"
    );
    assert!(evidence.contains("layout `single` has `bp-"), "{evidence}");
    // A script that decides itself still gets the finding.
    let run = account
        .run(&[
            "triage",
            "--layout",
            "staged",
            "--stage",
            "staging",
            "--fail-on",
            "never",
        ])
        .await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
}

#[tokio::test(start_paused = true)]
async fn another_region_is_one_finding_and_no_wall() {
    let account = Account::with(&[Scenario::RdsCpu]);
    for args in [
        &["triage", "--region", "eu-west-1", "-o", "json"][..],
        &[
            "triage",
            "--region",
            "eu-west-1",
            "--layout",
            "staged",
            "--stage",
            "staging",
            "-o",
            "json",
        ],
    ] {
        let run = account.run(args).await;
        assert_eq!(run.status.code(), 2, "{}", run.text());
        assert_eq!(roots(&run), ["BP-TRI-002"], "{}", run.text());
        let finding = run.json()["findings"][0].clone();
        assert_eq!(finding["symptoms"], serde_json::json!([]), "{finding}");
        assert_eq!(finding["evidence"][1], "there is no stack at all in this region");
        assert_eq!(run.json()["region"], "eu-west-1");
    }
}

#[tokio::test(start_paused = true)]
async fn a_healthy_platform_passes_whatever_fails_the_run() {
    for account in [Account::with(&[]), Account::staged(&[])] {
        for severity in ["P1", "P2", "P3"] {
            let run = account.run(&["triage", "--fail-on", severity]).await;
            assert_eq!(run.status.code(), 0, "{severity}: {}", run.text());
        }
    }
}
