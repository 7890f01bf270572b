//! Stopped and waiting tasks: one finding per app and kind of fault.

use jiff::Timestamp;

use super::logs;
use super::services::{complaint, outside, said};
use super::task_faults::{Diagnosis, app_of, current};
use crate::error::CommandLine;
use crate::layout::App;
use crate::tasks::stop_reason::{StopReason, remedy};
use crate::triage::catalog::Code;
use crate::triage::commands;
use crate::triage::finding::{Finding, Node, Severity};
use crate::triage::snapshot::{Snapshot, Task, TaskFault};
use crate::triage::wording::{ago, at_or_unknown, count, minutes_since};

/// Log lines that a finding quotes.
const LINES: usize = 4;
/// An image pull takes up to two minutes with all its retries; after so many the wait is a finding.
const PENDING_FOR: i64 = 10;

pub(super) fn rule(snapshot: &Snapshot, now: Timestamp) -> Vec<Finding> {
    let mut findings = Vec::new();
    for app in [App::Backend, App::Frontend] {
        let faults = current(snapshot, now, app);
        let mut kinds: Vec<TaskFault> = faults.iter().map(|(_, diagnosis)| diagnosis.fault).collect();
        if short_of_capacity(snapshot, app) {
            kinds.push(TaskFault::Capacity);
        }
        kinds.sort_unstable();
        kinds.dedup();
        for kind in &kinds {
            let of_kind: Vec<&(&Task, Diagnosis)> = faults
                .iter()
                .filter(|(_, diagnosis)| diagnosis.fault == *kind)
                .collect();
            findings.push(finding(snapshot, now, app, *kind, &of_kind));
        }
        if kinds.is_empty() {
            findings.extend(pending(snapshot, now, app));
        }
    }
    findings
}

/// The service says that Fargate has no room, and has not been content since.
fn short_of_capacity(snapshot: &Snapshot, app: App) -> bool {
    snapshot.service(app).is_some_and(|service| {
        service.running < service.desired
            && complaint(service).is_some_and(|event| event.message.contains("Capacity is unavailable"))
    })
}

fn finding(
    snapshot: &Snapshot,
    now: Timestamp,
    app: App,
    kind: TaskFault,
    faults: &[&(&Task, Diagnosis)],
) -> Finding {
    let layout = &snapshot.layout;
    let code = match kind {
        TaskFault::Pull => Code::ImagePullFailed,
        TaskFault::Initialization => Code::TaskInitializationFailed,
        TaskFault::Capacity => Code::CapacityUnavailable,
        TaskFault::Memory => Code::OutOfMemory,
        TaskFault::Crash => Code::ContainerCrash,
        TaskFault::Health => Code::HealthChecksFail,
        TaskFault::Pending => Code::TasksPending,
    };
    let service = snapshot.service(app);
    let nothing_runs = service.is_some_and(|service| service.desired > 0 && service.running == 0);
    let short = service.is_some_and(|service| service.running < service.desired);
    let severity = if nothing_runs {
        Severity::P1
    } else {
        code.severity()
    };
    let mut finding = Finding::new(code, Node::Tasks(app, kind), layout.service(app))
        .severity(severity)
        .explains([Node::Service(app), Node::Deployment(app)]);
    // Until the next task serves, what comes for the killed one is answered with an error.
    if short || matches!(kind, TaskFault::Health | TaskFault::Memory) {
        finding = finding.explains(outside(app));
    }
    if matches!(
        kind,
        TaskFault::Pull | TaskFault::Initialization | TaskFault::Capacity
    ) && faults.iter().any(|(task, _)| task.service.is_none())
    {
        finding = finding.explains([Node::Migration]);
    }
    if let Some((task, diagnosis)) = faults.first() {
        finding = finding
            .evidence(format!(
                "{} stopped this way; the last one, `{}`, {}",
                count(faults.len(), "task"),
                task.id(),
                task.stopped.map_or_else(
                    || "at an unknown time".to_owned(),
                    |at| format!("{} ({})", at_or_unknown(Some(at)), ago(now, at))
                )
            ))
            .evidence(ending(diagnosis))
            .facts(diagnosis.proof.clone());
        finding = finding.facts(last_lines(snapshot, task));
    }
    if kind == TaskFault::Capacity
        && let Some(event) = service.and_then(complaint)
    {
        finding = finding.evidence(said(event, now));
    }
    finding = explain(snapshot, app, kind, faults, finding);
    if let Some((task, _)) = faults.first() {
        finding = finding.next(commands::task(task.id()));
    }
    finding.next(commands::service_events(app))
}

fn ending(diagnosis: &Diagnosis) -> String {
    let text = diagnosis.text.trim();
    match (&diagnosis.container, diagnosis.exit_code) {
        (Some(container), Some(status)) => format!("`{container}` exited with status {status}: {text}"),
        (Some(container), None) => format!("`{container}`: {text}"),
        (None, _) => text.to_owned(),
    }
}

/// The lines of a task's failed container that complain, or its last ones.
pub(super) fn last_lines(snapshot: &Snapshot, task: &Task) -> Vec<String> {
    let Ok(logs) = &snapshot.task_logs else {
        return Vec::new();
    };
    let lines = logs.get(task.id()).map(Vec::as_slice).unwrap_or_default();
    let complains = |line: &&String| logs::topic(line).is_some() || line.contains("SQLSTATE");
    let mut chosen: Vec<&String> = lines.iter().filter(complains).collect();
    if chosen.is_empty() {
        chosen = lines.iter().filter(|line| !line.trim().is_empty()).collect();
    }
    let skip = chosen.len().saturating_sub(LINES);
    chosen
        .into_iter()
        .skip(skip)
        .map(|line| format!("log: {}", logs::excerpt(line.trim())))
        .collect()
}

/// Cause and first commands by kind.
fn explain(
    snapshot: &Snapshot,
    app: App,
    kind: TaskFault,
    faults: &[&(&Task, Diagnosis)],
    finding: Finding,
) -> Finding {
    let reason = faults.first().and_then(|(_, diagnosis)| diagnosis.reason);
    let log = faults.first().and_then(|(task, diagnosis)| {
        let container = diagnosis.container.as_deref()?;
        Some(commands::container_log(container, task.id()))
    });
    match kind {
        TaskFault::Pull | TaskFault::Initialization | TaskFault::Capacity => {
            at_start(snapshot, app, kind, faults, reason, finding)
        }
        TaskFault::Memory => finding
            .cause(if faults.iter().all(|(_, diagnosis)| diagnosis.proof.is_some()) {
                "a container was killed while its task had used up its memory: the task definition gives it too little for what it does"
            } else {
                "ECS killed a container for its use of memory: the limit of the task definition is too small for what it does"
            })
            .maybe_next(log),
        TaskFault::Crash if log.is_none() => finding.cause(
            "an essential container ended, so ECS stopped its task; which one ended first cannot be told from the exit codes",
        ),
        TaskFault::Crash => finding
            .cause("an essential container ends by itself, so ECS stops its task; its last log lines say why")
            .maybe_next(log),
        TaskFault::Health => finding
            .cause("the containers run but do not answer their health check in time, so ECS replaces the tasks")
            .next(commands::matching_lines(app, "?ERROR ?error ?CRITICAL")),
        TaskFault::Pending => finding.cause(
            "no capacity, a slow image pull, or a security group without a way out to ECR and S3",
        ),
    }
}

/// Tasks that do not start: the cause is the one that the message names; without one the message is all
/// that is known.
fn at_start(
    snapshot: &Snapshot,
    app: App,
    kind: TaskFault,
    faults: &[&(&Task, Diagnosis)],
    reason: Option<StopReason>,
    finding: Finding,
) -> Finding {
    let layout = &snapshot.layout;
    match reason {
        Some(StopReason::ImageMissing | StopReason::ImageDenied | StopReason::PullFailed) => {
            let task = faults.first();
            let text = task.map(|(_, diagnosis)| diagnosis.text.as_str());
            let image = task.and_then(|(task, diagnosis)| {
                let named = |name: &String| Some(name) == diagnosis.container.as_ref();
                task.containers.iter().find(|container| named(&container.name))
            });
            let image = image.and_then(|container| container.image.as_deref());
            let texts = [text.unwrap_or_default(), image.unwrap_or_default()];
            let finding = super::images::explain_pull(snapshot, app, texts, finding);
            match reason {
                Some(StopReason::ImageDenied) => finding.cause(StopReason::ImageDenied.what()),
                _ => finding,
            }
        }
        Some(
            StopReason::RegistryUnreachable | StopReason::SecretsUnreachable | StopReason::LoggerUnreachable,
        ) => {
            let what = reason.map(StopReason::what).unwrap_or_default();
            finding
                .cause(format!(
                    "{what}: no way out through the NAT gateway, or the security group allows no outbound HTTPS"
                ))
                .next(commands::service_security_groups(layout, app))
        }
        Some(StopReason::NoCapacity) => no_capacity(snapshot, app, finding),
        Some(reason) => {
            let text = faults.first().map(|(_, diagnosis)| diagnosis.text.as_str());
            let again = CommandLine::bpctl(["triage"]);
            let remedy = remedy(reason, text.unwrap_or_default(), &again);
            // What is only words, or a look, helps here too; a second start is ECS' own business.
            let of_service = faults.iter().any(|(task, _)| task.service.is_some());
            let goes_on = if of_service { "; ECS goes on trying" } else { "" };
            let finding = finding.cause(format!("{}{goes_on}", reason.what()));
            if remedy.commands().next().is_none() {
                finding.next(remedy)
            } else {
                finding
            }
        }
        None if kind == TaskFault::Capacity => no_capacity(snapshot, app, finding),
        None => finding.cause("ECS names the reason in words that are not known here: see the message above"),
    }
}

fn no_capacity(snapshot: &Snapshot, app: App, mut finding: Finding) -> Finding {
    let providers = snapshot
        .service(app)
        .map_or(&[][..], |service| service.providers.as_slice());
    let spot_alone = !providers.is_empty() && providers.iter().all(|name| name == "FARGATE_SPOT");
    if spot_alone {
        finding =
            finding.evidence("the service runs on FARGATE_SPOT alone: no on-demand task takes the place");
    }
    finding
        .cause(if spot_alone {
            "the service is on Spot alone, and Fargate Spot has no room in the subnets' zones: it stays short until Spot returns or the service may use on-demand capacity as well"
        } else {
            "Fargate Spot has no room in the subnets' zones; ECS tries again by itself, on-demand capacity has to be asked for"
        })
        .next(commands::redeploy_on_demand(&snapshot.layout, app))
}

impl Finding {
    /// A next command, when there is one.
    fn maybe_next(self, command: Option<CommandLine>) -> Self {
        match command {
            Some(command) => self.next(command),
            None => self,
        }
    }
}

/// Tasks that neither start nor fail.
fn pending(snapshot: &Snapshot, now: Timestamp, app: App) -> Option<Finding> {
    let layout = &snapshot.layout;
    let waiting: Vec<&Task> = snapshot
        .tasks
        .iter()
        .flatten()
        .filter(|task| app_of(snapshot, task) == Some(app))
        .filter(|task| {
            matches!(task.state.as_str(), "PROVISIONING" | "PENDING" | "ACTIVATING")
                && task
                    .created
                    .is_some_and(|created| minutes_since(now, created) >= PENDING_FOR)
        })
        .collect();
    let deployment = snapshot.service(app).and_then(|service| {
        service.deployments.iter().find(|deployment| {
            deployment.pending > 0
                && deployment.rollout_state.as_deref() == Some("IN_PROGRESS")
                && deployment
                    .created
                    .is_some_and(|created| minutes_since(now, created) >= PENDING_FOR)
                && deployment.running == 0
        })
    });
    if waiting.is_empty() && deployment.is_none() {
        return None;
    }
    let mut finding = Finding::new(
        Code::TasksPending,
        Node::Tasks(app, TaskFault::Pending),
        layout.service(app),
    )
    .explains([Node::Service(app), Node::Deployment(app)]);
    for task in waiting.iter().take(LINES) {
        finding = finding.evidence(format!(
            "task `{}` is {} since {}",
            task.id(),
            task.state,
            at_or_unknown(task.created)
        ));
    }
    if let Some(deployment) = deployment {
        finding = finding.evidence(format!(
            "deployment `{}` of {} has {} pending and none running",
            deployment.id,
            at_or_unknown(deployment.created),
            count(usize::try_from(deployment.pending).unwrap_or_default(), "task")
        ));
    }
    finding = explain(snapshot, app, TaskFault::Pending, &[], finding);
    if let Some(task) = waiting.first() {
        finding = finding.next(commands::task(task.id()));
    }
    Some(
        finding
            .next(commands::service_events(app))
            .next(commands::images(app)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::triage::rules::sample;

    fn deploying() -> Snapshot {
        let mut snapshot = sample::healthy();
        let primary = &mut sample::service_mut(&mut snapshot, App::Backend).deployments[0];
        primary.rollout_state = Some("IN_PROGRESS".to_owned());
        primary.created = Some(sample::before(20));
        snapshot
    }

    fn with(task: Task) -> Snapshot {
        let mut snapshot = deploying();
        snapshot.tasks.as_mut().unwrap().push(task);
        snapshot
    }

    #[test]
    fn a_crash_quotes_status_and_log() {
        let mut snapshot = with(sample::exited("0a1b", App::Backend, "php-fpm", 255));
        snapshot.task_logs.as_mut().unwrap().insert(
            "0a1b".to_owned(),
            vec!["starting".to_owned(), "PHP Fatal error:  boom".to_owned()],
        );
        let finding = rule(&snapshot, sample::now()).remove(0);
        assert_eq!(finding.code, Code::ContainerCrash);
        let evidence = finding.evidence.join("\n");
        assert!(
            evidence.contains("`php-fpm` exited with status 255"),
            "{evidence}"
        );
        assert!(evidence.contains("log: PHP Fatal error:  boom"), "{evidence}");
        assert!(!evidence.contains("starting"), "{evidence}");
        assert_eq!(finding.next[0], "bpctl logs task 0a1b --container php-fpm");
        // Two tasks still serve: what users see has another reason.
        assert!(!finding.explains.contains(&Node::Responses));
    }

    #[test]
    fn a_crash_that_leaves_too_few_tasks_explains_what_users_see() {
        let mut snapshot = with(sample::exited("0a1b", App::Backend, "php-fpm", 255));
        sample::service_mut(&mut snapshot, App::Backend).running = 0;
        let finding = rule(&snapshot, sample::now()).remove(0);
        assert_eq!(finding.severity, Severity::P1);
        assert!(finding.explains.contains(&Node::Responses));
    }

    #[test]
    fn capacity_is_known_from_the_event_alone() {
        let mut snapshot = sample::healthy();
        let backend = sample::service_mut(&mut snapshot, App::Backend);
        backend.running = 1;
        backend.events.insert(
            0,
            sample::event(
                4,
                "(service bp-backend) was unable to place a task. Reason: Capacity is unavailable at this time.",
            ),
        );
        let finding = rule(&snapshot, sample::now()).remove(0);
        assert_eq!(finding.code, Code::CapacityUnavailable);
        assert!(finding.evidence[0].contains("Capacity is unavailable"));
    }

    #[test]
    fn the_cause_of_a_failed_start_is_what_the_message_says() {
        let found = |reason: &str, service: Option<App>| {
            let mut task = sample::task("0a1b", App::Backend);
            task.service = service;
            task.ecs.started = None;
            task.ecs.stop_code = Some("TaskFailedToStart".to_owned());
            task.ecs.stopped_reason = Some(reason.to_owned());
            rule(&with(task), sample::now()).remove(0)
        };
        let denied = "ResourceInitializationError: failed to validate logger args: AccessDeniedException: User: x is not authorized to perform: logs:CreateLogStream on resource: y";
        let finding = found(denied, Some(App::Backend));
        assert_eq!(
            finding.cause,
            "the execution role may not write to its log; ECS goes on trying"
        );
        assert_eq!(
            finding.next[0],
            "allow the task's execution role `logs:CreateLogStream`"
        );
        // ECS does not start a one-off task again.
        let finding = found(denied, None);
        assert_eq!(finding.cause, "the execution role may not write to its log");
        let finding = found("something that is not known here", Some(App::Backend));
        assert!(finding.evidence[1].contains("something that is not known here"));
        assert!(
            finding.cause.contains("see the message above"),
            "{}",
            finding.cause
        );
    }

    #[test]
    fn waiting_tasks_are_reported_after_ten_minutes() {
        let mut task = sample::task("0a1b", App::Backend);
        task.ecs.stopped = None;
        task.ecs.state = "PENDING".to_owned();
        for (minutes, expected) in [(9, vec![]), (10, vec![Code::TasksPending])] {
            task.ecs.created = Some(sample::before(minutes));
            let found = rule(&with(task.clone()), sample::now());
            assert_eq!(
                found.iter().map(|finding| finding.code).collect::<Vec<_>>(),
                expected
            );
        }
    }

    #[test]
    fn each_kind_of_fault_is_one_finding() {
        let mut snapshot = with(sample::exited("a", App::Backend, "php-fpm", 255));
        let tasks = snapshot.tasks.as_mut().unwrap();
        tasks.push(sample::exited("b", App::Backend, "php-fpm", 255));
        let mut memory = sample::exited("c", App::Backend, "php-fpm", 137);
        memory.ecs.containers[0].reason =
            Some("OutOfMemoryError: Container killed due to memory usage".to_owned());
        tasks.push(memory);
        let found = rule(&snapshot, sample::now());
        let codes: Vec<Code> = found.iter().map(|finding| finding.code).collect();
        assert_eq!(codes, [Code::OutOfMemory, Code::ContainerCrash]);
        assert!(found[1].evidence[0].starts_with("2 tasks"));
    }
}
