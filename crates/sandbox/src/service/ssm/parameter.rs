//! A parameter and its versions.

use crate::time::SimTime;
use crate::world::World;

/// Parameter Store keeps this many versions of a parameter.
pub(crate) const MOST_VERSIONS: usize = 100;

/// A parameter with its history.
#[derive(Clone, Debug)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    /// `String`, `StringList` or `SecureString`.
    pub(crate) kind: String,
    /// `Standard` or `Advanced`.
    pub(crate) tier: String,
    /// The key of a `SecureString`.
    pub(crate) key_id: Option<String>,
    /// Oldest first; never empty once the parameter exists.
    pub(crate) versions: Vec<Version>,
}

/// One version of a parameter's value.
#[derive(Clone, Debug)]
pub(crate) struct Version {
    pub(crate) number: u64,
    pub(crate) value: String,
    pub(crate) data_type: String,
    pub(crate) description: Option<String>,
    pub(crate) modified: SimTime,
    pub(crate) modified_by: String,
    pub(crate) labels: Vec<String>,
}

impl Version {
    /// A version of the present; [`Parameter::push`] numbers it.
    pub(crate) fn new(world: &World, value: &str, data_type: &str) -> Self {
        Self {
            number: 0,
            value: value.to_owned(),
            data_type: data_type.to_owned(),
            description: None,
            modified: world.now,
            modified_by: format!("arn:aws:iam::{}:root", world.options.account_id),
            labels: Vec::new(),
        }
    }

    /// The value as a caller sees it: ciphertext for a `SecureString` that is not decrypted.
    pub(super) fn shown_value(&self, kind: &str, decrypt: bool) -> String {
        if kind != "SecureString" || decrypt {
            return self.value.clone();
        }
        // FNV-1a: stable, does not reveal the value, and has the look of a KMS ciphertext.
        let mut state: u64 = 0xcbf2_9ce4_8422_2325;
        let mut text = String::from("AQICAHh");
        for round in 0..8u8 {
            for byte in self.value.bytes().chain([round]) {
                state = (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
            }
            text.push_str(&format!("{state:016x}"));
        }
        text.push_str("==");
        text
    }
}

impl Parameter {
    pub(crate) fn new(name: &str, kind: &str) -> Self {
        Self {
            name: name.to_owned(),
            kind: kind.to_owned(),
            tier: "Standard".to_owned(),
            key_id: (kind == "SecureString").then(|| "alias/aws/ssm".to_owned()),
            versions: Vec::new(),
        }
    }

    /// The newest version.
    pub(crate) fn newest(&self) -> &Version {
        &self.versions[self.versions.len() - 1]
    }

    /// The newest value.
    pub(crate) fn value(&self) -> &str {
        &self.newest().value
    }

    /// The data type of the newest version: `text` or `aws:ec2:image`.
    pub(crate) fn data_type(&self) -> &str {
        &self.newest().data_type
    }

    /// Adds a version with the next number; the oldest goes when there are too many.
    pub(crate) fn push(&mut self, mut version: Version) -> u64 {
        version.number = self.versions.last().map_or(1, |last| last.number + 1);
        let number = version.number;
        self.versions.push(version);
        if self.versions.len() > MOST_VERSIONS {
            self.versions.remove(0);
        }
        number
    }
}
