//! Earlier runs that were cut off: told to the operator, gone on with, and closed once a later run has
//! taken care of what they left.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;

use super::call::Repeated;
use super::ground::{Direction, Ground, Mode};
use super::journal::{self, Progress, Record};
use super::plan::{Plan, Step};
use super::run_id::RunId;
use super::spec::Change;
use super::target::Target;
use crate::error::{CommandLine, CtlError, ErrorKind, Hint, Result};
use crate::ui::Ui;

/// How long a request may be on its way, or done and not visible yet: ECS and EC2 show what they have
/// started within seconds, at most a minute (Amazon ECS API Reference, RunTask, on eventual consistency).
const SETTLES: Duration = Duration::from_secs(60);

/// Runs whose effects AWS may not list yet began within this time.
const RECENT: SignedDuration = SignedDuration::from_mins(5);

/// For how long the same request is sent again: ECS recognises its token for a day, and shows a stopped
/// task for an hour (API Reference, RunTask `clientToken`; DescribeTasks).
const SENT_AGAIN: SignedDuration = SignedDuration::from_mins(55);

/// The runs of one verb in one place that were cut off, the newest first.
#[derive(Debug, Default)]
pub(super) struct CutOff {
    pub(super) records: Vec<Record>,
    /// Runs of the same verb in the last minutes, however they ended, and all that were cut off or ended before what
    /// they had started.
    pub(super) recent: Vec<Record>,
}

impl CutOff {
    /// Reads the journals of this machine. One that cannot be read is warned of.
    ///
    /// # Errors
    /// `runs resume` of a run that is another verb's, in another place, going on, or over.
    pub(super) fn find<G: Ground>(ground: &G, verb: &str, target: &Target) -> Result<Self> {
        let Some(state) = ground.state_dir() else {
            ground
                .ui()
                .warn("no home folder: this run leaves no journal behind");
            return Ok(Self::default());
        };
        let (records, unreadable) = journal::list(state);
        for journal in unreadable {
            ground.ui().warn(&format!(
                "the journal `{}` cannot be read: {}",
                journal.path.display(),
                journal.error
            ));
        }
        let here = |record: &Record| record.verb == verb && record.target.is_same_place(target);
        let ours: Vec<Record> = records.into_iter().filter(here).collect();
        let since = ground.clock().now().checked_sub(RECENT).unwrap_or(Timestamp::MIN);
        let is_recent = |record: &&Record| record.run.began().is_some_and(|began| began >= since);
        let matters = |record: &&Record| is_recent(record) || record.is_cut_off() || record.left_going();
        let recent = ours.iter().filter(matters).cloned().collect();
        if let Mode::Of(Direction::Resume, earlier) = ground.mode() {
            let record = journal::find(Some(state), &earlier.run)?;
            may_go_on(&record, verb, target)?;
            // Runs that were to go on with it may have been cut off themselves.
            let attempts = ours.into_iter();
            let attempts = attempts.filter(|attempt| attempt.of.contains(&earlier.run));
            return Ok(Self {
                records: attempts.chain([record]).filter(Record::is_cut_off).collect(),
                recent,
            });
        }
        Ok(Self {
            records: ours.into_iter().filter(Record::is_cut_off).collect(),
            recent,
        })
    }

    /// Runs that were to take `run` back.
    pub(super) fn undoing<G: Ground>(ground: &G, run: &RunId) -> Self {
        let (records, _) = ground.state_dir().map(journal::list).unwrap_or_default();
        let ours = |record: &Record| record.verb == super::undo::NAME && record.of.contains(run);
        let recent: Vec<Record> = records.into_iter().filter(ours).collect();
        Self {
            records: recent
                .iter()
                .filter(|record| record.is_cut_off())
                .cloned()
                .collect(),
            recent,
        }
    }

    /// What the operator should know of them before being asked about the new plan.
    pub(super) fn tell<V: Change>(&self, ui: &Ui, verb: &V) {
        for record in &self.records {
            let (sentence, hint) = verb.tell(record);
            ui.warn_with(&sentence, hint.as_slice());
        }
    }

    pub(super) fn runs(&self) -> Vec<RunId> {
        self.records.iter().map(|record| record.run.clone()).collect()
    }

    /// A run that may have sent the request of one of these steps.
    pub(super) fn in_doubt_over(&self, steps: &[String]) -> Option<&RunId> {
        let over = |record: &&Record| record.in_doubt().any(|step| steps.contains(&step.id));
        self.records.iter().find(over).map(|record| &record.run)
    }

    /// How to go on with those that a run which takes care of `covers` leaves open.
    pub(super) fn tell_what_stays(&self, ui: &Ui, covers: &[String]) {
        for record in self.records.iter().filter(|record| !is_settled(record, covers)) {
            ui.hint((
                format!(
                    "run {} left more than this run is about: go on with it with",
                    record.run
                ),
                CommandLine::bpctl(["runs", "resume", record.run.as_str()]),
            ));
        }
    }

    /// Closes those that left nothing beyond `covers`, which the run `by` has taken care of.
    pub(super) fn close<G: Ground>(&self, ground: &G, by: &RunId, covers: &[String]) {
        // What a resumed run still had to do is what its own request plans anew.
        let resumed = matches!(ground.mode(), Mode::Of(..));
        for record in self
            .records
            .iter()
            .filter(|record| resumed || is_settled(record, covers))
        {
            if let Err(error) = journal::close(record, by, ground.clock()) {
                tracing::warn!(%error, "an earlier run stays open");
            }
        }
    }
}

/// Whether a run that takes care of `covers` leaves nothing of an earlier one.
fn is_settled(record: &Record, covers: &[String]) -> bool {
    let mut left = record.steps.iter().filter(|step| step.progress != Progress::Done);
    left.all(|step| covers.contains(&step.id))
}

/// Whether `runs resume` and `runs undo` may work on a run here.
fn may_go_on(record: &Record, verb: &str, target: &Target) -> Result<()> {
    is_to_be_gone_on_with(record, verb)?;
    is_here(record, target)
}

/// Whether a run is over, and one of `verb`. Reads the journal alone.
///
/// # Errors
/// [`ErrorKind::Conflict`] for a run that is still going on; [`ErrorKind::Usage`] for one that took another back.
pub(super) fn is_to_be_gone_on_with(record: &Record, verb: &str) -> Result<()> {
    if record.going_on {
        return Err(CtlError::new(
            ErrorKind::Conflict,
            format!("go on with run {}: it is still going on", record.run),
        ));
    }
    if record.verb == super::undo::NAME {
        let again = record.of.first().map(RunId::as_str).unwrap_or_default();
        return Err(
            CtlError::usage(format!("go on with run {}: it took run {again} back", record.run))
                .hint((
                    "to take back what is left, use",
                    CommandLine::bpctl(["runs", "undo", again]),
                ))
                .hint((
                    "to do it once more, give its command line again:",
                    CommandLine::bpctl(["runs", "show", again]),
                    "has it",
                )),
        );
    }
    if record.verb != verb {
        return Err(CtlError::new(
            ErrorKind::Unexpected,
            format!("go on with run {}: it is a run of `{}`", record.run, record.verb),
        ));
    }
    Ok(())
}

/// Whether a run was in the account and region that this one is in.
///
/// # Errors
/// [`ErrorKind::WrongAccount`].
pub(super) fn is_here(record: &Record, target: &Target) -> Result<()> {
    if !record.target.is_same_place(target) {
        return Err(CtlError::new(
            ErrorKind::WrongAccount,
            format!(
                "go on with run {}: it was in account {}, {}, and this is account {}, {}",
                record.run, record.target.account, record.target.region, target.account, target.region
            ),
        )
        .hint("sign in to that account; the run's own flags choose its context"));
    }
    Ok(())
}

/// How an earlier run is told of, unless its verb has better words.
pub(super) fn sentence(record: &Record, thing: &str) -> (String, Option<Hint>) {
    let under_way: Vec<&str> = record.in_doubt().map(|step| step.id.as_str()).collect();
    let doubt = match under_way.as_slice() {
        [] => String::new(),
        steps => format!("; {} was under way", steps.join(", ")),
    };
    let planned = record.steps.len();
    let sentence = format!(
        "an earlier run, started {}, was interrupted after {} of {planned} {thing}{}{doubt}",
        record.started,
        record.done(),
        if planned == 1 { "" } else { "s" },
    );
    (sentence, None)
}

/// Replaces steps whose request an earlier run may have sent already by that very request: AWS
/// recognises its token, and a request that is still on its way cannot become a second one.
pub(super) fn adopt<A: DeserializeOwned>(plan: &mut Plan<A>, records: &[Record], now: Timestamp) {
    for at in 0..plan.steps.len() {
        let found = records.iter().find_map(|record| {
            let step = plan.steps.get(at).filter(|step| !step.is_anew)?;
            same_request(step, record, now).map(|adopted| (record, adopted))
        });
        if let Some((record, adopted)) = found {
            plan.warnings.push(format!(
                "{}: the request of run {} is sent again, with the same token: if it has arrived, AWS answers with what it started",
                adopted.id, record.run
            ));
            // What the earlier run had done by then is no step any more.
            let needs = std::mem::take(&mut plan.steps[at].needs);
            plan.steps[at] = Step { needs, ..adopted };
        }
    }
}

fn same_request<A: DeserializeOwned>(step: &Step<A>, record: &Record, now: Timestamp) -> Option<Step<A>> {
    let earlier = record.in_doubt().find(|earlier| earlier.id == step.id)?;
    let recent = earlier
        .begun
        .is_some_and(|begun| now.duration_since(begun) < SENT_AGAIN);
    let recognised = step
        .calls
        .iter()
        .any(|call| call.repeated == Repeated::Recognised);
    let same = step.calls.len() == earlier.calls.len()
        && step
            .calls
            .iter()
            .zip(&earlier.calls)
            .all(|(call, earlier)| call.means(earlier));
    if recent && recognised && same {
        earlier.step()
    } else {
        None
    }
}

/// A request of an earlier run that may still arrive, or have arrived and not be visible yet.
#[derive(Debug)]
pub(super) struct Unsettled {
    /// How long to wait before looking again.
    pub(super) pause: Duration,
    what: String,
    run: RunId,
}

impl Unsettled {
    pub(super) fn sentence(&self) -> String {
        format!(
            "run {} was cut off while it sent {}: waiting {} s until AWS would show what became of it",
            self.run,
            self.what,
            self.pause.as_secs()
        )
    }
}

/// A request of a run that is to be taken back and may still arrive.
pub(super) fn settling(record: &Record, now: Timestamp) -> Option<Unsettled> {
    record.in_doubt().find_map(|step| {
        let age = Duration::try_from(now.duration_since(step.begun?)).unwrap_or_default();
        Some(Unsettled {
            pause: SETTLES.checked_sub(age).filter(|pause| !pause.is_zero())?,
            what: step.calls.first()?.label(),
            run: record.run.clone(),
        })
    })
}

/// Whether to wait for an earlier run's request: one that changes the same thing, that is not harmless
/// when it arrives late, and that this plan does not send again itself.
pub(super) fn unsettled<A>(plan: &Plan<A>, records: &[Record], now: Timestamp) -> Option<Unsettled> {
    if plan.steps.is_empty() || !plan.blockers.is_empty() {
        return None;
    }
    let resources = plan.resources();
    records.iter().find_map(|record| {
        record.in_doubt().find_map(|step| {
            let call = step
                .calls
                .iter()
                .find(|call| call.repeated != Repeated::Harmless && resources.contains(&call.resource))?;
            // The very same request was adopted. One that AWS would not recognise is not the same a second time.
            let sent_again =
                call.repeated == Repeated::Recognised && plan.steps.iter().any(|new| new.calls == step.calls);
            let age = Duration::try_from(now.duration_since(step.begun?)).unwrap_or_default();
            let pause = SETTLES.checked_sub(age).filter(|pause| !pause.is_zero())?;
            (!sent_again).then(|| Unsettled {
                pause,
                what: call.label(),
                run: record.run.clone(),
            })
        })
    })
}
