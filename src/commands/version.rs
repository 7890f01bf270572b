//! `bpctl version`: which bpctl this is.

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::Result;
use crate::exit::ExitStatus;
use crate::output::{Render, View};

/// Show the version of bpctl
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl version
  bpctl version --query version     the number alone, for a script")]
pub(crate) struct VersionArgs {}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Version {
    version: &'static str,
    os: &'static str,
    arch: &'static str,
    /// The oldest compiler that builds this version.
    rust_version: &'static str,
}

impl Render for Version {
    fn human(&self, _view: &View) -> String {
        format!("bpctl {} ({} on {})\n", self.version, self.os, self.arch)
    }

    fn names(&self) -> Vec<String> {
        vec![self.version.to_owned()]
    }
}

impl Verb for VersionArgs {
    fn needs(&self) -> Needs {
        Needs::NOTHING
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        ctx.emit(&Version {
            version: env!("CARGO_PKG_VERSION"),
            os: std::env::consts::OS,
            arch: std::env::consts::ARCH,
            rust_version: env!("CARGO_PKG_RUST_VERSION"),
        })?;
        Ok(ExitStatus::Done)
    }
}
