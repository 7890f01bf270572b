//! `bpctl ami history`: which images fleets started from, when, and by whom.

use std::collections::BTreeMap;

use clap::Args;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::aws::ec2::Image;
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::Result;
use crate::exit::ExitStatus;
use crate::fleet::{named, versions_of, writer};
use crate::iam::{On, Use, Uses};
use crate::layout::{FleetId, FleetName};
use crate::output::{Render, Table, View, age_at};

/// Show which images fleets pointed to, since when, who chose them, and whether they still exist
///
/// Parameter Store keeps the last hundred versions of a pointer.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl ami history --fleet production/gpu-default            the newest first
  bpctl ami history --fleet production/gpu-default -o wide    with bundles and whole ARNs")]
pub(crate) struct HistoryArgs {
    /// A fleet, e.g. production/gpu-default; may be given several times
    #[arg(long = "fleet", value_name = "FLEET", required = true, add = crate::completion::fleets())]
    fleets: Vec<FleetName>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Row {
    fleet: FleetId,
    version: i64,
    image: String,
    /// As EC2 says it, e.g. `available`; `null` when EC2 does not show the image (any more).
    state: Option<String>,
    /// The bundle that was baked into it.
    bundle_id: Option<String>,
    since: Option<Timestamp>,
    /// ARN of the principal that wrote it.
    by: Option<String>,
    /// Whether it is in force now.
    active: bool,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ImageHistory {
    /// The newest first, by fleet.
    versions: Vec<Row>,
    #[serde(skip)]
    now: Timestamp,
}

impl Verb for HistoryArgs {
    fn uses() -> Uses {
        Uses::of(&[&[
            Use::of("ec2:DescribeImages", On::Anything),
            Use::of("ssm:GetParameterHistory", On::ImagePointers),
        ]])
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

async fn look(ctx: &Ctx, args: &HistoryArgs) -> Result<ImageHistory> {
    let layout = ctx.layout()?;
    let mut found = Vec::new();
    for fleet in named(&ctx.aws, &layout, &args.fleets).await? {
        let versions = versions_of(&ctx.aws, &layout.ami_parameter(&fleet)).await?;
        found.push((fleet, versions));
    }
    let mut ids: Vec<String> = found
        .iter()
        .flat_map(|(_, versions)| versions.iter().map(|version| version.value.clone()))
        .filter(|value| value.starts_with("ami-"))
        .collect();
    ids.sort();
    ids.dedup();
    let images: BTreeMap<String, Image> = ctx
        .aws
        .machine_images(&ids)
        .await?
        .into_iter()
        .map(|image| (image.id.clone(), image))
        .collect();
    let mut versions = Vec::new();
    for (fleet, all) in found {
        for (position, version) in all.into_iter().enumerate() {
            let image = images.get(&version.value);
            versions.push(Row {
                fleet: fleet.clone(),
                version: version.version,
                state: image.map(|image| image.state.clone()),
                bundle_id: image.and_then(Image::bundle).map(str::to_owned),
                image: version.value,
                since: version.modified,
                by: version.by,
                active: position == 0,
            });
        }
    }
    Ok(ImageHistory {
        versions,
        now: ctx.clock.now(),
    })
}

impl Render for ImageHistory {
    fn human(&self, view: &View) -> String {
        let mut headers = vec!["FLEET", "VERSION", "IMAGE", "STATE", "AGE", "BY"];
        if view.wide {
            headers.push("BUNDLE");
        }
        let mut table = Table::new(&headers);
        for row in &self.versions {
            let by = row.by.as_deref().unwrap_or("-");
            let mut cells = vec![
                row.fleet.to_string(),
                format!("{}{}", row.version, if row.active { " *" } else { "" }),
                row.image.clone(),
                row.state.clone().unwrap_or_else(|| "gone".to_owned()),
                age_at(self.now, row.since),
                if view.wide { by } else { writer(by) }.to_owned(),
            ];
            if view.wide {
                cells.push(row.bundle_id.clone().unwrap_or_else(|| "-".to_owned()));
            }
            table.row(cells);
        }
        table.render(view)
    }

    fn names(&self) -> Vec<String> {
        self.versions.iter().map(|row| row.image.clone()).collect()
    }
}
