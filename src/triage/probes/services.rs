//! The two ECS services, the records of their rollouts, and the targets behind the load balancer.

use futures::future::{try_join, try_join_all};

use crate::aws::{Aws, ecs};
use crate::error::Result;
use crate::layout::{App, Layout};
use crate::triage::snapshot::{MISSING, Rollout, Service, TargetGroup};

pub(super) const APPS: [App; 2] = [App::Backend, App::Frontend];

/// Both services. One that ECS does not know is there too, as missing.
pub(super) async fn services(aws: &Aws, layout: &Layout) -> Result<Vec<Service>> {
    let names: Vec<String> = APPS.iter().map(|app| layout.service(*app)).collect();
    let mut found = aws.services(&layout.cluster(), &names).await?;
    let services = APPS.into_iter().zip(names).map(|(app, name)| {
        let known = found.iter().position(|service| service.name == name);
        let ecs = known.map_or_else(|| missing(name), |known| found.swap_remove(known));
        Service { app, ecs }
    });
    Ok(services.collect())
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
