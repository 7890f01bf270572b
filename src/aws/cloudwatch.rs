//! Operations on cloudwatch.
