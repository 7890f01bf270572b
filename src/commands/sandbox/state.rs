//! The file that says where the running sandbox is. It holds the token, so only its owner can read it.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use bpctl_sandbox::transport::Remote;
use serde::{Deserialize, Serialize};

use crate::error::{CtlError, ErrorKind, Result};
use crate::files::{CONFIG_LIMIT, Links, open_regular, read_own};

/// Names another state file; `sandbox run` sets it for the command it runs.
pub(super) const STATE_VARIABLE: &str = "BPCTL_SANDBOX_STATE";

/// A running sandbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) pid: u32,
    pub(super) url: String,
    pub(super) token: String,
    /// The bpctl that serves it.
    pub(super) version: String,
}

impl State {
    pub(super) fn remote(&self) -> Result<Remote> {
        Remote::new(&self.url, &self.token).map_err(|error| {
            CtlError::new(ErrorKind::Unexpected, "read the sandbox's address").source(&error)
        })
    }
}

/// Where the state file of this environment is.
///
/// # Errors
/// Without a home folder there is no place for it.
pub(super) fn path(env: &BTreeMap<String, String>, state_dir: Option<&Path>) -> Result<PathBuf> {
    if let Some(path) = env.get(STATE_VARIABLE).filter(|path| !path.is_empty()) {
        return Ok(PathBuf::from(path));
    }
    state_dir
        .map(|folder| folder.join("sandbox.json"))
        .ok_or_else(|| {
            CtlError::config("find a place for the sandbox's state: there is no home folder")
                .hint("set HOME or XDG_STATE_HOME, or use `sandbox run`, which needs no state")
        })
}

/// Keeps others from becoming the running sandbox, until the file is dropped.
pub(super) fn lock(path: &Path) -> Result<fs::File> {
    let path = path.with_extension("lock");
    let failed = |error: std::io::Error| {
        CtlError::new(ErrorKind::Failed, format!("take the lock `{}`", path.display())).source(&error)
    };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    let mut options = OpenOptions::new();
    options.create(true).write(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = open_regular(&path, &mut options, Links::Refuse).map_err(failed)?;
    // Held for as long as it takes to look and to bind a port: waiting is no matter.
    file.lock().map_err(failed)?;
    Ok(file)
}

/// Writes the file in one step, mode 0600.
pub(super) fn write(path: &Path, state: &State) -> Result<()> {
    let failed = |error: &std::io::Error| {
        CtlError::new(
            ErrorKind::Failed,
            format!("write the sandbox's state `{}`", path.display()),
        )
        .source(error)
    };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|error| failed(&error))?;
    }
    let text = serde_json::to_string_pretty(state)
        .map_err(|error| CtlError::new(ErrorKind::Unexpected, "write the sandbox's state").source(&error))?;
    let temporary = path.with_extension(format!("{}.new", std::process::id()));
    let mut options = OpenOptions::new();
    options.create_new(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    // Left behind by a process of the same number that was killed.
    let _ = fs::remove_file(&temporary);
    options
        .open(&temporary)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .and_then(|()| fs::rename(&temporary, path))
        .map_err(|error| failed(&error))
}

/// Removes the file if it is still the one that `state` describes.
pub(super) fn remove(path: &Path, state: &State) {
    if read(path).as_ref() == Some(state) {
        // Another process may have removed it first; either way it is gone.
        let _ = fs::remove_file(path);
    }
}

pub(super) fn read(path: &Path) -> Option<State> {
    serde_json::from_slice(&read_own(path, CONFIG_LIMIT).ok()?).ok()
}

/// The sandbox that the file describes, if it answers. A file left behind by a dead process (or by
/// one whose port now belongs to another program) is removed, and so is one that names no address of this machine.
pub(super) async fn live(path: &Path) -> Result<Option<State>> {
    let Some(state) = read(path) else { return Ok(None) };
    let answers = match state.remote() {
        Ok(remote) => {
            let status = remote.status().await;
            status.is_ok_and(|status| status["pid"].as_u64() == Some(u64::from(state.pid)))
        }
        Err(_) => false,
    };
    if !answers {
        remove(path, &state);
        return Ok(None);
    }
    Ok(Some(state))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> State {
        State {
            pid: 1,
            url: "http://127.0.0.1:1".to_owned(),
            token: "t".to_owned(),
            version: "0".to_owned(),
        }
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_can_read_the_token() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/sandbox.json");
        write(&path, &state()).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[tokio::test]
    async fn a_file_that_makes_no_sense_is_no_sandbox_and_gives_way_to_a_new_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sandbox.json");
        for url in [
            "",
            "nonsense",
            "http://203.0.113.7:80",
            "https://127.0.0.1:1",
            "http://127.0.0.1:99999",
        ] {
            let url = url.to_owned();
            write(&path, &State { url, ..state() }).unwrap();
            assert_eq!(live(&path).await.unwrap(), None);
            assert!(!path.exists());
        }
        for text in ["", "{", "[1]", "{\"pid\": \"one\"}"] {
            fs::write(&path, text).unwrap();
            assert_eq!(live(&path).await.unwrap(), None, "{text}");
            write(&path, &state()).unwrap();
            assert_eq!(read(&path), Some(state()));
        }
    }

    #[tokio::test]
    async fn a_file_whose_process_is_gone_is_recognised_and_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sandbox.json");
        write(&path, &state()).unwrap();
        assert_eq!(live(&path).await.unwrap(), None);
        assert!(!path.exists());
    }
}
