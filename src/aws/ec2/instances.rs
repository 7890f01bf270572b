//! DescribeInstances: what runs on the machines of the fleets.

use aws_sdk_ec2::types::{Filter, InstanceLifecycleType};
use jiff::Timestamp;

use super::super::Aws;
use super::super::convert::time;
use super::BATCH;
use crate::error::{Required as _, Result, from_sdk};

/// A virtual machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Machine {
    pub(crate) id: String,
    /// Auto Scaling does not say it of instances that are made after the launch template alone.
    pub(crate) image: Option<String>,
    pub(crate) spot: bool,
    pub(crate) launched: Option<Timestamp>,
}

impl Aws {
    /// The machines of these ids, two hundred a call; those that EC2 does not know (any more) are left out.
    pub(crate) async fn machines(&self, ids: &[String]) -> Result<Vec<Machine>> {
        const REQUEST: &str = "DescribeInstances";
        let client = self.ec2_client().await?;
        let mut found = Vec::with_capacity(ids.len());
        for batch in ids.chunks(BATCH) {
            // By a filter: one id that does not exist would be an error for all of them. So many fit on a page.
            let answer = client
                .describe_instances()
                .filters(
                    Filter::builder()
                        .name("instance-id")
                        .set_values(Some(batch.to_vec()))
                        .build(),
                )
                .send()
                .await
                .map_err(|error| from_sdk("describe instances", &error))?;
            for instance in answer.reservations().iter().flat_map(|one| one.instances()) {
                found.push(Machine {
                    id: instance.instance_id().required(REQUEST, "InstanceId")?.to_owned(),
                    image: instance.image_id().map(str::to_owned),
                    spot: instance.instance_lifecycle() == Some(&InstanceLifecycleType::Spot),
                    launched: time(instance.launch_time()),
                });
            }
        }
        Ok(found)
    }
}
