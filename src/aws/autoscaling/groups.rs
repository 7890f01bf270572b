//! DescribeAutoScalingGroups.

use std::collections::BTreeMap;

use aws_sdk_autoscaling::types::{
    AutoScalingGroup, Instance as SdkInstance, LaunchTemplateSpecification, LifecycleState,
    WarmPoolConfiguration, WarmPoolState,
};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde::{Deserialize, Serialize};

use super::super::Aws;
use super::super::pages::Pages;
use crate::error::{CtlError, Required as _, Result, from_sdk};

/// "The default value is 50 and the maximum value is 100" (Auto Scaling API Reference, MaxRecords).
const PAGE: i32 = 100;

const REQUEST: &str = "DescribeAutoScalingGroups";

/// A group as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) min: u32,
    pub(crate) max: u32,
    pub(crate) desired: u32,
    pub(crate) instances: Vec<Instance>,
    /// Instance types of the mixed instances policy, in order of preference.
    pub(crate) instance_types: Vec<String>,
    /// Name and version (a number, `$Latest` or `$Default`) of the launch template in force.
    pub(crate) launch_template: Option<(String, String)>,
    /// Seconds until a new instance counts in the group's metrics.
    pub(crate) default_warmup_seconds: Option<u32>,
    /// Process and reason.
    pub(crate) suspended: Vec<(String, String)>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) zones: Vec<String>,
    /// Whether Spot Instances at risk are replaced ahead of their interruption.
    pub(crate) capacity_rebalance: bool,
    /// Whether instances above the base capacity are Spot Instances, all or some of them.
    pub(crate) spot: bool,
    /// Seconds that simple scaling policies without a cooldown of their own wait.
    pub(crate) default_cooldown_seconds: Option<i32>,
    /// The group is on its way out.
    pub(crate) deleting: bool,
    pub(crate) features: Features,
}

/// What not every group has and what changes when its instances come and go.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Features {
    /// On-Demand Instances below the Spot Instances.
    pub(crate) on_demand_base: u32,
    /// Of a group with Spot Instances, the share of On-Demand Instances above that base, in percent.
    pub(crate) on_demand_percent: u32,
    /// Instance types count for more than one.
    pub(crate) weights: bool,
    pub(crate) warm_pool: Option<WarmPool>,
}

/// `WarmPoolConfiguration`: instances that are prepared beside the group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WarmPool {
    pub(crate) min: u32,
    /// Group and pool together; without it the group's maximum.
    pub(crate) max_prepared: Option<u32>,
    /// `Stopped`, `Running` or `Hibernated`.
    pub(crate) state: String,
    pub(crate) reuse_on_scale_in: bool,
    /// The pool is on its way out.
    pub(crate) deleting: bool,
}

/// One instance of a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Instance {
    pub(crate) id: String,
    pub(crate) instance_type: Option<String>,
    pub(crate) zone: Option<String>,
    /// As AWS says it, e.g. `Terminating:Wait`.
    pub(crate) state: String,
    pub(crate) phase: Phase,
    pub(crate) healthy: bool,
    /// Protected from scale-in.
    pub(crate) protected: bool,
    pub(crate) image: Option<String>,
    pub(crate) launch_template_version: Option<String>,
}

/// What an instance's lifecycle state means for the capacity of its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Phase {
    /// On its way in.
    Pending,
    InService,
    /// Kept aside, by an operator or in a warm pool.
    Standby,
    /// On its way out, or gone.
    Terminating,
}

impl Phase {
    /// "Amazon EC2 Auto Scaling instance lifecycle" (EC2 Auto Scaling User Guide).
    fn of(state: &LifecycleState) -> Self {
        match state {
            LifecycleState::Pending | LifecycleState::PendingWait | LifecycleState::PendingProceed => {
                Self::Pending
            }
            LifecycleState::Terminating
            | LifecycleState::TerminatingWait
            | LifecycleState::TerminatingProceed
            | LifecycleState::TerminatingRetained
            | LifecycleState::Terminated
            | LifecycleState::Detaching
            | LifecycleState::Detached => Self::Terminating,
            LifecycleState::EnteringStandby | LifecycleState::Standby => Self::Standby,
            state if state.as_str().starts_with("Warmed") => Self::Standby,
            // Root volume replacement and whatever comes next: the machine runs.
            _ => Self::InService,
        }
    }
}

impl Group {
    /// Instances that serve.
    pub(crate) fn in_service(&self) -> usize {
        self.count(Phase::InService)
    }

    /// Instances that are there or on their way in.
    pub(crate) fn staying(&self) -> impl Iterator<Item = &Instance> + Clone {
        let stays = |instance: &&Instance| instance.phase != Phase::Terminating;
        self.instances.iter().filter(stays)
    }

    /// Whether a process of scaling is suspended, e.g. `Terminate`.
    pub(crate) fn is_suspended(&self, process: &str) -> bool {
        self.suspended.iter().any(|(name, _)| name == process)
    }

    /// Minimum, maximum and desired capacity.
    pub(crate) fn size(&self) -> (u32, u32, u32) {
        (self.min, self.max, self.desired)
    }

    /// Instances of a phase.
    pub(crate) fn count(&self, phase: Phase) -> usize {
        self.instances
            .iter()
            .filter(|instance| instance.phase == phase)
            .count()
    }
}

impl Aws {
    /// Every group of the region.
    pub(crate) async fn groups(&self) -> Result<Vec<Group>> {
        let stream = self
            .autoscaling_client()
            .await?
            .describe_auto_scaling_groups()
            .max_records(PAGE)
            .into_paginator()
            .send();
        let found = Pages::new("list the Auto Scaling groups", stream).all().await?;
        found.iter().map(convert).collect()
    }

    /// The groups of these names, a hundred per call; those that do not exist are not among the answers.
    pub(crate) async fn groups_named(&self, names: &[String]) -> Result<Vec<Group>> {
        let client = self.autoscaling_client().await?;
        let batches: Vec<_> = stream::iter(names.chunks(PAGE as usize).map(<[String]>::to_vec))
            .map(|batch| {
                let call = client
                    .describe_auto_scaling_groups()
                    .set_auto_scaling_group_names(Some(batch))
                    .max_records(PAGE);
                async move {
                    call.send()
                        .await
                        .map_err(|error| from_sdk("describe Auto Scaling groups", &error))
                }
            })
            .buffer_unordered(4)
            .try_collect()
            .await?;
        let mut groups = Vec::with_capacity(names.len());
        for batch in batches {
            for group in batch.auto_scaling_groups.required(REQUEST, "AutoScalingGroups")? {
                groups.push(convert(&group)?);
            }
        }
        Ok(groups)
    }
}

/// Sizes of a group are never negative.
fn size(value: Option<i32>, member: &str) -> Result<u32> {
    u32::try_from(value.required(REQUEST, member)?)
        .map_err(|_| CtlError::missing_in_response(REQUEST, member))
}

fn convert(group: &AutoScalingGroup) -> Result<Group> {
    let mixed = group
        .mixed_instances_policy()
        .and_then(|policy| policy.launch_template());
    let template = mixed
        .and_then(|template| template.launch_template_specification())
        .or(group.launch_template());
    Ok(Group {
        name: group
            .auto_scaling_group_name()
            .required(REQUEST, "AutoScalingGroupName")?
            .to_owned(),
        min: size(group.min_size(), "MinSize")?,
        max: size(group.max_size(), "MaxSize")?,
        desired: size(group.desired_capacity(), "DesiredCapacity")?,
        instances: group.instances().iter().map(instance).collect::<Result<_>>()?,
        instance_types: mixed
            .map(|template| template.overrides())
            .unwrap_or_default()
            .iter()
            .filter_map(|choice| choice.instance_type().map(str::to_owned))
            .collect(),
        launch_template: template.and_then(launch_template),
        default_warmup_seconds: group
            .default_instance_warmup()
            .and_then(|seconds| u32::try_from(seconds).ok()),
        suspended: group
            .suspended_processes()
            .iter()
            .filter_map(|process| {
                let reason = process.suspension_reason().unwrap_or_default();
                Some((process.process_name()?.to_owned(), reason.to_owned()))
            })
            .collect(),
        tags: group
            .tags()
            .iter()
            .filter_map(|tag| Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned())))
            .collect(),
        zones: group.availability_zones().to_vec(),
        capacity_rebalance: group.capacity_rebalance().unwrap_or(false),
        // "The default value is 100": On-Demand only (API Reference, InstancesDistribution).
        spot: group
            .mixed_instances_policy()
            .and_then(|policy| policy.instances_distribution())
            .and_then(|distribution| distribution.on_demand_percentage_above_base_capacity())
            .is_some_and(|percentage| percentage < 100),
        default_cooldown_seconds: group.default_cooldown(),
        deleting: group.status().is_some(),
        features: features(group),
    })
}

fn features(group: &AutoScalingGroup) -> Features {
    let policy = group.mixed_instances_policy();
    let distribution = policy.and_then(|policy| policy.instances_distribution());
    let count = |value: Option<i32>| value.and_then(|value| u32::try_from(value).ok());
    let overrides = policy
        .and_then(|policy| policy.launch_template())
        .map(|template| template.overrides())
        .unwrap_or_default();
    Features {
        on_demand_base: count(distribution.and_then(|it| it.on_demand_base_capacity())).unwrap_or(0),
        on_demand_percent: count(distribution.and_then(|it| it.on_demand_percentage_above_base_capacity()))
            .unwrap_or(0),
        weights: overrides
            .iter()
            .any(|choice| choice.weighted_capacity().is_some_and(|weight| weight != "1")),
        warm_pool: group.warm_pool_configuration().map(warm_pool),
    }
}

fn warm_pool(pool: &WarmPoolConfiguration) -> WarmPool {
    let count = |value: Option<i32>| value.and_then(|value| u32::try_from(value).ok());
    WarmPool {
        min: count(pool.min_size()).unwrap_or(0),
        // "To remove a value that you previously set, include the property but specify -1" (API Reference, PutWarmPool).
        max_prepared: count(pool.max_group_prepared_capacity()),
        // "Default is Stopped" (API Reference, PutWarmPool).
        state: pool
            .pool_state()
            .map_or("Stopped", WarmPoolState::as_str)
            .to_owned(),
        reuse_on_scale_in: pool
            .instance_reuse_policy()
            .and_then(|policy| policy.reuse_on_scale_in())
            .unwrap_or(false),
        deleting: pool.status().is_some(),
    }
}

fn launch_template(template: &LaunchTemplateSpecification) -> Option<(String, String)> {
    let name = template
        .launch_template_name()
        .or(template.launch_template_id())?;
    // "If the value is not specified, the default version is used" (API Reference, LaunchTemplateSpecification).
    Some((
        name.to_owned(),
        template.version().unwrap_or("$Default").to_owned(),
    ))
}

fn instance(instance: &SdkInstance) -> Result<Instance> {
    let state = instance.lifecycle_state().required(REQUEST, "LifecycleState")?;
    Ok(Instance {
        id: instance.instance_id().required(REQUEST, "InstanceId")?.to_owned(),
        instance_type: instance.instance_type().map(str::to_owned),
        zone: instance.availability_zone().map(str::to_owned),
        state: state.as_str().to_owned(),
        phase: Phase::of(state),
        healthy: instance.health_status() != Some("Unhealthy"),
        protected: instance.protected_from_scale_in().unwrap_or(false),
        image: instance.image_id().map(str::to_owned),
        launch_template_version: instance
            .launch_template()
            .and_then(|template| template.version().map(str::to_owned)),
    })
}
