//! What can be wrong with a fleet's configuration, always with the field it is about.

use crate::policy::InvalidSteps;

/// A field of a configuration has a value that makes no sense.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("`{field}` {problem}")]
pub struct ConfigError {
    /// Where, as a path: `instance_types[1].hourly_price`.
    pub field: String,
    /// What is wrong with it.
    pub problem: Problem,
}

impl ConfigError {
    pub(crate) fn new(field: impl Into<String>, problem: Problem) -> Self {
        Self {
            field: field.into(),
            problem,
        }
    }
}

/// What is wrong with a value.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// NaN or infinite.
    #[error("is not a finite number")]
    NotFinite,
    /// Less than zero.
    #[error("is {value}, and may not be negative")]
    Negative {
        /// The value.
        value: f64,
    },
    /// Zero or less where something is needed.
    #[error("is {value}, and must be more than 0")]
    NotPositive {
        /// The value.
        value: f64,
    },
    /// More than is possible.
    #[error("is {value}, and may be {most} at most")]
    TooLarge {
        /// The value.
        value: f64,
        /// The largest possible one.
        most: f64,
    },
    /// The bounds of the group are the wrong way round.
    #[error("is {min}, more than `max`, which is {max}")]
    MinAboveMax {
        /// `min`.
        min: i64,
        /// `max`.
        max: i64,
    },
    /// A list or a name that must not be empty.
    #[error("is empty")]
    Empty,
    /// Two things have the same name.
    #[error("repeats the name `{name}`")]
    Repeated {
        /// The name.
        name: String,
    },
    /// No price is known for this type, and none is given.
    #[error("is `{name}`, whose price is not known: give its `hourly_price`")]
    UnknownInstanceType {
        /// The type.
        name: String,
    },
    /// A zone that the fleet does not use.
    #[error("is `{name}`, which is none of `zones`")]
    UnknownZone {
        /// The zone.
        name: String,
    },
    /// Nothing tells whether the queue is empty.
    #[error("watches the depth of the queue, and `publishes` names no metric with the signal `depth`")]
    NoDepth,
    /// Alarm periods are whole minutes.
    #[error("is {value}, and must be a multiple of 60")]
    NotWholeMinutes {
        /// Seconds.
        value: f64,
    },
    /// A high-resolution alarm.
    #[error("is {value}: high-resolution alarms are not modelled, only periods of whole minutes")]
    HighResolution {
        /// Seconds.
        value: f64,
    },
    /// The time of a scheduled action.
    #[error("is `{recurrence}`, which {why}")]
    Recurrence {
        /// As it is written.
        recurrence: String,
        /// What is wrong with it.
        why: String,
    },
    /// A scheduled action without effect.
    #[error("sets none of `min`, `max` and `desired`")]
    NoSize,
    /// The action of a lifecycle hook does not end in time.
    #[error("is {value}, longer than the hook's timeout, {timeout}")]
    LongerThanTimeout {
        /// Seconds.
        value: f64,
        /// Seconds.
        timeout: f64,
    },
    /// A warm pool of Spot Instances.
    #[error("stands beside Spot Instances: what AWS does with a warm pool of them is not documented")]
    WarmPoolOfSpot,
    /// The steps of a step policy contradict each other.
    #[error("is invalid: {0}")]
    Steps(#[from] InvalidSteps),
}
