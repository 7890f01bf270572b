//! The two ECS services, the records of their rollouts, and the targets behind the load balancer.

use futures::future::{try_join, try_join_all};

use crate::aws::{Aws, ecs, elb};
use crate::error::Result;
use crate::layout::{App, Layout};
use crate::triage::snapshot::{Deployment, Event, Rollout, Service, Target, TargetGroup};

pub(super) const APPS: [App; 2] = [App::Backend, App::Frontend];

/// How many of a service's events are kept; ECS tells up to 100.
const EVENTS: usize = 30;

/// Both services. One that ECS does not know is there too, without a status.
pub(super) async fn services(aws: &Aws, layout: &Layout) -> Result<Vec<Service>> {
    let names: Vec<String> = APPS.iter().map(|app| layout.service(*app)).collect();
    let found = aws.services(&layout.cluster(), &names).await?;
    Ok(APPS
        .iter()
        .map(|&app| {
            let name = layout.service(app);
            let service = found.iter().find(|service| service.name == name);
            service.map_or_else(|| unknown(app), |service| convert(app, service))
        })
        .collect())
}

fn unknown(app: App) -> Service {
    Service {
        app,
        status: None,
        desired: 0,
        running: 0,
        pending: 0,
        deployments: Vec::new(),
        events: Vec::new(),
        target_groups: Vec::new(),
    }
}

/// Counts are never negative.
fn count(number: i32) -> u32 {
    u32::try_from(number).unwrap_or(0)
}

fn convert(app: App, service: &ecs::Service) -> Service {
    Service {
        app,
        status: Some(service.status.clone()),
        desired: count(service.desired),
        running: count(service.running),
        pending: count(service.pending),
        deployments: service
            .deployments
            .iter()
            .map(|deployment| Deployment {
                id: deployment.id.clone(),
                primary: deployment.status == "PRIMARY",
                task_definition: ecs::short(&deployment.task_definition).to_owned(),
                desired: count(deployment.desired),
                running: count(deployment.running),
                pending: count(deployment.pending),
                failed: count(deployment.failed),
                rollout: deployment.rollout_state.clone(),
                reason: deployment.rollout_reason.clone(),
                created: deployment.created,
            })
            .collect(),
        events: service
            .events
            .iter()
            .take(EVENTS)
            .map(|event| Event {
                at: event.at,
                message: event.message.clone(),
            })
            .collect(),
        target_groups: service.target_groups.clone(),
    }
}

/// The recent rollouts of both services, the newest first.
pub(super) async fn rollouts(aws: &Aws, layout: &Layout) -> Result<Vec<Rollout>> {
    let cluster = layout.cluster();
    let read = async |app: App| {
        let records = aws.service_deployments(&cluster, &layout.service(app)).await?;
        Ok(records
            .unwrap_or_default()
            .into_iter()
            .filter_map(|record| {
                Some(Rollout {
                    app,
                    id: ecs::short(&record.arn).to_owned(),
                    revision: record
                        .revision
                        .as_deref()
                        .map(ecs::short)
                        .unwrap_or_default()
                        .to_owned(),
                    status: record.status,
                    reason: record.reason,
                    created: record.created?,
                    finished: record.finished,
                })
            })
            .collect::<Vec<_>>())
    };
    let (mut rollouts, frontend) = try_join(read(App::Backend), read(App::Frontend)).await?;
    rollouts.extend(frontend);
    rollouts.sort_by_key(|rollout| std::cmp::Reverse(rollout.created));
    Ok(rollouts)
}

/// The targets of every target group that a service registers with.
pub(super) async fn targets(aws: &Aws, services: &[Service]) -> Result<Vec<TargetGroup>> {
    let groups = services
        .iter()
        .flat_map(|service| service.target_groups.iter().map(|arn| (service.app, arn)));
    try_join_all(groups.map(async |(app, arn)| {
        let targets = aws.target_health(arn).await?;
        Ok(TargetGroup {
            app,
            arn: arn.clone(),
            targets: targets.into_iter().map(target).collect(),
        })
    }))
    .await
}

fn target(target: elb::TargetHealth) -> Target {
    Target {
        id: target.id,
        state: target.state,
        reason: target.reason.unwrap_or_default(),
        description: target.description.unwrap_or_default(),
    }
}
