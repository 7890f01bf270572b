//! The gate: the only way from a plan to permission.

use super::args::ChangeArgs;
use super::call::ApiCall;
use super::ground::Ground;
use super::permit::Permit;
use super::plan::{Plan, Risk, Step};
use super::plan_view::PlanView;
use super::target::Target;
use crate::error::{CtlError, ErrorKind, Result};
use crate::exit::ExitStatus;

/// A plan with its place in the world, ready to be shown and asked about.
#[derive(Debug)]
pub(super) struct Proposal<A> {
    pub(super) verb: &'static str,
    pub(super) target: Target,
    pub(super) plan: Plan<A>,
    pub(super) view: PlanView,
}

/// A plan that may be carried out. Can only be made by [`gate`], and only from a plan with steps.
#[derive(Debug)]
pub(super) struct Approved<A> {
    plan: Plan<A>,
    _made_by_the_gate: (),
}

impl<A> Approved<A> {
    pub(super) fn plan(&self) -> &Plan<A> {
        &self.plan
    }

    /// Permission to send `call` as a part of `step`; `None` when the plan does not show it.
    pub(super) fn permit(step: &Step<A>, call: &ApiCall) -> Option<Permit> {
        let shown = step.calls.iter().chain(&step.if_needed);
        shown.filter(|shown| shown.allows(call)).map(Permit::of).next()
    }
}

/// What the gate decided.
#[derive(Debug)]
pub(super) enum Gate<A> {
    Approved(Box<Approved<A>>),
    /// There is nothing to approve.
    Nothing,
    /// Nothing is (or may be) done; the plan has been shown and this is the status.
    Finished(ExitStatus),
}

/// Shows the plan and gets it approved.
///
/// # Errors
/// A blocker of the plan; a declined or impossible confirmation.
pub(super) async fn gate<G: Ground, A>(
    ground: &G,
    proposal: Proposal<A>,
    args: &ChangeArgs,
) -> Result<Gate<A>> {
    let Proposal {
        verb,
        target,
        plan,
        view,
    } = proposal;
    let view = view.in_place(ground.ui().place());
    if args.dry_run.is_some() {
        ground.emit(&view)?;
    }
    if let Some(expected) = &args.expect_plan
        && expected != view.digest()
    {
        if args.dry_run.is_none() {
            ground.ui().important(view.text().trim_end());
        }
        return Err(CtlError::changed(format!(
            "{verb}: the plan is {} and not the expected {expected}: something has changed since that was made",
            view.digest()
        ))
        .hint("read the plan again; to go on with it, expect its digest"));
    }
    if args.dry_run.is_some() {
        if let Some(blocker) = plan.blockers.first() {
            return Err(blocker.error());
        }
        let differs = args.exit_code && !plan.steps.is_empty();
        return Ok(Gate::Finished(if differs {
            ExitStatus::Differences
        } else {
            ExitStatus::Done
        }));
    }
    if let Some(blocker) = plan.blockers.first() {
        ground.ui().important(view.text().trim_end());
        return Err(blocker.error());
    }
    if plan.steps.is_empty() {
        for warning in &plan.warnings {
            ground.ui().warn(warning);
        }
        return Ok(Gate::Nothing);
    }
    ground.ui().important(view.text().trim_end());
    confirm(ground, verb, &target, &plan, args).await?;
    Ok(Gate::Approved(Box::new(Approved {
        plan,
        _made_by_the_gate: (),
    })))
}

async fn confirm<G: Ground, A>(
    ground: &G,
    verb: &str,
    target: &Target,
    plan: &Plan<A>,
    args: &ChangeArgs,
) -> Result<()> {
    if ground.cancel().is_cancelled() {
        return Err(unanswered(verb, &std::io::ErrorKind::Interrupted.into()));
    }
    let word = plan.confirm_word(target);
    if plan.risk() == Risk::Destructive || target.protected {
        return match &args.confirm {
            Some(given) if given == word => Ok(()),
            Some(given) => Err(CtlError::new(
                ErrorKind::Declined,
                format!("confirm {verb}: `{given}` is not `{word}`"),
            )
            .hint(format!("to go on, give `--confirm {word}`"))),
            None => typed(ground, verb, plan, word).await,
        };
    }
    if args.yes || args.confirm.as_deref() == Some(word) {
        return Ok(());
    }
    if !ground.ui().can_prompt() {
        return Err(CtlError::new(
            ErrorKind::Declined,
            format!("confirm {verb}: there is no terminal to ask on"),
        )
        .hint("to go on without a question, give `--yes`; to see the plan only, `--dry-run`"));
    }
    match ground.ui().confirm("Go on?", ground.cancel()).await {
        Ok(true) => Ok(()),
        Ok(false) => Err(declined(verb)),
        Err(error) => Err(unanswered(verb, &error)),
    }
}

async fn typed<G: Ground, A>(ground: &G, verb: &str, plan: &Plan<A>, word: &str) -> Result<()> {
    let why = if plan.risk() == Risk::Destructive {
        "this cannot be undone"
    } else {
        "this context is protected"
    };
    if !ground.ui().can_prompt() {
        return Err(CtlError::new(
            ErrorKind::Declined,
            format!("confirm {verb}: {why}, and there is no terminal to ask on"),
        )
        .hint(format!(
            "to go on without a question, give `--confirm {word}`; to see the plan only, `--dry-run`"
        )));
    }
    let question = format!("{why}: type {word} to go on");
    match ground.ui().type_word(&question, ground.cancel()).await {
        Ok(given) if given.trim() == word => Ok(()),
        Ok(_) => Err(declined(verb)),
        Err(error) => Err(unanswered(verb, &error)),
    }
}

fn declined(verb: &str) -> CtlError {
    CtlError::new(
        ErrorKind::Declined,
        format!("confirm {verb}: declined, nothing was changed"),
    )
}

fn unanswered(verb: &str, error: &std::io::Error) -> CtlError {
    let kind = if error.kind() == std::io::ErrorKind::Interrupted {
        ErrorKind::Interrupted
    } else {
        ErrorKind::Declined
    };
    CtlError::new(kind, format!("confirm {verb}: no answer, nothing was changed")).source(error)
}
