//! `bpctl fleet tune`: the cheapest configuration of a fleet that keeps the wait short.

mod chart;
pub(in crate::commands) mod outcome;
mod space;
mod verdict;
mod view;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{ArgGroup, Args};
use fleet_scaling::tune::{Objective, tune_with_progress};

use super::assumptions::note;
use super::compute::compute;
use super::demand::{Days, Demand};
use super::source::FleetSource;
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CtlError, Result};
use crate::exit::ExitStatus;
use crate::fleet::named_one;
use crate::fleet::scaling::LONGEST;
use crate::iam::{On, Use, Uses};
use crate::layout::FleetName;
use crate::plot::{PictureFile, svg};
use outcome::{Scenario, Tuning};
use space::SpaceArgs;

/// Without `--days` and without a recording: two weeks see two weekends.
const DAYS: u16 = 14;

/// Simulated jobs, all configurations together: about an hour on two cores.
const MOST_JOBS: f64 = 1e11;

/// Without `--from-cloudwatch`: what two weeks of metrics say.
const BACK: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// Find the cheapest configuration of a fleet that keeps the wait short
///
/// Every combination of the values to try is simulated on the same jobs. Shown are the configuration as
/// it is, the cheapest that meets the objective, and those that nothing beats in both cost and wait.
/// Without values of your own, values around the present ones are tried. Nothing in AWS is changed. Exit status 1: no
/// combination meets the objective.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("demand").args(["arrivals", "trace", "from_cloudwatch"]))]
#[command(after_help = "\
Examples:
  bpctl fleet tune production/gpu-default --p95-wait 10m
  bpctl fleet tune production/gpu-default --p95-wait 10m --arrivals daily:2..40/h
  bpctl fleet tune --config fleet.toml --p95-wait 5m --trace jobs.csv --max 4,8,16 --zero-minutes 5,15
  bpctl fleet tune --config fleet.toml --p95-wait 5m --trace jobs.csv -o json --query best_config > best.json")]
pub(crate) struct TuneArgs {
    #[command(flatten)]
    pub(super) fleet: FleetSource,

    /// 95 % of the jobs are to wait no longer than this, e.g. 10m
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    p95_wait: Duration,

    /// The largest share of the jobs that may be lost, from 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    lost_share: f64,

    /// When jobs come, as in `bpctl fleet simulate`
    #[arg(long, value_name = "ARRIVALS")]
    arrivals: Option<String>,

    /// Recorded arrivals: CSV (time, jobs since then) or the JSON of `aws cloudwatch get-metric-data`
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    trace: Option<PathBuf>,

    /// What came lately, from the metrics of the live fleet: up to 15d [default for a live fleet: 14d]
    #[arg(long, value_name = "DURATION", value_parser = back, conflicts_with = "config")]
    from_cloudwatch: Option<Duration>,

    /// Days to simulate, up to 3650 [default: 14, or the length of the recording]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    days: Option<Days>,

    /// Simulate every combination with so many seeds; the worst wait of them counts
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=100))]
    seeds: u64,

    /// Draw cost against wait into this file, which is replaced
    #[arg(long, value_name = "FILE.svg", value_hint = clap::ValueHint::FilePath)]
    plot: Option<PathBuf>,

    #[command(flatten)]
    space: SpaceArgs,
}

/// The demand that was asked for.
enum Asked<'a> {
    /// It was written down, and makes sense.
    Written(Demand),
    /// It is what came to a live fleet lately.
    Measured(&'a FleetName, Duration),
}

impl TuneArgs {
    /// Reads what is written down, before anything is asked of AWS.
    fn asked(&self, cwd: &Path) -> Result<Asked<'_>> {
        self.fleet.check()?;
        let demand = match (&self.arrivals, &self.trace, self.fleet.fleet()) {
            (Some(text), _, _) => Demand::read(cwd, text)?,
            (None, Some(file), _) => Demand::recorded(cwd, file)?,
            (None, None, Some(fleet)) => {
                return Ok(Asked::Measured(fleet, self.from_cloudwatch.unwrap_or(BACK)));
            }
            (None, None, None) => {
                let error =
                    CtlError::usage("choose a demand: a configuration says nothing of the jobs that come");
                return Err(error.hint("give `--arrivals` or `--trace`"));
            }
        };
        demand.days(self.days, DAYS)?;
        Ok(Asked::Written(demand))
    }
}

impl Verb for TuneArgs {
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

async fn run(ctx: &Ctx, args: &TuneArgs) -> Result<ExitStatus> {
    let picture = args
        .plot
        .as_deref()
        .map(|path| PictureFile::new(&ctx.cwd, path))
        .transpose()?;
    let asked = args.asked(&ctx.cwd)?;
    let mut model = ctx.unless_interrupted(args.fleet.model(ctx)).await?;
    let space = args.space.around(model.config.spec())?;
    let demand = match asked {
        Asked::Written(demand) => demand,
        Asked::Measured(fleet, back) => {
            let measured = async {
                let fleet = named_one(&ctx.aws, &ctx.layout()?, fleet).await?;
                Demand::measured(ctx, &fleet, back, &model).await
            };
            ctx.unless_interrupted(measured).await?
        }
    };
    let days = demand.days(args.days, DAYS)?;
    model.assumptions.extend(demand.assumptions.iter().cloned());
    let jobs = demand.jobs(days) * args.seeds as f64 * space.combinations() as f64;
    if jobs > MOST_JOBS {
        return Err(CtlError::usage(format!(
            "search {} configurations with {} seeds: that is about {jobs:.1e} simulated jobs, and at most {MOST_JOBS:.0e} are tried",
            space.combinations(),
            args.seeds
        ))
        .hint("give fewer `--days`, `--seeds` or values to try"));
    }

    let objective = Objective {
        wait_p95_seconds: args.p95_wait.as_secs_f64(),
        lost_share: args.lost_share,
    };
    let seeds: Vec<u64> = (1..=args.seeds).collect();
    let scenario = Scenario::new(&demand, days, seeds.clone());
    let config = model.config.clone();
    let tried = space.clone();
    let found = compute(ctx, "trying configurations", move |gauge| {
        let progress = |done: usize, all: usize| gauge.set(done as u64, all as u64);
        let length = days.duration();
        tune_with_progress(
            &config,
            &demand.arrivals,
            length,
            &seeds,
            &objective,
            &tried,
            &progress,
        )
    })
    .await?
    .map_err(|problem| CtlError::usage("tune the fleet").source(&problem))?;

    let tuning = Tuning::new(&model, scenario, objective, &space, found);
    // A picture that cannot be written does not hide the result.
    let drawn = match &picture {
        Some(file) => svg(&tuning.chart()).and_then(|picture| file.write(&picture)),
        None => Ok(()),
    };
    let is_drawn = drawn.is_ok();
    let outcome = drawn.and_then(|()| tuning.verdict());
    let outcome = ctx.emit_outcome(&tuning, outcome.map(|()| ExitStatus::Done));
    note(&ctx.ui, &model);
    if let Some(file) = picture.filter(|_| is_drawn) {
        ctx.ui.status(&format!("plotted to `{}`", file.shown().display()));
    }
    outcome
}

fn back(text: &str) -> Result<Duration, String> {
    let back = humantime::parse_duration(text).map_err(|_| "write e.g. `14d` or `36h`".to_owned())?;
    if back < Duration::from_secs(3_600) {
        return Err("less than an hour says nothing of the demand".to_owned());
    }
    if back > LONGEST {
        return Err("CloudWatch keeps single minutes for 15 days".to_owned());
    }
    Ok(back)
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("not a number from 0 to 1".to_owned()),
    }
}
