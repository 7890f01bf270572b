//! ChangeResourceRecordSets: all changes of a batch or none.

use serde_json::{Value, json};

use super::{Place, Record, SPREADS, Zone, absolute, bare, begin_change, is_within, zone_not_found};
use crate::error::{ApiError, OpResult};
use crate::service::member::{list, text};
use crate::time::SimTime;
use crate::world::World;

/// Carries a batch out.
pub(super) fn change_records(world: &mut World, input: &Value) -> OpResult {
    let id = bare(text(input, "HostedZoneId").unwrap_or_default()).to_owned();
    let spread = world.now + SPREADS;
    let state = &mut world.services.route53;
    let zone = state.zones.get_mut(&id).ok_or_else(|| zone_not_found(&id))?;
    let mut changed = zone.clone();
    let mut wrong = Vec::new();
    for change in list(&input["ChangeBatch"], "Changes") {
        let shape = &change["ResourceRecordSet"];
        if let Some(policy) = [
            "SetIdentifier",
            "Weight",
            "Region",
            "Failover",
            "GeoLocation",
            "MultiValueAnswer",
        ]
        .into_iter()
        .find(|name| !shape[*name].is_null())
        {
            let message = format!("{policy}: the sandbox knows simple routing alone");
            return Err(ApiError::client("InvalidInput", message));
        }
        if let Err(why) = changed.apply(text(change, "Action").unwrap_or_default(), shape, spread) {
            wrong.push(why);
        }
    }
    if !wrong.is_empty() {
        let message = format!("[{}]", wrong.join(", "));
        return Err(ApiError::client("InvalidChangeBatch", message));
    }
    *zone = changed;
    let change = begin_change(world);
    Ok(json!({ "ChangeInfo": change }))
}

impl Zone {
    /// One change, or why Route 53 refuses it, in its words.
    fn apply(&mut self, action: &str, given: &Value, spread: SimTime) -> Result<(), String> {
        let name = absolute(text(given, "Name").unwrap_or_default());
        let kind = text(given, "Type").unwrap_or_default();
        let zone = &self.name;
        if !is_within(&name, zone) {
            return Err(format!(
                "RRSet with DNS name {name} is not permitted in zone {zone}"
            ));
        }
        let place = Place::of(&name, kind);
        let mut shape = given.clone();
        shape["Name"] = json!(name);
        let named = format!("[name='{name}', type='{kind}']");
        let found = self.records.get(&place);
        if action == "DELETE" {
            return match found {
                None => Err(format!(
                    "Tried to delete resource record set {named} but it was not found"
                )),
                Some(record) if record.shape != shape => Err(format!(
                    "Tried to delete resource record set {named} but the values provided do not match the current values"
                )),
                Some(_) => {
                    self.records.remove(&place);
                    Ok(())
                }
            };
        }
        if action == "CREATE" && found.is_some() {
            return Err(format!(
                "Tried to create resource record set {named} but it already exists"
            ));
        }
        self.may_stand(&name, kind)?;
        if shape["AliasTarget"].is_null()
            && (shape["TTL"].is_null() || list(&shape, "ResourceRecords").is_empty())
        {
            return Err(format!(
                "Missing field 'TTL' or 'ResourceRecords' in resource record set {named}"
            ));
        }
        self.records.insert(place, Record { shape, spread });
        Ok(())
    }

    /// A CNAME stands alone at its name, and never at the zone's own (Route 53 Developer Guide, "CNAME record type").
    fn may_stand(&self, name: &str, kind: &str) -> Result<(), String> {
        let zone = &self.name;
        if kind == "CNAME" && name == zone {
            return Err(format!(
                "RRSet of type CNAME with DNS name {name} is not permitted at apex in zone {zone}"
            ));
        }
        let labels = Place::of(name, "").0;
        let mut others = self
            .records
            .keys()
            .filter(|place| place.0 == labels && place.1 != kind);
        if others.any(|place| kind == "CNAME" || place.1 == "CNAME") {
            return Err(format!(
                "RRSet of type {kind} with DNS name {name} is not permitted as it conflicts with other records with \
                 the same DNS name in zone {zone}"
            ));
        }
        Ok(())
    }
}
