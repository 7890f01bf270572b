//! The reads behind `fleet scale-to-zero`.

use std::collections::BTreeMap;

use crate::aws::Aws;
use crate::aws::autoscaling::Group;
use crate::error::{ErrorKind, Result};
use crate::fleet::hold::{self, Hold};
use crate::fleet::{Fleet, Gap, Signals, Work, discover, known_groups, select, work_of_fleets};
use crate::layout::{FleetId, Layout};

/// A fleet that was asked for.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) id: FleetId,
    /// Group and work; `None` when the fleet has no group.
    pub(super) seen: Option<(Group, Work)>,
    /// The last record of a hold, where one is asked for.
    pub(super) last: Option<Hold>,
}

/// Groups and work of `names`, or of every fleet when there are none. Metrics are read only for fleets
/// that have or want instances.
///
/// # Errors
/// When the groups cannot be read or a name is unknown, and with `holds` when the record of a hold cannot be. Metrics that cannot be read make the work
/// unknown, and come along as a gap.
pub(super) async fn observe(
    aws: &Aws,
    layout: &Layout,
    names: &[FleetId],
    holds: bool,
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
    let groups = fleets
        .iter()
        .filter_map(|fleet| Some((&fleet.id, fleet.group.as_ref()?)));
    let alive = groups.filter(|(_, group)| group.desired > 0 || group.staying().next().is_some());
    let (mut work, error) = work_of_fleets(aws, layout, alive).await;
    let with_group = fleets.iter().filter(|fleet| holds && fleet.group.is_some());
    let with_group: Vec<FleetId> = with_group.map(|fleet| fleet.id.clone()).collect();
    // A hold is not written over a record that bpctl cannot read.
    let records = hold::records(aws, layout, &with_group).await?.into_iter();
    let mut records = records
        .map(|(fleet, hold)| Ok((fleet, hold?)))
        .collect::<Result<BTreeMap<FleetId, Hold>>>()?;
    let candidates = fleets.into_iter().map(|Fleet { id, group, .. }| {
        let work = work.remove(&id);
        let seen = group.map(|group| {
            let work = work.unwrap_or_else(|| Work::of(&group, &Signals::unknown("nothing runs")));
            (group, work)
        });
        let last = records.remove(&id);
        Candidate { id, seen, last }
    });
    let gap = error.map(|error| Gap::new("metrics", &error));
    Ok((candidates.collect(), gap))
}
