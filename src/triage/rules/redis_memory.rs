//! Redis that is full: by its eviction policy it throws keys out or refuses to write.

use jiff::Timestamp;

use super::logs;
use crate::aws::logs::FoundLine;
use crate::triage::catalog::Code;
use crate::triage::commands;
use crate::triage::finding::{Finding, Node};
use crate::triage::snapshot::Snapshot;
use crate::triage::wording::{ago, count};

const MINUTES: i64 = 15;
/// Percent of what the cluster may use, from which the next keys need the place of others.
const FULL: f64 = 95.0;

/// Whether a line is Redis' refusal of a write for want of memory (Redis, "Key eviction").
pub(super) fn refuses_writes(line: &FoundLine) -> bool {
    line.message.contains("OOM command not allowed")
}

/// Memory at its end, keys thrown out, or writes refused.
pub(super) fn rule(snapshot: &Snapshot, now: Timestamp) -> Vec<Finding> {
    let (memory, full, evicted) = snapshot.metrics.as_ref().map_or((None, false, 0.0), |metrics| {
        (
            metrics.redis_memory.last().map(|(_, value)| value),
            metrics.redis_memory.holds(now, 10, 8, |value| value >= FULL),
            metrics.redis_evictions.sum(now, MINUTES),
        )
    });
    let from = now.as_second() - MINUTES * 60;
    let refused: Vec<&FoundLine> = snapshot
        .backend_logs
        .iter()
        .flatten()
        .filter(|line| line.at.as_second() >= from && refuses_writes(line))
        .collect();
    if !full && evicted <= 0.0 && refused.is_empty() {
        return Vec::new();
    }
    let mut finding = Finding::new(Code::RedisFull, Node::Redis, "Redis");
    if let Some(memory) = memory {
        finding = finding.evidence(format!("DatabaseMemoryUsagePercentage {memory:.0} %"));
    }
    if evicted > 0.0 {
        finding = finding.evidence(format!("Evictions: {evicted:.0} keys in {MINUTES} min"));
    }
    if let Some(last) = refused.last() {
        finding = finding
            .evidence(format!(
                "{} refused in the backend's log in {MINUTES} min, the last {}",
                count(refused.len(), "write"),
                ago(now, last.at)
            ))
            .evidence(logs::quoted(last))
            .explains([Node::Responses, Node::Scheduler]);
    }
    let cause = if !refused.is_empty() {
        "Redis is full and its policy lets it throw no key out: it refuses every write"
    } else if evicted > 0.0 {
        "Redis is full and makes room by throwing keys out: sessions end, cached values and queued jobs are lost"
    } else {
        "Redis is nearly full: the next keys need the place of others"
    };
    vec![
        finding
            .cause(cause)
            .next(commands::redis_clusters())
            .next("give Redis a larger node type in the data stack, or let keys expire sooner"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::triage::rules::{network, sample};

    #[test]
    fn a_full_redis_is_a_finding_and_a_filled_one_is_not() {
        let mut snapshot = sample::healthy();
        assert_eq!(rule(&snapshot, sample::now()), []);
        snapshot.metrics.as_mut().unwrap().redis_memory = sample::series(0..30, 80.0);
        assert_eq!(rule(&snapshot, sample::now()), []);
        snapshot.metrics.as_mut().unwrap().redis_memory = sample::series(0..30, 99.0);
        let found = rule(&snapshot, sample::now());
        assert_eq!(found[0].code, Code::RedisFull);
        assert_eq!(found[0].evidence, ["DatabaseMemoryUsagePercentage 99 %"]);
    }

    #[test]
    fn evictions_are_a_finding_whatever_the_memory() {
        let mut snapshot = sample::healthy();
        snapshot.metrics.as_mut().unwrap().redis_evictions = sample::series(0..10, 12.0);
        let found = rule(&snapshot, sample::now());
        assert_eq!(found[0].evidence, ["Evictions: 120 keys in 15 min"]);
        snapshot.metrics.as_mut().unwrap().redis_evictions = sample::series(20..30, 12.0);
        assert_eq!(rule(&snapshot, sample::now()), []);
    }

    #[test]
    fn a_refused_write_is_memory_and_not_a_connection() {
        let mut snapshot = sample::healthy();
        let line = "production.ERROR: OOM command not allowed when used memory > 'maxmemory'. {\"exception\":\"[object] (RedisException";
        snapshot.backend_logs = Ok(vec![sample::line(2, "php", line)]);
        let found = rule(&snapshot, sample::now());
        assert!(
            found[0].cause.contains("refuses every write"),
            "{}",
            found[0].cause
        );
        assert_eq!(network::redis(&snapshot, sample::now()), []);
    }
}
