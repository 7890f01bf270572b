//! SetDesiredCapacity, with the answer read back.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::super::Aws;
use super::super::operation::ShowPermit;
use super::Group;
use crate::change::{Call, Loss, Permit, Repeated, parameters};
use crate::error::{CtlError, ErrorKind, Result, from_sdk};

impl Aws {
    /// The group of this name.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when there is none.
    pub(crate) async fn group(&self, name: &str) -> Result<Group> {
        let found = self.groups_named(&[name.to_owned()]).await?;
        found.into_iter().next().ok_or_else(|| {
            CtlError::new(
                ErrorKind::NotFound,
                format!("find the Auto Scaling group `{name}`: there is none of this name"),
            )
        })
    }
}

/// Asks for a number of instances whatever the cooldown says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SetDesiredCapacity {
    pub(crate) group: String,
    pub(crate) desired: u32,
    /// What is changed, for locks, e.g. `asg/production/gpu-default`.
    pub(crate) resource: String,
    pub(crate) loses: Option<Loss>,
}

impl Call for SetDesiredCapacity {
    const SERVICE: &'static str = "autoscaling";
    const OPERATION: &'static str = "SetDesiredCapacity";
    const REPEATED: Repeated = Repeated::Harmless;
    type Via = Aws;
    /// The group as it is afterwards; scaling policies may already have changed it again.
    type Answer = Group;

    fn parameters(&self) -> Map<String, Value> {
        parameters([
            ("AutoScalingGroupName", self.group.as_str().into()),
            ("DesiredCapacity", self.desired.into()),
            ("HonorCooldown", false.into()),
        ])
    }

    fn resource(&self) -> String {
        self.resource.clone()
    }

    fn loses(&self) -> Option<Loss> {
        self.loses.clone()
    }

    async fn send(&self, aws: &Aws, permit: &Permit) -> Result<Group> {
        let Self { group, desired, .. } = self;
        let doing = || format!("set the desired capacity of `{group}` to {desired}");
        aws.autoscaling_client()
            .await?
            .set_desired_capacity()
            .auto_scaling_group_name(group)
            .desired_capacity(
                i32::try_from(*desired)
                    .map_err(|error| CtlError::new(ErrorKind::Usage, doing()).source(&error))?,
            )
            .honor_cooldown(false)
            .customize()
            .interceptor(ShowPermit::new(permit))
            .send()
            .await
            .map_err(|error| from_sdk(doing(), &error))?;
        aws.group(group).await
    }
}

/// Sets minimum, maximum and desired capacity of a group; what is `None` stays as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ResizeGroup {
    pub(crate) group: String,
    pub(crate) min: Option<u32>,
    pub(crate) max: Option<u32>,
    pub(crate) desired: Option<u32>,
    /// What is changed, for locks, e.g. `asg/production/gpu-default`.
    pub(crate) resource: String,
    pub(crate) loses: Option<Loss>,
}

impl ResizeGroup {
    /// Whether the group has the numbers that are set.
    pub(crate) fn is_kept(&self, group: &Group) -> bool {
        self.min.is_none_or(|min| group.min == min)
            && self.max.is_none_or(|max| group.max == max)
            && self.desired.is_none_or(|desired| group.desired == desired)
    }
}

impl Call for ResizeGroup {
    const SERVICE: &'static str = "autoscaling";
    const OPERATION: &'static str = "UpdateAutoScalingGroup";
    const REPEATED: Repeated = Repeated::Harmless;
    type Via = Aws;
    /// The group as it is afterwards; scaling policies may already have changed it again.
    type Answer = Group;

    fn parameters(&self) -> Map<String, Value> {
        let mut members = parameters([("AutoScalingGroupName", self.group.as_str().into())]);
        for (name, value) in [
            ("MinSize", self.min),
            ("MaxSize", self.max),
            ("DesiredCapacity", self.desired),
        ] {
            if let Some(value) = value {
                members.insert(name.to_owned(), value.into());
            }
        }
        members
    }

    fn resource(&self) -> String {
        self.resource.clone()
    }

    fn loses(&self) -> Option<Loss> {
        self.loses.clone()
    }

    async fn send(&self, aws: &Aws, permit: &Permit) -> Result<Group> {
        let doing = || format!("change the size of `{}`", self.group);
        let number = |value: Option<u32>| {
            value
                .map(i32::try_from)
                .transpose()
                .map_err(|error| CtlError::new(ErrorKind::Usage, doing()).source(&error))
        };
        aws.autoscaling_client()
            .await?
            .update_auto_scaling_group()
            .auto_scaling_group_name(&self.group)
            .set_min_size(number(self.min)?)
            .set_max_size(number(self.max)?)
            .set_desired_capacity(number(self.desired)?)
            .customize()
            .interceptor(ShowPermit::new(permit))
            .send()
            .await
            .map_err(|error| from_sdk(doing(), &error))?;
        aws.group(&self.group).await
    }
}
