//! `bpctl rollout abort`: ends a deployment that is under way; ECS goes back to the one before.

use clap::Args;
use serde::{Deserialize, Serialize};

use super::One;
use crate::aws::ecs::{Service, StopServiceDeployment};
use crate::change::journal::Record;
use crate::change::{
    Basis, Blocker, Call as _, Change, ChangeArgs, Done, End, Later, Outcome, Plan, Step, StepRun, Target,
    Verification, Words, carry_out,
};
use crate::commands::deploy::checks::is_under_way;
use crate::commands::deploy::observe::services;
use crate::commands::deploy::plan::stop;
use crate::commands::deploy::screen::Screen;
use crate::commands::deploy::verify::{ended, results};
use crate::commands::deploy::view::{DeployResult, ServiceResult};
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Hint, Result};
use crate::exit::ExitStatus;
use crate::iam::{CHANGE, On, Use, Uses};
use crate::layout::{App, Layout};
use crate::rollout::{ContainerPlaces, Following, Standing, Watcher, number};

/// End the deployment of a service that is under way and go back to the one before
///
/// Works also where the circuit breaker is off. Ends with 0 once the tasks of before run again.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl rollout abort backend
  bpctl rollout abort backend --reason 'wrong tag'")]
pub(super) struct AbortArgs {
    /// Which service
    #[arg(value_name = "SERVICE")]
    service: One,

    #[command(flatten)]
    change: ChangeArgs,
}

impl Verb for AbortArgs {
    fn uses() -> Uses {
        Uses::of(&[
            CHANGE,
            &[
                Use::of("ecs:DescribeServiceDeployments", On::Deployments),
                Use::of("ecs:DescribeServiceRevisions", On::Revisions),
                Use::of("ecs:DescribeServices", On::Services),
                Use::of("ecs:DescribeTaskDefinition", On::Anything),
                Use::of("ecs:DescribeTasks", On::Tasks),
                Use::of("ecs:ListTasks", On::AnythingInCluster),
                Use::of("ecs:StopServiceDeployment", On::Deployments),
                Use::of("elasticloadbalancing:DescribeTargetHealth", On::Anything),
                Use::of("logs:GetLogEvents", On::ServiceLogs),
            ],
        ])
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let change = Abort {
            ctx,
            layout: ctx.layout()?,
            app: self.service.app(),
        };
        carry_out(ctx, &change, &self.change).await
    }
}

struct Abort<'a> {
    ctx: &'a Ctx,
    layout: Layout,
    app: App,
}

/// The deployment that is to end.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Ending {
    call: StopServiceDeployment,
    deployment: String,
}

impl Abort<'_> {
    async fn service(&self) -> Result<Service> {
        let found = services(self.ctx, &self.layout, &self.layout.cluster(), &[self.app]).await?;
        let service = found.into_iter().next().map(|(_, service)| service);
        service.ok_or_else(|| {
            CtlError::new(
                ErrorKind::NotFound,
                format!("end the deployment of {}: no service", self.app.word()),
            )
        })
    }
}

impl Change for Abort<'_> {
    const NAME: &'static str = "rollout abort";
    type Seen = Service;
    type Action = Ending;
    type Output = ();
    type Ending = ServiceResult;
    type Document = DeployResult;

    fn words(&self) -> Words {
        Words {
            goal: format!("end the deployment of {}", self.app.word()),
            thing: "service",
            settle: "see the tasks of before run again".to_owned(),
            following: String::new(),
        }
    }

    async fn observe(&self, _target: &Target, _recent: &[Record]) -> Result<Service> {
        self.service().await
    }

    fn plan(&self, service: &Service, _basis: &Basis<'_>) -> Result<Plan<Ending>> {
        let word = self.app.word();
        let title = format!("end the deployment of {word}");
        let under_way = is_under_way(service) || service.service_deployment.is_some();
        let Some(primary) = service.primary().filter(|_| under_way) else {
            return Ok(Plan::new(title, Vec::new()));
        };
        let Some(arn) = &service.service_deployment else {
            let mut plan = Plan::new(title, Vec::new());
            plan.blockers.push(Blocker {
                kind: ErrorKind::Failed,
                reason: format!(
                    "end the deployment of {word}: AWS names no service deployment of {}",
                    primary.id
                ),
                hint: Hint::new("put another one in its place with")
                    .command(CommandLine::bpctl(["deploy", word]).args(["--supersede"])),
            });
            return Ok(plan);
        };
        let call = stop(&service.name, Later::Known(arn.clone()));
        let calls = vec![call.described()];
        let action = Ending {
            call,
            deployment: primary.id.clone(),
        };
        let step = Step::new(word, "stop it and go back", calls, action).changing(
            format!("{} ({} failed)", primary.id, primary.failed),
            "the deployment before",
        );
        Ok(Plan::new(title, vec![step]))
    }

    fn covers(&self, _seen: &Service, _plan: &Plan<Ending>) -> Vec<String> {
        vec![self.app.word().to_owned()]
    }

    async fn act(&self, step: &StepRun<'_, Self>) -> Result<Done<Self>> {
        let Ending { call, deployment } = step.action();
        let service = self.service().await?;
        let now = service.service_deployment.map(Later::Known);
        if now.as_ref() != Some(&call.deployment) {
            return Err(CtlError::new(
                ErrorKind::Changed,
                format!("end deployment {deployment}: it is not under way any more"),
            )
            .hint((
                "see how it ended with",
                CommandLine::bpctl(["rollout", "status", self.app.word()]),
            )));
        }
        step.send(&self.ctx.aws, call).await?;
        Ok(Done::new(format!("asked ECS to end deployment {deployment}")))
    }

    async fn verify(&self, service: &Service, run: &mut Verification<'_, Self>) -> Result<()> {
        let ctx = self.ctx;
        let done = run.done();
        let Some((step, _)) = done.first() else {
            return Ok(());
        };
        let Later::Known(arn) = step.action.call.deployment.clone() else {
            return Ok(());
        };
        // The service deployment says which deployment it is: while it rolls back, another one is primary.
        let record = ctx.aws.rollout_records(&[arn]).await?.pop();
        let revision = record.as_ref().and_then(|record| record.revision.clone());
        let deployment = revision.map_or_else(
            || step.action.deployment.clone(),
            |revision| format!("ecs-svc/{}", number(&revision)),
        );
        let created = record.and_then(|record| record.created);
        let places = ContainerPlaces::of(&ctx.aws.registered(&service.task_definition).await?);
        let again = CommandLine::bpctl(["deploy", self.app.word()]);
        let following = Following::new(self.app, &service.name, &deployment, created, places, again);
        let screen = Screen::new(ctx);
        let events = |event: crate::rollout::Event<'_>| screen.hear(event);
        let mut watcher = Watcher::new(&ctx.aws, &self.layout.cluster(), &events, vec![following]);
        if run.waits() {
            screen.begin(&[(self.app, deployment.clone())]);
            let followed = watcher
                .follow(run.deadline(), &ctx.cancel, async |_| Ok(()))
                .await;
            screen.end();
            followed?;
        } else {
            watcher.look().await?;
        }
        let waits = run.waits();
        for (one, result) in results(ctx, &watcher).await {
            let end = match &one.standing {
                Standing::RolledBack(_) => End::Settled,
                Standing::Completed => End::Failed(CtlError::new(
                    ErrorKind::Changed,
                    format!(
                        "end deployment {}: it had completed before it could be stopped",
                        one.deployment
                    ),
                )),
                Standing::InProgress | Standing::RollingBack(_) if !waits => End::Settled,
                _ => ended(one),
            };
            run.end(self.app.word(), end);
            run.ending(self.app.word(), result);
        }
        Ok(())
    }

    fn document(&self, _seen: &Service, outcome: &Outcome<Self>) -> Option<DeployResult> {
        let services: Vec<ServiceResult> = outcome.endings.values().cloned().collect();
        (!services.is_empty()).then(|| DeployResult {
            run: Some(outcome.run.clone()),
            services,
        })
    }

    fn resume(&self, _left: &[&str]) -> CommandLine {
        CommandLine::bpctl(["rollout", "abort", self.app.word()])
    }
}
