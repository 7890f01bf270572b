//! Who may take a role: workflows of one repository on GitHub, by OpenID Connect.
//!
//! GitHub's documentation, "Configuring OpenID Connect in Amazon Web Services" and "OpenID Connect reference"
//! (the claim `sub`).

use std::collections::BTreeMap;

use super::document::{Document, Statement};
use super::place::Place;
use crate::error::{CtlError, Result};

/// The issuer, and with it the name of the identity provider in the account.
pub(super) const ISSUER: &str = "token.actions.githubusercontent.com";

/// Whom the tokens are for, where the action of AWS asks for them.
pub(crate) const AUDIENCE: &str = "sts.amazonaws.com";

/// What workflows may take the role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GitHub {
    subjects: Vec<String>,
}

/// The ARN of the identity provider, which is named after its address.
pub(crate) fn provider(place: &Place) -> String {
    place.global("iam", &format!("oidc-provider/{ISSUER}"))
}

impl GitHub {
    /// Workflows of a repository that run in one of `environments` or on one of `branches`.
    ///
    /// # Errors
    /// Names that GitHub does not have, or no limit at all: a role for every branch is one for every contributor.
    pub(crate) fn new(repository: &str, environments: &[String], branches: &[String]) -> Result<Self> {
        if !is_repository(repository) {
            return Err(CtlError::usage(format!(
                "read the repository `{repository}`: it is not OWNER/NAME"
            ))
            .hint("write it as in its address, e.g. `--repo acme/platform`"));
        }
        if environments.is_empty() && branches.is_empty() {
            return Err(CtlError::usage(
                "write a trust policy: neither an environment nor a branch is named",
            )
            .hint("give `--environment staging-migrations` or `--branch main`: else every branch could take the role"));
        }
        for name in environments.iter().chain(branches) {
            if !is_name(name) {
                return Err(CtlError::usage(format!(
                    "read the name `{name}`: expected letters, digits, spaces and `-._/`"
                )));
            }
        }
        let environments = environments
            .iter()
            .map(|name| format!("repo:{repository}:environment:{name}"));
        let branches = branches
            .iter()
            .map(|name| format!("repo:{repository}:ref:refs/heads/{name}"));
        let mut subjects: Vec<String> = environments.chain(branches).collect();
        subjects.sort();
        subjects.dedup();
        Ok(Self { subjects })
    }

    /// The trust policy of the role.
    pub(crate) fn document(&self, place: &Place) -> Document {
        let keys = BTreeMap::from([
            (format!("{ISSUER}:aud"), vec![AUDIENCE.to_owned()]),
            (format!("{ISSUER}:sub"), self.subjects.clone()),
        ]);
        Document::new(vec![Statement {
            sid: "GitHubActions".to_owned(),
            effect: "Allow",
            principal: Some(BTreeMap::from([("Federated", provider(place))])),
            action: vec!["sts:AssumeRoleWithWebIdentity".to_owned()],
            resource: Vec::new(),
            condition: BTreeMap::from([("StringEquals", keys)]),
        }])
    }
}

/// Whether this is OWNER/NAME, as GitHub has them; or OWNER@ID/NAME@ID, as the claims of repositories have it that were
/// made, renamed or moved since July 2026 (GitHub's documentation, "OpenID Connect reference", immutable subject claims).
pub(crate) fn is_repository(text: &str) -> bool {
    let word = |text: &str, more: &str, longest: usize| {
        let letters = text
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || more.contains(letter));
        letters && (1..=longest).contains(&text.len())
    };
    let number =
        |text: &str| (1..=20).contains(&text.len()) && text.bytes().all(|digit| digit.is_ascii_digit());
    let Some((owner, name)) = text.split_once('/') else {
        return false;
    };
    let (owner, name) = match (owner.split_once('@'), name.split_once('@')) {
        (None, None) => (owner, name),
        (Some((owner, one)), Some((name, other))) if number(one) && number(other) => (owner, name),
        _ => return false,
    };
    word(owner, "-", 39) && word(name, "-._", 100)
}

/// Without characters that mean something in a policy or in the claim: `*`, `?`, `$` and `:`.
pub(crate) fn is_name(text: &str) -> bool {
    let letters = text
        .chars()
        .all(|letter| letter.is_ascii_alphanumeric() || "-._/ ".contains(letter));
    letters && (1..=255).contains(&text.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iam::place::tests::single;

    fn text(environments: &[&str], branches: &[&str]) -> Result<String> {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let trusted = GitHub::new("acme/platform", &owned(environments), &owned(branches))?;
        Ok(trusted.document(&single()).text())
    }

    #[test]
    fn an_environment_of_one_repository_is_trusted() {
        let text = text(&["staging-migrations"], &[]).unwrap();
        for part in [
            r#""Federated": "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com""#,
            r#""sts:AssumeRoleWithWebIdentity""#,
            r#""repo:acme/platform:environment:staging-migrations""#,
            r#""sts.amazonaws.com""#,
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
        assert!(
            !text.contains("StringLike") && !text.contains("Resource"),
            "{text}"
        );
    }

    #[test]
    fn names_that_would_widen_the_trust_are_refused() {
        for (environments, branches) in [
            (&[][..], &[][..]),
            (&["*"], &[]),
            (&[], &["a?"]),
            (&["${aws:userid}"], &[]),
        ] {
            assert_eq!(text(environments, branches).unwrap_err().exit_status().code(), 2);
        }
        assert!(is_repository("acme@123456/platform@456789"));
        for repository in [
            "acme",
            "acme/*",
            "a c/x",
            "/x",
            "acme/",
            "acme/x/y",
            "acme@1/x",
            "acme/x@1",
            "acme@*/x@1",
            "acme@/x@",
        ] {
            assert!(
                GitHub::new(repository, &["e".to_owned()], &[]).is_err(),
                "{repository}"
            );
        }
    }

    #[test]
    fn the_longest_names_fit_the_limit_of_a_trust_policy() {
        let environments = ["e".repeat(255), "f".repeat(255), "g".repeat(255)];
        let repository = format!("{}/{}", "o".repeat(39), "n".repeat(100));
        let trusted = GitHub::new(&repository, &environments, &[]).unwrap();
        assert!(trusted.document(&single()).characters() < crate::iam::TRUST_LIMIT);
    }
}
