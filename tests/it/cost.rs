//! `bpctl cost`: what it counts, what it says is unknown, what a shutdown saves, what is wasted, and what fleets will cost.

use bpctl::ExitStatus;
use bpctl_sandbox::{Fault, FaultRule, Options, Service};
use serde_json::{Value, json};

use crate::support::{Account, Run, kept_by_hand};
use crate::torn_down::{ask, leave_behind};

/// The costs as a document; nothing is changed.
async fn costs(account: &Account, further: &[&str]) -> Value {
    let run = account.run(&[&["cost", "-o", "json"], further].concat()).await;
    assert_eq!(run.status, ExitStatus::Done, "{}", run.text());
    assert!(run.changes.is_empty(), "{:?}", run.changes);
    let document = run.json();
    assert_eq!(document["schema"], "bpctl.cost/1");
    document
}

fn row<'a>(costs: &'a Value, name: &str) -> &'a Value {
    let rows = costs["rows"].as_array().expect("rows");
    let found = rows.iter().find(|row| row["name"] == name);
    found.unwrap_or_else(|| panic!("{name}: {costs:#}"))
}

/// What was shown, without its line breaks.
fn flat(run: &Run) -> String {
    run.stdout.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn month(amount: &Value) -> f64 {
    let month = amount["dollars"]["per_month"].as_f64();
    month.unwrap_or_else(|| panic!("no amount: {amount:#}"))
}

#[tokio::test(start_paused = true)]
async fn each_part_has_its_list_price_and_the_total_is_their_sum() {
    let account = Account::with(&[]);
    kept_by_hand(&account.sandbox, &["asg-production-gpu-default".to_owned()], 2);
    let costs = costs(&account, &[]).await;
    // One node of cache.t4g.small; a gateway with its address; a load balancer with two; db.t4g.medium in two zones.
    for (part, dollars) in [
        ("cache", 23.36),
        ("NAT gateway", 36.5),
        ("load balancer", 23.73),
        ("database", 98.77),
    ] {
        assert_eq!(month(row(&costs, part)), dollars, "{part}: {costs:#}");
        assert_eq!(row(&costs, part)["bound"], "exact");
    }
    // A backend task on demand, which costs what the list says, and others on Fargate Spot, which cost at most that.
    assert!(month(row(&costs, "tasks")) >= 28.8, "{costs:#}");
    assert_eq!(row(&costs, "tasks")["bound"], "at-most");
    // Two Spot Instances at about a third of $0.526 an hour, with 100 GB each.
    let fleet = month(row(&costs, "fleet production/gpu-default"));
    assert!(
        (0.3..0.45).contains(&((fleet - 16.0) / (2.0 * 730.0 * 0.526))),
        "{fleet}"
    );
    let sum: f64 = costs["rows"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|row| row["dollars"]["per_month"].as_f64())
        .sum();
    let total = costs["total"]["per_month"].as_f64().unwrap();
    assert!((sum - total).abs() < 0.1, "{sum} {total}");
    let hour = costs["total"]["per_hour"].as_f64().unwrap();
    assert!((hour * 730.0 - total).abs() < 0.1, "{hour} {total}");
    assert_eq!(
        (&costs["prices"]["source"], &costs["prices"]["region"]),
        (&json!("list"), &json!("us-east-1"))
    );
}

/// An account in which some prices are other than those of the list.
fn with_prices(prices: &[(&str, Option<&str>)]) -> Account {
    let prices = prices
        .iter()
        .map(|(usage, price)| ((*usage).to_owned(), price.map(str::to_owned)));
    Account::from_options(Options {
        prices: prices.collect(),
        ..Options::default()
    })
}

fn price<'a>(costs: &'a Value, product: &str) -> &'a Value {
    let used = costs["prices"]["used"].as_array().expect("prices");
    let found = used.iter().find(|price| price["product"] == product);
    found.unwrap_or_else(|| panic!("{product}: {:#}", costs["prices"]))
}

#[tokio::test(start_paused = true)]
async fn the_price_list_of_now_goes_before_what_bpctl_brings_along() {
    let account = with_prices(&[
        ("NatGateway-Hours", Some("0.0900000000")),
        ("Multi-AZUsage:db.t4g.medium", Some("0.2000000000")),
    ]);
    let costs = costs(&account, &[]).await;
    assert_eq!(month(row(&costs, "NAT gateway")), 69.35);
    assert_eq!(month(row(&costs, "database")), 150.6);
    let gateway = price(&costs, "NAT gateway");
    assert_eq!(
        (&gateway["dollars"], &gateway["source"], &gateway["date"]),
        (&json!(0.09), &json!("list"), &json!("2026-09-11"))
    );
    let wide = account.run(&["cost", "-o", "wide"]).await;
    let line = wide
        .stdout
        .lines()
        .find(|line| line.starts_with("NAT gateway ") && line.contains(" list "))
        .unwrap_or_else(|| panic!("{}", wide.stdout));
    assert!(line.contains("0.09") && line.contains("2026-09-11"), "{line}");
    assert!(
        flat(&wide).contains("AWS' price list of us-east-1 of 2026-09-11"),
        "{}",
        wide.stdout
    );
    // Not asked for, the list says nothing.
    let before = account.sandbox.with_world(|world| world.call_count());
    let table = self::costs(&account, &["--prices", "table"]).await;
    assert_eq!(month(row(&table, "NAT gateway")), 36.5);
    assert_eq!(table["prices"]["source"], "table");
    assert_eq!(table["prices"]["list_unread"], Value::Null);
    account.sandbox.with_world(|world| {
        let calls = world
            .calls()
            .iter()
            .rev()
            .take((world.call_count() - before) as usize);
        let asked = calls.filter(|call| call.service == Service::Pricing).count();
        assert_eq!(asked, 0);
    });
}

#[tokio::test(start_paused = true)]
async fn what_the_price_list_does_not_have_is_unknown_and_not_the_tables() {
    let account = with_prices(&[("NatGateway-Hours", None), ("NodeUsage:cache.t4g.small", None)]);
    let costs = costs(&account, &[]).await;
    for part in ["NAT gateway", "cache"] {
        assert_eq!(row(&costs, part)["dollars"], Value::Null, "{part}: {costs:#}");
    }
    assert_eq!(price(&costs, "NAT gateway")["dollars"], Value::Null);
    let run = account.run(&["cost"]).await;
    assert!(
        flat(&run).contains("not exactly one price of") && flat(&run).contains("NAT gateway"),
        "{}",
        run.stdout
    );
    let strange = with_prices(&[("NatGateway-Hours", Some("0.0000000000"))]);
    let strange = self::costs(&strange, &[]).await;
    assert_eq!(row(&strange, "NAT gateway")["dollars"], Value::Null);
}

#[tokio::test(start_paused = true)]
async fn a_refused_price_list_is_told_and_the_table_is_counted_with() {
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["*"], "Resource": ["*"]},
        {"Effect": "Deny", "Action": ["pricing:*"], "Resource": ["*"]},
    ]});
    let account = Account::from_options(Options {
        role: "narrow".to_owned(),
        roles: [("narrow".to_owned(), policy.to_string())].into(),
        prices: [("NatGateway-Hours".to_owned(), Some("0.9".to_owned()))].into(),
        ..Options::default()
    });
    let costs = costs(&account, &[]).await;
    assert_eq!(costs["prices"]["source"], "table");
    let unread = costs["prices"]["list_unread"].as_str().expect("a reason");
    assert!(unread.contains("pricing:GetProducts"), "{unread}");
    assert_eq!(month(row(&costs, "NAT gateway")), 36.5);
    assert_eq!(price(&costs, "NAT gateway")["source"], "table");
    // One refusal is enough to know.
    let asked = account.sandbox.with_world(|world| {
        let calls = world.calls().iter();
        calls.filter(|call| call.service == Service::Pricing).count()
    });
    assert_eq!(asked, 1);
    let run = account.run(&["cost"]).await;
    assert!(
        flat(&run).contains("price list could not be read") && flat(&run).contains("pricing:GetProducts"),
        "{}",
        run.stdout
    );
    let only = account.run(&["cost", "--prices", "list"]).await;
    assert_eq!(only.status, ExitStatus::Denied, "{}", only.text());
}

#[tokio::test(start_paused = true)]
async fn a_price_list_that_fails_on_the_way_leaves_the_rest_to_the_table() {
    let account = Account::with(&[]);
    account.sandbox.with_world(|world| {
        world.inject(FaultRule::on(Service::Pricing, "GetProducts", Fault::Fail).after(5));
    });
    let costs = costs(&account, &[]).await;
    assert_eq!(costs["prices"]["source"], "both", "{:#}", costs["prices"]);
    assert!(costs["prices"]["list_unread"].is_string());
    for used in costs["prices"]["used"].as_array().unwrap() {
        assert!(used["dollars"].is_number(), "{used}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_price_list_is_asked_once_for_each_family_however_many_things_there_are() {
    let asked = async |fleets: usize| {
        let account = Account::with_fleets(fleets);
        let before = account.sandbox.with_world(|world| world.call_count());
        costs(&account, &[]).await;
        account.sandbox.with_world(|world| {
            let calls = world
                .calls()
                .iter()
                .rev()
                .take((world.call_count() - before) as usize);
            calls.filter(|call| call.service == Service::Pricing).count()
        })
    };
    let (few, many) = (asked(1).await, asked(8).await);
    assert_eq!(few, many);
    assert!((15..=24).contains(&few), "{few}");
}

fn alarms_of<'a>(costs: &'a Value, name: &str) -> &'a Value {
    let things = costs["things"].as_array().expect("things").iter();
    let mut alarms = things.filter(|thing| thing["part"] == "alarms");
    let found = alarms.find(|thing| thing["name"] == name);
    found.unwrap_or_else(|| panic!("{name}: {costs:#}"))
}

#[tokio::test(start_paused = true)]
async fn the_alarms_of_a_fleet_are_also_those_of_its_policies() {
    let account = Account::with(&[]);
    let costs = costs(&account, &[]).await;
    // Four of the stack's own, two of the step policies, two that Auto Scaling makes for the one that tracks.
    let fleet = alarms_of(&costs, "production/gpu-default");
    assert_eq!(
        (&fleet["about"], month(fleet), &fleet["bound"]),
        (&json!("8 alarms"), 0.8, &json!("exact"))
    );
    // Nothing here says which alarms scale the services.
    assert_eq!(row(&costs, "alarms")["bound"], "at-least");
    // As many in all as there are.
    let most = json!({"MaxRecords": 100});
    let there = ask(&account.sandbox, Service::CloudWatch, "DescribeAlarms", &most);
    let there = there["MetricAlarms"].as_array().unwrap().len();
    let dollars = month(row(&costs, "alarms"));
    assert_eq!((dollars * 10.0).round() as usize, there, "{costs:#}");
}

#[tokio::test(start_paused = true)]
async fn without_the_policies_a_fleet_has_at_least_its_own_alarms() {
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["*"], "Resource": ["*"]},
        {"Effect": "Deny", "Action": ["autoscaling:DescribePolicies"], "Resource": ["*"]},
    ]});
    let account = Account::from_options(Options {
        role: "narrow".to_owned(),
        roles: [("narrow".to_owned(), policy.to_string())].into(),
        ..Options::default()
    });
    let costs = costs(&account, &[]).await;
    let fleet = alarms_of(&costs, "production/gpu-default");
    assert_eq!(
        (month(fleet), &fleet["bound"]),
        (0.4, &json!("at-least")),
        "{fleet:#}"
    );
    let about = fleet["about"].as_str().unwrap();
    assert!(about.contains("autoscaling:DescribePolicies"), "{about}");
}

#[tokio::test(start_paused = true)]
async fn what_is_billed_by_use_is_measured_and_says_since_when() {
    let account = Account::with(&[]);
    account.clock().sleep(std::time::Duration::from_secs(1_800)).await;
    let costs = costs(&account, &[]).await;
    for part in ["log ingestion", "NAT data", "load balancer use"] {
        let row = row(&costs, part);
        assert!(month(row) > 0.0, "{part}: {row:#}");
        assert_ne!(row["bound"], "exact", "{part}");
    }
    let things = costs["things"].as_array().unwrap();
    let gateway = things
        .iter()
        .find(|thing| thing["part"] == "nat-data")
        .expect("data");
    let measured = &gateway["measured"];
    assert_eq!(measured["unit"], "GB");
    let (amount, all) = (&measured["amount"], &measured["per_month"]);
    assert!(
        amount.as_f64().unwrap() > 0.0 && all.as_f64() > amount.as_f64(),
        "{gateway:#}"
    );
    let dollars = gateway["dollars"]["per_month"].as_f64().unwrap();
    assert!(
        (dollars - all.as_f64().unwrap() * 0.045).abs() < 0.01,
        "{gateway:#}"
    );
    let about = gateway["about"].as_str().unwrap();
    assert!(
        about.contains(" in the last ") && about.ends_with(" a month"),
        "{about}"
    );
    // No bucket reports its requests.
    let requests = row(&costs, "bucket requests");
    assert_eq!(requests["dollars"], Value::Null);
    assert_eq!(requests["unknown"], json!(["bucket requests"]));
    // The seeded data stack has a domain of CloudFront, and no distribution whose metrics could be read.
    let delivery = row(&costs, "CloudFront");
    assert_eq!(delivery["dollars"], Value::Null);
}

#[tokio::test(start_paused = true)]
async fn metrics_that_may_not_be_read_leave_use_unknown() {
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["*"], "Resource": ["*"]},
        {"Effect": "Deny", "Action": ["cloudwatch:GetMetricData", "cloudformation:ListStackResources"], "Resource": ["*"]},
    ]});
    let account = Account::from_options(Options {
        role: "narrow".to_owned(),
        roles: [("narrow".to_owned(), policy.to_string())].into(),
        ..Options::default()
    });
    let costs = costs(&account, &[]).await;
    for (part, action) in [
        ("NAT data", "cloudwatch:GetMetricData"),
        ("CloudFront", "cloudformation:ListStackResources"),
    ] {
        let row = row(&costs, part);
        assert_eq!(row["dollars"], Value::Null);
        assert!(row["about"].as_str().unwrap().contains(action), "{row:#}");
    }
}

#[tokio::test(start_paused = true)]
async fn old_images_are_waste_and_those_that_image_gc_would_delete() {
    let account = Account::prepared(Options::default(), |sandbox| {
        for age in 0..12 {
            let tag = format!("php-abcde{age:02}");
            let ago = std::time::Duration::from_secs((40 + age) * 24 * 3_600);
            sandbox.with_world(|world| world.push_image("bp-backend", &[&tag], true, ago));
        }
    });
    let costs = costs(&account, &[]).await;
    let waste = costs["waste"].as_array().unwrap();
    let images: Vec<&Value> = waste
        .iter()
        .filter(|one| one["kind"] == "container-images")
        .collect();
    assert_eq!(images.len(), 1, "{waste:#?}");
    assert_eq!(images[0]["name"], "bp-backend");
    assert!(
        images[0]["dollars_per_month"].as_f64().unwrap() > 0.0,
        "{}",
        images[0]
    );
    let command = images[0]["command"].as_str().unwrap();
    assert!(command.contains("bpctl image gc"), "{command}");
    let gc = account.run(&["image", "gc", "--dry-run"]).await.text();
    let count = images[0]["why"].as_str().unwrap().split(' ').next().unwrap();
    assert!(
        gc.contains(&format!("delete {count} images")),
        "{gc} {}",
        images[0]
    );
    let few = Account::with(&[]);
    let few = self::costs(&few, &[]).await;
    assert!(!few["waste"].to_string().contains("container-images"), "{few:#}");
}

#[tokio::test(start_paused = true)]
async fn what_no_metric_tells_is_unknown_and_never_nothing() {
    let account = Account::with(&[]);
    let costs = costs(&account, &[]).await;
    assert_eq!(row(&costs, "other use")["dollars"], Value::Null);
    let unknown = costs["total"]["unknown"].as_array().unwrap();
    assert!(unknown.contains(&json!("other use")), "{unknown:?}");
    assert_ne!(costs["total"]["bound"], "exact");
    let run = account.run(&["cost"]).await;
    let line = run
        .stdout
        .lines()
        .find(|line| line.starts_with("other use "))
        .expect("a line");
    assert!(line.contains(" ? ") && !line.contains("0.00"), "{line}");
    assert!(run.stdout.contains("TOTAL"), "{}", run.stdout);
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_looked_at_is_unknown_and_the_rest_is_told() {
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["*"], "Resource": ["*"]},
        {"Effect": "Deny", "Action": ["elasticache:*", "ec2:DescribeVolumes", "ec2:DescribeSpotPriceHistory"], "Resource": ["*"]},
    ]});
    let account = Account::from_options(Options {
        role: "narrow".to_owned(),
        roles: [("narrow".to_owned(), policy.to_string())].into(),
        ..Options::default()
    });
    kept_by_hand(&account.sandbox, &["asg-production-gpu-default".to_owned()], 1);
    let costs = costs(&account, &[]).await;
    let cache = row(&costs, "cache");
    assert_eq!(cache["dollars"], Value::Null);
    assert!(
        cache["about"]
            .as_str()
            .unwrap()
            .contains("elasticache:DescribeCacheClusters"),
        "{cache:#}"
    );
    // Without Spot prices the list price is the most that it can be; without its volumes the fleet is at least that.
    let fleet = row(&costs, "fleet production/gpu-default");
    assert_eq!(
        (month(fleet), fleet["bound"].as_str()),
        (383.98, Some("about")),
        "{fleet:#}"
    );
    assert_eq!(fleet["unknown"], json!(["volumes"]));
    let gaps = costs["gaps"].to_string();
    assert!(
        gaps.contains("ec2:DescribeVolumes") && gaps.contains("ec2:DescribeSpotPriceHistory"),
        "{gaps}"
    );
    assert_eq!(month(row(&costs, "NAT gateway")), 36.5);
}

#[tokio::test(start_paused = true)]
async fn a_platform_that_sleeps_saves_nothing_and_its_gateway_is_waste() {
    let account = Account::with(&[]);
    let before = costs(&account, &[]).await;
    let saves = month(&before["shutdown"]["saves"]);
    assert!(saves > 28.0, "{before:#}");
    assert_eq!(before["shutdown"]["saves_with_rds_stop"]["per_month"], 94.17);
    assert!(!before["waste"].to_string().contains("nat-gateway"));
    let down = account.run(&["shutdown", "--yes", "--confirm", "sandbox"]).await;
    assert_eq!(down.status, ExitStatus::Done, "{}", down.text());
    let after = costs(&account, &[]).await;
    assert_eq!(month(&after["shutdown"]["saves"]), 0.0, "{after:#}");
    let waste = after["waste"].as_array().unwrap();
    let gateway = waste
        .iter()
        .find(|one| one["kind"] == "nat-gateway")
        .expect("a gateway");
    assert_eq!(gateway["dollars_per_month"], 36.5);
    assert!(
        gateway["command"]
            .as_str()
            .unwrap()
            .contains("bpctl teardown --dry-run"),
        "{gateway}"
    );
    // What is measured goes on from what it was before.
    let running = |costs: &Value| -> f64 {
        let things = costs["things"].as_array().expect("things").iter();
        let things = things.filter(|thing| thing["measured"].is_null());
        things
            .filter_map(|thing| thing["dollars"]["per_month"].as_f64())
            .sum()
    };
    let less = running(&before) - running(&after);
    assert!((less - saves).abs() < 0.5, "{less} {saves}");
    let run = account.run(&["cost"]).await;
    assert!(
        run.stdout.contains("`bpctl shutdown` saves nothing"),
        "{}",
        run.text()
    );
}

#[tokio::test(start_paused = true)]
async fn waste_comes_with_why_and_the_command_that_ends_it() {
    let account = Account::prepared(Options::default(), |sandbox| {
        leave_behind(sandbox);
        let group = json!({"logGroupName": "/gpu-workers/for-ever"});
        ask(sandbox, Service::Logs, "CreateLogGroup", &group);
    });
    let costs = costs(&account, &[]).await;
    let waste = costs["waste"].as_array().unwrap();
    let of = |kind: &str| -> Vec<&Value> { waste.iter().filter(|one| one["kind"] == kind).collect() };
    let group = of("log-group")
        .into_iter()
        .find(|one| one["name"] == "/gpu-workers/for-ever")
        .unwrap_or_else(|| panic!("{costs:#}"));
    let command = group["command"].as_str().unwrap();
    assert!(command.contains("aws logs put-retention-policy"), "{command}");
    assert!(
        command.contains("--log-group-name /gpu-workers/for-ever"),
        "{command}"
    );
    for one in waste {
        assert!(one["why"].as_str().is_some_and(|why| !why.is_empty()), "{one}");
    }
    // What `ami gc` would delete is what is told of images.
    let gc = account.run(&["ami", "gc", "--dry-run", "-o", "json"]).await;
    let steps = gc.json()["steps"].as_array().map_or(0, Vec::len);
    assert_eq!(
        of("machine-image").len() + of("image-snapshot").len(),
        steps,
        "{costs:#}"
    );
}

#[tokio::test(start_paused = true)]
async fn by_fleet_everything_is_somebodys_and_the_total_is_the_same() {
    let account = Account::with(&[]);
    let (by_part, by_fleet) = (
        costs(&account, &["--prices", "table"]).await,
        // The price list takes seconds, in which Spot prices move.
        costs(&account, &["--prices", "table", "--by", "fleet"]).await,
    );
    assert_eq!(by_part["total"], by_fleet["total"]);
    assert_eq!(by_part["things"], by_fleet["things"]);
    let names = account.run(&["cost", "--by", "fleet", "-o", "name"]).await;
    let names: Vec<&str> = names.stdout.lines().collect();
    assert!(
        names.contains(&"production/gpu-default") && names.last() == Some(&"shared"),
        "{names:?}"
    );
    assert!(month(row(&by_fleet, "shared")) > 180.0);
}

#[tokio::test(start_paused = true)]
async fn a_forecast_follows_from_the_past_of_each_fleet() {
    let account = Account::with_fleets(1);
    // Two hours of a busy fleet.
    account
        .clock()
        .sleep(std::time::Duration::from_secs(2 * 3600))
        .await;
    let costs = costs(&account, &["--forecast", "--since", "2h"]).await;
    let forecast = &costs["forecast"].as_array().unwrap()[0];
    assert_eq!(forecast["fleet"], "production/fleet-000");
    let outlook = &forecast["outlook"];
    assert_eq!(outlook["price"], "spot", "{forecast:#}");
    let (hours, dollars) = (
        &outlook["instance_hours_per_month"],
        &outlook["dollars"]["per_month"],
    );
    let hourly = dollars.as_f64().unwrap() / hours.as_f64().unwrap();
    // Spot is about a third of the list price.
    assert!((0.15..0.25).contains(&hourly), "{forecast:#}");
    assert!(
        !outlook["assumptions"]
            .to_string()
            .contains("On-Demand list price"),
        "{forecast:#}"
    );
    let shown = account.run(&["cost", "--forecast", "--since", "2h"]).await;
    assert!(
        shown.stdout.contains("FORECAST") && shown.stdout.contains("spot prices"),
        "{}",
        shown.text()
    );
}

#[tokio::test(start_paused = true)]
async fn a_staged_platform_costs_what_its_stage_has() {
    let account = Account::staged(&[]);
    let costs = costs(&account, &[]).await;
    for part in [
        "tasks",
        "database",
        "NAT gateway",
        "load balancer",
        "NAT data",
        "load balancer use",
    ] {
        assert!(month(row(&costs, part)) > 0.0, "{part}: {costs:#}");
    }
    assert_eq!(costs["prices"]["source"], "list");
}

#[tokio::test(start_paused = true)]
async fn a_look_back_that_makes_no_sense_is_refused_before_anything_is_asked() {
    let account = Account::with(&[]);
    let refused = |run: &Run| run.status.code() == 2 && run.calls == 0;
    for words in [
        &["cost", "--since", "3d"][..],
        &["cost", "--forecast", "--since", "16d"],
        &["cost", "--forecast", "--since", "5m"],
        &["cost", "--by", "colour"],
        &["cost", "--prices", "guess"],
    ] {
        let run = account.run(words).await;
        assert!(refused(&run), "{words:?}: {}", run.text());
    }
}
