//! Where a backup is: a folder of this machine, or a prefix of a bucket.

use std::path::{Path, PathBuf};

use super::folder;
use super::manifest::SavedBucket;
use crate::context::Ctx;
use crate::error::{CtlError, ErrorKind, Result};
use crate::files::read_regular;

/// The file that makes a backup of what lies beside it; it is written last.
pub(in crate::commands) const MANIFEST: &str = "manifest.json";

/// Parameters and secrets, encrypted.
pub(in crate::commands) const SECRETS: &str = "secrets.age";

/// The folder of the buckets' objects.
pub(super) const BUCKETS: &str = "buckets";

/// A manifest has a line for each parameter, and no value.
const MANIFEST_LIMIT: u64 = 16 * 1024 * 1024;

/// Secrets Manager and Parameter Store hold at most 64 KiB each, and an account has some hundreds.
const SECRETS_LIMIT: u64 = 64 * 1024 * 1024;

/// Where a backup is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::commands) enum Place {
    Folder {
        path: PathBuf,
        /// As it was typed.
        given: String,
    },
    Bucket {
        bucket: String,
        /// Without a slash at its ends; empty for the whole bucket.
        prefix: String,
    },
}

impl Place {
    /// `DIR` or `s3://BUCKET/PREFIX`.
    ///
    /// # Errors
    /// Neither.
    pub(in crate::commands) fn parse(cwd: &Path, given: &str) -> Result<Self> {
        let Some(address) = given.strip_prefix("s3://") else {
            if given.is_empty() || given.contains("://") {
                return Err(CtlError::usage(format!(
                    "use `{given}` as the place of a backup: it is neither a folder nor `s3://BUCKET/PREFIX`"
                )));
            }
            return Ok(Self::Folder {
                path: cwd.join(given),
                given: given.to_owned(),
            });
        };
        let (bucket, prefix) = address.split_once('/').unwrap_or((address, ""));
        // Amazon S3 User Guide, "General purpose bucket naming rules".
        let letters = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte);
        if !(3..=63).contains(&bucket.len()) || !bucket.bytes().all(letters) {
            return Err(CtlError::usage(format!(
                "use `{given}` as the place of a backup: `{bucket}` is no name of a bucket"
            )));
        }
        let prefix = prefix.trim_matches('/');
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/!-_.*'()".contains(&byte);
        if !prefix.bytes().all(is_plain) {
            return Err(CtlError::usage(format!(
                "use `{given}` as the place of a backup: a prefix has letters, digits and `/!-_.*'()`"
            )));
        }
        Ok(Self::Bucket {
            bucket: bucket.to_owned(),
            prefix: prefix.to_owned(),
        })
    }

    /// As it is typed.
    pub(in crate::commands) fn shown(&self) -> String {
        match self {
            Self::Folder { given, .. } => given.clone(),
            Self::Bucket { bucket, prefix } if prefix.is_empty() => format!("s3://{bucket}"),
            Self::Bucket { bucket, prefix } => format!("s3://{bucket}/{prefix}"),
        }
    }

    /// What of the objects of a bucket lies under no key, for the filters of the aws tool.
    pub(in crate::commands) fn no_keys(&self) -> &'static [&'static str] {
        match self {
            Self::Folder { .. } => &folder::NO_KEYS,
            Self::Bucket { .. } => &[],
        }
    }

    /// How many objects of a bucket a folder has under digests instead of their keys, if that can be read, and the list of
    /// their keys.
    pub(in crate::commands) fn under_digests(&self, bucket: &SavedBucket) -> Option<(Option<u64>, String)> {
        let (Self::Folder { path, given }, Some((list, _))) = (self, &bucket.list) else {
            return None;
        };
        let count = folder::under_digests(&path.join(list)).ok();
        Some((count, format!("{}/{list}", given.trim_end_matches('/'))))
    }

    /// The key of a part of the backup below a prefix.
    pub(super) fn key(prefix: &str, part: &str) -> String {
        if prefix.is_empty() {
            part.to_owned()
        } else {
            format!("{prefix}/{part}")
        }
    }

    /// The manifest; `None` when there is no backup.
    ///
    /// # Errors
    /// What cannot be read.
    pub(in crate::commands) async fn manifest(&self, ctx: &Ctx) -> Result<Option<Vec<u8>>> {
        self.read(ctx, MANIFEST, MANIFEST_LIMIT).await
    }

    /// The encrypted parameters and secrets, if they are there.
    ///
    /// # Errors
    /// What cannot be read.
    pub(in crate::commands) async fn secrets(&self, ctx: &Ctx) -> Result<Option<Vec<u8>>> {
        self.read(ctx, SECRETS, SECRETS_LIMIT).await
    }

    async fn read(&self, ctx: &Ctx, part: &str, limit: u64) -> Result<Option<Vec<u8>>> {
        match self {
            Self::Folder { path, given } => match read_regular(&path.join(part), limit) {
                Ok(bytes) => Ok(Some(bytes)),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
                Err(error) => {
                    Err(CtlError::new(ErrorKind::Failed, format!("read `{given}/{part}`")).source(&error))
                }
            },
            Self::Bucket { bucket, prefix } => {
                ctx.aws
                    .small_object(bucket, &Self::key(prefix, part), limit)
                    .await
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_folder_or_a_prefix_of_a_bucket() {
        let parse = |given: &str| Place::parse(Path::new("/home"), given);
        let shown = |given: &str| parse(given).map(|place| place.shown()).unwrap();
        assert_eq!(shown("s3://my-bucket"), "s3://my-bucket");
        assert_eq!(shown("s3://my-bucket//a/b/"), "s3://my-bucket/a/b");
        assert_eq!(shown("before"), "before");
        let path = |given: &str| match parse(given) {
            Ok(Place::Folder { path, .. }) => path,
            other => panic!("{other:?}"),
        };
        assert_eq!(path("before"), Path::new("/home/before"));
        assert_eq!(path("/before"), Path::new("/before"));
        for wrong in [
            "",
            "s3://",
            "s3://A",
            "s3://x_y/a",
            "https://x/y",
            "s3://my-bucket/a b",
        ] {
            assert_eq!(parse(wrong).unwrap_err().kind(), ErrorKind::Usage, "{wrong}");
        }
        assert_eq!(Place::key("", "a"), "a");
        assert_eq!(Place::key("p/q", "a"), "p/q/a");
    }
}
