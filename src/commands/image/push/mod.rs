//! `bpctl image push`: builds images, pushes them under their commit, and then moves the tags that the services pull.

mod act;
mod plan;
pub(crate) mod view;

use clap::Args;
use serde::{Deserialize, Serialize};
use tokio::sync::OnceCell;

use super::docker::Docker;
use super::source::{Source, SourceArgs};
use crate::aws::ecr::{Manifest, Repository};
use crate::change::journal::Record;
use crate::change::{
    Basis, Change, ChangeArgs, Done, End, Outcome, Plan, Step, StepRun, Target, Verification, Words,
    carry_out,
};
use crate::commands::deploy::images::brief;
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, Result};
use crate::exit::ExitStatus;
use crate::iam::{CHANGE, On, Use, Uses};
use crate::layout::{Build, Layout};
use view::PushResult;

/// Build images, push them under their commit, and move the tags that the services pull
///
/// The tags `nginx-latest`, `php-latest` and `latest` move only when every image is in the registry and is for the
/// tasks' processor: a build that fails leaves the services with what they had. What is there under its commit is not
/// built again. Running tasks keep their images until they are replaced. docker pushes with a login of bpctl's
/// credentials.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl image push                          nginx, php and frontend of the commit that is checked out
  bpctl image push backend --dry-run        the command lines of docker, and which tags would move
  bpctl image push php --no-latest          only php-<commit>
  bpctl image push frontend --build-arg NEXT_PUBLIC_API_URL=https://api.example.com")]
pub(crate) struct PushArgs {
    #[command(flatten)]
    source: SourceArgs,

    /// Leave the tags that the services pull as they are
    #[arg(long)]
    no_latest: bool,

    /// Build and push also what is there under its commit
    #[arg(long)]
    rebuild: bool,

    #[command(flatten)]
    change: ChangeArgs,
}

impl Verb for PushArgs {
    fn uses() -> Uses {
        Uses::of(&[
            CHANGE,
            &[
                Use::of("ecr:BatchGetImage", On::Repositories),
                Use::of("ecr:DescribeRepositories", On::Repositories),
                Use::of("ecr:GetAuthorizationToken", On::Anything),
                // docker sends these (Amazon ECR User Guide, "IAM permissions for pushing an image"); the tags move by
                // the last one.
                Use::of("ecr:BatchCheckLayerAvailability", On::Repositories),
                Use::of("ecr:CompleteLayerUpload", On::Repositories),
                Use::of("ecr:GetDownloadUrlForLayer", On::Repositories),
                Use::of("ecr:InitiateLayerUpload", On::Repositories),
                Use::of("ecr:UploadLayerPart", On::Repositories),
                Use::of("ecr:PutImage", On::Repositories),
            ],
        ])
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let layout = ctx.layout()?;
        let source = Source::find(ctx, &self.source).await?;
        // Also for a dry run: what cannot be carried out is not planned.
        let docker = Docker::find(ctx, &source).await?;
        let change = Push {
            ctx,
            layout,
            source,
            docker,
            args: self.source,
            no_latest: self.no_latest,
            rebuild: self.rebuild,
            logged_in: OnceCell::new(),
        };
        carry_out(ctx, &change, &self.change).await
    }
}

struct Push<'a> {
    ctx: &'a Ctx,
    layout: Layout,
    source: Source,
    docker: Docker,
    args: SourceArgs,
    no_latest: bool,
    rebuild: bool,
    /// One login for all builds.
    logged_in: OnceCell<()>,
}

/// One image and what the registry has under its tags.
#[derive(Clone, Debug)]
struct ImageSeen {
    build: Build,
    repository: Repository,
    /// Under the commit's tag.
    of_commit: Option<Manifest>,
    /// Under the tag that the services pull.
    moving: Option<Manifest>,
}

/// What a step finds out: the image under the commit's tag.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Pushed {
    digest: String,
    manifest: String,
}

impl Push<'_> {
    /// What the registry has under both tags of each image, one request for each repository.
    async fn look(&self) -> Result<Vec<ImageSeen>> {
        let mut names: Vec<String> = self
            .source
            .builds
            .iter()
            .map(|build| self.layout.repository(build.app))
            .collect();
        names.dedup();
        let repositories = self.ctx.aws.repositories(&names).await?;
        let mut seen = Vec::new();
        for repository in repositories {
            let ours = |build: &&Build| self.layout.repository(build.app) == repository.name;
            let builds: Vec<Build> = self.source.builds.iter().filter(ours).copied().collect();
            let tags: Vec<String> = builds
                .iter()
                .flat_map(|build| [build.tag(&self.source.commit), build.moving_tag()])
                .collect();
            let found = self.ctx.aws.manifests(&repository.name, &tags).await?;
            let mut found = found.ok_or_else(|| super::list::no_repository(&repository.name))?;
            let manifests = found.iter_mut().map(|(_, manifest)| manifest);
            self.ctx.aws.tell_platforms(&repository.name, manifests).await;
            let under = |tag: &str| {
                let mut found = found.iter();
                found
                    .find(|(known, _)| known == tag)
                    .map(|(_, manifest)| manifest.clone())
            };
            seen.extend(builds.into_iter().map(|build| ImageSeen {
                repository: repository.clone(),
                of_commit: under(&build.tag(&self.source.commit)),
                moving: under(&build.moving_tag()),
                build,
            }));
        }
        Ok(seen)
    }
}

impl Change for Push<'_> {
    const NAME: &'static str = "image push";
    type Seen = Vec<ImageSeen>;
    type Action = plan::Action;
    type Output = Pushed;
    type Ending = view::Row;
    type Document = PushResult;

    fn words(&self) -> Words {
        Words {
            goal: "push the images".to_owned(),
            thing: "step",
            settle: "see the images in the registry".to_owned(),
            following: String::new(),
        }
    }

    async fn observe(&self, _target: &Target, _recent: &[Record]) -> Result<Vec<ImageSeen>> {
        self.look().await
    }

    fn plan(&self, seen: &Vec<ImageSeen>, _basis: &Basis<'_>) -> Result<Plan<plan::Action>> {
        Ok(plan::plan(seen, &self.source, self.rebuild, !self.no_latest))
    }

    fn covers(&self, seen: &Vec<ImageSeen>, _plan: &Plan<plan::Action>) -> Vec<String> {
        let both = |image: &ImageSeen| [image.build.word.to_owned(), plan::move_id(&image.build)];
        seen.iter().flat_map(both).collect()
    }

    async fn act(&self, step: &StepRun<'_, Self>) -> Result<Done<Self>> {
        act::act(self, step).await
    }

    fn undo(&self, step: &Step<plan::Action>) -> Option<Step<plan::Action>> {
        plan::undo(step)
    }

    async fn verify(&self, _seen: &Vec<ImageSeen>, run: &mut Verification<'_, Self>) -> Result<()> {
        let done: Vec<(Step<plan::Action>, Option<Pushed>)> = run
            .done()
            .into_iter()
            .map(|(step, output)| (step.clone(), output))
            .collect();
        let now = self.look().await?;
        for (step, output) in &done {
            let (Some(image), Some(wanted)) =
                (now.iter().find(|image| step.action.is_of(&image.build)), output)
            else {
                continue;
            };
            let (tag, there) = match &step.action {
                plan::Action::Build(_) => (image.build.tag(&self.source.commit), &image.of_commit),
                plan::Action::Move(_) => (image.build.moving_tag(), &image.moving),
            };
            run.end(
                &step.id,
                match there {
                    Some(there) if there.digest == wanted.digest => End::Settled,
                    Some(there) => End::Overturned(format!(
                        "tag {tag} of `{}` is on {} by now",
                        image.repository.name,
                        brief(&there.digest)
                    )),
                    None => {
                        End::Overturned(format!("tag {tag} of `{}` is gone again", image.repository.name))
                    }
                },
            );
        }
        for image in &now {
            let of_it = |step: &&Step<plan::Action>| step.action.is_of(&image.build);
            let built = done
                .iter()
                .map(|(step, _)| step)
                .filter(of_it)
                .any(|step| matches!(step.action, plan::Action::Build(_)));
            if let Some(row) = view::Row::new(image, &self.source.commit, built) {
                run.ending(image.build.word, row);
            }
        }
        Ok(())
    }

    fn document(&self, _seen: &Vec<ImageSeen>, outcome: &Outcome<Self>) -> Option<PushResult> {
        let rows: Vec<view::Row> = outcome.endings.values().cloned().collect();
        (!rows.is_empty()).then(|| PushResult {
            run: outcome.run.clone(),
            images: rows,
        })
    }

    fn resume(&self, _left: &[&str]) -> CommandLine {
        let mut command = CommandLine::bpctl(["image", "push", self.args.which.word()]);
        if let Some(folder) = &self.args.source {
            command = command.option("--source", folder.display().to_string());
        }
        // The same commit, also when another one is checked out by then.
        command = command.option("--tag", &self.source.commit);
        for value in &self.args.build_arg {
            command = command.option("--build-arg", value);
        }
        for (flag, given) in [
            ("--no-cache", self.args.no_cache),
            ("--no-latest", self.no_latest),
        ] {
            if given {
                command = command.args([flag]);
            }
        }
        command
    }
}
