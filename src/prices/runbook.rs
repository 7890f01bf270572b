//! The runbook's "Cost Estimates (us-east-1, staging)", line by line, at the prices of the table.
//!
//! A line whose figure does not follow from its configuration says what does follow and why the two differ.

use super::{Cpu, HOURS_PER_MONTH, Prices, Product, cents};

/// A line of the runbook's table.
struct Line {
    component: &'static str,
    /// Dollars a month, as the runbook has them.
    says: f64,
    /// Dollars a month of the configuration, and what it is.
    comes_to: f64,
    configuration: &'static str,
    /// Why the figures differ by more than the runbook's rounding; empty where they do not.
    differs: &'static str,
}

/// Days of a month with as many hours as AWS calculates with.
const DAYS: f64 = HOURS_PER_MONTH / 24.0;

/// Dollars an hour of a `g4dn.xlarge` as a Spot Instance, at the lower end of where it has been ("Amazon EC2 Spot Instances
/// Pricing", us-east-1: 0.16 to 0.20).
const SPOT: f64 = 0.16;

/// Minutes of an instance for a job that comes alone: three until the worker has registered, two for the job, and one until
/// the alarm on the empty queue has taken the fleet to zero.
const ALONE: f64 = 3.0 + 2.0 + 1.0;

fn line(component: &'static str, says: f64, comes_to: f64, configuration: &'static str) -> Line {
    Line {
        component,
        says,
        comes_to,
        configuration,
        differs: "",
    }
}

impl Line {
    fn because(self, differs: &'static str) -> Self {
        Self { differs, ..self }
    }

    /// Within the rounding of a figure with a tilde: to whole dollars, or cut off to them.
    fn agrees(&self) -> bool {
        (self.says - self.comes_to).abs() <= 1.0
    }
}

fn lines() -> Vec<Line> {
    vec![
        line("RDS MariaDB db.t4g.small", 47.0, 47.45, "the class in two zones, without storage"),
        line(
            "RDS MariaDB db.t4g.small, as the staging preset has it",
            47.0,
            25.66,
            "the class in one zone, with 20 GiB of gp3",
        )
        .because("the runbook's own preset has one zone, which is half of its figure"),
        line("NAT Gateway (1)", 32.0, 32.85, "one gateway, without data and address"),
        line("NAT Gateway (1), with its address", 32.0, 36.5, "one gateway with a public IPv4 address")
            .because("public IPv4 addresses have been billed since 2024-02"),
        line("ECS Fargate (backend + frontend)", 25.0, 21.63, "a task of each service on ARM")
            .because("on ARM, on which they run, it is less; on x86 it would be 27.03"),
        line("ALB", 16.0, 16.43, "one load balancer, without capacity units and addresses"),
        line("ALB, with its addresses", 16.0, 23.73, "one load balancer in two zones")
            .because("public IPv4 addresses have been billed since 2024-02"),
        line("ElastiCache cache.t4g.micro", 12.0, 11.68, "one node with Redis OSS"),
        line(
            "S3 + CloudFront + CloudWatch",
            10.0,
            9.98,
            "e.g. 100 GB of objects, 10 GB of logs, ten alarms, 75 GB through CloudFront",
        ),
        line("Non-GPU total", 142.0, 140.01, "the lines above as the runbook means them")
            .because("the tasks are on ARM, which is 3.37 less; the other lines are cut off"),
        line("GPU Spot (idle / scale-to-zero)", 0.0, 0.0, "no instance"),
        line(
            "GPU Spot (low: ~20 jobs/day)",
            10.0,
            9.73,
            "g4dn.xlarge at $0.16, 60.8 hours: each job alone",
        ),
        line(
            "GPU Spot (high: ~500 jobs/day)",
            460.0,
            243.33,
            "g4dn.xlarge at $0.16, 1520.8 hours: each job alone",
        )
        .because("the runbook's figure takes 2,875 hours at that price, or 11.5 minutes for each job; it does not say which"),
    ]
}

/// The configuration of each line, in the order of the lines.
fn counted(prices: &Prices) -> Vec<f64> {
    let staging = blueprint::Sizes::staging();
    let known = |dollars: Option<f64>| dollars.expect("a price");
    let hours = |multi_az| {
        known(prices.running(&Product::Database {
            class: staging.database_class.clone(),
            multi_az,
        }))
    };
    let preset = known(prices.database(&staging.database_class, 20, staging.database_multi_az, true));
    let address = known(prices.running(&Product::PublicAddress));
    let gateway = known(prices.running(&Product::NatGateway)) * f64::from(staging.nat_gateways);
    let sizes = [staging.backend, staging.frontend];
    let tasks = sizes.iter().map(|size| {
        let (vcpus, gigabytes) = (f64::from(size.cpu) / 1024.0, f64::from(size.memory) / 1024.0);
        known(prices.task(Cpu::Arm, vcpus, gigabytes)) * HOURS_PER_MONTH
    });
    let tasks: f64 = tasks.sum();
    let balancer = known(prices.running(&Product::LoadBalancer));
    let cache = known(prices.running(&Product::Cache {
        node: staging.cache_node_type.clone(),
        engine: "redis".to_owned(),
    }));
    let rest = known(prices.stored(&Product::Bucket, 100.0))
        + known(prices.stored(&Product::Logs, 10.0))
        + 10.0 * known(prices.of(&Product::Alarm))
        + known(prices.stored(&Product::Delivery, 75.0));
    let spot = |jobs_per_day: f64| jobs_per_day * ALONE / 60.0 * DAYS * SPOT;
    vec![
        hours(true),
        preset,
        gateway,
        gateway + address,
        tasks,
        balancer,
        balancer + 2.0 * address,
        cache,
        rest,
        hours(true) + gateway + tasks + balancer + cache + rest,
        spot(0.0),
        spot(20.0),
        spot(500.0),
    ]
}

#[test]
fn every_line_of_the_runbook_follows_from_the_table_or_says_why_not() {
    let (lines, counted) = (lines(), counted(&Prices::table()));
    assert_eq!(lines.len(), counted.len());
    for (line, counted) in lines.iter().zip(counted) {
        let what = format!("{}: {}", line.component, line.configuration);
        assert_eq!(cents(counted), line.comes_to, "{what}");
        assert_eq!(line.agrees(), line.differs.is_empty(), "{what}");
    }
}

#[test]
fn the_runbooks_total_is_the_sum_of_its_own_lines() {
    let lines = lines();
    let own = [
        "RDS MariaDB db.t4g.small",
        "NAT Gateway (1)",
        "ECS Fargate (backend + frontend)",
        "ALB",
    ];
    let own = own
        .into_iter()
        .chain(["ElastiCache cache.t4g.micro", "S3 + CloudFront + CloudWatch"]);
    let says = |component: &str| {
        let found = lines.iter().find(|line| line.component == component);
        found.expect("a line").says
    };
    assert_eq!(own.map(says).sum::<f64>(), says("Non-GPU total"));
}

#[test]
fn the_staging_preset_is_what_the_lines_are_of() {
    let staging = blueprint::Sizes::staging();
    assert_eq!(
        (
            staging.database_class.as_str(),
            staging.database_multi_az,
            staging.cache_node_type.as_str()
        ),
        ("db.t4g.small", false, "cache.t4g.micro")
    );
}
