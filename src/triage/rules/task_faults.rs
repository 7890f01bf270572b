//! Why tasks stopped, from what ECS says about them.

use jiff::Timestamp;

use super::memory;
use crate::aws::ecs::{Container, short};
use crate::layout::App;
use crate::tasks::stop_reason::{Stage, StopReason, recognize};
use crate::tasks::{Blame, blame};
use crate::triage::snapshot::{Snapshot, Task, TaskFault};
use crate::triage::wording::minutes_since;

/// After so many minutes a task that stopped in a service which is whole again is history.
const FORGOTTEN_AFTER: i64 = 15;

/// What ended a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Diagnosis {
    pub(super) fault: TaskFault,
    /// The container that failed, when it was one and is known.
    pub(super) container: Option<String>,
    pub(super) exit_code: Option<i32>,
    /// ECS's own words.
    pub(super) text: String,
    /// The cause that these words name.
    pub(super) reason: Option<StopReason>,
    /// What shows the fault where ECS has no word for it.
    pub(super) proof: Option<String>,
}

/// What ended a stopped task (ECS Developer Guide, "Stopped tasks error messages"); `None` when it
/// ended as it should or because an operator or ECS wanted it to.
pub(super) fn diagnose(task: &Task) -> Option<Diagnosis> {
    task.stopped?;
    let blamed = blame(task, |name| task.is_essential(name));
    let text = words(task, blamed);
    let code = task.stop_code.as_deref().unwrap_or_default();
    let stopped = task.stopped_reason.as_deref().unwrap_or_default();
    if let Some(Blame::OutOfMemory(container)) = blamed {
        return Some(of_container(TaskFault::Memory, container, &text));
    }
    if stopped.contains("OutOfMemory") {
        return Some(of_task(TaskFault::Memory, task, &text));
    }
    if matches!(code, "SpotInterruption" | "TerminationNotice") {
        return Some(of_task(TaskFault::Capacity, task, &text));
    }
    if text.contains("health checks") || stopped.contains("health checks") {
        return Some(of_task(TaskFault::Health, task, &text));
    }
    if let Some(reason) = recognize(&text).or_else(|| recognize(stopped)) {
        return Some(Diagnosis {
            reason: Some(reason),
            ..of_task(fault_of(reason), task, &text)
        });
    }
    if code == "TaskFailedToStart" {
        return Some(of_task(TaskFault::Initialization, task, &text));
    }
    if code != "EssentialContainerExited" {
        return None;
    }
    match blamed {
        Some(Blame::Exited(container, status)) => {
            // A one-off task is over when its command is; a service's task never should be.
            let ended_well = status == 0 && task.service.is_none();
            (!ended_well).then(|| of_container(TaskFault::Crash, container, &text))
        }
        _ if task.service.is_none() => None,
        _ => Some(Diagnosis {
            fault: TaskFault::Crash,
            container: None,
            exit_code: None,
            text: exits(task, &text),
            reason: None,
            proof: None,
        }),
    }
}

fn fault_of(reason: StopReason) -> TaskFault {
    match reason.stage() {
        Stage::Image => TaskFault::Pull,
        Stage::Capacity => TaskFault::Capacity,
        Stage::Secrets | Stage::Logger | Stage::Network | Stage::Resources => TaskFault::Initialization,
        Stage::Container if reason == StopReason::OutOfMemory => TaskFault::Memory,
        Stage::Container => TaskFault::Initialization,
    }
}

/// A kill without a word of ECS is want of memory where the memory was used up.
fn proven(snapshot: &Snapshot, app: App, task: &Task, diagnosis: Diagnosis) -> Diagnosis {
    if diagnosis.fault != TaskFault::Crash {
        return diagnosis;
    }
    let killed = |container: &&Container| {
        container.exit_code == Some(memory::KILLED) && task.is_essential(&container.name)
    };
    let suspect = match &diagnosis.container {
        Some(name) => task.container(name).filter(killed),
        None => task.containers.iter().find(killed),
    };
    let proof = suspect.and_then(|_| memory::at_limit(snapshot, app, task));
    match (suspect, proof) {
        (Some(suspect), Some(proof)) => Diagnosis {
            proof: Some(proof),
            ..of_container(TaskFault::Memory, suspect, &diagnosis.text)
        },
        _ => diagnosis,
    }
}

/// ECS's words about the container that ended the task, else about any that has some, else about the task.
fn words(task: &Task, blamed: Option<Blame<'_>>) -> String {
    let said = |container: &Container| container.reason.clone().filter(|reason| !reason.is_empty());
    let of_any = || {
        let able = task
            .containers
            .iter()
            .filter(|container| container.exit_code.is_none() || task.is_essential(&container.name));
        able.filter_map(said).next()
    };
    blamed
        .and_then(|blamed| said(blamed.container()))
        .or_else(of_any)
        .or_else(|| task.stopped_reason.clone())
        .unwrap_or_default()
}

fn of_container(fault: TaskFault, container: &Container, text: &str) -> Diagnosis {
    Diagnosis {
        fault,
        container: Some(container.name.clone()),
        exit_code: container.exit_code,
        text: text.to_owned(),
        reason: None,
        proof: None,
    }
}

/// A container that was told to stop and did is not to blame: only one that ECS speaks of is named.
fn of_task(fault: TaskFault, task: &Task, text: &str) -> Diagnosis {
    let named = task
        .containers
        .iter()
        .find(|container| container.reason.as_deref() == Some(text));
    match named {
        Some(container) => of_container(fault, container, text),
        None => Diagnosis {
            fault,
            container: None,
            exit_code: None,
            text: text.to_owned(),
            reason: None,
            proof: None,
        },
    }
}

/// Which container ended the task cannot be told; all exit codes can.
fn exits(task: &Task, text: &str) -> String {
    let exits: Vec<String> = task
        .containers
        .iter()
        .map(|container| {
            let code = container.exit_code;
            let code = code.map_or_else(|| "not known".to_owned(), |code| code.to_string());
            format!("{} {code}", container.name)
        })
        .collect();
    format!("{text} (exit codes: {})", exits.join(", "))
}

/// The app whose task definition a task runs.
pub(super) fn app_of(snapshot: &Snapshot, task: &Task) -> Option<App> {
    let family = short(&task.definition).split(':').next().unwrap_or_default();
    task.service.or_else(|| {
        [App::Backend, App::Frontend]
            .into_iter()
            .find(|app| snapshot.layout.task_family(*app) == family)
    })
}

/// The stopped tasks of an app that still matter, newest first: those of a deployment that is still
/// there while the service is not whole, and what stopped within the last minutes.
pub(super) fn current(snapshot: &Snapshot, now: Timestamp, app: App) -> Vec<(&Task, Diagnosis)> {
    let service = snapshot.service(app);
    let whole = service.is_none_or(super::services::is_whole);
    let short = service.is_some_and(|service| service.running < service.desired);
    let mut found: Vec<(&Task, Diagnosis)> = snapshot
        .tasks
        .iter()
        .flatten()
        .filter(|task| app_of(snapshot, task) == Some(app))
        .filter(|task| {
            let recent = task
                .stopped
                .is_some_and(|at| minutes_since(now, at) <= FORGOTTEN_AFTER);
            match (task.service, service) {
                (None, _) | (_, None) => recent,
                (Some(_), Some(service)) => {
                    let lives = service
                        .deployments
                        .iter()
                        .any(|deployment| Some(deployment.id.as_str()) == task.started_by.as_deref());
                    lives && (recent || !whole)
                }
            }
        })
        .filter_map(|task| diagnose(task).map(|diagnosis| (task, proven(snapshot, app, task, diagnosis))))
        .filter(|(task, diagnosis)| match diagnosis.fault {
            // Spot takes tasks back every day; it is a fault only while the place stays empty.
            TaskFault::Capacity => short && task.service.is_some(),
            // What a one-off task's command ends with is the business of the operator who started it.
            TaskFault::Crash => task.service.is_some(),
            _ => true,
        })
        .collect();
    found.sort_by_key(|(task, _)| std::cmp::Reverse(task.stopped));
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::triage::rules::sample;

    fn fault(task: &Task) -> Option<TaskFault> {
        diagnose(task).map(|diagnosis| diagnosis.fault)
    }

    #[test]
    fn reasons_become_faults() {
        for (code, reason, expected) in [
            (
                "TaskFailedToStart",
                "CannotPullContainerError: pull image manifest has been retried 7 time(s)",
                Some(TaskFault::Pull),
            ),
            (
                "TaskFailedToStart",
                "ResourceInitializationError: unable to pull secrets or registry auth",
                Some(TaskFault::Initialization),
            ),
            (
                "TaskFailedToStart",
                "CannotStartContainerError: no such file",
                Some(TaskFault::Initialization),
            ),
            (
                "TaskFailedToStart",
                "Capacity is unavailable at this time. Please try again later",
                Some(TaskFault::Capacity),
            ),
            (
                "SpotInterruption",
                "Your Spot Task was interrupted.",
                Some(TaskFault::Capacity),
            ),
            (
                "ServiceSchedulerInitiated",
                "Task failed ELB health checks in (target-group arn)",
                Some(TaskFault::Health),
            ),
            (
                "ServiceSchedulerInitiated",
                "Scaling activity initiated by (deployment ecs-svc/1)",
                None,
            ),
            ("UserInitiated", "Task stopped by user", None),
        ] {
            let mut task = sample::task("a", App::Backend);
            task.ecs.stop_code = Some(code.to_owned());
            task.ecs.stopped_reason = Some(reason.to_owned());
            assert_eq!(fault(&task), expected, "{reason}");
        }
    }

    #[test]
    fn exits_become_faults() {
        for (status, expected) in [
            (1, Some(TaskFault::Crash)),
            (0, Some(TaskFault::Crash)),
            // ECS does not say that memory ran out.
            (137, Some(TaskFault::Crash)),
        ] {
            let task = sample::exited("a", App::Backend, "php-fpm", status);
            assert_eq!(fault(&task), expected, "{status}");
        }
        let mut memory = sample::exited("a", App::Backend, "php-fpm", 137);
        memory.ecs.containers[0].reason =
            Some("OutOfMemoryError: Container killed due to memory usage".to_owned());
        assert_eq!(fault(&memory), Some(TaskFault::Memory));
        let mut one_off = sample::exited("a", App::Backend, "php-fpm", 0);
        one_off.service = None;
        assert_eq!(fault(&one_off), None);
    }

    #[test]
    fn the_container_that_failed_is_not_the_one_that_was_told_to_stop() {
        let mut task = sample::exited("a", App::Backend, "php-fpm", 255);
        let containers = &mut task.ecs.containers;
        containers.insert(0, sample::container("scheduler", Some(143)));
        containers.insert(0, sample::container("nginx", Some(137)));
        let diagnosis = diagnose(&task).unwrap();
        assert_eq!(
            (diagnosis.container.as_deref(), diagnosis.exit_code),
            (Some("php-fpm"), Some(255))
        );
    }

    #[test]
    fn a_sidecar_that_was_killed_at_the_stop_is_neither_to_blame_nor_out_of_memory() {
        let mut task = sample::exited("a", App::Backend, "nginx", 0);
        task.essential = Some(vec!["nginx".to_owned(), "php-fpm".to_owned()]);
        let containers = &mut task.ecs.containers;
        containers.push(sample::container("php-fpm", Some(0)));
        containers.push(sample::container("scheduler", Some(137)));
        containers.push(sample::container("queue-worker", Some(137)));
        let diagnosis = diagnose(&task).unwrap();
        assert_eq!((diagnosis.fault, diagnosis.container), (TaskFault::Crash, None));
        assert!(
            diagnosis.text.contains("nginx 0, php-fpm 0, scheduler 137"),
            "{}",
            diagnosis.text
        );
        task.ecs.containers.reverse();
        task.ecs.containers[2].exit_code = Some(255);
        let diagnosis = diagnose(&task).unwrap();
        assert_eq!(
            (diagnosis.container.as_deref(), diagnosis.exit_code),
            (Some("php-fpm"), Some(255))
        );
    }

    #[test]
    fn the_cause_is_the_one_that_the_message_names() {
        let mut task = sample::task("a", App::Backend);
        task.ecs.stop_code = Some("TaskFailedToStart".to_owned());
        task.ecs.started = None;
        let mut with = |reason: &str| {
            task.ecs.stopped_reason = Some(reason.to_owned());
            let diagnosis = diagnose(&task).unwrap();
            (diagnosis.fault, diagnosis.reason)
        };
        assert_eq!(
            with(
                "ResourceInitializationError: failed to validate logger args: There is a connection issue between the task and Amazon CloudWatch."
            ),
            (TaskFault::Initialization, Some(StopReason::LoggerUnreachable))
        );
        assert_eq!(
            with("You've reached the limit on the number of vCPUs you can run concurrently"),
            (TaskFault::Capacity, Some(StopReason::Quota))
        );
        assert_eq!(with("something new"), (TaskFault::Initialization, None));
    }

    #[test]
    fn spot_interruptions_of_a_whole_service_are_no_fault() {
        let mut snapshot = sample::healthy();
        let mut task = sample::task("a", App::Backend);
        task.ecs.stop_code = Some("SpotInterruption".to_owned());
        snapshot.tasks.as_mut().unwrap().push(task);
        assert!(current(&snapshot, sample::now(), App::Backend).is_empty());
        sample::service_mut(&mut snapshot, App::Backend).running = 1;
        assert_eq!(current(&snapshot, sample::now(), App::Backend).len(), 1);
    }

    #[test]
    fn tasks_of_gone_deployments_are_history() {
        let mut snapshot = sample::healthy();
        let mut task = sample::exited("a", App::Backend, "php-fpm", 255);
        task.ecs.started_by = Some("ecs-svc/0000".to_owned());
        snapshot.tasks.as_mut().unwrap().push(task);
        assert!(current(&snapshot, sample::now(), App::Backend).is_empty());
    }
}
