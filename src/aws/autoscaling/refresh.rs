//! Instance refreshes: started, cancelled, looked at.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use aws_sdk_autoscaling::types::{
    InstanceRefresh as SdkRefresh, RefreshPreferences, ScaleInProtectedInstances,
};

use super::super::Aws;
use super::super::convert::time;
use super::super::once::UnlessUnknown;
use super::super::operation::ShowPermit;
use crate::change::{Call, Permit, Repeated, parameters};
use crate::error::{CtlError, ErrorKind, Required as _, Result, from_sdk};

/// How many refreshes are looked at: the one under way is described first, and those of six weeks are kept.
const NEWEST: i32 = 20;

/// A refresh as it is on record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct InstanceRefresh {
    pub(crate) id: String,
    /// `Pending`, `InProgress`, `Successful`, `Failed`, `Cancelling`, `Cancelled`, `RollbackInProgress`, …
    pub(crate) status: String,
    pub(crate) reason: Option<String>,
    pub(crate) started: Option<Timestamp>,
    pub(crate) ended: Option<Timestamp>,
    /// Share of the instances that are replaced and warm.
    pub(crate) percent: Option<i32>,
    /// Instances that have not been taken out of service yet.
    pub(crate) to_update: Option<i32>,
    /// Ascending.
    pub(crate) checkpoints: Vec<i32>,
    pub(crate) warmup_seconds: Option<i32>,
}

impl InstanceRefresh {
    /// Whether nothing more happens.
    pub(crate) fn is_over(&self) -> bool {
        matches!(
            self.status.as_str(),
            "Successful" | "Failed" | "Cancelled" | "RollbackFailed" | "RollbackSuccessful"
        )
    }
}

impl Aws {
    /// The newest refreshes of a group, one under way first.
    pub(crate) async fn instance_refreshes(&self, group: &str) -> Result<Vec<InstanceRefresh>> {
        self.refreshes(group, None).await
    }

    /// One refresh of a group.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when the group has none of this id.
    pub(crate) async fn instance_refresh(&self, group: &str, id: &str) -> Result<InstanceRefresh> {
        let found = self.refreshes(group, Some(id)).await?;
        found.into_iter().find(|refresh| refresh.id == id).ok_or_else(|| {
            CtlError::new(
                ErrorKind::NotFound,
                format!("find instance refresh {id} of `{group}`: AWS does not list it"),
            )
        })
    }

    async fn refreshes(&self, group: &str, id: Option<&str>) -> Result<Vec<InstanceRefresh>> {
        let answer = self
            .autoscaling_client()
            .await?
            .describe_instance_refreshes()
            .auto_scaling_group_name(group)
            .set_instance_refresh_ids(id.map(|id| vec![id.to_owned()]))
            .max_records(NEWEST)
            .send()
            .await
            .map_err(|error| from_sdk(format!("read the instance refreshes of `{group}`"), &error))?;
        let found = answer
            .instance_refreshes
            .required("DescribeInstanceRefreshes", "InstanceRefreshes")?;
        found.iter().map(convert).collect()
    }
}

fn convert(refresh: &SdkRefresh) -> Result<InstanceRefresh> {
    const REQUEST: &str = "DescribeInstanceRefreshes";
    let preferences = refresh.preferences();
    Ok(InstanceRefresh {
        id: refresh
            .instance_refresh_id()
            .required(REQUEST, "InstanceRefreshId")?
            .to_owned(),
        status: refresh.status().required(REQUEST, "Status")?.as_str().to_owned(),
        reason: refresh.status_reason().map(str::to_owned),
        started: time(refresh.start_time()),
        ended: time(refresh.end_time()),
        percent: refresh.percentage_complete(),
        to_update: refresh.instances_to_update(),
        checkpoints: preferences
            .map(|preferences| preferences.checkpoint_percentages().to_vec())
            .unwrap_or_default(),
        warmup_seconds: preferences.and_then(RefreshPreferences::instance_warmup),
    })
}

/// What is done about instances that are protected from scale-in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ProtectedInstances {
    /// Wait for each to give its protection up, an hour at most
    #[default]
    Wait,
    /// Leave them as they are
    Ignore,
    /// Replace them like the others
    Replace,
}

impl ProtectedInstances {
    fn api(self) -> ScaleInProtectedInstances {
        match self {
            Self::Wait => ScaleInProtectedInstances::Wait,
            Self::Ignore => ScaleInProtectedInstances::Ignore,
            Self::Replace => ScaleInProtectedInstances::Refresh,
        }
    }
}

/// Replaces the instances of a group a few at a time, by what its launch template says now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StartInstanceRefresh {
    pub(crate) group: String,
    pub(crate) min_healthy: i32,
    pub(crate) warmup: i32,
    /// Ascending; empty for none.
    pub(crate) checkpoints: Vec<i32>,
    /// Seconds at each of them.
    pub(crate) checkpoint_delay: i32,
    pub(crate) skip_matching: bool,
    pub(crate) protected: ProtectedInstances,
    pub(crate) resource: String,
    pub(crate) loses: Option<crate::change::Loss>,
}

impl Call for StartInstanceRefresh {
    const SERVICE: &'static str = "autoscaling";
    const OPERATION: &'static str = "StartInstanceRefresh";
    /// While one is under way a second one is refused; afterwards everything would be replaced once more.
    const REPEATED: Repeated = Repeated::Twice;
    type Via = Aws;
    /// The id of the refresh.
    type Answer = String;

    fn parameters(&self) -> Map<String, Value> {
        let mut preferences = parameters([
            ("MinHealthyPercentage", self.min_healthy.into()),
            ("InstanceWarmup", self.warmup.into()),
            ("SkipMatching", self.skip_matching.into()),
            ("ScaleInProtectedInstances", self.protected.api().as_str().into()),
        ]);
        if !self.checkpoints.is_empty() {
            preferences.insert(
                "CheckpointPercentages".to_owned(),
                self.checkpoints.clone().into(),
            );
            preferences.insert("CheckpointDelay".to_owned(), self.checkpoint_delay.into());
        }
        parameters([
            ("AutoScalingGroupName", self.group.as_str().into()),
            ("Strategy", "Rolling".into()),
            ("Preferences", Value::Object(preferences)),
        ])
    }

    fn resource(&self) -> String {
        self.resource.clone()
    }

    fn loses(&self) -> Option<crate::change::Loss> {
        self.loses.clone()
    }

    async fn send(&self, aws: &Aws, permit: &Permit) -> Result<String> {
        let mut preferences = RefreshPreferences::builder()
            .min_healthy_percentage(self.min_healthy)
            .instance_warmup(self.warmup)
            .skip_matching(self.skip_matching)
            .scale_in_protected_instances(self.protected.api());
        if !self.checkpoints.is_empty() {
            preferences = preferences
                .set_checkpoint_percentages(Some(self.checkpoints.clone()))
                .checkpoint_delay(self.checkpoint_delay);
        }
        let answer = aws
            .autoscaling_client()
            .await?
            .start_instance_refresh()
            .auto_scaling_group_name(&self.group)
            .strategy(aws_sdk_autoscaling::types::RefreshStrategy::Rolling)
            .preferences(preferences.build())
            .customize()
            .config_override(aws_sdk_autoscaling::config::Builder::new().retry_classifier(UnlessUnknown))
            .interceptor(ShowPermit::new(permit))
            .send()
            .await
            .map_err(|error| from_sdk(format!("start an instance refresh of `{}`", self.group), &error))?;
        Ok(answer
            .instance_refresh_id()
            .required(Self::OPERATION, "InstanceRefreshId")?
            .to_owned())
    }
}

/// Ends the refresh that is under way; what is replaced stays replaced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CancelInstanceRefresh {
    pub(crate) group: String,
    pub(crate) resource: String,
}

impl Call for CancelInstanceRefresh {
    const SERVICE: &'static str = "autoscaling";
    const OPERATION: &'static str = "CancelInstanceRefresh";
    const REPEATED: Repeated = Repeated::Harmless;
    type Via = Aws;
    /// The id of the refresh that ends.
    type Answer = String;

    fn parameters(&self) -> Map<String, Value> {
        parameters([("AutoScalingGroupName", self.group.as_str().into())])
    }

    fn resource(&self) -> String {
        self.resource.clone()
    }

    async fn send(&self, aws: &Aws, permit: &Permit) -> Result<String> {
        let answer = aws
            .autoscaling_client()
            .await?
            .cancel_instance_refresh()
            .auto_scaling_group_name(&self.group)
            .customize()
            .interceptor(ShowPermit::new(permit))
            .send()
            .await
            .map_err(|error| from_sdk(format!("cancel the instance refresh of `{}`", self.group), &error))?;
        Ok(answer
            .instance_refresh_id()
            .required(Self::OPERATION, "InstanceRefreshId")?
            .to_owned())
    }
}

/// Holds a refresh where it is, or lets it go on: the process `InstanceRefresh` of the group is suspended or resumed
/// ("Suspend and resume Amazon EC2 Auto Scaling processes", EC2 Auto Scaling User Guide).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PauseRefresh {
    pub(crate) group: String,
    pub(crate) resource: String,
}

/// The other way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct GoOnWithRefresh {
    pub(crate) group: String,
    pub(crate) resource: String,
}

/// The process that replaces instances in refreshes.
pub(crate) const REFRESH_PROCESS: &str = "InstanceRefresh";

/// Parameters, requests and answers of the two are alike; [`Call`] has one operation for each type.
macro_rules! process {
    ($call:ident, $operation:literal, $method:ident, $doing:literal) => {
        impl Call for $call {
            const SERVICE: &'static str = "autoscaling";
            const OPERATION: &'static str = $operation;
            const REPEATED: Repeated = Repeated::Harmless;
            type Via = Aws;
            type Answer = ();

            fn parameters(&self) -> Map<String, Value> {
                parameters([
                    ("AutoScalingGroupName", self.group.as_str().into()),
                    ("ScalingProcesses", vec![REFRESH_PROCESS].into()),
                ])
            }

            fn resource(&self) -> String {
                self.resource.clone()
            }

            async fn send(&self, aws: &Aws, permit: &Permit) -> Result<()> {
                aws.autoscaling_client()
                    .await?
                    .$method()
                    .auto_scaling_group_name(&self.group)
                    .scaling_processes(REFRESH_PROCESS)
                    .customize()
                    .interceptor(ShowPermit::new(permit))
                    .send()
                    .await
                    .map_err(|error| from_sdk(format!(concat!($doing, " of `{}`"), self.group), &error))?;
                Ok(())
            }
        }
    };
}

process!(
    PauseRefresh,
    "SuspendProcesses",
    suspend_processes,
    "hold the instance refresh"
);
process!(
    GoOnWithRefresh,
    "ResumeProcesses",
    resume_processes,
    "go on with the instance refresh"
);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn checkpoints_come_with_their_delay_or_not_at_all() {
        let call = |checkpoints: &[i32]| StartInstanceRefresh {
            group: "g".to_owned(),
            min_healthy: 90,
            warmup: 300,
            checkpoints: checkpoints.to_vec(),
            checkpoint_delay: 600,
            skip_matching: false,
            protected: ProtectedInstances::Replace,
            resource: String::new(),
            loses: None,
        };
        let none = call(&[]).parameters()["Preferences"].clone();
        assert_eq!(
            none,
            json!({"MinHealthyPercentage": 90, "InstanceWarmup": 300, "SkipMatching": false, "ScaleInProtectedInstances": "Refresh"})
        );
        let some = call(&[50, 100]).parameters()["Preferences"].clone();
        assert_eq!(
            (&some["CheckpointPercentages"], &some["CheckpointDelay"]),
            (&json!([50, 100]), &json!(600))
        );
    }
}
