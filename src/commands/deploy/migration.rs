//! `--migrate`: the databases are migrated by a task of what is deployed, before the deployment or after it.

use super::plan::Action;
use super::request::Migrate;
use crate::change::{Basis, Call as _, Plan, Step};
use crate::commands::migrate::within::MigrationSeen;
use crate::error::Result;
use crate::layout::App;

/// The step that migrates before the deployments, and what the migration after them is called.
pub(crate) const STEP: &str = "backend migration";

/// Adds the migration to the plan of a deployment. Pure.
///
/// # Errors
/// A command line that the container's entry point cannot be given.
pub(super) fn add(
    plan: &mut Plan<Action>,
    when: Migrate,
    seen: &MigrationSeen,
    basis: &Basis<'_>,
) -> Result<()> {
    let backend = plan.steps.iter().position(|step| step.id == App::Backend.word());
    let deployed = backend.and_then(|at| match &plan.steps[at].action {
        Action::Deploy(start) => Some((at, start.call.definition.clone())),
        Action::Register(_) | Action::Follow(_) | Action::Migrate(_) => None,
    });
    let Some((at, definition)) = deployed else {
        plan.warnings.push(
            "backend: no deployment is started, so nothing is migrated: migrate by itself if it is still to be done"
                .to_owned(),
        );
        return Ok(());
    };
    let (task, blockers) = seen.task(basis, definition)?;
    plan.blockers.extend(blockers);
    match when {
        Migrate::No => {}
        Migrate::Before => {
            let calls = vec![task.call.described()];
            let summary = "migrate the databases with what is deployed, before anything is";
            let mut step = Step::new(STEP, summary, calls, Action::Migrate(Box::new(task)));
            step.needs.clone_from(&plan.steps[at].needs);
            // A migration that fails leaves every service with what it runs.
            for other in &mut plan.steps {
                if matches!(other.action, Action::Deploy(_)) {
                    other.needs.push(STEP.to_owned());
                }
            }
            plan.steps.insert(at, step);
        }
        Migrate::After => {
            let step = &mut plan.steps[at];
            step.if_needed.push(task.call.described());
            step.notes
                .push("then, if it completes, the databases are migrated".to_owned());
            if let Action::Deploy(start) = &mut step.action {
                start.migrate_after = Some(task);
            }
        }
    }
    Ok(())
}
