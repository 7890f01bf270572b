//! Why a task of a deployment stopped, by the container that ended it. Pure.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::aws::ecs::{Container, Registered, Task};
use crate::error::{CommandLine, Hint};
use crate::tasks::stop_reason::{of_exit_code, recognize, remedy};
use crate::tasks::{Blame, LogPlace, blame};

/// The containers of a task definition: which end the task, and where their lines are.
#[derive(Clone, Debug, Default)]
pub(crate) struct ContainerPlaces {
    pub(crate) essential: Vec<String>,
    pub(crate) logs: BTreeMap<String, LogPlace>,
}

impl ContainerPlaces {
    pub(crate) fn of(definition: &Registered) -> Self {
        let containers = definition.containers();
        let place = |logs: &crate::aws::ecs::definitions::AwsLogs| {
            Some(LogPlace {
                group: logs.group.clone(),
                prefix: logs.stream_prefix.clone()?,
            })
        };
        Self {
            logs: containers
                .iter()
                .filter_map(|container| Some((container.name.clone(), place(container.logs.as_ref()?)?)))
                .collect(),
            essential: containers
                .into_iter()
                .filter(|container| container.essential)
                .map(|container| container.name)
                .collect(),
        }
    }
}

/// A task of a deployment that stopped, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct StoppedTask {
    pub(crate) task: String,
    /// Whether it counts against the deployment; a task that an operator or AWS took away does not.
    pub(crate) failed: bool,
    /// A clause: "php-fpm exited with 78".
    pub(crate) what: String,
    /// The container that ended the task, or that could not be started.
    pub(crate) container: Option<String>,
    pub(crate) exit_code: Option<i32>,
    pub(crate) stop_code: Option<String>,
    pub(crate) stopped_reason: Option<String>,
    pub(crate) containers: Vec<Container>,
    /// The last lines of the containers that matter, each with its container in front.
    pub(crate) lines: Vec<String>,
    #[serde(skip)]
    pub(crate) hint: Option<Hint>,
}

/// What became of a task that is to stop; `None` while that is not certain yet, and for one that ECS replaced or no
/// longer needed.
pub(super) fn classify(task: &Task, places: &ContainerPlaces, again: &CommandLine) -> Option<StoppedTask> {
    let code = task.stop_code.as_deref();
    let reason = task.stopped_reason.as_deref().unwrap_or_default();
    let told = |failed: bool, what: String, hint: Option<Hint>| StoppedTask {
        task: task.id().to_owned(),
        failed,
        what,
        container: None,
        exit_code: None,
        stop_code: task.stop_code.clone(),
        stopped_reason: task.stopped_reason.clone(),
        containers: task.containers.clone(),
        lines: Vec::new(),
        hint,
    };
    match code {
        Some("TaskFailedToStart") => Some(never_started(task, reason, again, told)),
        Some("EssentialContainerExited") => exited(task, places, again, told),
        Some("UserInitiated") => Some(told(false, format!("somebody stopped it: {reason}"), None)),
        Some("SpotInterruption" | "TerminationNotice") => {
            Some(told(false, format!("AWS took the capacity back: {reason}"), None))
        }
        Some("ServiceSchedulerInitiated") => unhealthy(reason).map(|what| {
            let hint = Hint::new("look at the lines of its containers: it started and does not answer");
            told(true, what.to_owned(), Some(hint))
        }),
        Some(other) => Some(told(true, format!("{other}: {reason}"), None)),
        None => None,
    }
}

/// What a reason of the service's scheduler says, if it is no matter of size ("Amazon ECS service event messages").
fn unhealthy(reason: &str) -> Option<&'static str> {
    if reason.contains("failed ELB health checks") {
        Some("it failed the load balancer's health checks")
    } else if reason.contains("failed container health checks") {
        Some("it failed its containers' health checks")
    } else {
        None
    }
}

fn never_started(
    task: &Task,
    reason: &str,
    again: &CommandLine,
    told: impl Fn(bool, String, Option<Hint>) -> StoppedTask,
) -> StoppedTask {
    let concerned = task
        .containers
        .iter()
        .find(|container| container.reason.is_some());
    let said = concerned
        .and_then(|container| container.reason.clone())
        .unwrap_or_default();
    let text = format!("{reason}\n{said}");
    let known = recognize(&text);
    let what = match known {
        Some(known) => format!("it never started: {}", known.what()),
        None => format!("it never started: {reason}"),
    };
    let hint = known.map(|known| remedy(known, &text, again));
    StoppedTask {
        container: concerned.map(|container| container.name.clone()),
        ..told(true, what, hint)
    }
}

fn exited(
    task: &Task,
    places: &ContainerPlaces,
    again: &CommandLine,
    told: impl Fn(bool, String, Option<Hint>) -> StoppedTask,
) -> Option<StoppedTask> {
    let found = blame(task, |name| {
        places.essential.iter().any(|essential| essential == name)
    });
    let over = task.is_stopped() || task.execution_stopped.is_some();
    match found {
        // While the others are still being stopped, only a failure of its own is certain.
        Some(Blame::Exited(_, 0 | 137 | 143)) | None if !over => None,
        Some(Blame::OutOfMemory(container)) => Some(StoppedTask {
            container: Some(container.name.clone()),
            exit_code: container.exit_code,
            ..told(true, format!("{} ran out of memory", container.name), None)
        }),
        Some(Blame::Exited(container, code)) => {
            let meaning = of_exit_code(code, container.reason.as_deref().unwrap_or_default(), again);
            Some(StoppedTask {
                container: Some(container.name.clone()),
                exit_code: Some(code),
                ..told(
                    true,
                    format!("{} exited with {code}", container.name),
                    meaning.map(|(_, hint)| hint),
                )
            })
        }
        None => Some(told(true, "an essential container exited".to_owned(), None)),
    }
}

impl StoppedTask {
    /// The containers whose lines tell why: the one to blame, otherwise all that end the task.
    pub(super) fn telling<'a>(&'a self, places: &'a ContainerPlaces) -> Vec<&'a str> {
        match &self.container {
            Some(container) => vec![container],
            None => places.essential.iter().map(String::as_str).collect(),
        }
    }

    /// Whether a container of it ever ran.
    pub(super) fn has_run(&self) -> bool {
        self.failed && self.stop_code.as_deref() != Some("TaskFailedToStart")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places() -> ContainerPlaces {
        ContainerPlaces {
            essential: vec!["nginx".to_owned(), "php-fpm".to_owned()],
            logs: BTreeMap::new(),
        }
    }

    fn task(code: &str, reason: &str, exits: &[(&str, Option<i32>, Option<&str>)]) -> Task {
        Task {
            arn: "arn:aws:ecs:us-east-1:123456789012:task/bp/0af".to_owned(),
            stop_code: Some(code.to_owned()),
            stopped_reason: Some(reason.to_owned()),
            state: "STOPPING".to_owned(),
            containers: exits
                .iter()
                .map(|(name, exit_code, reason)| Container {
                    name: (*name).to_owned(),
                    exit_code: *exit_code,
                    reason: reason.map(str::to_owned),
                    ..Container::default()
                })
                .collect(),
            ..Task::default()
        }
    }

    fn told(task: &Task) -> Option<StoppedTask> {
        classify(task, &places(), &CommandLine::bpctl(["deploy"]))
    }

    #[test]
    fn the_container_that_failed_is_named_while_the_others_are_still_stopping() {
        let exits = [
            ("nginx", None, None),
            ("php-fpm", Some(78), None),
            ("scheduler", None, None),
        ];
        let found = told(&task(
            "EssentialContainerExited",
            "Essential container in task exited",
            &exits,
        ))
        .unwrap();
        assert_eq!(
            (found.what.as_str(), found.container.as_deref(), found.exit_code),
            ("php-fpm exited with 78", Some("php-fpm"), Some(78))
        );
        // Told to stop or ended by itself? AWS does not say yet.
        let exits = [("nginx", Some(0), None), ("php-fpm", None, None)];
        let mut early = task(
            "EssentialContainerExited",
            "Essential container in task exited",
            &exits,
        );
        assert_eq!(told(&early), None);
        early.state = "STOPPED".to_owned();
        assert_eq!(told(&early).unwrap().what, "nginx exited with 0");
    }

    #[test]
    fn what_keeps_a_task_from_starting_is_told_with_its_container() {
        let pull = "CannotPullContainerError: failed to resolve ref 1.dkr.ecr.us-east-1.amazonaws.com/bp-backend:php-0af: not found";
        let found = told(&task(
            "TaskFailedToStart",
            pull,
            &[("nginx", None, None), ("php-fpm", None, Some(pull))],
        ))
        .unwrap();
        assert_eq!(found.what, "it never started: the image is not in the registry");
        assert_eq!(found.container.as_deref(), Some("php-fpm"));
        assert!(found.failed && !found.has_run() && found.hint.is_some());
        let odd = told(&task("TaskFailedToStart", "Something new", &[])).unwrap();
        assert_eq!(odd.what, "it never started: Something new");
    }

    #[test]
    fn a_task_stopped_by_ecs_or_an_operator_is_no_failure_of_the_deployment() {
        let scaled = task(
            "ServiceSchedulerInitiated",
            "Scaling activity initiated by (deployment ecs-svc/1)",
            &[],
        );
        assert_eq!(told(&scaled), None);
        for code in ["UserInitiated", "SpotInterruption"] {
            assert!(!told(&task(code, "x", &[])).unwrap().failed, "{code}");
        }
        let sick = task(
            "ServiceSchedulerInitiated",
            "Task failed ELB health checks in (target-group x)",
            &[],
        );
        let sick = told(&sick).unwrap();
        assert!(sick.failed && sick.what.contains("load balancer"));
        assert_eq!(sick.telling(&places()), ["nginx", "php-fpm"]);
    }

    #[test]
    fn memory_is_named_with_ecs_own_word() {
        let exits = [(
            "php-fpm",
            Some(137),
            Some("OutOfMemoryError: Container killed due to memory usage"),
        )];
        let mut killed = task(
            "EssentialContainerExited",
            "Essential container in task exited",
            &exits,
        );
        killed.state = "STOPPED".to_owned();
        assert_eq!(told(&killed).unwrap().what, "php-fpm ran out of memory");
    }
}
