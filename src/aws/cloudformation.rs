//! Operations on cloudformation.
