//! Operations on ssm.
