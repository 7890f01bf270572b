//! `bpctl fleet refresh`: replaces the instances of a fleet, a few at a time, and follows it to its end.

mod cancel;
pub(in crate::commands) mod follow;
pub(in crate::commands) mod observe;
pub(in crate::commands) mod plan;
pub(super) mod status;
pub(crate) mod view;
pub(in crate::commands) mod within;

use std::time::Duration;

use clap::Args;
use serde::{Deserialize, Serialize};

use crate::aws::autoscaling::{GoOnWithRefresh, PauseRefresh, ProtectedInstances, StartInstanceRefresh};
use crate::change::journal::Record;
use crate::change::{
    Basis, Change, ChangeArgs, Done, Outcome, Plan, Readiness, Step, StepRun, Target, Verification, Words,
    carry_out,
};
use crate::commands::verb::{Continuation, Needs, Verb, verbs};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Hint, Result};
use crate::exit::ExitStatus;
use crate::fleet::named_one;
use crate::iam::{CHANGE, On, Use, Uses};
use crate::layout::{FleetId, FleetName, Layout};
use observe::Seen;
use view::RefreshResult;

/// Replace the instances of a fleet by new ones, a few at a time, and follow it to its end
///
/// New instances start from the image and with the bundle that the pointers name now. Nothing is replaced when no
/// instance differs from that. Instances that are protected from scale-in because they work are waited for. Ends with 0
/// only when every instance runs the pointer's image; says why a refresh does not advance.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[command(after_help = "Examples:
  bpctl fleet refresh production/gpu-default                            replace what differs from the pointers
  bpctl fleet refresh production/gpu-default --min-healthy 50           half of the instances at a time
  bpctl fleet refresh production/gpu-default --checkpoint 20,100        a fifth first, then rest for an hour
  bpctl fleet refresh production/gpu-default --pause-on-backlog 20      hold on while more than 20 jobs wait
  bpctl fleet refresh status production/gpu-default                     how far it is, and what it waits for
  bpctl fleet refresh cancel production/gpu-default                     end it; what is replaced stays replaced")]
pub(crate) struct RefreshArgs {
    #[command(subcommand)]
    command: Option<RefreshCommand>,

    /// The fleet, e.g. production/gpu-default
    #[arg(value_name = "FLEET", required = true, add = crate::completion::fleets())]
    fleet: Option<FleetName>,

    /// Share of the desired capacity that stays in service, in percent
    #[arg(long, value_name = "PERCENT", default_value_t = 90, value_parser = clap::value_parser!(i32).range(0..=100))]
    min_healthy: i32,

    /// How long a new instance takes until it counts
    #[arg(long, value_name = "DURATION", default_value = "300s", value_parser = span)]
    warmup: Duration,

    /// Rest when this share of the instances is replaced, in percent; ascending, the last one must be 100
    #[arg(long, value_name = "PERCENT,…", value_delimiter = ',', value_parser = clap::value_parser!(i32).range(1..=100))]
    checkpoint: Vec<i32>,

    /// How long to rest at each checkpoint
    #[arg(long, value_name = "DURATION", default_value = "1h", requires = "checkpoint", value_parser = span)]
    checkpoint_delay: Duration,

    /// Leave instances alone whose launch template, its version and type are the group's; the image is not compared
    #[arg(long)]
    skip_matching: bool,

    /// What to do about instances that are protected from scale-in
    #[arg(long, value_enum, value_name = "WHAT", default_value = "wait")]
    protected_instances: ProtectedInstances,

    /// Follow it to its end (the default)
    #[arg(long, conflicts_with = "no_wait")]
    follow: bool,

    /// Begin, and go on, only while at most so many jobs are in the queue
    #[arg(long, value_name = "N", conflicts_with = "no_wait")]
    pause_on_backlog: Option<u32>,

    /// Replace instances also when none differs from the pointers
    #[arg(long)]
    force: bool,

    #[command(flatten)]
    change: ChangeArgs,
}

verbs! {
    enum RefreshCommand {
        Status(status::StatusArgs),
        Cancel(cancel::CancelArgs),
    }
}

/// What a look at a refresh and at the instances asks for.
const LOOK: &[Use] = &[
    Use::of("autoscaling:DescribeAutoScalingGroups", On::Anything),
    Use::of("autoscaling:DescribeInstanceRefreshes", On::Anything),
    Use::of("autoscaling:DescribeScalingActivities", On::Anything),
    Use::of("cloudwatch:GetMetricData", On::Anything),
    Use::of("ec2:DescribeImages", On::Anything),
    Use::of("ec2:DescribeInstances", On::Anything),
    Use::of("ec2:DescribeLaunchTemplateVersions", On::Anything),
    Use::of("ssm:GetParameterHistory", On::ActiveBundles),
    Use::of("ssm:GetParameters", On::FleetParameters),
];

/// What a refresh within another verb asks for.
pub(in crate::commands) fn uses_within() -> Vec<Use> {
    [LOOK, &[Use::of("autoscaling:StartInstanceRefresh", On::Groups)]].concat()
}

/// What a look alone asks for.
const LOOK_ONLY: &[Use] = &[
    Use::of("autoscaling:DescribeAutoScalingGroups", On::Anything),
    Use::of("autoscaling:DescribeInstanceRefreshes", On::Anything),
    Use::of("autoscaling:DescribeScalingActivities", On::Anything),
    Use::of("ec2:DescribeInstances", On::Anything),
    Use::of("ssm:GetParameterHistory", On::ActiveBundles),
    Use::of("ssm:GetParameters", On::FleetParameters),
];

/// Seconds that fit into a request of Auto Scaling.
fn span(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        // CheckpointDelay: "Maximum value of 172800" (RefreshPreferences).
        Ok(span) if span.as_secs() <= 172_800 => Ok(span),
        _ => Err("write e.g. `300s` or `15m`, at most 48h".to_owned()),
    }
}

impl Verb for RefreshArgs {
    fn uses() -> Uses {
        let own = Uses::of(&[
            CHANGE,
            LOOK,
            &[Use::of("autoscaling:StartInstanceRefresh", On::Groups)],
        ])
        .with(
            "--pause-on-backlog",
            &[
                Use::of("autoscaling:ResumeProcesses", On::Groups),
                Use::of("autoscaling:SuspendProcesses", On::Groups),
            ],
        );
        let mut verbs = vec![(String::new(), own)];
        verbs.extend(RefreshCommand::uses());
        Uses::Verbs(verbs)
    }

    fn needs(&self) -> Needs {
        self.command.as_ref().map_or(Needs::AWS, RefreshCommand::needs)
    }

    fn continues(&self) -> Option<Continuation> {
        self.command.as_ref().and_then(RefreshCommand::continues)
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        if let Some(command) = self.command {
            return command.run(ctx).await;
        }
        let Some(name) = &self.fleet else {
            return Err(CtlError::usage("refresh a fleet: FLEET is missing"));
        };
        let options = RefreshOptions {
            min_healthy: self.min_healthy,
            warmup: seconds(self.warmup),
            checkpoints: self.checkpoint,
            checkpoint_delay: seconds(self.checkpoint_delay),
            skip_matching: self.skip_matching,
            protected: self.protected_instances,
            pause_on_backlog: self.pause_on_backlog,
            force: self.force,
        };
        options.check()?;
        let mut flags = self.change;
        flags.wait |= self.follow;
        let layout = ctx.layout()?;
        let fleet = ctx.unless_interrupted(named_one(&ctx.aws, &layout, name)).await?;
        let change = Refresh {
            ctx,
            layout,
            fleet,
            options,
        };
        carry_out(ctx, &change, &flags).await
    }
}

fn seconds(span: Duration) -> i32 {
    i32::try_from(span.as_secs()).unwrap_or(i32::MAX)
}

/// How to go about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RefreshOptions {
    pub(crate) min_healthy: i32,
    pub(crate) warmup: i32,
    pub(crate) checkpoints: Vec<i32>,
    pub(crate) checkpoint_delay: i32,
    pub(crate) skip_matching: bool,
    pub(crate) protected: ProtectedInstances,
    pub(crate) pause_on_backlog: Option<u32>,
    pub(crate) force: bool,
}

impl Default for RefreshOptions {
    /// The staged runbook's preferences: `MinHealthyPercentage` 90, `InstanceWarmup` 300.
    fn default() -> Self {
        Self {
            min_healthy: 90,
            warmup: 300,
            checkpoints: Vec::new(),
            checkpoint_delay: 3_600,
            skip_matching: false,
            protected: ProtectedInstances::Wait,
            pause_on_backlog: None,
            force: false,
        }
    }
}

impl RefreshOptions {
    /// # Errors
    /// Checkpoints that are not in order, or that leave instances as they are.
    fn check(&self) -> Result<()> {
        let ascending = self.checkpoints.windows(2).all(|pair| pair[0] < pair[1]);
        let whole = self.checkpoints.last().is_none_or(|last| *last == 100);
        if ascending && whole {
            return Ok(());
        }
        Err(CtlError::usage(
            "refresh the fleet: the checkpoints do not ascend to 100, and instances would stay as they are",
        )
        .hint("write e.g. `--checkpoint 20,50,100`"))
    }
}

/// The change: one refresh of one group.
pub(crate) struct Refresh<'a> {
    pub(crate) ctx: &'a Ctx,
    pub(crate) layout: Layout,
    pub(crate) fleet: FleetId,
    pub(crate) options: RefreshOptions,
}

/// One step: the refresh to start, or the one that is gone on with.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RefreshAction {
    pub(super) call: StartInstanceRefresh,
    /// A refresh that an earlier run has started.
    pub(super) going_on: Option<String>,
    /// The image that instances are to run.
    pub(in crate::commands) image: String,
    pub(super) pause: PauseRefresh,
    pub(super) resume: GoOnWithRefresh,
}

impl Change for Refresh<'_> {
    const NAME: &'static str = "fleet refresh";
    type Seen = Seen;
    type Action = RefreshAction;
    /// The id of the refresh.
    type Output = String;
    type Ending = RefreshResult;
    type Document = RefreshResult;

    fn words(&self) -> Words {
        words(&self.fleet)
    }

    fn tell(&self, record: &Record) -> (String, Option<Hint>) {
        let sentence = format!(
            "the refresh of {} was not followed to its end on this machine",
            record.started
        );
        let hint = Hint::new("see how far it is with").command(status_command(&self.fleet));
        (sentence, Some(hint))
    }

    async fn observe(&self, _target: &Target, recent: &[Record]) -> Result<Seen> {
        observe::observe(self.ctx, &self.layout, &self.fleet, recent).await
    }

    fn plan(&self, seen: &Seen, _basis: &Basis<'_>) -> Result<Plan<RefreshAction>> {
        Ok(plan::plan(&self.layout, &self.fleet, &self.options, seen))
    }

    fn covers(&self, _seen: &Seen, _plan: &Plan<RefreshAction>) -> Vec<String> {
        vec![self.fleet.to_string()]
    }

    async fn ready(&self, steps: &[&Step<RefreshAction>]) -> Result<Vec<Readiness>> {
        let Some(most) = self.options.pause_on_backlog else {
            return Ok(steps.iter().map(|_| Readiness::Now).collect());
        };
        let queue = follow::backlog(self.ctx, &self.layout, &self.fleet).await;
        let readiness = match queue {
            Some(jobs) if jobs <= f64::from(most) => Readiness::Now,
            Some(jobs) => Readiness::NotYet(format!("{jobs:.0} jobs in the queue, {most} at most")),
            None => Readiness::NotYet("nobody says how many jobs are in the queue".to_owned()),
        };
        Ok(steps.iter().map(|_| readiness.clone()).collect())
    }

    async fn act(&self, step: &StepRun<'_, Self>) -> Result<Done<Self>> {
        let (id, did) = start(self.ctx, &self.layout, &self.fleet, step.action(), step).await?;
        Ok(Done::new(did).with(id))
    }

    async fn verify(&self, seen: &Seen, run: &mut Verification<'_, Self>) -> Result<()> {
        follow::verify(self, seen, run).await
    }

    fn document(&self, _seen: &Seen, outcome: &Outcome<Self>) -> Option<RefreshResult> {
        let mut result = outcome.endings.get(&self.fleet.to_string())?.clone();
        result.run = Some(outcome.run.clone());
        Some(result)
    }

    fn resume(&self, _left: &[&str]) -> CommandLine {
        CommandLine::bpctl(["fleet", "refresh"]).args([self.fleet.to_string()])
    }

    fn explain(&self, error: CtlError, outcome: &Outcome<Self>) -> CtlError {
        let ending = outcome.endings.get(&self.fleet.to_string());
        let waits = ending
            .map(|ending| ending.waits_for.as_slice())
            .unwrap_or_default();
        let known = error.causes().to_vec();
        let fresh = waits.iter().filter(|why| !known.contains(why));
        fresh.fold(error, |error, why| error.cause(why.clone()))
    }
}

/// Starts a refresh, or goes on with one, in a step of whatever verb; says its id and what was done.
pub(in crate::commands) async fn start<V: Change>(
    ctx: &Ctx,
    layout: &Layout,
    fleet: &FleetId,
    action: &RefreshAction,
    step: &StepRun<'_, V>,
) -> Result<(String, String)> {
    if let Some(id) = &action.going_on {
        step.note(&note(step.id()), id);
        return Ok((id.clone(), format!("goes on with refresh {id}")));
    }
    let aws = &ctx.aws;
    let pointer = layout.ami_parameter(fleet);
    let names = [pointer.clone()];
    let (running, now) =
        futures::try_join!(aws.instance_refreshes(&action.call.group), aws.parameters(&names),)?;
    let image = now
        .found
        .get(&pointer)
        .map(|parameter| parameter.value.expose().to_owned());
    if image.as_ref() != Some(&action.image) {
        return Err(CtlError::changed(format!(
            "refresh {fleet}: `{pointer}` is {} by now, and the plan was made for {}",
            image.unwrap_or_else(|| "gone".to_owned()),
            action.image
        )));
    }
    if let Some(other) = running.iter().find(|refresh| !refresh.is_over()) {
        return Err(CtlError::new(
            ErrorKind::Changed,
            format!(
                "refresh {fleet}: refresh {} has begun since the plan was made",
                other.id
            ),
        )
        .hint(("see how far it is with", status_command(fleet))));
    }
    let id = match step.send(aws, &action.call).await {
        Ok(id) => id,
        Err(error) => begun_without_an_answer(ctx, fleet, error, &action.call.group).await?,
    };
    // At once, so that a kill at any later moment leaves a trace of the refresh.
    step.note(&note(step.id()), &id);
    let did = format!("started refresh {id}");
    Ok((id, did))
}

/// The name in the journal of a step's refresh: a run of another verb may refresh several fleets.
fn note(step: &str) -> String {
    if step.starts_with("refresh ") {
        step.to_owned()
    } else {
        "refresh".to_owned()
    }
}

/// The refresh that a request has begun whose answer was lost. The request is sent once, and there was no refresh right
/// before: one that AWS refused because of another refresh has begun none, and that other one is not this run's.
///
/// # Errors
/// `error` when there is none, or when that cannot be seen.
async fn begun_without_an_answer(ctx: &Ctx, fleet: &FleetId, error: CtlError, group: &str) -> Result<String> {
    let error = error.hint(("see whether a refresh has begun with", status_command(fleet)));
    if !matches!(error.kind(), ErrorKind::Unreachable | ErrorKind::Unexpected) {
        return Err(error);
    }
    let Ok(all) = ctx.aws.instance_refreshes(group).await else {
        return Err(error);
    };
    let Some(begun) = all.into_iter().find(|refresh| !refresh.is_over()) else {
        return Err(error);
    };
    ctx.ui.warn(&format!(
        "the answer to StartInstanceRefresh was lost; refresh {} has begun since it was sent",
        begun.id
    ));
    Ok(begun.id)
}

/// The words of a refresh's outcome, also of one that is only followed.
fn words(fleet: &FleetId) -> Words {
    Words {
        goal: format!("refresh {fleet}"),
        thing: "fleet",
        settle: format!("see every instance of {fleet} replaced"),
        following: format!("{fleet}: waiting to begin"),
    }
}

/// The command that looks at the newest refresh of a fleet.
pub(in crate::commands) fn status_command(fleet: &FleetId) -> CommandLine {
    CommandLine::bpctl(["fleet", "refresh", "status"]).args([fleet.to_string()])
}

/// The command that ends the refresh of a fleet.
pub(in crate::commands) fn cancel_command(fleet: &FleetId) -> CommandLine {
    CommandLine::bpctl(["fleet", "refresh", "cancel"]).args([fleet.to_string()])
}
