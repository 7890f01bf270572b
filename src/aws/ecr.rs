//! Operations on ecr.
