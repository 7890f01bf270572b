//! Which role a workflow can take, and whether it suffices. Pure.

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
    fn too_wide(&self, provider: &str, repository: &str, claim: &Claim) -> Option<&'static str> {
        let admits = |subject: &str| self.admits(provider, subject) == Admits::Yes;
        if admits("repo:any-owner/any-name:ref:refs/heads/any-branch") {
            return Some("lets every repository on GitHub in");
        }
        let branch = format!("repo:{repository}:ref:refs/heads/any-branch");
        let pull_request = format!("repo:{repository}:pull_request");
        (claim.workflow.environment(claim.stage).is_some() && (admits(&branch) || admits(&pull_request)))
            .then_some("lets every branch of the repository in: nobody need approve the environment for that")
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
    wide: Option<&'static str>,
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
        let mut parts = Vec::new();
        if let Some(wide) = self.wide {
            parts.push(wide.to_owned());
        }
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
