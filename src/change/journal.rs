//! One line of JSON per event of a change, so that an interrupted run can be reported and resumed.
//!
//! Files lie in `<state>/journal/`, readable by their owner only. Steps are named and described;
//! values of secrets never get here because plans do not hold them.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::plan::Plan;
use crate::context::Ctx;
use crate::error::{CtlError, ErrorKind, Result};

/// The journal of one run. Without a state folder it records nothing.
#[derive(Debug)]
pub(crate) struct Journal {
    file: Option<(PathBuf, File)>,
    clock: crate::clock::Clock,
}

/// An earlier run of the same verb in the same place that never came to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unfinished {
    pub(crate) started: String,
    /// Steps that were begun or done.
    pub(crate) done: usize,
    pub(crate) planned: usize,
    /// Steps begun but not known to have ended.
    pub(crate) in_doubt: Vec<String>,
    /// What was noted, e.g. the ARN of a task.
    pub(crate) notes: BTreeMap<String, String>,
}

impl Journal {
    /// Begins the journal of a run and says what an earlier one left behind, if anything.
    ///
    /// # Errors
    /// When the state folder cannot be written.
    pub(crate) fn open<A>(ctx: &Ctx, plan: &Plan<A>) -> Result<(Self, Option<Unfinished>)> {
        let Some(state) = ctx.state_dir.as_deref() else {
            ctx.ui.warn("no home folder: this run leaves no journal behind");
            return Ok((
                Self {
                    file: None,
                    clock: ctx.clock.clone(),
                },
                None,
            ));
        };
        let folder = state.join("journal");
        create_private(&folder)?;
        let place = plan.target.file_stem(plan.verb);
        let path = folder.join(format!("{place}.jsonl"));
        let unfinished = read_unfinished(&path);
        if path.exists() {
            fs::rename(&path, folder.join(format!("{place}.previous.jsonl")))
                .map_err(|error| failed(&path, &error))?;
        }
        let mut options = OpenOptions::new();
        options.create(true).append(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path).map_err(|error| failed(&path, &error))?;
        let mut journal = Self {
            file: Some((path, file)),
            clock: ctx.clock.clone(),
        };
        journal.write(json!({
            "event": "plan",
            "verb": plan.verb,
            "title": plan.title,
            "target": plan.target,
            "steps": plan.steps.iter().map(|step| &step.id).collect::<Vec<_>>(),
        }))?;
        Ok((journal, unfinished))
    }

    /// A step is about to be carried out.
    pub(crate) fn begin(&mut self, step: &str, summary: &str) -> Result<()> {
        self.write(json!({"event": "begin", "step": step, "summary": summary}))
    }

    /// A step is done and read back.
    pub(crate) fn done(&mut self, step: &str, did: &str) -> Result<()> {
        self.write(json!({"event": "done", "step": step, "did": did}))
    }

    /// A step failed.
    pub(crate) fn failed(&mut self, step: &str, error: &CtlError) -> Result<()> {
        self.write(json!({"event": "failed", "step": step, "error": error.to_string()}))
    }

    /// Something worth keeping, e.g. the ARN of a task that was started.
    pub(crate) fn note(&mut self, what: &str, value: &str) -> Result<()> {
        self.write(json!({"event": "note", "what": what, "value": value}))
    }

    /// The run came to its end, well or badly. That is more important than whether it can be written
    /// down: when it cannot, the next run will take this one for one that was cut off.
    pub(crate) fn end(&mut self, status: u8) {
        if let Err(error) = self.write(json!({"event": "end", "status": status})) {
            tracing::warn!(%error, "the journal has no end");
        }
    }

    fn write(&mut self, mut event: Value) -> Result<()> {
        let Some((path, file)) = &mut self.file else {
            return Ok(());
        };
        if let Value::Object(members) = &mut event {
            members.insert("at".to_owned(), Value::String(self.clock.now().to_string()));
        }
        // One write per line: a kill in between leaves whole lines behind.
        file.write_all(format!("{event}\n").as_bytes())
            .map_err(|error| failed(path, &error))
    }
}

fn read_unfinished(path: &Path) -> Option<Unfinished> {
    let mut planned = 0;
    let mut started = String::new();
    let mut notes = BTreeMap::new();
    let (mut begun, mut ended): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    for line in BufReader::new(File::open(path).ok()?).split(b'\n') {
        // A line that does not parse is the one that was being written at the moment of the kill.
        let Ok(event) = serde_json::from_slice::<Value>(&line.ok()?) else {
            continue;
        };
        let step = event["step"].as_str().unwrap_or_default().to_owned();
        match event["event"].as_str().unwrap_or_default() {
            "plan" => {
                planned = event["steps"].as_array().map_or(0, Vec::len);
                started = event["at"].as_str().unwrap_or_default().to_owned();
            }
            "begin" => begun.push(step),
            "note" => {
                let member = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
                notes.insert(member("what"), member("value"));
            }
            "done" | "failed" => ended.push(step),
            "end" => return None,
            _ => {}
        }
    }
    let in_doubt = begun
        .iter()
        .filter(|step| !ended.contains(step))
        .cloned()
        .collect();
    (planned > 0).then_some(Unfinished {
        started,
        done: ended.len(),
        planned,
        in_doubt,
        notes,
    })
}

/// Creates a folder that only its owner can enter.
pub(super) fn create_private(folder: &Path) -> Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|error| failed(folder, &error))
}

fn failed(path: &Path, error: &std::io::Error) -> CtlError {
    CtlError::new(
        ErrorKind::Failed,
        format!("write the journal `{}`", path.display()),
    )
    .source(error)
    .hint("nothing further was begun; make the folder writable, or set XDG_STATE_HOME")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn journal(lines: &str) -> Option<Unfinished> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.jsonl");
        fs::write(&path, lines).unwrap();
        read_unfinished(&path)
    }

    const PLAN: &str = "{\"event\":\"plan\",\"steps\":[\"a\",\"b\",\"c\"],\"at\":\"T\"}\n";

    #[test]
    fn a_kill_in_the_middle_is_seen_with_the_step_in_doubt() {
        let text = format!(
            "{PLAN}{{\"event\":\"begin\",\"step\":\"a\"}}\n{{\"event\":\"done\",\"step\":\"a\"}}\n{{\"event\":\"begin\",\"step\":\"b\"}}\n{{\"eve"
        );
        let unfinished = journal(&text).unwrap();
        assert_eq!((unfinished.done, unfinished.planned), (1, 3));
        assert_eq!(unfinished.in_doubt, ["b"]);
    }

    #[test]
    fn half_a_character_hides_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.jsonl");
        let mut bytes =
            format!("{PLAN}{{\"event\":\"begin\",\"step\":\"a\"}}\n{{\"event\":\"done\",\"did\":\"")
                .into_bytes();
        bytes.extend([0xe2, 0x80]);
        fs::write(&path, bytes).unwrap();
        assert_eq!(read_unfinished(&path).unwrap().in_doubt, ["a"]);
    }

    #[test]
    fn a_run_that_ended_leaves_nothing_behind() {
        assert_eq!(
            journal(&format!("{PLAN}{{\"event\":\"end\",\"status\":7}}\n")),
            None
        );
        assert_eq!(journal(""), None);
    }
}
