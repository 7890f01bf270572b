//! What was started although its answer was lost, or its run was cut off: it is looked for before anything is
//! started a second time.

use std::cell::Cell;
use std::time::Duration;

use jiff::SignedDuration;

use super::plan::{Action, Start};
use super::{Deploy, Started};
use crate::aws::ecs::{Deployment, RegisterTaskDefinition, Service, short};
use crate::change::RunId;
use crate::change::journal::Record;
use crate::error::{CommandLine, CtlError, ErrorKind, Result};
use crate::layout::App;
use crate::wait::{Look, Waited, Waiter};

/// For how long it is looked for: ECS shows a new deployment with the next answer, and a request that is still on its
/// way arrives within seconds.
const SEARCH: Duration = Duration::from_secs(20);

/// By how much the clocks of this machine and of AWS may differ, with the time that a request takes: a deployment that
/// was created within this time of its request is that request's.
const NEAR: SignedDuration = SignedDuration::from_mins(2);

/// Whether the request may have been carried out all the same.
pub(super) fn is_unknown(error: &CtlError) -> bool {
    matches!(error.kind(), ErrorKind::Unreachable | ErrorKind::Unexpected)
}

impl<const UNDO: bool> Deploy<'_, UNDO> {
    /// The deployment of a request without an answer.
    ///
    /// # Errors
    /// `error`, with how to go on.
    pub(super) async fn deployment_after(
        &self,
        app: App,
        start: &Start,
        definition: &str,
        error: CtlError,
    ) -> Result<Deployment> {
        let ctx = self.ctx;
        let word = app.word();
        ctx.ui.warn(&format!(
            "{word}: no answer to UpdateService: looking whether the deployment has begun"
        ));
        let names = [start.call.service.clone()];
        let look = async || {
            let services = ctx.aws.services(&start.call.cluster, &names).await?;
            let primary = services.first().and_then(Service::primary).cloned();
            let ours = |found: &Deployment| {
                Some(&found.id) != start.before.as_ref() && found.task_definition == definition
            };
            Ok(primary.filter(ours))
        };
        let again = self.request.command(&[app]);
        match self.search(look).await {
            Search::Found(found) => Ok(found),
            Search::Nothing => Err(error.hint((
                format!("no deployment of {word} has begun; run"),
                again,
                "again: it looks first whether one is under way after all",
            ))),
            Search::Unknown => Err(error.hint((
                "it is not known whether a deployment has begun: look with",
                CommandLine::bpctl(["rollout", "status", word]),
            ))),
        }
    }

    /// The revision of a request without an answer.
    ///
    /// # Errors
    /// `error`, with how to go on.
    pub(super) async fn revision_after(
        &self,
        call: &RegisterTaskDefinition,
        error: CtlError,
    ) -> Result<String> {
        let ctx = self.ctx;
        let family = call.family();
        ctx.ui.warn(&format!(
            "no answer to RegisterTaskDefinition: looking whether {family} has a new revision"
        ));
        let look = async || {
            let newest = ctx.aws.registered(family).await?;
            Ok(newest.is_same_as(&call.input).then_some(newest.arn))
        };
        match self.search(look).await {
            Search::Found(arn) => Ok(arn),
            Search::Nothing | Search::Unknown => Err(error.hint((
                "nothing was deployed; run",
                self.request.command(&self.request.apps),
                "again: it takes a revision that is there",
            ))),
        }
    }

    async fn search<T>(&self, look: impl AsyncFn() -> Result<Option<T>>) -> Search<T> {
        let looked = Cell::new(false);
        let waited = Waiter::new(&self.ctx.clock, SEARCH, &self.ctx.cancel)
            .until(
                async || {
                    let found = look().await?;
                    looked.set(true);
                    Ok(found.map_or_else(|| Look::Pending(String::new()), Look::Ready))
                },
                |_| {},
            )
            .await;
        match waited {
            Ok(Waited::Ready(found)) => Search::Found(found),
            Ok(Waited::TimedOut) if looked.get() => Search::Nothing,
            Ok(Waited::TimedOut | Waited::Cancelled) | Err(_) => Search::Unknown,
        }
    }
}

enum Search<T> {
    Found(T),
    /// It was looked for long enough.
    Nothing,
    /// No look got an answer, or the operator interrupted.
    Unknown,
}

/// A deployment that a run has started which was cut off.
#[derive(Clone, Debug)]
pub(super) struct GoingOn {
    pub(super) run: RunId,
    pub(super) started: Started,
    pub(super) is_over: bool,
}

/// The primary deployment of a service, if one of these runs has started it and was cut off. Pure.
pub(super) fn going_on(app: App, service: &Service, records: &[Record]) -> Option<GoingOn> {
    let primary = service.primary()?;
    let started_it = |record: &&Record| {
        if !record.is_cut_off() {
            return false;
        }
        if let Some(id) = record.notes.get(&format!("deployment of {}", app.word())) {
            return *id == primary.id;
        }
        let Some(step) = record.in_doubt().find(|step| step.id == app.word()) else {
            return false;
        };
        let before = match step.step::<Action>().map(|step| step.action) {
            Some(Action::Deploy(start)) => start.before,
            Some(Action::Register(_) | Action::Follow(_) | Action::Migrate(_)) | None => return false,
        };
        let near = match (step.begun, primary.created) {
            (Some(begun), Some(created)) => created.duration_since(begun).abs() <= NEAR,
            _ => false,
        };
        near && before.as_ref() != Some(&primary.id)
    };
    let record = records.iter().find(started_it)?;
    Some(GoingOn {
        run: record.run.clone(),
        is_over: !super::checks::is_under_way(service),
        started: Started {
            deployment: primary.id.clone(),
            created: primary.created,
            definition: primary.task_definition.clone(),
        },
    })
}

impl GoingOn {
    /// Fits "backend: …".
    pub(super) fn summary(&self) -> String {
        format!(
            "go on with deployment {} of {}, which run {} started before it was cut off",
            self.started.deployment,
            short(&self.started.definition),
            self.run
        )
    }
}
