//! `bpctl ami show`: one image, which fleets point to it, and what runs from it.

use std::collections::BTreeMap;

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use super::list::Row;
use super::look::{names, pointed};
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Result};
use crate::exit::ExitStatus;
use crate::iam::{On, Use, Uses};
use crate::layout::ImageId;
use crate::output::{Render, View, age_at, one_line};

/// Show an image: what it was built for, which fleets point to it, which instances run from it
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl ami show ami-0123456789abcdef0            what it is and who uses it
  bpctl ami show ami-0123456789abcdef0 -o json    with its tags and snapshots")]
pub(crate) struct ShowArgs {
    /// The image
    #[arg(value_name = "AMI", value_parser = super::image)]
    image: ImageId,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ImageDetails {
    #[serde(flatten)]
    image: Row,
    /// Instances of this account that start or run from it.
    instances: Vec<String>,
    snapshots: Vec<String>,
    tags: BTreeMap<String, String>,
    /// What the block of lines shows.
    #[serde(skip)]
    lines: Vec<(&'static str, String)>,
}

impl Verb for ShowArgs {
    fn uses() -> Uses {
        Uses::of(&[&[
            Use::of("ec2:DescribeImages", On::Anything),
            Use::of("ec2:DescribeInstances", On::Anything),
            Use::of("ssm:DescribeParameters", On::Anything),
            Use::of("ssm:GetParameters", On::ImagePointers),
        ]])
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let details = ctx.unless_interrupted(look(ctx, &self.image)).await?;
        ctx.emit(&details)?;
        Ok(ExitStatus::Done)
    }
}

async fn look(ctx: &Ctx, id: &ImageId) -> Result<ImageDetails> {
    let layout = ctx.layout()?;
    let ids = [id.to_string()];
    let (images, machines, mut active) = futures::try_join!(
        ctx.aws.machine_images(&ids),
        ctx.aws.machines_from(&ids),
        pointed(ctx, &layout)
    )?;
    let Some(image) = images.into_iter().next() else {
        return Err(CtlError::new(
            ErrorKind::NotFound,
            format!("show image {id}: EC2 shows no such image"),
        )
        .hint((
            "see the images of this account with",
            CommandLine::bpctl(["ami", "list"]),
        )));
    };
    let fleets = active.remove(&image.id).unwrap_or_default();
    let instances: Vec<String> = machines.into_keys().collect();
    let text = |value: Option<&str>| value.unwrap_or("-").to_owned();
    let lines = vec![
        ("name", text(image.name.as_deref())),
        ("state", image.state.clone()),
        ("built for", text(image.fleet_slug())),
        (
            "built",
            match image.created {
                Some(at) => format!("{at} ({} ago)", age_at(ctx.clock.now(), Some(at))),
                None => "-".to_owned(),
            },
        ),
        ("bundle", text(image.bundle())),
        ("architecture", text(image.architecture.as_deref())),
        ("owner", text(image.owner.as_deref())),
        (
            "root volume",
            match image.encrypted {
                Some(true) => "encrypted",
                Some(false) => "not encrypted in the image",
                None => "unknown",
            }
            .to_owned(),
        ),
        ("snapshots", image.snapshots.join(", ")),
        ("active on", names(&fleets)),
        (
            "instances",
            if instances.is_empty() {
                "-".to_owned()
            } else {
                instances.join(", ")
            },
        ),
    ];
    Ok(ImageDetails {
        instances,
        snapshots: image.snapshots.clone(),
        tags: image.tags.clone(),
        image: Row::of(image, fleets),
        lines,
    })
}

impl Render for ImageDetails {
    fn human(&self, _view: &View) -> String {
        let mut text = format!("{}\n", self.image.id());
        for (label, value) in &self.lines {
            text.push_str(&format!("  {label:<13} {}\n", one_line(value)));
        }
        text
    }

    fn names(&self) -> Vec<String> {
        vec![self.image.id().to_owned()]
    }
}
