//! Operations on rds.

pub(crate) mod power;
pub(crate) mod removal;

use aws_sdk_rds::error::SdkError;
use aws_sdk_rds::types::Tag;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::Aws;
use super::convert::time;
use super::operation::ShowPermit;
use super::pages::Pages;
use crate::change::{Call, Permit, Repeated, parameters};
use crate::error::{Required as _, Result, from_sdk};
use crate::wait::{Look, Waited, Waiter};

/// A database instance.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DbInstance {
    pub(crate) id: String,
    /// `available`, `backing-up`, `stopped`, …
    pub(crate) status: String,
    /// Host name; absent while the instance is being created.
    pub(crate) endpoint: Option<String>,
    /// Ids of the VPC security groups that guard it.
    pub(crate) security_groups: Vec<String>,
    /// Gibibytes.
    pub(crate) allocated: Option<i32>,
    /// The user that the instance was made with.
    pub(crate) master_user: Option<String>,
    /// `mariadb`, `sqlserver-se`, …
    pub(crate) engine: String,
    pub(crate) multi_az: bool,
    /// The cluster that it belongs to, as an instance of Aurora does.
    pub(crate) cluster: Option<String>,
    /// What it is a read replica of.
    pub(crate) replica_of: Option<String>,
    /// Its read replicas.
    pub(crate) replicas: Vec<String>,
    /// E.g. `db.t4g.medium`.
    pub(crate) class: Option<String>,
    /// Whether it refuses to be deleted.
    pub(crate) protected: bool,
    pub(crate) subnet_group: Option<String>,
    #[serde(skip)]
    pub(crate) created: Option<Timestamp>,
    pub(crate) tags: Vec<(String, String)>,
}

/// A snapshot of a database instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DbSnapshot {
    /// `creating`, `available`, `failed`, …
    pub(crate) status: String,
    /// 0 to 100.
    pub(crate) percent: i32,
    pub(crate) arn: Option<String>,
    /// RDS says so some time after it was asked.
    pub(crate) taken: Option<Timestamp>,
}

/// By what the platform's instance was recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Recognized {
    /// The data stack puts out its host name.
    ByEndpoint,
    /// The platform's alarms watch it.
    ByAlarm,
    /// There is no other in this region.
    AsTheOnlyOne,
}

/// The platform's instance among all of a region.
///
/// `endpoint` is what the data stack puts out, `watched` the identifier that the platform's alarms name. Among
/// several instances that neither of them names bpctl does not choose.
pub(crate) fn platform_instance<'a>(
    instances: &'a [DbInstance],
    endpoint: Option<&str>,
    watched: Option<&str>,
) -> Option<(&'a DbInstance, Recognized)> {
    // Some stacks put out `host:port`.
    let host = endpoint.and_then(|endpoint| endpoint.split(':').next());
    let by = |wanted: Option<&str>, of: fn(&DbInstance) -> Option<&str>| {
        let wanted = wanted?;
        instances.iter().find(|instance| of(instance) == Some(wanted))
    };
    let by_endpoint = by(host, |instance| instance.endpoint.as_deref());
    let by_alarm = by(watched, |instance| Some(&instance.id));
    match (by_endpoint, by_alarm, instances) {
        (Some(found), ..) => Some((found, Recognized::ByEndpoint)),
        (None, Some(found), _) => Some((found, Recognized::ByAlarm)),
        (None, None, [only]) => Some((only, Recognized::AsTheOnlyOne)),
        (None, None, _) => None,
    }
}

impl Aws {
    /// Every database instance of the account in this region.
    pub(crate) async fn db_instances(&self) -> Result<Vec<DbInstance>> {
        const REQUEST: &str = "DescribeDBInstances";
        let stream = self
            .rds_client()
            .await?
            .describe_db_instances()
            .into_paginator()
            .send();
        let found = Pages::new("describe the database instances", stream)
            .all()
            .await?;
        let mut instances = Vec::new();
        for instance in &found {
            instances.push(DbInstance {
                id: instance
                    .db_instance_identifier()
                    .required(REQUEST, "DBInstanceIdentifier")?
                    .to_owned(),
                status: instance.db_instance_status().unwrap_or_default().to_owned(),
                endpoint: instance
                    .endpoint()
                    .and_then(|endpoint| endpoint.address())
                    .map(str::to_owned),
                security_groups: instance
                    .vpc_security_groups()
                    .iter()
                    .filter_map(|group| group.vpc_security_group_id().map(str::to_owned))
                    .collect(),
                allocated: instance.allocated_storage(),
                master_user: instance.master_username().map(str::to_owned),
                engine: instance.engine().unwrap_or_default().to_owned(),
                multi_az: instance.multi_az().unwrap_or(false),
                cluster: instance.db_cluster_identifier().map(str::to_owned),
                replica_of: instance
                    .read_replica_source_db_instance_identifier()
                    .map(str::to_owned),
                replicas: instance.read_replica_db_instance_identifiers().to_vec(),
                class: instance.db_instance_class().map(str::to_owned),
                protected: instance.deletion_protection().unwrap_or(false),
                subnet_group: instance
                    .db_subnet_group()
                    .and_then(|group| group.db_subnet_group_name())
                    .map(str::to_owned),
                created: time(instance.instance_create_time()),
                tags: removal::tags(instance.tag_list()),
            });
        }
        Ok(instances)
    }

    /// Waits until a snapshot is taken or cannot be, and says in which state it is then: `available`, `failed`,
    /// `deleting` or `incompatible-restore`.
    pub(crate) async fn settled_snapshot(
        &self,
        id: &str,
        waiter: Waiter,
        say: impl FnMut(&str),
    ) -> Result<Waited<String>> {
        let look = async || {
            let Some(snapshot) = self.db_snapshot(id).await? else {
                return Ok(Look::Pending("snapshot is not known to RDS yet".to_owned()));
            };
            Ok(match snapshot.status.as_str() {
                "available" | "failed" | "deleting" | "incompatible-restore" => Look::Ready(snapshot.status),
                // Steps of ten: a line every quarter of a minute says nothing more.
                status => Look::Pending(format!("snapshot is {status}: {} %", snapshot.percent / 10 * 10)),
            })
        };
        waiter.until(look, say).await
    }

    /// The snapshot with this identifier.
    pub(crate) async fn db_snapshot(&self, id: &str) -> Result<Option<DbSnapshot>> {
        let answer = self
            .rds_client()
            .await?
            .describe_db_snapshots()
            .db_snapshot_identifier(id)
            .send()
            .await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(SdkError::ServiceError(error)) if error.err().is_db_snapshot_not_found_fault() => {
                return Ok(None);
            }
            Err(error) => return Err(from_sdk(format!("describe snapshot {id}"), &error)),
        };
        let snapshots = answer
            .db_snapshots
            .required("DescribeDBSnapshots", "DBSnapshots")?;
        Ok(snapshots.first().map(|snapshot| DbSnapshot {
            status: snapshot.status().unwrap_or_default().to_owned(),
            percent: snapshot.percent_progress().unwrap_or(0),
            arn: snapshot.db_snapshot_arn().map(str::to_owned),
            taken: time(snapshot.snapshot_create_time()),
        }))
    }
}

/// Begins a snapshot. The identifier must be new in the account: a snapshot that is there already counts
/// as the one that an earlier, unanswered request of this call has begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CreateDbSnapshot {
    pub(crate) instance: String,
    pub(crate) snapshot: String,
    pub(crate) tags: Vec<(String, String)>,
}

impl Call for CreateDbSnapshot {
    const SERVICE: &'static str = "rds";
    const OPERATION: &'static str = "CreateDBSnapshot";
    const REPEATED: Repeated = Repeated::Recognised;
    const VOLATILE: &'static [&'static str] = &["DBSnapshotIdentifier", "Tags"];
    type Via = Aws;
    type Answer = ();

    fn parameters(&self) -> Map<String, Value> {
        let tags = self
            .tags
            .iter()
            .map(|(key, value)| json!({"Key": key, "Value": value}));
        parameters([
            ("DBInstanceIdentifier", self.instance.as_str().into()),
            ("DBSnapshotIdentifier", self.snapshot.as_str().into()),
            ("Tags", tags.collect::<Vec<_>>().into()),
        ])
    }

    fn resource(&self) -> String {
        format!("rds/{}", self.instance)
    }

    async fn send(&self, aws: &Aws, permit: &Permit) -> Result<()> {
        let tags = self
            .tags
            .iter()
            .map(|(key, value)| Tag::builder().key(key).value(value).build());
        let answer = aws
            .rds_client()
            .await?
            .create_db_snapshot()
            .db_instance_identifier(&self.instance)
            .db_snapshot_identifier(&self.snapshot)
            .set_tags(Some(tags.collect()))
            .customize()
            .interceptor(ShowPermit::new(permit))
            .send()
            .await;
        match answer {
            Ok(_) => Ok(()),
            Err(SdkError::ServiceError(error)) if error.err().is_db_snapshot_already_exists_fault() => Ok(()),
            Err(error) => Err(from_sdk(
                format!("create snapshot {} of database {}", self.snapshot, self.instance),
                &error,
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_platforms_instance_is_the_named_one_then_the_watched_one_then_the_only_one() {
        let instance = |id: &str| DbInstance {
            id: id.to_owned(),
            endpoint: Some(format!("{id}.c1.rds.amazonaws.com")),
            ..DbInstance::default()
        };
        let both = [instance("other"), instance("bp-mariadb")];
        let found = |instances: &[DbInstance], endpoint, watched| {
            platform_instance(instances, endpoint, watched).map(|(found, how)| (found.id.clone(), how))
        };
        let is = |id: &str, how| Some((id.to_owned(), how));
        for endpoint in [
            "bp-mariadb.c1.rds.amazonaws.com:3306",
            "bp-mariadb.c1.rds.amazonaws.com",
        ] {
            assert_eq!(
                found(&both, Some(endpoint), Some("other")),
                is("bp-mariadb", Recognized::ByEndpoint)
            );
        }
        let elsewhere = Some("elsewhere.example");
        assert_eq!(
            found(&both, elsewhere, Some("other")),
            is("other", Recognized::ByAlarm)
        );
        assert_eq!(found(&both, elsewhere, None), None);
        assert_eq!(
            found(&both[..1], None, None),
            is("other", Recognized::AsTheOnlyOne)
        );
        assert_eq!(found(&[], None, Some("other")), None);
    }
}
