//! Opening a session, and the link that carries it.

use std::time::Duration;

use super::place::{Place, unreachable};
use crate::aws::sessions::{Opened, ResumeSession, TerminateSession};
use crate::change::{ApiCall, Attended, Call, Later};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Hint, Result};
use crate::session::{Link, Refusal};

/// How long an agent that has just come up may take to connect ("a few seconds … after the process has gone to RUNNING",
/// as its makers say), and the pause between two attempts.
const SETTLING: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_secs(3);
const ATTEMPTS: u32 = 5;

/// What Systems Manager answers when it has no connection to the agent.
const NOT_CONNECTED: [&str; 2] = ["TargetNotConnectedException", "TargetNotConnected"];

/// The calls that a session may need while it goes on.
pub(crate) fn while_it_goes_on(place: &Place) -> Vec<ApiCall> {
    let session = || Later::FromStep(place.told());
    let task = place.task.id().to_owned();
    vec![
        ResumeSession {
            session: session(),
            task: task.clone(),
        }
        .described(),
        TerminateSession {
            session: session(),
            task,
        }
        .described(),
    ]
}

/// Opens the session. An agent that came up a moment ago is given time to connect.
///
/// # Errors
/// What AWS refuses, explained where ECS' own words say nothing.
pub(crate) async fn open<C: Call<Via = crate::aws::Aws, Answer = Opened>>(
    ctx: &Ctx,
    attended: &Attended<'_, Ctx>,
    place: &Place,
    call: &C,
) -> Result<Opened> {
    let mut attempt = 1;
    loop {
        let error = match ctx.unless_interrupted(attended.send(&ctx.aws, call)).await {
            Ok(opened) => {
                attended.note("session", &opened.id);
                return Ok(opened);
            }
            Err(error) => error,
        };
        let code = error.reply().map(|reply| reply.code.as_str()).unwrap_or_default();
        if !NOT_CONNECTED.contains(&code) {
            return Err(error);
        }
        let young = place.agent_started().is_some_and(|started| {
            let age = ctx.clock.now().duration_since(started);
            Duration::try_from(age).is_ok_and(|age| age < SETTLING)
        });
        if !young || attempt >= ATTEMPTS {
            let definition = ctx.aws.task_definition(&place.task.definition).await.ok();
            let role = definition.as_ref().and_then(|known| known.task_role.as_deref());
            let region = ctx.aws.region().await.ok().flatten();
            return Err(unreachable(error, place, role, region.as_deref()));
        }
        ctx.ui
            .status("The agent in the container has just come up and is not connected yet: trying again");
        let pause = async {
            ctx.clock.sleep(PAUSE).await;
            Ok(())
        };
        ctx.unless_interrupted(pause).await?;
        attempt += 1;
    }
}

/// A session's way through AWS.
pub(crate) struct SessionLink<'a> {
    pub(crate) ctx: &'a Ctx,
    pub(crate) attended: &'a Attended<'a, Ctx>,
    pub(crate) session: String,
    pub(crate) url: String,
    /// The task's id.
    pub(crate) task: String,
}

impl Link for SessionLink<'_> {
    type Stream = Box<dyn crate::aws::Bytes>;

    fn url(&self) -> &str {
        &self.url
    }

    async fn connect(&self) -> Result<Self::Stream> {
        self.ctx.aws.connect(&self.url).await
    }

    async fn resume(&self) -> Result<Option<String>> {
        self.ctx.ui.status("The connection broke: connecting again");
        let call = ResumeSession {
            session: Later::Known(self.session.clone()),
            task: self.task.clone(),
        };
        let token = self.attended.send(&self.ctx.aws, &call).await?;
        Ok(token.map(|token| token.expose().to_owned()))
    }
}

/// Ends a session that this side cannot talk to any more.
pub(crate) async fn give_up(ctx: &Ctx, attended: &Attended<'_, Ctx>, session: &str, task: &str) {
    let call = TerminateSession {
        session: Later::Known(session.to_owned()),
        task: task.to_owned(),
    };
    if let Err(error) = attended.send(&ctx.aws, &call).await {
        // Most are over by then.
        tracing::debug!(%error, "the session was not ended");
    }
}

/// What the agent demands and bpctl does not do.
pub(crate) fn demanded(refusal: &Refusal, place: &Place) -> CtlError {
    let message = format!("open a session to {}", place.told());
    match refusal {
        Refusal::Encryption { key } => CtlError::new(
            ErrorKind::Failed,
            format!("{message}: its sessions are encrypted with the KMS key {key} on top of TLS, which bpctl does not do"),
        )
        .coded("exec-encrypted")
        .hint(
            Hint::new("the aws tool does, with its Session Manager plugin:").command(
                CommandLine::aws("ecs", "execute-command")
                    .option("--cluster", &place.cluster)
                    .option("--task", place.task.id())
                    .option("--container", &place.container)
                    .args(["--interactive"])
                    .option("--command", "/bin/sh"),
            ),
        ),
        Refusal::Unknown { action } => CtlError::new(
            ErrorKind::Failed,
            format!("{message}: the agent demands `{action}`, which bpctl has not heard of"),
        ),
    }
}
