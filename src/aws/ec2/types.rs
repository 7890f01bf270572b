//! DescribeInstanceTypes: which processors instance types have.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{Filter, InstanceType};

use super::super::Aws;
use super::BATCH;
use crate::error::{Required as _, Result, from_sdk};

impl Aws {
    /// The architectures of the images that each of these instance types starts; a type that EC2 does not know is left
    /// out.
    pub(crate) async fn architectures(&self, types: &[String]) -> Result<BTreeMap<String, Vec<String>>> {
        let client = self.ec2_client().await?;
        let mut found = BTreeMap::new();
        for batch in types.chunks(BATCH) {
            // By a filter: one type that does not exist would be an error for all of them.
            let answer = client
                .describe_instance_types()
                .filters(
                    Filter::builder()
                        .name("instance-type")
                        .set_values(Some(batch.to_vec()))
                        .build(),
                )
                .send()
                .await
                .map_err(|error| from_sdk("describe instance types", &error))?;
            for kind in answer.instance_types() {
                let name = kind
                    .instance_type()
                    .map(InstanceType::as_str)
                    .required("DescribeInstanceTypes", "InstanceType")?;
                let processor = kind.processor_info();
                let all = processor.map(|processor| processor.supported_architectures());
                let all = all.unwrap_or_default().iter();
                let all = all.map(|architecture| architecture.as_str().to_owned());
                found.insert(name.to_owned(), all.collect());
            }
        }
        Ok(found)
    }
}
