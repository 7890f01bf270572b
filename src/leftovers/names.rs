//! Which names are the platform's. Pure.

use crate::layout::{AccountId, App, Layout, LayoutKind, Stage};

/// What stays of stacks from bpctl's own templates under a name that is made up, as RDS writes their logical names.
const OWN: [&str; 2] = ["database", "databasesubnetgroup"];

const FUNCTIONS: &str = "/aws/lambda/";
const INSIGHTS: &str = "/aws/ecs/containerinsights/";
const WORKERS: &str = "/gpu-workers/";

/// The names of the platform in both layouts: what a stage has left behind is the platform's, whatever the context's
/// own layout is.
#[derive(Clone, Debug)]
pub(crate) struct Every {
    layouts: Vec<Layout>,
    prefix: String,
    /// Where its secrets and parameters are.
    path: String,
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
            path: format!("/{prefix}/"),
            prefix,
        }
    }

    /// Of one layout alone.
    pub(crate) fn of(layout: &Layout) -> Self {
        let prefix = layout.prefix().to_owned();
        let own = layout.stage().filter(|_| layout.kind() == LayoutKind::Staged);
        Self {
            layouts: vec![layout.clone()],
            path: match own {
                Some(stage) => format!("/{prefix}/{stage}/"),
                None => format!("/{prefix}/"),
            },
            prefix,
        }
    }

    /// Whether a stack is the platform's, of whatever generation.
    pub(crate) fn has_stack(&self, name: &str) -> bool {
        self.layouts
            .iter()
            .any(|layout| layout.generation_of(name).is_some())
    }

    pub(super) fn has_bucket(&self, account: &AccountId, name: &str) -> bool {
        let buckets = self.layouts.iter().flat_map(|layout| layout.buckets(account));
        buckets.into_iter().any(|(_, known)| known == name)
    }

    pub(super) fn has_repository(&self, name: &str) -> bool {
        let apps = [App::Backend, App::Frontend];
        let mut layouts = self.layouts.iter();
        layouts.any(|layout| apps.iter().any(|app| layout.repository(*app) == name))
    }

    /// Where the secrets and parameters are.
    pub(super) fn path(&self) -> String {
        self.path.clone()
    }

    /// What the names of log groups begin with that may be the platform's.
    pub(super) fn log_groups(&self) -> [String; 4] {
        [
            format!("{FUNCTIONS}{}-", self.prefix),
            format!("{INSIGHTS}{}", self.prefix),
            format!("/ecs/{}-", self.prefix),
            WORKERS.to_owned(),
        ]
    }

    /// Whether a log group is the platform's: of a service, of GPU workers, of a function that a stack has made, or what
    /// Container Insights keeps of a cluster ("Container Insights metrics for Amazon ECS", CloudWatch User Guide).
    pub(super) fn has_log_group(&self, name: &str) -> bool {
        if let Some(function) = name.strip_prefix(FUNCTIONS) {
            return self.has_made(function);
        }
        if let Some(rest) = name.strip_prefix(INSIGHTS) {
            let cluster = rest.strip_suffix("/performance");
            return cluster.is_some_and(|name| self.layouts.iter().any(|layout| layout.cluster() == name));
        }
        let apps = [App::Backend, App::Frontend];
        let mut layouts = self.layouts.iter();
        name.starts_with(WORKERS)
            || layouts.any(|layout| apps.iter().any(|app| layout.log_group(*app) == name))
    }

    /// Whether a name is one that CloudFormation has made up for a resource in a stack of the platform, or goes on behind
    /// such a one: the stack, the CDK's logical name (which ends in eight hexadecimal digits) and twelve or thirteen
    /// letters and digits ("Resource naming", CloudFormation User Guide; "Logical IDs", CDK Developer Guide). What stays of
    /// bpctl's own templates has logical names without digits.
    pub(super) fn has_made(&self, name: &str) -> bool {
        let parts: Vec<&str> = name.split('-').collect();
        let is_random = |part: &str| {
            matches!(part.len(), 12 | 13) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
        };
        let is_logical = |part: &str| {
            let digits = part.len().checked_sub(8).and_then(|at| part.get(at..));
            digits.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
                || OWN.contains(&part)
        };
        (1..parts.len().saturating_sub(1)).any(|at| {
            let stack = parts[..at].join("-");
            // A last snapshot has a word more: "stack-snapshot-resource-letters".
            let stack = stack.strip_suffix("-snapshot").unwrap_or(&stack);
            is_logical(parts[at]) && is_random(parts[at + 1]) && self.has_stack(stack)
        })
    }

    /// What the names of machine images begin with.
    pub(super) fn images(&self) -> String {
        format!("{}-comfyui-", self.prefix)
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
    fn a_log_group_of_somebody_elses_is_no_group_of_the_platform() {
        let every = every();
        for name in [
            "/ecs/bp-backend",
            "/ecs/bp-frontend-staging",
            "/gpu-workers/image-to-video",
            "/aws/ecs/containerinsights/bp/performance",
            "/aws/ecs/containerinsights/bp-staging/performance",
            "/aws/lambda/bp-gpu-shared-ScaleToZeroFn8A6D3C01-aZ09bY18cX27",
            "/aws/lambda/bp-data-CustomS3AutoDeleteObjectsCustomR9D901C9B-1A2B3C4D5E6F",
        ] {
            assert!(every.has_log_group(name), "{name}");
        }
        for name in [
            "/ecs/bp-backend-copy",
            "/ecs/bp-billing",
            "/aws/lambda/bp-invoices",
            "/aws/lambda/bp-data-lake-transactions",
            "/aws/lambda/bp-datalake-Fn8A6D3C01-aZ09bY18cX27",
            "/aws/ecs/containerinsights/bp2/performance",
            "/aws/ecs/containerinsights/bp-shop/performance",
        ] {
            assert!(!every.has_log_group(name), "{name}");
        }
    }

    #[test]
    fn what_a_stack_has_made_is_told_by_its_name_also_behind_it() {
        let every = every();
        for name in [
            "bp-data-databaseb269d8bb-1xyzabc2defg",
            "bp-data-databaseb269d8bb-1xyzabc2defg-before-teardown-20260115-090000",
            "bp-staging-data-snapshot-databaseb269d8bb-1xyzabc2defg",
            "bp-data-databasesubnetgroup7d60f180-abcdefgh1234",
            "bp-data-database-1xyzabc2defg",
            "bp-staging-data-database-rpweat1xbini-before-teardown-20260115-095323",
        ] {
            assert!(every.has_made(name), "{name}");
        }
        for name in [
            "bp-data",
            "bp-data-copy",
            "bp-data-copy-of-somebody",
            "bp-data-database-copy",
            "shop-data-databaseb269d8bb-1xyzabc2defg",
        ] {
            assert!(!every.has_made(name), "{name}");
        }
    }
}
