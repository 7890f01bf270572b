//! Tasks of the services and one-off ones: those that run, and those that stopped within the last hour.

use futures::future::try_join_all;
use jiff::Timestamp;

use super::services::without_cluster;
use crate::commands::get::row::{Found, Row, or_dash};
use crate::commands::get::selector::Tags;
pub(in crate::commands) use crate::commands::task::view::TaskRow;
use crate::context::Ctx;
use crate::error::Result;
use crate::kinds::Kind;
use crate::layout::App;
use crate::tasks::TaskName;

impl Row for TaskRow {
    const KIND: Kind = Kind::Task;
    const COLUMNS: &'static [&'static str] = &["TASK", "STATE", "AGE", "END", "FOR"];
    const WIDE: &'static [&'static str] = &["DEFINITION", "STARTED BY", "REASON"];
    const TAGGED: bool = true;

    fn name(&self) -> String {
        self.task.clone()
    }

    fn is_called(&self, name: &str) -> bool {
        let task: Result<TaskName, _> = name.parse();
        task.is_ok_and(|task| task.id == self.task)
    }

    fn cells(&self, _now: Timestamp) -> Vec<String> {
        vec![
            self.task.clone(),
            self.state.clone(),
            self.age(),
            self.end(),
            self.purpose(),
            self.definition.clone(),
            or_dash(self.started_by.as_deref()),
            or_dash(self.stopped_reason.as_deref()),
        ]
    }

    fn tags(&self) -> Option<&Tags> {
        Some(&self.tags)
    }

    async fn read(ctx: &Ctx, names: &[String]) -> Result<Found<Self>> {
        let ids: Vec<String> = names
            .iter()
            .filter_map(|name| Some(name.parse::<TaskName>().ok()?.id))
            .collect();
        let layout = ctx.layout()?;
        let cluster = layout.cluster();
        // By their ids they are one call; names that are none, or of tasks that ECS has forgotten, are missed in a list.
        let mut tasks = match ids.is_empty() {
            true => Vec::new(),
            false => ctx.aws.tasks(&cluster, &ids).await.map_err(without_cluster)?,
        };
        if names.is_empty() || tasks.len() < names.len() {
            let families = [App::Backend, App::Frontend].map(|app| layout.task_family(app));
            let lists = families.iter().flat_map(|family| {
                [false, true].map(|stopped| ctx.aws.tasks_of_family(&cluster, family, stopped))
            });
            let lists = try_join_all(lists).await.map_err(without_cluster)?;
            let mut arns: Vec<String> = lists.into_iter().flatten().collect();
            // A task that stops between two lists is in both.
            arns.sort();
            arns.dedup();
            arns.retain(|arn| !tasks.iter().any(|task| task.arn == *arn));
            tasks.extend(ctx.aws.tasks(&cluster, &arns).await?);
        }
        tasks.sort_by(|one, other| (other.created, one.id()).cmp(&(one.created, other.id())));
        let now = ctx.clock.now();
        Ok(tasks
            .iter()
            .map(|task| Self::new(task, now))
            .collect::<Vec<_>>()
            .into())
    }
}
