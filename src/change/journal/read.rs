//! Journals read back: what an earlier run meant, how far it came, and what is in doubt.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::super::call::ApiCall;
use super::super::plan::Step;
use super::super::run_id::RunId;
use super::super::state_files::{open, read_bounded};
use super::super::target::Target;
use super::LIMIT;
use crate::error::{CtlError, ErrorKind, Result};
use crate::exit::ExitStatus;

/// A run as its journal tells it.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) run: RunId,
    pub(crate) verb: String,
    pub(crate) title: String,
    pub(crate) target: Target,
    /// What was typed, without the program's name.
    pub(crate) command_line: Vec<String>,
    pub(crate) reason: Option<String>,
    pub(crate) host: String,
    /// Runs that it went on with or took back.
    pub(crate) of: Vec<RunId>,
    /// As written in the journal.
    pub(crate) started: String,
    /// Planned and added steps, in order.
    pub(crate) steps: Vec<RecordedStep>,
    /// What was noted, e.g. the ARN of a task.
    pub(crate) notes: BTreeMap<String, String>,
    pub(crate) end: Option<End>,
    /// Whether a process holds the journal's lock.
    pub(crate) going_on: bool,
    pub(super) path: PathBuf,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) verdict: String,
    pub(crate) status: Option<u8>,
    pub(crate) at: String,
}

/// One step of an earlier run.
#[derive(Clone, Debug)]
pub(crate) struct RecordedStep {
    pub(crate) id: String,
    pub(crate) summary: String,
    pub(crate) calls: Vec<ApiCall>,
    pub(crate) progress: Progress,
    /// When it was begun last.
    pub(crate) begun: Option<Timestamp>,
    /// In the past tense, when it is done.
    pub(crate) did: Option<String>,
    whole: Value,
}

/// How far a step came: its last event decides, since a step may be tried again after it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    Planned,
    /// Begun and neither done nor failed: the request may or may not have arrived.
    InDoubt,
    Done,
    Failed,
}

impl RecordedStep {
    /// The step with its typed action.
    pub(crate) fn step<A: DeserializeOwned>(&self) -> Option<Step<A>> {
        serde_json::from_value(self.whole.clone()).ok()
    }
}

impl Record {
    /// Whether the run ended in the middle and nothing has taken care of it since.
    pub(crate) fn is_cut_off(&self) -> bool {
        self.end.is_none() && !self.going_on
    }

    /// Whether the run was interrupted or timed out: what it started may go on in AWS.
    pub(crate) fn left_going(&self) -> bool {
        let left = [ExitStatus::TimedOut, ExitStatus::Interrupted].map(|status| Some(status.code()));
        self.end.as_ref().is_some_and(|end| left.contains(&end.status))
    }

    /// Steps of which the journal does not say whether their request arrived.
    pub(crate) fn in_doubt(&self) -> impl Iterator<Item = &RecordedStep> {
        self.steps
            .iter()
            .filter(|step| step.progress == Progress::InDoubt)
    }

    pub(crate) fn done(&self) -> usize {
        let done = |step: &&RecordedStep| step.progress == Progress::Done;
        self.steps.iter().filter(done).count()
    }
}

/// A journal that cannot be read, and why.
#[derive(Clone, Debug)]
pub(crate) struct Unreadable {
    pub(crate) path: PathBuf,
    pub(crate) error: CtlError,
}

/// Every run with a journal on this machine, the newest first.
pub(crate) fn list(state: &Path) -> (Vec<Record>, Vec<Unreadable>) {
    let mut records = Vec::new();
    let mut unreadable = Vec::new();
    for path in files(state) {
        match open_record(&path) {
            Ok(Some(record)) => records.push(record),
            // A file that holds no plan yet is of a run that has changed nothing.
            Ok(None) => {}
            Err(error) => unreadable.push(Unreadable { path, error }),
        }
    }
    // Of two that began in the same second, the one that had its plan last: it has waited for the other's lease.
    records.sort_by(|a, b| {
        let key = |record: &Record| (record.run.began(), record.started.clone(), record.run.clone());
        key(b).cmp(&key(a))
    });
    (records, unreadable)
}

fn files(state: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(super::folder(state)) else {
        return Vec::new();
    };
    entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "jsonl"))
        .collect()
}

/// The run that a file tells of; `None` when it holds no plan.
///
/// # Errors
/// A file that is not regular or too long.
pub(crate) fn open_record(path: &Path) -> Result<Option<Record>> {
    let Some(text) = read_bounded(path, LIMIT)? else {
        return Ok(None);
    };
    let Some(mut record) = parse(&text, path) else {
        return Ok(None);
    };
    if record.end.is_none() {
        record.going_on = is_locked(path)?;
    }
    Ok(Some(record))
}

fn is_locked(path: &Path) -> Result<bool> {
    let file = open(path, false)?;
    // Taken for a moment only: the lock goes with the file.
    Ok(file.try_lock_shared().is_err())
}

/// The first line of a journal.
#[derive(Deserialize)]
struct PlanEvent {
    run: RunId,
    verb: String,
    #[serde(default)]
    title: String,
    target: Target,
    #[serde(default)]
    command_line: Vec<String>,
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    host: String,
    #[serde(default)]
    of: Vec<RunId>,
    #[serde(default)]
    at: String,
    steps: Vec<Value>,
}

fn parse(text: &str, path: &Path) -> Option<Record> {
    let mut record: Option<Record> = None;
    for line in text.lines() {
        // A line that does not parse is the one that was being written at the moment of the kill.
        let Ok(event) = serde_json::from_str::<Value>(line) else {
            continue;
        };
        match &mut record {
            None => record = begin(event, path),
            Some(record) => record.hear(&event),
        }
    }
    record
}

fn begin(event: Value, path: &Path) -> Option<Record> {
    if event["event"] != "plan" {
        return None;
    }
    let plan: PlanEvent = serde_json::from_value(event).ok()?;
    Some(Record {
        run: plan.run,
        verb: plan.verb,
        title: plan.title,
        target: plan.target,
        command_line: plan.command_line,
        reason: plan.reason,
        host: plan.host,
        of: plan.of,
        started: plan.at,
        steps: plan.steps.into_iter().filter_map(recorded).collect(),
        notes: BTreeMap::new(),
        end: None,
        going_on: false,
        path: path.to_owned(),
    })
}

fn recorded(whole: Value) -> Option<RecordedStep> {
    Some(RecordedStep {
        id: whole["id"].as_str()?.to_owned(),
        summary: whole["summary"].as_str().unwrap_or_default().to_owned(),
        calls: serde_json::from_value(whole["calls"].clone()).unwrap_or_default(),
        progress: Progress::Planned,
        begun: None,
        did: None,
        whole,
    })
}

impl Record {
    fn hear(&mut self, event: &Value) {
        let text = |name: &str| event[name].as_str().unwrap_or_default();
        match text("event") {
            "added" => {
                let added = event["steps"].as_array().into_iter().flatten();
                self.steps.extend(added.cloned().filter_map(recorded));
            }
            "begin" => {
                let begun = text("at").parse().ok();
                self.step(text("step"), |step| {
                    step.progress = Progress::InDoubt;
                    step.begun = begun;
                });
            }
            "done" => self.step(text("step"), |step| {
                step.progress = Progress::Done;
                step.did = Some(text("did").to_owned());
            }),
            "failed" => self.step(text("step"), |step| step.progress = Progress::Failed),
            "note" => {
                self.notes
                    .insert(text("what").to_owned(), text("value").to_owned());
            }
            "end" => {
                self.end = Some(End {
                    verdict: text("verdict").to_owned(),
                    status: event["status"]
                        .as_u64()
                        .and_then(|status| u8::try_from(status).ok()),
                    at: text("at").to_owned(),
                });
            }
            _ => {}
        }
    }

    fn step(&mut self, id: &str, change: impl FnOnce(&mut RecordedStep)) {
        if let Some(step) = self.steps.iter_mut().find(|step| step.id == id) {
            change(step);
        }
    }
}

/// The record of one run.
///
/// # Errors
/// [`ErrorKind::NotFound`] when this machine has no journal of it.
pub(crate) fn find(state: Option<&Path>, run: &RunId) -> Result<Record> {
    let none = || {
        CtlError::new(
            ErrorKind::NotFound,
            format!("find run {run}: this machine has no journal of it"),
        )
    };
    let state = state.ok_or_else(none)?;
    open_record(&super::folder(state).join(format!("{run}.jsonl")))?.ok_or_else(none)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: &str = r#"{"event":"plan","run":"20260115T090000Z-0123456789ab","verb":"x","target":{"context":"c","account":"1","region":"r","protected":false},"steps":[{"id":"a"},{"id":"b"},{"id":"c"}],"at":"T"}"#;

    fn record(events: &[&str]) -> Option<Record> {
        let text = [&[PLAN], events].concat().join("\n");
        parse(&text, Path::new("x.jsonl"))
    }

    fn event(event: &str, step: &str) -> String {
        format!("{{\"event\":\"{event}\",\"step\":\"{step}\",\"at\":\"2026-01-15T09:00:00Z\"}}")
    }

    #[test]
    fn a_kill_in_the_middle_is_seen_with_the_step_in_doubt() {
        let record = record(&[
            &event("begin", "a"),
            &event("done", "a"),
            &event("begin", "b"),
            "{\"eve",
        ])
        .unwrap();
        assert_eq!((record.done(), record.steps.len()), (1, 3));
        assert_eq!(
            record.in_doubt().map(|step| step.id.as_str()).collect::<Vec<_>>(),
            ["b"]
        );
        assert!(record.is_cut_off());
    }

    #[test]
    fn a_failed_step_is_not_done_and_a_second_attempt_is_in_doubt_again() {
        let failed = record(&[&event("begin", "a"), &event("failed", "a")]).unwrap();
        assert_eq!((failed.done(), failed.in_doubt().count()), (0, 0));
        let again = record(&[&event("begin", "a"), &event("failed", "a"), &event("begin", "a")]).unwrap();
        assert_eq!((again.done(), again.in_doubt().count()), (0, 1));
    }

    #[test]
    fn half_a_character_hides_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.jsonl");
        let mut bytes =
            format!("{PLAN}\n{}\n{{\"event\":\"done\",\"did\":\"", event("begin", "a")).into_bytes();
        bytes.extend([0xe2, 0x80]);
        fs::write(&path, bytes).unwrap();
        let record = open_record(&path).unwrap().unwrap();
        assert_eq!(record.in_doubt().count(), 1);
    }

    #[test]
    fn a_run_that_ended_or_never_planned_leaves_nothing_behind() {
        let ended = record(&["{\"event\":\"end\",\"verdict\":\"partial\",\"status\":7}"]).unwrap();
        assert!(!ended.is_cut_off());
        assert_eq!(ended.end.unwrap().status, Some(7));
        assert!(parse("", Path::new("x")).is_none());
    }

    #[cfg(unix)]
    #[test]
    fn a_journal_that_is_no_file_is_named_and_neither_read_nor_followed() {
        let state = tempfile::tempdir().unwrap();
        let folder = super::super::folder(state.path());
        fs::create_dir_all(folder.join("directory.jsonl")).unwrap();
        std::os::unix::fs::symlink("/dev/zero", folder.join("link.jsonl")).unwrap();
        rustix::fs::mknodat(
            rustix::fs::CWD,
            folder.join("fifo.jsonl"),
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR,
            0,
        )
        .unwrap();
        let huge = fs::File::create(folder.join("huge.jsonl")).unwrap();
        huge.set_len(3 * 1024 * 1024 * 1024).unwrap();
        let (records, unreadable) = list(state.path());
        assert!(records.is_empty());
        assert_eq!(unreadable.len(), 4);
    }
}
