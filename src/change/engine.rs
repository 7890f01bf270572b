//! The one way in which bpctl changes anything: guard → observe → plan → gate → locks → journal → steps →
//! verify → verdict → history. A verb supplies the parts, the engine their order.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::Duration;

use futures::FutureExt as _;
use jiff::Timestamp;

use super::args::ChangeArgs;
use super::conclude::{Facts, conclude};
use super::cut_off::{CutOff, adopt, unsettled};
use super::gate::{Gate, Proposal, gate};
use super::ground::{Direction, Ground, Mode};
use super::held::HeldLeases;
use super::journal::{Header, Journal};
use super::lease;
use super::locks;
use super::outcome::{End, Outcome, State, StepOutcome, Verdict};
use super::plan::{OnFailure, Plan};
use super::plan_view::PlanView;
use super::print_aws::PrintedCommands;
use super::run_id::RunNames;
use super::running::{Running, Verification};
use super::spec::{Basis, Change};
use super::steps::{self, Steps, undo_step};
use super::target::Target;
use super::{history, undo};
use crate::error::{CommandLine, CtlError, ErrorKind, Result};
use crate::exit::ExitStatus;

/// Carries a mutating verb out, or shows what it would do.
///
/// # Errors
/// Whatever keeps the verb from being done; the error's status is the engine's.
pub(crate) async fn carry_out<G: Ground, V: Change>(
    ground: &G,
    verb: &V,
    args: &ChangeArgs,
) -> Result<ExitStatus> {
    let args = match ground.mode() {
        Mode::Fresh => args,
        Mode::Of(Direction::Resume, earlier) => &earlier.args,
        Mode::Of(Direction::Undo, earlier) => {
            return undo::undo(ground, verb, earlier).boxed_local().await;
        }
    };
    let target = unless_interrupted(ground, ground.target()).await?;
    let cut_off = CutOff::find::<G>(ground, V::NAME, &target)?;
    cut_off.tell(ground.ui(), verb);
    let names = RunNames::draw(ground.clock().now())?;
    let (seen, plan) = look(ground, verb, args, &target, &names, &cut_off)
        .boxed_local()
        .await?;
    if args.print_aws {
        return print(ground, &target, &plan);
    }
    let covers = covered(verb.covers(&seen, &plan), &plan);
    cut_off.tell_what_stays(ground.ui(), &covers);
    let view = PlanView::new(V::NAME, &target, &plan, &names, |step| {
        let undoes = step.on_failure == OnFailure::Undo;
        undoes.then(|| undo_step(verb, step)).flatten()
    });
    let proposal = Proposal {
        verb: V::NAME,
        target: target.clone(),
        plan,
        view,
    };
    let started = ground.clock().now();
    let run = Run {
        ground,
        args,
        target,
        names,
        cut_off,
        covers,
    };
    match gate(ground, proposal, args).await? {
        Gate::Finished(status) => Ok(status),
        Gate::Nothing => {
            ground.ui().status("Nothing to change");
            let nothing = Plan::new("", Vec::new());
            let records = Records {
                journal: &Journal::none(ground.clock()),
                leases: &HeldLeases::none(ground.clock()),
            };
            let goes_on = Cell::new(false);
            let work = run.steps_and_verdict(verb, &seen, &nothing, &records, started, &goes_on);
            work.boxed_local().await
        }
        Gate::Approved(approved) => {
            let changing = run.changing(verb, &seen, approved.plan(), started);
            changing.boxed_local().await
        }
    }
}

/// Observes and plans. A request of an earlier run that may still be on its way is waited for, unless
/// this run sends the very same one again.
async fn look<G: Ground, V: Change>(
    ground: &G,
    verb: &V,
    args: &ChangeArgs,
    target: &Target,
    names: &RunNames,
    cut_off: &CutOff,
) -> Result<(V::Seen, Plan<V::Action>)> {
    loop {
        let seen = unless_interrupted(ground, verb.observe(target, &cut_off.recent)).await?;
        let now = ground.clock().now();
        let basis = Basis { target, names, now };
        let mut plan = verb.plan(&seen, &basis)?;
        if let Some(absent) = plan.absent.take() {
            match cut_off.in_doubt_over(&verb.covers(&seen, &plan)) {
                Some(run) => ground
                    .ui()
                    .status(&format!("Run {run} has done it before it was cut off")),
                None => plan.blockers.push(absent),
            }
        }
        adopt(&mut plan, &cut_off.records, now);
        let wait = unsettled(&plan, &cut_off.records, now);
        let (Some(wait), true) = (wait, args.may_change()) else {
            return Ok((seen, plan));
        };
        ground.ui().status(&wait.sentence());
        let pause = async {
            ground.clock().sleep(wait.pause).await;
            Ok(())
        };
        unless_interrupted(ground, pause).await?;
    }
}

/// The steps that a run takes care of: those that it is about and those that it has.
fn covered<A>(mut about: Vec<String>, plan: &Plan<A>) -> Vec<String> {
    about.extend(plan.steps.iter().map(|step| step.id.clone()));
    about
}

pub(super) fn print<G: Ground, A>(ground: &G, target: &Target, plan: &Plan<A>) -> Result<ExitStatus> {
    for warning in &plan.warnings {
        ground.ui().warn(warning);
    }
    for blocker in &plan.blockers {
        // What is under way may be over when the command is pasted; what is missing stays missing.
        if blocker.kind != ErrorKind::Conflict {
            return Err(blocker.error());
        }
        ground
            .ui()
            .warn_with(&blocker.reason, std::slice::from_ref(&blocker.hint));
    }
    ground.ui().explain_aws();
    let place = ground
        .ui()
        .place()
        .clone()
        .or_aws("--region", Some(&target.region));
    ground.emit(&PrintedCommands::new(plan, &place)?)?;
    Ok(ExitStatus::Done)
}

/// What the look afterwards showed.
struct Verified<V: Change> {
    ends: BTreeMap<String, End>,
    endings: BTreeMap<String, V::Ending>,
    trouble: Option<CtlError>,
}

/// What a run leaves behind while it goes on.
struct Records<'a> {
    journal: &'a Journal,
    leases: &'a HeldLeases,
}

/// A run from its approval to its end.
struct Run<'a, G: Ground> {
    ground: &'a G,
    args: &'a ChangeArgs,
    target: Target,
    names: RunNames,
    cut_off: CutOff,
    /// Ids of the steps that the run takes care of.
    covers: Vec<String>,
}

impl<G: Ground> Run<'_, G> {
    /// What journal and history say of the run.
    fn header(&self, verb: &'static str) -> Header<'_> {
        Header {
            run: &self.names.run,
            verb,
            target: &self.target,
            command_line: self.ground.command_line(),
            reason: self.args.reason.as_deref(),
            of: self.cut_off.runs(),
        }
    }

    /// Locks, leases and journal around the steps.
    async fn changing<V: Change>(
        &self,
        verb: &V,
        seen: &V::Seen,
        plan: &Plan<V::Action>,
        started: Timestamp,
    ) -> Result<ExitStatus> {
        let ground = self.ground;
        let resources = plan.resources();
        let wait = self.args.lock_wait.unwrap_or(Duration::ZERO);
        let holder = lease::Holder {
            run: &self.names.run,
            verb: V::NAME,
            reason: self.args.reason.as_deref(),
            target: &self.target,
        };
        let _locks = locks::take_local(ground, &self.names.run, &self.target, &resources, wait).await?;
        // Before the leases: the next run recognises one of a run that was cut off by its journal.
        let journal = Journal::begin(ground.state_dir(), ground.clock(), &self.header(V::NAME), plan)?;
        let leases = match lease::take(ground, &holder, &resources, wait).boxed_local().await {
            Ok(leases) => leases,
            Err(error) => {
                journal.end("failed", error.exit_status().code());
                return Err(error);
            }
        };
        let goes_on = Cell::new(false);
        let records = Records {
            journal: &journal,
            leases: leases.held(),
        };
        let work = self.steps_and_verdict(verb, seen, plan, &records, started, &goes_on);
        let outcome = leases.kept_during(work.boxed_local()).await;
        if goes_on.get() {
            // AWS may not list yet what goes on: until it does, the leases keep others out and then end.
            leases.leave();
        } else {
            leases.release().boxed_local().await;
        }
        outcome
    }

    /// Steps, the look afterwards, the verdict, the record of it all, and the result.
    async fn steps_and_verdict<V: Change>(
        &self,
        verb: &V,
        seen: &V::Seen,
        plan: &Plan<V::Action>,
        records: &Records<'_>,
        started: Timestamp,
        goes_on: &Cell<bool>,
    ) -> Result<ExitStatus> {
        let ground = self.ground;
        let journal = records.journal;
        let timeout = self.args.timeout.unwrap_or_else(|| ground.wait_timeout());
        let now = ground.clock().now();
        let running = Running {
            ui: ground.ui(),
            clock: ground.clock(),
            cancel: ground.cancel(),
            journal,
            leases: records.leases,
            outputs: RefCell::new(BTreeMap::new()),
            deadline: now.checked_add(timeout).unwrap_or(Timestamp::MAX),
        };
        let words = verb.words();
        let carried_out =
            steps::carry_out(verb, &running, &plan.steps, plan.at_once, &words.following).boxed_local();
        let steps = match carried_out.await {
            Ok(steps) => steps,
            Err(error) => {
                journal.end("failed", error.exit_status().code());
                return Err(error);
            }
        };
        let Verified {
            ends,
            endings,
            trouble,
        } = self.verified(verb, seen, &running, &steps).await;
        let under_way = ends.values().any(|end| matches!(end, End::Running { .. }));
        goes_on.set(under_way || trouble.is_some() || self.args.no_wait);
        let facts = Facts {
            words: &words,
            states: in_order(&steps),
            ends: &ends,
            trouble,
            interrupted: ground.cancel().is_cancelled(),
            resume: &|left| verb.resume(left),
        };
        let (verdict, error) = conclude(facts);
        let outcome = self.outcome(&running, steps, endings);
        let error = error.map(|error| verb.explain(error, &outcome));
        let result = match error {
            Some(error) if verdict == Verdict::Interrupted => {
                let show = CommandLine::bpctl(["runs", "show", self.names.run.as_str()]);
                Err(error.hint(("see what was done with", show)))
            }
            Some(error) => Err(error),
            None => Ok(ExitStatus::Done),
        };
        let status = result
            .as_ref()
            .map_or_else(CtlError::exit_status, |status| *status);
        journal.end(verdict.as_str(), status.code());
        if matches!(verdict, Verdict::Done | Verdict::NothingToChange) {
            self.cut_off.close(ground, &self.names.run, &self.covers);
        }
        if !plan.steps.is_empty() {
            let ended = history::Ended {
                verdict,
                status: status.code(),
                started,
                ended: ground.clock().now(),
            };
            let states = outcome.steps.iter().map(|step| (step.id.as_str(), &step.state));
            let entry = history::Entry::new(&self.header(V::NAME), plan, states, ended);
            history::write(ground, &entry).boxed_local().await;
        }
        match verb.document(seen, &outcome) {
            Some(document) => ground.emit_outcome(&document, result),
            None => result,
        }
    }

    async fn verified<V: Change>(
        &self,
        verb: &V,
        seen: &V::Seen,
        running: &Running<'_, V>,
        steps: &Steps<V>,
    ) -> Verified<V> {
        let mut verification = Verification {
            running,
            steps: &steps.all,
            states: &steps.states,
            ends: BTreeMap::new(),
            endings: BTreeMap::new(),
            waits: !self.args.no_wait,
        };
        let trouble = verb.verify(seen, &mut verification).boxed_local().await.err();
        Verified {
            ends: verification.ends,
            endings: verification.endings,
            trouble,
        }
    }

    fn outcome<V: Change>(
        &self,
        running: &Running<'_, V>,
        steps: Steps<V>,
        endings: BTreeMap<String, V::Ending>,
    ) -> Outcome<V> {
        let mut outputs = running.outputs.borrow_mut();
        let Steps { all, mut states } = steps;
        let steps = all
            .into_iter()
            .filter_map(|step| {
                Some(StepOutcome {
                    state: states.remove(&step.id)?,
                    output: outputs.remove(&step.id),
                    id: step.id,
                })
            })
            .collect();
        Outcome {
            run: self.names.run.clone(),
            target: self.target.clone(),
            steps,
            endings,
            cut_off: self.cut_off.records.clone(),
        }
    }
}

pub(super) fn in_order<V: Change>(steps: &Steps<V>) -> Vec<(&str, &State)> {
    steps
        .all
        .iter()
        .filter_map(|step| Some((step.id.as_str(), steps.states.get(&step.id)?)))
        .collect()
}

/// Does something that changes nothing, and lets go of it when the operator interrupts.
///
/// # Errors
/// [`ErrorKind::Interrupted`], or what `work` fails with.
pub(super) async fn unless_interrupted<G: Ground, T>(
    ground: &G,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    // On the heap and without its type: futures of SDK calls are large and deeply nested.
    let work = work.boxed_local();
    tokio::select! {
        biased;
        () = ground.cancel().cancelled() => Err(CtlError::new(
            ErrorKind::Interrupted,
            "finish: interrupted while looking, nothing was changed",
        )),
        done = work => done,
    }
}
