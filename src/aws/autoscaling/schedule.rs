//! DescribeScheduledActions and DescribeLifecycleHooks: what changes a group beside its policies, and what delays
//! its instances.

use std::collections::BTreeMap;

use aws_sdk_autoscaling::types::{LifecycleHook as SdkHook, ScheduledUpdateGroupAction};

use super::super::Aws;
use super::super::pages::Pages;
use crate::error::{Required as _, Result, from_sdk};

/// "The default value is 50 and the maximum value is 100" (Auto Scaling API Reference, DescribeScheduledActions).
const PAGE: i32 = 100;

/// A scheduled action that has not run, or has not reached its end time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ScheduledAction {
    pub(crate) group: String,
    pub(crate) name: String,
    /// In cron's format; without it the action runs once.
    pub(crate) recurrence: Option<String>,
    /// UTC without it.
    pub(crate) time_zone: Option<String>,
    /// Whether it has a start or an end.
    pub(crate) bounded: bool,
    pub(crate) min: Option<i32>,
    pub(crate) max: Option<i32>,
    pub(crate) desired: Option<i32>,
}

/// A lifecycle hook of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LifecycleHook {
    pub(crate) name: String,
    /// `autoscaling:EC2_INSTANCE_LAUNCHING` or `autoscaling:EC2_INSTANCE_TERMINATING`.
    pub(crate) transition: String,
    pub(crate) timeout_seconds: Option<i32>,
    /// What the end of the timeout means: `CONTINUE` or `ABANDON`.
    pub(crate) default_result: Option<String>,
}

impl Aws {
    /// The scheduled actions by group: those of one group, or of every group of the region.
    pub(crate) async fn scheduled_actions(
        &self,
        group: Option<&str>,
    ) -> Result<BTreeMap<String, Vec<ScheduledAction>>> {
        let stream = self
            .autoscaling_client()
            .await?
            .describe_scheduled_actions()
            .set_auto_scaling_group_name(group.map(str::to_owned))
            .max_records(PAGE)
            .into_paginator()
            .send();
        let mut actions: BTreeMap<String, Vec<ScheduledAction>> = BTreeMap::new();
        for action in Pages::new("read the scheduled actions", stream).all().await? {
            let action = scheduled_action(&action)?;
            actions.entry(action.group.clone()).or_default().push(action);
        }
        Ok(actions)
    }

    /// The lifecycle hooks of a group: the API has no call for several groups.
    pub(crate) async fn lifecycle_hooks(&self, group: &str) -> Result<Vec<LifecycleHook>> {
        let answer = self
            .autoscaling_client()
            .await?
            .describe_lifecycle_hooks()
            .auto_scaling_group_name(group)
            .send()
            .await
            .map_err(|error| from_sdk("read the lifecycle hooks", &error))?;
        answer.lifecycle_hooks().iter().map(lifecycle_hook).collect()
    }
}

fn scheduled_action(action: &ScheduledUpdateGroupAction) -> Result<ScheduledAction> {
    const REQUEST: &str = "DescribeScheduledActions";
    Ok(ScheduledAction {
        group: action
            .auto_scaling_group_name()
            .required(REQUEST, "AutoScalingGroupName")?
            .to_owned(),
        name: action
            .scheduled_action_name()
            .required(REQUEST, "ScheduledActionName")?
            .to_owned(),
        recurrence: action.recurrence().map(str::to_owned),
        time_zone: action.time_zone().map(str::to_owned),
        bounded: action.start_time().is_some() || action.end_time().is_some(),
        min: action.min_size(),
        max: action.max_size(),
        desired: action.desired_capacity(),
    })
}

fn lifecycle_hook(hook: &SdkHook) -> Result<LifecycleHook> {
    const REQUEST: &str = "DescribeLifecycleHooks";
    Ok(LifecycleHook {
        name: hook
            .lifecycle_hook_name()
            .required(REQUEST, "LifecycleHookName")?
            .to_owned(),
        transition: hook
            .lifecycle_transition()
            .required(REQUEST, "LifecycleTransition")?
            .to_owned(),
        timeout_seconds: hook.heartbeat_timeout(),
        default_result: hook.default_result().map(str::to_owned),
    })
}
