//! `--attach`: what a one-off task is that was started before.

use super::follow::{Lines, following, lines_are_the_result};
use super::view::RunResult;
use super::words;
use crate::aws::ecs::{Task, TaskDefinition};
use crate::change::Words;
use crate::commands::one_off::Attach;
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Result};
use crate::layout::Layout;
use crate::tasks::{Following, Judged, Tail, Watched};

pub(super) struct AnyTask;

impl Attach for AnyTask {
    type Lines = Lines;
    type Document = RunResult;

    fn following(&self) -> Following {
        following("run")
    }

    fn words(&self) -> Words {
        words("run")
    }

    fn unknown(&self, _error: CtlError, _layout: &Layout, id: &str) -> CtlError {
        CtlError::new(
            ErrorKind::NotFound,
            format!("attach to task {id}: ECS does not know it"),
        )
        .cause("ECS forgets a task about an hour after it stopped")
        .hint((
            "its log may be there yet:",
            CommandLine::bpctl(["logs", "task", id]),
        ))
    }

    /// The container that was given a command is the one that the task is about.
    fn container(&self, task: &Task) -> Result<String> {
        let id = task.id();
        let first = task.commands.first().map(|(container, _)| container.clone());
        first.ok_or_else(|| {
            CtlError::usage(format!("attach to task {id}: it runs no command of its own")).hint((
                "it belongs to a service: read its log with",
                CommandLine::bpctl(["logs", "task", id]),
            ))
        })
    }

    fn judged(
        &self,
        _ctx: &Ctx,
        task: &Task,
        definition: &TaskDefinition,
        container: &str,
    ) -> Result<Judged> {
        // bpctl does not know how it was asked for.
        let again = (self.following().attach)(task.id());
        let essential = definition.essential();
        Ok(self
            .following()
            .judged(container, essential, again.clone(), again))
    }

    fn document(
        &self,
        ctx: &Ctx,
        watched: &Watched,
        container: &str,
        tail: Option<&Tail>,
    ) -> Option<RunResult> {
        // The lines were the result.
        (!lines_are_the_result(ctx)).then(|| RunResult::new(watched, container, tail))
    }
}
