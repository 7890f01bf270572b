//! Dynamic completion: answers the shell from files on this machine. The network is never waited
//! for: a refresh in the background gets a quarter of a second to be in time for this very TAB.

mod cache;
mod line;
mod refresh;
mod shell;
mod words;

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::Path;

use clap::Command;
use clap_complete::Shell;
use clap_complete::engine::{self, ArgValueCandidates, CompletionCandidate};

use crate::context::{Ctx, state_dir};
use crate::exit::ExitStatus;
use crate::kinds::Kind;
use crate::process::Process;
use crate::settings;

use line::Line;
pub(crate) use shell::{named as shell_named, script};
use words::Words;

/// Answers a shell that asks for completions (it sets `COMPLETE`); `None` on a normal run.
pub(crate) fn answer(process: &mut Process, command_tree: fn() -> Command) -> Option<ExitStatus> {
    let name = process.env.get(shell::VARIABLE)?;
    if name.is_empty() || name == "0" {
        return None;
    }
    let answer = match shell::named(name) {
        Some(shell) => text(process, shell, command_tree()),
        None => Err(io::Error::other(format!(
            "unknown shell `{name}`: expected bash, elvish, fish, powershell or zsh"
        ))),
    };
    match answer {
        Ok(answer) => {
            // A shell that went away wants no answer.
            let _ = process
                .stdout
                .write_all(answer.as_bytes())
                .and_then(|()| process.stdout.flush());
            Some(ExitStatus::Done)
        }
        Err(error) => {
            // Not every COMPLETE in an environment is meant for bpctl: say what keeps it from running.
            let text = format!(
                "error: {error}\nhint: unset {}, or set it to the name of a shell\n",
                shell::VARIABLE
            );
            let _ = process.stderr.write_all(text.as_bytes());
            Some(ExitStatus::Usage)
        }
    }
}

/// The script of a shell that gives no words; else what may stand at the cursor.
fn text(process: &Process, shell: Shell, mut tree: Command) -> io::Result<String> {
    let is_separator = |word: &OsString| word == "--";
    let words = process.args.iter().position(is_separator).map(|at| at + 1);
    let words = &process.args[words.unwrap_or(process.args.len())..];
    if words.is_empty() {
        let program = process.args.first().map_or(Path::new("bpctl"), Path::new);
        // A bare name is looked for in the PATH then as now; a path must hold in every folder.
        let program = match program.components().count() {
            0 | 1 => program.to_owned(),
            _ => process.cwd.join(program),
        };
        return script(shell, &program.to_string_lossy());
    }
    tree.build();
    let index = process.env.get("_CLAP_COMPLETE_INDEX");
    let index = index.and_then(|index| index.parse().ok());
    let mut line = Line::new(words.to_vec(), index);
    if shell == Shell::Bash {
        line = line.without_equals_signs();
    }
    let Line { words, index } = line.without_ambiguous_values(&tree);
    let nothing_typed = words.get(index).is_none_or(|word| word.is_empty());
    let mut found = engine::complete(&mut tree, words, index, Some(&process.cwd))?;
    let is_flag = |candidate: &CompletionCandidate| candidate.get_value().to_string_lossy().starts_with('-');
    // Before anything is typed, names and verbs are wanted; flags come with the first dash.
    if nothing_typed && !found.iter().all(is_flag) {
        found.retain(|candidate| !is_flag(candidate));
    }
    let separator = process.env.get("_CLAP_IFS").map(String::as_str);
    Ok(shell::answer(shell, &found, separator))
}

/// Names of contexts.
pub(crate) fn contexts() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let process = Process::from_os();
        let words = Words::of(&process);
        let file = words.config_file(&process);
        let names = file.into_iter().flat_map(|file| file.contexts.into_keys());
        names
            .chain([settings::SANDBOX_CONTEXT.to_owned()])
            .map(CompletionCandidate::new)
            .collect()
    })
}

/// The services of the application.
pub(crate) fn services() -> ArgValueCandidates {
    ArgValueCandidates::new(|| ["backend", "frontend"].map(CompletionCandidate::new).into())
}

/// Ids of the context's fleets: those that a command listed lately, or those that a list in the
/// background finds in time, or else older ones.
pub(crate) fn fleets() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let process = Process::from_os();
        let context = Words::of(&process).context(&process);
        let Some(state) = state_dir(&process.env) else {
            return Vec::new();
        };
        let path = cache::file(&state, "fleets", &context);
        if !cache::is_fresh(&path) {
            refresh::fleets(&process, &state, &context);
        }
        candidates(cache::read(&path))
    })
}

/// Names of the secrets that a command can be about; pointers of fleets have commands of their own.
pub(crate) fn secrets() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let names = [
            "app-key",
            "oauth",
            "asset-ops",
            "fleet-secret/staging",
            "fleet-secret/production",
        ];
        candidates(names.map(str::to_owned).to_vec())
    })
}

/// Kinds of things.
pub(crate) fn kinds() -> ArgValueCandidates {
    ArgValueCandidates::new(|| candidates(Kind::ALL.iter().map(|kind| kind.many().to_owned()).collect()))
}

/// Names of things of the kind that was typed before: those that a command listed lately.
pub(crate) fn names_of_kind() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let process = Process::from_os();
        let words = Words::of(&process);
        let Some(kind) = words.find_map(|word| Kind::of(word).map(Kind::many)) else {
            return Vec::new();
        };
        let context = words.context(&process);
        let Some(state) = state_dir(&process.env) else {
            return Vec::new();
        };
        let path = cache::file(&state, kind, &context);
        if kind == "fleets" && !cache::is_fresh(&path) {
            refresh::fleets(&process, &state, &context);
        }
        let mut names = cache::read(&path);
        if kind == "services" {
            names = ["backend", "frontend"].map(str::to_owned).to_vec();
        }
        candidates(names)
    })
}

/// Names of tenant pools that a migration printed lately, or the platform's own.
pub(crate) fn pools() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let process = Process::from_os();
        let context = Words::of(&process).context(&process);
        let mut found = state_dir(&process.env)
            .map(|state| cache::read(&cache::file(&state, "pools", &context)))
            .unwrap_or_default();
        if found.is_empty() {
            found = ["tenant_pool_1", "tenant_pool_2"].map(str::to_owned).to_vec();
        }
        candidates(found)
    })
}

fn candidates(names: Vec<String>) -> Vec<CompletionCandidate> {
    names.into_iter().map(CompletionCandidate::new).collect()
}

/// Remembers names of this context for the shell. A failure to do so changes nothing for the command.
pub(crate) fn remember(ctx: &Ctx, what: &str, names: impl Iterator<Item = String>) {
    if let Some(state) = &ctx.state_dir {
        let path = cache::file(state, what, &ctx.settings.context.value);
        let _ = cache::write(&path, names);
    }
}
