//! EC2 Auto Scaling of queue-driven GPU fleets as a pure library.
//!
//! CloudWatch alarm evaluation, the scaling policies of EC2 Auto Scaling and the platform's
//! scale-to-zero rule, each as AWS documents it. Nothing here reads a clock, the network or a file:
//! the present is always an argument.

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

pub use decide::decide;
pub use explain::explain;
pub use lint::lint;
pub use replay::replay;
pub use simulate::simulate;
pub use time::Moment;
pub use tune::tune;
