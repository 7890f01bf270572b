//! One change of a thing at a time: a lock per resource on this machine, and a lease per resource in the
//! account, held until the change has settled.
//!
//! The operating system releases a lock when its process dies, however it dies. Locks are taken in the
//! order of their names, so two runs cannot wait for each other.

use std::fs::{File, TryLockError};
use std::io::{Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;

use super::ground::Ground;
use super::run_id::RunId;
use super::state_files::{create_private, failed, open, read_bounded};
use super::target::Target;
use crate::error::{CommandLine, CtlError, ErrorKind, Result};

/// Bytes of a holder's line.
const HOLDER: u64 = 1024;

/// How often a lock that another run holds is tried again.
const PAUSE: Duration = Duration::from_secs(2);

/// Held for as long as the value lives.
#[derive(Debug)]
pub(super) struct LocalLocks {
    /// Dropping a file releases its lock.
    _held: Vec<File>,
}

/// Takes the locks of all `resources`, waiting for other runs until `wait` has passed.
///
/// # Errors
/// [`ErrorKind::Conflict`] naming the holder, when another run of bpctl holds one.
pub(super) async fn take_local<G: Ground>(
    ground: &G,
    run: &RunId,
    target: &Target,
    resources: &[String],
    wait: Duration,
) -> Result<LocalLocks> {
    let Some(state) = ground.state_dir() else {
        return Ok(LocalLocks { _held: Vec::new() });
    };
    let folder = state.join("locks");
    create_private(&folder)?;
    let deadline = ground.clock().now().checked_add(wait).unwrap_or(Timestamp::MAX);
    let mut held = Vec::new();
    let mut told = false;
    for resource in resources {
        let path = folder.join(target.file_stem(resource) + ".lock");
        loop {
            let line = format!(
                "run {run}, process {} since {}\n",
                std::process::id(),
                ground.clock().now()
            );
            match try_take(&path, &line)? {
                Taken::Held(file) => {
                    held.push(file);
                    break;
                }
                Taken::ByAnother(holder) => {
                    if ground.clock().now() >= deadline {
                        return Err(busy(resource, &holder));
                    }
                    if !told {
                        ground.ui().status(&format!("waiting for {resource}: {holder}"));
                        told = true;
                    }
                }
            }
            tokio::select! {
                () = ground.cancel().cancelled() => return Err(CtlError::new(
                    ErrorKind::Interrupted,
                    format!("wait for {resource}: interrupted, nothing was changed"),
                )),
                () = ground.clock().sleep(PAUSE) => {}
            }
        }
    }
    Ok(LocalLocks { _held: held })
}

enum Taken {
    Held(File),
    /// Who holds it, in the holder's words.
    ByAnother(String),
}

fn try_take(path: &Path, line: &str) -> Result<Taken> {
    let mut file = open(path, false)?;
    match file.try_lock() {
        Ok(()) => {
            file.set_len(0)
                .and_then(|()| file.rewind())
                .and_then(|()| file.write_all(line.as_bytes()))
                .map_err(|error| failed("take the lock", path, &error))?;
            Ok(Taken::Held(file))
        }
        Err(TryLockError::WouldBlock) => Ok(Taken::ByAnother(holder(path))),
        // Some network file systems know no locks: that is not another run.
        Err(TryLockError::Error(error)) => Err(failed("take the lock", path, &error)),
    }
}

/// For the message only: what cannot be read is not worth an error of its own.
fn holder(path: &Path) -> String {
    match read_bounded(path, HOLDER) {
        Ok(Some(text)) if !text.trim().is_empty() => text.trim().to_owned(),
        Ok(_) | Err(_) => "its holder left no name".to_owned(),
    }
}

fn busy(resource: &str, holder: &str) -> CtlError {
    CtlError::new(
        ErrorKind::Conflict,
        format!("change {resource}: another bpctl is at it on this machine ({holder})"),
    )
    .hint((
        "wait for it with `--lock-wait 15m`, or look at it with",
        CommandLine::bpctl(["runs", "list"]),
    ))
}

/// A lock of this machine, for `lock list`.
#[derive(Clone, Debug)]
pub(crate) struct LocalLock {
    pub(crate) path: PathBuf,
    pub(crate) holder: String,
}

/// The locks that processes of this machine hold.
pub(crate) fn held_here(state: &Path) -> Vec<LocalLock> {
    let Ok(entries) = std::fs::read_dir(state.join("locks")) else {
        return Vec::new();
    };
    let mut locks: Vec<LocalLock> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "lock"))
        .filter(|path| open(path, false).is_ok_and(|file| file.try_lock_shared().is_err()))
        .map(|path| LocalLock {
            holder: holder(&path),
            path,
        })
        .collect();
    locks.sort_by(|a, b| a.path.cmp(&b.path));
    locks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_held_by_one_and_names_its_holder() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.lock");
        let Taken::Held(first) = try_take(&path, "run a\n").unwrap() else {
            panic!("the first one gets it")
        };
        let Taken::ByAnother(holder) = try_take(&path, "run b\n").unwrap() else {
            panic!("the second one does not")
        };
        assert_eq!(holder, "run a");
        drop(first);
        assert!(matches!(try_take(&path, "run b\n").unwrap(), Taken::Held(_)));
    }

    #[cfg(unix)]
    #[test]
    fn a_lock_that_is_a_link_is_refused_and_its_target_stays() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("precious");
        std::fs::write(&target, "keep me").unwrap();
        let path = folder.path().join("x.lock");
        std::os::unix::fs::symlink(&target, &path).unwrap();
        assert!(try_take(&path, "run a\n").is_err());
        assert_eq!(std::fs::read_to_string(&target).unwrap(), "keep me");
    }
}
