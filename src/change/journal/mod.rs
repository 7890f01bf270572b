//! What a run meant to do and how far it came, written down before and after every step.
//!
//! One file a run in `<state>/journal/`, one line of JSON an event. A run that is going on holds the
//! operating system's lock on its file; a file without an end and without that lock is of a run that was
//! cut off. Plans hold no values of secrets; what people and AWS wrote is redacted.

mod read;

use std::cell::RefCell;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::{Value, json};

use super::plan::{Plan, Step};
use super::run_id::RunId;
use super::state_files::{create_private, failed, open};
use super::target::Target;
use crate::clock::Clock;
use crate::error::{CtlError, Result};
use crate::redact::redact_record;

pub(crate) use read::{Progress, Record, RecordedStep, find, list};

/// Bytes of a journal that are read back: a hundred thousand events.
const LIMIT: u64 = 32 * 1024 * 1024;

/// The folder of all journals.
pub(super) fn folder(state: &Path) -> PathBuf {
    state.join("journal")
}

/// The journal of the run that is going on. Without a state folder it records nothing.
pub(super) struct Journal {
    sink: Option<RefCell<Sink>>,
    clock: Clock,
}

/// Where events go.
struct Sink {
    path: PathBuf,
    out: Box<dyn Write>,
    /// Holds the operating system's lock for as long as the run goes on.
    _locked: Option<File>,
}

/// What a journal begins with.
#[derive(Clone, Debug)]
pub(super) struct Header<'a> {
    pub(super) run: &'a RunId,
    pub(super) verb: &'a str,
    pub(super) target: &'a Target,
    pub(super) command_line: &'a [String],
    pub(super) reason: Option<&'a str>,
    /// Runs that this one goes on with or takes back.
    pub(super) of: Vec<RunId>,
}

impl Journal {
    /// Begins the journal of a run with its whole plan.
    ///
    /// # Errors
    /// When the state folder cannot be written.
    pub(super) fn begin<A: Serialize>(
        state: Option<&Path>,
        clock: &Clock,
        header: &Header<'_>,
        plan: &Plan<A>,
    ) -> Result<Self> {
        let Some(state) = state else {
            return Ok(Self::none(clock));
        };
        let folder = folder(state);
        create_private(&folder)?;
        let path = folder.join(format!("{}.jsonl", header.run));
        let file = open(&path, true)?;
        // No other process works with the file yet. On a file system without locks the run looks cut off.
        if let Err(error) = file.lock() {
            tracing::warn!(%error, "the journal is not locked");
        }
        let locked = file
            .try_clone()
            .map_err(|error| failed("open the journal", &path, &error))?;
        let journal = Self {
            sink: Some(RefCell::new(Sink {
                path,
                out: Box::new(file),
                _locked: Some(locked),
            })),
            clock: clock.clone(),
        };
        journal.write(json!({
            "event": "plan",
            "run": header.run,
            "verb": header.verb,
            "title": plan.title,
            "target": header.target,
            "command_line": header.command_line,
            "reason": header.reason,
            "of": header.of,
            "host": super::host::name(),
            "process": std::process::id(),
            "steps": plan.steps,
        }))?;
        Ok(journal)
    }

    /// The journal of a run that changes nothing.
    pub(super) fn none(clock: &Clock) -> Self {
        Self {
            sink: None,
            clock: clock.clone(),
        }
    }

    /// A journal that writes elsewhere.
    #[cfg(test)]
    pub(super) fn to(out: impl Write + 'static, clock: &Clock) -> Self {
        Self {
            sink: Some(RefCell::new(Sink {
                path: PathBuf::from("journal"),
                out: Box::new(out),
                _locked: None,
            })),
            clock: clock.clone(),
        }
    }

    /// A step is about to be carried out.
    pub(super) fn step_begins(&self, step: &str, summary: &str) -> Result<()> {
        self.write(json!({"event": "begin", "step": step, "summary": summary}))
    }

    /// A step is done and read back; `output` is what later steps use.
    pub(super) fn step_done<O: Serialize>(&self, step: &str, did: &str, output: Option<&O>) -> Result<()> {
        self.write(json!({"event": "done", "step": step, "did": did, "output": output}))
    }

    /// A step failed.
    pub(super) fn step_failed(&self, step: &str, error: &CtlError) -> Result<()> {
        self.write(json!({"event": "failed", "step": step, "error": error.to_string()}))
    }

    /// Steps that the plan announced are known now.
    pub(super) fn steps_added<A: Serialize>(&self, steps: &[Step<A>]) -> Result<()> {
        self.write(json!({"event": "added", "steps": steps}))
    }

    /// Something worth keeping, e.g. the ARN of a task that was started.
    pub(super) fn note(&self, what: &str, value: &str) -> Result<()> {
        self.write(json!({"event": "note", "what": what, "value": value}))
    }

    /// The run came to its end, well or badly. That is more important than whether it can be written
    /// down: when it cannot, the next run will take this one for one that was cut off.
    pub(super) fn end(&self, verdict: &str, status: u8) {
        if let Err(error) = self.write(json!({"event": "end", "verdict": verdict, "status": status})) {
            tracing::warn!(%error, "the journal has no end");
        }
    }

    fn write(&self, mut event: Value) -> Result<()> {
        let Some(sink) = &self.sink else {
            return Ok(());
        };
        redact_record(&mut event);
        if let Value::Object(members) = &mut event {
            members.insert("at".to_owned(), Value::String(self.clock.now().to_string()));
        }
        let Sink { path, out, .. } = &mut *sink.borrow_mut();
        // One write per line: a kill in between leaves whole lines behind.
        out.write_all(format!("{event}\n").as_bytes())
            .map_err(|error| failed("write the journal", path, &error))
    }
}

/// Removes the journal of a run that is over.
///
/// # Errors
/// When the file cannot be removed.
pub(crate) fn remove(record: &Record) -> Result<()> {
    std::fs::remove_file(&record.path).map_err(|error| failed("remove the journal", &record.path, &error))
}

/// Writes the end of a run that was cut off: `by` has taken care of what it left.
///
/// # Errors
/// When the file cannot be written.
pub(super) fn close(record: &Record, by: &RunId, clock: &Clock) -> Result<()> {
    let mut file = open(&record.path, false)?;
    let event = json!({"event": "end", "verdict": "continued", "by": by, "at": clock.now().to_string()});
    std::io::Seek::seek(&mut file, std::io::SeekFrom::End(0))
        // The last line may have been cut in half: the end stands on a line of its own.
        .and_then(|_| file.write_all(format!("\n{event}\n").as_bytes()))
        .map_err(|error| failed("write the journal", &record.path, &error))
}
