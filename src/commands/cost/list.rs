//! What is asked of AWS' price list, and which of its products are meant: one question for each family of products of a
//! service, and one for each type of instance, database and cache that there is.

use std::collections::{BTreeMap, BTreeSet};

use clap::ValueEnum;
use futures::{StreamExt as _, stream};
use jiff::Timestamp;

use super::observe::Seen;
use crate::aws::Aws;
use crate::aws::price_list::Listed;
use crate::error::{CtlError, ErrorKind, Result};
use crate::prices::{Cpu, Prices, Product};

/// How many questions are under way at once.
const CONCURRENT: usize = 5;

/// Types of one kind that are asked for; a platform has one or two.
const MOST_TYPES: usize = 10;

/// `--prices`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum PricesFrom {
    /// AWS' price list; where it cannot be read, the table that bpctl brings along
    #[default]
    Auto,
    /// AWS' price list alone: what cannot be read of it ends the command
    List,
    /// The table that bpctl brings along: AWS is not asked for prices
    Table,
}

/// A question, and the products that its answer is to have.
struct Question {
    service: &'static str,
    filters: Vec<(&'static str, String)>,
    wanted: Vec<Product>,
}

/// What the list has said.
#[derive(Debug, Default)]
pub(super) struct Answers {
    told: BTreeMap<Product, Option<f64>>,
    /// The day of the oldest of its parts.
    pub(super) published: Option<Timestamp>,
    /// Why questions have no answer, the first reason.
    pub(super) refused: Option<String>,
    /// How many questions have none.
    pub(super) unanswered: usize,
}

impl Answers {
    pub(super) fn prices(&self) -> Prices {
        Prices::listed(self.told.clone())
    }

    fn add(&mut self, question: &Question, listed: &[Listed]) {
        for product in &question.wanted {
            self.told.insert(product.clone(), price(product, listed));
        }
        let published = listed.iter().filter_map(|one| one.published).min();
        self.published = self.published.into_iter().chain(published).min();
    }

    fn refuse(&mut self, error: &CtlError) {
        self.refused.get_or_insert_with(|| error.to_string());
        self.unanswered += 1;
    }
}

/// Whether nothing else can be asked after this error either.
fn ends_the_command(error: &CtlError) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Credentials
            | ErrorKind::WrongAccount
            | ErrorKind::Config
            | ErrorKind::Usage
            | ErrorKind::Interrupted
    )
}

/// Asks for what every platform has.
///
/// # Errors
/// Credentials, and with [`PricesFrom::List`] whatever has no answer.
pub(super) async fn ask_for_fixed(aws: &Aws, region: &str, from: PricesFrom) -> Result<Answers> {
    let mut answers = Answers::default();
    if from == PricesFrom::Table {
        return Ok(answers);
    }
    let mut questions = fixed(region);
    let rest = questions.split_off(1);
    ask(aws, questions, from, &mut answers).await?;
    // Who may not ask, or reaches nobody, need not try the others.
    match answers.refused {
        Some(_) => answers.unanswered += rest.len(),
        None => ask(aws, rest, from, &mut answers).await?,
    }
    Ok(answers)
}

/// Asks for the types that were seen.
///
/// # Errors
/// As [`ask_for_fixed`].
pub(super) async fn ask_for_types(
    aws: &Aws,
    region: &str,
    from: PricesFrom,
    seen: &Seen,
    answers: &mut Answers,
) -> Result<()> {
    if from == PricesFrom::Table {
        return Ok(());
    }
    let questions = of_types(region, &Types::of(seen));
    if answers.refused.is_some() {
        answers.unanswered += questions.len();
        return Ok(());
    }
    ask(aws, questions, from, answers).await
}

async fn ask(aws: &Aws, questions: Vec<Question>, from: PricesFrom, answers: &mut Answers) -> Result<()> {
    let asked = stream::iter(questions)
        .map(|question| async move {
            let listed = aws.listed_products(question.service, &question.filters).await;
            (question, listed)
        })
        .buffered(CONCURRENT);
    let mut asked = Box::pin(asked);
    while let Some((question, listed)) = asked.next().await {
        match listed {
            Ok(listed) => answers.add(&question, &listed),
            Err(error) if from == PricesFrom::List || ends_the_command(&error) => return Err(error),
            Err(error) => answers.refuse(&error),
        }
    }
    Ok(())
}

fn question(
    service: &'static str,
    region: Option<&str>,
    filters: &[(&'static str, &str)],
    wanted: Vec<Product>,
) -> Question {
    let region = region.map(|region| ("regionCode", region.to_owned()));
    let filters = filters.iter().map(|(field, value)| (*field, (*value).to_owned()));
    Question {
        service,
        filters: region.into_iter().chain(filters).collect(),
        wanted,
    }
}

fn fixed(region: &str) -> Vec<Question> {
    let in_region = Some(region);
    let of = |service, family, wanted| question(service, in_region, &[("productFamily", family)], wanted);
    let both = |product: fn(bool) -> Product| [false, true].map(product).into();
    let volumes = ["gp2", "gp3", "io1", "io2", "sc1", "st1", "standard"];
    vec![
        of(
            "AmazonECS",
            "Compute",
            [Cpu::Arm, Cpu::X86]
                .into_iter()
                .flat_map(|cpu| [Product::FargateCpu(cpu), Product::FargateMemory(cpu)])
                .collect(),
        ),
        question(
            "AmazonRDS",
            in_region,
            &[
                ("productFamily", "Database Storage"),
                ("volumeType", "General Purpose-GP3"),
            ],
            both(|multi_az| Product::DatabaseStorage { multi_az }),
        ),
        of("AmazonRDS", "Storage Snapshot", vec![Product::DatabaseSnapshot]),
        of(
            "AWSELB",
            "Load Balancer-Application",
            vec![Product::LoadBalancer, Product::LoadBalancerCapacity],
        ),
        of(
            "AmazonEC2",
            "NAT Gateway",
            vec![Product::NatGateway, Product::NatData],
        ),
        of(
            "AmazonEC2",
            "Storage",
            volumes.map(|kind| Product::Volume(kind.to_owned())).into(),
        ),
        of("AmazonEC2", "Storage Snapshot", vec![Product::VolumeSnapshot]),
        // These products have no family.
        question(
            "AmazonVPC",
            in_region,
            &[("group", "VPCPublicIPv4Address")],
            vec![Product::PublicAddress],
        ),
        question(
            "AmazonS3",
            in_region,
            &[("productFamily", "Storage"), ("volumeType", "Standard")],
            vec![Product::Bucket],
        ),
        question(
            "AmazonS3",
            in_region,
            &[("group", "S3-API-Tier1")],
            vec![Product::BucketWrites],
        ),
        question(
            "AmazonS3",
            in_region,
            &[("group", "S3-API-Tier2")],
            vec![Product::BucketReads],
        ),
        of("AmazonCloudWatch", "Storage Snapshot", vec![Product::Logs]),
        of("AmazonCloudWatch", "Data Payload", vec![Product::LogsTakenIn]),
        of("AmazonCloudWatch", "Alarm", vec![Product::Alarm]),
        of("AmazonECR", "EC2 Container Registry", vec![Product::Images]),
        of("AWSSecretsManager", "Secret", vec![Product::Secret]),
        // Edge locations are in no region.
        question(
            "AmazonCloudFront",
            None,
            &[
                ("productFamily", "Data Transfer"),
                ("fromLocation", "United States"),
            ],
            vec![Product::Delivery],
        ),
        question(
            "AmazonCloudFront",
            None,
            &[("productFamily", "Request"), ("location", "United States")],
            vec![Product::DeliveryRequests],
        ),
    ]
}

/// What of the account has a type.
#[derive(Debug, Default)]
struct Types {
    databases: BTreeSet<String>,
    /// Nodes and engines.
    caches: BTreeSet<(String, String)>,
    instances: BTreeSet<String>,
}

impl Types {
    fn of(seen: &Seen) -> Self {
        let mut types = Self::default();
        let databases = seen.data.iter().flat_map(|data| &data.facts.databases);
        types
            .databases
            .extend(databases.filter_map(|one| one.class.clone()));
        for cache in seen.caches.iter().flatten() {
            if let (Some(node), Some(engine)) = (&cache.node, &cache.engine) {
                types.caches.insert((node.clone(), engine.clone()));
            }
        }
        for group in seen.fleets.iter().flat_map(|groups| groups.values()) {
            types.instances.extend(group.instance_types.iter().cloned());
            let running = group.instances.iter();
            types
                .instances
                .extend(running.filter_map(|one| one.instance_type.clone()));
        }
        let machines = seen.machines.iter().flat_map(|all| &all.facts.machines);
        let machines = machines.chain(seen.instances.iter().flat_map(|all| all.values()));
        types
            .instances
            .extend(machines.filter_map(|one| one.instance_type.clone()));
        types
    }
}

fn of_types(region: &str, types: &Types) -> Vec<Question> {
    let in_region = Some(region);
    let databases = types.databases.iter().take(MOST_TYPES).map(|class| {
        let both = [false, true].map(|multi_az| Product::Database {
            class: class.clone(),
            multi_az,
        });
        let filters = [
            ("productFamily", "Database Instance"),
            ("databaseEngine", "MariaDB"),
            ("instanceType", class.as_str()),
        ];
        question("AmazonRDS", in_region, &filters, both.into())
    });
    let nodes: BTreeSet<&String> = types.caches.iter().map(|(node, _)| node).collect();
    let caches = nodes.into_iter().take(MOST_TYPES).map(|node| {
        let of_node = types.caches.iter().filter(|(of, _)| of == node);
        let wanted = of_node.map(|(node, engine)| Product::Cache {
            node: node.clone(),
            engine: engine.clone(),
        });
        let filters = [
            ("productFamily", "Cache Instance"),
            ("instanceType", node.as_str()),
        ];
        question("AmazonElastiCache", in_region, &filters, wanted.collect())
    });
    let instances = types.instances.iter().take(MOST_TYPES).map(|kind| {
        let filters = [
            ("instanceType", kind.as_str()),
            ("operatingSystem", "Linux"),
            ("tenancy", "Shared"),
            ("preInstalledSw", "NA"),
            ("capacitystatus", "Used"),
        ];
        question(
            "AmazonEC2",
            in_region,
            &filters,
            vec![Product::Instance(kind.clone())],
        )
    });
    databases.chain(caches).chain(instances).collect()
}

/// A usage type without the code of its region, which those of us-east-1 mostly do not have: `EU-LCUUsage`,
/// `USE1-Fargate-GB-Hours`. `TS-` and `Outposts-` are other products.
fn usage(listed: &Listed) -> &str {
    let all = listed.attribute("usagetype");
    let Some((code, rest)) = all.split_once('-') else {
        return all;
    };
    let bytes = code.as_bytes();
    let is_region = code == "EU"
        || matches!(bytes, [a, b, c, digit] if [a, b, c].iter().all(|letter| letter.is_ascii_uppercase()) && digit.is_ascii_digit());
    if is_region { rest } else { all }
}

/// Whether a product of the list is the one that is meant.
fn is_meant(product: &Product, listed: &Listed) -> bool {
    let (usage, has) = (usage(listed), |name: &str, value: &str| {
        listed.attribute(name) == value
    });
    match product {
        Product::FargateCpu(Cpu::Arm) => usage == "Fargate-ARM-vCPU-Hours:perCPU",
        Product::FargateCpu(Cpu::X86) => usage == "Fargate-vCPU-Hours:perCPU",
        Product::FargateMemory(Cpu::Arm) => usage == "Fargate-ARM-GB-Hours",
        Product::FargateMemory(Cpu::X86) => usage == "Fargate-GB-Hours",
        Product::Database { class, multi_az } => {
            let kind = if *multi_az {
                "Multi-AZUsage"
            } else {
                "InstanceUsage"
            };
            usage == format!("{kind}:{class}")
        }
        Product::DatabaseStorage { multi_az: false } => usage == "RDS:GP3-Storage" && is_mariadbs(listed),
        Product::DatabaseStorage { multi_az: true } => {
            usage == "RDS:Multi-AZ-GP3-Storage" && is_mariadbs(listed)
        }
        Product::DatabaseSnapshot => usage == "RDS:ChargedBackupUsage" && is_mariadbs(listed),
        Product::Cache { node, engine } => {
            usage == format!("NodeUsage:{node}")
                && listed.attribute("cacheEngine").eq_ignore_ascii_case(engine)
        }
        Product::LoadBalancer => usage == "LoadBalancerUsage",
        Product::LoadBalancerCapacity => usage == "LCUUsage",
        Product::NatGateway => usage == "NatGateway-Hours",
        Product::NatData => usage == "NatGateway-Bytes",
        Product::PublicAddress => usage == "PublicIPv4:InUseAddress",
        Product::Instance(kind) => usage == format!("BoxUsage:{kind}"),
        Product::Volume(kind) => usage.starts_with("EBS:VolumeUsage") && has("volumeApiName", kind),
        Product::VolumeSnapshot => usage == "EBS:SnapshotUsage",
        Product::Bucket => usage == "TimedStorage-ByteHrs" && has("volumeType", "Standard"),
        Product::BucketWrites => usage == "Requests-Tier1",
        Product::BucketReads => usage == "Requests-Tier2",
        // The code in front is that of edge locations.
        Product::Delivery => has("usagetype", "US-DataTransfer-Out-Bytes"),
        Product::DeliveryRequests => has("usagetype", "US-Requests-Tier2-HTTPS"),
        Product::Logs | Product::Images => usage == "TimedStorage-ByteHrs",
        Product::LogsTakenIn => usage == "DataProcessing-Bytes",
        Product::Secret => usage == "AWSSecretsManager-Secrets",
        Product::Alarm => usage == "CW:AlarmMonitorUsage",
    }
}

/// Storage is listed for each engine, or once for any.
fn is_mariadbs(listed: &Listed) -> bool {
    matches!(listed.attribute("databaseEngine"), "MariaDB" | "Any")
}

/// The price of the one product that is meant; `None` where the list has none, several with different prices, or one
/// that costs nothing, which none of these do.
fn price(product: &Product, listed: &[Listed]) -> Option<f64> {
    let mut meant = listed.iter().filter(|one| is_meant(product, one));
    let first = meant.next()?;
    meant
        .all(|other| other.steps == first.steps)
        .then(|| first.first_paid())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::price_list::Step;

    fn listed(attributes: &[(&str, &str)], dollars: f64) -> Listed {
        let attributes = attributes
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Listed {
            attributes: attributes.collect(),
            steps: vec![Step { from: 0.0, dollars }],
            published: None,
        }
    }

    fn of_usage(usage: &str, dollars: f64) -> Listed {
        listed(&[("usagetype", usage)], dollars)
    }

    #[test]
    fn a_usage_type_is_known_with_and_without_the_code_of_its_region() {
        for usage in ["LCUUsage", "EU-LCUUsage", "USW2-LCUUsage"] {
            assert_eq!(
                price(&Product::LoadBalancerCapacity, &[of_usage(usage, 0.008)]),
                Some(0.008)
            );
        }
        for usage in [
            "Outposts-LCUUsage",
            "ReservedLCUUsage",
            "TS-LCUUsage",
            "USW2-TS-LCUUsage",
        ] {
            assert_eq!(
                price(&Product::LoadBalancerCapacity, &[of_usage(usage, 0.008)]),
                None,
                "{usage}"
            );
        }
    }

    #[test]
    fn none_or_several_prices_are_no_price() {
        let one = of_usage("NatGateway-Hours", 0.045);
        assert_eq!(price(&Product::NatGateway, &[]), None);
        assert_eq!(
            price(&Product::NatGateway, &[one.clone(), one.clone()]),
            Some(0.045)
        );
        let other = of_usage("NatGateway-Hours", 0.046);
        assert_eq!(price(&Product::NatGateway, &[one, other]), None);
        assert_eq!(
            price(&Product::NatGateway, &[of_usage("NatGateway-Hours", 0.0)]),
            None
        );
    }

    #[test]
    fn storage_is_that_of_mariadb_or_of_any_engine() {
        let of = |engine: &str, dollars| {
            listed(
                &[("usagetype", "USE1-RDS:GP3-Storage"), ("databaseEngine", engine)],
                dollars,
            )
        };
        let product = Product::DatabaseStorage { multi_az: false };
        assert_eq!(
            price(&product, &[of("Oracle", 0.2), of("MariaDB", 0.115)]),
            Some(0.115)
        );
        assert_eq!(price(&product, &[of("Any", 0.115)]), Some(0.115));
        assert_eq!(price(&product, &[of("Oracle", 0.2)]), None);
    }

    #[test]
    fn each_family_is_asked_for_once_and_each_type_as_well() {
        let fixed = fixed("eu-west-1");
        assert!(fixed.len() <= 20, "{}", fixed.len());
        let mut wanted: Vec<&Product> = fixed.iter().flat_map(|question| &question.wanted).collect();
        let count = wanted.len();
        wanted.sort();
        wanted.dedup();
        assert_eq!(wanted.len(), count, "asked for twice");
        let types = Types {
            databases: ["db.t4g.medium".to_owned()].into(),
            caches: [
                ("a".to_owned(), "redis".to_owned()),
                ("a".to_owned(), "valkey".to_owned()),
            ]
            .into(),
            instances: (0..30).map(|number| format!("g{number}.xlarge")).collect(),
        };
        assert_eq!(of_types("eu-west-1", &types).len(), 1 + 1 + MOST_TYPES);
    }
}
