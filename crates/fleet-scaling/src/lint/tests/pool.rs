//! Findings about warm pools.

use super::*;
use crate::config::{PoolState, WarmPoolSpec};

/// On-Demand Instances at a dollar an hour, with a pool.
fn pooled(pool: WarmPoolSpec, change: impl FnOnce(&mut FleetSpec)) -> FleetSpec {
    let mut spec = clean();
    for kind in &mut spec.instance_types {
        (kind.spot, kind.hourly_price) = (None, Some(1.0));
    }
    spec.warm_pool = Some(pool);
    change(&mut spec);
    spec
}

fn of_pool(spec: FleetSpec) -> Option<Finding> {
    let findings = lint(&FleetConfig::new(spec).unwrap());
    findings
        .into_iter()
        .find(|finding| finding.rule == "warm-pool-without-use")
}

#[test]
fn a_pool_that_shortens_the_wait_is_no_finding() {
    assert_eq!(of_pool(pooled(WarmPoolSpec::default(), |_| ())), None);
}

#[test]
fn a_running_pool_beside_a_fleet_that_never_launches_is_paid_for_nothing() {
    let pool = WarmPoolSpec {
        min: 2,
        state: PoolState::Running,
        ..WarmPoolSpec::default()
    };
    let spec = pooled(pool, |spec| {
        (spec.min, spec.max, spec.scale_to_zero) = (2, 2, None)
    });
    let finding = of_pool(spec).unwrap();
    assert_eq!(finding.severity, Severity::Warning);
    let evidence = evidence(&finding);
    // Two instances for two days.
    assert!(
        (evidence.now.cost - evidence.fixed.cost - 96.0).abs() < 1e-6,
        "{evidence:?}"
    );
    assert_eq!(evidence.now.wait_p95_seconds, evidence.fixed.wait_p95_seconds);
}

#[test]
fn a_pool_that_is_never_filled_is_named() {
    let pool = WarmPoolSpec {
        max_prepared: Some(0),
        ..WarmPoolSpec::default()
    };
    let finding = of_pool(pooled(pool, |_| ()));
    // With and without it everything is the same: a note.
    let finding = finding.unwrap();
    assert_eq!(finding.severity, Severity::Note);
    assert!(finding.problem.contains("holds nothing"), "{}", finding.problem);
}
