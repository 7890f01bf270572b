//! The database: state, load, storage, and what the backend says about reaching it.

use jiff::Timestamp;

use super::logs::{self, Topic};
use super::{alarms, database_states};
use crate::layout::{App, Layout};
use crate::triage::catalog::Code;
use crate::triage::commands;
use crate::triage::finding::{Finding, Node, Severity};
use crate::triage::snapshot::{Database, Snapshot, TaskFault};
use crate::triage::wording::{ago, count, gigabytes};

/// Runbook, "Alarm Tiers".
const CPU_CRITICAL: f64 = 95.0;
const CPU_WARNING: f64 = 80.0;
const STORAGE_LOW: f64 = 2.0 * 1024.0 * 1024.0 * 1024.0;
/// Complaints of the backend count for so many minutes.
const MINUTES: i64 = 15;

pub(super) fn rule(snapshot: &Snapshot, now: Timestamp) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(state(snapshot, now));
    findings.extend(cpu(snapshot, now));
    findings.extend(storage(snapshot));
    findings
}

fn known(snapshot: &Snapshot) -> Option<&Database> {
    snapshot.database.as_ref().ok()?.as_ref()
}

fn id(snapshot: &Snapshot) -> String {
    known(snapshot).map_or_else(|| "database".to_owned(), |database| database.id.clone())
}

/// Whether the instance is seen not to serve.
fn is_down(snapshot: &Snapshot) -> bool {
    known(snapshot).is_some_and(|database| !database_states::serves(&database.status))
}

/// What fails when the backend has no database.
fn dependents() -> Vec<Node> {
    vec![
        Node::Responses,
        Node::Migration,
        Node::Scheduler,
        Node::Upstream,
        Node::Service(App::Backend),
        Node::Deployment(App::Backend),
        Node::Targets(App::Backend),
        Node::Tasks(App::Backend, TaskFault::Crash),
        Node::Tasks(App::Backend, TaskFault::Health),
    ]
}

fn state(snapshot: &Snapshot, now: Timestamp) -> Option<Finding> {
    let wanted = snapshot
        .services
        .iter()
        .flatten()
        .any(|service| service.app == App::Backend && service.desired > 0);
    match &snapshot.database {
        Ok(None) if wanted => {
            let layout = &snapshot.layout;
            let mut finding = Finding::new(Code::DatabaseUnavailable, Node::Database, "database")
                .evidence("RDS has no instance of the platform")
                .cause("the data stack was never deployed, or its instance was deleted")
                .explains(dependents());
            if let Some(stack) = layout.core_stack("data") {
                finding = finding
                    .next(commands::stack_diff(&stack))
                    .next(commands::stack_deploy(&stack));
            }
            Some(finding)
        }
        Ok(Some(database)) if is_down(snapshot) => {
            let (severity, cause, next) = database_states::advice(database);
            let complaints = logs::about(snapshot, now, MINUTES, Topic::DatabaseRefused);
            Some(
                Finding::new(Code::DatabaseUnavailable, Node::Database, &database.id)
                    .severity(severity)
                    .evidence(format!("status `{}`", database.status))
                    .facts(complaints.last().map(|line| logs::quoted(line)))
                    .cause(cause)
                    .next(next)
                    .next(commands::database(&database.id))
                    .explains(dependents()),
            )
        }
        _ => None,
    }
}

fn cpu(snapshot: &Snapshot, now: Timestamp) -> Option<Finding> {
    let series = snapshot
        .metrics
        .as_ref()
        .ok()
        .map(|metrics| &metrics.database_cpu);
    let above = |minutes: i64, points: usize, limit: f64| {
        series.is_some_and(|series| series.holds(now, minutes, points, |value| value >= limit))
    };
    // Ten one-minute values span nine minutes.
    let critical = alarms::is_on(snapshot, "p1-rds-cpu-critical") || above(9, 8, CPU_CRITICAL);
    let warning = alarms::is_on(snapshot, "p2-rds-cpu-warning") || above(4, 4, CPU_WARNING);
    if !critical && !warning {
        return None;
    }
    let id = id(snapshot);
    let mut finding = Finding::new(Code::DatabaseCpu, Node::Database, &id).severity(if critical {
        Severity::P1
    } else {
        Severity::P2
    });
    if let Some((_, value)) = series.and_then(crate::triage::snapshot::Series::last) {
        finding = finding.evidence(format!("CPU {value:.0} %"));
    }
    for name in ["p1-rds-cpu-critical", "p2-rds-cpu-warning"] {
        finding = finding
            .facts(alarms::since(snapshot, now, name))
            .explains(alarms::named(snapshot, name));
    }
    // An exception in the code has nothing to do with a slow database.
    let elsewhere = logs::dominant(snapshot, now)
        .is_some_and(|(topic, ..)| matches!(topic, Topic::Application | Topic::Redis | Topic::Network));
    if !elsewhere {
        finding = finding.explains([Node::Responses]);
    }
    Some(
        finding
            .cause("a query, a migration or more traffic than the instance class can take")
            .next(commands::database(&id))
            .next(commands::matching_lines(App::Backend, "?SQLSTATE ?slow")),
    )
}

fn storage(snapshot: &Snapshot) -> Option<Finding> {
    let last = snapshot
        .metrics
        .as_ref()
        .ok()
        .and_then(|metrics| metrics.database_storage.last());
    let low = last.is_some_and(|(_, bytes)| bytes < STORAGE_LOW);
    if !low && !alarms::is_on(snapshot, "p1-rds-storage-low") {
        return None;
    }
    let id = id(snapshot);
    let mut finding = Finding::new(Code::DatabaseStorage, Node::Database, &id);
    if let Some((_, bytes)) = last {
        let of = known(snapshot)
            .and_then(|database| database.allocated)
            .map(|allocated| format!(" of {allocated} GiB"))
            .unwrap_or_default();
        finding = finding.evidence(format!("{}{of} free, 2 GB is the limit", gigabytes(bytes)));
    }
    finding = finding.explains(alarms::named(snapshot, "p1-rds-storage-low"));
    if let Some(database) = known(snapshot) {
        finding = finding.next(commands::grow_database(&database.id, database.allocated));
    }
    Some(
        finding
            .cause("data, binary logs or temporary tables fill the volume; at 0 the instance stops serving (`storage-full`)")
            .next(commands::database(&id)),
    )
}

/// What the backend's log says about an instance that serves.
pub(super) fn log_rule(snapshot: &Snapshot, now: Timestamp) -> Vec<Finding> {
    if is_down(snapshot) {
        return Vec::new();
    }
    [
        (Topic::DatabaseRefused, Code::DatabaseRefuses),
        (Topic::DatabaseLogin, Code::DatabaseLogin),
        (Topic::DatabaseConnections, Code::DatabaseConnections),
    ]
    .into_iter()
    .filter_map(|(topic, code)| complaint(snapshot, now, topic, code))
    .collect()
}

fn complaint(snapshot: &Snapshot, now: Timestamp, topic: Topic, code: Code) -> Option<Finding> {
    let lines = logs::about(snapshot, now, MINUTES, topic);
    let last = lines.last()?;
    let layout = &snapshot.layout;
    let id = id(snapshot);
    let mut finding = Finding::new(code, Node::Database, &id)
        .evidence(format!(
            "{} in the backend's log in {MINUTES} min, the last {}",
            count(lines.len(), "line"),
            ago(now, last.at)
        ))
        .evidence(logs::quoted(last))
        .explains(dependents());
    if let Some(database) = known(snapshot) {
        finding = finding.evidence(format!("RDS reports the status `{}`", database.status));
    }
    Some(match code {
        Code::DatabaseLogin => finding
            .cause("the master credentials were rotated and running tasks still hold the old ones, or the secret is wrong")
            .next(commands::secret_versions(&master_secret(layout)))
            .next(commands::redeploy(App::Backend)),
        Code::DatabaseConnections => finding
            .cause("more connections are open than the instance class allows (`max_connections`): leaked or too many workers")
            .next(commands::database(&id)),
        _ => {
            let groups = known(snapshot).map(|database| database.security_groups.as_slice());
            for group in groups.unwrap_or_default() {
                finding = finding.next(commands::security_group(group));
            }
            finding
                .cause("the network refuses what the database would accept: check that the database's security group allows port 3306 from that of the backend")
                .next(commands::service_security_groups(layout, App::Backend))
        }
    })
}

/// The secret with the master credentials.
fn master_secret(layout: &Layout) -> String {
    let secrets = layout.secrets().into_iter();
    secrets
        .filter(|(role, _)| *role == "rds")
        .map(|(_, name)| name)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::triage::rules::sample;
    use crate::triage::snapshot::AlarmState;

    fn found(snapshot: &Snapshot) -> Vec<(Code, Severity)> {
        rule(snapshot, sample::now())
            .into_iter()
            .chain(log_rule(snapshot, sample::now()))
            .map(|finding| (finding.code, finding.severity))
            .collect()
    }

    #[test]
    fn cpu_needs_its_minutes() {
        for (minutes, value, expected) in [
            (10, 97.0, vec![(Code::DatabaseCpu, Severity::P1)]),
            (5, 97.0, vec![(Code::DatabaseCpu, Severity::P2)]),
            (3, 97.0, vec![]),
            (10, 70.0, vec![]),
        ] {
            let mut snapshot = sample::healthy();
            let mut values = sample::series(minutes..30, 20.0);
            values.0.extend(sample::series(0..minutes, value).0);
            snapshot.metrics.as_mut().unwrap().database_cpu = values;
            assert_eq!(found(&snapshot), expected, "{minutes} min of {value}");
        }
    }

    #[test]
    fn the_alarm_alone_is_enough() {
        let mut snapshot = sample::healthy();
        sample::alarm_mut(&mut snapshot, "p1-rds-storage-low").state = AlarmState::Alarm;
        snapshot.metrics = Err(sample::blind());
        assert_eq!(found(&snapshot), [(Code::DatabaseStorage, Severity::P1)]);
    }

    #[test]
    fn low_storage_comes_with_a_larger_size() {
        let mut snapshot = sample::healthy();
        snapshot.metrics.as_mut().unwrap().database_storage =
            sample::series(0..5, 1.2 * 1024.0 * 1024.0 * 1024.0);
        let finding = rule(&snapshot, sample::now()).remove(0);
        assert_eq!(finding.evidence, ["1.2 GB of 20 GiB free, 2 GB is the limit"]);
        assert!(
            finding.next[1]
                .line()
                .ends_with("--allocated-storage 30 --apply-immediately")
        );
    }

    #[test]
    fn refusal_while_available_is_the_network() {
        let mut snapshot = sample::healthy();
        let line = "production.ERROR: SQLSTATE[HY000] [2002] Connection refused";
        snapshot.backend_logs = Ok(vec![sample::line(2, "php", line)]);
        assert_eq!(found(&snapshot), [(Code::DatabaseRefuses, Severity::P1)]);
        let finding = log_rule(&snapshot, sample::now()).remove(0);
        assert!(
            finding.next[0].contains("--group-ids sg-0d"),
            "{:?}",
            finding.next
        );
        assert!(finding.cause.contains("3306"));
    }

    #[test]
    fn refusal_while_stopped_is_the_stop() {
        let mut snapshot = sample::healthy();
        let line = "production.ERROR: SQLSTATE[HY000] [2002] Connection refused";
        snapshot.backend_logs = Ok(vec![sample::line(2, "php", line)]);
        snapshot.database.as_mut().unwrap().as_mut().unwrap().status = "stopped".to_owned();
        assert_eq!(found(&snapshot), [(Code::DatabaseUnavailable, Severity::P1)]);
        assert!(
            rule(&snapshot, sample::now())[0].next[1]
                .line()
                .starts_with("aws rds start-db-instance")
        );
    }

    #[test]
    fn a_backup_is_no_outage_and_an_old_line_no_news() {
        let mut snapshot = sample::healthy();
        snapshot.database.as_mut().unwrap().as_mut().unwrap().status = "backing-up".to_owned();
        let line = "production.ERROR: SQLSTATE[HY000] [2002] Connection refused";
        snapshot.backend_logs = Ok(vec![sample::line(16, "php", line)]);
        assert_eq!(found(&snapshot), []);
    }

    #[test]
    fn a_slow_database_does_not_explain_an_exception() {
        let mut snapshot = sample::healthy();
        snapshot.metrics.as_mut().unwrap().database_cpu = sample::series(0..15, 97.0);
        assert!(
            rule(&snapshot, sample::now())[0]
                .explains
                .contains(&Node::Responses)
        );
        snapshot.backend_logs = Ok(vec![sample::line(
            2,
            "php",
            "production.ERROR: Undefined property",
        )]);
        assert!(
            !rule(&snapshot, sample::now())[0]
                .explains
                .contains(&Node::Responses)
        );
    }

    #[test]
    fn no_database_matters_only_to_a_backend_that_should_run() {
        let mut snapshot = sample::healthy();
        snapshot.database = Ok(None);
        assert_eq!(found(&snapshot), [(Code::DatabaseUnavailable, Severity::P1)]);
        sample::service_mut(&mut snapshot, App::Backend).desired = 0;
        assert_eq!(found(&snapshot), []);
    }
}
