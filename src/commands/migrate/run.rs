//! A new migration from its plan to its result.

use std::time::Duration;

use super::apply::{self, Begun};
use super::attach::{ended, goes_on, reattach};
use super::follow::{Screen, judged};
use super::observe::observe;
use super::plan::{self, Action, CONTAINER, RunIds};
use super::print::Printed;
use super::request::Request;
use super::view::MigrateResult;
use crate::change::{Approved, Gate, GateArgs, Journal, gate};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Result};
use crate::exit::ExitStatus;
use crate::layout::Layout;
use crate::tasks::{Followed, Follower, Observer, Tail, Verdict, judge};

/// How a migration is to be watched, if at all.
#[derive(Clone, Copy, Debug)]
pub(super) struct Manner {
    pub(super) timeout: Duration,
    pub(super) detach: bool,
    pub(super) stop_on_interrupt: bool,
    pub(super) print_aws: bool,
}

pub(super) async fn run(
    ctx: &Ctx,
    layout: &Layout,
    request: &Request,
    manner: &Manner,
    gate_args: &GateArgs,
) -> Result<ExitStatus> {
    let observed = ctx.unless_interrupted(observe(ctx, layout, request)).await?;
    let ids = ids()?;
    let tags = apply::tags(&ids.short);
    let plan = plan::plan(request, &observed, &ids, ctx.clock.now())?;
    if manner.print_aws {
        for warning in &plan.warnings {
            ctx.ui.warn(warning);
        }
        for blocker in &plan.blockers {
            // A migration under way may be over when the command is pasted; what is missing stays missing.
            if blocker.kind != ErrorKind::Conflict {
                return Err(CtlError::new(blocker.kind, &blocker.reason).hint(&blocker.hint));
            }
            ctx.ui.warn(&blocker.reason);
            ctx.ui.hint(&blocker.hint);
        }
        if let Some(role) = &ctx.settings.role_arn {
            ctx.ui.warn(&format!(
                "this context assumes the role {}, which the commands do not: sign in with it first",
                role.value
            ));
        }
        ctx.emit(&Printed::new(&plan, &tags, &ctx.settings)?)?;
        return Ok(ExitStatus::Done);
    }
    let approved = match gate(ctx, plan, gate_args).await? {
        Gate::Approved(approved) => approved,
        Gate::Finished(status) => return Ok(status),
    };
    let _lock = apply::lock(ctx, &approved.plan().target)?;
    let (mut journal, unfinished) = Journal::open(ctx, approved.plan())?;
    if let Some(unfinished) = unfinished {
        ctx.ui.warn(&format!(
            "the migration of {} was not followed to its end on this machine",
            unfinished.started
        ));
        if let Some(task) = unfinished.notes.get("task") {
            ctx.ui.hint(("see how it ended with", reattach(task)));
        }
    }
    let outcome = Box::pin(carry_out(ctx, layout, &approved, &mut journal, manner, &tags)).await;
    let status = match &outcome {
        Ok(status) => *status,
        Err(error) => error.exit_status(),
    };
    journal.end(status.code());
    outcome
}

async fn carry_out(
    ctx: &Ctx,
    layout: &Layout,
    approved: &Approved<Action>,
    journal: &mut Journal,
    manner: &Manner,
    tags: &[(String, String)],
) -> Result<ExitStatus> {
    let begun = Box::pin(apply::apply(ctx, layout, approved, journal, tags)).await?;
    ctx.ui.status(&format!(
        "started task {} of {}",
        begun.task.id(),
        crate::aws::ecs::short(&begun.order.definition)
    ));
    let screen = Screen::new(ctx);
    let events = |event| screen.hear(event);
    let observer = Observer {
        aws: &ctx.aws,
        cancel: &ctx.cancel,
        events: &events,
    };
    let mut follower = Follower::of_new(observer, &begun.order.cluster, CONTAINER, &begun.task);
    follower.tail = begun
        .order
        .logs
        .as_ref()
        .map(|place| Tail::new(place, CONTAINER, begun.task.id()));
    Box::pin(watch(ctx, approved, manner, &begun, &screen, &mut follower))
        .await
        .map_err(|error| goes_on(begun.task.id(), error))
}

async fn watch(
    ctx: &Ctx,
    approved: &Approved<Action>,
    manner: &Manner,
    begun: &Begun,
    screen: &Screen<'_>,
    follower: &mut Follower<'_>,
) -> Result<ExitStatus> {
    if manner.detach {
        let task = follower
            .until_known()
            .await
            .map_err(|error| error.hint(("look for it with", reattach(begun.task.id()))))?;
        let judgement = judge(&task, &judged(None));
        let snapshot = begun.snapshot.clone();
        ctx.emit(&MigrateResult::new(
            &task,
            &judgement,
            follower.tail.as_ref(),
            snapshot,
        ))?;
        ctx.ui.hint(("follow it with", reattach(task.id())));
        return Ok(ExitStatus::Done);
    }
    ctx.ui.group("migration");
    screen.begin(&follower.id);
    let followed = follower.follow(manner.timeout).await;
    let followed = match followed {
        Ok(Followed::Interrupted(_)) if manner.stop_on_interrupt => {
            let stopped = stop(ctx, approved, begun, follower).await;
            screen.end();
            ctx.ui.end_group();
            return stopped_on_interrupt(ctx, begun, follower, stopped?);
        }
        followed => followed,
    };
    screen.end();
    ctx.ui.end_group();
    let judged = judged(None);
    ended(
        ctx,
        followed?,
        &judged,
        screen,
        follower.tail.as_ref(),
        begun.snapshot.clone(),
    )
}

/// Asks ECS to stop the task and follows it to its end, whatever Ctrl-C says; a second one ends the
/// whole program.
async fn stop(
    ctx: &Ctx,
    approved: &Approved<Action>,
    begun: &Begun,
    follower: &mut Follower<'_>,
) -> Result<Followed> {
    ctx.ui.status(&format!("stopping task {}", follower.id));
    let reason = "bpctl migrate was interrupted (--stop-on-interrupt)";
    ctx.aws
        .stop_task(approved.permit(), &begun.order.cluster, &follower.id, reason)
        .await?;
    follower.follow_to_stop().await
}

/// The task was told to stop. It may have finished just before.
fn stopped_on_interrupt(
    ctx: &Ctx,
    begun: &Begun,
    follower: &Follower<'_>,
    followed: Followed,
) -> Result<ExitStatus> {
    let (Followed::Stopped(task) | Followed::TimedOut(task) | Followed::Interrupted(task)) = followed;
    let judgement = judge(&task, &judged(None));
    ctx.emit(&MigrateResult::new(
        &task,
        &judgement,
        follower.tail.as_ref(),
        begun.snapshot.clone(),
    ))?;
    match judgement.verdict {
        Verdict::Succeeded => {
            ctx.ui
                .status("the migration had finished before it could be stopped");
            Ok(ExitStatus::Done)
        }
        Verdict::Running => Err(CtlError::new(
            ErrorKind::Interrupted,
            format!("stop task {}: it is still {}", task.id(), task.state),
        )
        .hint(("follow it with", reattach(task.id())))),
        Verdict::Failed | Verdict::NeverStarted | Verdict::Stopped | Verdict::Unknown => Err(CtlError::new(
            ErrorKind::Interrupted,
            format!("migrate: interrupted, and task {} is stopped", task.id()),
        )
        .cause(judgement.summary)
        .hint((
            "migrations that were finished are recorded in the database:",
            CommandLine::bpctl(["migrate"]),
            "goes on with the rest",
        ))),
    }
}

/// Fresh names for this run.
fn ids() -> Result<RunIds> {
    let mut bytes = [0_u8; 22];
    getrandom::fill(&mut bytes)
        .map_err(|error| CtlError::new(ErrorKind::Unexpected, "draw random numbers").source(&error))?;
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let (short, token) = bytes.split_at(6);
    Ok(RunIds {
        short: hex(short),
        client_token: hex(token),
    })
}
