//! Route 53: the public hosted zones of the account, and the records in them.

use aws_sdk_route53::types::{
    Change, ChangeAction, ChangeBatch, HostedZone, ResourceRecord, ResourceRecordSet, RrType,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::Aws;
use super::operation::ShowPermit;
use crate::change::{Call, Later, Permit, Repeated, parameters};
use crate::error::{CtlError, ErrorKind, Required as _, Result, from_sdk};

/// How long resolvers keep a record that proves a name, in seconds (ACM User Guide, "DNS validation", the records that
/// the console makes).
const TTL: i64 = 300;

/// Zones of one name that a page may hold: the public one, and private ones of several networks.
const PAGE: i32 = 100;

/// A public hosted zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Zone {
    /// Without `/hostedzone/`.
    pub(crate) id: String,
    /// Without the dot at its end.
    pub(crate) name: String,
}

/// A record as resolvers are told it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ZoneRecord {
    /// `A`, `AAAA`, `CNAME`.
    pub(crate) kind: String,
    /// Values, or the one name that an alias leads to, without the dot at the end.
    pub(crate) values: Vec<String>,
}

impl Aws {
    /// The public zones that are closest to `host`: several when more than one has the same name, of which resolvers
    /// ask the one that the parent delegates to.
    pub(crate) async fn zones_of(&self, host: &str) -> Result<Vec<Zone>> {
        let mut rest = host;
        while rest.contains('.') {
            let zones = self.zones_named(rest).await?;
            if !zones.is_empty() {
                return Ok(zones);
            }
            rest = rest.split_once('.').map_or("", |(_, parent)| parent);
        }
        Ok(Vec::new())
    }

    async fn zones_named(&self, name: &str) -> Result<Vec<Zone>> {
        const REQUEST: &str = "ListHostedZonesByName";
        let answer = self
            .route53_client()
            .await?
            .list_hosted_zones_by_name()
            .dns_name(name)
            .max_items(PAGE)
            .send()
            .await
            .map_err(|error| from_sdk(format!("look for a hosted zone of {name}"), &error))?;
        let is_it = |zone: &&HostedZone| {
            let private = zone.config().is_some_and(|config| config.private_zone());
            !private && same_name(zone.name(), name)
        };
        let zones = answer.hosted_zones().iter().filter(is_it);
        zones
            .map(|zone| {
                let id = Some(zone.id())
                    .filter(|id| !id.is_empty())
                    .required(REQUEST, "Id")?;
                Ok(Zone {
                    id: id.rsplit_once('/').map_or(id, |(_, id)| id).to_owned(),
                    name: name.to_owned(),
                })
            })
            .collect()
    }

    /// The records of `name` in a zone.
    pub(crate) async fn zone_records(&self, zone: &Zone, name: &str) -> Result<Vec<ZoneRecord>> {
        let answer = self
            .route53_client()
            .await?
            .list_resource_record_sets()
            .hosted_zone_id(&zone.id)
            .start_record_name(name)
            .send()
            .await
            .map_err(|error| from_sdk(format!("list the records of the zone {}", zone.name), &error))?;
        // In the order of names: those of this one come first.
        let records = answer.resource_record_sets().iter();
        let own = records.take_while(|record| same_name(record.name(), name));
        Ok(own
            .map(|record| ZoneRecord {
                kind: record.r#type().as_str().to_owned(),
                values: match record.alias_target() {
                    Some(alias) => vec![bare(alias.dns_name())],
                    None => record
                        .resource_records()
                        .iter()
                        .map(|one| bare(one.value()))
                        .collect(),
                },
            })
            .collect())
    }
}

/// Without the dot at the end, in small letters.
fn bare(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

fn same_name(one: &str, other: &str) -> bool {
    bare(one) == bare(other)
}

/// Creates the record that proves a name. One that is there already is refused, and never overwritten.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CreateProof {
    /// The zone's id and name.
    pub(crate) zone: (String, String),
    /// Name and value of a CNAME, as ACM tells them.
    pub(crate) name: Later,
    pub(crate) value: Later,
}

impl Call for CreateProof {
    const SERVICE: &'static str = "route53";
    const OPERATION: &'static str = "ChangeResourceRecordSets";
    const REPEATED: Repeated = Repeated::Recognised;
    type Via = Aws;
    type Answer = ();

    fn parameters(&self) -> Map<String, Value> {
        let record = json!({
            "Name": self.name.parameter(),
            "Type": "CNAME",
            "TTL": TTL,
            "ResourceRecords": [{ "Value": self.value.parameter() }],
        });
        parameters([
            ("HostedZoneId", self.zone.0.as_str().into()),
            (
                "ChangeBatch",
                json!({ "Changes": [{ "Action": "CREATE", "ResourceRecordSet": record }] }),
            ),
        ])
    }

    fn resource(&self) -> String {
        format!("route53/{}", self.zone.1)
    }

    async fn send(&self, aws: &Aws, permit: &Permit) -> Result<()> {
        let (name, value) = (self.name.known()?, self.value.known()?);
        let doing = || format!("create the record {name} in the zone {}", self.zone.1);
        let wrong = |error| CtlError::new(ErrorKind::Unexpected, doing()).source(&error);
        let value = ResourceRecord::builder().value(value).build().map_err(wrong)?;
        let record = ResourceRecordSet::builder()
            .name(name)
            .r#type(RrType::Cname)
            .ttl(TTL)
            .resource_records(value)
            .build()
            .map_err(wrong)?;
        let change = Change::builder()
            .action(ChangeAction::Create)
            .resource_record_set(record)
            .build()
            .map_err(wrong)?;
        let batch = ChangeBatch::builder().changes(change).build().map_err(wrong)?;
        aws.route53_client()
            .await?
            .change_resource_record_sets()
            .hosted_zone_id(&self.zone.0)
            .change_batch(batch)
            .customize()
            .interceptor(ShowPermit::new(permit))
            .send()
            .await
            .map_err(|error| from_sdk(doing(), &error))?;
        Ok(())
    }
}
