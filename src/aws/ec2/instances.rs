//! DescribeInstances: what EC2 knows of the machines of Auto Scaling groups.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::Filter;
use jiff::Timestamp;

use super::super::Aws;
use super::super::convert::time;
use super::super::pages::Pages;
use super::BATCH;
use crate::error::{Required as _, Result};

/// States of instances that are there to stay.
const STAYING: [&str; 2] = ["pending", "running"];

/// A machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Machine {
    pub(crate) id: String,
    /// `pending`, `running`, `shutting-down`, `terminated`, `stopping` or `stopped`.
    pub(crate) state: Option<String>,
    pub(crate) image: Option<String>,
    pub(crate) private_ip: Option<String>,
    pub(crate) public_ip: Option<String>,
    /// E.g. `g4dn.xlarge`.
    pub(crate) instance_type: Option<String>,
    /// Ids of its security groups.
    pub(crate) security_groups: Vec<String>,
    pub(crate) launched: Option<Timestamp>,
    /// A Spot Instance.
    pub(crate) spot: bool,
    pub(crate) tags: BTreeMap<String, String>,
}

impl Aws {
    /// The machines that run, or are about to, from one of these images; two hundred images a call.
    pub(crate) async fn machines_from(&self, images: &[String]) -> Result<BTreeMap<String, Machine>> {
        let states = Filter::builder()
            .name("instance-state-name")
            .set_values(Some(STAYING.map(str::to_owned).to_vec()))
            .build();
        self.machines_where("image-id", images, Some(states)).await
    }

    /// The machines of one of these images, whatever they do, as long as they are there: one that is stopped may start
    /// again. Two hundred images a call.
    pub(crate) async fn machines_of(&self, images: &[String]) -> Result<BTreeMap<String, Machine>> {
        let mut found = self.machines_where("image-id", images, None).await?;
        found.retain(|_, machine| machine.state.as_deref() != Some("terminated"));
        Ok(found)
    }

    /// The machines of these ids; those that EC2 has forgotten are left out.
    pub(crate) async fn machines(&self, ids: &[String]) -> Result<BTreeMap<String, Machine>> {
        self.machines_where("instance-id", ids, None).await
    }

    /// The machines with one of these values of a tag, whatever state they are in.
    pub(crate) async fn machines_tagged(
        &self,
        tag: &str,
        values: &[&str],
    ) -> Result<BTreeMap<String, Machine>> {
        let values: Vec<String> = values.iter().map(|value| (*value).to_owned()).collect();
        self.machines_where(&format!("tag:{tag}"), &values, None).await
    }

    /// The machines in these VPCs, without those that are gone or about to be: their interfaces go with them.
    pub(crate) async fn machines_in(&self, vpcs: &[String]) -> Result<BTreeMap<String, Machine>> {
        let mut found = self.machines_where("vpc-id", vpcs, None).await?;
        let goes =
            |machine: &Machine| matches!(machine.state.as_deref(), Some("shutting-down" | "terminated"));
        found.retain(|_, machine| !goes(machine));
        Ok(found)
    }

    /// The machine that was started with this client token; `None` when there is none, or it was forgotten.
    pub(crate) async fn machine_of_token(&self, token: &str) -> Result<Option<Machine>> {
        let found = self
            .machines_where("client-token", &[token.to_owned()], None)
            .await?;
        Ok(found.into_values().next())
    }

    async fn machines_where(
        &self,
        filter: &str,
        values: &[String],
        further: Option<Filter>,
    ) -> Result<BTreeMap<String, Machine>> {
        let client = self.ec2_client().await?;
        let mut machines = BTreeMap::new();
        for batch in values.chunks(BATCH) {
            // By a filter: one id that does not exist would be an error for all of them.
            let mut filters = vec![
                Filter::builder()
                    .name(filter)
                    .set_values(Some(batch.to_vec()))
                    .build(),
            ];
            filters.extend(further.clone());
            let call = client.describe_instances().set_filters(Some(filters));
            let stream = call.max_results(1000).into_paginator().send();
            let reservations = Pages::new("describe the instances", stream).all().await?;
            for instance in reservations
                .iter()
                .flat_map(|reservation| reservation.instances())
            {
                let machine = convert(instance)?;
                machines.insert(machine.id.clone(), machine);
            }
        }
        Ok(machines)
    }
}

pub(super) fn convert(instance: &aws_sdk_ec2::types::Instance) -> Result<Machine> {
    let state = instance.state().and_then(|state| state.name());
    let tags = instance.tags().iter();
    Ok(Machine {
        id: instance
            .instance_id()
            .required("DescribeInstances", "InstanceId")?
            .to_owned(),
        state: state.map(|name| name.as_str().to_owned()),
        image: instance.image_id().map(str::to_owned),
        private_ip: instance.private_ip_address().map(str::to_owned),
        public_ip: instance.public_ip_address().map(str::to_owned),
        instance_type: instance.instance_type().map(|kind| kind.as_str().to_owned()),
        security_groups: instance
            .security_groups()
            .iter()
            .filter_map(|group| group.group_id().map(str::to_owned))
            .collect(),
        launched: time(instance.launch_time()),
        spot: instance
            .instance_lifecycle()
            .is_some_and(|lifecycle| lifecycle.as_str() == "spot"),
        tags: tags
            .filter_map(|tag| Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned())))
            .collect(),
    })
}
