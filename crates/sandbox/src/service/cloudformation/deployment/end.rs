//! How the phases of a run end, and what comes next.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::stack::set_status;
use super::super::{Output, exports, find, stack_mut};
use super::job::{Effect, Step, Work, cancel};
use super::{Goal, Phase, Run, back, import, put_back, removal, resolved};
use crate::service::cloudformation::change_set::ChangeSet;
use crate::world::World;

/// Looks where a run is after the jobs have moved on.
pub(super) fn look(world: &mut World, name: &str, mut run: Run) {
    let failed = run.jobs.iter().any(|job| job.step == Step::Failed);
    if failed && run.phase == Phase::Forward && run.goal != Goal::Delete {
        for at in 0..run.jobs.len() {
            if matches!(run.jobs[at].step, Step::Begun | Step::Working) {
                cancel(world, name, &mut run, at);
            }
        }
        return turn_back(world, name, run, None);
    }
    // What is deleted or made what it was goes on beside what has failed.
    let over = run
        .jobs
        .iter()
        .all(|job| matches!(job.step, Step::Done | Step::Failed) || run.is_blocked(job));
    if !over {
        return put_back(world, name, run);
    }
    match (run.goal, run.phase) {
        (Goal::Delete, _) => removal::end(world, name, &run),
        (_, Phase::Forward) => complete(world, name, run),
        (Goal::Create, _) => removal::end_of_rollback(world, name, run),
        (Goal::Import, _) => import::end_of_undoing(world, name, &run),
        (Goal::Update, Phase::Back) if failed => back::fail(world, name, run),
        (Goal::Update, Phase::Back) => back::clean(world, name, run),
        (Goal::Update, _) => removal::end_of_cleanup(world, name, run),
    }
}

/// Something has failed on the way forward: `why` when it is no resource.
pub(super) fn turn_back(world: &mut World, name: &str, run: Run, why: Option<String>) {
    let listed = |made, what: &str| {
        let failed = run.failed(made);
        let said = format!(
            "The following resource(s) failed to {what}: [{}].",
            failed.join(", ")
        );
        (!failed.is_empty()).then_some(said)
    };
    let mut reason = match why {
        Some(why) => why,
        None if run.goal == Goal::Import => listed(false, "import").unwrap_or_default(),
        None => [listed(true, "create"), listed(false, "update")]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(" "),
    };
    if run.goal == Goal::Import {
        return import::undo(world, name, run, &reason);
    }
    let stays = find(world, name).is_some_and(|stack| stack.disable_rollback);
    if stays {
        let status = if run.goal == Goal::Create {
            "CREATE_FAILED"
        } else {
            "UPDATE_FAILED"
        };
        set_status(world, name, run.token(), status, Some(&reason));
        if let Some(stack) = stack_mut(world, name) {
            stack
                .spec
                .resources
                .retain(|resource| !resource.physical.is_empty());
        }
        return executed(world, name, &run, "EXECUTE_FAILED");
    }
    match run.goal {
        Goal::Create => {
            if !reason.ends_with('.') {
                reason.push('.');
            }
            reason.push_str(" Rollback requested by user.");
            removal::roll_back(world, name, run, &reason);
        }
        _ => back::begin(world, name, run, &reason),
    }
}

/// What the change set that was executed says of it.
pub(super) fn executed(world: &mut World, name: &str, run: &Run, status: &'static str) {
    let Some(set) = &run.set else { return };
    let sets = stack_mut(world, name).map(|stack| &mut stack.change_sets);
    if let Some(set) = sets.into_iter().flatten().find(|known| known.id == set.id) {
        set.execution = status;
    }
}

/// Every resource is what it should be: the outputs follow, and what is no longer wanted goes.
fn complete(world: &mut World, name: &str, run: Run) {
    let Some(set) = run.set.clone() else { return };
    let outputs = match outputs(world, name, &set).and_then(|outputs| {
        check_exports(world, name, &outputs)?;
        Ok(outputs)
    }) {
        Ok(outputs) => outputs,
        Err(why) => return turn_back(world, name, run, Some(why)),
    };
    let document = set.document();
    let wanted = wanted(world, name, &set);
    let Some(stack) = stack_mut(world, name) else {
        return;
    };
    stack.spec.outputs = outputs;
    document.description().clone_into(&mut stack.spec.description);
    let gone: Vec<String> = stack
        .spec
        .resources
        .iter()
        .filter(|resource| !wanted.contains_key(&resource.logical))
        .map(|resource| resource.logical.clone())
        .collect();
    for logical in gone {
        let resource = stack.take(&logical);
        stack.leaving.extend(resource);
    }
    stack
        .spec
        .resources
        .sort_by_key(|resource| wanted.get(&resource.logical).copied().unwrap_or(usize::MAX));
    let old = std::mem::replace(&mut stack.template, set.template().to_owned());
    stack.parameters = set.parameters.clone();
    stack.spec.tags = set.tags.clone();
    match run.goal {
        Goal::Update => {
            set_status(
                world,
                name,
                run.token(),
                "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
                None,
            );
            removal::clean(world, name, run, &old, false);
        }
        Goal::Import => {
            set_status(world, name, run.token(), "IMPORT_COMPLETE", None);
            executed(world, name, &run, "EXECUTE_COMPLETE");
        }
        _ => {
            set_status(world, name, run.token(), "CREATE_COMPLETE", None);
            executed(world, name, &run, "EXECUTE_COMPLETE");
        }
    }
}

/// The resources that the template wants, with their places in it.
fn wanted(world: &World, name: &str, set: &ChangeSet) -> BTreeMap<String, usize> {
    let document = set.document();
    let holds = |resource: &Value| match resource["Condition"].as_str() {
        None => true,
        Some(condition) => {
            let condition = serde_json::json!({ "Condition": condition });
            resolved(world, name, set, &condition) != Ok(Some(Value::Bool(false)))
        }
    };
    document
        .section("Resources")
        .filter(|(_, resource)| holds(resource))
        .enumerate()
        .map(|(place, (logical, _))| (logical.clone(), place))
        .collect()
}

fn outputs(world: &World, name: &str, set: &ChangeSet) -> Result<Vec<Output>, String> {
    let document = set.document();
    let mut outputs = Vec::new();
    for (key, output) in document.section("Outputs") {
        if let Some(condition) = output["Condition"].as_str() {
            let condition = serde_json::json!({ "Condition": condition });
            if resolved(world, name, set, &condition)? == Some(Value::Bool(false)) {
                continue;
            }
        }
        let text = |value: &Value| -> Result<Option<String>, String> {
            match resolved(world, name, set, value)? {
                Some(Value::String(text)) => Ok(Some(text)),
                Some(Value::Number(number)) => Ok(Some(number.to_string())),
                Some(Value::Bool(value)) => Ok(Some(value.to_string())),
                Some(Value::Null) | None => Ok(None),
                Some(_) => Err(format!(
                    "Template format error: The Value field of every Outputs member must evaluate to a String. [{key}]"
                )),
            }
        };
        outputs.push(Output {
            key: key.clone(),
            value: text(&output["Value"])?.unwrap_or_default(),
            export: text(&output["Export"]["Name"])?,
        });
    }
    Ok(outputs)
}

/// A name is exported once, and one that is imported neither changes nor goes ("Get exported outputs from a deployed
/// CloudFormation stack").
fn check_exports(world: &World, name: &str, outputs: &[Output]) -> Result<(), String> {
    for export in outputs.iter().filter_map(|output| output.export.as_deref()) {
        if let Some((other, _)) = exports::owner(world, export)
            && other.spec.name != name
        {
            return Err(format!(
                "Export with name {export} is already exported by stack {}.",
                other.spec.name
            ));
        }
    }
    let before = find(world, name)
        .map(|stack| stack.spec.outputs.clone())
        .unwrap_or_default();
    for output in &before {
        let Some(export) = output.export.as_deref() else {
            continue;
        };
        let after = outputs
            .iter()
            .find(|output| output.export.as_deref() == Some(export));
        let verb = match after {
            Some(after) if after.value == output.value => continue,
            Some(_) => "updated",
            None => "deleted",
        };
        let importers = exports::importers(world, export);
        if !importers.is_empty() {
            return Err(format!(
                "Export {export} cannot be {verb} as it is in use by {}",
                exports::listed(&importers)
            ));
        }
    }
    Ok(())
}

/// The jobs whose resources an update has touched.
pub(super) fn touched(run: &Run) -> impl Iterator<Item = &super::Job> {
    run.jobs.iter().filter(|job| match job.work {
        Work::Create => !matches!(job.step, Step::Waiting),
        _ => job.effect != Effect::None || job.step == Step::Failed,
    })
}
