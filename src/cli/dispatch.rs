//! From a parsed command line to its exit status: settings, [`Ctx`], the verb, interrupts.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::global::GlobalArgs;
use super::verbs::Command;
use super::{Cli, command_tree};
use crate::aws::Aws;
use crate::change::Mode;
use crate::clock::Clock;
use crate::commands;
use crate::commands::verb::{Configuration, Needs};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Place, Result};
use crate::exit::ExitStatus;
use crate::output::markdown::failure;
use crate::process::{Attached, Interrupts, Process};
use crate::settings::{self, ConfigFile, RoleProfile, Settings, Sourced};
use crate::ui::{Ui, Verbosity};

/// Who the process and its signals belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// bpctl is the process.
    Us,
    /// bpctl runs in a process of another program, which decides when that ends.
    Caller,
}

/// Runs one verb to its end and says what went wrong.
pub(super) async fn dispatch(cli: Cli, mode: Mode, mut process: Process, owner: Owner) -> ExitStatus {
    let Cli {
        global,
        command,
        kind,
    } = cli;
    let verbosity = global.verbosity();
    let needs = command.needs();
    let log = process.env.get("BPCTL_LOG").cloned();
    let ui = Ui::new(&mut process, global.color(), verbosity)
        .in_place(global.place())
        .with_documents(global.output().is_json());
    init_tracing(log, &ui, verbosity);
    let ctx = match context(&global, needs, kind.changes, mode, process, ui).await {
        Ok(ctx) => ctx,
        Err((ui, error)) => return give_up(&ui, &error),
    };
    let outcome = interruptible(&ctx, command, needs, owner)
        .await
        .map_err(|error| error.signed_in_by(&ctx.aws.sign_in()));
    let status = match &outcome {
        Ok(status) => *status,
        Err(error) => {
            ctx.ui.error(error);
            error.exit_status()
        }
    };
    leave(&ctx.ui, status, outcome.as_ref().err());
    if global.api_stats {
        ctx.ui.important(&ctx.aws.stats().report());
    }
    status
}

/// Ends a command that has not begun.
pub(super) fn give_up(ui: &Ui, error: &CtlError) -> ExitStatus {
    ui.error(error);
    leave(ui, error.exit_status(), Some(error));
    error.exit_status()
}

/// Leaves with GitHub's runner how the command ended: a failure for people, the status for later steps.
pub(super) fn leave(ui: &Ui, status: ExitStatus, error: Option<&CtlError>) {
    let told = error.map(|error| failure(error, ui.place()));
    ui.leave(told.as_deref(), &ending(status, error));
}

/// How the command ended, for the later steps of a workflow.
fn ending(status: ExitStatus, error: Option<&CtlError>) -> Vec<(String, String)> {
    let code = error.map(|error| ("error_code".to_owned(), error.code().to_owned()));
    std::iter::once(("exit_status".to_owned(), status.code().to_string()))
        .chain(code)
        .collect()
}

/// The configuration file, as far as the verb wants it, and why it could not be read where the verb says so itself.
pub(super) fn file(
    explicit: Option<PathBuf>,
    needs: Needs,
    cwd: &Path,
    env: &BTreeMap<String, String>,
) -> (Result<Option<ConfigFile>>, Option<CtlError>) {
    if needs.configuration == Configuration::Unread {
        return (Ok(None), None);
    }
    match settings::find_file(explicit.as_deref(), cwd, env) {
        Err(error) if needs.diagnoses => (Ok(None), Some(error)),
        found => (found, None),
    }
}

/// Flags, environment and file → [`Ctx`].
async fn context(
    global: &GlobalArgs,
    needs: Needs,
    changes: bool,
    mode: Mode,
    process: Process,
    ui: Ui,
) -> Result<Ctx, (Ui, CtlError)> {
    let attached = Attached::of(&process);
    let (flags, output) = (global.overrides(), global.output());
    let Process {
        args,
        env,
        cwd,
        transport,
        cancel,
        is_ours,
        context: parent,
        ..
    } = process;
    let (found, file_error) = file(named_file(global, &env), needs, &cwd, &env);
    let state_dir = settings::state_folder(&env);
    let shown = output.validate().and_then(|()| output.check_raw(needs.raw_lines));
    let resolved = shown.and(found).and_then(|file| {
        let broken = |error: CtlError| warn_of(&ui, needs.configuration, error);
        let mut inputs = settings::Inputs::new(&env);
        inputs.flags = flags.clone();
        inputs.file = file.as_ref();
        inputs.parent = parent.clone();
        inputs.aws = needs.aws;
        let mut choice = None;
        if needs.configuration != Configuration::Unread {
            let path = file.as_ref().map(|file| file.path.as_path());
            choice = settings::Choice::read(state_dir.as_deref(), path)
                .or_else(|error| broken(error).map(|()| None))?;
        }
        inputs.choice = choice.as_ref();
        let mut profiles = settings::Profiles::default();
        let looks_at_profiles = needs.aws || needs.configuration == Configuration::EvenBroken;
        if looks_at_profiles && settings::chosen_context(&inputs).value != settings::SANDBOX_CONTEXT {
            profiles = settings::Profiles::read(&env).or_else(|error| broken(error).map(|()| profiles))?;
        }
        inputs.profiles = Some(&profiles);
        let settings =
            settings::resolve(&inputs).or_else(|error| match settings::resolve_leniently(&inputs) {
                Ok(lenient) => broken(error).map(|()| lenient),
                // A flag is wrong: that is an error of every command, with no warning beside it.
                Err(found) if needs.configuration == Configuration::EvenBroken => Err(found),
                Err(_) => Err(error),
            })?;
        if needs.aws && !settings.is_sandbox() && transport.is_none() {
            settings.check_before_calls(&profiles).or_else(broken)?;
            if let Some(passed_over) = settings.passed_over_keys() {
                ui.warn(&passed_over);
            }
        }
        // Before the first read of a verb, too: which fleet a bare slug means is asked of some account.
        if changes && needs.aws {
            settings.check_before_changes()?;
        }
        Ok((file, settings, choice, profiles))
    });
    let (config, mut settings, choice, profiles) = match resolved {
        Err(error) => return Err((ui, error)),
        Ok(resolved) => resolved,
    };
    let clock = match &transport {
        Some(transport) => transport.clock.clone(),
        None if settings.is_sandbox() && needs.aws => {
            match commands::sandbox::attach(&ui, &mut settings, &env, state_dir.as_deref()).await {
                Ok(clock) => clock,
                Err(error) => return Err((ui, error)),
            }
        }
        None => Clock::system(),
    };
    let ui = ui.in_place(place(global, &settings, RoleProfile::of(&settings, &profiles)));
    let reached = transport.clone();
    let aws = Aws::new(settings.clone(), clock.clone(), transport).naming_the_account(output.is_document());
    Ok(Ctx {
        ui,
        output,
        settings,
        config,
        file_error,
        choice,
        profiles,
        parent,
        flags,
        env,
        aws,
        clock,
        owns_process: is_ours,
        cwd,
        state_dir,
        cancel,
        about_a_place: needs.configuration != Configuration::Unread,
        command_line: words(&args),
        mode,
        attached,
        command_tree,
        run_beside: |process| Box::pin(super::run_async(process)),
        transport: reached,
        verb_uses: Command::uses,
    })
}

/// A mistake in the settings, as far as the verb minds it.
fn warn_of(ui: &Ui, configuration: Configuration, error: CtlError) -> Result<()> {
    match configuration {
        Configuration::Sound => return Err(error),
        Configuration::EvenBroken => ui.warn(&format!("failed to {error}")),
        Configuration::Unread => {}
    }
    Ok(())
}

/// The configuration file that a flag or a variable names.
pub(super) fn named_file(global: &GlobalArgs, env: &BTreeMap<String, String>) -> Option<PathBuf> {
    let named = || env.get("BPCTL_CONFIG").filter(|path| !path.is_empty());
    global.config_file.clone().or_else(|| named().map(PathBuf::from))
}

/// A command line as it can be typed again, without the program's name.
fn words(args: &[OsString]) -> Vec<String> {
    let words = args.iter().skip(1);
    words.map(|word| word.to_string_lossy().into_owned()).collect()
}

/// The flags and options that make the commands in hints mean the same place.
fn place(global: &GlobalArgs, settings: &Settings, role: Option<RoleProfile>) -> Place {
    let value = |setting: &Option<Sourced<String>>| setting.as_ref().map(|setting| setting.value.clone());
    let profile = match &role {
        Some(role) => Some(role.name.clone()),
        None => value(&settings.profile),
    };
    let place = global
        .place()
        .aws("--profile", profile.as_deref())
        .aws("--region", value(&settings.region).as_deref())
        .aws("--endpoint-url", value(&settings.endpoint_url).as_deref());
    match role {
        Some(role) => place.by_role(role.base, role.made_by),
        None => place,
    }
}

/// Runs the verb. The first Ctrl-C lets it end its step and report; the second ends it at once.
async fn interruptible(ctx: &Ctx, command: Command, needs: Needs, owner: Owner) -> Result<ExitStatus> {
    if needs.own_interrupts {
        return command.run(ctx).await;
    }
    let signals = Interrupts::default();
    let heard_elsewhere = owner == Owner::Us && signals.hear_in_thread(ctx.cancel.clone()).is_ok();
    let hear = async {
        if !heard_elsewhere {
            signals.hear(&ctx.cancel).await;
        }
        std::future::pending().await
    };
    let interrupts = async {
        signals.first().await;
        // A question has no step that could be finished.
        if !ctx.ui.is_asking() && !needs.ends_by_interrupt {
            ctx.ui
                .status("interrupted: finishing the current step; press Ctrl-C again to stop at once");
        }
        signals.second().await;
    };
    // In this order: whether there was a question is known only before the verb has heard of the signal.
    tokio::select! {
        biased;
        () = hear => Ok(ExitStatus::Interrupted),
        () = interrupts => Err(CtlError::new(ErrorKind::Interrupted, "finish: interrupted twice")
            .hint(("what was begun may still be running in AWS: look with", CommandLine::bpctl(["triage"])))),
        result = command.run(ctx) => result,
    }
}

/// The SDK's own tracing, on stderr, only when asked for.
fn init_tracing(wanted: Option<String>, ui: &Ui, verbosity: Verbosity) {
    let filter = match wanted {
        Some(filter) => filter,
        None if verbosity == Verbosity::Verbose => {
            "bpctl=info,aws_config=info,aws_smithy_runtime=info".to_owned()
        }
        None => return,
    };
    // A second initialisation (in tests) changes nothing and that is fine.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::new(filter))
        .with_writer(ui.trace_writer())
        .with_ansi(false)
        .try_init();
}
