//! The bpctl binary.
fn main() {}
