//! EC2 Auto Scaling of queue-driven GPU fleets as a pure library.
//!
//! CloudWatch alarm evaluation, the scaling policies of EC2 Auto Scaling and a scale-to-zero rule, each
//! as AWS documents it, and what can be asked of a fleet that is made of them:
//!
//! * [`decide()`] and [`explain()`]: what happens now, and why;
//! * [`lint()`]: what in a configuration works against itself, with simulated consequences;
//! * [`simulate()`]: waits, lost jobs, instance hours and cost over days and years;
//! * [`replay()`]: whether a real group did what its policies asked for;
//! * [`tune()`]: the cheapest configuration that keeps the wait short.
//!
//! A fleet is a [`config::FleetSpec`], which a TOML or JSON file carries, checked into a
//! [`config::FleetConfig`]. Nothing here reads a clock, the network or a file: the present is always an
//! argument, and randomness comes from a seed.

pub mod alarm;
pub mod config;
pub mod decide;
pub mod explain;
pub mod fleet;
pub mod lint;
pub mod metrics;
pub mod policy;
pub mod replay;
pub mod scale_to_zero;
pub mod simulate;
pub mod state;
mod time;
pub mod tune;
pub mod unknown;

pub use decide::decide;
pub use explain::explain;
pub use lint::lint;
pub use replay::replay;
pub use simulate::simulate;
pub use time::Moment;
pub use tune::tune;

/// The examples of the README are tested.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
