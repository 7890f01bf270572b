//! The life of tasks: from provisioning to an hour after they stopped, one second at a time.

use std::time::Duration;

use super::stop;
use super::task::{ContainerStatus, Health, Phase, StopCode, Task};
use super::{launch, service};
use crate::application::long_running::{Kind, Surroundings};
use crate::application::process::Process;
use crate::scenario::Scenario;
use crate::scenario::in_force;
use crate::service::elb::{self, Failure};
use crate::service::logs;
use crate::time::SimTime;
use crate::world::World;

/// "Stopped tasks appear for at least one hour" (DescribeTasks).
const VANISHES_AFTER: Duration = Duration::from_secs(3600);
/// The awslogs driver sends what it has every five seconds (Docker's awslogs driver).
const FLUSH_EVERY: Duration = Duration::from_secs(5);

pub(super) fn tick(world: &mut World) {
    let now = world.now;
    world
        .services
        .ecs
        .tasks
        .retain(|task| task.stopped.is_none_or(|stopped| now < stopped + VANISHES_AFTER));
    for index in 0..world.services.ecs.tasks.len() {
        step(world, index);
    }
}

fn step(world: &mut World, index: usize) {
    let now = world.now;
    let task = &world.services.ecs.tasks[index];
    let due = task.until <= now;
    match task.phase {
        Phase::Provisioning if due => launch::connect(world, index),
        Phase::Pending if due => pulled(world, index),
        Phase::Activating => {
            run_containers(world, index);
            if due {
                enter(world, index, Phase::Running);
                world.services.ecs.tasks[index].started = Some(now);
            }
        }
        Phase::Running => {
            run_containers(world, index);
            check_containers(world, index);
            if essential_exit(world, index) {
                stop::begin(
                    world,
                    index,
                    StopCode::EssentialContainerExited,
                    "Essential container in task exited".to_owned(),
                );
            }
        }
        Phase::Deactivating => {
            run_containers(world, index);
            if due {
                stop::terminate_containers(world, index);
            }
        }
        Phase::Stopping => {
            run_containers(world, index);
            let task = &world.services.ecs.tasks[index];
            if task
                .containers
                .iter()
                .all(|container| container.status == ContainerStatus::Stopped)
            {
                let until = now + Duration::from_secs(world.application_ids.between(8, 12));
                enter(world, index, Phase::Deprovisioning);
                let task = &mut world.services.ecs.tasks[index];
                task.execution_stopped = Some(now);
                task.until = until;
            }
        }
        Phase::Deprovisioning if due => {
            enter(world, index, Phase::Stopped);
            world.services.ecs.tasks[index].stopped = Some(now);
        }
        Phase::Provisioning | Phase::Pending | Phase::Deprovisioning | Phase::Stopped => {}
    }
}

pub(super) fn enter(world: &mut World, index: usize, phase: Phase) {
    let task = &mut world.services.ecs.tasks[index];
    task.phase = phase;
    task.version += 1;
}

/// The pull is over, one way or the other.
fn pulled(world: &mut World, index: usize) {
    let now = world.now;
    if let Some((reason, container)) = world.services.ecs.tasks[index].launch_failure.clone() {
        if let Some(container) = container {
            world.services.ecs.tasks[index].containers[container].reason = Some(reason.clone());
        }
        stop::begin(world, index, StopCode::TaskFailedToStart, reason);
        return;
    }
    let until = now + Duration::from_secs(world.application_ids.between(2, 4));
    world.services.ecs.tasks[index].pull_stopped = Some(now);
    launch::start(world, index);
    enter(world, index, Phase::Activating);
    let task = &mut world.services.ecs.tasks[index];
    task.until = until;
    for container in &mut task.containers {
        container.next_check = now + Duration::from_secs(30);
    }
    service::register_target(world, index);
}

fn essential_exit(world: &World, index: usize) -> bool {
    let task = &world.services.ecs.tasks[index];
    let definition = &world.services.ecs.definitions[task.definition];
    task.containers
        .iter()
        .zip(&definition.containers)
        .any(|(container, defined)| defined.essential && container.status == ContainerStatus::Stopped)
}

/// Lets every process of the task run up to now and hands its lines to the log driver.
fn run_containers(world: &mut World, index: usize) {
    let now = world.now;
    for position in 0..world.services.ecs.tasks[index].containers.len() {
        let container = &world.services.ecs.tasks[index].containers[position];
        if container.status != ContainerStatus::Running {
            continue;
        }
        let dying = container.dies.filter(|(at, _)| *at <= now);
        let due = container
            .process
            .as_ref()
            .is_some_and(|process| process.is_due(now));
        let flush = container
            .unflushed
            .first()
            .is_some_and(|(at, _)| *at + FLUSH_EVERY <= now);
        if due {
            let around = surroundings(world, &world.services.ecs.tasks[index]);
            let container = &mut world.services.ecs.tasks[index].containers[position];
            let Some(mut process) = container.process.take() else {
                continue;
            };
            let progress = process.run(world, &around);
            let container = &mut world.services.ecs.tasks[index].containers[position];
            container.process = Some(process);
            container.unflushed.extend(progress.lines);
            if let Some((_, status)) = progress.exit {
                exit(world, index, position, status);
                continue;
            }
        }
        if let Some((_, status)) = dying {
            exit(world, index, position, status);
        } else if flush {
            let lag = world.application_ids.between(300, 1_200);
            flush_lines(world, index, position, now + Duration::from_millis(lag));
        }
    }
}

/// A container's first process is gone. The driver delivers its last lines a little later; when its log
/// stream still has to be created, that takes longer, and the stream appears with them.
fn exit(world: &mut World, index: usize, position: usize, status: i32) {
    let now = world.now;
    let container = &mut world.services.ecs.tasks[index].containers[position];
    container.status = ContainerStatus::Stopped;
    container.exit_code = Some(status);
    container.process = None;
    container.dies = None;
    let (group, stream) = stream(world, index, position);
    if logs::is_there(world, &group, &stream) {
        let lag = world.application_ids.between(1_500, 3_000);
        flush_lines(world, index, position, now + Duration::from_millis(lag));
    } else {
        let at = now + Duration::from_millis(world.application_ids.between(17_000, 21_000));
        logs::open(world, &group, &stream, at);
        flush_lines(world, index, position, at);
    }
}

fn flush_lines(world: &mut World, index: usize, position: usize, ingested: SimTime) {
    let task = &mut world.services.ecs.tasks[index];
    let lines = std::mem::take(&mut task.containers[position].unflushed);
    if lines.is_empty() {
        return;
    }
    let (group, stream) = stream(world, index, position);
    for (at, line) in lines {
        logs::ingest(world, &group, &stream, at, ingested, &line);
    }
}

/// The log group and stream of a container: `<prefix>/<container>/<task id>`.
pub(super) fn stream(world: &World, index: usize, position: usize) -> (String, String) {
    let task = &world.services.ecs.tasks[index];
    let defined = &world.services.ecs.definitions[task.definition].containers[position];
    let stream = format!("{}/{}/{}", defined.stream_prefix, defined.name, task.id);
    (defined.log_group.clone(), stream)
}

/// The container's position by name.
pub(super) fn position(world: &World, task: &Task, name: &str) -> Option<usize> {
    world.services.ecs.definitions[task.definition]
        .containers
        .iter()
        .position(|defined| defined.name == name)
}

/// Whether php-fpm of the task serves and lets nginx connect.
fn php_listens(world: &World, task: &Task) -> bool {
    position(world, task, "php-fpm").is_some_and(|position| {
        matches!(&task.containers[position].process,
            Some(Process::Daemon(daemon)) if daemon.kind() == Kind::PhpFpm)
    }) && !in_force(world, Scenario::Backend502)
}

fn surroundings(world: &World, task: &Task) -> Surroundings {
    let serves = task.service.as_ref().is_some_and(|(service, _)| {
        service::target_group(world, service)
            .and_then(|group| elb::health(world, group, &task.interface.ip))
            .is_some_and(|health| *health != elb::Health::Draining)
            && elb::serves_zone(world, &task.interface.zone)
    });
    Surroundings {
        serves,
        php_listens: php_listens(world, task),
        ip: task.interface.ip.clone(),
    }
}

/// What a client meets that sends the task a request for its health check path.
pub(super) fn answers(world: &World, task: &Task) -> Result<(), Failure> {
    let definition = &world.services.ecs.definitions[task.definition];
    let listening = task
        .containers
        .iter()
        .zip(&definition.containers)
        .any(|(container, defined)| {
            defined.port.is_some()
                && container.status == ContainerStatus::Running
                && matches!(container.process, Some(Process::Daemon(_)))
        });
    if !listening {
        Err(Failure::Refused)
    } else if warms_up(world, task) {
        Err(Failure::Code(503))
    } else if position(world, task, "php-fpm").is_some() && !php_listens(world, task) {
        Err(Failure::Code(502))
    } else {
        Ok(())
    }
}

/// How long a new backend task needs before it answers, in the scenario of that name: less than its service's grace
/// period of 300 s.
const SLOW: Duration = Duration::from_secs(240);

fn warms_up(world: &World, task: &Task) -> bool {
    in_force(world, Scenario::SlowHealth)
        && position(world, task, "php-fpm").is_some()
        && task.started.is_none_or(|started| world.now < started + SLOW)
}

/// Container health checks that are due.
fn check_containers(world: &mut World, index: usize) {
    let now = world.now;
    for position in 0..world.services.ecs.tasks[index].containers.len() {
        let task = &world.services.ecs.tasks[index];
        let container = &task.containers[position];
        if container.next_check > now || container.status != ContainerStatus::Running {
            continue;
        }
        let Some(check) = &world.services.ecs.definitions[task.definition].containers[position].health_check
        else {
            world.services.ecs.tasks[index].containers[position].next_check =
                now + Duration::from_secs(86_400);
            continue;
        };
        let (interval, retries) = (check.interval, check.retries);
        let grace = container
            .started
            .map(|started| started + Duration::from_secs(u64::from(check.start_period)));
        let passed = answers(world, task).is_ok();
        let container = &mut world.services.ecs.tasks[index].containers[position];
        container.next_check = now + Duration::from_secs(u64::from(interval));
        if passed {
            container.failed_checks = 0;
            container.health = Health::Healthy;
        } else if grace.is_some_and(|grace| now > grace) {
            container.failed_checks += 1;
            if container.failed_checks >= retries {
                container.health = Health::Unhealthy;
            }
        }
    }
}
