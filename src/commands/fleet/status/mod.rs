//! `bpctl fleet status`: everything that AWS knows of a fleet, joined.

mod details;
mod observe;
mod table;

use std::collections::BTreeMap;

use clap::Args;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::text::warn_of_gaps;
use crate::aws::autoscaling::{Activity, Group, Phase};
use crate::commands::verb::{Needs, Verb};
use crate::commands::watch::{WatchArgs, watch};
use crate::context::Ctx;
use crate::error::Result;
use crate::exit::ExitStatus;
use crate::fleet::hold::Hold;
use crate::fleet::{AlarmView, Fleet, FleetState, Gap, Pointers, Signals, named};
use crate::iam::{On, Use, Uses};
use crate::layout::{FleetId, FleetName, Stage};
use crate::output::{Render, View};

/// Up to this many fleets are shown in full, more of them as a table.
const IN_FULL: usize = 3;

/// Show capacity, queue, pointers, alarms and the last scaling activity of fleets
///
/// A metric that nobody published for five minutes is `silent`: that is not the same as 0. One that
/// could not be read is `?`. The number of API calls does not grow with the number of fleets, except
/// by what fits into one call.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl fleet status                              every fleet, one a line
  bpctl fleet status production/gpu-default       one in full
  bpctl fleet status -w -o jsonl                  a document for each change
  bpctl fleet status -o json --query 'fleets[].alarms[?attention]'    alarms that want attention")]
pub(crate) struct StatusArgs {
    /// Fleets, e.g. production/gpu-default; all of them by default
    #[arg(value_name = "FLEET", add = crate::completion::fleets())]
    fleets: Vec<FleetName>,

    #[command(flatten)]
    watch: WatchArgs,
}

/// The document.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Status {
    at: Timestamp,
    fleets: Vec<FleetStatus>,
    /// What could not be looked at.
    gaps: Vec<Gap>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct FleetStatus {
    name: FleetId,
    stage: Stage,
    slug: String,
    state: FleetState,
    /// Parts that a whole fleet has and this one has not.
    missing: Vec<&'static str>,
    desired: Option<u32>,
    min: Option<u32>,
    max: Option<u32>,
    in_service: usize,
    capacity: Option<Capacity>,
    /// Who holds the fleet, why and until when; null when nobody does.
    hold: Option<Hold>,
    /// Whether the time of the hold is over.
    hold_overdue: bool,
    metrics: Signals,
    pointers: Pointers,
    /// The newest scaling activity; of many fleets only that of the last day.
    last_activity: Option<Activity>,
    alarms: Vec<AlarmView>,
    stack: Option<StackView>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Capacity {
    auto_scaling_group: String,
    // The sizes stand beside the fleet's name, where `fleet list` has them too.
    #[serde(skip)]
    desired: u32,
    #[serde(skip)]
    min: u32,
    #[serde(skip)]
    max: u32,
    #[serde(skip)]
    in_service: usize,
    /// Instances that scale-in leaves alone.
    protected: usize,
    launch_template: Option<String>,
    instance_types: Vec<String>,
    instances: Vec<InstanceView>,
    suspended_processes: Vec<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct InstanceView {
    id: String,
    lifecycle_state: String,
    instance_type: Option<String>,
    availability_zone: Option<String>,
    protected_from_scale_in: bool,
    healthy: bool,
    image_id: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct StackView {
    name: String,
    status: String,
}

impl Capacity {
    fn of(group: &Group, images: &BTreeMap<String, String>) -> Self {
        Self {
            auto_scaling_group: group.name.clone(),
            desired: group.desired,
            min: group.min,
            max: group.max,
            in_service: group.count(Phase::InService),
            protected: group
                .instances
                .iter()
                .filter(|instance| instance.protected)
                .count(),
            launch_template: group
                .launch_template
                .as_ref()
                .map(|(name, version)| format!("{name}:{version}")),
            instance_types: group.instance_types.clone(),
            instances: group
                .instances
                .iter()
                .map(|instance| InstanceView {
                    id: instance.id.clone(),
                    lifecycle_state: instance.state.clone(),
                    instance_type: instance.instance_type.clone(),
                    availability_zone: instance.zone.clone(),
                    protected_from_scale_in: instance.protected,
                    healthy: instance.healthy,
                    image_id: images
                        .get(&instance.id)
                        .cloned()
                        .or_else(|| instance.image.clone()),
                })
                .collect(),
            suspended_processes: group.suspended.iter().map(|(name, _)| name.clone()).collect(),
        }
    }
}

impl FleetStatus {
    fn of(fleet: &Fleet, seen: &mut observe::Seen, now: Timestamp) -> Self {
        let id = &fleet.id;
        let hold = seen.holds.remove(id);
        Self {
            name: id.clone(),
            stage: id.stage,
            slug: id.slug.to_string(),
            state: fleet.state(),
            missing: seen.missing.remove(id).unwrap_or_default(),
            desired: fleet.group.as_ref().map(|group| group.desired),
            min: fleet.group.as_ref().map(|group| group.min),
            max: fleet.group.as_ref().map(|group| group.max),
            in_service: fleet
                .group
                .as_ref()
                .map_or(0, |group| group.count(Phase::InService)),
            capacity: fleet
                .group
                .as_ref()
                .map(|group| Capacity::of(group, &seen.images)),
            hold_overdue: hold.as_ref().is_some_and(|hold| hold.is_overdue(now)),
            hold,
            metrics: seen
                .signals
                .remove(id)
                .unwrap_or_else(|| Signals::unknown("not asked for")),
            pointers: seen.pointers.remove(id).unwrap_or_default(),
            last_activity: fleet
                .group
                .as_ref()
                .and_then(|group| seen.activities.remove(&group.name)),
            alarms: seen.alarms.remove(id).unwrap_or_default(),
            stack: fleet.stack.as_ref().map(|stack| StackView {
                name: stack.name.clone(),
                status: stack.status.clone(),
            }),
        }
    }
}

impl Render for Status {
    fn human(&self, view: &View) -> String {
        if self.fleets.len() <= IN_FULL {
            let blocks: Vec<String> = self
                .fleets
                .iter()
                .map(|fleet| details::block(fleet, &self.gaps, self.at))
                .collect();
            blocks.join("\n")
        } else {
            table::render(&self.fleets, &self.gaps, self.at, view)
        }
    }

    fn names(&self) -> Vec<String> {
        self.fleets.iter().map(|fleet| fleet.name.to_string()).collect()
    }
}

impl Verb for StatusArgs {
    fn uses() -> Uses {
        Uses::of(&[&[
            Use::of("autoscaling:DescribeAutoScalingGroups", On::Anything),
            Use::of("autoscaling:DescribeScalingActivities", On::Anything),
            Use::of("cloudformation:DescribeStacks", On::Anything),
            Use::of("cloudformation:ListStacks", On::Anything),
            Use::of("cloudwatch:DescribeAlarms", On::FleetAlarms),
            Use::of("cloudwatch:GetMetricData", On::Anything),
            Use::of("ec2:DescribeInstances", On::Anything),
            Use::of("ssm:GetParametersByPath", On::ParameterPaths),
        ]])
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        run(ctx, &self).await
    }
}

async fn run(ctx: &Ctx, args: &StatusArgs) -> Result<ExitStatus> {
    if args.watch.is_on() {
        return watch(ctx, &args.watch, async || look(ctx, args).await).await;
    }
    ctx.emit(&look(ctx, args).await?)?;
    Ok(ExitStatus::Done)
}

async fn look(ctx: &Ctx, args: &StatusArgs) -> Result<Status> {
    let layout = ctx.layout()?;
    let look = async {
        let fleets = named(&ctx.aws, &layout, &args.fleets).await?;
        observe::observe(&ctx.aws, &layout, &fleets).await
    };
    let mut seen = ctx.unless_interrupted(look).await?;
    if args.fleets.is_empty() {
        super::remember(ctx, seen.fleets.iter().map(|fleet| &fleet.id));
    }
    warn_of_gaps(&ctx.ui, &seen.gaps);
    if seen.fleets.is_empty() {
        ctx.ui.status("There are no fleets");
    }
    let fleets = std::mem::take(&mut seen.fleets);
    let now = ctx.clock.now();
    Ok(Status {
        at: now,
        fleets: fleets
            .iter()
            .map(|fleet| FleetStatus::of(fleet, &mut seen, now))
            .collect(),
        gaps: seen.gaps,
    })
}
