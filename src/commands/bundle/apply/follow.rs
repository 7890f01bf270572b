//! Follows a command to its end: its output as it comes, then what became of it.

use std::cell::RefCell;
use std::time::Duration;

use super::view::ApplyResult;
use super::{Apply, words};
use crate::aws::Tokens;
use crate::aws::logs::StreamRead;
use crate::aws::ssm::command::{Invocation, LOG_GROUP, Progress, output_stream};
use crate::change::{End, Verification, conclude_end};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Hint, Result};
use crate::exit::ExitStatus;
use crate::layout::InstanceId;
use crate::redact::redact;
use crate::wait::{Look, Waited, Waiter};

/// After the end of a script the agent sends what is left of its output.
const LAST_LINES: Duration = Duration::from_secs(8);

/// The command line that watches a command again.
pub(super) fn attach_command(command: &str, instance: &str) -> CommandLine {
    CommandLine::bpctl(["bundle", "apply"])
        .option("--attach", command)
        .option("--instance", instance)
}

/// A log stream that is read forward.
struct Output {
    stream: String,
    token: Option<String>,
    tokens: Tokens,
    lines: usize,
}

impl Output {
    fn of(command: &str, instance: &str, what: &str) -> Self {
        Self {
            stream: output_stream(command, instance, what),
            token: None,
            tokens: Tokens::default(),
            lines: 0,
        }
    }

    /// Shows what is new. A stream that is not there yet has nothing.
    async fn show(&mut self, ctx: &Ctx, from: &str) -> Result<()> {
        loop {
            let read = ctx
                .aws
                .log_page(LOG_GROUP, &self.stream, self.token.as_deref())
                .await?;
            let StreamRead::Page(page) = read else {
                return Ok(());
            };
            for event in &page.events {
                ctx.ui.log(from, &redact(&event.message));
                self.lines += 1;
            }
            if self.token.as_ref() == Some(&page.next) {
                return Ok(());
            }
            self.tokens
                .note(&format!("read the log stream {}", self.stream), &page.next)?;
            self.token = Some(page.next);
        }
    }
}

/// How the following of a command ended.
pub(in crate::commands) enum Followed {
    Ended(Invocation),
    /// It goes on; the text says why it is not followed any more.
    GoesOn(&'static str),
}

/// Follows a command until it ends, `timeout` passes or the operator interrupts.
pub(in crate::commands) async fn follow(
    ctx: &Ctx,
    command: &str,
    instance: &str,
    timeout: Duration,
) -> Result<Followed> {
    let progress = ctx.ui.progress(&format!("following command {command}"));
    let outputs = RefCell::new([
        ("stdout", Output::of(command, instance, "stdout")),
        ("stderr", Output::of(command, instance, "stderr")),
    ]);
    let unreadable = RefCell::new(false);
    let show = async || {
        if *unreadable.borrow() {
            return;
        }
        let mut streams = std::mem::replace(
            &mut *outputs.borrow_mut(),
            [
                ("stdout", Output::of("", "", "")),
                ("stderr", Output::of("", "", "")),
            ],
        );
        for (from, output) in &mut streams {
            if let Err(error) = output.show(ctx, from).await
                && !matches!(error.kind(), ErrorKind::Throttled | ErrorKind::Unreachable)
            {
                unreadable.replace(true);
                ctx.ui
                    .warn(&format!("the output cannot be shown while it runs: {error}"));
                break;
            }
        }
        outputs.replace(streams);
    };
    let waiter =
        Waiter::new(&ctx.clock, timeout, &ctx.cancel).pace(Duration::from_secs(2), Duration::from_secs(10));
    let waited = waiter
        .until(
            async || {
                let found = ctx.aws.invocation(command, instance).await?;
                show().await;
                Ok(match found {
                    None => Look::Pending("the command is not shown yet".to_owned()),
                    Some(found) if found.progress == Progress::UnderWay => {
                        Look::Pending(format!("the command is {}", found.status))
                    }
                    Some(found) => Look::Ready(found),
                })
            },
            |text| {
                ctx.ui.status(text);
                progress.say(text);
            },
        )
        .await?;
    let ended = match waited {
        Waited::Ready(ended) => ended,
        Waited::TimedOut => return Ok(Followed::GoesOn("the time is over")),
        Waited::Cancelled => return Ok(Followed::GoesOn("interrupted")),
    };
    ctx.clock.sleep(LAST_LINES).await;
    show().await;
    let shown: usize = outputs.borrow().iter().map(|(_, output)| output.lines).sum();
    if shown == 0 {
        // Without a right to write logs the node's output is only with the command itself.
        for (from, text) in [("stdout", &ended.stdout), ("stderr", &ended.stderr)] {
            for line in text.lines() {
                ctx.ui.log(from, &redact(line));
            }
        }
    }
    Ok(Followed::Ended(ended))
}

/// What the end of a command means.
fn end_of(ended: &Invocation) -> End {
    match ended.progress {
        Progress::Succeeded => End::Settled,
        Progress::UnderWay | Progress::Ended => End::Failed(failure(ended)),
    }
}

/// Why a command has not ended well.
pub(in crate::commands) fn failure(ended: &Invocation) -> CtlError {
    let what = match ended.exit_code {
        Some(code) => format!("the script ended with {code}"),
        None => format!("the command is {}", ended.status),
    };
    let mut error = CtlError::new(
        ErrorKind::Failed,
        format!("apply the bundle to {}: {what}", ended.instance),
    )
    .coded("apply-failed");
    if let Some(line) = ended.stderr.lines().rev().find(|line| !line.trim().is_empty()) {
        error = error.cause(redact(line).into_owned());
    }
    error.hint((
        "see all of its output with",
        CommandLine::aws("ssm", "get-command-invocation")
            .option("--command-id", &ended.command)
            .option("--instance-id", &ended.instance),
    ))
}

fn goes_on(command: &str, instance: &str, why: &str) -> End {
    End::Running {
        what: format!("command {command} goes on on {instance}, {why}"),
        hint: Hint::new("watch it again with").command(attach_command(command, instance)),
    }
}

/// `--attach`. Changes nothing.
pub(super) async fn attach(
    ctx: &Ctx,
    command: &str,
    instance: &InstanceId,
    timeout: Duration,
) -> Result<ExitStatus> {
    let instance = instance.as_ref();
    let known = ctx
        .unless_interrupted(ctx.aws.invocation(command, instance))
        .await?;
    if known.is_none() {
        return Err(CtlError::new(
            ErrorKind::NotFound,
            format!("watch command {command}: there is none of this id on {instance}"),
        )
        .hint((
            "see the commands of the instance with",
            CommandLine::aws("ssm", "list-command-invocations").option("--instance-id", instance),
        )));
    }
    let (end, result) = match follow(ctx, command, instance, timeout).await? {
        Followed::Ended(ended) => (end_of(&ended), ApplyResult::of(&ended)),
        Followed::GoesOn(why) => (
            goes_on(command, instance, why),
            ApplyResult::going_on(command, instance),
        ),
    };
    let outcome = conclude_end(&words(instance), instance, &end, ctx.cancel.is_cancelled());
    ctx.emit_outcome(&result, outcome)
}

/// Follows what the step has sent, keeps the output and tells the backend.
pub(super) async fn verify<'c>(change: &Apply<'c>, run: &mut Verification<'_, Apply<'c>>) -> Result<()> {
    let name = change.instance.as_ref();
    let done: Vec<_> = run
        .done()
        .into_iter()
        .map(|(step, command)| (step.clone(), command))
        .collect();
    let Some((step, Some(command))) = done.into_iter().next() else {
        return Ok(());
    };
    let (ctx, instance) = (change.ctx, change.instance.as_ref());
    if !run.waits() {
        ctx.ui.hint(("watch it with", attach_command(&command, instance)));
        run.ending(name, ApplyResult::going_on(&command, instance));
        return Ok(());
    }
    let ended = match follow(ctx, &command, instance, run.remaining()).await? {
        Followed::Ended(ended) => ended,
        Followed::GoesOn(why) => {
            run.end(name, goes_on(&command, instance, why));
            run.ending(name, ApplyResult::going_on(&command, instance));
            return Ok(());
        }
    };
    let mut result = ApplyResult::of(&ended);
    let log = result.log(&step.action.bundle_id)?;
    let keep = step.action.keep(Some(&log));
    match run.send(&step, &ctx.aws, &keep).await {
        Ok(()) => result.log_key = Some(step.action.log_key.clone()),
        // What the node did is done all the same.
        Err(error) => ctx
            .ui
            .warn_with(&format!("the output is not kept: {error}"), error.hints()),
    }
    if ended.progress == Progress::Succeeded
        && let Some(record) = change.record(&step.action)
        && let Err(error) = run.send(&step, &ctx.aws, &record).await
    {
        ctx.ui.warn_with(&error.to_string(), error.hints());
    }
    run.end(name, end_of(&ended));
    run.ending(name, result);
    Ok(())
}
