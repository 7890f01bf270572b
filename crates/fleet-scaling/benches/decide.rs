//! How long one decision takes: `cargo bench -p fleet-scaling --bench decide`.

use divan::{Bencher, black_box};
use fleet_scaling::config::{FleetConfig, FleetSpec};
use fleet_scaling::metrics::Metrics;
use fleet_scaling::state::FleetState;
use fleet_scaling::{Moment, decide, explain};

fn main() {
    divan::main();
}

/// The fleet of `examples/two-steps.toml`.
fn two_steps() -> FleetSpec {
    toml::from_str(include_str!("../examples/two-steps.toml")).unwrap()
}

fn situation(queue: f64, backlog: f64) -> (FleetConfig, FleetState, Metrics) {
    let config = FleetConfig::new(two_steps()).unwrap();
    let metrics = Metrics::new()
        .with("QueueDepth", [Some(queue); 20])
        .with("BacklogPerInstance", [Some(backlog); 20]);
    (config, FleetState::settled(3), metrics)
}

/// Each decision is dropped before the next one: ten thousand that are kept would fill the caches and have the system
/// hand out fresh pages, and that is what would be measured.
#[divan::bench(args = [("idle", 0.0), ("busy", 18.0)], sample_size = 10_000)]
fn decision(bencher: Bencher, (_, queue): (&str, f64)) {
    let (config, state, metrics) = situation(queue, queue / 3.0);
    bencher.bench(|| {
        let decision = decide(
            black_box(&config),
            black_box(&state),
            black_box(&metrics),
            Moment(0),
        );
        drop(black_box(decision));
    });
}

#[divan::bench]
fn explanation(bencher: Bencher) {
    let (config, state, metrics) = situation(18.0, 6.0);
    bencher.bench(|| {
        explain(
            black_box(&config),
            black_box(&state),
            black_box(&metrics),
            Moment(0),
        )
    });
}
