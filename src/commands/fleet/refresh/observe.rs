//! What is so before a refresh: instances beside the pointers, refreshes, the image, the template, the work.

use jiff::Timestamp;

use super::Refresh;
use super::within::step_within;
use crate::aws::autoscaling::InstanceRefresh;
use crate::aws::ec2::Image;
use crate::change::Change as _;
use crate::change::journal::Record;
use crate::context::Ctx;
use crate::error::Result;
use crate::fleet::{Nodes, Work, look_at_nodes, read_signals_of};
use crate::layout::{FleetId, Layout};

/// How much earlier than its journal a run's refresh may seem to have begun: two clocks are compared.
const CLOCKS_DIFFER: i64 = 5;

/// What was seen.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(in crate::commands) nodes: Nodes,
    /// The refresh that is under way.
    pub(in crate::commands) under_way: Option<InstanceRefresh>,
    /// Whether a run of the last minutes has started it.
    pub(in crate::commands) ours: bool,
    /// The image that the pointer names; `None` when EC2 does not show it.
    pub(in crate::commands) image: Option<Image>,
    /// What the launch template says of the image.
    pub(in crate::commands) template_image: Option<String>,
    pub(in crate::commands) work: Work,
}

pub(in crate::commands) async fn observe(
    ctx: &Ctx,
    layout: &Layout,
    fleet: &FleetId,
    recent: &[Record],
) -> Result<Seen> {
    let aws = &ctx.aws;
    let group = layout.auto_scaling_group(fleet);
    let (nodes, refreshes, signals) = futures::join!(
        look_at_nodes(aws, layout, fleet),
        aws.instance_refreshes(&group),
        read_signals_of(aws, layout, fleet),
    );
    let nodes = nodes?;
    let under_way = refreshes?.into_iter().find(|refresh| !refresh.is_over());
    let image = nodes.pointers.ami.as_ref().filter(|pointer| pointer.is_image());
    let ids: Vec<String> = image.iter().map(|pointer| pointer.value.clone()).collect();
    let template = async {
        match &nodes.group.launch_template {
            Some((name, version)) => aws.template_image(name, version, false).await,
            None => Ok(None),
        }
    };
    let (images, template_image) = futures::try_join!(aws.machine_images(&ids), template)?;
    Ok(Seen {
        work: Work::of(&nodes.group, &signals),
        ours: under_way
            .as_ref()
            .is_some_and(|refresh| recent.iter().any(|record| started_it(record, fleet, refresh))),
        nodes,
        under_way,
        image: images.into_iter().next(),
        template_image,
    })
}

/// Whether a run of this machine has started a refresh: it noted its id, or it was cut off over the request.
fn started_it(record: &Record, fleet: &FleetId, refresh: &InstanceRefresh) -> bool {
    let noted = record.notes.get(&step_within(fleet));
    if let Some(id) = noted.or_else(|| record.notes.get("refresh")) {
        return *id == refresh.id;
    }
    let name = fleet.to_string();
    let within = step_within(fleet);
    let in_doubt = record
        .in_doubt()
        .any(|step| (step.id == name && record.verb == <Refresh<'_>>::NAME) || step.id == within);
    let began: Option<Timestamp> = record.started.parse().ok();
    let since = match (refresh.started, began) {
        // It is pending and has no time yet.
        (None, _) => true,
        (Some(started), Some(began)) => started.duration_since(began).as_secs() >= -CLOCKS_DIFFER,
        (Some(_), None) => false,
    };
    in_doubt && since
}
