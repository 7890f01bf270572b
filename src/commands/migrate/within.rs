//! A migration as a part of a deployment: its task runs what the deployment brings.

use std::time::Duration;

use futures::FutureExt as _;

use super::follow::{FOLLOWING, Screen, judged};
use super::observe;
use super::plan::{self, Observed};
use super::request::{Databases, Request};
use crate::aws::ecs::{RunTask, Task};
use crate::change::{Basis, Blocker, End, Later};
use crate::context::Ctx;
use crate::error::{CtlError, ErrorKind, Result};
use crate::layout::Layout;
use crate::tasks::{self, Choices, Follower, Start};

/// What a migration needs to know.
#[derive(Clone, Debug)]
pub(in crate::commands) struct MigrationSeen {
    request: Request,
    observed: Observed,
}

/// Central database and all tenant pools, in the network of the service.
fn request(ctx: &Ctx) -> Result<Request> {
    Request::new(Databases::default(), Choices::new(false, &[], &[], &ctx.env)?)
}

/// Reads it.
pub(in crate::commands) async fn observe(ctx: &Ctx, layout: &Layout) -> Result<MigrationSeen> {
    let request = request(ctx)?;
    let observed = observe::observe(ctx, layout, &request, &[]).await?;
    Ok(MigrationSeen { request, observed })
}

impl MigrationSeen {
    /// The task, and what speaks against it. Pure.
    pub(in crate::commands) fn task(
        &self,
        basis: &Basis<'_>,
        definition: Later,
    ) -> Result<(Start, Vec<Blocker>)> {
        let start = plan::start(&self.request, &self.observed, basis)?;
        let blockers = plan::blockers(&self.request, &self.observed, &start);
        Ok((start.bringing(definition), blockers))
    }
}

/// Starts the task through `send` and follows it to its end. `note` gets its ARN.
///
/// # Errors
/// Whatever but success it ends with; another migration that is under way.
pub(in crate::commands) async fn migrate(
    ctx: &Ctx,
    layout: &Layout,
    start: &Start,
    timeout: Duration,
    note: impl Fn(&str),
    send: impl AsyncFnOnce(&RunTask) -> Result<Task>,
) -> Result<String> {
    let call = &start.call;
    observe::still_alone(ctx, layout, call).await?;
    let request = request(ctx)?;
    let screen = Screen::new(ctx);
    let events = |event| screen.hear(event);
    let observer = screen.observer(&events);
    let again = request.again();
    let started = tasks::start(&observer, &call.cluster, &call.started_by, &again, async || {
        send(call).await
    })
    .boxed_local()
    .await?;
    // At once, so that a kill at any later moment leaves a trace of the task.
    note(&started.arn);
    let mut follower = Follower::of_new(observer, &call.cluster, &call.container, &started);
    let id = started.id();
    follower.tail = start.tail(id);
    let judged = judged(&request, &start.essential);
    let followed = screen.follow(&mut follower, FOLLOWING, &judged, timeout);
    match followed.boxed_local().await?.end {
        End::Settled => Ok(format!("migrated by task {id}")),
        End::Running { what, hint } => {
            let kind = match ctx.cancel.is_cancelled() {
                true => ErrorKind::Interrupted,
                false => ErrorKind::TimedOut,
            };
            Err(CtlError::new(kind, format!("see the end of the migration: {what}")).hint(hint))
        }
        End::Overturned(text) => Err(CtlError::new(ErrorKind::Failed, format!("migrate: {text}"))),
        End::Exited { error, .. }
        | End::Found { error, .. }
        | End::Superseded(error)
        | End::RolledBack(error)
        | End::Failed(error) => Err(error),
    }
}
