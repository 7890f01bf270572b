//! A simulated AWS account with the platform in it.
//!
//! One state ([`World`]), one virtual clock, one seed: the same calls at the same simulated times
//! always get the same answers. Two transports lead to the same state: in process as the AWS SDK's HTTP
//! client, and a loopback HTTP listener for the `aws` command line or any other SDK.

mod application;
mod error;
mod fault;
mod iam;
mod ids;
mod options;
mod sandbox;
mod scenario;
mod seed;
mod service;
mod session;
mod time;
pub mod transport;
mod wire;
mod world;

pub use application::media::MediaTrouble;
pub use error::{ApiError, OpResult};
pub use fault::{Fault, FaultRule};
pub use iam::check_policy;
pub use options::{FleetSeed, Layout, OPERATOR_ROLE, Options, VIEWER_ROLE};
pub use sandbox::Sandbox;
pub use scenario::{Scenario, UnknownScenario};
pub use service::{Access, Service};
pub use session::SessionTrouble;
pub use time::SimTime;
pub use wire::{Call, Delivery, Live};
pub use world::{HISTORY, World};
