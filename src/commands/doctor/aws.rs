//! What AWS says: who is asking, from where, at what time, what answers, and whether the platform is there.

use jiff::SignedDuration;

use super::view::{Check, State};
use crate::aws::cloudformation::StackSummary;
use crate::change::{Ground as _, Shared, lease};
use crate::context::Ctx;
use crate::error::{CtlError, ErrorKind, Result};
use crate::layout::{App, Generation, Layout};

/// Credentials that end sooner are worth signing in again before a long change.
const SOON: SignedDuration = SignedDuration::from_mins(15);

/// Signatures are refused when the clocks differ by more (AWS General Reference, "Signature Version 4").
const CLOCKS_DIFFER: i64 = 300;
/// A clock that is not kept by anything.
const CLOCK_DRIFTS: i64 = 30;

/// Every check of AWS. One that fails says so and stops none of the others.
pub(super) async fn checks(ctx: &Ctx) -> Vec<Check> {
    let mut checks = identity(ctx).await;
    let known = checks.iter().all(|check| check.state != State::Problem);
    checks.push(region(ctx).await);
    checks.push(clock(ctx));
    if !known {
        let why = "not asked: the checks before it failed";
        checks.extend(["endpoints", "layout"].map(|check| Check::unknown(check, why)));
        return checks;
    }
    let layout = match ctx.layout() {
        Ok(layout) => layout,
        Err(error) => {
            checks.push(Check::failed("layout", State::Problem, &error));
            return checks;
        }
    };
    let stacks = ctx.aws.stack_summaries().await;
    checks.extend(endpoints(ctx, &layout, &stacks).await);
    checks.push(platform(ctx, &layout, stacks).await);
    checks
}

/// Credentials, how long they last, and whether another account would be refused.
async fn identity(ctx: &Ctx) -> Vec<Check> {
    let identity = match ctx.aws.identity().await {
        Ok(identity) => identity,
        Err(error) => return vec![Check::failed("credentials", State::Problem, &error)],
    };
    let mut checks = vec![Check::ok(
        "credentials",
        format!("{} in account {}", identity.arn, identity.account),
    )];
    checks.push(match ctx.aws.signer().await {
        Ok(Some(signer)) => match signer.expires {
            None => Check::ok("expiry", "they do not end by themselves"),
            Some(end) => {
                let left = end.duration_since(ctx.clock.now());
                let found = format!("they end in {} min", left.as_mins().max(0));
                if left < SOON {
                    Check::warning("expiry", found).fix("sign in again before a long change")
                } else {
                    Check::ok("expiry", found)
                }
            }
        },
        Ok(None) => Check::ok("expiry", "they do not end by themselves"),
        Err(error) => Check::failed("expiry", State::Unknown, &error),
    });
    checks.push(match (ctx.aws.guard_account().await, &ctx.settings.account_id) {
        (Err(error), _) => Check::failed("account guard", State::Problem, &error),
        (Ok(()), Some(_)) => Check::ok("account guard", "this is the account that the context demands"),
        (Ok(()), None) if ctx.settings.is_sandbox() || ctx.aws.is_simulated() => {
            Check::ok("account guard", "a sandbox needs none")
        }
        (Ok(()), None) => Check::warning(
            "account guard",
            "no account is demanded: changes are refused without one",
        )
        .run(["config", "set", "account_id", identity.account.as_ref()]),
    });
    checks
}

async fn region(ctx: &Ctx) -> Check {
    match ctx.aws.region().await {
        Ok(Some(region)) => {
            let source = ctx
                .settings
                .region
                .as_ref()
                .map(|region| region.source.to_string());
            Check::ok(
                "region",
                source.map_or(region.clone(), |source| format!("{region}, from {source}")),
            )
        }
        Ok(None) => Check::problem("region", "none is set").run(["config", "set", "region", "us-east-1"]),
        Err(error) => Check::failed("region", State::Unknown, &error),
    }
}

/// The machine's clock beside that of AWS' answers.
fn clock(ctx: &Ctx) -> Check {
    let Some(ahead) = ctx.aws.stats().seconds_ahead() else {
        return Check::unknown("clock", "no answer of AWS said its time");
    };
    let found = match ahead {
        0 => "the same as that of AWS".to_owned(),
        1.. => format!("{ahead} s ahead of AWS"),
        _ => format!("{} s behind AWS", -ahead),
    };
    match ahead.abs() {
        CLOCKS_DIFFER.. => {
            Check::problem("clock", found).fix("set the clock: AWS refuses signatures of another time")
        }
        CLOCK_DRIFTS.. => Check::warning("clock", found).fix("let the system keep its clock by NTP"),
        _ => Check::ok("clock", found),
    }
}

/// One cheap read of each service; those that were refused or did not answer have a row of their own.
async fn endpoints(ctx: &Ctx, layout: &Layout, stacks: &Result<Vec<StackSummary>>) -> Vec<Check> {
    let services = [App::Backend, App::Frontend].map(|app| layout.service(app));
    let secrets: Vec<String> = layout.secrets().into_iter().map(|(_, name)| name).collect();
    let alarms = layout.platform_alarms();
    let cluster = layout.cluster();
    let paths = [layout
        .parameters()
        .first()
        .map(|(_, name)| name.clone())
        .unwrap_or_default()];
    let leases = async {
        match ctx.shared() {
            Shared {
                store: Some(store), ..
            } => lease::list(&store).await.map(|_| ()),
            Shared { store: None, .. } => Ok(()),
        }
    };
    let (groups, alarms, services, databases, leases, secrets, parameters) = futures::join!(
        ctx.aws.groups(),
        ctx.aws.alarms_named(&alarms),
        ctx.aws.services(&cluster, &services),
        ctx.aws.db_instances(),
        leases,
        ctx.aws.secrets_named(&secrets),
        ctx.aws.parameter_facts(&paths),
    );
    let answers: Vec<(&str, Option<CtlError>)> = vec![
        ("cloudformation", stacks.as_ref().err().cloned()),
        ("autoscaling", groups.err()),
        ("cloudwatch", alarms.err()),
        ("ecs", services.err()),
        ("rds", databases.err()),
        ("s3", leases.err()),
        ("secretsmanager", secrets.err()),
        ("ssm", parameters.err()),
    ];
    let asked = answers.len();
    let mut failed = Vec::new();
    for (service, error) in answers {
        // A cluster or bucket that is not there was said by a service that answers.
        let Some(error) = error.filter(|error| error.kind() != ErrorKind::NotFound) else {
            continue;
        };
        let state = match error.kind() {
            ErrorKind::AccessDenied => State::Warning,
            _ => State::Problem,
        };
        failed.push(Check::failed(&format!("endpoint {service}"), state, &error));
    }
    let well = asked - failed.len();
    if well > 0 {
        failed.insert(
            0,
            Check::ok("endpoints", format!("{well} of {asked} services answer")),
        );
    }
    failed
}

/// Whether the platform is there under the names of the layout, or of the other one.
async fn platform(ctx: &Ctx, layout: &Layout, stacks: Result<Vec<StackSummary>>) -> Check {
    const CHECK: &str = "layout";
    let stacks = match stacks {
        Ok(stacks) => stacks,
        Err(error) => return Check::failed(CHECK, State::Unknown, &error),
    };
    let core = layout.core_stacks();
    let found = core
        .iter()
        .filter(|name| stacks.iter().any(|stack| stack.name == **name))
        .count();
    let others = others(layout, &stacks);
    let counted = format!("{} of {} stacks of layout `{}`", found, core.len(), layout.kind());
    if found == 0 {
        return match others {
            Some((generation, flags)) => {
                Check::problem(CHECK, format!("{counted}, but those of {generation}")).fix(match flags {
                    Some(flags) => format!("give `{flags}`, or set it in the context"),
                    None => "nothing deploys that generation any more; triage lists its stacks".to_owned(),
                })
            }
            None => Check::warning(
                CHECK,
                format!("{counted}: nothing is deployed here under these names"),
            )
            .fix("choose another context or region, or deploy the stacks"),
        };
    }
    let cluster = layout.cluster();
    let names = [App::Backend, App::Frontend].map(|app| layout.service(app));
    let services = match ctx.aws.services(&cluster, &names).await {
        Ok(services) => services.len(),
        Err(error) => return Check::failed(CHECK, State::Unknown, &error),
    };
    let text = format!(
        "{counted}, {services} of {} services in cluster `{cluster}`",
        names.len()
    );
    if found < core.len() || services < names.len() {
        Check::warning(CHECK, text).run(["triage"])
    } else {
        Check::ok(CHECK, text)
    }
}

/// The generation that most of the other stacks are of, and the flags that choose it.
fn others(layout: &Layout, stacks: &[StackSummary]) -> Option<(String, Option<String>)> {
    let mut generations: Vec<Generation> = stacks
        .iter()
        .filter(|stack| !layout.has_stack(&stack.name))
        .filter_map(|stack| layout.generation_of(&stack.name))
        .collect();
    generations.sort();
    let mut counted: Vec<(usize, Generation)> = generations
        .chunk_by(|one, other| one == other)
        .filter_map(|same| Some((same.len(), *same.first()?)))
        .collect();
    counted.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    let (_, most) = counted.first()?;
    let flags = match most {
        Generation::Single => Some("--layout single".to_owned()),
        Generation::Staged(stage) => Some(format!("--layout staged --stage {stage}")),
        Generation::Legacy(_) => None,
    };
    Some((most.describe(), flags))
}
