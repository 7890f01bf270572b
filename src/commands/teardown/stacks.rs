//! One stack: its deletion is asked for, followed, explained, and asked for again where AWS allows it.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::follow::{Ended, Failed, failures, follow, last_deletion};
use super::observe::{Seen, StackSeen};
use super::order::Part;
use super::plan::Action;
use super::remedy::{ATTEMPTS, About, remedy};
use super::{Fate, Teardown, clear};
use crate::aws::cloudformation::{DeleteStack, SetTerminationProtection};
use crate::change::{ApiCall, Basis, Call as _, Done, Later, Loss, Step, StepRun};
use crate::error::{CommandLine, CtlError, ErrorKind, Result};

/// Interfaces of what has gone are detached within minutes.
const PAUSE: Duration = Duration::from_secs(60);

/// Failures that an error names.
const NAMED: usize = 3;

/// The deletion of a stack.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct StackAction {
    /// The ARN: another stack of the name is another stack.
    id: String,
    unprotect: Option<SetTerminationProtection>,
    delete: DeleteStack,
    /// The cluster that is its own.
    cluster: Option<String>,
    keeps_database: bool,
    /// Whether the place of bpctl's leases goes with it.
    holds_leases: bool,
    pub(super) part_is_network: bool,
}

/// A parameter that is found out while the deletion is carried out.
fn later(mut call: ApiCall, names: &[&str], step: &str) -> ApiCall {
    for name in names {
        let found = Later::FromStep(step.to_owned()).parameter();
        call.parameters.insert((*name).to_owned(), found);
    }
    call
}

pub(super) fn step(change: &Teardown<'_>, seen: &Seen, one: &StackSeen, basis: &Basis<'_>) -> Step<Action> {
    let name = one.stack.name.clone();
    let lost: Vec<String> = one
        .resources
        .iter()
        .filter_map(|change| Some(format!("{} of {}", change.loses()?, change.resource)))
        .collect();
    let loses = match lost.is_empty() {
        true => Loss::Work(format!("what {name} runs")),
        false => Loss::Data(lost.join(", ")),
    };
    let is_protected = one.stack.termination_protection == Some(true);
    let cluster = (one.place.part == Part::Compute).then(|| one.place.system.clone());
    let has_database = seen
        .databases
        .iter()
        .any(|database| database.place.system == one.place.system);
    let action = StackAction {
        id: one.stack.id.clone(),
        unprotect: (is_protected && change.unprotect).then(|| SetTerminationProtection {
            stack: name.clone(),
            enabled: false,
        }),
        delete: DeleteStack {
            stack: name.clone(),
            retain: Vec::new(),
            token: format!("{}-delete", basis.names.token),
            loses: Some(loses),
        },
        keeps_database: change.fate == Fate::Keep && has_database && one.place.part == Part::Data,
        // Where the place of the leases is, is not known of a template that cannot be read.
        holds_leases: one.place.part == Part::Data,
        part_is_network: one.place.part == Part::Network,
        cluster,
    };
    let going_on = one.stack.status == "DELETE_IN_PROGRESS";
    let mut calls = Vec::new();
    if !going_on {
        calls.extend(action.unprotect.as_ref().map(SetTerminationProtection::described));
        calls.push(action.delete.described());
    }
    // What is lost is said at the first request.
    let again = DeleteStack {
        loses: None,
        ..action.delete.clone()
    };
    let mut if_needed = vec![
        later(again.described(), &["ClientRequestToken"], &name),
        later(
            again.described(),
            &["RetainResources", "ClientRequestToken"],
            &name,
        ),
    ];
    if let Some(cluster) = &action.cluster {
        let from = || Later::FromStep(name.clone());
        if_needed.push(clear::stop(cluster, from(), "tasks that still run in the cluster").described());
        if_needed.push(clear::remove(cluster, from(), "services that are still in the cluster").described());
    }
    let going = one.resources.len() - one.kept().count();
    let summary = match (going_on, one.stack.status.as_str()) {
        (true, _) => "go on with its deletion, which is under way".to_owned(),
        (false, "DELETE_FAILED") => format!("go on with its deletion, which has failed: {going} resources"),
        (false, _) => format!("delete it with {going} resources"),
    };
    let kept: Vec<&str> = one.kept().map(|change| change.resource.as_str()).collect();
    let mut step =
        Step::new(name, summary, calls, Action::Stack(action)).changing(one.stack.status.clone(), "gone");
    step.if_needed = if_needed;
    if !kept.is_empty() {
        step.notes
            .push(format!("stays in the account: {}", kept.join(", ")));
    }
    step
}

type Run<'s, 'c> = StepRun<'s, Teardown<'c>>;

pub(super) async fn act<'c>(
    change: &Teardown<'c>,
    step: &Run<'_, 'c>,
    action: &StackAction,
) -> Result<Done<Teardown<'c>>> {
    let aws = &change.ctx.aws;
    let name = action.delete.stack.as_str();
    if action.holds_leases {
        step.go_on_without_leases();
    }
    let mut retained = BTreeSet::new();
    let mut stayed: Vec<String> = Vec::new();
    let mut before: Option<Vec<Failed>> = None;
    for _ in 0..ATTEMPTS {
        let now = aws.stack(&action.id).await?;
        let status = now.as_ref().map(|stack| stack.status.as_str());
        let since = match status {
            None | Some("DELETE_COMPLETE") => return Ok(gone(stayed)),
            Some("DELETE_IN_PROGRESS") => Timestamp::MIN,
            Some(status) if status.ends_with("_IN_PROGRESS") && status != "REVIEW_IN_PROGRESS" => {
                return Err(CtlError::changed(format!(
                    "delete {name}: it is {status} by now: somebody works on it"
                ))
                .hint((
                    "follow it with",
                    CommandLine::bpctl(["stack", "status", name, "--watch"]),
                )));
            }
            Some(status) => {
                let since = change.ctx.clock.now();
                // What an earlier run could not delete is in the events, not in the memory of this one.
                if status == "DELETE_FAILED" && before.is_none() {
                    let events = aws.stack_events(&action.id).await?;
                    let failed = failures(name, &last_deletion(name, &events));
                    Box::pin(mend(
                        change,
                        step,
                        action,
                        &failed,
                        None,
                        &mut retained,
                        &mut stayed,
                    ))
                    .await?;
                }
                Box::pin(ask(change, step, action, &retained)).await?;
                since
            }
        };
        // The clocks of machines differ by seconds.
        let since = since
            .checked_sub(jiff::SignedDuration::from_secs(5))
            .unwrap_or(Timestamp::MIN);
        match Box::pin(follow(change, step, (name, &action.id), since)).await? {
            Ended::Gone => return Ok(gone(stayed)),
            Ended::Failed(failed) => {
                let last = before.as_deref();
                let mended = mend(change, step, action, &failed, last, &mut retained, &mut stayed);
                if !Box::pin(mended).await? {
                    return Err(explained(name, &failed));
                }
                before = Some(failed);
            }
            Ended::Refused(reason) => {
                return Err(
                    CtlError::new(ErrorKind::Conflict, format!("delete {name}: {reason}")).hint((
                        "see what imports with",
                        CommandLine::bpctl(["stack", "status", name]),
                    )),
                );
            }
            ended @ (Ended::TimedOut | Ended::Interrupted) => {
                let (kind, why) = match ended {
                    Ended::TimedOut => (ErrorKind::TimedOut, "CloudFormation still deletes it"),
                    _ => (ErrorKind::Interrupted, "interrupted, CloudFormation goes on"),
                };
                return Err(CtlError::new(kind, format!("see {name} gone: {why}")));
            }
        }
    }
    Err(explained(name, &before.unwrap_or_default()))
}

fn gone<'c>(stayed: Vec<String>) -> Done<Teardown<'c>> {
    match stayed.is_empty() {
        true => Done::new("gone"),
        false => Done::new(format!("gone; {}", stayed.join("; "))).with(stayed),
    }
}

/// Asks for the deletion. The token is the one that the plan shows unless the stack has seen it already.
async fn ask<'c>(
    change: &Teardown<'c>,
    step: &Run<'_, 'c>,
    action: &StackAction,
    retained: &BTreeSet<String>,
) -> Result<()> {
    let aws = &change.ctx.aws;
    let name = action.delete.stack.as_str();
    let events = aws.stack_events(&action.id).await?;
    let used = |token: &str| events.iter().any(|event| event.token.as_deref() == Some(token));
    let token = &action.delete.token;
    let further = (2..).map(|number| format!("{token}-{number}"));
    let mut candidates = [token.clone()].into_iter().chain(further);
    let token = candidates.find(|token| !used(token)).unwrap_or_default();
    if let Some(unprotect) = &action.unprotect {
        step.send(aws, unprotect).await?;
    }
    let call = DeleteStack {
        stack: name.to_owned(),
        retain: retained.iter().cloned().collect(),
        token,
        loses: action.delete.loses.clone(),
    };
    step.note(&format!("deletion of {name}"), &call.token);
    step.send(aws, &call).await
}

/// Takes what stands in the way out of it. Returns whether another attempt is worth while.
async fn mend<'c>(
    change: &Teardown<'c>,
    step: &Run<'_, 'c>,
    action: &StackAction,
    failed: &[Failed],
    before: Option<&[Failed]>,
    retained: &mut BTreeSet<String>,
    stayed: &mut Vec<String>,
) -> Result<bool> {
    let about = About {
        has_cluster: action.cluster.is_some(),
        keeps_database: action.keeps_database,
    };
    let Some(remedy) = remedy(failed, before, about) else {
        return Ok(false);
    };
    if let (true, Some(cluster)) = (remedy.clear, &action.cluster) {
        Box::pin(clear::everything(change, step, cluster)).await?;
    }
    for reason in remedy.reasons {
        if !stayed.contains(&reason) {
            stayed.push(reason);
        }
    }
    // Only what failed last: a resource that is gone cannot be left in the account.
    *retained = remedy.retain;
    if remedy.wait {
        step.status(&format!(
            "{}: what could not be deleted is tried again in {} s",
            action.delete.stack,
            PAUSE.as_secs()
        ));
        tokio::select! {
            () = change.ctx.cancel.cancelled() => {}
            () = change.ctx.clock.sleep(PAUSE) => {}
        }
    }
    Ok(true)
}

fn explained(name: &str, failed: &[Failed]) -> CtlError {
    let error = CtlError::new(
        ErrorKind::Failed,
        format!("delete {name}: its deletion ended DELETE_FAILED"),
    );
    failed
        .iter()
        .take(NAMED)
        .fold(error, |error, one| {
            let reason = one.reason.as_deref().unwrap_or("no reason given");
            error.cause(format!("{} ({}): {reason}", one.resource, one.kind))
        })
        .hint((
            "see what to do with",
            CommandLine::bpctl(["stack", "status", name]),
            ", and run the same command again when it is done",
        ))
}
