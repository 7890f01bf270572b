//! `bpctl domain`: a certificate for the platform's name, from the request to the load balancer.

use std::time::Duration;

use bpctl_sandbox::{Fault, FaultRule, Scenario, Service};
use serde_json::{Value, json};

use crate::assemblies::lay_files;
use crate::support::{Account, Run};

const HOST: &str = "app.example.com";
const REQUEST: &str = "Acm:RequestCertificate";

fn certificates(account: &Account) -> Vec<Value> {
    let listed = account
        .sandbox
        .with_world(|world| world.call(Service::Acm, "ListCertificates", &json!({})));
    let listed = listed.expect("a list");
    listed["CertificateSummaryList"]
        .as_array()
        .expect("a list")
        .clone()
}

/// The records are in DNS, and ACM has had the time to look.
fn validated(account: &Account, domain: &str) {
    account.sandbox.with_world(|world| world.validate_domain(domain));
    account.sandbox.advance(Duration::from_secs(600));
}

async fn request(account: &Account, words: &[&str]) -> Run {
    let line = ["domain", "request", HOST, "--yes", "-o", "json"];
    account.run(&[&line, words].concat()).await
}

/// The ARN of a certificate for `names` that was requested by somebody, issued or not.
fn certificate(account: &Account, names: &[&str], issued: bool) -> String {
    let input = json!({
        "DomainName": names[0], "SubjectAlternativeNames": names, "ValidationMethod": "DNS",
    });
    let made = account
        .sandbox
        .with_world(|world| world.call(Service::Acm, "RequestCertificate", &input));
    if issued {
        validated(account, "example.com");
    }
    made.expect("a certificate")["CertificateArn"]
        .as_str()
        .expect("an ARN")
        .to_owned()
}

#[tokio::test(start_paused = true)]
async fn a_certificate_is_requested_once_and_its_record_is_told() {
    let account = Account::with(&[]);
    let run = request(&account, &["--no-wait"]).await;
    assert_eq!(
        (run.status.code(), &run.changes[..]),
        (0, &[REQUEST.to_owned()][..]),
        "{}",
        run.text()
    );
    let certificate = &run.json()["certificate"];
    assert_eq!(
        (&certificate["status"], &certificate["names"]),
        (&json!("PENDING_VALIDATION"), &json!([HOST]))
    );
    let record = &certificate["records"][0];
    assert_eq!(record["type"], "CNAME");
    assert!(
        record["name"].as_str().unwrap().ends_with(".app.example.com."),
        "{record}"
    );
    assert!(
        record["value"]
            .as_str()
            .unwrap()
            .ends_with(".acm-validations.aws."),
        "{record}"
    );
    let again = request(&account, &["--no-wait"]).await;
    assert_eq!(
        (again.status.code(), again.changes.len()),
        (0, 0),
        "{}",
        again.text()
    );
    assert_eq!(again.json()["certificate"]["arn"], certificate["arn"]);
    assert_eq!(certificates(&account).len(), 1);
    let shown = account.run(&["domain", "status", HOST]).await;
    assert_eq!(shown.status.code(), 0, "{}", shown.text());
    for words in ["PENDING_VALIDATION", "RECORD TO CREATE", ".acm-validations.aws."] {
        assert!(shown.stdout.contains(words), "{words}: {}", shown.text());
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_ends_when_it_is_issued_and_with_six_when_it_is_not() {
    let account = Account::with(&[]);
    let run = request(&account, &["--timeout", "10m"]).await;
    assert_eq!((run.status.code(), run.changes.len()), (6, 1), "{}", run.text());
    assert!(run.stderr.contains("bpctl domain"), "{}", run.text());
    assert!(run.stderr.contains("Create the record _"), "{}", run.text());
    account
        .sandbox
        .with_world(|world| world.validate_domain("example.com"));
    let run = request(&account, &[]).await;
    assert_eq!((run.status.code(), run.changes.len()), (0, 0), "{}", run.text());
    assert_eq!(run.json()["certificate"]["status"], "ISSUED", "{}", run.text());
    assert_eq!(run.json()["certificate"]["days_left"], 197);
}

/// One for all names below stands for the name, and not for those below it.
#[tokio::test(start_paused = true)]
async fn a_certificate_that_stands_for_the_name_already_is_taken() {
    let account = Account::with(&[]);
    let wildcard = certificate(&account, &["*.example.com"], true);
    let run = request(&account, &["--no-wait"]).await;
    assert_eq!((run.status.code(), run.changes.len()), (0, 0), "{}", run.text());
    assert_eq!(run.json()["certificate"]["arn"], wildcard.as_str());
    let run = account
        .run(&["domain", "request", "a.app.example.com", "--no-wait", "--yes"])
        .await;
    assert_eq!((run.status.code(), run.changes.len()), (0, 1), "{}", run.text());
}

#[tokio::test(start_paused = true)]
async fn what_is_no_host_name_is_refused_before_anything_is_asked() {
    let account = Account::with(&[]);
    let long = format!("{}.com", ["a".repeat(60).as_str(); 5].join("."));
    for host in [
        "https://app.example.com",
        "app.example.com/up",
        "app.example.com.",
        "bücher.example",
        "app",
        &long,
    ] {
        for verb in ["request", "status", "check"] {
            let run = account.run(&["domain", verb, host]).await;
            assert_eq!((run.status.code(), run.calls), (2, 0), "{host}\n{}", run.text());
        }
    }
}

/// CloudFormation would find out on the way, and roll back.
#[tokio::test(start_paused = true)]
async fn a_deployment_takes_only_a_certificate_that_is_issued_for_the_name() {
    let account = Account::with(&[]);
    lay_files(&account.sandbox, account.home());
    let pending = certificate(&account, &[HOST], false);
    let deploy = async |arn: &str| {
        let arn = format!("certificateArn={arn}");
        let line = [
            "stack",
            "deploy",
            "monitoring",
            "--assembly",
            "cdk.out",
            "--yes",
            "-c",
            "domainName=app.example.com",
            "-c",
            &arn,
        ];
        account.run(&line).await
    };
    let run = deploy(&pending).await;
    assert_eq!((run.status.code(), run.changes.len()), (1, 0), "{}", run.text());
    assert!(
        run.stderr.contains("is PENDING_VALIDATION, not ISSUED"),
        "{}",
        run.text()
    );
    assert!(
        run.stderr.contains("bpctl domain status app.example.com"),
        "{}",
        run.text()
    );
    let other = certificate(&account, &["example.com", "*.other.example.com"], true);
    let run = deploy(&other).await;
    assert_eq!((run.status.code(), run.changes.len()), (2, 0), "{}", run.text());
    assert!(
        run.stderr.contains("stands for example.com, *.other.example.com"),
        "{}",
        run.text()
    );
    let none = "arn:aws:acm:us-east-1:123456789012:certificate/00000000-0000-0000-0000-000000000000";
    let run = deploy(none).await;
    assert_eq!((run.status.code(), run.changes.len()), (1, 0), "{}", run.text());
    // By now the first one is issued, too.
    let run = deploy(&pending).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    let deny = FaultRule::on(Service::Acm, "DescribeCertificate", Fault::Deny);
    account.sandbox.with_world(|world| world.inject(deny));
    let run = deploy(&other).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert!(run.text().contains("could not be looked at"), "{}", run.text());
}

/// A public hosted zone of this name; answers its id.
fn zone(account: &Account, name: &str, reference: &str) -> String {
    let input = json!({ "Name": name, "CallerReference": reference });
    let made = account
        .sandbox
        .with_world(|world| world.call(Service::Route53, "CreateHostedZone", &input));
    made.expect("a zone")["HostedZone"]["Id"]
        .as_str()
        .expect("an id")
        .to_owned()
}

fn records(account: &Account, zone: &str, kind: &str) -> Vec<Value> {
    let input = json!({ "HostedZoneId": zone });
    let listed = account
        .sandbox
        .with_world(|world| world.call(Service::Route53, "ListResourceRecordSets", &input));
    let records = listed.expect("a list")["ResourceRecordSets"].clone();
    let records = records.as_array().expect("a list").iter();
    records.filter(|record| record["Type"] == kind).cloned().collect()
}

const PROVE: &str = "Route53:ChangeResourceRecordSets";

#[tokio::test(start_paused = true)]
async fn where_the_name_is_in_a_zone_of_the_account_its_record_is_created() {
    let account = Account::with(&[]);
    let parent = zone(&account, "example.com", "parent");
    let closest = zone(&account, HOST, "closest");
    let run = request(&account, &["--timeout", "30m"]).await;
    let both = [REQUEST, PROVE].map(str::to_owned);
    assert_eq!(
        (run.status.code(), &run.changes[..]),
        (0, &both[..]),
        "{}",
        run.text()
    );
    assert_eq!(run.json()["certificate"]["status"], "ISSUED");
    assert!(!run.stderr.contains("Create the record"), "{}", run.text());
    assert_eq!(records(&account, &parent, "CNAME").len(), 0);
    let made = records(&account, &closest, "CNAME");
    let told = &run.json()["certificate"]["records"][0];
    assert_eq!((made.len(), &made[0]["Name"]), (1, &told["name"]), "{made:?}");
    assert_eq!(made[0]["ResourceRecords"][0]["Value"], told["value"]);
}

#[tokio::test(start_paused = true)]
async fn a_pending_certificate_gets_the_record_that_it_lacks_and_nothing_else() {
    let account = Account::with(&[]);
    certificate(&account, &[HOST], false);
    account.sandbox.advance(Duration::from_secs(30));
    let zone = zone(&account, "example.com", "one");
    let by_hand = request(&account, &["--no-record", "--no-wait"]).await;
    assert_eq!(
        (by_hand.status.code(), by_hand.changes.len()),
        (0, 0),
        "{}",
        by_hand.text()
    );
    let run = request(&account, &["--no-wait"]).await;
    assert_eq!(
        (run.status.code(), &run.changes[..]),
        (0, &[PROVE.to_owned()][..]),
        "{}",
        run.text()
    );
    assert_eq!(records(&account, &zone, "CNAME").len(), 1);
    let again = request(&account, &[]).await;
    assert_eq!(
        (again.status.code(), again.changes.len()),
        (0, 0),
        "{}",
        again.text()
    );
}

#[tokio::test(start_paused = true)]
async fn several_zones_of_one_name_and_zones_that_cannot_be_read_leave_the_record_to_the_operator() {
    let account = Account::with(&[]);
    zone(&account, "example.com", "one");
    zone(&account, "example.com", "two");
    let run = request(&account, &["--no-wait"]).await;
    assert_eq!(
        (run.status.code(), &run.changes[..]),
        (0, &[REQUEST.to_owned()][..]),
        "{}",
        run.text()
    );
    assert!(
        run.stderr.contains("several hosted zones have the name"),
        "{}",
        run.text()
    );
    let account = Account::with(&[]);
    let deny = FaultRule::on(Service::Route53, "ListHostedZonesByName", Fault::Deny);
    account.sandbox.with_world(|world| world.inject(deny));
    let run = request(&account, &["--no-wait"]).await;
    assert_eq!(
        (run.status.code(), &run.changes[..]),
        (0, &[REQUEST.to_owned()][..]),
        "{}",
        run.text()
    );
    assert!(run.stderr.contains("could not be looked at"), "{}", run.text());
}

/// The state of each check.
fn states(run: &Run) -> Vec<(String, String)> {
    let of = |check: &Value| {
        let text = |name: &str| check[name].as_str().expect("text").to_owned();
        (text("check"), text("state"))
    };
    run.json()["checks"]
        .as_array()
        .expect("checks")
        .iter()
        .map(of)
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_name_is_right_when_certificate_listener_dns_and_redirect_are() {
    let account = Account::with(&[Scenario::WorkerAddressStale]);
    let zone = zone(&account, "example.com", "one");
    let check = async || account.run(&["domain", "check", "-o", "json"]).await;
    let run = check().await;
    assert_eq!(run.status.code(), 9, "{}", run.text());
    let balancer = run.json()["load_balancer"].as_str().expect("a name").to_owned();
    let point = |to: &str| {
        let input = json!({ "HostedZoneId": zone, "ChangeBatch": { "Changes": [{ "Action": "UPSERT", "ResourceRecordSet": {
            "Name": HOST, "Type": "A", "AliasTarget": {
                "HostedZoneId": "Z35SXDOTRQ7X7K", "DNSName": to, "EvaluateTargetHealth": false,
            },
        } }] } });
        let done = account
            .sandbox
            .with_world(|world| world.call(Service::Route53, "ChangeResourceRecordSets", &input));
        done.expect("a change");
        account.sandbox.advance(Duration::from_secs(60));
    };
    point(&format!("dualstack.{balancer}."));
    let run = check().await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    let all = ["certificate", "listener", "dns", "redirect", "https"];
    let expected: Vec<_> = all
        .iter()
        .map(|check| ((*check).to_owned(), "ok".to_owned()))
        .collect();
    assert_eq!(states(&run), expected);
    point("other-1.us-east-1.elb.amazonaws.com.");
    let run = check().await;
    assert_eq!(run.status.code(), 9, "{}", run.text());
    assert_eq!(
        states(&run)[2],
        ("dns".to_owned(), "wrong".to_owned()),
        "{}",
        run.text()
    );
    assert!(
        run.text().contains("leads it to other-1.us-east-1"),
        "{}",
        run.text()
    );
}

/// A platform with HTTP alone, and a name without anything.
#[tokio::test(start_paused = true)]
async fn a_name_that_nothing_was_done_for_is_told_so() {
    let account = Account::with(&[]);
    let run = account.run(&["domain", "check"]).await;
    assert_eq!(run.status.code(), 1, "{}", run.text());
    assert!(
        run.stderr.contains("it was deployed without one"),
        "{}",
        run.text()
    );
    assert!(run.stderr.contains("bpctl domain request"), "{}", run.text());
    let run = account.run(&["domain", "check", HOST, "-o", "json"]).await;
    assert_eq!(run.status.code(), 9, "{}", run.text());
    let states = states(&run);
    let wrong = |check: &str| states.contains(&(check.to_owned(), "wrong".to_owned()));
    assert!(wrong("certificate") && wrong("listener"), "{states:?}");
    // No zone of the account, and no resolver: that is not known, and not good.
    assert!(
        states.contains(&("dns".to_owned(), "unknown".to_owned())),
        "{states:?}"
    );
}
