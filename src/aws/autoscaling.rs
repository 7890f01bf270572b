//! Operations on autoscaling.
