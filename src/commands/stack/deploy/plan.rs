//! From what was seen to the operations on the stacks, or to what speaks against them. Pure.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Request;
use super::images::{NoPointer, WithoutImages};
use super::observe::{Seen, StackSeen};
use super::publish::{PublishAssets, PublishByCdk};
use crate::aws::cloudformation::{
    CreateChangeSet, DeleteChangeSet, DeleteStack, ExecuteChangeSet, INLINE_TEMPLATE,
    SetTerminationProtection, TemplateSource,
};
use crate::change::{Basis, Blocker, Call as _, Loss, Plan, Step};
use crate::error::{CommandLine, ErrorKind, Hint};
use crate::stacks::{Action as ResourceAction, Change, Replacement};
use crate::triage::commands::build_image;

/// Stacks that are worked on at the same time.
const AT_ONCE: usize = 4;

/// Differences of a stack that the plan's text shows; the JSON has all.
const SHOWN: usize = 20;

/// One step: what is done to a stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::commands) struct Action {
    pub(super) stack: String,
    /// `UPDATE_COMPLETE` and the like when the plan was made; none for a new stack.
    pub(super) status: Option<String>,
    /// Removes what a creation that was rolled back has left.
    pub(super) delete: Option<DeleteStack>,
    pub(super) publish: Option<PublishAssets>,
    /// What publishes instead where `cdk-assets` is too old.
    pub(super) publish_by_cdk: Option<PublishByCdk>,
    pub(super) create: CreateChangeSet,
    pub(super) discard: DeleteChangeSet,
    /// Takes back the empty stack that a change set of a new one makes.
    pub(super) discard_stack: Option<DeleteStack>,
    pub(super) execute: ExecuteChangeSet,
    pub(super) protect: Option<SetTerminationProtection>,
    /// What the plan says of the resources: the change set may do no more.
    pub(super) announced: Vec<Change>,
    /// Resources that the operator allows to be replaced.
    pub(super) allowed: Vec<String>,
    /// Stacks of the same plan that come first.
    pub(super) needs: Vec<String>,
    /// The token of an operation that is gone on with.
    pub(super) going_on: Option<String>,
    /// Whether there is a change set to make; otherwise only the termination protection is set.
    pub(super) sets: bool,
}

pub(super) fn plan(request: &Request, seen: &Seen, basis: &Basis<'_>) -> Plan<Action> {
    let touched: Vec<&StackSeen> = seen
        .stacks
        .iter()
        .filter(|stack| stack.going_on.is_some() || stack.changes_something() || stack.protects().is_some())
        .collect();
    let names: BTreeSet<&str> = touched.iter().map(|stack| stack.name()).collect();
    let steps: Vec<Step<Action>> = touched
        .iter()
        .map(|stack| step(request, stack, &names, basis))
        .collect();
    let title = request.title.clone().unwrap_or_else(|| match names.len() {
        1 => format!("deploy stack {}", names.first().copied().unwrap_or_default()),
        _ => "deploy the stacks".to_owned(),
    });
    let mut plan = Plan::new(title, steps);
    plan.at_once = AT_ONCE;
    plan.facts.clone_from(&request.facts);
    plan.warnings.clone_from(&request.warnings);
    let without_images = touched.iter().flat_map(|stack| &stack.without_images);
    plan.warnings.extend(without_images.map(WithoutImages::told));
    plan.blockers.clone_from(&request.blockers);
    if seen
        .stacks
        .iter()
        .any(|stack| stack.going_on.is_none() && stack.changes_something())
    {
        plan.blockers.extend(request.against_changes.iter().cloned());
    }
    plan.blockers.extend(
        seen.stacks
            .iter()
            .flat_map(|stack| blockers(request, stack, seen)),
    );
    plan.blockers.extend(dropped(request, seen));
    plan.say_what_is_blocked();
    plan
}

fn step(request: &Request, stack: &StackSeen, planned: &BTreeSet<&str>, basis: &Basis<'_>) -> Step<Action> {
    let artifact = &stack.artifact;
    let name = artifact.name.clone();
    let set = format!("bpctl-{}", basis.names.token);
    let creates = stack.creates();
    let body = artifact.body();
    let template = match &artifact.template_url {
        Some(url) if artifact.has_files || body.len() > INLINE_TEMPLATE => TemplateSource::Url(url.clone()),
        _ => TemplateSource::Body(body),
    };
    let changes = &stack.comparison.changes;
    let token = |what: &str| format!("{}-{what}", basis.names.token);
    let needs: Vec<String> = artifact
        .needs
        .iter()
        .filter(|need| planned.contains(need.as_str()))
        .cloned()
        .collect();
    let publish = published(stack, &template);
    let action = Action {
        stack: name.clone(),
        status: stack.present.as_ref().map(|present| present.status.clone()),
        delete: (creates && stack.present.is_some()).then(|| DeleteStack {
            stack: name.clone(),
            retain: Vec::new(),
            token: token("delete"),
            loses: None,
        }),
        publish_by_cdk: publish
            .as_ref()
            .and_then(|publish| published_by_cdk(stack, publish)),
        publish,
        create: CreateChangeSet {
            stack: name.clone(),
            name: set.clone(),
            creates,
            template,
            tags: artifact.tags.clone(),
            role: artifact.role.clone(),
            token: token("set"),
        },
        discard: DeleteChangeSet {
            stack: name.clone(),
            name: set.clone(),
        },
        discard_stack: creates.then(|| DeleteStack {
            stack: name.clone(),
            retain: Vec::new(),
            token: token("discard"),
            loses: None,
        }),
        execute: ExecuteChangeSet {
            stack: name.clone(),
            name: set,
            token: token("run"),
            loses: loss(changes),
        },
        protect: stack.protects().map(|enabled| SetTerminationProtection {
            stack: name.clone(),
            enabled,
        }),
        announced: changes.clone(),
        allowed: request.allowed.clone(),
        needs: needs.clone(),
        going_on: stack.going_on.clone(),
        sets: stack.changes_something(),
    };
    let mut step = Step::new(name, summary(stack), calls(stack, &action), action.clone());
    if stack.going_on.is_none() && stack.changes_something() {
        step.if_needed = match &action.discard_stack {
            Some(stack) => vec![stack.described()],
            None => vec![action.discard.described()],
        };
    }
    if stack.changes_something() && stack.going_on.is_none() {
        let by_cdk = action.publish_by_cdk.as_ref();
        step.if_needed.extend(by_cdk.map(crate::change::Call::described));
    }
    step.notes = notes(stack);
    step.waits = !needs.is_empty();
    if let Some(present) = &stack.present {
        step.before = Some(present.status.clone());
        step.after = Some(
            if creates {
                "CREATE_COMPLETE"
            } else {
                "UPDATE_COMPLETE"
            }
            .to_owned(),
        );
    }
    step
}

fn summary(stack: &StackSeen) -> String {
    match (&stack.going_on, &stack.present) {
        (Some(_), _) => "go on with the operation that is under way".to_owned(),
        (None, None) => format!("create it with {} resources", stack.comparison.changes.len()),
        (None, Some(_)) if stack.creates() => {
            "remove what its failed creation left, and create it".to_owned()
        }
        (None, Some(_)) if !stack.changes_something() => "set its termination protection".to_owned(),
        (None, Some(_)) => {
            let count = |action| {
                let changes = stack.comparison.changes.iter();
                changes.filter(|change| change.action == action).count()
            };
            format!(
                "update it: {} to add, {} to change, {} to remove",
                count(ResourceAction::Add),
                count(ResourceAction::Modify),
                count(ResourceAction::Remove)
            )
        }
    }
}

fn calls(stack: &StackSeen, action: &Action) -> Vec<crate::change::ApiCall> {
    if action.going_on.is_some() {
        return Vec::new();
    }
    let mut calls = Vec::new();
    if stack.changes_something() {
        calls.extend(action.delete.as_ref().map(crate::change::Call::described));
        calls.extend(action.publish.as_ref().map(crate::change::Call::described));
        calls.push(action.create.described());
        calls.push(action.execute.described());
    }
    calls.extend(action.protect.as_ref().map(crate::change::Call::described));
    calls
}

/// The files that CloudFormation, Lambda and others read from the bootstrap bucket.
fn published(stack: &StackSeen, template: &TemplateSource) -> Option<PublishAssets> {
    let manifest = stack.artifact.assets.as_ref()?;
    let is_needed = matches!(template, TemplateSource::Url(_));
    is_needed.then(|| PublishAssets {
        stack: stack.name().to_owned(),
        manifest: manifest.display().to_string(),
    })
}

/// The same by the app's own CDK.
fn published_by_cdk(stack: &StackSeen, publish: &PublishAssets) -> Option<PublishByCdk> {
    let assembly = stack.artifact.assets.as_ref()?.parent()?;
    Some(PublishByCdk {
        stack: publish.stack.clone(),
        assembly: assembly.display().to_string(),
        artifact: stack.name().to_owned(),
    })
}

/// Differences, one a line, with what they mean for data.
fn notes(stack: &StackSeen) -> Vec<String> {
    if stack.going_on.is_some() || stack.creates() {
        return Vec::new();
    }
    let changes = &stack.comparison.changes;
    let mut notes: Vec<String> = changes.iter().take(SHOWN).map(Change::line).collect();
    if changes.len() > SHOWN {
        notes.push(format!(
            "and {} more: `--dry-run -o json` shows all",
            changes.len() - SHOWN
        ));
    }
    for (what, names) in [
        ("outputs", &stack.comparison.outputs),
        ("other parts", &stack.comparison.other),
    ] {
        if !names.is_empty() {
            notes.push(format!("{what} that differ: {}", names.join(", ")));
        }
    }
    if stack.retags() {
        notes.push("its tags differ".to_owned());
    }
    notes
}

fn loss(changes: &[Change]) -> Option<Loss> {
    let lost: Vec<String> = changes
        .iter()
        .filter_map(|change| Some(format!("{} of {}", change.loses()?, change.resource)))
        .collect();
    (!lost.is_empty()).then(|| Loss::Data(lost.join(", ")))
}

/// A state in which a stack takes no operation ("Stack status codes").
fn state_blocker(stack: &StackSeen) -> Option<Blocker> {
    let name = stack.name();
    let look = CommandLine::bpctl(["stack", "status", name]);
    let status = stack.present.as_ref()?.status.as_str();
    let (reason, hint): (String, Hint) = match status {
        status if status.ends_with("_IN_PROGRESS") && stack.going_on.is_none() => (
            format!("{name} is {status}: somebody else works on it"),
            ("follow it with", look.args(["--watch"])).into(),
        ),
        "UPDATE_ROLLBACK_FAILED" => (
            format!("{name} is UPDATE_ROLLBACK_FAILED: it takes no update before its rollback is complete"),
            Hint::new("mend what the rollback stumbled over, which the status of the stack names, then")
                .command(CommandLine::bpctl(["stack", "continue-rollback", name])),
        ),
        "CREATE_FAILED" | "ROLLBACK_FAILED" | "DELETE_FAILED" => (
            format!("{name} is {status}: it can only be deleted"),
            (
                "delete what is left of it with",
                CommandLine::bpctl(["stack", "delete", name]),
            )
                .into(),
        ),
        _ => return None,
    };
    Some(Blocker {
        kind: ErrorKind::Conflict,
        reason,
        hint,
    })
}

/// A new fleet that has no image to start from.
fn pointer_blocker(stack: &str, pointer: &NoPointer) -> Blocker {
    let parameter = &pointer.parameter;
    let (of, hint): (String, Hint) = match &pointer.fleet {
        Some(fleet) => (
            fleet.to_string(),
            ("build an image for it first:", build_image(fleet)).into(),
        ),
        None => (
            "a group".to_owned(),
            "put the id of an image there first, with data type `aws:ec2:image`".into(),
        ),
    };
    Blocker {
        kind: ErrorKind::NotFound,
        reason: format!("{stack} makes {of}, and there is no image pointer `{parameter}` to start it from"),
        hint,
    }
}

/// What speaks against an operation on one stack.
fn blockers(request: &Request, stack: &StackSeen, seen: &Seen) -> Vec<Blocker> {
    let name = stack.name();
    let mut found: Vec<Blocker> = state_blocker(stack).into_iter().collect();
    let pointers = stack.without_pointers.iter();
    found.extend(pointers.map(|pointer| pointer_blocker(name, pointer)));
    let mut block = |kind, reason: String, hint: Hint| found.push(Blocker { kind, reason, hint });
    if stack.made_otherwise {
        block(
            ErrorKind::Conflict,
            format!(
                "{name} was made by other templates: what it holds would be deleted and made anew under the names that are taken"
            ),
            "templates of the CDK and those that bpctl makes itself do not take over each other's stacks: deploy it from \
             where it came from (`--infra-dir`, or `--blueprint`)"
                .into(),
        );
    }
    for (export, importers) in &stack.imported {
        block(
            ErrorKind::Conflict,
            format!(
                "{name} would no longer export `{export}`, which {} import{}",
                importers.join(", "),
                if importers.len() == 1 { "s" } else { "" }
            ),
            "CloudFormation refuses that while it is in use: make the templates with the values that keep the export, \
             e.g. those of the fleet (`fleetStage`, `fleetSlug`, `templateSlug`, `instanceType`), or deploy the importing \
             stack without it first"
                .into(),
        );
    }
    let absent: Vec<&str> = stack
        .artifact
        .needs
        .iter()
        .map(String::as_str)
        .filter(|need| {
            !seen.present.iter().any(|name| name == need)
                && !seen.stacks.iter().any(|other| other.name() == *need)
        })
        .collect();
    if !absent.is_empty() {
        block(
            ErrorKind::NotFound,
            format!("{name} needs {}, which is not there", absent.join(", ")),
            (
                "deploy what it needs as well:",
                CommandLine::bpctl(["stack", "deploy"])
                    .args(absent.iter().copied())
                    .args([name]),
            )
                .into(),
        );
    }
    let offered = |name: &str| {
        seen.exports.contains(name)
            || seen
                .stacks
                .iter()
                .any(|other| other.artifact.exports().contains(name))
    };
    for import in stack.artifact.imports() {
        if !offered(import) {
            block(
                ErrorKind::NotFound,
                format!("{name} imports `{import}`, which no stack exports"),
                "make the templates of the exporting stack with the same values, and deploy it first".into(),
            );
        }
    }
    for change in &stack.comparison.changes {
        let must = change.replacement == Replacement::Yes && change.loses().is_some();
        if must && !request.allowed.contains(&change.resource) {
            block(
                ErrorKind::Declined,
                format!(
                    "{name}: {} ({}) would be replaced, and {} be lost",
                    change.resource,
                    change.kind,
                    change.loses().unwrap_or_default()
                ),
                Hint::new(format!(
                    "undo what differs ({}), or say that it may go with `--allow-replacement {}`",
                    change.properties.join(", "),
                    change.resource
                )),
            );
        }
    }
    found
}

/// What the deployed stacks show and the new templates do not: it would be taken away without a word.
fn dropped(request: &Request, seen: &Seen) -> Vec<Blocker> {
    let new = seen
        .stacks
        .iter()
        .fold(crate::stacks::InForce::default(), |found, stack| {
            found.and(crate::stacks::InForce::of(&stack.artifact.template))
        });
    let (stays, is_deployed) = (new.context(), |key: &str| {
        // A stack that is not deployed by this run keeps what it has.
        let roles = if matches!(key, "domainName" | "certificateArn") {
            &request.compute
        } else {
            &request.monitoring
        };
        seen.stacks
            .iter()
            .any(|stack| Some(stack.name()) == roles.as_deref())
    });
    seen.in_force
        .context()
        .into_iter()
        .filter(|(key, _, _)| is_deployed(key))
        .filter(|(key, _, _)| !stays.iter().any(|(kept, _, _)| kept == key))
        // Given, and empty: it is meant.
        .filter(|(key, _, _)| request.context.get(*key).is_none_or(|given| !given.is_empty()))
        .map(|(key, value, what)| Blocker {
            kind: ErrorKind::Conflict,
            reason: format!("`{key}` is in force and not in the new templates: {what} would go"),
            hint: Hint::new(format!(
                "give `-c {key}={value}`, or `-c {key}=` to take it away on purpose"
            )),
        })
        .collect()
}
