//! `bpctl workflow check`: whether the workflows can do their work.

mod judge;
mod needed;
mod repository;
mod strangers;

use std::collections::BTreeSet;

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use super::files::Folder;
use crate::aws::iam::Role;
use crate::commands::auth::simulate::simulate_role;
use crate::commands::iam::policy::place;
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, Hint, Result};
use crate::exit::ExitStatus;
use crate::iam::{AUDIENCE, Admits, On, Place, Trusts, Use, Uses, is_name, names, provider, select};
use crate::layout::Stage;
use crate::output::{Render, Table, View, paragraph};
use crate::workflows::{self, WORKFLOWS};
use judge::{Candidate, Claim, Seen, judge};
use needed::Needed;
use repository::repository;

/// Check what the workflows need: their files, GitHub's identity provider and the roles in AWS
///
/// The files of the repository are what `workflow init` would write. The account knows GitHub's identity provider. And for
/// each workflow and stage there is a role that lets it in, by the environment or the branch that it runs in, lets nobody
/// in who need not ask, and may do what the workflow's verbs need; what packer and CloudFormation need for themselves is
/// not checked. What only GitHub knows is listed by name: environments,
/// secrets, variables. Both stages are checked unless `--stage` or the context names one: each in the account that its
/// role is in. Ends with status 9 when something is not so, and with 7 when something could not be checked.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl workflow check                                        the repository of the working folder
  bpctl workflow check --stage staging                        in the account of staging
  bpctl workflow check --repository acme/platform --role deploy-staging
  bpctl workflow check -o json --query 'needs.secrets[].name'")]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    folder: Folder,

    /// The repository on GitHub, OWNER@ID/NAME@ID where its claims have numbers [env: GITHUB_REPOSITORY] [default: git's
    /// `origin`]
    #[arg(long, value_name = "OWNER/NAME")]
    repository: Option<String>,

    /// The branch from which workflows without an environment are started
    #[arg(long, value_name = "NAME", default_value = "main")]
    branch: String,

    /// Only this role, by name or ARN, instead of every one that trusts GitHub; may be repeated
    #[arg(long = "role", value_name = "ROLE", value_parser = role_name)]
    roles: Vec<String>,
}

/// The name of a role, which is the last part of its ARN (IAM User Guide, "IAM identifiers").
fn role_name(text: &str) -> std::result::Result<String, String> {
    let name = match text.split_once(":role/") {
        Some((_, path)) => path.rsplit('/').next().unwrap_or_default(),
        None => text,
    };
    let letters = name
        .chars()
        .all(|letter| letter.is_ascii_alphanumeric() || "+=,.@_-".contains(letter));
    if letters && (1..=64).contains(&name.len()) {
        return Ok(name.to_owned());
    }
    Err("neither the name of a role nor its ARN".to_owned())
}

/// What one check found. The order is that of how good it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum State {
    Ok,
    /// It could not be checked.
    Unknown,
    Wrong,
}

/// One check.
#[derive(Debug, Serialize, JsonSchema)]
struct Check {
    /// `file`, `provider` or `role`.
    check: &'static str,
    /// The file, the provider's address, or workflow and stage.
    name: String,
    state: State,
    detail: String,
    /// The role that lets the workflow in; null where there is none.
    role: Option<String>,
}

/// The document.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct WorkflowCheck {
    repository: String,
    checks: Vec<Check>,
    /// What only GitHub knows.
    needs: Needed,
}

impl Check {
    fn new(check: &'static str, name: impl Into<String>, state: State, detail: impl Into<String>) -> Self {
        Self {
            check,
            name: name.into(),
            state,
            detail: detail.into(),
            role: None,
        }
    }

    fn of_role(mut self, role: &str) -> Self {
        self.role = Some(role.to_owned());
        self
    }
}

impl Verb for CheckArgs {
    fn uses() -> Uses {
        Uses::of(&[&[
            Use::of("iam:GetOpenIDConnectProvider", On::GitHubProvider),
            Use::of("iam:ListRoles", On::Anything),
            Use::of("iam:SimulatePrincipalPolicy", On::Principals),
        ]])
        .with("--role", &[Use::of("iam:GetRole", On::Principals)])
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let layout = ctx.layout()?;
        let repository = repository(ctx, self.repository.as_deref())?;
        if !is_name(&self.branch) {
            return Err(CtlError::usage(format!(
                "read the branch `{}`: expected letters, digits, spaces and `-._/`",
                self.branch
            )));
        }
        let stages = layout
            .stage()
            .map_or_else(|| Stage::ALL.to_vec(), |stage| vec![stage]);
        let claims = self.claims(ctx, &repository, &stages)?;
        let (mut checks, needs) = self.files(ctx);
        let looked = ctx.unless_interrupted(self.look(ctx, &repository, &claims));
        checks.extend(looked.await?);
        let checked = WorkflowCheck {
            repository,
            checks,
            needs,
        };
        ctx.emit(&checked)?;
        self.hints(ctx, &checked, &claims);
        let any = |state| checked.checks.iter().any(|check| check.state == state);
        Ok(match (any(State::Wrong), any(State::Unknown)) {
            (true, _) => ExitStatus::Differences,
            (false, true) => ExitStatus::Partial,
            (false, false) => ExitStatus::Done,
        })
    }
}

impl CheckArgs {
    fn claims(&self, ctx: &Ctx, repository: &str, stages: &[Stage]) -> Result<Vec<Claim>> {
        let known = names((ctx.verb_uses)());
        let mut claims = Vec::new();
        for workflow in WORKFLOWS {
            let mut uses = Vec::new();
            for verb in workflow.verbs {
                uses.extend(select(&known, verb)?.into_iter().flat_map(|one| one.uses));
            }
            claims.extend(stages.iter().map(|stage| Claim {
                workflow,
                stage: *stage,
                branch: self.branch.clone(),
                subject: workflow.subject(repository, *stage, &self.branch),
                uses: uses.clone(),
            }));
        }
        Ok(claims)
    }

    /// The files, and what they need on GitHub.
    fn files(&self, ctx: &Ctx) -> (Vec<Check>, Needed) {
        let mut checks = Vec::new();
        let mut needed = Needed::default();
        for (file, seen) in self.folder.look(ctx) {
            let name = file.path.display().to_string();
            let text = match &seen {
                Ok(seen) => seen.found.as_ref().map_or(&file.text, |found| &found.text),
                Err(_) => &file.text,
            };
            if let Some(workflow) = file.workflow {
                needed.add(workflow, text);
            }
            let (state, detail) = match &seen {
                Err(error) => (State::Unknown, with_cause(error)),
                Ok(seen) => match seen.state() {
                    workflows::State::Current => (State::Ok, String::new()),
                    workflows::State::New => (State::Wrong, "it is not there".to_owned()),
                    workflows::State::Outdated => (
                        State::Wrong,
                        "it is of another version or for another place".to_owned(),
                    ),
                    workflows::State::Edited => (State::Wrong, "it was edited, or is not bpctl's".to_owned()),
                },
            };
            checks.push(Check::new("file", name, state, detail));
        }
        (checks, needed)
    }

    /// What AWS says.
    async fn look(&self, ctx: &Ctx, repository: &str, claims: &[Claim]) -> Result<Vec<Check>> {
        ctx.aws.guard_account().await?;
        let place = place(ctx).await?;
        let arn = provider(&place);
        let (audiences, roles) = futures::join!(ctx.aws.audiences(&arn), self.roles(ctx));
        let mut checks = vec![of_provider(&arn, audiences)];
        let mut candidates = Vec::new();
        match roles {
            Err(error) => {
                let unknown = |claim: &Claim| {
                    let name = format!("{} ({})", claim.workflow.name, claim.stage);
                    Check::new("role", name, State::Unknown, with_cause(&error))
                };
                checks.extend(claims.iter().map(unknown));
                return Ok(checks);
            }
            Ok(roles) => {
                for (name, role) in roles {
                    match role.map(|role| candidate(&role, &arn)).transpose() {
                        Ok(Some(Some(candidate))) => candidates.push(candidate),
                        Ok(Some(None)) if self.roles.is_empty() => {}
                        Ok(Some(None)) => {
                            checks.push(Check::new(
                                "role",
                                name,
                                State::Wrong,
                                "it does not trust GitHub's identity provider",
                            ));
                        }
                        Ok(None) => checks.push(Check::new(
                            "role",
                            name,
                            State::Wrong,
                            "there is none of this name",
                        )),
                        Err(error) => {
                            checks.push(Check::new("role", name, State::Unknown, with_cause(&error)))
                        }
                    }
                }
            }
        }
        let mut roles = Vec::new();
        for role in candidates {
            let answers = asked(ctx, &role, &arn, claims, &place).await;
            roles.push((role, answers));
        }
        let seen = Seen {
            provider: &arn,
            repository,
            place: &place,
            roles: &roles,
        };
        checks.extend(claims.iter().map(|claim| judge(claim, &seen)));
        Ok(checks)
    }

    /// The roles by their names; `None` for one that was named and is not there.
    async fn roles(&self, ctx: &Ctx) -> Result<Vec<(String, Option<Role>)>> {
        if self.roles.is_empty() {
            let all = ctx.aws.roles().await?;
            return Ok(all
                .into_iter()
                .map(|role| (role.name.clone(), Some(role)))
                .collect());
        }
        let mut found = Vec::new();
        for name in self.roles.iter().collect::<BTreeSet<_>>() {
            found.push((name.clone(), ctx.aws.role(name).await?));
        }
        Ok(found)
    }

    /// The next commands.
    fn hints(&self, ctx: &Ctx, checked: &WorkflowCheck, claims: &[Claim]) {
        let wrong = |what: &'static str| {
            checked
                .checks
                .iter()
                .find(move |check| check.check == what && check.state == State::Wrong)
        };
        if wrong("file").is_some() {
            let diff = CommandLine::bpctl(["workflow", "diff"]).args(self.folder.repeated());
            let init = CommandLine::bpctl(["workflow", "init"]).args(self.folder.repeated());
            ctx.ui
                .hint(Hint::new("see how the files differ with").command(diff));
            ctx.ui.hint(Hint::new("write them with").command(init));
        }
        if let Some(provider) = wrong("provider") {
            ctx.ui.hint(provider_hint(&provider.name));
        }
        let lacking = |claim: &&Claim| {
            let name = format!("{} ({})", claim.workflow.name, claim.stage);
            checked
                .checks
                .iter()
                .any(|check| check.name == name && check.state == State::Wrong)
        };
        if let Some(claim) = claims.iter().find(lacking) {
            if !checked.repository.contains('@') {
                ctx.ui.hint(
                    "a repository that was made, renamed or moved since July 2026 has numbers in its claims: name it as \
                     `--repository OWNER@ID/NAME@ID` then",
                );
            }
            let (flag, value) = match claim.workflow.environment(claim.stage) {
                Some(environment) => ("--environment", environment),
                None => ("--branch", self.branch.clone()),
            };
            let policy = CommandLine::bpctl(["iam", "policy"])
                .option("--for", claim.workflow.verbs.join(","))
                .option("--trust", "github")
                .option("--repo", checked.repository.as_str())
                .option(flag, value);
            let of = format!("policy and trust of a role for {}, e.g.:", claim.workflow.name);
            ctx.ui.hint(Hint::new(of).command(policy));
        }
    }
}

fn with_cause(error: &CtlError) -> String {
    let mut text = error.to_string();
    if let Some(cause) = error.causes().first() {
        text = format!("{text}: {cause}");
    }
    text
}

/// A role that trusts GitHub; `None` for one that does not.
fn candidate(role: &Role, provider: &str) -> Result<Option<Candidate>> {
    let trusts = Trusts::read(&role.trust)?;
    Ok(trusts.names(provider).then(|| Candidate {
        arn: role.arn.clone(),
        trusts,
    }))
}

/// What the policy simulator says of everything that the workflows need which the role lets in; `None` where there is none.
async fn asked(
    ctx: &Ctx,
    role: &Candidate,
    provider: &str,
    claims: &[Claim],
    place: &Place,
) -> Option<Result<crate::commands::auth::simulate::Answers>> {
    let let_in = claims
        .iter()
        .filter(|claim| role.admits(provider, &claim.subject) == Admits::Yes);
    let mut uses: Vec<Use> = let_in.flat_map(|claim| claim.uses.iter().copied()).collect();
    uses.sort();
    uses.dedup();
    if uses.is_empty() {
        return None;
    }
    Some(simulate_role(ctx, &role.arn, &uses, place).await)
}

fn of_provider(arn: &str, audiences: Result<Option<Vec<String>>>) -> Check {
    let check = |state, detail: String| Check::new("provider", arn, state, detail);
    match audiences {
        Err(error) => check(State::Unknown, with_cause(&error)),
        Ok(None) => check(
            State::Wrong,
            "the account does not know GitHub's identity provider".to_owned(),
        ),
        Ok(Some(audiences)) if audiences.iter().any(|one| one == AUDIENCE) => {
            check(State::Ok, format!("takes tokens for {AUDIENCE}"))
        }
        Ok(Some(audiences)) => {
            let others = if audiences.is_empty() {
                "nobody".to_owned()
            } else {
                audiences.join(", ")
            };
            check(
                State::Wrong,
                format!("takes tokens for {others}, and not for {AUDIENCE}"),
            )
        }
    }
}

/// How the provider is made, or made to take the tokens.
fn provider_hint(arn: &str) -> Hint {
    let issuer = arn.rsplit('/').next().unwrap_or_default();
    let made = CommandLine::aws("iam", "create-open-id-connect-provider")
        .option("--url", format!("https://{issuer}"))
        .option("--client-id-list", AUDIENCE);
    Hint::new("the account's identity provider for GitHub is made with").command(made)
}

impl Render for WorkflowCheck {
    fn human(&self, view: &View) -> String {
        let mut table = Table::new(&["CHECK", "NAME", "STATE", "DETAIL"]);
        for check in &self.checks {
            let state = match check.state {
                State::Ok => "ok",
                State::Wrong => "wrong",
                State::Unknown => "unknown",
            };
            let detail = match &check.role {
                Some(role) => format!("{role} {}", check.detail),
                None => check.detail.clone(),
            };
            table.row([
                check.check.to_owned(),
                check.name.clone(),
                state.to_owned(),
                detail,
            ]);
        }
        let mut out = table.render(view);
        out.push_str("\nnot to be seen from here, and needed on GitHub:\n");
        for (lead, text) in self.needs.lines() {
            paragraph(&mut out, view, &format!("  {lead}: "), &text);
        }
        out
    }

    fn names(&self) -> Vec<String> {
        let wrong = self.checks.iter().filter(|check| check.state != State::Ok);
        wrong.map(|check| check.name.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::role_name;

    #[test]
    fn a_role_is_named_or_given_by_its_arn() {
        let name = |text: &str| role_name(text).ok();
        assert_eq!(name("deploy").as_deref(), Some("deploy"));
        assert_eq!(
            name("arn:aws:iam::123456789012:role/ci/deploy").as_deref(),
            Some("deploy")
        );
        for wrong in [
            "",
            "a b",
            "arn:aws:iam::123456789012:user/jo",
            "arn:aws:iam::1:role/",
            "x;y",
        ] {
            assert_eq!(name(wrong), None, "{wrong}");
        }
    }
}
