//! The Session Manager protocol: how a shell or a port in a container is reached through AWS Systems Manager.
//!
//! The messages, the channel with its sequence numbers and acknowledgements, and the multiplexing of ports are
//! plain state without input or output; the driver moves them over a WebSocket. The facts come from the public
//! sources of AWS' own two ends: the client `session-manager-plugin` and the agent `amazon-ssm-agent`.

mod channel;
#[cfg(test)]
mod channel_tests;
mod content;
mod driver;
mod message;
pub(crate) mod mux;
mod talk;
mod timing;
pub(crate) mod wrapper;
#[cfg(all(test, unix))]
mod wrapper_tests;

pub(crate) use channel::{Event, Refusal};
pub(crate) use content::{Flag, PortForwarding};
pub(crate) use driver::{Command, Link};
pub(crate) use message::Uuid;
pub(crate) use talk::{Talk, Turn};
