use serde_json::{Value, json};

use super::SPREADS;
use crate::options::Options;
use crate::service::Service;
use crate::service::elb;
use crate::service::member::list;
use crate::world::World;

fn ask(world: &mut World, operation: &str, input: &Value) -> Value {
    world.call(Service::Route53, operation, input).unwrap()
}

fn refused(world: &mut World, operation: &str, input: &Value) -> (String, String) {
    let error = world.call(Service::Route53, operation, input).unwrap_err();
    (error.code, error.message)
}

/// A zone of this name; answers its id.
fn zone(world: &mut World, name: &str) -> Value {
    let input = json!({ "Name": name, "CallerReference": name });
    ask(world, "CreateHostedZone", &input)["HostedZone"]["Id"].clone()
}

fn cname(action: &str, name: &str, value: &str) -> Value {
    json!({ "Action": action, "ResourceRecordSet": {
        "Name": name, "Type": "CNAME", "TTL": 300, "ResourceRecords": [{ "Value": value }],
    } })
}

fn batch(zone: &Value, changes: &[Value]) -> Value {
    json!({ "HostedZoneId": zone, "ChangeBatch": { "Changes": changes } })
}

#[test]
fn a_change_spreads_within_a_minute_and_the_name_is_answered_then() {
    let mut world = World::new(Options::default());
    let balancer = world.services.facts.load_balancer.clone();
    let dns = elb::dns_name(&world, &balancer).unwrap().to_owned();
    let zone = zone(&mut world, "example.com");
    let alias = json!({ "Action": "UPSERT", "ResourceRecordSet": { "Name": "app.example.com", "Type": "A", "AliasTarget": {
        "HostedZoneId": "Z35SXDOTRQ7X7K", "DNSName": format!("dualstack.{dns}."), "EvaluateTargetHealth": false,
    } } });
    let change = ask(&mut world, "ChangeResourceRecordSets", &batch(&zone, &[alias]))["ChangeInfo"].clone();
    assert_eq!(change["Status"], "PENDING");
    assert!(!elb::is_balancer(&world, "app.example.com"));
    world.advance(world.now + SPREADS);
    assert!(elb::is_balancer(&world, "app.example.com"));
    assert!(!elb::is_balancer(&world, "other.example.com"));
    let id = json!({ "Id": change["Id"] });
    assert_eq!(
        ask(&mut world, "GetChange", &id)["ChangeInfo"]["Status"],
        "INSYNC"
    );
    assert_eq!(
        refused(&mut world, "GetChange", &json!({ "Id": "C0" })).0,
        "NoSuchChange"
    );
}

#[test]
fn a_batch_is_carried_out_as_a_whole_or_not_at_all() {
    let mut world = World::new(Options::default());
    let zone = zone(&mut world, "example.com");
    let change = |world: &mut World, changes: &[Value]| {
        world
            .call(
                Service::Route53,
                "ChangeResourceRecordSets",
                &batch(&zone, changes),
            )
            .map_err(|error| (error.code, error.message))
    };
    change(&mut world, &[cname("CREATE", "_a.example.com", "b.example.net.")]).unwrap();
    let two = [
        cname("CREATE", "_b.example.com", "b."),
        cname("CREATE", "_a.EXAMPLE.com.", "other."),
    ];
    let (code, message) = change(&mut world, &two).unwrap_err();
    assert_eq!(code, "InvalidChangeBatch");
    assert_eq!(
        message,
        "[Tried to create resource record set [name='_a.example.com.', type='CNAME'] but it already exists]"
    );
    let listed = ask(
        &mut world,
        "ListResourceRecordSets",
        &json!({ "HostedZoneId": zone }),
    );
    let names: Vec<_> = list(&listed, "ResourceRecordSets")
        .iter()
        .map(|record| (record["Name"].as_str().unwrap(), record["Type"].as_str().unwrap()))
        .collect();
    assert_eq!(
        names,
        [
            ("example.com.", "NS"),
            ("example.com.", "SOA"),
            ("_a.example.com.", "CNAME")
        ]
    );
    for (change_, words) in [
        (cname("CREATE", "example.com", "b."), "at apex"),
        (
            cname("CREATE", "example.org", "b."),
            "is not permitted in zone example.com.",
        ),
        (
            cname("DELETE", "_a.example.com", "other."),
            "do not match the current values",
        ),
        (cname("DELETE", "_c.example.com", "b."), "but it was not found"),
    ] {
        let (_, message) = change(&mut world, &[change_]).unwrap_err();
        assert!(message.contains(words), "{message}");
    }
    change(&mut world, &[cname("DELETE", "_a.example.com", "b.example.net.")]).unwrap();
    let other = batch(&json!("Z0"), &[cname("CREATE", "a.example.com", "b.")]);
    assert_eq!(
        refused(&mut world, "ChangeResourceRecordSets", &other),
        (
            "NoSuchHostedZone".to_owned(),
            "No hosted zone found with ID: Z0".to_owned()
        )
    );
}

#[test]
fn zones_are_listed_from_a_name_on_in_the_order_of_their_labels() {
    let mut world = World::new(Options::default());
    for name in ["example.org", "b.example.com", "example.com", "a.com"] {
        zone(&mut world, name);
    }
    let named = |answer: &Value| -> Vec<String> {
        let zones = list(answer, "HostedZones").iter();
        zones
            .map(|zone| zone["Name"].as_str().unwrap().to_owned())
            .collect()
    };
    let first = ask(
        &mut world,
        "ListHostedZonesByName",
        &json!({ "DNSName": "example.com", "MaxItems": "2" }),
    );
    assert_eq!(named(&first), ["example.com.", "b.example.com."]);
    assert_eq!(first["IsTruncated"], true);
    let rest = json!({ "DNSName": first["NextDNSName"], "HostedZoneId": first["NextHostedZoneId"] });
    let rest = ask(&mut world, "ListHostedZonesByName", &rest);
    assert_eq!(named(&rest), ["example.org."]);
    let again = json!({ "Name": "other.com", "CallerReference": "a.com" });
    assert_eq!(
        refused(&mut world, "CreateHostedZone", &again).0,
        "HostedZoneAlreadyExists"
    );
}

#[test]
fn a_certificate_is_issued_by_its_record_in_a_zone() {
    let mut world = World::new(Options::default());
    let zone = zone(&mut world, "example.com");
    let request = json!({ "DomainName": "app.example.com", "ValidationMethod": "DNS" });
    let arn = world.call(Service::Acm, "RequestCertificate", &request).unwrap();
    world.advance(world.now + std::time::Duration::from_secs(10));
    let look = |world: &mut World| {
        world.call(Service::Acm, "DescribeCertificate", &arn).unwrap()["Certificate"].clone()
    };
    let record = look(&mut world)["DomainValidationOptions"][0]["ResourceRecord"].clone();
    let text = |name: &str| record[name].as_str().unwrap();
    let change = cname("CREATE", text("Name"), text("Value"));
    ask(&mut world, "ChangeResourceRecordSets", &batch(&zone, &[change]));
    world.advance(world.now + std::time::Duration::from_secs(120));
    assert_eq!(look(&mut world)["Status"], "PENDING_VALIDATION");
    world.advance(world.now + std::time::Duration::from_secs(180));
    assert_eq!(look(&mut world)["Status"], "ISSUED");
}
