//! The table of settings: one row is one key of a context, one `BPCTL_*` variable and (often) one flag.

/// Settings that are true or false.
const SWITCHES: &[&str] = &["allow_plain_http", "protected", "require_lease"];

/// A setting.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Key {
    /// Name in `bpctl.toml`.
    pub(crate) name: &'static str,
    /// The flag that overrides it, without dashes.
    pub(crate) flag: Option<&'static str>,
    /// Environment variables in order of precedence.
    pub(crate) env: &'static [&'static str],
    /// What is used when no source sets a value; `None` means unset.
    pub(crate) default: Option<&'static str>,
    /// One sentence.
    pub(crate) help: &'static str,
}

impl Key {
    /// Whether the value is `true` or `false`.
    pub(crate) fn is_switch(&self) -> bool {
        SWITCHES.contains(&self.name)
    }
}

/// Every key that a context may hold.
pub(crate) const KEYS: &[Key] = &[
    Key {
        name: "layout",
        flag: Some("layout"),
        env: &["BPCTL_LAYOUT"],
        default: Some("single"),
        help: "naming layout of the account: `single` or `staged`",
    },
    Key {
        name: "prefix",
        flag: None,
        env: &["BPCTL_PREFIX"],
        default: Some("bp"),
        help: "what every name of the platform begins with",
    },
    Key {
        name: "stage",
        flag: Some("stage"),
        env: &["BPCTL_STAGE"],
        default: None,
        help: "staged layout: the stage of the system; single layout: only GPU fleets of this stage",
    },
    Key {
        name: "profile",
        flag: Some("profile"),
        env: &["BPCTL_PROFILE", "AWS_PROFILE"],
        default: None,
        help: "profile in the AWS configuration files",
    },
    Key {
        name: "region",
        flag: Some("region"),
        env: &["BPCTL_REGION", "AWS_REGION", "AWS_DEFAULT_REGION"],
        default: None,
        help: "AWS region; when unset, the region of the profile",
    },
    Key {
        name: "role_arn",
        flag: Some("role-arn"),
        env: &["BPCTL_ROLE_ARN"],
        default: None,
        help: "role to assume before anything else",
    },
    Key {
        name: "account_id",
        flag: Some("account-id"),
        env: &["BPCTL_ACCOUNT_ID"],
        default: None,
        help: "the guard: bpctl refuses to run in any other account (exit status 4)",
    },
    Key {
        name: "endpoint_url",
        flag: Some("endpoint-url"),
        env: &["BPCTL_ENDPOINT_URL", "AWS_ENDPOINT_URL"],
        default: None,
        help: "where API calls go instead of AWS; AWS_ENDPOINT_URL_<SERVICE> and the profile's `services` section count too",
    },
    Key {
        name: "allow_plain_http",
        flag: None,
        // Only the author of the context says that its network can be trusted.
        env: &[],
        default: Some("false"),
        help: "requests may go to `http://` endpoints on other machines: everybody on the way can read and change them",
    },
    Key {
        name: "infra_dir",
        flag: Some("infra-dir"),
        env: &["BPCTL_INFRA_DIR"],
        default: None,
        help: "folder of the infrastructure code (CDK app)",
    },
    Key {
        name: "protected",
        flag: Some("protected"),
        env: &["BPCTL_PROTECTED"],
        default: Some("false"),
        help: "a production context: even reversible changes need the context's name typed; flag and environment can only raise it",
    },
    Key {
        name: "retry_mode",
        flag: None,
        env: &["BPCTL_RETRY_MODE", "AWS_RETRY_MODE"],
        default: Some("standard"),
        help: "how the SDK retries: `standard`, or `adaptive`, which slows a service down to one call in two seconds after a throttle",
    },
    Key {
        name: "connect_timeout",
        flag: None,
        env: &["BPCTL_CONNECT_TIMEOUT"],
        default: Some("3s"),
        help: "how long one connection attempt may take",
    },
    Key {
        name: "read_timeout",
        flag: None,
        env: &["BPCTL_READ_TIMEOUT"],
        default: Some("20s"),
        help: "how long one answer may take",
    },
    Key {
        name: "wait_timeout",
        flag: None,
        env: &["BPCTL_WAIT_TIMEOUT"],
        default: Some("30m"),
        help: "how long a command follows what it started, unless it has a --timeout of its own",
    },
    Key {
        name: "require_lease",
        flag: None,
        env: &["BPCTL_REQUIRE_LEASE"],
        default: Some("false"),
        help: "change nothing without an account-wide lease, which keeps runs on other machines out",
    },
];

/// The row with this name; dashes and underscores are the same.
pub(crate) fn key(name: &str) -> Option<&'static Key> {
    let name = name.replace('-', "_");
    KEYS.iter().find(|key| key.name == name)
}

/// The known word most like `given`, if any is like it at all.
pub(crate) fn nearest<'a>(given: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|word| (strsim::jaro_winkler(given, word), word))
        .filter(|(score, _)| *score > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, word)| word)
}
