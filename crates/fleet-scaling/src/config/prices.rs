//! List prices of the GPU instance types that fleets commonly use.

/// Dollars per hour. Source: Amazon EC2 On-Demand Pricing, Linux, US East (N. Virginia). Spot prices
/// change all the time and differ by zone; a configuration states its own.
const ON_DEMAND: [(&str, f64); 12] = [
    ("g4dn.xlarge", 0.526),
    ("g4dn.2xlarge", 0.752),
    ("g4dn.12xlarge", 3.912),
    ("g5.xlarge", 1.006),
    ("g5.2xlarge", 1.212),
    ("g5.4xlarge", 1.624),
    ("g5.12xlarge", 5.672),
    ("g6.xlarge", 0.8048),
    ("g6.2xlarge", 0.9776),
    ("g6e.xlarge", 1.861),
    ("g6e.2xlarge", 2.24208),
    ("p5.48xlarge", 55.04),
];

/// The on-demand price of `instance_type` in dollars per hour, `None` for a type not in the list.
#[must_use]
pub fn on_demand(instance_type: &str) -> Option<f64> {
    ON_DEMAND
        .iter()
        .find(|(name, _)| *name == instance_type)
        .map(|(_, price)| *price)
}
