//! `bpctl sandbox run -- CMD…`: a sandbox for the length of one command.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitStatus as ChildStatus;

use clap::Args;

use super::launch::WorldArgs;
use super::{env, serve, state};
use crate::context::Ctx;
use crate::error::{CtlError, ErrorKind, Result};
use crate::exit::ExitStatus;
use crate::layout::LayoutKind;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl sandbox run -- bpctl migrate --tenant --yes          a rehearsal
  bpctl sandbox run --scenario crash-loop -- bpctl triage    a drill
  bpctl sandbox run --as bp-viewer -- bpctl triage           what a role may do
  bpctl sandbox run -- aws ecs list-clusters                 any AWS tool
  bpctl sandbox run -- bash                                  a shell with the account in its environment")]
pub(crate) struct RunArgs {
    #[command(flatten)]
    world: WorldArgs,

    /// Command and arguments; `bpctl` is this bpctl
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true, value_name = "CMD", value_hint = clap::ValueHint::CommandWithArguments)]
    command: Vec<OsString>,
}

pub(super) async fn run(ctx: &Ctx, args: RunArgs) -> Result<ExitStatus> {
    let (server, state) = serve::listen(ctx, &args.world, 0).await?;
    let path = std::env::temp_dir().join(format!(
        "bpctl-sandbox-{}-{}.json",
        std::process::id(),
        state.token
    ));
    state::write(&path, &state)?;
    let stopper = server.stopper();
    let serving = tokio::spawn(server.run());
    let outcome = child(ctx, &args, &state, &path).await;
    stopper.stop();
    // The listener's task only ends; there is nothing in it that can fail.
    let _ = serving.await;
    state::remove(&path, &state);
    outcome
}

async fn child(
    ctx: &Ctx,
    args: &RunArgs,
    state: &state::State,
    path: &std::path::Path,
) -> Result<ExitStatus> {
    let [program, arguments @ ..] = args.command.as_slice() else {
        return Err(CtlError::usage("run a command in a sandbox: none was given"));
    };
    let mut command = tokio::process::Command::new(program);
    command.args(arguments);
    for name in env::FOREIGN {
        command.env_remove(name);
    }
    command.envs(env::environment(&state.url));
    command.env(state::STATE_VARIABLE, path);
    command.env("BPCTL_LAYOUT", ctx.settings.layout.value.as_str());
    if ctx.settings.layout.value == LayoutKind::Staged {
        command.env(
            "BPCTL_STAGE",
            ctx.settings
                .stage
                .as_ref()
                .map_or("staging", |stage| stage.value.as_str()),
        );
    }
    if let Some(path) = path_with_ourselves_first(ctx) {
        command.env("PATH", path);
    }
    let shown = program.to_string_lossy();
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            let status = not_started(&error);
            ctx.ui.error(
                &CtlError::new(ErrorKind::NotFound, format!("run `{shown}` in the sandbox")).source(&error),
            );
            return Ok(status);
        }
    };
    loop {
        tokio::select! {
            status = child.wait() => {
                let status = status.map_err(|error| {
                    CtlError::new(ErrorKind::Failed, format!("wait for `{shown}`")).source(&error)
                })?;
                return Ok(passed_through(status));
            }
            // Ctrl-C goes to the command as well (same terminal); it decides what that means.
            _ = tokio::signal::ctrl_c() => {}
        }
    }
}

/// So that `sandbox run -- bpctl …` runs the bpctl that was called, installed or not.
fn path_with_ourselves_first(ctx: &Ctx) -> Option<OsString> {
    let ourselves = std::env::current_exe().ok()?;
    let folder = ourselves.parent()?.to_owned();
    let rest: Vec<PathBuf> = ctx
        .env
        .get("PATH")
        .map(|path| std::env::split_paths(path).collect())
        .unwrap_or_default();
    std::env::join_paths(std::iter::once(folder).chain(rest)).ok()
}

/// What a shell reports of a command that it cannot run: 127 when it is not found, 126 otherwise (POSIX, "Shell
/// Command Language", Exit Status for Commands).
fn not_started(error: &std::io::Error) -> ExitStatus {
    ExitStatus::External(match error.kind() {
        std::io::ErrorKind::NotFound => 127,
        _ => 126,
    })
}

/// The child's status as a shell reports it: 128 and the signal's number when a signal ended it.
fn passed_through(status: ChildStatus) -> ExitStatus {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return ExitStatus::External(u8::try_from(128 + signal).unwrap_or(1));
    }
    match status.code().map(u8::try_from) {
        Some(Ok(0)) => ExitStatus::Done,
        Some(Ok(code)) => ExitStatus::External(code),
        _ => ExitStatus::Failed,
    }
}
