//! `bpctl fleet simulate`: what a fleet's scaling comes to over days and years.

mod chart;
mod view;

use std::path::PathBuf;

use clap::Args;
use fleet_scaling::config::FleetSpec;
use fleet_scaling::simulate::{Report, Scenario, Series};
use schemars::JsonSchema;
use serde::Serialize;

use super::assumptions::note;
use super::compute::compute;
use super::demand::{Days, Demand};
use super::source::FleetSource;
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CtlError, Result};
use crate::exit::ExitStatus;
use crate::fleet::scaling::LeftOut;
use crate::iam::{On, Use, Uses};
use crate::plot::{PictureFile, svg};

/// Points of the pictures: every minute of a day, and several for each dot of a terminal.
const POINTS: u16 = 1_440;

/// Without `--days` and without a recording.
const DAYS: u16 = 30;

/// Simulate a fleet over days: how long jobs wait, what it costs, what is lost
///
/// Jobs arrive, wait and run on simulated instances that CloudWatch alarms and EC2 Auto Scaling policies start
/// and end, minute by minute, as AWS documents them; Spot interruptions, cold starts and retries
/// included. The same seed gives the same result. Nothing in AWS is changed, and with `--config` nothing
/// in AWS is read.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  bpctl fleet simulate production/gpu-default --arrivals daily:2..40/h+burst:50@09:00
  bpctl fleet simulate --config fleet.toml --arrivals trace:jobs.csv --plot month.svg
  bpctl fleet simulate production/gpu-default --arrivals none --days 1 -o json --query config > fleet.json")]
pub(crate) struct SimulateArgs {
    #[command(flatten)]
    pub(super) fleet: FleetSource,

    /// When jobs come: constant:20/h, poisson:20/h, daily:2..40/h, burst:50@09:00 (every day), burst:50@90m (once),
    /// trace:FILE, none, or several joined by +
    ///
    /// A simulation starts at midnight. daily rises and falls between its two rates, least at 02:00 and most
    /// at 14:00. A trace is CSV (time, jobs since then) or the JSON of `aws cloudwatch get-metric-data`, and
    /// starts over at its end.
    #[arg(long, value_name = "ARRIVALS")]
    arrivals: String,

    /// Days to simulate, up to 3650 [default: 30, or the length of the trace]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    days: Option<Days>,

    /// Seed of the random numbers
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,

    /// Draw queue, instances and desired capacity over time into this file, which is replaced
    #[arg(long, value_name = "FILE.svg", value_hint = clap::ValueHint::FilePath)]
    plot: Option<PathBuf>,

    /// Put the course over time into the JSON document, in so many points (at most 100000)
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true,
        value_parser = clap::value_parser!(u32).range(0..=100_000))]
    points: u32,
}

/// What a simulation found, and of what.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Simulation {
    fleet: String,
    scenario: ScenarioView,
    report: Report,
    assumptions: Vec<String>,
    left_out: Vec<LeftOut>,
    /// As `--config` takes it.
    config: FleetSpec,
    /// For the pictures.
    #[serde(skip)]
    course: Option<Series>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ScenarioView {
    arrivals: String,
    days: f64,
    seed: u64,
    #[serde(skip)]
    length: Days,
}

impl Verb for SimulateArgs {
    fn uses() -> Uses {
        Uses::of(&[&[
            Use::of("autoscaling:DescribeAutoScalingGroups", On::Anything),
            Use::of("autoscaling:DescribeLifecycleHooks", On::Anything),
            Use::of("autoscaling:DescribePolicies", On::Anything),
            Use::of("autoscaling:DescribeScheduledActions", On::Anything),
            Use::of("cloudformation:GetTemplate", On::Stacks),
            Use::of("cloudwatch:DescribeAlarms", On::FleetAlarms),
            Use::of("cloudwatch:GetMetricData", On::Anything),
            Use::of("sns:ListSubscriptionsByTopic", On::ScaleToZeroTopic),
        ]])
    }

    fn needs(&self) -> Needs {
        Needs::aws_if(self.fleet.is_live())
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        run(ctx, &self).await
    }
}

async fn run(ctx: &Ctx, args: &SimulateArgs) -> Result<ExitStatus> {
    let picture = args
        .plot
        .as_deref()
        .map(|path| PictureFile::new(&ctx.cwd, path))
        .transpose()?;
    let demand = Demand::read(&ctx.cwd, &args.arrivals)?;
    let days = demand.days(args.days, DAYS)?;
    let model = ctx.unless_interrupted(args.fleet.model(ctx)).await?;

    let mut scenario = Scenario::new(demand.arrivals, args.seed, days.duration());
    scenario.points = match args.points {
        0 => usize::from(POINTS),
        points => usize::try_from(points).unwrap_or(usize::MAX),
    };
    let config = model.config.clone();
    let mut report = compute(ctx, "simulating", move |gauge| {
        let all = scenario.horizon.as_secs();
        scenario.run_with_progress(&config, &|simulated| gauge.set(simulated.as_secs(), all))
    })
    .await?
    .map_err(|problem| CtlError::usage("simulate the fleet").source(&problem))?;
    let course = if args.points == 0 {
        report.series.take()
    } else {
        report.series.clone()
    };

    let simulation = Simulation {
        fleet: model.name.clone(),
        scenario: ScenarioView {
            arrivals: demand.text,
            days: days.number(),
            seed: args.seed,
            length: days,
        },
        report,
        assumptions: model.assumptions.clone(),
        left_out: model.left_out.clone(),
        config: model.config.spec().clone(),
        course,
    };
    // A picture that cannot be written does not hide the result.
    let drawn = match (&picture, simulation.chart(chart::FILE)) {
        (Some(file), Some(chart)) => svg(&chart).and_then(|picture| file.write(&picture)),
        _ => Ok(()),
    };
    let is_drawn = drawn.is_ok();
    let outcome = ctx.emit_outcome(&simulation, drawn.map(|()| ExitStatus::Done));
    note(&ctx.ui, &model);
    if let Some(file) = picture.filter(|_| is_drawn) {
        ctx.ui.status(&format!("plotted to `{}`", file.shown().display()));
    }
    outcome
}
