//! From what was asked and what was seen to what will be done. Pure.

use serde::{Deserialize, Serialize};

use super::checks::check;
use super::images::{brief, short};
use super::observe::{Image, Seen, ServiceSeen};
use super::request::{Request, What};
use super::{Started, lost::GoingOn};
use crate::aws::ecs::{RegisterTaskDefinition, StopServiceDeployment, UpdateService};
use crate::change::{Call as _, Later, Plan, Step};
use crate::layout::App;
use crate::tasks;

/// What one step does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Action {
    Register(Box<RegisterTaskDefinition>),
    Deploy(Box<Start>),
    /// An earlier run has started it.
    Follow(Started),
    /// The migration before the deployments.
    Migrate(Box<tasks::Start>),
}

/// The deployment to start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Start {
    pub(crate) call: UpdateService,
    /// The primary deployment that the plan was made for.
    pub(crate) before: Option<String>,
    /// The migration once it has completed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) migrate_after: Option<tasks::Start>,
}

/// The step that registers the revision.
pub(crate) fn revision_step(app: App) -> String {
    format!("{} revision", app.word())
}

/// What a service's deployments lock.
pub(crate) fn resource(service: &str) -> String {
    format!("ecs/{service}")
}

/// The call that ends the deployment of a step.
pub(crate) fn stop(service: &str, deployment: Later) -> StopServiceDeployment {
    StopServiceDeployment {
        deployment,
        resource: resource(service),
    }
}

/// What will be done, and what speaks against it.
pub(crate) fn plan(request: &Request, seen: &Seen) -> Plan<Action> {
    let mut steps = Vec::new();
    let (mut warnings, mut blockers) = (Vec::new(), Vec::new());
    for one in &seen.services {
        if let Some(going_on) = &one.going_on {
            steps.push(follow(request, one, going_on));
            continue;
        }
        let checked = check(request, seen, one);
        warnings.extend(checked.warnings);
        blockers.extend(checked.blockers);
        if is_in_place(request, seen, one) {
            warnings.push(format!(
                "{}: {}:{} with these images is in place already; a deployment that names none restarts its tasks",
                one.app.word(),
                one.current.family,
                one.current.revision
            ));
            continue;
        }
        steps.extend(steps_of(request, seen, one));
    }
    let names: Vec<&str> = request.apps.iter().map(|app| app.word()).collect();
    let what = match &request.what {
        What::Same => String::new(),
        What::Tag(tag) => format!(" with tag {tag}"),
        What::Images(_) => " with other images".to_owned(),
        What::Revision(revision) | What::Before(revision, _) => format!(" at revision {revision}"),
    };
    let title = if seen.services.iter().all(|one| one.going_on.is_some()) {
        format!("go on with the deployment of {}", names.join(" and "))
    } else {
        format!("deploy {}{what}", names.join(" and "))
    };
    let mut plan = Plan::new(title, steps);
    plan.warnings = warnings;
    plan.blockers = blockers;
    plan.at_once = seen.services.len().max(1);
    plan
}

/// Follows what an earlier run has started instead of starting the same a second time.
fn follow(request: &Request, one: &ServiceSeen, going_on: &GoingOn) -> Step<Action> {
    let id = one.app.word();
    let mut step = Step::new(
        id,
        going_on.summary(),
        Vec::new(),
        Action::Follow(going_on.started.clone()),
    );
    if request.abort_on_first_failure || request.rollback_on_timeout {
        step.if_needed = vec![stop(&one.service.name, Later::FromStep(id.to_owned())).described()];
    }
    step
}

/// Whether the service runs just what is asked for: only a plain deployment starts tasks anew then.
fn is_in_place(request: &Request, seen: &Seen, one: &ServiceSeen) -> bool {
    let same_definition = one.images.is_empty() && one.target.arn == one.current.arn;
    let completed = one
        .service
        .primary()
        .is_some_and(|primary| primary.rollout_state.as_deref() == Some("COMPLETED"));
    let same_digests = one.wanted().iter().all(|container| {
        let running = one.running.get(&container.name);
        match (seen.images.get(&container.image), running) {
            (Some(Image::Found(manifest)), Some(digest)) => manifest.has(digest),
            _ => false,
        }
    });
    request.what != What::Same && same_definition && completed && same_digests
}

fn steps_of(request: &Request, seen: &Seen, one: &ServiceSeen) -> Vec<Step<Action>> {
    let service = &one.service.name;
    let mut steps = Vec::new();
    let mut definition = Later::Known(one.target.arn.clone());
    let mut named = format!("{}:{}", one.target.family, one.target.revision);
    if !one.images.is_empty() {
        let input = one.target.with_images(&one.images);
        match one.newest.as_ref().filter(|newest| newest.is_same_as(&input)) {
            // An earlier run was cut off behind its registration, or CI has registered the same.
            Some(newest) => {
                definition = Later::Known(newest.arn.clone());
                named = format!("{}:{}", newest.family, newest.revision);
            }
            None => {
                let id = revision_step(one.app);
                let call = RegisterTaskDefinition {
                    input,
                    resource: resource(service),
                };
                let mut step = Step::new(
                    &id,
                    format!("register a revision of {} with other images", one.target.family),
                    vec![call.described()],
                    Action::Register(Box::new(call)),
                );
                step.notes = one
                    .images
                    .iter()
                    .map(|(container, image)| format!("{container}: {}", short(image)))
                    .collect();
                definition = Later::FromStep(id);
                named = "that revision".to_owned();
                steps.push(step);
            }
        }
    }
    let needs: Vec<String> = steps.iter().map(|step| step.id.clone()).collect();
    let call = UpdateService {
        cluster: seen.cluster.clone(),
        service: service.clone(),
        definition,
        resource: resource(service),
    };
    let summary = format!("start a deployment of {named}");
    let start = Start {
        before: one.service.primary().map(|primary| primary.id.clone()),
        call: call.clone(),
        migrate_after: None,
    };
    let id = one.app.word();
    let mut step = Step::new(
        id,
        summary,
        vec![call.described()],
        Action::Deploy(Box::new(start)),
    );
    step.needs = needs;
    step.notes = digests(seen, one);
    if request.abort_on_first_failure || request.rollback_on_timeout {
        step.if_needed = vec![stop(service, Later::FromStep(id.to_owned())).described()];
    }
    steps.push(step);
    steps
}

/// Digests before and after, a line for each image.
fn digests(seen: &Seen, one: &ServiceSeen) -> Vec<String> {
    let mut notes: Vec<String> = Vec::new();
    for container in one.wanted() {
        let name = short(&container.image);
        let running = one.running.get(&container.name).map(|digest| brief(digest));
        let note = match (seen.images.get(&container.image), running) {
            (Some(Image::Found(manifest)), Some(running)) if manifest.has(&one.running[&container.name]) => {
                format!("{name}: {running}, as now")
            }
            (Some(Image::Found(manifest)), Some(running)) => {
                format!("{name}: {running} -> {}", brief(&manifest.digest))
            }
            (Some(Image::Found(manifest)), None) => format!("{name}: {}", brief(&manifest.digest)),
            _ => continue,
        };
        if !notes.contains(&note) {
            notes.push(note);
        }
    }
    notes
}
