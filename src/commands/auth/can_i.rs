//! `auth can-i`: whether the caller may run verbs, and what is missing.

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use super::simulate::{Answers, simulate};
use crate::aws::iam::Decision;
use crate::commands::iam::policy::place;
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Hint, Result};
use crate::exit::ExitStatus;
use crate::iam::{Document, On, Place, Selected, Use, Uses, every, names, select, words};
use crate::output::{Render, Table, View};

/// Tell whether the caller may run verbs, and what is missing
///
/// Asks IAM's policy simulator about every action that a verb declares, on the things that it is about. The policies
/// of the caller's role count, not its session policy, and no policy of a resource. Exit status: 0 every verb may run,
/// 1 one of them may not or that depends on more than is known; an error when nothing could be checked.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl auth can-i migrate deploy            before a release
  bpctl auth can-i fleet scale               a verb of two words
  bpctl auth can-i 'migrate --snapshot'      with what a flag needs
  bpctl auth can-i --list                    all verbs")]
pub(crate) struct CanIArgs {
    /// Verbs as they are typed
    #[arg(value_name = "VERB", required_unless_present = "list")]
    verbs: Vec<String>,

    /// Every verb; the exit status is 0 then
    #[arg(long, conflicts_with = "verbs")]
    list: bool,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct CanI {
    /// The user or role whose policies were simulated.
    principal: String,
    verbs: Vec<Verdict>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Verdict {
    verb: String,
    allowed: Allowed,
    /// What keeps it from running.
    missing: Vec<Missing>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Allowed {
    Yes,
    No,
    /// It depends on values that the simulator does not know.
    Unknown,
}

impl Allowed {
    fn as_str(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::Unknown => "unknown",
        }
    }
}

#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::commands) struct Missing {
    pub(in crate::commands) action: String,
    pub(in crate::commands) resource: String,
    reason: Reason,
    /// Condition keys that decide it and that the simulator has no values for.
    depends_on: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::commands) enum Reason {
    /// No statement allows it.
    NotAllowed,
    /// A statement denies it.
    Denied,
    /// A statement allows it under conditions that are not known.
    Conditional,
    /// The simulator gave no answer about it.
    NotAnswered,
}

impl Reason {
    fn words(self) -> &'static str {
        match self {
            Self::NotAllowed => "no policy allows it",
            Self::Denied => "a policy denies it",
            Self::Conditional => "depends on conditions",
            Self::NotAnswered => "the simulator does not say",
        }
    }
}

impl Verb for CanIArgs {
    fn uses() -> Uses {
        Uses::of(&[&[
            Use::of("iam:GetRole", On::Principals),
            Use::of("iam:SimulatePrincipalPolicy", On::Principals),
        ]])
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let known = names((ctx.verb_uses)());
        let selected = if self.list {
            every(&known)
        } else {
            let mut selected = Vec::new();
            for asked in words(&known, &self.verbs) {
                selected.extend(select(&known, &asked)?);
            }
            selected
        };
        let uses: Vec<Use> = selected.iter().flat_map(|one| one.uses.iter().copied()).collect();
        let (principal, verdicts) = ctx
            .unless_interrupted(async {
                ctx.aws.guard_account().await?;
                let place = place(ctx).await?;
                let (principal, answers) = simulate(ctx, &uses, &place).await.map_err(could_not_check)?;
                let verdicts: Vec<Verdict> = selected
                    .into_iter()
                    .map(|one| verdict(one, &answers, &place))
                    .collect();
                Ok((principal, verdicts))
            })
            .await?;
        let all = verdicts.iter().all(|verdict| verdict.allowed == Allowed::Yes);
        let lacking = verdicts.iter().find(|verdict| verdict.allowed == Allowed::No);
        if let Some(lacking) = lacking.filter(|_| !self.list) {
            let command = CommandLine::bpctl(["iam", "policy", "--for", lacking.verb.as_str()]);
            ctx.ui
                .hint(Hint::new("the policy that allows it:").command(command));
        }
        ctx.emit(&CanI {
            principal,
            verbs: verdicts,
        })?;
        Ok(if all || self.list {
            ExitStatus::Done
        } else {
            ExitStatus::Failed
        })
    }
}

/// The simulator may be closed to the caller: nothing is known then, and nothing counts as allowed.
fn could_not_check(error: CtlError) -> CtlError {
    let denied = error.kind() == ErrorKind::AccessDenied;
    let error = error.context("check permissions: could not check");
    if denied {
        error.hint("nothing is known of the verbs themselves: an administrator can ask for this principal")
    } else {
        error
    }
}

impl Missing {
    /// Whether it is certain that it is not allowed.
    pub(in crate::commands) fn is_certain(&self) -> bool {
        matches!(self.reason, Reason::NotAllowed | Reason::Denied)
    }
}

/// Which of `uses` the answers do not allow, by action and resource.
pub(in crate::commands) fn missing(uses: &[Use], answers: &Answers, place: &Place) -> Vec<Missing> {
    let document = Document::of_each(uses, place);
    let mut missing = Vec::new();
    for (actions, resources, _) in document.statements() {
        for action in actions {
            for resource in resources {
                missing.extend(lacks(action, resource, answers));
            }
        }
    }
    missing.sort_by(|one, other| (&one.action, &one.resource).cmp(&(&other.action, &other.resource)));
    missing.dedup_by(|one, other| (&one.action, &one.resource) == (&other.action, &other.resource));
    missing
}

/// What the answers come to for one verb.
fn verdict(selected: Selected, answers: &Answers, place: &Place) -> Verdict {
    let missing = missing(&selected.uses, answers, place);
    let certain = missing.iter().any(Missing::is_certain);
    let allowed = match (missing.is_empty(), certain) {
        (true, _) => Allowed::Yes,
        (false, true) => Allowed::No,
        (false, false) => Allowed::Unknown,
    };
    Verdict {
        verb: selected.name,
        allowed,
        missing,
    }
}

fn lacks(action: &str, resource: &str, answers: &Answers) -> Option<Missing> {
    let lacking = |reason, depends_on: &[String]| {
        Some(Missing {
            action: action.to_owned(),
            resource: resource.to_owned(),
            reason,
            depends_on: depends_on.to_vec(),
        })
    };
    let Some(answer) = answers.of(action, resource) else {
        return lacking(Reason::NotAnswered, &[]);
    };
    match (answer.decision, answer.depends_on.is_empty()) {
        (Decision::Allowed, _) => None,
        (Decision::Denied, _) => lacking(Reason::Denied, &[]),
        (Decision::NotAllowed, true) => lacking(Reason::NotAllowed, &[]),
        (Decision::NotAllowed, false) => lacking(Reason::Conditional, &answer.depends_on),
    }
}

impl Render for CanI {
    fn human(&self, view: &View) -> String {
        let [one] = self.verbs.as_slice() else {
            return self.table(view);
        };
        if one.missing.is_empty() {
            return format!("{}\n", one.allowed.as_str());
        }
        let mut table = Table::new(&["MISSING", "ON", "WHY"]);
        for lacking in &one.missing {
            let mut why = lacking.reason.words().to_owned();
            if !lacking.depends_on.is_empty() {
                why = format!("{why}: {}", lacking.depends_on.join(", "));
            }
            table.row([lacking.action.clone(), lacking.resource.clone(), why]);
        }
        format!("{}\n{}", one.allowed.as_str(), table.render(view))
    }

    fn names(&self) -> Vec<String> {
        let allowed = self.verbs.iter().filter(|one| one.allowed == Allowed::Yes);
        allowed.map(|one| one.verb.clone()).collect()
    }
}

impl CanI {
    fn table(&self, view: &View) -> String {
        let mut table = Table::new(&["VERB", "ALLOWED", "MISSING"]);
        for one in &self.verbs {
            let mut actions: Vec<&str> = one
                .missing
                .iter()
                .map(|lacking| lacking.action.as_str())
                .collect();
            actions.dedup();
            let shown = match (actions.len(), view.wide) {
                (..=2, _) | (_, true) => actions.join(", "),
                (count, false) => format!("{}, and {} more", actions[..2].join(", "), count - 2),
            };
            table.row([
                one.verb.clone(),
                one.allowed.as_str().to_owned(),
                if shown.is_empty() { "-".to_owned() } else { shown },
            ]);
        }
        table.render(view)
    }
}
