//! `bpctl sandbox`: a simulated account to try, rehearse and test everything in.

use std::collections::BTreeMap;
use std::path::Path;

use clap::Args;

use crate::clock::Clock;
use crate::context::Ctx;
use crate::error::Result;
use crate::exit::ExitStatus;
use crate::settings::Settings;
use crate::ui::Ui;

/// Try everything without an AWS account
#[derive(Debug, Args)]
pub(crate) struct SandboxArgs {}

pub(crate) async fn run(_ctx: &Ctx, _args: SandboxArgs) -> Result<ExitStatus> {
    Ok(ExitStatus::Done)
}

/// Finds the running sandbox and its clock.
pub(crate) async fn attach(
    _ui: &Ui,
    _settings: &mut Settings,
    _env: &BTreeMap<String, String>,
    _state: Option<&Path>,
) -> Result<Clock> {
    Ok(Clock::system())
}
