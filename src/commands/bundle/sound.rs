//! A bundle for other verbs: found, and verified as before an activation.

use super::library::Library;
use super::name::BundleName;
use super::pointer::SMALL;
use super::verify::{Depth, check};
use crate::change::Blocker;
use crate::error::{CommandLine, ErrorKind, Hint, Result};
use crate::layout::FleetId;
use crate::output::one_line;

/// A bundle, and what is wrong with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::commands) struct Sound {
    /// As it is typed.
    pub(in crate::commands) label: String,
    pub(in crate::commands) id: String,
    /// Where it is in the models bucket.
    pub(in crate::commands) prefix: String,
    /// Of all of its assets.
    pub(in crate::commands) bytes: u64,
    /// The first thing that is wrong with it.
    pub(in crate::commands) problem: Option<String>,
}

/// What a bundle that fails its verification means for a plan.
#[derive(Debug, Default)]
pub(in crate::commands) struct Judged {
    pub(in crate::commands) warning: Option<String>,
    pub(in crate::commands) blocker: Option<Blocker>,
}

impl Sound {
    /// Nothing for a sound one; `force` takes one that is not.
    pub(in crate::commands) fn judge(&self, doing: &str, force: bool) -> Judged {
        let Some(problem) = &self.problem else {
            return Judged::default();
        };
        let reason = format!(
            "bundle {} fails its verification: {}",
            self.label,
            one_line(problem)
        );
        if force {
            return Judged {
                warning: Some(format!("{reason}; taken all the same (`--force`)")),
                blocker: None,
            };
        }
        Judged {
            warning: None,
            blocker: Some(Blocker {
                kind: ErrorKind::Failed,
                reason: format!("{doing}: {reason}"),
                hint: Hint::new("see everything that is wrong with").command(CommandLine::bpctl([
                    "bundle",
                    "verify",
                    self.label.as_str(),
                    "--deep",
                ])),
            }),
        }
    }
}

/// Finds a bundle and verifies it; objects are hashed unless they are large.
///
/// # Errors
/// No bundle of this name, or one that cannot be looked at.
pub(in crate::commands) async fn sound(
    library: &Library<'_>,
    name: &BundleName,
    fleet: &FleetId,
) -> Result<Sound> {
    let bundle = library.find(name, Some(fleet)).await?;
    let checked = check(library, &bundle, Depth::HashedUpTo(SMALL)).await?;
    let entry = &bundle.entry;
    let first = checked.problems.first();
    Ok(Sound {
        label: entry.label(),
        id: entry.id.to_string(),
        prefix: library.layout.bundle_prefix(entry.slug.as_ref(), &entry.id),
        bytes: checked.bytes,
        problem: first.map(|problem| format!("{}: {}", problem.about, problem.what)),
    })
}
