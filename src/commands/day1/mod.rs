//! `bpctl day1`: the checklists of a first deployment, each step as AWS shows it.

mod app;
mod carry;
mod gpu;
pub(in crate::commands) mod step;

use clap::Args;
use futures::FutureExt as _;

use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::Result;
use crate::exit::ExitStatus;
use crate::iam::{On, Use, Uses};
use crate::layout::FleetName;
use step::{Checklist, Step};

/// Walk through a first deployment: what is done, what is next, and with which command
///
/// Two checklists, of the application and of each GPU fleet. Every step is read from AWS: `done`, `open`, `waiting` for
/// an earlier step, or `unknown` when it could not be read. With `--run` the open steps are carried out one after the
/// other, each behind its own question; what was done stays done, so it can be ended and begun again at any time.
/// The stacks come from the CDK app that `infra_dir` names, or without one from bpctl's own templates. The bootstrap of
/// the CDK and the admin pages are not bpctl's: `--run` stops there and says what to do.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl day1                                       where the platform stands, and the next command
  bpctl day1 --fleet staging/gpu-default           only this fleet beside the application
  bpctl day1 --run                                 step by step, each asks first
  bpctl day1 -o json --query next.command")]
pub(crate) struct Day1Args {
    /// Only these fleets; all that there are without one
    #[arg(long, value_name = "FLEET", add = crate::completion::fleets())]
    fleet: Vec<FleetName>,

    /// Carry out the open steps, one after the other
    #[arg(long)]
    run: bool,

    /// Answer the questions of all steps with yes
    #[arg(long, requires = "run")]
    yes: bool,

    /// End with status 9 when a step is not done
    #[arg(long, conflicts_with = "run")]
    exit_code: bool,
}

impl Verb for Day1Args {
    fn uses() -> Uses {
        Uses::of(&[&[
            Use::of("autoscaling:DescribeAutoScalingGroups", On::Anything),
            Use::of("cloudformation:DescribeStacks", On::Anything),
            Use::of("cloudformation:GetTemplate", On::Stacks),
            Use::of("cloudformation:ListStacks", On::Anything),
            Use::of("cloudwatch:GetMetricData", On::Anything),
            Use::of("ec2:DescribeImages", On::Anything),
            Use::of("ec2:DescribeInstances", On::Anything),
            Use::of("ecr:BatchGetImage", On::Repositories),
            Use::of("ecr:GetDownloadUrlForLayer", On::Repositories),
            Use::of("ecs:DescribeServices", On::Services),
            Use::of("ecs:DescribeTaskDefinition", On::Anything),
            Use::of("ecs:DescribeTasks", On::Tasks),
            Use::of("ecs:ListTasks", On::AnythingInCluster),
            Use::of("s3:GetObject", On::Bookkeeping),
            Use::of("s3:ListBucket", On::LogsBucket),
            Use::of("secretsmanager:BatchGetSecretValue", On::Anything),
            Use::of("secretsmanager:GetSecretValue", On::Secrets),
            Use::of("secretsmanager:ListSecrets", On::Anything),
            Use::of("ssm:DescribeParameters", On::Anything),
            Use::of("ssm:GetParameterHistory", On::ActiveBundles),
            Use::of("ssm:GetParameters", On::FleetParameters),
            Use::of("ssm:GetParameters", On::FleetSecrets),
            Use::of("ssm:GetParameters", On::PlatformParameters),
        ]])
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        if self.run {
            return carry::carry_out(ctx, &self).boxed_local().await;
        }
        let checklist = ctx.unless_interrupted(self.look(ctx)).await?;
        ctx.emit(&checklist)?;
        Ok(match self.exit_code && checklist.next().is_some() {
            true => ExitStatus::Differences,
            false => ExitStatus::Done,
        })
    }
}

impl Day1Args {
    async fn look(&self, ctx: &Ctx) -> Result<Checklist> {
        let layout = ctx.layout()?;
        let stacks = ctx.aws.stacks().await;
        let (app, gpu) = futures::join!(
            app::steps(ctx, &layout, &stacks).boxed_local(),
            gpu::steps(ctx, &layout, &stacks, &self.fleet).boxed_local()
        );
        let steps: Vec<Step> = app.into_iter().chain(gpu?).collect();
        Ok(Checklist::new(steps, ctx.ui.place()))
    }
}
