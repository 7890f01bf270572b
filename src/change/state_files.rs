//! Files of this machine's state folder. The folder is the owner's alone, every file in it is a regular
//! file, and none is read beyond a bound: a journal or a lock may have been replaced by anything.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;

use crate::error::{CtlError, ErrorKind, Result};
use crate::files::{Links, open_regular, read_own};

/// Creates a folder that only its owner can enter, with those above it.
pub(super) fn create_private(folder: &Path) -> Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(folder)
        .map_err(|error| failed("create", folder, &error))
}

/// Opens a file for reading and writing, or makes it.
///
/// # Errors
/// Anything but a regular file.
pub(super) fn open(path: &Path, create_new: bool) -> Result<File> {
    let mut options = OpenOptions::new();
    options
        .read(true)
        .write(true)
        .truncate(false)
        .create(!create_new)
        .create_new(create_new);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    open_regular(path, &mut options, Links::Refuse).map_err(|error| failed("open", path, &error))
}

/// The text of a file of at most `limit` bytes; `None` when there is no such file.
///
/// # Errors
/// Anything but a regular file, and a file that is longer.
pub(super) fn read_bounded(path: &Path, limit: u64) -> Result<Option<String>> {
    match read_own(path, limit) {
        // A character may have been cut in half at a kill; the lines before it count all the same.
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("read", path, &error)),
    }
}

pub(super) fn failed(what: &str, path: &Path, error: &io::Error) -> CtlError {
    CtlError::new(ErrorKind::Failed, format!("{what} `{}`", path.display()))
        .source(error)
        .hint("nothing further was begun; make the folder writable, or set XDG_STATE_HOME")
}
