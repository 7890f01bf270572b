//! Why a decision is what it is, as small values that cost nothing until they are put into words.

use serde::Serialize;

use crate::alarm::{AlarmState, Verdict};
use crate::policy::Answer;
use crate::state::Process;

/// One step on the way to a decision. Alarms and policies are positions in the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "reason")]
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
    /// No alarm wants anything.
    Quiet,
}

/// What the scale-to-zero function does when the queue-empty alarm is in `ALARM`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum ZeroOutcome {
    /// Sets the desired capacity to zero.
    SetToZero,
    /// Lowers the desired capacity to the workers that still hold a job.
    Drain {
        /// How many.
        to: u32,
    },
    /// Nothing: it is zero already.
    AlreadyZero,
    /// Nothing: the alarm notified it when it went to `ALARM`, and does so once only.
    NotNotified,
    /// Nothing: a safe option, or the group itself, forbids it.
    Held {
        /// What.
        guard: Guard,
    },
}

/// What keeps the fleet from zero.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "guard")]
pub enum Guard {
    /// Jobs wait.
    QueuedJobs {
        /// How many.
        jobs: f64,
    },
    /// Nobody knows whether jobs wait.
    QueueUnknown,
    /// Workers hold jobs.
    ActiveWorkers {
        /// How many.
        workers: u32,
    },
    /// Nobody knows whether workers hold jobs.
    WorkersUnknown,
    /// Points of the metric are missing.
    Silent {
        /// How many of those that the alarm needs.
        missing: usize,
    },
    /// `SetDesiredCapacity` refuses less than the minimum.
    BelowMinimum {
        /// The minimum.
        min: u32,
    },
}
