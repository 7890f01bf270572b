//! This module owns settings: flag, then environment, then the context in `bpctl.toml`, then default;
//! every value knows where it came from.

mod file;
mod keys;
mod resolve;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::layout::{AccountId, LayoutKind, Stage};

pub(crate) use file::{ConfigFile, find as find_file, set_current_context};
pub(crate) use keys::{KEYS, Key, key, nearest};
pub(crate) use resolve::{Candidate, Inputs, candidates, resolve, resolve_leniently};

/// The context that exists without configuration and never reaches AWS.
pub(crate) const SANDBOX_CONTEXT: &str = "sandbox";

/// The context in force when nobody names one.
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
    /// Fixed by the built-in `sandbox` context.
    Sandbox,
    /// Nobody said anything.
    Default,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) => write!(f, "flag {name}"),
            Self::Env(name) => write!(f, "environment {name}"),
            Self::File { path, line } => write!(f, "file {}:{line}", path.display()),
            Self::Sandbox => f.write_str("the built-in sandbox context"),
            Self::Default => f.write_str("default"),
        }
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

/// Everything a command needs to know before it talks to anyone.
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
    pub(crate) endpoint_url: Option<Sourced<String>>,
    pub(crate) infra_dir: Option<Sourced<PathBuf>>,
    pub(crate) protected: Sourced<bool>,
    pub(crate) retry_mode: Sourced<RetryMode>,
    pub(crate) connect_timeout: Sourced<Duration>,
    pub(crate) read_timeout: Sourced<Duration>,
    pub(crate) wait_timeout: Sourced<Duration>,
    pub(crate) require_lease: Sourced<bool>,
}

impl Settings {
    /// Whether this run is in the built-in sandbox.
    pub(crate) fn is_sandbox(&self) -> bool {
        self.context.value == SANDBOX_CONTEXT
    }
}
