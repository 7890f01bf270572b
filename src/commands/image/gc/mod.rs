//! `bpctl image gc`: deletes images that nothing needs any more.

mod plan;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use clap::Args;
use futures::future::try_join_all;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::list::{manifests, no_repository};
use super::usage::Usage;
use super::words::size;
use crate::aws::ecr::{DeleteImages, Deleted, Image, Manifest};
use crate::change::journal::Record;
use crate::change::{
    Basis, Change, ChangeArgs, Done, End, Outcome, Plan, RunId, Step, StepRun, Target, Verification, Words,
    carry_out,
};
use crate::commands::deploy::Services;
use crate::commands::deploy::images::brief;
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Result};
use crate::exit::ExitStatus;
use crate::iam::{CHANGE, On, Use, Uses};
use crate::layout::{App, Layout};
use crate::output::{Render, Table, View};
use plan::{Rules, Victim};

/// Images of each kind that stay unless the operator says otherwise.
const KEEP: usize = 10;

/// How old an image must be unless the operator says otherwise: `30d`.
const OLDER_THAN: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Delete images that nothing needs any more
///
/// An image goes when no task runs it, no task definition of a service or of a running task names it, no deployment on
/// record had it, and it is old: one with a commit's tag after `--older-than`, beyond the newest `--keep` of its kind;
/// one without a tag after a day. Images with any other tag, such as `php-latest` or `v1.2`, stay. Looks again right
/// before each request. Other clusters than the platform's are not asked.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl image gc --dry-run                         what would go, and how much that is
  bpctl image gc backend --keep 20                 keep more of each kind
  bpctl image gc --older-than 90d --confirm prod   in a script")]
pub(crate) struct GcArgs {
    /// Whose images
    #[arg(value_enum, default_value_t)]
    services: Services,

    /// Images with a commit's tag that stay in any case: the newest so many of each kind
    #[arg(long, value_name = "N", default_value_t = KEEP)]
    keep: usize,

    /// How old an image with a commit's tag must be, e.g. 30d
    #[arg(long, value_name = "DURATION", default_value = "30d", value_parser = crate::change::duration)]
    older_than: Duration,

    #[command(flatten)]
    change: ChangeArgs,
}

impl Verb for GcArgs {
    fn uses() -> Uses {
        Uses::of(&[
            CHANGE,
            &[
                Use::of("ecr:BatchDeleteImage", On::Repositories),
                Use::of("ecr:BatchGetImage", On::Repositories),
                Use::of("ecr:DescribeImages", On::Repositories),
                Use::of("ecs:DescribeServiceRevisions", On::Revisions),
                Use::of("ecs:DescribeServices", On::Services),
                Use::of("ecs:DescribeTaskDefinition", On::Anything),
                Use::of("ecs:DescribeTasks", On::Tasks),
                Use::of("ecs:ListServiceDeployments", On::Services),
                Use::of("ecs:ListTasks", On::AnythingInCluster),
            ],
        ])
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let change = Gc {
            ctx,
            layout: ctx.layout()?,
            services: self.services,
            rules: Rules {
                keep: self.keep,
                older_than: self.older_than,
            },
        };
        carry_out(ctx, &change, &self.change).await
    }
}

/// Images of a repository that `bpctl image gc` would delete.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct OldImages {
    pub(crate) repository: String,
    pub(crate) count: usize,
    /// At most: layers that others share are counted with each.
    pub(crate) bytes: u64,
    /// When the oldest of them was pushed.
    pub(crate) oldest: Option<Timestamp>,
}

/// What `bpctl image gc` would delete without flags, by repository; a repository that is not there has nothing.
///
/// # Errors
/// What is in use or there cannot be read.
pub(crate) async fn old_images(ctx: &Ctx, layout: &Layout) -> Result<Vec<OldImages>> {
    let now = ctx.clock.now();
    let looked = try_join_all([App::Backend, App::Frontend].map(async |app| {
        let name = layout.repository(app);
        match ctx.aws.all_images(&name).await? {
            Some(images) => Ok::<_, CtlError>(Some(repository_seen(ctx, name, images).await?)),
            None => Ok(None),
        }
    }));
    let repositories = looked.await?;
    if repositories.iter().all(Option::is_none) {
        return Ok(Vec::new());
    }
    let usage = Box::pin(Usage::whole(ctx, layout)).await?;
    let rules = Rules {
        keep: KEEP,
        older_than: OLDER_THAN,
    };
    let found = repositories.iter().flatten().filter_map(|repository| {
        let sorted = plan::sort(repository, &usage, rules, now);
        let gone: BTreeSet<&String> = sorted.first.iter().map(|victim| &victim.digest).collect();
        let pushed = repository
            .images
            .iter()
            .filter(|image| gone.contains(&image.digest));
        (!sorted.first.is_empty()).then(|| OldImages {
            repository: repository.name.clone(),
            count: sorted.first.len() + sorted.parts.len(),
            // The bytes of an index are those of the images in it.
            bytes: sorted.first.iter().filter_map(|victim| victim.bytes).sum(),
            oldest: pushed.filter_map(|image| image.pushed).min(),
        })
    });
    Ok(found.collect())
}

/// A repository with what its indexes are made of.
async fn repository_seen(ctx: &Ctx, name: String, images: Vec<Image>) -> Result<RepositorySeen> {
    let indexes = images.iter().filter(|image| image.is_index);
    let indexes: Vec<String> = indexes.map(|image| image.digest.clone()).collect();
    let manifests = manifests(ctx, &name, &indexes).await?;
    Ok(RepositorySeen {
        name,
        images,
        manifests,
    })
}

struct Gc<'a> {
    ctx: &'a Ctx,
    layout: Layout,
    services: Services,
    rules: Rules,
}

/// A repository as it was seen.
#[derive(Clone, Debug)]
struct RepositorySeen {
    name: String,
    images: Vec<Image>,
    manifests: BTreeMap<String, Manifest>,
}

#[derive(Clone, Debug)]
struct Seen {
    repositories: Vec<RepositorySeen>,
    usage: Usage,
}

/// The document.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct GcResult {
    run: RunId,
    images: Vec<Row>,
    /// Bytes of the images that are gone, as ECR counts them: layers that others share are counted with each, the
    /// images of an index with the index.
    freed_bytes: u64,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Row {
    repository: String,
    digest: String,
    tags: Vec<String>,
    pushed: Option<Timestamp>,
    size_bytes: Option<u64>,
    deleted: bool,
    /// Why it is still there.
    reason: Option<String>,
}

impl Gc<'_> {
    async fn look(&self) -> Result<Seen> {
        let apps = self.services.apps();
        let repositories = try_join_all(apps.into_iter().map(async |app| {
            let name = self.layout.repository(app);
            let images = self.ctx.aws.all_images(&name).await?;
            let images = images.ok_or_else(|| no_repository(&name))?;
            repository_seen(self.ctx, name, images).await
        }));
        let (repositories, usage) =
            futures::try_join!(repositories, Box::pin(Usage::whole(self.ctx, &self.layout)))?;
        Ok(Seen { repositories, usage })
    }
}

impl Change for Gc<'_> {
    const NAME: &'static str = "image gc";
    type Seen = Seen;
    type Action = DeleteImages;
    type Output = Deleted;
    type Ending = ();
    type Document = GcResult;

    fn words(&self) -> Words {
        Words {
            goal: "delete old images".to_owned(),
            thing: "request",
            settle: "see that the images are gone".to_owned(),
            following: String::new(),
        }
    }

    async fn observe(&self, _target: &Target, _recent: &[Record]) -> Result<Seen> {
        self.look().await
    }

    fn plan(&self, seen: &Seen, basis: &Basis<'_>) -> Result<Plan<DeleteImages>> {
        let mut steps = Vec::new();
        let (mut count, mut bytes, mut stay) = (0_usize, 0_u64, 0_usize);
        for repository in &seen.repositories {
            let sorted = plan::sort(repository, &seen.usage, self.rules, basis.now);
            stay += sorted.stay;
            count += sorted.first.len() + sorted.parts.len();
            // The bytes of an index are those of the images in it.
            bytes += sorted.first.iter().filter_map(|victim| victim.bytes).sum::<u64>();
            steps.extend(plan::steps(&repository.name, &sorted));
        }
        let title = match count {
            0 => "delete images that nothing needs".to_owned(),
            _ => format!(
                "delete {count} images that nothing needs, at most {}, and keep {stay}",
                size(Some(bytes))
            ),
        };
        Ok(Plan::new(title, steps))
    }

    fn covers(&self, seen: &Seen, plan: &Plan<DeleteImages>) -> Vec<String> {
        let known = seen.repositories.iter().flat_map(|repository| {
            (1..=plan::requests(repository.images.len())).map(|number| plan::id(&repository.name, number))
        });
        known
            .chain(plan.steps.iter().map(|step| step.id.clone()))
            .collect()
    }

    async fn act(&self, step: &StepRun<'_, Self>) -> Result<Done<Self>> {
        let call = step.action();
        let seen = self.look().await?;
        let now = self.ctx.clock.now();
        let wanted: BTreeSet<&String> = call.digests.iter().collect();
        for repository in seen.repositories.iter().filter(|one| one.name == call.repository) {
            let needed = plan::needed(repository, &seen.usage, self.rules, now);
            if let Some((digest, why)) = needed.into_iter().find(|(digest, _)| wanted.contains(digest)) {
                return Err(CtlError::changed(format!(
                    "delete images of `{}`: {} must stay by now: {why}",
                    call.repository,
                    brief(&digest)
                )));
            }
            let there: BTreeSet<&String> = repository.images.iter().map(|image| &image.digest).collect();
            if there.is_disjoint(&wanted) {
                let deleted = Deleted {
                    gone: call.digests.clone(),
                    failed: Vec::new(),
                };
                return Ok(Done::new("they were gone already: nothing was written").with(deleted));
            }
        }
        let deleted = step.send(&self.ctx.aws, call).await?;
        if deleted.gone.is_empty() {
            return Err(failure(call, &deleted));
        }
        let did = format!("deleted {} of {} images", deleted.gone.len(), call.digests.len());
        Ok(Done::new(did).with(deleted))
    }

    async fn verify(&self, _seen: &Seen, run: &mut Verification<'_, Self>) -> Result<()> {
        let done: Vec<(Step<DeleteImages>, Deleted)> = run
            .done()
            .into_iter()
            .filter_map(|(step, output)| Some((step.clone(), output?)))
            .collect();
        let names: BTreeSet<&String> = done.iter().map(|(step, _)| &step.action.repository).collect();
        let mut there: BTreeSet<(String, String)> = BTreeSet::new();
        for name in names {
            let images = self.ctx.aws.all_images(name).await?.unwrap_or_default();
            there.extend(images.into_iter().map(|image| (name.clone(), image.digest)));
        }
        for (step, deleted) in &done {
            let call = &step.action;
            let back = deleted
                .gone
                .iter()
                .find(|digest| there.contains(&(call.repository.clone(), (*digest).clone())));
            let end = match (back, deleted.failed.is_empty()) {
                (Some(digest), _) => End::Overturned(format!(
                    "image {} of `{}` is still there",
                    brief(digest),
                    call.repository
                )),
                (None, false) => End::Failed(failure(call, deleted)),
                (None, true) => End::Settled,
            };
            run.end(&step.id, end);
        }
        Ok(())
    }

    fn document(&self, seen: &Seen, outcome: &Outcome<Self>) -> Option<GcResult> {
        let outputs = outcome.steps.iter().filter_map(|step| step.output.as_ref());
        let (mut gone, mut failed) = (BTreeSet::new(), BTreeMap::new());
        for deleted in outputs {
            gone.extend(&deleted.gone);
            failed.extend(deleted.failed.iter().map(|(digest, why)| (digest, why)));
        }
        let parts: BTreeSet<&String> = seen
            .repositories
            .iter()
            .flat_map(|repository| repository.manifests.values())
            .flat_map(|index| &index.parts)
            .collect();
        let rows: Vec<Row> = seen
            .repositories
            .iter()
            .flat_map(|repository| repository.images.iter().map(move |image| (repository, image)))
            .filter(|(_, image)| gone.contains(&image.digest) || failed.contains_key(&image.digest))
            .map(|(repository, image)| Row {
                repository: repository.name.clone(),
                digest: image.digest.clone(),
                tags: image.tags.clone(),
                pushed: image.pushed,
                size_bytes: image.bytes,
                deleted: gone.contains(&image.digest),
                reason: failed.get(&image.digest).map(|why| (*why).clone()),
            })
            .collect();
        (!rows.is_empty()).then(|| GcResult {
            run: outcome.run.clone(),
            freed_bytes: rows
                .iter()
                .filter(|row| row.deleted && !parts.contains(&row.digest))
                .filter_map(|row| row.size_bytes)
                .sum(),
            images: rows,
        })
    }

    fn resume(&self, _left: &[&str]) -> CommandLine {
        let which = match self.services {
            Services::Backend => "backend",
            Services::Frontend => "frontend",
            Services::All => "all",
        };
        CommandLine::bpctl(["image", "gc", which])
            .option("--keep", self.rules.keep.to_string())
            .option(
                "--older-than",
                humantime::format_duration(self.rules.older_than)
                    .to_string()
                    .replace(' ', ""),
            )
    }
}

/// What ECR did not delete.
fn failure(call: &DeleteImages, deleted: &Deleted) -> CtlError {
    let mut error = CtlError::new(
        ErrorKind::Failed,
        format!(
            "delete images of `{}`: {} of {} are still there",
            call.repository,
            deleted.failed.len(),
            call.digests.len()
        ),
    );
    for (digest, why) in deleted.failed.iter().take(3) {
        error = error.cause(format!("{}: {why}", brief(digest)));
    }
    error
}

impl Victim {
    /// As a plan tells it.
    fn told(&self) -> String {
        let name = match self.tags.is_empty() {
            true => "no tag".to_owned(),
            false => self.tags.join(","),
        };
        format!("{} ({name}, {})", brief(&self.digest), size(self.bytes))
    }
}

impl Render for GcResult {
    fn human(&self, view: &View) -> String {
        let mut table = Table::new(&["REPOSITORY", "TAGS", "DIGEST", "SIZE", "STATE", "REASON"]);
        for row in &self.images {
            table.row([
                row.repository.clone(),
                match row.tags.is_empty() {
                    true => "-".to_owned(),
                    false => row.tags.join(","),
                },
                brief(&row.digest).to_owned(),
                size(row.size_bytes),
                if row.deleted { "deleted" } else { "still there" }.to_owned(),
                row.reason.clone().unwrap_or_else(|| "-".to_owned()),
            ]);
        }
        table.render(view)
    }

    fn names(&self) -> Vec<String> {
        let gone = self.images.iter().filter(|row| row.deleted);
        gone.map(|row| format!("{}@{}", row.repository, row.digest))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_still_there_is_told_with_ecrs_reasons() {
        let call = DeleteImages {
            repository: "bp-backend".to_owned(),
            digests: vec!["sha256:a".to_owned(), "sha256:b".to_owned()],
        };
        let deleted = Deleted {
            gone: vec!["sha256:a".to_owned()],
            failed: vec![(
                "sha256:b".to_owned(),
                "ImageReferencedByManifestList: in use".to_owned(),
            )],
        };
        let error = failure(&call, &deleted);
        assert!(error.to_string().contains("1 of 2 are still there"), "{error}");
        assert!(format!("{error:?}").contains("ImageReferencedByManifestList"));
    }
}
