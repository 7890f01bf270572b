//! Deployments of the services, as ECS has them on record: the newest twenty of each.

use futures::future::try_join_all;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::services::known;
use crate::aws::ecs::{Service, ServiceDeployment, ServiceRevision, short};
use crate::commands::get::row::{Found, Row, or_dash, seconds_since};
use crate::commands::get::selector::Tags;
use crate::context::Ctx;
use crate::error::Result;
use crate::kinds::Kind;
use crate::layout::App;
use crate::output::{age, age_at};
use crate::rollout::{brings, number};

/// A deployment.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(in crate::commands) struct DeploymentRow {
    /// `ecs-svc/<digits>`.
    pub(in crate::commands) deployment: String,
    pub(in crate::commands) service_deployment: String,
    pub(in crate::commands) service: String,
    pub(in crate::commands) app: App,
    /// As ECS says it: `SUCCESSFUL`, `IN_PROGRESS`, `ROLLBACK_SUCCESSFUL`, `STOPPED`, …
    pub(in crate::commands) status: String,
    pub(in crate::commands) reason: Option<String>,
    /// The primary deployment of its service.
    pub(in crate::commands) current: bool,
    /// Family and revision of what it brings.
    pub(in crate::commands) task_definition: Option<String>,
    pub(in crate::commands) images: Vec<DeployedImage>,
    pub(in crate::commands) created: Option<Timestamp>,
    pub(in crate::commands) finished: Option<Timestamp>,
    /// Since it was created.
    age_seconds: Option<i64>,
}

/// An image that a deployment brings.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(in crate::commands) struct DeployedImage {
    pub(in crate::commands) container: String,
    /// As the task definition names it.
    pub(in crate::commands) image: String,
    /// Null before a task of the deployment has pulled it.
    pub(in crate::commands) digest: Option<String>,
}

impl DeploymentRow {
    fn of(
        app: App,
        service: &Service,
        record: ServiceDeployment,
        revisions: &[ServiceRevision],
        now: Timestamp,
    ) -> Self {
        let revision = record.revision.as_deref();
        let brought = revisions
            .iter()
            .find(|known| Some(known.arn.as_str()) == revision);
        let primary = service.primary();
        let images = brought.into_iter().flat_map(|brought| &brought.images);
        Self {
            deployment: format!("ecs-svc/{}", revision.map_or("", short)),
            service: service.name.clone(),
            app,
            current: primary
                .zip(revision)
                .is_some_and(|(primary, revision)| brings(&primary.id, revision)),
            task_definition: brought.map(|brought| short(&brought.task_definition).to_owned()),
            images: images
                .map(|image| DeployedImage {
                    container: image.container.clone(),
                    image: image.image.clone(),
                    digest: image.digest.clone(),
                })
                .collect(),
            age_seconds: seconds_since(now, record.created),
            service_deployment: record.arn,
            status: record.status,
            reason: record.reason,
            created: record.created,
            finished: record.finished,
        }
    }

    /// The status in words.
    fn state(&self) -> String {
        let words = match self.status.as_str() {
            "ROLLBACK_SUCCESSFUL" => "rolled back".to_owned(),
            "ROLLBACK_IN_PROGRESS" => "rolling back".to_owned(),
            other => other.to_lowercase().replace('_', " "),
        };
        if self.current { format!("{words} *") } else { words }
    }

    fn took(&self) -> String {
        let span = self.created.zip(self.finished);
        let span = span.and_then(|(from, to)| to.duration_since(from).try_into().ok());
        span.map_or_else(|| "-".to_owned(), age)
    }
}

impl Row for DeploymentRow {
    const KIND: Kind = Kind::Deployment;
    const COLUMNS: &'static [&'static str] = &["DEPLOYMENT", "OF", "STATUS", "DEFINITION", "AGE", "TOOK"];
    const WIDE: &'static [&'static str] = &["IMAGES", "REASON"];
    const TAGGED: bool = false;

    fn name(&self) -> String {
        self.deployment.clone()
    }

    fn is_called(&self, name: &str) -> bool {
        let of_service = name == self.service || name == self.app.word();
        of_service || name == self.service_deployment || number(name) == number(&self.deployment)
    }

    fn cells(&self, now: Timestamp) -> Vec<String> {
        let images = self.images.iter().map(|image| {
            let digest = image
                .digest
                .as_deref()
                .and_then(|digest| digest.split(':').nth(1));
            let digest = digest.map(|digest| digest.chars().take(7).collect::<String>());
            format!("{}@{}", short(&image.image), digest.as_deref().unwrap_or("?"))
        });
        let mut images: Vec<String> = images.collect();
        images.dedup();
        vec![
            self.deployment.clone(),
            self.app.word().to_owned(),
            self.state(),
            or_dash(self.task_definition.as_deref()),
            age_at(now, self.created),
            self.took(),
            or_dash(Some(&images.join(" "))),
            or_dash(self.reason.as_deref()),
        ]
    }

    fn tags(&self) -> Option<&Tags> {
        None
    }

    async fn read(ctx: &Ctx, _names: &[String]) -> Result<Found<Self>> {
        let layout = ctx.layout()?;
        let cluster = layout.cluster();
        let services = known(ctx, &layout).await?;
        let lists = services
            .iter()
            .map(|(_, service)| ctx.aws.service_deployments(&cluster, &service.name));
        let lists = try_join_all(lists).await?;
        let records = || lists.iter().flatten().flatten();
        let mut arns: Vec<String> = records().filter_map(|record| record.revision.clone()).collect();
        arns.sort();
        arns.dedup();
        let revisions = match arns.is_empty() {
            true => Vec::new(),
            false => ctx.aws.service_revisions(&arns).await?,
        };
        let now = ctx.clock.now();
        let mut rows = Vec::new();
        for ((app, service), list) in services.iter().zip(lists) {
            for record in list.into_iter().flatten() {
                rows.push(Self::of(*app, service, record, &revisions, now));
            }
        }
        rows.sort_by_key(|row| std::cmp::Reverse(row.created));
        Ok(rows.into())
    }
}
