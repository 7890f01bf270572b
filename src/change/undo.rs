//! `runs undo`: takes back what an earlier run did, through the same gate, locks and journal.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use futures::FutureExt as _;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::conclude::{Facts, conclude};
use super::cut_off::{CutOff, is_here, is_to_be_gone_on_with, sentence, settling};
use super::engine::{in_order, print, unless_interrupted};
use super::gate::{Gate, Proposal, gate};
use super::ground::{Earlier, Ground};
use super::held::HeldLeases;
use super::history::{self, Ended, Entry, told};
use super::journal::{self, Header, Journal, Progress, Record};
use super::outcome::Verdict;
use super::plan::{OnFailure, Plan, Step};
use super::plan_view::PlanView;
use super::run_id::{RunId, RunNames};
use super::running::Running;
use super::spec::Change;
use super::steps::{self, undo_step};
use super::target::Target;
use super::{lease, locks};
use crate::error::{CommandLine, CtlError, Hint, Result};
use crate::exit::ExitStatus;
use crate::output::{Render, Table, View};

/// What plans, journals and the history call it.
pub(super) const NAME: &str = "runs undo";

/// Takes a run back: the steps that are done, the last one first.
///
/// # Errors
/// [`Usage`](crate::error::ErrorKind::Usage) for a run that has no way back, before anything is sent; whatever keeps a
/// step from being undone.
pub(super) async fn undo<G: Ground, V: Change>(
    ground: &G,
    verb: &V,
    earlier: &Earlier,
) -> Result<ExitStatus> {
    let record = journal::find(ground.state_dir(), &earlier.run)?;
    is_to_be_gone_on_with(&record, V::NAME)?;
    let attempts = CutOff::undoing(ground, &earlier.run);
    // The journal alone says whether there is a way back: without one, AWS is not asked at all.
    let plan = plan(verb, &record, &attempts.recent, &earlier.by_hand)?;
    let target = unless_interrupted(ground, ground.target()).await?;
    is_here(&record, &target)?;
    for attempt in &attempts.records {
        ground.ui().warn(&sentence(attempt, "step").0);
    }
    let names = RunNames::draw(ground.clock().now())?;
    let started = ground.clock().now();
    if earlier.args.print_aws {
        return print(ground, &target, &plan);
    }
    if let (Some(wait), true) = (settling(&record, started), earlier.args.may_change()) {
        ground.ui().status(&wait.sentence());
        let pause = async {
            ground.clock().sleep(wait.pause).await;
            Ok(())
        };
        unless_interrupted(ground, pause).await?;
    }
    let view = PlanView::new(NAME, &target, &plan, &names, |_| None);
    let proposal = Proposal {
        verb: NAME,
        target: target.clone(),
        plan,
        view,
    };
    match gate(ground, proposal, &earlier.args).await? {
        Gate::Finished(status) => Ok(status),
        Gate::Nothing => {
            ground.ui().status("Nothing to undo");
            attempts.close(ground, &names.run, &[]);
            Ok(ExitStatus::Done)
        }
        Gate::Approved(approved) => {
            let plan = approved.plan();
            let resources = plan.resources();
            let wait = earlier.args.lock_wait.unwrap_or(Duration::ZERO);
            let _locks = locks::take_local(ground, &names.run, &target, &resources, wait).await?;
            let header = Header {
                run: &names.run,
                verb: NAME,
                target: &target,
                command_line: ground.command_line(),
                reason: earlier.args.reason.as_deref(),
                of: vec![earlier.run.clone()],
            };
            let journal = Journal::begin(ground.state_dir(), ground.clock(), &header, plan)?;
            let holder = lease::Holder {
                run: &names.run,
                verb: NAME,
                reason: earlier.args.reason.as_deref(),
                target: &target,
            };
            let leases = match lease::take(ground, &holder, &resources, wait).await {
                Ok(leases) => leases,
                Err(error) => {
                    journal.end("failed", error.exit_status().code());
                    return Err(error);
                }
            };
            let about = About {
                earlier,
                header,
                started,
                attempts,
            };
            let work = carry_out(ground, verb, &about, plan, &journal, leases.held());
            let outcome = leases.kept_during(work).await;
            leases.release().await;
            outcome
        }
    }
}

/// Says that nothing takes back what these steps did, and what is done by hand instead.
pub(crate) fn no_way_back(record: &Record, summaries: &[&str], by_hand: Hint) -> CtlError {
    CtlError::usage(format!(
        "undo run {}: there is no way back from `{}`",
        record.run,
        summaries.join("`, `")
    ))
    .hint(by_hand)
    .hint((
        "see what it did with",
        CommandLine::bpctl(["runs", "show", record.run.as_str()]),
    ))
}

/// The steps that take the record's done steps back.
fn plan<V: Change>(
    verb: &V,
    record: &Record,
    attempts: &[Record],
    by_hand: &Hint,
) -> Result<Plan<V::Action>> {
    let mut steps = Vec::new();
    let mut stays = Vec::new();
    for recorded in record.steps.iter().rev() {
        let may_have_happened = match recorded.progress {
            // Every step looks before it sends: one whose request never arrived finds nothing to take back.
            Progress::Done | Progress::InDoubt => true,
            Progress::Failed => V::UNDO_LOOKS,
            Progress::Planned => false,
        };
        if !may_have_happened || recorded.id.starts_with("undo ") {
            continue;
        }
        let undo = format!("undo {}", recorded.id);
        let is_done = |of: &Record| {
            let mut steps = of.steps.iter();
            steps.any(|step| step.id == undo && step.progress == Progress::Done)
        };
        if is_done(record) || attempts.iter().any(is_done) {
            continue;
        }
        match recorded
            .step::<V::Action>()
            .and_then(|step| undo_step(verb, &step))
        {
            Some(mut step) => {
                step.on_failure = OnFailure::Stop;
                steps.push(step);
            }
            None => stays.push(recorded.summary.clone()),
        }
    }
    if steps.is_empty() && !stays.is_empty() {
        let summaries: Vec<&str> = stays.iter().map(String::as_str).collect();
        return Err(no_way_back(record, &summaries, by_hand.clone()));
    }
    let mut plan = Plan::new(format!("undo run {}: {}", record.run, record.title), steps);
    for summary in stays {
        plan.warnings
            .push(format!("`{summary}` stays as it is: there is no way back"));
    }
    Ok(plan)
}

/// The run that is taken back, and the one that does it.
struct About<'a> {
    earlier: &'a Earlier,
    header: Header<'a>,
    started: Timestamp,
    /// Runs that were to take it back before.
    attempts: CutOff,
}

async fn carry_out<G: Ground, V: Change>(
    ground: &G,
    verb: &V,
    about: &About<'_>,
    plan: &Plan<V::Action>,
    journal: &Journal,
    leases: &HeldLeases,
) -> Result<ExitStatus> {
    let earlier = about.earlier;
    let running = Running {
        ui: ground.ui(),
        clock: ground.clock(),
        cancel: ground.cancel(),
        journal,
        leases,
        outputs: RefCell::new(BTreeMap::new()),
        deadline: about.started,
    };
    let steps = steps::carry_out(verb, &running, &plan.steps, 1, "undoing").await;
    let steps = match steps {
        Ok(steps) => steps,
        Err(error) => {
            journal.end("failed", error.exit_status().code());
            return Err(error);
        }
    };
    let words = super::spec::Words {
        goal: format!("undo run {}", earlier.run),
        thing: "step",
        settle: format!("undo run {}", earlier.run),
        following: String::new(),
    };
    let facts = Facts {
        words: &words,
        states: in_order(&steps),
        ends: &BTreeMap::new(),
        trouble: None,
        interrupted: ground.cancel().is_cancelled(),
        resume: &|_| CommandLine::bpctl(["runs", "undo", earlier.run.as_str()]),
    };
    let (verdict, error) = conclude(facts);
    let result = match error {
        Some(error) => Err(error),
        None => Ok(ExitStatus::Done),
    };
    let status = result
        .as_ref()
        .map_or_else(CtlError::exit_status, |status| *status);
    journal.end(verdict.as_str(), status.code());
    if verdict == Verdict::Done {
        about.attempts.close(ground, about.header.run, &[]);
    }
    let ended = Ended {
        verdict,
        status: status.code(),
        started: about.started,
        ended: ground.clock().now(),
    };
    let states = in_order(&steps).into_iter();
    let entry = Entry::new(&about.header, plan, states, ended);
    history::write(ground, &entry).boxed_local().await;
    let document = UndoResult::new(about, verdict.as_str(), &steps.all, &steps.states);
    ground.emit_outcome(&document, result)
}

/// What `runs undo` came to.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct UndoResult {
    run: RunId,
    /// The run that was taken back.
    of: RunId,
    target: Target,
    verdict: &'static str,
    steps: Vec<UndoneStep>,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
struct UndoneStep {
    id: String,
    state: &'static str,
    message: Option<String>,
}

impl UndoResult {
    fn new<A>(
        about: &About<'_>,
        verdict: &'static str,
        steps: &[Step<A>],
        states: &BTreeMap<String, super::outcome::State>,
    ) -> Self {
        let steps = steps.iter().filter_map(|step| {
            let (state, message) = told(states.get(&step.id)?);
            Some(UndoneStep {
                id: step.id.clone(),
                state,
                message,
            })
        });
        Self {
            run: about.header.run.clone(),
            of: about.earlier.run.clone(),
            target: about.header.target.clone(),
            verdict,
            steps: steps.collect(),
        }
    }
}

impl Render for UndoResult {
    fn human(&self, view: &View) -> String {
        let mut table = Table::new(&["STEP", "STATE", "MESSAGE"]);
        for step in &self.steps {
            let message = step.message.clone().unwrap_or_else(|| "-".to_owned());
            table.row([step.id.clone(), step.state.to_owned(), message]);
        }
        table.render(view)
    }

    fn names(&self) -> Vec<String> {
        self.steps.iter().map(|step| step.id.clone()).collect()
    }
}
