//! `bpctl image build`: images on this machine, as the runbook names them.

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use super::docker::Docker;
use super::source::{Source, SourceArgs};
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, Hint, Result};
use crate::exit::ExitStatus;
use crate::layout::PLATFORM;
use crate::output::{Render, Table, View};

/// Build images on this machine, for the tasks' processor, and push nothing
///
/// To see whether they build. Nothing in AWS is asked or changed; `bpctl image push` builds and pushes.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl image build                   nginx, php and frontend
  bpctl image build php --dry-run     the command line of docker
  bpctl image build --source ../app   from another folder")]
pub(crate) struct BuildArgs {
    #[command(flatten)]
    source: SourceArgs,

    /// Show the command lines of docker and build nothing
    #[arg(long)]
    dry_run: bool,
}

/// The document.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Built {
    images: Vec<Row>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Row {
    image: String,
    /// As docker on this machine knows it.
    names: Vec<String>,
    platform: String,
    /// False in a dry run.
    built: bool,
}

impl Verb for BuildArgs {
    fn needs(&self) -> Needs {
        Needs::SETTINGS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let layout = ctx.layout()?;
        let source = Source::find(ctx, &self.source).await?;
        let docker = match self.dry_run {
            true => None,
            false => Some(Docker::find(ctx, &source).await?),
        };
        let mut images = Vec::new();
        for build in &source.builds {
            let repository = layout.repository(build.app);
            let names =
                [build.tag(&source.commit), build.moving_tag()].map(|tag| format!("{repository}:{tag}"));
            let words = source.arguments(build, &names, "--load");
            match &docker {
                None => ctx.ui.hint(
                    Hint::new(format!("in `{}`:", source.root.display()))
                        .command(CommandLine::other("docker", words)),
                ),
                Some(docker) => {
                    ctx.ui.group(&format!("build {}", build.word));
                    let hear = |line: &str| ctx.ui.log(build.word, line);
                    let built = docker.build(build.word, &words, hear).await;
                    ctx.ui.end_group();
                    built?;
                }
            }
            images.push(Row {
                image: build.word.to_owned(),
                names: names.into(),
                platform: PLATFORM.to_owned(),
                built: !self.dry_run,
            });
        }
        ctx.emit(&Built { images })?;
        Ok(ExitStatus::Done)
    }
}

impl Render for Built {
    fn human(&self, view: &View) -> String {
        let mut table = Table::new(&["IMAGE", "FOR", "STATE", "NAMES"]);
        for row in &self.images {
            table.row([
                row.image.clone(),
                row.platform.clone(),
                if row.built { "built" } else { "not built" }.to_owned(),
                row.names.join(","),
            ]);
        }
        table.render(view)
    }

    fn names(&self) -> Vec<String> {
        self.images.iter().flat_map(|row| row.names.clone()).collect()
    }
}
