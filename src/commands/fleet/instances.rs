//! `bpctl fleet instances`: what each instance of fleets runs, beside what the pointers say.

use std::collections::BTreeMap;

use clap::Args;
use futures::future::try_join_all;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::Result;
use crate::exit::ExitStatus;
use crate::fleet::{BundleAtBoot, Node, Nodes, Skew, discover, look_at_nodes, named};
use crate::iam::{On, Use, Uses};
use crate::layout::{FleetId, FleetName};
use crate::output::{Render, Table, View, age_at};

/// Show what each instance runs: image, launch template and bundle against what new ones would get
///
/// An instance loads the bundle that is active when it boots; what `bundle apply` put onto it later is not seen here.
/// Whether Systems Manager reaches an instance decides whether `bundle apply` and shells can.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl fleet instances                                     of every fleet
  bpctl fleet instances production/gpu-default -o wide      one fleet, with types and ids of bundles
  bpctl fleet instances -o json --query 'instances[?differs_in].id'    those that a refresh would replace")]
pub(crate) struct InstancesArgs {
    /// Fleets, e.g. production/gpu-default; all of them by default
    #[arg(value_name = "FLEET", add = crate::completion::fleets())]
    fleets: Vec<FleetName>,
}

/// The document.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct InstanceTable {
    at: Timestamp,
    instances: Vec<Row>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Row {
    fleet: FleetId,
    id: String,
    lifecycle_state: String,
    healthy: bool,
    /// `null` when EC2 does not know the instance.
    image: Option<String>,
    /// What the pointer names.
    pointer_image: Option<String>,
    launch_template_version: Option<String>,
    group_template_version: Option<String>,
    /// The bundle that was active when it booted: an id, `none`, or `null` when the pointer does not tell.
    bundle: Option<String>,
    active_bundle: Option<String>,
    /// In what a new instance would differ: `image`, `launch template`, `bundle`.
    differs_in: Vec<&'static str>,
    spot: Option<bool>,
    instance_type: Option<String>,
    availability_zone: Option<String>,
    launched: Option<Timestamp>,
    protected_from_scale_in: bool,
    /// `null` when Systems Manager does not know it.
    reached_by_systems_manager: Option<bool>,
}

impl Row {
    fn of(fleet: &FleetId, nodes: &Nodes, node: &Node, reached: &BTreeMap<String, bool>) -> Self {
        let pointers = &nodes.pointers;
        Self {
            fleet: fleet.clone(),
            id: node.id.clone(),
            lifecycle_state: node.state.clone(),
            healthy: node.healthy,
            image: node.image.clone(),
            pointer_image: pointers.ami.as_ref().map(|pointer| pointer.value.clone()),
            launch_template_version: node.template_version.clone(),
            group_template_version: nodes
                .group
                .launch_template
                .as_ref()
                .map(|(_, version)| version.clone()),
            bundle: match &node.bundle {
                BundleAtBoot::None => Some("none".to_owned()),
                BundleAtBoot::Active(id) => Some(id.clone()),
                BundleAtBoot::Unknown => None,
            },
            active_bundle: pointers
                .bundle
                .as_ref()
                .and_then(|bundle| bundle.bundle_id.clone()),
            differs_in: nodes.skew(node).into_iter().map(Skew::word).collect(),
            spot: node.spot,
            instance_type: node.instance_type.clone(),
            availability_zone: node.zone.clone(),
            launched: node.launched,
            protected_from_scale_in: node.protected,
            reached_by_systems_manager: reached.get(&node.id).copied(),
        }
    }
}

impl Verb for InstancesArgs {
    fn uses() -> Uses {
        Uses::of(&[&[
            Use::of("autoscaling:DescribeAutoScalingGroups", On::Anything),
            Use::of("ec2:DescribeInstances", On::Anything),
            Use::of("ssm:DescribeInstanceInformation", On::Anything),
            Use::of("ssm:GetParameterHistory", On::ActiveBundles),
            Use::of("ssm:GetParameters", On::FleetParameters),
        ]])
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let table = ctx.unless_interrupted(look(ctx, &self.fleets)).await?;
        if table.instances.is_empty() {
            ctx.ui.status("No instance runs");
        }
        ctx.emit(&table)?;
        Ok(ExitStatus::Done)
    }
}

async fn look(ctx: &Ctx, names: &[FleetName]) -> Result<InstanceTable> {
    let layout = ctx.layout()?;
    let fleets: Vec<FleetId> = if names.is_empty() {
        let known = discover(&ctx.aws, &layout).await?;
        let with_groups = known.fleets.values().filter(|fleet| fleet.group.is_some());
        with_groups.map(|fleet| fleet.id.clone()).collect()
    } else {
        named(&ctx.aws, &layout, names).await?
    };
    let looked = try_join_all(fleets.iter().map(|fleet| look_at_nodes(&ctx.aws, &layout, fleet))).await?;
    let ids: Vec<String> = looked
        .iter()
        .flat_map(|nodes| nodes.nodes.iter().map(|node| node.id.clone()))
        .collect();
    let reached = ctx.aws.reached(&ids).await?;
    let instances = fleets
        .iter()
        .zip(&looked)
        .flat_map(|(fleet, nodes)| nodes.nodes.iter().map(move |node| (fleet, nodes, node)))
        .map(|(fleet, nodes, node)| Row::of(fleet, nodes, node, &reached))
        .collect();
    Ok(InstanceTable {
        at: ctx.clock.now(),
        instances,
    })
}

/// `yes`, `no`, or `?` where EC2 does not tell.
fn yes_or_no(known: Option<bool>) -> String {
    match known {
        Some(true) => "yes",
        Some(false) => "no",
        None => "?",
    }
    .to_owned()
}

impl Render for InstanceTable {
    fn human(&self, view: &View) -> String {
        let mut headers = vec!["FLEET", "INSTANCE", "STATE", "DIFFERS IN", "AGE", "PROT", "SSM"];
        if view.wide {
            headers.extend(["IMAGE", "TEMPLATE", "BUNDLE", "TYPE", "MARKET", "ZONE"]);
        }
        let mut table = Table::new(&headers);
        for row in &self.instances {
            let mut cells = vec![
                row.fleet.to_string(),
                row.id.clone(),
                row.lifecycle_state.clone(),
                if row.differs_in.is_empty() {
                    "-".to_owned()
                } else {
                    row.differs_in.join(", ")
                },
                age_at(self.at, row.launched),
                yes_or_no(Some(row.protected_from_scale_in)),
                yes_or_no(row.reached_by_systems_manager),
            ];
            if view.wide {
                let or = |text: &Option<String>| text.clone().unwrap_or_else(|| "?".to_owned());
                let market = row
                    .spot
                    .map(|spot| if spot { "spot" } else { "on-demand" }.to_owned());
                cells.extend([
                    or(&row.image),
                    or(&row.launch_template_version),
                    or(&row.bundle),
                    or(&row.instance_type),
                    or(&market),
                    or(&row.availability_zone),
                ]);
            }
            table.row(cells);
        }
        table.render(view)
    }

    fn names(&self) -> Vec<String> {
        self.instances.iter().map(|row| row.id.clone()).collect()
    }
}
