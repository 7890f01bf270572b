//! CreateImage: an image of an instance.

use aws_sdk_ec2::types::ResourceType;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::super::Aws;
use super::super::operation::ShowPermit;
use super::run::tagged;
use crate::change::{Call, Later, Permit, Repeated, parameters};
use crate::error::{Required as _, Result, from_sdk};

/// Makes an image of an instance and of its volumes. An instance that runs is shut down and started again for it; one that
/// is stopped stays so (EC2 User Guide, "Create an Amazon EBS-backed AMI"). The image is `pending` at first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CreateImage {
    pub(crate) instance: Later,
    /// Belongs to one image of the account: the request is refused when an image has it (`InvalidAMIName.Duplicate`), so
    /// that a second one cannot make a second image. 3 to 128 characters.
    pub(crate) name: String,
    pub(crate) description: String,
    /// For the image and its snapshots.
    pub(crate) tags: Vec<(String, String)>,
    /// What is changed, for locks.
    pub(crate) resource: String,
}

impl Call for CreateImage {
    const SERVICE: &'static str = "ec2";
    const OPERATION: &'static str = "CreateImage";
    const REPEATED: Repeated = Repeated::Recognised;
    const VOLATILE: &'static [&'static str] = &["Name", "TagSpecifications"];
    type Via = Aws;
    /// The id of the image.
    type Answer = String;

    fn parameters(&self) -> Map<String, Value> {
        let tags = self.tags.iter();
        let tags: Vec<Value> = tags
            .map(|(key, value)| json!({"Key": key, "Value": value}))
            .collect();
        parameters([
            ("InstanceId", self.instance.parameter()),
            ("Name", self.name.as_str().into()),
            ("Description", self.description.as_str().into()),
            (
                "TagSpecifications",
                json!([
                    {"ResourceType": "image", "Tags": tags},
                    {"ResourceType": "snapshot", "Tags": tags},
                ]),
            ),
        ])
    }

    fn resource(&self) -> String {
        self.resource.clone()
    }

    async fn send(&self, aws: &Aws, permit: &Permit) -> Result<String> {
        let id = self.instance.known()?;
        let answer = aws
            .ec2_client()
            .await?
            .create_image()
            .instance_id(id)
            .name(&self.name)
            .description(&self.description)
            .tag_specifications(tagged(ResourceType::Image, &self.tags))
            .tag_specifications(tagged(ResourceType::Snapshot, &self.tags))
            .customize()
            .interceptor(ShowPermit::new(permit))
            .send()
            .await
            .map_err(|error| from_sdk(format!("create an image of {id}"), &error))?;
        Ok(answer.image_id().required(Self::OPERATION, "ImageId")?.to_owned())
    }
}
