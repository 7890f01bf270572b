//! What everything that was seen costs. Pure.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::alarms::alarms;
use super::observe::{Read, Seen};
use super::thing::{Part, Thing};
use super::usage::Usage;
use crate::aws::autoscaling::{Group, Instance};
use crate::aws::ecs::BilledTask;
use crate::aws::elb::Balancer;
use crate::layout::{FleetId, Layout};
use crate::leftovers::{Kind, Leftovers, tag};
use crate::output::counted;
use crate::prices::{Cpu, HOURS_PER_MONTH, Prices, Product};

/// States of instances in a warm pool that do not run ("Warm pools for Amazon EC2 Auto Scaling", Auto Scaling User Guide).
const ASLEEP: [&str; 2] = ["Warmed:Stopped", "Warmed:Hibernated"];

/// Everything that costs, or whose costs are unknown.
pub(super) fn things(seen: &Seen, usage: &Usage, layout: &Layout, prices: &Prices) -> Vec<Thing> {
    let mut things = tasks(&seen.tasks, prices);
    things.extend(leftovers(
        &seen.data,
        "databases",
        Part::Database,
        |kind| match kind {
            Kind::Database => Some(Part::Database),
            Kind::DatabaseSnapshot => Some(Part::DatabaseSnapshots),
            _ => None,
        },
    ));
    things.extend(caches(seen, prices));
    things.extend(balancers(seen, prices));
    things.extend(gateways(seen, prices));
    let buckets = leftovers(&seen.buckets, "buckets", Part::Buckets, |kind| {
        matches!(kind, Kind::Bucket | Kind::Bootstrap).then_some(Part::Buckets)
    });
    things.extend(buckets.into_iter().map(|thing| {
        let all = seen.buckets.as_ref().ok();
        let more = all.and_then(|all| all.facts.buckets.get(&thing.name));
        match (more.is_some_and(|usage| usage.more), usage.held.get(&thing.name)) {
            (true, Some((at, bytes))) => large_bucket(thing, *at, *bytes, prices),
            (more, _) => thing.at_least(more),
        }
    }));
    let by_slug = Slugs::of(seen, layout);
    let logs = leftovers(&seen.logs, "log groups", Part::Logs, |kind| {
        (kind == Kind::LogGroup).then_some(Part::Logs)
    });
    things.extend(logs.into_iter().map(|thing| {
        let fleet = by_slug.of_log_group(&thing.name);
        thing.of_fleet(fleet)
    }));
    things.extend(alarms(seen, layout, prices));
    things.extend(leftovers(&seen.secrets, "secrets", Part::Secrets, |kind| {
        (kind == Kind::Secret).then_some(Part::Secrets)
    }));
    things.extend(container_images(seen, prices));
    things.extend(machines(seen, &by_slug));
    things.extend(fleets(seen, prices));
    things.extend(usage.things(prices));
    things
}

/// A bucket with more objects than are counted one by one: by what it reports of itself once a day.
fn large_bucket(thing: Thing, at: Timestamp, bytes: f64, prices: &Prices) -> Thing {
    let dollars = prices.stored(&Product::Bucket, bytes / 1e9);
    let about = format!(
        "{} GB in S3 Standard by its metric of {}, more than is counted one by one",
        number(bytes / 1e9),
        at.strftime("%Y-%m-%d")
    );
    Thing::new(thing.part, thing.name, about, dollars)
}

/// A read that was refused, as a thing whose costs are unknown.
pub(super) fn refused(part: Part, what: &str, why: &str) -> Thing {
    Thing::new(part, what, format!("the {what} could not be read: {why}"), None)
}

/// A product whose price nothing here knows.
fn no_price(of: &str) -> String {
    format!("the price of {of} is not known here")
}

/// Fleets by the part of their names that other things carry as well: only one that has it alone is meant.
pub(super) struct Slugs(
    BTreeMap<String, Option<FleetId>>,
    BTreeMap<String, Option<FleetId>>,
);

impl Slugs {
    pub(super) fn of(seen: &Seen, layout: &Layout) -> Self {
        let (mut slugs, mut logs) = (BTreeMap::new(), BTreeMap::new());
        let add = |all: &mut BTreeMap<String, Option<FleetId>>, key: String, id: &FleetId| {
            all.entry(key)
                .and_modify(|known| *known = None)
                .or_insert_with(|| Some(id.clone()));
        };
        for id in seen.fleets.iter().flatten().map(|(id, _)| id) {
            add(&mut slugs, id.slug.to_string(), id);
            add(&mut logs, layout.fleet_log_group(id), id);
        }
        Self(slugs, logs)
    }

    fn of_slug(&self, slug: &str) -> Option<FleetId> {
        self.0.get(slug).cloned().flatten()
    }

    pub(super) fn of_log_group(&self, name: &str) -> Option<FleetId> {
        self.1.get(name).cloned().flatten()
    }
}

/// What is left of the platform, as far as it belongs to a part.
fn leftovers(
    read: &Read<Leftovers>,
    what: &str,
    part: Part,
    belongs: impl Fn(Kind) -> Option<Part>,
) -> Vec<Thing> {
    let found = match read {
        Ok(found) => found,
        Err(why) => return vec![refused(part, what, why)],
    };
    let own = found
        .ours
        .iter()
        .filter_map(|one| Some((belongs(one.kind)?, one)));
    own.map(|(part, one)| {
        // Of a snapshot only what has changed is billed; its size is the most that it can be.
        let most = matches!(one.kind, Kind::DatabaseSnapshot | Kind::ImageSnapshot);
        Thing::new(part, &one.name, &one.about, one.dollars_per_month).at_most(most)
    })
    .collect()
}

fn number(value: f64) -> String {
    let rounded = (value * 100.0).round() / 100.0;
    rounded.to_string()
}

/// The tasks of a service, or those of one family that belong to none.
fn tasks(read: &Read<Vec<BilledTask>>, prices: &Prices) -> Vec<Thing> {
    let tasks = match read {
        Ok(tasks) => tasks,
        Err(why) => return vec![refused(Part::Tasks, "tasks", why)],
    };
    let mut groups: BTreeMap<String, Vec<&BilledTask>> = BTreeMap::new();
    for task in tasks {
        let group = task.group.as_deref().unwrap_or("no group");
        let name = group.strip_prefix("service:").map_or_else(
            || format!("one-off {}", group.trim_start_matches("family:")),
            str::to_owned,
        );
        groups.entry(name).or_default().push(task);
    }
    let thing = |(name, tasks): (String, Vec<&BilledTask>)| {
        let hourly: Option<f64> = tasks.iter().map(|task| task_price(task, prices)).sum();
        let spot = tasks.iter().filter(|task| task.spot).count();
        let mut sizes: Vec<String> = tasks.iter().map(|task| size(task)).collect();
        sizes.sort();
        sizes.dedup();
        let count = counted(tasks.len() as u64, "task");
        let mut about = format!("{count} of {}", sizes.join(" and "));
        if spot > 0 {
            about.push_str(&format!(
                ", {spot} of them on Fargate Spot, which is cheaper than counted"
            ));
        }
        if hourly.is_none() {
            about.push_str(": no tasks of Fargate with a known size");
        }
        Thing::new(
            Part::Tasks,
            name,
            about,
            hourly.map(|hourly| hourly * HOURS_PER_MONTH),
        )
        .at_most(spot > 0)
    };
    groups.into_iter().map(thing).collect()
}

fn size(task: &BilledTask) -> String {
    let of = |amount: Option<f64>| amount.map_or_else(|| "?".to_owned(), number);
    let processor = task.architecture.as_deref().unwrap_or("unknown processor");
    format!(
        "{} vCPU and {} GB ({processor})",
        of(task.vcpus),
        of(task.gigabytes)
    )
}

/// Dollars an hour.
fn task_price(task: &BilledTask, prices: &Prices) -> Option<f64> {
    let cpu = match task.architecture.as_deref() {
        Some("arm64") => Cpu::Arm,
        Some("x86_64") => Cpu::X86,
        _ => return None,
    };
    // What runs on instances of the account is paid for with them.
    task.fargate.then_some(())?;
    prices.task(cpu, task.vcpus?, task.gigabytes?)
}

/// A host without its port.
fn host(endpoint: &str) -> &str {
    endpoint.split(':').next().unwrap_or(endpoint)
}

/// Things of which an output of a stack says which are the platform's.
fn by_output<'a, T>(
    seen: &'a Seen,
    (read, part, what): (&'a Read<Vec<T>>, Part, &str),
    is_ours: impl Fn(&T, &BTreeMap<String, String>) -> bool,
    thing: impl Fn(&T) -> Thing,
) -> Vec<Thing> {
    match (read, &seen.outputs) {
        (Err(why), _) => vec![refused(part, what, why)],
        (Ok(all), Err(why)) if !all.is_empty() => {
            let why =
                format!("the stacks, which say which {what} are the platform's, could not be read: {why}");
            vec![Thing::new(part, what, why, None)]
        }
        (Ok(_), Err(_)) => Vec::new(),
        (Ok(all), Ok(outputs)) => all
            .iter()
            .filter(|one| is_ours(one, outputs))
            .map(thing)
            .collect(),
    }
}

fn caches(seen: &Seen, prices: &Prices) -> Vec<Thing> {
    by_output(
        seen,
        (&seen.caches, Part::Cache, "cache clusters"),
        |cluster, outputs| {
            let wanted = outputs.get("RedisEndpoint").map(|endpoint| host(endpoint));
            wanted.is_some_and(|wanted| {
                cluster
                    .endpoints
                    .iter()
                    .any(|one| one.eq_ignore_ascii_case(wanted))
            })
        },
        |cluster| {
            let (node, engine) = (cluster.node.as_deref(), cluster.engine.as_deref());
            let product = node.zip(engine).map(|(node, engine)| Product::Cache {
                node: node.to_owned(),
                engine: engine.to_owned(),
            });
            let each = product.and_then(|product| prices.running(&product));
            let (node, engine) = (node.unwrap_or("?"), engine.unwrap_or("?"));
            let mut about = format!(
                "{}, {} of {node}, {engine}",
                cluster.status,
                counted(u64::from(cluster.nodes), "node")
            );
            if each.is_none() {
                about.push_str(&format!(": {}", no_price(node)));
            }
            Thing::new(
                Part::Cache,
                &cluster.id,
                about,
                each.map(|each| each * f64::from(cluster.nodes)),
            )
        },
    )
}

fn balancers(seen: &Seen, prices: &Prices) -> Vec<Thing> {
    by_output(
        seen,
        (&seen.balancers, Part::LoadBalancer, "load balancers"),
        is_own_balancer,
        |balancer| {
            if balancer.kind != "application" {
                let about = no_price(&format!("a load balancer of type {}", balancer.kind));
                return Thing::new(Part::LoadBalancer, &balancer.name, about, None);
            }
            let addresses = if balancer.internet_facing {
                balancer.zones
            } else {
                0
            };
            let own = prices.running(&Product::LoadBalancer);
            let address = prices.running(&Product::PublicAddress);
            let all = own
                .zip(address)
                .map(|(own, address)| own + address * addresses as f64);
            let about = format!("application, {}, without capacity units", addresses_of(addresses));
            Thing::new(Part::LoadBalancer, &balancer.name, about, all)
        },
    )
}

/// An output of the platform's stacks has the name of its load balancer.
pub(super) fn is_own_balancer(balancer: &Balancer, outputs: &BTreeMap<String, String>) -> bool {
    let wanted = outputs.get("AlbDns").map(String::as_str);
    let dns = balancer.dns.as_deref();
    wanted
        .zip(dns)
        .is_some_and(|(wanted, dns)| wanted.eq_ignore_ascii_case(dns))
}

fn addresses_of(count: usize) -> String {
    match count {
        0 => "no public address".to_owned(),
        1 => "1 public address".to_owned(),
        several => format!("{several} public addresses"),
    }
}

/// The platform's gateways stand in its VPC.
pub(super) fn is_own_gateway(
    gateway: &crate::aws::ec2::NatGateway,
    outputs: &BTreeMap<String, String>,
) -> bool {
    let named = outputs.get("NatGatewayIds");
    let named = named.is_some_and(|ids| ids.split(',').any(|id| id.trim() == gateway.id));
    named || (gateway.vpc.is_some() && gateway.vpc.as_ref() == outputs.get("VpcId"))
}

fn gateways(seen: &Seen, prices: &Prices) -> Vec<Thing> {
    by_output(
        seen,
        (&seen.gateways, Part::NatGateway, "NAT gateways"),
        is_own_gateway,
        |gateway| {
            let own = prices.running(&Product::NatGateway);
            let address = prices.running(&Product::PublicAddress);
            let all = own
                .zip(address)
                .map(|(own, address)| own + address * gateway.addresses as f64);
            let about = format!(
                "{}, {}, without its data",
                gateway.state,
                addresses_of(gateway.addresses)
            );
            // "you are charged for each hour that your NAT gateway is available" (Amazon VPC User Guide, "Pricing for NAT
            // gateways").
            let billed = gateway.state == "available";
            Thing::new(
                Part::NatGateway,
                &gateway.id,
                about,
                if billed { all } else { Some(0.0) },
            )
        },
    )
}

fn container_images(seen: &Seen, prices: &Prices) -> Vec<Thing> {
    match &seen.repositories {
        Err(why) => vec![refused(Part::ContainerImages, "container images", why)],
        Ok(all) => all
            .iter()
            .map(|(name, bytes)| {
                let about = format!(
                    "{} GB of images, of which layers that several have are billed once",
                    number(*bytes as f64 / 1e9)
                );
                let dollars = prices.bytes(&Product::Images, *bytes);
                Thing::new(Part::ContainerImages, name, about, dollars).at_most(true)
            })
            .collect(),
    }
}

/// Snapshots of machine images, and dev instances.
fn machines(seen: &Seen, by_slug: &Slugs) -> Vec<Thing> {
    let found = leftovers(
        &seen.machines,
        "machine images",
        Part::MachineImages,
        |kind| match kind {
            Kind::ImageSnapshot => Some(Part::MachineImages),
            Kind::DevInstance => Some(Part::DevInstances),
            _ => None,
        },
    );
    let facts = seen.machines.as_ref().ok().map(|all| &all.facts);
    found
        .into_iter()
        .map(|thing| {
            let Some(facts) = facts else { return thing };
            let image = facts
                .images
                .iter()
                .find(|image| image.snapshots.contains(&thing.name));
            let slug = image.and_then(|image| image.fleet_slug());
            let machine = facts.machines.iter().find(|machine| machine.id == thing.name);
            let fleet = match machine {
                Some(machine) => fleet_of_tags(|key| machine.tags.get(key).map(String::as_str)),
                None => slug.and_then(|slug| by_slug.of_slug(slug)),
            };
            thing.of_fleet(fleet)
        })
        .collect()
}

/// A dev instance says for which fleet it is.
fn fleet_of_tags<'a>(tag: impl Fn(&str) -> Option<&'a str>) -> Option<FleetId> {
    format!("{}/{}", tag("Stage")?, tag("FleetSlug")?).parse().ok()
}

/// The instances of each fleet, and their volumes.
fn fleets(seen: &Seen, prices: &Prices) -> Vec<Thing> {
    let groups = match &seen.fleets {
        Ok(groups) => groups,
        Err(why) => return vec![refused(Part::Fleet, "fleets", why)],
    };
    let mut things = Vec::new();
    for (id, group) in groups {
        things.extend(
            group_things(seen, group, prices)
                .into_iter()
                .map(|thing| thing.of_fleet(Some(id.clone()))),
        );
    }
    things
}

/// What an hour of an instance costs, whether that is the most, and at which price.
fn hour(
    seen: &Seen,
    group: &Group,
    instance: &Instance,
    prices: &Prices,
) -> (Option<f64>, bool, &'static str) {
    let machine = seen.instances.iter().find_map(|all| all.get(&instance.id));
    let spot = machine.map_or(group.spot, |machine| machine.spot);
    let kind = instance.instance_type.clone();
    let kind = kind.or_else(|| machine.and_then(|machine| machine.instance_type.clone()));
    let Some(kind) = kind else {
        return (None, false, "of an unknown type");
    };
    let place = instance.zone.clone().map(|zone| (kind.clone(), zone));
    let now = place.and_then(|place| seen.spot.iter().find_map(|all| all.get(&place)).copied());
    let listed = prices.of(&Product::Instance(kind));
    match (spot, now) {
        (true, Some(now)) => (Some(now), false, "at the Spot price of now"),
        (true, None) => (listed, true, "at the On-Demand price, for want of the Spot price"),
        (false, _) => (listed, false, "on demand"),
    }
}

fn group_things(seen: &Seen, group: &Group, prices: &Prices) -> Vec<Thing> {
    let runs = |instance: &&Instance| !ASLEEP.contains(&instance.state.as_str());
    let running: Vec<&Instance> = group.instances.iter().filter(runs).collect();
    let mut kinds: BTreeMap<(String, bool, &'static str), Vec<Option<f64>>> = BTreeMap::new();
    for instance in &running {
        let (price, most, how) = hour(seen, group, instance, prices);
        let kind = instance.instance_type.clone().unwrap_or_else(|| "?".to_owned());
        kinds.entry((kind, most, how)).or_default().push(price);
    }
    let mut things: Vec<Thing> = kinds
        .into_iter()
        .map(|((kind, most, how), hours)| {
            let mut about = format!("{} of {kind}, {how}", counted(hours.len() as u64, "instance"));
            let hourly: Option<f64> = hours.into_iter().sum();
            if hourly.is_none() {
                about.push_str(&format!(": {}", no_price(&kind)));
            }
            let all = hourly.map(|hourly| hourly * HOURS_PER_MONTH);
            Thing::new(Part::Fleet, &group.name, about, all).at_most(most)
        })
        .collect();
    if running.is_empty() {
        things.push(Thing::new(
            Part::Fleet,
            &group.name,
            "no instance runs",
            Some(0.0),
        ));
    }
    if group.instances.is_empty() {
        return things;
    }
    match &seen.volumes {
        Err(why) => things.push(refused(Part::Fleet, "volumes", why)),
        Ok(volumes) => {
            let own = |id: &String| group.instances.iter().any(|instance| instance.id == *id);
            let own = volumes.iter().filter(|volume| volume.instances.iter().any(own));
            let mut kinds: BTreeMap<&str, (u64, u32)> = BTreeMap::new();
            for volume in own {
                let (count, gib) = kinds.entry(&volume.kind).or_default();
                *count += 1;
                *gib += volume.gib;
            }
            for (kind, (count, gib)) in kinds {
                let all = prices.stored(&Product::Volume(kind.to_owned()), f64::from(gib));
                let mut about = format!("{} of {kind}, {gib} GiB", counted(count, "volume"));
                if all.is_none() {
                    about.push_str(&format!(": {}", no_price(kind)));
                }
                things.push(Thing::new(
                    Part::Fleet,
                    format!("{} volumes", group.name),
                    about,
                    all,
                ));
            }
        }
    }
    things
}

/// Whether a thing without a place in the platform's parts carries its marks.
pub(super) fn is_marked(tags: &BTreeMap<String, String>, stacks: &crate::leftovers::Every) -> bool {
    let pairs: Vec<(String, String)> = tags
        .iter()
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let by_stack = tag(&pairs, crate::leftovers::STACK_TAG).is_some_and(|stack| stacks.has_stack(stack));
    by_stack || tags.contains_key("FleetSlug")
}
