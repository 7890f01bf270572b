//! The context that this user chose with `config use-context`: a note in the state folder, so that the file that
//! a team shares stays as it is. Each configuration file has a choice of its own.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{CtlError, ErrorKind, Result};
use crate::files::{CONFIG_LIMIT, read_own};

const FILE: &str = "contexts.json";

/// A choice that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    pub(crate) name: String,
    /// Where it is written down.
    pub(crate) path: PathBuf,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Notes {
    /// Path of a configuration file (empty: there is none) → name of the context.
    chosen: BTreeMap<String, String>,
}

impl Choice {
    /// What was chosen for `file`.
    ///
    /// # Errors
    /// A note that cannot be read.
    pub(crate) fn read(state: Option<&Path>, file: Option<&Path>) -> Result<Option<Self>> {
        let Some(path) = state.map(|state| state.join(FILE)) else {
            return Ok(None);
        };
        let name = notes(&path)?.chosen.remove(&key(file));
        Ok(name.map(|name| Self { name, path }))
    }

    /// Writes a choice down, or with `None` takes it back; says where.
    ///
    /// # Errors
    /// A state folder that cannot be written.
    pub(crate) fn write(state: &Path, file: Option<&Path>, name: Option<&str>) -> Result<PathBuf> {
        let path = state.join(FILE);
        // A note that cannot be read is what this very command mends.
        let mut notes = notes(&path).unwrap_or_default();
        match name {
            Some(name) => notes.chosen.insert(key(file), name.to_owned()),
            None => notes.chosen.remove(&key(file)),
        };
        replace(&path, &notes).map_err(|error| {
            CtlError::new(ErrorKind::Failed, format!("write `{}`", path.display()))
                .source(&error)
                .hint(
                    "make the folder writable or set XDG_STATE_HOME, or name the context with BPCTL_CONTEXT",
                )
        })?;
        Ok(path)
    }
}

/// However a file is reached, it is the same file.
fn key(file: Option<&Path>) -> String {
    file.map(|file| {
        fs::canonicalize(file)
            .unwrap_or_else(|_| file.to_owned())
            .display()
            .to_string()
    })
    .unwrap_or_default()
}

fn notes(path: &Path) -> Result<Notes> {
    let mend = "choose a context again (config use-context), or remove the file";
    let text = match read_own(path, CONFIG_LIMIT) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Notes::default()),
        Err(error) => {
            return Err(CtlError::config(format!("read `{}`", path.display()))
                .source(&error)
                .hint(mend));
        }
    };
    serde_json::from_slice(&text).map_err(|error| {
        CtlError::config(format!("read `{}:{}`", path.display(), error.line()))
            .source(&error)
            .hint(mend)
    })
}

/// In one step, for the owner's eyes alone.
fn replace(path: &Path, notes: &Notes) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder)?;
    }
    let draft = path.with_extension(format!("json.{}.new", std::process::id()));
    let mut options = OpenOptions::new();
    options.create_new(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let text = serde_json::to_string_pretty(notes)?;
    // One left behind by a run that was killed would be in the way for ever.
    let _ = fs::remove_file(&draft);
    options
        .open(&draft)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .and_then(|()| fs::rename(&draft, path))
        .inspect_err(|_| {
            // Best effort: the error that is told is the first one.
            let _ = fs::remove_file(&draft);
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_has_a_choice_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("deep/state");
        let (a, b) = (folder.path().join("a.toml"), folder.path().join("b.toml"));
        fs::write(&a, "").unwrap();
        let read = |file: Option<&Path>| {
            Choice::read(Some(&state), file)
                .unwrap()
                .map(|choice| choice.name)
        };
        assert_eq!(read(Some(&a)), None);
        Choice::write(&state, Some(&a), Some("prod")).unwrap();
        Choice::write(&state, None, Some("sandbox")).unwrap();
        assert_eq!(read(Some(&a)).unwrap(), "prod");
        assert_eq!(read(Some(&folder.path().join("./a.toml"))).unwrap(), "prod");
        assert_eq!(read(Some(&b)), None);
        assert_eq!(read(None).unwrap(), "sandbox");
        Choice::write(&state, Some(&a), None).unwrap();
        assert_eq!(read(Some(&a)), None);
        assert_eq!(fs::read_dir(&state).unwrap().count(), 1);
    }

    #[test]
    fn a_note_that_cannot_be_read_is_named_and_can_be_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        fs::write(&path, "{\n\"chosen\": 3}").unwrap();
        let error = Choice::read(Some(folder.path()), None).unwrap_err();
        assert!(error.message().ends_with("contexts.json:2`"), "{error}");
        Choice::write(folder.path(), None, Some("sandbox")).unwrap();
        assert!(Choice::read(Some(folder.path()), None).unwrap().is_some());
    }
}
