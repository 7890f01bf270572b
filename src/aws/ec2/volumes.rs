//! DescribeVolumes.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::super::Aws;
use super::super::convert::time;
use super::super::pages::Pages;
use super::network::tags;
use crate::error::{Required as _, Result};

/// A volume of EBS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Volume {
    pub(crate) id: String,
    /// `gp3`, …
    pub(crate) kind: String,
    pub(crate) gib: u32,
    /// `available` when no instance has it, `in-use`, …
    pub(crate) state: String,
    /// Instances that have it.
    pub(crate) instances: Vec<String>,
    pub(crate) created: Option<Timestamp>,
    pub(crate) tags: BTreeMap<String, String>,
}

impl Aws {
    /// The volumes of this region.
    pub(crate) async fn volumes(&self) -> Result<Vec<Volume>> {
        const REQUEST: &str = "DescribeVolumes";
        let stream = self
            .ec2_client()
            .await?
            .describe_volumes()
            // "between 5 and 1000" (EC2 API Reference, DescribeVolumes).
            .max_results(1000)
            .into_paginator()
            .send();
        let found = Pages::new("describe the volumes", stream).all().await?;
        found
            .iter()
            .map(|volume| {
                let size = volume.size().and_then(|size| u32::try_from(size).ok());
                let attached = volume.attachments().iter();
                Ok(Volume {
                    id: volume.volume_id().required(REQUEST, "VolumeId")?.to_owned(),
                    kind: volume
                        .volume_type()
                        .required(REQUEST, "VolumeType")?
                        .as_str()
                        .to_owned(),
                    gib: size.required(REQUEST, "Size")?,
                    state: volume.state().required(REQUEST, "State")?.as_str().to_owned(),
                    instances: attached
                        .filter_map(|one| one.instance_id().map(str::to_owned))
                        .collect(),
                    created: time(volume.create_time()),
                    tags: tags(volume.tags()),
                })
            })
            .collect()
    }
}
