//! Elastic Load Balancing v2: the load balancer, its target groups, and the health checks of their targets.

mod answer;
mod describe;
mod listener;
mod metrics;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub(crate) use answer::answer;
pub(crate) use listener::{http, listen, not_found, users_of};
pub(crate) use metrics::{balancer_names, publish};

use crate::service::cloudformation::Resource;
use crate::service::table::operations;
use crate::service::{ecs, route53};
use crate::time::SimTime;
use crate::world::World;

/// The account's load balancers and target groups.
#[derive(Debug, Default)]
pub(crate) struct State {
    balancers: Vec<Balancer>,
    groups: Vec<Group>,
    /// Listeners that no stack says anything of.
    listeners: Vec<Resource>,
}

#[derive(Debug)]
struct Balancer {
    arn: String,
    name: String,
    dns: String,
    created: SimTime,
    subnets: Vec<(String, String)>,
    /// The subnet whose place another one took, with its zone.
    left: Option<(String, String)>,
    security_group: String,
    vpc: String,
}

#[derive(Debug)]
struct Group {
    arn: String,
    name: String,
    port: u16,
    path: String,
    matcher: String,
    timeout: i64,
    vpc: String,
    balancer: String,
    targets: Vec<Target>,
    /// Whether people know that there is something to ask.
    known: bool,
}

#[derive(Debug)]
struct Target {
    ip: String,
    zone: String,
    health: Health,
    /// Health check results in a row that contradict the present state.
    streak: u32,
    next_check: SimTime,
    /// When draining ends.
    gone_at: Option<SimTime>,
}

/// The state of a target, with what the last failing check saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Health {
    /// Registered, no verdict yet.
    Initial,
    /// Passes its checks.
    Healthy,
    /// Fails its checks.
    Unhealthy(Failure),
    /// Being deregistered.
    Draining,
}

/// What a health check met instead of a good answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// An HTTP status outside the matcher.
    Code(u16),
    /// No answer in time.
    Timeout,
    /// The connection was refused or reset.
    Refused,
}

impl Failure {
    /// The description of target health, which ECS quotes in its events.
    pub(crate) fn description(&self) -> String {
        match self {
            Self::Code(code) => format!("Health checks failed with these codes: [{code}]"),
            Self::Timeout => "Request timed out".to_owned(),
            Self::Refused => "Health checks failed".to_owned(),
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Code(_) => "Target.ResponseCodeMismatch",
            Self::Timeout => "Target.Timeout",
            Self::Refused => "Target.FailedHealthChecks",
        }
    }
}

const INTERVAL: Duration = Duration::from_secs(30);
const HEALTHY_AFTER: u32 = 2;
const UNHEALTHY_AFTER: u32 = 3;
/// A target without requests in flight is let go before the deregistration delay of 300 s is over; idle
/// keep-alive connections hold it for about this long.
const DRAIN: Duration = Duration::from_secs(25);

operations! {
    Read DescribeListeners => listener::describe,
    Read DescribeLoadBalancers => describe::balancers,
    Read DescribeTargetGroups => describe::groups,
    Read DescribeTargetHealth => describe::health,
}

/// Where a load balancer stands.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) vpc: String,
    /// Subnet and availability zone.
    pub(crate) subnets: Vec<(String, String)>,
    pub(crate) security_group: String,
}

/// Creates an application load balancer; answers its ARN.
pub(crate) fn create_balancer(world: &mut World, name: &str, created: SimTime, place: Place) -> String {
    let id = world.application_ids.hex(16);
    let region = &world.options.region;
    let account = &world.options.account_id;
    let arn = format!("arn:aws:elasticloadbalancing:{region}:{account}:loadbalancer/app/{name}/{id}");
    let dns = format!(
        "{name}-{}.{region}.elb.amazonaws.com",
        world.application_ids.between(100_000_000, 1_999_999_999)
    );
    world.services.elb.balancers.push(Balancer {
        arn: arn.clone(),
        name: name.to_owned(),
        dns,
        created,
        subnets: place.subnets,
        left: None,
        security_group: place.security_group,
        vpc: place.vpc,
    });
    arn
}

/// The ARN of the load balancer that has this ARN, name or host name.
pub(crate) fn balancer_arn<'a>(world: &'a World, named: &str) -> Option<&'a str> {
    let mut balancers = world.services.elb.balancers.iter();
    let found = balancers.find(|one| one.arn == named || one.name == named || one.dns == named)?;
    Some(&found.arn)
}

/// Takes a load balancer away, with the target groups behind it.
pub(crate) fn delete_balancer(world: &mut World, named: &str) {
    let Some(arn) = balancer_arn(world, named).map(str::to_owned) else {
        return;
    };
    let state = &mut world.services.elb;
    state.groups.retain(|group| group.balancer != arn);
    state.balancers.retain(|one| one.arn != arn);
    state
        .listeners
        .retain(|one| one.properties["LoadBalancerArn"] != arn.as_str());
}

/// Creates a group of IP targets that no load balancer is in front of yet: name, port and VPC, and path, codes and timeout
/// of its check. Answers its ARN.
pub(crate) fn make_group(
    world: &mut World,
    (name, port, vpc): (&str, u16, &str),
    (path, matcher, timeout): (String, String, i64),
) -> String {
    let check = Check {
        path: "",
        matcher: "",
        timeout,
    };
    let arn = create_group(world, name, port, vpc, "", &check);
    if let Some(group) = world
        .services
        .elb
        .groups
        .iter_mut()
        .find(|group| group.arn == arn)
    {
        group.path = path;
        group.matcher = matcher;
    }
    arn
}

/// A load balancer sends requests to a group from now on.
pub(crate) fn attach(world: &mut World, group: &str, balancer: &str) {
    if let Some(group) = world
        .services
        .elb
        .groups
        .iter_mut()
        .find(|known| known.arn == group)
    {
        balancer.clone_into(&mut group.balancer);
    }
}

/// Whether a load balancer sends requests to a group.
pub(crate) fn is_attached(world: &World, group: &str) -> bool {
    let mut groups = world.services.elb.groups.iter();
    groups.any(|known| known.arn == group && !known.balancer.is_empty())
}

/// Takes a target group away.
pub(crate) fn delete_group(world: &mut World, arn: &str) {
    world.services.elb.groups.retain(|group| group.arn != arn);
}

/// How a target group checks its targets.
#[derive(Clone, Debug)]
pub(crate) struct Check {
    pub(crate) path: &'static str,
    pub(crate) matcher: &'static str,
    pub(crate) timeout: i64,
}

/// Creates a group of IP targets behind `balancer`; answers its ARN.
pub(crate) fn create_group(
    world: &mut World,
    name: &str,
    port: u16,
    vpc: &str,
    balancer: &str,
    check: &Check,
) -> String {
    let arn = format!(
        "arn:aws:elasticloadbalancing:{}:{}:targetgroup/{name}/{}",
        world.options.region,
        world.options.account_id,
        world.application_ids.hex(16)
    );
    world.services.elb.groups.push(Group {
        arn: arn.clone(),
        name: name.to_owned(),
        port,
        path: check.path.to_owned(),
        matcher: check.matcher.to_owned(),
        timeout: check.timeout,
        vpc: vpc.to_owned(),
        balancer: balancer.to_owned(),
        targets: Vec::new(),
        known: !world.options.empty,
    });
    arn
}

/// Whether a host is that of a load balancer of the account, or leads to one.
pub(crate) fn is_balancer(world: &World, host: &str) -> bool {
    balancer_of(world, host).is_some()
}

/// The load balancer that a request to `host` comes to: by its own name, or by one that a hosted zone leads to it.
fn balancer_of<'a>(world: &'a World, host: &str) -> Option<&'a Balancer> {
    let named = |host: &str| {
        let mut balancers = world.services.elb.balancers.iter();
        balancers.find(|balancer| balancer.dns.eq_ignore_ascii_case(host))
    };
    named(host).or_else(|| named(&route53::leads_to(world, host)?))
}

/// The DNS name of the load balancer called `name`.
pub(crate) fn dns_name<'a>(world: &'a World, name: &str) -> Option<&'a str> {
    world
        .services
        .elb
        .balancers
        .iter()
        .find(|balancer| balancer.name == name)
        .map(|balancer| balancer.dns.as_str())
}

/// The load balancer leaves a zone for another one: it has to stand in two ("Availability Zones for your
/// Application Load Balancer").
pub(crate) fn leave_zone(world: &mut World, name: &str, zone: &str) {
    let subnet = world.application_ids.ec2("subnet-");
    let other = format!("{}c", world.options.region);
    let balancer = world
        .services
        .elb
        .balancers
        .iter_mut()
        .find(|found| found.name == name);
    if let Some(balancer) = balancer
        && let Some(place) = balancer.subnets.iter_mut().find(|(_, known)| known == zone)
    {
        balancer.left = Some(std::mem::replace(place, (subnet, other)));
    }
}

/// The load balancer goes back to the zones that it stood in.
pub(crate) fn return_to_zones(world: &mut World, name: &str) {
    let balancer = world
        .services
        .elb
        .balancers
        .iter_mut()
        .find(|found| found.name == name);
    if let Some(balancer) = balancer
        && let Some(left) = balancer.left.take()
        && let Some(place) = balancer.subnets.iter_mut().find(|(_, zone)| zone.ends_with('c'))
    {
        *place = left;
    }
}

/// Whether a load balancer stands in this zone: targets in other zones get no request.
pub(crate) fn serves_zone(world: &World, zone: &str) -> bool {
    let balancers = &world.services.elb.balancers;
    balancers
        .iter()
        .any(|balancer| balancer.subnets.iter().any(|(_, known)| known == zone))
}

/// The dimension values CloudWatch knows the group by: `(LoadBalancer, TargetGroup)`.
pub(crate) fn dimensions(world: &World, group_name: &str) -> Option<(String, String)> {
    let group = world
        .services
        .elb
        .groups
        .iter()
        .find(|group| group.name == group_name)?;
    Some((
        full_name(&group.balancer, ":loadbalancer/"),
        full_name(&group.arn, ":"),
    ))
}

/// The part of an ARN that CloudWatch uses as dimension value.
fn full_name(arn: &str, after: &str) -> String {
    arn.rsplit_once(after).map_or(arn, |(_, name)| name).to_owned()
}

/// Adds a target; a draining one of the same address starts afresh.
pub(crate) fn register(world: &mut World, group: &str, ip: &str, zone: &str) {
    let now = world.now;
    if let Some(group) = group_mut(world, group) {
        group.targets.retain(|target| target.ip != ip);
        group.targets.push(Target {
            ip: ip.to_owned(),
            zone: zone.to_owned(),
            health: Health::Initial,
            streak: 0,
            next_check: now + Duration::from_secs(5),
            gone_at: None,
        });
    }
}

/// Adds a target that has passed its health checks long ago.
pub(crate) fn register_healthy(world: &mut World, group: &str, ip: &str, zone: &str) {
    register(world, group, ip, zone);
    if let Some(target) = group_mut(world, group).and_then(|group| group.targets.last_mut()) {
        target.health = Health::Healthy;
    }
}

/// Starts to drain a target.
pub(crate) fn deregister(world: &mut World, group: &str, ip: &str) {
    let gone = world.now + DRAIN;
    if let Some(target) =
        group_mut(world, group).and_then(|group| group.targets.iter_mut().find(|target| target.ip == ip))
        && target.gone_at.is_none()
    {
        target.health = Health::Draining;
        target.gone_at = Some(gone);
    }
}

/// The health of a target; `None` once it is gone.
pub(crate) fn health<'a>(world: &'a World, group: &str, ip: &str) -> Option<&'a Health> {
    world
        .services
        .elb
        .groups
        .iter()
        .find(|found| found.arn == group)?
        .targets
        .iter()
        .find(|target| target.ip == ip)
        .map(|target| &target.health)
}

fn group_mut<'a>(world: &'a mut World, arn: &str) -> Option<&'a mut Group> {
    world
        .services
        .elb
        .groups
        .iter_mut()
        .find(|group| group.arn == arn)
}

/// Health checks that are due, and targets whose draining is over.
pub(crate) fn tick(world: &mut World) {
    let now = world.now;
    for group in 0..world.services.elb.groups.len() {
        world.services.elb.groups[group]
            .targets
            .retain(|target| target.gone_at.is_none_or(|gone| gone > now));
        for index in 0..world.services.elb.groups[group].targets.len() {
            let target = &world.services.elb.groups[group].targets[index];
            if target.next_check > now || target.health == Health::Draining {
                continue;
            }
            let result = ecs::health_check(world, &target.ip);
            let target = &mut world.services.elb.groups[group].targets[index];
            target.next_check = now + INTERVAL;
            target.checked(result);
        }
    }
}

impl Target {
    fn checked(&mut self, result: Result<(), Failure>) {
        match (result, &self.health) {
            (Ok(()), Health::Healthy) => self.streak = 0,
            (Ok(()), _) => {
                // A new target is healthy after its first good check, an unhealthy one after two.
                self.streak += 1;
                if self.health == Health::Initial || self.streak >= HEALTHY_AFTER {
                    self.health = Health::Healthy;
                    self.streak = 0;
                }
            }
            (Err(failure), Health::Unhealthy(_)) => {
                self.health = Health::Unhealthy(failure);
                self.streak = 0;
            }
            (Err(failure), _) => {
                self.streak += 1;
                if self.streak >= UNHEALTHY_AFTER {
                    self.health = Health::Unhealthy(failure);
                    self.streak = 0;
                }
            }
        }
    }
}
