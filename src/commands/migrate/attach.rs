//! `--attach`: what a migration is that was started before.

use super::follow::{FOLLOWING, Pools, judged};
use super::plan::CONTAINER;
use super::request::Request;
use super::view::MigrateResult;
use super::words;
use crate::aws::ecs::{Task, TaskDefinition, short};
use crate::change::Words;
use crate::commands::one_off::Attach;
use crate::context::Ctx;
use crate::error::{CtlError, Result};
use crate::layout::{App, Layout};
use crate::tasks::{Following, Judged, LogPlace, Tail, Watched, is_migration};

pub(super) struct Migration;

impl Attach for Migration {
    type Lines = Pools;
    type Document = MigrateResult;

    fn following(&self) -> Following {
        FOLLOWING
    }

    fn words(&self) -> Words {
        words()
    }

    fn unknown(&self, error: CtlError, layout: &Layout, id: &str) -> CtlError {
        // The log outlives the task, and its place follows from the platform's naming.
        let place = LogPlace {
            group: layout.log_group(App::Backend),
            prefix: Layout::log_stream_prefix(CONTAINER).to_owned(),
        };
        error.hint(Tail::new(&place, CONTAINER, id).command())
    }

    fn container(&self, _task: &Task) -> Result<String> {
        Ok(CONTAINER.to_owned())
    }

    fn judged(&self, ctx: &Ctx, task: &Task, definition: &TaskDefinition, container: &str) -> Result<Judged> {
        let id = task.id();
        if definition.container(container).is_none() {
            return Err(CtlError::usage(format!(
                "attach to task {id}: {} has no container {container}",
                short(&task.definition)
            ))
            .hint("name a task of the backend"));
        }
        if !is_migration(task) {
            ctx.ui.warn(&format!("task {id} does not look like a migration"));
        }
        Ok(judged(&Request::default(), &definition.essential()))
    }

    fn document(&self, ctx: &Ctx, watched: &Watched, _: &str, tail: Option<&Tail>) -> Option<MigrateResult> {
        let result = MigrateResult::new(watched, tail, None);
        result.tell(ctx);
        Some(result)
    }
}
