//! The gate: the only way from a plan to permission.

use std::marker::PhantomData;

use super::plan::{Plan, Risk};
use crate::context::Ctx;
use crate::error::{CtlError, ErrorKind, Result};
use crate::exit::ExitStatus;

/// Flags that every mutating verb has.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Safety")]
pub(crate) struct GateArgs {
    /// Show the plan and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// With --dry-run: exit with status 9 when there is something to change
    #[arg(long, requires = "dry_run")]
    pub(crate) exit_code: bool,

    /// Do not ask before reversible changes
    #[arg(short = 'y', long)]
    pub(crate) yes: bool,

    /// Confirm a destructive change (or any change in a protected context) by its name
    #[arg(long, value_name = "NAME")]
    pub(crate) confirm: Option<String>,
}

/// A plan that may be carried out. Can only be made by [`gate`].
#[derive(Debug)]
pub(crate) struct Approved<A> {
    plan: Plan<A>,
    _made_by_the_gate: (),
}

/// Permission to change something, borrowed from an approved plan.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Permit<'a> {
    _from: PhantomData<&'a ()>,
}

impl<A> Approved<A> {
    pub(crate) fn plan(&self) -> &Plan<A> {
        &self.plan
    }

    pub(crate) fn permit(&self) -> Permit<'_> {
        Permit { _from: PhantomData }
    }
}

/// What the gate decided.
#[derive(Debug)]
pub(crate) enum Gate<A> {
    Approved(Box<Approved<A>>),
    /// Nothing is (or may be) done; the plan has been shown and this is the status.
    Finished(ExitStatus),
}

/// Shows the plan and gets it approved.
///
/// # Errors
/// A blocker of the plan; a declined or impossible confirmation.
pub(crate) async fn gate<A>(ctx: &Ctx, plan: Plan<A>, args: &GateArgs) -> Result<Gate<A>> {
    if args.dry_run {
        ctx.emit(&plan.view())?;
        let differs = args.exit_code && !plan.steps.is_empty();
        if let Some(blocker) = plan.blockers.first() {
            ctx.ui.warn(&format!("this would be refused: {}", blocker.reason));
            ctx.ui.hint(&blocker.hint);
        }
        return Ok(Gate::Finished(if differs {
            ExitStatus::Differences
        } else {
            ExitStatus::Done
        }));
    }
    if let Some(blocker) = plan.blockers.first() {
        ctx.ui.important(plan.view().text().trim_end());
        return Err(CtlError::new(blocker.kind, blocker.reason.clone()).hint(blocker.hint.clone()));
    }
    if plan.steps.is_empty() {
        for warning in &plan.warnings {
            ctx.ui.warn(warning);
        }
        return Ok(Gate::Approved(Box::new(Approved {
            plan,
            _made_by_the_gate: (),
        })));
    }
    ctx.ui.important(plan.view().text().trim_end());
    confirm(ctx, &plan, args).await?;
    Ok(Gate::Approved(Box::new(Approved {
        plan,
        _made_by_the_gate: (),
    })))
}

async fn confirm<A>(ctx: &Ctx, plan: &Plan<A>, args: &GateArgs) -> Result<()> {
    if ctx.cancel.is_cancelled() {
        return Err(unanswered(plan, &std::io::ErrorKind::Interrupted.into()));
    }
    let word = &plan.confirm_word;
    if plan.risk == Risk::Destructive || plan.target.protected {
        return match &args.confirm {
            Some(given) if given == word => Ok(()),
            Some(given) => Err(CtlError::new(
                ErrorKind::Declined,
                format!("confirm {}: `{given}` is not `{word}`", plan.verb),
            )
            .hint(format!("to go on, give `--confirm {word}`"))),
            None => typed(ctx, plan).await,
        };
    }
    if args.yes || args.confirm.as_ref() == Some(word) {
        return Ok(());
    }
    if !ctx.ui.can_prompt() {
        return Err(CtlError::new(
            ErrorKind::Declined,
            format!("confirm {}: there is no terminal to ask on", plan.verb),
        )
        .hint("to go on without a question, give `--yes`; to see the plan only, `--dry-run`"));
    }
    match ctx.ui.confirm("Go on?", &ctx.cancel).await {
        Ok(true) => Ok(()),
        Ok(false) => Err(declined(plan)),
        Err(error) => Err(unanswered(plan, &error)),
    }
}

async fn typed<A>(ctx: &Ctx, plan: &Plan<A>) -> Result<()> {
    let word = &plan.confirm_word;
    let why = if plan.risk == Risk::Destructive {
        "this cannot be undone"
    } else {
        "this context is protected"
    };
    if !ctx.ui.can_prompt() {
        return Err(CtlError::new(
            ErrorKind::Declined,
            format!("confirm {}: {why}, and there is no terminal to ask on", plan.verb),
        )
        .hint(format!(
            "to go on without a question, give `--confirm {word}`; to see the plan only, `--dry-run`"
        )));
    }
    let question = format!("{why}: type {word} to go on");
    match ctx.ui.type_word(&question, &ctx.cancel).await {
        Ok(given) if given.trim() == word => Ok(()),
        Ok(_) => Err(declined(plan)),
        Err(error) => Err(unanswered(plan, &error)),
    }
}

fn declined<A>(plan: &Plan<A>) -> CtlError {
    CtlError::new(
        ErrorKind::Declined,
        format!("confirm {}: declined, nothing was changed", plan.verb),
    )
}

fn unanswered<A>(plan: &Plan<A>, error: &std::io::Error) -> CtlError {
    let kind = if error.kind() == std::io::ErrorKind::Interrupted {
        ErrorKind::Interrupted
    } else {
        ErrorKind::Declined
    };
    CtlError::new(
        kind,
        format!("confirm {}: no answer, nothing was changed", plan.verb),
    )
    .source(error)
}
