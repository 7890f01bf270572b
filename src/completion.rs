//! Dynamic completion: answers the shell from files on this machine, never from the network.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap_complete::CompleteEnv;
use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};

use crate::cli::command_tree;
use crate::exit::ExitStatus;
use crate::process::Process;
use crate::settings;

/// How long listed names are offered; fleets come and go slowly.
const CACHE_LIFE: Duration = Duration::from_secs(10 * 60);

/// Answers a shell that asks for completions (it sets `COMPLETE`); `None` on a normal run.
pub(crate) fn answer(process: &Process) -> Option<ExitStatus> {
    process.env.get("COMPLETE").filter(|shell| !shell.is_empty())?;
    let completed =
        CompleteEnv::with_factory(command_tree).try_complete(process.args.clone(), Some(&process.cwd));
    match completed {
        Ok(true) => Some(ExitStatus::Done),
        Ok(false) => None,
        Err(_) => Some(ExitStatus::Failed),
    }
}

/// Names of contexts.
pub(crate) fn contexts() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let process = Process::from_os();
        let file = settings::find_file(None, &process.cwd, &process.env)
            .ok()
            .flatten();
        let names = file.into_iter().flat_map(|file| file.contexts.into_keys());
        names
            .chain([settings::SANDBOX_CONTEXT.to_owned()])
            .map(CompletionCandidate::new)
            .collect()
    })
}

/// Ids of fleets that a command listed lately.
pub(crate) fn fleets() -> ArgValueCandidates {
    ArgValueCandidates::new(|| cached("fleets"))
}

/// Names of tenant pools that a migration printed lately, or the platform's own.
pub(crate) fn pools() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let mut found = cached("pools");
        if found.is_empty() {
            found.extend(["tenant_pool_1", "tenant_pool_2"].map(CompletionCandidate::new));
        }
        found
    })
}

fn cached(what: &str) -> Vec<CompletionCandidate> {
    let process = Process::from_os();
    let Some(path) = crate::context::state_dir(&process.env).map(|state| cache_file(&state, what)) else {
        return Vec::new();
    };
    let fresh = std::fs::metadata(&path)
        .and_then(|metadata| metadata.modified())
        .is_ok_and(|modified| modified.elapsed().is_ok_and(|age| age < CACHE_LIFE));
    if !fresh {
        return Vec::new();
    }
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().map(CompletionCandidate::new).collect()
}

fn cache_file(state: &Path, what: &str) -> PathBuf {
    state.join("completion").join(what)
}

/// Remembers names for the shell. Failing to do so is nobody's problem.
pub(crate) fn remember(state: Option<&Path>, what: &str, names: impl Iterator<Item = String>) {
    let Some(path) = state.map(|state| cache_file(state, what)) else {
        return;
    };
    let text: String = names.map(|name| name + "\n").collect();
    if let Some(folder) = path.parent() {
        let _ = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&path, text));
    }
}
