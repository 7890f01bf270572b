//! Findings about the warm pool.

use std::time::Duration;

use super::evidence::{compare, some_workers, two_days};
use super::{Finding, Severity};
use crate::config::{FleetConfig, WarmPoolSpec};
use crate::simulate::Arrivals;

/// "Creating a warm pool when it's not required can lead to unnecessary costs": a pool that shortens no wait, or holds
/// nothing.
pub(super) fn a_warm_pool_without_use(config: &FleetConfig) -> Option<Finding> {
    let pool = config.spec().warm_pool.as_ref()?;
    let burst = Arrivals::Burst {
        jobs: (some_workers(config) * 4.0).ceil() as u64,
        at: Duration::from_secs(9 * 3600),
        daily: true,
    };
    let evidence = compare(config, "two days with a burst each", &two_days(burst), |spec| {
        spec.warm_pool = None;
    })?;
    let (with, without) = (&evidence.now, &evidence.fixed);
    if with.p95() < without.p95() || with.unfinished < without.unfinished {
        return None;
    }
    let limits = config.limits();
    let problem = if pool.size(limits.min, limits.max) == 0 {
        format!(
            "the warm pool holds nothing: group and pool together may have {}, and the group has as many by itself",
            prepared(pool, limits.max)
        )
    } else {
        "launches from the warm pool start no job earlier than cold ones".to_owned()
    };
    Some(Finding {
        rule: "warm-pool-without-use",
        severity: if with.cost > without.cost {
            Severity::Warning
        } else {
            Severity::Note
        },
        field: "warm_pool".to_owned(),
        problem,
        consequence: format!(
            "95 % of the jobs wait up to {:.0} s with it and {:.0} s without, for {:.2} dollars and {:.2}",
            with.p95(),
            without.p95(),
            with.cost,
            without.cost
        ),
        fix: "leave the warm pool out, or let it hold stopped instances for the launches of a burst"
            .to_owned(),
        unknown: None,
        evidence: Some(evidence),
    })
}

fn prepared(pool: &WarmPoolSpec, max: u32) -> i64 {
    pool.max_prepared.unwrap_or(i64::from(max))
}
