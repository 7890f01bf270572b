//! `bpctl man`: manual pages.

use std::path::PathBuf;

use clap::Args;
use clap_mangen::Man;

use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CtlError, ErrorKind, Result};
use crate::exit::{ExitStatus, TABLE};

/// Print the manual page, or write all pages into a folder
#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// Write bpctl.1 and one page per command into this folder
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    dir: Option<PathBuf>,
}

impl Verb for ManArgs {
    fn needs(&self) -> Needs {
        Needs::NOTHING
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        run(ctx, &self)
    }
}

fn run(ctx: &Ctx, args: &ManArgs) -> Result<ExitStatus> {
    let Some(folder) = &args.dir else {
        ctx.ui.result(
            &pages((ctx.command_tree)())?
                .into_iter()
                .next()
                .map(|(_, text)| text)
                .unwrap_or_default(),
        )?;
        return Ok(ExitStatus::Done);
    };
    std::fs::create_dir_all(folder).map_err(|error| {
        CtlError::new(ErrorKind::Failed, format!("create `{}`", folder.display())).source(&error)
    })?;
    for (name, text) in pages((ctx.command_tree)())? {
        let path = folder.join(&name);
        std::fs::write(&path, text).map_err(|error| {
            CtlError::new(ErrorKind::Failed, format!("write `{}`", path.display())).source(&error)
        })?;
    }
    ctx.ui
        .status(&format!("Wrote the manual pages into `{}`", folder.display()));
    Ok(ExitStatus::Done)
}

/// File name and text of every page; `bpctl.1` comes first.
fn pages(tree: clap::Command) -> Result<Vec<(String, String)>> {
    // What `-h` leaves out belongs into a manual.
    let mut command = tree
        .disable_help_subcommand(true)
        .mut_args(|argument| argument.hide_short_help(false));
    command.build();
    let mut pages = Vec::new();
    collect(&command, "bpctl", &mut pages)?;
    Ok(pages)
}

fn collect(command: &clap::Command, name: &str, pages: &mut Vec<(String, String)>) -> Result<()> {
    let failed =
        |error: std::io::Error| CtlError::new(ErrorKind::Unexpected, "write a manual page").source(&error);
    let mut text = Vec::new();
    let page = Man::new(
        command
            .clone()
            .name(name.to_owned())
            .bin_name(name.replace('-', " ")),
    )
    .title(name.to_uppercase());
    page.render(&mut text).map_err(failed)?;
    let mut text = String::from_utf8_lossy(&text).into_owned();
    if name == "bpctl" {
        text.push_str(".SH \"EXIT STATUS\"\n");
        for (code, meaning) in TABLE {
            text.push_str(&format!(".TP\n{code}\n{meaning}\n"));
        }
    }
    pages.push((format!("{name}.1"), text));
    for sub in command
        .get_subcommands()
        .filter(|sub| !sub.is_hide_set() && sub.get_name() != "help")
    {
        collect(sub, &format!("{name}-{}", sub.get_name()), pages)?;
    }
    Ok(())
}
