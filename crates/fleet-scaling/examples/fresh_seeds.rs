//! How well a tuned fleet keeps what `tune` promised of it: on seeds that neither the search nor its confirmation has seen.
//!
//! `cargo run --release -p fleet-scaling --example fresh_seeds -- FLEET.toml ARRIVALS DAYS P95_MINUTES...`
//!
//! For each target a search, and thirty fresh runs of what it chose. A run misses the target when its 95th percentile of
//! waits is above it, and exceeds the bound when it is above the largest one of the runs that confirmed the choice.

use std::error::Error;
use std::io::Write;
use std::time::Duration;

use fleet_scaling::config::FleetConfig;
use fleet_scaling::simulate::{Arrivals, simulate};
use fleet_scaling::tune;
use fleet_scaling::tune::{Objective, Space};

/// What a caller of `tune` would take.
const SEARCH: [u64; 3] = [1, 2, 3];

/// Far from the seeds of the search, and from those that it holds back itself.
const FRESH: std::ops::Range<u64> = 77_000_000..77_000_030;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, load, days, targets @ ..] = &arguments[..] else {
        return Err("expected FLEET.toml ARRIVALS DAYS P95_MINUTES...".into());
    };
    let config: FleetConfig = toml::from_str(&std::fs::read_to_string(file)?)?;
    let arrivals: Arrivals = load.parse()?;
    let horizon = Duration::from_secs(days.parse::<u64>()? * 86_400);
    let mut out = std::io::stdout().lock();
    let (mut runs, mut missed, mut exceeded) = (0, 0, 0);
    writeln!(out, "p95 wanted  bound      passed over  missed  above the bound")?;
    for target in targets {
        let wanted = 60.0 * target.parse::<f64>()?;
        let objective = Objective::wait_p95(Duration::from_secs_f64(wanted));
        let space = Space::around(config.spec());
        let found = tune(&config, &arrivals, horizon, &SEARCH, &objective, &space)?;
        let (Some(best), Some(held_out)) = (found.best, found.held_out) else {
            writeln!(out, "{wanted:>8.0} s  nothing meets it")?;
            continue;
        };
        let bound = held_out.wait_p95_bound_seconds;
        let chosen = FleetConfig::new(best.choice.apply(config.spec()))?;
        let waits = FRESH
            .map(|seed| simulate(&chosen, &arrivals, seed, horizon).map(|report| report.wait.p95))
            .collect::<Result<Vec<f64>, _>>()?;
        let above = |limit: f64| waits.iter().filter(|wait| **wait > limit).count();
        writeln!(
            out,
            "{wanted:>8.0} s  {bound:>7.1} s  {:>11}  {:>6}  {:>15}",
            held_out.passed_over,
            above(wanted),
            above(bound),
        )?;
        runs += waits.len();
        missed += above(wanted);
        exceeded += above(bound);
    }
    writeln!(
        out,
        "{runs} runs: {missed} missed the target, {exceeded} were above the bound"
    )?;
    Ok(())
}
