//! The REST protocols: the operation is told by method and path, and members travel in path, address, headers and body.

mod chunked;
mod find;
mod markup;
mod read;
mod write;

use std::collections::BTreeMap;

pub(crate) use chunked::Payload;
pub(super) use chunked::payload;
pub(super) use find::find;
pub(super) use read::read;
pub(super) use write::{failure, http_date, response};

/// What stands inside the body of a REST message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    /// REST-XML, which S3 and Route 53 speak.
    Xml,
    /// REST-JSON, which Lambda speaks.
    Json,
}

/// A REST request's address, taken apart.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Address {
    /// The labels of the operation's path by name.
    pub(super) labels: BTreeMap<String, String>,
    /// The parameters after the question mark.
    pub(super) query: Vec<(String, String)>,
}

impl Address {
    /// The parameter called `name`.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(given, _)| given == name)
            .map(|(_, value)| value.as_str())
    }
}
