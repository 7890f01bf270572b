//! `bpctl fleet replay`: whether a group did what its policies asked for.

use std::time::Duration;

use clap::Args;
use fleet_scaling::Moment;
use fleet_scaling::replay::{Diff, History, Kind, Minute, ReplayError, replay};
use fleet_scaling::state::Suspended;
use fleet_templates::QUEUE_DEPTH;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::assumptions::say;
use super::text::{counted, minute};
use crate::aws::autoscaling::{Activity, Phase};
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Hint, Result};
use crate::exit::ExitStatus;
use crate::fleet::named_one;
use crate::fleet::scaling::{
    Change, Facts, LONGEST, LeftOut, Minutes, Model, changes, desired_at, facts_of, missing_at, model,
    settling_at, suspended,
};
use crate::iam::{On, Use, Uses};
use crate::layout::{FleetId, FleetName};
use crate::output::{Render, Table, View, paragraph};
use crate::ui::{Role, paint};

/// How many minutes later than the policies a group may follow: CloudWatch receives and evaluates a
/// data point a minute or two after its time, and a change is seen a minute after that.
const TOLERANCE: usize = 3;

/// Minutes before those that are compared, for the alarms to have seen something: more than any alarm of
/// the platform looks back.
const LEAD_IN: usize = 90;

/// What to do about a past without metrics.
fn silent() -> Hint {
    Hint::from((
        "nobody published metrics of this fleet lately: see",
        CommandLine::bpctl(["triage"]),
        ", or look back further with `--since`",
    ))
}

/// Disagreements in the table without `-o wide`.
const SHOWN: usize = 12;

/// Compare what a fleet's group did with what its policies asked for
///
/// Runs the metrics of the past, minute by minute, through the policies as they are now, and says
/// where the group did something else: changes that no policy asked for, and changes that did not
/// come. The first disagreement is explained. Reads only.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl fleet replay production/gpu-default
  bpctl fleet replay production/gpu-default --since 7d -o wide")]
pub(crate) struct ReplayArgs {
    /// Fleet, e.g. production/gpu-default
    #[arg(value_name = "FLEET", add = crate::completion::fleets())]
    fleet: FleetName,

    /// How far back, up to 14 days: CloudWatch keeps single minutes for 15
    #[arg(long, default_value = "24h", value_name = "DURATION", value_parser = since)]
    since: Duration,

    /// End with status 9 when group and policies disagree
    #[arg(long)]
    exit_code: bool,
}

fn since(text: &str) -> Result<Duration, String> {
    let since = humantime::parse_duration(text).map_err(|_| "write e.g. `24h` or `7d`".to_owned())?;
    if since < Duration::from_secs(120) {
        return Err("at least two minutes are needed".to_owned());
    }
    if since > LONGEST - Duration::from_secs(60 * LEAD_IN as u64) {
        return Err("CloudWatch keeps single minutes for 15 days: 14d is the longest".to_owned());
    }
    Ok(since)
}

/// The document.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Replayed {
    fleet: FleetId,
    /// From the end of the first minute that is compared.
    from: Timestamp,
    to: Timestamp,
    minutes: usize,
    /// Minutes without `QueueDepth`.
    silent_minutes: usize,
    /// Changes that the policies explain.
    explained: usize,
    disagreements: Vec<Row>,
    /// The first disagreement in sentences.
    first_explained: Vec<String>,
    /// Where the desired capacity of the past is known from.
    desired_from: &'static str,
    left_out: Vec<LeftOut>,
    /// What cannot be read of the past.
    assumptions: Vec<String>,
    /// Whether nothing of the fleet's scaling takes part.
    #[serde(skip)]
    nothing_takes_part: bool,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Row {
    at: Timestamp,
    kind: Kind,
    before: u32,
    expected: u32,
    actual: u32,
    /// Who changed it, in the words of AWS.
    by: Option<String>,
}

/// The past of a fleet, as the library replays it.
struct Past {
    history: History,
    changes: Vec<Change>,
    published: bool,
}

impl Past {
    /// Of the minutes the last `compared` are compared, or as many as the alarms' look-back leaves.
    fn new(
        facts: &Facts,
        model: &Model,
        minutes: &Minutes,
        activities: &[Activity],
        compared: usize,
    ) -> Self {
        let changes = changes(activities);
        let in_service = u32::try_from(facts.group.count(Phase::InService)).unwrap_or(u32::MAX);
        // A group that publishes its metrics knows every minute; otherwise its diary tells.
        let published = minutes.desired.iter().any(Option::is_some);
        let warmup = facts.longest_warmup(&model.config);
        let history = (0..minutes.len())
            .map(|position| {
                let end = minutes.end_of(position);
                // What is changed on the full minute is changed by what the minute that begins says.
                let before = end.checked_sub(Duration::from_millis(1)).unwrap_or(end);
                let diary = desired_at(&changes, facts.group.desired, before);
                let desired = match minutes.desired.get(position).copied().flatten() {
                    // Saturates; the group publishes whole numbers.
                    Some(value) if published => value.max(0.0) as u32,
                    _ => diary,
                };
                Minute {
                    desired,
                    // Those on their way are among the ones that are not there yet.
                    warming: (settling_at(activities, warmup, end)
                        + missing_at(activities, in_service, desired, end))
                    .min(desired),
                }
            })
            .collect();
        Self {
            history: History {
                start: Moment(minutes.first.as_millisecond()),
                minutes: history,
                metrics: minutes.metrics(),
                suspended: suspended(&facts.group),
                tolerance: TOLERANCE,
                lead_in: minutes
                    .len()
                    .saturating_sub(compared)
                    .max(model.config.look_back()),
            },
            changes,
            published,
        }
    }

    /// The queue's depth in the minutes that are compared.
    fn depths(&self) -> &[Option<f64>] {
        let depths = self.history.metrics.of(&QUEUE_DEPTH.into());
        depths.get(self.history.lead_in..).unwrap_or_default()
    }

    /// Who made the change of a disagreement.
    fn by(&self, at: Timestamp, before: u32, actual: u32) -> Option<String> {
        let near = |change: &&Change| {
            let apart = change.at.duration_since(at).as_secs();
            (0..=120).contains(&apart) && change.from == before && change.to == actual
        };
        self.changes.iter().find(near).map(|change| change.by.clone())
    }
}

/// AWS keeps no past of policies and alarms.
fn in_the_past(suspended: &Suspended) -> String {
    let same = "policies and alarms were all the time what they are now";
    if *suspended == Suspended::default() {
        format!("{same}, and no process was suspended")
    } else {
        format!("{same}, and so were the suspended processes")
    }
}

impl Replayed {
    fn new(fleet: &FleetId, past: &Past, diff: Diff, model: Model) -> Self {
        let at = |moment: Moment| Timestamp::from_millisecond(moment.0).unwrap_or(Timestamp::MAX);
        let lead_in = past.history.lead_in;
        let minutes = &past.history.minutes[lead_in..];
        let start = past.history.start.plus(Duration::from_secs(60 * lead_in as u64));
        let length = Duration::from_secs(60 * minutes.len().saturating_sub(1) as u64);
        let disagreements: Vec<Row> = diff
            .disagreements
            .iter()
            .map(|row| Row {
                at: at(row.at),
                kind: row.kind,
                before: row.before,
                expected: row.expected,
                actual: row.actual,
                by: past.by(at(row.at), row.before, row.actual),
            })
            .collect();
        let mut first_explained = diff.first_explained;
        if let Some(by) = disagreements.first().and_then(|first| first.by.as_ref()) {
            first_explained.push(format!("AWS says who did it: {by}"));
        }
        let spec = model.config.spec();
        Self {
            nothing_takes_part: spec.policies.is_empty() && spec.scale_to_zero.is_none(),
            fleet: fleet.clone(),
            from: at(start),
            to: at(start.plus(length)),
            minutes: minutes.len(),
            silent_minutes: past.depths().iter().filter(|depth| depth.is_none()).count(),
            explained: diff.explained,
            disagreements,
            first_explained,
            desired_from: if past.published {
                "GroupDesiredCapacity"
            } else {
                "scaling activities"
            },
            left_out: model.left_out,
            assumptions: vec![in_the_past(&past.history.suspended)],
        }
    }

    fn table(&self, view: &View) -> String {
        let mut table = Table::new(&["TIME", "DESIRED", "POLICIES", "GROUP", "WHAT"]);
        let shown = if view.wide { usize::MAX } else { SHOWN };
        for row in self.disagreements.iter().take(shown) {
            let what = match (row.kind, &row.by) {
                (Kind::NotFollowed, _) => "the change did not come".to_owned(),
                (_, Some(by)) => by.clone(),
                (Kind::Unknown, None) => "not known: not everything is modelled".to_owned(),
                (_, None) => "no policy asked for it".to_owned(),
            };
            table.row([
                minute(row.at),
                row.before.to_string(),
                row.expected.to_string(),
                row.actual.to_string(),
                what,
            ]);
        }
        let mut text = table.render(view);
        let more = self.disagreements.len().saturating_sub(shown);
        if more > 0 {
            text.push_str(&format!("{more} more: `-o wide`\n"));
        }
        text
    }
}

impl Render for Replayed {
    fn human(&self, view: &View) -> String {
        let mut out = format!(
            "{}  {} to {} UTC, {}\n",
            paint(view.color, Role::Strong, &self.fleet.to_string()),
            minute(self.from),
            minute(self.to),
            counted(self.minutes as u64, "minute")
        );
        if self.silent_minutes > 0 {
            paragraph(
                &mut out,
                view,
                "  ",
                &format!("in {} of them nobody published QueueDepth", self.silent_minutes),
            );
        }
        for left_out in &self.left_out {
            paragraph(&mut out, view, "  left out: ", &left_out.what);
        }
        let explained = format!(
            "{} of the desired capacity explained by the policies",
            counted(self.explained as u64, "change")
        );
        if self.disagreements.is_empty() {
            // What is left out may have asked for more.
            let verdict = if self.nothing_takes_part {
                "no policy of this fleet can be replayed, and the desired capacity did not change".to_owned()
            } else if self.left_out.is_empty() {
                let good = paint(view.color, Role::Good, "no disagreement");
                format!("{good}, {explained}")
            } else {
                format!("no disagreement with the rest of the policies, {explained}")
            };
            out.push_str(&format!("{verdict}\n"));
            return out;
        }
        let disagreements = counted(self.disagreements.len() as u64, "disagreement");
        out.push_str(&format!("{disagreements}, {explained}\n\n"));
        out.push_str(&self.table(view));
        out.push_str("\nthe first of them:\n");
        for sentence in &self.first_explained {
            paragraph(&mut out, view, "  - ", sentence);
        }
        out
    }

    fn names(&self) -> Vec<String> {
        self.disagreements.iter().map(|row| row.at.to_string()).collect()
    }
}

impl Verb for ReplayArgs {
    fn uses() -> Uses {
        Uses::of(&[&[
            Use::of("autoscaling:DescribeAutoScalingGroups", On::Anything),
            Use::of("autoscaling:DescribeLifecycleHooks", On::Anything),
            Use::of("autoscaling:DescribePolicies", On::Anything),
            Use::of("autoscaling:DescribeScalingActivities", On::Anything),
            Use::of("autoscaling:DescribeScheduledActions", On::Anything),
            Use::of("cloudwatch:DescribeAlarms", On::FleetAlarms),
            Use::of("cloudwatch:GetMetricData", On::Anything),
            Use::of("sns:ListSubscriptionsByTopic", On::ScaleToZeroTopic),
        ]])
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        run(ctx, &self).await
    }
}

async fn run(ctx: &Ctx, args: &ReplayArgs) -> Result<ExitStatus> {
    let layout = ctx.layout()?;
    let fleet = &ctx
        .unless_interrupted(named_one(&ctx.aws, &layout, &args.fleet))
        .await?;
    let group = layout.auto_scaling_group(fleet);
    let compared = usize::try_from(args.since.as_secs() / 60).unwrap_or(usize::MAX);
    let count = compared.saturating_add(LEAD_IN);
    let look = async {
        let since = Duration::from_secs(60 * count as u64);
        let since = ctx.clock.now().checked_sub(since).unwrap_or(Timestamp::MIN);
        let (facts, minutes, activities) = futures::join!(
            facts_of(&ctx.aws, &layout, fleet),
            Minutes::read(&ctx.aws, &layout, fleet, &group, count),
            ctx.aws.activities_since(&group, since)
        );
        Ok((facts?, minutes?.since_data(), activities?))
    };
    let (facts, minutes, activities) = ctx.unless_interrupted(look).await?;
    let model = model(&layout, fleet, &facts)?;
    let past = Past::new(&facts, &model, &minutes, &activities, compared);
    let refused = || CtlError::new(ErrorKind::Failed, format!("replay the past of fleet `{}`", fleet));
    let diff = replay(&model.config, &past.history).map_err(|error| {
        let refused = refused().source(&error);
        match error {
            ReplayError::Short { .. } => refused.hint(silent()),
            _ => refused,
        }
    })?;
    // What the policies would have asked for follows from the metrics: without any there is no verdict.
    let compared = past.depths();
    if compared.iter().all(Option::is_none) {
        return Err(refused()
            .cause(format!(
                "in {} nobody published QueueDepth",
                counted(compared.len() as u64, "minute")
            ))
            .hint(silent()));
    }
    let replayed = Replayed::new(fleet, &past, diff, model);
    let differs = !replayed.disagreements.is_empty();
    ctx.emit(&replayed)?;
    for assumption in &replayed.assumptions {
        say(&ctx.ui, "assumed: ", assumption);
    }
    Ok(if differs && args.exit_code {
        ExitStatus::Differences
    } else {
        ExitStatus::Done
    })
}
