//! From what was seen to the command that is sent. Pure.

use jiff::Timestamp;

use super::super::text::size;
use super::script::{After, lines};
use super::{ApplyAction, Seen};
use crate::aws::ssm::command::{LOG_GROUP, SendCommand};
use crate::change::{Blocker, Call as _, Later, Plan, Step};
use crate::error::{CommandLine, ErrorKind, Hint};
use crate::layout::FleetId;
use crate::output::one_line;

/// How the comment of a command begins that applies a bundle.
const COMMENT: &str = "bpctl bundle apply";

/// What was asked for.
pub(super) struct Wanted<'a> {
    pub(super) models_bucket: &'a str,
    pub(super) fleet: &'a FleetId,
    pub(super) instance: &'a str,
    pub(super) force: bool,
    pub(super) audit: bool,
}

pub(super) fn plan(wanted: &Wanted<'_>, seen: &Seen, now: Timestamp) -> Plan<ApplyAction> {
    let instance = wanted.instance;
    let comment = format!("{COMMENT} {}", seen.bundle_id);
    let going_on = seen
        .under_way
        .iter()
        .find(|invocation| invocation.comment == comment);
    let call = SendCommand {
        instance: Later::Known(instance.to_owned()),
        comment,
        lines: lines(wanted.models_bucket, &seen.prefix, After::Restart),
        limit: super::LIMIT.as_secs(),
        resource: format!("instance/{instance}"),
    };
    let stamp = now.strftime("%Y%m%dT%H%M%SZ");
    let action = ApplyAction {
        going_on: going_on.map(|invocation| invocation.command.clone()),
        logs_bucket: seen.logs_bucket.clone(),
        log_key: format!(
            "asset-sync/{}/{}/{stamp}-{instance}.json",
            wanted.fleet.slug, seen.bundle_id
        ),
        bundle_id: seen.bundle_id.clone(),
        prefix: seen.prefix.clone(),
        call: call.clone(),
    };
    let calls = if going_on.is_some() {
        Vec::new()
    } else {
        vec![call.described()]
    };
    let summary = match going_on {
        Some(invocation) => format!("go on with command {}, which is under way", invocation.command),
        None => "run the node's script, restart ComfyUI and the worker".to_owned(),
    };
    let mut step = Step::new(instance, summary, calls, action.clone());
    step.if_needed = vec![action.keep(None).described()];
    step.notes
        .push(format!("the node fetches up to {}", size(seen.bytes)));
    step.notes.push(format!(
        "the output comes in the log group {LOG_GROUP} and is kept as s3://{}/{}",
        action.logs_bucket, action.log_key
    ));
    if wanted.audit {
        step.notes
            .push("the backend's audit log gets an entry".to_owned());
    }
    let mut plan = Plan::new(format!("apply bundle {} to {instance}", seen.bundle), vec![step]);
    let mut refuse = |kind, reason: String, hint: Hint| plan.blockers.push(Blocker { kind, reason, hint });
    match seen.reached {
        Some(true) => {}
        Some(false) => refuse(
            ErrorKind::Conflict,
            format!("apply the bundle: Systems Manager has lost the agent of {instance}"),
            Hint::new("see the instance with").command(
                CommandLine::aws("ec2", "describe-instances").option("--instance-ids", instance),
            ),
        ),
        None => refuse(
            ErrorKind::NotFound,
            format!("apply the bundle: Systems Manager does not know {instance}"),
            Hint::new("an instance needs the agent and a profile with AmazonSSMManagedInstanceCore; see those that are known with")
                .command(CommandLine::aws("ssm", "describe-instance-information")),
        ),
    }
    if let (None, Some(other)) = (going_on, seen.under_way.first()) {
        refuse(
            ErrorKind::Conflict,
            format!(
                "apply the bundle: command {} (`{}`) is under way on {instance}",
                other.command,
                one_line(&other.comment)
            ),
            Hint::new("watch it with").command(super::follow::attach_command(&other.command, instance)),
        );
    }
    if let Some(first) = seen.problems.first() {
        let reason = format!(
            "bundle {} fails its verification: {}",
            seen.bundle,
            one_line(&format!("{}: {}", first.about, first.what))
        );
        if wanted.force {
            plan.warnings
                .push(format!("{reason}; applied all the same (`--force`)"));
        } else {
            refuse(
                ErrorKind::Failed,
                format!("apply it: {reason}"),
                Hint::new("see everything that is wrong with").command(CommandLine::bpctl([
                    "bundle",
                    "verify",
                    seen.bundle.as_str(),
                    "--deep",
                ])),
            );
        }
    }
    plan
}
