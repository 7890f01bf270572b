//! `bpctl stack drift`: what was changed beside the stacks since they were deployed.

use std::cell::Cell;
use std::time::Duration;

use clap::Args;
use futures::stream;
use futures::{StreamExt as _, TryStreamExt as _};
use schemars::JsonSchema;
use serde::Serialize;

use super::which;
use crate::aws::cloudformation::{Detection, Drifted};
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CtlError, ErrorKind, Result};
use crate::exit::ExitStatus;
use crate::iam::{On, Use, Uses};
use crate::output::{Render, View, paragraph};
use crate::ui::one_line;
use crate::wait::{Look, Waited, Waiter};

/// Stacks that are looked at at the same time.
const AT_ONCE: usize = 4;

/// Look for what was changed by hand since stacks were deployed
///
/// Begins a detection for each stack, waits for its end and shows the properties that differ. Nothing is changed. A
/// stack that could not be looked at ends with status 7.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl stack drift                       every stack of the platform
  bpctl stack drift network --exit-code   status 9 when anything differs")]
pub(crate) struct DriftArgs {
    /// Only these stacks
    #[arg(value_name = "STACK")]
    stacks: Vec<String>,

    /// Exit with status 9 when a stack has drifted
    #[arg(long)]
    exit_code: bool,

    /// How long to wait for the detections, e.g. 90s or 1h [default: wait_timeout of the context, 30m]
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    timeout: Option<Duration>,
}

/// The document.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct StackDrift {
    stacks: Vec<Row>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Row {
    name: String,
    /// `IN_SYNC`, `DRIFTED` or `UNKNOWN`; null when it could not be found out.
    drift: Option<String>,
    /// Why it could not be found out.
    reason: Option<String>,
    resources: Vec<Drifted>,
}

impl Verb for DriftArgs {
    fn uses() -> Uses {
        Uses::of(&[&[
            Use::of("cloudformation:DescribeStackDriftDetectionStatus", On::Anything),
            Use::of("cloudformation:DescribeStackResourceDrifts", On::Stacks),
            Use::of("cloudformation:DescribeStacks", On::Anything),
            Use::of("cloudformation:DetectStackDrift", On::Stacks),
            Use::of("cloudformation:ListStacks", On::Anything),
        ]])
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let layout = ctx.layout()?;
        let names = which::named(&layout, &self.stacks)?;
        let look = async {
            let stacks = which::chosen(ctx, &layout, &names).await?;
            let rows = stacks.into_iter().map(|(_, stack)| self.row(ctx, stack.name));
            let stacks = stream::iter(rows)
                .map(Box::pin)
                .buffered(AT_ONCE)
                .try_collect()
                .await?;
            Ok(StackDrift { stacks })
        };
        let drift = ctx.unless_interrupted(look).await?;
        ctx.emit(&drift)?;
        let is = |state: Option<&str>| drift.stacks.iter().any(|row| row.drift.as_deref() == state);
        Ok(if is(None) || is(Some("UNKNOWN")) {
            ExitStatus::Partial
        } else if is(Some("DRIFTED")) && self.exit_code {
            ExitStatus::Differences
        } else {
            ExitStatus::Done
        })
    }
}

impl DriftArgs {
    /// What there is to say of one stack: that it could not be looked at hides no other's drift.
    async fn row(&self, ctx: &Ctx, name: String) -> Result<Row> {
        let (drift, reason, resources) = match self.detect(ctx, &name).await {
            Ok((drift, resources)) => (Some(drift), None, resources),
            Err(error) => match error.kind() {
                // That is so for all of them.
                ErrorKind::AccessDenied | ErrorKind::Credentials | ErrorKind::Interrupted => {
                    return Err(error);
                }
                _ => (None, Some(error.to_string()), Vec::new()),
            },
        };
        Ok(Row {
            name,
            drift,
            reason,
            resources,
        })
    }

    async fn detect(&self, ctx: &Ctx, stack: &str) -> Result<(String, Vec<Drifted>)> {
        let timeout = self.timeout.unwrap_or(ctx.settings.wait_timeout.value);
        let id: Cell<Option<String>> = Cell::new(None);
        let waited = Waiter::new(&ctx.clock, timeout, &ctx.cancel)
            .until(
                async || {
                    let Some(running) = id.take() else {
                        // The detection of another caller may have begun before the last deployment: one of this run follows.
                        let begun = ctx.aws.detect_drift(stack).await?;
                        let text = match begun {
                            Some(_) => "looking for drift",
                            None => "waiting for another detection of drift to end",
                        };
                        id.set(begun);
                        return Ok(Look::Pending(text.to_owned()));
                    };
                    let seen = ctx.aws.drift_detection(&running).await;
                    id.set(Some(running));
                    Ok(match seen? {
                        Detection::Running => Look::Pending("looking for drift".to_owned()),
                        Detection::Complete(drift) => Look::Ready(Ok(drift)),
                        Detection::Failed(reason) => Look::Ready(Err(reason)),
                    })
                },
                |text| ctx.ui.status(&format!("{stack}: {text}")),
            )
            .await?;
        let found = match waited {
            Waited::Ready(found) => found,
            Waited::TimedOut => {
                return Err(CtlError::new(
                    ErrorKind::TimedOut,
                    format!("see the drift of stack `{stack}`: the detection has not ended in time"),
                ));
            }
            Waited::Cancelled => {
                return Err(CtlError::new(
                    ErrorKind::Interrupted,
                    format!("see the drift of stack `{stack}`: interrupted"),
                ));
            }
        };
        let drift = found.map_err(|reason| {
            CtlError::new(ErrorKind::Failed, format!("see the drift of stack `{stack}`")).cause(reason)
        })?;
        let resources = match drift.as_str() {
            "DRIFTED" => ctx.aws.drifted(stack).await?,
            _ => Vec::new(),
        };
        Ok((drift, resources))
    }
}

impl Render for StackDrift {
    fn human(&self, view: &View) -> String {
        let mut out = String::new();
        for row in &self.stacks {
            let state = row.drift.as_deref().unwrap_or("could not be checked");
            out.push_str(&format!("{}  {state}\n", one_line(&row.name)));
            if let Some(reason) = &row.reason {
                paragraph(&mut out, view, "  ", reason);
            }
            for resource in &row.resources {
                let line = format!("{} ({}) is {}", resource.logical, resource.kind, resource.status);
                paragraph(&mut out, view, "  - ", &line);
                for difference in &resource.differences {
                    paragraph(
                        &mut out,
                        view,
                        "    ",
                        &format!("{} {}", difference.path, difference.kind),
                    );
                    paragraph(&mut out, view, "      deployed: ", &difference.expected);
                    paragraph(&mut out, view, "      is:       ", &difference.actual);
                }
            }
        }
        out
    }

    fn names(&self) -> Vec<String> {
        self.stacks
            .iter()
            .filter(|row| row.drift.as_deref() == Some("DRIFTED"))
            .map(|row| row.name.clone())
            .collect()
    }
}
