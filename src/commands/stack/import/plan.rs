//! From what is there to the import, or to what speaks against it. Pure.

use super::observe::{Found, Seen};
use super::{Action, Asked};
use crate::aws::cloudformation::{
    CreateImportSet, DeleteChangeSet, DeleteStack, ExecuteChangeSet, INLINE_TEMPLATE, Import,
};
use crate::change::{Basis, Blocker, Call as _, Plan, Step};
use crate::error::{CommandLine, ErrorKind, Hint};
use crate::stacks::{StackArtifact, import_template, is_built_in};

/// A creation that was rolled back leaves a stack that can only be deleted.
const LEFT: &str = "ROLLBACK_COMPLETE";

pub(super) fn plan(
    artifact: &StackArtifact,
    asked: &[Asked],
    seen: &Seen,
    basis: &Basis<'_>,
) -> Plan<Action> {
    let mut plan = planned(artifact, asked, seen, basis);
    plan.say_what_is_blocked();
    plan
}

fn planned(artifact: &StackArtifact, asked: &[Asked], seen: &Seen, basis: &Basis<'_>) -> Plan<Action> {
    let name = &artifact.name;
    let mut plan = Plan::new(format!("import into {name}"), Vec::new());
    plan.blockers = blockers(artifact, asked, seen);
    plan.warnings = seen.found.iter().filter_map(left_out).collect();
    let imports = seen.imports();
    if imports.is_empty() && seen.going_on.is_none() {
        return plan;
    }
    let logicals: Vec<&str> = imports.iter().map(|import| import.logical.as_str()).collect();
    let made = import_template(&seen.deployed, &artifact.template, &logicals);
    let template = made.template.to_string();
    if !made.missing.is_empty() {
        let missing: Vec<&str> = made.missing.iter().map(String::as_str).collect();
        plan.blockers.push(conflict(
            format!(
                "{} refer to {}, which {name} does not have: an import makes nothing",
                logicals.join(", "),
                missing.join(", ")
            ),
            Hint::new(
                "import what they refer to as well (`--resource`), or leave them out by naming the others",
            ),
        ));
    }
    if template.len() > INLINE_TEMPLATE {
        plan.blockers.push(conflict(
            format!(
                "the template of the import has {} bytes, and a request carries {INLINE_TEMPLATE}",
                template.len()
            ),
            Hint::new("import into this stack with the console, from a template in S3"),
        ));
    }
    let action = action(artifact, seen, imports.clone(), template, basis);
    let creates = action.discard_stack.is_some();
    let mut calls = Vec::new();
    if action.going_on.is_none() {
        calls.extend(action.delete.as_ref().map(crate::change::Call::described));
        calls.push(action.create.described());
        calls.push(action.execute.described());
    }
    let discard = match &action.discard_stack {
        Some(stack) => stack.described(),
        None => action.discard.described(),
    };
    let summary = match (&seen.going_on, creates) {
        (Some(_), _) => "go on with the import that is under way".to_owned(),
        (None, true) => format!("make it of {}", counted(imports.len())),
        (None, false) => format!("take in {}", counted(imports.len())),
    };
    let is = seen.status.clone().unwrap_or_else(|| "not there".to_owned());
    let is_begun = action.going_on.is_some();
    let mut step = Step::new(name.clone(), summary, calls, action).changing(is, "IMPORT_COMPLETE");
    if !is_begun {
        step.if_needed.push(discard);
        step.notes.extend(imports.iter().map(|import| {
            format!(
                "{} ({}): {} {}",
                import.logical, import.kind, import.property, import.identifier
            )
        }));
        step.notes.extend(made.retained.iter().map(|logical| {
            format!("{logical} gets DeletionPolicy Retain: an import asks for one, and the template has none")
        }));
        step.notes
            .push("nothing else changes; a deployment makes the rest afterwards".to_owned());
    }
    plan.steps.push(step);
    plan
}

fn action(
    artifact: &StackArtifact,
    seen: &Seen,
    imports: Vec<Import>,
    template: String,
    basis: &Basis<'_>,
) -> Action {
    let creates = seen.status.as_deref().is_none_or(|status| status == LEFT);
    let name = &artifact.name;
    let delete = |what: &str| DeleteStack {
        stack: name.clone(),
        retain: Vec::new(),
        token: format!("{}-{what}", basis.names.token),
        loses: None,
    };
    let set = format!("bpctl-{}", basis.names.token);
    Action {
        status: seen.status.clone(),
        delete: (seen.status.as_deref() == Some(LEFT)).then(|| delete("delete")),
        create: CreateImportSet {
            stack: name.clone(),
            name: set.clone(),
            template,
            imports,
            tags: if creates {
                artifact.tags.clone()
            } else {
                Vec::new()
            },
            role: artifact.role.clone(),
            token: format!("{}-set", basis.names.token),
        },
        discard: DeleteChangeSet {
            stack: name.clone(),
            name: set.clone(),
        },
        discard_stack: creates.then(|| delete("discard")),
        execute: ExecuteChangeSet {
            stack: name.clone(),
            name: set,
            token: format!("{}-run", basis.names.token),
            loses: None,
        },
        going_on: seen.going_on.clone(),
    }
}

fn counted(count: usize) -> String {
    match count {
        1 => "one resource that is there".to_owned(),
        count => format!("{count} resources that are there"),
    }
}

fn conflict(reason: String, hint: Hint) -> Blocker {
    Blocker {
        kind: ErrorKind::Conflict,
        reason,
        hint,
    }
}

/// What is there and stays where it is.
fn left_out(found: &Found) -> Option<String> {
    let owner = found.owner.as_ref().filter(|_| !found.is_asked)?;
    let identifier = found.identifier.as_deref().unwrap_or_default();
    Some(format!(
        "{} stays with {owner}, which has {identifier}",
        found.logical
    ))
}

/// A state in which a stack takes no import.
fn state_blocker(name: &str, seen: &Seen) -> Option<Blocker> {
    let status = seen.status.as_deref()?;
    let look = CommandLine::bpctl(["stack", "status", name]);
    let (reason, hint): (String, Hint) = match status {
        _ if seen.going_on.is_some() => return None,
        "CREATE_COMPLETE"
        | "UPDATE_COMPLETE"
        | "UPDATE_ROLLBACK_COMPLETE"
        | "IMPORT_COMPLETE"
        | "IMPORT_ROLLBACK_COMPLETE"
        | LEFT => return None,
        status if status.ends_with("_IN_PROGRESS") => (
            format!("{name} is {status}: somebody else works on it"),
            ("follow it with", look.args(["--watch"])).into(),
        ),
        "UPDATE_ROLLBACK_FAILED" => (
            format!("{name} is {status}: it takes no import before its rollback is complete"),
            (
                "go on with it:",
                CommandLine::bpctl(["stack", "continue-rollback", name]),
            )
                .into(),
        ),
        status => (
            format!("{name} is {status}: it takes no import"),
            ("see what to do with", look).into(),
        ),
    };
    Some(conflict(reason, hint))
}

fn blockers(artifact: &StackArtifact, asked: &[Asked], seen: &Seen) -> Vec<Blocker> {
    let name = &artifact.name;
    let mut found: Vec<Blocker> = state_blocker(name, seen).into_iter().collect();
    if !seen.deployed.is_null() && is_built_in(&artifact.template) != is_built_in(&seen.deployed) {
        found.push(conflict(
            format!("{name} was made by other templates"),
            "import into it from where it came from (`--infra-dir`, or `--blueprint`)".into(),
        ));
    }
    for one in asked {
        let logical = &one.logical;
        if artifact.template["Resources"].get(logical).is_none() {
            found.push(Blocker {
                kind: ErrorKind::NotFound,
                reason: format!("the template of {name} has no resource `{logical}`"),
                hint: (
                    "see their names with",
                    CommandLine::bpctl(["stack", "diff", name.as_str()]),
                )
                    .into(),
            });
        }
    }
    found.extend(
        seen.found
            .iter()
            .filter(|found| found.is_asked)
            .filter_map(refused),
    );
    found
}

/// Why a resource that was named is not taken in.
fn refused(found: &Found) -> Option<Blocker> {
    let (logical, kind) = (&found.logical, &found.kind);
    let (reason, hint) = match (&found.property, &found.identifier, found.is_there, &found.owner) {
        (None, ..) => (
            format!("bpctl does not know which property identifies resources of type {kind}"),
            format!("say it with the identifier: `--resource {logical}=PROPERTY=IDENTIFIER`"),
        ),
        (Some(property), None, ..) => (
            format!("the template does not say the {property} of {logical}"),
            format!("say which one it is: `--resource {logical}=IDENTIFIER`"),
        ),
        (_, Some(identifier), Some(false), _) => (
            format!("{logical}: the account has no {kind} {identifier}"),
            "what is not there is made by the deployment".to_owned(),
        ),
        (_, Some(identifier), _, Some(owner)) => (
            format!("{logical}: {identifier} belongs to {owner}, and a resource has one stack"),
            format!("let {owner} go of it first, with its `DeletionPolicy` Retain"),
        ),
        (Some(_), Some(_), _, None) => return None,
    };
    Some(conflict(reason, Hint::new(hint)))
}
