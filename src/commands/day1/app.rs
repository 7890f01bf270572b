//! The application's checklist: "Day-1 checklist (first deploy)" of the runbook.

use jiff::{SignedDuration, Timestamp};

use super::step::{State as StepState, Step};
use crate::aws::cloudformation::Stack;
use crate::aws::ecs::Service;
use crate::change::{Ground as _, Shared, history};
use crate::commands::secrets::observe::{Observed, State, observe_all};
use crate::commands::stack::deploy::source::Source;
use crate::context::Ctx;
use crate::error::{CommandLine, Result};
use crate::layout::{App, Layout, PLATFORM, SecretRole};
use crate::stacks::{TOOLKIT, is_asleep, service_named};

/// How far back the shared history is read for a migration.
const HISTORY: SignedDuration = SignedDuration::from_hours(90 * 24);

/// A stack of the CDK app alone: the app's own dependencies would go along with other settings than those in force.
const CONTEXT: &str = "in the folder of the CDK app, with the context values that are in force";

pub(super) async fn steps(ctx: &Ctx, layout: &Layout, stacks: &Result<Vec<Stack>>) -> Vec<Step> {
    let core = layout.core_stacks();
    let has_app = ctx.settings.infra_dir.is_some();
    let own = Source::in_context(ctx).is_built_in();
    // The templates that bpctl makes itself have no files that would have to lie in a bucket first.
    let mut steps: Vec<Step> = (!own)
        .then(|| bootstrap(&core, stacks, has_app))
        .into_iter()
        .collect();
    let mut before: Vec<String> = steps.iter().map(|step| step.step.clone()).collect();
    for name in &core {
        let step = match own {
            true => own_stack(name, &core, stacks),
            false => stack(name, stacks),
        };
        let step = step.after(before);
        before = vec![step.step.clone()];
        steps.push(step);
    }
    let stack_of = |role: &str| layout.core_stack(role).map(|name| format!("stack {name}"));
    let (images, secrets, migration, (start, services), up) = futures::join!(
        images(ctx, layout),
        Box::pin(secrets(ctx, layout)),
        migration(ctx, stacks, layout),
        services(ctx, layout),
        up(ctx, layout, stacks),
    );
    steps.extend(images.into_iter().map(|step| step.after(stack_of("cicd"))));
    steps.extend(secrets.into_iter().map(|step| step.after(stack_of("data"))));
    let ready: Vec<String> = steps
        .iter()
        .filter(|step| step.step.starts_with("images ") || step.step.starts_with("secret "))
        .map(|step| step.step.clone())
        .chain(stack_of("compute"))
        .collect();
    steps.push(migration.after(ready.clone()));
    let mut needs: Vec<String> = ready.into_iter().chain(["migrations".to_owned()]).collect();
    if let Some(start) = start {
        let start = start.after(needs.clone());
        needs.push(start.step.clone());
        steps.push(start);
    }
    let names: Vec<String> = services.iter().map(|step| step.step.clone()).collect();
    steps.extend(services.into_iter().map(|step| step.after(needs.clone())));
    steps.push(up.after(names));
    steps
}

/// A stack whose last operation left it whole: the one before it still stands after an update that was rolled back.
pub(super) fn is_whole(stack: &Stack) -> bool {
    matches!(
        stack.status.as_str(),
        "CREATE_COMPLETE" | "UPDATE_COMPLETE" | "UPDATE_ROLLBACK_COMPLETE" | "IMPORT_COMPLETE"
    )
}

/// A stack of the platform that is there was deployed with another bootstrap stack, or without any. Without an app of
/// the CDK there is nothing that needs one.
fn bootstrap(core: &[String], stacks: &Result<Vec<Stack>>, has_app: bool) -> Step {
    const STEP: &str = "bootstrap";
    let there = stacks.as_ref().ok().and_then(|stacks| {
        let named = |name: &str| stacks.iter().find(|stack| stack.name == name);
        if named(TOOLKIT).is_some() {
            return None;
        }
        core.iter()
            .find_map(|name| named(name))
            .filter(|stack| is_whole(stack))
    });
    if let Some(there) = there {
        return Step::done(STEP, format!("not called {TOOLKIT}: {} was deployed", there.name));
    }
    let seen = seen(STEP, TOOLKIT, stacks);
    match seen.state {
        StepState::Open if !has_app => {
            Step::done(STEP, "not needed: no app of the CDK is named (`infra_dir`)")
        }
        _ => seen.by(["stack", "bootstrap"]),
    }
}

/// All that are missing are deployed by one command.
fn own_stack(name: &str, core: &[String], stacks: &Result<Vec<Stack>>) -> Step {
    let missing = |name: &&String| {
        let there = stacks
            .as_ref()
            .ok()
            .map(|stacks| stacks.iter().any(|stack| stack.name == **name));
        there == Some(false)
    };
    let deploy = match core.iter().filter(missing).count() {
        0 | 1 => CommandLine::bpctl(["stack", "deploy", name]),
        _ => CommandLine::bpctl(["stack", "deploy", "--all"]),
    };
    seen(&format!("stack {name}"), name, stacks).by_line(deploy)
}

fn stack(name: &str, stacks: &Result<Vec<Stack>>) -> Step {
    let deploy = CommandLine::bpctl(["stack", "deploy", name]);
    seen(&format!("stack {name}"), name, stacks)
        .by_line(deploy)
        .note(CONTEXT)
}

pub(super) fn seen(step: &str, name: &str, stacks: &Result<Vec<Stack>>) -> Step {
    match stacks {
        Err(error) => Step::unknown(step, error),
        Ok(stacks) => match stacks.iter().find(|stack| stack.name == name) {
            Some(stack) => Step::of(is_whole(stack), step, stack.status.clone()),
            None => Step::open(step, "there is none"),
        },
    }
}

/// The images that the services pull: there, and for their processor.
async fn images(ctx: &Ctx, layout: &Layout) -> Vec<Step> {
    let look = [App::Backend, App::Frontend].map(async |app| {
        let step = format!("images {}", app.word());
        let repository = layout.repository(app);
        let tags: Vec<String> = Layout::service_tags(app)
            .iter()
            .map(ToString::to_string)
            .collect();
        let mut found = match ctx.aws.manifests(&repository, &tags).await {
            Ok(Some(found)) => found,
            Ok(None) => {
                return Step::open(step, format!("there is no repository {repository}"));
            }
            Err(error) => return Step::unknown(step, &error),
        };
        let manifests = found.iter_mut().map(|(_, manifest)| manifest);
        ctx.aws.tell_platforms(&repository, manifests).await;
        let missing: Vec<&str> = tags
            .iter()
            .filter(|tag| !found.iter().any(|(known, _)| known == *tag))
            .map(String::as_str)
            .collect();
        let wrong = found.iter().find_map(|(tag, manifest)| {
            let platforms = manifest.platforms.as_ref()?;
            let fits = platforms.iter().any(|platform| platform == PLATFORM);
            (!fits).then(|| format!("{tag} is for {}", platforms.join(", ")))
        });
        let step = match (missing.as_slice(), wrong) {
            ([], None) => Step::done(step, tags.join(", ")),
            ([], Some(wrong)) => Step::open(step, wrong),
            (missing, _) => Step::open(step, format!("missing: {}", missing.join(", "))),
        };
        step.by(["image", "push", app.word()])
    });
    futures::future::join_all(look).await
}

/// The secrets that an operator sets: the others have their values from their stacks.
async fn secrets(ctx: &Ctx, layout: &Layout) -> Vec<Step> {
    let wanted = |role: &SecretRole| {
        matches!(
            role,
            SecretRole::AppKey | SecretRole::OAuth | SecretRole::FleetSecret(_)
        )
    };
    match observe_all(ctx, layout).await {
        Ok(seen) => {
            let set = seen.secrets.iter().filter(|one| wanted(&one.entry.role));
            set.map(secret).collect()
        }
        Err(error) => {
            let table = layout.secret_table(&[]).into_iter();
            let set = table.filter(|entry| wanted(&entry.role));
            set.map(|entry| Step::unknown(format!("secret {}", entry.name), &error))
                .collect()
        }
    }
}

fn secret(observed: &Observed) -> Step {
    let name = observed.entry.name.as_str();
    let (state, why) = observed.state();
    let found = why.unwrap_or_else(|| "set".to_owned());
    let step = format!("secret {name}");
    match state {
        State::Set | State::StaleInTasks => return Step::done(step, found),
        State::Unknown => Step::unseen(step, found),
        State::Placeholder | State::Missing | State::Malformed => Step::open(step, found),
    }
    .by_setting(name, observed.entry.role != SecretRole::OAuth)
}

impl Step {
    /// What the platform itself can make is made.
    fn by_setting(self, name: &str, generated: bool) -> Self {
        if generated {
            self.by(["secrets", "set", name, "--generate"])
        } else {
            self.by(["secrets", "set", name])
                .note("a JSON object with the nine keys of the sign-in services; `--key` sets one at a time")
        }
    }
}

/// A migration on record in the shared history, since the database is there.
async fn migration(ctx: &Ctx, stacks: &Result<Vec<Stack>>, layout: &Layout) -> Step {
    const STEP: &str = "migrations";
    let Shared {
        store: Some(store), ..
    } = ctx.shared()
    else {
        return Step::open(STEP, "this context has no shared history").by(["migrate"]);
    };
    let now = ctx.clock.now();
    let data = layout.core_stack("data");
    let created = stacks
        .as_ref()
        .ok()
        .and_then(|stacks| stacks.iter().find(|stack| Some(&stack.name) == data.as_ref()))
        .and_then(|stack| stack.created);
    let since = (now - HISTORY).max(created.unwrap_or(Timestamp::MIN));
    let runs = match history::read(&store, since).await {
        Ok(runs) => runs,
        Err(error) => return Step::unknown(STEP, &error).by(["migrate"]),
    };
    let last = runs
        .iter()
        .rev()
        .find(|run| run.verb == "migrate" && run.verdict == "done");
    let step = match last {
        Some(run) => Step::done(STEP, format!("{} at {}", run.title, run.ended)),
        None => Step::open(STEP, "no run of bpctl is on record that ended well"),
    };
    step.by(["migrate"])
        .note("what was migrated without bpctl is not on record here; a second run changes nothing more")
}

/// Both services as many as wanted, on a deployment that is complete; before them, in a platform whose stack has made
/// services without tasks, that they are started.
async fn services(ctx: &Ctx, layout: &Layout) -> (Option<Step>, Vec<Step>) {
    let apps = [App::Backend, App::Frontend];
    let names = apps.map(|app| layout.service(app));
    let found = ctx.aws.services(&layout.cluster(), &names).await;
    let step = |(app, name): (App, &String)| {
        let step = format!("service {}", app.word());
        let services = match &found {
            Ok(services) => services,
            Err(error) => return Step::unknown(step, error).by(["rollout", "status", app.word()]),
        };
        let Some(service) = services.iter().find(|service| service.name == *name) else {
            return Step::open(step, format!("there is no service {name}"));
        };
        let state = service
            .primary()
            .and_then(|primary| primary.rollout_state.clone());
        let counts = format!("{} of {} tasks run", service.running, service.desired);
        match state.as_deref() {
            _ if service.desired == 0 => Step::open(step, "no task is wanted").by(["resume"]),
            Some("COMPLETED") if service.running >= service.desired => Step::done(step, counts),
            Some("IN_PROGRESS") => Step::open(step, format!("{counts}, a deployment is under way")).by([
                "rollout",
                "watch",
                app.word(),
            ]),
            _ => Step::open(step, counts).by(["deploy", app.word()]),
        }
    };
    let wanted = found.as_ref().map_or(&[][..], Vec::as_slice);
    let start = match wanted.iter().any(|service| service.desired == 0) {
        true => start(ctx, layout, wanted).await,
        false => None,
    };
    (start, apps.into_iter().zip(&names).map(step).collect())
}

/// The step that lets services begin which their stack has made without tasks.
async fn start(ctx: &Ctx, layout: &Layout, services: &[Service]) -> Option<Step> {
    const STEP: &str = "start";
    let stack = layout.core_stack("compute")?;
    let template: serde_json::Value = match ctx.aws.template(&stack).await {
        Ok(text) => serde_json::from_str(&text.unwrap_or_default()).unwrap_or_default(),
        Err(error) => return Some(Step::unknown(STEP, &error)),
    };
    let asleep: Vec<&str> = services
        .iter()
        .filter(|service| service.desired == 0)
        .map(|service| service.name.as_str())
        .filter(|name| service_named(&template, name).is_some_and(|logical| is_asleep(&template, logical)))
        .collect();
    (!asleep.is_empty()).then(|| {
        Step::open(STEP, format!("made without tasks: {}", asleep.join(", ")))
            .by(["stack", "deploy", "compute"])
    })
}

/// `/api/up` at the platform's own address.
async fn up(ctx: &Ctx, layout: &Layout, stacks: &Result<Vec<Stack>>) -> Step {
    const STEP: &str = "health";
    let name = layout.core_stack("compute");
    let stacks = match stacks {
        Ok(stacks) => stacks,
        Err(error) => return Step::unknown(STEP, error),
    };
    let compute = stacks.iter().find(|stack| Some(&stack.name) == name.as_ref());
    let Some(base) = compute.and_then(|stack| stack.outputs.get("ApiBaseUrl")) else {
        return Step::open(STEP, "no stack says where the platform answers");
    };
    match ctx.aws.health(base, "/api/up").await {
        Ok(200) => Step::done(STEP, format!("{base}/api/up answers 200")),
        Ok(other) => Step::open(STEP, format!("{base}/api/up answers {other}")).by(["triage"]),
        Err(error) => Step::unknown(STEP, &error).by(["triage"]),
    }
}
