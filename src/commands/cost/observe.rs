//! What is there that costs. Each read stands for itself: what one of them refuses is unknown, and the rest is told.

use std::collections::{BTreeMap, BTreeSet};

use futures::FutureExt as _;
use futures::future::try_join_all;

use super::alarms::fleet_alarms;
use crate::aws::Aws;
use crate::aws::autoscaling::{Group, Policy};
use crate::aws::ec2::{Address, Machine, NatGateway, SpotPrices, Volume};
use crate::aws::ecs::BilledTask;
use crate::aws::elasticache::CacheCluster;
use crate::aws::elb::Balancer;
use crate::commands::ami::gc::{Unneeded, unneeded};
use crate::commands::image::gc::{OldImages, old_images};
use crate::context::Ctx;
use crate::error::{CtlError, ErrorKind, Result};
use crate::fleet::known_groups;
use crate::layout::{AccountId, App, FleetId, Layout};
use crate::leftovers::{
    Every, Leftovers, look_at_buckets, look_at_data, look_at_log_groups, look_at_machines, look_at_secrets,
};
use crate::prices::Prices;

/// Scaling policies by the name of their group.
pub(super) type Policies = BTreeMap<String, Vec<Policy>>;

/// A read: what it found, or why it found nothing.
pub(super) type Read<T> = Result<T, String>;

/// Everything that was read.
#[derive(Debug)]
pub(super) struct Seen {
    /// Outputs of the platform's core stacks.
    pub(super) outputs: Read<BTreeMap<String, String>>,
    pub(super) tasks: Read<Vec<BilledTask>>,
    pub(super) data: Read<Leftovers>,
    pub(super) caches: Read<Vec<CacheCluster>>,
    pub(super) balancers: Read<Vec<Balancer>>,
    pub(super) gateways: Read<Vec<NatGateway>>,
    pub(super) addresses: Read<Vec<Address>>,
    pub(super) volumes: Read<Vec<Volume>>,
    pub(super) buckets: Read<Leftovers>,
    pub(super) secrets: Read<Leftovers>,
    pub(super) logs: Read<Leftovers>,
    pub(super) machines: Read<Leftovers>,
    /// Bytes of the images of each repository that is there.
    pub(super) repositories: Read<Vec<(String, u64)>>,
    /// Names of the alarms that are there.
    pub(super) alarms: Read<BTreeSet<String>>,
    pub(super) fleets: Read<BTreeMap<FleetId, Group>>,
    /// Scaling policies by group.
    pub(super) policies: Read<Policies>,
    /// The fleets' instances.
    pub(super) instances: Read<BTreeMap<String, Machine>>,
    pub(super) spot: Read<SpotPrices>,
    /// What `ami gc` would delete.
    pub(super) unneeded: Read<Vec<Unneeded>>,
    /// What `image gc` would delete.
    pub(super) old_images: Read<Vec<OldImages>>,
}

/// A read that was refused is told; anything else that fails says nothing of the account, and ends the command.
pub(super) fn read<T>(result: Result<T>) -> Result<Read<T>> {
    match result {
        Ok(found) => Ok(Ok(found)),
        Err(error) if error.kind() == ErrorKind::AccessDenied => Ok(Err(error.to_string())),
        Err(error) => Err(error),
    }
}

/// Looks at everything, side by side.
///
/// # Errors
/// What fails for another reason than a missing permission.
pub(super) async fn look(ctx: &Ctx, layout: &Layout) -> Result<Seen> {
    // What it costs is counted when everything is known: [`Seen::at`].
    let prices = &Prices::default();
    let target = ctx.target().await?;
    let account: AccountId = target
        .account
        .parse()
        .map_err(|error| CtlError::new(ErrorKind::Unexpected, "read the account id").source(&error))?;
    let aws = &ctx.aws;
    let every = &Every::of(layout);
    let platform = async {
        futures::try_join!(
            outputs(aws, layout).map(read).boxed_local(),
            tasks(aws, layout).map(read).boxed_local(),
            aws.cache_clusters().map(read).boxed_local(),
            aws.balancers().map(read).boxed_local(),
            aws.nat_gateways().map(read).boxed_local(),
            aws.elastic_addresses().map(read).boxed_local(),
            aws.volumes().map(read).boxed_local(),
            repositories(aws, layout).map(read).boxed_local(),
        )
    };
    let kept = async {
        futures::try_join!(
            look_at_data(aws, every, prices).map(read).boxed_local(),
            look_at_buckets(aws, every, &account, &target.region, prices)
                .map(read)
                .boxed_local(),
            look_at_secrets(aws, every, prices).map(read).boxed_local(),
            look_at_log_groups(aws, every, prices).map(read).boxed_local(),
            look_at_machines(aws, every, prices).map(read).boxed_local(),
            unneeded(ctx, layout).map(read).boxed_local(),
            container_images(ctx, layout).boxed_local(),
        )
    };
    let (platform, kept, fleets) = futures::try_join!(
        platform.boxed_local(),
        kept.boxed_local(),
        fleets(aws, layout).boxed_local()
    )?;
    let (outputs, tasks, caches, balancers, gateways, addresses, volumes, repositories) = platform;
    let (data, buckets, secrets, logs, machines, unneeded, old_images) = kept;
    let (fleets, policies, instances, spot, alarms) = fleets;
    Ok(Seen {
        outputs,
        tasks,
        data,
        caches,
        balancers,
        gateways,
        addresses,
        volumes,
        buckets,
        secrets,
        logs,
        machines,
        repositories,
        alarms,
        fleets,
        policies,
        instances,
        spot,
        unneeded,
        old_images,
    })
}

async fn outputs(aws: &Aws, layout: &Layout) -> Result<BTreeMap<String, String>> {
    let own = layout.core_stacks();
    let stacks = aws.stacks().await?.into_iter();
    let stacks = stacks.filter(|stack| own.contains(&stack.name));
    Ok(stacks.flat_map(|stack| stack.outputs).collect())
}

/// No task of a cluster that is not there.
async fn tasks(aws: &Aws, layout: &Layout) -> Result<Vec<BilledTask>> {
    match aws.billed_tasks(&layout.cluster()).await {
        Err(error)
            if error
                .reply()
                .is_some_and(|reply| reply.is("ClusterNotFoundException")) =>
        {
            Ok(Vec::new())
        }
        other => other,
    }
}

/// Without a cluster nobody can say what of the images is needed.
async fn container_images(ctx: &Ctx, layout: &Layout) -> Result<Read<Vec<OldImages>>> {
    match old_images(ctx, layout).await {
        Err(error)
            if error
                .reply()
                .is_some_and(|reply| reply.is("ClusterNotFoundException")) =>
        {
            Ok(Err(error.to_string()))
        }
        other => read(other),
    }
}

async fn repositories(aws: &Aws, layout: &Layout) -> Result<Vec<(String, u64)>> {
    let names = [App::Backend, App::Frontend].map(|app| layout.repository(app));
    let found = try_join_all(names.map(async |name| {
        let images = aws.all_images(&name).await?;
        let bytes = images.map(|images| {
            images
                .iter()
                .filter(|one| !one.is_index)
                .filter_map(|one| one.bytes)
                .sum()
        });
        Ok::<_, CtlError>(bytes.map(|bytes| (name, bytes)))
    }))
    .await?;
    Ok(found.into_iter().flatten().collect())
}

type Fleets = (
    Read<BTreeMap<FleetId, Group>>,
    Read<Policies>,
    Read<BTreeMap<String, Machine>>,
    Read<SpotPrices>,
    Read<BTreeSet<String>>,
);

/// Groups, then what hangs on them.
async fn fleets(aws: &Aws, layout: &Layout) -> Result<Fleets> {
    let (groups, policies) = futures::try_join!(
        known_groups(aws, layout).map(read).boxed_local(),
        aws.policies(None).map(read).boxed_local(),
    )?;
    let groups = groups.map(|known| {
        let fleets = known.fleets.into_iter();
        fleets
            .filter_map(|(id, fleet)| Some((id, fleet.group?)))
            .collect::<BTreeMap<_, _>>()
    });
    let none = BTreeMap::new();
    let known = groups.as_ref().unwrap_or(&none);
    let instances = known.values().flat_map(|group| &group.instances);
    let ids: Vec<String> = instances.clone().map(|one| one.id.clone()).collect();
    // Also of groups at zero: a forecast asks what their next instances cost.
    let types = instances.filter_map(|one| one.instance_type.as_ref());
    let types: BTreeSet<&String> = types
        .chain(known.values().flat_map(|group| &group.instance_types))
        .collect();
    let types: Vec<String> = types.into_iter().cloned().collect();
    let alarms = known
        .iter()
        .flat_map(|(fleet, group)| fleet_alarms(layout, fleet, group, &policies));
    let alarms: BTreeSet<String> = layout.platform_alarms().into_iter().chain(alarms).collect();
    let alarms: Vec<String> = alarms.into_iter().collect();
    let (instances, spot, alarms) = futures::try_join!(
        aws.machines(&ids).map(read).boxed_local(),
        aws.spot_prices(&types, aws.clock().now()).map(read).boxed_local(),
        aws.alarms_named(&alarms).map(read).boxed_local(),
    )?;
    let alarms = alarms.map(|found| found.into_iter().map(|alarm| alarm.name).collect());
    Ok((groups, policies, instances, spot, alarms))
}

impl Seen {
    /// With what was counted by an estimate at these prices.
    pub(super) fn at(self, prices: &Prices) -> Self {
        let at = |read: Read<Leftovers>| read.map(|found| found.at(prices));
        Self {
            data: at(self.data),
            buckets: at(self.buckets),
            secrets: at(self.secrets),
            logs: at(self.logs),
            machines: at(self.machines),
            ..self
        }
    }
}

#[cfg(test)]
impl Seen {
    /// An account with nothing in it.
    pub(super) fn nothing() -> Self {
        Self {
            outputs: Ok(BTreeMap::new()),
            tasks: Ok(Vec::new()),
            data: Ok(Leftovers::default()),
            caches: Ok(Vec::new()),
            balancers: Ok(Vec::new()),
            gateways: Ok(Vec::new()),
            addresses: Ok(Vec::new()),
            volumes: Ok(Vec::new()),
            buckets: Ok(Leftovers::default()),
            secrets: Ok(Leftovers::default()),
            logs: Ok(Leftovers::default()),
            machines: Ok(Leftovers::default()),
            repositories: Ok(Vec::new()),
            alarms: Ok(BTreeSet::new()),
            fleets: Ok(BTreeMap::new()),
            policies: Ok(Policies::new()),
            instances: Ok(BTreeMap::new()),
            spot: Ok(SpotPrices::new()),
            unneeded: Ok(Vec::new()),
            old_images: Ok(Vec::new()),
        }
    }
}
