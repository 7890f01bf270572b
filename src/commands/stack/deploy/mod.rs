//! `bpctl stack deploy`: stacks from a cloud assembly, with a plan, CloudFormation's own events and a verdict.

mod act;
mod certificate;
mod follow;
mod images;
pub(super) mod observe;
mod plan;
mod publish;
pub(in crate::commands) mod source;
pub(in crate::commands) mod synth;
pub(crate) mod view;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::marker::PhantomData;
use std::path::PathBuf;

use clap::Args;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use super::operation::{Of, Operation, Operations, StackResult};
use super::which;
use crate::change::journal::Record;
use crate::change::{
    Basis, Blocker, Change, ChangeArgs, Done, Outcome, Plan, Readiness, Step, StepRun, Target, Verification,
    Words, carry_out,
};
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, Hint, Result};
use crate::exit::ExitStatus;
use crate::iam::{CHANGE, On, Use, Uses};
use crate::layout::Layout;
use crate::stacks::{Assembly, Estimate};
pub(in crate::commands) use observe::{Seen, deployed, in_force};
use plan::Action;
use synth::Context;
use view::StacksDeployed;

/// Deploy stacks from the infrastructure code, and follow CloudFormation to the end
///
/// `npx cdk synth` in the folder that `infra_dir` names makes the templates. Without one they are bpctl's own, with the
/// settings in `[blueprint]` of `bpctl.toml`; flags win, and the plan says which it takes. Everything after that bpctl
/// does itself: it compares them with what is deployed, says which resources are added, changed, replaced and removed,
/// makes a change set of each stack, carries it out only when it does no more than the plan says, and follows its
/// events. What the deployed stacks have in force (the domain and its certificate, the address for alerts, the budget) is
/// not taken away by leaving it out. In bpctl's own templates a service whose images are not in ECR begins without tasks;
/// deployed again once they are there, it starts. A new fleet needs its image pointer first.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl stack deploy compute --dry-run                  what would change
  bpctl stack deploy network data                       two stacks, in the order in which they need each other
  bpctl stack deploy --all -c owner=platform            all stacks, with a value of the app's context
  bpctl stack deploy --all --blueprint platform.toml    bpctl's own templates, with the settings in this file
  bpctl stack deploy monitoring --assembly cdk.out      from templates that are there already")]
pub(crate) struct StackDeployArgs {
    /// Which stacks: their parts, names or fleets
    #[arg(value_name = "STACK", required_unless_present = "all")]
    stacks: Vec<String>,

    /// Every stack that the assembly has
    #[arg(long, conflicts_with = "stacks")]
    all: bool,

    #[command(flatten)]
    source: SourceArgs,

    /// Let this resource be replaced or removed, although data goes with it or the plan did not foresee it; may be
    /// repeated
    #[arg(long, value_name = "RESOURCE")]
    allow_replacement: Vec<String>,

    #[command(flatten)]
    change: ChangeArgs,
}

/// Where the templates come from.
#[derive(Clone, Debug, Args)]
pub(in crate::commands) struct SourceArgs {
    /// A cloud assembly that is there already, instead of making one in `infra_dir`
    #[arg(long, value_name = "DIR")]
    pub(in crate::commands) assembly: Option<PathBuf>,

    /// Templates that bpctl makes itself from these settings (TOML), instead of the app's
    #[arg(long, value_name = "FILE", conflicts_with = "assembly")]
    pub(in crate::commands) blueprint: Option<PathBuf>,

    /// With bpctl's own templates: the platform's choices where they contradict each other, too
    #[arg(long, conflicts_with = "assembly")]
    pub(in crate::commands) upstream_compatible: bool,

    /// A value of the app's context, which bpctl's own templates know as well; may be repeated
    #[arg(short = 'c', long = "cdk-context", value_name = "KEY=VALUE", value_parser = synth::pair)]
    pub(in crate::commands) values: Vec<(String, String)>,
}

impl SourceArgs {
    /// # Errors
    /// A key that is given twice.
    pub(in crate::commands) fn context(&self) -> Result<Context> {
        let mut context = Context::new();
        for (key, value) in &self.values {
            if context.insert(key.clone(), value.clone()).is_some() {
                return Err(CtlError::usage(format!(
                    "deploy the stacks: `{key}` is given twice"
                )));
            }
        }
        Ok(context)
    }
}

/// What every deployment of stacks asks of AWS.
pub(in crate::commands) const DEPLOYS: &[Use] = &[
    Use::of("cloudformation:CreateChangeSet", On::Stacks),
    Use::of("cloudformation:DeleteChangeSet", On::Stacks),
    Use::of("cloudformation:DeleteStack", On::Stacks),
    Use::of("cloudformation:DescribeChangeSet", On::Stacks),
    Use::of("cloudformation:DescribeStackEvents", On::Stacks),
    Use::of("cloudformation:DescribeStacks", On::Anything),
    Use::of("cloudformation:ExecuteChangeSet", On::Stacks),
    Use::of("cloudformation:GetTemplate", On::Stacks),
    Use::of("cloudformation:ListImports", On::Anything),
    Use::of("cloudformation:ListStacks", On::Anything),
    Use::of("cloudformation:UpdateTerminationProtection", On::Stacks),
    Use::of("iam:PassRole", On::CdkExecutionRole),
];

/// What a new service or a new fleet would run.
const IMAGES: &[Use] = &[
    Use::of("ecr:BatchGetImage", On::Repositories),
    Use::of("ssm:GetParameters", On::FleetParameters),
];

impl Verb for StackDeployArgs {
    fn uses() -> Uses {
        let certificate = Use::of("acm:DescribeCertificate", On::Certificates);
        Uses::of(&[CHANGE, DEPLOYS, IMAGES, &[certificate]])
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let layout = ctx.layout()?;
        let names = which::named(&layout, &self.stacks)?;
        let context = self.source.context()?;
        let target = ctx.unless_interrupted(ctx.target()).await?;
        synth::check(&context, &target.region)?;
        let unread = ctx
            .unless_interrupted(certificate::check(&ctx.aws, &context))
            .await?;
        let made = source::templates(ctx, &layout, (&target).into(), &self.source, (&context).into()).await?;
        let mut command = CommandLine::bpctl(["stack", "deploy"]);
        command = if self.all {
            command.args(["--all"])
        } else {
            command.args(self.stacks.clone())
        };
        let request = Request {
            stacks: names,
            allowed: self.allow_replacement,
            warnings: unread.into_iter().collect(),
            command: self.source.added(command),
            context,
            facts: made.facts,
            looks_for_pointers: true,
            ..Request::of(&layout)
        };
        let change = StackDeploy::<Stacks>::new(ctx, layout, target, made.assembly, request);
        carry_out(ctx, &change, &self.change).await
    }
}

impl SourceArgs {
    /// The command with the same source.
    pub(in crate::commands) fn added(&self, mut command: CommandLine) -> CommandLine {
        if let Some(folder) = &self.assembly {
            command = command.option("--assembly", folder.display().to_string());
        }
        if let Some(file) = &self.blueprint {
            command = command.option("--blueprint", file.display().to_string());
        }
        if self.upstream_compatible {
            command = command.args(["--upstream-compatible"]);
        }
        for (key, value) in &self.values {
            command = command.option("-c", format!("{key}={value}"));
        }
        command
    }
}

/// A deployment that was asked for.
#[derive(Clone, Debug)]
pub(in crate::commands) struct Request {
    /// Names; empty for all of the assembly.
    pub(in crate::commands) stacks: Vec<String>,
    pub(in crate::commands) allowed: Vec<String>,
    pub(in crate::commands) context: Context,
    pub(in crate::commands) title: Option<String>,
    /// Where the templates come from.
    pub(in crate::commands) facts: Vec<String>,
    pub(in crate::commands) warnings: Vec<String>,
    pub(in crate::commands) blockers: Vec<Blocker>,
    /// What speaks against it as soon as anything differs.
    pub(in crate::commands) against_changes: Vec<Blocker>,
    /// Whether it is looked whether the images of new fleets are there.
    pub(in crate::commands) looks_for_pointers: bool,
    /// What is typed again to go on.
    pub(in crate::commands) command: CommandLine,
    /// Names of the stacks whose templates show the domain and the subscribers.
    pub(in crate::commands) compute: Option<String>,
    pub(in crate::commands) monitoring: Option<String>,
}

impl Request {
    pub(in crate::commands) fn of(layout: &Layout) -> Self {
        Self {
            stacks: Vec::new(),
            allowed: Vec::new(),
            context: Context::new(),
            title: None,
            facts: Vec::new(),
            warnings: Vec::new(),
            blockers: Vec::new(),
            against_changes: Vec::new(),
            looks_for_pointers: false,
            command: CommandLine::bpctl(["stack", "deploy"]),
            compute: layout.core_stack("compute"),
            monitoring: layout.core_stack("monitoring"),
        }
    }
}

/// The verbs that deploy stacks, for their names.
pub(in crate::commands) trait DeployVerb {
    const NAME: &'static str;
}

pub(in crate::commands) struct Stacks;

impl DeployVerb for Stacks {
    const NAME: &'static str = "stack deploy";
}

/// The change: an operation of CloudFormation on each stack.
pub(in crate::commands) struct StackDeploy<'a, V> {
    ctx: &'a Ctx,
    layout: Layout,
    target: Target,
    assembly: Assembly,
    request: Request,
    /// Stacks that this run works on. A step that goes on with what an earlier run has begun may wait for others, which
    /// that run has finished.
    planned: RefCell<BTreeSet<String>>,
    /// Operations that were begun, by stack.
    operations: Mutex<Operations>,
    /// Stacks in which CloudFormation found nothing to change.
    unchanged: Mutex<BTreeSet<String>>,
    verb: PhantomData<V>,
}

impl<'a, V: DeployVerb> StackDeploy<'a, V> {
    pub(in crate::commands) fn new(
        ctx: &'a Ctx,
        layout: Layout,
        target: Target,
        assembly: Assembly,
        request: Request,
    ) -> Self {
        Self {
            ctx,
            layout,
            target,
            assembly,
            request,
            planned: RefCell::default(),
            operations: Mutex::new(Operations::new()),
            unchanged: Mutex::new(BTreeSet::new()),
            verb: PhantomData,
        }
    }
}

/// What a step has begun.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::commands) struct Started {
    /// That of the operation's events; none when CloudFormation found nothing to change.
    pub(super) token: Option<String>,
}

impl<V: DeployVerb> Change for StackDeploy<'_, V> {
    const NAME: &'static str = V::NAME;
    type Seen = Seen;
    type Action = Action;
    type Output = Started;
    type Ending = StackResult;
    type Document = StacksDeployed;

    fn words(&self) -> Words {
        Words {
            goal: "deploy the stacks".to_owned(),
            thing: "stack",
            settle: "see every stack deployed".to_owned(),
            following: "Following the stacks".to_owned(),
        }
    }

    fn tell(&self, record: &Record) -> (String, Option<Hint>) {
        let sentence = format!(
            "the deployment of {} was not followed to its end on this machine",
            record.started
        );
        (
            sentence,
            Some(("go on with", self.request.command.clone()).into()),
        )
    }

    async fn observe(&self, _target: &Target, recent: &[Record]) -> Result<Seen> {
        observe::observe(self.ctx, &self.layout, &self.assembly, &self.request, recent).await
    }

    fn plan(&self, seen: &Seen, basis: &Basis<'_>) -> Result<Plan<Action>> {
        let plan = plan::plan(&self.request, seen, basis);
        let names = plan.steps.iter().map(|step| step.id.clone());
        self.planned.replace(names.collect());
        Ok(plan)
    }

    fn covers(&self, seen: &Seen, _plan: &Plan<Action>) -> Vec<String> {
        seen.stacks.iter().map(|stack| stack.name().to_owned()).collect()
    }

    async fn ready(&self, steps: &[&Step<Action>]) -> Result<Vec<Readiness>> {
        follow::ready(self, steps).await
    }

    async fn act(&self, step: &StepRun<'_, Self>) -> Result<Done<Self>> {
        let since = self.ctx.clock.now();
        let done = act::act(self, step).await?;
        let action = step.action();
        match done.output.as_ref().and_then(|started| started.token.clone()) {
            Some(token) => {
                // An operation that is gone on with has begun before.
                let since = if action.going_on.is_some() {
                    jiff::Timestamp::MIN
                } else {
                    since
                };
                let of = Of {
                    stack: &action.stack,
                    asked_by: &action.stack,
                    again: self.request.command.clone(),
                };
                let template = self.assembly.stack(&action.stack).map(|stack| &stack.template);
                let changed = action.announced.iter().map(|change| change.resource.as_str());
                let estimate = Estimate::of(template.unwrap_or(&serde_json::Value::Null), changed);
                let operation = Operation::new(of, action.announced.len(), &token, since).estimated(estimate);
                self.operations
                    .lock()
                    .await
                    .insert(action.stack.clone(), operation);
            }
            None => {
                self.unchanged.lock().await.insert(action.stack.clone());
            }
        }
        Ok(done)
    }

    async fn verify(&self, _seen: &Seen, run: &mut Verification<'_, Self>) -> Result<()> {
        follow::verify(self, run).await
    }

    fn document(&self, seen: &Seen, outcome: &Outcome<Self>) -> Option<StacksDeployed> {
        let results = seen.stacks.iter().map(|stack| {
            let ended = outcome.endings.get(stack.name()).cloned();
            ended.unwrap_or_else(|| StackResult::unchanged(stack.name()))
        });
        Some(StacksDeployed {
            run: outcome.run.clone(),
            stacks: results.collect(),
        })
    }

    /// The same command: stacks that are done are left as they are.
    fn resume(&self, _left: &[&str]) -> CommandLine {
        self.request.command.clone()
    }
}
