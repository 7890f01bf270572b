//! `bpctl deploy`: new deployments of the backend and the frontend, with a verdict that is bound to them.

mod act;
pub(super) mod checks;
pub(super) mod images;
mod lost;
mod migration;
pub(super) mod observe;
pub(super) mod plan;
pub(super) mod request;
pub(super) mod screen;
pub(super) mod verify;
pub(crate) mod view;

use std::collections::BTreeMap;

use clap::Args;
use futures::FutureExt as _;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use crate::aws::ecs::Service;
use crate::change::journal::Record;
use crate::change::{
    Basis, Change, ChangeArgs, Done, Outcome, Plan, StepRun, Target, Verification, Words, carry_out,
};
use crate::commands::migrate::within;
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, Hint, Result};
use crate::exit::ExitStatus;
use crate::iam::{CHANGE, On, Use, Uses};
use crate::layout::{App, Layout};
pub(crate) use observe::Seen;
pub(crate) use request::{Migrate, Request, Services, What};

/// Deploy the backend, the frontend or both, and follow the deployments to their ends
///
/// Without more flags the tasks are replaced by new ones of the same task definition: tags such as `php-latest` are
/// resolved anew. Looks first whether every image is there and for the right processor, whether every secret has a
/// value, and whether no other actor deploys. Follows exactly the deployments that it started: one that the circuit
/// breaker rolls back ends with status 8, one that somebody else's replaces with 5, whatever runs afterwards.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl deploy                                    both services, newest images of their tags
  bpctl deploy backend --tag 0af12cd              images nginx-0af12cd and php-0af12cd in a new revision
  bpctl deploy backend --abort-on-first-failure   give up at the first task that fails
  bpctl deploy backend --tag 0af12cd --migrate before
  bpctl deploy frontend --task-definition 41      an earlier revision
  bpctl deploy all --dry-run                      what would be done, and what speaks against it")]
pub(crate) struct DeployArgs {
    /// Which services
    #[arg(value_enum, default_value_t)]
    services: Services,

    /// Deploy the images of this commit, in a new revision of the task definition
    #[arg(long, value_name = "SHA7", value_parser = request::tag, conflicts_with_all = ["image", "task_definition"])]
    tag: Option<String>,

    /// Deploy this image in a container, in a new revision of the task definition; may be repeated
    #[arg(long, value_name = "CONTAINER=IMAGE", value_parser = request::image, conflicts_with = "task_definition")]
    image: Vec<(String, String)>,

    /// Deploy this revision of the service's task definition
    #[arg(long, value_name = "REV", value_parser = clap::value_parser!(u32).range(1..))]
    task_definition: Option<u32>,

    /// Stop the deployment and go back as soon as one of its tasks fails, instead of after several
    #[arg(long)]
    abort_on_first_failure: bool,

    /// Stop the deployment and go back when it is not done in time
    #[arg(long, conflicts_with = "no_wait")]
    rollback_on_timeout: bool,

    /// Migrate the databases with a task of what is deployed: before the deployments, or after that of the backend has
    /// completed
    #[arg(
        long,
        value_enum,
        value_name = "WHEN",
        default_value_t,
        conflicts_with = "task_definition"
    )]
    migrate: Migrate,

    /// Put the new deployment in the place of one that is under way and does well
    #[arg(long)]
    supersede: bool,

    #[command(flatten)]
    change: ChangeArgs,
}

/// What every deployment asks of AWS, whichever verb begins it.
pub(in crate::commands) const DEPLOYS: &[Use] = &[
    Use::of("ecr:BatchGetImage", On::Repositories),
    Use::of("ecr:GetDownloadUrlForLayer", On::Repositories),
    Use::of("ecs:DescribeServiceDeployments", On::Deployments),
    Use::of("ecs:DescribeServiceRevisions", On::Revisions),
    Use::of("ecs:DescribeServices", On::Services),
    Use::of("ecs:DescribeTaskDefinition", On::Anything),
    Use::of("ecs:DescribeTasks", On::Tasks),
    Use::of("ecs:ListTasks", On::AnythingInCluster),
    Use::of("ecs:UpdateService", On::Services),
    Use::of("elasticloadbalancing:DescribeTargetHealth", On::Anything),
    Use::of("logs:DescribeLogGroups", On::Anything),
    Use::of("logs:GetLogEvents", On::ServiceLogs),
    Use::of("secretsmanager:BatchGetSecretValue", On::Anything),
    Use::of("secretsmanager:GetSecretValue", On::Secrets),
    Use::of("ssm:GetParameters", On::FleetSecrets),
];

impl Verb for DeployArgs {
    fn uses() -> Uses {
        Uses::of(&[CHANGE, DEPLOYS])
            .with(
                "--abort-on-first-failure",
                &[Use::of("ecs:StopServiceDeployment", On::Deployments)],
            )
            .with(
                "--image",
                &[
                    Use::of("ecs:RegisterTaskDefinition", On::Definitions),
                    Use::of("ecs:TagResource", On::TagsOfNewDefinitions),
                    Use::of("iam:PassRole", On::TaskRoles),
                ],
            )
            .with(
                "--migrate",
                &[
                    Use::of("ecs:RunTask", On::BackendDefinitions),
                    Use::of("ecs:TagResource", On::TagsOfNewTasks),
                    Use::of("iam:PassRole", On::TaskRoles),
                ],
            )
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let layout = ctx.layout()?;
        let images: BTreeMap<String, String> = self.image.into_iter().collect();
        let what = match (self.tag, images.is_empty(), self.task_definition) {
            (Some(tag), _, _) => What::Tag(tag),
            (None, false, _) => What::Images(images),
            (None, true, Some(revision)) => What::Revision(revision),
            (None, true, None) => What::Same,
        };
        let request = Request {
            apps: self.services.apps(),
            what,
            abort_on_first_failure: self.abort_on_first_failure,
            rollback_on_timeout: self.rollback_on_timeout,
            supersede: self.supersede,
            migrate: self.migrate,
        };
        request.check()?;
        if request.migrate == Migrate::After && self.change.no_wait {
            return Err(CtlError::usage(
                "migrate after the deployment: with `--no-wait` nobody is there when it completes",
            )
            .hint("leave out `--no-wait`, or migrate before"));
        }
        let change = Deploy::<false>::new(ctx, layout, request);
        carry_out(ctx, &change, &self.change).await
    }
}

/// The change: revisions where images change, then deployments. `UNDO`: it is `rollout undo`.
pub(crate) struct Deploy<'a, const UNDO: bool> {
    ctx: &'a Ctx,
    layout: Layout,
    request: Request,
    /// The services as they were a moment ago: the steps of both services look at once.
    now: Mutex<Option<(Timestamp, Vec<Service>)>>,
}

/// How long a look at the services is good for several steps.
const FRESH: SignedDuration = SignedDuration::from_secs(2);

impl<'a, const UNDO: bool> Deploy<'a, UNDO> {
    pub(crate) fn new(ctx: &'a Ctx, layout: Layout, request: Request) -> Self {
        Self {
            ctx,
            layout,
            request,
            now: Mutex::new(None),
        }
    }

    /// The services as they are now: one call for the steps that look at the same moment.
    async fn services_now(&self, cluster: &str) -> Result<Vec<Service>> {
        let mut known = self.now.lock().await;
        let now = self.ctx.clock.now();
        if let Some((at, services)) = known.as_ref()
            && now.duration_since(*at) < FRESH
        {
            return Ok(services.clone());
        }
        let names: Vec<String> = self
            .request
            .apps
            .iter()
            .map(|app| self.layout.service(*app))
            .collect();
        let services = self.ctx.aws.services(cluster, &names).await?;
        *known = Some((now, services.clone()));
        Ok(services)
    }
}

/// What a step finds out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Output {
    /// ARN of the revision.
    Definition(String),
    Started(Started),
}

/// A deployment that was started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Started {
    /// `ecs-svc/<digits>`.
    pub(crate) deployment: String,
    pub(crate) created: Option<Timestamp>,
    /// ARN of the task definition.
    pub(crate) definition: String,
}

/// The words of a deployment's outcome, also of one that was attached to.
pub(crate) fn words() -> Words {
    Words {
        goal: "deploy".to_owned(),
        thing: "service",
        settle: "see the end of the deployment".to_owned(),
        following: "deploying".to_owned(),
    }
}

impl<const UNDO: bool> Change for Deploy<'_, UNDO> {
    const NAME: &'static str = if UNDO { "rollout undo" } else { "deploy" };
    type Seen = Seen;
    type Action = plan::Action;
    type Output = Output;
    type Ending = view::ServiceResult;
    type Document = view::DeployResult;

    fn words(&self) -> Words {
        words()
    }

    fn tell(&self, record: &Record) -> (String, Option<Hint>) {
        let sentence = format!(
            "the deployment of {} was not followed to its end on this machine",
            record.started
        );
        let started = [App::Backend, App::Frontend]
            .into_iter()
            .find_map(|app| Some((app, record.notes.get(&format!("deployment of {}", app.word()))?)));
        let hint = started.map(|(app, id)| {
            Hint::new("see how it ended with").command(checks::watch(app.word()).option("--deployment", id))
        });
        (sentence, hint)
    }

    async fn observe(&self, _target: &Target, recent: &[Record]) -> Result<Seen> {
        let mut seen = observe::observe(self.ctx, &self.layout, &self.request, recent).await?;
        if self.request.migrate != Migrate::No {
            let migration = within::observe(self.ctx, &self.layout).boxed_local().await?;
            seen.migration = Some(migration);
        }
        Ok(seen)
    }

    fn plan(&self, seen: &Seen, basis: &Basis<'_>) -> Result<Plan<plan::Action>> {
        let mut plan = plan::plan(&self.request, seen);
        if let Some(migration) = &seen.migration {
            migration::add(&mut plan, self.request.migrate, migration, basis)?;
        }
        Ok(plan)
    }

    fn covers(&self, seen: &Seen, _plan: &Plan<plan::Action>) -> Vec<String> {
        let both = |one: &observe::ServiceSeen| [plan::revision_step(one.app), one.app.word().to_owned()];
        let steps = seen.services.iter().flat_map(both);
        let migration = seen.migration.iter().map(|_| migration::STEP.to_owned());
        steps.chain(migration).collect()
    }

    async fn act(&self, step: &StepRun<'_, Self>) -> Result<Done<Self>> {
        act::act(self, step).await
    }

    async fn verify(&self, seen: &Seen, run: &mut Verification<'_, Self>) -> Result<()> {
        verify::verify(self, seen, run).await
    }

    fn document(&self, _seen: &Seen, outcome: &Outcome<Self>) -> Option<view::DeployResult> {
        let services: Vec<_> = self
            .request
            .apps
            .iter()
            .filter_map(|app| outcome.endings.get(app.word()).cloned())
            .collect();
        (!services.is_empty()).then(|| view::DeployResult {
            run: Some(outcome.run.clone()),
            services,
        })
    }

    fn resume(&self, left: &[&str]) -> CommandLine {
        let left_over = |app: &&App| left.iter().any(|step| step.split(' ').next() == Some(app.word()));
        let apps: Vec<App> = self.request.apps.iter().filter(left_over).copied().collect();
        self.request.command(if apps.is_empty() {
            &self.request.apps
        } else {
            &apps
        })
    }
}
