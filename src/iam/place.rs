//! Where the things are that a policy is about: partition, account, region, and the names of the platform.

use crate::layout::{AccountId, Layout};

/// What ARNs are made from.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) partition: &'static str,
    pub(crate) account: AccountId,
    pub(crate) region: String,
    pub(crate) layout: Layout,
}

impl Place {
    pub(crate) fn new(account: AccountId, region: String, layout: Layout) -> Self {
        // AWS General Reference, "Amazon Resource Names".
        let partition = if region.starts_with("cn-") {
            "aws-cn"
        } else if region.starts_with("us-gov-") {
            "aws-us-gov"
        } else {
            "aws"
        };
        Self {
            partition,
            account,
            region,
            layout,
        }
    }

    /// A resource of the region.
    pub(super) fn regional(&self, service: &str, rest: &str) -> String {
        format!(
            "arn:{}:{service}:{}:{}:{rest}",
            self.partition, self.region, self.account
        )
    }

    /// A resource of the account that has no region.
    pub(super) fn global(&self, service: &str, rest: &str) -> String {
        format!("arn:{}:{service}::{}:{rest}", self.partition, self.account)
    }

    /// A resource of a region that belongs to no account, as far as its ARN says, e.g. a machine image.
    pub(super) fn shared_regional(&self, service: &str, rest: &str) -> String {
        format!("arn:{}:{service}:{}::{rest}", self.partition, self.region)
    }

    /// A document of Systems Manager that AWS owns.
    pub(super) fn document_of_aws(&self, name: &str) -> String {
        format!("arn:{}:ssm:{}::document/{name}", self.partition, self.region)
    }

    /// What is in a bucket of the platform, or the bucket itself.
    pub(super) fn bucket(&self, role: &str, rest: &str) -> Vec<String> {
        let buckets = self.layout.buckets(&self.account);
        let name = buckets.into_iter().find(|(known, _)| *known == role);
        name.map(|(_, name)| format!("arn:{}:s3:::{name}{rest}", self.partition))
            .into_iter()
            .collect()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::layout::{LayoutKind, Stage};

    pub(crate) fn single() -> Place {
        let layout = Layout::new(LayoutKind::Single, "bp", None).unwrap();
        Place::new("123456789012".parse().unwrap(), "us-east-1".to_owned(), layout)
    }

    pub(crate) fn staged() -> Place {
        let layout = Layout::new(LayoutKind::Staged, "bp", Some(Stage::Staging)).unwrap();
        Place::new("123456789012".parse().unwrap(), "eu-west-1".to_owned(), layout)
    }

    #[test]
    fn other_partitions_have_arns_of_their_own() {
        let china = Place::new(
            "123456789012".parse().unwrap(),
            "cn-north-1".to_owned(),
            single().layout,
        );
        assert_eq!(
            china.global("iam", "role/x"),
            "arn:aws-cn:iam::123456789012:role/x"
        );
    }
}
