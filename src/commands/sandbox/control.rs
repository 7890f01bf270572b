//! Verbs on the running sandbox.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::state::{self, State};
use crate::clock::Clock;
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Result};
use crate::exit::ExitStatus;
use crate::output::{Render, View};

/// The running sandbox, or an error that says how to start one.
pub(super) async fn running(ctx: &Ctx) -> Result<State> {
    let path = state::path(&ctx.env, ctx.state_dir.as_deref())?;
    state::live(&path).await?.ok_or_else(|| {
        CtlError::new(ErrorKind::NotFound, "find a running sandbox: there is none")
            .hint(("start one with", CommandLine::bpctl(["sandbox", "start"])))
    })
}

fn failed(doing: &str) -> impl Fn(std::io::Error) -> CtlError {
    move |error| CtlError::new(ErrorKind::Failed, doing.to_owned()).source(&error)
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct SandboxStatus {
    url: String,
    pid: u32,
    layout: String,
    stage: String,
    /// Simulated time.
    #[schemars(with = "jiff::Timestamp")]
    now: String,
    speed: f64,
    calls: u64,
    drill: bool,
    /// Null in a drill.
    scenarios: Option<Vec<String>>,
}

impl Render for SandboxStatus {
    fn human(&self, _view: &View) -> String {
        let scenarios = match &self.scenarios {
            None => "hidden (a drill; `sandbox reveal` tells)".to_owned(),
            Some(names) if names.is_empty() => "healthy".to_owned(),
            Some(names) => names.join(", "),
        };
        format!(
            "url:        {}\nprocess:    {}\nlayout:     {}\nnow:        {} (simulated, {}x)\nscenarios:  {scenarios}\napi calls:  {}\n",
            self.url, self.pid, self.layout, self.now, self.speed, self.calls
        )
    }

    fn names(&self) -> Vec<String> {
        vec![self.url.clone()]
    }
}

/// Writes the state of a sandbox as the result.
pub(super) async fn show(ctx: &Ctx, state: &State) -> Result<ExitStatus> {
    let status = state
        .remote()?
        .status()
        .await
        .map_err(failed("ask the sandbox for its status"))?;
    let text = |name: &str| status[name].as_str().unwrap_or_default().to_owned();
    ctx.emit(&SandboxStatus {
        url: state.url.clone(),
        pid: state.pid,
        layout: text("layout"),
        stage: text("stage"),
        now: text("now"),
        speed: status["speed"].as_f64().unwrap_or_default(),
        calls: status["calls"].as_u64().unwrap_or_default(),
        drill: status["drill"].as_bool().unwrap_or_default(),
        scenarios: status["scenarios"].as_array().map(|names| {
            names
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect()
        }),
    })?;
    Ok(ExitStatus::Done)
}

pub(super) async fn status(ctx: &Ctx) -> Result<ExitStatus> {
    let state = running(ctx).await?;
    show(ctx, &state).await
}

pub(super) async fn stop(ctx: &Ctx) -> Result<ExitStatus> {
    let path = state::path(&ctx.env, ctx.state_dir.as_deref())?;
    let Some(state) = state::live(&path).await? else {
        ctx.ui.status("No sandbox is running: nothing to stop");
        return Ok(ExitStatus::Done);
    };
    state.remote()?.stop().await.map_err(failed("stop the sandbox"))?;
    // Its state file goes last: when that is gone, so is the process's port.
    let clock = Clock::system();
    for _ in 0..250 {
        if state::read(&path).as_ref() != Some(&state) {
            ctx.ui.status(&format!("Stopped the sandbox at {}", state.url));
            return Ok(ExitStatus::Done);
        }
        clock.sleep(Duration::from_millis(20)).await;
    }
    Err(CtlError::new(
        ErrorKind::TimedOut,
        format!("stop the sandbox: process {} has not ended in 5 s", state.pid),
    ))
}

pub(super) async fn reset(ctx: &Ctx) -> Result<ExitStatus> {
    let state = running(ctx).await?;
    state
        .remote()?
        .reset()
        .await
        .map_err(failed("reset the sandbox"))?;
    ctx.ui.status("Reset the sandbox to its beginning");
    show(ctx, &state).await
}

pub(super) async fn advance(ctx: &Ctx, duration: Duration) -> Result<ExitStatus> {
    let state = running(ctx).await?;
    state
        .remote()?
        .advance(duration)
        .await
        .map_err(failed("let time pass in the sandbox"))?;
    ctx.ui.status(&format!(
        "Advanced simulated time by {}",
        humantime::format_duration(duration)
    ));
    show(ctx, &state).await
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Revelation {
    scenarios: Vec<Revealed>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Revealed {
    name: String,
    /// What breaks, and what to find.
    help: String,
}

impl Render for Revelation {
    fn human(&self, _view: &View) -> String {
        if self.scenarios.is_empty() {
            return "healthy: nothing is broken\n".to_owned();
        }
        let line = |scenario: &Revealed| format!("{}: {}\n", scenario.name, scenario.help);
        self.scenarios.iter().map(line).collect()
    }

    fn names(&self) -> Vec<String> {
        self.scenarios
            .iter()
            .map(|scenario| scenario.name.clone())
            .collect()
    }
}

pub(super) async fn reveal(ctx: &Ctx) -> Result<ExitStatus> {
    let state = running(ctx).await?;
    let answer = state
        .remote()?
        .reveal()
        .await
        .map_err(failed("ask the sandbox what is broken"))?;
    let revealed = |scenario: &Value| {
        let text = |name: &str| Some(scenario.get(name)?.as_str()?.to_owned());
        Some(Revealed {
            name: text("name")?,
            help: text("help")?,
        })
    };
    let scenarios = answer["scenarios"].as_array().into_iter().flatten();
    ctx.emit(&Revelation {
        scenarios: scenarios.filter_map(revealed).collect(),
    })?;
    Ok(ExitStatus::Done)
}
