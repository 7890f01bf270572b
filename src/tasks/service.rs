//! The service whose task definition and network a one-off task takes.

use crate::aws::Aws;
use crate::aws::ecs::Service;
use crate::error::{CtlError, ErrorKind, Hint, Result};

/// A service of the platform, which must be there.
///
/// # Errors
/// [`ErrorKind::NotFound`] when there is no such service or cluster, with the way to see why.
pub(crate) async fn service(aws: &Aws, cluster: &str, name: &str) -> Result<Service> {
    match aws.service(cluster, name).await {
        Ok(Some(service)) => Ok(service),
        Ok(None) => Err(CtlError::new(
            ErrorKind::NotFound,
            format!("find service {name} in cluster {cluster}: there is none"),
        )
        .hint(Hint::not_deployed())),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(error.hint(Hint::not_deployed())),
        Err(error) => Err(error),
    }
}
