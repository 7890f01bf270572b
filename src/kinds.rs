//! The kinds of things that `get` and `describe` know, and the words for them.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use crate::error::{CtlError, Result};
use crate::settings::nearest;

macro_rules! kinds {
    ($($(#[$doc:meta])+ $kind:ident = $one:literal, $many:literal, [$($short:literal),*];)+) => {
        /// A kind of thing.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
        #[serde(rename_all = "lowercase")]
        pub(crate) enum Kind { $($(#[$doc])+ $kind,)+ }

        impl Kind {
            pub(crate) const ALL: &[Self] = &[$(Self::$kind,)+];

            /// `service`.
            pub(crate) fn one(self) -> &'static str {
                match self { $(Self::$kind => $one,)+ }
            }

            /// `services`.
            pub(crate) fn many(self) -> &'static str {
                match self { $(Self::$kind => $many,)+ }
            }

            /// Shorter words, and those of other tools.
            pub(crate) fn short(self) -> &'static [&'static str] {
                match self { $(Self::$kind => &[$($short),*],)+ }
            }
        }
    };
}

kinds! {
    /// ECS services.
    Service = "service", "services", ["svc"];
    /// ECS tasks.
    Task = "task", "tasks", ["pods", "pod", "po"];
    /// Deployments of the services.
    Deployment = "deployment", "deployments", ["deploy", "rollouts", "rollout"];
    /// Images in the repositories of the services.
    Image = "image", "images", ["img"];
    /// Alarms of CloudWatch.
    Alarm = "alarm", "alarms", [];
    /// GPU fleets.
    Fleet = "fleet", "fleets", ["asg", "asgs"];
    /// Instances of the fleets.
    Instance = "instance", "instances", ["nodes", "node", "no"];
    /// CloudFormation stacks.
    Stack = "stack", "stacks", ["cfn"];
    /// Parameters that are no secrets.
    Parameter = "parameter", "parameters", ["params", "param"];
    /// Secrets, by name.
    Secret = "secret", "secrets", [];
    /// Runs of bpctl on this machine.
    Run = "run", "runs", [];
    /// Leases of the account.
    Lease = "lease", "leases", ["locks", "lock"];
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.many())
    }
}

impl Kind {
    /// Every word for it, the usual one first.
    pub(crate) fn words(self) -> impl Iterator<Item = &'static str> {
        [self.many(), self.one()]
            .into_iter()
            .chain(self.short().iter().copied())
    }

    /// The kind that a word stands for, in upper case too.
    pub(crate) fn of(word: &str) -> Option<Self> {
        let word = word.to_lowercase();
        let mut kinds = Self::ALL.iter().copied();
        kinds.find(|kind| kind.words().any(|known| known == word))
    }

    /// The same.
    ///
    /// # Errors
    /// A word that stands for nothing, with the one most like it.
    fn read(word: &str) -> Result<Self> {
        Self::of(word).ok_or_else(|| {
            let error = CtlError::usage(format!("read the kind `{word}`: there is none of this name"));
            let words = Self::ALL.iter().flat_map(|kind| kind.words());
            match nearest(&word.to_lowercase(), words) {
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None => error.hint(format!("the kinds are {}", listed())),
            }
        })
    }
}

fn listed() -> String {
    let words: Vec<&str> = Kind::ALL.iter().map(|kind| kind.many()).collect();
    words.join(", ")
}

/// What is asked for: things of a kind by name, or all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) kind: Kind,
    /// Empty for all of them.
    pub(crate) names: Vec<String>,
}

impl Wanted {
    /// Reads `KIND[,KIND…] [NAME…]` or `KIND/NAME…`, as kubectl does.
    ///
    /// # Errors
    /// An unknown kind; names after several kinds; the two ways of writing in one command line.
    pub(crate) fn read(kinds: &str, names: &[String]) -> Result<Vec<Self>> {
        if let Some((kind, _)) = kinds.split_once('/') {
            Kind::read(kind)?;
            return Self::pairs(std::iter::once(kinds).chain(names.iter().map(String::as_str)));
        }
        let mut wanted: Vec<Self> = Vec::new();
        for word in kinds.split(',').filter(|word| !word.is_empty()) {
            let kind = Kind::read(word)?;
            if !wanted.iter().any(|known| known.kind == kind) {
                wanted.push(Self {
                    kind,
                    names: Vec::new(),
                });
            }
        }
        match wanted.as_mut_slice() {
            [] => {
                Err(CtlError::usage("read the kind: there is none")
                    .hint(format!("the kinds are {}", listed())))
            }
            [only] => {
                for name in names {
                    if !only.names.contains(name) {
                        only.names.push(name.clone());
                    }
                }
                Ok(wanted)
            }
            [first, ..] => match names.first() {
                None => Ok(wanted),
                Some(name) => {
                    let error = CtlError::usage(format!("find `{name}`: it may be of several kinds"));
                    Err(error.hint(format!("write its kind before it: `{}/{name}`", first.kind.one())))
                }
            },
        }
    }

    fn pairs<'a>(words: impl Iterator<Item = &'a str>) -> Result<Vec<Self>> {
        let mut wanted: Vec<Self> = Vec::new();
        for word in words {
            let pair = word.split_once('/').filter(|(_, name)| !name.is_empty());
            let Some((kind, name)) = pair else {
                let error = CtlError::usage(format!(
                    "read `{word}`: it has no kind, and others before it have one"
                ));
                return Err(error
                    .hint("write `KIND NAME…` or `KIND/NAME…`, e.g. `service/backend fleet/gpu-default`"));
            };
            let (kind, name) = (Kind::read(kind)?, name.to_owned());
            match wanted.iter_mut().find(|known| known.kind == kind) {
                Some(known) if known.names.contains(&name) => {}
                Some(known) => known.names.push(name),
                None => wanted.push(Self {
                    kind,
                    names: vec![name],
                }),
            }
        }
        Ok(wanted)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn read(kinds: &str, names: &[&str]) -> Result<Vec<(Kind, Vec<String>)>> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let wanted = Wanted::read(kinds, &names)?;
        Ok(wanted.into_iter().map(|one| (one.kind, one.names)).collect())
    }

    fn hint(kinds: &str, names: &[&str]) -> String {
        read(kinds, names).unwrap_err().hints()[0].to_string()
    }

    #[test]
    fn every_word_stands_for_one_kind() {
        let mut seen = BTreeSet::new();
        for kind in Kind::ALL {
            for word in kind.words() {
                assert!(seen.insert(word), "{word}");
                assert_eq!(Kind::of(word), Some(*kind));
                assert_eq!(Kind::of(&word.to_uppercase()), Some(*kind));
            }
        }
    }

    #[test]
    fn kinds_are_listed_with_commas_and_names_follow_one() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(read("svc", &[]).unwrap(), [(Kind::Service, names(&[]))]);
        assert_eq!(
            read("svc,fleets,services", &[]).unwrap(),
            [(Kind::Service, names(&[])), (Kind::Fleet, names(&[]))]
        );
        assert_eq!(
            read("svc", &["backend", "frontend", "backend"]).unwrap(),
            [(Kind::Service, names(&["backend", "frontend"]))]
        );
        assert!(hint("svc,fleets", &["backend"]).contains("`service/backend`"));
    }

    #[test]
    fn a_kind_may_stand_before_each_name() {
        let found = read("svc/backend", &["fleet/production/gpu-default", "svc/frontend"]).unwrap();
        assert_eq!(
            found,
            [
                (Kind::Service, vec!["backend".to_owned(), "frontend".to_owned()]),
                (Kind::Fleet, vec!["production/gpu-default".to_owned()]),
            ]
        );
        assert!(hint("svc/backend", &["frontend"]).contains("KIND/NAME"));
        assert!(hint("svc/", &[]).contains("KIND/NAME"));
    }

    #[test]
    fn an_unknown_kind_leads_to_the_nearest_one() {
        assert!(hint("servics", &[]).contains("`services`"));
        assert!(hint("svc,flets", &[]).contains("`fleets`"));
        assert!(hint("qqq", &[]).contains("services, tasks, deployments"));
        assert!(hint(",", &[]).contains("the kinds are"));
        assert!(hint("qqq/x", &[]).contains("the kinds are"));
    }
}
