//! `bpctl rollout status`: how far the newest deployment of each service is.

use clap::Args;
use futures::future::join_all;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::newest;
use crate::aws::ecs::{RolloutRecord, Service, short};
use crate::commands::deploy::Services;
use crate::commands::deploy::observe::services;
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::Result;
use crate::exit::ExitStatus;
use crate::iam::{On, Use, Uses};
use crate::layout::App;
use crate::output::{Render, Table, View};
use crate::rollout::{brings, standing};

/// Show how far the newest deployment of each service is
///
/// A look, without waiting: `rollout watch` waits and ends with the verdict.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl rollout status
  bpctl rollout status backend -o json")]
pub(super) struct StatusArgs {
    /// Which services
    #[arg(value_enum, default_value_t)]
    services: Services,
}

/// The document.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Status {
    services: Vec<Row>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Row {
    app: App,
    service: String,
    /// `ecs-svc/<digits>` of the deployment that was started last.
    deployment: String,
    service_deployment: Option<String>,
    /// `in-progress`, `rolling-back`, `completed`, `failed`, `rolled-back`, `rollback-failed`, `superseded`.
    state: &'static str,
    reason: Option<String>,
    /// What the primary deployment runs, which is another one after a rollback.
    task_definition: String,
    primary: Option<String>,
    desired: i32,
    running: i32,
    pending: i32,
    /// Tasks in a row of the newest deployment that failed.
    failed: i32,
    /// Failures at which the circuit breaker ends the deployment.
    breaks_at: Option<i32>,
    created: Option<Timestamp>,
    age_seconds: Option<i64>,
}

impl Verb for StatusArgs {
    fn uses() -> Uses {
        Uses::of(&[&[
            Use::of("ecs:DescribeServiceDeployments", On::Deployments),
            Use::of("ecs:DescribeServices", On::Services),
            Use::of("ecs:ListServiceDeployments", On::Services),
        ]])
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let status = ctx.unless_interrupted(look(ctx, &self.services.apps())).await?;
        ctx.emit(&status)?;
        Ok(ExitStatus::Done)
    }
}

async fn look(ctx: &Ctx, apps: &[App]) -> Result<Status> {
    let layout = ctx.layout()?;
    let cluster = layout.cluster();
    let found = services(ctx, &layout, &cluster, apps).await?;
    let lists = join_all(
        found
            .iter()
            .map(|(_, service)| ctx.aws.service_deployments(&cluster, &service.name)),
    )
    .await;
    let mut arns = Vec::new();
    let mut news = Vec::new();
    for ((app, service), listed) in found.iter().zip(lists) {
        let records = match listed {
            Ok(records) => records.unwrap_or_default(),
            Err(error) => {
                ctx.ui.warn(&format!(
                    "{}: the records of deployments cannot be read: {error}",
                    app.word()
                ));
                Vec::new()
            }
        };
        let newest = newest(service, &records);
        arns.extend(newest.iter().filter_map(|newest| {
            let of_it = |revision: &str| brings(&newest.deployment, revision);
            let record = records
                .iter()
                .find(|record| record.revision.as_deref().is_some_and(of_it));
            record.map(|record| record.arn.clone())
        }));
        news.push(newest);
    }
    let records = if arns.is_empty() {
        Vec::new()
    } else {
        ctx.aws.rollout_records(&arns).await?
    };
    let now = ctx.clock.now();
    let services = found
        .iter()
        .zip(news)
        .filter_map(|((app, service), newest)| {
            let newest = newest?;
            let of_it = |record: &&RolloutRecord| {
                record
                    .revision
                    .as_deref()
                    .is_some_and(|revision| brings(&newest.deployment, revision))
            };
            let record = records.iter().find(of_it);
            Some(row(*app, service, &newest, record, now))
        })
        .collect();
    Ok(Status { services })
}

fn row(
    app: App,
    service: &Service,
    newest: &super::Newest,
    record: Option<&RolloutRecord>,
    now: Timestamp,
) -> Row {
    let standing = standing(service, &newest.deployment, newest.created, record);
    let own = service
        .deployments
        .iter()
        .find(|known| known.id == newest.deployment);
    let counted = record.and_then(|record| record.failures);
    Row {
        app,
        service: service.name.clone(),
        deployment: newest.deployment.clone(),
        service_deployment: record.map(|record| record.arn.clone()),
        state: standing.as_str(),
        reason: standing.reason().map(str::to_owned),
        task_definition: service.task_definition.clone(),
        primary: service.primary().map(|primary| primary.id.clone()),
        desired: service.desired,
        running: service.running,
        pending: service.pending,
        failed: own
            .map(|own| own.failed)
            .or(counted.map(|(failed, _)| failed))
            .unwrap_or(0),
        breaks_at: counted.map(|(_, threshold)| threshold),
        created: newest.created,
        age_seconds: newest
            .created
            .map(|created| now.duration_since(created).as_secs().max(0)),
    }
}

/// A span as tables show it.
pub(super) fn age(seconds: Option<i64>) -> String {
    let Some(seconds) = seconds else {
        return "-".to_owned();
    };
    match seconds {
        ..120 => format!("{seconds}s"),
        120..7_200 => format!("{}m", seconds / 60),
        7_200..172_800 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

impl Render for Status {
    fn human(&self, view: &View) -> String {
        let mut headers = vec!["SERVICE", "STATE", "DEPLOYMENT", "RUNS", "TASKS", "FAILED", "AGE"];
        if view.wide {
            headers.extend(["PRIMARY", "REASON"]);
        }
        let mut table = Table::new(&headers);
        for one in &self.services {
            let failed = match one.breaks_at {
                Some(threshold) => format!("{} of {threshold}", one.failed),
                None => one.failed.to_string(),
            };
            let mut row = vec![
                one.app.word().to_owned(),
                one.state.to_owned(),
                one.deployment.clone(),
                short(&one.task_definition).to_owned(),
                format!("{}/{}", one.running, one.desired),
                failed,
                age(one.age_seconds),
            ];
            if view.wide {
                row.push(one.primary.clone().unwrap_or_else(|| "-".to_owned()));
                row.push(one.reason.clone().unwrap_or_else(|| "-".to_owned()));
            }
            table.row(row);
        }
        table.render(view)
    }

    fn names(&self) -> Vec<String> {
        self.services.iter().map(|one| one.deployment.clone()).collect()
    }
}
