//! Follows the deployments that were started to their ends, and says what these mean.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use super::checks::watch;
use super::plan::{Action, stop};
use super::screen::Screen;
use super::view::ServiceResult;
use super::{Deploy, Output, Seen};
use crate::aws::ecs::{RunTask, ServiceRevision};
use crate::change::{End, Later, Step, Verification};
use crate::commands::migrate::within;
use crate::context::Ctx;
use crate::error::{CtlError, ErrorKind, Hint, Result};
use crate::layout::App;
use crate::rollout::{ContainerPlaces, Following, Standing, Watcher};
use crate::tasks;
use crate::wait::Waited;

/// How long a rollback that `--rollback-on-timeout` asked for is followed.
const ROLLBACK_WITHIN: Duration = Duration::from_secs(15 * 60);

/// Lines of a failed task in the error.
const LINES: usize = 8;

pub(super) async fn verify<'c, const UNDO: bool>(
    change: &Deploy<'c, UNDO>,
    seen: &Seen,
    run: &mut Verification<'_, Deploy<'c, UNDO>>,
) -> Result<()> {
    let ctx = change.ctx;
    let mut following = Vec::new();
    let mut after: Option<(App, &Step<Action>, tasks::Start)> = None;
    let mut steps: Vec<(App, &Step<Action>)> = Vec::new();
    for (step, output) in run.done() {
        let (Action::Deploy(_) | Action::Follow(_), Some(Output::Started(started))) = (&step.action, output)
        else {
            continue;
        };
        let Some(one) = seen.services.iter().find(|one| one.app.word() == step.id) else {
            continue;
        };
        steps.push((one.app, step));
        if let Action::Deploy(start) = &step.action
            && let Some(task) = &start.migrate_after
        {
            after = Some((
                one.app,
                step,
                task.bringing(Later::Known(started.definition.clone())),
            ));
        }
        following.push(Following::new(
            one.app,
            &one.service.name,
            &started.deployment,
            started.created,
            ContainerPlaces::of(match &step.action {
                Action::Follow(_) => &one.current,
                Action::Deploy(_) | Action::Register(_) | Action::Migrate(_) => &one.target,
            }),
            change.request.command(&[one.app]),
        ));
    }
    if following.is_empty() {
        return Ok(());
    }
    let screen = Screen::new(ctx);
    let events = |event: crate::rollout::Event<'_>| screen.hear(event);
    let mut watcher = Watcher::new(&ctx.aws, &seen.cluster, &events, following);
    if run.waits() {
        ctx.ui.group("deployment");
        screen.begin(&names(&watcher));
        let followed = follow(change, run, &steps, &mut watcher).await;
        screen.end();
        ctx.ui.end_group();
        if let Err(error) = followed {
            return Err(goes_on(error, &watcher));
        }
    } else {
        watcher.look().await.map_err(|error| goes_on(error, &watcher))?;
        for one in &watcher.following {
            ctx.ui.hint(Hint::new("follow it with").command(attach(one)));
        }
    }
    let waited = run.waits();
    for (one, result) in results(ctx, &watcher).await {
        let end = match (&one.standing, waited) {
            (Standing::InProgress, false) => End::Settled,
            _ => ended(one),
        };
        run.end(one.app.word(), end);
        run.ending(one.app.word(), result);
    }
    let completed = |app: App| {
        let mut following = watcher.following.iter();
        following.any(|one| one.app == app && one.standing == Standing::Completed)
    };
    if let Some((app, step, task)) = after {
        if completed(app) {
            let send = async |call: &RunTask| run.send(step, &ctx.aws, call).await;
            let note = |arn: &str| {
                ctx.ui.status(&format!(
                    "migration: started task {}",
                    crate::aws::ecs::short(arn)
                ))
            };
            let migrated = within::migrate(ctx, &change.layout, &task, run.remaining(), note, send).await;
            let end = match migrated {
                Ok(did) => {
                    ctx.ui.status(&format!("{}: {did}", super::migration::STEP));
                    End::Settled
                }
                Err(error) => End::Failed(error),
            };
            run.end(super::migration::STEP, end);
        } else {
            ctx.ui
                .warn("backend: its deployment has not completed, so nothing was migrated");
        }
    }
    Ok(())
}

fn names(watcher: &Watcher<'_>) -> Vec<(App, String)> {
    let names = watcher
        .following
        .iter()
        .map(|one| (one.app, one.deployment.clone()));
    names.collect()
}

async fn follow<'c, const UNDO: bool>(
    change: &Deploy<'c, UNDO>,
    run: &Verification<'_, Deploy<'c, UNDO>>,
    steps: &[(App, &Step<Action>)],
    watcher: &mut Watcher<'_>,
) -> Result<()> {
    let ctx = change.ctx;
    let mut stopped: BTreeSet<App> = BTreeSet::new();
    let abort = change.request.abort_on_first_failure;
    let waited = watcher
        .follow(run.deadline(), &ctx.cancel, async |watcher| {
            if !abort {
                return Ok(());
            }
            for one in &mut watcher.following {
                let failed = one.failures().next();
                if let (Some(failed), Standing::InProgress) = (failed, &one.standing)
                    && !stopped.contains(&one.app)
                    && let Some(arn) = &one.record_arn
                {
                    let why = format!("{} in its first task that failed", failed.what);
                    end_deployment(ctx, run, steps, one, arn, &why).await?;
                    stopped.insert(one.app);
                    one.ended_because = Some(why);
                }
            }
            Ok(())
        })
        .await?;
    if !matches!(waited, Waited::TimedOut) || !change.request.rollback_on_timeout {
        return Ok(());
    }
    for one in &mut watcher.following {
        if let (Standing::InProgress, Some(arn)) = (&one.standing, &one.record_arn) {
            let why = "it was not done in time";
            end_deployment(ctx, run, steps, one, arn, why).await?;
            one.ended_because = Some(why.to_owned());
        }
    }
    let until = ctx
        .clock
        .now()
        .checked_add(ROLLBACK_WITHIN)
        .unwrap_or(Timestamp::MAX);
    watcher.follow(until, &ctx.cancel, async |_| Ok(())).await?;
    Ok(())
}

/// Asks ECS to end a deployment and to go back to the one before.
async fn end_deployment<'c, const UNDO: bool>(
    ctx: &Ctx,
    run: &Verification<'_, Deploy<'c, UNDO>>,
    steps: &[(App, &Step<Action>)],
    one: &Following,
    arn: &str,
    why: &str,
) -> Result<()> {
    let Some((_, step)) = steps.iter().find(|(app, _)| *app == one.app) else {
        return Ok(());
    };
    ctx.ui.status(&format!(
        "{}: stopping deployment {}: {why}",
        one.app.word(),
        one.deployment
    ));
    let call = stop(&one.service, Later::Known(arn.to_owned()));
    match run.send(step, &ctx.aws, &call).await {
        // It has come to its end by itself.
        Err(error) if error.kind() == ErrorKind::Conflict => Ok(()),
        other => other,
    }
}

/// The command that follows a deployment again.
pub(crate) fn attach(one: &Following) -> crate::error::CommandLine {
    watch(one.app.word()).option("--deployment", &one.deployment)
}

/// The deployments go on whatever goes wrong while watching them; the operator has to know.
fn goes_on(error: CtlError, watcher: &Watcher<'_>) -> CtlError {
    let open = watcher.following.iter().filter(|one| !one.standing.is_over());
    open.fold(error, |error, one| {
        error.hint(("the deployment goes on in AWS: follow it again with", attach(one)))
    })
}

/// What became of each deployment, with the images that it brought.
pub(crate) async fn results<'w>(ctx: &Ctx, watcher: &'w Watcher<'_>) -> Vec<(&'w Following, ServiceResult)> {
    let revision = |one: &Following| one.record.as_ref().and_then(|record| record.revision.clone());
    let arns: Vec<String> = watcher.following.iter().filter_map(revision).collect();
    let revisions: Vec<ServiceRevision> = if arns.is_empty() {
        Vec::new()
    } else {
        ctx.aws.service_revisions(&arns).await.unwrap_or_else(|error| {
            ctx.ui.warn(&format!("the digests are not known: {error}"));
            Vec::new()
        })
    };
    watcher
        .following
        .iter()
        .map(|one| {
            let of_it = revision(one);
            let brought = revisions.iter().find(|known| Some(&known.arn) == of_it.as_ref());
            (one, ServiceResult::new(one, None, brought))
        })
        .collect()
}

/// What the end of a deployment means.
pub(crate) fn ended(one: &Following) -> End {
    let word = one.app.word();
    let id = &one.deployment;
    match &one.standing {
        Standing::Completed => End::Settled,
        Standing::InProgress => End::Running {
            what: format!("deployment {id} of {word} is in progress ({})", one.counts.text()),
            hint: Hint::new("follow it again with").command(attach(one)),
        },
        Standing::RollingBack(why) => End::Running {
            what: format!("deployment {id} of {word} is being rolled back: {why}"),
            hint: Hint::new("follow it again with").command(attach(one)),
        },
        Standing::Superseded(other) => End::Superseded(
            CtlError::new(
                ErrorKind::Changed,
                format!(
                    "deploy {word}: deployment {other}, which somebody else started, took the place of {id}"
                ),
            )
            .hint(("follow the other one with", watch(word))),
        ),
        Standing::RolledBack(why) => End::RolledBack(failure(
            one,
            &match &one.ended_because {
                Some(because) => format!("deployment {id} was stopped and rolled back: {because}"),
                None => format!("deployment {id} was rolled back: the tasks of before run again"),
            },
            why,
        )),
        Standing::RollbackFailed(why) => End::Failed(failure(
            one,
            &format!("deployment {id} failed, and so did its rollback"),
            why,
        )),
        Standing::Failed(why) => End::Failed(failure(
            one,
            &format!("deployment {id} failed and was not rolled back"),
            why,
        )),
    }
}

/// Why it failed: AWS' reason, then the first task that failed, with its last lines.
fn failure(one: &Following, what: &str, why: &str) -> CtlError {
    let word = one.app.word();
    let mut error = CtlError::new(ErrorKind::Failed, format!("deploy {word}: {what}")).cause(why.to_owned());
    let first = one
        .failures()
        .find(|stopped| !stopped.lines.is_empty())
        .or_else(|| one.failures().next());
    if let Some(first) = first {
        let alike = one
            .failures()
            .filter(|stopped| stopped.what == first.what)
            .count();
        let more = match alike {
            0 | 1 => String::new(),
            many => format!(", and so did {} more", many - 1),
        };
        error = error.cause(format!("task {}: {}{more}", first.task, first.what));
        let from = first.lines.len().saturating_sub(LINES);
        for line in first.lines.get(from..).unwrap_or_default() {
            error = error.cause(line.clone());
        }
        let place = first
            .container
            .as_ref()
            .and_then(|container| Some((container, one.places.logs.get(container)?)));
        if let Some(hint) = &first.hint {
            error = error.hint(hint.clone());
        }
        if let (Some((container, place)), false) = (place, first.lines.is_empty()) {
            error = error.hint(crate::tasks::Tail::new(place, container, &first.task).command());
        }
    }
    error.hint((
        "see what ran before with",
        crate::error::CommandLine::bpctl(["rollout", "history", word]),
    ))
}
