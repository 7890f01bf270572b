//! Everything that goes, and what else needs it. Reads AWS and changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::{try_join_all, try_join3};

use super::Reset;
use crate::aws::ec2::Machine;
use crate::change::Target;
use crate::change::journal::Record;
use crate::commands::teardown::is_network;
use crate::error::Result;
use crate::layout::AccountId;
use crate::leftovers::{Kind, Leftovers, Occupied, VPC, look};

/// What the plan is made from.
pub(super) struct Seen {
    pub(super) account: String,
    pub(super) region: String,
    pub(super) leftovers: Leftovers,
    /// Security groups that are on interfaces of other instances than those that go.
    pub(super) used_groups: BTreeSet<String>,
    /// Networks that stand for a database, with machines of others in them.
    pub(super) occupied: Vec<Occupied>,
    /// Images that are not the platform's, by the snapshots of it that they stand on.
    pub(super) other_images: BTreeMap<String, String>,
    /// The bucket with the leases and the shared history of this context.
    pub(super) store: Option<String>,
    /// The steps of earlier runs that were cut off.
    pub(super) earlier: Vec<String>,
}

pub(super) async fn observe(change: &Reset<'_>, target: &Target, recent: &[Record]) -> Result<Seen> {
    let aws = &change.ctx.aws;
    let leftovers = Box::pin(look(aws, &change.layout, &target.account, &target.region)).await?;
    let (used_groups, other_images, occupied) = try_join3(
        Box::pin(used_groups(change, &leftovers)),
        Box::pin(other_images(change, &leftovers)),
        Box::pin(occupied(change, &leftovers)),
    )
    .await?;
    let account: Option<AccountId> = target.account.parse().ok();
    let buckets = account.map(|account| change.layout.buckets(&account));
    let logs = buckets.into_iter().flatten().find(|(role, _)| *role == "logs");
    Ok(Seen {
        account: target.account.clone(),
        region: target.region.clone(),
        used_groups,
        occupied,
        other_images,
        store: logs.map(|(_, name)| name),
        earlier: recent
            .iter()
            .flat_map(|record| record.steps.iter().map(|step| step.id.clone()))
            .collect(),
        leftovers,
    })
}

async fn used_groups(change: &Reset<'_>, leftovers: &Leftovers) -> Result<BTreeSet<String>> {
    let looks = leftovers.of(Kind::DevSecurityGroup).map(async |group| {
        let all = change.ctx.aws.interfaces_with(&group.name).await?;
        let machines = leftovers.facts.machines.iter();
        let own = machines.filter(|machine| machine.security_groups.contains(&group.name));
        Ok((all > own.count()).then(|| group.name.clone()))
    });
    Ok(try_join_all(looks).await?.into_iter().flatten().collect())
}

/// A dev instance that goes is none of them.
async fn occupied(change: &Reset<'_>, leftovers: &Leftovers) -> Result<Vec<Occupied>> {
    let aws = &change.ctx.aws;
    let facts = &leftovers.facts;
    let goes = |machine: &Machine| {
        !change.keeps(Kind::DevInstance) && facts.machines.iter().any(|one| one.id == machine.id)
    };
    let networks = facts
        .stacks
        .iter()
        .filter(|stack| is_network(&change.layout, &stack.name));
    let looks = networks.map(async |stack| {
        let resources = aws.stack_resources(&stack.name).await?.into_iter();
        let vpcs = resources.filter(|one| one.kind == VPC && one.status != "DELETE_COMPLETE");
        let vpcs: Vec<String> = vpcs.filter_map(|one| one.physical).collect();
        Occupied::look(aws, &stack.name, &vpcs, &goes).await
    });
    Ok(try_join_all(looks).await?.into_iter().flatten().collect())
}

async fn other_images(change: &Reset<'_>, leftovers: &Leftovers) -> Result<BTreeMap<String, String>> {
    let facts = &leftovers.facts;
    let snapshots: Vec<String> = facts.snapshots.iter().map(|one| one.id.clone()).collect();
    let mut others = BTreeMap::new();
    for image in change.ctx.aws.images_on(&snapshots).await? {
        if facts.images.iter().all(|one| one.id != image.id) {
            let on = image.snapshots.iter();
            others.extend(on.map(|snapshot| (snapshot.clone(), image.id.clone())));
        }
    }
    Ok(others)
}
