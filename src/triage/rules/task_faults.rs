//! Why tasks stopped, from what ECS says about them.

use jiff::Timestamp;

use crate::layout::App;
use crate::triage::snapshot::{Container, Snapshot, Task, TaskFault};
use crate::triage::wording::minutes_since;

/// After so many minutes a task that stopped in a service which is whole again is history.
const FORGOTTEN_AFTER: i64 = 15;
/// 128 + SIGKILL: the kernel's answer to a container above its memory limit.
const KILLED: i32 = 137;

/// What ended a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Diagnosis {
    pub(super) fault: TaskFault,
    /// The container that failed, when it was one.
    pub(super) container: Option<String>,
    pub(super) exit_code: Option<i32>,
    /// ECS's own words.
    pub(super) text: String,
}

/// What ended a stopped task (ECS Developer Guide, "Stopped tasks error messages"); `None` when it
/// ended as it should or because somebody wanted it to.
pub(super) fn diagnose(task: &Task) -> Option<Diagnosis> {
    task.stopped?;
    let failed = failed_container(task);
    let text = failed
        .map(|container| container.reason.as_str())
        .filter(|reason| !reason.is_empty())
        .unwrap_or(&task.stopped_reason);
    let found = |fault| {
        // A container that was told to stop and did is not to blame.
        let blamed = failed.filter(|container| {
            matches!(fault, TaskFault::Crash | TaskFault::Memory) || !container.reason.is_empty()
        });
        Some(Diagnosis {
            fault,
            container: blamed.map(|container| container.name.clone()),
            exit_code: blamed.and_then(|container| container.exit_code),
            text: text.to_owned(),
        })
    };
    let says = |sign: &str| text.contains(sign) || task.stopped_reason.contains(sign);
    let code = task.stop_code.as_deref().unwrap_or_default();
    if says("CannotPull") || says("ImagePull") {
        return found(TaskFault::Pull);
    }
    if says("OutOfMemory") {
        return found(TaskFault::Memory);
    }
    if says("Capacity is unavailable") || matches!(code, "SpotInterruption" | "TerminationNotice") {
        return found(TaskFault::Capacity);
    }
    if says("health checks") {
        return found(TaskFault::Health);
    }
    if says("ResourceInitializationError") || code == "TaskFailedToStart" {
        return found(TaskFault::Initialization);
    }
    if code != "EssentialContainerExited" {
        return None;
    }
    let status = failed.and_then(|container| container.exit_code);
    match status {
        Some(KILLED) => found(TaskFault::Memory),
        // A one-off task is over when its command is; a service's task never should be.
        Some(0) | None if task.service.is_none() => None,
        _ => found(TaskFault::Crash),
    }
}

/// The container that took the task down: one with a reason of its own, else one that exited by itself.
/// The others are stopped along with it: 143, or 137 when they do not listen.
fn failed_container(task: &Task) -> Option<&Container> {
    const TERMINATED: i32 = 143;
    let exited = |wanted: fn(i32) -> bool| {
        task.containers
            .iter()
            .find(move |container| container.exit_code.is_some_and(wanted))
    };
    task.containers
        .iter()
        .find(|container| !container.reason.is_empty())
        .or_else(|| exited(|code| !matches!(code, 0 | KILLED | TERMINATED)))
        .or_else(|| exited(|code| code == KILLED))
        .or_else(|| exited(|code| code == 0))
}

/// The app whose task definition a task runs.
pub(super) fn app_of(snapshot: &Snapshot, task: &Task) -> Option<App> {
    let family = task.definition.split(':').next().unwrap_or_default();
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
                        .any(|deployment| deployment.id == task.started_by);
                    lives && (recent || !whole)
                }
            }
        })
        .filter_map(|task| diagnose(task).map(|diagnosis| (task, diagnosis)))
        .filter(|(task, diagnosis)| match diagnosis.fault {
            // Spot takes tasks back every day; it is a fault only while the place stays empty.
            TaskFault::Capacity => short && task.service.is_some(),
            // What a one-off task's command ends with is the business of whoever started it.
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
            task.stop_code = Some(code.to_owned());
            task.stopped_reason = reason.to_owned();
            assert_eq!(fault(&task), expected, "{reason}");
        }
    }

    #[test]
    fn exits_become_faults() {
        for (status, expected) in [
            (1, Some(TaskFault::Crash)),
            (0, Some(TaskFault::Crash)),
            (137, Some(TaskFault::Memory)),
        ] {
            let task = sample::exited("a", App::Backend, "php-fpm", status);
            assert_eq!(fault(&task), expected, "{status}");
        }
        let mut one_off = sample::exited("a", App::Backend, "php-fpm", 0);
        one_off.service = None;
        assert_eq!(fault(&one_off), None);
    }

    #[test]
    fn the_container_that_failed_is_not_the_one_that_was_told_to_stop() {
        let mut task = sample::exited("a", App::Backend, "php-fpm", 255);
        task.containers
            .insert(0, sample::container("scheduler", Some(143)));
        task.containers.insert(0, sample::container("nginx", Some(137)));
        let diagnosis = diagnose(&task).unwrap();
        assert_eq!(
            (diagnosis.container.as_deref(), diagnosis.exit_code),
            (Some("php-fpm"), Some(255))
        );
    }

    #[test]
    fn spot_interruptions_of_a_whole_service_are_no_fault() {
        let mut snapshot = sample::healthy();
        let mut task = sample::task("a", App::Backend);
        task.stop_code = Some("SpotInterruption".to_owned());
        snapshot.tasks.as_mut().unwrap().push(task);
        assert!(current(&snapshot, sample::now(), App::Backend).is_empty());
        sample::service_mut(&mut snapshot, App::Backend).running = 1;
        assert_eq!(current(&snapshot, sample::now(), App::Backend).len(), 1);
    }

    #[test]
    fn tasks_of_gone_deployments_are_history() {
        let mut snapshot = sample::healthy();
        let mut task = sample::exited("a", App::Backend, "php-fpm", 255);
        task.started_by = "ecs-svc/0000".to_owned();
        snapshot.tasks.as_mut().unwrap().push(task);
        assert!(current(&snapshot, sample::now(), App::Backend).is_empty());
    }
}
