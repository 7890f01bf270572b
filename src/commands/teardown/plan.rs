//! What goes, what stays and what that costs. Pure.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::database::{self, DatabaseAction};
use super::observe::{Credentials, Database, LastCopy, Seen, StackSeen, snapshots_of};
use super::order::{Going, Part, order};
use super::stacks::{self, StackAction};
use super::{Fate, Teardown};
use super::{clear, clear::ClearAction};
use crate::aws::rds::CreateDbSnapshot;
use crate::aws::rds::power::Power;
use crate::aws::rds::removal::{DeleteDbSubnetGroup, ProtectDb};
use crate::aws::secretsmanager::{CreateSecret, PutSecretValue};
use crate::change::{Basis, Blocker, Call as _, Loss, Plan, Step};
use crate::error::{CommandLine, ErrorKind, Hint};
use crate::leftovers::{ASSUMPTIONS, Kind, Leftover};
use crate::prices::{Prices, cents};

/// Steps that may be under way at once: stacks of one part have nothing to do with each other.
const AT_ONCE: usize = 4;

/// What one step does.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Action {
    Clear(ClearAction),
    Save(Save),
    Snapshot(CreateDbSnapshot),
    /// One that an earlier run has begun, and since when nothing has written to the database.
    Await(String, Option<Timestamp>),
    Database(DatabaseAction),
    SubnetGroup(DeleteDbSubnetGroup),
    Stack(StackAction),
}

/// The copy of the master credentials.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Save {
    pub(super) from: String,
    pub(super) create: Option<CreateSecret>,
    pub(super) put: Option<PutSecretValue>,
}

/// The id of the step that copies the credentials of a database.
fn credentials_id(instance: &str) -> String {
    format!("credentials of {instance}")
}

pub(super) fn snapshot_id(instance: &str) -> String {
    format!("snapshot of {instance}")
}

/// Whether the network of a system stays because a database does.
fn keeps_network(change: &Teardown<'_>, seen: &Seen, system: &str) -> bool {
    let mut databases = seen.databases.iter();
    change.fate == Fate::Keep && databases.any(|one| one.place.system == system)
}

pub(super) fn plan(change: &Teardown<'_>, seen: &Seen, basis: &Basis<'_>) -> Plan<Action> {
    let stays =
        |one: &&StackSeen| one.place.part == Part::Network && keeps_network(change, seen, &one.place.system);
    let going: Vec<&StackSeen> = seen.stacks.iter().filter(|one| !stays(one)).collect();
    let ordered = order(
        &going
            .iter()
            .map(|one| Going {
                name: &one.stack.name,
                place: &one.place,
                importers: &one.importers,
            })
            .collect::<Vec<_>>(),
    );
    let mut steps = Vec::new();
    for cluster in &seen.clusters {
        steps.extend(clear::step(cluster));
    }
    for (name, needs) in ordered {
        let Some(one) = going.iter().find(|one| one.stack.name == name) else {
            continue;
        };
        if one.place.part == Part::Data {
            steps.extend(database_steps(change, seen, one, &needs, basis));
            steps.extend(group_steps(change, seen, &one.place.system));
        }
        let mut step = stacks::step(change, seen, one, basis);
        step.needs = needs;
        if one.place.part == Part::Compute {
            step.needs.push(clear::id(&one.place.system));
        }
        if matches!(one.place.part, Part::Data | Part::Network) {
            let of_system = seen.databases.iter();
            let of_system = of_system.filter(|database| database.place.system == one.place.system);
            step.needs.extend(of_system.flat_map(|database| {
                let id = &database.instance.id;
                [credentials_id(id), snapshot_id(id), database::id(id)]
            }));
        }
        steps.push(step);
    }
    // A database whose stack an earlier run has deleted.
    for database in seen.databases.iter().filter(|one| !one.has_stack) {
        let at = steps
            .iter()
            .position(|step| matches!(&step.action, Action::Stack(stack) if stack.part_is_network));
        let mut own = of_database(change, database, &[], basis);
        own.extend(group_steps(change, seen, &database.place.system));
        let at = at.unwrap_or(steps.len());
        steps.splice(at..at, own);
    }
    let ids: BTreeSet<String> = steps.iter().map(|step| step.id.clone()).collect();
    for step in &mut steps {
        step.needs.retain(|need| ids.contains(need));
    }
    let mut plan = Plan::new(title(&going), steps);
    plan.at_once = AT_ONCE;
    // Whatever is left to do: the same command line goes on after a run that was cut off.
    plan.by_account = change.fate == Fate::Delete || !change.snapshot;
    plan.stays = stays_lines(change, seen, &going);
    plan.warnings = warnings(change, seen, &going);
    plan.blockers = blockers(change, seen, &going);
    plan
}

fn title(going: &[&StackSeen]) -> String {
    match going.len() {
        0 => "tear down what is left of the platform".to_owned(),
        1 => "tear down 1 stack of the platform".to_owned(),
        many => format!("tear down {many} stacks of the platform"),
    }
}

fn database_steps(
    change: &Teardown<'_>,
    seen: &Seen,
    data: &StackSeen,
    needs: &[String],
    basis: &Basis<'_>,
) -> Vec<Step<Action>> {
    let own = seen.databases.iter();
    let own = own.filter(|one| one.has_stack && one.place.system == data.place.system);
    own.flat_map(|one| of_database(change, one, needs, basis))
        .collect()
}

/// Credentials, then a snapshot once nothing writes any more, then the database where it goes.
fn of_database(
    change: &Teardown<'_>,
    database: &Database,
    needs: &[String],
    basis: &Basis<'_>,
) -> Vec<Step<Action>> {
    let id = database.instance.id.as_str();
    let mut steps = Vec::new();
    steps.extend(save_step(database, basis));
    let mut copy = database.copy.name().map(str::to_owned);
    if let LastCopy::Missing(name) = &database.copy
        && change.snapshot
        && database.instance.status != "deleting"
    {
        let fresh = || {
            let (now, run) = (basis.now.strftime("%Y%m%d-%H%M%S"), basis.names.run.short());
            format!("{}{now}-{run}", snapshots_of(id))
        };
        let call = CreateDbSnapshot {
            instance: id.to_owned(),
            snapshot: name.clone().unwrap_or_else(fresh),
            tags: basis.names.tags("teardown"),
        };
        copy = Some(call.snapshot.clone());
        let calls = vec![call.described()];
        let summary = "take a last snapshot and wait until it is available";
        let mut step = Step::new(snapshot_id(id), summary, calls, Action::Snapshot(call));
        step.needs = needs.to_vec();
        // Another name than the one of an earlier request is meant.
        step.is_anew = name.is_none();
        steps.push(step);
    }
    if let LastCopy::Begun(begun) = &database.copy {
        let begun = begun.clone();
        let summary = format!("wait until {begun} is available, which an earlier run has begun");
        let action = Action::Await(begun, database.unwritten);
        let mut step = Step::new(snapshot_id(id), summary, Vec::new(), action);
        step.needs = needs.to_vec();
        steps.push(step);
    }
    if change.fate == Fate::Delete {
        let mut step = DatabaseAction::removal(&database.instance, copy)
            .step(&database.instance.status, Action::Database);
        step.needs = needs.to_vec();
        step.needs.extend([credentials_id(id), snapshot_id(id)]);
        steps.push(step);
    } else if database.goes_with_stack && !database.instance.protected {
        steps.push(protect_step(id));
    }
    steps
}

/// The subnet groups of a system, which its template keeps, behind the databases that stand in them.
fn group_steps(change: &Teardown<'_>, seen: &Seen, system: &str) -> Vec<Step<Action>> {
    if change.fate == Fate::Keep {
        return Vec::new();
    }
    let own = seen.subnet_groups.iter().filter(|(of, _)| of == system);
    own.map(|(_, name)| {
        let call = DeleteDbSubnetGroup { name: name.clone() };
        let calls = vec![call.described()];
        let id = format!("subnet group {name}");
        let mut step = Step::new(id, "delete it", calls, Action::SubnetGroup(call));
        let databases = seen.databases.iter();
        let inside = databases.filter(|one| one.instance.subnet_group.as_ref() == Some(name));
        step.needs = inside.map(|one| database::id(&one.instance.id)).collect();
        step
    })
    .collect()
}

fn save_step(database: &Database, basis: &Basis<'_>) -> Option<Step<Action>> {
    let Credentials::Copy {
        from,
        to,
        value,
        replaces,
    } = &database.credentials
    else {
        return None;
    };
    let token = basis.names.token.clone();
    let create = (!replaces).then(|| CreateSecret {
        secret: to.clone(),
        token: token.clone(),
        value: value.clone(),
        description: format!("Master credentials of the database {}", database.instance.id),
        tags: basis.names.tags("teardown"),
    });
    let put = replaces.then(|| PutSecretValue {
        secret: to.clone(),
        token,
        value: value.clone(),
        // The version before stays as AWSPREVIOUS.
        loses: None,
    });
    let mut calls: Vec<_> = create.iter().map(CreateSecret::described).collect();
    calls.extend(put.iter().map(PutSecretValue::described));
    let action = Action::Save(Save {
        from: from.clone(),
        create,
        put,
    });
    let summary = format!("copy the master credentials to `{to}`");
    let mut step = Step::new(credentials_id(&database.instance.id), summary, calls, action);
    step.notes.push(format!(
        "`{from}` goes with its stack, and CloudFormation keeps no copy"
    ));
    Some(step)
}

/// The template lets the database go, and only its protection keeps CloudFormation from it.
fn protect_step(instance: &str) -> Step<Action> {
    let call = ProtectDb {
        instance: instance.to_owned(),
        protected: true,
    };
    let calls = vec![call.described()];
    let action = Action::Database(DatabaseAction::protection(call));
    Step::new(
        database::id(instance),
        "protect it from deletion: its template would let it go with its stack",
        calls,
        action,
    )
    .changing("not protected", "protected")
}

/// Leftovers that go with the stacks of the plan.
fn goes(change: &Teardown<'_>, seen: &Seen, going: &[&StackSeen], one: &Leftover) -> bool {
    let databases = seen.databases.iter().map(|database| &database.instance.id);
    let groups = seen.subnet_groups.iter().map(|(_, name)| name);
    if databases.chain(groups).any(|name| *name == one.name) {
        return change.fate == Fate::Delete;
    }
    // The physical id of a secret is its ARN, which ends in six characters of its own.
    let secret = format!(":secret:{}-", one.name);
    let is = |id: &String| *id == one.name || (one.kind == Kind::Secret && id.contains(&secret));
    going.iter().any(|stack| {
        let mut resources = stack.resources.iter().filter(|resource| !resource.kept);
        resources.any(|resource| stack.physical.get(&resource.resource).is_some_and(is))
    })
}

fn dollars(amount: Option<f64>) -> String {
    match amount {
        Some(amount) => format!("${amount:.2} a month"),
        None => "price not known here".to_owned(),
    }
}

fn stays_lines(change: &Teardown<'_>, seen: &Seen, going: &[&StackSeen]) -> Vec<String> {
    let all = seen.leftovers.ours.iter();
    let left = all.filter(|one| one.kind != Kind::Stack && !goes(change, seen, going, one));
    let left: Vec<&Leftover> = left.collect();
    let mut lines = Vec::new();
    let known = left.iter().filter_map(|one| one.dollars_per_month);
    let mut sum = known.fold(0.0, |sum, one| sum + one);
    let prices = Prices::table();
    let (mut parameters, mut images) = (0_u64, 0_u64);
    for one in &left {
        match one.kind {
            Kind::Parameter => parameters += 1,
            Kind::Image => images += 1,
            _ => lines.push(format!(
                "{} {} ({}): {}",
                one.kind.word(),
                one.name,
                one.about,
                dollars(one.dollars_per_month)
            )),
        }
    }
    for (count, what) in [(parameters, "parameter"), (images, "machine image")] {
        if count > 0 {
            lines.push(format!("{}: free of charge", crate::output::counted(count, what)));
        }
    }
    for network in seen.stacks.iter() {
        let kept = network.place.part == Part::Network && keeps_network(change, seen, &network.place.system);
        if !kept {
            continue;
        }
        let gateways = network.resources.iter();
        let gateways = gateways.filter(|one| one.kind == "AWS::EC2::NatGateway").count();
        let cost = prices.nat_gateway().map(|one| cents(one * gateways as f64));
        sum += cost.unwrap_or_default();
        lines.push(format!(
            "{} stays because the database does: its subnets and security group are in use ({} NAT gateway{}: {}); it goes \
             with `--database delete`",
            network.stack.name,
            gateways,
            if gateways == 1 { "" } else { "s" },
            dollars(cost)
        ));
    }
    for database in &seen.databases {
        if matches!(database.credentials, Credentials::Copy { replaces: false, .. }) {
            sum += prices.secret().unwrap_or_default();
            lines.push(format!(
                "the copy of the master credentials of {}: {}",
                database.instance.id,
                dollars(prices.secret())
            ));
        }
        if change.snapshot && database.copy.name().is_none() && change.fate == Fate::Delete {
            let cost = prices.database_snapshot(database.instance.allocated.unwrap_or_default());
            sum += cost.unwrap_or_default();
            lines.push(format!(
                "the last snapshot of {}: at most {}",
                database.instance.id,
                dollars(cost)
            ));
        }
    }
    if !lines.is_empty() {
        lines.push(format!(
            "all of it about ${sum:.2} a month: {}",
            ASSUMPTIONS.join("; ")
        ));
    }
    lines
}

fn warnings(change: &Teardown<'_>, seen: &Seen, going: &[&StackSeen]) -> Vec<String> {
    let mut warnings = Vec::new();
    if !seen.others.is_empty() {
        warnings.push(format!(
            "not in this plan, because another layout or generation has them: {}; `--all-layouts` takes them along",
            seen.others.join(", ")
        ));
    }
    for database in &seen.databases {
        let id = &database.instance.id;
        if let Credentials::None(why) = &database.credentials {
            warnings.push(format!(
                "the master credentials of {id} are not saved: {why}; whoever needs them gives the database a new \
                 master password"
            ));
        }
        if !change.snapshot {
            warnings.push(format!("no last snapshot of {id} is taken"));
        }
    }
    let logs = going.iter().any(|one| one.place.part == Part::Data);
    if logs {
        warnings.push(
            "the leases and the shared history of bpctl are in the logs bucket, which goes with the data stack: from then on \
             runs on other machines are not kept out, and this run is in the journal of this machine alone"
                .to_owned(),
        );
    }
    for one in going.iter().filter(|one| !one.is_readable) {
        warnings.push(format!(
            "the template of {} is no JSON: what it keeps is not known",
            one.stack.name
        ));
    }
    warnings
}

fn blockers(change: &Teardown<'_>, seen: &Seen, going: &[&StackSeen]) -> Vec<Blocker> {
    let mut found = Vec::new();
    let mut block = |reason: String, hint: Hint| {
        found.push(Blocker {
            kind: ErrorKind::Conflict,
            reason,
            hint,
        });
    };
    for one in going {
        let (name, status) = (one.stack.name.as_str(), one.stack.status.as_str());
        let passes = matches!(status, "DELETE_IN_PROGRESS" | "REVIEW_IN_PROGRESS");
        if status.ends_with("_IN_PROGRESS") && !passes {
            let follow = CommandLine::bpctl(["stack", "status", name, "--watch"]);
            block(
                format!("{name} is {status}: somebody works on it"),
                ("follow it with", follow).into(),
            );
        }
        if one.stack.termination_protection == Some(true) && !change.unprotect {
            block(
                format!("{name} is protected from deletion"),
                "to take the protection off and delete it, add `--unprotect`".into(),
            );
        }
        let outside = one.importers.iter();
        let outside: Vec<&str> = outside
            .filter(|importer| !going.iter().any(|other| other.stack.name == **importer))
            .map(String::as_str)
            .collect();
        if !outside.is_empty() {
            let hint: Hint = match outside
                .iter()
                .all(|name| seen.others.iter().any(|other| other == name))
            {
                true => "take them along with `--all-layouts`".into(),
                false => (
                    "delete what imports first; see it with",
                    CommandLine::bpctl(["stack", "status", name]),
                )
                    .into(),
            };
            block(format!("{name} exports what {} import", outside.join(", ")), hint);
        }
    }
    let occupied = seen.occupied.iter();
    let occupied = occupied.filter(|network| going.iter().any(|one| one.stack.name == network.stack));
    found.extend(occupied.map(super::blocker));
    found.extend(database_blockers(change, seen));
    found
}

fn database_blockers(change: &Teardown<'_>, seen: &Seen) -> Vec<Blocker> {
    let mut found = Vec::new();
    let mut block = |reason: String, hint: Hint| {
        found.push(Blocker {
            kind: ErrorKind::Conflict,
            reason,
            hint,
        });
    };
    for database in &seen.databases {
        let instance = &database.instance;
        if let Credentials::Unread(secret, code) = &database.credentials {
            block(
                format!(
                    "the master credentials of {} cannot be saved: `{secret}` cannot be read ({code})",
                    instance.id
                ),
                (
                    "they go with its stack; let this role call `secretsmanager:GetSecretValue` on it; see who may with",
                    CommandLine::bpctl(["auth", "can-i", "teardown"]),
                )
                    .into(),
            );
        }
        let needed = change.snapshot && database.copy.name().is_none() && instance.status != "deleting";
        if needed && matches!(instance.power(), Power::Off | Power::Stopping) {
            block(
                format!(
                    "the database {} is {}: RDS takes a snapshot of one that runs",
                    instance.id, instance.status
                ),
                (
                    "start it with",
                    CommandLine::aws("rds", "start-db-instance")
                        .option("--db-instance-identifier", &instance.id),
                    "or take none with `--no-final-snapshot`",
                )
                    .into(),
            );
        }
    }
    found
}

/// What a step that stops things loses.
pub(super) fn work(what: &str) -> Loss {
    Loss::Work(what.to_owned())
}
