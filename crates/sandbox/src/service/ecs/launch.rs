//! How a task comes to run: its network interface, its secrets, its images and its first processes.

use std::time::Duration;

use serde_json::Value;

use super::metrics::LEAKS_FOR;
use super::task::{Container, ContainerStatus, Health, Interface, Phase, Task};
use crate::application::artisan_commands::Application;
use crate::application::command_line;
use crate::application::process::{Process, Script};
use crate::options::Layout;
use crate::scenario::{Scenario, in_force};
use crate::service::member::{list, text, texts};
use crate::service::{ecr, logs, secretsmanager, ssm};
use crate::time::SimTime;
use crate::world::World;

/// What a new task is made from.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) definition: usize,
    pub(super) started_by: Option<String>,
    /// Service and deployment.
    pub(super) service: Option<(String, String)>,
    pub(super) group: String,
    pub(super) capacity_provider: Option<String>,
    pub(super) tags: Vec<Value>,
    pub(super) overrides: Value,
    pub(super) execute_command: bool,
    /// The subnets it may be placed in; never empty.
    pub(super) subnets: Vec<String>,
    pub(super) public_address: bool,
}

/// Places a task; answers its id.
pub(super) fn place(world: &mut World, order: Order) -> String {
    let id = world.application_ids.hex(32);
    let interface = interface(world, &order.subnets, order.public_address);
    let count = world.services.ecs.definitions[order.definition].containers.len();
    let containers = (0..count)
        .map(|_| Container {
            id: world.application_ids.uuid(),
            status: ContainerStatus::Pending,
            exit_code: None,
            reason: None,
            health: Health::Unknown,
            failed_checks: 0,
            next_check: SimTime::default(),
            digest: None,
            runtime_id: None,
            started: None,
            process: None,
            dies: None,
            unflushed: Vec::new(),
        })
        .collect();
    let until = world.now + Duration::from_secs(world.application_ids.between(6, 10));
    let task = Task {
        id: id.clone(),
        definition: order.definition,
        started_by: order.started_by,
        service: order.service,
        group: order.group,
        capacity_provider: order.capacity_provider,
        tags: order.tags,
        overrides: order.overrides,
        execute_command: order.execute_command,
        interface,
        phase: Phase::Provisioning,
        until,
        created: world.now,
        connected: None,
        pull_started: None,
        pull_stopped: None,
        started: None,
        stopping: None,
        execution_stopped: None,
        stopped: None,
        stop: None,
        launch_failure: None,
        containers,
        proven: false,
        unwell: None,
        counted: false,
        version: 1,
    };
    world.services.ecs.tasks.push(task);
    id
}

/// Places a task that has been running for `age`.
pub(super) fn establish(world: &mut World, order: Order, age: Duration) {
    place(world, order);
    let index = world.services.ecs.tasks.len() - 1;
    connect(world, index);
    start(world, index);
    let now = world.now;
    let after = |seconds: u64| Some(now - age + Duration::from_secs(seconds));
    let task = &mut world.services.ecs.tasks[index];
    task.phase = Phase::Running;
    task.launch_failure = None;
    task.until = now;
    task.created = now - age;
    task.connected = after(9);
    task.pull_started = after(9);
    task.pull_stopped = after(22);
    task.started = after(25);
    task.version = 5;
    task.proven = true;
    for container in &mut task.containers {
        container.started = after(22);
        container.next_check = now + Duration::from_secs(10);
    }
    super::service::register_established(world, index);
}

/// An interface in the least used of the subnets, with a free address.
fn interface(world: &mut World, subnets: &[String], public: bool) -> Interface {
    let used = |subnet: &String| {
        world
            .services
            .ecs
            .tasks
            .iter()
            .filter(|task| task.phase != Phase::Stopped && task.interface.subnet == *subnet)
            .count()
    };
    let subnet = subnets
        .iter()
        .min_by_key(|subnet| used(subnet))
        .cloned()
        .unwrap_or_default();
    let position = world
        .services
        .ecs
        .subnets
        .iter()
        .position(|(known, _)| *known == subnet)
        .unwrap_or_default();
    let zone = world
        .services
        .ecs
        .subnets
        .get(position)
        .map_or_else(String::new, |(_, zone)| zone.clone());
    let ip = loop {
        // The private subnets are 10.0.4.0/22 and 10.0.8.0/22, the public ones 10.0.0.0/24 and 10.0.1.0/24.
        let third = match position {
            0 | 1 => 4 + 4 * position + world.application_ids.between(0, 3) as usize,
            _ => position - 2,
        };
        let ip = format!("10.0.{third}.{}", world.application_ids.between(10, 250));
        if !world
            .services
            .ecs
            .tasks
            .iter()
            .any(|task| task.interface.ip == ip)
        {
            break ip;
        }
    };
    let mac = world.application_ids.hex(10);
    Interface {
        attachment: world.application_ids.uuid(),
        id: world.application_ids.ec2("eni-"),
        subnet,
        public,
        zone,
        ip,
        mac: format!(
            "0a:{}:{}:{}:{}:{}",
            &mac[..2],
            &mac[2..4],
            &mac[4..6],
            &mac[6..8],
            &mac[8..]
        ),
    }
}

/// The network is there: fetches secrets and images, or finds out why that cannot be done.
pub(super) fn connect(world: &mut World, index: usize) {
    let now = world.now;
    let task = &world.services.ecs.tasks[index];
    let (failure, seconds) = match no_route(world, task).or_else(|| missing_secret(world, task)) {
        Some(message) => {
            let request = world.application_ids.uuid();
            let reason = format!(
                "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: {message}, status code: 400, request id: {request}"
            );
            (Some((reason, None)), 15)
        }
        None => match missing_image(world, task).or_else(|| wrong_processor(world, task)) {
            // Seven retries with growing pauses take about two minutes.
            Some((reason, container)) => (
                Some((reason, Some(container))),
                world.application_ids.between(118, 132),
            ),
            None => (None, world.application_ids.between(9, 16)),
        },
    };
    let task = &mut world.services.ecs.tasks[index];
    let secrets_failed = matches!(failure, Some((_, None)));
    task.phase = Phase::Pending;
    task.version += 1;
    task.connected = Some(now);
    task.pull_started = (!secrets_failed).then_some(now);
    task.until = now + Duration::from_secs(seconds);
    task.launch_failure = failure;
}

/// A public subnet leads out only with a public address ("Stopped tasks error messages").
fn no_route(world: &World, task: &Task) -> Option<String> {
    let public = world
        .services
        .facts
        .public_subnets
        .contains(&task.interface.subnet);
    (public && !task.interface.public).then(|| {
        "unable to retrieve ecr registry auth: service call has been retried 3 time(s): RequestError: send request failed caused by: Post \"https://api.ecr.us-east-1.amazonaws.com/\": dial tcp: i/o timeout. Please check your task network configuration".replace("us-east-1", &world.options.region)
    })
}

/// Why a secret of the task cannot be read, in ECS's words.
fn missing_secret(world: &World, task: &Task) -> Option<String> {
    let definition = &world.services.ecs.definitions[task.definition];
    for (_, value_from) in definition
        .containers
        .iter()
        .flat_map(|container| &container.secrets)
    {
        if value_from.contains(":secretsmanager:") {
            if let Some(message) = secretsmanager::unreadable(world, value_from) {
                return Some(format!(
                    "unable to retrieve secret from asm: service call has been retried 1 time(s): {message}"
                ));
            }
        } else if let Some((_, name)) = value_from.split_once(":parameter")
            && ssm::value(world, name).is_none()
        {
            return Some(format!(
                "unable to retrieve secrets from ssm: service call has been retried 1 time(s): invalid ssm parameters: {name}"
            ));
        }
    }
    None
}

/// The first image of the task that the registry does not have, and its container.
fn missing_image(world: &World, task: &Task) -> Option<(String, usize)> {
    let definition = &world.services.ecs.definitions[task.definition];
    (0..definition.containers.len()).find_map(|container| {
        let reference = reference(world, task, container);
        ecr::resolve(world, &reference).is_none().then(|| {
            let reason = format!("CannotPullContainerError: pull image manifest has been retried 7 time(s): failed to resolve ref {reference}: {reference}: not found");
            (reason, container)
        })
    })
}

/// The first image of the task that is for another processor, and its container ("CannotPullContainer task errors").
fn wrong_processor(world: &World, task: &Task) -> Option<(String, usize)> {
    let definition = &world.services.ecs.definitions[task.definition];
    (0..definition.containers.len()).find_map(|container| {
        let image = ecr::resolve(world, &reference(world, task, container))?;
        (image.platform != ecr::Platform::Arm64).then(|| {
            let reason = "CannotPullContainerError: pull image manifest has been retried 7 time(s): image Manifest does not contain descriptor matching platform 'linux/arm64'.";
            (reason.to_owned(), container)
        })
    })
}

/// The image that a container is started from: within one deployment always the same digest
/// ("container image resolution"), otherwise whatever the tag points at.
fn reference(world: &World, task: &Task, container: usize) -> String {
    let image = &world.services.ecs.definitions[task.definition].containers[container].image;
    let pinned = task.service.as_ref().and_then(|(service, deployment)| {
        super::service::named(world, service)?
            .deployments
            .iter()
            .find(|known| known.id == *deployment)?
            .pins
            .get(&container)
    });
    match (pinned, image.rsplit_once(':')) {
        (Some(digest), Some((repository, _))) => format!("{repository}@{digest}"),
        _ => image.clone(),
    }
}

/// The images are there: starts every container.
pub(super) fn start(world: &mut World, index: usize) {
    let now = world.now;
    for container in 0..world.services.ecs.tasks[index].containers.len() {
        let task = &world.services.ecs.tasks[index];
        let reference = reference(world, task, container);
        let Some(image) = ecr::resolve(world, &reference) else {
            continue;
        };
        let (digest, content) = (image.digest.clone(), image.content);
        let process = process(world, index, container, content);
        let runtime = format!(
            "{}-{}",
            world.services.ecs.tasks[index].id,
            world.application_ids.between(100_000_000, 999_999_999)
        );
        pin(world, index, container, &digest);
        let lag = stream_lag(&world.services.ecs.tasks[index].containers[container].id);
        let (group, stream) = super::life::stream(world, index, container);
        logs::open(world, &group, &stream, now + lag);
        let leaks = in_force(world, Scenario::MemoryExhausted)
            && world.services.ecs.tasks[index].service.is_some()
            && super::life::position(world, &world.services.ecs.tasks[index], "php-fpm") == Some(container);
        let started = &mut world.services.ecs.tasks[index].containers[container];
        if leaks {
            // The kernel kills it, and ECS says nothing of memory.
            started.dies = Some((now + LEAKS_FOR, 137));
        }
        started.digest = Some(digest);
        started.runtime_id = Some(runtime);
        started.status = ContainerStatus::Running;
        started.started = Some(now);
        started.process = Some(process);
    }
}

/// How long the log driver takes to create a container's stream: 12 to 20 seconds, by the container's id.
fn stream_lag(id: &str) -> Duration {
    let sum: u64 = id.bytes().map(u64::from).sum();
    Duration::from_secs(12 + sum % 9)
}

/// The first task of a deployment decides which image its tags mean for the others.
fn pin(world: &mut World, index: usize, container: usize, digest: &str) {
    let Some((service, deployment)) = world.services.ecs.tasks[index].service.clone() else {
        return;
    };
    let Some(service) = super::service::named_mut(world, &service) else {
        return;
    };
    if let Some(known) = service
        .deployments
        .iter_mut()
        .find(|known| known.id == deployment)
    {
        let pin = known.pins.entry(container).or_insert_with(|| digest.to_owned());
        let revision = service
            .revisions
            .iter_mut()
            .find(|revision| revision.is_of(&deployment));
        if let Some(revision) = revision {
            revision.images.entry(container).or_insert_with(|| pin.clone());
        }
    }
}

fn process(world: &World, index: usize, container: usize, content: ecr::Content) -> Process {
    let task = &world.services.ecs.tasks[index];
    let defined = &world.services.ecs.definitions[task.definition].containers[container];
    let overriding = list(&task.overrides, "containerOverrides")
        .iter()
        .find(|given| text(given, "name") == Some(&defined.name));
    let mut command = overriding
        .map(|given| texts(given, "command"))
        .unwrap_or_default();
    if command.is_empty() {
        command.clone_from(&defined.command);
    }
    if command.is_empty() && defined.entry_point.is_empty() {
        let own: &[&str] = match content {
            ecr::Content::Nginx => &["nginx", "-g", "daemon off;"],
            ecr::Content::Php(_) => &["php-fpm"],
            ecr::Content::Next => &["node", "server.js"],
        };
        command = own.iter().map(|&word| word.to_owned()).collect();
    }
    let application = Application {
        fatal: matches!(content, ecr::Content::Php(ecr::Build::Fatal)),
        no_fpm: matches!(content, ecr::Content::Php(ecr::Build::NoFpm)),
        production: defined
            .environment
            .iter()
            .any(|(name, value)| name == "APP_ENV" && value == "production"),
        older: world.options.layout == Layout::Staged,
    };
    let clauses = command_line::commands(&defined.entry_point, &command);
    Process::Script(Script::new(clauses, world.now, application))
}
