//! What fleets will cost if the jobs of the next month are like those of the past: their metrics, played through a model
//! of each fleet.

use std::collections::BTreeMap;
use std::time::Duration;

use fleet_scaling::simulate::{Arrivals, Report, Scenario};
use schemars::JsonSchema;
use serde::Serialize;

use super::observe::Read;
use super::thing::Dollars;
use crate::aws::ec2::SpotPrices;
use crate::commands::fleet::compute::compute;
use crate::context::Ctx;
use crate::error::{CtlError, ErrorKind, Result};
use crate::fleet::scaling::{Facts, Model, demand, facts_of_all, model, with_templates};
use crate::layout::{FleetId, Layout};
use crate::prices::HOURS_PER_MONTH;

/// Simulated time: long enough that the start of a fleet without instances does not count.
const HORIZON: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The same figures each time.
const SEED: u64 = 1;

/// What one fleet will cost.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub(super) struct Forecast {
    pub(super) fleet: FleetId,
    /// Null when it could not be made.
    pub(super) outlook: Option<Outlook>,
    /// Why it could not be made.
    pub(super) unknown: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub(super) struct Outlook {
    /// US dollars for instances; volumes come on top.
    pub(super) dollars: Dollars,
    /// Of what an hour costs: `spot` is the Spot price of now, the mean over the zones, `on-demand` the list price, which
    /// is the most.
    pub(super) price: &'static str,
    pub(super) jobs_per_day: f64,
    pub(super) instance_hours_per_month: f64,
    pub(super) most_instances: u32,
    /// How the jobs were counted and what the model takes for granted.
    pub(super) assumptions: Vec<String>,
}

/// The outlook of every fleet with a group.
///
/// # Errors
/// The fleets cannot be read.
pub(super) async fn forecasts(
    ctx: &Ctx,
    layout: &Layout,
    back: Duration,
    spot: &Read<SpotPrices>,
) -> Result<Vec<Forecast>> {
    let facts = facts_of_all(&ctx.aws, layout).await?;
    let facts = with_templates(&ctx.aws, layout, facts).await;
    let mut all = Vec::with_capacity(facts.len());
    for (fleet, facts) in &facts {
        let made = forecast(ctx, layout, fleet, facts, back, spot).await;
        // What ends the command ends it here as well; no history does not.
        let (outlook, unknown) = match made {
            Ok(outlook) => (Some(outlook), None),
            Err(error) if matches!(error.kind(), ErrorKind::Failed | ErrorKind::AccessDenied) => {
                (None, Some(error.to_string()))
            }
            Err(error) => return Err(error),
        };
        all.push(Forecast {
            fleet: fleet.clone(),
            outlook,
            unknown,
        });
    }
    Ok(all)
}

async fn forecast(
    ctx: &Ctx,
    layout: &Layout,
    fleet: &FleetId,
    facts: &Facts,
    back: Duration,
    spot: &Read<SpotPrices>,
) -> Result<Outlook> {
    let listed = model(layout, fleet, facts)?;
    let (model, price) = priced(listed, facts, spot)?;
    let seconds = model.config.spec().jobs.service.mean_seconds();
    let measured = demand(&ctx.aws, layout, fleet, back, seconds).await?;
    let arrivals = Arrivals::Trace {
        trace: measured.trace,
        repeat: true,
    };
    let scenario = Scenario::new(arrivals, SEED, HORIZON);
    let config = model.config.clone();
    let what = format!("forecasting {fleet}");
    let report = compute(ctx, &what, move |gauge| {
        let all = scenario.horizon.as_secs();
        scenario.run_with_progress(&config, &|simulated| gauge.set(simulated.as_secs(), all))
    })
    .await?
    .map_err(|problem| CtlError::usage("forecast what the fleet costs").source(&problem))?;
    let mut assumptions = measured.assumptions;
    assumptions.extend(model.assumptions);
    assumptions.extend(model.left_out.into_iter().map(|left_out| left_out.what));
    Ok(outlook(&report, price, assumptions))
}

/// With the Spot prices of now, where all of the group's instances are Spot Instances and all of their types have one.
fn priced(listed: Model, facts: &Facts, spot: &Read<SpotPrices>) -> Result<(Model, &'static str)> {
    let group = &facts.group;
    let only_spot = group.spot && group.features.on_demand_base == 0 && group.features.on_demand_percent == 0;
    let (true, Ok(prices)) = (only_spot, spot) else {
        return Ok((listed, "on-demand"));
    };
    let mean = |name: &String| {
        let zones: Vec<f64> = prices
            .iter()
            .filter(|((kind, _), _)| kind == name)
            .map(|(_, price)| *price)
            .collect();
        let sum: f64 = zones.iter().sum();
        (!zones.is_empty()).then(|| sum / zones.len() as f64)
    };
    let types = listed.config.spec().instance_types.iter();
    let hourly: BTreeMap<String, f64> = types
        .clone()
        .filter_map(|kind| Some((kind.name.clone(), mean(&kind.name)?)))
        .collect();
    if hourly.len() < types.len() {
        return Ok((listed, "on-demand"));
    }
    Ok((listed.at_prices(&hourly)?, "spot"))
}

fn outlook(report: &Report, price: &'static str, assumptions: Vec<String>) -> Outlook {
    let hours = report.horizon_seconds / 3_600.0;
    let to_month = HOURS_PER_MONTH / hours;
    let tenth = |value: f64| (value * 10.0).round() / 10.0;
    Outlook {
        dollars: Dollars::of_month(report.fleet.cost * to_month),
        price,
        jobs_per_day: tenth(report.jobs.arrived as f64 / hours * 24.0),
        instance_hours_per_month: tenth(report.fleet.instance_hours * to_month),
        most_instances: report.fleet.most_instances,
        assumptions,
    }
}
