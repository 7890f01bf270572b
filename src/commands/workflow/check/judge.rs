//! Which role a workflow can take, and whether it suffices. Pure.

use super::strangers::strangers;
use super::{Check, State};
use crate::commands::auth::can_i::{Missing, missing};
use crate::commands::auth::simulate::Answers;
use crate::error::{CtlError, Result};
use crate::iam::{AUDIENCE, Admits, Place, Token, Trusts, Use};
use crate::layout::Stage;
use crate::workflows::Workflow;

/// How many missing permissions are named; `auth can-i` as that role tells them all.
const NAMED: usize = 3;

/// A workflow in one stage, as AWS sees it.
pub(super) struct Claim {
    pub(super) workflow: &'static Workflow,
    pub(super) stage: Stage,
    /// The branch that workflows without an environment are started from.
    pub(super) branch: String,
    /// The claim `sub` of its tokens.
    pub(super) subject: String,
    /// What its verbs need.
    pub(super) uses: Vec<Use>,
}

/// A role that trusts GitHub.
pub(super) struct Candidate {
    pub(super) arn: String,
    pub(super) trusts: Trusts,
}

impl Candidate {
    pub(super) fn admits(&self, provider: &str, subject: &str) -> Admits {
        let audience = AUDIENCE;
        self.trusts.admits(&Token {
            provider,
            audience,
            subject,
        })
    }

    /// What is wrong with whom the role lets in besides.
    fn too_wide(&self, provider: &str, repository: &str, claim: &Claim) -> Option<String> {
        strangers(repository, claim)
            .into_iter()
            .find(|one| self.admits(provider, &one.subject) == Admits::Yes)
            .map(|one| one.verdict())
    }
}

/// Everything that was found out.
pub(super) struct Seen<'a> {
    pub(super) provider: &'a str,
    pub(super) repository: &'a str,
    pub(super) place: &'a Place,
    /// Roles, and what the policy simulator says of those that were asked about.
    pub(super) roles: &'a [(Candidate, Option<Result<Answers>>)],
}

/// A role that lets the workflow in.
struct Taken<'a> {
    role: &'a Candidate,
    lacks: std::result::Result<Vec<Missing>, &'a CtlError>,
    wide: Option<String>,
}

impl Taken<'_> {
    fn state(&self) -> State {
        match &self.lacks {
            Ok(lacks) if self.wide.is_some() || lacks.iter().any(Missing::is_certain) => State::Wrong,
            Ok(lacks) if lacks.is_empty() => State::Ok,
            Err(_) if self.wide.is_some() => State::Wrong,
            Ok(_) | Err(_) => State::Unknown,
        }
    }

    fn detail(&self) -> String {
        let mut parts: Vec<String> = self.wide.iter().cloned().collect();
        match &self.lacks {
            Err(error) => parts.push(format!(
                "its permissions could not be checked: {}",
                super::with_cause(error)
            )),
            Ok(lacks) if lacks.is_empty() => {}
            Ok(lacks) => parts.push(lacking(lacks)),
        }
        parts.join("; ")
    }
}

/// The first missing actions, each once.
fn lacking(lacks: &[Missing]) -> String {
    let certain = lacks.iter().any(Missing::is_certain);
    let mut actions: Vec<&str> = lacks
        .iter()
        .filter(|one| one.is_certain() == certain)
        .map(|one| one.action.as_str())
        .collect();
    actions.dedup();
    let (named, more) = actions.split_at(actions.len().min(NAMED));
    let named = named.join(", ");
    let more = match more.len() {
        0 => String::new(),
        count => format!(" and {count} more"),
    };
    if certain {
        format!("may not {named}{more}")
    } else {
        format!("whether it may {named}{more} depends on conditions")
    }
}

/// Whether the workflow can take a role that suffices.
pub(super) fn judge(claim: &Claim, seen: &Seen<'_>) -> Check {
    let name = format!("{} ({})", claim.workflow.name, claim.stage);
    let mut taken = Vec::new();
    let mut depends = Vec::new();
    for (role, answers) in seen.roles {
        match role.admits(seen.provider, &claim.subject) {
            Admits::No => {}
            Admits::Depends(on) => depends.push(format!("that of {} on {}", role.arn, on.join(", "))),
            Admits::Yes => taken.push(Taken {
                role,
                lacks: match answers {
                    Some(Ok(answers)) => Ok(missing(&claim.uses, answers, seen.place)),
                    Some(Err(error)) => Err(error),
                    // Every role that lets a workflow in was asked about.
                    None => Ok(Vec::new()),
                },
                wide: role.too_wide(seen.provider, seen.repository, claim),
            }),
        }
    }
    taken.sort_by_key(Taken::state);
    let secret = claim.workflow.role_secrets(claim.stage).pop().unwrap_or_default();
    match taken.first() {
        Some(best) => {
            let state = best.state();
            let detail = match state {
                State::Ok => {
                    let beyond = claim.workflow.beyond.map(|what| format!(", not checked: {what}"));
                    format!(
                        "may all that bpctl needs{}; belongs into the secret {secret}",
                        beyond.unwrap_or_default()
                    )
                }
                State::Wrong | State::Unknown => best.detail(),
            };
            Check::new("role", name, state, detail).of_role(&best.role.arn)
        }
        None if !depends.is_empty() => {
            let detail = format!(
                "whether a role lets {} in is not known: {}",
                claim.subject,
                depends.join("; ")
            );
            Check::new("role", name, State::Unknown, detail)
        }
        None => {
            let detail = format!("no role lets {} in", claim.subject);
            Check::new("role", name, State::Wrong, detail)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::iam::provider;
    use crate::layout::{Layout, LayoutKind};
    use crate::workflows::WORKFLOWS;

    const MAIN: &str = "repo:acme/platform:ref:refs/heads/main";
    const INFRA: &str = "repo:acme/platform:environment:production-infra";

    /// Patterns, whom they let in beside the one who may, and as what.
    const WIDE: &[(&str, &str, &str)] = &[
        (
            "*",
            "every repository on GitHub",
            "any-owner/any-name:environment:production-infra",
        ),
        (
            "repo:*:environment:production-infra",
            "every repository on GitHub",
            "any-owner/any-name:environment:production-infra",
        ),
        (
            "repo:*@*/*@*:environment:production-*",
            "every repository on GitHub",
            "any-owner@1/any-name@1:environment:production-infra",
        ),
        (
            "repo:*:pull_request",
            "every repository on GitHub",
            "any-owner/any-name:pull_request",
        ),
        (
            "repo:*/platform:environment:production-infra",
            "repositories of other owners",
            "any-owner/platform:environment:production-infra",
        ),
        (
            "repo:acme*:environment:production-infra",
            "repositories of other owners",
            "acme-any/any-name:environment:production-infra",
        ),
        (
            "repo:*acme/platform:environment:production-infra",
            "repositories of other owners",
            "any-acme/platform:environment:production-infra",
        ),
        (
            "repo:acme/*:environment:production-infra",
            "other repositories of the owner",
            "acme/any-name:environment:production-infra",
        ),
        (
            "repo:acme/platform*:environment:production-infra",
            "other repositories of the owner",
            "acme/platform-any:environment:production-infra",
        ),
        (
            "repo:acme/*:ref:refs/heads/main",
            "other repositories of the owner",
            "acme/any-name:ref:refs/heads/main",
        ),
        (
            "repo:acme/platform:*",
            "every branch",
            "acme/platform:ref:refs/heads/any-branch",
        ),
        (
            "repo:acme/platform:ref:refs/heads/*",
            "every branch",
            "acme/platform:ref:refs/heads/any-branch",
        ),
        (
            "repo:acme/platform:ref:refs/heads/main*",
            "other branches",
            "acme/platform:ref:refs/heads/main-any",
        ),
        (
            "repo:acme/platform:pull_request",
            "every pull request",
            "acme/platform:pull_request",
        ),
        (
            "repo:acme/platform:ref:refs/tags/*",
            "every tag",
            "acme/platform:ref:refs/tags/any-tag",
        ),
        (
            "repo:acme/platform:environment:*",
            "every environment",
            "acme/platform:environment:any-environment",
        ),
        (
            "repo:acme/platform:environment:prod*",
            "environments of any name",
            "acme/platform:environment:production-any",
        ),
        (
            "repo:acme/platform:environment:*-infra",
            "environments of any name",
            "acme/platform:environment:any-infra",
        ),
        (
            "repo:acme/platform:environment:production-infra*",
            "environments of any name",
            "acme/platform:environment:production-infra-any",
        ),
        (
            "repo:acme/platform:environment:staging-infra",
            "whoever approves for staging",
            "acme/platform:environment:staging-infra",
        ),
        (
            "repo:acme/platform:environment:staging-migrations",
            "whoever approves for staging",
            "acme/platform:environment:staging-migrations",
        ),
    ];

    fn claim(name: &str, stage: Stage, repository: &str, branch: &str) -> Claim {
        let found = WORKFLOWS.iter().find(|one| one.name == name);
        let workflow = found.expect("a workflow");
        Claim {
            workflow,
            stage,
            branch: branch.to_owned(),
            subject: workflow.subject(repository, stage, branch),
            uses: Vec::new(),
        }
    }

    fn place() -> Place {
        let layout = Layout::new(LayoutKind::Single, "bp", None).expect("a layout");
        Place::new(
            "123456789012".parse().expect("an account"),
            "us-east-1".to_owned(),
            layout,
        )
    }

    /// State and detail for a role that trusts these subjects.
    fn judged(claim: &Claim, repository: &str, subjects: &Value) -> (State, String) {
        let place = place();
        let provider = provider(&place);
        let trust = json!({ "Statement": {
            "Effect": "Allow",
            "Principal": { "Federated": provider },
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": { "StringLike": { "token.actions.githubusercontent.com:sub": subjects } },
        }});
        let role = Candidate {
            arn: "arn:aws:iam::123456789012:role/r".to_owned(),
            trusts: Trusts::read(&trust.to_string()).expect("a policy"),
        };
        let seen = Seen {
            provider: &provider,
            repository,
            place: &place,
            roles: &[(role, None)],
        };
        let check = judge(claim, &seen);
        (check.state, check.detail)
    }

    #[test]
    fn a_role_of_an_environment_that_strangers_may_take_is_wrong() {
        let claim = claim(
            "deploy-infrastructure",
            Stage::Production,
            "acme/platform",
            "main",
        );
        let detail = |more: &[&str]| {
            let subjects = [&[INFRA][..], more].concat();
            let (state, detail) = judged(&claim, "acme/platform", &json!(subjects));
            assert_eq!(state, State::Wrong, "{more:?}: {detail}");
            detail
        };
        for (pattern, who, stranger) in WIDE {
            let detail = detail(&[*pattern]);
            assert!(detail.starts_with(&format!("lets {who}")), "{pattern}: {detail}");
            assert!(
                detail.contains(&format!("e.g. repo:{stranger}")),
                "{pattern}: {detail}"
            );
        }
        // The one that most people could be is named.
        let detail = detail(&["repo:acme/platform:environment:*", "repo:acme/*:pull_request"]);
        assert!(detail.contains("other repositories of the owner"), "{detail}");
    }

    #[test]
    fn a_role_of_a_branch_that_strangers_may_take_is_wrong() {
        let claim = claim("deploy", Stage::Production, "acme/platform", "main");
        for (pattern, who) in [
            ("repo:*:ref:refs/heads/main", "every repository on GitHub"),
            (
                "repo:*:environment:production-infra",
                "every repository on GitHub",
            ),
            (
                "repo:acme/*:ref:refs/heads/main",
                "other repositories of the owner",
            ),
            ("repo:acme/platform:*", "every branch of the repository in, e.g. "),
            ("repo:acme/platform:ref:refs/heads/m*", "other branches"),
            ("repo:acme/platform:ref:refs/heads/*/main", "other branches"),
            ("repo:acme/platform:ref:*main", "other branches"),
            ("repo:acme/platform:pull_request", "every pull request"),
            ("repo:acme/platform:ref:refs/tags/*", "every tag"),
            ("repo:acme/platform:environment:*", "every environment"),
            (
                "repo:acme/platform:environment:staging-infra",
                "whoever approves for staging",
            ),
        ] {
            let (state, detail) = judged(&claim, "acme/platform", &json!([MAIN, pattern]));
            assert_eq!(state, State::Wrong, "{pattern}: {detail}");
            assert!(detail.starts_with(&format!("lets {who}")), "{pattern}: {detail}");
        }
    }

    #[test]
    fn whom_a_workflow_or_its_stage_needs_is_no_stranger() {
        let all_of_production = json!([
            MAIN,
            INFRA,
            "repo:acme/platform:environment:production-migrations",
            "repo:acme/platform:environment:production-gpu-provision",
        ]);
        let release = "repo:acme/platform:ref:refs/heads/release/*";
        for (name, repository, branch, subjects) in [
            ("deploy-infrastructure", "acme/platform", "main", json!(INFRA)),
            (
                "deploy-infrastructure",
                "acme/platform",
                "main",
                all_of_production.clone(),
            ),
            ("deploy", "acme/platform", "main", all_of_production),
            ("deploy", "acme/platform", "main", json!(MAIN)),
            ("deploy", "acme/platform", "main", json!([MAIN, release])),
            ("deploy", "acme/platform", "release/1.2", json!(release)),
            (
                "deploy-infrastructure",
                "acme@12/platform@34",
                "main",
                json!([INFRA, "repo:acme@12/platform@34:environment:production-infra"]),
            ),
            // Only this repository has the numbers, whatever it is called.
            (
                "deploy",
                "acme@12/platform@34",
                "main",
                json!("repo:*@12/*@34:ref:refs/heads/main"),
            ),
            // Names that strangers have in other cases.
            (
                "deploy",
                "any-owner/any-name",
                "any-branch",
                json!("repo:any-owner/any-name:ref:refs/heads/any-branch"),
            ),
        ] {
            let claim = claim(name, Stage::Production, repository, branch);
            let (state, detail) = judged(&claim, repository, &subjects);
            assert_eq!(state, State::Ok, "{subjects}: {detail}");
        }
    }
}
