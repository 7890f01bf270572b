//! `bpctl stack status`: how stacks are, what failed first, and what to do.

use std::collections::BTreeMap;

use clap::Args;
use futures::stream;
use futures::{StreamExt as _, TryStreamExt as _};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::list::{Row, say_who};
use super::which::{self, Part};
use crate::aws::cloudformation::{Stack, StackEvent, failures_of_last_operation, last_operation};
use crate::commands::verb::{Needs, Verb};
use crate::commands::watch::{WatchArgs, watch};
use crate::context::Ctx;
use crate::error::{CtlError, Hint, Result};
use crate::exit::ExitStatus;
use crate::iam::{On, Use, Uses};
use crate::layout::Layout;
use crate::output::{Render, View, age_at, paragraph};
use crate::triage;
use crate::ui::one_line;

/// Stacks that are read at the same time.
const AT_ONCE: usize = 4;

/// Failures that are told of a stack.
const FAILURES: usize = 3;

/// Show how stacks are: their state, the first thing that failed in the last operation, and what to do
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl stack status                every stack of the platform
  bpctl stack status compute        one
  bpctl stack status compute -w     while a deployment is under way")]
pub(crate) struct StatusArgs {
    /// Only these stacks
    #[arg(value_name = "STACK")]
    stacks: Vec<String>,

    #[command(flatten)]
    watch: WatchArgs,
}

/// The document.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct StackStatus {
    stacks: Vec<Details>,
    #[serde(skip)]
    now: Timestamp,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Details {
    #[serde(flatten)]
    stack: Row,
    /// Number of resources by their states.
    resources: BTreeMap<String, usize>,
    /// When the last operation began; null when its beginning is further back than the newest events.
    operation_began: Option<Timestamp>,
    /// What failed in the last operation, the first failure first.
    failures: Vec<Failure>,
    /// What the state means, where something is to be done or waited for.
    cause: Option<String>,
    next: Vec<Hint>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Failure {
    at: Option<Timestamp>,
    /// Its name in the template.
    resource: String,
    /// E.g. `AWS::ECS::Service`.
    kind: String,
    status: String,
    reason: Option<String>,
}

impl Verb for StatusArgs {
    fn uses() -> Uses {
        Uses::of(&[&[
            Use::of("cloudformation:DescribeStackEvents", On::Stacks),
            Use::of("cloudformation:DescribeStacks", On::Anything),
            Use::of("cloudformation:ListStackResources", On::Stacks),
            Use::of("cloudformation:ListStacks", On::Anything),
            Use::of("cloudtrail:LookupEvents", On::Anything),
        ]])
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let layout = ctx.layout()?;
        let names = which::named(&layout, &self.stacks)?;
        let look = async || ctx.unless_interrupted(look(ctx, &layout, &names)).await;
        if self.watch.is_on() {
            return watch(ctx, &self.watch, look).await;
        }
        let mut status = look().await?;
        // CloudTrail answers twice a second, for everyone in the account: a watch does not ask it again and again.
        let rows = status.stacks.iter_mut().map(|details| &mut details.stack);
        let told = async {
            say_who(ctx, rows).await;
            Ok(())
        };
        ctx.unless_interrupted(told).await?;
        ctx.emit(&status)?;
        Ok(ExitStatus::Done)
    }
}

async fn look(ctx: &Ctx, layout: &Layout, names: &[String]) -> Result<StackStatus> {
    let stacks = which::chosen(ctx, layout, names).await?;
    let now = ctx.clock.now();
    let reads = stacks
        .into_iter()
        .map(|(part, stack)| details(ctx, part, stack, now));
    let stacks = stream::iter(reads)
        .map(Box::pin)
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    Ok(StackStatus { stacks, now })
}

async fn details(ctx: &Ctx, part: Part, stack: Stack, now: Timestamp) -> Result<Details, CtlError> {
    let (resources, events) = futures::join!(
        ctx.aws.stack_resources(&stack.name),
        ctx.aws.stack_events(&stack.name),
    );
    let (resources, events) = (resources?, events?);
    let mut by_state = BTreeMap::new();
    for resource in resources {
        *by_state.entry(resource.status).or_insert(0) += 1;
    }
    let began = last_operation(&stack.name, &events).last();
    let began = began.filter(|event| event.is_of_stack(&stack.name));
    let place = ctx.ui.place().clone();
    let finding = triage::rules::of_stack(&stack, &events, now).map(|finding| finding.in_place(&place));
    let failures = failures_of_last_operation(&stack.name, &events);
    Ok(Details {
        resources: by_state,
        operation_began: began.and_then(|event| event.at),
        failures: failures.into_iter().take(FAILURES).map(failure).collect(),
        cause: finding.as_ref().map(|finding| finding.cause.clone()),
        next: finding.map(|finding| finding.next).unwrap_or_default(),
        stack: Row::of(part, stack),
    })
}

fn failure(event: &StackEvent) -> Failure {
    Failure {
        at: event.at,
        resource: event.resource.clone(),
        kind: event.kind.clone(),
        status: event.status.clone(),
        reason: event.reason.clone(),
    }
}

impl Render for StackStatus {
    fn human(&self, view: &View) -> String {
        let mut out = String::new();
        for details in &self.stacks {
            let stack = &details.stack;
            let by = stack.name_of_who().map(|who| format!(", by {}", one_line(who)));
            out.push_str(&format!(
                "{}  {}  {}{}  {}\n",
                one_line(&stack.name),
                one_line(stack.status.as_deref().unwrap_or("absent")),
                age_at(self.now, stack.changed()),
                by.unwrap_or_default(),
                stack.what(),
            ));
            let counts: Vec<String> = details
                .resources
                .iter()
                .map(|(state, count)| format!("{count} {state}"))
                .collect();
            paragraph(&mut out, view, "  resources: ", &counts.join(", "));
            for failure in &details.failures {
                let reason = failure.reason.as_deref().unwrap_or("no reason given");
                let line = format!(
                    "{} ({}) {} ago, {}: {reason}",
                    failure.resource,
                    failure.kind,
                    age_at(self.now, failure.at),
                    failure.status
                );
                paragraph(&mut out, view, "  failed: ", &line);
            }
            if let Some(cause) = &details.cause {
                paragraph(&mut out, view, "  cause: ", cause);
            }
            for (number, step) in details.next.iter().enumerate() {
                let label = if number == 0 { "next:" } else { "then:" };
                match step.only_command() {
                    // One line, whatever its length: it is to be copied.
                    Some(_) => out.push_str(&format!("  {label} {}\n", one_line(&step.line()))),
                    None => paragraph(&mut out, view, &format!("  {label} "), &step.line()),
                }
            }
        }
        out
    }

    fn names(&self) -> Vec<String> {
        self.stacks
            .iter()
            .map(|details| details.stack.name.clone())
            .collect()
    }
}
