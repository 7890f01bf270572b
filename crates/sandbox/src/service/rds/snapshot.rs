//! Snapshots: CreateDBSnapshot, DescribeDBSnapshots and the minutes in between.

use std::time::Duration;

use serde_json::{Value, json};

use super::{ENGINE_VERSION, Instance, STORAGE, arn, instance_not_found, marked};
use crate::error::{ApiError, OpResult};
use crate::service::member::{present, text, time};
use crate::time::SimTime;
use crate::world::World;

/// A snapshot of an instance.
#[derive(Debug)]
pub(super) struct Snapshot {
    id: String,
    instance: String,
    kind: &'static str,
    zone: String,
    vpc: String,
    instance_created: SimTime,
    requested: SimTime,
    /// When its data is complete.
    available: SimTime,
    tags: Vec<Value>,
}

/// How long a snapshot of a few gigabytes takes.
const DURATION: Duration = Duration::from_secs(200);
/// The first moments, in which no progress is reported yet.
const QUIET: Duration = Duration::from_secs(20);

impl Snapshot {
    fn new(instance: &Instance, id: &str, kind: &'static str, requested: SimTime) -> Self {
        Self {
            id: id.to_owned(),
            instance: instance.id.clone(),
            kind,
            zone: instance.zone.clone(),
            vpc: instance.vpc.clone(),
            instance_created: instance.created,
            requested,
            available: requested + DURATION,
            tags: Vec::new(),
        }
    }

    /// Its name, its instance, and when it begins and ends.
    pub(super) fn course(&self) -> (&str, &str, SimTime, SimTime) {
        (&self.id, &self.instance, self.requested, self.available)
    }

    pub(super) fn is_automated(&self) -> bool {
        self.kind == "automated"
    }

    fn percent(&self, now: SimTime) -> u64 {
        if now >= self.available {
            return 100;
        }
        let busy = (DURATION - QUIET).as_secs();
        now.since(self.requested + QUIET).as_secs().min(busy - 1) * 100 / busy
    }
}

/// The snapshot of last night's backup window.
pub(super) fn automated(world: &mut World, instance: &Instance) {
    let day = 86_400_000;
    let window = 4 * 3_600_000 + 7 * 60_000;
    let midnight = world.now.0.div_euclid(day) * day;
    let night = if midnight + window < world.now.0 {
        midnight
    } else {
        midnight - day
    };
    let taken = SimTime(night + window);
    let date = taken.iso8601();
    let id = format!("rds:{}-{}-04-07", instance.id, date.get(..10).unwrap_or_default());
    let snapshot = Snapshot::new(instance, &id, "automated", taken);
    world.services.rds.snapshots.push(snapshot);
}

/// The snapshot that an instance leaves behind. Answers when its data is complete.
pub(super) fn last(world: &mut World, instance: &Instance, id: &str) -> Result<SimTime, ApiError> {
    create(
        world,
        &json!({ "DBSnapshotIdentifier": id, "DBInstanceIdentifier": instance.id }),
    )?;
    Ok(world.now + DURATION)
}

/// Automated snapshots go with their instance.
pub(super) fn drop_automated(state: &mut super::State, instance: &str) {
    state
        .snapshots
        .retain(|snapshot| !(snapshot.instance == instance && snapshot.is_automated()));
}

/// Takes a snapshot away. An automated one is not deleted by hand (API Reference, DeleteDBSnapshot).
pub(super) fn remove(world: &mut World, id: &str) -> OpResult {
    let now = world.now;
    let snapshots = &mut world.services.rds.snapshots;
    let found = snapshots
        .iter()
        .position(|snapshot| snapshot.id.eq_ignore_ascii_case(id));
    let at = found.ok_or_else(|| not_found(id))?;
    if snapshots[at].is_automated() {
        return Err(ApiError::client(
            "InvalidDBSnapshotState",
            "Only manual snapshots may be deleted.",
        ));
    }
    if snapshots[at].available > now {
        return Err(ApiError::client(
            "InvalidDBSnapshotState",
            format!(
                "Cannot delete the snapshot because it is not currently in the available or failed state. The snapshot is {id}."
            ),
        ));
    }
    let gone = snapshots.remove(at);
    let shown = described(world, &gone);
    Ok(present(json!({ "DBSnapshot": shown })))
}

fn not_found(id: &str) -> ApiError {
    ApiError::client("DBSnapshotNotFound", format!("DBSnapshot {id} not found.")).with_status(404)
}

/// An instance is `backing-up` for as long as a snapshot of it is being made.
pub(super) fn tick(world: &mut World) {
    let now = world.now;
    let state = &mut world.services.rds;
    for instance in &mut state.instances {
        if instance.status == "backing-up"
            && !state
                .snapshots
                .iter()
                .any(|snapshot| snapshot.instance == instance.id && snapshot.available > now)
        {
            instance.status = "available";
        }
    }
}

pub(super) fn create(world: &mut World, input: &Value) -> OpResult {
    let now = world.now;
    let id = text(input, "DBSnapshotIdentifier")
        .unwrap_or_default()
        .to_lowercase();
    let wanted = text(input, "DBInstanceIdentifier").unwrap_or_default();
    let valid = id.starts_with(|c: char| c.is_ascii_alphabetic())
        && id.len() <= 255
        && !id.ends_with('-')
        && !id.contains("--")
        && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if !valid {
        return Err(ApiError::client(
            "InvalidParameterValue",
            "The parameter DBSnapshotIdentifier is not a valid identifier. Identifiers must begin with a letter; must contain only ASCII letters, digits, and hyphens; and must not end with a hyphen or contain two consecutive hyphens.",
        ));
    }
    let instances = world.services.rds.instances.iter();
    let mut turned = instances.filter(|instance| super::power::state(world, &instance.id).is_some());
    let turned = turned.any(|instance| instance.id.eq_ignore_ascii_case(wanted));
    let state = &mut world.services.rds;
    if state.snapshots.iter().any(|snapshot| snapshot.id == id) {
        return Err(ApiError::client(
            "DBSnapshotAlreadyExists",
            format!("Cannot create the snapshot because a snapshot with the identifier {id} already exists."),
        ));
    }
    let instance = state
        .instances
        .iter_mut()
        .find(|instance| instance.id.eq_ignore_ascii_case(wanted))
        .ok_or_else(|| instance_not_found(wanted))?;
    if turned || instance.status != "available" {
        return Err(ApiError::client(
            "InvalidDBInstanceState",
            format!("Instance {} is not currently available.", instance.id),
        ));
    }
    instance.status = "backing-up";
    state.snapshots.push(Snapshot {
        tags: crate::service::member::list(input, "Tags").to_vec(),
        ..Snapshot::new(instance, &id, "manual", now)
    });
    let made = world
        .services
        .rds
        .snapshots
        .last()
        .map_or(Value::Null, |snapshot| described(world, snapshot));
    Ok(present(json!({"DBSnapshot": made})))
}

pub(super) fn describe(world: &World, input: &Value) -> OpResult {
    let asked = text(input, "DBSnapshotIdentifier");
    let instance = text(input, "DBInstanceIdentifier");
    let kind = text(input, "SnapshotType");
    let found: Vec<Value> = world
        .services
        .rds
        .snapshots
        .iter()
        .filter(|snapshot| {
            asked.is_none_or(|id| snapshot.id.eq_ignore_ascii_case(id))
                && instance.is_none_or(|id| snapshot.instance.eq_ignore_ascii_case(id))
                && kind.is_none_or(|kind| snapshot.kind == kind)
        })
        .map(|snapshot| described(world, snapshot))
        .collect();
    match asked {
        Some(id) if found.is_empty() => Err(not_found(id)),
        _ => marked(found, "DBSnapshots", input),
    }
}

fn described(world: &World, snapshot: &Snapshot) -> Value {
    let done = world.now >= snapshot.available;
    let percent = snapshot.percent(world.now);
    // The creation time appears with the first progress.
    let created = (world.now >= snapshot.requested + QUIET).then(|| snapshot.requested + QUIET);
    json!({
        "DBSnapshotIdentifier": snapshot.id,
        "DBInstanceIdentifier": snapshot.instance,
        "SnapshotCreateTime": time(created),
        "OriginalSnapshotCreateTime": time(created),
        "Engine": "mariadb",
        "AllocatedStorage": STORAGE,
        "Status": if done { "available" } else { "creating" },
        "Port": 3306,
        "AvailabilityZone": snapshot.zone,
        "VpcId": snapshot.vpc,
        "InstanceCreateTime": snapshot.instance_created.epoch_seconds(),
        "MasterUsername": "bp_admin",
        "EngineVersion": ENGINE_VERSION,
        "LicenseModel": "general-public-license",
        "SnapshotType": snapshot.kind,
        "PercentProgress": percent,
        "StorageType": "gp3",
        "Encrypted": true,
        "DBSnapshotArn": arn(world, "snapshot", &snapshot.id),
        "IAMDatabaseAuthenticationEnabled": false,
        "TagList": snapshot.tags,
    })
}
