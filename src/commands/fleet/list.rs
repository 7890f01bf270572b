//! `bpctl fleet list`: every fleet in one line, in three calls.

use std::collections::BTreeMap;

use clap::Args;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::text::warn_of_gaps;
use crate::aws::autoscaling::Phase;
use crate::commands::verb::{Needs, Verb};
use crate::commands::watch::{WatchArgs, watch};
use crate::context::Ctx;
use crate::error::Result;
use crate::exit::ExitStatus;
use crate::fleet::hold::{self, Hold};
use crate::fleet::{Fleet, FleetState, Gap, discover};
use crate::iam::{On, Use, Uses};
use crate::layout::{FleetId, Layout, Stage};
use crate::output::{Render, Table, View};

/// List the GPU fleets
///
/// A fleet that has a stack or parameters but no Auto Scaling group is listed too: its state says
/// what is missing.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl fleet list                                    the fleets of the context
  bpctl fleet list --stage production -o wide         those of one stage, with stack and group
  bpctl fleet list --watch                            again and again, changes marked
  bpctl fleet list -o name                            one name a line, for a script
  bpctl fleet list --query 'fleets[?desired>`0`].name'    those that run")]
pub(crate) struct ListArgs {
    #[command(flatten)]
    watch: WatchArgs,
}

/// A fleet in one line.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(in crate::commands) struct FleetRow {
    pub(in crate::commands) name: FleetId,
    stage: Stage,
    pub(in crate::commands) slug: String,
    state: FleetState,
    missing: Vec<&'static str>,
    desired: Option<u32>,
    min: Option<u32>,
    max: Option<u32>,
    in_service: usize,
    instance_types: Vec<String>,
    pub(in crate::commands) auto_scaling_group: Option<String>,
    pub(in crate::commands) stack: Option<String>,
    pub(in crate::commands) stack_status: Option<String>,
    /// The hold in force.
    hold: Option<Hold>,
    /// Whether the time of the hold is over.
    hold_overdue: bool,
    /// Processes of the group that are suspended, by a hold or otherwise.
    suspended: Vec<String>,
    /// One short clause: `held until 2026-01-15 18:30 UTC`.
    #[serde(skip)]
    held: Option<String>,
    /// Whether its stack is of the generation between the two layouts, which nothing deploys any more.
    legacy: bool,
    /// Tags of the Auto Scaling group.
    pub(in crate::commands) tags: BTreeMap<String, String>,
}

pub(in crate::commands) const COLUMNS: &[&str] =
    &["NAME", "DESIRED", "MIN", "MAX", "IN SERVICE", "TYPES", "STATE"];
pub(in crate::commands) const WIDE: &[&str] = &["GROUP", "STACK", "STACK STATUS"];

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct List {
    fleets: Vec<FleetRow>,
    /// What could not be looked at.
    gaps: Vec<Gap>,
}

impl FleetRow {
    /// Without a look at the stacks none can be said to be missing.
    pub(in crate::commands) fn of(fleet: &Fleet, layout: &Layout, stacks_known: bool) -> Self {
        let group = fleet.group.as_ref();
        let stack = fleet.stack.as_ref();
        Self {
            name: fleet.id.clone(),
            stage: fleet.id.stage,
            slug: fleet.id.slug.to_string(),
            state: fleet.state(),
            missing: fleet
                .missing()
                .into_iter()
                .filter(|what| stacks_known || *what != "stack")
                .collect(),
            desired: group.map(|group| group.desired),
            min: group.map(|group| group.min),
            max: group.map(|group| group.max),
            in_service: group.map_or(0, |group| group.count(Phase::InService)),
            instance_types: group
                .map(|group| group.instance_types.clone())
                .unwrap_or_default(),
            auto_scaling_group: group.map(|group| group.name.clone()),
            stack: stack.map(|stack| stack.name.clone()),
            stack_status: stack.map(|stack| stack.status.clone()),
            hold: None,
            hold_overdue: false,
            suspended: group
                .map(|group| {
                    group
                        .suspended
                        .iter()
                        .map(|(process, _)| process.clone())
                        .collect()
                })
                .unwrap_or_default(),
            held: None,
            legacy: stack.is_some_and(|stack| layout.legacy_fleet_of_stack(&stack.name).is_some()),
            tags: group.map(|group| group.tags.clone()).unwrap_or_default(),
        }
    }

    fn hold_by(&mut self, hold: Hold, now: Timestamp) {
        self.held = Some(hold.clause(now));
        self.hold_overdue = hold.is_overdue(now);
        self.hold = Some(hold);
    }

    fn types(&self, wide: bool) -> String {
        match self.instance_types.as_slice() {
            [] => "-".to_owned(),
            [only] => only.clone(),
            all if wide => all.join(","),
            [first, rest @ ..] => format!("{first} +{}", rest.len()),
        }
    }

    /// The cells of the usual columns.
    pub(in crate::commands) fn narrow_cells(&self, wide: bool) -> Vec<String> {
        let size = |value: Option<u32>| value.map_or_else(|| "-".to_owned(), |value| value.to_string());
        vec![
            self.name.to_string(),
            size(self.desired),
            size(self.min),
            size(self.max),
            self.in_service.to_string(),
            self.types(wide),
            self.state_text(),
        ]
    }

    fn state_text(&self) -> String {
        let mut text = self.state.as_str().to_owned();
        if self.missing.contains(&"stack") {
            text.push_str(", no stack");
        }
        if self.legacy {
            text.push_str(", legacy stack");
        }
        match &self.held {
            Some(held) => text.push_str(&format!(", {held}")),
            None if !self.suspended.is_empty() => text.push_str(", processes suspended"),
            None => {}
        }
        text
    }
}

impl Render for List {
    fn human(&self, view: &View) -> String {
        let headers = if view.wide {
            [COLUMNS, WIDE].concat()
        } else {
            COLUMNS.to_vec()
        };
        let mut table = Table::new(&headers);
        let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
        for row in &self.fleets {
            let mut cells = row.narrow_cells(view.wide);
            if view.wide {
                cells.extend([
                    text(&row.auto_scaling_group),
                    text(&row.stack),
                    text(&row.stack_status),
                ]);
            }
            table.row(cells);
        }
        table.render(view)
    }

    fn names(&self) -> Vec<String> {
        self.fleets.iter().map(|row| row.name.to_string()).collect()
    }
}

impl Verb for ListArgs {
    fn uses() -> Uses {
        Uses::of(&[&[
            Use::of("autoscaling:DescribeAutoScalingGroups", On::Anything),
            Use::of("cloudformation:DescribeStacks", On::Anything),
            Use::of("cloudformation:ListStacks", On::Anything),
            Use::of("ssm:DescribeParameters", On::Anything),
            Use::of("ssm:GetParameters", On::Holds),
        ]])
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        run(ctx, &self).await
    }
}

async fn run(ctx: &Ctx, args: &ListArgs) -> Result<ExitStatus> {
    if args.watch.is_on() {
        return watch(ctx, &args.watch, async || look(ctx).await).await;
    }
    ctx.emit(&look(ctx).await?)?;
    Ok(ExitStatus::Done)
}

async fn look(ctx: &Ctx) -> Result<List> {
    let layout = ctx.layout()?;
    let known = ctx.unless_interrupted(discover(&ctx.aws, &layout)).await?;
    super::remember(ctx, known.fleets.keys());
    if known.fleets.is_empty() {
        ctx.ui.status(&match layout.stage() {
            Some(stage) => format!("There are no fleets in stage `{stage}`"),
            None => "There are no fleets".to_owned(),
        });
    }
    let held: Vec<FleetId> = known
        .fleets
        .values()
        .filter(|fleet| fleet.group.as_ref().is_some_and(hold::may_be_held))
        .map(|fleet| fleet.id.clone())
        .collect();
    let mut gaps = known.gaps;
    let mut holds = BTreeMap::new();
    let read = ctx
        .unless_interrupted(async { Ok(hold::in_force(&ctx.aws, &layout, &held).await) })
        .await?;
    match read {
        Ok(found) => holds = found,
        Err(error) => gaps.push(Gap::new("holds", &error)),
    }
    let stacks_known = gaps.iter().all(|gap| gap.what != "stacks");
    let mut fleets: Vec<FleetRow> = known
        .fleets
        .values()
        .map(|fleet| FleetRow::of(fleet, &layout, stacks_known))
        .collect();
    let now = ctx.clock.now();
    for row in &mut fleets {
        match holds.remove(&row.name) {
            Some(Ok(hold)) => row.hold_by(hold, now),
            Some(Err(error)) => gaps.push(Gap::new("holds", &error)),
            None => {}
        }
    }
    warn_of_gaps(&ctx.ui, &gaps);
    Ok(List { fleets, gaps })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::cloudformation::Stack;
    use crate::layout::LayoutKind;

    #[test]
    fn a_fleet_of_the_legacy_generation_says_so() {
        let layout = Layout::new(LayoutKind::Single, "bp", None).unwrap();
        let fleet = |stack: &str| Fleet {
            id: "staging/upscale".parse().unwrap(),
            group: None,
            stack: Some(Stack {
                id: String::new(),
                name: stack.to_owned(),
                status: "CREATE_COMPLETE".to_owned(),
                status_reason: None,
                parameters: BTreeMap::new(),
                outputs: BTreeMap::new(),
                exports: BTreeMap::new(),
                exported_as: BTreeMap::new(),
                tags: BTreeMap::new(),
                created: None,
                updated: None,
                drift: None,
                drift_checked: None,
                termination_protection: None,
            }),
        };
        let row = FleetRow::of(&fleet("bp-staging-gpu-fleet-upscale"), &layout, true);
        assert_eq!(
            (row.legacy, row.state_text().as_str()),
            (true, "no group, legacy stack")
        );
        let row = FleetRow::of(&fleet("bp-gpu-fleet-staging-upscale"), &layout, true);
        assert_eq!((row.legacy, row.state_text().as_str()), (false, "no group"));
    }
}
