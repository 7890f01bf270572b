//! What is built: from which folder, as which commit.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use crate::commands::deploy::request;
use crate::context::Ctx;
use crate::error::{CtlError, Result};
use crate::layout::{BUILDS, Build, PLATFORM};
use crate::process::{Ended, Program};

/// Which images.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Which {
    Nginx,
    Php,
    Frontend,
    /// nginx and php.
    Backend,
    All,
}

impl Which {
    pub(super) fn has(self, build: &Build) -> bool {
        match self {
            Self::Nginx => build.word == "nginx",
            Self::Php => build.word == "php",
            Self::Frontend => build.word == "frontend",
            Self::Backend => build.word != "frontend",
            Self::All => true,
        }
    }

    /// As it is typed.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Php => "php",
            Self::Frontend => "frontend",
            Self::Backend => "backend",
            Self::All => "all",
        }
    }
}

/// The flags of a build.
#[derive(Clone, Debug, Args)]
pub(super) struct SourceArgs {
    /// Which images
    #[arg(value_enum, default_value = "all", value_name = "IMAGE")]
    pub(super) which: Which,

    /// Root of the application's repository [default: that of the working folder]
    #[arg(long, value_name = "FOLDER", value_hint = clap::ValueHint::DirPath)]
    pub(super) source: Option<PathBuf>,

    /// Tag for the commit [default: the first seven digits of HEAD, if everything is committed]
    #[arg(long, value_name = "SHA7", value_parser = request::tag)]
    pub(super) tag: Option<String>,

    /// Value for the builds; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = build_arg)]
    pub(super) build_arg: Vec<String>,

    /// Build everything anew, without what docker has in its cache
    #[arg(long)]
    pub(super) no_cache: bool,
}

fn build_arg(text: &str) -> Result<String, String> {
    match text.split_once('=') {
        Some((name, _)) if !name.is_empty() && !text.contains(['\n', '\0']) => Ok(text.to_owned()),
        _ => Err("write `NAME=VALUE`".to_owned()),
    }
}

/// What is built.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub(super) builds: Vec<Build>,
    pub(super) root: PathBuf,
    pub(super) commit: String,
    args: SourceArgs,
}

impl Source {
    /// Looks at the folder.
    ///
    /// # Errors
    /// A Dockerfile that is not there, a commit that cannot be told.
    pub(super) async fn find(ctx: &Ctx, args: &SourceArgs) -> Result<Self> {
        let root = match &args.source {
            Some(folder) => ctx.cwd.join(folder),
            None => ctx
                .cwd
                .ancestors()
                .find(|folder| folder.join(".git").exists())
                .unwrap_or(&ctx.cwd)
                .to_owned(),
        };
        let builds: Vec<Build> = BUILDS.into_iter().filter(|build| args.which.has(build)).collect();
        for build in &builds {
            if !root.join(build.dockerfile).is_file() {
                return Err(CtlError::usage(format!(
                    "build {}: there is no `{}` in `{}`",
                    build.word,
                    build.dockerfile,
                    root.display()
                ))
                .hint("give the root of the application's repository with `--source`"));
            }
        }
        let commit = match &args.tag {
            Some(tag) => tag.clone(),
            None => commit(ctx, &root).await?,
        };
        Ok(Self {
            builds,
            root,
            commit,
            args: args.clone(),
        })
    }

    /// The arguments of docker that build an image under `names`; `to` is `--load` or `--push`.
    pub(super) fn arguments(&self, build: &Build, names: &[String], to: &str) -> Vec<String> {
        let mut words: Vec<String> = ["buildx", "build", "--platform", PLATFORM, "--progress", "plain"]
            .map(str::to_owned)
            .into();
        words.extend(["--file".to_owned(), build.dockerfile.to_owned()]);
        for name in names {
            words.extend(["--tag".to_owned(), name.clone()]);
        }
        for value in &self.args.build_arg {
            words.extend(["--build-arg".to_owned(), value.clone()]);
        }
        if self.args.no_cache {
            words.push("--no-cache".to_owned());
        }
        words.extend([to.to_owned(), build.context.to_owned()]);
        words
    }
}

/// The first seven digits of HEAD, as the tags of CI have them.
async fn commit(ctx: &Ctx, root: &Path) -> Result<String> {
    let wanted = |why: &str| {
        CtlError::usage(format!("tag the images: {why}"))
            .hint("give the commit's part of the tags yourself: `--tag 0af12cd`")
    };
    let git = Program::find("git", &ctx.env, root).ok_or_else(|| wanted("git is not on the PATH"))?;
    let ask = async |words: &[&str]| {
        let lines = RefCell::new(Vec::new());
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let ended = git
            .run(&words, None, &ctx.cancel, |line| {
                lines.borrow_mut().push(line.to_owned());
            })
            .await
            .map_err(|error| wanted("git does not start").source(&error))?;
        match ended {
            Ended::Exited(0) => Ok(lines.into_inner()),
            _ => Err(wanted(&format!("`{}` is no repository of git", root.display()))),
        }
    };
    let head = ask(&["rev-parse", "HEAD"]).await?;
    let head = head.first().and_then(|line| line.get(..7));
    let head = head
        .ok_or_else(|| wanted("the repository has no commit"))?
        .to_owned();
    let changed = ask(&["status", "--porcelain"]).await?;
    match changed.len() {
        0 => Ok(head),
        count => Err(wanted(&format!(
            "{count} files differ from commit {head}, so its tag would lie"
        ))),
    }
}
