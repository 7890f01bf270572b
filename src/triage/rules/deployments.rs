//! Deployments of the services: failing, rolled back, or not ending.

use jiff::Timestamp;

use super::logs;
use super::task_faults::diagnose;
use crate::aws::ecs::{Deployment, short};
use crate::layout::App;
use crate::triage::catalog::Code;
use crate::triage::commands;
use crate::triage::finding::{Finding, Node};
use crate::triage::snapshot::{Rollout, Service, Snapshot, Task};
use crate::triage::wording::{ago, at, at_or_unknown, count, minutes_since};

/// Two tasks, each with a grace period of 300 s and as long to drain, are through in about a quarter of
/// an hour; a rollout without failures that takes longer than this waits for something.
const STUCK_AFTER: i64 = 20;

pub(super) fn rule(snapshot: &Snapshot, now: Timestamp) -> Vec<Finding> {
    [App::Backend, App::Frontend]
        .into_iter()
        .filter_map(|app| {
            let service = snapshot.service(app);
            rolled_back(snapshot, app, service, now)
                .or_else(|| failing(snapshot, service?, now))
                .or_else(|| stuck(snapshot, service?, now))
        })
        .collect()
}

fn newest_rollout(snapshot: &Snapshot, app: App) -> Option<&Rollout> {
    snapshot
        .rollouts
        .iter()
        .flatten()
        .filter(|rollout| rollout.app == app)
        .max_by_key(|rollout| rollout.created)
}

/// The newest rollout was undone: the code that runs is not the code that was deployed last.
fn rolled_back(snapshot: &Snapshot, app: App, service: Option<&Service>, now: Timestamp) -> Option<Finding> {
    let rollout = newest_rollout(snapshot, app)?;
    if !rollout.status.starts_with("ROLLBACK_") {
        return None;
    }
    let layout = &snapshot.layout;
    let mut finding = Finding::new(
        Code::DeploymentRolledBack,
        Node::Deployment(app),
        layout.service(app),
    )
    .evidence(format!(
        "service deployment `{}` of {} ({}) is {}{}",
        short(&rollout.arn),
        at_or_unknown(rollout.created),
        rollout
            .created
            .map_or_else(|| "age not known".to_owned(), |created| ago(now, created)),
        rollout.status,
        rollout
            .finished
            .map(|finished| format!(" since {}", at(finished)))
            .unwrap_or_default()
    ));
    finding = finding.facts(rollout.reason.clone());
    if let Some(primary) = service.and_then(|service| service.primary()) {
        finding = finding.evidence(format!(
            "running now: deployment `{}` with `{}`{}",
            primary.id,
            short(&primary.task_definition),
            primary
                .created
                .map(|created| format!(", created {}", ago(now, created)))
                .unwrap_or_default()
        ));
    }
    let failed: Vec<&Task> = tasks_of(snapshot, rollout.revision()).collect();
    let last = failed
        .iter()
        .copied()
        .filter(|task| diagnose(task).is_some())
        .max_by_key(|task| task.stopped);
    let mut log = None;
    if let Some((task, diagnosis)) = last.and_then(|task| Some((task, diagnose(task)?))) {
        let what = match (&diagnosis.container, diagnosis.exit_code) {
            (Some(container), Some(status)) => format!("`{container}` exited {status}"),
            _ => logs::excerpt(&diagnosis.text),
        };
        finding = finding.evidence(format!(
            "{} of it stopped; last task `{}`: {what}",
            count(failed.len(), "task"),
            task.id()
        ));
        finding = finding.facts(super::tasks::last_lines(snapshot, task));
        log = diagnosis
            .container
            .map(|container| commands::container_log(&container, task.id()));
    }
    let cause = match rollout.status.as_str() {
        "ROLLBACK_SUCCESSFUL" => {
            "the circuit breaker gave the new tasks up and went back to the last good deployment: the newest release does not run"
        }
        "ROLLBACK_FAILED" => "the new tasks failed and so did the way back",
        _ => "the new tasks failed and the service is on its way back to the last good deployment",
    };
    finding = finding.cause(cause);
    if let Some(log) = log {
        finding = finding.next(log);
    }
    Some(
        finding
            .next(commands::rollouts(app))
            .explains([Node::Service(app)]),
    )
}

/// Service tasks of the deployment whose id has these digits.
fn tasks_of<'a>(snapshot: &'a Snapshot, revision: &'a str) -> impl Iterator<Item = &'a Task> {
    snapshot.tasks.iter().flatten().filter(move |task| {
        task.service.is_some()
            && !revision.is_empty()
            && task.started_by.as_deref().and_then(|by| by.rsplit('/').next()) == Some(revision)
    })
}

fn failing(snapshot: &Snapshot, service: &Service, now: Timestamp) -> Option<Finding> {
    let primary = service.primary()?;
    let state = primary.rollout_state.as_deref().unwrap_or("COMPLETED");
    if !(state == "FAILED" || state == "IN_PROGRESS" && primary.failed > 0) {
        return None;
    }
    let cause = if state == "FAILED" {
        "the deployment failed and there is nothing to go back to: ECS starts no more tasks"
    } else {
        "the new tasks do not come up; ECS tries again until the circuit breaker goes back to the last good deployment"
    };
    Some(finding(Code::DeploymentFailing, snapshot, service, primary, now).cause(cause))
}

fn stuck(snapshot: &Snapshot, service: &Service, now: Timestamp) -> Option<Finding> {
    let primary = service.primary()?;
    let waits = primary.rollout_state.as_deref() == Some("IN_PROGRESS")
        && primary
            .created
            .is_some_and(|created| minutes_since(now, created) >= STUCK_AFTER);
    waits.then(|| {
        finding(Code::DeploymentStuck, snapshot, service, primary, now).cause(
            "tasks neither fail nor become healthy, or old ones do not drain; the service's events say which",
        )
    })
}

fn finding(
    code: Code,
    snapshot: &Snapshot,
    service: &Service,
    primary: &Deployment,
    now: Timestamp,
) -> Finding {
    let layout = &snapshot.layout;
    let app = service.app;
    let older: i32 = service
        .deployments
        .iter()
        .filter(|deployment| !deployment.is_primary())
        .map(|deployment| deployment.running)
        .sum();
    let created = primary
        .created
        .map(|created| format!(", created {} ({})", at(created), ago(now, created)))
        .unwrap_or_default();
    Finding::new(code, Node::Deployment(app), layout.service(app))
        .evidence(format!(
            "deployment `{}` with `{}` is {}{created}",
            primary.id,
            short(&primary.task_definition),
            primary.rollout_state.as_deref().unwrap_or("under way")
        ))
        .evidence(format!(
            "failed {}, running {} of {}, pending {}; tasks of older deployments still running: {older}",
            primary.failed, primary.running, primary.desired, primary.pending
        ))
        .facts(
            primary
                .rollout_reason
                .as_deref()
                .filter(|reason| !reason.is_empty())
                .map(|reason| reason.trim().to_owned()),
        )
        .facts(super::services::complaint(service).map(|event| super::services::said(event, now)))
        .next(commands::service_events(app))
        .next(commands::rollout(app))
        .explains([Node::Service(app)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::ecs::ServiceDeployment;
    use crate::triage::rules::sample;

    fn codes(snapshot: &Snapshot) -> Vec<Code> {
        rule(snapshot, sample::now())
            .iter()
            .map(|finding| finding.code)
            .collect()
    }

    fn deploying(minutes: i64, failed: i32) -> Snapshot {
        let mut snapshot = sample::healthy();
        let primary = &mut sample::service_mut(&mut snapshot, App::Backend).deployments[0];
        primary.rollout_state = Some("IN_PROGRESS".to_owned());
        primary.created = Some(sample::before(minutes));
        primary.failed = failed;
        snapshot
    }

    #[test]
    fn a_young_deployment_without_failures_is_no_news() {
        assert_eq!(codes(&sample::healthy()), []);
        assert_eq!(codes(&deploying(19, 0)), []);
        assert_eq!(codes(&deploying(20, 0)), [Code::DeploymentStuck]);
        assert_eq!(codes(&deploying(1, 1)), [Code::DeploymentFailing]);
    }

    #[test]
    fn a_failed_primary_needs_no_failed_tasks() {
        let mut snapshot = deploying(3, 0);
        sample::service_mut(&mut snapshot, App::Backend).deployments[0].rollout_state =
            Some("FAILED".to_owned());
        assert_eq!(codes(&snapshot), [Code::DeploymentFailing]);
    }

    fn rollout(minutes: i64, status: &str) -> Rollout {
        Rollout {
            app: App::Backend,
            record: ServiceDeployment {
                arn: format!(
                    "arn:aws:ecs:us-east-1:123456789012:service-deployment/bp/bp-backend/sd-{minutes}"
                ),
                revision: Some(
                    "arn:aws:ecs:us-east-1:123456789012:service-revision/bp/bp-backend/77".to_owned(),
                ),
                status: status.to_owned(),
                reason: None,
                created: Some(sample::before(minutes)),
                finished: None,
            },
        }
    }

    #[test]
    fn only_the_newest_rollout_counts() {
        let mut snapshot = sample::healthy();
        snapshot.rollouts = Ok(vec![
            rollout(50, "ROLLBACK_SUCCESSFUL"),
            rollout(10, "SUCCESSFUL"),
        ]);
        assert_eq!(codes(&snapshot), []);
        snapshot.rollouts = Ok(vec![
            rollout(50, "SUCCESSFUL"),
            rollout(10, "ROLLBACK_SUCCESSFUL"),
        ]);
        assert_eq!(codes(&snapshot), [Code::DeploymentRolledBack]);
    }

    #[test]
    fn a_rollback_shows_what_the_new_tasks_died_of() {
        let mut snapshot = sample::healthy();
        snapshot.rollouts = Ok(vec![rollout(10, "ROLLBACK_SUCCESSFUL")]);
        let mut task = sample::exited("0a1b", App::Backend, "php-fpm", 255);
        task.ecs.started_by = Some("ecs-svc/77".to_owned());
        snapshot.tasks.as_mut().unwrap().push(task);
        snapshot.task_logs.as_mut().unwrap().insert(
            "0a1b".to_owned(),
            vec!["PHP Fatal error:  Uncaught Error: Class not found".to_owned()],
        );
        let finding = rule(&snapshot, sample::now()).remove(0);
        let evidence = finding.evidence.join("\n");
        assert!(evidence.contains("`php-fpm` exited 255"), "{evidence}");
        assert!(evidence.contains("Class not found"), "{evidence}");
        assert_eq!(finding.next[0], "bpctl logs task 0a1b --container php-fpm");
    }
}
