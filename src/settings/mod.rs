//! This module owns settings: flag, then environment, then the context in `bpctl.toml`, then default;
//! every value knows where it came from.

mod aws;
mod changes;
mod choice;
mod edit;
mod endpoint;
mod file;
mod folders;
mod keys;
mod profiles;
mod region;
mod resolve;
mod role_profile;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};

use crate::layout::{AccountId, LayoutKind, Stage};

pub(crate) use changes::Safety;
pub(crate) use choice::Choice;
pub(crate) use edit::{set, starter, unset, user_file};
pub(crate) use endpoint::{SERVICES, holds_credentials, is_loopback_host, is_loopback_url};
pub(crate) use file::{ConfigFile, FILE_NAME, find as find_file, overlay};
pub(crate) use folders::state as state_folder;
pub(crate) use keys::{KEYS, Key, key, nearest};
pub(crate) use profiles::{Chain, DEFAULT_PROFILE, Means, Profiles};
pub(crate) use region::partition;
pub(crate) use resolve::{
    Candidate, Inputs, candidates, check_value, chosen_context, resolve, resolve_leniently,
    service_candidates,
};
pub(crate) use role_profile::RoleProfile;

/// The context that exists without configuration and never reaches AWS.
pub(crate) const SANDBOX_CONTEXT: &str = "sandbox";

/// The context in force when no flag or variable names one.
pub(crate) const DEFAULT_CONTEXT: &str = "default";

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// A command-line flag, with its dashes.
    Flag(String),
    /// An environment variable.
    Env(String),
    /// A line of a configuration file.
    File { path: PathBuf, line: usize },
    /// A line of AWS' shared files.
    Profile {
        name: String,
        path: PathBuf,
        line: usize,
    },
    /// What `config use-context` wrote down for this user.
    Choice(PathBuf),
    /// The command that runs this one beside itself.
    Parent,
    /// Fixed by the built-in `sandbox` context.
    Sandbox,
    /// No source sets it.
    Default,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) => write!(f, "flag {name}"),
            Self::Env(name) => write!(f, "environment {name}"),
            Self::File { path, line } => write!(f, "file {}:{line}", path.display()),
            Self::Profile { name, path, line } => write!(f, "profile {name}, {}:{line}", path.display()),
            Self::Choice(path) => write!(f, "config use-context ({})", path.display()),
            Self::Parent => f.write_str("the command that runs this one"),
            Self::Sandbox => f.write_str("the built-in sandbox context"),
            Self::Default => f.write_str("default"),
        }
    }
}

impl JsonSchema for Source {
    fn schema_name() -> Cow<'static, str> {
        "Source".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        String::json_schema(generator)
    }

    fn inline_schema() -> bool {
        true
    }
}

impl Serialize for Source {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A value and its origin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Sourced<T> {
    pub(crate) value: T,
    pub(crate) source: Source,
}

/// How the SDK retries (AWS SDKs and Tools Reference Guide, "Retry behavior").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RetryMode {
    /// Exponential backoff and a retry quota.
    Standard,
    /// The same and a client-side rate limiter over everything that goes to the service.
    Adaptive,
}

impl std::str::FromStr for RetryMode {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "standard" => Ok(Self::Standard),
            "adaptive" => Ok(Self::Adaptive),
            other => Err(format!(
                "`{other}` is not a retry mode: expected `standard` or `adaptive`"
            )),
        }
    }
}

/// Everything a command needs to know before it talks to AWS.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) context: Sourced<String>,
    pub(crate) layout: Sourced<LayoutKind>,
    pub(crate) prefix: Sourced<String>,
    pub(crate) stage: Option<Sourced<Stage>>,
    pub(crate) profile: Option<Sourced<String>>,
    pub(crate) region: Option<Sourced<String>>,
    pub(crate) role_arn: Option<Sourced<String>>,
    pub(crate) account_id: Option<Sourced<AccountId>>,
    /// Where the services without an endpoint of their own are.
    pub(crate) endpoint_url: Option<Sourced<String>>,
    /// Endpoints of single services, by the ids of [`SERVICES`].
    pub(crate) service_endpoints: BTreeMap<&'static str, Sourced<String>>,
    pub(crate) allow_plain_http: bool,
    pub(crate) infra_dir: Option<Sourced<PathBuf>>,
    pub(crate) protected: Sourced<bool>,
    pub(crate) retry_mode: Sourced<RetryMode>,
    pub(crate) connect_timeout: Sourced<Duration>,
    pub(crate) read_timeout: Sourced<Duration>,
    pub(crate) wait_timeout: Sourced<Duration>,
    pub(crate) require_lease: Sourced<bool>,
    /// What must hold before anything is changed.
    pub(crate) safety: Safety,
    /// How the profile in force comes to credentials.
    pub(crate) chain: Option<Chain>,
    /// Whether there are keys in the environment.
    pub(crate) has_env_keys: bool,
}

impl Settings {
    /// Whether this run is in the built-in sandbox.
    pub(crate) fn is_sandbox(&self) -> bool {
        self.context.value == SANDBOX_CONTEXT
    }

    /// Where a service is asked, by its id in [`SERVICES`]; `None` for AWS' own address.
    pub(crate) fn endpoint(&self, service: &str) -> Option<&Sourced<String>> {
        self.service_endpoints.get(service).or(self.endpoint_url.as_ref())
    }
}
