//! One module per verb; each owns its arguments (whose doc comments are the help), says what it needs, and runs.

pub(crate) mod auth;
pub(crate) mod bundle;
pub(crate) mod completion;
pub(crate) mod config;
pub(crate) mod db;
pub(crate) mod deploy;
pub(crate) mod doctor;
pub(crate) mod documents;
pub(crate) mod exec;
pub(crate) mod exit_codes;
pub(crate) mod explain;
pub(crate) mod fleet;
pub(crate) mod get;
pub(crate) mod history;
pub(crate) mod iam;
pub(crate) mod image;
pub(crate) mod lock;
pub(crate) mod logs;
pub(crate) mod man;
pub(crate) mod migrate;
pub(crate) mod options;
pub(crate) mod port_forward;
pub(crate) mod rollout;
pub(crate) mod run;
pub(crate) mod runs;
pub(crate) mod sandbox;
pub(crate) mod schema;
pub(crate) mod secrets;
pub(crate) mod stack;
pub(crate) mod task;
pub(crate) mod tinker;
pub(crate) mod triage;
pub(crate) mod verb;
pub(crate) mod version;
pub(crate) mod watch;
pub(crate) mod whoami;

/// The usual words for the kinds of things that `get` knows.
pub(crate) fn kinds() -> impl Iterator<Item = &'static str> {
    get::kind::Kind::ALL.iter().map(|kind| kind.many())
}

/// The usual word for the kind that a word means.
pub(crate) fn kind_of(word: &str) -> Option<&'static str> {
    get::kind::Kind::of(word).map(get::kind::Kind::many)
}
