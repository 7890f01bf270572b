//! Whether a bucket is there.

use super::super::Aws;
use super::status;
use crate::error::{CtlError, ErrorKind, Result, from_sdk};

impl Aws {
    /// Whether the account has a bucket of this name.
    ///
    /// # Errors
    /// S3 does not let the caller look, or the name is another account's.
    pub(crate) async fn has_bucket(&self, bucket: &str) -> Result<bool> {
        let doing = || format!("look for bucket {bucket}");
        let client = self.s3_client().await?;
        match client.head_bucket().bucket(bucket).send().await {
            Ok(_) => Ok(true),
            Err(error) if status(&error) == Some(404) => Ok(false),
            // An answer to HEAD has no body that could say more.
            Err(error) if status(&error) == Some(403) => Err(CtlError::new(
                ErrorKind::AccessDenied,
                format!("{}: S3 answers 403 Forbidden", doing()),
            )
            .hint("looking needs `s3:ListBucket`; S3 answers the same for a bucket of another account")),
            Err(error) => Err(from_sdk(doing(), &error)),
        }
    }
}
