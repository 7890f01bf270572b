//! SetInstanceProtection and TerminateInstanceInAutoScalingGroup: single instances of a group.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::super::Aws;
use super::super::operation::ShowPermit;
use super::Group;
use crate::change::{Call, Loss, Permit, Repeated, parameters};
use crate::error::{Required as _, Result, from_sdk};

/// Instances that one request may name ("up to 50 instances at a time", API reference, SetInstanceProtection).
pub(crate) const PROTECTED_AT_ONCE: usize = 50;

/// Sets whether scale-in leaves instances alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SetInstanceProtection {
    pub(crate) group: String,
    /// At most [`PROTECTED_AT_ONCE`].
    pub(crate) instances: Vec<String>,
    pub(crate) protected: bool,
    /// What is changed, for locks, e.g. `asg/production/gpu-default`.
    pub(crate) resource: String,
}

impl SetInstanceProtection {
    /// Those of its instances that are in the group and not so.
    pub(crate) fn left<'a>(&'a self, group: &'a Group) -> impl Iterator<Item = &'a str> {
        let others = |id: &str| {
            let mut instances = group.instances.iter();
            instances.any(|one| one.id == id && one.protected != self.protected)
        };
        let ids = self.instances.iter().map(String::as_str);
        ids.filter(move |id| others(id))
    }
}

impl Call for SetInstanceProtection {
    const SERVICE: &'static str = "autoscaling";
    const OPERATION: &'static str = "SetInstanceProtection";
    const REPEATED: Repeated = Repeated::Harmless;
    type Via = Aws;
    /// The group as it is afterwards.
    type Answer = Group;

    fn parameters(&self) -> Map<String, Value> {
        parameters([
            ("AutoScalingGroupName", self.group.as_str().into()),
            ("InstanceIds", self.instances.clone().into()),
            ("ProtectedFromScaleIn", self.protected.into()),
        ])
    }

    fn resource(&self) -> String {
        self.resource.clone()
    }

    async fn send(&self, aws: &Aws, permit: &Permit) -> Result<Group> {
        aws.autoscaling_client()
            .await?
            .set_instance_protection()
            .auto_scaling_group_name(&self.group)
            .set_instance_ids(Some(self.instances.clone()))
            .protected_from_scale_in(self.protected)
            .customize()
            .interceptor(ShowPermit::new(permit))
            .send()
            .await
            .map_err(|error| {
                from_sdk(
                    format!("set the protection of instances of `{}`", self.group),
                    &error,
                )
            })?;
        aws.group(&self.group).await
    }
}

/// Terminates one instance of a group, protected or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TerminateInstance {
    pub(crate) instance: String,
    /// The group does not start another one in its place.
    pub(crate) decrement: bool,
    /// What is changed, for locks, e.g. `asg/production/gpu-default`.
    pub(crate) resource: String,
    pub(crate) loses: Option<Loss>,
}

impl Call for TerminateInstance {
    const SERVICE: &'static str = "autoscaling";
    const OPERATION: &'static str = "TerminateInstanceInAutoScalingGroup";
    /// An instance is terminated once.
    const REPEATED: Repeated = Repeated::Harmless;
    type Via = Aws;
    /// Id of the activity.
    type Answer = String;

    fn parameters(&self) -> Map<String, Value> {
        parameters([
            ("InstanceId", self.instance.as_str().into()),
            ("ShouldDecrementDesiredCapacity", self.decrement.into()),
        ])
    }

    fn resource(&self) -> String {
        self.resource.clone()
    }

    fn loses(&self) -> Option<Loss> {
        self.loses.clone()
    }

    async fn send(&self, aws: &Aws, permit: &Permit) -> Result<String> {
        let answer = aws
            .autoscaling_client()
            .await?
            .terminate_instance_in_auto_scaling_group()
            .instance_id(&self.instance)
            .should_decrement_desired_capacity(self.decrement)
            .customize()
            .interceptor(ShowPermit::new(permit))
            .send()
            .await
            .map_err(|error| from_sdk(format!("terminate the instance `{}`", self.instance), &error))?;
        let activity = answer.activity().and_then(|activity| activity.activity_id());
        Ok(activity
            .required(Self::OPERATION, "Activity.ActivityId")?
            .to_owned())
    }
}
