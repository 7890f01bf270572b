//! What runs: the services of the cluster with their bounds, and the groups of the fleets.

use std::collections::{BTreeMap, BTreeSet};

use crate::aws::Aws;
use crate::aws::autoscaling::Group;
use crate::aws::ecs::Service;
use crate::error::Result;
use crate::fleet::known_groups;
use crate::layout::{App, FleetId, Layout};

use super::record::Bounds;

/// A service and the bounds of its auto scaling.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) service: Service,
    pub(crate) bounds: Option<Bounds>,
}

/// Services and fleets that a shutdown or its end is about.
#[derive(Clone, Debug, Default)]
pub(crate) struct Platform {
    pub(crate) services: BTreeMap<String, Part>,
    pub(crate) groups: BTreeMap<FleetId, Group>,
}

/// The services and the fleets of the layout, as far as they are asked for.
///
/// # Errors
/// When AWS cannot be read.
pub(crate) async fn look(aws: &Aws, layout: &Layout, app: bool, gpu: bool) -> Result<Platform> {
    let services = async {
        match app {
            true => look_at_services(aws, layout).await,
            false => Ok(BTreeMap::new()),
        }
    };
    let groups = async {
        match gpu {
            true => look_at_groups(aws, layout).await,
            false => Ok(BTreeMap::new()),
        }
    };
    let (services, groups) = futures::try_join!(Box::pin(services), Box::pin(groups))?;
    Ok(Platform { services, groups })
}

async fn look_at_services(aws: &Aws, layout: &Layout) -> Result<BTreeMap<String, Part>> {
    let cluster = layout.cluster();
    let names = [App::Backend, App::Frontend].map(|app| layout.service(app));
    let (services, bounds) = futures::try_join!(
        aws.services(&cluster, &names),
        aws.service_bounds(&cluster, &names)
    )?;
    let live = services.into_iter().filter(|service| service.status == "ACTIVE");
    let parts = live.map(|service| {
        let bounds = bounds.get(&service.name).map(|&(min, max)| Bounds { min, max });
        (service.name.clone(), Part { service, bounds })
    });
    Ok(parts.collect())
}

async fn look_at_groups(aws: &Aws, layout: &Layout) -> Result<BTreeMap<FleetId, Group>> {
    let known = known_groups(aws, layout).await?;
    let groups = known.fleets.into_iter().filter_map(|(id, fleet)| {
        let group = fleet.group.filter(|group| !group.deleting)?;
        Some((id, group))
    });
    Ok(groups.collect())
}

impl Platform {
    /// Names of all services and fleets.
    pub(crate) fn names(&self) -> BTreeSet<String> {
        let fleets = self.groups.keys().map(ToString::to_string);
        self.services.keys().cloned().chain(fleets).collect()
    }
}

#[cfg(test)]
pub(crate) fn sample(desired: i32, bounds: (i32, i32), size: (u32, u32, u32)) -> Platform {
    let service = Service {
        name: "bp-backend".to_owned(),
        desired,
        running: desired,
        ..Service::default()
    };
    let bounds = Some(Bounds {
        min: bounds.0,
        max: bounds.1,
    });
    let group = Group {
        min: size.0,
        max: size.1,
        ..crate::aws::autoscaling::sample::group("asg-production-a", size.2, &[])
    };
    Platform {
        services: [("bp-backend".to_owned(), Part { service, bounds })].into(),
        groups: [("production/a".parse().unwrap(), group)].into(),
    }
}
