//! What goes, in which order, and what is left alone. Pure.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Reset;
use super::buckets::{self, BucketAction};
use super::databases::{databases, last_copies, networks};
use super::observe::Seen;
use super::stays::{is_kept, keeps_databases, left_alone, stays};
use crate::aws::cloudformation::{DeleteStack, Stack};
use crate::aws::ec2::{
    DeleteSecurityGroup, DeleteSnapshot, DeregisterImage, Image, Machine, TerminateInstances,
};
use crate::aws::ecr::DeleteRepository;
use crate::aws::logs::DeleteLogGroup;
use crate::aws::rds::removal::{DeleteDbSnapshot, DeleteDbSubnetGroup};
use crate::aws::secretsmanager::DeleteSecret;
use crate::aws::ssm::{DeleteParameters, MOST_NAMES};
use crate::change::{ApiCall, Basis, Blocker, Call, Later, Loss, Plan, Step};
use crate::commands::teardown::database::DatabaseAction;
use crate::commands::teardown::{self, is_network};
use crate::error::ErrorKind;
use crate::leftovers::{Kind, Leftover};
use crate::output::counted;

/// A stack whose deletion is under way.
const GOING: &str = "DELETE_IN_PROGRESS";

/// Steps that may be under way at once: they have nothing to do with each other.
const AT_ONCE: usize = 4;

/// What one step does.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Action {
    Terminate(TerminateInstances),
    SecurityGroup(DeleteSecurityGroup),
    Database(DatabaseAction),
    SubnetGroup(DeleteDbSubnetGroup),
    DatabaseSnapshot(DeleteDbSnapshot),
    Image(ImageAction),
    Secret(DeleteSecret),
    Parameters(DeleteParameters),
    LogGroup(DeleteLogGroup),
    Repository(DeleteRepository),
    Stack(StackAction),
    Bucket(BucketAction),
}

/// An image with its snapshots, or a snapshot that an image has left behind.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct ImageAction {
    pub(super) image: Option<DeregisterImage>,
    pub(super) snapshots: Vec<DeleteSnapshot>,
}

/// The stack of the CDK's bootstrap, or of a network.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct StackAction {
    pub(super) name: String,
    /// The ARN: another stack of the name is another stack.
    pub(super) id: String,
    /// `None` when its deletion is under way.
    pub(super) delete: Option<DeleteStack>,
}

impl Action {
    /// Names and ids of what the step takes away.
    pub(super) fn names(&self) -> Vec<&str> {
        match self {
            Self::Terminate(call) => call.instance.known().into_iter().collect(),
            Self::SecurityGroup(call) => vec![&call.group],
            Self::Database(action) => vec![action.instance()],
            Self::SubnetGroup(call) => vec![&call.name],
            Self::DatabaseSnapshot(call) => vec![&call.name],
            Self::Image(action) => {
                let image = action.image.iter().filter_map(|call| call.image.known().ok());
                let snapshots = action.snapshots.iter();
                image
                    .chain(snapshots.filter_map(|call| call.snapshot.known().ok()))
                    .collect()
            }
            Self::Secret(call) => vec![&call.secret],
            Self::Parameters(call) => call.names.iter().map(String::as_str).collect(),
            Self::LogGroup(call) => vec![&call.group],
            Self::Repository(call) => vec![&call.repository],
            Self::Stack(action) => vec![&action.name],
            Self::Bucket(action) => vec![action.bucket()],
        }
    }
}

/// A step with one call.
pub(super) fn single<C: Call>(
    id: String,
    summary: &str,
    call: &C,
    action: impl Fn(C) -> Action,
) -> Step<Action> {
    Step::new(id, summary, vec![call.described()], action(call.clone()))
}

pub(super) fn plan(change: &Reset<'_>, seen: &Seen, basis: &Basis<'_>) -> Plan<Action> {
    let title = "delete what is left of the platform";
    if let Some(blocker) = standing(change, seen, title) {
        let mut plan = Plan::new(title, Vec::new());
        plan.blockers = vec![blocker];
        return plan;
    }
    let mut steps = Vec::new();
    steps.extend(machines(change, seen));
    steps.extend(databases(change, seen));
    steps.extend(networks(change, seen, basis));
    steps.extend(images(change, seen));
    steps.extend(named(change, seen, basis));
    steps.extend(bootstrap(change, seen, basis));
    steps.extend(buckets(change, seen));
    // The leases are in it: until everything else is gone, other runs are kept out.
    let others: Vec<String> = steps
        .iter()
        .filter(|step| !holds_leases(step))
        .map(|step| step.id.clone())
        .collect();
    if let Some(last) = steps.iter_mut().find(|step| holds_leases(step)) {
        last.needs = others;
    }
    let ids: BTreeSet<String> = steps.iter().map(|step| step.id.clone()).collect();
    for step in &mut steps {
        step.needs.retain(|need| ids.contains(need));
    }
    let mut plan = Plan::new(title, steps);
    plan.at_once = AT_ONCE;
    plan.by_account = true;
    plan.stays = stays(change, seen);
    plan.warnings = last_copies(change, seen, &plan.steps);
    if !keeps_databases(change, seen) {
        plan.blockers = seen.occupied.iter().map(teardown::blocker).collect();
    }
    if plan.steps.iter().any(holds_leases) {
        plan.warnings.push(
            "the leases and the shared history of bpctl are in the logs bucket, which goes last: from then on this run is \
             in the journal of this machine alone"
                .to_owned(),
        );
    }
    plan
}

/// Stacks that a teardown has to take down first: all but a network that nothing but databases holds.
fn standing(change: &Reset<'_>, seen: &Seen, title: &str) -> Option<Blocker> {
    let stacks = &seen.leftovers.facts.stacks;
    let is_left = |stack: &Stack| {
        let is_busy = stack.status.ends_with("_IN_PROGRESS") && stack.status != GOING;
        let is_protected = stack.termination_protection == Some(true);
        is_network(&change.layout, &stack.name) && !is_busy && !is_protected
    };
    if stacks.iter().all(is_left) {
        return None;
    }
    let names: Vec<&str> = stacks.iter().map(|stack| stack.name.as_str()).collect();
    let reason = format!(
        "{title}: {} still there: {}",
        match names.len() {
            1 => "one of its stacks is".to_owned(),
            many => format!("{many} of its stacks are"),
        },
        names.join(", ")
    );
    Some(Blocker {
        kind: ErrorKind::Conflict,
        reason,
        hint: (
            "what belongs to stacks goes with them; take them down first with",
            teardown::command_for(&change.layout, names.into_iter()),
        )
            .into(),
    })
}

fn holds_leases(step: &Step<Action>) -> bool {
    matches!(&step.action, Action::Bucket(action) if action.holds_leases)
}

pub(super) fn machine_id(machine: &str) -> String {
    format!("dev instance {machine}")
}

fn machines(change: &Reset<'_>, seen: &Seen) -> Vec<Step<Action>> {
    if change.keeps(Kind::DevInstance) {
        return Vec::new();
    }
    let facts = &seen.leftovers.facts;
    let terminate = |machine: &Machine| {
        let id = &machine.id;
        let call = TerminateInstances {
            instance: Later::Known(id.clone()),
            resource: format!("instance/{id}"),
            loses: Some(Loss::Data(format!("the disk of {id}"))),
        };
        let state = machine.state.clone().unwrap_or_default();
        let is_going = state == "shutting-down";
        let calls = (!is_going).then(|| call.described()).into_iter().collect();
        let summary = "terminate it and wait until it is gone";
        Step::new(machine_id(id), summary, calls, Action::Terminate(call)).changing(state, "terminated")
    };
    let mut steps: Vec<Step<Action>> = facts.machines.iter().map(terminate).collect();
    for group in seen.leftovers.of(Kind::DevSecurityGroup) {
        if seen.used_groups.contains(&group.name) {
            continue;
        }
        let call = DeleteSecurityGroup {
            group: group.name.clone(),
            resource: format!("security-group/{}", group.name),
        };
        let id = format!("security group {}", group.name);
        let mut step = single(id, "delete it", &call, Action::SecurityGroup);
        step.notes.push(group.about.clone());
        let machines = facts.machines.iter();
        let on = machines.filter(|machine| machine.security_groups.contains(&group.name));
        step.needs = on.map(|machine| machine_id(&machine.id)).collect();
        steps.push(step);
    }
    steps
}

fn images(change: &Reset<'_>, seen: &Seen) -> Vec<Step<Action>> {
    if change.keeps(Kind::Image) {
        return Vec::new();
    }
    let facts = &seen.leftovers.facts;
    let mut steps = Vec::new();
    let mut claimed: BTreeSet<&str> = BTreeSet::new();
    for (at, image) in facts.images.iter().enumerate() {
        // The last of the images that stand on a snapshot takes it along.
        let is_last = |id: &str| {
            let mut later = facts.images.iter().skip(at + 1);
            later.all(|other| other.snapshots.iter().all(|one| one != id))
        };
        let own = facts.snapshots.iter().filter(|snapshot| {
            image.snapshots.contains(&snapshot.id)
                && is_last(&snapshot.id)
                && !seen.other_images.contains_key(&snapshot.id)
        });
        let own: Vec<DeleteSnapshot> = own
            .map(|snapshot| {
                claimed.insert(&snapshot.id);
                DeleteSnapshot::of(&snapshot.id, snapshot.gib)
            })
            .collect();
        let mut step = image_step(image, own);
        // One that another image stands on as well goes when both are gone.
        let shared = facts.images.iter().take(at);
        let shared = shared.filter(|other| other.snapshots.iter().any(|id| image.snapshots.contains(id)));
        step.needs = shared.map(|other| format!("image {}", other.id)).collect();
        steps.push(step);
    }
    for snapshot in &facts.snapshots {
        if claimed.contains(snapshot.id.as_str()) || seen.other_images.contains_key(&snapshot.id) {
            continue;
        }
        let call = DeleteSnapshot::of(&snapshot.id, snapshot.gib);
        let calls = vec![call.described()];
        let action = Action::Image(ImageAction {
            image: None,
            snapshots: vec![call],
        });
        let id = format!("image snapshot {}", snapshot.id);
        steps.push(Step::new(
            id,
            "delete a snapshot that no image stands on",
            calls,
            action,
        ));
    }
    steps
}

fn image_step(image: &Image, snapshots: Vec<DeleteSnapshot>) -> Step<Action> {
    let deregister = DeregisterImage::of(&image.id);
    let mut calls: Vec<ApiCall> = vec![deregister.described()];
    calls.extend(snapshots.iter().map(Call::described));
    let summary = match snapshots.len() {
        0 => "deregister it".to_owned(),
        count => format!("deregister it and delete {}", counted(count as u64, "snapshot")),
    };
    let action = Action::Image(ImageAction {
        image: Some(deregister),
        snapshots,
    });
    let mut step = Step::new(format!("image {}", image.id), summary, calls, action);
    step.notes.extend(image.name.clone());
    step
}

/// What goes by its name in one request.
fn named(change: &Reset<'_>, seen: &Seen, basis: &Basis<'_>) -> Vec<Step<Action>> {
    let all = &seen.leftovers;
    let mut steps = Vec::new();
    let going = |kind: Kind| all.of(kind).filter(|one| !is_kept(change, seen, one));
    for one in going(Kind::Secret) {
        let call = DeleteSecret {
            secret: one.name.clone(),
        };
        let id = format!("secret {}", one.name);
        steps.push(single(
            id,
            "delete it without a recovery window",
            &call,
            Action::Secret,
        ));
    }
    let names: Vec<String> = going(Kind::Parameter).map(|one| one.name.clone()).collect();
    for names in names.chunks(MOST_NAMES) {
        let call = DeleteParameters {
            names: names.to_vec(),
            resource: format!("parameters/{}", basis.target.region),
        };
        let id = format!("parameters from {}", names[0]);
        let summary = format!("delete {}", counted(names.len() as u64, "parameter"));
        let mut step = single(id, &summary, &call, Action::Parameters);
        step.notes = names.to_vec();
        steps.push(step);
    }
    for one in going(Kind::LogGroup) {
        let call = DeleteLogGroup {
            group: one.name.clone(),
        };
        let id = format!("log group {}", one.name);
        let mut step = single(id, "delete it with its events", &call, Action::LogGroup);
        step.notes.push(one.about.clone());
        steps.push(step);
    }
    for one in going(Kind::Repository) {
        steps.push(repository(&one.name));
    }
    steps
}

fn repository_id(name: &str) -> String {
    format!("repository {name}")
}

fn repository(name: &str) -> Step<Action> {
    let call = DeleteRepository {
        repository: name.to_owned(),
    };
    single(
        repository_id(name),
        "delete it with its images",
        &call,
        Action::Repository,
    )
}

const TOOLKIT: &str = "CDKToolkit";

/// Whose permissions delete what is in a stack (AWS CloudFormation API Reference, DeleteStack, "RoleARN").
pub(super) const PERMISSIONS: &str = "CloudFormation deletes what is in it with the service role that the stack was deployed \
                                      with, else with your own permissions";

fn stack_id(name: &str) -> String {
    format!("stack {name}")
}

/// The repository, the stack, and the bucket, which the stack's template keeps. All of it outlives the networks: their
/// stacks may be deleted with a role that the bootstrap has made.
fn bootstrap(change: &Reset<'_>, seen: &Seen, basis: &Basis<'_>) -> Vec<Step<Action>> {
    let mut all = seen.leftovers.of(Kind::Bootstrap);
    if change.keeps(Kind::Bootstrap) || all.any(|one| left_alone(change, seen, one).is_some()) {
        return Vec::new();
    }
    let facts = &seen.leftovers.facts;
    let is_repository = |one: &&Leftover| {
        let toolkit = facts.toolkit.as_ref();
        toolkit.is_none_or(|stack| stack.name != one.name) && !facts.buckets.contains_key(&one.name)
    };
    let networks: Vec<String> = facts.stacks.iter().map(|stack| stack_id(&stack.name)).collect();
    let all = || seen.leftovers.of(Kind::Bootstrap);
    let mut steps: Vec<Step<Action>> = all()
        .filter(is_repository)
        .map(|one| repository(&one.name))
        .collect();
    if let Some(stack) = &facts.toolkit {
        let mut step = toolkit(stack, basis);
        // A repository with images keeps its stack from going.
        step.needs = steps.iter().map(|step| step.id.clone()).collect();
        steps.push(step);
    }
    for one in all() {
        if let Some(usage) = facts.buckets.get(&one.name) {
            let mut step = buckets::step(one, usage, false);
            step.needs = vec![stack_id(TOOLKIT)];
            steps.push(step);
        }
    }
    for step in &mut steps {
        step.needs.extend(networks.iter().cloned());
    }
    steps
}

fn toolkit(stack: &Stack, basis: &Basis<'_>) -> Step<Action> {
    let loses = Loss::Data("the assets that the CDK has uploaded".to_owned());
    let summary = "delete the bootstrap of the CDK and wait until it is gone";
    let mut step = stack_step(stack, summary, loses, basis);
    step.notes
        .push("in it are its roles, its repository and its parameter".to_owned());
    step.notes.push(PERMISSIONS.to_owned());
    step
}

pub(super) fn stack_step(stack: &Stack, summary: &str, loses: Loss, basis: &Basis<'_>) -> Step<Action> {
    let delete = (stack.status != GOING).then(|| DeleteStack {
        stack: stack.name.clone(),
        retain: Vec::new(),
        token: format!("{}-delete", basis.names.token),
        loses: Some(loses),
    });
    let calls = delete.iter().map(Call::described).collect();
    let action = Action::Stack(StackAction {
        name: stack.name.clone(),
        id: stack.id.clone(),
        delete,
    });
    Step::new(stack_id(&stack.name), summary, calls, action).changing(stack.status.clone(), "gone")
}

fn buckets(change: &Reset<'_>, seen: &Seen) -> Vec<Step<Action>> {
    if change.keeps(Kind::Bucket) {
        return Vec::new();
    }
    let facts = &seen.leftovers.facts;
    let all = seen.leftovers.of(Kind::Bucket).filter_map(|one| {
        let usage = facts.buckets.get(&one.name)?;
        Some(buckets::step(one, usage, seen.store.as_ref() == Some(&one.name)))
    });
    all.collect()
}
