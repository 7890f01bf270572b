//! What a sandbox is made from, and starting one in the background.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use bpctl_sandbox::{
    FleetSeed, Layout, OPERATOR_ROLE, Options, Scenario, SimTime, VIEWER_ROLE, check_policy,
};
use clap::Args;
use jiff::Timestamp;

use super::state::{self, State};
use crate::clock::Clock;
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Hint, Result};
use crate::exit::ExitStatus;
use crate::files::{CONFIG_LIMIT, Links, open_regular, read_own, read_text};
use crate::layout::LayoutKind;
use crate::settings::Settings;
use crate::ui::Ui;

/// What stands for "any scenario, do not tell me which".
pub(super) const RANDOM: &str = "?";

/// What a sandbox in the background is told when it may stay although the process that started it ends.
pub(super) const RELEASED: &[u8] = b"stay\n";

/// How long a background sandbox may take to come up.
const START_TIMEOUT: Duration = Duration::from_secs(20);

/// Choices that make a world. The layout is the global --layout.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct WorldArgs {
    /// What is broken; may be repeated; `?` picks one at random (a drill)
    #[arg(long = "scenario", value_name = "NAME", value_parser = scenario_name())]
    pub(super) scenarios: Vec<String>,

    /// Simulated seconds per second
    #[arg(long, value_name = "N", default_value_t = 30.0, value_parser = speed)]
    pub(super) speed: f64,

    /// Seed of every id and every random draw
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) seed: u64,

    /// When the operator arrives, e.g. 2026-01-15T09:00:00Z [default: now]
    #[arg(long, value_name = "TIME")]
    pub(super) at: Option<Timestamp>,

    /// This many busy production fleets instead of the platform's own
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=500))]
    pub(super) fleets: Option<u16>,

    /// An account in which nothing was deployed yet
    #[arg(long, conflicts_with_all = ["scenarios", "fleets"])]
    pub(super) empty: bool,

    /// Added to every API call, to meet the network that AWS has
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = humantime::parse_duration)]
    pub(super) latency: Duration,

    /// Ask AWS as this role: bp-operator may do everything, bp-viewer looks; any other has what --policy says
    #[arg(long = "as", value_name = "ROLE", default_value = OPERATOR_ROLE)]
    pub(super) role: String,

    /// Permissions policy of that role, e.g. of `bpctl iam policy`; everything else is denied
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(super) policy: Option<PathBuf>,
}

fn scenario_name() -> clap::builder::PossibleValuesParser {
    clap::builder::PossibleValuesParser::new(
        Scenario::ALL
            .iter()
            .map(|scenario| scenario.name())
            .chain([RANDOM]),
    )
}

fn speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(speed) if (0.1..=100_000.0).contains(&speed) => Ok(speed),
        _ => Err("expected a number between 0.1 and 100000".to_owned()),
    }
}

impl WorldArgs {
    /// Whether the operator asked for a surprise.
    pub(super) fn is_drill(&self) -> bool {
        self.scenarios.iter().any(|name| name == RANDOM)
    }

    /// Everything the sandbox needs to know, with surprises drawn.
    pub(super) fn options(&self, settings: &Settings, now: Timestamp) -> Result<Options> {
        super::scenario::refuse_contradiction(&self.scenarios)?;
        let mut scenarios = BTreeSet::new();
        for name in &self.scenarios {
            scenarios.insert(match name.as_str() {
                RANDOM => draw()?,
                name => name
                    .parse::<Scenario>()
                    .map_err(|error| CtlError::usage(error.to_string()))?,
            });
        }
        let fleets = (0..self.fleets.unwrap_or(0))
            .map(|n| FleetSeed::new("production", &format!("fleet-{n:03}"), 2, 1.0))
            .collect();
        let roles = self.roles()?;
        Ok(Options {
            role: self.role.clone(),
            roles,
            layout: match settings.layout.value {
                LayoutKind::Single => Layout::Single,
                LayoutKind::Staged => Layout::Staged,
            },
            stage: settings
                .stage
                .as_ref()
                .map_or("staging", |stage| stage.value.as_str())
                .to_owned(),
            seed: self.seed,
            start: SimTime(self.at.unwrap_or(now).as_millisecond()),
            scenarios,
            empty: self.empty,
            fleets,
            ..Options::default()
        })
    }

    /// The role of `--as` with its policy, unless it is one of the account's own.
    fn roles(&self) -> Result<BTreeMap<String, String>> {
        let own = [OPERATOR_ROLE, VIEWER_ROLE].contains(&self.role.as_str());
        // IAM API Reference, CreateRole, RoleName.
        let letters = |letter: char| letter.is_ascii_alphanumeric() || "_+=,.@-".contains(letter);
        if !self.role.chars().all(letters) || !(1..=64).contains(&self.role.len()) {
            return Err(CtlError::usage(format!(
                "read the role `{}`: that is no name of a role",
                self.role
            )));
        }
        let Some(file) = &self.policy else {
            if own {
                return Ok(BTreeMap::new());
            }
            return Err(CtlError::usage(format!(
                "ask AWS as `{}`: the sandbox does not know this role",
                self.role
            ))
            .hint(format!(
                "give its policy with `--policy FILE`, or use {OPERATOR_ROLE} or {VIEWER_ROLE}"
            )));
        };
        if own {
            return Err(CtlError::usage(format!(
                "give `{}` another policy: it is one of the sandbox's own roles",
                self.role
            ))
            .hint("choose another name with `--as`"));
        }
        let shown = file.display();
        let text = read_text(file, CONFIG_LIMIT)
            .map_err(|error| CtlError::usage(format!("read the policy `{shown}`")).source(&error))?;
        check_policy(&text)
            .map_err(|why| CtlError::usage(format!("read the policy `{shown}`")).cause(why))?;
        Ok(BTreeMap::from([(self.role.clone(), text)]))
    }

    /// The same choices as a command line for the process in the background.
    fn to_args(&self, settings: &Settings) -> Vec<String> {
        let mut args = layout_args(settings);
        for scenario in &self.scenarios {
            args.extend(["--scenario".to_owned(), scenario.clone()]);
        }
        args.extend(self.empty.then(|| "--empty".to_owned()));
        args.extend([
            "--speed".to_owned(),
            self.speed.to_string(),
            "--seed".to_owned(),
            self.seed.to_string(),
        ]);
        if let Some(at) = self.at {
            args.extend(["--at".to_owned(), at.to_string()]);
        }
        if let Some(fleets) = self.fleets {
            args.extend(["--fleets".to_owned(), fleets.to_string()]);
        }
        args.extend([
            "--latency".to_owned(),
            humantime::format_duration(self.latency).to_string(),
        ]);
        args.extend(["--as".to_owned(), self.role.clone()]);
        if let Some(policy) = &self.policy {
            args.extend(["--policy".to_owned(), policy.display().to_string()]);
        }
        args
    }
}

/// The layout of a world: the process in the background may find another configuration than this one.
pub(super) fn layout_args(settings: &Settings) -> Vec<String> {
    let mut args = vec!["--layout".to_owned(), settings.layout.value.to_string()];
    if let Some(stage) = &settings.stage {
        args.extend(["--stage".to_owned(), stage.value.to_string()]);
    }
    args
}

/// One scenario that has something to find.
fn draw() -> Result<Scenario> {
    let candidates: Vec<Scenario> = Scenario::ALL
        .iter()
        .copied()
        .filter(|scenario| {
            !matches!(
                scenario,
                Scenario::Healthy | Scenario::Throttled | Scenario::ExpiredCredentials
            )
        })
        .collect();
    let random = getrandom::u32()
        .map_err(|error| CtlError::new(ErrorKind::Unexpected, "draw a scenario").cause(error.to_string()))?;
    Ok(candidates[random as usize % candidates.len()])
}

pub(super) async fn start(ctx: &Ctx, args: &WorldArgs) -> Result<ExitStatus> {
    super::scenario::refuse_contradiction(&args.scenarios)?;
    let path = state::path(&ctx.env, ctx.state_dir.as_deref())?;
    if let Some(running) = state::live(&path).await? {
        return Err(CtlError::new(
            ErrorKind::Conflict,
            format!(
                "start a sandbox: one is running already at {} (process {})",
                running.url, running.pid
            ),
        )
        .hint(
            Hint::new("use it, start it over with")
                .command(CommandLine::bpctl(["sandbox", "reset"]))
                .and(", or stop it with")
                .command(CommandLine::bpctl(["sandbox", "stop"])),
        ));
    }
    let state = background(&ctx.ui, &path, &args.to_args(&ctx.settings)).await?;
    ctx.ui.status(&format!(
        "Started a sandbox at {} (process {})",
        state.url, state.pid
    ));
    ctx.ui.hint(
        Hint::new("look at it with")
            .command(CommandLine::bpctl(["--context", "sandbox", "triage"]).without_place())
            .and("; stop it with")
            .command(CommandLine::bpctl(["sandbox", "stop"])),
    );
    super::control::show(ctx, &state).await
}

/// Starts `bpctl sandbox serve` as a process of its own and waits until it answers.
pub(super) async fn background(ui: &Ui, path: &Path, args: &[String]) -> Result<State> {
    let failed = |what: &str| {
        CtlError::new(
            ErrorKind::Failed,
            format!("start a sandbox in the background: {what}"),
        )
    };
    let folder = path
        .parent()
        .ok_or_else(|| failed("its state file has no folder"))?;
    fs::create_dir_all(folder).map_err(|error| failed("no place for its state").source(&error))?;
    let log = path.with_extension("log");
    let mut options = fs::OpenOptions::new();
    options.create(true).write(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let output = open_regular(&log, &mut options, Links::Refuse)
        .and_then(|file| file.set_len(0).map(|()| file))
        .map_err(|error| failed("no place for its log").source(&error))?;
    let program =
        std::env::current_exe().map_err(|error| failed("bpctl cannot find itself").source(&error))?;
    let mut command = Command::new(program);
    command
        .args(["sandbox", "serve", "--until-released", "--state-file"])
        .arg(path)
        .args(args);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(output);
    // Ctrl-C in the operator's terminal must not reach it.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = command
        .spawn()
        .map_err(|error| failed("the process cannot be started").source(&error))?;
    // It ends by itself when this process does not live to take what it offers.
    let mut leash = child.stdin.take();
    let clock = Clock::system();
    let deadline = clock.now().checked_add(START_TIMEOUT).unwrap_or(Timestamp::MAX);
    let _progress = ui.progress("Starting a sandbox");
    loop {
        if let Some(state) = state::read(path).filter(|state| state.pid == child.id())
            && state::live(path).await?.is_some()
        {
            if let Some(leash) = &mut leash {
                leash
                    .write_all(RELEASED)
                    .map_err(|error| failed("it went away").source(&error))?;
            }
            return Ok(state);
        }
        // Two of them may start at once: the one whose file it is wins.
        if let Some(other) = state::read(path).filter(|state| state.pid != child.id())
            && state::live(path).await?.is_some()
        {
            // It holds nothing that would have to be put away.
            let _ = child.kill();
            let _ = child.wait();
            return Ok(other);
        }
        if let Ok(Some(status)) = child.try_wait() {
            let said = read_own(&log, CONFIG_LIMIT).unwrap_or_default();
            let said = String::from_utf8_lossy(&said);
            return Err(failed(&format!("it ended with {status}")).cause(said.trim().to_owned()));
        }
        if clock.now() >= deadline {
            return Err(failed("it did not answer in time").hint(format!("its log is `{}`", log.display())));
        }
        clock.sleep(Duration::from_millis(20)).await;
    }
}
