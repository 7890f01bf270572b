//! `bpctl completion`: the script that teaches a shell to complete bpctl.

use std::path::{Path, PathBuf};

use clap::Args;
use clap_complete::Shell;

use crate::commands::verb::{Needs, Verb};
use crate::completion;
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Result};
use crate::exit::ExitStatus;

/// What `--help` says beyond the first line. A constant and not a doc comment: shell syntax is not markdown.
const HELP: &str = "Print the completion script of a shell, or install it

The script makes the shell ask bpctl: verbs, flags, contexts, fleets, tenant pools and files are completed.
`--install` writes it into the folder where the shell looks for completions, and says what is left to do.
To have it for one session only:

bash:        source <(bpctl completion bash)
zsh:         source <(bpctl completion zsh)
fish:        bpctl completion fish | source
powershell:  bpctl completion powershell | Out-String | Invoke-Expression
elvish:      eval (bpctl completion elvish | slurp)";

/// Print the completion script of a shell, or install it
#[derive(Debug, Args)]
#[command(long_about = HELP)]
#[command(after_help = "Examples:
  bpctl completion --install       where the shell of this account looks for it
  bpctl completion zsh --install   the same of another shell
  bpctl completion bash            the script alone")]
pub(crate) struct CompletionArgs {
    /// Shell; that of the variable SHELL by default
    shell: Option<Shell>,

    /// Write the script into the folder where the shell looks for completions
    #[arg(long)]
    install: bool,
}

impl Verb for CompletionArgs {
    fn needs(&self) -> Needs {
        Needs::NOTHING
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let shell = self.shell.map_or_else(|| self.own_shell(ctx), Ok)?;
        if self.install {
            install_for(ctx, shell)?;
        } else {
            ctx.ui.result(&script_of(shell)?)?;
        }
        Ok(ExitStatus::Done)
    }
}

impl CompletionArgs {
    /// The operator's login shell.
    fn own_shell(&self, ctx: &Ctx) -> Result<Shell> {
        let shell = ctx
            .env
            .get("SHELL")
            .and_then(|path| completion::shell_named(path));
        let named = CommandLine::bpctl(["completion", "bash"]).args(self.install.then_some("--install"));
        shell.ok_or_else(|| {
            CtlError::usage("choose a shell: the variable SHELL names none that bpctl knows")
                .hint(("name it, e.g.", named))
        })
    }
}

/// Where a shell looks for the completions of one user, and what must be said for it to look there.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    file: PathBuf,
    /// The file of the shell that must have a line, and the line; `None` where the folder is enough.
    line: Option<(String, String)>,
}

/// `folder` gives the value of a variable that holds an absolute path.
fn place(shell: Shell, folder: impl Fn(&str) -> Option<PathBuf>) -> Option<Place> {
    let home = || folder("HOME").or_else(|| folder("USERPROFILE"));
    let data = || folder("XDG_DATA_HOME").or_else(|| Some(home()?.join(".local/share")));
    let config = || folder("XDG_CONFIG_HOME").or_else(|| Some(home()?.join(".config")));
    let on_its_own = |file: PathBuf| Some(Place { file, line: None });
    match shell {
        // "completions/<command>" below BASH_COMPLETION_USER_DIR, else below $XDG_DATA_HOME/bash-completion
        // (bash-completion, README).
        Shell::Bash => {
            let folder = folder("BASH_COMPLETION_USER_DIR").or_else(|| Some(data()?.join("bash-completion")));
            on_its_own(folder?.join("completions/bpctl"))
        }
        // fish, "Where to put completions".
        Shell::Fish => on_its_own(config()?.join("fish/completions/bpctl.fish")),
        // zsh has no folder for one user: `fpath` must be told, before `compinit` looks.
        Shell::Zsh => {
            let folder = data()?.join("zsh/site-functions");
            let line = format!("fpath=({} $fpath)", quoted(&folder));
            Some(Place {
                file: folder.join("_bpctl"),
                line: Some(("~/.zshrc, above `compinit`".to_owned(), line)),
            })
        }
        // PowerShell runs its profile only (about_Profiles).
        Shell::PowerShell => {
            let folder = match folder("USERPROFILE") {
                Some(user) => user.join("Documents").join("PowerShell"),
                None => config()?.join("powershell"),
            };
            let file = folder.join("bpctl.completion.ps1");
            let line = format!(". '{}'", file.display().to_string().replace('\'', "''"));
            Some(Place {
                file,
                line: Some(("the file that $PROFILE names".to_owned(), line)),
            })
        }
        // Elvish, "use" and its library folder.
        _ => Some(Place {
            file: config()?.join("elvish/lib/bpctl-completion.elv"),
            line: Some((
                "~/.config/elvish/rc.elv".to_owned(),
                "use bpctl-completion".to_owned(),
            )),
        }),
    }
}

fn quoted(path: &Path) -> String {
    let path = path.display().to_string();
    shlex::try_quote(&path).map_or_else(|_| path.clone(), Into::into)
}

/// The operator's shell and the file that its completion of bpctl is installed in.
pub(super) fn place_of(ctx: &Ctx) -> Option<(Shell, PathBuf)> {
    let shell = completion::shell_named(ctx.env.get("SHELL")?)?;
    let place = place(shell, |name| absolute(ctx, name))?;
    Some((shell, place.file))
}

/// Installs the completion of a shell.
pub(super) fn install_for(ctx: &Ctx, shell: Shell) -> Result<()> {
    install(ctx, shell, &script_of(shell)?)
}

fn script_of(shell: Shell) -> Result<String> {
    completion::script(shell, "bpctl")
        .map_err(|error| CtlError::new(ErrorKind::Unexpected, "write the completion script").source(&error))
}

/// A variable that holds an absolute path. The XDG specification: a relative path is to be ignored.
fn absolute(ctx: &Ctx, name: &str) -> Option<PathBuf> {
    let path = PathBuf::from(ctx.env.get(name)?);
    path.is_absolute().then_some(path)
}

fn install(ctx: &Ctx, shell: Shell, script: &str) -> Result<()> {
    let place = place(shell, |name| absolute(ctx, name)).ok_or_else(|| {
        CtlError::new(
            ErrorKind::Failed,
            format!("install the completion of {shell}: there is no home folder"),
        )
        .hint((
            "print it and put it where the shell finds it:",
            CommandLine::bpctl(["completion", &shell.to_string()]),
        ))
    })?;
    let file = &place.file;
    let failed = |what: &str, error: &std::io::Error| {
        CtlError::new(ErrorKind::Failed, format!("{what} `{}`", file.display())).source(error)
    };
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).map_err(|error| failed("make the folder of", &error))?;
    }
    std::fs::write(file, script).map_err(|error| failed("write", &error))?;
    ctx.ui.status(&format!(
        "Wrote the completion of {shell} to `{}`",
        file.display()
    ));
    match place.line {
        Some((place, line)) => ctx
            .ui
            .important(&format!("Add this line to {place}, if it is not there:\n{line}")),
        None => ctx.ui.status("It is in force in the next shell"),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(shell: Shell, env: &[(&str, &str)]) -> (String, Option<String>) {
        let place = place(shell, |name| {
            let found = env.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| PathBuf::from(value))
        });
        let place = place.unwrap();
        let line = place.line.map(|(_, line)| line);
        (place.file.display().to_string().replace('\\', "/"), line)
    }

    #[test]
    fn every_shell_has_its_folder() {
        let home = &[("HOME", "/h")];
        let without_line = |file: &str| (file.to_owned(), None);
        assert_eq!(
            at(Shell::Bash, home),
            without_line("/h/.local/share/bash-completion/completions/bpctl")
        );
        assert_eq!(
            at(Shell::Bash, &[("HOME", "/h"), ("BASH_COMPLETION_USER_DIR", "/b")]),
            without_line("/b/completions/bpctl")
        );
        assert_eq!(
            at(Shell::Fish, &[("HOME", "/h"), ("XDG_CONFIG_HOME", "/c")]),
            without_line("/c/fish/completions/bpctl.fish")
        );
        assert_eq!(
            at(Shell::Zsh, home),
            (
                "/h/.local/share/zsh/site-functions/_bpctl".to_owned(),
                Some("fpath=(/h/.local/share/zsh/site-functions $fpath)".to_owned())
            )
        );
        let (file, line) = at(Shell::PowerShell, home);
        assert_eq!(file, "/h/.config/powershell/bpctl.completion.ps1");
        assert_eq!(
            line.as_deref(),
            Some(". '/h/.config/powershell/bpctl.completion.ps1'")
        );
        let (file, _) = at(Shell::PowerShell, &[("USERPROFILE", "/u")]);
        assert_eq!(file, "/u/Documents/PowerShell/bpctl.completion.ps1");
    }

    #[test]
    fn without_a_home_there_is_no_folder() {
        assert_eq!(place(Shell::Fish, |_| None), None);
    }
}
