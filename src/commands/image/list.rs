//! `bpctl image list`: the images of both repositories, and which of them run.

use std::collections::{BTreeMap, BTreeSet};

use clap::Args;
use futures::future::{join_all, try_join_all};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::usage::Usage;
use super::words::{findings, processors, size};
use crate::aws::ecr::{Image, Manifest, Scan};
use crate::commands::deploy::Services;
use crate::commands::deploy::images::brief;
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Result};
use crate::exit::ExitStatus;
use crate::iam::{On, Use, Uses};
use crate::layout::{App, Layout};
use crate::output::{Render, Table, View, age};

/// List the images of the services, the newest first, and which of them run
///
/// Sizes are what a task pulls. Findings are those of ECR's scans, shown for the images that run and for those that a
/// deployment would bring; `--findings` asks for all.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl image list                       the newest ten of each repository, and all that run
  bpctl image list backend --all         every image with a tag
  bpctl image list -o wide --findings    what scans have found in each")]
pub(crate) struct ListArgs {
    /// Whose images
    #[arg(value_enum, default_value_t)]
    services: Services,

    /// Every image with a tag, not only the newest ten of each repository
    #[arg(long)]
    all: bool,

    /// Ask for the findings of every image that is shown: one request each
    #[arg(long)]
    findings: bool,
}

/// Images of a repository that are shown without `--all`.
const NEWEST: usize = 10;

/// The document.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ImageList {
    images: Vec<ImageRow>,
}

/// An image with a tag.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(in crate::commands) struct ImageRow {
    pub(in crate::commands) app: App,
    pub(in crate::commands) repository: String,
    pub(in crate::commands) tags: Vec<String>,
    pub(in crate::commands) digest: String,
    pub(in crate::commands) pushed: Option<Timestamp>,
    age_seconds: Option<i64>,
    /// `linux/arm64`, …; absent for the manifest of one image, which does not say what it is for.
    pub(in crate::commands) platforms: Option<Vec<String>>,
    pub(in crate::commands) size_bytes: Option<u64>,
    /// Number of tasks by service or family.
    pub(in crate::commands) runs: BTreeMap<String, usize>,
    /// Findings by severity; absent where they were not asked for or there are none on record.
    findings: Option<BTreeMap<String, i32>>,
    /// Why there are no findings on record, where they were asked for.
    scan: Option<String>,
}

impl Verb for ListArgs {
    fn uses() -> Uses {
        Uses::of(&[&[
            Use::of("ecr:BatchGetImage", On::Repositories),
            Use::of("ecr:DescribeImageScanFindings", On::Repositories),
            Use::of("ecr:DescribeImages", On::Repositories),
            Use::of("ecr:GetDownloadUrlForLayer", On::Repositories),
            Use::of("ecs:DescribeTasks", On::Tasks),
            Use::of("ecs:ListTasks", On::AnythingInCluster),
        ]])
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let layout = ctx.layout()?;
        let look = Look {
            apps: &self.services.apps(),
            all: self.all,
            scans: if self.findings { Scans::All } else { Scans::InUse },
        };
        let (images, gap) = ctx.unless_interrupted(look.images(ctx, &layout)).await?;
        if let Some(error) = gap {
            ctx.ui.warn(&format!("which images run is not known: {error}"));
        }
        let list = ImageList { images };
        if list.images.is_empty() {
            ctx.ui.status("There are no images with a tag");
        }
        ctx.emit(&list)?;
        Ok(ExitStatus::Done)
    }
}

/// Of which images the findings are asked for: one request each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scans {
    None,
    /// Those that run, and those that a deployment would bring.
    InUse,
    All,
}

/// What is looked at.
struct Look<'a> {
    apps: &'a [App],
    /// Every image with a tag, not only the newest of each repository and those that run.
    all: bool,
    scans: Scans,
}

/// Every image with a tag of both repositories, without findings, and why it is not known which of them run.
pub(in crate::commands) async fn every_image(
    ctx: &Ctx,
    layout: &Layout,
) -> Result<(Vec<ImageRow>, Option<CtlError>)> {
    let look = Look {
        apps: &[App::Backend, App::Frontend],
        all: true,
        scans: Scans::None,
    };
    look.images(ctx, layout).await
}

impl Look<'_> {
    /// The images, and why it is not known which of them run.
    async fn images(&self, ctx: &Ctx, layout: &Layout) -> Result<(Vec<ImageRow>, Option<CtlError>)> {
        let (usage, repositories) = futures::join!(
            Box::pin(Usage::of_tasks(ctx, layout)),
            try_join_all(self.apps.iter().map(async |app| {
                let name = layout.repository(*app);
                let images = images(ctx, &name).await?;
                Ok::<_, CtlError>((*app, name, images))
            })),
        );
        let (usage, gap) = match usage {
            Ok(usage) => (usage, None),
            Err(error) => (Usage::default(), Some(error)),
        };
        let rows = repositories?
            .into_iter()
            .map(async |(app, name, images)| self.rows(ctx, app, &name, images, &usage).await);
        let images = try_join_all(rows.map(Box::pin)).await?;
        Ok((images.into_iter().flatten().collect(), gap))
    }

    async fn rows(
        &self,
        ctx: &Ctx,
        app: App,
        repository: &str,
        images: Vec<Image>,
        usage: &Usage,
    ) -> Result<Vec<ImageRow>> {
        let digests: Vec<String> = images.iter().map(|image| image.digest.clone()).collect();
        let mut manifests = manifests(ctx, repository, &digests).await?;
        let now = ctx.clock.now();
        let mut rows = Vec::new();
        let mut asked = Vec::new();
        for (at, image) in images.into_iter().enumerate() {
            let manifest = manifests.get(&image.digest);
            let runs = usage.running(&image.digest, manifest);
            if !self.all && at >= NEWEST && runs.is_empty() {
                continue;
            }
            let pulled = Layout::service_tags(app);
            let is_next = image.tags.iter().any(|tag| pulled.contains(&tag.as_str()));
            let is_asked = match self.scans {
                Scans::None => false,
                Scans::InUse => is_next || !runs.is_empty(),
                Scans::All => true,
            };
            if is_asked {
                let scanned = manifest.and_then(|manifest| manifest.image.clone());
                asked.push((rows.len(), scanned.unwrap_or_else(|| image.digest.clone())));
            }
            rows.push(ImageRow {
                app,
                repository: repository.to_owned(),
                tags: image.tags,
                platforms: None,
                age_seconds: image
                    .pushed
                    .map(|pushed| now.duration_since(pushed).as_secs().max(0)),
                pushed: image.pushed,
                size_bytes: image.bytes,
                digest: image.digest,
                runs,
                findings: None,
                scan: None,
            });
        }
        let shown: BTreeSet<&str> = rows.iter().map(|row| row.digest.as_str()).collect();
        let shown = manifests
            .values_mut()
            .filter(|manifest| shown.contains(manifest.digest.as_str()));
        ctx.aws.tell_platforms(repository, shown).await;
        for row in &mut rows {
            let manifest = manifests.get(&row.digest);
            row.platforms = manifest.and_then(|manifest| manifest.platforms.clone());
        }
        let scans = asked
            .iter()
            .map(async |(at, digest)| (*at, ctx.aws.scan(repository, digest).await));
        for (at, scan) in join_all(scans).await {
            let Some(row) = rows.get_mut(at) else { continue };
            match scan {
                Ok(Scan::Found(counts)) => row.findings = Some(counts),
                Ok(Scan::Without(why)) => row.scan = Some(why),
                Err(error) => row.scan = Some(error.to_string()),
            }
        }
        Ok(rows)
    }
}

async fn images(ctx: &Ctx, repository: &str) -> Result<Vec<Image>> {
    ctx.aws
        .images(repository)
        .await?
        .ok_or_else(|| no_repository(repository))
}

/// The error for a repository that is not there.
pub(super) fn no_repository(repository: &str) -> CtlError {
    CtlError::new(
        ErrorKind::NotFound,
        format!("find the images of `{repository}`: there is no such repository"),
    )
    .hint((
        "see which repositories there are with",
        CommandLine::aws("ecr", "describe-repositories"),
    ))
}

/// Manifests by the digests that were asked for.
pub(super) async fn manifests(
    ctx: &Ctx,
    repository: &str,
    digests: &[String],
) -> Result<BTreeMap<String, Manifest>> {
    if digests.is_empty() {
        return Ok(BTreeMap::new());
    }
    let found = ctx.aws.manifests(repository, digests).await?;
    let found = found.ok_or_else(|| no_repository(repository))?;
    Ok(found
        .into_iter()
        .map(|(_, manifest)| (manifest.digest.clone(), manifest))
        .collect())
}

impl ImageRow {
    /// As it can be pulled, without the registry.
    pub(in crate::commands) fn reference(&self) -> String {
        match self.tags.first() {
            Some(tag) => format!("{}:{tag}", self.repository),
            None => format!("{}@{}", self.repository, self.digest),
        }
    }

    fn age(&self) -> String {
        self.age_seconds
            .and_then(|seconds| u64::try_from(seconds).ok())
            .map_or_else(
                || "-".to_owned(),
                |seconds| age(std::time::Duration::from_secs(seconds)),
            )
    }

    fn found(&self) -> String {
        match (&self.findings, &self.scan) {
            (Some(counts), _) => findings(counts),
            (None, Some(why)) => why.clone(),
            (None, None) => "-".to_owned(),
        }
    }
}

#[cfg(test)]
impl ImageRow {
    /// A row for tests of what is done with rows.
    pub(in crate::commands) fn sample(app: App, repository: &str, digest: &str, tags: &[&str]) -> Self {
        Self {
            app,
            repository: repository.to_owned(),
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            digest: digest.to_owned(),
            pushed: None,
            age_seconds: None,
            platforms: None,
            size_bytes: None,
            runs: BTreeMap::new(),
            findings: None,
            scan: None,
        }
    }
}

impl Render for ImageList {
    fn human(&self, view: &View) -> String {
        let mut headers = vec!["APP", "TAGS", "DIGEST", "AGE", "FOR", "SIZE", "TASKS"];
        if view.wide {
            headers.extend(["REPOSITORY", "RUNS-IN", "FINDINGS"]);
        }
        let mut table = Table::new(&headers);
        for row in &self.images {
            let tasks: usize = row.runs.values().sum();
            let mut cells = vec![
                row.app.word().to_owned(),
                row.tags.join(","),
                brief(&row.digest).to_owned(),
                row.age(),
                processors(row.platforms.as_deref()),
                size(row.size_bytes),
                match tasks {
                    0 => "-".to_owned(),
                    many => many.to_string(),
                },
            ];
            if view.wide {
                let places: Vec<&str> = row.runs.keys().map(String::as_str).collect();
                cells.push(row.repository.clone());
                cells.push(match places.is_empty() {
                    true => "-".to_owned(),
                    false => places.join(","),
                });
                cells.push(row.found());
            }
            table.row(cells);
        }
        table.render(view)
    }

    fn names(&self) -> Vec<String> {
        self.images.iter().map(ImageRow::reference).collect()
    }
}
