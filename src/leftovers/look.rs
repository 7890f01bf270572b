//! Looks at everything of a region that may be the platform's. Changes nothing.

use futures::future::{try_join, try_join_all, try_join3};

use super::{Every, Facts, Kind, LeftAlone, Leftover, Leftovers, STACK_TAG, is_of_backup, size, tag};
use crate::aws::Aws;
use crate::aws::rds::DbInstance;
use crate::aws::rds::removal::ListedSnapshot;
use crate::error::{CtlError, ErrorKind, Result};
use crate::layout::{AccountId, Layout};
use crate::prices::{Prices, Product};

/// Who makes dev instances and their security groups (platform workflows and scripts).
const DEV_MAKERS: [&str; 2] = ["dev-gpu-action", "dev-gpu-scripts"];

/// What the CDK calls its own things unless told otherwise (CDK Developer Guide, "Customize CDK bootstrapping").
const CDK: &str = "cdk-hnb659fds-";
const CDK_STACK: &str = "CDKToolkit";

fn item(kind: Kind, name: impl Into<String>, about: impl Into<String>, dollars: Option<f64>) -> Leftover {
    Leftover {
        kind,
        name: name.into(),
        about: about.into(),
        dollars_per_month: dollars,
    }
}

fn alone(kind: Kind, name: impl Into<String>, why: &str) -> LeftAlone {
    LeftAlone {
        kind,
        name: name.into(),
        why: why.to_owned(),
    }
}

/// Everything in the region of the credentials.
///
/// # Errors
/// What cannot be read; an account id that is none.
pub(crate) async fn look(aws: &Aws, layout: &Layout, account: &str, region: &str) -> Result<Leftovers> {
    let every = Every::beside(layout);
    let account: AccountId = account
        .parse()
        .map_err(|error| CtlError::new(ErrorKind::Unexpected, "read the account id").source(&error))?;
    let prices = &Prices::table();
    let data = try_join(
        look_at_data(aws, &every, prices),
        look_at_buckets(aws, &every, &account, region, prices),
    );
    let text = try_join3(
        look_at_secrets(aws, &every, prices),
        look_at_text(aws, &every),
        look_at_log_groups(aws, &every, prices),
    );
    let ((data, buckets), (secrets, text, logs), machines) = try_join3(
        Box::pin(data),
        Box::pin(text),
        Box::pin(look_at_machines(aws, &every, prices)),
    )
    .await?;
    let mut all = Leftovers::default();
    for part in [&data, &buckets, &secrets, &text, &logs, &machines] {
        all.ours.extend(part.ours.iter().cloned());
        all.others.extend(part.others.iter().cloned());
    }
    all.facts = Facts {
        stacks: text.facts.stacks,
        toolkit: text.facts.toolkit,
        databases: data.facts.databases,
        database_snapshots: data.facts.database_snapshots,
        log_groups: logs.facts.log_groups,
        buckets: buckets.facts.buckets,
        ..machines.facts
    };
    bootstrap_of_others(&mut all);
    all.ours
        .sort_by(|one, other| (one.kind, &one.name).cmp(&(other.kind, &other.name)));
    all.others
        .sort_by(|one, other| (one.kind, &one.name).cmp(&(other.kind, &other.name)));
    Ok(all)
}

/// Other stacks of the region may be deployed with the CDK as well: its bootstrap is not the platform's alone then.
fn bootstrap_of_others(all: &mut Leftovers) {
    let stacks = all.others.iter().filter(|one| one.kind == Kind::Stack);
    let stacks: Vec<&str> = stacks.map(|one| one.name.as_str()).collect();
    let protected = all
        .facts
        .toolkit
        .as_ref()
        .and_then(|stack| stack.termination_protection);
    let why = match (stacks.as_slice(), protected) {
        ([], Some(true)) => format!("the stack {CDK_STACK} is protected from deletion"),
        ([], _) => return,
        ([first], _) => format!("the stack {first} may be deployed with it"),
        ([first, others @ ..], _) => {
            format!(
                "the stack {first} and {} more may be deployed with it",
                others.len()
            )
        }
    };
    let is_bootstrap = |one: &Leftover| one.kind == Kind::Bootstrap;
    let moved: Vec<LeftAlone> = all
        .ours
        .extract_if(.., |one| is_bootstrap(one))
        .map(|one| alone(Kind::Bootstrap, one.name, &why))
        .collect();
    for one in &moved {
        all.facts.buckets.remove(&one.name);
    }
    all.facts.toolkit = None;
    all.others.extend(moved);
}

/// Whether a database is the platform's: the stack that made it is.
pub(crate) fn is_ours(every: &Every, instance: &DbInstance) -> bool {
    tag(&instance.tags, STACK_TAG).is_some_and(|stack| every.has_stack(stack))
}

/// Whether a snapshot is the platform's: it was taken of a database that is.
fn is_our_snapshot(snapshot: &ListedSnapshot, databases: &[&DbInstance], every: &Every) -> bool {
    let of_ours = databases.iter().any(|instance| instance.id == snapshot.instance);
    let by_stack = tag(&snapshot.tags, STACK_TAG).is_some_and(|stack| every.has_stack(stack));
    // The tags of a database that is gone are gone with it; its name says whose it was.
    of_ours || by_stack || every.has_made(&snapshot.instance)
}

/// Databases, their snapshots and subnet groups.
///
/// # Errors
/// What cannot be read.
pub(crate) async fn look_at_data(aws: &Aws, every: &Every, prices: &Prices) -> Result<Leftovers> {
    let mut found = Leftovers::default();
    let (instances, snapshots, groups) =
        try_join3(aws.db_instances(), aws.db_snapshots(), aws.db_subnet_groups()).await?;
    let ours: Vec<&DbInstance> = instances.iter().filter(|one| is_ours(every, one)).collect();
    for instance in &instances {
        if !is_ours(every, instance) {
            let why = "no stack of the platform has made it";
            found.others.push(alone(Kind::Database, &instance.id, why));
            continue;
        }
        let (class, gib) = (
            instance.class.as_deref().unwrap_or("?"),
            instance.allocated.unwrap_or(0),
        );
        let zones = if instance.multi_az {
            "two zones"
        } else {
            "one zone"
        };
        let protected = if instance.protected { ", protected" } else { "" };
        let about = format!("{}, {class}, {gib} GiB, {zones}{protected}", instance.status);
        let dollars = prices.database(class, gib, instance.multi_az, instance.status != "stopped");
        found
            .ours
            .push(item(Kind::Database, &instance.id, about, dollars));
    }
    // Automated ones go with their instance and cost nothing up to its size.
    for snapshot in snapshots.iter().filter(|one| one.kind == "manual") {
        if is_our_snapshot(snapshot, &ours, every) {
            let mut about = format!(
                "{}, {} GiB, of {}",
                snapshot.status, snapshot.allocated, snapshot.instance
            );
            if is_of_backup(snapshot) {
                about.push_str("; a backup stands on it");
            }
            let dollars = prices.database_snapshot(snapshot.allocated);
            found
                .ours
                .push(item(Kind::DatabaseSnapshot, &snapshot.id, about, dollars));
            found.facts.database_snapshots.push(snapshot.clone());
        } else {
            let why = "it is of no database of the platform";
            found
                .others
                .push(alone(Kind::DatabaseSnapshot, &snapshot.id, why));
        }
    }
    for (name, _) in groups {
        let used = ours.iter().any(|one| one.subnet_group.as_ref() == Some(&name));
        if used || every.has_made(&name) {
            found
                .ours
                .push(item(Kind::DatabaseSubnetGroup, name, "free of charge", Some(0.0)));
        } else if name != "default" {
            let why = "neither a database nor a stack of the platform has it";
            found.others.push(alone(Kind::DatabaseSubnetGroup, name, why));
        }
    }
    found.facts.databases = ours.into_iter().cloned().collect();
    Ok(found)
}

/// Buckets with everything in them.
///
/// # Errors
/// What cannot be read.
pub(crate) async fn look_at_buckets(
    aws: &Aws,
    every: &Every,
    account: &AccountId,
    region: &str,
    prices: &Prices,
) -> Result<Leftovers> {
    let mut found = Leftovers::default();
    let names = aws.bucket_names(region).await?;
    let assets = format!("{CDK}assets-{account}-");
    let kind_of = |name: &str| {
        if every.has_bucket(account, name) {
            Some(Kind::Bucket)
        } else if name.starts_with(&assets) {
            Some(Kind::Bootstrap)
        } else {
            None
        }
    };
    let mut ours = Vec::new();
    for name in names {
        match kind_of(&name) {
            Some(kind) => ours.push((kind, name)),
            None => found
                .others
                .push(alone(Kind::Bucket, name, "its name is none of the platform's")),
        }
    }
    let usages = try_join_all(ours.iter().map(|(_, name)| aws.bucket_usage(name))).await?;
    for ((kind, name), usage) in ours.into_iter().zip(usages) {
        // Deleted between the two looks.
        let Some(usage) = usage else { continue };
        let least = if usage.more { "at least " } else { "" };
        let markers = match usage.markers {
            0 => String::new(),
            markers => format!(", {markers} delete markers"),
        };
        let about = match usage.is_empty() {
            true => "empty".to_owned(),
            false => format!(
                "{least}{} in {} versions{markers}",
                size(usage.bytes),
                usage.versions
            ),
        };
        let dollars = prices.bytes(&Product::Bucket, usage.bytes);
        found.facts.buckets.insert(name.clone(), usage);
        found.ours.push(item(kind, name, about, dollars));
    }
    Ok(found)
}

/// Secrets, those that are to be deleted too.
///
/// # Errors
/// What cannot be read.
pub(crate) async fn look_at_secrets(aws: &Aws, every: &Every, prices: &Prices) -> Result<Leftovers> {
    let mut found = Leftovers::default();
    for (name, goes) in aws.secrets_under(&every.path()).await? {
        let (about, dollars) = match goes {
            // "There is no charge for secrets marked for deletion" (AWS Secrets Manager Pricing).
            Some(at) => (
                format!("scheduled for deletion, requested {}", at.strftime("%Y-%m-%d")),
                Some(0.0),
            ),
            None => ("in force".to_owned(), prices.secret()),
        };
        found.ours.push(item(Kind::Secret, name, about, dollars));
    }
    Ok(found)
}

/// Parameters, stacks and repositories.
async fn look_at_text(aws: &Aws, every: &Every) -> Result<Leftovers> {
    let mut found = Leftovers::default();
    let path = every.path();
    let below = [path.trim_end_matches('/').to_owned()];
    let (parameters, stacks, repositories) = try_join3(
        aws.parameter_names_under(&below),
        aws.stacks(),
        aws.repository_names(),
    )
    .await?;
    for name in parameters {
        found
            .ours
            .push(item(Kind::Parameter, name, "free of charge", Some(0.0)));
    }
    for stack in stacks {
        if stack.name == CDK_STACK {
            found
                .ours
                .push(item(Kind::Bootstrap, &stack.name, &stack.status, Some(0.0)));
            found.facts.toolkit = Some(stack);
        } else if every.has_stack(&stack.name) {
            let status = &stack.status;
            found.ours.push(item(Kind::Stack, &stack.name, status, None));
            found.facts.stacks.push(stack);
        } else {
            let why = "its name is none of the platform's";
            found.others.push(alone(Kind::Stack, stack.name, why));
        }
    }
    for name in repositories {
        if every.has_repository(&name) {
            found.ours.push(item(Kind::Repository, name, "images", None));
        } else if name.starts_with(CDK) {
            found.ours.push(item(Kind::Bootstrap, name, "images", None));
        } else {
            let why = "its name is none of the platform's";
            found.others.push(alone(Kind::Repository, name, why));
        }
    }
    Ok(found)
}

/// Log groups with what they store.
///
/// # Errors
/// What cannot be read.
pub(crate) async fn look_at_log_groups(aws: &Aws, every: &Every, prices: &Prices) -> Result<Leftovers> {
    let mut found = Leftovers::default();
    let prefixes = every.log_groups();
    let groups = try_join_all(prefixes.iter().map(|prefix| aws.log_groups(prefix))).await?;
    for group in groups.into_iter().flatten() {
        if every.has_log_group(&group.name) {
            let dollars = prices.bytes(&Product::Logs, group.bytes);
            found
                .ours
                .push(item(Kind::LogGroup, &group.name, size(group.bytes), dollars));
            found.facts.log_groups.push(group);
        } else {
            let why = "its name is none of the platform's";
            found.others.push(alone(Kind::LogGroup, group.name, why));
        }
    }
    Ok(found)
}

/// Machine images, their snapshots, and dev instances with their security groups.
///
/// # Errors
/// What cannot be read.
pub(crate) async fn look_at_machines(aws: &Aws, every: &Every, prices: &Prices) -> Result<Leftovers> {
    let mut found = Leftovers::default();
    let makers = [("tag:ManagedBy", &DEV_MAKERS[..])];
    let (images, snapshots, machines) = try_join3(
        aws.own_images(),
        aws.own_snapshots(),
        aws.machines_tagged("ManagedBy", &DEV_MAKERS),
    )
    .await?;
    let is_ours = |name: Option<&String>| name.is_some_and(|name| name.starts_with(&every.images()));
    for image in images {
        if is_ours(image.name.as_ref()) {
            let name = image.name.clone().unwrap_or_default();
            found.ours.push(item(Kind::Image, &image.id, name, Some(0.0)));
            found.facts.images.push(image);
        } else {
            let why = "packer has built it, and its name is none of the platform's";
            found.others.push(alone(Kind::Image, image.id, why));
        }
    }
    for snapshot in snapshots {
        let mut images = found.facts.images.iter();
        let of_ours = images.any(|image| image.snapshots.contains(&snapshot.id));
        if !of_ours && !is_ours(snapshot.name.as_ref()) {
            let why = "packer has made it, and neither its name nor an image on it is the platform's";
            found.others.push(alone(Kind::ImageSnapshot, snapshot.id, why));
            continue;
        }
        let about = format!("{} GiB", snapshot.gib);
        let dollars = prices.volume_snapshot(snapshot.gib);
        found
            .ours
            .push(item(Kind::ImageSnapshot, &snapshot.id, about, dollars));
        found.facts.snapshots.push(snapshot);
    }
    for machine in machines.into_values() {
        let state = machine.state.clone().unwrap_or_default();
        if state == "terminated" {
            continue;
        }
        let kind = machine.instance_type.clone().unwrap_or_default();
        let runs = matches!(state.as_str(), "pending" | "running");
        let about = format!("{state}, {kind}");
        found.ours.push(item(
            Kind::DevInstance,
            &machine.id,
            about,
            prices.dev_instance(&kind, runs),
        ));
        found.facts.machines.push(machine);
    }
    for group in aws.security_groups(&makers).await? {
        found
            .ours
            .push(item(Kind::DevSecurityGroup, group.id, group.name, Some(0.0)));
    }
    Ok(found)
}
