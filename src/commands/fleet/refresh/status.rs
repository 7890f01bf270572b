//! `bpctl fleet refresh status`: how far the newest refresh of a fleet is, and why it does not advance.

use clap::Args;

use super::follow::{Follower, result};
use super::view::RefreshResult;
use super::words;
use crate::change::conclude_end;
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::Result;
use crate::exit::ExitStatus;
use crate::fleet::{look_at_nodes, named_one};
use crate::iam::Uses;
use crate::layout::FleetName;

/// Show how far the newest refresh of a fleet is, what it waits for, and what each instance runs
///
/// With `--follow` it is followed to its end, with the verdict of `bpctl fleet refresh`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl fleet refresh status production/gpu-default              a look
  bpctl fleet refresh status production/gpu-default --follow     to its end")]
pub(super) struct StatusArgs {
    /// The fleet, e.g. production/gpu-default
    #[arg(value_name = "FLEET", add = crate::completion::fleets())]
    fleet: FleetName,

    /// Follow it to its end
    #[arg(long)]
    follow: bool,
}

impl Verb for StatusArgs {
    fn uses() -> Uses {
        Uses::of(&[super::LOOK_ONLY])
    }

    fn needs(&self) -> Needs {
        if self.follow {
            Needs::AWS.own_interrupts()
        } else {
            Needs::AWS
        }
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let layout = ctx.layout()?;
        let fleet = ctx
            .unless_interrupted(named_one(&ctx.aws, &layout, &self.fleet))
            .await?;
        let group = layout.auto_scaling_group(&fleet);
        let (nodes, refreshes) = ctx
            .unless_interrupted(async {
                futures::try_join!(
                    look_at_nodes(&ctx.aws, &layout, &fleet),
                    ctx.aws.instance_refreshes(&group)
                )
            })
            .await?;
        let Some(newest) = refreshes.into_iter().next() else {
            let mut none = result(&fleet, &nodes);
            none.status = RefreshResult::empty(&fleet).status;
            ctx.emit(&none)?;
            return Ok(ExitStatus::Done);
        };
        let mut follower = Follower::new(ctx, &layout, &fleet, &newest.id, None, &nodes.group);
        follower.refresh = newest;
        if !self.follow {
            ctx.unless_interrupted(follower.look()).await?;
            let (_, shown) = ctx.unless_interrupted(follower.conclude(false)).await?;
            ctx.emit(&shown)?;
            return Ok(ExitStatus::Done);
        }
        let now = ctx.clock.now();
        let deadline = now
            .checked_add(ctx.settings.wait_timeout.value)
            .unwrap_or(jiff::Timestamp::MAX);
        follower.follow(deadline, async |_| Ok(())).await?;
        let (end, shown) = follower.conclude(true).await?;
        let name = fleet.to_string();
        let outcome = conclude_end(&words(&fleet), &name, &end, ctx.cancel.is_cancelled());
        ctx.emit_outcome(&shown, outcome)
    }
}
