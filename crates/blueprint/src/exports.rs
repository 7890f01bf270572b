//! What stacks know of each other: a value, the stack that exports it, and the name under which others import it.

use serde_json::{Value, json};

use crate::build::{Template, attribute, reference};
use crate::names::{Names, digits};

/// A value that one stack exports.
#[derive(Clone, Debug)]
pub(crate) struct Export {
    key: String,
    name: String,
    value: Value,
}

impl Export {
    /// What identifies a resource.
    fn of(stack: &str, logical: &str) -> Self {
        Self::named(stack, &format!("Ref{logical}"), "", reference(logical))
    }

    /// An attribute of a resource.
    fn of_attribute(stack: &str, logical: &str, name: &str) -> Self {
        let value = attribute(logical, name);
        Self::named(stack, &format!("FnGetAtt{logical}"), name, value)
    }

    /// The names are shaped as those that the CDK makes, which are what `bpctl` finds in accounts.
    fn named(stack: &str, of: &str, attribute: &str, value: Value) -> Self {
        let (digits, attribute) = (digits(of), attribute.replace('.', ""));
        let key = format!("ExportsOutput{of}{digits}{attribute}{}", self::digits(&digits));
        Self {
            name: format!("{stack}:{key}"),
            key,
            value,
        }
    }

    /// The value in another stack.
    pub(crate) fn import(&self) -> Value {
        json!({ "Fn::ImportValue": self.name })
    }

    /// Makes it an output of its own stack.
    pub(crate) fn put(&self, template: &mut Template) {
        template.export(&self.key, self.value.clone(), &self.name);
    }
}

/// Both zones' subnets of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tier {
    Public,
    Private,
    Isolated,
}

impl Tier {
    pub(crate) const ALL: [Self; 3] = [Self::Public, Self::Private, Self::Isolated];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Private => "private",
            Self::Isolated => "isolated",
        }
    }

    /// The logical id of a subnet; zones count from 1.
    pub(crate) fn subnet(self, zone: usize) -> String {
        format!("Vpc{}Subnet{zone}", self.as_str())
    }
}

/// The number of zones that every tier has a subnet in.
pub(crate) const ZONES: usize = 2;

pub(crate) fn vpc(names: Names<'_>) -> Export {
    Export::of(&names.core("network"), "Vpc")
}

/// The subnets of a tier, one for each zone.
pub(crate) fn subnets(names: Names<'_>, tier: Tier) -> Vec<Export> {
    let stack = names.core("network");
    (1..=ZONES)
        .map(|zone| Export::of(&stack, &tier.subnet(zone)))
        .collect()
}

pub(crate) fn import_all(exports: &[Export]) -> Value {
    exports.iter().map(Export::import).collect()
}

/// A security group by its logical id, such as `SgAlb`.
pub(crate) fn security_group(names: Names<'_>, logical: &str) -> Export {
    Export::of_attribute(&names.core("network"), logical, "GroupId")
}

/// The first NAT gateway, which the dashboard shows.
pub(crate) fn nat_gateway(names: Names<'_>) -> Export {
    Export::of(&names.core("network"), "VpcpublicSubnet1NATGateway")
}

/// A secret's ARN by its logical id, such as `OauthSecrets`.
pub(crate) fn secret(names: Names<'_>, logical: &str) -> Export {
    Export::of(&names.core("data"), logical)
}

pub(crate) fn database(names: Names<'_>) -> Export {
    Export::of(&names.core("data"), "Database")
}

pub(crate) fn redis_endpoint(names: Names<'_>) -> Export {
    Export::of_attribute(&names.core("data"), "Redis", "RedisEndpoint.Address")
}

pub(crate) fn media_domain(names: Names<'_>) -> Export {
    Export::of_attribute(&names.core("data"), "MediaCdn", "DomainName")
}

pub(crate) fn balancer_address(names: Names<'_>) -> Export {
    Export::of_attribute(&names.core("compute"), "Alb", "DNSName")
}

/// What CloudWatch calls the load balancer.
pub(crate) fn balancer_full_name(names: Names<'_>) -> Export {
    Export::of_attribute(&names.core("compute"), "Alb", "LoadBalancerFullName")
}

/// What CloudWatch calls the backend's target group.
pub(crate) fn backend_targets_full_name(names: Names<'_>) -> Export {
    Export::of_attribute(&names.core("compute"), "BackendTargets", "TargetGroupFullName")
}

pub(crate) fn alert_topic(names: Names<'_>) -> Export {
    Export::of(&names.core("monitoring"), "AlertTopic")
}

/// The topic of the queue-empty alarms; its export has a name of its own.
pub(crate) fn scale_to_zero_topic(names: Names<'_>) -> Export {
    Export {
        key: "ScaleToZeroTopicArn".to_owned(),
        name: format!("{}-topic-arn", names.core("scale-to-zero")),
        value: reference("ScaleToZeroTopic"),
    }
}
