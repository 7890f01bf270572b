//! How fast fleets are simulated: `cargo bench -p fleet-scaling --bench simulate`.
//!
//! Throughput is counted in fleet-minutes or in jobs, one core, unless the name says otherwise.

use std::time::Duration;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use fleet_scaling::config::{FleetConfig, FleetSpec, ServiceTime};
use fleet_scaling::simulate::{Arrivals, simulate};

const DAY: u64 = 86_400;

fn main() {
    divan::main();
}

/// The fleet of `examples/two-steps.toml`.
fn two_steps() -> FleetSpec {
    toml::from_str(include_str!("../examples/two-steps.toml")).unwrap()
}

/// The queue's depth counts the jobs that wait, as in the model of `peer.py`.
fn config(change: impl FnOnce(&mut FleetSpec)) -> FleetConfig {
    let mut spec = two_steps();
    spec.jobs.depth_counts_running = false;
    change(&mut spec);
    FleetConfig::new(spec).unwrap()
}

fn arrivals(text: &str) -> Arrivals {
    text.parse().unwrap()
}

fn minutes(bencher: Bencher, config: &FleetConfig, load: &str, days: u64) {
    let load = arrivals(load);
    let horizon = Duration::from_secs(days * DAY);
    bencher
        .counter(ItemsCount::new(days * 1440))
        .bench(|| simulate(black_box(config), &load, 1, horizon).unwrap());
}

/// A year without a job.
#[divan::bench]
fn minutes_idle(bencher: Bencher) {
    minutes(bencher, &config(|_| ()), "none", 365);
}

/// A year of five busy instances: jobs of three hours, one every 40 minutes.
#[divan::bench]
fn minutes_steady(bencher: Bencher) {
    let steady = config(|spec| {
        (spec.min, spec.max) = (5, 5);
        spec.jobs.service = ServiceTime::Fixed { seconds: 10_800.0 };
    });
    minutes(bencher, &steady, "constant:1.5/h", 365);
}

/// A year of a fleet that wakes and sleeps: a job every two hours.
#[divan::bench]
fn minutes_sporadic(bencher: Bencher) {
    minutes(bencher, &config(|_| ()), "poisson:0.5/h", 365);
}

/// A fleet that never rests: the control plane steps through every minute.
#[divan::bench(sample_count = 20)]
fn minutes_busy(bencher: Bencher) {
    minutes(bencher, &config(|_| ()), "poisson:30/h", 365);
}

fn jobs(bencher: Bencher, servers: i64) {
    let fleet = config(|spec| {
        (spec.min, spec.max) = (servers, servers);
        spec.policies.clear();
        spec.scale_to_zero = None;
        spec.jobs.service = ServiceTime::Exponential { mean_seconds: 1.0 };
    });
    let per_hour = servers as f64 * 0.8 * 3600.0;
    let load = Arrivals::Poisson { per_hour };
    let hours = (1_000_000.0 / per_hour).ceil();
    let horizon = Duration::from_secs_f64(hours * 3600.0);
    let count = simulate(&fleet, &load, 1, horizon).unwrap().jobs.arrived;
    bencher
        .counter(ItemsCount::new(count))
        .bench(|| simulate(black_box(&fleet), &load, 1, horizon).unwrap());
}

/// A million jobs on a fixed fleet at a load of 0.8.
#[divan::bench(args = [1, 8, 64], sample_count = 20)]
fn jobs_on_fixed_servers(bencher: Bencher, servers: i64) {
    jobs(bencher, servers);
}

/// A year of 200 fleets with a job every two hours each, on every core.
#[divan::bench(sample_count = 5)]
fn minutes_of_200_fleets_on_all_cores(bencher: Bencher) {
    use rayon::prelude::*;
    let config = config(|_| ());
    let load = arrivals("poisson:0.5/h");
    let year = Duration::from_secs(365 * DAY);
    bencher.counter(ItemsCount::new(200_u64 * 365 * 1440)).bench(|| {
        (0..200_u64)
            .into_par_iter()
            .map(|seed| simulate(&config, &load, seed, year).unwrap().jobs.done)
            .sum::<u64>()
    });
}
