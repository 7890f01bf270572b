//! Checked names: after parsing, nothing in bpctl is a loose string any more.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// `staging` or `production`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Stage {
    Staging,
    Production,
}

impl Stage {
    pub(crate) const ALL: [Self; 2] = [Self::Staging, Self::Production];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Staging => "staging",
            Self::Production => "production",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Stage {
    type Err = InvalidName;
    fn from_str(text: &str) -> Result<Self, InvalidName> {
        Self::ALL
            .into_iter()
            .find(|stage| stage.as_str() == text)
            .ok_or_else(|| InvalidName::new("stage", text, "`staging` or `production`"))
    }
}

/// A GPU fleet, written `<stage>/<slug>`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct FleetId {
    pub(crate) stage: Stage,
    pub(crate) slug: Slug,
}

impl fmt::Display for FleetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.stage, self.slug)
    }
}

impl Serialize for FleetId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for FleetId {
    fn schema_name() -> Cow<'static, str> {
        "FleetId".into()
    }

    fn json_schema(_generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A fleet as `<stage>/<slug>`, e.g. `production/gpu-default`.",
            "type": "string",
            "pattern": "^[a-z]+/[a-z0-9-]+$",
        })
    }
}

impl<'de> Deserialize<'de> for FleetId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl FromStr for FleetId {
    type Err = InvalidName;
    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let (stage, slug) = text.split_once('/').ok_or_else(|| {
            InvalidName::new("fleet", text, "`<stage>/<slug>`, e.g. `production/gpu-default`")
        })?;
        Ok(Self {
            stage: stage.parse()?,
            slug: slug.parse()?,
        })
    }
}

/// A GPU fleet as an operator names it: `<stage>/<slug>`, or the slug alone where that is enough.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FleetName {
    pub(crate) stage: Option<Stage>,
    pub(crate) slug: Slug,
}

impl fmt::Display for FleetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.stage {
            Some(stage) => write!(f, "{stage}/{}", self.slug),
            None => write!(f, "{}", self.slug),
        }
    }
}

impl FromStr for FleetName {
    type Err = InvalidName;
    fn from_str(text: &str) -> Result<Self, InvalidName> {
        if text.contains('/') {
            let FleetId { stage, slug } = text.parse()?;
            return Ok(Self {
                stage: Some(stage),
                slug,
            });
        }
        let expected = "`<stage>/<slug>`, e.g. `production/gpu-default`, or a slug";
        let slug = text.parse();
        Ok(Self {
            stage: None,
            slug: slug.map_err(|_| InvalidName::new("fleet", text, expected))?,
        })
    }
}

macro_rules! checked_name {
    ($(#[$doc:meta])* $name:ident, $what:literal, $expected:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
        #[serde(transparent)]
        pub(crate) struct $name(String);

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = InvalidName;
            fn from_str(text: &str) -> Result<Self, InvalidName> {
                let check: fn(&str) -> bool = $check;
                if check(text) { Ok(Self(text.to_owned())) } else { Err(InvalidName::new($what, text, $expected)) }
            }
        }
    };
}

checked_name!(
    /// The slug of a fleet or workflow.
    Slug, "slug", "lowercase letters, digits and `-`, starting with a letter or digit, at most 63 characters",
    |text| {
        (1..=63).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !text.starts_with('-')
    }
);

checked_name!(
    /// A tenant pool, e.g. `tenant_pool_1`. It reaches a shell inside a container.
    PoolName, "pool name", "letters, digits, `_` and `-`, at most 64 characters",
    |text| {
        (1..=64).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
            && !text.starts_with('-')
    }
);

checked_name!(
    /// A seeder class, e.g. `Database\\Seeders\\PlansSeeder`. It reaches a shell inside a container.
    SeederClass, "seeder class", "letters, digits, `_` and `\\`, at most 128 characters",
    |text| {
        (1..=128).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'\\')
    }
);

checked_name!(
    /// A bundle's id. It reaches keys of S3 and a shell on a node.
    BundleId, "bundle id", "letters, digits, `-`, `_` and `.`, starting with a letter or digit, at most 64 characters",
    |text| {
        (1..=64).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
            && text.starts_with(|first: char| first.is_ascii_alphanumeric())
    }
);

checked_name!(
    /// An EC2 instance id.
    InstanceId, "instance id", "`i-` and 8 or 17 hexadecimal digits", |text| is_ec2_id(text, "i-")
);

checked_name!(
    /// The id of a machine image.
    ImageId, "image id", "`ami-` and 8 or 17 hexadecimal digits", |text| is_ec2_id(text, "ami-")
);

checked_name!(
    /// A VPC subnet id.
    SubnetId, "subnet id", "`subnet-` and 8 or 17 hexadecimal digits", |text| is_ec2_id(text, "subnet-")
);

checked_name!(
    /// A VPC security group id.
    SecurityGroupId, "security group id", "`sg-` and 8 or 17 hexadecimal digits", |text| is_ec2_id(text, "sg-")
);

checked_name!(
    /// Twelve digits.
    AccountId, "account id", "twelve digits", |text| text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
);

fn is_ec2_id(text: &str, prefix: &str) -> bool {
    text.strip_prefix(prefix).is_some_and(|digits| {
        matches!(digits.len(), 8 | 17)
            && digits
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    })
}

/// A name that cannot exist.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is not a valid {what}: expected {expected}")]
pub(crate) struct InvalidName {
    what: &'static str,
    given: String,
    expected: &'static str,
}

impl InvalidName {
    fn new(what: &'static str, given: &str, expected: &'static str) -> Self {
        Self {
            what,
            given: given.to_owned(),
            expected,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fleets_are_stage_and_slug() {
        let fleet: FleetId = "production/gpu-default".parse().unwrap();
        assert_eq!(
            (fleet.stage, fleet.slug.as_ref()),
            (Stage::Production, "gpu-default")
        );
        assert_eq!(fleet.to_string(), "production/gpu-default");
        for bad in [
            "gpu-default",
            "prod/gpu-default",
            "production/",
            "production/GPU",
            "production/a/b",
            "production/-a",
        ] {
            assert!(bad.parse::<FleetId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn nothing_that_a_shell_could_misread_is_a_pool_name() {
        for good in ["tenant_pool_1", "A-b_9"] {
            assert!(good.parse::<PoolName>().is_ok(), "{good}");
        }
        for bad in ["", "a b", "a;b", "$(id)", "a'b", "a\nb", "--fresh", "ä", "a,b"] {
            assert!(bad.parse::<PoolName>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn nothing_that_a_key_or_a_shell_could_misread_is_a_bundle_id() {
        for good in ["c81d4e2e-bcf2-4f6a-a1e2-0d9a7c3b5e20", "2026.01_b"] {
            assert!(good.parse::<BundleId>().is_ok(), "{good}");
        }
        let long = "b".repeat(65);
        for bad in [
            "", "..", ".b", "-b", "a/b", "a b", "$(id)", "a'b", "a\nb", "ä", &long,
        ] {
            assert!(bad.parse::<BundleId>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn ec2_ids_have_eight_or_seventeen_digits() {
        assert!("subnet-0a1b2c3d".parse::<SubnetId>().is_ok());
        assert!("sg-0123456789abcdef0".parse::<SecurityGroupId>().is_ok());
        assert!("subnet-xxx".parse::<SubnetId>().is_err());
        assert!("sg-0123".parse::<SecurityGroupId>().is_err());
    }
}
