//! `iam policy`: the permissions policy that verbs need, and the trust policy of a role for GitHub.

use clap::{Args, ValueEnum};
use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};
use schemars::JsonSchema;
use serde::Serialize;

use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CtlError, Result};
use crate::exit::ExitStatus;
use crate::iam::{
    Document, GitHub, INLINE_LIMIT, Keys, MANAGED_LIMIT, Place, TRUST_LIMIT, Use, names, select,
};
use crate::output::{Render, View};

/// Print the least that verbs need: an IAM permissions policy, and the trust policy of a role for GitHub
///
/// Each verb declares the actions behind its calls and the things that they are on, by the names of the context's
/// layout, account and region. A flag that brings further permissions is written with its verb: `--for 'migrate
/// --snapshot'`. The document goes to stdout as IAM reads it; with `--trust` it is an object of two, `permissions` and
/// `trust`. Nothing in AWS is asked when `account_id` and region are set.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl iam policy --for migrate > policy.json
  bpctl iam policy --for 'migrate --snapshot',deploy,'fleet scale'
  bpctl iam policy --for migrate --trust github --repo acme/platform --environment staging-migrations
  bpctl iam policy --for migrate --trust github --repo acme/platform --branch main --query trust")]
pub(crate) struct PolicyArgs {
    /// Verbs as they are typed, with flags that bring permissions; a group of verbs, or `all`
    #[arg(long = "for", value_name = "VERB,…", value_delimiter = ',', required = true, add = ArgValueCandidates::new(candidates))]
    verbs: Vec<String>,

    /// Also print who may take the role
    #[arg(long, value_enum, value_name = "WHOM", requires = "repo")]
    trust: Option<Trusted>,

    /// Repository whose workflows may take the role; OWNER@ID/NAME@ID where its claims have numbers
    #[arg(long, value_name = "OWNER/NAME", requires = "trust")]
    repo: Option<String>,

    /// Only jobs in this environment of the repository; may be repeated
    #[arg(long = "environment", value_name = "NAME", requires = "trust")]
    environments: Vec<String>,

    /// Only workflows that run on this branch; may be repeated
    #[arg(long = "branch", value_name = "NAME", requires = "trust")]
    branches: Vec<String>,

    /// A KMS key of the account's own that secrets, parameters or buckets are encrypted with; may be repeated
    #[arg(long = "kms-key", value_name = "ARN")]
    keys: Vec<String>,
}

/// Who may take a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Trusted {
    /// Workflows on GitHub, by OpenID Connect
    Github,
}

/// Groups and flags are left to the help: the verbs themselves are what is typed most.
fn candidates() -> Vec<CompletionCandidate> {
    [
        "all",
        "deploy",
        "migrate",
        "migrate --snapshot",
        "seed",
        "run",
        "triage",
    ]
    .map(CompletionCandidate::new)
    .into()
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Policy {
    /// The verbs that it is for, with their flags.
    verbs: Vec<String>,
    permissions: Document,
    /// Length without white space, as IAM's limits count it.
    permissions_characters: usize,
    /// Null unless it was asked for.
    trust: Option<Document>,
}

/// The two documents without anything around them.
#[derive(Serialize)]
struct Both<'a> {
    permissions: &'a Document,
    trust: &'a Document,
}

impl Verb for PolicyArgs {
    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let known = names((ctx.verb_uses)());
        let mut verbs = Vec::new();
        let mut uses: Vec<Use> = Vec::new();
        for asked in &self.verbs {
            for selected in select(&known, asked)? {
                uses.extend(&selected.uses);
                verbs.push(selected.name);
            }
        }
        verbs.sort();
        verbs.dedup();
        let github = match (self.trust, &self.repo) {
            (Some(Trusted::Github), Some(repository)) => {
                Some(GitHub::new(repository, &self.environments, &self.branches)?)
            }
            _ => None,
        };
        let keys = Keys::new(&self.keys)?;
        if uses.is_empty() {
            return Err(CtlError::usage(format!(
                "write a policy for {}: nothing of it needs a permission",
                verbs.join(", ")
            )));
        }
        let place = place(ctx).await?;
        let mut permissions = Document::of(&uses, &place);
        keys.add(&mut permissions, &uses, &place);
        let trust = github.map(|github| github.document(&place));
        let permissions_characters = permissions.characters();
        check_length(ctx, permissions_characters)?;
        if let Some(characters) = trust.as_ref().map(Document::characters)
            && characters > TRUST_LIMIT
        {
            return Err(CtlError::usage(format!(
                "write the trust policy: it has {characters} characters, and a role's may have {TRUST_LIMIT}"
            ))
            .hint("name fewer environments and branches, or use a second role"));
        }
        ctx.emit(&Policy {
            verbs,
            permissions,
            permissions_characters,
            trust,
        })?;
        Ok(ExitStatus::Done)
    }
}

/// Account, region and names: from the settings where they say it, else from AWS.
///
/// # Errors
/// No credentials where the account is not set, no region.
pub(in crate::commands) async fn place(ctx: &Ctx) -> Result<Place> {
    let layout = ctx.layout()?;
    let account = match &ctx.settings.account_id {
        Some(account) => account.value.clone(),
        None => ctx
            .unless_interrupted(async { Ok(ctx.aws.identity().await?.account.clone()) })
            .await
            .map_err(|error| error.hint("or set `account_id`, then nothing is asked of AWS"))?,
    };
    let region = match &ctx.settings.region {
        Some(region) => Some(region.value.clone()),
        None => ctx.aws.region().await?,
    };
    let region = region.ok_or_else(|| {
        CtlError::config("name the resources: no region is set")
            .hint("give `--region`, or set `region` in the context")
    })?;
    Ok(Place::new(account, region, layout))
}

/// Says where a policy of this length fits.
fn check_length(ctx: &Ctx, characters: usize) -> Result<()> {
    if characters > INLINE_LIMIT {
        return Err(CtlError::usage(format!(
            "write one policy for so many verbs: it has {characters} characters, and a role's inline policies may have {INLINE_LIMIT}"
        ))
        .hint("ask for fewer verbs at once, and attach several managed policies"));
    }
    if characters > MANAGED_LIMIT {
        ctx.ui.warn(&format!(
            "the policy has {characters} characters: it fits a role as an inline policy ({INLINE_LIMIT}), not as a managed one ({MANAGED_LIMIT})"
        ));
    }
    Ok(())
}

impl Render for Policy {
    fn human(&self, _view: &View) -> String {
        match &self.trust {
            None => self.permissions.text(),
            Some(trust) => {
                let both = Both {
                    permissions: &self.permissions,
                    trust,
                };
                serde_json::to_string_pretty(&both).unwrap_or_default() + "\n"
            }
        }
    }

    fn names(&self) -> Vec<String> {
        self.verbs.clone()
    }
}
