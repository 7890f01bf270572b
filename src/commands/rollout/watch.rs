//! `bpctl rollout watch`: follows a deployment to its end, also one that bpctl did not start.

use std::time::Duration;

use clap::Args;
use jiff::Timestamp;

use super::{One, newest};
use crate::change::conclude_end;
use crate::commands::deploy::observe::services;
use crate::commands::deploy::screen::Screen;
use crate::commands::deploy::verify::{attach, ended, results};
use crate::commands::deploy::view::DeployResult;
use crate::commands::deploy::words;
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Result};
use crate::exit::ExitStatus;
use crate::iam::{On, Use, Uses};
use crate::layout::App;
use crate::rollout::{ContainerPlaces, Following, Watcher, brings};

/// Follow the newest deployment of a service to its end
///
/// Ends as `deploy` would: 0 completed, 1 failed, 5 another one took its place, 6 not done in time, 8 rolled back.
/// A deployment that has ended is told at once.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl rollout watch backend
  bpctl rollout watch backend --deployment ecs-svc/4430586914713396573    that one and no other")]
pub(super) struct WatchArgs {
    /// Which service
    #[arg(value_name = "SERVICE")]
    service: One,

    /// Follow this deployment, as `deploy` names it
    #[arg(long, value_name = "ID", value_parser = deployment)]
    deployment: Option<String>,

    /// How long to wait for the end, e.g. 90s or 1h [default: wait_timeout of the context, 30m]
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    timeout: Option<Duration>,
}

/// `ecs-svc/<digits>`, or the digits alone.
fn deployment(text: &str) -> Result<String, String> {
    let digits = text.strip_prefix("ecs-svc/").unwrap_or(text);
    if !digits.is_empty() && digits.len() <= 32 && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        Ok(format!("ecs-svc/{digits}"))
    } else {
        Err("write `ecs-svc/` and its digits".to_owned())
    }
}

impl Verb for WatchArgs {
    fn uses() -> Uses {
        Uses::of(&[&[
            Use::of("ecs:DescribeServiceDeployments", On::Deployments),
            Use::of("ecs:DescribeServiceRevisions", On::Revisions),
            Use::of("ecs:DescribeServices", On::Services),
            Use::of("ecs:DescribeTaskDefinition", On::Anything),
            Use::of("ecs:DescribeTasks", On::Tasks),
            Use::of("ecs:ListServiceDeployments", On::Services),
            Use::of("ecs:ListTasks", On::AnythingInCluster),
            Use::of("elasticloadbalancing:DescribeTargetHealth", On::Anything),
            Use::of("logs:GetLogEvents", On::ServiceLogs),
        ]])
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let app = self.service.app();
        let cluster = ctx.layout()?.cluster();
        let following = ctx
            .unless_interrupted(find(ctx, &cluster, app, self.deployment.as_deref()))
            .await?;
        let timeout = self.timeout.unwrap_or(ctx.settings.wait_timeout.value);
        let deadline = ctx.clock.now().checked_add(timeout).unwrap_or(Timestamp::MAX);
        let screen = Screen::new(ctx);
        let events = |event: crate::rollout::Event<'_>| screen.hear(event);
        let mut watcher = Watcher::new(&ctx.aws, &cluster, &events, vec![following]);
        ctx.ui.group("deployment");
        screen.begin(
            &watcher
                .following
                .iter()
                .map(|one| (one.app, one.deployment.clone()))
                .collect::<Vec<_>>(),
        );
        let followed = watcher.follow(deadline, &ctx.cancel, async |_| Ok(())).await;
        screen.end();
        ctx.ui.end_group();
        followed.map_err(|error| {
            let open = watcher.following.iter().find(|one| !one.standing.is_over());
            match open {
                Some(one) => error.hint(("the deployment goes on in AWS: follow it again with", attach(one))),
                None => error,
            }
        })?;
        let mut outcome = Ok(ExitStatus::Done);
        let mut services = Vec::new();
        for (one, result) in results(ctx, &watcher).await {
            outcome = conclude_end(&words(), app.word(), &ended(one), ctx.cancel.is_cancelled());
            services.push(result);
        }
        ctx.emit_outcome(&DeployResult { run: None, services }, outcome)
    }
}

/// The deployment that is asked for, with what its tasks consist of.
async fn find(ctx: &Ctx, cluster: &str, app: App, asked: Option<&str>) -> Result<Following> {
    let layout = ctx.layout()?;
    let found = services(ctx, &layout, cluster, &[app]).await?;
    let Some((_, service)) = found.into_iter().next() else {
        return Err(CtlError::new(
            ErrorKind::Unexpected,
            format!("follow {}: no service", app.word()),
        ));
    };
    let records = ctx
        .aws
        .service_deployments(cluster, &service.name)
        .await
        .unwrap_or_else(|error| {
            ctx.ui
                .warn(&format!("the records of deployments cannot be read: {error}"));
            None
        });
    let records = records.unwrap_or_default();
    let (deployment, created) = match asked {
        None => {
            let newest = newest(&service, &records).ok_or_else(|| {
                CtlError::new(
                    ErrorKind::NotFound,
                    format!("follow {}: it was never deployed", app.word()),
                )
            })?;
            (newest.deployment, newest.created)
        }
        Some(id) => {
            let record = records.iter().find(|record| {
                record
                    .revision
                    .as_deref()
                    .is_some_and(|revision| brings(id, revision))
            });
            let listed = service.deployments.iter().find(|known| known.id == id);
            if record.is_none() && listed.is_none() {
                return Err(CtlError::new(
                    ErrorKind::NotFound,
                    format!("follow deployment {id}: {} has no such deployment", app.word()),
                )
                .hint((
                    "see which there were with",
                    CommandLine::bpctl(["rollout", "history", app.word()]),
                )));
            }
            let created = record.and_then(|record| record.created);
            (
                id.to_owned(),
                created.or(listed.and_then(|listed| listed.created)),
            )
        }
    };
    let revision = records
        .iter()
        .filter_map(|record| record.revision.clone())
        .find(|revision| brings(&deployment, revision));
    let brought = match revision {
        Some(revision) => ctx
            .aws
            .service_revisions(&[revision])
            .await
            .unwrap_or_default()
            .pop(),
        None => None,
    };
    let definition = brought.map_or_else(
        || service.task_definition.clone(),
        |brought| brought.task_definition,
    );
    let places = ContainerPlaces::of(&ctx.aws.registered(&definition).await?);
    let again = CommandLine::bpctl(["deploy", app.word()]);
    Ok(Following::new(
        app,
        &service.name,
        &deployment,
        created,
        places,
        again,
    ))
}

#[cfg(test)]
mod tests {
    use super::deployment;

    #[test]
    fn a_deployment_is_named_by_its_digits() {
        assert_eq!(deployment("ecs-svc/443"), Ok("ecs-svc/443".to_owned()));
        assert_eq!(deployment("443"), Ok("ecs-svc/443".to_owned()));
        for bad in ["", "ecs-svc/", "ecs-svc/x", "4 3", "$(id)"] {
            assert!(deployment(bad).is_err(), "{bad}");
        }
    }
}
