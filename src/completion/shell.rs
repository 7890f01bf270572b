//! What each shell wants: the script that makes it ask bpctl, and how it likes the answer.

use clap_complete::Shell;
use clap_complete::engine::CompletionCandidate;
use clap_complete::env::{Bash, Elvish, EnvCompleter, Fish, Powershell, Zsh};

/// The variable that tells bpctl that a shell asks, and which.
pub(super) const VARIABLE: &str = "COMPLETE";

/// The shell of this name or path: `bash`, `/usr/bin/zsh`, `pwsh`.
pub(crate) fn named(name: &str) -> Option<Shell> {
    let name = name.rsplit(['/', '\\']).next().unwrap_or(name);
    match name.strip_suffix(".exe").unwrap_or(name) {
        "bash" => Some(Shell::Bash),
        "elvish" => Some(Shell::Elvish),
        "fish" => Some(Shell::Fish),
        "powershell" | "powershell_ise" | "pwsh" => Some(Shell::PowerShell),
        "zsh" => Some(Shell::Zsh),
        _ => None,
    }
}

/// The script that makes the shell ask `program` for completions.
///
/// It can be read with `source`, and lie in the folder where the shell looks for completions.
pub(crate) fn script(shell: Shell, program: &str) -> std::io::Result<String> {
    let registration: &dyn EnvCompleter = match shell {
        Shell::Bash => &Bash,
        Shell::Elvish => &Elvish,
        Shell::Fish => &Fish,
        Shell::PowerShell => &Powershell,
        Shell::Zsh => &Zsh,
        other => return Err(std::io::Error::other(format!("no completion for {other}"))),
    };
    let mut script = Vec::new();
    registration.write_registration(VARIABLE, "bpctl", "bpctl", program, &mut script)?;
    let mut script = String::from_utf8_lossy(&script).trim().to_owned() + "\n";
    if shell == Shell::Zsh {
        // In a folder of `fpath` the script is the body of the function `_bpctl`, and this is its first call.
        script.push_str(
            "\nif [ \"$funcstack[1]\" = \"_bpctl\" ]; then\n    _clap_dynamic_completer_bpctl \"$@\"\nfi\n",
        );
    }
    Ok(script)
}

/// The answer to a shell, as its script reads it.
pub(super) fn answer(shell: Shell, candidates: &[CompletionCandidate], separator: Option<&str>) -> String {
    let lines: Vec<String> = candidates
        .iter()
        .map(|candidate| {
            let value = candidate.get_value().to_string_lossy();
            let help = candidate.get_help().map(ToString::to_string);
            let help = help.as_deref().and_then(|help| help.lines().next());
            match (shell, help) {
                (Shell::Zsh, help) => {
                    let value = value.replace('\\', "\\\\").replace(':', "\\:");
                    let help = help.map(|help| help.replace('\\', "\\\\"));
                    help.map_or(value.clone(), |help| format!("{value}:{help}"))
                }
                (Shell::Fish | Shell::PowerShell, Some(help)) => format!("{value}\t{help}"),
                _ => value.into_owned(),
            }
        })
        .collect();
    match shell {
        Shell::Fish | Shell::PowerShell => lines.iter().flat_map(|line| [line, "\n"]).collect(),
        _ => lines.join(separator.unwrap_or("\n")),
    }
}
