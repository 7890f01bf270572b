//! `bpctl stack events`: what happened to stacks, by time.

use std::time::Duration;

use clap::Args;
use futures::stream;
use futures::{StreamExt as _, TryStreamExt as _};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::which;
use crate::aws::cloudformation::StackEvent;
use crate::commands::verb::{Needs, Verb};
use crate::commands::watch::{WatchArgs, watch};
use crate::context::Ctx;
use crate::error::{CtlError, Result};
use crate::exit::ExitStatus;
use crate::iam::{On, Use, Uses};
use crate::layout::Layout;
use crate::output::{Render, Table, View, age_at, lasted};

/// Stacks whose events are read at the same time: CloudFormation publishes no rates, and throttles early.
const AT_ONCE: usize = 4;

/// Show what happened to stacks and their resources, merged by time, the oldest first
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl stack events                       every stack, the last day
  bpctl stack events compute --since 2h
  bpctl stack events --failed --since 30d  only what failed
  bpctl stack events compute -w            while a deployment is under way")]
pub(crate) struct EventsArgs {
    /// Only of these stacks
    #[arg(value_name = "STACK")]
    stacks: Vec<String>,

    /// How far back; CloudFormation keeps events for 90 days
    #[arg(long, value_name = "DURATION", default_value = "24h", value_parser = humantime::parse_duration)]
    since: Duration,

    /// Only failures
    #[arg(long)]
    failed: bool,

    #[command(flatten)]
    watch: WatchArgs,
}

/// The document.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct StackEvents {
    /// The oldest first.
    events: Vec<Row>,
    #[serde(skip)]
    now: Timestamp,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Row {
    id: String,
    at: Option<Timestamp>,
    stack: String,
    /// Name of the resource in the template; that of the stack itself is its own.
    resource: String,
    /// E.g. `AWS::ECS::Service`.
    kind: String,
    /// E.g. `UPDATE_FAILED`.
    status: String,
    reason: Option<String>,
}

impl Verb for EventsArgs {
    fn uses() -> Uses {
        Uses::of(&[&[
            Use::of("cloudformation:DescribeStackEvents", On::Stacks),
            Use::of("cloudformation:DescribeStacks", On::Anything),
            Use::of("cloudformation:ListStacks", On::Anything),
        ]])
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let layout = ctx.layout()?;
        let names = which::named(&layout, &self.stacks)?;
        let look = async || ctx.unless_interrupted(self.look(ctx, &layout, &names)).await;
        if self.watch.is_on() {
            return watch(ctx, &self.watch, look).await;
        }
        let found = look().await?;
        if found.events.is_empty() {
            let since = lasted(self.since);
            ctx.ui.status(&format!("Nothing happened in the last {since}"));
        }
        ctx.emit(&found)?;
        Ok(ExitStatus::Done)
    }
}

impl EventsArgs {
    async fn look(&self, ctx: &Ctx, layout: &Layout, names: &[String]) -> Result<StackEvents> {
        let stacks = which::chosen(ctx, layout, names).await?;
        let now = ctx.clock.now();
        let since = now.checked_sub(self.since).unwrap_or_default();
        let reads = stacks.into_iter().map(|(_, stack)| async move {
            let events = ctx.aws.stack_events_since(&stack.name, since).await?;
            Ok::<_, CtlError>((stack.name, events))
        });
        let by_stack: Vec<(String, Vec<StackEvent>)> = stream::iter(reads)
            .map(Box::pin)
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
        let mut events: Vec<Row> = by_stack
            .into_iter()
            .flat_map(|(stack, events)| {
                let row = move |event: StackEvent| Row {
                    id: event.id,
                    at: event.at,
                    stack: stack.clone(),
                    resource: event.resource,
                    kind: event.kind,
                    status: event.status,
                    reason: event.reason,
                };
                // The newest come first; those of one moment keep their order.
                events.into_iter().rev().map(row)
            })
            .filter(|row| !self.failed || row.status.ends_with("_FAILED"))
            .collect();
        events.sort_by_key(|row| row.at);
        Ok(StackEvents { events, now })
    }
}

impl Render for StackEvents {
    fn human(&self, view: &View) -> String {
        let mut table = Table::new(&["AGE", "STACK", "RESOURCE", "STATUS", "REASON"]);
        for row in &self.events {
            let resource = match view.wide {
                true => format!("{} ({})", row.resource, row.kind),
                false => row.resource.clone(),
            };
            table.row([
                age_at(self.now, row.at),
                row.stack.clone(),
                resource,
                row.status.clone(),
                row.reason.clone().unwrap_or_else(|| "-".to_owned()),
            ]);
        }
        table.render(view)
    }

    fn names(&self) -> Vec<String> {
        self.events.iter().map(|row| row.id.clone()).collect()
    }
}
