//! Files of this machine: hashed with all cores, read in parts.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use futures::{StreamExt as _, TryStreamExt as _, stream};

use super::meter::Meter;
use crate::bundle::{Hasher, Sha256};
use crate::error::{CtlError, ErrorKind, Result};
use crate::files::{Links, open_regular};

/// Read at once; a small part of the cache of one core.
const BLOCK: usize = 256 * 1024;

/// Hashed between two reports of how far it is.
const STRETCH: u64 = 64 * 1024 * 1024;

/// The largest object of S3 (Amazon S3 User Guide, "Uploading objects": 5 TB; the newer limit of 50 TB is not in every
/// region).
const LARGEST: u64 = 5_000_000_000_000;

/// A file as it was when it was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Local {
    pub(super) path: PathBuf,
    /// The last part of the path.
    pub(super) name: String,
    pub(super) size: u64,
    modified: Option<SystemTime>,
}

fn trouble(path: &Path, error: &std::io::Error) -> CtlError {
    CtlError::new(ErrorKind::Usage, format!("read `{}`", path.display())).source(error)
}

fn open(path: &Path) -> Result<File> {
    open_regular(path, OpenOptions::new().read(true), Links::Follow).map_err(|error| trouble(path, &error))
}

impl Local {
    /// # Errors
    /// A path that is no regular file, an empty file, a name that cannot be kept.
    pub(super) fn look(cwd: &Path, path: &Path) -> Result<Self> {
        let path = cwd.join(path);
        let found = open(&path)?.metadata().map_err(|error| trouble(&path, &error))?;
        let refused = |why: &str| CtlError::usage(format!("upload `{}`: {why}", path.display()));
        if found.len() == 0 {
            return Err(refused("it is empty"));
        }
        if found.len() > LARGEST {
            return Err(refused("it has more than 5 TB, and S3 takes no larger object"));
        }
        // It becomes a header, a path on a node and a word of a manifest.
        let name = path.file_name().and_then(|name| name.to_str());
        let plain = |name: &&str| {
            name.bytes()
                .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'"'))
        };
        let Some(name) = name.filter(plain) else {
            return Err(
                refused("its name has blanks, quotes or letters outside ASCII").hint("rename the file")
            );
        };
        Ok(Self {
            name: name.to_owned(),
            size: found.len(),
            modified: found.modified().ok(),
            path,
        })
    }

    /// Whether the file is still as it was.
    ///
    /// # Errors
    /// It has another size or was written to.
    pub(super) fn check(&self) -> Result<()> {
        let found = open(&self.path)?
            .metadata()
            .map_err(|error| trouble(&self.path, &error))?;
        if found.len() == self.size && found.modified().ok() == self.modified {
            return Ok(());
        }
        Err(CtlError::new(
            ErrorKind::Changed,
            format!(
                "upload `{}`: the file was written to after it was hashed",
                self.path.display()
            ),
        )
        .hint("run the command again when nothing writes to it any more"))
    }

    /// The bytes from `offset` on, `length` of them.
    pub(super) async fn part(&self, offset: u64, length: u64) -> Result<Vec<u8>> {
        let path = self.path.clone();
        blocking(&self.path, move || {
            let mut file = open(&path)?;
            let mut bytes = vec![0; usize::try_from(length).unwrap_or_default()];
            file.seek(SeekFrom::Start(offset))
                .and_then(|_| file.read_exact(&mut bytes))
                .map_err(|error| trouble(&path, &error))?;
            Ok(bytes)
        })
        .await
    }

    /// The digest of the whole file.
    async fn digest(&self, meter: &Meter<'_>) -> Result<Sha256> {
        let mut file = open(&self.path)?;
        let mut hasher = Hasher::new();
        let mut done = 0;
        loop {
            let path = self.path.clone();
            let (back, hashed, read) = blocking(&self.path, move || {
                let mut block = vec![0; BLOCK];
                let mut read = 0_u64;
                while read < STRETCH {
                    let length = file.read(&mut block).map_err(|error| trouble(&path, &error))?;
                    if length == 0 {
                        break;
                    }
                    hasher.update(block.get(..length).unwrap_or_default());
                    read += length as u64;
                }
                Ok((file, hasher, read))
            })
            .await?;
            (file, hasher) = (back, hashed);
            done += read;
            meter.add(read);
            if read < STRETCH {
                break;
            }
        }
        if done != self.size {
            return self.check().and(Err(CtlError::new(
                ErrorKind::Changed,
                format!(
                    "hash `{}`: it ends after {done} of {} bytes",
                    self.path.display(),
                    self.size
                ),
            )));
        }
        Ok(hasher.finish())
    }
}

async fn blocking<T: Send + 'static>(
    path: &Path,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        CtlError::new(ErrorKind::Unexpected, format!("read `{}`", path.display())).source(&error)
    })?
}

/// The digest of each file, as many files at once as there are cores.
pub(super) async fn digests(files: &[Local], meter: &Meter<'_>) -> Result<Vec<Sha256>> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    stream::iter(files)
        .map(|file| file.digest(meter))
        .buffered(cores)
        .try_collect()
        .await
}
