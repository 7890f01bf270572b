//! Who must not get in by the role of a workflow: tokens that others could come with. Pure.

use std::collections::BTreeSet;

use super::judge::Claim;
use crate::layout::Stage;
use crate::workflows::WORKFLOWS;

/// A token that GitHub gives to a job which has no business with the role.
pub(super) struct Stranger {
    /// Its claim `sub`.
    pub(super) subject: String,
    /// Whose tokens are like that.
    who: String,
    /// What that gets round.
    because: Option<String>,
}

impl Stranger {
    fn new(subject: String, who: &str, because: Option<&str>) -> Self {
        Self {
            subject,
            who: who.to_owned(),
            because: because.map(str::to_owned),
        }
    }

    /// What is wrong with a role that lets it in.
    pub(super) fn verdict(&self) -> String {
        let because = self.because.as_ref().map(|because| format!(": {because}"));
        format!(
            "lets {} in, e.g. {}{}",
            self.who,
            self.subject,
            because.unwrap_or_default()
        )
    }
}

/// What GitHub writes behind the repository into `sub`, for whoever may push a branch or open a pull request there.
const ANYBODYS: [(&str, &str); 3] = [
    ("ref:refs/heads/any-branch", "every branch of the repository"),
    ("pull_request", "every pull request"),
    ("ref:refs/tags/any-tag", "every tag"),
];

const ANY_ENVIRONMENT: &str = "environment:any-environment";

/// All strangers to a workflow in a stage, those that most people could be first.
pub(super) fn strangers(repository: &str, claim: &Claim) -> Vec<Stranger> {
    let own = claim.subject.strip_prefix(&format!("repo:{repository}:"));
    let mut tails: Vec<String> = own.into_iter().map(str::to_owned).collect();
    tails.extend(ANYBODYS.map(|(tail, _)| tail.to_owned()));
    tails.push(ANY_ENVIRONMENT.to_owned());
    tails.push(format!("ref:refs/heads/{}", claim.branch));
    for stage in Stage::ALL {
        tails.extend(environments(stage).map(|name| format!("environment:{name}")));
    }
    let mut all = Vec::new();
    for (other, who) in elsewhere(repository) {
        let from_there = |tail: &String| Stranger::new(format!("repo:{other}:{tail}"), who, None);
        all.extend(tails.iter().map(from_there));
    }
    all.extend(at_home(repository, claim));
    all.retain(|one| one.subject != claim.subject);
    all
}

/// The environments of a stage, each once.
fn environments(stage: Stage) -> impl Iterator<Item = String> {
    let names: BTreeSet<String> = WORKFLOWS
        .iter()
        .filter_map(|one| one.environment(stage))
        .collect();
    names.into_iter()
}

/// Repositories with another owner, another name or both, as claims have them with and without numbers, and who has such.
///
/// GitHub lets anybody take a name that only begins or ends like the right one.
fn elsewhere(repository: &str) -> Vec<(String, &'static str)> {
    let (owner, name) = repository.split_once('/').unwrap_or((repository, ""));
    let (owner, owner_id) = owner.split_once('@').unwrap_or((owner, "1"));
    let (name, _) = name.split_once('@').unwrap_or((name, ""));
    let like = |text: &str, any: &str| [any.to_owned(), format!("{text}-any"), format!("any-{text}")];
    let mut names = Vec::from(like(name, "any-name"));
    let mut all = Vec::new();
    let mut add = |owner: &str, owner_id: &str, name: &str, who| {
        all.push((format!("{owner}/{name}"), who));
        all.push((format!("{owner}@{owner_id}/{name}@1"), who));
    };
    add("any-owner", "1", "any-name", "every repository on GitHub");
    names.push(name.to_owned());
    for other in like(owner, "any-owner") {
        for name in &names {
            add(&other, "1", name, "repositories of other owners");
        }
    }
    names.pop();
    for name in &names {
        add(owner, owner_id, name, "other repositories of the owner");
    }
    all
}

/// Strangers in the repository itself: GitHub runs the workflows of every branch that is pushed to it.
fn at_home(repository: &str, claim: &Claim) -> Vec<Stranger> {
    const UNASKED: &str = "nobody need approve the environment for that";
    // GitHub's documentation, "Managing environments for deployment".
    const MADE: &str =
        "GitHub makes an environment that a workflow names, without reviewers, so every branch gets in";
    let of = |tail: &str, who: &str, because: &str| {
        Stranger::new(format!("repo:{repository}:{tail}"), who, Some(because))
    };
    let unasked = claim.workflow.environment(claim.stage).map(|_| UNASKED);
    let branch = |name: &str| {
        let subject = format!("repo:{repository}:ref:refs/heads/{name}");
        Stranger::new(subject, "other branches", unasked)
    };
    let mut all: Vec<Stranger> = ANYBODYS
        .into_iter()
        .map(|(tail, who)| Stranger::new(format!("repo:{repository}:{tail}"), who, unasked))
        .collect();
    all.push(of(ANY_ENVIRONMENT, "every environment", MADE));
    let right = claim.branch.as_str();
    all.push(branch(&format!("any/{right}")));
    // A rule of GitHub can protect all branches of a folder alike, so a role for `release/*` may be meant.
    if !right.contains('/') {
        all.extend([branch(&format!("{right}-any")), branch(&format!("any-{right}"))]);
    }
    for stage in Stage::ALL {
        let mut names = vec![format!("{stage}-any")];
        for right in environments(stage) {
            let gate = right.strip_prefix(&format!("{stage}-")).unwrap_or(&right);
            names.extend([
                format!("any-{gate}"),
                format!("{right}-any"),
                format!("any-{right}"),
            ]);
        }
        let unknown = |name: &String| of(&format!("environment:{name}"), "environments of any name", MADE);
        all.extend(names.iter().map(unknown));
    }
    for stage in Stage::ALL.into_iter().filter(|stage| *stage != claim.stage) {
        // That of the same workflow is what a reader looks for first.
        let same = claim.workflow.environment(stage);
        for name in same.into_iter().chain(environments(stage)) {
            let who = format!("whoever approves for {stage}");
            let because = format!("nobody need approve for {} then", claim.stage);
            all.push(of(&format!("environment:{name}"), &who, &because));
        }
    }
    all
}
