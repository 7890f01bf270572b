//! One change at a time: a lock per verb, account and context on this machine, held until the
//! change has settled. The operating system releases it when the process dies, however it dies.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};

use super::journal::create_private;
use super::plan::Target;
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Result};

/// Held for as long as the value lives.
#[derive(Debug)]
pub(crate) struct OperationLock {
    /// Dropping the file releases the lock.
    _held: Option<File>,
}

impl OperationLock {
    /// Takes the lock for `scope` in `target`.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] naming the holder, when another bpctl holds it.
    pub(crate) fn take(ctx: &Ctx, scope: &str, target: &Target) -> Result<Self> {
        let Some(state) = ctx.state_dir.as_deref() else {
            return Ok(Self { _held: None });
        };
        let folder = state.join("locks");
        create_private(&folder)?;
        let path = folder.join(target.file_stem(scope) + ".lock");
        let failed = |error: &std::io::Error| {
            CtlError::new(ErrorKind::Failed, format!("take the lock `{}`", path.display()))
                .source(error)
                .hint("nothing was begun; make the folder writable, or set XDG_STATE_HOME")
        };
        let mut options = OpenOptions::new();
        options.create(true).read(true).write(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&path).map_err(|error| failed(&error))?;
        if let Err(error) = file.try_lock() {
            if let TryLockError::Error(error) = error {
                // Some network file systems know no locks: that is not another bpctl.
                return Err(failed(&error));
            }
            let mut holder = String::new();
            // Best effort: the holder's line is for the message only.
            let _ = file.read_to_string(&mut holder);
            return Err(CtlError::new(
                ErrorKind::Conflict,
                format!(
                    "start {scope}: another bpctl is at it in this context ({})",
                    holder.trim()
                ),
            )
            .hint((
                "wait for it to end, or look at it with",
                CommandLine::bpctl(["fleet", "status"]),
            )));
        }
        let line = format!("process {} since {}\n", std::process::id(), ctx.clock.now());
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| file.write_all(line.as_bytes()))
            .map_err(|error| failed(&error))?;
        Ok(Self { _held: Some(file) })
    }
}
