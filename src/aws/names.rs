//! What the resolver of this machine says of a name.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::Aws;
use crate::error::{CtlError, ErrorKind, Result};

impl Aws {
    /// The addresses of `host`; none when there is no such name.
    ///
    /// # Errors
    /// When the resolver does not answer. In a sandbox there is none: its names are not those of the world.
    pub(crate) async fn addresses(&self, host: &str) -> Result<BTreeSet<IpAddr>> {
        let doing = format!("resolve {host}");
        if self.settings.is_sandbox() || self.is_simulated() {
            let why = format!("{doing}: a sandbox has hosted zones, and no resolver beside them");
            return Err(CtlError::new(ErrorKind::Unreachable, why));
        }
        match tokio::net::lookup_host((host, 443)).await {
            Ok(found) => Ok(found.map(|address| address.ip()).collect()),
            Err(error) => Err(CtlError::new(ErrorKind::Unreachable, doing).source(&error)),
        }
    }
}
