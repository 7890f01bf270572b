//! What the stacks are like, beside what they are to become.

use std::collections::{BTreeMap, BTreeSet};

use futures::stream;
use futures::{StreamExt as _, TryStreamExt as _};
use serde_json::Value;

use super::Request;
use super::images::{NoPointer, WithoutImages, without_images, without_pointers};
use super::synth::no_such_stack;
use crate::aws::cloudformation::{Stack, StackEvent};
use crate::change::journal::Record;
use crate::context::Ctx;
use crate::error::{CtlError, Result};
use crate::layout::Layout;
use crate::stacks::{Assembly, Comparison, InForce, StackArtifact, compare, is_built_in};

/// Stacks that are read at the same time.
const AT_ONCE: usize = 4;

/// What a plan is made from.
#[derive(Debug)]
pub(in crate::commands) struct Seen {
    /// In the order of their deployment.
    pub(in crate::commands::stack) stacks: Vec<StackSeen>,
    /// Names of all stacks of the region.
    pub(super) present: Vec<String>,
    /// The names under which stacks of the region export something.
    pub(super) exports: BTreeSet<String>,
    /// What the deployed stacks show of the app's values.
    pub(super) in_force: InForce,
}

/// A stack of the assembly, and what is there of it.
#[derive(Debug)]
pub(in crate::commands::stack) struct StackSeen {
    pub(in crate::commands::stack) artifact: StackArtifact,
    pub(in crate::commands::stack) present: Option<Stack>,
    pub(in crate::commands::stack) comparison: Comparison,
    /// Exports that the new template has no more, with the stacks that import them.
    pub(in crate::commands::stack) imported: Vec<(String, Vec<String>)>,
    /// Whether the stack is there from templates of another kind than the new one.
    pub(super) made_otherwise: bool,
    /// The token of an earlier run's operation that is under way.
    pub(super) going_on: Option<String>,
    /// Services that begin, or that sleep, without images.
    pub(super) without_images: Vec<WithoutImages>,
    /// Pointers to images that new fleets would start from, and that are not there.
    pub(super) without_pointers: Vec<NoPointer>,
}

/// Reads everything.
pub(in crate::commands::stack) async fn observe(
    ctx: &Ctx,
    layout: &Layout,
    assembly: &Assembly,
    request: &Request,
    recent: &[Record],
) -> Result<Seen> {
    let all = ctx.aws.stacks().await?;
    let mut present: BTreeMap<String, Stack> =
        all.into_iter().map(|stack| (stack.name.clone(), stack)).collect();
    // One that only has a change set holds nothing yet, not even a template.
    let holds = present
        .values()
        .filter(|stack| stack.status != "REVIEW_IN_PROGRESS");
    let names: Vec<String> = holds.map(|stack| stack.name.clone()).collect();
    let exports = present.values().flat_map(|stack| stack.exports.keys().cloned());
    let exports: BTreeSet<String> = exports.collect();
    let chosen = chosen(assembly, request)?;
    let (in_force, stacks) = futures::join!(in_force(ctx, layout, &names), async {
        let looks = chosen.into_iter().map(|artifact| {
            let there = present.remove(&artifact.name);
            Box::pin(look(ctx, layout, request, artifact, there, recent))
        });
        let looks: Vec<_> = looks.collect();
        stream::iter(looks).buffered(AT_ONCE).try_collect().await
    });
    Ok(Seen {
        stacks: stacks?,
        present: names,
        exports,
        in_force: in_force?,
    })
}

/// What the deployed templates show of the app's values.
///
/// # Errors
/// A template that cannot be read: what is in force is then unknown.
pub(in crate::commands) async fn in_force(ctx: &Ctx, layout: &Layout, present: &[String]) -> Result<InForce> {
    let mut found = InForce::default();
    for role in ["compute", "monitoring"] {
        let Some(stack) = layout.core_stack(role).filter(|stack| present.contains(stack)) else {
            continue;
        };
        if let Some(template) = deployed(ctx, &stack).await? {
            found = found.and(InForce::of(&template));
        }
    }
    Ok(found)
}

/// The stacks that were asked for, with none left out that the assembly knows under another name.
fn chosen(assembly: &Assembly, request: &Request) -> Result<Vec<StackArtifact>> {
    for name in &request.stacks {
        if assembly.stack(name).is_none() {
            return Err(no_such_stack(name, assembly));
        }
    }
    let wanted = |stack: &&StackArtifact| request.stacks.is_empty() || request.stacks.contains(&stack.name);
    Ok(assembly.stacks.iter().filter(wanted).cloned().collect())
}

async fn look(
    ctx: &Ctx,
    layout: &Layout,
    request: &Request,
    mut artifact: StackArtifact,
    present: Option<Stack>,
    recent: &[Record],
) -> Result<StackSeen> {
    let Some(stack) = present.filter(|stack| stack.status != "REVIEW_IN_PROGRESS") else {
        let without_images = without_images(ctx, layout, &mut artifact, &Value::Null).await?;
        return Ok(StackSeen {
            without_pointers: pointers(ctx, layout, request, &artifact.template, &Value::Null).await?,
            comparison: compare(&Value::Null, &artifact.template),
            artifact,
            present: None,
            imported: Vec::new(),
            made_otherwise: false,
            going_on: None,
            without_images,
        });
    };
    let going_on = match stack.status.ends_with("_IN_PROGRESS") {
        true => {
            let events = ctx.aws.stack_events(&stack.name).await?;
            token_of_ours(&stack.name, &events, recent)
        }
        false => None,
    };
    let old = deployed(ctx, &stack.name).await?.unwrap_or(Value::Null);
    let kept = artifact.exports();
    let mut imported = Vec::new();
    for export in stack.exports.keys().filter(|name| !kept.contains(name.as_str())) {
        let importers = ctx.aws.importers(export).await?;
        if !importers.is_empty() {
            imported.push((export.clone(), importers));
        }
    }
    // A new stack in the place of one whose creation was rolled back starts from nothing.
    let old = if stack.status == "ROLLBACK_COMPLETE" {
        Value::Null
    } else {
        old
    };
    let without_images = without_images(ctx, layout, &mut artifact, &old).await?;
    Ok(StackSeen {
        without_pointers: pointers(ctx, layout, request, &artifact.template, &old).await?,
        made_otherwise: !old.is_null() && is_built_in(&artifact.template) != is_built_in(&old),
        comparison: compare(&old, &artifact.template),
        artifact,
        present: Some(stack),
        imported,
        going_on,
        without_images,
    })
}

async fn pointers(
    ctx: &Ctx,
    layout: &Layout,
    request: &Request,
    template: &Value,
    old: &Value,
) -> Result<Vec<NoPointer>> {
    match request.looks_for_pointers {
        true => without_pointers(ctx, layout, template, old).await,
        false => Ok(Vec::new()),
    }
}

/// The deployed template; one in YAML is none that the CDK has made.
pub(in crate::commands) async fn deployed(ctx: &Ctx, stack: &str) -> Result<Option<Value>> {
    // A stack whose first import goes on, or was undone, has none yet.
    let text = ctx.aws.template(stack).await?;
    let Some(text) = text.filter(|text| !text.trim().is_empty()) else {
        return Ok(None);
    };
    serde_json::from_str(&text).map(Some).map_err(|error| {
        CtlError::config(format!(
            "compare stack `{stack}`: its deployed template is no JSON"
        ))
        .source(&error)
    })
}

/// The token of the operation that is under way, when an earlier run of bpctl has begun it.
pub(in crate::commands::stack) fn token_of_ours(
    stack: &str,
    events: &[StackEvent],
    recent: &[Record],
) -> Option<String> {
    let newest = events.iter().find(|event| event.is_of_stack(stack))?;
    let token = newest.token.clone()?;
    recent
        .iter()
        .any(|record| record.notes.values().any(|note| *note == token))
        .then_some(token)
}

impl StackSeen {
    pub(super) fn name(&self) -> &str {
        &self.artifact.name
    }

    /// Whether a new stack is made.
    pub(super) fn creates(&self) -> bool {
        self.present
            .as_ref()
            .is_none_or(|stack| stack.status == "ROLLBACK_COMPLETE")
    }

    /// Whether the tags of the stack differ.
    pub(in crate::commands::stack) fn retags(&self) -> bool {
        let wanted: BTreeMap<String, String> = self.artifact.tags.iter().cloned().collect();
        self.present.as_ref().is_some_and(|stack| stack.tags != wanted)
    }

    /// Whether termination protection has to be set or taken off.
    pub(super) fn protects(&self) -> Option<bool> {
        let wanted = self.artifact.termination_protection;
        let is = match &self.present {
            Some(stack) if !self.creates() => stack.termination_protection.unwrap_or(false),
            _ => false,
        };
        (wanted != is).then_some(wanted)
    }

    pub(super) fn changes_something(&self) -> bool {
        self.creates() || !self.comparison.is_empty() || self.retags()
    }
}
