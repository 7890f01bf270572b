//! `bpctl fleet explain`: why a fleet has the capacity it has, why not more, and why not zero.

mod reasons;
mod states;
mod what_if;

use clap::Args;
use fleet_scaling::metrics::{Metric, Metrics};
use fleet_scaling::state::FleetState;
use fleet_scaling::{Moment, decide};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::assumptions::assumed;
use super::text::{number, warn_of_gaps};
use crate::aws::autoscaling::{Activity, Phase};
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CtlError, Result};
use crate::exit::ExitStatus;
use crate::fleet::scaling::{Change, Facts, Minutes, Model, changes, facts_of, model, state};
use crate::fleet::{Gap, named_one};
use crate::iam::{On, Use, Uses};
use crate::layout::{FleetId, FleetName};
use crate::output::{Render, View, paragraph};
use crate::ui::{Role, paint};
use what_if::WhatIf;

/// Minutes of metrics that are read at once: more than any alarm of the platform looks back.
const MINUTES: usize = 60;

/// Scaling activities that are read: the most that one call gives.
const ACTIVITIES: i32 = 100;

/// Say why a fleet has the capacity it has, why not more, and why not zero
///
/// Evaluates the fleet's alarms and scaling policies on its metrics as AWS would, now or, with
/// `--what-if`, under other circumstances. Reads only.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl fleet explain production/gpu-default
  bpctl fleet explain production/gpu-default --what-if queue=40
  bpctl fleet explain production/gpu-default --what-if queue=0,workers=3
  bpctl fleet explain production/gpu-default --what-if queue=40,workers=2,spot=none")]
pub(crate) struct ExplainArgs {
    /// Fleet, e.g. production/gpu-default
    #[arg(value_name = "FLEET", add = crate::completion::fleets())]
    fleet: FleetName,

    /// Suppose a steady queue depth (queue=N), so many warm workers (workers=N), or that Spot has no
    /// capacity (spot=none); joined by commas
    #[arg(long, value_name = "KEY=VALUE,…")]
    what_if: Option<WhatIf>,
}

/// The document.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Explanation {
    fleet: FleetId,
    at: Timestamp,
    capacity: Capacity,
    metrics: Vec<Reading>,
    #[serde(skip_serializing_if = "Option::is_none")]
    what_if: Option<WhatIf>,
    decision: Outcome,
    /// The newest change of the desired capacity that the group's activities tell of.
    last_change: Option<Change>,
    why_this_many: Vec<String>,
    why_not_more: Vec<String>,
    why_not_zero: Vec<String>,
    /// Alarms whose state in AWS does not follow from the metrics.
    alarm_differences: Vec<String>,
    /// What could not be read and is taken for granted.
    assumptions: Vec<String>,
    /// What could not be looked at. Without the activities it is not known which instances warm up.
    gaps: Vec<Gap>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Capacity {
    desired: u32,
    min: u32,
    max: u32,
    in_service: u32,
    pending: u32,
    terminating: u32,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Reading {
    metric: Metric,
    /// `None`: no data in the newest minute.
    value: Option<f64>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Outcome {
    /// The desired capacity from now on; `None` when something that is not modelled may change it.
    desired: Option<u32>,
    /// The instances that the group can get to; `None` also when they count for more than one each.
    instances: Option<u32>,
    /// What the desired capacity may be.
    least: u32,
    /// `None` when no largest one is known.
    most: Option<u32>,
}

/// What was read.
struct Seen {
    facts: Facts,
    minutes: Minutes,
    activities: Vec<Activity>,
    gaps: Vec<Gap>,
    now: Timestamp,
}

/// What is supposed: as it is, or under `--what-if`.
struct Supposed {
    state: FleetState,
    metrics: Metrics,
    no_spot: bool,
}

impl Explanation {
    fn new(fleet: &FleetId, seen: &Seen, model: &Model, what_if: Option<WhatIf>) -> Self {
        let metrics = seen.minutes.metrics();
        let mut supposed = Supposed {
            state: state(&model.config, &seen.facts, &seen.activities, &metrics, seen.now),
            metrics,
            no_spot: false,
        };
        // What is supposed is not what AWS has seen.
        let differences = match &what_if {
            Some(_) => Vec::new(),
            None => states::differences(model, &seen.facts, &supposed.state, &supposed.metrics, seen.now),
        };
        if let Some(what_if) = &what_if {
            what_if.apply(&model.config, &mut supposed);
        }
        let Supposed {
            state,
            metrics,
            no_spot,
        } = supposed;
        let mut decision = decide(&model.config, &state, &metrics, Moment(seen.now.as_millisecond()));
        if no_spot {
            decision.instances = decision.instances.min(state.running);
        }
        let last_change = changes(&seen.activities).pop();
        let told = reasons::tell(&reasons::Facts {
            model,
            state: &state,
            decision: &decision,
            activities: &seen.activities,
            last_change: last_change.as_ref().filter(|_| what_if.is_none()),
            no_spot,
            now: seen.now,
        });
        let group = &seen.facts.group;
        let count = |phase| u32::try_from(group.count(phase)).unwrap_or(u32::MAX);
        Self {
            fleet: fleet.clone(),
            at: seen.now,
            capacity: Capacity {
                desired: group.desired,
                min: group.min,
                max: group.max,
                in_service: count(Phase::InService),
                pending: count(Phase::Pending),
                terminating: count(Phase::Terminating),
            },
            metrics: metrics
                .metrics()
                .map(|metric| Reading {
                    metric: metric.clone(),
                    value: metrics.newest(metric),
                })
                .collect(),
            what_if,
            decision: Outcome {
                desired: decision.is_known().then_some(decision.desired),
                instances: (decision.is_known() && !reasons::has_weights(&model.config))
                    .then_some(decision.instances),
                least: decision.least,
                most: Some(decision.most).filter(|most| *most < u32::MAX),
            },
            last_change,
            why_this_many: told.this_many,
            why_not_more: told.not_more,
            why_not_zero: told.not_zero,
            alarm_differences: differences,
            assumptions: model.assumptions.clone(),
            gaps: seen.gaps.clone(),
        }
    }

    /// The desired capacity that the explanation starts from.
    fn before(&self) -> u32 {
        let supposed = self.what_if.as_ref().and_then(|what_if| what_if.workers);
        supposed.unwrap_or(self.capacity.desired)
    }
}

impl Render for Explanation {
    fn human(&self, view: &View) -> String {
        let Capacity {
            desired,
            min,
            max,
            in_service,
            pending,
            ..
        } = self.capacity;
        let mut out = format!(
            "{}  desired {desired} ({min} to {max}), {in_service} in service",
            paint(view.color, Role::Strong, &self.fleet.to_string())
        );
        if pending > 0 {
            out.push_str(&format!(", {pending} on the way"));
        }
        out.push('\n');
        let metrics: Vec<String> = self
            .metrics
            .iter()
            .map(|reading| {
                let value = reading.value.map_or_else(|| "no data".to_owned(), number);
                format!("{} {value}", reading.metric)
            })
            .collect();
        paragraph(&mut out, view, "  ", &metrics.join(", "));
        if let Some(what_if) = &self.what_if {
            paragraph(&mut out, view, "  ", &format!("supposing {what_if}"));
        }
        let before = self.before();
        let zero_too = before > 0 || self.decision.most != Some(0);
        let this_many = match self.decision.desired {
            Some(wanted) if wanted != before => format!("why {wanted}, and {before} no longer"),
            Some(_) | None => format!("why {before}"),
        };
        let sections = [
            (this_many, &self.why_this_many, true),
            ("why not more".to_owned(), &self.why_not_more, true),
            ("why not zero".to_owned(), &self.why_not_zero, zero_too),
        ];
        for (title, sentences, shown) in sections {
            if sentences.is_empty() || !shown {
                continue;
            }
            out.push_str(&format!("{}\n", paint(view.color, Role::Strong, &title)));
            for sentence in sentences {
                paragraph(&mut out, view, "  - ", sentence);
            }
        }
        for difference in &self.alarm_differences {
            let lead = format!("{} ", paint(view.color, Role::Warning, "differs:"));
            paragraph(&mut out, view, &lead, difference);
        }
        let Outcome {
            desired: wanted,
            instances,
            least,
            most,
        } = self.decision;
        let next = match wanted {
            Some(wanted) if wanted == before => format!("the desired capacity stays {before}"),
            Some(wanted) => format!("the desired capacity goes from {before} to {wanted}"),
            None => {
                let range =
                    most.map_or_else(|| format!("{least} or more"), |most| format!("{least} to {most}"));
                format!(
                    "what becomes of the desired capacity, {before}, is not known ({range}): not everything that \
                     decides on it is modelled"
                )
            }
        };
        let instances = match instances {
            Some(instances) if instances != wanted.unwrap_or(instances) => {
                format!(", with {instances} instances")
            }
            Some(_) | None => String::new(),
        };
        out.push_str(&format!(
            "{} {next}{instances}\n",
            paint(view.color, Role::Hint, "=>")
        ));
        out
    }

    fn names(&self) -> Vec<String> {
        vec![self.fleet.to_string()]
    }
}

impl Verb for ExplainArgs {
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

async fn run(ctx: &Ctx, args: &ExplainArgs) -> Result<ExitStatus> {
    let layout = ctx.layout()?;
    let fleet = &ctx
        .unless_interrupted(named_one(&ctx.aws, &layout, &args.fleet))
        .await?;
    let group = layout.auto_scaling_group(fleet);
    let look = async {
        let (facts, minutes, activities) = futures::join!(
            facts_of(&ctx.aws, &layout, fleet),
            Minutes::read(&ctx.aws, &layout, fleet, &group, MINUTES),
            ctx.aws.activities(&group, ACTIVITIES)
        );
        let mut gaps = Vec::new();
        // A fleet that does not exist has no activities either: the error of its facts says so best.
        Ok(Seen {
            facts: facts?,
            minutes: minutes?,
            activities: activities.unwrap_or_else(|error| {
                gaps.push(Gap::new("scaling activities", &error));
                Vec::new()
            }),
            gaps,
            now: ctx.clock.now(),
        })
    };
    let mut seen = ctx.unless_interrupted(look).await?;
    let model = model(&layout, fleet, &seen.facts)?;
    let most = model.config.limits().max;
    if let Some(workers) = args.what_if.as_ref().and_then(|what_if| what_if.workers)
        && workers > most
    {
        return Err(CtlError::usage(format!(
            "suppose {workers} workers: the maximum of fleet `{}` is {most}",
            fleet
        )));
    }
    let look_back = model.config.look_back();
    if look_back > MINUTES {
        let longer = Minutes::read(&ctx.aws, &layout, fleet, &group, look_back);
        seen.minutes = ctx.unless_interrupted(longer).await?;
    }
    warn_of_gaps(&ctx.ui, &seen.gaps);
    assumed(&ctx.ui, &model);
    ctx.emit(&Explanation::new(fleet, &seen, &model, args.what_if.clone()))?;
    Ok(ExitStatus::Done)
}
