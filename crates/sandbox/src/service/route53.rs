//! Route 53: hosted zones, their records, and the changes that spread (Amazon Route 53 API Reference:
//! CreateHostedZone, ListHostedZonesByName, ListResourceRecordSets, ChangeResourceRecordSets, GetChange).
//!
//! Records are simple ones: a routing policy is refused. A name is answered once its change has spread.

mod change;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::error::{ApiError, OpResult};
use crate::service::member::{list, present, text};
use crate::service::table::operations;
use crate::time::SimTime;
use crate::world::World;

/// "Changes generally propagate to all Route 53 name servers managing the hosted zone within 60 seconds."
const SPREADS: Duration = Duration::from_secs(60);

/// A page of either listing (API Reference, `maxitems`).
const PAGE: (usize, usize) = (100, 300);

/// Hosted zones by their ids, and the changes of their records.
#[derive(Debug, Default)]
pub(crate) struct State {
    zones: BTreeMap<String, Zone>,
    /// When each was asked for, by its id.
    changes: BTreeMap<String, SimTime>,
}

#[derive(Clone, Debug)]
struct Zone {
    /// Small letters, with the dot at its end.
    name: String,
    reference: String,
    comment: Option<String>,
    private: bool,
    records: BTreeMap<Place, Record>,
}

/// Where a record stands in its zone: by its labels, the last one first, then by type.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place(Vec<String>, String);

#[derive(Clone, Debug)]
struct Record {
    /// As the API tells it.
    shape: Value,
    /// When every name server answers with it.
    spread: SimTime,
}

operations! {
    Write ChangeResourceRecordSets => change::change_records,
    Write CreateHostedZone => create_zone,
    Read GetChange => get_change,
    Read ListHostedZonesByName => zones_by_name,
    Read ListResourceRecordSets => records,
}

/// The resource that IAM checks (Service Authorization Reference, "Amazon Route 53"): zones belong to no region.
pub(crate) fn resource(operation: &str, id: Option<&str>) -> String {
    match (operation, id) {
        ("ChangeResourceRecordSets" | "ListResourceRecordSets", Some(id)) => {
            format!("arn:aws:route53:::hostedzone/{}", bare(id))
        }
        ("GetChange", Some(id)) => format!("arn:aws:route53:::change/{}", bare(id)),
        _ => "*".to_owned(),
    }
}

/// The name that `host` stands for: the target of its alias or its CNAME in a public zone, without the dot at its end.
pub(crate) fn leads_to(world: &World, host: &str) -> Option<String> {
    let asked = absolute(host);
    let found = ["A", "CNAME"]
        .into_iter()
        .find_map(|kind| public_record(world, &asked, kind))?;
    let target = text(&found["AliasTarget"], "DNSName")
        .or_else(|| text(list(found, "ResourceRecords").first()?, "Value"))?;
    let target = target.trim_end_matches('.').to_lowercase();
    Some(target.strip_prefix("dualstack.").unwrap_or(&target).to_owned())
}

/// Whether a public zone answers for `name` with a CNAME of this value.
pub(crate) fn has_cname(world: &World, name: &str, value: &str) -> bool {
    let found = public_record(world, &absolute(name), "CNAME");
    let values = found.map(|shape| list(shape, "ResourceRecords"));
    let is_it =
        |record: &Value| text(record, "Value").is_some_and(|found| absolute(found) == absolute(value));
    values.unwrap_or_default().iter().any(is_it)
}

/// The record that resolvers are told: of the zone that is closest to the name (Route 53 Developer Guide, "Routing
/// traffic for subdomains").
fn public_record<'a>(world: &'a World, name: &str, kind: &str) -> Option<&'a Value> {
    let zones = world.services.route53.zones.values();
    let holds = |zone: &&Zone| !zone.private && is_within(name, &zone.name);
    let zone = zones.filter(holds).max_by_key(|zone| zone.name.len())?;
    let record = zone.records.get(&Place::of(name, kind))?;
    (record.spread <= world.now).then_some(&record.shape)
}

impl Place {
    fn of(name: &str, kind: &str) -> Self {
        Self(reversed(name), kind.to_owned())
    }
}

/// The labels of a name, the last one first: `com`, `example`, `app`.
fn reversed(name: &str) -> Vec<String> {
    let mut labels: Vec<String> = name
        .trim_end_matches('.')
        .split('.')
        .map(str::to_lowercase)
        .collect();
    labels.reverse();
    labels
}

/// Small letters, with the dot at its end.
fn absolute(name: &str) -> String {
    format!("{}.", name.trim_end_matches('.').to_lowercase())
}

fn is_within(name: &str, zone: &str) -> bool {
    name == zone || name.strip_suffix(zone).is_some_and(|rest| rest.ends_with('.'))
}

/// The id without what API answers put in front of it: `/hostedzone/`, `/change/`.
fn bare(id: &str) -> &str {
    id.rsplit_once('/').map_or(id, |(_, id)| id)
}

fn zone_not_found(id: &str) -> ApiError {
    ApiError::client("NoSuchHostedZone", format!("No hosted zone found with ID: {id}"))
}

impl State {
    fn zone(&self, input: &Value, member: &str) -> Result<&Zone, ApiError> {
        let id = bare(text(input, member).unwrap_or_default());
        self.zones.get(id).ok_or_else(|| zone_not_found(id))
    }
}

/// A change that was just asked for.
fn begin_change(world: &mut World) -> Value {
    let id = format!("C{}", world.ids.hex(20).to_uppercase());
    let now = world.now;
    world.services.route53.changes.insert(id.clone(), now);
    change_info(&id, now, now)
}

fn change_info(id: &str, asked: SimTime, now: SimTime) -> Value {
    let status = if asked + SPREADS <= now {
        "INSYNC"
    } else {
        "PENDING"
    };
    json!({ "Id": format!("/change/{id}"), "Status": status, "SubmittedAt": asked.epoch_seconds() })
}

fn get_change(world: &mut World, input: &Value) -> OpResult {
    let id = bare(text(input, "Id").unwrap_or_default());
    match world.services.route53.changes.get(id) {
        Some(asked) => Ok(json!({ "ChangeInfo": change_info(id, *asked, world.now) })),
        None => Err(ApiError::client(
            "NoSuchChange",
            format!("Could not find resource with ID: {id}"),
        )),
    }
}

fn create_zone(world: &mut World, input: &Value) -> OpResult {
    let name = text(input, "Name").unwrap_or_default();
    let is_label = |label: &str| {
        let may_stand = |at: u8| at.is_ascii_alphanumeric() || matches!(at, b'-' | b'_');
        (1..=63).contains(&label.len()) && label.bytes().all(may_stand)
    };
    if !name.trim_end_matches('.').split('.').all(is_label) {
        let message = format!("{name} is not a valid domain name");
        return Err(ApiError::client("InvalidDomainName", message));
    }
    let reference = text(input, "CallerReference").unwrap_or_default();
    let zones = &world.services.route53.zones;
    if zones.values().any(|zone| zone.reference == reference) {
        let message =
            format!("A hosted zone has already been created with the specified caller reference {reference}");
        return Err(ApiError::client("HostedZoneAlreadyExists", message));
    }
    let config = &input["HostedZoneConfig"];
    let name = absolute(name);
    let servers: Vec<String> = ["com", "net", "org", "co.uk"]
        .iter()
        .map(|end| {
            format!(
                "ns-{}.awsdns-{:02}.{end}",
                world.ids.between(1, 2047),
                world.ids.between(0, 63)
            )
        })
        .collect();
    let of = |kind: &str, ttl: u64, values: Vec<String>| {
        let values = values.into_iter().map(|value| json!({ "Value": value }));
        let shape =
            json!({ "Name": name, "Type": kind, "TTL": ttl, "ResourceRecords": values.collect::<Vec<_>>() });
        let record = Record {
            shape,
            spread: world.now + SPREADS,
        };
        (Place::of(&name, kind), record)
    };
    let soa = format!(
        "{}. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400",
        servers[0]
    );
    let names = servers.iter().map(|server| format!("{server}."));
    let zone = Zone {
        reference: reference.to_owned(),
        comment: text(config, "Comment").map(str::to_owned),
        private: input["VPC"].is_object(),
        records: BTreeMap::from([of("NS", 172_800, names.collect()), of("SOA", 900, vec![soa])]),
        name: name.clone(),
    };
    let id = format!("Z{}", world.ids.hex(20).to_uppercase());
    let shown = zone.shape(&id);
    world.services.route53.zones.insert(id.clone(), zone);
    let change = begin_change(world);
    Ok(json!({
        "HostedZone": shown,
        "ChangeInfo": change,
        "DelegationSet": { "NameServers": servers },
        "Location": format!("https://route53.amazonaws.com/2013-04-01/hostedzone/{id}"),
    }))
}

impl Zone {
    fn shape(&self, id: &str) -> Value {
        present(json!({
            "Id": format!("/hostedzone/{id}"),
            "Name": self.name,
            "CallerReference": self.reference,
            "Config": { "Comment": self.comment, "PrivateZone": self.private },
            "ResourceRecordSetCount": self.records.len(),
        }))
    }
}

/// How many items a page holds: the parameter is text in this API.
fn page_size(input: &Value, most: usize) -> Result<usize, ApiError> {
    match text(input, "MaxItems").map(str::parse::<usize>) {
        None => Ok(most),
        Some(Ok(size)) if size > 0 => Ok(size.min(most)),
        Some(_) => Err(ApiError::client(
            "InvalidInput",
            "MaxItems must be a positive number",
        )),
    }
}

fn zones_by_name(world: &mut World, input: &Value) -> OpResult {
    let size = page_size(input, PAGE.0)?;
    let (first, after) = (text(input, "DNSName"), text(input, "HostedZoneId").map(bare));
    let state = &world.services.route53;
    let mut zones: Vec<(&String, &Zone)> = state.zones.iter().collect();
    zones.sort_by_cached_key(|(id, zone)| (reversed(&zone.name), (*id).clone()));
    let from = first.map(|name| (reversed(name), after.unwrap_or_default().to_owned()));
    zones.retain(|(id, zone)| {
        from.as_ref()
            .is_none_or(|from| (reversed(&zone.name), (*id).clone()) >= *from)
    });
    let next = zones
        .get(size)
        .map(|(id, zone)| ((*id).clone(), zone.name.clone()));
    let shown: Vec<Value> = zones.iter().take(size).map(|(id, zone)| zone.shape(id)).collect();
    Ok(present(json!({
        "HostedZones": shown,
        "DNSName": first,
        "HostedZoneId": after,
        "IsTruncated": next.is_some(),
        "NextDNSName": next.as_ref().map(|(_, name)| name),
        "NextHostedZoneId": next.as_ref().map(|(id, _)| id),
        "MaxItems": size.to_string(),
    })))
}

fn records(world: &mut World, input: &Value) -> OpResult {
    let size = page_size(input, PAGE.1)?;
    let zone = world.services.route53.zone(input, "HostedZoneId")?;
    let (name, kind) = (text(input, "StartRecordName"), text(input, "StartRecordType"));
    if name.is_none() && kind.is_some() {
        let message = "The parameter name must be specified with the parameter type";
        return Err(ApiError::client("InvalidInput", message));
    }
    let from = name.map(|name| Place::of(name, kind.unwrap_or_default()));
    let mut found = zone
        .records
        .iter()
        .filter(|(place, _)| from.as_ref().is_none_or(|from| *place >= from))
        .map(|(_, record)| &record.shape);
    let shown: Vec<&Value> = found.by_ref().take(size).collect();
    let next = found.next();
    Ok(present(json!({
        "ResourceRecordSets": shown,
        "IsTruncated": next.is_some(),
        "NextRecordName": next.map(|shape| &shape["Name"]),
        "NextRecordType": next.map(|shape| &shape["Type"]),
        "MaxItems": size.to_string(),
    })))
}
