//! bpctl.
