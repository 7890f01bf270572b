//! `bpctl rollout history`: the last deployments of a service, what each brought, who started it and why.

use clap::Args;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::One;
use super::status::age;
use crate::aws::ecs::rollouts::RevisionImage;
use crate::aws::ecs::{ServiceDeployment, ServiceRevision, short};
use crate::change::history::{self, Entry};
use crate::change::{Ground as _, Shared};
use crate::commands::deploy::images::{brief, short as short_image};
use crate::commands::deploy::observe::services;
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::Result;
use crate::exit::ExitStatus;
use crate::iam::{On, Use, Uses};
use crate::layout::App;
use crate::output::{Render, Table, View};
use crate::rollout::brings;

/// Show the last deployments of a service: what each brought, who started it and why
///
/// ECS keeps the last 90 days; who and why come from the history that every bpctl shares, where bpctl has deployed.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl rollout history backend
  bpctl rollout history backend -o json")]
pub(super) struct HistoryArgs {
    /// Which service
    #[arg(value_name = "SERVICE")]
    service: One,

    /// At most so many, the newest first
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u8).range(1..=20))]
    max: u8,
}

/// The document.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct History {
    service: String,
    /// The newest first.
    deployments: Vec<Row>,
    #[serde(skip)]
    now: Timestamp,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Row {
    /// `ecs-svc/<digits>`.
    deployment: String,
    service_deployment: String,
    /// As ECS says it: `SUCCESSFUL`, `ROLLBACK_SUCCESSFUL`, `STOPPED`, …
    status: String,
    reason: Option<String>,
    task_definition: Option<String>,
    images: Vec<Image>,
    created: Option<Timestamp>,
    finished: Option<Timestamp>,
    /// The deployment that the service's tasks belong to.
    current: bool,
    /// The principal that started it with bpctl.
    who: Option<String>,
    why: Option<String>,
    run: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Image {
    container: String,
    image: String,
    digest: Option<String>,
}

impl From<&RevisionImage> for Image {
    fn from(image: &RevisionImage) -> Self {
        Self {
            container: image.container.clone(),
            image: image.image.clone(),
            digest: image.digest.clone(),
        }
    }
}

impl Verb for HistoryArgs {
    fn uses() -> Uses {
        Uses::of(&[&[
            Use::of("ecs:DescribeServiceRevisions", On::Revisions),
            Use::of("ecs:DescribeServices", On::Services),
            Use::of("ecs:ListServiceDeployments", On::Services),
            Use::of("s3:GetObject", On::Bookkeeping),
            Use::of("s3:ListBucket", On::LogsBucket),
        ]])
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let history = ctx
            .unless_interrupted(read(ctx, self.service.app(), usize::from(self.max)))
            .await?;
        ctx.emit(&history)?;
        Ok(ExitStatus::Done)
    }
}

/// The records of a service's deployments, the newest first.
pub(super) async fn records(
    ctx: &Ctx,
    cluster: &str,
    service: &str,
    most: usize,
) -> Result<(Vec<ServiceDeployment>, Vec<ServiceRevision>)> {
    let mut records = ctx
        .aws
        .service_deployments(cluster, service)
        .await?
        .unwrap_or_default();
    records.sort_by_key(|record| std::cmp::Reverse(record.created));
    records.truncate(most);
    let mut arns: Vec<String> = records
        .iter()
        .filter_map(|record| record.revision.clone())
        .collect();
    arns.sort();
    arns.dedup();
    let revisions = if arns.is_empty() {
        Vec::new()
    } else {
        ctx.aws.service_revisions(&arns).await?
    };
    Ok((records, revisions))
}

async fn read(ctx: &Ctx, app: App, most: usize) -> Result<History> {
    let layout = ctx.layout()?;
    let cluster = layout.cluster();
    let found = services(ctx, &layout, &cluster, &[app]).await?;
    let name = layout.service(app);
    let (records, revisions) = records(ctx, &cluster, &name, most).await?;
    let runs = shared(ctx, &records).await;
    let primary = found
        .first()
        .and_then(|(_, service)| service.primary())
        .map(|primary| primary.id.clone());
    let deployments = records
        .into_iter()
        .map(|record| {
            let revision = revisions
                .iter()
                .find(|known| Some(&known.arn) == record.revision.as_ref());
            let deployment = format!("ecs-svc/{}", record.revision.as_deref().map_or("", short));
            let run = runs.iter().find(|entry| started(entry, &deployment));
            Row {
                current: primary.as_deref().is_some_and(|primary| {
                    record
                        .revision
                        .as_deref()
                        .is_some_and(|known| brings(primary, known))
                }),
                status: record.status,
                reason: record.reason,
                task_definition: revision.map(|revision| revision.task_definition.clone()),
                images: revision.map_or_else(Vec::new, |revision| {
                    revision.images.iter().map(Image::from).collect()
                }),
                created: record.created,
                finished: record.finished,
                service_deployment: record.arn,
                who: run.map(|entry| entry.target.principal.clone()),
                why: run.and_then(|entry| entry.reason.clone()),
                run: run.map(|entry| entry.run.to_string()),
                deployment,
            }
        })
        .collect();
    Ok(History {
        service: name,
        deployments,
        now: ctx.clock.now(),
    })
}

/// All operators' runs since the oldest of these deployments; none where the history cannot be read.
async fn shared(ctx: &Ctx, records: &[ServiceDeployment]) -> Vec<Entry> {
    let Some(since) = records.iter().filter_map(|record| record.created).min() else {
        return Vec::new();
    };
    let Shared {
        store: Some(store), ..
    } = ctx.shared()
    else {
        return Vec::new();
    };
    // A run begins before the deployment that it starts: while it is approved, for instance.
    let since = since
        .checked_sub(jiff::SignedDuration::from_hours(1))
        .unwrap_or(since);
    history::read(&store, since).await.unwrap_or_else(|error| {
        ctx.ui.warn(&format!("who started them is not known: {error}"));
        Vec::new()
    })
}

/// Whether a run started that deployment.
fn started(entry: &Entry, deployment: &str) -> bool {
    let says = |message: &String| message.split(' ').any(|word| word == deployment);
    entry
        .steps
        .iter()
        .any(|step| step.message.as_ref().is_some_and(says))
}

impl Render for History {
    fn human(&self, view: &View) -> String {
        let mut headers = vec!["AGE", "STATUS", "DEFINITION", "IMAGES", "WHO", "WHY"];
        if view.wide {
            headers.insert(1, "DEPLOYMENT");
        }
        let mut table = Table::new(&headers);
        for one in &self.deployments {
            let seconds = one
                .created
                .map(|created| self.now.duration_since(created).as_secs().max(0));
            let mut images: Vec<String> = one
                .images
                .iter()
                .map(|image| {
                    let name = short_image(&image.image);
                    let tag = name.split('@').next().unwrap_or(name);
                    let tag = tag.rsplit_once(':').map_or("", |(_, tag)| tag);
                    let digest = image.digest.as_deref().map_or("?", brief);
                    let digest = digest.get(..7).unwrap_or(digest);
                    if tag.is_empty() {
                        format!("@{digest}")
                    } else {
                        format!("{tag}@{digest}")
                    }
                })
                .collect();
            images.dedup();
            let status = one.status.to_lowercase().replace('_', "-");
            let mut row = vec![
                age(seconds),
                if one.current {
                    format!("{status} *")
                } else {
                    status
                },
                one.task_definition.as_deref().map_or("-", short).to_owned(),
                images.join(" "),
                one.who
                    .as_deref()
                    .map_or("-", |who| who.rsplit('/').next().unwrap_or(who))
                    .to_owned(),
                one.why.clone().unwrap_or_else(|| "-".to_owned()),
            ];
            if view.wide {
                row.insert(1, one.deployment.clone());
            }
            table.row(row);
        }
        table.render(view)
    }

    fn names(&self) -> Vec<String> {
        self.deployments
            .iter()
            .map(|one| one.deployment.clone())
            .collect()
    }
}
