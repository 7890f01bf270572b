//! `bpctl describe`: one thing, and what an operator looks up next.

mod join;
mod parts;
pub(in crate::commands) mod view;

use std::collections::BTreeSet;

use clap::Args;
use futures::FutureExt as _;

use crate::commands::get::mixed::with_row;
use crate::commands::get::{How, read};
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, Result};
use crate::exit::ExitStatus;
use crate::fleet::Gap;
use crate::iam::{On, Use, Uses};
use crate::kinds::{Kind, Wanted};
use join::{Around, Joined};
use view::{Described, Thing};

/// Show a thing with what is looked up next
///
/// A service comes with its tasks, targets, events, deployments, images and last runs; a fleet with its instances and
/// in what each differs from a new one, its activities, alarms, stack and last runs; other kinds with what belongs to
/// them. Kinds and names are those of `bpctl get`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl describe service backend                   tasks, targets, events, deployments, images, last runs
  bpctl describe fleet production/gpu-default      instances and their skew, activities, alarms
  bpctl describe svc/backend fleet/gpu-default     several things
  bpctl describe stack bp-compute -o yaml          events and outputs, as a document")]
pub(crate) struct DescribeArgs {
    /// What kind of thing, or one of them as `KIND/NAME`
    #[arg(value_name = "KIND", add = crate::completion::kinds())]
    kind: String,

    /// Which of them
    #[arg(value_name = "NAME", add = crate::completion::names_of_kind())]
    names: Vec<String>,
}

impl Verb for DescribeArgs {
    fn uses() -> Uses {
        Uses::of(&[&[
            Use::of("application-autoscaling:DescribeScalableTargets", On::Anything),
            Use::of("autoscaling:DescribeAutoScalingGroups", On::Anything),
            Use::of("autoscaling:DescribeScalingActivities", On::Anything),
            Use::of("cloudformation:DescribeStackEvents", On::Stacks),
            Use::of("cloudformation:DescribeStacks", On::Anything),
            Use::of("cloudformation:ListStacks", On::Anything),
            Use::of("cloudwatch:DescribeAlarms", On::FleetAlarms),
            Use::of("cloudwatch:DescribeAlarms", On::PlatformAlarms),
            Use::of("ec2:DescribeInstances", On::Anything),
            Use::of("ecr:BatchGetImage", On::Repositories),
            Use::of("ecr:DescribeImages", On::Repositories),
            Use::of("ecr:GetDownloadUrlForLayer", On::Repositories),
            Use::of("ecs:DescribeServiceRevisions", On::Revisions),
            Use::of("ecs:DescribeServices", On::Services),
            Use::of("ecs:DescribeTasks", On::Tasks),
            Use::of("ecs:ListServiceDeployments", On::Services),
            Use::of("ecs:ListTasks", On::AnythingInCluster),
            Use::of("elasticloadbalancing:DescribeTargetHealth", On::Anything),
            Use::of("s3:GetObject", On::Bookkeeping),
            Use::of("s3:ListBucket", On::LogsBucket),
            Use::of("secretsmanager:ListSecrets", On::Anything),
            Use::of("ssm:DescribeParameters", On::Anything),
            Use::of("ssm:GetParameterHistory", On::ActiveBundles),
            Use::of("ssm:GetParameters", On::FleetParameters),
            Use::of("ssm:GetParameters", On::PlatformParameters),
            Use::of("ssm:GetParametersByPath", On::ParameterPaths),
        ]])
    }

    fn needs(&self) -> Needs {
        // The journals of this machine are read without AWS.
        let wanted = Wanted::read(&self.kind, &self.names).unwrap_or_default();
        let only_runs = !wanted.is_empty() && wanted.iter().all(|one| one.kind == Kind::Run);
        if only_runs { Needs::SETTINGS } else { Needs::AWS }
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let wanted = Wanted::read(&self.kind, &self.names)?;
        if let Some(unnamed) = wanted.iter().find(|one| one.names.is_empty()) {
            let kind = unnamed.kind;
            return Err(CtlError::usage(format!("describe {kind}: there is no name"))
                .hint(("see what there is with", CommandLine::bpctl(["get", kind.many()]))));
        }
        let look = describe(ctx, &wanted).boxed_local();
        let (described, missing) = ctx.unless_interrupted(look).await?;
        match missing {
            Some(missing) if described.items.is_empty() => Err(missing),
            Some(missing) => ctx.emit_outcome(&described, Err(missing)),
            None => {
                ctx.emit(&described)?;
                Ok(ExitStatus::Done)
            }
        }
    }
}

/// The things with what belongs to them, and the names that nothing has.
async fn describe(ctx: &Ctx, wanted: &[Wanted]) -> Result<(Described, Option<CtlError>)> {
    let how = How::default();
    let now = ctx.clock.now();
    let mut things = Vec::new();
    let mut gaps: Vec<Gap> = Vec::new();
    let mut unknown: Option<CtlError> = None;
    for one in wanted {
        let missing = with_row!(one.kind, R => {
            let (rows, holes, missing) = read::<R>(ctx, &how, &one.names).boxed_local().await?;
            gaps.extend(holes);
            things.extend(rows.into_iter().map(|row| Thing::of(row, now)));
            missing
        });
        unknown = match (unknown, missing) {
            (Some(first), Some(next)) => Some(first.cause(format!("failed to {next}"))),
            (first, next) => first.or(next),
        };
    }
    let kinds: BTreeSet<Kind> = things.iter().map(|thing| thing.kind).collect();
    let around = Around::read(ctx, &kinds).boxed_local().await?;
    let mut items = Vec::new();
    for thing in things {
        let joined = Joined::of(ctx, &thing.item, &around).boxed_local().await?;
        items.push(view::Description { thing, joined });
    }
    gaps.extend(around.gaps);
    for gap in items.iter().flat_map(|item| &item.joined.gaps) {
        ctx.ui.warn_with(
            &format!("the {} could not be read: {}", gap.what, gap.why),
            &gap.hints,
        );
    }
    Ok((Described { items, gaps, now }, unknown))
}
