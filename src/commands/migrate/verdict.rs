//! What the end of a task means: done, failed (and why), never started, stopped by somebody.

use serde::Serialize;

use super::reason;
use crate::aws::ecs::Task;
use crate::error::{CommandLine, Hint};
use crate::exit::ExitStatus;

/// How a migration ended, or that it has not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Verdict {
    /// Exit code 0, by itself.
    Succeeded,
    /// The command ended with another exit code.
    Failed,
    /// The container never ran.
    NeverStarted,
    /// Somebody or something stopped the task while it ran.
    Stopped,
    /// The task is gone and left no exit code behind.
    Unknown,
    /// It has not ended.
    Running,
}

impl Verdict {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::NeverStarted => "never-started",
            Self::Stopped => "stopped",
            Self::Unknown => "unknown",
            Self::Running => "running",
        }
    }
}

/// A verdict with its reasons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Judgement {
    pub(super) verdict: Verdict,
    /// What happened, a clause without a capital: "php-fpm exited with 3".
    pub(super) summary: String,
    /// From near to far.
    pub(super) causes: Vec<String>,
    /// What to do next.
    pub(super) hints: Vec<Hint>,
    pub(super) status: ExitStatus,
}

/// Judges a task by the container whose exit code counts. A missing exit code is never success.
pub(super) fn judge(task: &Task, container: &str) -> Judgement {
    if !task.is_stopped() {
        return Judgement {
            verdict: Verdict::Running,
            summary: format!("the task is {}", task.state),
            causes: Vec::new(),
            hints: Vec::new(),
            status: ExitStatus::Done,
        };
    }
    let exit_code = task.container(container).and_then(|found| found.exit_code);
    match exit_code {
        Some(0) if ended_by_itself(task) => Judgement {
            verdict: Verdict::Succeeded,
            summary: format!("{container} exited with 0"),
            causes: Vec::new(),
            hints: Vec::new(),
            status: ExitStatus::Done,
        },
        Some(code) => exited(task, container, code),
        None => without_exit_code(task, container),
    }
}

fn migrate() -> CommandLine {
    CommandLine::bpctl(["migrate"])
}

fn ended_by_itself(task: &Task) -> bool {
    matches!(task.stop_code.as_deref(), None | Some("EssentialContainerExited"))
}

fn exited(task: &Task, container: &str, code: i32) -> Judgement {
    let mut causes: Vec<String> = task
        .container(container)
        .and_then(|found| found.reason.clone())
        .into_iter()
        .collect();
    let mut hints = Vec::new();
    let verdict = if ended_by_itself(task) {
        Verdict::Failed
    } else {
        Verdict::Stopped
    };
    match verdict {
        Verdict::Stopped => {
            causes.push(stopped_by(task));
            hints.push(
                (
                    "migrations that were finished are recorded in the database: run",
                    migrate(),
                    "again to go on with the rest",
                )
                    .into(),
            );
        }
        _ => {
            if let Some((other, other_code)) = died_first(task, container, code) {
                causes.push(format!(
                    "{other} exited with {other_code}, which stopped the whole task"
                ));
            }
            match reason::of_exit_code(code, &causes.join(" ")) {
                Some((meaning, hint)) => {
                    causes.push(meaning.to_owned());
                    hints.push(hint);
                }
                None => hints.push(
                    (
                        "mend what the log above says and run",
                        migrate(),
                        "again: migrations that were finished are recorded",
                    )
                        .into(),
                ),
            }
        }
    }
    Judgement {
        verdict,
        summary: format!("{container} exited with {code}"),
        causes,
        hints,
        // The container's own status; 0 would be a lie here, and a shell knows one byte only.
        status: match u8::try_from(code) {
            Ok(0) | Err(_) => ExitStatus::Failed,
            Ok(code) => ExitStatus::External(code),
        },
    }
}

/// Another container that failed by itself while ours was merely terminated with the task.
fn died_first<'a>(task: &'a Task, container: &str, code: i32) -> Option<(&'a str, i32)> {
    // 128 + SIGTERM or SIGKILL: what ECS sends when the task stops.
    let terminated = |code: i32| matches!(code, 0 | 137 | 143);
    if !matches!(code, 137 | 143) {
        return None;
    }
    task.containers
        .iter()
        .filter(|other| other.name != container)
        .find_map(|other| {
            Some((
                other.name.as_str(),
                other.exit_code.filter(|code| !terminated(*code))?,
            ))
        })
}

fn stopped_by(task: &Task) -> String {
    let reason = task.stopped_reason.as_deref().unwrap_or("no reason given");
    match task.stop_code.as_deref() {
        Some("UserInitiated") => format!("somebody stopped the task: {reason}"),
        Some("SpotInterruption" | "TerminationNotice") => format!("AWS took the capacity back: {reason}"),
        Some(code) => format!("ECS stopped the task ({code}): {reason}"),
        None => format!("the task stopped: {reason}"),
    }
}

fn without_exit_code(task: &Task, container: &str) -> Judgement {
    let stopped = task.stopped_reason.as_deref();
    let mut causes: Vec<String> = stopped.map(str::to_owned).into_iter().collect();
    for found in &task.containers {
        if let Some(reason) = &found.reason
            && !causes.iter().any(|cause| cause.contains(reason.as_str()))
        {
            causes.push(format!("{}: {reason}", found.name));
        }
    }
    let never_started = task.stop_code.as_deref() == Some("TaskFailedToStart") || task.started.is_none();
    let text = causes.join("\n");
    let stopped_early = !ended_by_itself(task) && task.stop_code.as_deref() != Some("TaskFailedToStart");
    let mut hints = Vec::new();
    let (verdict, summary) = if stopped_early {
        causes = vec![stopped_by(task)];
        hints.push(("run", migrate(), "again when the reason is gone").into());
        (
            Verdict::Stopped,
            format!("the task was stopped before {container} ended"),
        )
    } else if never_started {
        let explained = reason::of_start_failure(&text);
        let summary = match &explained {
            Some(explained) => format!("the task never started: {}", explained.what),
            None => "the task never started".to_owned(),
        };
        hints.push(explained.map_or_else(
            || ("look for the cause with", CommandLine::bpctl(["triage"])).into(),
            |explained| explained.hint,
        ));
        (Verdict::NeverStarted, summary)
    } else {
        hints.push(
            (
                "read the log above; migrations that were finished are recorded, so",
                migrate(),
                "can be run again",
            )
                .into(),
        );
        (
            Verdict::Unknown,
            format!("ECS knows no exit code of {container}: it may or may not have finished"),
        )
    };
    Judgement {
        verdict,
        summary,
        causes,
        hints,
        status: ExitStatus::Failed,
    }
}

#[cfg(test)]
#[path = "verdict_tests.rs"]
mod tests;
