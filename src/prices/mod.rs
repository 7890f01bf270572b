//! What things cost: list prices in US dollars, without discounts, free tiers and tax.
//!
//! A price is that of a [`Product`]: what AWS bills by the hour or by the GB and month. The table in the binary
//! ([`table`]) has those of one region at one date; what the caller has learnt of AWS' own price list goes before it.

mod product;
#[cfg(test)]
mod runbook;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

pub(crate) use product::{Cpu, Product};
pub(crate) use table::{DATE, REGION};

/// Hours of a month, as AWS calculates with them (AWS Pricing Calculator, "Assumptions": 730).
pub(crate) const HOURS_PER_MONTH: f64 = 730.0;

/// Gigabytes of the root volume of a dev instance (workflow create-dev-gpu-instance).
const DEV_VOLUME: f64 = 100.0;

/// Prices by product.
#[derive(Debug, Default)]
pub(crate) struct Prices {
    /// What AWS' price list says for the region that was asked for; `None` of a product that it does not have, or has at
    /// several prices.
    told: BTreeMap<Product, Option<f64>>,
    /// What was asked for so far.
    used: Mutex<BTreeSet<Product>>,
}

/// Where a price comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Source {
    /// AWS' own price list, just now.
    List,
    /// What bpctl brings along.
    Table,
}

/// A price that something was counted with.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Used {
    pub(crate) product: Product,
    /// For a unit; `None` where the source does not have it.
    pub(crate) dollars: Option<f64>,
    pub(crate) source: Source,
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

    /// Those of AWS' price list, and of the table where the list was not asked.
    pub(crate) fn listed(told: BTreeMap<Product, Option<f64>>) -> Self {
        Self {
            told,
            used: Mutex::default(),
        }
    }

    /// Dollars for a unit of the product; `None` where the price list does not have it, and where neither the list was asked
    /// for it nor the table has it.
    pub(crate) fn of(&self, product: &Product) -> Option<f64> {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if !used.contains(product) {
            used.insert(product.clone());
        }
        drop(used);
        self.look_up(product).0
    }

    fn look_up(&self, product: &Product) -> (Option<f64>, Source) {
        match self.told.get(product) {
            Some(told) => (*told, Source::List),
            None => (table::price(product), Source::Table),
        }
    }

    /// Every price that was asked for, in the order of the products.
    pub(crate) fn used(&self) -> Vec<Used> {
        let used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let used = used.iter().map(|product| {
            let (dollars, source) = self.look_up(product);
            Used {
                product: product.clone(),
                dollars,
                source,
            }
        });
        used.collect()
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
        // 0.129 * 730 + 20 * 0.115 * 2: two zones have a price of their own.
        assert_eq!(prices.database("db.t4g.medium", 20, true, true), Some(98.77));
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

    #[test]
    fn the_price_list_goes_before_the_table_and_what_it_does_not_have_is_unknown() {
        let told = [(Product::NatGateway, Some(0.059)), (Product::Secret, None)];
        let prices = Prices::listed(told.into());
        assert_eq!(prices.of(&Product::NatGateway), Some(0.059));
        assert_eq!(prices.of(&Product::Secret), None);
        assert_eq!(prices.of(&Product::Alarm), Some(0.10));
        assert_eq!(prices.secret(), None);
        let used: Vec<(Product, Source)> = prices
            .used()
            .into_iter()
            .map(|used| (used.product, used.source))
            .collect();
        assert_eq!(
            used,
            [
                (Product::NatGateway, Source::List),
                (Product::Secret, Source::List),
                (Product::Alarm, Source::Table)
            ]
        );
    }
}
