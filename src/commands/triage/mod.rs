//! `bpctl triage`: what is wrong, why, and what to type next. Reads only.

mod notify;
mod recorded;
mod verdict;

use std::time::Duration;

use clap::Args;
use futures::FutureExt as _;
use futures::future::try_join;
use jiff::Timestamp;

use crate::commands::verb::{Needs, Verb};
use crate::commands::watch::{WatchArgs, watch};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Result};
use crate::exit::ExitStatus;
use crate::fleet::named;
use crate::iam::{On, Use, Uses};
use crate::layout::FleetName;
use crate::triage::probes::{Scope, look};
use crate::triage::report::Report;
use crate::triage::snapshot::Snapshot;
use recorded::RecordedArgs;
use verdict::{FailOn, nothing_seen, unknown_fleets};

/// Find out what is wrong with the platform, why, and what to do next
///
/// Looks at services, deployments, tasks, targets, alarms, metrics, images, secrets, database,
/// stacks and GPU fleets at the same time and reports root causes with their symptoms, the worst
/// first. Changes nothing. What could not be checked is reported as such, and without a finding that
/// decides the status it ends with 7.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl triage                                   everything
  bpctl triage --fleet production/gpu-default    the core system and one fleet
  bpctl triage -o markdown                       for a ticket
  bpctl triage --fail-on never -o json           for a script that decides itself
  bpctl triage --bundle night.json               keep what was seen, for those who look at it tomorrow
  bpctl triage --from night.json                 judge it again, without AWS
  bpctl triage --diff night.json morning.json    what came, what went, what changed
  bpctl triage --watch --every 1m --notify https://hooks.example.com/ops")]
pub(crate) struct TriageArgs {
    /// End with status 1 when there is a finding of this severity or worse
    #[arg(
        long,
        value_enum,
        default_value_t,
        value_name = "SEVERITY",
        ignore_case = true
    )]
    fail_on: FailOn,

    /// Look only at these GPU fleets, e.g. production/gpu-default
    #[arg(long = "fleet", value_name = "FLEET", value_delimiter = ',', add = crate::completion::fleets())]
    fleets: Vec<FleetName>,

    /// Report what is known after this time; the rest could not be checked
    #[arg(long, default_value = "60s", value_name = "DURATION", value_parser = duration)]
    timeout: Duration,

    #[command(flatten)]
    watch: WatchArgs,

    #[command(flatten)]
    recorded: RecordedArgs,
    /// Post what changes to this webhook as JSON: new, gone and changed findings
    #[arg(long, value_name = "URL", requires = "watch")]
    notify: Option<String>,
}

fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|_| "write e.g. `30s` or `2m`".to_owned())
}

impl Verb for TriageArgs {
    fn uses() -> Uses {
        Uses::of(&[&[
            Use::of("autoscaling:DescribeAutoScalingGroups", On::Anything),
            Use::of("autoscaling:DescribePolicies", On::Anything),
            Use::of("autoscaling:DescribeScalingActivities", On::Anything),
            Use::of("cloudformation:DescribeStacks", On::Stacks),
            Use::of("cloudformation:GetTemplate", On::Stacks),
            Use::of("cloudformation:ListStacks", On::Anything),
            Use::of("cloudwatch:DescribeAlarms", On::FleetAlarms),
            Use::of("cloudwatch:DescribeAlarms", On::PlatformAlarms),
            Use::of("cloudwatch:GetMetricData", On::Anything),
            Use::of("ecr:DescribeImages", On::Repositories),
            Use::of("ecs:DescribeServices", On::Services),
            Use::of("ecs:DescribeTaskDefinition", On::Anything),
            Use::of("ecs:DescribeTasks", On::Tasks),
            Use::of("ecs:ListServiceDeployments", On::Services),
            Use::of("ecs:ListTasks", On::AnythingInCluster),
            Use::of("elasticloadbalancing:DescribeTargetHealth", On::Anything),
            Use::of("logs:FilterLogEvents", On::BackendLogs),
            Use::of("logs:GetLogEvents", On::BackendLogs),
            Use::of("rds:DescribeDBInstances", On::Databases),
            Use::of("secretsmanager:ListSecrets", On::Anything),
            Use::of("sns:ListSubscriptionsByTopic", On::Topics),
            Use::of("ssm:DescribeParameters", On::Anything),
            Use::of("ssm:GetParameters", On::FleetSecrets),
            Use::of("ssm:GetParameters", On::Holds),
        ]])
    }

    fn needs(&self) -> Needs {
        Needs::aws_if(self.recorded.is_live())
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        run(ctx, &self).await
    }
}

async fn run(ctx: &Ctx, args: &TriageArgs) -> Result<ExitStatus> {
    if let Some(status) = args.recorded.compared(ctx)? {
        return Ok(status);
    }
    if args.watch.is_on() {
        return follow(ctx, args).await;
    }
    let report = match args.recorded.judged(ctx)? {
        Some(report) => report,
        None => report(ctx, args).await?.0,
    };
    ctx.emit(&report)?;
    report.announce(&ctx.ui);
    if report.names_aws() {
        ctx.ui.explain_aws();
    }
    if report.names_aws() && !has_credentials(ctx) {
        ctx.ui.hint((
            "for the `aws` commands take the sandbox's credentials into your shell with",
            CommandLine::other("eval", [""; 0]).output_of(CommandLine::bpctl(["sandbox", "env"])),
        ));
    }
    if report.is_elsewhere() && args.fail_on != FailOn::Never {
        return Ok(ExitStatus::Usage);
    }
    Ok(args
        .fail_on
        .status(report.worst(), !report.unchecked().is_empty()))
}

/// Looks again and again; a webhook is told beside that, and nothing waits for it.
async fn follow(ctx: &Ctx, args: &TriageArgs) -> Result<ExitStatus> {
    let Some(url) = &args.notify else {
        return watch(ctx, &args.watch, async || Ok(report(ctx, args).await?.0)).await;
    };
    let webhook = notify::webhook(url)?;
    let changes = notify::Changes::new();
    // Boxed: two such futures beside each other are more than a thread's stack may have.
    let looks = Box::pin(watch(ctx, &args.watch, async || {
        let (report, snapshot, now) = Box::pin(report(ctx, args)).await?;
        changes.leave(&report, snapshot, now);
        Ok(report)
    }));
    tokio::select! {
        status = looks => status,
        () = Box::pin(changes.deliver(ctx, &webhook)) => Ok(ExitStatus::Done),
    }
}

/// One look, judged: what was seen, and when.
async fn report(ctx: &Ctx, args: &TriageArgs) -> Result<(Report, Snapshot, Timestamp)> {
    let layout = ctx.layout()?;
    let file = args.recorded.file(ctx)?;
    let fleets = ctx
        .unless_interrupted(named(&ctx.aws, &layout, &args.fleets))
        .await?;
    let scope = Scope {
        fleets: fleets.clone(),
        timeout: args.timeout,
    };
    let now = ctx.clock.now();
    let progress = ctx.ui.progress("looking at the platform");
    // Nothing is changed, so the account is checked while the others look: it costs no round trip.
    let looking = try_join(ctx.aws.guard_account(), look(&ctx.aws, &layout, &scope).map(Ok));
    let ((), snapshot) = tokio::select! {
        seen = Box::pin(looking) => seen?,
        () = ctx.cancel.cancelled() => {
            return Err(CtlError::new(ErrorKind::Interrupted, "look at everything: interrupted")
                .hint(("nothing was changed: run", CommandLine::bpctl(["triage"]), "again")));
        }
    };
    drop(progress);
    if let Some(file) = &file {
        recorded::keep(ctx, file, &snapshot, now, &fleets).await?;
    }
    unknown_fleets(&snapshot, &fleets)?;
    let region = ctx.aws.region().await?;
    let place = ctx.ui.place().clone().or_aws("--region", region.as_deref());
    let report = Report::new(&snapshot, now).in_place(&place);
    if report.is_blind() {
        return Err(nothing_seen(&snapshot));
    }
    Ok((report, snapshot, now))
}

/// Whether the aws tool finds credentials where bpctl did. The sandbox needs none of bpctl, but some of the aws tool.
fn has_credentials(ctx: &Ctx) -> bool {
    let served = ctx.settings.endpoint_url.is_some();
    !(ctx.settings.is_sandbox() && served) || ctx.env.contains_key("AWS_ACCESS_KEY_ID")
}
