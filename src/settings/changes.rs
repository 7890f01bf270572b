//! What must hold before anything is changed: a context was chosen, the account is guarded, and the rules of a
//! protected account hold whatever context leads there. All of it is known without a call.

use super::resolve::Inputs;
use super::{Settings, Sourced};
use crate::error::{CommandLine, CtlError, Hint, Result};
use crate::layout::AccountId;

/// What the configuration demands of verbs that change something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Safety {
    /// The contexts of the file, when none of them was chosen.
    unchosen: Vec<String>,
    /// Accounts of protected contexts.
    protected: Vec<(AccountId, String)>,
    /// Why the account guard is missing although it must not be.
    unguarded: Option<Unguarded>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unguarded {
    /// `BPCTL_ACCOUNT_ID` is set to nothing: most likely a variable of a CI system that is not set.
    EmptyVariable,
    /// A CI system runs bpctl, and no setting says in which account.
    UnderCi,
}

impl Safety {
    /// Whether a context was chosen is told by `context`; whether there is a guard by `guard`.
    pub(super) fn of(
        inputs: &Inputs<'_>,
        context: &Sourced<String>,
        guard: Option<&Sourced<AccountId>>,
    ) -> Self {
        if context.value == super::SANDBOX_CONTEXT {
            return Self::default();
        }
        let contexts = || inputs.file.iter().flat_map(|file| &file.contexts);
        let protected = contexts().filter_map(|(name, entries)| {
            let is_protected = entries.get("protected")?.value == "true";
            let account = entries.get("account_id")?.value.parse().ok()?;
            is_protected.then(|| (account, name.clone()))
        });
        let unchosen = match context.source {
            super::Source::Default => contexts().map(|(name, _)| name.clone()).collect(),
            _ => Vec::new(),
        };
        let var = |name: &str| inputs.env.get(name).map(|value| value.trim());
        let in_ci = var("CI").is_some_and(|value| !matches!(value, "" | "0" | "false"));
        let unguarded =
            if inputs.flags.contains_key("no-account-guard") || inputs.flags.contains_key("account-id") {
                None
            } else if var("BPCTL_ACCOUNT_ID") == Some("") {
                Some(Unguarded::EmptyVariable)
            } else if in_ci && guard.is_none() {
                Some(Unguarded::UnderCi)
            } else {
                None
            };
        Self {
            unchosen,
            protected: protected.collect(),
            unguarded,
        }
    }
}

impl Settings {
    /// What is wrong with changing anything with these settings, before any call.
    ///
    /// # Errors
    /// No context chosen where there are some; no account guard where there must be one.
    pub(crate) fn check_before_changes(&self) -> Result<()> {
        if !self.safety.unchosen.is_empty() {
            return Err(CtlError::config("change anything: no context is chosen")
                .cause(format!("bpctl.toml has {}", quoted(&self.safety.unchosen)))
                .hint(
                    Hint::new("name one with `--context` or BPCTL_CONTEXT; look at them with")
                        .command(CommandLine::bpctl(["config", "get-contexts"])),
                ));
        }
        let missing = match self.safety.unguarded {
            None => return Ok(()),
            Some(Unguarded::EmptyVariable) => "BPCTL_ACCOUNT_ID is set, and empty",
            Some(Unguarded::UnderCi) => {
                "CI is set, and neither flag, environment nor context names an account"
            }
        };
        Err(CtlError::config("change anything: the account guard is missing")
            .cause(missing)
            .hint("set BPCTL_ACCOUNT_ID or `account_id` in the context to the account that is meant; to go on in whatever account the credentials belong to, give `--no-account-guard`"))
    }

    /// The protected context that an account belongs to.
    pub(crate) fn protected_context(&self, account: &AccountId) -> Option<&str> {
        let found = self
            .safety
            .protected
            .iter()
            .find(|(protected, _)| protected == account);
        found.map(|(_, name)| name.as_str())
    }
}

fn quoted(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::{ConfigFile, resolve};
    use super::*;

    const FILE: &str = "[contexts.dev]\naccount_id = \"111122223333\"\n[contexts.open]\n[contexts.prod]\naccount_id = \"444455556666\"\nprotected = true\n";

    fn settings(flags: &[(&'static str, &str)], env: &[(&str, &str)], file: &str) -> Settings {
        let file = ConfigFile::parse(Path::new("bpctl.toml"), file).unwrap();
        let env = env
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        let mut inputs = Inputs::new(&env);
        inputs.file = Some(&file);
        inputs.flags = flags.iter().map(|(k, v)| (*k, (*v).to_owned())).collect();
        resolve(&inputs).unwrap()
    }

    #[test]
    fn with_contexts_and_none_chosen_nothing_is_changed() {
        let error = settings(&[], &[], FILE).check_before_changes().unwrap_err();
        assert_eq!(error.exit_status().code(), 2);
        assert_eq!(error.causes(), ["bpctl.toml has `dev`, `open`, `prod`"]);
        settings(&[("context", "dev")], &[], FILE)
            .check_before_changes()
            .unwrap();
        settings(&[], &[], "").check_before_changes().unwrap();
        settings(&[("context", "sandbox")], &[("CI", "true")], FILE)
            .check_before_changes()
            .unwrap();
    }

    #[test]
    fn a_guard_is_never_lost_by_an_empty_variable() {
        let empty = [("BPCTL_ACCOUNT_ID", "")];
        for context in ["dev", "open"] {
            let error = settings(&[("context", context)], &empty, FILE)
                .check_before_changes()
                .unwrap_err();
            assert_eq!(error.exit_status().code(), 2);
        }
        let said = [("context", "open"), ("no-account-guard", "true")];
        settings(&said, &empty, FILE).check_before_changes().unwrap();
        let named = [("context", "open"), ("account-id", "111122223333")];
        settings(&named, &empty, FILE).check_before_changes().unwrap();
    }

    #[test]
    fn under_ci_the_account_must_be_named() {
        let open = [("context", "open")];
        let ci = [("CI", "true")];
        assert!(settings(&open, &ci, FILE).check_before_changes().is_err());
        settings(&open, &[("CI", "false")], FILE)
            .check_before_changes()
            .unwrap();
        settings(&[("context", "dev")], &ci, FILE)
            .check_before_changes()
            .unwrap();
        let both = [("CI", "true"), ("BPCTL_ACCOUNT_ID", "111122223333")];
        settings(&open, &both, FILE).check_before_changes().unwrap();
    }

    #[test]
    fn a_protected_account_is_one_whatever_context_leads_there() {
        let open = settings(&[("context", "open")], &[], FILE);
        assert_eq!(
            open.protected_context(&"444455556666".parse().unwrap()),
            Some("prod")
        );
        assert_eq!(open.protected_context(&"111122223333".parse().unwrap()), None);
    }
}
