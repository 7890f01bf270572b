//! `bpctl rollout`: the deployments of a service, by name of the service.

mod abort;
pub(super) mod history;
pub(super) mod status;
mod undo;
mod watch;

use clap::Args;
use jiff::Timestamp;

use crate::aws::ecs::{Service, ServiceDeployment, short};
use crate::commands::verb::{Continuation, Needs, Verb, verbs};
use crate::context::Ctx;
use crate::error::Result;
use crate::exit::ExitStatus;
use crate::iam::Uses;
use crate::layout::App;

/// Look at deployments of a service, follow them, end them and take them back
#[derive(Debug, Args)]
pub(crate) struct RolloutArgs {
    #[command(subcommand)]
    command: RolloutCommand,
}

verbs! {
    enum RolloutCommand {
        Status(status::StatusArgs),
        History(history::HistoryArgs),
        Undo(undo::UndoArgs),
        Abort(abort::AbortArgs),
        Watch(watch::WatchArgs),
    }
}

impl Verb for RolloutArgs {
    fn uses() -> Uses {
        Uses::Verbs(RolloutCommand::uses())
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

/// A service by the name of its application.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum One {
    Backend,
    Frontend,
}

impl One {
    fn app(self) -> App {
        match self {
            Self::Backend => App::Backend,
            Self::Frontend => App::Frontend,
        }
    }
}

/// The newest deployment of a service.
#[derive(Clone, Debug)]
struct Newest {
    /// `ecs-svc/<digits>`.
    deployment: String,
    created: Option<Timestamp>,
}

/// The deployment that was started last, also when it was rolled back since: its record tells. Without records the
/// primary one.
fn newest(service: &Service, records: &[ServiceDeployment]) -> Option<Newest> {
    let recorded = records
        .iter()
        .max_by_key(|record| record.created)
        .and_then(|record| {
            Some(Newest {
                deployment: format!("ecs-svc/{}", short(record.revision.as_deref()?)),
                created: record.created,
            })
        });
    recorded.or_else(|| {
        let primary = service.primary()?;
        Some(Newest {
            deployment: primary.id.clone(),
            created: primary.created,
        })
    })
}
