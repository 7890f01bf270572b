//! `bpctl fleet activity`: what the group of a fleet has done lately, and why.

use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::aws::autoscaling::Activity;
use crate::commands::verb::{Needs, Verb};
use crate::commands::watch::{WatchArgs, watch};
use crate::context::Ctx;
use crate::error::Result;
use crate::exit::ExitStatus;
use crate::fleet::activity::{ActivityKind, instance, reason};
use crate::fleet::{FailedLaunches, group_failures, named_one};
use crate::iam::{On, Use, Uses};
use crate::layout::{FleetId, FleetName, Layout};
use crate::output::{Render, Table, View, age, age_at, lasted};

/// Auto Scaling keeps activities for six weeks (API Reference, DescribeScalingActivities).
const KEPT: Duration = Duration::from_secs(42 * 86_400);

/// Show what a fleet's Auto Scaling group has done lately: launches, terminations, failures, and what caused each
///
/// The reason is one clause: the policy and its alarm, a user, an instance refresh, Spot, or why a launch failed.
/// Failures that follow each other for the same reason are one line. `-o wide` has every activity on a line of its own,
/// with the whole text of its cause.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl fleet activity production/gpu-default                 the last six hours
  bpctl fleet activity production/gpu-default --failed --since 2d
  bpctl fleet activity production/gpu-default -o wide         whole causes
  bpctl fleet activity production/gpu-default --watch         again whenever something happens")]
pub(crate) struct ActivityArgs {
    /// The fleet, e.g. production/gpu-default
    #[arg(value_name = "FLEET", add = crate::completion::fleets())]
    fleet: FleetName,

    /// How far back; Auto Scaling keeps activities for six weeks
    #[arg(long, value_name = "DURATION", default_value = "6h", value_parser = since)]
    since: Duration,

    /// Only what failed or was cancelled
    #[arg(long)]
    failed: bool,

    #[command(flatten)]
    watch: WatchArgs,
}

fn since(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(since) if (Duration::from_secs(60)..=KEPT).contains(&since) => Ok(since),
        _ => Err("write e.g. `6h` or `2d`, from `1m` to `42d`".to_owned()),
    }
}

/// The document.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Diary {
    at: Timestamp,
    fleet: FleetId,
    since: Timestamp,
    /// What is under way first, then the newest first.
    activities: Vec<Row>,
    /// Failed launches, counted by error, zone and instance type.
    failures: Vec<FailedLaunches>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Row {
    id: String,
    started: Option<Timestamp>,
    ended: Option<Timestamp>,
    kind: ActivityKind,
    /// `null` when the activity names none, e.g. for a launch that failed.
    instance: Option<String>,
    /// As Auto Scaling says it: `Successful`, `Failed`, `InProgress`, `Cancelled`, `WaitingForInstanceWarmup`, …
    status: String,
    /// In percent.
    progress: Option<i32>,
    /// What brought it about, or why it failed, in one clause.
    reason: String,
    zone: Option<String>,
    cause: String,
    message: Option<String>,
}

impl Row {
    fn of(activity: Activity) -> Self {
        Self {
            kind: ActivityKind::of(&activity),
            instance: instance(&activity).map(str::to_owned),
            reason: reason(&activity),
            id: activity.id,
            started: activity.started,
            ended: activity.ended,
            status: activity.status,
            progress: activity.progress,
            zone: activity.zone,
            cause: activity.cause,
            message: activity.message,
        }
    }

    fn has_failed(&self) -> bool {
        matches!(self.status.as_str(), "Failed" | "Cancelled")
    }

    /// Whether the two are told in one line.
    fn is_as(&self, other: &Self) -> bool {
        self.has_failed()
            && (self.kind, &self.status, &self.reason) == (other.kind, &other.status, &other.reason)
    }

    /// `Successful in 34s`, `InProgress 50%`.
    fn state(&self) -> String {
        let took = self
            .started
            .zip(self.ended)
            .map(|(began, ended)| ended.duration_since(began));
        match (took, self.progress) {
            (Some(took), _) if !self.has_failed() => {
                format!(
                    "{} in {}",
                    self.status,
                    age(Duration::try_from(took).unwrap_or_default())
                )
            }
            (None, Some(progress)) => format!("{} {progress}%", self.status),
            (Some(_) | None, _) => self.status.clone(),
        }
    }
}

impl Verb for ActivityArgs {
    fn uses() -> Uses {
        Uses::of(&[&[
            Use::of("autoscaling:DescribeAutoScalingGroups", On::Anything),
            Use::of("autoscaling:DescribeScalingActivities", On::Anything),
        ]])
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let layout = ctx.layout()?;
        let fleet = ctx
            .unless_interrupted(named_one(&ctx.aws, &layout, &self.fleet))
            .await?;
        let look = async || ctx.unless_interrupted(self.look(ctx, &layout, &fleet)).await;
        if self.watch.is_on() {
            return watch(ctx, &self.watch, look).await;
        }
        let diary = look().await?;
        if diary.activities.is_empty() {
            let what = if self.failed { "failed" } else { "happened" };
            let since = lasted(self.since);
            ctx.ui
                .status(&format!("{fleet}: nothing {what} in the last {since}"));
        }
        ctx.emit(&diary)?;
        Ok(ExitStatus::Done)
    }
}

impl ActivityArgs {
    async fn look(&self, ctx: &Ctx, layout: &Layout, fleet: &FleetId) -> Result<Diary> {
        let at = ctx.clock.now();
        let since = at.checked_sub(self.since).unwrap_or(Timestamp::MIN);
        let name = layout.auto_scaling_group(fleet);
        let (group, activities) =
            futures::try_join!(ctx.aws.group(&name), ctx.aws.activities_since(&name, since))?;
        let failures = group_failures(&activities, &group.instance_types);
        let rows = activities.into_iter().map(Row::of);
        Ok(Diary {
            at,
            fleet: fleet.clone(),
            since,
            activities: rows.filter(|row| !self.failed || row.has_failed()).collect(),
            failures,
        })
    }
}

impl Diary {
    fn table(&self, view: &View) -> String {
        let mut headers = vec!["AGE", "WHAT", "INSTANCE", "STATUS", "REASON"];
        if view.wide {
            headers.extend(["ZONE", "CAUSE", "MESSAGE"]);
        }
        let mut table = Table::new(&headers);
        let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
        let mut rows = self.activities.iter().peekable();
        while let Some(row) = rows.next() {
            let mut alike = 1;
            let mut first = row;
            while let Some(next) = rows.next_if(|next| !view.wide && next.is_as(row)) {
                (first, alike) = (next, alike + 1);
            }
            let (state, reason) = match alike {
                1 => (row.state(), row.reason.clone()),
                _ => (
                    format!("{alike} × {}", row.status),
                    format!("{}, first {} ago", row.reason, age_at(self.at, first.started)),
                ),
            };
            let mut cells = vec![
                age_at(self.at, row.started),
                row.kind.as_str().to_owned(),
                text(&row.instance),
                state,
                reason,
            ];
            if view.wide {
                cells.extend([text(&row.zone), row.cause.clone(), text(&row.message)]);
            }
            table.row(cells);
        }
        table.render(view)
    }
}

impl Render for Diary {
    fn human(&self, view: &View) -> String {
        let mut text = self.table(view);
        if !self.failures.is_empty() {
            let failures: Vec<String> = self.failures.iter().map(FailedLaunches::text).collect();
            text.push_str(&format!("\nFailed launches: {}\n", failures.join(", ")));
        }
        text
    }

    fn names(&self) -> Vec<String> {
        self.activities.iter().map(|row| row.id.clone()).collect()
    }
}
