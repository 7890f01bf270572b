//! Where a change happens.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Account, region and context of a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Target {
    pub(crate) context: String,
    pub(crate) account: String,
    pub(crate) region: String,
    /// A protected context: every change needs its name typed.
    pub(crate) protected: bool,
    /// The production system: a loss of data needs the account's number typed.
    #[serde(default)]
    pub(crate) production: bool,
    /// ARN of the principal that makes the change.
    #[serde(default)]
    pub(crate) principal: String,
    /// Where calls go instead of to AWS: two simulated accounts of the same number are two places.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) endpoint: Option<String>,
}

impl Target {
    /// A place that nothing is special about.
    #[cfg(test)]
    pub(crate) fn sample() -> Self {
        Self {
            context: "prod".to_owned(),
            account: "123456789012".to_owned(),
            region: "us-east-1".to_owned(),
            protected: false,
            production: false,
            principal: String::new(),
            endpoint: None,
        }
    }

    /// Whether both are the same place in AWS, by whatever context they are reached.
    pub(crate) fn is_same_place(&self, other: &Self) -> bool {
        self.account == other.account && self.region == other.region && self.endpoint == other.endpoint
    }

    /// The name, without extension, of this machine's file about `what` in this account and region.
    pub(super) fn file_stem(&self, what: &str) -> String {
        format!(
            "{}-{}-{}",
            escaped(&self.account),
            escaped(&self.region),
            escaped(what)
        )
    }
}

/// `text` as a part of a file name: everything but letters, digits, `-` and `_` as `%xx`.
pub(super) fn escaped(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => char::from(byte).to_string(),
            other => format!("%{other:02x}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_simulated_accounts_are_two_places() {
        let at = |endpoint: Option<&str>| Target {
            endpoint: endpoint.map(str::to_owned),
            ..Target::sample()
        };
        let (one, other) = (at(Some("http://127.0.0.1:1")), at(Some("http://127.0.0.1:2")));
        assert!(one.is_same_place(&one) && !one.is_same_place(&other) && !one.is_same_place(&at(None)));
    }

    #[test]
    fn any_resource_in_any_place_has_a_file_of_its_own() {
        let stem = |region: &str, what: &str| {
            Target {
                region: region.to_owned(),
                ..Target::sample()
            }
            .file_stem(what)
        };
        assert_eq!(
            stem("eu-west-1", "ecs/bp-backend"),
            "123456789012-eu-west-1-ecs%2fbp-backend"
        );
        assert_ne!(stem("eu-west-1", "x"), stem("us-east-1", "x"));
        assert_ne!(stem("x", "a/b"), stem("x", "a.b"));
        assert!(!stem("no region", "../../x y").contains(['/', '.', ' ']));
    }
}
