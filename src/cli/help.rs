//! Help pages: the flags that every command has are told on one page, `bpctl help options`.

use clap::Command;
use clap::builder::StyledStr;

/// The command whose page has them.
const OPTIONS: &str = "options";

/// What the other pages say instead.
const POINTER: &str = "Flags of every command (--context, --stage, -o, --query, -q, …): bpctl help options";

/// The command tree with short help pages. For showing them only: what is hidden here is completed and documented.
pub(super) fn short(mut tree: Command) -> Command {
    // Flags reach the subcommands when the tree is built.
    tree.build();
    shorten(tree)
}

fn shorten(mut command: Command) -> Command {
    if command.get_name() == OPTIONS {
        return command;
    }
    // Made while the flags are still seen: what has only flags of every command has flags.
    let usage = command.render_usage().to_string();
    let usage = usage.strip_prefix("Usage: ").unwrap_or(&usage).to_owned();
    let mut text = command.get_after_help().cloned().unwrap_or_default().to_string();
    if !text.is_empty() {
        text.push_str("\n\n");
    }
    text.push_str(POINTER);
    command
        .override_usage(usage)
        .after_help(StyledStr::from(text))
        .mut_args(|argument| {
            let is_global = argument.is_global_set();
            if is_global { argument.hide(true) } else { argument }
        })
        .mut_subcommands(shorten)
}
