//! Operations on rds.
