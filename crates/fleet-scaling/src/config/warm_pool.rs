//! A group's warm pool, as it is written down.

use serde::{Deserialize, Serialize};

use super::error::{ConfigError, Problem};
use super::spec::FleetSpec;

/// A warm pool: instances that are prepared beside the group, for its next launches.
///
/// EC2 Auto Scaling User Guide, "Decrease latency for applications with long boot times using warm pools", and the API
/// Reference, `PutWarmPool`. Instances of the pool are not part of the desired capacity and take no jobs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct WarmPoolSpec {
    /// `MinSize`: the pool holds so many instances at least.
    pub min: i64,
    /// `MaxGroupPreparedCapacity`: group and pool together come to so many. Without it, to the group's maximum.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_prepared: Option<i64>,
    /// What instances of the pool do.
    pub state: PoolState,
    /// Whether a scale-in returns instances to the pool instead of terminating them.
    pub reuse_on_scale_in: bool,
    /// From the request for an instance of the pool until it is `InService`. AWS does not publish it. Without it,
    /// nothing for a running instance, and for one that must be started `cold_start.request_seconds`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_seconds: Option<f64>,
}

/// `PoolState`: what the prepared instances do while they wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum PoolState {
    /// They are stopped: volumes and addresses cost, hours do not.
    #[default]
    Stopped,
    /// They run, and cost as much as those of the group.
    Running,
    /// They are hibernated: as stopped, with their memory kept on the volume.
    Hibernated,
}

impl WarmPoolSpec {
    /// How many instances the pool holds beside a group of `desired` with the maximum `max`.
    ///
    /// "Amazon EC2 Auto Scaling launches and maintains the difference between the group's maximum capacity and its
    /// desired capacity"; with `MaxGroupPreparedCapacity`, "the difference between the `MaxGroupPreparedCapacity` and the
    /// desired capacity instead"; where that is nothing, 0 "unless you specify a value for `MinSize`".
    #[must_use]
    pub fn size(&self, desired: u32, max: u32) -> u32 {
        let count = |value: i64| u32::try_from(value).unwrap_or(0);
        let prepared = self.max_prepared.map_or(max, count);
        prepared.saturating_sub(desired).max(count(self.min))
    }

    /// Whether instances of the pool cost hours while they wait.
    #[must_use]
    pub fn runs(&self) -> bool {
        self.state == PoolState::Running
    }
}

/// "Decrease latency for applications with long boot times using warm pools" had among its limitations: "You cannot add a
/// warm pool to Auto Scaling groups that have a mixed instances policy or that launch Spot Instances." Today's page of
/// `PutWarmPool` names no such limit. What a pool of Spot Instances does is documented nowhere, so none is modelled.
pub(super) fn spot(spec: &FleetSpec) -> Result<(), ConfigError> {
    if spec.warm_pool.is_some() && spec.instance_types.iter().any(|kind| kind.spot.is_some()) {
        return Err(ConfigError::new("warm_pool", Problem::WarmPoolOfSpot));
    }
    Ok(())
}
