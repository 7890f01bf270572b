//! A way to the sessions of a simulated account in this process.

use std::fmt;
use std::sync::Arc;

use tokio::io::DuplexStream;

/// Opens connections to the sessions of a simulated account.
#[derive(Clone)]
pub struct Dial(Arc<dyn Fn() -> DuplexStream + Send + Sync>);

impl Dial {
    /// Opens them by `open`.
    pub fn new(open: impl Fn() -> DuplexStream + Send + Sync + 'static) -> Self {
        Self(Arc::new(open))
    }

    /// A new connection.
    pub(crate) fn open(&self) -> DuplexStream {
        (self.0)()
    }
}

impl fmt::Debug for Dial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dial").finish_non_exhaustive()
    }
}
