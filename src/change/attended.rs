//! A session that a person attends: a shell, a port. It has no steps to carry out and nothing to verify, but like every
//! change it needs the right account, a word typed in a protected context, a journal, a place in the shared history, and
//! a permit for each call.

use std::borrow::Cow;

use futures::FutureExt as _;
use jiff::Timestamp;
use serde_json::Value;

use super::args::{ChangeArgs, DryRun, reason};
use super::call::{ApiCall, Call, Later};
use super::engine::{print, unless_interrupted};
use super::gate::{Gate, Proposal, gate};
use super::ground::{Ground, Mode};
use super::history::{self, Entry, EntryStep};
use super::journal::{Header, Journal};
use super::permit::Permit;
use super::plan::{Plan, Step};
use super::plan_view::PlanView;
use super::run_id::RunNames;
use super::target::Target;
use crate::error::{CommandLine, CtlError, ErrorKind, Result};
use crate::exit::ExitStatus;
use crate::redact::redact;

/// Flags of the verbs that open a session.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Safety")]
pub(crate) struct SessionArgs {
    /// Show the calls and open no session
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Print the equivalent aws command line and open no session
    #[arg(long, conflicts_with = "dry_run")]
    pub(crate) print_aws: bool,

    /// Confirm a session in a protected context by the context's name
    #[arg(long, value_name = "NAME")]
    pub(crate) confirm: Option<String>,

    /// Why: kept in the journal and in the shared history
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    pub(crate) reason: Option<String>,
}

/// What a session is for, before it is opened.
pub(crate) struct Proposed {
    /// The verb.
    pub(crate) verb: &'static str,
    /// One sentence.
    pub(crate) title: String,
    /// What is entered, e.g. the container.
    pub(crate) place: String,
    /// What opens the session.
    pub(crate) opens: ApiCall,
    /// What may become necessary while it goes on.
    pub(crate) if_needed: Vec<ApiCall>,
}

/// Whether a session may be opened.
pub(crate) enum Attendance<'a, G: Ground> {
    Approved(Box<Attended<'a, G>>),
    /// Nothing is to be opened, and this is the status.
    Finished(ExitStatus),
}

/// A session that may be opened, and its journal.
pub(crate) struct Attended<'a, G: Ground> {
    ground: &'a G,
    journal: Journal,
    names: RunNames,
    target: Target,
    proposed: Proposed,
    reason: Option<String>,
    started: Timestamp,
}

/// Gets a session approved: without a question outside of protected contexts, as it changes nothing by itself.
///
/// # Errors
/// No credentials, the wrong account, a declined or impossible confirmation, a journal that cannot be written.
pub(crate) async fn attend<'a, G: Ground>(
    ground: &'a G,
    proposed: Proposed,
    args: &SessionArgs,
) -> Result<Attendance<'a, G>> {
    if !matches!(ground.mode(), Mode::Fresh) {
        return Err(CtlError::usage(format!(
            "go on with an earlier `{}`: a session cannot be resumed or undone",
            proposed.verb
        ))
        .hint((
            "open another one with",
            CommandLine::bpctl(proposed.verb.split(' ')),
        )));
    }
    let target = unless_interrupted(ground, ground.target()).await?;
    let mut step = Step::new(
        &proposed.place,
        "open a session",
        vec![proposed.opens.clone()],
        (),
    );
    step.if_needed.clone_from(&proposed.if_needed);
    let plan = Plan::new(&proposed.title, vec![step]);
    if args.print_aws {
        return print(ground, &target, &plan).map(Attendance::Finished);
    }
    let mut written = plan.clone();
    for call in written.steps.iter_mut().flat_map(|step| &mut step.calls) {
        clean(call);
    }
    let started = ground.clock().now();
    let names = RunNames::draw(started)?;
    if args.dry_run || target.protected {
        let view = PlanView::new(proposed.verb, &target, &plan, &names, |_| None);
        let proposal = Proposal {
            verb: proposed.verb,
            target: target.clone(),
            plan,
            view,
        };
        let gate_args = ChangeArgs {
            dry_run: args.dry_run.then_some(DryRun::Client),
            confirm: args.confirm.clone(),
            ..ChangeArgs::default()
        };
        if let Gate::Finished(status) = gate(ground, proposal, &gate_args).await? {
            return Ok(Attendance::Finished(status));
        }
    }
    let header = Header {
        run: &names.run,
        verb: proposed.verb,
        target: &target,
        command_line: ground.command_line(),
        reason: args.reason.as_deref(),
        of: Vec::new(),
    };
    let journal = Journal::begin(ground.state_dir(), ground.clock(), &header, &written)?;
    journal.step_begins(&proposed.place, "open a session")?;
    Ok(Attendance::Approved(Box::new(Attended {
        ground,
        journal,
        names,
        target,
        proposed,
        reason: args.reason.clone(),
        started,
    })))
}

/// Leaves out what a journal may not keep of a call, as parameters are left out that are not known yet: nothing is sent
/// again from it. The command line beside it is kept, without the secrets.
fn clean(call: &mut ApiCall) {
    for (_, value) in &mut call.parameters {
        if let Value::String(text) = value
            && let Cow::Owned(_) = redact(text)
        {
            *value = Later::FromStep("the command line".to_owned()).parameter();
        }
    }
}

impl<G: Ground> Attended<'_, G> {
    /// Sends a call of the session, and no other.
    ///
    /// # Errors
    /// What AWS refuses; a call that was not proposed is not sent.
    pub(crate) async fn send<C: Call>(&self, via: &C::Via, call: &C) -> Result<C::Answer> {
        let described = call.described();
        let proposed = &self.proposed;
        let mut shown = std::iter::once(&proposed.opens).chain(&proposed.if_needed);
        if !shown.any(|shown| shown.allows(&described)) {
            return Err(CtlError::new(
                ErrorKind::Unexpected,
                format!("send {}: it was not proposed", described.label()),
            ));
        }
        // On the heap: futures of SDK calls are large.
        call.send(via, &Permit::of(&described)).boxed_local().await
    }

    /// Keeps something in the journal, e.g. the session's id.
    pub(crate) fn note(&self, what: &str, value: &str) {
        if let Err(error) = self.journal.note(what, value) {
            self.ground
                .ui()
                .warn(&format!("{what} is {value}, but failed to {error}"));
        }
    }

    /// Writes down how the session ended, here and in the shared history.
    pub(crate) async fn end(self: Box<Self>, outcome: &Result<String>, status: ExitStatus) {
        let this = *self;
        let (state, verdict, message) = match outcome {
            Ok(did) => {
                let _ = this.journal.step_done::<()>(&this.proposed.place, did, None);
                ("done", "done", did.clone())
            }
            Err(error) => {
                let _ = this.journal.step_failed(&this.proposed.place, error);
                ("failed", "failed", error.to_string())
            }
        };
        this.journal.end(verdict, status.code());
        let entry = Entry {
            run: this.names.run,
            verb: this.proposed.verb.to_owned(),
            title: this.proposed.title,
            target: this.target,
            host: super::host::name(),
            command_line: this.ground.command_line().to_vec(),
            reason: this.reason,
            started: this.started,
            ended: this.ground.clock().now(),
            verdict: verdict.to_owned(),
            status: status.code(),
            steps: vec![EntryStep {
                id: this.proposed.place,
                summary: "open a session".to_owned(),
                state: state.to_owned(),
                message: Some(message),
            }],
        };
        history::write(this.ground, &entry).boxed_local().await;
    }
}
