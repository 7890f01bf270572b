//! `bpctl fleet scale-to-zero`: nothing may run, and nothing may be lost unless the operator says so.

mod conclude;
mod drain;
mod follow;
mod observe;
mod outcome;
mod plan;
mod step;

use std::collections::BTreeMap;
use std::time::Duration;

use clap::Args;
use jiff::Timestamp;

use super::text::warn_of_gaps;
use crate::aws::autoscaling::Phase;
use crate::change::{Applied, Approved, Gate, GateArgs, Journal, OperationLock, Permit, Step, apply, gate};
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CtlError, Result};
use crate::exit::ExitStatus;
use crate::fleet::named;
use crate::layout::{FleetName, Layout};

use follow::{Followed, follow};
use outcome::{Interrupted, Outcome};
use plan::{Candidate, Request, Shrink, Snapshot};

/// Set the desired capacity of fleets to 0 and see their instances leave
///
/// A fleet with jobs in its queue or with workers at work is not touched, and neither is one whose
/// metrics are silent while instances run: nobody can say then what would be lost. `--drain` waits
/// until no job is left, `--force` loses them. bpctl cannot keep workers from taking the next job, so
/// on a busy platform `--drain` may wait until its deadline.
///
/// Minimum and maximum stay as they are: the fleet starts again when the next job comes. Instances
/// that are protected from scale-in keep running until their protection ends.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl fleet scale-to-zero production/gpu-default --dry-run    what would be done, and lost
  bpctl fleet scale-to-zero production/gpu-default --drain      wait for the jobs first
  bpctl fleet scale-to-zero --all --stage staging --yes         a whole stage, for the night")]
#[command(group(clap::ArgGroup::new("which").required(true).args(["fleets", "all"])))]
pub(crate) struct ScaleToZeroArgs {
    /// Fleets, e.g. production/gpu-default
    #[arg(value_name = "FLEET", add = crate::completion::fleets())]
    fleets: Vec<FleetName>,

    /// Every fleet of the context (of one stage with --stage)
    #[arg(long)]
    all: bool,

    /// Wait until each fleet's queue is empty and no worker has a job
    #[arg(long, conflicts_with = "force")]
    drain: bool,

    /// Go on although running jobs are lost, or may be
    #[arg(long)]
    force: bool,

    /// How long to wait for jobs and instances, e.g. 90s or 1h [default: wait_timeout, 30m]
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    timeout: Option<Duration>,

    #[command(flatten)]
    gate: GateArgs,
}

impl Verb for ScaleToZeroArgs {
    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        run(ctx, &self).await
    }
}

async fn run(ctx: &Ctx, args: &ScaleToZeroArgs) -> Result<ExitStatus> {
    let layout = ctx.layout()?;
    let fleets = ctx
        .unless_interrupted(named(&ctx.aws, &layout, &args.fleets))
        .await?;
    let request = Request {
        drain: args.drain,
        force: args.force,
    };
    let timeout = args.timeout.unwrap_or(ctx.settings.wait_timeout.value);
    let target = Box::pin(ctx.target()).await?;
    // Held until the fleets have settled; a dry run changes nothing and needs no lock.
    let _lock = match args.gate.dry_run {
        true => None,
        false => Some(OperationLock::take(ctx, "fleet scale-to-zero", &target)?),
    };
    let (fleets, gap) = Box::pin(observe::observe(&ctx.aws, &layout, &fleets)).await?;
    warn_of_gaps(&ctx.ui, gap.as_slice());
    let snapshot = Snapshot { target, fleets };
    let approved = match gate(ctx, plan::plan(request, &snapshot, &layout), &args.gate).await? {
        Gate::Approved(approved) => approved,
        Gate::Finished(status) => return Ok(status),
    };
    let (mut journal, unfinished) = Journal::open(ctx, approved.plan())?;
    let interrupted_before = unfinished.map(Interrupted::from);
    if let Some(interrupted) = &interrupted_before {
        ctx.ui.warn(&interrupted.sentence());
    }
    if approved.plan().steps.is_empty() {
        ctx.ui.status("Nothing to change");
    }
    let result = Box::pin(carry_out(
        ctx,
        &layout,
        request,
        &snapshot,
        &approved,
        &mut journal,
        timeout,
    ))
    .await;
    let (fleets, applied, trouble) = match result {
        Ok(done) => done,
        Err(error) => {
            journal.end(error.exit_status().code());
            return Err(error);
        }
    };
    let verdict = conclude::conclude(request, &fleets, &applied.failed, ctx.cancel.is_cancelled());
    // Why the instances could not be followed tells more than that they were not.
    let verdict = match trouble {
        Some(trouble) if applied.failed.is_empty() => Err(conclude::out_of_sight(trouble, &fleets)),
        Some(_) | None => verdict,
    };
    let verdict = verdict.map(|()| ExitStatus::Done);
    let status = verdict.as_ref().copied().unwrap_or_else(CtlError::exit_status);
    journal.end(status.code());
    let outcome = Outcome {
        target: snapshot.target,
        drain: request.drain,
        force: request.force,
        changed: applied.done.len(),
        interrupted_before,
        fleets,
    };
    ctx.emit_outcome(&outcome, verdict)
}

/// Steps, then the look afterwards.
async fn carry_out(
    ctx: &Ctx,
    layout: &Layout,
    request: Request,
    snapshot: &Snapshot,
    approved: &Approved<Shrink>,
    journal: &mut Journal,
    timeout: Duration,
) -> Result<(Vec<outcome::FleetOutcome>, Applied, Option<CtlError>)> {
    let deadline = ctx.clock.now().checked_add(timeout).unwrap_or(Timestamp::MAX);
    let (applied, busy) = if request.drain && !approved.plan().steps.is_empty() {
        let drained = drain::drain(ctx, layout, request, approved, journal, timeout).await;
        (drained.applied, drained.busy)
    } else {
        let work = async |step: &Step<Shrink>, permit: Permit<'_>| {
            Box::pin(step::shrink(ctx, layout, request, step, permit)).await
        };
        (apply(ctx, approved, journal, work).await?, Vec::new())
    };
    let followed = to_follow(snapshot, approved, &applied);
    let (ends, trouble) = if ctx.cancel.is_cancelled() {
        (BTreeMap::new(), None)
    } else {
        follow(ctx, &followed, deadline).await
    };
    let fleets = outcome::fleets(&snapshot.fleets, &applied, &busy, &ends);
    Ok((fleets, applied, trouble))
}

/// The fleets that were written to, and those that an earlier run or somebody else left shrinking.
fn to_follow(snapshot: &Snapshot, approved: &Approved<Shrink>, applied: &Applied) -> Vec<Followed> {
    let written = approved
        .plan()
        .steps
        .iter()
        .filter(|step| applied.done.iter().any(|done| done.id == step.id))
        .map(|step| Followed {
            fleet: step.action.fleet.clone(),
            group: step.action.group.clone(),
            jobs_wait: step.action.jobs_wait,
        });
    let shrinking = snapshot.fleets.iter().filter_map(|Candidate { id, seen }| {
        let (group, _) = seen.as_ref()?;
        let leaving =
            group.desired == 0 && !group.deleting && group.instances.len() > group.count(Phase::Terminating);
        leaving.then(|| Followed {
            fleet: id.clone(),
            group: group.name.clone(),
            jobs_wait: false,
        })
    });
    written.chain(shrinking).collect()
}
