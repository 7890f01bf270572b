//! `bpctl man`: manual pages, and the same as Markdown.

mod markdown;
mod page;
mod reference;

use std::path::{Path, PathBuf};

use clap::Args;

use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Result};
use crate::exit::ExitStatus;
use crate::settings::nearest;

/// Print a manual page, or write all pages into a folder
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl man                                  the page of bpctl itself
  bpctl man fleet status | man -l -          that of a verb, in the pager
  bpctl man --dir ~/.local/share/man/man1    all pages, where `man` finds them
  bpctl man --dir docs --markdown            the reference as Markdown")]
pub(crate) struct ManArgs {
    /// Verb whose page is printed, e.g. fleet status
    #[arg(value_name = "VERB", conflicts_with = "dir")]
    verb: Vec<String>,

    /// Write one page per command into this folder
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    dir: Option<PathBuf>,

    /// Write the reference of commands, settings and findings as Markdown
    #[arg(long, requires = "dir")]
    markdown: bool,
}

impl Verb for ManArgs {
    fn needs(&self) -> Needs {
        Needs::NOTHING
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let tree = built((ctx.command_tree)());
        match &self.dir {
            None => {
                let page = page::of(command_of(&tree, &self.verb)?, &name_of(&self.verb))?;
                ctx.ui.result(&page)?;
            }
            Some(folder) if self.markdown => {
                write_all(
                    ctx,
                    &ctx.cwd.join(folder),
                    markdown::pages(&tree),
                    "the reference",
                )?;
            }
            Some(folder) => write_all(ctx, &ctx.cwd.join(folder), pages(&tree)?, "the manual pages")?,
        }
        Ok(ExitStatus::Done)
    }
}

/// The tree with the flags of every command in its place, without the built-in `help`.
fn built(tree: clap::Command) -> clap::Command {
    let mut tree = tree
        .disable_help_subcommand(true)
        .mut_args(|argument| argument.hide_short_help(false));
    tree.build();
    tree
}

/// `bpctl-fleet-status`, as its page is called.
fn name_of(verb: &[String]) -> String {
    let words = std::iter::once("bpctl").chain(verb.iter().map(String::as_str));
    words.collect::<Vec<_>>().join("-")
}

fn command_of<'a>(tree: &'a clap::Command, verb: &[String]) -> Result<&'a clap::Command> {
    let mut command = tree;
    for (position, word) in verb.iter().enumerate() {
        let Some(sub) = command.find_subcommand(word) else {
            let path = std::iter::once("bpctl").chain(verb[..position].iter().map(String::as_str));
            let path = path.collect::<Vec<_>>().join(" ");
            let known = subcommands(command).map(clap::Command::get_name);
            let error = CtlError::usage(format!(
                "find the page of `{path} {word}`: there is no such command"
            ));
            return Err(match nearest(word, known) {
                Some(like) => {
                    let words = ["man"]
                        .into_iter()
                        .chain(verb[..position].iter().map(String::as_str));
                    error.hint(("did you mean", CommandLine::bpctl(words.chain([like]))))
                }
                None => error.hint(("the commands are listed by", CommandLine::bpctl(["--help"]))),
            });
        };
        command = sub;
    }
    Ok(command)
}

/// The subcommands that are told of.
fn subcommands(command: &clap::Command) -> impl Iterator<Item = &clap::Command> {
    command
        .get_subcommands()
        .filter(|sub| !sub.is_hide_set() && sub.get_name() != "help")
}

/// File name and text of every page; `bpctl.1` comes first.
fn pages(tree: &clap::Command) -> Result<Vec<(String, String)>> {
    fn collect(command: &clap::Command, name: &str, pages: &mut Vec<(String, String)>) -> Result<()> {
        pages.push((format!("{name}.1"), page::of(command, name)?));
        for sub in subcommands(command) {
            collect(sub, &format!("{name}-{}", sub.get_name()), pages)?;
        }
        Ok(())
    }
    let mut pages = Vec::new();
    collect(tree, "bpctl", &mut pages)?;
    Ok(pages)
}

fn write_all(ctx: &Ctx, folder: &Path, files: Vec<(String, String)>, what: &str) -> Result<()> {
    let failed = |what: &str, path: &Path, error: &std::io::Error| {
        CtlError::new(ErrorKind::Failed, format!("{what} `{}`", path.display())).source(error)
    };
    std::fs::create_dir_all(folder).map_err(|error| failed("make the folder", folder, &error))?;
    for (name, text) in files {
        let path = folder.join(&name);
        std::fs::write(&path, text).map_err(|error| failed("write", &path, &error))?;
    }
    ctx.ui
        .status(&format!("Wrote {what} into `{}`", folder.display()));
    Ok(())
}
