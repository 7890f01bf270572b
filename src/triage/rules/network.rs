//! The NAT gateway and Redis.

use jiff::Timestamp;

use super::logs::{self, Topic};
use super::redis_memory;
use crate::layout::App;
use crate::triage::catalog::Code;
use crate::triage::commands;
use crate::triage::finding::{Finding, Node};
use crate::triage::snapshot::Snapshot;
use crate::triage::wording::{ago, count};

const MINUTES: i64 = 15;
/// Redis executes commands in one thread: from here on it answers late.
const REDIS_BUSY: f64 = 90.0;

/// Connections that the NAT gateway could not allocate a port for.
pub(super) fn nat(snapshot: &Snapshot, now: Timestamp) -> Vec<Finding> {
    let Ok(metrics) = &snapshot.metrics else {
        return Vec::new();
    };
    let errors = metrics.nat_errors.sum(now, MINUTES);
    if errors <= 0.0 {
        return Vec::new();
    }
    let timeouts = logs::about(snapshot, now, MINUTES, Topic::Network);
    let mut finding = Finding::new(Code::NatPortsExhausted, Node::Nat, "NAT gateway")
        .evidence(format!("ErrorPortAllocation: {errors:.0} in {MINUTES} min"));
    if let Some(last) = timeouts.last() {
        finding = finding
            .evidence(format!(
                "{} in the backend's log, the last {}",
                count(timeouts.len(), "timeout"),
                ago(now, last.at)
            ))
            .evidence(logs::quoted(last));
    }
    if logs::dominant(snapshot, now).is_some_and(|(topic, ..)| topic == Topic::Network) {
        finding = finding.explains([Node::Responses]);
    }
    vec![
        finding
            .cause("too many connections to one destination at a time: a NAT gateway has 55,000 ports per address and destination")
            .next(commands::nat_gateways())
            .next("allocate one more Elastic IP and associate it with the NAT gateway: each address brings another 55,000 ports"),
    ]
}

/// Redis at its limit, or out of reach.
pub(super) fn redis(snapshot: &Snapshot, now: Timestamp) -> Vec<Finding> {
    let mut lines = logs::about(snapshot, now, MINUTES, Topic::Redis);
    // Writes that a full Redis refuses are another finding.
    lines.retain(|line| !redis_memory::refuses_writes(line));
    if let Some(last) = lines.last() {
        let login = last.message.contains("NOAUTH") || last.message.contains("WRONGPASS");
        let cause = if login {
            "the AUTH token in Secrets Manager is not the one that Redis expects, or running tasks hold an old one"
        } else {
            "Redis is down, fails over, or its security group does not let the backend in"
        };
        return vec![
            Finding::new(Code::RedisUnreachable, Node::Redis, "Redis")
                .evidence(format!(
                    "{} in the backend's log in {MINUTES} min, the last {}",
                    count(lines.len(), "line"),
                    ago(now, last.at)
                ))
                .evidence(logs::quoted(last))
                .cause(cause)
                .next(commands::redis())
                .next(commands::redeploy(App::Backend))
                .explains([Node::Responses, Node::Scheduler]),
        ];
    }
    let busy = snapshot
        .metrics
        .as_ref()
        .is_ok_and(|metrics| metrics.redis_cpu.holds(now, 10, 8, |value| value >= REDIS_BUSY));
    if !busy {
        return Vec::new();
    }
    let value = snapshot
        .metrics
        .as_ref()
        .ok()
        .and_then(|metrics| metrics.redis_cpu.last())
        .map_or(0.0, |(_, value)| value);
    vec![
        Finding::new(Code::RedisCpu, Node::Redis, "Redis")
            .evidence(format!("EngineCPUUtilization {value:.0} % for 10 min"))
            .cause("expensive commands or more sessions, cache and queue traffic than one node can take")
            .next(commands::redis()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::triage::rules::sample;

    #[test]
    fn port_errors_are_a_finding_and_timeouts_their_evidence() {
        let mut snapshot = sample::healthy();
        assert!(nat(&snapshot, sample::now()).is_empty());
        snapshot.metrics.as_mut().unwrap().nat_errors = sample::series(0..5, 40.0);
        assert_eq!(nat(&snapshot, sample::now())[0].evidence.len(), 1);
        let line = "production.ERROR: cURL error 28: Connection timed out";
        snapshot.backend_logs = Ok(vec![sample::line(2, "queue", line)]);
        let finding = nat(&snapshot, sample::now()).remove(0);
        assert!(finding.evidence[2].contains("cURL error 28"));
        assert!(finding.explains.contains(&Node::Responses));
    }

    #[test]
    fn redis_busy_and_redis_closed() {
        let mut snapshot = sample::healthy();
        snapshot.metrics.as_mut().unwrap().redis_cpu = sample::series(0..15, 95.0);
        assert_eq!(redis(&snapshot, sample::now())[0].code, Code::RedisCpu);
        snapshot.backend_logs = Ok(vec![sample::line(
            2,
            "php",
            "production.ERROR: NOAUTH Authentication required.",
        )]);
        let finding = redis(&snapshot, sample::now()).remove(0);
        assert_eq!(finding.code, Code::RedisUnreachable);
        assert!(finding.cause.contains("AUTH token"));
    }
}
