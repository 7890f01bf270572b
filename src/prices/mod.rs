//! What things cost: list prices in US dollars, without discounts, free tiers and tax.
//!
//! A price is that of a [`Product`]: what AWS bills by the hour or by the GB and month. The table in the binary
//! ([`table`]) has those of one region at one date; what the caller has learnt of AWS' own price list goes before it.

mod product;
mod table;

use std::collections::BTreeMap;

pub(crate) use product::{Cpu, Product};
pub(crate) use table::{DATE, REGION};

/// Hours of a month, as AWS calculates with them (AWS Pricing Calculator, "Assumptions": 730).
pub(crate) const HOURS_PER_MONTH: f64 = 730.0;

/// Gigabytes of the root volume of a dev instance (workflow create-dev-gpu-instance).
const DEV_VOLUME: f64 = 100.0;

/// Prices by product.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Prices {
    /// What AWS' price list says, for the region that was asked for.
    told: BTreeMap<Product, f64>,
}

/// To whole cents.
pub(crate) fn cents(dollars: f64) -> f64 {
    (dollars * 100.0).round() / 100.0
}

impl Prices {
    /// Those of the table alone.
    pub(crate) fn table() -> Self {
        Self::default()
    }

    /// Dollars for an hour, a GB and month, or a month of the product; `None` where neither AWS was asked for it nor the table has it.
    pub(crate) fn of(&self, product: &Product) -> Option<f64> {
        self.told.get(product).copied().or_else(|| table::price(product))
    }

    /// Dollars a month of so many of a product that is billed by the hour, running all the time.
    pub(crate) fn running(&self, product: &Product) -> Option<f64> {
        Some(self.of(product)? * HOURS_PER_MONTH)
    }

    /// Dollars a month of so many GB.
    pub(crate) fn stored(&self, product: &Product, gigabytes: f64) -> Option<f64> {
        Some(self.of(product)? * gigabytes)
    }

    /// Dollars an hour of a task of Fargate.
    pub(crate) fn task(&self, cpu: Cpu, vcpus: f64, gigabytes: f64) -> Option<f64> {
        let vcpu = self.of(&Product::FargateCpu(cpu))?;
        Some(vcpus * vcpu + gigabytes * self.of(&Product::FargateMemory(cpu))?)
    }

    /// Dollars a month of an instance of MariaDB with its storage; `None` for a class without a known price.
    pub(crate) fn database(&self, class: &str, gibibytes: i32, multi_az: bool, runs: bool) -> Option<f64> {
        let class = Product::Database {
            class: class.to_owned(),
            multi_az,
        };
        let hours = self.running(&class)?;
        let storage = self.stored(&Product::DatabaseStorage { multi_az }, f64::from(gibibytes))?;
        Some(cents(storage + if runs { hours } else { 0.0 }))
    }

    /// Dollars a month of a snapshot of a database of this size, at most.
    pub(crate) fn database_snapshot(&self, gibibytes: i32) -> Option<f64> {
        self.stored(&Product::DatabaseSnapshot, f64::from(gibibytes))
            .map(cents)
    }

    /// Dollars a month of so many bytes, powers of a thousand as bills have them.
    pub(crate) fn bytes(&self, product: &Product, bytes: u64) -> Option<f64> {
        self.stored(product, bytes as f64 / 1e9).map(cents)
    }

    /// Dollars a month of a snapshot of a volume of this size, at most.
    pub(crate) fn volume_snapshot(&self, gib: u64) -> Option<f64> {
        self.stored(&Product::VolumeSnapshot, gib as f64).map(cents)
    }

    /// Dollars a month of a secret.
    pub(crate) fn secret(&self) -> Option<f64> {
        self.of(&Product::Secret)
    }

    /// Dollars a month of a NAT gateway with its address.
    pub(crate) fn nat_gateway(&self) -> Option<f64> {
        Some(self.running(&Product::NatGateway)? + self.running(&Product::PublicAddress)?)
    }

    /// Dollars a month of a dev instance: its volume, and its hours as long as it runs. `None` for a type without a known
    /// price that runs.
    pub(crate) fn dev_instance(&self, kind: &str, runs: bool) -> Option<f64> {
        let hours = match runs {
            true => self.running(&Product::Instance(kind.to_owned()))?,
            false => 0.0,
        };
        let volume = self.stored(&Product::Volume("gp3".to_owned()), DEV_VOLUME)?;
        Some(cents(hours + volume))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_in_two_zones_costs_twice_and_a_stopped_one_its_storage() {
        let prices = Prices::table();
        // (0.065 * 730 + 20 * 0.115) * 2
        assert_eq!(prices.database("db.t4g.medium", 20, true, true), Some(99.5));
        assert_eq!(prices.database("db.t4g.medium", 20, false, true), Some(49.75));
        assert_eq!(prices.database("db.t4g.medium", 20, true, false), Some(4.6));
        assert_eq!(prices.database("db.x1e.32xlarge", 20, true, true), None);
        assert_eq!(prices.database_snapshot(20), Some(1.9));
    }

    #[test]
    fn gigabytes_and_instances_have_the_prices_of_the_list() {
        let prices = Prices::table();
        assert_eq!(prices.bytes(&Product::Bucket, 1_000_000_000_000), Some(23.0));
        assert_eq!(prices.bytes(&Product::Logs, 10_000_000_000), Some(0.3));
        assert_eq!(prices.volume_snapshot(100), Some(5.0));
        assert_eq!(prices.dev_instance("g4dn.xlarge", false), Some(8.0));
        assert!(prices.dev_instance("g4dn.xlarge", true).unwrap() > 300.0);
        assert_eq!(prices.dev_instance("z9.mega", true), None);
        assert_eq!(prices.nat_gateway().map(cents), Some(36.5));
    }

    /// The staging platform of the runbook ("Cost Estimates (us-east-1, staging)") at the prices of the table.
    #[test]
    fn the_runbooks_estimate_follows_from_the_table() {
        let prices = Prices::table();
        let staging = blueprint::Sizes::staging();
        let whole = |dollars: Option<f64>| dollars.unwrap().round();
        assert_eq!(whole(prices.running(&Product::LoadBalancer)), 16.0);
        // "~$32" is 32.85, cut off; its address has been billed apart since 2024-02.
        let nat = prices.running(&Product::NatGateway).unwrap();
        assert_eq!((nat.floor(), f64::from(staging.nat_gateways)), (32.0, 1.0));
        let cache = Product::Cache {
            node: staging.cache_node_type.clone(),
            engine: "redis".to_owned(),
        };
        assert_eq!(whole(prices.running(&cache)), 12.0);

        // "db.t4g.small ~$47" is the class in two zones; the runbook's own preset has one zone, which is half of it.
        let hours = |multi_az| {
            prices.running(&Product::Database {
                class: staging.database_class.clone(),
                multi_az,
            })
        };
        assert_eq!(
            (staging.database_class.as_str(), staging.database_multi_az),
            ("db.t4g.small", false)
        );
        assert_eq!((whole(hours(true)), whole(hours(false))), (47.0, 23.0));

        // "~$25" for a task of each service lies between the prices for ARM, on which they run, and for x86.
        let tasks = |cpu| {
            let sizes = [staging.backend, staging.frontend];
            let hourly = sizes.map(|size| {
                let (vcpus, gigabytes) = (f64::from(size.cpu) / 1024.0, f64::from(size.memory) / 1024.0);
                prices.task(cpu, vcpus, gigabytes).unwrap()
            });
            hourly.iter().sum::<f64>() * HOURS_PER_MONTH
        };
        assert_eq!((cents(tasks(Cpu::Arm)), cents(tasks(Cpu::X86))), (21.63, 27.03));

        // "S3 + CloudFront + CloudWatch ~$10" is use: e.g. 100 GB of objects, 10 GB of logs, the six platform alarms and the
        // four of a fleet, and 75 GB through CloudFront at $0.085.
        let stored =
            prices.stored(&Product::Bucket, 100.0).unwrap() + prices.stored(&Product::Logs, 10.0).unwrap();
        let alarms = 10.0 * prices.of(&Product::Alarm).unwrap();
        assert_eq!((stored + alarms + 75.0 * 0.085).round(), 10.0);

        // "Non-GPU total ~$142" is the sum of the runbook's own lines.
        let lines = [47.0, nat.floor(), 25.0, 16.0, 12.0, 10.0];
        assert_eq!(lines.iter().sum::<f64>(), 142.0);
    }
}
