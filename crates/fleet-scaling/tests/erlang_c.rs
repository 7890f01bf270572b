//! With servers that nothing scales, the simulated wait is that of queueing theory.

use std::time::Duration;

use fleet_scaling::config::{FleetConfig, FleetSpec, ServiceTime};
use fleet_scaling::simulate::{Arrivals, simulate};

/// The fleet of `examples/two-steps.toml`.
fn two_steps() -> FleetSpec {
    toml::from_str(include_str!("../examples/two-steps.toml")).unwrap()
}

/// The mean wait, in seconds, of `servers` servers with Poisson arrivals and exponential service times.
fn erlang_c(servers: u32, service: f64, utilisation: f64) -> f64 {
    let offered = f64::from(servers) * utilisation;
    // The probability of blocking, by the recursion of Erlang B, and from it that of waiting.
    let mut blocked = 1.0;
    for server in 1..=servers {
        blocked = offered * blocked / (f64::from(server) + offered * blocked);
    }
    let waits = blocked / (1.0 - utilisation * (1.0 - blocked));
    waits * service / (f64::from(servers) * (1.0 - utilisation))
}

fn fleet(servers: u32, service: ServiceTime) -> FleetConfig {
    let mut spec = two_steps();
    (spec.min, spec.max) = (i64::from(servers), i64::from(servers));
    spec.policies.clear();
    spec.scale_to_zero = None;
    spec.jobs.service = service;
    FleetConfig::new(spec).unwrap()
}

/// The mean wait of independent runs, and half of its 99.9 % confidence interval.
fn simulated(config: &FleetConfig, per_hour: f64, jobs: f64) -> (f64, f64) {
    const RUNS: u32 = 12;
    /// Student's t for eleven degrees of freedom.
    const QUANTILE: f64 = 4.437;
    let horizon = Duration::from_secs_f64(jobs / per_hour * 3600.0);
    let waits: Vec<f64> = (0..RUNS)
        .map(|seed| {
            let arrivals = Arrivals::Poisson { per_hour };
            simulate(config, &arrivals, u64::from(seed), horizon)
                .unwrap()
                .wait
                .mean
        })
        .collect();
    let mean = waits.iter().sum::<f64>() / f64::from(RUNS);
    let variance = waits.iter().map(|wait| (wait - mean).powi(2)).sum::<f64>() / f64::from(RUNS - 1);
    (mean, QUANTILE * (variance / f64::from(RUNS)).sqrt())
}

#[test]
fn the_mean_wait_is_that_of_erlang_c_at_every_load() {
    for (servers, utilisation) in [(1, 0.3), (1, 0.7), (2, 0.5), (3, 0.8), (10, 0.6), (10, 0.9)] {
        let service = 60.0;
        let per_hour = f64::from(servers) * utilisation / service * 3600.0;
        let config = fleet(
            servers,
            ServiceTime::Exponential {
                mean_seconds: service,
            },
        );
        let (mean, half) = simulated(&config, per_hour, 40_000.0);
        let expected = erlang_c(servers, service, utilisation);
        assert!(
            (mean - expected).abs() <= half,
            "{servers} servers at {utilisation}: {mean} ± {half}, expected {expected}"
        );
        // An interval so wide that anything fits would prove nothing.
        assert!(
            half < 0.25 * expected,
            "{servers} servers at {utilisation}: ± {half} of {expected}"
        );
    }
}

#[test]
fn service_times_without_variance_halve_the_wait_of_one_server() {
    // The formula of Pollaczek and Khinchine.
    let config = fleet(1, ServiceTime::Fixed { seconds: 60.0 });
    let (mean, half) = simulated(&config, 42.0, 40_000.0);
    let expected = erlang_c(1, 60.0, 0.7) / 2.0;
    assert!(
        (mean - expected).abs() <= half,
        "{mean} ± {half}, expected {expected}"
    );
}

#[test]
fn instances_that_run_all_the_time_cost_their_price() {
    let config = fleet(3, ServiceTime::Fixed { seconds: 60.0 });
    let report = simulate(&config, &Arrivals::None, 0, Duration::from_secs(36_000)).unwrap();
    assert!((report.fleet.cost - 3.0 * 10.0 * 0.526).abs() < 1e-9);
    assert_eq!(report.fleet.utilisation, 0.0);
}
