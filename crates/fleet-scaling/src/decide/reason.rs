//! Why a decision is what it is, as small values that cost nothing until they are put into words.

use serde::Serialize;

use crate::alarm::{AlarmState, Verdict};
use crate::policy::Answer;
use crate::scale_to_zero::ZeroOutcome;
use crate::state::Process;

/// One step on the way to a decision. Alarms and policies are positions in the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", tag = "reason")]
#[non_exhaustive]
pub enum Reason {
    /// An alarm was evaluated.
    Alarm {
        /// Which.
        alarm: usize,
        /// Its state a minute ago.
        before: AlarmState,
        /// Its state now, and how many points made it.
        verdict: Verdict,
        /// The newest data point among those looked at.
        value: Option<f64>,
    },
    /// An alarm in `ALARM` invoked its policy.
    Answered {
        /// Which policy.
        policy: usize,
        /// Which alarm.
        alarm: usize,
        /// What the policy wants, before any bounds.
        answer: Answer,
        /// The data point that it answers.
        value: Option<f64>,
    },
    /// Several policies answered, and this one has the largest capacity.
    Wins {
        /// Which policy.
        policy: usize,
        /// What it wants, before any bounds.
        capacity: u32,
    },
    /// The bounds of the group changed what was wanted.
    Clamped {
        /// What was wanted.
        wanted: u32,
        /// What the bounds allow.
        to: u32,
    },
    /// The queue-empty alarm is in `ALARM`.
    ScaleToZero {
        /// What the function does.
        outcome: ZeroOutcome,
    },
    /// A suspended process keeps the group from acting.
    Suspended {
        /// Which.
        process: Process,
    },
    /// Instances with scale-in protection stay.
    Protected {
        /// How many.
        instances: u32,
    },
    /// Replacements run next to the instances they replace.
    Rebalance {
        /// Instances with a rebalance recommendation.
        at_risk: u32,
        /// Replacements that are launched ahead.
        ahead: u32,
    },
    /// A part that is not modelled may move the desired capacity.
    NotModelled {
        /// Its position in [`FleetConfig::not_modelled`](crate::config::FleetConfig::not_modelled).
        part: usize,
    },
    /// No alarm wants anything.
    Quiet,
}
