//! How requests reach a sandbox: in process, as the HTTP client of an AWS SDK, and over a loopback socket.

mod client;
pub(crate) mod clock;
mod control;
mod listener;
mod live;
mod origin;
mod remote;

pub use clock::Pace;
pub use listener::{ServeOptions, Server, Stopper, TOKEN_HEADER, serve};
pub use remote::Remote;
