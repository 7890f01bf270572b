//! What is seen while a task is followed.

use tokio_util::sync::CancellationToken;

use crate::aws::Aws;
use crate::clock::Clock;
use crate::error::Hint;

/// Something that happened to a task, or to the look at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// The task is in another state than before: "task is RUNNING".
    State(String),
    /// What is awaited now; of interest only as long as it lasts.
    Awaiting(String),
    /// A line of the container, without the values of secrets.
    Line { container: String, line: String },
    /// A fact about the log that is no trouble.
    Note(String),
    /// Trouble that does not end the following.
    Warning { text: String, hints: Vec<Hint> },
}

/// Through what a task is looked at, and who hears of it.
#[derive(Clone, Copy)]
pub(crate) struct Observer<'a> {
    pub(crate) aws: &'a Aws,
    /// Lets go of the task; the task itself runs on.
    pub(crate) cancel: &'a CancellationToken,
    pub(crate) events: &'a dyn Fn(Event),
}

impl<'a> Observer<'a> {
    pub(super) fn clock(&self) -> &'a Clock {
        self.aws.clock()
    }

    pub(super) fn says(&self, event: Event) {
        (self.events)(event);
    }

    pub(super) fn warns(&self, text: impl Into<String>, hints: impl IntoIterator<Item = Hint>) {
        self.says(Event::Warning {
            text: text.into(),
            hints: hints.into_iter().collect(),
        });
    }
}
