//! What makes one verb that writes secrets different from the others.

use super::observe::Seen;
use crate::change::Loss;
use crate::error::{CommandLine, Result};
use crate::layout::SecretEntry;
use crate::redact::Secret;

/// What is to become of a secret.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    /// As the table has it.
    pub(super) name: String,
    pub(super) to: To,
    /// What is lost with the value before, if anything.
    pub(super) loses: Option<Loss>,
    /// Whether what is not there is made: no stack makes it.
    pub(super) may_be_made: bool,
    /// Where the value comes from, for the plan.
    pub(super) notes: Vec<String>,
}

/// The value that a secret is to have.
#[derive(Clone, Debug)]
pub(super) enum To {
    /// A new one.
    Value(Secret),
    /// That of an earlier version.
    Version(Earlier),
}

/// An earlier version and its value.
#[derive(Clone, Debug)]
pub(super) struct Earlier {
    pub(super) version: String,
    pub(super) value: Secret,
}

/// What makes one verb different from the others.
pub(super) trait Occasion {
    const NAME: &'static str;

    /// Fits "failed to …" and, with a capital letter, a plan's title.
    fn goal(&self) -> String;

    /// The secrets that the verb is about.
    fn entries(&self) -> Vec<SecretEntry>;

    /// What is to become of them. Pure.
    ///
    /// # Errors
    /// What stands against it.
    fn wanted(&self, seen: &Seen) -> Result<Vec<Wanted>>;

    /// What the operator should know before saying yes.
    fn warnings(&self, _seen: &Seen) -> Vec<String> {
        Vec::new()
    }

    /// What is left as it is.
    fn stays(&self) -> Vec<String> {
        Vec::new()
    }

    /// What is to be typed to go on after an interruption.
    fn resume(&self) -> CommandLine;
}
