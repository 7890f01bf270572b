//! What became of deployments, as scripts and people read it.

use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::images::{brief, short as short_image};
use crate::aws::ecs::{ServiceRevision, short};
use crate::change::RunId;
use crate::layout::App;
use crate::output::markdown::{cell, code};
use crate::output::{Render, Table, View, lasted};
use crate::rollout::{Following, StoppedTask};

/// The result document of `deploy` and of the verbs that start or end deployments.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct DeployResult {
    /// Absent when nothing was changed.
    pub(crate) run: Option<RunId>,
    pub(crate) services: Vec<ServiceResult>,
}

/// One deployment.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct ServiceResult {
    pub(crate) app: App,
    pub(crate) service: String,
    /// `completed`, `failed`, `rolled-back`, `rollback-failed`, `superseded`, `in-progress`, `rolling-back`.
    pub(crate) verdict: &'static str,
    /// Why, in AWS' words; the deployment that took the place of one that was superseded.
    pub(crate) reason: Option<String>,
    /// `ecs-svc/<digits>`.
    pub(crate) deployment: String,
    pub(crate) service_deployment: Option<String>,
    pub(crate) task_definition: Option<String>,
    pub(crate) images: Vec<ImageResult>,
    pub(crate) created: Option<Timestamp>,
    pub(crate) finished: Option<Timestamp>,
    pub(crate) duration_seconds: Option<i64>,
    pub(crate) desired: i32,
    pub(crate) running: i32,
    /// Tasks in a row that failed, as ECS counts them.
    pub(crate) failed_tasks: i32,
    /// Tasks of the deployment that stopped, and why.
    pub(crate) stopped: Vec<StoppedTask>,
}

/// An image that a deployment brought.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct ImageResult {
    pub(crate) container: String,
    pub(crate) image: String,
    /// Absent until ECS has resolved it.
    pub(crate) digest: Option<String>,
}

impl ServiceResult {
    pub(crate) fn new(one: &Following, definition: Option<&str>, revision: Option<&ServiceRevision>) -> Self {
        let record = one.record.as_ref();
        let finished = record.and_then(|record| record.finished);
        let created = one.created.or(record.and_then(|record| record.created));
        Self {
            app: one.app,
            service: one.service.clone(),
            verdict: one.standing.as_str(),
            reason: one.standing.reason().map(str::to_owned),
            deployment: one.deployment.clone(),
            service_deployment: one.record_arn.clone(),
            task_definition: revision
                .map(|revision| revision.task_definition.clone())
                .or(definition.map(str::to_owned)),
            images: revision.map_or_else(Vec::new, |revision| {
                revision
                    .images
                    .iter()
                    .map(|image| ImageResult {
                        container: image.container.clone(),
                        image: image.image.clone(),
                        digest: image.digest.clone(),
                    })
                    .collect()
            }),
            created,
            finished,
            duration_seconds: created
                .zip(finished)
                .map(|(created, finished)| finished.duration_since(created).as_secs().max(0)),
            desired: one.counts.desired,
            running: one.counts.running,
            failed_tasks: one.counts.failed,
            stopped: one.stopped.clone(),
        }
    }

    pub(crate) fn duration(&self) -> String {
        self.duration_seconds
            .and_then(|seconds| u64::try_from(seconds).ok())
            .map_or_else(|| "-".to_owned(), |seconds| lasted(Duration::from_secs(seconds)))
    }

    fn definition(&self) -> &str {
        self.task_definition.as_deref().map_or("-", short)
    }
}

impl Render for DeployResult {
    fn human(&self, view: &View) -> String {
        let mut headers = vec!["SERVICE", "VERDICT", "DEPLOYMENT", "DEFINITION", "DURATION"];
        if view.wide {
            headers.extend(["FAILED", "IMAGES", "SERVICE-DEPLOYMENT"]);
        }
        let mut table = Table::new(&headers);
        for one in &self.services {
            let mut row = vec![
                one.app.word().to_owned(),
                one.verdict.to_owned(),
                one.deployment.clone(),
                one.definition().to_owned(),
                one.duration(),
            ];
            if view.wide {
                let images = one.images.iter().map(|image| match &image.digest {
                    Some(digest) => format!("{}@{}", short_image(&image.image), brief(digest)),
                    None => short_image(&image.image).to_owned(),
                });
                let mut images: Vec<String> = images.collect();
                images.dedup();
                row.push(one.failed_tasks.to_string());
                row.push(images.join(","));
                row.push(one.service_deployment.as_deref().map_or("-", short).to_owned());
            }
            table.row(row);
        }
        table.render(view)
    }

    fn names(&self) -> Vec<String> {
        self.services.iter().map(|one| one.deployment.clone()).collect()
    }

    fn markdown(&self) -> Option<String> {
        let mut text = "### deploy\n\n| service | verdict | deployment | definition | duration |\n| --- | --- | --- | --- | --- |\n".to_owned();
        for one in &self.services {
            text.push_str(&format!(
                "| {} | {} | {} | {} | {} |\n",
                cell(one.app.word()),
                cell(one.verdict),
                cell(&code(&one.deployment)),
                cell(&code(one.definition())),
                one.duration()
            ));
        }
        let failures = self
            .services
            .iter()
            .flat_map(|one| one.stopped.iter().filter(|stopped| stopped.failed));
        for stopped in failures.take(3) {
            text.push_str(&format!(
                "\nTask {}: {}\n",
                code(&stopped.task),
                cell(&stopped.what)
            ));
            if !stopped.lines.is_empty() {
                text.push_str(&format!(
                    "\n{}",
                    crate::output::markdown::block("text", &(stopped.lines.join("\n") + "\n"))
                ));
            }
        }
        Some(text)
    }
}
