//! One-off migrations: failed ones and those that take long.

use jiff::Timestamp;

use super::task_faults::app_of;
use super::tasks::last_lines;
use crate::error::CommandLine;
use crate::layout::App;
use crate::tasks::{Judged, Judgement, Verdict, is_migration, judge};
use crate::triage::catalog::Code;
use crate::triage::commands;
use crate::triage::finding::{Finding, Node};
use crate::triage::snapshot::{Snapshot, Task};
use crate::triage::wording::{ago, at_or_unknown, count, minutes_since};

/// The container whose exit status decides (the others of the task are stopped with it).
const CONTAINER: &str = "php-fpm";
/// A migration of all tenant databases takes minutes; after so many an operator should look.
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

/// How a migration ended.
enum Ending {
    Well,
    /// The command ended with this status.
    Exited(i32),
    /// It was stopped, failed to start, or its exit status is not known.
    Otherwise(Judgement),
}

/// `None` for one that still runs.
fn ending(task: &Task) -> Option<Ending> {
    task.stopped?;
    let judged = Judged {
        container: CONTAINER.to_owned(),
        essential: task.essential.clone(),
        again: CommandLine::bpctl(["migrate"]),
        go_on: CommandLine::bpctl(["migrate"]),
        kept: "migrations that were finished are recorded in the database",
    };
    let judgement = judge(task, &judged);
    Some(match judgement.verdict {
        Verdict::Succeeded => Ending::Well,
        Verdict::Failed => match task.container(CONTAINER).and_then(|found| found.exit_code) {
            Some(status) => Ending::Exited(status),
            None => Ending::Otherwise(judgement),
        },
        Verdict::NeverStarted | Verdict::Stopped | Verdict::Unknown | Verdict::Running => {
            Ending::Otherwise(judgement)
        }
    })
}

fn has_failed(task: &Task) -> bool {
    !matches!(ending(task), None | Some(Ending::Well))
}

/// The newest ended migration failed; one that was repeated successfully is history.
fn failed(snapshot: &Snapshot, migrations: &[&Task], now: Timestamp) -> Option<Finding> {
    let ended: Vec<&Task> = migrations
        .iter()
        .copied()
        .filter(|task| task.stopped.is_some())
        .collect();
    let newest = ended.first()?;
    let (how, cause, ran) = match ending(newest)? {
        Ending::Well => return None,
        Ending::Exited(status) => (
            format!("`{CONTAINER}` exited with status {status}"),
            "the migration stopped at its first error: the databases before it are migrated, those after it are not"
                .to_owned(),
            true,
        ),
        Ending::Otherwise(judgement) => {
            let causes = judgement.causes.join("; ");
            let how = match causes.as_str() {
                "" => judgement.summary.clone(),
                causes => format!("{}: {}", judgement.summary, causes.trim()),
            };
            let (cause, ran) = match judgement.verdict {
                Verdict::NeverStarted => ("the task never ran its command: nothing was migrated".to_owned(), false),
                Verdict::Stopped => (
                    "the task was stopped: the databases before that moment are migrated, those after it are not"
                        .to_owned(),
                    true,
                ),
                _ => ("whether the migration came to its end is not known: its log says how far it got".to_owned(), true),
            };
            (how, cause, ran)
        }
    };
    let in_a_row = ended.iter().take_while(|task| has_failed(task)).count();
    let mut finding = Finding::new(
        Code::MigrationFailed,
        Node::Migration,
        format!("task {}", newest.id()),
    )
    .evidence(format!(
        "task `{}` ended {}{}: {how}",
        newest.id(),
        at_or_unknown(newest.stopped),
        newest
            .stopped
            .map(|at| format!(" ({})", ago(now, at)))
            .unwrap_or_default()
    ));
    finding = finding.facts(command(newest));
    finding = finding.facts(last_lines(snapshot, newest));
    if in_a_row > 1 {
        finding = finding.evidence(format!("{} in a row failed", count(in_a_row, "migration")));
    }
    let look = if ran {
        commands::container_log(CONTAINER, newest.id())
    } else {
        commands::task(newest.id())
    };
    Some(
        finding
            .cause(cause)
            .next(look)
            .next(CommandLine::bpctl(["migrate", "--dry-run"])),
    )
}

/// The command that the container was given.
fn command(task: &Task) -> Option<String> {
    let command = task.command(CONTAINER)?.join(" ");
    Some(format!("command: `{command}`"))
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
    let mut finding = Finding::new(
        Code::MigrationSlow,
        Node::Migration,
        format!("task {}", oldest.id()),
    )
    .cause("many tenant databases, a large table, or a lock on one; a second migration at the same time would make it worse");
    for task in &running {
        let minutes = task.started.map_or(0, |started| minutes_since(now, started));
        finding = finding.evidence(format!(
            "task `{}` has been running for {minutes} min, since {}",
            task.id(),
            at_or_unknown(task.started)
        ));
    }
    finding = finding.facts(command(oldest));
    Some(
        finding
            .facts(last_lines(snapshot, oldest))
            .next(CommandLine::bpctl(["migrate"]).option("--attach", oldest.id()))
            .next(commands::container_log(CONTAINER, oldest.id())),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::triage::rules::sample;

    fn migration(id: &str, minutes: i64, status: Option<i32>) -> Task {
        let mut task = sample::task(id, App::Backend);
        task.service = None;
        let ecs = &mut task.ecs;
        ecs.group = Some("family:bp-backend".to_owned());
        ecs.started_by = Some("bpctl/migrate/0a1b2c3d4e5f".to_owned());
        ecs.commands = vec![(
            CONTAINER.to_owned(),
            vec!["php artisan tenancy:pools-migrate".to_owned()],
        )];
        ecs.state = status.map_or("RUNNING", |_| "STOPPED").to_owned();
        ecs.created = Some(sample::before(minutes));
        ecs.started = Some(sample::before(minutes));
        ecs.stopped = status.map(|_| sample::before(minutes - 1));
        ecs.containers = vec![sample::container(CONTAINER, status)];
        ecs.stop_code = status.map(|_| "EssentialContainerExited".to_owned());
        task
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
        task.ecs.started_by = None;
        let mut with = |command: &str| {
            task.ecs.commands[0].1 = vec![command.to_owned()];
            codes(vec![task.clone()])
        };
        assert_eq!(with("php artisan migrate --force"), [Code::MigrationFailed]);
        assert_eq!(with("php artisan tinker"), []);
    }

    fn found(task: Task) -> Finding {
        let mut snapshot = sample::healthy();
        snapshot.tasks = Ok(vec![task]);
        rule(&snapshot, sample::now()).remove(0)
    }

    #[test]
    fn one_that_never_started_says_why() {
        let mut task = migration("a", 10, Some(0));
        task.ecs.containers[0].exit_code = None;
        task.ecs.stop_code = Some("TaskFailedToStart".to_owned());
        task.ecs.stopped_reason = Some("CannotPullContainerError: not found".to_owned());
        let finding = found(task);
        assert!(
            finding.evidence[0].contains("CannotPullContainerError"),
            "{:?}",
            finding.evidence
        );
        assert!(finding.cause.contains("nothing was migrated"));
    }

    #[test]
    fn without_an_exit_code_it_is_not_known_what_was_migrated() {
        let mut task = migration("a", 10, Some(0));
        task.ecs.containers[0].exit_code = None;
        let finding = found(task);
        assert!(finding.cause.contains("not known"), "{}", finding.cause);
        assert!(finding.next[0].contains("bpctl logs task"), "{:?}", finding.next);
    }

    #[test]
    fn a_stopped_migration_is_a_finding_whatever_its_exit_code() {
        let mut task = migration("a", 10, Some(0));
        task.ecs.stop_code = Some("UserInitiated".to_owned());
        task.ecs.stopped_reason = Some("Task stopped by user".to_owned());
        let finding = found(task);
        assert!(finding.evidence[0].contains("somebody stopped the task"));
        assert!(finding.cause.contains("was stopped"), "{}", finding.cause);
    }
}
