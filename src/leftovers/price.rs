//! What things cost a month: list prices of us-east-1, On-Demand, without transfer, requests and tax.

/// Hours of a month, as AWS calculates with them ("AWS Pricing Calculator": 730).
const HOURS: f64 = 730.0;

/// Dollars an hour of an instance of MariaDB in one zone ("Amazon RDS for MariaDB Pricing"); two zones cost twice that.
const DATABASES: &[(&str, f64)] = &[
    ("db.t4g.micro", 0.016),
    ("db.t4g.small", 0.032),
    ("db.t4g.medium", 0.065),
    ("db.t4g.large", 0.129),
];

/// Dollars a GB and month of gp3 storage in one zone, and of snapshots beyond the size of the database (same page).
const DATABASE_STORAGE: f64 = 0.115;
const DATABASE_SNAPSHOT: f64 = 0.095;

/// Dollars a GB and month: S3 Standard, CloudWatch Logs, snapshots and gp3 volumes of EBS ("Amazon S3 pricing", "Amazon
/// CloudWatch Pricing", "Amazon EBS pricing").
const BUCKET: f64 = 0.023;
const LOGS: f64 = 0.03;
const VOLUME_SNAPSHOT: f64 = 0.05;
const VOLUME: f64 = 0.08;

/// Gigabytes of a dev instance's volume (workflow create-dev-gpu-instance).
const DEV_VOLUME: f64 = 100.0;

/// Dollars a month of a secret ("AWS Secrets Manager Pricing").
pub(crate) const SECRET: f64 = 0.40;

/// Dollars a month of a NAT gateway with its address ("Amazon VPC pricing": $0.045 and $0.005 an hour).
pub(crate) const NAT_GATEWAY: f64 = (0.045 + 0.005) * HOURS;

/// What the figures assume.
pub(crate) const ASSUMPTIONS: &[&str] = &[
    "list prices of us-east-1 for 730 hours a month; discounts, requests, transfer and tax are not counted",
    "objects in S3 Standard; snapshots at their full size, of which only what has changed is billed",
];

fn cents(dollars: f64) -> f64 {
    (dollars * 100.0).round() / 100.0
}

/// An instance of a class with its storage; `None` for a class whose price is not known here.
pub(crate) fn database(class: &str, gibibytes: i32, multi_az: bool, runs: bool) -> Option<f64> {
    let (_, hourly) = DATABASES.iter().find(|(known, _)| *known == class)?;
    let zones = if multi_az { 2.0 } else { 1.0 };
    let hours = if runs { HOURS } else { 0.0 };
    Some(cents(
        zones * (hourly * hours + f64::from(gibibytes) * DATABASE_STORAGE),
    ))
}

/// A snapshot of a database of this size, at most.
pub(crate) fn snapshot(gibibytes: i32) -> f64 {
    cents(f64::from(gibibytes) * DATABASE_SNAPSHOT)
}

fn gigabytes(bytes: u64, dollars: f64) -> f64 {
    cents(bytes as f64 / 1e9 * dollars)
}

pub(super) fn bucket(bytes: u64) -> f64 {
    gigabytes(bytes, BUCKET)
}

pub(super) fn logs(bytes: u64) -> f64 {
    gigabytes(bytes, LOGS)
}

pub(super) fn volume_snapshot(gib: u64) -> f64 {
    cents(gib as f64 * VOLUME_SNAPSHOT)
}

/// A dev instance: its volume, and its hours as long as it runs. `None` for a type without a known price that runs.
pub(super) fn dev_instance(kind: &str, runs: bool) -> Option<f64> {
    let hourly = match runs {
        true => fleet_scaling::config::on_demand(kind)?,
        false => 0.0,
    };
    Some(cents(hourly * HOURS + DEV_VOLUME * VOLUME))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_in_two_zones_costs_twice_and_a_stopped_one_its_storage() {
        // (0.065 * 730 + 20 * 0.115) * 2
        assert_eq!(database("db.t4g.medium", 20, true, true), Some(99.5));
        assert_eq!(database("db.t4g.medium", 20, false, true), Some(49.75));
        assert_eq!(database("db.t4g.medium", 20, true, false), Some(4.6));
        assert_eq!(database("db.x1e.32xlarge", 20, true, true), None);
        assert_eq!(snapshot(20), 1.9);
    }

    #[test]
    fn gigabytes_and_instances_have_the_prices_of_the_list() {
        assert_eq!(bucket(1_000_000_000_000), 23.0);
        assert_eq!(logs(10_000_000_000), 0.3);
        assert_eq!(volume_snapshot(100), 5.0);
        assert_eq!(dev_instance("g4dn.xlarge", false), Some(8.0));
        assert!(dev_instance("g4dn.xlarge", true).unwrap() > 300.0);
        assert_eq!(dev_instance("z9.mega", true), None);
    }
}
