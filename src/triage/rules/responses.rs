//! What users get: 5xx answers, and nginx that cannot reach php-fpm.

use jiff::Timestamp;

use super::alarms;
use super::logs::{self, Topic};
use super::services::outside;
use super::task_faults::current;
use crate::layout::App;
use crate::triage::catalog::Code;
use crate::triage::commands;
use crate::triage::finding::{Finding, Node, Severity};
use crate::triage::snapshot::{Snapshot, TaskFault};
use crate::triage::wording::{ago, count};

/// Runbook, "Alarm Tiers": errors in five minutes.
const CRITICAL: f64 = 50.0;
const WARNING: f64 = 10.0;
const MINUTES: i64 = 5;
/// How far back complaints of nginx count.
const UPSTREAM_MINUTES: i64 = 10;

/// 5xx above the thresholds of the alarms, by metric or by alarm.
pub(super) fn errors(snapshot: &Snapshot, now: Timestamp) -> Vec<Finding> {
    let critical = alarms::is_on(snapshot, "p1-alb-5xx-critical");
    let warning = alarms::is_on(snapshot, "p2-alb-5xx-warning");
    let (target, balancer) = snapshot.metrics.as_ref().map_or((0.0, 0.0), |metrics| {
        (
            metrics.target_5xx.sum(now, MINUTES),
            metrics.balancer_5xx.sum(now, MINUTES),
        )
    });
    let sum = target + balancer;
    if sum < WARNING && !critical && !warning {
        return Vec::new();
    }
    let severity = if critical || sum >= CRITICAL {
        Severity::P1
    } else {
        Severity::P2
    };
    let mut finding = Finding::new(Code::ServerErrors, Node::Responses, "load balancer").severity(severity);
    if let Ok(metrics) = &snapshot.metrics {
        finding = finding.evidence(format!(
            "last {MINUTES} min: {target:.0} 5xx from targets, {balancer:.0} from the load balancer itself, {:.0} requests",
            metrics.requests.sum(now, MINUTES)
        ));
    }
    let dominant = logs::dominant(snapshot, now);
    if let Some((_, often, line)) = dominant {
        finding = finding
            .evidence(format!(
                "most frequent error of the last 15 min ({}), last {}:",
                times(often),
                ago(now, line.at)
            ))
            .evidence(logs::quoted(line));
    }
    let cause = match dominant.map(|(topic, ..)| topic) {
        Some(Topic::Application) => {
            "the application throws an exception; targets are healthy because the health check does not touch that code"
        }
        Some(Topic::Upstream) => "nginx cannot reach php-fpm",
        Some(Topic::Network) => "requests wait for something outside that does not answer",
        Some(Topic::Redis) => "the backend cannot use Redis",
        Some(Topic::DatabaseName) => {
            "the backend cannot resolve the name of its database: DNS of the VPC, or a wrong host in its configuration"
        }
        Some(Topic::DatabaseRefused | Topic::DatabaseLogin | Topic::DatabaseConnections) => {
            "the backend cannot use its database"
        }
        None if balancer > target => "the load balancer has no target that answers",
        None => "the backend answers with errors; its log holds no error line that was recognised",
    };
    vec![
        finding
            .cause(cause)
            .next(commands::matching_lines(App::Backend, "?ERROR ?CRITICAL ?Fatal"))
            .next(commands::rollouts(App::Backend))
            .explains(alarms::named(snapshot, "p1-alb-5xx-critical"))
            .explains(alarms::named(snapshot, "p2-alb-5xx-warning")),
    ]
}

/// nginx gets no connection to php-fpm although php-fpm does not crash.
pub(super) fn upstream(snapshot: &Snapshot, now: Timestamp) -> Vec<Finding> {
    let lines = logs::about(snapshot, now, UPSTREAM_MINUTES, Topic::Upstream);
    let (Some(first), Some(last)) = (lines.first(), lines.last()) else {
        return Vec::new();
    };
    // Between the start of nginx and that of php-fpm a few refused connections are normal, and when
    // php-fpm exits that is the finding.
    let crashes = current(snapshot, now, App::Backend)
        .iter()
        .any(|(_, diagnosis)| matches!(diagnosis.fault, TaskFault::Crash | TaskFault::Memory));
    let sick = snapshot
        .targets
        .iter()
        .flatten()
        .filter(|group| group.app == App::Backend)
        .flat_map(|group| &group.targets)
        .any(|target| target.state == "unhealthy");
    if crashes || !(sick || lines.len() >= 10) {
        return Vec::new();
    }
    let layout = &snapshot.layout;
    let task = last.stream.rsplit('/').next().unwrap_or_default();
    vec![
        Finding::new(Code::UpstreamRefused, Node::Upstream, layout.service(App::Backend))
            .evidence(format!(
                "{} in {UPSTREAM_MINUTES} min, the first {}, the last {}",
                count(lines.len(), "refused connection"),
                ago(now, first.at),
                ago(now, last.at)
            ))
            .evidence(logs::quoted(last))
            .cause("php-fpm runs but accepts no connections on port 9000: it is not ready, hangs, or listens elsewhere")
            .next(commands::container_log("php-fpm", task))
            .next(commands::shell(task, "php-fpm"))
            .next(commands::redeploy(App::Backend))
            .explains(outside(App::Backend))
            .explains([
                Node::Service(App::Backend),
                Node::Deployment(App::Backend),
                Node::Tasks(App::Backend, TaskFault::Health),
            ]),
    ]
}

fn times(number: usize) -> String {
    if number == 1 {
        "once".to_owned()
    } else {
        format!("{number} times")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::triage::rules::sample;

    #[test]
    fn thresholds_are_those_of_the_alarms() {
        for (per_minute, expected) in [(1.0, None), (2.5, Some(Severity::P2)), (12.0, Some(Severity::P1))] {
            let mut snapshot = sample::healthy();
            snapshot.metrics.as_mut().unwrap().target_5xx = sample::series(0..5, per_minute);
            let found = errors(&snapshot, sample::now());
            assert_eq!(found.first().map(|finding| finding.severity), expected);
        }
    }

    #[test]
    fn old_errors_do_not_count() {
        let mut snapshot = sample::healthy();
        snapshot.metrics.as_mut().unwrap().target_5xx = sample::series(10..30, 100.0);
        assert!(errors(&snapshot, sample::now()).is_empty());
    }

    #[test]
    fn the_alarm_is_enough_when_the_metrics_are_out_of_sight() {
        let mut snapshot = sample::healthy();
        sample::alarm_mut(&mut snapshot, "p1-alb-5xx-critical").state =
            crate::aws::cloudwatch::AlarmState::Alarm;
        snapshot.metrics = Err(sample::blind());
        let found = errors(&snapshot, sample::now());
        assert_eq!(found[0].severity, Severity::P1);
        assert!(
            found[0]
                .explains
                .contains(&Node::Alarm("p1-alb-5xx-critical".to_owned()))
        );
    }

    #[test]
    fn the_most_frequent_exception_is_quoted_without_its_secrets() {
        let mut snapshot = sample::healthy();
        snapshot.metrics.as_mut().unwrap().target_5xx = sample::series(0..5, 20.0);
        let lines = snapshot.backend_logs.as_mut().unwrap();
        for minutes in 1..5 {
            lines.push(sample::line(
                minutes,
                "php",
                &format!("[x{minutes}] production.ERROR: Undefined property: stdClass::$credits {{\"userId\":{minutes}"),
            ));
        }
        lines.push(sample::line(1, "php", "production.ERROR: rare token=abc"));
        let finding = errors(&snapshot, sample::now()).remove(0);
        let evidence = finding.evidence.join("\n");
        assert!(evidence.contains("(4 times)"), "{evidence}");
        assert!(evidence.contains("stdClass::$credits"), "{evidence}");
        assert!(finding.cause.contains("exception"));
    }

    #[test]
    fn refused_connections_need_sick_targets_or_many() {
        let mut snapshot = sample::healthy();
        let refused =
            "[error] 29#29: *1 connect() failed (111: Connection refused) while connecting to upstream";
        snapshot.backend_logs = Ok(vec![sample::line(2, "nginx", refused)]);
        assert!(upstream(&snapshot, sample::now()).is_empty());
        snapshot.targets.as_mut().unwrap()[0]
            .targets
            .push(sample::target("unhealthy"));
        assert_eq!(upstream(&snapshot, sample::now())[0].code, Code::UpstreamRefused);
        // A crash explains it already.
        let primary = &mut sample::service_mut(&mut snapshot, App::Backend).deployments[0];
        primary.rollout_state = Some("IN_PROGRESS".to_owned());
        snapshot.tasks = Ok(vec![sample::exited("a", App::Backend, "php-fpm", 255)]);
        assert!(upstream(&snapshot, sample::now()).is_empty());
    }
}
