//! `bpctl bundle history`: which bundles were active on a fleet, when, and by whom.

use clap::Args;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::Result;
use crate::exit::ExitStatus;
use crate::fleet::{bundle_id, named, versions_of, writer};
use crate::iam::{On, Use, Uses};
use crate::layout::{FleetId, FleetName};
use crate::output::{Render, Table, View, age_at};

/// Show which bundles were active on fleets, since when, and who chose them
///
/// Parameter Store keeps the last hundred versions of a pointer.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl bundle history --fleet production/gpu-default            the newest first
  bpctl bundle history --fleet production/gpu-default -o wide    with whole ARNs")]
pub(crate) struct HistoryArgs {
    /// A fleet, e.g. production/gpu-default; may be given several times
    #[arg(long = "fleet", value_name = "FLEET", required = true, add = crate::completion::fleets())]
    fleets: Vec<FleetName>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Row {
    fleet: FleetId,
    version: i64,
    /// `null` when no bundle was active.
    bundle_id: Option<String>,
    value: String,
    since: Option<Timestamp>,
    /// ARN of the principal that wrote it.
    by: Option<String>,
    /// Whether it is in force now.
    active: bool,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct PointerHistory {
    /// The newest first, by fleet.
    versions: Vec<Row>,
    #[serde(skip)]
    now: Timestamp,
}

impl Verb for HistoryArgs {
    fn uses() -> Uses {
        Uses::of(&[&[Use::of("ssm:GetParameterHistory", On::ActiveBundles)]])
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let history = ctx.unless_interrupted(look(ctx, &self)).await?;
        ctx.emit(&history)?;
        Ok(ExitStatus::Done)
    }
}

async fn look(ctx: &Ctx, args: &HistoryArgs) -> Result<PointerHistory> {
    let layout = ctx.layout()?;
    let mut versions = Vec::new();
    for fleet in named(&ctx.aws, &layout, &args.fleets).await? {
        let found = versions_of(&ctx.aws, &layout.active_bundle_parameter(&fleet)).await?;
        for (position, version) in found.into_iter().enumerate() {
            versions.push(Row {
                fleet: fleet.clone(),
                version: version.version,
                bundle_id: bundle_id(&version.value),
                value: version.value,
                since: version.modified,
                by: version.by,
                active: position == 0,
            });
        }
    }
    Ok(PointerHistory {
        versions,
        now: ctx.clock.now(),
    })
}

impl Render for PointerHistory {
    fn human(&self, view: &View) -> String {
        let mut table = Table::new(&["FLEET", "VERSION", "BUNDLE", "AGE", "BY"]);
        for row in &self.versions {
            let by = row.by.as_deref().unwrap_or("-");
            table.row([
                row.fleet.to_string(),
                format!("{}{}", row.version, if row.active { " *" } else { "" }),
                row.bundle_id.clone().unwrap_or_else(|| "none".to_owned()),
                age_at(self.now, row.since),
                if view.wide { by } else { writer(by) }.to_owned(),
            ]);
        }
        table.render(view)
    }

    fn names(&self) -> Vec<String> {
        let ids = self.versions.iter();
        ids.map(|row| row.bundle_id.clone().unwrap_or_else(|| "none".to_owned()))
            .collect()
    }
}
