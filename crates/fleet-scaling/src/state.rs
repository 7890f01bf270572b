//! What is known of a fleet at one moment, apart from its metrics.

use serde::{Deserialize, Serialize};

use crate::Moment;
use crate::alarm::AlarmState;

/// The processes of an Auto Scaling group that matter here and can be suspended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum Process {
    /// Adds instances.
    Launch,
    /// Removes instances.
    Terminate,
    /// Listens to alarms.
    AlarmNotification,
}

impl Process {
    /// The name in the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Launch => "Launch",
            Self::Terminate => "Terminate",
            Self::AlarmNotification => "AlarmNotification",
        }
    }
}

/// Which processes are suspended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Suspended {
    /// No instance is added.
    pub launch: bool,
    /// No instance is removed.
    pub terminate: bool,
    /// No alarm is listened to.
    pub alarm_notification: bool,
}

/// The group and its workers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct FleetState {
    /// The desired capacity.
    pub desired: u32,
    /// Instances that are there or on their way, without those that are going.
    pub running: u32,
    /// How many of them have not finished their warm-up.
    pub warming: u32,
    /// How many have been asked for and are not in service yet: a scaling activity is in progress.
    pub launching: u32,
    /// Instances that are on their way out.
    pub terminating: u32,
    /// Instances with scale-in protection.
    pub protected: u32,
    /// Spot Instances with a rebalance recommendation.
    pub at_risk: u32,
    /// What `QueueDepth` counts, right now: jobs that wait, or are not done. Without it the newest
    /// `QueueDepth` counts.
    pub queued: Option<u64>,
    /// Workers that hold a job right now. Without it the newest `ActiveWorkers` less the newest
    /// `AvailableCapacity` counts, which can be too low when workers run several jobs at once.
    pub busy: Option<u32>,
    /// Suspended processes.
    pub suspended: Suspended,
    /// When the last scaling activity ended: its last instance was launched or terminated.
    pub cooldown_began: Option<Moment>,
    /// The state of each of the configuration's alarms a minute ago, by position. Alarms without one
    /// count as `INSUFFICIENT_DATA`, as a new alarm does.
    pub alarms: Vec<AlarmState>,
}

impl FleetState {
    /// A settled group with `desired` warm instances.
    #[must_use]
    pub fn settled(desired: u32) -> Self {
        Self {
            desired,
            running: desired,
            ..Self::default()
        }
    }

    /// The state of the alarm at `position` a minute ago.
    #[must_use]
    pub fn alarm(&self, position: usize) -> AlarmState {
        self.alarms.get(position).copied().unwrap_or_default()
    }
}
