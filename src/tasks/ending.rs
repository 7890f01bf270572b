//! What the end of following a one-off task means to the run that followed it.

use super::follow::Followed;
use super::tail::Tail;
use super::verdict::{Judged, Judgement, Verdict, judge};
use crate::aws::ecs::Task;
use crate::change::End;
use crate::change::journal::Record;
use crate::error::{CommandLine, CtlError, ErrorKind, Hint};
use crate::exit::ExitStatus;

/// A task that was watched, and how that ended.
pub(crate) struct Watched {
    pub(crate) task: Task,
    pub(crate) judgement: Judgement,
    pub(crate) end: End,
}

/// The verb that follows a task, and how that task is followed again.
#[derive(Clone, Copy)]
pub(crate) struct Following {
    /// As it is typed; errors begin with it.
    pub(crate) verb: &'static str,
    /// The command line that follows this task again.
    pub(crate) attach: fn(&str) -> CommandLine,
    /// What a task that was cut off leaves behind, a clause: "migrations that were finished are recorded".
    pub(crate) kept: &'static str,
    /// Why a task is stopped that `--stop-on-interrupt` stops.
    pub(crate) stop_reason: &'static str,
}

impl Following {
    /// What a task is judged by. `essential` are the containers with which it ends; `again` starts the same, `go_on`
    /// goes on with what is left.
    pub(crate) fn judged(
        self,
        container: &str,
        essential: Vec<String>,
        again: CommandLine,
        go_on: CommandLine,
    ) -> Judged {
        Judged {
            container: container.to_owned(),
            essential: Some(essential),
            again,
            go_on,
            kept: self.kept,
        }
    }

    /// What is told of an earlier run that was cut off: `what` was not followed.
    pub(crate) fn cut_off(self, what: &str, record: &Record) -> (String, Option<Hint>) {
        let sentence = format!(
            "the {what} of {} was not followed to its end on this machine",
            record.started
        );
        let task = record.notes.get("task");
        let hint = task.map(|task| Hint::new("see how it ended with").command((self.attach)(task)));
        (sentence, hint)
    }

    /// The task goes on whatever goes wrong while it is watched, and the operator has to know.
    pub(crate) fn goes_on(self, error: CtlError, task: &str) -> CtlError {
        match error.kind() {
            ErrorKind::Credentials
            | ErrorKind::AccessDenied
            | ErrorKind::Throttled
            | ErrorKind::Unreachable
            | ErrorKind::Unexpected
            | ErrorKind::Rejected => error.hint((
                "the task goes on in AWS: follow it again with",
                (self.attach)(task),
            )),
            _ => error,
        }
    }

    /// The task was followed to its end, to the deadline, or to an interrupt.
    pub(crate) fn ended(self, followed: Followed, judged: &Judged, tail: Option<&Tail>) -> Watched {
        let is_over = matches!(followed, Followed::Stopped(_));
        let task = followed.into_task();
        let judgement = judge(&task, judged);
        let end = if !is_over {
            End::Running {
                what: format!("task {} is {} and goes on", task.id(), task.state),
                hint: Hint::new("follow it again with").command((self.attach)(task.id())),
            }
        } else if judgement.verdict == Verdict::Succeeded {
            End::Settled
        } else {
            self.failed(&judgement, tail)
        };
        Watched { task, judgement, end }
    }

    /// The operator interrupted, and the task was told to stop. It may have finished just before. `stays` says
    /// what the stopped task has done.
    pub(crate) fn stopped_on_interrupt(self, followed: Followed, judged: &Judged, stays: Hint) -> Watched {
        let task = followed.into_task();
        let judgement = judge(&task, judged);
        let interrupted = |what: String| CtlError::new(ErrorKind::Interrupted, what);
        let end = match judgement.verdict {
            Verdict::Succeeded => End::Settled,
            Verdict::Running => End::Failed(
                interrupted(format!("stop task {}: it is still {}", task.id(), task.state))
                    .hint(("follow it with", (self.attach)(task.id()))),
            ),
            Verdict::Failed | Verdict::NeverStarted | Verdict::Stopped | Verdict::Unknown => End::Failed(
                interrupted(format!(
                    "{}: interrupted, and task {} is stopped",
                    self.verb,
                    task.id()
                ))
                .cause(judgement.summary.clone())
                .hint(stays),
            ),
        };
        Watched { task, judgement, end }
    }

    fn failed(self, judgement: &Judgement, tail: Option<&Tail>) -> End {
        let mut error = CtlError::new(ErrorKind::Failed, format!("{}: {}", self.verb, judgement.summary));
        for cause in &judgement.causes {
            error = error.cause(cause);
        }
        for hint in &judgement.hints {
            error = error.hint(hint);
        }
        if let (Verdict::Failed | Verdict::Stopped | Verdict::Unknown, Some(tail)) = (judgement.verdict, tail)
        {
            error = error.hint(tail.command());
        }
        match judgement.status {
            ExitStatus::External(status) => End::Exited { status, error },
            _ => End::Failed(error),
        }
    }
}
