//! `--redeploy`: the services that read what was written start anew, by the same means as `bpctl deploy`.

use std::time::Duration;

use clap::{Args, ValueEnum};

use super::written::hint_at_redeployment;
use crate::change::{ChangeArgs, carry_out};
use crate::commands::deploy::{DEPLOYS, Deploy, Migrate, Request, What};
use crate::context::Ctx;
use crate::error::{CtlError, ErrorKind, Result};
use crate::exit::ExitStatus;
use crate::iam::Uses;
use crate::layout::App;

/// What follows the writing.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct RedeployArgs {
    /// Deploy the services whose running tasks hold earlier values, with a plan of their own; `ask` asks at a terminal
    #[arg(
        long,
        value_name = "ask|yes|no",
        default_value = "ask",
        hide_possible_values = true
    )]
    redeploy: Redeploy,

    /// With `--redeploy yes`: wait this long in between, so that instances that have booted with the value before can
    /// still register with it
    #[arg(long, value_name = "DURATION", value_parser = crate::change::duration)]
    grace: Option<Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Redeploy {
    /// Asks where somebody can answer and `--yes` was not given; else the command is shown.
    Ask,
    Yes,
    No,
}

/// The actions of `--redeploy yes`.
pub(super) fn uses(own: Uses) -> Uses {
    own.with("--redeploy", DEPLOYS)
}

impl RedeployArgs {
    /// # Errors
    /// A wait for a deployment that does not follow.
    pub(super) fn check(self) -> Result<()> {
        if self.grace.is_some() && self.redeploy != Redeploy::Yes {
            return Err(CtlError::usage("wait with the deployment: none follows")
                .hint("give `--redeploy yes` beside `--grace`"));
        }
        Ok(())
    }

    /// For the plan of the writing.
    pub(super) fn note(self) -> Option<String> {
        let wait = self.grace.map_or_else(String::new, |grace| {
            format!("{} later ", humantime::format_duration(grace))
        });
        (self.redeploy == Redeploy::Yes).then(|| {
            format!(
                "afterwards {wait}the services whose running tasks hold earlier values are deployed, with a plan of their own"
            )
        })
    }

    /// Deploys `apps`, or shows how to. `status` is that of the writing, which stays the answer unless a deployment that
    /// was wanted came to another one.
    ///
    /// # Errors
    /// Those of the deployment.
    pub(super) async fn follow_up(
        self,
        ctx: &Ctx,
        apps: Vec<App>,
        change: &ChangeArgs,
        status: ExitStatus,
    ) -> Result<ExitStatus> {
        if apps.is_empty() || !change.may_change() {
            return Ok(status);
        }
        let asks = ctx.ui.can_prompt() && !change.yes;
        let wanted = match self.redeploy {
            Redeploy::Yes => true,
            Redeploy::Ask => asks,
            Redeploy::No => false,
        };
        if !wanted || status != ExitStatus::Done {
            hint_at_redeployment(ctx, &apps);
            return Ok(status);
        }
        if let Some(grace) = self.grace {
            let span = humantime::format_duration(grace);
            ctx.ui.status(&format!("Waiting {span} before the deployment"));
            tokio::select! {
                () = ctx.clock.sleep(grace) => {}
                () = ctx.cancel.cancelled() => {
                    hint_at_redeployment(ctx, &apps);
                    return Ok(ExitStatus::Interrupted);
                }
            }
        }
        let request = Request {
            apps: apps.clone(),
            what: What::Same,
            abort_on_first_failure: false,
            rollback_on_timeout: false,
            supersede: false,
            migrate: Migrate::No,
        };
        let deploy = Deploy::<false>::new(ctx, ctx.layout()?, request);
        match carry_out(ctx, &deploy, change).await {
            // Nothing but an offer was declined.
            Err(error) if self.redeploy == Redeploy::Ask && error.kind() == ErrorKind::Declined => {
                hint_at_redeployment(ctx, &apps);
                Ok(status)
            }
            ended => ended,
        }
    }
}
