//! Where lines come from.

use crate::aws::logs::{Event, Search};
use jiff::Timestamp;

/// A log group, or some of its streams.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) group: String,
    /// What the names of its streams begin with.
    pub(crate) prefix: Option<String>,
    /// What people call it: `backend`, `gpu-default`.
    pub(crate) label: String,
}

impl Source {
    /// Whether a line of this group and stream belongs to it.
    pub(crate) fn holds(&self, group: &str, stream: &str) -> bool {
        self.group == group
            && self
                .prefix
                .as_ref()
                .is_none_or(|prefix| stream.starts_with(prefix))
    }

    pub(super) fn search<'a>(
        &'a self,
        pattern: Option<&'a str>,
        from: Timestamp,
        until: Option<Timestamp>,
    ) -> Search<'a> {
        Search {
            group: &self.group,
            prefix: self.prefix.as_deref(),
            pattern,
            from,
            until,
        }
    }
}

/// A line and its place among the sources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// Position in the list of sources.
    pub(crate) source: usize,
    pub(crate) event: Event,
}

/// Sorts lines by their times; those of one time stay in the order in which they came.
pub(super) fn by_time(lines: &mut [Line]) {
    lines.sort_by_key(|line| line.event.at);
}
