//! What the end of a task means: done, failed (and why), never started, stopped by an operator or by ECS.

use schemars::JsonSchema;
use serde::Serialize;

use super::blame::{Blame, KILLED, TERMINATED, blame};
use super::stop_reason::{of_exit_code, recognize, remedy};
use crate::aws::ecs::Task;
use crate::error::{CommandLine, Hint};
use crate::exit::ExitStatus;

/// How a one-off task ended, or that it has not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Verdict {
    /// Exit code 0, by itself.
    Succeeded,
    /// The command ended with another exit code.
    Failed,
    /// The container never ran.
    NeverStarted,
    /// An operator or ECS stopped the task while it ran.
    Stopped,
    /// The task is gone and left no exit code behind.
    Unknown,
    /// It has not ended.
    Running,
}

impl Verdict {
    pub(crate) fn as_str(self) -> &'static str {
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
pub(crate) struct Judgement {
    pub(crate) verdict: Verdict,
    /// What happened, a clause without a capital: "php-fpm exited with 3".
    pub(crate) summary: String,
    /// From near to far.
    pub(crate) causes: Vec<String>,
    /// What to do next.
    pub(crate) hints: Vec<Hint>,
    pub(crate) status: ExitStatus,
}

/// What a task is judged by.
#[derive(Clone, Debug)]
pub(crate) struct Judged {
    /// The container whose exit code counts.
    pub(crate) container: String,
    /// Containers with which the task ends; `None` when the task definition was not read.
    pub(crate) essential: Option<Vec<String>>,
    /// The command that starts the same again, for a task that has done nothing.
    pub(crate) again: CommandLine,
    /// The command that goes on with what a task has left.
    pub(crate) go_on: CommandLine,
    /// What a task that was cut off leaves behind, a clause: "migrations that were finished are recorded".
    pub(crate) kept: &'static str,
}

impl Judged {
    fn is_essential(&self, name: &str) -> bool {
        self.essential
            .as_ref()
            .is_none_or(|names| names.iter().any(|essential| essential == name))
    }
}

/// Judges a task by the container whose exit code counts. A missing exit code is never success.
pub(crate) fn judge(task: &Task, judged: &Judged) -> Judgement {
    let container = judged.container.as_str();
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
        Some(code) => exited(task, judged, code),
        None => without_exit_code(task, judged),
    }
}

fn ended_by_itself(task: &Task) -> bool {
    matches!(task.stop_code.as_deref(), None | Some("EssentialContainerExited"))
}

fn exited(task: &Task, judged: &Judged, code: i32) -> Judgement {
    let container = judged.container.as_str();
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
                    format!("{}: run", judged.kept),
                    judged.go_on.clone(),
                    "again to go on with the rest",
                )
                    .into(),
            );
        }
        _ => {
            if let Some((other, other_code)) = died_first(task, judged, code) {
                causes.push(format!(
                    "{other} exited with {other_code}, which stopped the whole task"
                ));
            }
            match of_exit_code(code, &causes.join(" "), &judged.go_on) {
                Some((meaning, hint)) => {
                    causes.push(meaning.to_owned());
                    hints.push(hint);
                }
                None => hints.push(
                    (
                        "mend what the log above says and run",
                        judged.go_on.clone(),
                        format!("again: {}", judged.kept),
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

/// Another container that ended the task by itself, while ours was merely terminated with it.
fn died_first<'a>(task: &'a Task, judged: &Judged, code: i32) -> Option<(&'a str, i32)> {
    if !matches!(code, KILLED | TERMINATED) {
        return None;
    }
    match blame(task, |name| judged.is_essential(name))? {
        Blame::Exited(other, code) if other.name != judged.container && code != 0 => {
            Some((&other.name, code))
        }
        Blame::Exited(..) | Blame::OutOfMemory(_) => None,
    }
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

fn without_exit_code(task: &Task, judged: &Judged) -> Judgement {
    let container = judged.container.as_str();
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
        let command = match task.started {
            Some(_) => &judged.go_on,
            None => &judged.again,
        };
        hints.push(("run", command.clone(), "again when the reason is gone").into());
        (
            Verdict::Stopped,
            format!("the task was stopped before {container} ended"),
        )
    } else if never_started {
        let reason = recognize(&text);
        let summary = match reason {
            Some(reason) => format!("the task never started: {}", reason.what()),
            None => "the task never started".to_owned(),
        };
        hints.push(reason.map_or_else(
            || ("look for the cause with", CommandLine::bpctl(["triage"])).into(),
            |reason| remedy(reason, &text, &judged.again),
        ));
        (Verdict::NeverStarted, summary)
    } else {
        hints.push(
            (
                format!("read the log above; {}, so", judged.kept),
                judged.go_on.clone(),
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
