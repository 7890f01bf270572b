//! The reads behind `fleet scale-to-zero`.

use crate::aws::Aws;
use crate::aws::autoscaling::{Group, Phase};
use crate::error::{ErrorKind, Result};
use crate::fleet::{Fleet, Gap, Signals, Work, discover, known_groups, read_signals, select};
use crate::layout::{FleetId, Layout};

/// A fleet that was asked for.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) id: FleetId,
    /// Group and work; `None` when the fleet has no group.
    pub(super) seen: Option<(Group, Work)>,
}

/// Groups and work of `names`, or of every fleet when there are none. Metrics are read only for fleets
/// that have or want instances.
///
/// # Errors
/// When the groups cannot be read or a name is unknown. Metrics that cannot be read make the work
/// unknown, and come along as a gap.
pub(super) async fn observe(
    aws: &Aws,
    layout: &Layout,
    names: &[FleetId],
) -> Result<(Vec<Candidate>, Option<Gap>)> {
    let known = Box::pin(known_groups(aws, layout)).await?;
    let fleets = match select(&known, names) {
        Ok(fleets) => fleets,
        // A fleet may have a stack or parameters but no group: worth a second look before calling it unknown.
        Err(error) if error.kind() == ErrorKind::NotFound => {
            select(&Box::pin(discover(aws, layout)).await?, names)?
        }
        Err(error) => return Err(error),
    };
    let alive: Vec<FleetId> = fleets
        .iter()
        .filter(|fleet| fleet.group.as_ref().is_some_and(is_alive))
        .map(|fleet| fleet.id.clone())
        .collect();
    let (mut signals, error) = Box::pin(read_signals(aws, layout, &alive)).await;
    let candidates = fleets
        .into_iter()
        .map(|Fleet { id, group, .. }| {
            let signals = signals
                .remove(&id)
                .unwrap_or_else(|| Signals::unknown("nothing runs"));
            Candidate {
                seen: group.map(|group| {
                    let work = Work::of(&group, &signals);
                    (group, work)
                }),
                id,
            }
        })
        .collect();
    Ok((candidates, error.map(|error| Gap::new("metrics", &error))))
}

/// Whether the group wants or has anything.
fn is_alive(group: &Group) -> bool {
    group.desired > 0
        || group
            .instances
            .iter()
            .any(|instance| instance.phase != Phase::Terminating)
}

/// One fleet again, right before it is written to.
pub(super) async fn again(aws: &Aws, layout: &Layout, fleet: &FleetId, group: &str) -> Result<(Group, Work)> {
    let only = [fleet.clone()];
    let (group, (signals, _)) = futures::join!(
        Box::pin(aws.group(group)),
        Box::pin(read_signals(aws, layout, &only))
    );
    let group = group?;
    let signals = signals
        .into_values()
        .next()
        .unwrap_or_else(|| Signals::unknown("no answer"));
    let work = Work::of(&group, &signals);
    Ok((group, work))
}
