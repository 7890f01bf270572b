//! One-off migrations: failed ones and those that take long.

use jiff::Timestamp;

use super::task_faults::{app_of, diagnose};
use super::tasks::last_lines;
use crate::error::CommandLine;
use crate::layout::App;
use crate::triage::catalog::Code;
use crate::triage::commands;
use crate::triage::finding::{Finding, Node};
use crate::triage::snapshot::{Snapshot, Task};
use crate::triage::wording::{ago, at_or_unknown, count, minutes_since};

/// The container whose exit status decides (the others of the task are stopped with it).
const CONTAINER: &str = "php-fpm";
/// A migration of all tenant databases takes minutes; after so many somebody should look.
const SLOW_AFTER: i64 = 20;

pub(super) fn rule(snapshot: &Snapshot, now: Timestamp) -> Vec<Finding> {
    let mut migrations: Vec<&Task> = snapshot
        .tasks
        .iter()
        .flatten()
        .filter(|task| is_migration(task) && app_of(snapshot, task) == Some(App::Backend))
        .collect();
    migrations.sort_by_key(|task| std::cmp::Reverse(task.created));
    let mut findings = Vec::new();
    findings.extend(failed(snapshot, &migrations, now));
    findings.extend(slow(snapshot, &migrations, now));
    findings
}

/// Whether a task is a one-off migration, started by bpctl or in the manner of the runbook.
fn is_migration(task: &Task) -> bool {
    let command = task.command.as_deref().unwrap_or_default();
    task.service.is_none()
        && (task.started_by.starts_with("bpctl/migrate")
            || command.contains("pools-migrate")
            || command.contains("artisan migrate"))
}

fn exit_status(task: &Task) -> Option<i32> {
    task.containers
        .iter()
        .find(|container| container.name == CONTAINER)?
        .exit_code
}

/// How a migration ended badly; `None` for a good end and for one that still runs.
fn failure(task: &Task) -> Option<String> {
    task.stopped?;
    match exit_status(task) {
        Some(0) => None,
        Some(status) => Some(format!("`{CONTAINER}` exited with status {status}")),
        // It never started, or was stopped by somebody.
        None => Some(diagnose(task).map_or_else(
            || format!("it was stopped: {}", task.stopped_reason),
            |diagnosis| crate::triage::wording::shorten(&diagnosis.text, 240),
        )),
    }
}

/// The newest ended migration failed; one that was repeated successfully is history.
fn failed(snapshot: &Snapshot, migrations: &[&Task], now: Timestamp) -> Option<Finding> {
    let ended: Vec<&Task> = migrations
        .iter()
        .copied()
        .filter(|task| task.stopped.is_some())
        .collect();
    let newest = ended.first()?;
    let how = failure(newest)?;
    let layout = &snapshot.layout;
    let in_a_row = ended.iter().take_while(|task| failure(task).is_some()).count();
    let mut finding = Finding::new(
        Code::MigrationFailed,
        Node::Migration,
        format!("task {}", newest.id),
    )
    .evidence(format!(
        "task `{}` ended {}{}: {how}",
        newest.id,
        at_or_unknown(newest.stopped),
        newest
            .stopped
            .map(|at| format!(" ({})", ago(now, at)))
            .unwrap_or_default()
    ));
    if let Some(command) = &newest.command {
        finding = finding.evidence(format!("command: `{command}`"));
    }
    finding = finding.facts(last_lines(snapshot, newest));
    if in_a_row > 1 {
        finding = finding.evidence(format!("{} in a row failed", count(in_a_row, "migration")));
    }
    let finding = if exit_status(newest).is_some() {
        finding
            .cause("the migration stopped at its first error: the databases before it are migrated, those after it are not")
            .next(commands::container_log(layout, App::Backend, CONTAINER, &newest.id))
    } else {
        finding
            .cause("the task never ran its command: nothing was migrated")
            .next(commands::task(layout, &newest.id))
    };
    Some(finding.next(CommandLine::bpctl(["migrate", "--dry-run"])))
}

fn slow(snapshot: &Snapshot, migrations: &[&Task], now: Timestamp) -> Option<Finding> {
    let running: Vec<&&Task> = migrations
        .iter()
        .filter(|task| {
            task.stopped.is_none()
                && task
                    .started
                    .is_some_and(|started| minutes_since(now, started) >= SLOW_AFTER)
        })
        .collect();
    let oldest = running.last()?;
    let layout = &snapshot.layout;
    let mut finding = Finding::new(
        Code::MigrationSlow,
        Node::Migration,
        format!("task {}", oldest.id),
    )
    .cause("many tenant databases, a large table, or a lock on one; a second migration at the same time would make it worse");
    for task in &running {
        let minutes = task.started.map_or(0, |started| minutes_since(now, started));
        finding = finding.evidence(format!(
            "task `{}` has been running for {minutes} min, since {}",
            task.id,
            at_or_unknown(task.started)
        ));
    }
    if let Some(command) = &oldest.command {
        finding = finding.evidence(format!("command: `{command}`"));
    }
    Some(
        finding
            .facts(last_lines(snapshot, oldest))
            .next(CommandLine::bpctl(["migrate"]).option("--attach", &oldest.id))
            .next(commands::container_log(
                layout,
                App::Backend,
                CONTAINER,
                &oldest.id,
            )),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::triage::rules::sample;

    fn migration(id: &str, minutes: i64, status: Option<i32>) -> Task {
        Task {
            service: None,
            started_by: "bpctl/migrate/0a1b2c3d4e5f".to_owned(),
            command: Some("php artisan tenancy:pools-migrate".to_owned()),
            created: Some(sample::before(minutes)),
            started: Some(sample::before(minutes)),
            stopped: status.map(|_| sample::before(minutes - 1)),
            containers: vec![sample::container(CONTAINER, status)],
            stop_code: status.map(|_| "EssentialContainerExited".to_owned()),
            ..sample::task(id, App::Backend)
        }
    }

    fn codes(tasks: Vec<Task>) -> Vec<Code> {
        let mut snapshot = sample::healthy();
        snapshot.tasks = Ok(tasks);
        rule(&snapshot, sample::now())
            .iter()
            .map(|finding| finding.code)
            .collect()
    }

    #[test]
    fn a_status_other_than_zero_is_a_failure() {
        assert_eq!(codes(vec![migration("a", 10, Some(0))]), []);
        assert_eq!(codes(vec![migration("a", 10, Some(3))]), [Code::MigrationFailed]);
    }

    #[test]
    fn a_later_success_makes_a_failure_history() {
        assert_eq!(
            codes(vec![migration("a", 30, Some(3)), migration("b", 10, Some(0))]),
            []
        );
        assert_eq!(
            codes(vec![migration("a", 30, Some(0)), migration("b", 10, Some(1))]),
            [Code::MigrationFailed]
        );
    }

    #[test]
    fn long_ones_are_reported_while_they_run() {
        assert_eq!(codes(vec![migration("a", 19, None)]), []);
        assert_eq!(codes(vec![migration("a", 25, None)]), [Code::MigrationSlow]);
        assert_eq!(
            codes(vec![migration("a", 25, None), migration("b", 5, Some(1))]),
            [Code::MigrationFailed, Code::MigrationSlow]
        );
    }

    #[test]
    fn the_runbooks_own_command_line_counts_and_tinker_does_not() {
        let mut task = migration("a", 10, Some(1));
        task.started_by = String::new();
        task.command = Some("php artisan migrate --force".to_owned());
        assert_eq!(codes(vec![task.clone()]), [Code::MigrationFailed]);
        task.command = Some("php artisan tinker".to_owned());
        assert_eq!(codes(vec![task]), []);
    }

    #[test]
    fn one_that_never_started_says_why() {
        let mut task = migration("a", 10, Some(0));
        task.containers[0].exit_code = None;
        task.stop_code = Some("TaskFailedToStart".to_owned());
        task.stopped_reason = "CannotPullContainerError: not found".to_owned();
        assert!(failure(&task).unwrap().contains("CannotPullContainerError"));
    }
}
