//! Everything that goes, that stays and that stands in the way. Reads AWS and changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::{try_join, try_join_all, try_join3};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::order::{Part, Place};
use super::{Fate, Teardown, database};
use crate::aws::cloudformation::{Stack, StackResource};
use crate::aws::ec2::Machine;
use crate::aws::ecs::Task;
use crate::aws::rds::DbInstance;
use crate::aws::rds::removal::ListedSnapshot;
use crate::aws::secretsmanager::SecretValues;
use crate::change::Target;
use crate::change::journal::Record;
use crate::error::Result;
use crate::leftovers::{Leftovers, Occupied, STACK_TAG, VPC, look, tag};
use crate::redact::{Sealed, Secret};
use crate::secrets::Fingerprints;
use crate::stacks::{Action, Change as ResourceChange, Replacement, compare};

/// A last snapshot of an earlier run counts for a day, if nothing can have written since.
const STILL_LAST: SignedDuration = SignedDuration::from_hours(24);

/// What the plan is made from.
pub(super) struct Seen {
    pub(super) account: String,
    pub(super) region: String,
    pub(super) stacks: Vec<StackSeen>,
    /// Stacks of other layouts and generations, which are not asked for.
    pub(super) others: Vec<String>,
    pub(super) clusters: Vec<Cluster>,
    pub(super) databases: Vec<Database>,
    /// System and name of the DB subnet groups of the platform's.
    pub(super) subnet_groups: Vec<(String, String)>,
    pub(super) leftovers: Leftovers,
    /// Networks with machines of others in them.
    pub(super) occupied: Vec<Occupied>,
    /// The steps of earlier runs that were cut off.
    pub(super) earlier: Vec<String>,
}

pub(super) struct StackSeen {
    pub(super) stack: Stack,
    pub(super) place: Place,
    /// Every resource of it, as a removal.
    pub(super) resources: Vec<ResourceChange>,
    /// Ids in the account by the names in the template.
    pub(super) physical: BTreeMap<String, String>,
    /// Stacks that import from it.
    pub(super) importers: BTreeSet<String>,
    /// Whether its template says which resources it keeps.
    pub(super) is_readable: bool,
    /// Resources that go and leave a snapshot behind.
    pub(super) copied: BTreeSet<String>,
}

impl StackSeen {
    /// Resources that the template keeps.
    pub(super) fn kept(&self) -> impl Iterator<Item = &ResourceChange> {
        let stays = |change: &&ResourceChange| change.kept && !self.copied.contains(&change.resource);
        self.resources.iter().filter(stays)
    }
}

/// What runs in the cluster of a system beside the services of its stack.
pub(super) struct Cluster {
    pub(super) name: String,
    pub(super) tasks: Vec<Task>,
    pub(super) services: Vec<String>,
}

/// A database of the platform's.
pub(super) struct Database {
    pub(super) instance: DbInstance,
    pub(super) place: Place,
    /// Whether its stack's template would let it go; `false` when the stack is gone.
    pub(super) goes_with_stack: bool,
    /// Whether its stack is there.
    pub(super) has_stack: bool,
    pub(super) credentials: Credentials,
    pub(super) copy: LastCopy,
    /// Since when nothing can have written to it, where its last snapshot was looked for.
    pub(super) unwritten: Option<Timestamp>,
}

/// The last snapshot of a database, as far as earlier runs have taken one that still counts.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum LastCopy {
    Complete(String),
    /// It is still being taken.
    Begun(String),
    /// One has to be taken, under the name that a run which was cut off has perhaps asked for it by.
    Missing(Option<String>),
}

impl LastCopy {
    /// The name of one that is there.
    pub(super) fn name(&self) -> Option<&str> {
        match self {
            Self::Complete(name) | Self::Begun(name) => Some(name),
            Self::Missing(_) => None,
        }
    }
}

/// The master credentials of a database.
pub(super) enum Credentials {
    /// Nothing has to be saved: the copy is there.
    Saved,
    Copy {
        /// The secret that goes.
        from: String,
        to: String,
        value: Sealed,
        /// Whether there is a secret of that name with another value.
        replaces: bool,
    },
    /// There is nothing that could be saved, and why.
    None(String),
    /// Whether there is something to save is not known: the secret that could not be read, and the error's code.
    Unread(String, String),
}

pub(super) async fn observe(change: &Teardown<'_>, target: &Target, recent: &[Record]) -> Result<Seen> {
    let aws = &change.ctx.aws;
    let layout = &change.layout;
    let (stacks, leftovers) = try_join(
        Box::pin(aws.stacks()),
        Box::pin(look(aws, layout, &target.account, &target.region)),
    )
    .await?;
    let placed = stacks
        .into_iter()
        .filter_map(|stack| Some((Place::of(layout, &stack.name)?, stack)));
    let (asked, others): (Vec<_>, Vec<_>) =
        placed.partition(|(place, _)| change.all_layouts || place.is_in(layout));
    let looks = asked
        .into_iter()
        .map(|(place, stack)| Box::pin(inside(change, place, stack)));
    let stacks = try_join_all(looks).await?;
    let databases = Box::pin(databases(change, &stacks, recent)).await?;
    let (clusters, groups, occupied) = try_join3(
        Box::pin(clusters(change, &stacks)),
        Box::pin(aws.db_subnet_groups()),
        Box::pin(occupied(change, &stacks)),
    )
    .await?;
    let subnet_groups = subnet_groups(&stacks, &databases, &groups);
    Ok(Seen {
        subnet_groups,
        account: target.account.clone(),
        region: target.region.clone(),
        others: others.into_iter().map(|(_, stack)| stack.name).collect(),
        stacks,
        clusters,
        databases,
        leftovers,
        occupied,
        earlier: recent
            .iter()
            .flat_map(|record| record.steps.iter().map(|step| step.id.clone()))
            .collect(),
    })
}

async fn inside(change: &Teardown<'_>, place: Place, stack: Stack) -> Result<StackSeen> {
    let ctx = change.ctx;
    let (template, listed) = try_join(
        Box::pin(ctx.aws.template(&stack.name)),
        Box::pin(ctx.aws.stack_resources(&stack.name)),
    )
    .await?;
    let lists = stack.exports.keys().map(|export| ctx.aws.importers(export));
    let importers = try_join_all(lists).await?.into_iter().flatten();
    let mut importers: BTreeSet<String> = importers.collect();
    importers.remove(&stack.name);
    // Those that are gone already, after a deletion that failed, are in the template all the same.
    let there = |name: &str| {
        let mut listed = listed.iter();
        listed.any(|one| one.logical == name && one.status != "DELETE_COMPLETE")
    };
    let template: Option<Value> = template.and_then(|text| serde_json::from_str(&text).ok());
    let is_readable = template.is_some();
    let copied = template
        .iter()
        .flat_map(|template| template["Resources"].as_object());
    let copied = copied
        .flatten()
        .filter(|(_, one)| one["DeletionPolicy"] == "Snapshot");
    let copied = copied.map(|(name, _)| name.clone()).collect();
    let mut resources = match template {
        Some(template) => compare(&template, &Value::Null).changes,
        // A template that was written by hand, in YAML: what it keeps is not known.
        None => listed.iter().map(removal).collect(),
    };
    resources.retain(|change| there(&change.resource));
    let physical = listed
        .into_iter()
        .filter_map(|one| Some((one.logical, one.physical?)));
    Ok(StackSeen {
        stack,
        place,
        resources,
        physical: physical.collect(),
        importers,
        is_readable,
        copied,
    })
}

/// A resource of which only its kind is known.
fn removal(one: &StackResource) -> ResourceChange {
    ResourceChange {
        resource: one.logical.clone(),
        kind: one.kind.clone(),
        action: Action::Remove,
        properties: Vec::new(),
        replacement: Replacement::No,
        kept: false,
        as_snapshot: false,
    }
}

async fn databases(change: &Teardown<'_>, stacks: &[StackSeen], recent: &[Record]) -> Result<Vec<Database>> {
    let aws = &change.ctx.aws;
    let mut found = Vec::new();
    for instance in aws.db_instances().await? {
        let Some(made_by) = tag(&instance.tags, STACK_TAG) else {
            continue;
        };
        let Some(place) = Place::of(&change.layout, made_by) else {
            continue;
        };
        if !change.all_layouts && !place.is_in(&change.layout) {
            continue;
        }
        let stack = stacks.iter().find(|one| one.stack.name == made_by);
        let logical = stack.and_then(|one| {
            let mut all = one.physical.iter();
            all.find(|(_, id)| **id == instance.id).map(|(name, _)| name)
        });
        let is_kept = stack
            .into_iter()
            .flat_map(|one| &one.resources)
            .filter(|resource| Some(&resource.resource) == logical)
            .any(|resource| resource.kept);
        let is_copied = logical.is_some_and(|name| stack.is_some_and(|one| one.copied.contains(name)));
        let is_written_to = stacks
            .iter()
            .any(|one| one.place.system == place.system && one.place.part == Part::Compute);
        let (copy, unwritten) = match is_written_to {
            true => (LastCopy::Missing(None), None),
            false => Box::pin(copied(change, &place, &instance, stack.is_some(), recent)).await?,
        };
        let wants_copy = change.fate == Fate::Keep || change.snapshot;
        let credentials = match wants_copy {
            true => Box::pin(credentials(change, &place, &instance.id)).await?,
            false => Credentials::Saved,
        };
        found.push(Database {
            goes_with_stack: logical.is_some() && (is_copied || !is_kept),
            has_stack: stack.is_some(),
            credentials,
            copy,
            unwritten,
            place,
            instance,
        });
    }
    Ok(found)
}

/// The last snapshot of a database whose services' stack is not there, and since when nothing can have written to it.
///
/// The journals do not know what others have done since a run was cut off: what counts is when the instance was made and
/// when the last stack of the services went.
async fn copied(
    change: &Teardown<'_>,
    place: &Place,
    instance: &DbInstance,
    has_stack: bool,
    recent: &[Record],
) -> Result<(LastCopy, Option<Timestamp>)> {
    let aws = &change.ctx.aws;
    let compute = place.compute_stack();
    let (listed, gone) = try_join(
        Box::pin(aws.db_snapshots()),
        Box::pin(aws.last_deletion_of(&compute)),
    )
    .await?;
    let unwritten = gone.max(instance.created);
    let of = Copied {
        instance: &instance.id,
        deletes: change.fate == Fate::Delete,
        has_stack,
        since: unwritten.max(change.ctx.clock.now().checked_sub(STILL_LAST).ok()),
    };
    let named = database::relied_on(recent, &of, &compute);
    Ok((last_copy(listed, &of, named), unwritten))
}

/// Those that a database of the platform stands in, and those that a stack has made.
fn subnet_groups(
    stacks: &[StackSeen],
    databases: &[Database],
    all: &[(String, Option<String>)],
) -> Vec<(String, String)> {
    let used = databases.iter().filter_map(|one| {
        let name = one.instance.subnet_group.as_ref()?;
        Some((one.place.system.as_str(), name.as_str()))
    });
    let made = stacks.iter().flat_map(|one| {
        let groups = one.resources.iter();
        let groups = groups.filter(|resource| resource.kind == "AWS::RDS::DBSubnetGroup");
        let names = groups.filter_map(|resource| one.physical.get(&resource.resource));
        names.map(|name| (one.place.system.as_str(), name.as_str()))
    });
    let known: BTreeSet<(&str, &str)> = used.chain(made).collect();
    let there = |name: &str| name != "default" && all.iter().any(|(one, _)| one == name);
    let there = known.into_iter().filter(|(_, name)| there(name));
    there
        .map(|(system, name)| (system.to_owned(), name.to_owned()))
        .collect()
}

/// What the names of last snapshots begin with.
pub(super) fn snapshots_of(instance: &str) -> String {
    format!("{instance}-before-teardown-")
}

/// The database whose last snapshot is looked for.
pub(super) struct Copied<'a> {
    pub(super) instance: &'a str,
    /// Whether the database goes.
    pub(super) deletes: bool,
    pub(super) has_stack: bool,
    /// An older snapshot does not count.
    pub(super) since: Option<Timestamp>,
}

/// What there is of a last snapshot; `named`: the one that runs which were cut off rely on.
///
/// Any other snapshot is of a time before something may have been written. Where a run has taken the stacks down and the
/// database stays there is nothing to copy it for a second time.
fn last_copy(listed: Vec<ListedSnapshot>, of: &Copied<'_>, named: Option<String>) -> LastCopy {
    let is_over = !of.deletes && !of.has_stack;
    let beginning = snapshots_of(of.instance);
    let counts = |one: &&ListedSnapshot| {
        let is_meant = match &named {
            Some(named) => one.id == *named,
            None => is_over && one.id.starts_with(&beginning),
        };
        let is_recent = one
            .taken
            .is_none_or(|taken| of.since.is_none_or(|since| taken >= since));
        is_meant && is_recent && matches!(one.status.as_str(), "available" | "creating")
    };
    // One that is being taken has no time yet.
    let newest = listed
        .iter()
        .filter(counts)
        .max_by_key(|one| one.taken.unwrap_or(Timestamp::MAX));
    match newest {
        Some(one) if one.status == "creating" => LastCopy::Begun(one.id.clone()),
        Some(one) => LastCopy::Complete(one.id.clone()),
        None => LastCopy::Missing(named.filter(|named| listed.iter().all(|one| one.id != *named))),
    }
}

async fn credentials(change: &Teardown<'_>, place: &Place, instance: &str) -> Result<Credentials> {
    let Some(layout) = place.layout(&change.layout) else {
        return Ok(Credentials::None("this layout has no secret for them".to_owned()));
    };
    let secrets = layout.secrets();
    let Some((_, from)) = secrets.into_iter().find(|(role, _)| *role == "rds") else {
        return Ok(Credentials::None("this layout has no secret for them".to_owned()));
    };
    let to = layout.kept_credentials(instance);
    let aws = &change.ctx.aws;
    // A secret that is not there is refused like one that may not be read, by a policy that names secrets.
    let (first, second) = try_join(
        Box::pin(aws.secrets_under(&from)),
        Box::pin(aws.secrets_under(&to)),
    )
    .await?;
    let is_there = |name: &String| {
        let mut all = first.iter().chain(&second);
        all.any(|(known, deleted)| known == name && deleted.is_none())
    };
    let there: Vec<String> = [&from, &to]
        .into_iter()
        .filter(|name| is_there(name))
        .cloned()
        .collect();
    change.ctx.holds_secrets();
    let mut values = match there.is_empty() {
        true => SecretValues::default(),
        false => aws.secret_values(&there).await?,
    };
    // One without a value is "not found" as well.
    let unread = std::mem::take(&mut values.refused).into_iter();
    let mut unread = unread.filter(|(_, (code, _))| code != "ResourceNotFoundException");
    if let Some((name, (code, _))) = unread.next() {
        return Ok(Credentials::Unread(name, code));
    }
    let mut value = |name: &str| -> Option<Secret> { values.found.remove(name)?.value };
    let (source, copy) = (value(&from), value(&to));
    Ok(match (source, copy) {
        (Some(source), Some(copy)) if source.expose() == copy.expose() => Credentials::Saved,
        (None, Some(_)) => Credentials::Saved,
        (Some(source), copy) => Credentials::Copy {
            value: Fingerprints::open(change.ctx.state_dir.as_deref())?.seal(source),
            from,
            to,
            replaces: copy.is_some(),
        },
        (None, None) => Credentials::None(format!("`{from}` has no value")),
    })
}

/// Machines in the networks that no stack of these has made or started.
async fn occupied(change: &Teardown<'_>, stacks: &[StackSeen]) -> Result<Vec<Occupied>> {
    let made: BTreeSet<&str> = stacks
        .iter()
        .flat_map(|one| one.physical.values().map(String::as_str))
        .collect();
    let is_own = |machine: &Machine| {
        let group = machine.tags.get("aws:autoscaling:groupName");
        group.is_some_and(|group| made.contains(group.as_str())) || made.contains(machine.id.as_str())
    };
    let networks = stacks.iter().filter(|one| one.place.part == Part::Network);
    let looks = networks.map(async |one| {
        let vpcs = one.resources.iter().filter(|resource| resource.kind == VPC);
        let vpcs = vpcs.filter_map(|resource| one.physical.get(&resource.resource).cloned());
        let vpcs: Vec<String> = vpcs.collect();
        Occupied::look(&change.ctx.aws, &one.stack.name, &vpcs, &is_own).await
    });
    Ok(try_join_all(looks).await?.into_iter().flatten().collect())
}

async fn clusters(change: &Teardown<'_>, stacks: &[StackSeen]) -> Result<Vec<Cluster>> {
    let aws = &change.ctx.aws;
    let mut found = Vec::new();
    for one in stacks.iter().filter(|one| one.place.part == Part::Compute) {
        let cluster = &one.place.system;
        let own: BTreeSet<&str> = one
            .resources
            .iter()
            .filter(|resource| resource.kind == "AWS::ECS::Service")
            .filter_map(|resource| one.physical.get(&resource.resource))
            .map(|id| id.rsplit('/').next().unwrap_or(id))
            .collect();
        let (tasks, services) = try_join(
            Box::pin(aws.tasks_of_cluster(cluster)),
            Box::pin(aws.services_of_cluster(cluster)),
        )
        .await?;
        let foreign = services
            .into_iter()
            .filter(|service| service.status != "INACTIVE" && !own.contains(service.name.as_str()));
        let alone = |task: &Task| {
            let group = task.group.as_deref();
            !group.is_some_and(|group| group.starts_with("service:"))
        };
        found.push(Cluster {
            name: cluster.clone(),
            tasks: tasks.into_iter().filter(alone).collect(),
            services: foreign.map(|service| service.name).collect(),
        });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(id: &str, status: &str, taken: &str) -> ListedSnapshot {
        ListedSnapshot {
            id: format!("db-before-teardown-{id}"),
            instance: "db".to_owned(),
            status: status.to_owned(),
            taken: taken.parse().ok(),
            ..ListedSnapshot::default()
        }
    }

    #[test]
    fn a_deletion_counts_the_snapshot_of_the_run_that_was_cut_off_alone() {
        let name = |id: &str| format!("db-before-teardown-{id}");
        let copy = |deletes: bool, has_stack: bool, named: Option<&str>| {
            let all = vec![
                listed("old", "available", "2026-01-10T09:00:00Z"),
                listed("first", "available", "2026-01-15T08:00:00Z"),
                listed("second", "available", "2026-01-15T08:30:00Z"),
                listed("begun", "creating", ""),
                listed("lost", "failed", "2026-01-15T08:40:00Z"),
            ];
            let of = Copied {
                instance: "db",
                deletes,
                has_stack,
                since: "2026-01-14T09:00:00Z".parse().ok(),
            };
            last_copy(all, &of, named.map(name))
        };
        let fresh = LastCopy::Missing(None);
        for has_stack in [true, false] {
            assert_eq!(copy(true, has_stack, None), fresh);
            assert_eq!(
                copy(true, has_stack, Some("first")),
                LastCopy::Complete(name("first"))
            );
        }
        assert_eq!(copy(true, true, Some("begun")), LastCopy::Begun(name("begun")));
        // A name that is taken cannot be given again, one that is not is the run's own.
        assert_eq!(copy(true, true, Some("old")), fresh);
        assert_eq!(copy(true, true, Some("lost")), fresh);
        assert_eq!(
            copy(true, true, Some("asked")),
            LastCopy::Missing(Some(name("asked")))
        );
        // Where the database stays and everything else is gone, any of the last day is enough.
        assert_eq!(copy(false, false, None), LastCopy::Begun(name("begun")));
        assert_eq!(copy(false, true, None), fresh);
    }
}
