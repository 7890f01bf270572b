//! What was asked for.

use std::collections::BTreeSet;

use clap::ValueEnum;

use super::place::Place;
use crate::secrets::Recipients;

/// What `--skip` leaves out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(super) enum Part {
    /// The snapshot of the database
    Database,
    /// Parameters and secrets
    Secrets,
    /// The objects of all buckets
    Buckets,
    /// Those of the media bucket
    Media,
    /// Those of the models bucket
    Models,
    /// Those of the logs bucket
    Logs,
    /// Those of the bucket of access logs
    AccessLogs,
}

impl Part {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::Secrets => "secrets",
            Self::Buckets => "buckets",
            Self::Media => "media",
            Self::Models => "models",
            Self::Logs => "logs",
            Self::AccessLogs => "access-logs",
        }
    }
}

/// The arguments, checked.
pub(super) struct Request {
    pub(super) place: Place,
    /// Absent when no secret is saved.
    pub(super) recipients: Option<Recipients>,
    pub(super) skip: BTreeSet<Part>,
    /// Bytes above which S3 copies an object in parts, and those of a part.
    pub(super) part: u64,
}

impl Request {
    pub(super) fn takes(&self, part: Part) -> bool {
        !self.skip.contains(&part)
    }

    pub(super) fn takes_bucket(&self, role: &str) -> bool {
        self.takes(Part::Buckets) && !self.skip.iter().any(|part| part.as_str() == role)
    }
}
