//! Operations on logs.
