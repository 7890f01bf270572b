//! `bpctl completion`: the script that teaches a shell to complete bpctl.

use clap::Args;
use clap_complete::Shell;

use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::Result;
use crate::exit::ExitStatus;

/// What `--help` says beyond the first line. A constant and not a doc comment: shell syntax is not markdown.
const HELP: &str = "Print the completion script of a shell

bash:        bpctl completion bash > ~/.local/share/bash-completion/completions/bpctl
zsh:         bpctl completion zsh > \"${fpath[1]}/_bpctl\"
fish:        bpctl completion fish > ~/.config/fish/completions/bpctl.fish
powershell:  bpctl completion powershell >> $PROFILE
elvish:      bpctl completion elvish >> ~/.config/elvish/rc.elv

Fleets, pools and contexts are completed as well when the shell asks bpctl itself: put
`source <(COMPLETE=bash bpctl)` in ~/.bashrc instead (zsh: COMPLETE=zsh, fish: `COMPLETE=fish bpctl | source`).";

/// Print the completion script of a shell
#[derive(Debug, Args)]
#[command(long_about = HELP)]
pub(crate) struct CompletionArgs {
    /// Shell
    shell: Shell,
}

impl Verb for CompletionArgs {
    fn needs(&self) -> Needs {
        Needs::NOTHING
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut (ctx.command_tree)(), "bpctl", &mut script);
        ctx.ui.result(&String::from_utf8_lossy(&script))?;
        Ok(ExitStatus::Done)
    }
}
