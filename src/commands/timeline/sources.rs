//! The sources of the timeline, read at the same time; what one of them does not tell hides nothing of the others.

use std::collections::BTreeMap;

use futures::future::{LocalBoxFuture, join_all, try_join_all};
use futures::{FutureExt as _, StreamExt as _, TryStreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};

use super::{Event, Limit, Source};
use crate::aws::autoscaling::Group;
use crate::aws::ecs::{ServiceDeployment, Task, short};
use crate::aws::ssm::ParameterFacts;
use crate::change::{Ground as _, Shared, history};
use crate::context::Ctx;
use crate::error::{CtlError, Result};
use crate::exit::ExitStatus;
use crate::fleet::activity::reason;
use crate::fleet::{alarm_names, known_groups};
use crate::layout::{App, FleetId, Layout, Store};
use crate::output::took;
use crate::redact::redact;

/// Reads of one kind that are under way at the same time.
const AT_ONCE: usize = 8;

/// What bpctl calls itself in requests: its own changes are on the timeline as runs.
const OURS: &str = "bpctl/";

/// Changes that nobody decides on: agents and drivers that report what they do.
const NOISE: &[&str] = &["CreateLogStream", "UpdateInstanceInformation"];

/// How long before `since` deployments may have begun that ended after it: one that nothing ends goes on for days.
const BEGAN_BEFORE: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The fleets and their groups.
type Groups = BTreeMap<FleetId, Option<Group>>;

/// What was read.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub(super) events: Vec<Event>,
    /// What could not be read, or not to its end.
    pub(super) gaps: Vec<String>,
    pub(super) limits: Vec<Limit>,
}

/// What one source has.
#[derive(Debug, Default)]
struct Found {
    events: Vec<Event>,
    /// Why it was not read to its end.
    gap: Option<String>,
    /// What it does not know, whatever its age.
    limit: Option<&'static str>,
}

impl From<Vec<Event>> for Found {
    fn from(events: Vec<Event>) -> Self {
        Self {
            events,
            ..Self::default()
        }
    }
}

/// The events of the wanted sources, what could not be read, and what is kept for less than was asked.
///
/// # Errors
/// None of the wanted sources could be read.
pub(super) async fn read(
    ctx: &Ctx,
    layout: &Layout,
    wanted: &[Source],
    (since, until): (Timestamp, Timestamp),
) -> Result<Read> {
    let (mut all, mut failure) = (Read::default(), None);
    let of_fleets = [Source::Parameters, Source::Alarms, Source::Scaling];
    let mut groups = Groups::new();
    if wanted.iter().any(|source| of_fleets.contains(source)) {
        match known_groups(&ctx.aws, layout).await {
            Ok(known) => {
                groups = known
                    .fleets
                    .into_iter()
                    .map(|(id, fleet)| (id, fleet.group))
                    .collect()
            }
            Err(error) => all.gaps.push(format!("what is of fleets: failed to {error}")),
        }
    }
    let groups = &groups;
    let reads = wanted.iter().map(|source| async move {
        let found: LocalBoxFuture<'_, Result<Found>> = match source {
            Source::Runs => whole(runs(ctx, since)),
            Source::Changes => changes(ctx, since).boxed_local(),
            Source::Parameters => parameters(ctx, layout, groups, since).boxed_local(),
            Source::Secrets => secrets(ctx, layout, since).boxed_local(),
            Source::Stacks => whole(stacks(ctx, layout, since)),
            Source::Deployments => deployments(ctx, layout, since).boxed_local(),
            Source::Tasks => tasks(ctx, layout).boxed_local(),
            Source::Alarms => whole(alarms(ctx, layout, groups, since)),
            Source::Scaling => whole(scaling(ctx, groups, since)),
        };
        (*source, found.await)
    });
    let mut failed = 0;
    for (source, read) in join_all(reads).await {
        match read {
            Ok(found) => {
                all.events.extend(found.events);
                let gap = found.gap.map(|gap| format!("{}: {gap}", source.name()));
                all.gaps.extend(gap);
                let newest = found.limit.map(|what| Limit::new(source, None, what));
                all.limits.extend(newest.or_else(|| by_age(source, since, until)));
            }
            Err(error) => {
                failed += 1;
                all.gaps.push(format!("{}: failed to {error}", source.name()));
                failure = Some(error);
            }
        }
    }
    match failure {
        Some(error) if failed == wanted.len() => Err(error),
        _ => Ok(all),
    }
}

/// A source that is read whole or not at all.
fn whole<'a>(read: impl Future<Output = Result<Vec<Event>>> + 'a) -> LocalBoxFuture<'a, Result<Found>> {
    read.map(|read| read.map(Found::from)).boxed_local()
}

/// What a source does not keep for as long as was asked. Those that are not here keep 90 days, the most that can be
/// asked for.
fn by_age(source: Source, since: Timestamp, until: Timestamp) -> Option<Limit> {
    let (hours, what) = match source {
        // "Stopped tasks appear in the returned results for at least one hour" (Amazon ECS API Reference, DescribeTasks).
        Source::Tasks => (1, "ECS keeps stopped tasks for an hour"),
        // "CloudWatch preserves alarm history for 30 days" (CloudWatch User Guide, "Using Amazon CloudWatch alarms").
        Source::Alarms => (30 * 24, "CloudWatch keeps the history of alarms for 30 days"),
        // "Only activities started within the last six weeks can be returned" (Auto Scaling API Reference,
        // DescribeScalingActivities).
        Source::Scaling => (42 * 24, "Auto Scaling keeps activities for six weeks"),
        Source::Runs
        | Source::Changes
        | Source::Parameters
        | Source::Secrets
        | Source::Stacks
        | Source::Deployments => return None,
    };
    let known = until.checked_sub(SignedDuration::from_hours(hours)).ok()?;
    (since < known).then(|| Limit::new(source, Some(known), what))
}

async fn runs(ctx: &Ctx, since: Timestamp) -> Result<Vec<Event>> {
    let Shared {
        store: Some(store), ..
    } = ctx.shared()
    else {
        return Ok(Vec::new());
    };
    let runs = history::read(&store, since).await?;
    let event = |run: history::Entry| Event {
        at: run.started,
        source: Source::Runs,
        what: format!(
            "{}, {} after {}",
            run.title,
            run.verdict,
            took(run.started, run.ended)
        ),
        subject: run.verb,
        why: run.reason,
        who: Some(run.target.principal),
        bad: run.status != ExitStatus::Done.code(),
    };
    Ok(runs.into_iter().map(event).collect())
}

async fn changes(ctx: &Ctx, since: Timestamp) -> Result<Found> {
    let traces = ctx.aws.changes_since(since).await?;
    let gap = traces.cut_off.then(|| {
        let oldest = traces.found.last().map_or(since, |trace| trace.at);
        format!("CloudTrail has more than was read: those before {oldest} are not here")
    });
    let of_others = traces.found.into_iter().filter(|trace| {
        let by = trace.by.as_deref().unwrap_or_default();
        let is_of_aws = by.ends_with(".amazonaws.com") || by.contains(":assumed-role/AWSServiceRoleFor");
        !is_of_aws && !trace.agent.starts_with(OURS) && !NOISE.contains(&trace.name.as_str())
    });
    let events = of_others.map(|trace| {
        let service = trace.source.trim_end_matches(".amazonaws.com").to_owned();
        Event {
            at: trace.at,
            source: Source::Changes,
            what: match &trace.error {
                Some(error) => format!("{service}:{} was refused with {error}", trace.name),
                None => format!("{service}:{}", trace.name),
            },
            subject: trace.subject.unwrap_or(service),
            why: None,
            who: trace.by,
            bad: trace.error.is_some(),
        }
    });
    Ok(Found {
        events: events.collect(),
        gap,
        limit: None,
    })
}

async fn parameters(ctx: &Ctx, layout: &Layout, groups: &Groups, since: Timestamp) -> Result<Found> {
    let fleets: Vec<FleetId> = groups.keys().cloned().collect();
    let mut table = layout.secret_table(&fleets);
    table.retain(|entry| entry.store == Store::ParameterStore);
    let names: Vec<String> = table.iter().map(|entry| entry.path.clone()).collect();
    let facts = ctx.aws.parameter_facts(&names).await?;
    // What was written last before `since` was not written after it.
    let hides = |facts: &ParameterFacts| facts.version > 1 && facts.modified.is_some_and(|at| at >= since);
    let limit = facts
        .iter()
        .any(hides)
        .then_some("of each parameter only the newest write is known; CloudTrail has those before it");
    let event = |facts: ParameterFacts| {
        Some(Event {
            at: facts.modified?,
            source: Source::Parameters,
            what: format!("version {} was written", facts.version),
            subject: facts.name,
            why: None,
            who: facts.by,
            bad: false,
        })
    };
    Ok(Found {
        events: facts.into_iter().filter_map(event).collect(),
        gap: None,
        limit,
    })
}

async fn secrets(ctx: &Ctx, layout: &Layout, since: Timestamp) -> Result<Found> {
    let mut table = layout.secret_table(&[]);
    table.retain(|entry| entry.store == Store::SecretsManager);
    let names: Vec<String> = table.iter().map(|entry| entry.path.clone()).collect();
    let facts = ctx.aws.secrets_named(&names).await?;
    let limit = facts
        .iter()
        .any(|facts| facts.changed.is_some_and(|at| at >= since))
        .then_some("of each secret only the newest change is known; CloudTrail has those before it");
    let event = |facts: crate::aws::secretsmanager::SecretFacts| {
        Some(Event {
            at: facts.changed?,
            source: Source::Secrets,
            subject: facts.name,
            what: "was changed".to_owned(),
            why: None,
            who: None,
            bad: false,
        })
    };
    Ok(Found {
        events: facts.into_iter().filter_map(event).collect(),
        gap: None,
        limit,
    })
}

/// What happened to stacks as a whole, and what failed in them.
async fn stacks(ctx: &Ctx, layout: &Layout, since: Timestamp) -> Result<Vec<Event>> {
    let stacks = ctx.aws.stacks().await?.into_iter();
    let names: Vec<String> = stacks
        .map(|stack| stack.name)
        .filter(|name| layout.has_stack(name))
        .collect();
    let reads = names.iter().map(|name| async move {
        let events = ctx.aws.stack_events_since(name, since).await?;
        let told = events.into_iter().filter_map(|event| {
            let is_whole = event.is_of_stack(name);
            let has_failed = event.status.ends_with("_FAILED");
            if !is_whole && !has_failed {
                return None;
            }
            let what = if is_whole {
                String::new()
            } else {
                format!("{} ", event.resource)
            };
            Some(Event {
                at: event.at?,
                source: Source::Stacks,
                subject: name.clone(),
                bad: has_failed || event.status.contains("ROLLBACK"),
                what: format!("{what}{}", event.status),
                why: event.reason.map(|reason| redact(&reason).into_owned()),
                who: None,
            })
        });
        Ok(told.collect::<Vec<Event>>())
    });
    let found: Vec<Vec<Event>> = stream::iter(reads)
        .map(Box::pin)
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    // The newest come first; those of one moment keep the order in which they came about.
    Ok(found
        .into_iter()
        .flat_map(|events| events.into_iter().rev())
        .collect())
}

async fn deployments(ctx: &Ctx, layout: &Layout, since: Timestamp) -> Result<Found> {
    let cluster = &layout.cluster();
    let from = since.checked_sub(BEGAN_BEFORE).unwrap_or_default();
    let reads = [App::Backend, App::Frontend].map(|app| {
        let service = layout.service(app);
        async move {
            let found = ctx.aws.service_deployments_since(cluster, &service, from).await?;
            Ok::<_, CtlError>(found.map(|listed| (service, listed)))
        }
    });
    let mut all = Found::default();
    let mut gaps = Vec::new();
    for (service, listed) in try_join_all(reads).await?.into_iter().flatten() {
        if listed.cut_off {
            let read = listed.found.len();
            gaps.push(format!(
                "ECS has more of {service} than the {read} that were read: some are not here"
            ));
        }
        let events = listed.found.into_iter();
        all.events
            .extend(events.flat_map(|deployment| begin_and_end(&service, deployment)));
    }
    all.gap = (!gaps.is_empty()).then(|| gaps.join("; "));
    Ok(all)
}

fn begin_and_end(service: &str, deployment: ServiceDeployment) -> Vec<Event> {
    let event = |at: Option<Timestamp>, what: String, why: Option<String>, bad: bool| {
        Some(Event {
            at: at?,
            source: Source::Deployments,
            subject: service.to_owned(),
            what,
            why,
            who: None,
            bad,
        })
    };
    let name = short(&deployment.arn);
    let began = event(
        deployment.created,
        format!("deployment {name} began"),
        None,
        false,
    );
    let bad = deployment.status != "SUCCESSFUL";
    let what = format!("deployment {name} ended {}", deployment.status);
    let ended = event(deployment.finished, what, deployment.reason, bad);
    began.into_iter().chain(ended).collect()
}

async fn tasks(ctx: &Ctx, layout: &Layout) -> Result<Found> {
    let tasks = ctx.aws.stopped_tasks(&layout.cluster()).await?;
    let gap = tasks.cut_off.then(|| {
        let read = tasks.found.len();
        format!("ECS has more stopped tasks than the {read} that were read: some are not here")
    });
    let event = |task: Task| {
        let exits: Vec<String> = task
            .containers
            .iter()
            .filter_map(|container| Some((container.name.as_str(), container.exit_code?)))
            .filter(|(_, code)| *code != 0)
            .map(|(name, code)| format!("{name} exited with {code}"))
            .collect();
        let code = task.stop_code.as_deref().unwrap_or("it stopped");
        let is_bad = match code {
            "TaskFailedToStart" => true,
            "EssentialContainerExited" => !exits.is_empty(),
            _ => false,
        };
        let reasons = task.stopped_reason.map(|reason| redact(&reason).into_owned());
        let why: Vec<String> = reasons.into_iter().chain(exits).collect();
        Some(Event {
            at: task.stopped?,
            source: Source::Tasks,
            subject: format!("{} {}", short(&task.definition), short(&task.arn)),
            what: format!("stopped ({code})"),
            why: (!why.is_empty()).then(|| why.join("; ")),
            who: None,
            bad: is_bad,
        })
    };
    Ok(Found {
        events: tasks.found.into_iter().filter_map(event).collect(),
        gap,
        limit: None,
    })
}

async fn alarms(ctx: &Ctx, layout: &Layout, groups: &Groups, since: Timestamp) -> Result<Vec<Event>> {
    let of_fleets = groups.keys().flat_map(|fleet| alarm_names(layout, fleet));
    let names: Vec<String> = layout.platform_alarms().into_iter().chain(of_fleets).collect();
    let reads = names.iter().map(|name| ctx.aws.alarm_changes_since(name, since));
    let found: Vec<_> = stream::iter(reads)
        .map(Box::pin)
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    let event = |change: crate::aws::cloudwatch::StateChange| Event {
        at: change.at,
        source: Source::Alarms,
        bad: change.summary.ends_with("to ALARM"),
        subject: change.alarm,
        what: change.summary,
        why: None,
        who: None,
    };
    Ok(found.into_iter().flatten().map(event).collect())
}

async fn scaling(ctx: &Ctx, groups: &Groups, since: Timestamp) -> Result<Vec<Event>> {
    let groups = groups
        .iter()
        .filter_map(|(id, group)| Some((id, group.as_ref()?)));
    let reads = groups.map(|(id, group)| async move {
        let found = ctx.aws.activities_since(&group.name, since).await?;
        let event = |activity: crate::aws::autoscaling::Activity| {
            Some(Event {
                at: activity.started?,
                source: Source::Scaling,
                subject: id.to_string(),
                bad: activity.status == "Failed",
                // Nothing but names of AWS: those that CloudFormation makes up look like secrets.
                why: Some(reason(&activity)),
                what: activity.description,
                who: None,
            })
        };
        Ok(found.into_iter().filter_map(event).collect::<Vec<Event>>())
    });
    let found: Vec<Vec<Event>> = stream::iter(reads)
        .map(Box::pin)
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    Ok(found.into_iter().flatten().collect())
}
