//! EC2 Auto Scaling of queue-driven fleets as a pure library.
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
//! Read a fleet, ask what works against itself, and search for the cheapest one that keeps the wait short. Here the
//! group renders frames; metrics have any name, and `publishes` says which of them a simulated fleet knows.
//!
//! ```
//! # use std::{error::Error, time::Duration};
//! # use fleet_scaling::{config::FleetConfig, lint, simulate::Arrivals, tune, tune::{Objective, Space}};
//! # fn main() -> Result<(), Box<dyn Error>> {
//! # let file = r#"
//! # max = 6
//! # publishes = [
//! #     { metric = "FramesToRender", signal = "depth" },
//! #     { metric = "FramesPerRenderer", signal = "backlog" },
//! # ]
//! # [jobs]
//! # protect_busy = true
//! # [[instance_types]]
//! # name = "c7g.large"
//! # hourly_price = 0.0725
//! # [[policies]]
//! # type = "step"
//! # name = "first"
//! # adjustment_type = "ChangeInCapacity"
//! # steps = [{ lower = 0, adjustment = 1 }]
//! # alarm = { metric = "FramesToRender", statistic = "Maximum", comparison = "GreaterThanThreshold", threshold = 0 }
//! # [[policies]]
//! # type = "target-tracking"
//! # name = "frames-per-renderer"
//! # metric = "FramesPerRenderer"
//! # target = 4
//! # "#;
//! let config: FleetConfig = toml::from_str(file)?;
//! for finding in lint(&config) {
//!     println!("{}: {}; {}", finding.field, finding.problem, finding.fix);
//! }
//! let day = Duration::from_secs(86_400);
//! let jobs: Arrivals = "daily:2..40/h".parse()?;
//! let goal = Objective::wait_p95(Duration::from_secs(600));
//! let found = tune(&config, &jobs, day, &[1, 2], &goal, &Space::around(config.spec()))?;
//! if let (Some(best), Some(held_out)) = (found.best, found.held_out) {
//!     println!("{:?} for {:.2} $, p95 {:.0} s", best.choice, best.cost, held_out.wait_p95_bound_seconds);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! A group that an Amazon SQS queue drives: `ApproximateNumberOfMessagesVisible` counts the messages that wait and not
//! those in flight, and the backlog per instance is metric math, as in "Scaling policy based on Amazon SQS" of the Auto
//! Scaling User Guide.
//!
//! ```
//! # use std::time::Duration;
//! use fleet_scaling::tune::{Objective, Space};
//! use fleet_scaling::{Moment, config::FleetConfig, explain, lint, metrics::Metrics, state::FleetState, tune};
//!
//! let config: FleetConfig = toml::from_str(r#"
//!     min = 1
//!     max = 6
//!     publishes = [
//!         { metric = "ApproximateNumberOfMessagesVisible", signal = "depth" },
//!         { metric = "GroupInServiceInstances", signal = "workers" },
//!     ]
//!     [jobs]
//!     protect_busy = true
//!     [[instance_types]]
//!     name = "c7g.large"
//!     hourly_price = 0.0725
//!     [[policies]]
//!     type = "target-tracking"
//!     name = "backlog-per-instance"
//!     target = 4
//!     [policies.metric]
//!     expression = "m1 / m2"
//!     inputs.m1 = { metric = "ApproximateNumberOfMessagesVisible", statistic = "Sum" }
//!     inputs.m2 = { metric = "GroupInServiceInstances" }
//! "#)?;
//! let metrics = Metrics::new()
//!     .with("ApproximateNumberOfMessagesVisible", [Some(20.0); 20])
//!     .with("GroupInServiceInstances", [Some(2.0); 20]);
//! // Twenty messages for two instances are ten for each, where four are wanted: five instances.
//! let why = explain(&config, &FleetState::settled(2), &metrics, Moment(0));
//! assert_eq!(why.last().unwrap(), "the desired capacity goes from 2 to 5");
//!
//! // Nothing in it works against itself, and the cheapest one that keeps the wait short is a search like any other.
//! assert_eq!(lint(&config), []);
//! let (day, goal) = (Duration::from_secs(86_400), Objective::wait_p95(Duration::from_secs(600)));
//! let found = tune(&config, &"poisson:60/h".parse()?, day, &[1, 2], &goal, &Space::around(config.spec()))?;
//! let best = found.best.expect("a fleet that keeps the wait short");
//! assert!(best.cost <= found.current.cost);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A fleet is a [`config::FleetSpec`], which a TOML or JSON file carries, checked into a
//! [`config::FleetConfig`]. Nothing here reads a clock, the network or a file: the present is always an
//! argument, and randomness comes from a seed.

pub mod alarm;
pub mod config;
pub mod decide;
pub mod explain;
pub mod lint;
pub mod metrics;
pub mod policy;
pub mod replay;
pub mod scale_to_zero;
#[cfg(feature = "schemars")]
mod schema;
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
