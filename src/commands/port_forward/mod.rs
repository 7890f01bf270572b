//! `bpctl port-forward`: a port of a task on this machine.

mod basic;
mod connection;
mod listen;
mod multiplexed;
pub(crate) mod session;
pub(crate) mod view;

use clap::Args;
use futures::FutureExt as _;

use super::exec::place::{Wanted, find};
use crate::aws::sessions::StartSession;
use crate::change::SessionArgs;
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CtlError, ErrorKind, Result};
use crate::exit::ExitStatus;
use crate::iam::{HISTORY, On, SESSION, Use, Uses};
use crate::process::interrupt;
pub(crate) use listen::{Ports, listen};
use session::Forward;
use view::Forwarding;

/// Reach a port of a task on this machine, until Ctrl-C
///
/// Listens on 127.0.0.1 alone and carries any number of connections through one session. Nothing in the task need be open
/// to the outside.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl port-forward backend 8080:80               nginx of a backend task on http://127.0.0.1:8080
  bpctl port-forward frontend 3000                 the same port on both sides
  bpctl port-forward backend :9000 -o json         any free port, told in a document")]
pub(crate) struct PortForwardArgs {
    /// Service (backend, frontend) or id of a task
    #[arg(value_name = "SERVICE|TASK", add = crate::completion::services())]
    target: String,

    /// Port on this machine and port of the task; any free one with `:80`, the same with `80`
    #[arg(value_name = "[LOCAL]:PORT")]
    ports: Ports,

    /// Container whose agent carries the session [default: php-fpm or nextjs]
    #[arg(short, long, value_name = "NAME")]
    container: Option<String>,

    #[command(flatten)]
    session: SessionArgs,
}

impl Verb for PortForwardArgs {
    fn uses() -> Uses {
        Uses::of(&[
            HISTORY,
            SESSION,
            &[
                Use::of("ecs:DescribeServices", On::Services),
                Use::of("ecs:DescribeTasks", On::Tasks),
                Use::of("ecs:ListTasks", On::AnythingInCluster),
                Use::of("ssm:StartSession", On::PortOfTasks),
            ],
        ])
    }

    fn needs(&self) -> Needs {
        Needs::AWS.own_interrupts()
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let layout = ctx.layout()?;
        let wanted = Wanted::parse(&layout, &self.target)?;
        // Before AWS is asked: a port that is taken is no reason to open a session.
        let listener = listen(self.ports).await?;
        let prepare = async {
            let place = find(ctx, &layout, &wanted, self.container.as_deref()).await?;
            let call = StartSession {
                target: place.target()?,
                host: None,
                port: self.ports.remote,
                task: place.task.id().to_owned(),
            };
            let forward = Forward {
                ctx,
                verb: "port-forward",
                title: format!("forward port {} of {}", self.ports.remote, place.told()),
                remote: format!("port {} of task {}", self.ports.remote, place.task.id()),
                place,
                call,
            };
            forward.approved(&self.session).await
        };
        let approved = tokio::select! {
            biased;
            approved = prepare.boxed_local() => approved?,
            () = interrupt() => return Err(interrupted()),
        };
        let (forward, attended) = match approved {
            Ok(approved) => approved,
            Err(status) => return Ok(status),
        };
        let place = &forward.place;
        let document = Forwarding {
            listen: listener.address().to_string(),
            task: place.task.id().to_owned(),
            container: place.container.clone(),
            port: self.ports.remote,
        };
        let ready = || ctx.emit(&document);
        forward.serve(attended, listener, &ready).boxed_local().await
    }
}

/// Ctrl-C before anything was opened.
pub(crate) fn interrupted() -> CtlError {
    CtlError::new(
        ErrorKind::Interrupted,
        "finish: interrupted while looking, no session was opened",
    )
}
