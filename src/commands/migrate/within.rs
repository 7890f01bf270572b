//! A migration as a part of a deployment: its task runs what the deployment brings.

use std::time::Duration;

use futures::FutureExt as _;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::follow::{FOLLOWING, Screen, judged};
use super::observe;
use super::plan::{self, Observed};
use super::request::{Databases, Request};
use crate::aws::Aws;
use crate::aws::ecs::{RunTask, Task};
use crate::change::{Basis, Blocker, Call, End, Later, Permit, Repeated};
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

/// The task of a migration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MigrationTask {
    start: Start,
    /// ARN of the task definition that the deployment brings.
    definition: Later,
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
    ) -> Result<(MigrationTask, Vec<Blocker>)> {
        let start = plan::start(&self.request, &self.observed, basis)?;
        let blockers = plan::blockers(&self.request, &self.observed, &start);
        Ok((MigrationTask { start, definition }, blockers))
    }
}

impl MigrationTask {
    /// The same once the task definition is known.
    #[must_use]
    pub(in crate::commands) fn of(&self, definition: &str) -> Self {
        Self {
            definition: Later::Known(definition.to_owned()),
            ..self.clone()
        }
    }
}

impl Call for MigrationTask {
    const SERVICE: &'static str = RunTask::SERVICE;
    const OPERATION: &'static str = RunTask::OPERATION;
    const REPEATED: Repeated = RunTask::REPEATED;
    const VOLATILE: &'static [&'static str] = RunTask::VOLATILE;
    type Via = Aws;
    type Answer = Task;

    fn parameters(&self) -> Map<String, Value> {
        let mut members = self.start.call.parameters();
        members.insert("taskDefinition".to_owned(), self.definition.parameter());
        members
    }

    fn resource(&self) -> String {
        self.start.resource()
    }

    async fn send(&self, aws: &Aws, permit: &Permit) -> Result<Task> {
        let call = RunTask {
            definition: self.definition.known()?.to_owned(),
            ..self.start.call.clone()
        };
        call.send(aws, permit).await
    }
}

/// Starts the task through `send` and follows it to its end. `note` gets its ARN.
///
/// # Errors
/// Whatever but success it ends with; another migration that is under way.
pub(in crate::commands) async fn migrate(
    ctx: &Ctx,
    layout: &Layout,
    task: &MigrationTask,
    timeout: Duration,
    note: impl Fn(&str),
    send: impl AsyncFnOnce(&MigrationTask) -> Result<Task>,
) -> Result<String> {
    let call = &task.start.call;
    observe::still_alone(ctx, layout, call).await?;
    let request = request(ctx)?;
    let screen = Screen::new(ctx);
    let events = |event| screen.hear(event);
    let observer = screen.observer(&events);
    let again = request.again();
    let started = tasks::start(&observer, &call.cluster, &call.started_by, &again, async || {
        send(task).await
    })
    .boxed_local()
    .await?;
    // At once, so that a kill at any later moment leaves a trace of the task.
    note(&started.arn);
    let mut follower = Follower::of_new(observer, &call.cluster, &call.container, &started);
    let id = started.id();
    follower.tail = task.start.tail(id);
    let judged = judged(&request, &task.start.essential);
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
        End::Exited { error, .. } | End::Superseded(error) | End::RolledBack(error) | End::Failed(error) => {
            Err(error)
        }
    }
}
