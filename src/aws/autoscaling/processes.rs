//! SuspendProcesses and ResumeProcesses, with the answer read back ("Suspend and resume Amazon EC2 Auto Scaling
//! processes", EC2 Auto Scaling User Guide).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::super::Aws;
use super::super::operation::ShowPermit;
use super::Group;
use crate::change::{Call, Permit, Repeated, parameters};
use crate::error::{Result, from_sdk};

/// Stops processes of a group, e.g. `AlarmNotification`; those that are stopped already stay so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SuspendProcesses {
    pub(crate) group: String,
    /// Never empty: a request without names means all processes.
    pub(crate) processes: Vec<String>,
    /// What is changed, for locks, e.g. `asg/production/gpu-default`.
    pub(crate) resource: String,
}

/// Lets processes of a group work again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ResumeProcesses {
    pub(crate) group: String,
    /// Never empty: a request without names means all processes.
    pub(crate) processes: Vec<String>,
    pub(crate) resource: String,
}

/// Parameters, requests and answers of the two are alike; [`Call`] has one operation for each type.
macro_rules! processes {
    ($call:ident, $method:ident, $doing:literal) => {
        impl Call for $call {
            const SERVICE: &'static str = "autoscaling";
            const OPERATION: &'static str = stringify!($call);
            const REPEATED: Repeated = Repeated::Harmless;
            type Via = Aws;
            /// The group as it is afterwards.
            type Answer = Group;

            fn parameters(&self) -> Map<String, Value> {
                parameters([
                    ("AutoScalingGroupName", self.group.as_str().into()),
                    ("ScalingProcesses", self.processes.clone().into()),
                ])
            }

            fn resource(&self) -> String {
                self.resource.clone()
            }

            async fn send(&self, aws: &Aws, permit: &Permit) -> Result<Group> {
                aws.autoscaling_client()
                    .await?
                    .$method()
                    .auto_scaling_group_name(&self.group)
                    .set_scaling_processes(Some(self.processes.clone()))
                    .customize()
                    .interceptor(ShowPermit::new(permit))
                    .send()
                    .await
                    .map_err(|error| from_sdk(format!(concat!($doing, " of `{}`"), self.group), &error))?;
                aws.group(&self.group).await
            }
        }
    };
}

processes!(SuspendProcesses, suspend_processes, "suspend processes");
processes!(ResumeProcesses, resume_processes, "resume processes");
