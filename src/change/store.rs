//! The account-wide store behind leases and the shared history, as the engine sees it: small objects with
//! conditional writes (Amazon S3 User Guide, "Add preconditions to S3 operations with conditional requests").

use std::time::Duration;

use super::permit::Permit;
use crate::error::Result;

/// An object and the state that it was read in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) body: String,
    pub(crate) etag: String,
    /// Since it was written, by the store's own clock: machines' clocks differ.
    pub(crate) age: Duration,
}

/// What must hold for a write to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Condition<'a> {
    /// There is no object of this name (`If-None-Match: *`).
    Absent,
    /// The object is as it was read (`If-Match`).
    Unchanged(&'a str),
}

/// What came of a conditional write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// With the new state's ETag.
    Stored(String),
    /// The condition did not hold: another writer was faster.
    Conflict,
}

/// Small objects by name.
pub(crate) trait SharedStore {
    /// For messages, e.g. `s3://bp-logs-123456789012/bpctl/`.
    fn place(&self) -> String;

    /// The object of this name, if there is one.
    async fn read(&self, key: &str) -> Result<Option<Stored>>;

    /// Writes under a condition.
    async fn write(
        &self,
        key: &str,
        body: &str,
        condition: Condition<'_>,
        permit: &Permit,
    ) -> Result<Written>;

    /// Removes the object if it is as it was read; whether it was.
    async fn remove(&self, key: &str, etag: &str, permit: &Permit) -> Result<bool>;

    /// Names under a prefix in their order, those after `after` only.
    async fn names(&self, prefix: &str, after: Option<&str>) -> Result<Vec<String>>;
}
