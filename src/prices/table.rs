//! The prices that bpctl brings along.
//!
//! They are AWS' list prices, compared with what others have read of AWS' price list and published since: the offer files
//! of ECS, RDS, Elastic Load Balancing and Secrets Manager of 2026-09-11, those of VPC and EC2 (NAT gateways) of 2026-08-01, the
//! estimates of Infracost's tests of 2026-08-21 (EBS, S3, CloudWatch, ECR, CloudFront), and the EC2 instances on demand
//! that Karpenter has read on 2026-01-19. Only "Amazon RDS for MariaDB Pricing" and "Amazon ElastiCache Pricing" stand behind
//! `db.t4g.large` and larger, `cache.m7g.large` and `cache.r7g.large`; `db.t4g` in two zones is that of PostgreSQL, which has MariaDB's
//! prices in one zone.

use super::{Cpu, Product};

/// Where these prices are in force.
pub(crate) const REGION: &str = "us-east-1";

/// When the first of them was read. Nothing that was read later says otherwise.
pub(crate) const DATE: &str = "2026-01-19";

/// Dollars an hour of an instance of MariaDB in one zone and in two ("Amazon RDS for MariaDB Pricing"): an instance in two
/// zones has a price of its own, which is not always twice the other.
const DATABASES: &[(&str, f64, f64)] = &[
    ("db.t3.micro", 0.017, 0.034),
    ("db.t3.small", 0.034, 0.068),
    ("db.t3.medium", 0.068, 0.136),
    ("db.t3.large", 0.136, 0.272),
    ("db.t4g.micro", 0.016, 0.032),
    ("db.t4g.small", 0.032, 0.065),
    ("db.t4g.medium", 0.065, 0.129),
    ("db.t4g.large", 0.129, 0.258),
    ("db.t4g.xlarge", 0.258, 0.517),
    ("db.t4g.2xlarge", 0.517, 1.034),
];

/// Dollars an hour of a node with Redis OSS or Memcached ("Amazon ElastiCache Pricing").
const CACHES: &[(&str, f64)] = &[
    ("cache.t3.micro", 0.017),
    ("cache.t3.small", 0.034),
    ("cache.t3.medium", 0.068),
    ("cache.t4g.micro", 0.016),
    ("cache.t4g.small", 0.032),
    ("cache.t4g.medium", 0.065),
    ("cache.m7g.large", 0.158),
    ("cache.r7g.large", 0.219),
];

/// "20% lower than other engines" (Amazon ElastiCache Pricing, Valkey, node-based).
const VALKEY: f64 = 0.8;

/// Dollars a GB and month of a volume ("Amazon EBS pricing"); throughput and IOPS beyond what gp3 has for nothing are not
/// counted.
const VOLUMES: &[(&str, f64)] = &[
    ("gp2", 0.10),
    ("gp3", 0.08),
    ("io1", 0.125),
    ("io2", 0.125),
    ("sc1", 0.015),
    ("st1", 0.045),
    ("standard", 0.05),
];

fn named(prices: &[(&str, f64)], name: &str) -> Option<f64> {
    let found = prices.iter().find(|(known, _)| *known == name);
    found.map(|(_, price)| *price)
}

/// Dollars for a unit of the product.
pub(super) fn price(product: &Product) -> Option<f64> {
    Some(match product {
        // "AWS Fargate Pricing", Linux on ARM and on x86.
        Product::FargateCpu(Cpu::Arm) => 0.03238,
        Product::FargateMemory(Cpu::Arm) => 0.00356,
        Product::FargateCpu(Cpu::X86) => 0.04048,
        Product::FargateMemory(Cpu::X86) => 0.004445,
        Product::Database { class, multi_az } => {
            let (_, one, two) = DATABASES.iter().find(|(known, ..)| known == class)?;
            if *multi_az { *two } else { *one }
        }
        // "Amazon RDS for MariaDB Pricing", gp3 and backup storage.
        Product::DatabaseStorage { multi_az } => 0.115 * zones(*multi_az),
        Product::DatabaseSnapshot => 0.095,
        Product::Cache { node, engine } => {
            let price = named(CACHES, node)?;
            match engine.as_str() {
                "redis" | "memcached" => price,
                "valkey" => price * VALKEY,
                _ => return None,
            }
        }
        // "Elastic Load Balancing pricing".
        Product::LoadBalancer => 0.0225,
        Product::LoadBalancerCapacity => 0.008,
        // "Amazon VPC pricing": gateway, its data, and public IPv4 address.
        Product::NatGateway | Product::NatData => 0.045,
        Product::PublicAddress => 0.005,
        // "Amazon EC2 On-Demand Pricing"; the scaling library has the types that fleets use.
        Product::Instance(kind) => fleet_scaling::config::on_demand(kind)?,
        Product::Volume(kind) => named(VOLUMES, kind)?,
        // "Amazon EBS pricing", standard tier.
        Product::VolumeSnapshot => 0.05,
        // "Amazon S3 pricing".
        Product::Bucket => 0.023,
        Product::BucketWrites => 0.005 / 1e3,
        Product::BucketReads => 0.0004 / 1e3,
        // "Amazon CloudFront Pricing", United States.
        Product::Delivery => 0.085,
        Product::DeliveryRequests => 0.01 / 1e4,
        // "Amazon CloudWatch Pricing".
        Product::Logs => 0.03,
        Product::LogsTakenIn => 0.50,
        Product::Alarm => 0.10,
        // "Amazon ECR pricing".
        Product::Images => 0.10,
        // "AWS Secrets Manager Pricing".
        Product::Secret => 0.40,
    })
}

fn zones(multi_az: bool) -> f64 {
    if multi_az { 2.0 } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_in_the_table_has_no_price() {
        let cache = |node: &str, engine: &str| {
            price(&Product::Cache {
                node: node.to_owned(),
                engine: engine.to_owned(),
            })
        };
        assert_eq!(cache("cache.t4g.micro", "redis"), Some(0.016));
        assert_eq!(
            cache("cache.t4g.micro", "valkey").map(|price| (price * 1e4).round()),
            Some(128.0)
        );
        assert_eq!(cache("cache.t4g.micro", "something"), None);
        assert_eq!(cache("cache.z9.huge", "redis"), None);
        assert_eq!(price(&Product::Volume("gp9".to_owned())), None);
        assert_eq!(price(&Product::Instance("z9.mega".to_owned())), None);
    }
}
