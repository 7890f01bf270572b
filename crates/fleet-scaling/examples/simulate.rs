//! Simulates a fleet from a file and prints the report as JSON, findings and time on stderr.
//!
//! `cargo run --release -p fleet-scaling --example simulate -- FLEET.toml poisson:30/h 30 [SEED]`

use std::error::Error;
use std::io::Write;
use std::time::{Duration, Instant};

use fleet_scaling::config::FleetConfig;
use fleet_scaling::lint;
use fleet_scaling::simulate::simulate;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (file, load, days, seed) = match &arguments[..] {
        [file, load, days] => (file, load, days, "1"),
        [file, load, days, seed] => (file, load, days, seed.as_str()),
        _ => return Err("expected FLEET.toml ARRIVALS DAYS [SEED]".into()),
    };
    let config: FleetConfig = toml::from_str(&std::fs::read_to_string(file)?)?;
    let mut errors = std::io::stderr().lock();
    for finding in lint(&config) {
        writeln!(
            errors,
            "{}: {}; {}. Fix: {}",
            finding.field, finding.problem, finding.consequence, finding.fix
        )?;
    }
    let horizon = Duration::from_secs(days.parse::<u64>()? * 86_400);
    let load = load.parse()?;
    let began = Instant::now();
    let report = simulate(&config, &load, seed.parse()?, horizon)?;
    writeln!(errors, "simulated in {:.6} s", began.elapsed().as_secs_f64())?;
    writeln!(
        std::io::stdout().lock(),
        "{}",
        serde_json::to_string_pretty(&report)?
    )?;
    Ok(())
}
