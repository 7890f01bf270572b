//! `bpctl domain`: the name of the platform and its certificate.

pub(super) mod check;
pub(super) mod request;
pub(super) mod status;
pub(in crate::commands) mod view;

use clap::Args;

use crate::commands::verb::{Continuation, Needs, Verb, verbs};
use crate::context::Ctx;
use crate::error::{CtlError, Result};
use crate::exit::ExitStatus;
use crate::iam::Uses;
use crate::stacks::host_name;

/// Check the platform's name, and request its certificate
///
/// The load balancer speaks HTTPS with a certificate of its own region; `bpctl stack deploy` gives it the name and the
/// certificate.
#[derive(Debug, Args)]
pub(crate) struct DomainArgs {
    #[command(subcommand)]
    command: DomainCommand,
}

verbs! {
    enum DomainCommand {
        Status(status::StatusArgs),
        Check(check::CheckArgs),
        Request(request::RequestArgs),
    }
}

impl Verb for DomainArgs {
    fn uses() -> Uses {
        Uses::Verbs(DomainCommand::uses())
    }

    fn needs(&self) -> Needs {
        self.command.needs()
    }

    fn continues(&self) -> Option<Continuation> {
        self.command.continues()
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        self.command.run(ctx).await
    }
}

/// The host that was typed.
///
/// # Errors
/// [`ErrorKind::Usage`](crate::error::ErrorKind::Usage) for what is none.
pub(in crate::commands) fn host(text: &str) -> Result<String> {
    host_name(text).map_err(|why| {
        CtlError::usage(format!("read the command line: {why}")).hint("write e.g. `app.example.com`")
    })
}
