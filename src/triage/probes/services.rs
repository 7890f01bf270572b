//! The two ECS services, the records of their rollouts, and the targets behind the load balancer.

use futures::future::{try_join, try_join_all};

use crate::aws::{Aws, ecs};
use crate::error::Result;
use crate::layout::{App, Layout};
use crate::stacks::{is_asleep, service_named};
use crate::triage::snapshot::{MISSING, Rollout, Service, TargetGroup};

pub(super) const APPS: [App; 2] = [App::Backend, App::Frontend];

/// Both services. One that ECS does not know is there too, as missing.
pub(super) async fn services(aws: &Aws, layout: &Layout) -> Result<Vec<Service>> {
    let names: Vec<String> = APPS.iter().map(|app| layout.service(*app)).collect();
    let mut found = aws.services(&layout.cluster(), &names).await?;
    let services = APPS.into_iter().zip(names).map(|(app, name)| {
        let known = found.iter().position(|service| service.name == name);
        let ecs = known.map_or_else(|| missing(name), |known| found.swap_remove(known));
        Service {
            app,
            ecs,
            unstarted: false,
        }
    });
    let mut services: Vec<Service> = services.collect();
    if services.iter().any(may_be_unstarted) {
        mark_unstarted(aws, layout, &mut services).await;
    }
    Ok(services)
}

fn may_be_unstarted(service: &Service) -> bool {
    service.status == "ACTIVE" && service.desired == 0 && service.running == 0
}

/// A new platform's services begin without tasks, and the template of their stack says so until they are started. What
/// the template does not tell is a service at zero like any other.
async fn mark_unstarted(aws: &Aws, layout: &Layout, services: &mut [Service]) {
    let Some(stack) = layout.core_stack("compute") else {
        return;
    };
    let text = aws.template(&stack).await.ok().flatten().unwrap_or_default();
    let template: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    for service in services.iter_mut().filter(|service| may_be_unstarted(service)) {
        let logical = service_named(&template, &service.ecs.name);
        service.unstarted = logical.is_some_and(|logical| is_asleep(&template, logical));
    }
}

fn missing(name: String) -> ecs::Service {
    ecs::Service {
        name,
        status: MISSING.to_owned(),
        ..ecs::Service::default()
    }
}

/// The recent rollouts of both services, the newest first.
pub(super) async fn rollouts(aws: &Aws, layout: &Layout) -> Result<Vec<Rollout>> {
    let cluster = layout.cluster();
    let read = async |app: App| {
        let records = aws.service_deployments(&cluster, &layout.service(app)).await?;
        let records = records.unwrap_or_default().into_iter();
        Ok(records.map(|record| Rollout { app, record }).collect::<Vec<_>>())
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
            targets,
        })
    }))
    .await
}
