//! What a node runs to have a bundle, and the command that makes it run that. Shared with the baking of images.

use std::cell::Cell;
use std::time::Duration;

use crate::aws::ssm::command::SendCommand;
use crate::change::{Change, StepRun};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Result};
use crate::wait::{Look, Waited, Waiter};

/// What the node runs (the platform's runbook, "Apply Bundle to Dev Instance").
const SCRIPT: &str = "/opt/comfyui/bin/apply-bundle.sh";
const ROOT: &str = "/opt/comfyui";

/// Names the bundle that an image has, for the script that nodes boot with: it skips the synchronisation when this is the
/// active one.
const BAKED: &str = "/opt/comfyui/.baked_bundle_id";

/// For how long a command is looked for whose answer was lost.
const SEARCH: Duration = Duration::from_secs(20);

/// What follows once the bundle is there.
#[derive(Clone, Copy, Debug)]
pub(in crate::commands) enum After<'a> {
    /// The node works with it.
    Restart,
    /// An image is made of the node: the id of the bundle is left on it.
    Mark(&'a str),
}

/// The lines of the script. Bucket, prefix and id have no letters that a shell would read.
pub(in crate::commands) fn lines(bucket: &str, prefix: &str, after: After<'_>) -> Vec<String> {
    let mut lines = vec![
        "set -eu".to_owned(),
        format!("test -x {SCRIPT} || {{ echo '{SCRIPT} is not there or not executable' >&2; exit 127; }}"),
        format!("MODELS_BUCKET='{bucket}' BUNDLE_PREFIX='{prefix}' INSTALL_ROOT='{ROOT}' {SCRIPT}"),
    ];
    match after {
        After::Restart => lines.extend([
            "systemctl restart comfyui.service".to_owned(),
            "systemctl restart comfyui-worker.service || echo 'comfyui-worker.service was not restarted' >&2"
                .to_owned(),
        ]),
        After::Mark(id) => lines.extend([
            format!("printf '%s\\n' '{id}' > {BAKED}"),
            format!("echo \"{BAKED}: $(cat {BAKED})\""),
            "sync".to_owned(),
        ]),
    }
    lines
}

/// Sends the command in a step of whatever verb; says its id. There is no token that would recognise a second request:
/// after a lost answer the command is looked for by its comment. `again` is the command that may be repeated.
///
/// # Errors
/// What Systems Manager refuses; a lost answer and no such command, with how to go on.
pub(in crate::commands) async fn send<V: Change>(
    ctx: &Ctx,
    step: &StepRun<'_, V>,
    call: &SendCommand,
    again: impl FnOnce() -> CommandLine,
) -> Result<String> {
    let error = match step.send(&ctx.aws, call).await {
        // An answer that cannot be read is as good as none.
        Err(error) if matches!(error.kind(), ErrorKind::Unreachable | ErrorKind::Unexpected) => error,
        sent => return sent,
    };
    ctx.ui
        .warn("no answer to SendCommand: looking whether the command was sent");
    let instance = call.instance.known()?;
    let looked = Cell::new(false);
    let waited = Waiter::new(&ctx.clock, SEARCH, &ctx.cancel)
        .until(
            async || {
                let under_way = ctx.aws.scripts_under_way(instance).await?;
                looked.set(true);
                let ours = under_way.into_iter().find(|found| found.comment == call.comment);
                Ok(ours.map_or_else(
                    || Look::Pending(String::new()),
                    |found| Look::Ready(found.command),
                ))
            },
            |_| {},
        )
        .await;
    match waited {
        Ok(Waited::Ready(command)) => Ok(command),
        Ok(Waited::TimedOut) if looked.get() => Err(error.hint((
            "no such command is under way on the node; run",
            again(),
            "again: it looks first",
        ))),
        Ok(Waited::TimedOut | Waited::Cancelled) | Err(_) => Err(unknown(error, instance)),
    }
}

fn unknown(error: CtlError, instance: &str) -> CtlError {
    error.hint((
        "it is not known whether the command was sent: look with",
        CommandLine::aws("ssm", "list-command-invocations").option("--instance-id", instance),
    ))
}
