//! `bpctl image diff`: what a deployment would change.

use std::collections::BTreeMap;

use clap::Args;
use futures::future::join_all;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::words::{commit, processors};
use crate::aws::ecr;
use crate::commands::deploy::images::{brief, short};
use crate::commands::deploy::observe::{Image, ServiceSeen, observe_images};
use crate::commands::deploy::{Migrate, Request, Services, What, request};
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::Result;
use crate::exit::ExitStatus;
use crate::iam::{On, Use, Uses};
use crate::layout::{App, Layout};
use crate::output::{Render, Table, View};

/// Show what a deployment would change: the images that run, beside those that their tags mean now
///
/// Digests are compared, not tags: a container whose tag has moved runs the older image until it is replaced.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl image diff                         the newest images of the tags
  bpctl image diff backend --tag 0af12cd   the images of a commit
  bpctl image diff --exit-code             status 9 when anything would change")]
pub(crate) struct DiffArgs {
    /// Which services
    #[arg(value_enum, default_value_t)]
    services: Services,

    /// The images of this commit instead of those that the task definitions name
    #[arg(long, value_name = "SHA7", value_parser = request::tag)]
    tag: Option<String>,

    /// Exit with status 9 when anything would change
    #[arg(long)]
    exit_code: bool,
}

/// How the image of a container compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Change {
    Same,
    /// Another digest than the one that runs.
    New,
    /// The registry has no such image: no task would start.
    Missing,
    /// What runs or what would run could not be found out.
    Unknown,
}

impl Change {
    fn as_str(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::New => "new",
            Self::Missing => "missing",
            Self::Unknown => "unknown",
        }
    }
}

/// The document.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ImageDiff {
    containers: Vec<Row>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Row {
    app: App,
    container: String,
    /// As the task definition would name it.
    image: String,
    change: Change,
    runs: Option<Side>,
    would_run: Option<Side>,
    /// Why it is unknown or missing.
    reason: Option<String>,
}

/// One of the two images.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct Side {
    digest: String,
    tags: Vec<String>,
    pushed: Option<Timestamp>,
    platforms: Option<Vec<String>>,
}

impl Side {
    /// The tag of the build, as far as there is one, or the digest.
    fn name(&self) -> String {
        let of_build = self.tags.iter().find(|tag| commit(tag).is_some());
        let name = of_build.or(self.tags.first());
        name.cloned().unwrap_or_else(|| brief(&self.digest).to_owned())
    }
}

impl Verb for DiffArgs {
    fn uses() -> Uses {
        Uses::of(&[&[
            Use::of("ecr:BatchGetImage", On::Repositories),
            Use::of("ecr:DescribeImages", On::Repositories),
            Use::of("ecr:GetDownloadUrlForLayer", On::Repositories),
            Use::of("ecs:DescribeServiceRevisions", On::Revisions),
            Use::of("ecs:DescribeServices", On::Services),
            Use::of("ecs:DescribeTaskDefinition", On::Anything),
        ]])
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let layout = ctx.layout()?;
        let request = Request {
            apps: self.services.apps(),
            what: self.tag.map_or(What::Same, What::Tag),
            abort_on_first_failure: false,
            rollback_on_timeout: false,
            supersede: false,
            migrate: Migrate::No,
        };
        let diff = ctx.unless_interrupted(look(ctx, &layout, &request)).await?;
        let changes = diff.containers.iter().any(|row| row.change != Change::Same);
        ctx.emit(&diff)?;
        Ok(if changes && self.exit_code {
            ExitStatus::Differences
        } else {
            ExitStatus::Done
        })
    }
}

async fn look(ctx: &Ctx, layout: &Layout, request: &Request) -> Result<ImageDiff> {
    let names = request.apps.iter().map(|app| layout.repository(*app));
    let (seen, listed) = futures::join!(
        Box::pin(observe_images(ctx, layout, request)),
        join_all(names.map(async |name| {
            let images = ctx.aws.all_images(&name).await;
            (name, images)
        })),
    );
    let (services, images) = seen?;
    let mut known: BTreeMap<String, ecr::Image> = BTreeMap::new();
    for (name, listed) in listed {
        match listed {
            Ok(found) => known.extend(
                found
                    .into_iter()
                    .flatten()
                    .map(|image| (image.digest.clone(), image)),
            ),
            Err(error) => ctx
                .ui
                .warn(&format!("tags and dates of `{name}` are not known: {error}")),
        }
    }
    let rows = services
        .iter()
        .flat_map(|one| one.wanted().into_iter().map(move |container| (one, container)))
        .map(|(one, container)| row(one, &container.name, &container.image, &images, &known))
        .collect();
    Ok(ImageDiff { containers: rows })
}

/// Pure.
fn row(
    one: &ServiceSeen,
    container: &str,
    image: &str,
    images: &BTreeMap<String, Image>,
    known: &BTreeMap<String, ecr::Image>,
) -> Row {
    let side = |digest: &str, platforms: Option<Vec<String>>| Side {
        tags: known
            .get(digest)
            .map(|image| image.tags.clone())
            .unwrap_or_default(),
        pushed: known.get(digest).and_then(|image| image.pushed),
        digest: digest.to_owned(),
        platforms,
    };
    let running = one.running.get(container);
    let (change, would_run, reason) = match images.get(image) {
        Some(Image::Found(manifest)) => {
            let side = side(&manifest.digest, manifest.platforms.clone());
            match running {
                Some(digest) if manifest.has(digest) => (Change::Same, Some(side), None),
                Some(_) => (Change::New, Some(side), None),
                None => {
                    let why = "ECS has no digest on record for what runs";
                    (Change::Unknown, Some(side), Some(why.to_owned()))
                }
            }
        }
        Some(Image::Missing) => (Change::Missing, None, Some("the tag is not there".to_owned())),
        Some(Image::NoRepository) => (
            Change::Missing,
            None,
            Some("there is no such repository".to_owned()),
        ),
        Some(Image::Elsewhere) => (
            Change::Unknown,
            None,
            Some("it is in another registry".to_owned()),
        ),
        Some(Image::Unchecked(why)) => (Change::Unknown, None, Some(why.clone())),
        None => (Change::Unknown, None, Some("it was not looked at".to_owned())),
    };
    let same = would_run.as_ref().filter(|_| change == Change::Same);
    Row {
        app: one.app,
        container: container.to_owned(),
        image: short(image).to_owned(),
        change,
        // An image in an index has no tags of its own: it is told as the index.
        runs: same.cloned().or_else(|| running.map(|digest| side(digest, None))),
        would_run,
        reason,
    }
}

impl Render for ImageDiff {
    fn human(&self, view: &View) -> String {
        let mut headers = vec!["APP", "CONTAINER", "RUNS", "WOULD-RUN", "CHANGE"];
        if view.wide {
            headers.extend(["IMAGE", "FOR", "DIGESTS"]);
        }
        headers.push("REASON");
        let mut table = Table::new(&headers);
        let name = |side: Option<&Side>| side.map_or_else(|| "-".to_owned(), Side::name);
        for row in &self.containers {
            let mut cells = vec![
                row.app.word().to_owned(),
                row.container.clone(),
                name(row.runs.as_ref()),
                name(row.would_run.as_ref()),
                row.change.as_str().to_owned(),
            ];
            if view.wide {
                let digest = |side: Option<&Side>| {
                    side.map_or_else(|| "-".to_owned(), |side| brief(&side.digest).to_owned())
                };
                let platforms = row.would_run.as_ref().and_then(|side| side.platforms.as_deref());
                cells.push(row.image.clone());
                cells.push(processors(platforms));
                cells.push(format!(
                    "{} -> {}",
                    digest(row.runs.as_ref()),
                    digest(row.would_run.as_ref())
                ));
            }
            cells.push(row.reason.clone().unwrap_or_else(|| "-".to_owned()));
            table.row(cells);
        }
        table.render(view)
    }

    fn names(&self) -> Vec<String> {
        let changing = self.containers.iter().filter(|row| row.change != Change::Same);
        changing.map(|row| row.container.clone()).collect()
    }
}
