//! Services: their configuration, deployments, events and targets.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::revisions::Revision;
use super::rollout::Rollout;
use crate::service::elb;
use crate::time::SimTime;
use crate::world::World;

/// "We only show the 100 most recent events" (Amazon ECS service event messages).
const EVENTS: usize = 100;

/// How long ECS watches a deployment at least before it calls it completed.
pub(super) const SETTLES_AFTER: Duration = Duration::from_secs(30);

/// A service with the rolling update deployment controller.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) name: String,
    pub(crate) created: SimTime,
    pub(crate) desired: usize,
    pub(crate) load_balancer: LoadBalancer,
    pub(crate) subnets: Vec<String>,
    pub(crate) security_groups: Vec<String>,
    pub(crate) strategy: Vec<Provider>,
    pub(crate) grace: Duration,
    pub(crate) breaker: Breaker,
    /// Percent of the desired count that must stay healthy during a deployment.
    pub(crate) minimum_healthy: usize,
    /// Percent of the desired count that may run at the same time.
    pub(crate) maximum: usize,
    /// The primary one first, then older ones that still have tasks.
    pub(crate) deployments: Vec<Deployment>,
    /// Where a rollback goes.
    pub(crate) last_completed: Option<Deployment>,
    /// Every service deployment, newest first.
    pub(super) rollouts: Vec<Rollout>,
    /// Every revision, the newest first.
    pub(super) revisions: Vec<Revision>,
    pub(crate) events: VecDeque<Event>,
    pub(crate) steady_since: Option<SimTime>,
    /// When the service last said that it cannot place a task, and why.
    pub(super) complained: Option<(SimTime, String)>,
}

/// Where the service's tasks are registered.
#[derive(Clone, Debug)]
pub(crate) struct LoadBalancer {
    pub(crate) target_group: String,
    pub(crate) container: String,
    pub(crate) port: u16,
}

/// An item of a capacity provider strategy.
#[derive(Clone, Debug)]
pub(crate) struct Provider {
    pub(crate) name: String,
    pub(crate) base: usize,
    pub(crate) weight: usize,
}

/// The deployment circuit breaker.
#[derive(Clone, Debug)]
pub(crate) struct Breaker {
    pub(crate) enabled: bool,
    pub(crate) rollback: bool,
    /// A fixed number of failures (`thresholdConfiguration` of type COUNT) instead of half the desired count.
    pub(crate) count: Option<usize>,
}

impl Breaker {
    /// 0.5 × desired count, rounded up, but at least 3 and at most 200 ("How the Amazon ECS deployment
    /// circuit breaker detects failures").
    pub(crate) fn threshold(&self, desired: usize) -> usize {
        self.count.unwrap_or_else(|| desired.div_ceil(2).clamp(3, 200))
    }
}

/// The state of a deployment's rollout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RolloutState {
    InProgress,
    Completed,
    Failed,
}

/// One deployment of a service.
#[derive(Clone, Debug)]
pub(crate) struct Deployment {
    /// `ecs-svc/<19 digits>`.
    pub(crate) id: String,
    pub(crate) primary: bool,
    pub(crate) definition: usize,
    /// Tasks in a row that failed to start or to become healthy.
    pub(crate) failed: usize,
    pub(crate) created: SimTime,
    pub(crate) updated: SimTime,
    pub(crate) state: RolloutState,
    pub(crate) reason: String,
    /// The image digest of each container, by position, once the first task was started.
    pub(crate) pins: BTreeMap<usize, String>,
    /// The scheduler launches nothing before.
    pub(super) next_launch: SimTime,
    /// It is not found complete before.
    pub(super) settles: SimTime,
    /// It is the goal of a rollback.
    pub(super) is_rollback: bool,
    /// It said that it cannot start tasks consistently.
    pub(super) impaired: bool,
}

/// A service event.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) at: SimTime,
    pub(crate) message: String,
}

impl Deployment {
    pub(crate) fn new(world: &mut World, definition: usize) -> Self {
        let id = format!(
            "ecs-svc/{:019}",
            world
                .ids
                .between(1_000_000_000_000_000_000, 9_199_999_999_999_999_999)
        );
        Self {
            primary: true,
            definition,
            failed: 0,
            created: world.now,
            updated: world.now,
            state: RolloutState::InProgress,
            reason: format!("ECS deployment {id} in progress."),
            id,
            pins: BTreeMap::new(),
            next_launch: world.now,
            settles: world.now + SETTLES_AFTER,
            is_rollback: false,
            impaired: false,
        }
    }

    /// Whether it is the goal of a rollback.
    pub(super) fn undoes(&self) -> bool {
        self.is_rollback
    }

    /// The digits of the id, which also name the service revision.
    pub(super) fn number(&self) -> &str {
        self.id.trim_start_matches("ecs-svc/")
    }
}

impl Service {
    /// A service of one task with the circuit breaker with rollback, and the healthy percents that CDK gives
    /// it; `network` is its subnets and security groups.
    pub(crate) fn new(
        name: &str,
        created: SimTime,
        load_balancer: LoadBalancer,
        network: (Vec<String>, Vec<String>),
        strategy: Vec<Provider>,
        grace: Duration,
    ) -> Self {
        Self {
            name: name.to_owned(),
            created,
            desired: 1,
            load_balancer,
            subnets: network.0,
            security_groups: network.1,
            strategy,
            grace,
            breaker: Breaker {
                enabled: true,
                rollback: true,
                count: None,
            },
            minimum_healthy: 50,
            maximum: 200,
            deployments: Vec::new(),
            last_completed: None,
            rollouts: Vec::new(),
            revisions: Vec::new(),
            events: VecDeque::new(),
            steady_since: None,
            complained: None,
        }
    }

    pub(crate) fn arn(&self, world: &World) -> String {
        format!(
            "arn:aws:ecs:{}:{}:service/{}/{}",
            world.options.region, world.options.account_id, world.services.ecs.cluster, self.name
        )
    }

    pub(crate) fn primary(&self) -> Option<&Deployment> {
        self.deployments.iter().find(|deployment| deployment.primary)
    }

    /// Adds an event, the newest first.
    pub(crate) fn tell(&mut self, id: String, at: SimTime, message: String) {
        self.events.push_front(Event { id, at, message });
        self.events.truncate(EVENTS);
    }
}

/// Adds an event `(service <name>) <what>` to a service.
pub(crate) fn tell(world: &mut World, index: usize, what: &str) {
    let id = world.application_ids.uuid();
    let now = world.now;
    let service = &mut world.services.ecs.services[index];
    let message = format!("(service {}) {what}", service.name);
    service.tell(id, now, message);
}

/// The service that a name or ARN means.
pub(crate) fn find<'a>(world: &'a World, named: &str) -> Option<&'a Service> {
    let state = &world.services.ecs;
    state
        .services
        .iter()
        .find(|service| service.name == named || service.arn(world) == named)
}

pub(crate) fn named<'a>(world: &'a World, name: &str) -> Option<&'a Service> {
    world
        .services
        .ecs
        .services
        .iter()
        .find(|service| service.name == name)
}

pub(crate) fn named_mut<'a>(world: &'a mut World, name: &str) -> Option<&'a mut Service> {
    world
        .services
        .ecs
        .services
        .iter_mut()
        .find(|service| service.name == name)
}

/// The ARN of the target group that a service's tasks belong to.
pub(super) fn target_group<'a>(world: &'a World, service: &str) -> Option<&'a str> {
    named(world, service).map(|service| service.load_balancer.target_group.as_str())
}

/// The target group and the task's address and zone, if the task belongs to a service.
fn target(world: &World, index: usize) -> Option<(usize, String, String, String)> {
    let task = &world.services.ecs.tasks[index];
    let (name, _) = task.service.as_ref()?;
    let position = world
        .services
        .ecs
        .services
        .iter()
        .position(|service| service.name == *name)?;
    let group = world.services.ecs.services[position]
        .load_balancer
        .target_group
        .clone();
    Some((
        position,
        group,
        task.interface.ip.clone(),
        task.interface.zone.clone(),
    ))
}

pub(super) fn register_target(world: &mut World, index: usize) {
    if let Some((service, group, ip, zone)) = target(world, index) {
        elb::register(world, &group, &ip, &zone);
        tell(
            world,
            service,
            &format!("registered 1 targets in (target-group {group})"),
        );
    }
}

pub(super) fn register_established(world: &mut World, index: usize) {
    if let Some((_, group, ip, zone)) = target(world, index) {
        elb::register_healthy(world, &group, &ip, &zone);
    }
}

/// Takes the task out of its target group; `false` when it is in none.
pub(super) fn deregister_target(world: &mut World, index: usize) -> bool {
    let Some((service, group, ip, _)) = target(world, index) else {
        return false;
    };
    elb::deregister(world, &group, &ip);
    tell(
        world,
        service,
        &format!("deregistered 1 targets in (target-group {group})"),
    );
    true
}
