//! DescribeInstances: what EC2 knows of the machines of Auto Scaling groups.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::Filter;
use jiff::Timestamp;

use super::super::Aws;
use super::super::convert::time;
use super::super::pages::Pages;
use super::BATCH;
use crate::error::{Required as _, Result};

/// A machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Machine {
    pub(crate) id: String,
    /// `pending`, `running`, `shutting-down`, `terminated`, `stopping` or `stopped`.
    pub(crate) state: Option<String>,
    pub(crate) image: Option<String>,
    pub(crate) private_ip: Option<String>,
    pub(crate) launched: Option<Timestamp>,
    /// A Spot Instance.
    pub(crate) spot: bool,
    pub(crate) tags: BTreeMap<String, String>,
}

impl Aws {
    /// The machines of these ids; those that EC2 has forgotten are left out.
    pub(crate) async fn machines(&self, ids: &[String]) -> Result<BTreeMap<String, Machine>> {
        let client = self.ec2_client().await?;
        let mut machines = BTreeMap::new();
        for batch in ids.chunks(BATCH) {
            // By a filter: one id that does not exist would be an error for all of them.
            let filter = Filter::builder()
                .name("instance-id")
                .set_values(Some(batch.to_vec()))
                .build();
            let stream = client
                .describe_instances()
                .filters(filter)
                .max_results(1000)
                .into_paginator()
                .send();
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

fn convert(instance: &aws_sdk_ec2::types::Instance) -> Result<Machine> {
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
        launched: time(instance.launch_time()),
        spot: instance
            .instance_lifecycle()
            .is_some_and(|lifecycle| lifecycle.as_str() == "spot"),
        tags: tags
            .filter_map(|tag| Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned())))
            .collect(),
    })
}
