//! `bpctl fleet refresh cancel`: ends the refresh of a fleet.

use clap::Args;
use serde::{Deserialize, Serialize};

use super::follow::{Follower, result};
use super::status_command;
use super::view::RefreshResult;
use crate::aws::autoscaling::{CancelInstanceRefresh, InstanceRefresh};
use crate::change::journal::Record;
use crate::change::{
    Basis, Call as _, Change, ChangeArgs, Done, End, Outcome, Plan, Step, StepRun, Target, Verification,
    Words, carry_out,
};
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Result};
use crate::exit::ExitStatus;
use crate::fleet::{Nodes, look_at_nodes, named_one};
use crate::iam::{CHANGE, On, Use, Uses};
use crate::layout::{FleetId, FleetName, Layout};

/// End the refresh of a fleet that is under way
///
/// Instances that are replaced stay replaced, and those that are being replaced come up: nothing is rolled back. To go
/// back to the image before, move the pointer back and refresh again.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl fleet refresh cancel production/gpu-default
  bpctl fleet refresh cancel production/gpu-default --reason 'jobs fail on the new image'")]
pub(super) struct CancelArgs {
    /// The fleet, e.g. production/gpu-default
    #[arg(value_name = "FLEET", add = crate::completion::fleets())]
    fleet: FleetName,

    #[command(flatten)]
    change: ChangeArgs,
}

impl Verb for CancelArgs {
    fn uses() -> Uses {
        Uses::of(&[
            CHANGE,
            super::LOOK_ONLY,
            &[Use::of("autoscaling:CancelInstanceRefresh", On::Groups)],
        ])
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let layout = ctx.layout()?;
        let fleet = ctx
            .unless_interrupted(named_one(&ctx.aws, &layout, &self.fleet))
            .await?;
        let change = Cancel { ctx, layout, fleet };
        carry_out(ctx, &change, &self.change).await
    }
}

struct Cancel<'a> {
    ctx: &'a Ctx,
    layout: Layout,
    fleet: FleetId,
}

/// The refresh that is to end.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Ending {
    call: CancelInstanceRefresh,
    refresh: String,
}

/// The instances, and the refresh that is under way.
type Seen = (Nodes, Option<InstanceRefresh>);

impl Cancel<'_> {
    async fn under_way(&self) -> Result<Option<InstanceRefresh>> {
        let group = self.layout.auto_scaling_group(&self.fleet);
        let all = self.ctx.aws.instance_refreshes(&group).await?;
        Ok(all.into_iter().find(|refresh| !refresh.is_over()))
    }
}

impl Change for Cancel<'_> {
    const NAME: &'static str = "fleet refresh cancel";
    type Seen = Seen;
    type Action = Ending;
    type Output = ();
    type Ending = RefreshResult;
    type Document = RefreshResult;

    fn words(&self) -> Words {
        Words {
            goal: format!("end the refresh of {}", self.fleet),
            thing: "fleet",
            settle: "see the end of the refresh".to_owned(),
            following: String::new(),
        }
    }

    async fn observe(&self, _target: &Target, _recent: &[Record]) -> Result<Seen> {
        futures::try_join!(
            look_at_nodes(&self.ctx.aws, &self.layout, &self.fleet),
            self.under_way()
        )
    }

    fn plan(&self, (nodes, refresh): &Seen, _basis: &Basis<'_>) -> Result<Plan<Ending>> {
        let title = format!("end the refresh of {}", self.fleet);
        // One that is being cancelled ends by itself.
        let Some(refresh) = refresh.as_ref().filter(|refresh| refresh.status != "Cancelling") else {
            return Ok(Plan::new(title, Vec::new()));
        };
        let call = CancelInstanceRefresh {
            group: nodes.group.name.clone(),
            resource: format!("asg/{}", self.fleet),
        };
        let calls = vec![call.described()];
        let action = Ending {
            call,
            refresh: refresh.id.clone(),
        };
        let before = format!("{} ({} %)", refresh.id, refresh.percent.unwrap_or(0));
        let mut step = Step::new(self.fleet.to_string(), "end the refresh", calls, action)
            .changing(before, "ended; what is replaced stays replaced");
        step.notes.push(format!(
            "{} of {} instances run another image than the pointer's",
            nodes.on_other_images().len(),
            nodes.staying().count()
        ));
        Ok(Plan::new(title, vec![step]))
    }

    fn covers(&self, _seen: &Seen, _plan: &Plan<Ending>) -> Vec<String> {
        vec![self.fleet.to_string()]
    }

    async fn act(&self, step: &StepRun<'_, Self>) -> Result<Done<Self>> {
        let Ending { call, refresh } = step.action();
        let now = self.under_way().await?;
        if now.as_ref().map(|now| &now.id) != Some(refresh) {
            return Err(CtlError::new(
                ErrorKind::Changed,
                format!("end refresh {refresh}: it is not under way any more"),
            )
            .hint(("see how it ended with", status_command(&self.fleet))));
        }
        step.send(&self.ctx.aws, call).await?;
        Ok(Done::new(format!("asked Auto Scaling to end refresh {refresh}")))
    }

    async fn verify(&self, (nodes, refresh): &Seen, run: &mut Verification<'_, Self>) -> Result<()> {
        let name = self.fleet.to_string();
        let Some(refresh) = refresh else {
            run.ending(&name, result(&self.fleet, nodes));
            return Ok(());
        };
        let mut follower = Follower::new(
            self.ctx,
            &self.layout,
            &self.fleet,
            &refresh.id,
            None,
            &nodes.group,
        );
        follower.refresh = refresh.clone();
        if run.waits() {
            follower.follow(run.deadline(), async |_| Ok(())).await?;
        } else {
            follower.look().await?;
        }
        let waits = run.waits();
        let (end, shown) = follower.conclude(waits).await?;
        let end = match follower.refresh.status.as_str() {
            "Cancelled" => End::Settled,
            "Successful" => End::Failed(CtlError::new(
                ErrorKind::Changed,
                format!(
                    "end refresh {}: it had succeeded before it could be ended",
                    refresh.id
                ),
            )),
            _ => end,
        };
        run.end(&name, end);
        run.ending(&name, shown);
        Ok(())
    }

    fn document(&self, _seen: &Seen, outcome: &Outcome<Self>) -> Option<RefreshResult> {
        let mut result = outcome.endings.get(&self.fleet.to_string())?.clone();
        result.run = Some(outcome.run.clone());
        Some(result)
    }

    fn resume(&self, _left: &[&str]) -> CommandLine {
        super::cancel_command(&self.fleet)
    }
}
