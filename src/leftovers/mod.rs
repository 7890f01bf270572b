//! What outlives the platform's stacks in an account: databases, buckets, secrets, images and the rest, by the names
//! and tags that they carry, and what keeping them costs.

mod look;
mod price;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::layout::{AccountId, Layout, LayoutKind, Stage};

pub(crate) use look::look;
pub(crate) use price::{ASSUMPTIONS, NAT_GATEWAY, SECRET, snapshot as price_of_snapshot};

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
}

impl Leftovers {
    /// What of it has a known price, a month.
    pub(crate) fn dollars_per_month(&self) -> f64 {
        let known = self.ours.iter().filter_map(|one| one.dollars_per_month);
        (known.sum::<f64>() * 100.0).round() / 100.0
    }

    pub(crate) fn of(&self, kind: Kind) -> impl Iterator<Item = &Leftover> {
        self.ours.iter().filter(move |one| one.kind == kind)
    }
}

/// The names of the platform in both layouts: what a stage has left behind is the platform's, whatever the context's
/// own layout is.
#[derive(Clone, Debug)]
pub(crate) struct Every {
    layouts: Vec<Layout>,
    prefix: String,
}

impl Every {
    /// The layouts with the prefix of `layout`.
    pub(crate) fn beside(layout: &Layout) -> Self {
        let prefix = layout.prefix().to_owned();
        let stages = Stage::ALL
            .into_iter()
            .map(|stage| (LayoutKind::Staged, Some(stage)));
        let kinds = [(LayoutKind::Single, None)].into_iter().chain(stages);
        let layouts = kinds.filter_map(|(kind, stage)| Layout::new(kind, &prefix, stage).ok());
        Self {
            layouts: layouts.collect(),
            prefix,
        }
    }

    /// Whether a stack is the platform's, of whatever generation.
    pub(crate) fn has_stack(&self, name: &str) -> bool {
        self.layouts
            .iter()
            .any(|layout| layout.generation_of(name).is_some())
    }

    fn has_bucket(&self, account: &AccountId, name: &str) -> bool {
        let buckets = self.layouts.iter().flat_map(|layout| layout.buckets(account));
        buckets.into_iter().any(|(_, known)| known == name)
    }

    fn has_repository(&self, name: &str) -> bool {
        use crate::layout::App;
        let apps = [App::Backend, App::Frontend];
        let mut layouts = self.layouts.iter();
        layouts.any(|layout| apps.iter().any(|app| layout.repository(*app) == name))
    }

    /// Where the secrets and parameters of all layouts are.
    fn path(&self) -> String {
        format!("/{}/", self.prefix)
    }

    /// What the names of the platform's log groups begin with.
    fn log_groups(&self) -> [String; 3] {
        [
            format!("/aws/lambda/{}-", self.prefix),
            format!("/ecs/{}-", self.prefix),
            "/gpu-workers/".to_owned(),
        ]
    }

    /// What the names of machine images begin with.
    fn images(&self) -> String {
        format!("{}-comfyui-", self.prefix)
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

    fn every() -> Every {
        Every::beside(&Layout::new(LayoutKind::Single, "bp", None).unwrap())
    }

    #[test]
    fn only_names_of_the_platform_are_its_own() {
        let (every, account) = (every(), "123456789012".parse().unwrap());
        for name in ["bp-media-123456789012", "bp-logs-123456789012-staging"] {
            assert!(every.has_bucket(&account, name), "{name}");
        }
        for name in [
            "bp-media-999999999999",
            "bp-backups-123456789012",
            "media-123456789012",
        ] {
            assert!(!every.has_bucket(&account, name), "{name}");
        }
        for name in ["bp-data", "bp-staging-gpu", "bp-production-gpu-fleet-old"] {
            assert!(every.has_stack(name), "{name}");
        }
        for name in ["CDKToolkit", "bp-datalake", "shop-data"] {
            assert!(!every.has_stack(name), "{name}");
        }
        assert!(every.has_repository("bp-backend-production") && !every.has_repository("bp-backup"));
    }

    #[test]
    fn sizes_are_those_of_bills() {
        assert_eq!(size(0), "0.0 kB");
        assert_eq!(size(12_340_000), "12.3 MB");
        assert_eq!(size(2_500_000_000), "2.5 GB");
    }
}
