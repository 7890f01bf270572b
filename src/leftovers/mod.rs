//! What outlives the platform's stacks in an account: databases, buckets, secrets, images and the rest, by the names
//! and tags that they carry, and what keeping them costs.

mod look;
mod names;
mod occupied;
mod view;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::aws::cloudformation::Stack;
use crate::aws::ec2::{Image, Machine, Snapshot};
use crate::aws::logs::LogGroup;
use crate::aws::rds::DbInstance;
use crate::aws::rds::removal::ListedSnapshot;
use crate::aws::s3::buckets::Usage;
use crate::prices::{Prices, Product};

pub(crate) use look::{
    look, look_at_buckets, look_at_data, look_at_log_groups, look_at_machines, look_at_secrets,
};
pub(crate) use names::Every;
pub(crate) use occupied::{Occupied, VPC};
pub(crate) use view::{left_alone, table};

/// What the figures assume.
pub(crate) const ASSUMPTIONS: &[&str] = &[
    "list prices of us-east-1 for 730 hours a month; discounts, requests, transfer and tax are not counted",
    "objects in S3 Standard; snapshots at their full size, of which only what has changed is billed",
];

/// What a thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    Stack,
    Database,
    DatabaseSnapshot,
    DatabaseSubnetGroup,
    Bucket,
    Secret,
    Parameter,
    LogGroup,
    Repository,
    Image,
    ImageSnapshot,
    DevInstance,
    DevSecurityGroup,
    /// What `cdk bootstrap` has made.
    Bootstrap,
}

impl Kind {
    /// In the singular, for people.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Stack => "stack",
            Self::Database => "database",
            Self::DatabaseSnapshot => "database snapshot",
            Self::DatabaseSubnetGroup => "DB subnet group",
            Self::Bucket => "bucket",
            Self::Secret => "secret",
            Self::Parameter => "parameter",
            Self::LogGroup => "log group",
            Self::Repository => "repository",
            Self::Image => "machine image",
            Self::ImageSnapshot => "image snapshot",
            Self::DevInstance => "dev instance",
            Self::DevSecurityGroup => "dev security group",
            Self::Bootstrap => "CDK bootstrap",
        }
    }
}

/// A thing of the platform's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Leftover {
    pub(crate) kind: Kind,
    /// Name or id.
    pub(crate) name: String,
    /// How it is and how much there is of it, in a clause.
    pub(crate) about: String,
    /// US dollars; null where the price is not known here.
    pub(crate) dollars_per_month: Option<f64>,
}

/// A thing that is not the platform's, and why it is not taken for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct LeftAlone {
    pub(crate) kind: Kind,
    pub(crate) name: String,
    pub(crate) why: String,
}

/// Everything of these kinds in a region.
#[derive(Clone, Debug, Default)]
pub(crate) struct Leftovers {
    /// By kind and name.
    pub(crate) ours: Vec<Leftover>,
    pub(crate) others: Vec<LeftAlone>,
    /// What else is known of the platform's own.
    pub(crate) facts: Facts,
}

/// What AWS says of the platform's things beside their names.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    pub(crate) databases: Vec<DbInstance>,
    /// Of buckets by name, that of the CDK too.
    pub(crate) buckets: BTreeMap<String, Usage>,
    pub(crate) log_groups: Vec<LogGroup>,
    /// Manual ones.
    pub(crate) database_snapshots: Vec<ListedSnapshot>,
    pub(crate) images: Vec<Image>,
    pub(crate) snapshots: Vec<Snapshot>,
    pub(crate) machines: Vec<Machine>,
    /// Those that stand.
    pub(crate) stacks: Vec<Stack>,
    /// The stack of the CDK's bootstrap.
    pub(crate) toolkit: Option<Stack>,
}

impl Leftovers {
    /// What of it has a known price, a month.
    pub(crate) fn dollars_per_month(&self) -> f64 {
        let known = self.ours.iter().filter_map(|one| one.dollars_per_month);
        // From 0: the sum of nothing is -0.0 in Rust.
        (known.fold(0.0, |sum, one| sum + one) * 100.0).round() / 100.0
    }

    /// The same at other prices.
    pub(crate) fn at(mut self, prices: &Prices) -> Self {
        for one in &mut self.ours {
            one.dollars_per_month = self.facts.dollars(one, prices);
        }
        self
    }

    pub(crate) fn of(&self, kind: Kind) -> impl Iterator<Item = &Leftover> {
        self.ours.iter().filter(move |one| one.kind == kind)
    }
}

/// Whether `bpctl backup` has made a snapshot: then the manifest of a backup names it.
pub(crate) fn is_of_backup(snapshot: &ListedSnapshot) -> bool {
    tag(&snapshot.tags, "bpctl:command") == Some("backup")
}

impl Facts {
    /// Whether a thing is a database snapshot that a backup stands on.
    pub(crate) fn is_of_backup(&self, one: &Leftover) -> bool {
        let mut snapshots = self.database_snapshots.iter();
        let is_it = |snapshot: &ListedSnapshot| snapshot.id == one.name && is_of_backup(snapshot);
        one.kind == Kind::DatabaseSnapshot && snapshots.any(is_it)
    }

    /// Dollars a month of a thing that these facts are of.
    fn dollars(&self, one: &Leftover, prices: &Prices) -> Option<f64> {
        match one.kind {
            Kind::Database => {
                let instance = self.databases.iter().find(|database| database.id == one.name)?;
                let (class, gib) = (instance.class.as_deref()?, instance.allocated.unwrap_or(0));
                prices.database(class, gib, instance.multi_az, instance.status != "stopped")
            }
            Kind::DatabaseSnapshot => {
                let mut snapshots = self.database_snapshots.iter();
                let snapshot = snapshots.find(|snapshot| snapshot.id == one.name)?;
                prices.database_snapshot(snapshot.allocated)
            }
            // The bootstrap's stack and repository have no bytes here.
            Kind::Bucket | Kind::Bootstrap => match self.buckets.get(&one.name) {
                Some(usage) => prices.bytes(&Product::Bucket, usage.bytes),
                None => one.dollars_per_month,
            },
            // One that is to be deleted is free of charge.
            Kind::Secret if one.dollars_per_month == Some(0.0) => Some(0.0),
            Kind::Secret => prices.secret(),
            Kind::LogGroup => {
                let group = self.log_groups.iter().find(|group| group.name == one.name)?;
                prices.bytes(&Product::Logs, group.bytes)
            }
            Kind::ImageSnapshot => {
                let snapshot = self.snapshots.iter().find(|snapshot| snapshot.id == one.name)?;
                prices.volume_snapshot(snapshot.gib)
            }
            Kind::DevInstance => {
                let machine = self.machines.iter().find(|machine| machine.id == one.name)?;
                let runs = matches!(machine.state.as_deref(), Some("pending" | "running"));
                prices.dev_instance(machine.instance_type.as_deref().unwrap_or_default(), runs)
            }
            Kind::Stack
            | Kind::DatabaseSubnetGroup
            | Kind::Parameter
            | Kind::Repository
            | Kind::Image
            | Kind::DevSecurityGroup => one.dollars_per_month,
        }
    }
}

/// The value of a tag.
pub(crate) fn tag<'a>(tags: &'a [(String, String)], name: &str) -> Option<&'a str> {
    tags.iter()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.as_str())
}

/// The tag with which CloudFormation marks what a stack has made; it outlives the stack.
pub(crate) const STACK_TAG: &str = "aws:cloudformation:stack-name";

/// In gigabytes or megabytes, powers of a thousand as bills have them.
fn size(bytes: u64) -> String {
    let bytes = bytes as f64;
    match bytes {
        bytes if bytes >= 1e9 => format!("{:.1} GB", bytes / 1e9),
        bytes if bytes >= 1e6 => format!("{:.1} MB", bytes / 1e6),
        bytes => format!("{:.1} kB", bytes / 1e3),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_those_of_bills() {
        assert_eq!(size(0), "0.0 kB");
        assert_eq!(size(12_340_000), "12.3 MB");
        assert_eq!(size(2_500_000_000), "2.5 GB");
    }
}
