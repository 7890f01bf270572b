//! One operation of CloudFormation on one stack, followed by the token that each of its events carries.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;

use std::time::Duration;

use futures::future::join_all;

use crate::aws::cloudformation::StackEvent;
use crate::change::{Change, End, Readiness, Verification};
use crate::commands::teardown::refusal;
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Result};
use crate::output::took;
use crate::stacks::Estimate;
use crate::wait::{Look, Waiter};

/// Failures that an error names.
const NAMED: usize = 3;

/// Resources under way that a line names.
const NOW: usize = 2;

/// Resources take seconds to minutes.
const PACE: (Duration, Duration) = (Duration::from_secs(3), Duration::from_secs(10));

/// Events are dated by AWS' clock, and AWS takes requests of a machine whose clock is five minutes off (IAM User Guide,
/// "Troubleshooting Signature Version 4"). An event is the operation's by its token, so reading further back adds none.
const READ_BACK: SignedDuration = SignedDuration::from_mins(15);

/// Operations that were begun, by stack.
pub(super) type Operations = BTreeMap<String, Operation>;

/// Follows every operation to its end, the deadline or an interrupt, and records what became of it.
pub(super) async fn follow<V>(
    ctx: &Ctx,
    operations: &mut Operations,
    run: &mut Verification<'_, V>,
) -> Result<()>
where
    V: Change<Ending = StackResult>,
{
    if run.waits() && !operations.is_empty() {
        let progress = ctx.ui.progress("Following the stacks");
        let waiter = Waiter::until_deadline(&ctx.clock, run.deadline(), &ctx.cancel).pace(PACE.0, PACE.1);
        let look = async || {
            for looked in join_all(operations.values_mut().map(|operation| operation.look(ctx))).await {
                looked?;
            }
            let left = operations.values().filter(|operation| !operation.is_over());
            let left: Vec<String> = left.map(Operation::text).collect();
            Ok(if left.is_empty() {
                Look::Ready(())
            } else {
                Look::Pending(left.join("; "))
            })
        };
        waiter.until(look, |text| progress.say(text)).await?;
    }
    for (name, operation) in operations.iter() {
        run.end(name.clone(), operation.end());
        run.ending(name.clone(), operation.result());
    }
    Ok(())
}

/// Whether the operations on these stacks have come to a good end.
///
/// # Errors
/// One has come to another end: `done` fits "deploy bp-data: bp-network, …".
pub(super) fn readiness(operations: &Operations, needs: &[String], done: &str) -> Result<Readiness> {
    for need in needs {
        match operations.get(need) {
            Some(operation) if operation.is_good() => {}
            Some(operation) if operation.is_over() => {
                return Err(CtlError::new(
                    ErrorKind::Failed,
                    format!("{done} {need}, which did not come to a good end"),
                ));
            }
            Some(operation) => return Ok(Readiness::NotYet(operation.text())),
            None => return Ok(Readiness::NotYet(format!("{need} comes first"))),
        }
    }
    Ok(Readiness::Now)
}

/// What several steps wait for is told once.
pub(super) fn told_once(mut states: Vec<Readiness>) -> Vec<Readiness> {
    let mut told = BTreeSet::new();
    for state in &mut states {
        if let Readiness::NotYet(why) = state
            && !told.insert(why.clone())
        {
            *why = "the same".to_owned();
        }
    }
    states
}

/// One stack.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct StackResult {
    pub(super) stack: String,
    /// As CloudFormation says it, e.g. `UPDATE_COMPLETE`; null while the operation goes on, or when none was needed.
    pub(super) status: Option<String>,
    /// What the events of the operation carry; null when none was needed.
    pub(super) token: Option<String>,
    /// Resources that were worked on.
    pub(super) resources: usize,
    pub(super) began: Option<Timestamp>,
    pub(super) ended: Option<Timestamp>,
    /// The first failure first; the others followed from it.
    pub(super) failures: Vec<Failure>,
    /// Last snapshots of databases that went with the stack.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) snapshots: Vec<String>,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct Failure {
    /// Its name in the template.
    pub(super) resource: String,
    /// E.g. `AWS::ECS::Service`.
    pub(super) kind: String,
    pub(super) reason: Option<String>,
}

impl StackResult {
    pub(super) fn unchanged(stack: &str) -> Self {
        Self {
            stack: stack.to_owned(),
            status: None,
            token: None,
            resources: 0,
            began: None,
            ended: None,
            failures: Vec::new(),
            snapshots: Vec::new(),
        }
    }
}

/// What an operation is to come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Goal {
    /// What a template says.
    Forward,
    /// Nothing at all. Of a deletion that it does not begin CloudFormation tells with the state that the stack has, which
    /// may be the good end of another operation.
    Gone,
    /// What there was before an update.
    Back,
    /// Resources that are there are the stack's.
    Import,
}

impl Goal {
    /// The statuses of a stack that has come to it ("Stack status codes").
    fn ends(self) -> &'static [&'static str] {
        match self {
            Self::Forward => &["CREATE_COMPLETE", "UPDATE_COMPLETE"],
            Self::Gone => &["DELETE_COMPLETE"],
            Self::Back => &["UPDATE_ROLLBACK_COMPLETE"],
            Self::Import => &["IMPORT_COMPLETE"],
        }
    }
}

/// What an operation is about.
pub(super) struct Of<'a> {
    pub(super) stack: &'a str,
    /// The name, or the ARN of a stack that is going to be gone.
    pub(super) asked_by: &'a str,
    /// The command that goes on with it.
    pub(super) again: CommandLine,
}

/// One operation on one stack.
#[derive(Debug)]
pub(in crate::commands) struct Operation {
    stack: String,
    /// What events are asked for by: the name, or the ARN of a stack that is going to be gone.
    asked_by: String,
    token: String,
    goal: Goal,
    /// The command that goes on with it.
    again: CommandLine,
    /// From where on events are read.
    since: Timestamp,
    /// Resources that the plan names.
    planned: usize,
    /// What the rest of them may take.
    estimate: Estimate,
    /// The time of the last look.
    now: Timestamp,
    /// Ids of events that were told.
    told: BTreeSet<String>,
    /// When the work on each resource began.
    begun: BTreeMap<String, Timestamp>,
    finished: BTreeSet<String>,
    events: Vec<StackEvent>,
    ended: Option<String>,
}

impl Operation {
    /// `planned`: how many resources the plan names; `since`: the moment before it was asked for, by this machine's clock.
    pub(super) fn new(of: Of<'_>, planned: usize, token: &str, since: Timestamp) -> Self {
        Self {
            stack: of.stack.to_owned(),
            asked_by: of.asked_by.to_owned(),
            token: token.to_owned(),
            goal: Goal::Forward,
            again: of.again,
            since: since.checked_sub(READ_BACK).unwrap_or(Timestamp::MIN),
            planned,
            estimate: Estimate::default(),
            now: Timestamp::MIN,
            told: BTreeSet::new(),
            begun: BTreeMap::new(),
            finished: BTreeSet::new(),
            events: Vec::new(),
            ended: None,
        }
    }

    /// The same with another goal.
    #[must_use]
    pub(super) fn towards(self, goal: Goal) -> Self {
        Self { goal, ..self }
    }

    /// The same with what is known of its resources.
    #[must_use]
    pub(super) fn estimated(mut self, estimate: Estimate) -> Self {
        self.estimate = estimate;
        self
    }

    /// One look; tells what is new.
    pub(super) async fn look(&mut self, ctx: &Ctx) -> Result<()> {
        if self.ended.is_some() {
            return Ok(());
        }
        let mut events = ctx.aws.stack_events_since(&self.asked_by, self.since).await?;
        events.retain(|event| event.token.as_deref() == Some(self.token.as_str()));
        events.reverse();
        for event in &events {
            if self.told.insert(event.id.clone()) {
                self.tell(ctx, event);
            }
        }
        let last = events.iter().rev().find(|event| event.is_of_stack(&self.stack));
        self.ended = last
            .filter(|event| is_end(&event.status))
            .map(|event| event.status.clone());
        self.events = events;
        self.now = ctx.clock.now();
        Ok(())
    }

    /// Only what is over: what begins is over soon, or is what the line below waits for.
    fn tell(&mut self, ctx: &Ctx, event: &StackEvent) {
        if event.is_of_stack(&self.stack) {
            ctx.ui.status(&format!("{}: {}", self.stack, event.status));
            return;
        }
        if event.status.ends_with("_IN_PROGRESS") {
            if let Some(at) = event.at {
                self.begun.entry(event.resource.clone()).or_insert(at);
            }
            return;
        }
        let took = match (self.begun.remove(&event.resource), event.at) {
            (Some(begun), Some(at)) => format!(" after {}", took(begun, at)),
            _ => String::new(),
        };
        self.finished.insert(event.resource.clone());
        let reason = match (&event.reason, event.status.ends_with("_FAILED")) {
            (Some(reason), true) => format!(": {reason}"),
            _ => String::new(),
        };
        ctx.ui.status(&format!(
            "{}: {} ({}) {}{took}{reason}",
            self.stack, event.resource, event.kind, event.status
        ));
    }

    /// How far it is.
    fn text(&self) -> String {
        // Those that have been worked on for the longest time are what the others wait for.
        let mut begun: Vec<(&String, &Timestamp)> = self.begun.iter().collect();
        begun.sort_by_key(|(_, since)| **since);
        let now = begun.iter().take(NOW).map(|(name, since)| {
            match (self.now.as_second() - since.as_second()) / 60 {
                ..1 => (*name).clone(),
                minutes => format!("{name} {minutes}m"),
            }
        });
        let now: Vec<String> = now.collect();
        let mut at = match now.as_slice() {
            [] => String::new(),
            names => format!(", now {}", names.join(", ")),
        };
        if let Some(left) = self
            .estimate
            .left(&self.finished, &self.begun, self.now)
            .filter(|left| *left > 0)
        {
            at.push_str(&match (left + 59) / 60 {
                1 => ", about 1m left".to_owned(),
                minutes => format!(", about {minutes}m left"),
            });
        }
        match self.planned {
            0 => format!("{}: {} resources done{at}", self.stack, self.finished.len()),
            planned => format!(
                "{}: {} of {planned}{at}",
                self.stack,
                self.finished.len().min(planned)
            ),
        }
    }

    fn is_over(&self) -> bool {
        self.ended.is_some()
    }

    /// Whether it has ended as it was meant.
    pub(super) fn is_good(&self) -> bool {
        self.ended
            .as_deref()
            .is_some_and(|ended| self.goal.ends().contains(&ended))
    }

    /// What failed, the first failure first; the others followed from it.
    fn failures(&self) -> Vec<&StackEvent> {
        self.events
            .iter()
            .filter(|event| event.status.ends_with("_FAILED") && !event.is_of_stack(&self.stack))
            .filter(|event| {
                event
                    .reason
                    .as_deref()
                    .is_none_or(|reason| !reason.contains("cancelled"))
            })
            .collect()
    }

    /// Whether this operation has deleted a resource.
    pub(super) fn has_deleted(&self, resource: &str) -> bool {
        let of = |event: &StackEvent| event.resource == resource && event.status == "DELETE_COMPLETE";
        self.events.iter().any(of)
    }

    pub(super) fn end(&self) -> End {
        let look = || CommandLine::bpctl(["stack", "status", self.stack.as_str()]);
        let Some(status) = self.ended.as_deref() else {
            return End::Running {
                what: self.text(),
                hint: ("go on with", self.again.clone()).into(),
            };
        };
        if self.is_good() {
            return End::Settled;
        }
        if let (Goal::Gone, Some(reason)) = (self.goal, refusal(&self.events)) {
            let error = CtlError::new(ErrorKind::Failed, format!("delete {}: {reason}", self.stack));
            return End::Failed(error.hint(("see what imports with", look())));
        }
        let (doing, what) = match (self.goal, status.split('_').next()) {
            (Goal::Back, _) => ("roll back", "rollback"),
            (Goal::Import, _) => ("import into", "import"),
            (Goal::Gone, _) => ("delete", "deletion"),
            (Goal::Forward, Some("UPDATE")) => ("update", "update"),
            _ => ("create", "creation"),
        };
        // A deletion is never rolled back: the state that a stack had before may be one that a rollback left.
        let is_rolled_back = self.goal != Goal::Gone
            && matches!(
                status,
                "ROLLBACK_COMPLETE" | "UPDATE_ROLLBACK_COMPLETE" | "IMPORT_ROLLBACK_COMPLETE"
            );
        let message = match is_rolled_back {
            true => format!("{doing} {}: its {what} failed and was rolled back", self.stack),
            false => format!("{doing} {}: its {what} ended {status}", self.stack),
        };
        let error = self
            .failures()
            .into_iter()
            .take(NAMED)
            .fold(CtlError::new(ErrorKind::Failed, message), |error, event| {
                let reason = event.reason.as_deref().unwrap_or("no reason given");
                error.cause(format!("{} ({}): {reason}", event.resource, event.kind))
            })
            .hint(("see what to do with", look()));
        match is_rolled_back {
            true => End::RolledBack(error),
            false => End::Failed(error),
        }
    }

    pub(super) fn result(&self) -> StackResult {
        let at = |event: Option<&StackEvent>| event.and_then(|event| event.at);
        StackResult {
            stack: self.stack.clone(),
            status: self.ended.clone(),
            token: Some(self.token.clone()),
            resources: self.finished.len(),
            began: at(self.events.first()),
            ended: self.is_over().then(|| at(self.events.last())).flatten(),
            failures: self
                .failures()
                .into_iter()
                .map(|event| Failure {
                    resource: event.resource.clone(),
                    kind: event.kind.clone(),
                    reason: event.reason.clone(),
                })
                .collect(),
            snapshots: Vec::new(),
        }
    }
}

/// Whether a status of a stack is the last one of an operation ("Stack status codes"); the cleanup behind an update
/// only removes what is no longer needed, and is waited for as well.
fn is_end(status: &str) -> bool {
    !status.ends_with("_IN_PROGRESS")
}
