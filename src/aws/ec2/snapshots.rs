//! Snapshots of images, and how both go.

use aws_sdk_ec2::types::Filter;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::super::Aws;
use super::super::convert::time;
use super::super::operation::ShowPermit;
use super::super::pages::Pages;
use super::images::MANAGED_BY;
use crate::change::{Call, Later, Loss, Permit, Repeated, parameters};
use crate::error::{CtlError, Required as _, Result, from_sdk};

/// A snapshot of a volume.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Snapshot {
    pub(crate) id: String,
    /// Of the volume that it was made of, in GiB; what it takes is at most that.
    pub(crate) gib: u64,
    /// `pending`, `completed`, `error`, …
    pub(crate) state: String,
    pub(crate) started: Option<Timestamp>,
    /// The tag `Name`.
    pub(crate) name: Option<String>,
}

impl Aws {
    /// The snapshots of this account with the tag of images that were built for fleets.
    pub(crate) async fn own_snapshots(&self) -> Result<Vec<Snapshot>> {
        let (tag, value) = MANAGED_BY;
        self.own_snapshots_tagged(tag, value).await
    }

    /// The ids of the snapshots of this account with this name.
    pub(crate) async fn own_snapshots_named(&self, name: &str) -> Result<Vec<String>> {
        let found = self.own_snapshots_tagged("Name", name).await?;
        Ok(found.into_iter().map(|snapshot| snapshot.id).collect())
    }

    async fn own_snapshots_tagged(&self, tag: &str, value: &str) -> Result<Vec<Snapshot>> {
        const REQUEST: &str = "DescribeSnapshots";
        let stream = self
            .ec2_client()
            .await?
            .describe_snapshots()
            .owner_ids("self")
            .filters(Filter::builder().name(format!("tag:{tag}")).values(value).build())
            // "between 5 and 1,000" (EC2 API Reference, DescribeSnapshots).
            .max_results(1000)
            .into_paginator()
            .send();
        let found = Pages::new("describe snapshots", stream).all().await?;
        let mut snapshots = Vec::with_capacity(found.len());
        for snapshot in found {
            let state = snapshot.state().required(REQUEST, "State")?;
            snapshots.push(Snapshot {
                id: snapshot.snapshot_id().required(REQUEST, "SnapshotId")?.to_owned(),
                gib: snapshot
                    .volume_size()
                    .and_then(|size| u64::try_from(size).ok())
                    .unwrap_or_default(),
                state: state.as_str().to_owned(),
                started: time(snapshot.start_time()),
                name: snapshot
                    .tags()
                    .iter()
                    .find(|tag| tag.key() == Some("Name"))
                    .and_then(|tag| tag.value())
                    .map(str::to_owned),
            });
        }
        Ok(snapshots)
    }
}

/// Takes an image away: no instance starts from it any more, and those that run stay. Its snapshots are left
/// ("Deregister an Amazon EC2 AMI", EC2 User Guide).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DeregisterImage {
    pub(crate) image: Later,
    /// Whether it is an image that somebody may want: one that was never finished is no loss.
    pub(crate) is_loss: bool,
}

impl DeregisterImage {
    pub(crate) fn of(image: &str) -> Self {
        Self {
            image: Later::Known(image.to_owned()),
            is_loss: true,
        }
    }
}

/// Whether EC2 says that the thing is not there.
fn is_gone(error: &CtlError) -> bool {
    [
        "InvalidAMIID.NotFound",
        "InvalidAMIID.Unavailable",
        "InvalidSnapshot.NotFound",
    ]
    .iter()
    .any(|code| error.reply().is_some_and(|reply| reply.is(code)))
}

impl Call for DeregisterImage {
    const SERVICE: &'static str = "ec2";
    const OPERATION: &'static str = "DeregisterImage";
    const REPEATED: Repeated = Repeated::Harmless;
    type Via = Aws;
    /// Whether it was there.
    type Answer = bool;

    fn parameters(&self) -> Map<String, Value> {
        parameters([("ImageId", self.image.parameter())])
    }

    fn resource(&self) -> String {
        format!("image/{}", name_of(&self.image))
    }

    fn loses(&self) -> Option<Loss> {
        self.is_loss
            .then(|| Loss::Data(format!("image {}", name_of(&self.image))))
    }

    async fn send(&self, aws: &Aws, permit: &Permit) -> Result<bool> {
        let id = self.image.known()?;
        let sent = aws
            .ec2_client()
            .await?
            .deregister_image()
            .image_id(id)
            .customize()
            .interceptor(ShowPermit::new(permit))
            .send()
            .await
            .map_err(|error| from_sdk(format!("deregister image {id}"), &error));
        match sent {
            Ok(_) => Ok(true),
            Err(error) if is_gone(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// Deletes a snapshot. One that an image needs is refused (`InvalidSnapshot.InUse`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DeleteSnapshot {
    pub(crate) snapshot: Later,
    pub(crate) gib: u64,
    /// Whether it is one that somebody may want.
    pub(crate) is_loss: bool,
}

impl DeleteSnapshot {
    pub(crate) fn of(snapshot: &str, gib: u64) -> Self {
        Self {
            snapshot: Later::Known(snapshot.to_owned()),
            gib,
            is_loss: true,
        }
    }
}

/// The id, as far as it is known, for names of locks and sentences.
fn name_of(id: &Later) -> &str {
    match id {
        Later::Known(id) => id,
        Later::FromStep(step) => step,
    }
}

impl Call for DeleteSnapshot {
    const SERVICE: &'static str = "ec2";
    const OPERATION: &'static str = "DeleteSnapshot";
    const REPEATED: Repeated = Repeated::Harmless;
    type Via = Aws;
    /// Whether it was there.
    type Answer = bool;

    fn parameters(&self) -> Map<String, Value> {
        parameters([("SnapshotId", self.snapshot.parameter())])
    }

    fn resource(&self) -> String {
        format!("snapshot/{}", name_of(&self.snapshot))
    }

    fn loses(&self) -> Option<Loss> {
        let what = || format!("snapshot {} ({} GiB)", name_of(&self.snapshot), self.gib);
        self.is_loss.then(|| Loss::Data(what()))
    }

    async fn send(&self, aws: &Aws, permit: &Permit) -> Result<bool> {
        let id = self.snapshot.known()?;
        let sent = aws
            .ec2_client()
            .await?
            .delete_snapshot()
            .snapshot_id(id)
            .customize()
            .interceptor(ShowPermit::new(permit))
            .send()
            .await
            .map_err(|error| from_sdk(format!("delete snapshot {id}"), &error));
        match sent {
            Ok(_) => Ok(true),
            Err(error) if is_gone(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
