//! Everything that a triage saw, in a file: judged again later, elsewhere, by this version's rules or a newer one's.
//!
//! The file holds what the probes read out of the answers of AWS, every text redacted; the answers themselves are not
//! kept, because nobody can say what stands in them.

use std::borrow::Cow;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::absence::Look;
use super::snapshot::{Blind, Checked, Snapshot};
use crate::error::{CtlError, ErrorKind, Result};
use crate::files::{DATA_LIMIT, read_regular};
use crate::layout::FleetId;
use crate::redact::redact;

/// The format of the file. Members may be added to it without another name.
const SCHEMA: &str = "bpctl.triage.recording/1";

/// A triage that can be judged again.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Recording {
    schema: String,
    /// The version that wrote it.
    bpctl: String,
    /// When the platform was looked at.
    pub(crate) at: Timestamp,
    pub(crate) account: Option<String>,
    pub(crate) region: Option<String>,
    /// The fleets that were looked at; all of them where there is none, and in files of versions that did not say.
    #[serde(default)]
    pub(crate) fleets: Vec<FleetId>,
    pub(crate) seen: Snapshot,
}

impl Recording {
    pub(crate) fn new(
        seen: Snapshot,
        at: Timestamp,
        account: Option<String>,
        region: Option<String>,
        fleets: Vec<FleetId>,
    ) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            bpctl: env!("CARGO_PKG_VERSION").to_owned(),
            at,
            account,
            region,
            fleets,
            seen,
        }
    }

    /// What was looked at, and when.
    pub(crate) fn look(&self) -> Look<'_> {
        Look {
            seen: &self.seen,
            at: self.at,
            fleets: &self.fleets,
        }
    }

    /// Reads a recording of at most 64 MiB.
    ///
    /// # Errors
    /// A file that is not there, is no recording, or is one of a format that came later.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let doing = || format!("read the recording `{}`", path.display());
        let wrong = |why: String| CtlError::usage(format!("{}: {why}", doing()));
        let bytes = read_regular(path, DATA_LIMIT).map_err(|error| wrong(error.to_string()))?;
        let value: Value =
            serde_json::from_slice(&bytes).map_err(|error| wrong(format!("it is no JSON: {error}")))?;
        match value.get("schema").and_then(|schema| schema.as_str()) {
            Some(SCHEMA) => {}
            Some(other) => {
                return Err(wrong(format!("it is a `{other}`, and `{SCHEMA}` is wanted"))
                    .hint("a triage is recorded with `--bundle`"));
            }
            None => {
                return Err(wrong("it does not say what it is".to_owned())
                    .hint("a triage is recorded with `--bundle`"));
            }
        }
        serde_json::from_value(value).map_err(|error| wrong(error.to_string()))
    }

    /// The file as it is written.
    ///
    /// # Errors
    /// None that is expected.
    fn text(&self) -> Result<Vec<u8>> {
        let unexpected = |error: serde_json::Error| {
            CtlError::new(ErrorKind::Unexpected, "write down what was seen").source(&error)
        };
        let mut value = serde_json::to_value(self).map_err(unexpected)?;
        redact_texts(&mut value);
        let mut text = serde_json::to_vec(&value).map_err(unexpected)?;
        text.push(b'\n');
        Ok(text)
    }
}

/// Takes secrets out of sentences, assignments and URLs. Names and identifiers stay: the rules go by them, and some look
/// like the secrets that they are not.
fn redact_texts(value: &mut Value) {
    match value {
        Value::String(text) => {
            let may_hold_one =
                text.contains(|letter: char| letter.is_whitespace() || letter == '=') || text.contains("://");
            if may_hold_one && let Cow::Owned(clean) = redact(text) {
                *text = clean;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(redact_texts),
        Value::Object(members) => members.values_mut().for_each(redact_texts),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A place for a recording that was looked at before anything was asked.
#[derive(Debug)]
pub(crate) struct NewFile(PathBuf);

impl NewFile {
    /// # Errors
    /// Something is there already, or there is no such folder.
    pub(crate) fn at(path: PathBuf) -> Result<Self> {
        let refused =
            |why: &str| CtlError::usage(format!("record the triage in `{}`: {why}", path.display()));
        if path.symlink_metadata().is_ok() {
            return Err(refused("there is something of this name already").hint("name another file"));
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        if folder.is_some_and(|folder| !folder.is_dir()) || path.file_name().is_none() {
            return Err(refused("there is no such folder"));
        }
        Ok(Self(path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Writes the recording for nobody but the owner of the file; half a file does not stay.
    ///
    /// # Errors
    /// What the operating system says.
    pub(crate) fn write(&self, recording: &Recording) -> Result<()> {
        let text = recording.text()?;
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let written = options.open(&self.0).and_then(|mut file| {
            let written = file.write_all(&text).and_then(|()| file.sync_all());
            if written.is_err() {
                // It was made just now, by this process: nobody misses it.
                let _gone = fs::remove_file(&self.0);
            }
            written
        });
        written.map_err(|error| {
            CtlError::new(
                ErrorKind::Failed,
                format!("record the triage in `{}`", self.0.display()),
            )
            .source(&error)
        })
    }
}

/// What a probe saw that the file's version did not have.
pub(super) fn not_recorded<T>() -> Checked<T> {
    Err(Blind {
        kind: ErrorKind::NotFound,
        reason: "the recording has nothing of it: the version that made it did not look".to_owned(),
        hints: Vec::new(),
        needs: None,
    })
}

/// Hints as their sentences: a place that was right then may not be now.
pub(super) mod hints {
    use serde::{Deserialize as _, Deserializer, Serializer};

    use crate::error::Hint;

    pub(in crate::triage) fn serialize<S: Serializer>(hints: &[Hint], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(hints.iter().map(ToString::to_string))
    }

    pub(in crate::triage) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Hint>, D::Error> {
        let texts = Vec::<String>::deserialize(from)?;
        Ok(texts.into_iter().map(Hint::from).collect())
    }
}

/// A layout by what makes its names.
pub(super) mod layout {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::layout::{Layout, LayoutKind, Stage};

    #[derive(Serialize, Deserialize)]
    struct Names {
        kind: LayoutKind,
        prefix: String,
        stage: Option<Stage>,
    }

    pub(in crate::triage) fn serialize<S: Serializer>(layout: &Layout, to: S) -> Result<S::Ok, S::Error> {
        let (kind, prefix, stage) = (layout.kind(), layout.prefix().to_owned(), layout.stage());
        Names { kind, prefix, stage }.serialize(to)
    }

    pub(in crate::triage) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Layout, D::Error> {
        let names = Names::deserialize(from)?;
        Layout::new(names.kind, &names.prefix, names.stage)
            .map_err(|error| serde::de::Error::custom(error.to_string()))
    }
}
