//! Which verbs somebody means: `migrate`, `fleet scale`, a whole group, or a verb with one of its flags.

use super::uses::Use;
use crate::error::{CtlError, Result};

/// What a verb asks of AWS; said beside the verb, in its `impl Verb`.
#[derive(Debug)]
pub(crate) enum Uses {
    /// It works without AWS, or only finds out who the caller is, which needs no permission.
    Nothing,
    /// What it may need in any case, and what only a flag brings.
    Of {
        always: Vec<Use>,
        with: Vec<(&'static str, Vec<Use>)>,
    },
    /// It is a group of verbs.
    Verbs(Vec<(String, Uses)>),
}

impl Uses {
    /// What a verb needs in any case.
    pub(crate) fn of(always: &[&[Use]]) -> Self {
        Self::Of {
            always: always.concat(),
            with: Vec::new(),
        }
    }

    /// And what this flag brings.
    #[must_use]
    pub(crate) fn with(self, flag: &'static str, more: &[Use]) -> Self {
        match self {
            Self::Of { always, mut with } => {
                with.push((flag, more.to_vec()));
                Self::Of { always, with }
            }
            Self::Nothing | Self::Verbs(_) => Self::Of {
                always: Vec::new(),
                with: vec![(flag, more.to_vec())],
            },
        }
    }
}

/// A verb by its words, without groups.
#[derive(Debug)]
pub(crate) struct VerbUses {
    /// E.g. `fleet scale`.
    pub(crate) verb: String,
    pub(crate) always: Vec<Use>,
    pub(crate) with: Vec<(&'static str, Vec<Use>)>,
}

/// All verbs of a tree, in its order.
pub(crate) fn names(tree: Vec<(String, Uses)>) -> Vec<VerbUses> {
    let mut verbs = Vec::new();
    for (verb, uses) in tree {
        match uses {
            Uses::Nothing => verbs.push(VerbUses {
                verb,
                always: Vec::new(),
                with: Vec::new(),
            }),
            Uses::Of { always, with } => verbs.push(VerbUses { verb, always, with }),
            // A group that is a verb itself, such as `fleet refresh`, is the one without a word among its own.
            Uses::Verbs(below) => verbs.extend(names(below).into_iter().map(|found| VerbUses {
                verb: format!("{verb} {}", found.verb).trim_end().to_owned(),
                ..found
            })),
        }
    }
    verbs
}

/// A verb that was asked for, with everything that it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Selected {
    /// With its flags, e.g. `migrate --snapshot`.
    pub(crate) name: String,
    pub(crate) uses: Vec<Use>,
}

/// Every verb that needs a permission, and every one of its flags that brings further ones.
pub(crate) fn every(verbs: &[VerbUses]) -> Vec<Selected> {
    let mut selected = Vec::new();
    for known in verbs {
        if !known.always.is_empty() {
            selected.push(Selected {
                name: known.verb.clone(),
                uses: known.always.clone(),
            });
        }
        selected.extend(known.with.iter().map(|(flag, more)| Selected {
            name: format!("{} {flag}", known.verb),
            uses: [known.always.as_slice(), more].concat(),
        }));
    }
    selected
}

/// The verbs that a row of words names: a group takes the word behind it, if that is a verb of the group.
pub(crate) fn words(verbs: &[VerbUses], given: &[String]) -> Vec<String> {
    let mut named = Vec::new();
    let mut given = given.iter().peekable();
    while let Some(word) = given.next() {
        let longer = given.peek().map(|next| format!("{word} {next}"));
        match longer.filter(|longer| verbs.iter().any(|known| known.verb == *longer)) {
            Some(longer) => {
                given.next();
                named.push(longer);
            }
            None => named.push(word.clone()),
        }
    }
    named
}

/// What is meant by `asked`: a verb, with or without flags that bring something; a group, for all its verbs; or `all`.
///
/// # Errors
/// Words that name no verb, a flag that brings nothing.
pub(crate) fn select(verbs: &[VerbUses], asked: &str) -> Result<Vec<Selected>> {
    let (flags, words): (Vec<&str>, Vec<&str>) =
        asked.split_whitespace().partition(|word| word.starts_with('-'));
    let path = words.join(" ");
    if let Some(found) = verbs.iter().find(|known| known.verb == path) {
        let mut uses = found.always.clone();
        for flag in &flags {
            let Some((_, more)) = found.with.iter().find(|(known, _)| known == flag) else {
                let known: Vec<&str> = found.with.iter().map(|(flag, _)| *flag).collect();
                return Err(CtlError::usage(format!(
                    "find what `{path}` needs with `{flag}`: that flag brings no further permission"
                ))
                .hint(if known.is_empty() {
                    format!("write `{path}` alone")
                } else {
                    format!("write `{path}` alone, or with {}", known.join(", "))
                }));
            };
            uses.extend(more);
        }
        uses.sort();
        uses.dedup();
        let name = [vec![path.as_str()], flags].concat().join(" ");
        return Ok(vec![Selected { name, uses }]);
    }
    let group = format!("{path} ");
    let below: Vec<Selected> = verbs
        .iter()
        .filter(|known| path == "all" || (!path.is_empty() && known.verb.starts_with(&group)))
        .map(|known| Selected {
            name: known.verb.clone(),
            uses: known.always.clone(),
        })
        .collect();
    if below.is_empty() || !flags.is_empty() {
        return Err(CtlError::usage(format!("find the verb `{asked}`: there is none"))
            .hint("verbs are written as they are typed, e.g. `migrate` or `fleet scale`; `all` is every one of them"));
    }
    Ok(below)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iam::On;

    const RUN: Use = Use::of("ecs:RunTask", On::BackendDefinitions);
    const STOP: Use = Use::of("ecs:StopTask", On::Tasks);
    const SNAPSHOT: Use = Use::of("rds:CreateDBSnapshot", On::DatabasesAndSnapshots);

    fn verbs() -> Vec<VerbUses> {
        names(vec![
            (
                "migrate".to_owned(),
                Uses::of(&[&[RUN]]).with("--snapshot", &[SNAPSHOT]),
            ),
            (
                "task".to_owned(),
                Uses::Verbs(vec![
                    ("stop".to_owned(), Uses::of(&[&[STOP]])),
                    ("list".to_owned(), Uses::Nothing),
                ]),
            ),
        ])
    }

    fn found(asked: &str) -> Vec<String> {
        let selected = select(&verbs(), asked).unwrap();
        selected
            .into_iter()
            .map(|one| format!("{} {}", one.name, one.uses.len()))
            .collect()
    }

    #[test]
    fn verbs_groups_flags_and_all_are_found() {
        assert_eq!(found("migrate"), ["migrate 1"]);
        assert_eq!(found("migrate --snapshot"), ["migrate --snapshot 2"]);
        assert_eq!(found("task  stop"), ["task stop 1"]);
        assert_eq!(found("task"), ["task stop 1", "task list 0"]);
        assert_eq!(found("all").len(), 3);
    }

    #[test]
    fn words_make_verbs_and_flags_are_verbs_of_their_own() {
        let given = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let verbs = verbs();
        assert_eq!(
            words(&verbs, &given(&["migrate", "task", "stop"])),
            ["migrate", "task stop"]
        );
        assert_eq!(words(&verbs, &given(&["task", "migrate"])), ["task", "migrate"]);
        let names: Vec<String> = every(&verbs).into_iter().map(|one| one.name).collect();
        assert_eq!(names, ["migrate", "migrate --snapshot", "task stop"]);
    }

    #[test]
    fn what_is_no_verb_is_refused() {
        for asked in [
            "",
            "migrat",
            "task start",
            "migrate --fresh",
            "task --snapshot",
            "all --x",
        ] {
            assert_eq!(
                select(&verbs(), asked).unwrap_err().exit_status().code(),
                2,
                "{asked}"
            );
        }
    }
}
