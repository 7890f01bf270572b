//! What keeps a stack from being deleted. Pure.

use super::{Deletion, Seen, StackSeen};
use crate::change::Blocker;
use crate::error::{CommandLine, ErrorKind, Hint};

impl Deletion<'_> {
    pub(super) fn blockers(&self, seen: &Seen, one: &StackSeen) -> Vec<Blocker> {
        let name = one.stack.name.as_str();
        let mut found = Vec::new();
        let mut block = |reason: String, hint: Hint| {
            found.push(Blocker {
                kind: ErrorKind::Conflict,
                reason,
                hint,
            });
        };
        let status = one.stack.status.as_str();
        if status.ends_with("_IN_PROGRESS") && status != "REVIEW_IN_PROGRESS" && one.going_on.is_none() {
            block(
                format!("{name} is {status}: somebody else works on it"),
                (
                    "follow it with",
                    CommandLine::bpctl(["stack", "status", name, "--watch"]),
                )
                    .into(),
            );
        }
        if one.stack.termination_protection == Some(true) && !self.unprotect {
            block(
                format!("{name} is protected from deletion"),
                "to take the protection off and delete it, add `--unprotect`".into(),
            );
        }
        let others: Vec<&str> = one
            .importers
            .iter()
            .map(String::as_str)
            .filter(|importer| !seen.stacks.iter().any(|other| other.stack.name == *importer))
            .collect();
        if !others.is_empty() {
            let all = self
                .names
                .iter()
                .map(String::as_str)
                .chain(others.iter().copied());
            block(
                format!("{name} exports what {} import", others.join(", ")),
                (
                    "delete them as well:",
                    CommandLine::bpctl(["stack", "delete"]).args(all),
                )
                    .into(),
            );
        }
        // A deletion that is gone on with leaves what it was asked to when it began.
        let asked: &[String] = match one.going_on {
            Some(_) => &[],
            None => &self.retain,
        };
        let unknown = asked.iter().find(|resource| {
            !seen
                .stacks
                .iter()
                .flat_map(|stack| &stack.resources)
                .any(|change| change.resource == **resource)
        });
        if let Some(resource) = unknown {
            block(
                format!("no stack here has a resource `{resource}`"),
                (
                    "see their names with",
                    CommandLine::bpctl(["stack", "status", name]),
                )
                    .into(),
            );
        }
        if !asked.is_empty() && unknown.is_none() && status != "DELETE_FAILED" {
            block(
                format!(
                    "{name} is {status}: CloudFormation leaves a resource only after a deletion that failed"
                ),
                "leave out `--retain`; what the template keeps stays in any case".into(),
            );
        }
        found
    }
}
