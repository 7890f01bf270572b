//! Operations on sns.
