//! How databases go: protection, the last snapshot, the instance and its subnet group ("Deleting a DB instance", Amazon
//! RDS User Guide).

use aws_sdk_rds::error::SdkError;
use aws_sdk_rds::types::Tag;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::super::Aws;
use super::super::convert::time;
use super::super::operation::ShowPermit;
use super::super::pages::Pages;
use crate::change::{Call, Loss, Permit, Repeated, parameters};
use crate::error::{Required as _, Result, from_sdk};

/// A snapshot among all of a region.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ListedSnapshot {
    pub(crate) id: String,
    /// The instance that it was taken of.
    pub(crate) instance: String,
    /// `manual`, `automated`, …
    pub(crate) kind: String,
    pub(crate) status: String,
    /// Gibibytes of the instance's storage.
    pub(crate) allocated: i32,
    pub(crate) taken: Option<Timestamp>,
    pub(crate) tags: Vec<(String, String)>,
}

pub(super) fn tags(tags: &[Tag]) -> Vec<(String, String)> {
    let pair = |tag: &Tag| Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned()));
    tags.iter().filter_map(pair).collect()
}

impl Aws {
    /// Every snapshot of an instance of this region, automated ones too.
    pub(crate) async fn db_snapshots(&self) -> Result<Vec<ListedSnapshot>> {
        const REQUEST: &str = "DescribeDBSnapshots";
        let stream = self
            .rds_client()
            .await?
            .describe_db_snapshots()
            .into_paginator()
            .send();
        let found = Pages::new("describe the database snapshots", stream)
            .all()
            .await?;
        found
            .iter()
            .map(|snapshot| {
                Ok(ListedSnapshot {
                    id: snapshot
                        .db_snapshot_identifier()
                        .required(REQUEST, "DBSnapshotIdentifier")?
                        .to_owned(),
                    instance: snapshot.db_instance_identifier().unwrap_or_default().to_owned(),
                    kind: snapshot.snapshot_type().unwrap_or_default().to_owned(),
                    status: snapshot.status().unwrap_or_default().to_owned(),
                    allocated: snapshot.allocated_storage().unwrap_or_default(),
                    taken: time(snapshot.snapshot_create_time()),
                    tags: tags(snapshot.tag_list()),
                })
            })
            .collect()
    }

    /// The names of the DB subnet groups of this region, each with its VPC.
    pub(crate) async fn db_subnet_groups(&self) -> Result<Vec<(String, Option<String>)>> {
        const REQUEST: &str = "DescribeDBSubnetGroups";
        let stream = self
            .rds_client()
            .await?
            .describe_db_subnet_groups()
            .into_paginator()
            .send();
        let found = Pages::new("describe the DB subnet groups", stream).all().await?;
        found
            .iter()
            .map(|group| {
                let name = group.db_subnet_group_name();
                let name = name.required(REQUEST, "DBSubnetGroupName")?;
                Ok((name.to_owned(), group.vpc_id().map(str::to_owned)))
            })
            .collect()
    }
}

/// Sets deletion protection, or takes it off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ProtectDb {
    pub(crate) instance: String,
    pub(crate) protected: bool,
}

impl Call for ProtectDb {
    const SERVICE: &'static str = "rds";
    const OPERATION: &'static str = "ModifyDBInstance";
    const REPEATED: Repeated = Repeated::Harmless;
    type Via = Aws;
    type Answer = ();

    fn parameters(&self) -> Map<String, Value> {
        parameters([
            ("DBInstanceIdentifier", self.instance.as_str().into()),
            ("DeletionProtection", self.protected.into()),
        ])
    }

    fn resource(&self) -> String {
        format!("rds/{}", self.instance)
    }

    async fn send(&self, aws: &Aws, permit: &Permit) -> Result<()> {
        aws.rds_client()
            .await?
            .modify_db_instance()
            .db_instance_identifier(&self.instance)
            .deletion_protection(self.protected)
            .customize()
            .interceptor(ShowPermit::new(permit))
            .send()
            .await
            .map_err(|error| {
                from_sdk(
                    format!("set the deletion protection of database {}", self.instance),
                    &error,
                )
            })?;
        Ok(())
    }
}

/// Deletes an instance with its automated backups. One that is on its way out, or gone, stays so.
///
/// RDS takes no snapshot: one that is to be taken is taken and waited for before, so that nothing is deleted whose copy
/// is not known to be complete.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DeleteDb {
    pub(crate) instance: String,
    /// The snapshot that its data is in, for the words about the loss.
    pub(crate) copied_to: Option<String>,
}

impl Call for DeleteDb {
    const SERVICE: &'static str = "rds";
    const OPERATION: &'static str = "DeleteDBInstance";
    const REPEATED: Repeated = Repeated::Harmless;
    type Via = Aws;
    type Answer = ();

    fn parameters(&self) -> Map<String, Value> {
        parameters([
            ("DBInstanceIdentifier", self.instance.as_str().into()),
            ("SkipFinalSnapshot", true.into()),
        ])
    }

    fn resource(&self) -> String {
        format!("rds/{}", self.instance)
    }

    fn loses(&self) -> Option<Loss> {
        Some(Loss::Data(match &self.copied_to {
            Some(copy) => format!(
                "the database {} and its automated backups; its data is in snapshot {copy}",
                self.instance
            ),
            None => format!(
                "all data of the database {}, and its automated backups",
                self.instance
            ),
        }))
    }

    async fn send(&self, aws: &Aws, permit: &Permit) -> Result<()> {
        let answer = aws
            .rds_client()
            .await?
            .delete_db_instance()
            .db_instance_identifier(&self.instance)
            .skip_final_snapshot(true)
            .customize()
            .interceptor(ShowPermit::new(permit))
            .send()
            .await;
        let refused = match answer {
            Ok(_) => return Ok(()),
            Err(SdkError::ServiceError(error)) if error.err().is_db_instance_not_found_fault() => {
                return Ok(());
            }
            Err(refused) => refused,
        };
        // An earlier request of this call may have arrived without its answer.
        let busy = matches!(&refused, SdkError::ServiceError(error)
            if error.err().is_invalid_db_instance_state_fault());
        if busy {
            let instances = aws.db_instances().await?;
            let mut now = instances.iter().filter(|one| one.id == self.instance);
            if now.next().is_none_or(|now| now.status == "deleting") {
                return Ok(());
            }
        }
        Err(from_sdk(format!("delete database {}", self.instance), &refused))
    }
}

/// A thing of RDS that is deleted by its name, and that may be gone already.
macro_rules! deleted_by_name {
    ($(#[doc = $doc:literal])+ $call:ident, $operation:literal, $parameter:literal, $method:ident, $name:ident, $gone:ident,
     $what:literal, $resource:literal, $loses:expr) => {
        $(#[doc = $doc])+
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub(crate) struct $call {
            pub(crate) name: String,
        }

        impl Call for $call {
            const SERVICE: &'static str = "rds";
            const OPERATION: &'static str = $operation;
            const REPEATED: Repeated = Repeated::Harmless;
            type Via = Aws;
            type Answer = ();

            fn parameters(&self) -> Map<String, Value> {
                parameters([($parameter, self.name.as_str().into())])
            }

            fn resource(&self) -> String {
                format!(concat!($resource, "/{}"), self.name)
            }

            fn loses(&self) -> Option<Loss> {
                let loses: Option<&str> = $loses;
                loses.map(|what| Loss::Data(format!("{what} {}", self.name)))
            }

            async fn send(&self, aws: &Aws, permit: &Permit) -> Result<()> {
                let answer = aws
                    .rds_client()
                    .await?
                    .$method()
                    .$name(&self.name)
                    .customize()
                    .interceptor(ShowPermit::new(permit))
                    .send()
                    .await;
                match answer {
                    Ok(_) => Ok(()),
                    Err(SdkError::ServiceError(error)) if error.err().$gone() => Ok(()),
                    Err(error) => Err(from_sdk(
                        format!(concat!("delete ", $what, " {}"), self.name),
                        &error,
                    )),
                }
            }
        }
    };
}

deleted_by_name!(
    /// Deletes a subnet group that no instance stands in.
    DeleteDbSubnetGroup,
    "DeleteDBSubnetGroup",
    "DBSubnetGroupName",
    delete_db_subnet_group,
    db_subnet_group_name,
    is_db_subnet_group_not_found_fault,
    "the DB subnet group",
    "subgrp",
    None
);

deleted_by_name!(
    /// Deletes a snapshot that is complete. One that is still being taken is refused (`InvalidDBSnapshotState`).
    DeleteDbSnapshot,
    "DeleteDBSnapshot",
    "DBSnapshotIdentifier",
    delete_db_snapshot,
    db_snapshot_identifier,
    is_db_snapshot_not_found_fault,
    "the database snapshot",
    "snapshot",
    Some("the snapshot")
);
