//! Dynamic completion: answers the shell from files on this machine. The network is never waited
//! for: a refresh in the background gets a quarter of a second to be in time for this very TAB.

mod cache;
mod refresh;
mod words;

use std::io::Write as _;

use clap_complete::CompleteEnv;
use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};

use crate::context::{Ctx, state_dir};
use crate::exit::ExitStatus;
use crate::process::Process;
use crate::settings;

use words::Words;

/// Answers a shell that asks for completions (it sets `COMPLETE`); `None` on a normal run.
pub(crate) fn answer(process: &mut Process, command_tree: fn() -> clap::Command) -> Option<ExitStatus> {
    process.env.get("COMPLETE").filter(|shell| !shell.is_empty())?;
    let completed =
        CompleteEnv::with_factory(command_tree).try_complete(process.args.clone(), Some(&process.cwd));
    match completed {
        Ok(true) => Some(ExitStatus::Done),
        Ok(false) => None,
        Err(error) => {
            // Not every COMPLETE in an environment is meant for bpctl: say what keeps it from running.
            let text = format!(
                "{}hint: unset COMPLETE, or set it to the name of a shell\n",
                error.render()
            );
            let _ = process.stderr.write_all(text.as_bytes());
            Some(ExitStatus::Usage)
        }
    }
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

/// Remembers names of this context for the shell. Failing to do so is nobody's problem.
pub(crate) fn remember(ctx: &Ctx, what: &str, names: impl Iterator<Item = String>) {
    if let Some(state) = &ctx.state_dir {
        let path = cache::file(state, what, &ctx.settings.context.value);
        let _ = cache::write(&path, names);
    }
}
