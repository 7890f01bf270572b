//! `bpctl timeline`: everything that happened, from every source, in one order.

mod sources;
mod view;

use std::time::Duration;

use clap::{Args, ValueEnum};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::Result;
use crate::exit::ExitStatus;
use crate::iam::{On, Use, Uses};
use crate::output::lasted;

/// The furthest that any source goes back: CloudTrail, CloudFormation and ECS (of deployments) keep 90 days.
const KEPT: Duration = Duration::from_secs(90 * 86_400);

/// Show what happened lately, from every source in one order
///
/// Deployments, tasks that stopped, alarms, scaling of the fleets, stacks, parameters, secrets, runs of bpctl, and what
/// anybody else changed by another tool, the oldest first. What happened in one second stands in the order of cause and
/// effect. CloudTrail is some minutes behind. A source that could not be read, or not to its end, is named, and ends with 7.
/// What AWS keeps for less than `--since` is named as a limit, which does not change the status: stopped tasks for an hour,
/// the history of alarms for 30 days, scaling for six weeks, of each parameter and secret the newest write.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl timeline                                       the last two hours
  bpctl timeline --since 1d --only runs,deployments    some sources
  bpctl timeline --since 6h -o markdown > post-mortem.md")]
pub(crate) struct TimelineArgs {
    /// How far back
    #[arg(long, value_name = "DURATION", default_value = "2h", value_parser = since)]
    since: Duration,

    /// Only these sources, with commas between them
    #[arg(long, value_enum, value_name = "SOURCES", value_delimiter = ',')]
    only: Vec<Source>,
}

fn since(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(since) if (Duration::from_secs(60)..=KEPT).contains(&since) => Ok(since),
        _ => Err("write e.g. `2h` or `3d`, from `1m` to `90d`".to_owned()),
    }
}

/// Where an event comes from, causes before their effects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Source {
    /// Runs of bpctl, from the shared history.
    Runs,
    /// What others changed, from CloudTrail.
    Changes,
    Parameters,
    Secrets,
    Stacks,
    Deployments,
    /// Tasks that stopped.
    Tasks,
    Alarms,
    /// Activities of the fleets' groups.
    Scaling,
}

impl Source {
    const ALL: [Self; 9] = [
        Self::Runs,
        Self::Changes,
        Self::Parameters,
        Self::Secrets,
        Self::Stacks,
        Self::Deployments,
        Self::Tasks,
        Self::Alarms,
        Self::Scaling,
    ];

    /// One of its events in a word.
    fn word(self) -> &'static str {
        match self {
            Self::Runs => "run",
            Self::Changes => "change",
            Self::Parameters => "parameter",
            Self::Secrets => "secret",
            Self::Stacks => "stack",
            Self::Deployments => "deployment",
            Self::Tasks => "task",
            Self::Alarms => "alarm",
            Self::Scaling => "scaling",
        }
    }

    /// All of it, as `--only` names it.
    fn name(self) -> String {
        match self {
            Self::Scaling => self.word().to_owned(),
            _ => format!("{}s", self.word()),
        }
    }
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Event {
    at: Timestamp,
    source: Source,
    /// What it happened to.
    subject: String,
    what: String,
    /// Why, where the source says so.
    why: Option<String>,
    /// ARN of who did it, where the source says so.
    who: Option<String>,
    /// Something failed or went into alarm.
    bad: bool,
}

/// What AWS keeps of a source for less than `--since`, or not at all: no reading has failed, and no one can read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Limit {
    source: Source,
    /// What happened before that may be missing; null where age does not decide.
    known_since: Option<Timestamp>,
    /// What is kept, in a clause.
    what: &'static str,
}

impl Limit {
    fn new(source: Source, known_since: Option<Timestamp>, what: &'static str) -> Self {
        Self {
            source,
            known_since,
            what,
        }
    }
}

/// What happened.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Timeline {
    since: Timestamp,
    until: Timestamp,
    /// The oldest first.
    events: Vec<Event>,
    /// What could not be read, or only in part.
    gaps: Vec<String>,
    /// Sources that keep less than was asked for.
    limits: Vec<Limit>,
}

impl Verb for TimelineArgs {
    fn uses() -> Uses {
        Uses::of(&[&[
            Use::of("autoscaling:DescribeAutoScalingGroups", On::Anything),
            Use::of("autoscaling:DescribeScalingActivities", On::Anything),
            Use::of("cloudformation:DescribeStackEvents", On::Stacks),
            Use::of("cloudformation:DescribeStacks", On::Anything),
            Use::of("cloudformation:ListStacks", On::Anything),
            Use::of("cloudtrail:LookupEvents", On::Anything),
            Use::of("cloudwatch:DescribeAlarmHistory", On::FleetAlarms),
            Use::of("cloudwatch:DescribeAlarmHistory", On::PlatformAlarms),
            Use::of("ecs:DescribeTasks", On::Tasks),
            Use::of("ecs:ListServiceDeployments", On::Services),
            Use::of("ecs:ListTasks", On::AnythingInCluster),
            Use::of("s3:GetObject", On::Bookkeeping),
            Use::of("s3:ListBucket", On::LogsBucket),
            Use::of("secretsmanager:ListSecrets", On::Anything),
            Use::of("ssm:DescribeParameters", On::Anything),
        ]])
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let layout = ctx.layout()?;
        let until = ctx.clock.now();
        let since = until.checked_sub(self.since).unwrap_or_default();
        let wanted = match self.only.as_slice() {
            [] => Source::ALL.to_vec(),
            some => Source::ALL
                .into_iter()
                .filter(|source| some.contains(source))
                .collect(),
        };
        let read = sources::read(ctx, &layout, &wanted, (since, until));
        let sources::Read {
            mut events,
            gaps,
            limits,
        } = ctx.unless_interrupted(read).await?;
        events.retain(|event| event.at >= since);
        events.sort_by_key(|event| (event.at.as_second(), event.source));
        for gap in &gaps {
            ctx.ui.warn(&format!("not on the timeline: {gap}"));
        }
        if events.is_empty() && gaps.is_empty() {
            let since = lasted(self.since);
            let known = if limits.is_empty() {
                ""
            } else {
                ", as far as that is kept"
            };
            ctx.ui
                .status(&format!("Nothing happened in the last {since}{known}"));
        }
        let status = if gaps.is_empty() {
            ExitStatus::Done
        } else {
            ExitStatus::Partial
        };
        ctx.emit(&Timeline {
            since,
            until,
            events,
            gaps,
            limits,
        })?;
        Ok(status)
    }
}
