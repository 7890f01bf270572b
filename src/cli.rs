//! The command line: global flags, one variant per verb, and the match that dispatches them.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;

use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::aws::Aws;
use crate::clock::Clock;
use crate::commands;
use crate::context::{Ctx, state_dir};
use crate::error::{CommandLine, CtlError, ErrorKind, Place, Result};
use crate::exit::ExitStatus;
use crate::output::{OutputFormat, OutputSpec};
use crate::process::Process;
use crate::settings::{self, Sourced};
use crate::ui::{ColorChoice, Ui, Verbosity};

/// Operate the platform: migrations, GPU fleets, triage, and a sandbox to try all of it in
#[derive(Debug, Parser)]
#[command(name = "bpctl", version, max_term_width = 100, arg_required_else_help = true)]
#[command(after_help = "Try it without an AWS account: bpctl sandbox run -- bpctl migrate --tenant --yes")]
pub(crate) struct Cli {
    #[command(flatten)]
    global: GlobalArgs,

    #[command(subcommand)]
    command: Command,
}

/// Flags of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
struct GlobalArgs {
    /// Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]
    #[arg(long, global = true, value_name = "NAME", add = crate::completion::contexts())]
    context: Option<String>,

    /// Configuration file of bpctl [env: BPCTL_CONFIG]
    #[arg(long, global = true, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    config_file: Option<PathBuf>,

    /// Naming layout: single or staged
    #[arg(long, global = true, value_name = "LAYOUT", hide_short_help = true)]
    layout: Option<String>,

    /// Stage of the system (staged layout), or only GPU fleets of this stage
    #[arg(long, global = true, value_name = "STAGE")]
    stage: Option<String>,

    /// Profile in the AWS configuration files
    #[arg(long, global = true, value_name = "NAME", hide_short_help = true)]
    profile: Option<String>,

    /// AWS region
    #[arg(long, global = true, value_name = "REGION", hide_short_help = true)]
    region: Option<String>,

    /// Role to assume
    #[arg(long, global = true, value_name = "ARN", hide_short_help = true)]
    role_arn: Option<String>,

    /// Refuse to run in any other account
    #[arg(long, global = true, value_name = "ID", hide_short_help = true)]
    account_id: Option<String>,

    /// Send API calls here instead of to AWS
    #[arg(long, global = true, value_name = "URL", hide_short_help = true)]
    endpoint_url: Option<String>,

    /// Folder of the infrastructure code
    #[arg(long, global = true, value_name = "DIR", hide_short_help = true)]
    infra_dir: Option<String>,

    /// Output format
    #[arg(
        short,
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "FORMAT"
    )]
    output: OutputFormat,

    /// JMESPath over the JSON document
    #[arg(long, global = true, value_name = "JMESPATH")]
    query: Option<String>,

    /// Say only what went wrong
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,

    /// Also show what the SDK does (finer: BPCTL_LOG=debug)
    #[arg(short, long, global = true)]
    verbose: bool,

    /// Colour: auto, always or never
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "WHEN",
        hide_possible_values = true,
        hide_short_help = true
    )]
    color: ColorChoice,

    /// Count API calls per operation on stderr
    #[arg(long, global = true, hide_short_help = true)]
    api_stats: bool,
}

impl GlobalArgs {
    /// The flags that chose the place.
    fn place(&self) -> Place {
        Place::of_flags(self.overrides())
    }

    fn overrides(&self) -> BTreeMap<&'static str, String> {
        let config = self.config_file.as_ref().map(|path| path.display().to_string());
        [
            // No setting, but whoever repeats this command line needs it.
            ("config-file", &config),
            ("context", &self.context),
            ("layout", &self.layout),
            ("stage", &self.stage),
            ("profile", &self.profile),
            ("region", &self.region),
            ("role-arn", &self.role_arn),
            ("account-id", &self.account_id),
            ("endpoint-url", &self.endpoint_url),
            ("infra-dir", &self.infra_dir),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.clone()?)))
        .collect()
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    Migrate(commands::migrate::MigrateArgs),
    Fleet(commands::fleet::FleetArgs),
    Triage(commands::triage::TriageArgs),
    Whoami(commands::whoami::WhoamiArgs),
    Sandbox(commands::sandbox::SandboxArgs),
    Config(commands::config::ConfigArgs),
    Completion(commands::completion::CompletionArgs),
    Man(commands::man::ManArgs),
    ExitCodes(commands::exit_codes::ExitCodesArgs),
}

impl Command {
    /// Whether the command only talks about bpctl itself: it must work with any configuration, even a broken one.
    fn is_offline(&self) -> bool {
        match self {
            Self::Completion(_) | Self::Man(_) | Self::ExitCodes(_) => true,
            Self::Migrate(_)
            | Self::Fleet(_)
            | Self::Triage(_)
            | Self::Whoami(_)
            | Self::Config(_)
            | Self::Sandbox(_) => false,
        }
    }

    /// Whether the command works with settings that make no sense.
    fn tolerates_errors(&self) -> bool {
        match self {
            Self::Config(args) => args.tolerates_errors(),
            _ => self.is_offline(),
        }
    }

    /// Whether the command talks to AWS: only then does the context `sandbox` need a running sandbox.
    fn uses_aws(&self) -> bool {
        match self {
            Self::Migrate(_) | Self::Triage(_) | Self::Whoami(_) => true,
            Self::Fleet(args) => args.uses_aws(),
            Self::Config(_) | Self::Sandbox(_) | Self::Completion(_) | Self::Man(_) | Self::ExitCodes(_) => {
                false
            }
        }
    }

    /// Whether Ctrl-C is the business of the command itself.
    fn handles_interrupts(&self) -> bool {
        matches!(self, Self::Sandbox(args) if args.handles_interrupts())
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        match self {
            Self::Migrate(args) => Box::pin(commands::migrate::run(ctx, &args)).await,
            Self::Fleet(args) => Box::pin(commands::fleet::run(ctx, args)).await,
            Self::Triage(args) => Box::pin(commands::triage::run(ctx, &args)).await,
            Self::Whoami(args) => commands::whoami::run(ctx, &args).await,
            Self::Sandbox(args) => commands::sandbox::run(ctx, args).await,
            Self::Config(args) => commands::config::run(ctx, &args),
            Self::Completion(args) => commands::completion::run(ctx, &args),
            Self::Man(args) => commands::man::run(ctx, &args),
            Self::ExitCodes(_) => commands::exit_codes::run(ctx),
        }
    }
}

/// The whole command tree, for completions, man pages and tests.
#[must_use]
pub fn command_tree() -> clap::Command {
    Cli::command()
}

/// Runs one command line in a runtime of its own.
pub(crate) fn run(mut process: Process) -> ExitStatus {
    if let Some(status) = crate::completion::answer(&mut process) {
        return status;
    }
    let cli = match parse(&mut process) {
        Ok(cli) => cli,
        Err(status) => return status,
    };
    // One thread: bpctl waits for the network, it does not compute.
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => {
            let status = runtime.block_on(dispatch(cli, process));
            // A question nobody answers any more, or a name that does not resolve, must not hold up the end.
            runtime.shutdown_background();
            status
        }
        Err(error) => {
            let ui = Ui::new(&mut process, ColorChoice::Auto, Verbosity::Normal);
            ui.error(&CtlError::new(ErrorKind::Unexpected, "start the runtime").source(&error));
            ExitStatus::Failed
        }
    }
}

/// Runs one command line in the caller's runtime.
pub(crate) async fn run_async(mut process: Process) -> ExitStatus {
    match parse(&mut process) {
        Ok(cli) => dispatch(cli, process).await,
        Err(status) => status,
    }
}

/// Command line → [`Cli`]; help and version texts and complaints are written here.
fn parse(process: &mut Process) -> Result<Cli, ExitStatus> {
    let args = std::mem::take(&mut process.args);
    let parsed = command_tree()
        .try_get_matches_from(args)
        .and_then(|matches| Cli::from_arg_matches(&matches));
    parsed.map_err(|error| {
        let is_answer = !error.use_stderr();
        let (stream, terminal) = if is_answer {
            (&mut process.stdout, process.stdout_is_terminal)
        } else {
            (&mut process.stderr, process.stderr_is_terminal)
        };
        let no_color = process.env.get("NO_COLOR").is_some_and(|value| !value.is_empty());
        let colored = terminal && !no_color;
        let text = error.render();
        let text = if colored {
            text.ansi().to_string()
        } else {
            text.to_string()
        };
        // A reader that went away is not an error.
        let _ = stream.write_all(text.as_bytes()).and_then(|()| stream.flush());
        if is_answer {
            ExitStatus::Done
        } else {
            ExitStatus::Usage
        }
    })
}

async fn dispatch(cli: Cli, mut process: Process) -> ExitStatus {
    let Cli { global, command } = cli;
    let verbosity = match (global.quiet, global.verbose) {
        (true, _) => Verbosity::Quiet,
        (false, true) => Verbosity::Verbose,
        (false, false) => Verbosity::Normal,
    };
    let log = process.env.get("BPCTL_LOG").cloned();
    let ui = Ui::new(&mut process, global.color, verbosity).in_place(global.place());
    init_tracing(log, &ui, verbosity);
    let ctx = match context(&global, &command, process, ui).await {
        Ok(ctx) => ctx,
        Err((ui, error)) => {
            ui.error(&error);
            return error.exit_status();
        }
    };
    let status = match interruptible(&ctx, command).await {
        Ok(status) => status,
        Err(error) => {
            ctx.ui.error(&error);
            error.exit_status()
        }
    };
    if global.api_stats {
        ctx.ui.important(&ctx.aws.stats().report());
    }
    status
}

/// Flags, environment and file → [`Ctx`].
async fn context(
    global: &GlobalArgs,
    command: &Command,
    process: Process,
    ui: Ui,
) -> Result<Ctx, (Ui, CtlError)> {
    let flags = global.overrides();
    let output = OutputSpec {
        format: global.output,
        query: global.query.clone(),
    };
    let Process {
        env,
        cwd,
        transport,
        cancel,
        ..
    } = process;
    let explicit = global.config_file.clone().or_else(|| {
        Some(PathBuf::from(
            env.get("BPCTL_CONFIG").filter(|path| !path.is_empty())?,
        ))
    });
    let found = if command.is_offline() {
        Ok(None)
    } else {
        settings::find_file(explicit.as_deref(), &cwd, &env)
    };
    let resolved = output.validate().and(found).and_then(|file| {
        let inputs = settings::Inputs {
            flags: flags.clone(),
            env: &env,
            file: file.as_ref(),
        };
        let settings = settings::resolve(&inputs).or_else(|error| {
            if !command.tolerates_errors() {
                return Err(error);
            }
            if !command.is_offline() {
                ui.warn(&format!("failed to {error}"));
            }
            settings::resolve_leniently(&inputs)
        })?;
        Ok((file, settings))
    });
    let (config, mut settings) = match resolved {
        Ok(resolved) => resolved,
        Err(error) => return Err((ui, error)),
    };
    let state_dir = state_dir(&env);
    let clock = match &transport {
        Some(transport) => transport.clock.clone(),
        None if settings.is_sandbox() && command.uses_aws() => {
            match commands::sandbox::attach(&ui, &mut settings, &env, state_dir.as_deref()).await {
                Ok(clock) => clock,
                Err(error) => return Err((ui, error)),
            }
        }
        None => Clock::system(),
    };
    let value = |setting: &Option<Sourced<String>>| setting.as_ref().map(|setting| setting.value.clone());
    let place = global
        .place()
        .aws("--profile", value(&settings.profile).as_deref())
        .aws("--region", value(&settings.region).as_deref())
        .aws("--endpoint-url", value(&settings.endpoint_url).as_deref());
    let ui = ui.in_place(place);
    let aws = Aws::new(settings.clone(), clock.clone(), transport);
    Ok(Ctx {
        ui,
        output,
        settings,
        config,
        flags,
        env,
        aws,
        clock,
        cwd,
        state_dir,
        cancel,
    })
}

/// Runs the command. The first Ctrl-C lets it end its step and report; the second ends it at once.
async fn interruptible(ctx: &Ctx, command: Command) -> Result<ExitStatus> {
    if command.handles_interrupts() {
        return command.run(ctx).await;
    }
    let interrupts = async {
        interrupt().await;
        ctx.cancel.cancel();
        ctx.ui
            .status("interrupted: finishing the current step; press Ctrl-C again to stop at once");
        interrupt().await;
    };
    tokio::select! {
        result = command.run(ctx) => result,
        () = interrupts => Err(CtlError::new(ErrorKind::Interrupted, "finish: interrupted twice")
            .hint(("what was begun may still be running in AWS: look with", CommandLine::bpctl(["triage"])))),
    }
}

/// Ctrl-C, or the SIGTERM of whoever runs bpctl: a CI runner that cancels a job, a container that stops.
///
/// SIGHUP keeps its meaning, so that `nohup` does too.
pub(crate) async fn interrupt() {
    let ctrl_c = async {
        if tokio::signal::ctrl_c().await.is_err() {
            // Without a signal handler the operating system's default ends the process.
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminated = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signals) => {
                signals.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminated = std::future::pending::<()>();
    tokio::select! {
        () = ctrl_c => {}
        () = terminated => {}
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
        .with_writer(std::io::stderr)
        .with_ansi(ui.colors_messages())
        .try_init();
}
