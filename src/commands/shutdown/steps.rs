//! The steps of a shutdown and of its end: each looks whether the plan still holds, writes, and reads back.

use serde::{Deserialize, Serialize};

use super::record::{Bounds, Record, last};
use crate::aws::Aws;
use crate::aws::application_autoscaling::RegisterScalableTarget;
use crate::aws::autoscaling::{Group, ResizeGroup};
use crate::aws::ecs::ScaleService;
use crate::aws::rds::DbInstance;
use crate::aws::rds::power::{Power, StartDbInstance, StopDbInstance};
use crate::aws::ssm::record::WriteRecord;
use crate::change::{Call as _, Change, Done, Step, StepRun};
use crate::context::Ctx;
use crate::error::{CtlError, ErrorKind, Result};
use crate::fleet::{Verdict, size as told, work_of};
use crate::layout::{App, FleetId, Layout};
use crate::output::counted;

/// The step that writes the record.
pub(crate) const RECORD: &str = "record";

/// Minimum, maximum and desired capacity.
type Size = (u32, u32, u32);

/// What one step does.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Action {
    Record {
        call: WriteRecord,
        /// The record that the plan was made for.
        before: Option<Record>,
    },
    Bounds {
        call: RegisterScalableTarget,
        before: Bounds,
    },
    Count {
        call: ScaleService,
        before: i32,
    },
    Resize {
        fleet: FleetId,
        call: ResizeGroup,
        before: Size,
        /// Only a fleet without jobs may be taken down.
        idle: bool,
    },
    Stop {
        call: StopDbInstance,
    },
    Start {
        call: StartDbInstance,
    },
}

/// The step of the record.
///
/// # Errors
/// When it cannot be written as JSON.
pub(crate) fn write(layout: &Layout, record: &Record, before: Option<&Record>) -> Result<Step<Action>> {
    let call = WriteRecord {
        name: layout.shutdown_parameter(),
        value: record.text()?,
        may_be_advanced: true,
    };
    let calls = vec![call.described()];
    let action = Action::Record {
        call,
        before: before.cloned(),
    };
    Ok(Step::new(RECORD, "put on record what there is", calls, action))
}

/// The id of the step about the bounds of a service.
pub(crate) fn bounds_id(service: &str) -> String {
    format!("bounds of {service}")
}

/// The step that sets the bounds of a service.
pub(crate) fn bounds(cluster: &str, service: &str, before: Bounds, after: Bounds) -> Step<Action> {
    let call = RegisterScalableTarget {
        cluster: cluster.to_owned(),
        service: service.to_owned(),
        min: after.min,
        max: after.max,
        resource: format!("ecs/{service}"),
    };
    let calls = vec![call.described()];
    let told = |bounds: Bounds| format!("{} to {} tasks", bounds.min, bounds.max);
    Step::new(
        bounds_id(service),
        "set the bounds of its auto scaling",
        calls,
        Action::Bounds { call, before },
    )
    .changing(told(before), told(after))
}

/// The step that sets the desired count of a service.
pub(crate) fn count(cluster: &str, service: &str, before: i32, after: i32) -> Step<Action> {
    let call = ScaleService {
        cluster: cluster.to_owned(),
        service: service.to_owned(),
        desired: after,
        resource: format!("ecs/{service}"),
    };
    let calls = vec![call.described()];
    Step::new(
        service,
        "set its desired count",
        calls,
        Action::Count { call, before },
    )
    .changing(format!("desired {before}"), format!("desired {after}"))
}

/// The step that sets the size of a fleet.
pub(crate) fn resize(fleet: &FleetId, call: ResizeGroup, group: &Group, idle: bool) -> Step<Action> {
    let calls = vec![call.described()];
    let after = (
        call.min.unwrap_or(group.min),
        call.max.unwrap_or(group.max),
        call.desired.unwrap_or(group.desired),
    );
    let action = Action::Resize {
        fleet: fleet.clone(),
        call,
        before: group.size(),
        idle,
    };
    Step::new(fleet.to_string(), "set the size of its group", calls, action)
        .changing(told(group.size()), told(after))
}

/// The id of the step about the database.
pub(crate) fn database_id(instance: &str) -> String {
    format!("database {instance}")
}

/// The step that stops the database, when no task runs any more.
pub(crate) fn stop(instance: &DbInstance) -> Step<Action> {
    let call = StopDbInstance {
        instance: instance.id.clone(),
    };
    let calls = vec![call.described()];
    let mut step = Step::new(
        database_id(&instance.id),
        "stop the database when no task runs any more",
        calls,
        Action::Stop { call },
    )
    .changing(instance.status.clone(), "stopped");
    step.waits = true;
    step
}

/// The step that starts the database.
pub(crate) fn start(instance: &DbInstance) -> Step<Action> {
    let call = StartDbInstance {
        instance: instance.id.clone(),
    };
    let calls = vec![call.described()];
    let mut step = Step::new(
        database_id(&instance.id),
        "start the database",
        calls,
        Action::Start { call },
    )
    .changing(instance.status.clone(), "available");
    step.waits = true;
    step
}

/// Tasks and services that still need the database, in a clause.
///
/// # Errors
/// When AWS cannot be read.
pub(crate) async fn needed_by(aws: &Aws, layout: &Layout) -> Result<Option<String>> {
    let cluster = layout.cluster();
    let names = [App::Backend, App::Frontend].map(|app| layout.service(app));
    let (services, tasks) = futures::try_join!(
        aws.services(&cluster, &names),
        Box::pin(aws.running_tasks(&cluster))
    )?;
    let mut up = services.iter().filter(|service| service.desired > 0);
    if let Some(service) = up.next() {
        return Ok(Some(format!(
            "{} has a desired count of {}",
            service.name, service.desired
        )));
    }
    let starting: i32 = services.iter().map(|service| service.pending.max(0)).sum();
    let count = tasks.len() as u64 + u64::try_from(starting).unwrap_or_default();
    Ok((count > 0).then(|| format!("{} in the cluster", counted(count, "task"))))
}

fn not_kept(what: String) -> CtlError {
    CtlError::new(ErrorKind::Failed, what)
}

const FOUND: &str = "found so already: nothing was written";

/// Carries out one step.
///
/// # Errors
/// [`ErrorKind::Changed`] when the world is not what the plan was made for; whatever AWS refuses.
pub(crate) async fn act<V: Change<Action = Action>>(
    ctx: &Ctx,
    layout: &Layout,
    step: &StepRun<'_, V>,
) -> Result<Done<V>> {
    let aws = &ctx.aws;
    match step.action() {
        Action::Record { call, before } => {
            if last(aws, layout).await?.as_ref() != before.as_ref() {
                return Err(CtlError::changed(
                    "write the record of the shutdown: it was changed since the plan was made".to_owned(),
                ));
            }
            let version = step.send(aws, call).await?;
            Ok(Done::new(format!("put on record, version {version}")))
        }
        Action::Bounds { call, before } => {
            let service = std::slice::from_ref(&call.service);
            let read = aws.service_bounds(&call.cluster, service).await?;
            let now = read.get(&call.service).copied();
            if now == Some((call.min, call.max)) {
                return Ok(Done::new(FOUND));
            }
            if now != Some((before.min, before.max)) {
                return Err(CtlError::changed(format!(
                    "set the bounds of {}: they were changed since the plan was made",
                    call.service
                )));
            }
            match step.send(aws, call).await? {
                Some(now) if now == (call.min, call.max) => {
                    Ok(Done::new(format!("set to {} to {} tasks", call.min, call.max)))
                }
                _ => Err(not_kept(format!(
                    "keep the bounds of {}: right after the write they are others",
                    call.service
                ))),
            }
        }
        Action::Count { call, before } => {
            let service = aws.service(&call.cluster, &call.service).await?;
            let now = service.map(|service| service.desired);
            if now == Some(call.desired) {
                return Ok(Done::new(FOUND));
            }
            if now != Some(*before) {
                return Err(CtlError::changed(format!(
                    "set the desired count of {}: it was changed since the plan was made",
                    call.service
                )));
            }
            let service = step.send(aws, call).await?;
            if service.desired == call.desired {
                return Ok(Done::new(format!("set to {} tasks", call.desired)));
            }
            Err(not_kept(format!(
                "keep {} at {} tasks: right after the write it is at {}",
                call.service, call.desired, service.desired
            )))
        }
        Action::Stop { call } => stop_now(aws, layout, step, call).await,
        Action::Start { call } => {
            let instance = aws.db_instance(&call.instance).await?;
            if instance.power() != Power::Off {
                return Ok(Done::new(FOUND));
            }
            let instance = step.send(aws, call).await?;
            Ok(Done::new(format!("asked to start: {}", instance.status)))
        }
        Action::Resize {
            fleet,
            call,
            before,
            idle,
        } => {
            let group = aws.group(&call.group).await?;
            if call.is_kept(&group) {
                return Ok(Done::new(FOUND));
            }
            // Scaling policies go on as long as the maximum lets them: only the bounds have to be the same.
            if (group.min, group.max) != (before.0, before.1) {
                return Err(CtlError::changed(format!(
                    "set the size of {fleet}: its bounds were changed since the plan was made"
                )));
            }
            if *idle && work_of(aws, layout, fleet, &group).await.verdict() != Verdict::Idle {
                return Err(CtlError::changed(format!(
                    "take {fleet} down: jobs came in since the plan was made"
                )));
            }
            let group = step.send(aws, call).await?;
            if call.is_kept(&group) {
                return Ok(Done::new(format!("set to {}", told(group.size()))));
            }
            Err(not_kept(format!(
                "keep the size of {fleet}: right after the write it is at {}",
                told(group.size())
            )))
        }
    }
}

/// Whether a plan gives fleets another size.
pub(crate) fn size_changes(plan: &crate::change::Plan<Action>) -> bool {
    plan.steps
        .iter()
        .any(|step| matches!(step.action, Action::Resize { .. }))
}

/// Stops the database if nothing needs it any more.
async fn stop_now<V: Change<Action = Action>>(
    aws: &Aws,
    layout: &Layout,
    step: &StepRun<'_, V>,
    call: &StopDbInstance,
) -> Result<Done<V>> {
    if let Some(why) = needed_by(aws, layout).await? {
        return Err(CtlError::changed(format!(
            "stop the database {}: {why}",
            call.instance
        )));
    }
    let instance = aws.db_instance(&call.instance).await?;
    match instance.power() {
        Power::Stopping | Power::Off => return Ok(Done::new(FOUND)),
        Power::On => {}
        Power::Busy | Power::Starting | Power::Other => {
            return Err(CtlError::changed(format!(
                "stop the database {}: it is `{}`",
                instance.id, instance.status
            )));
        }
    }
    let instance = step.send(aws, call).await?;
    Ok(Done::new(format!("asked to stop: {}", instance.status)))
}
