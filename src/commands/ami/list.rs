//! `bpctl ami list`: the images that were built for the fleets.

use clap::Args;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::look::{names, pointed};
use crate::aws::ec2::Image;
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::Result;
use crate::exit::ExitStatus;
use crate::iam::{On, Use, Uses};
use crate::layout::{FleetId, InvalidName, Slug};
use crate::output::{Render, Table, View, age_at};

/// List the images that were built for fleets, the newest first
///
/// These are the account's own images with the tag `ManagedBy=packer`. An image that a fleet points to and that is not
/// among them is listed as well, with the state `unknown` when EC2 does not show it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl ami list                                       the images of all fleets
  bpctl ami list --slug gpu-default                    those that were built for one fleet or workflow
  bpctl ami list --query 'images[?!active_on].id'      those that no fleet points to")]
pub(crate) struct ListArgs {
    /// Only images that were built for this fleet or workflow
    #[arg(long, value_name = "SLUG", value_parser = slug)]
    slug: Option<Slug>,
}

fn slug(text: &str) -> Result<Slug, String> {
    text.parse().map_err(|error: InvalidName| error.to_string())
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Row {
    id: String,
    name: Option<String>,
    /// The fleet or workflow that it was built for.
    fleet_slug: Option<String>,
    /// As EC2 says it, e.g. `available`; `unknown` when EC2 does not show the image.
    state: String,
    architecture: Option<String>,
    /// The bundle that was baked into it.
    bundle_id: Option<String>,
    /// Account that owns it.
    owner: Option<String>,
    /// Whether the snapshot of its root volume is encrypted.
    root_encrypted: Option<bool>,
    created: Option<Timestamp>,
    /// Fleets whose pointer names it.
    active_on: Vec<FleetId>,
}

impl Row {
    pub(super) fn of(image: Image, active_on: Vec<FleetId>) -> Self {
        Self {
            fleet_slug: image.fleet_slug().map(str::to_owned),
            bundle_id: image.bundle().map(str::to_owned),
            id: image.id,
            name: image.name,
            state: image.state,
            architecture: image.architecture,
            owner: image.owner,
            root_encrypted: image.encrypted,
            created: image.created,
            active_on,
        }
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// An image that a pointer names and that EC2 does not show.
    fn unknown(id: String, active_on: Vec<FleetId>) -> Self {
        let image = Image {
            id,
            state: "unknown".to_owned(),
            ..Image::default()
        };
        Self::of(image, active_on)
    }
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ImageList {
    /// The newest first.
    images: Vec<Row>,
    /// When the list was made, for ages.
    #[serde(skip)]
    now: Timestamp,
}

impl Verb for ListArgs {
    fn uses() -> Uses {
        Uses::of(&[&[
            Use::of("ec2:DescribeImages", On::Anything),
            Use::of("ssm:DescribeParameters", On::Anything),
            Use::of("ssm:GetParameters", On::ImagePointers),
        ]])
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let list = ctx.unless_interrupted(look(ctx, &self)).await?;
        if list.images.is_empty() {
            ctx.ui.status("There are no images");
        }
        ctx.emit(&list)?;
        Ok(ExitStatus::Done)
    }
}

async fn look(ctx: &Ctx, args: &ListArgs) -> Result<ImageList> {
    let layout = ctx.layout()?;
    let (mut images, mut active) = futures::try_join!(ctx.aws.own_images(), pointed(ctx, &layout))?;
    let others: Vec<String> = active
        .keys()
        .filter(|id| id.starts_with("ami-") && images.iter().all(|image| image.id != **id))
        .cloned()
        .collect();
    images.extend(ctx.aws.machine_images(&others).await?);
    images.sort_by(|one, other| (other.created, &other.id).cmp(&(one.created, &one.id)));
    let mut rows: Vec<Row> = images
        .into_iter()
        .map(|image| {
            let fleets = active.remove(&image.id).unwrap_or_default();
            Row::of(image, fleets)
        })
        .collect();
    rows.extend(active.into_iter().map(|(id, fleets)| Row::unknown(id, fleets)));
    if let Some(slug) = &args.slug {
        rows.retain(|row| {
            row.fleet_slug.as_deref() == Some(slug.as_ref())
                || row.active_on.iter().any(|fleet| fleet.slug == *slug)
        });
    }
    Ok(ImageList {
        images: rows,
        now: ctx.clock.now(),
    })
}

impl Render for ImageList {
    fn human(&self, view: &View) -> String {
        let mut headers = vec!["IMAGE", "BUILT FOR", "AGE", "STATE", "ACTIVE ON"];
        if view.wide {
            headers.extend(["BUNDLE", "ARCH", "NAME"]);
        }
        let mut table = Table::new(&headers);
        let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
        for row in &self.images {
            let mut cells = vec![
                row.id.clone(),
                text(&row.fleet_slug),
                age_at(self.now, row.created),
                row.state.clone(),
                names(&row.active_on),
            ];
            if view.wide {
                cells.extend([text(&row.bundle_id), text(&row.architecture), text(&row.name)]);
            }
            table.row(cells);
        }
        table.render(view)
    }

    fn names(&self) -> Vec<String> {
        self.images.iter().map(|row| row.id.clone()).collect()
    }
}
