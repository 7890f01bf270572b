//! Carries out the steps: the revision, then the deployment.

use super::lost::is_unknown;
use super::plan::{Action, Start, revision_step};
use super::{Deploy, Output, Started};
use crate::aws::ecs::{RunTask, UpdateService, short};
use crate::change::{Done, Later, StepRun};
use crate::commands::migrate::within;
use crate::error::{CtlError, ErrorKind, Result};
use crate::layout::App;

type Step<'s, 'c, const UNDO: bool> = StepRun<'s, Deploy<'c, UNDO>>;

pub(super) async fn act<'c, const UNDO: bool>(
    change: &Deploy<'c, UNDO>,
    step: &Step<'_, 'c, UNDO>,
) -> Result<Done<Deploy<'c, UNDO>>> {
    match step.action() {
        Action::Register(call) => {
            let arn = match step.send(&change.ctx.aws, &**call).await {
                Err(error) if is_unknown(&error) => change.revision_after(call, error).await?,
                sent => sent?,
            };
            let did = format!("registered {}", short(&arn));
            Ok(Done::new(did).with(Output::Definition(arn)))
        }
        Action::Deploy(start) => deploy(change, step, start).await,
        Action::Migrate(task) => {
            let task = match step.output(&revision_step(App::Backend)) {
                Some(Output::Definition(arn)) => task.bringing(Later::Known(arn)),
                Some(Output::Started(_)) | None => (**task).clone(),
            };
            let timeout = change.ctx.settings.wait_timeout.value;
            let note = |arn: &str| step.note("migration", arn);
            let send = async |call: &RunTask| step.send(&change.ctx.aws, call).await;
            let did = within::migrate(change.ctx, &change.layout, &task, timeout, note, send).await?;
            Ok(Done::new(did))
        }
        Action::Follow(started) => {
            let app = app_of_step(&change.request.apps, step)?;
            step.note(&format!("deployment of {}", app.word()), &started.deployment);
            let did = format!("goes on with deployment {}", started.deployment);
            Ok(Done::new(did).with(Output::Started(started.clone())))
        }
    }
}

async fn deploy<'c, const UNDO: bool>(
    change: &Deploy<'c, UNDO>,
    step: &Step<'_, 'c, UNDO>,
    start: &Start,
) -> Result<Done<Deploy<'c, UNDO>>> {
    let app = app_of(change, &start.call.service)?;
    still_as_planned(change, app, start).await?;
    let definition = match &start.call.definition {
        Later::Known(arn) => arn.clone(),
        Later::FromStep(_) => match step.output(&revision_step(app)) {
            Some(Output::Definition(arn)) => arn,
            Some(Output::Started(_)) | None => {
                return Err(CtlError::new(
                    ErrorKind::Unexpected,
                    format!("deploy {}: its revision is not known", app.word()),
                ));
            }
        },
    };
    let call = UpdateService {
        definition: Later::Known(definition.clone()),
        ..start.call.clone()
    };
    let ours = match step.send(&change.ctx.aws, &call).await {
        Err(error) if is_unknown(&error) => {
            Some(change.deployment_after(app, start, &definition, error).await?)
        }
        sent => sent?
            .primary()
            .filter(|primary| Some(&primary.id) != start.before.as_ref())
            .cloned(),
    };
    let Some(ours) = ours else {
        return Err(CtlError::new(
            ErrorKind::Unexpected,
            format!(
                "deploy {}: ECS has taken the request and shows no new deployment",
                app.word()
            ),
        ));
    };
    // At once, so that a kill at any later moment leaves a trace of the deployment.
    step.note(&format!("deployment of {}", app.word()), &ours.id);
    let did = format!("started deployment {} of {}", ours.id, short(&definition));
    Ok(Done::new(did).with(Output::Started(Started {
        deployment: ours.id.clone(),
        created: ours.created,
        definition,
    })))
}

/// The service that a step is about.
fn app_of_step<const UNDO: bool>(apps: &[App], step: &Step<'_, '_, UNDO>) -> Result<App> {
    let app = apps.iter().find(|app| app.word() == step.id());
    app.copied().ok_or_else(|| {
        CtlError::new(
            ErrorKind::Unexpected,
            format!("follow the deployment of {}: it is none of ours", step.id()),
        )
    })
}

fn app_of<const UNDO: bool>(change: &Deploy<'_, UNDO>, service: &str) -> Result<App> {
    let known = [App::Backend, App::Frontend];
    let app = known
        .into_iter()
        .find(|app| change.layout.service(*app) == service);
    app.ok_or_else(|| {
        CtlError::new(
            ErrorKind::Unexpected,
            format!("deploy service {service}: it is none of ours"),
        )
    })
}

/// # Errors
/// Another deployment started since the plan was made.
async fn still_as_planned<const UNDO: bool>(
    change: &Deploy<'_, UNDO>,
    app: App,
    start: &Start,
) -> Result<()> {
    let services = change.services_now(&start.call.cluster).await?;
    let now = services
        .iter()
        .find(|service| service.name == start.call.service)
        .and_then(|service| service.primary())
        .map(|primary| primary.id.clone());
    if now == start.before {
        return Ok(());
    }
    Err(CtlError::new(
        ErrorKind::Changed,
        format!(
            "deploy {}: deployment {} has begun since the plan was made",
            app.word(),
            now.unwrap_or_else(|| "nobody's".to_owned())
        ),
    )
    .hint(("follow it with", super::checks::watch(app.word()))))
}
