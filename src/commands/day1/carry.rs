//! `day1 --run`: open steps one after the other, each by its own command, which shows its plan and asks by itself.

use std::process::Stdio;

use super::Day1Args;
use super::step::{State, Step};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, Effect, ErrorKind, Hint, Result};
use crate::exit::ExitStatus;
use crate::settings::Source;

/// Goes on until nothing is open, a step is not bpctl's, or one ends without being done.
///
/// # Errors
/// A step that could not be read, that its command did not bring about, or that is to be done by other means.
pub(super) async fn carry_out(ctx: &Ctx, args: &Day1Args) -> Result<ExitStatus> {
    loop {
        let checklist = ctx.unless_interrupted(args.look(ctx)).await?;
        let Some(next) = checklist.next() else {
            ctx.emit(&checklist)?;
            return Ok(ExitStatus::Done);
        };
        ctx.ui.status(&format!("{}: {}", next.step, next.found));
        let (words, asks) = match &next.line {
            Some(line) if next.state == State::Open => {
                // Only what changes something asks before it does.
                (
                    line.in_place(ctx.ui.place()).words(),
                    line.effect() == Effect::Changes,
                )
            }
            _ => (Vec::new(), false),
        };
        let own = match words.split_first() {
            Some((program, words)) if program == "bpctl" => words,
            _ => return Err(by_other_means(next)),
        };
        let ended = run(ctx, own, args.yes && asks).await?;
        if ended != ExitStatus::Done {
            return Ok(ended);
        }
        let after = ctx.unless_interrupted(args.look(ctx)).await?;
        if after.state(&next.step) != Some(State::Done) {
            let found = after.found(&next.step).unwrap_or_default();
            return Err(CtlError::new(
                ErrorKind::Failed,
                format!(
                    "see step `{}` done: its command has ended well, and {found}",
                    next.step
                ),
            )
            .hint("what takes its time may be done when the checklist is looked at again"));
        }
    }
}

/// The error for a step that bpctl has no command for, or that it could not look at.
fn by_other_means(next: &Step) -> CtlError {
    let (step, found) = (&next.step, &next.found);
    let error = match next.state {
        State::Unknown => CtlError::new(ErrorKind::Failed, format!("look at step `{step}`: {found}")),
        _ => CtlError::new(
            ErrorKind::Failed,
            format!("carry out step `{step}`: it is not done by bpctl"),
        ),
    };
    let note = next
        .note
        .clone()
        .unwrap_or_else(|| "do it, then begin again".to_owned());
    match &next.line {
        Some(line) => error.hint(Hint::new(format!("{note}:")).command(line.clone())),
        None => error.hint(note),
    }
}

/// Runs this bpctl with other words, at the same terminal.
async fn run(ctx: &Ctx, words: &[String], yes: bool) -> Result<ExitStatus> {
    let failed = |error: &std::io::Error| {
        let line = CommandLine::bpctl(words.iter().cloned());
        CtlError::new(ErrorKind::Failed, format!("run `{line}`")).source(error)
    };
    let program = std::env::current_exe().map_err(|error| failed(&error))?;
    let context = &ctx.settings.context;
    let is_named = context.source != Source::Default;
    let mut command = tokio::process::Command::new(program);
    command
        .args(words)
        .args(yes.then_some("--yes"))
        .env_clear()
        .envs(&ctx.env)
        // A context that is chosen meanwhile does not take the steps elsewhere.
        .envs(is_named.then_some(("BPCTL_CONTEXT", &context.value)))
        // The checklist is the result of this command: what the steps say goes beside it.
        .stdout(Stdio::from(std::io::stderr()));
    let mut child = command.spawn().map_err(|error| failed(&error))?;
    loop {
        tokio::select! {
            status = child.wait() => {
                let status = status.map_err(|error| failed(&error))?;
                let code = status.code().and_then(|code| u8::try_from(code).ok());
                return Ok(match code {
                    Some(0) => ExitStatus::Done,
                    Some(code) => ExitStatus::External(code),
                    None => ExitStatus::Failed,
                });
            }
            // Ctrl-C goes to the step as well (same terminal); it decides what that means.
            _ = tokio::signal::ctrl_c() => {}
        }
    }
}
