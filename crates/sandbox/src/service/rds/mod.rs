//! Relational Database Service: the MariaDB instance, its snapshots, and the databases inside it.

pub(crate) mod database;
mod events;
mod modify;
mod power;
mod removal;
mod snapshot;
mod subnets;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use serde_json::{Value, json};

pub(crate) use removal::{go, is_protected, protect};
pub(crate) use subnets::make as make_subnet_group;

use crate::error::{ApiError, OpResult};
use crate::scenario::Scenario;
use crate::scenario::in_force;
use crate::service::member::{integer, list, page, present, text, texts};
use crate::service::table::operations;
use crate::service::{cloudformation, cloudwatch};
use crate::time::SimTime;
use crate::world::World;

/// Instances, snapshots and databases.
#[derive(Debug, Default)]
pub(crate) struct State {
    instances: Vec<Instance>,
    snapshots: Vec<snapshot::Snapshot>,
    /// Changes of storage, the newest last.
    growths: Vec<modify::Growth>,
    /// Stops and starts, the newest last.
    turns: Vec<power::Turn>,
    /// Ids of instances without deletion protection.
    unprotected: BTreeSet<String>,
    deletions: Vec<removal::Deletion>,
    subnet_groups: Vec<subnets::SubnetGroup>,
    pub(crate) databases: database::Databases,
}

/// A database instance.
#[derive(Clone, Debug)]
pub(crate) struct Instance {
    pub(crate) id: String,
    pub(crate) class: String,
    /// `available`, `backing-up`, …
    pub(crate) status: &'static str,
    pub(crate) created: SimTime,
    pub(crate) zone: String,
    pub(crate) multi_az: bool,
    pub(crate) vpc: String,
    pub(crate) security_group: String,
    pub(crate) resource_id: String,
    pub(crate) endpoint: String,
    pub(crate) subnet_group: String,
}

/// Gibibytes of storage that the instance has.
pub(crate) const STORAGE: i64 = 20;
const ENGINE_VERSION: &str = "10.11.10";

operations! {
    Write CreateDBSnapshot => snapshot::create,
    Write DeleteDBInstance => removal::delete_instance,
    Write DeleteDBSnapshot => removal::delete_snapshot,
    Write DeleteDBSubnetGroup => subnets::delete,
    Read DescribeDBInstances => describe,
    Read DescribeDBSnapshots => snapshot::describe,
    Read DescribeDBSubnetGroups => subnets::describe,
    Read DescribeEvents => events::describe_events,
    Write ModifyDBInstance => modify::modify,
    Write StartDBInstance => power::start,
    Write StopDBInstance => power::stop,
}

/// Puts an instance in place, with the automated snapshot of the last night.
pub(crate) fn create(world: &mut World, instance: Instance) {
    snapshot::automated(world, &instance);
    world.services.rds.instances.push(instance);
}

/// Creates an instance without a past.
pub(crate) fn make(world: &mut World, instance: Instance) {
    world.services.rds.instances.push(instance);
}

/// The host name of an instance.
pub(crate) fn endpoint<'a>(world: &'a World, id: &str) -> Option<&'a str> {
    let mut instances = world.services.rds.instances.iter();
    instances
        .find(|instance| instance.id == id)
        .map(|instance| instance.endpoint.as_str())
}

/// Whether there is an instance.
pub(crate) fn any(world: &World) -> bool {
    !world.services.rds.instances.is_empty()
}

/// Whether an instance is in this security group.
pub(crate) fn uses(world: &World, security_group: &str) -> bool {
    let mut instances = world.services.rds.instances.iter();
    instances.any(|instance| instance.security_group == security_group)
}

/// Gives an instance another class, if one is said. Returns whether there is such an instance.
pub(crate) fn set_class(world: &mut World, id: &str, class: Option<&str>) -> bool {
    let instance = world
        .services
        .rds
        .instances
        .iter_mut()
        .find(|instance| instance.id == id);
    let Some(instance) = instance else { return false };
    if let Some(class) = class {
        class.clone_into(&mut instance.class);
    }
    true
}

/// Whether an instance has this endpoint.
pub(crate) fn is_endpoint(world: &World, host: &str) -> bool {
    world
        .services
        .rds
        .instances
        .iter()
        .any(|instance| instance.endpoint == host)
}

/// The status of an instance, as DescribeDBInstances says it.
fn status(world: &World, instance: &Instance) -> &'static str {
    if removal::is_deleting(world, &instance.id) {
        return "deleting";
    }
    power::state(world, &instance.id).unwrap_or(match instance.status {
        "available" => modify::status(world, &instance.id).unwrap_or("available"),
        busy => busy,
    })
}

fn serves(world: &World, instance: &Instance) -> bool {
    matches!(
        status(world, instance),
        "available" | "backing-up" | "modifying" | "storage-optimization"
    )
}

/// Whether the instance answers queries.
pub(crate) fn is_serving(world: &World) -> bool {
    let instances = &world.services.rds.instances;
    instances.iter().any(|instance| serves(world, instance))
}

/// Snapshots make progress.
pub(crate) fn tick(world: &mut World) {
    snapshot::tick(world);
    removal::tick(world);
}

/// Reports the instance's metrics of the last minute to CloudWatch.
pub(crate) fn publish(world: &mut World) {
    let jitter = world.application_ids.unit();
    let cpu = if in_force(world, Scenario::RdsCpu) {
        96.6 + jitter
    } else if in_force(world, Scenario::MigrationSlow) {
        58.0 + 6.0 * jitter
    } else {
        11.0 + 5.0 * jitter
    };
    let gibibyte = 1024.0 * 1024.0 * 1024.0;
    let free = if in_force(world, Scenario::RdsStorageLow) {
        1.2
    } else {
        12.4 + 0.01 * jitter
    };
    let connections = match (
        database::accepts_connections(world),
        in_force(world, Scenario::RdsCpu),
    ) {
        (false, _) => 0.0,
        (true, true) => 160.0 + (20.0 * jitter).round(),
        (true, false) => 18.0 + (6.0 * jitter).round(),
    };
    for instance in world.services.rds.instances.clone() {
        // An instance that is stopped has nothing to report.
        if power::state(world, &instance.id).is_some() {
            continue;
        }
        let grown = (modify::storage(world, &instance.id) - STORAGE) as f64;
        let dimensions = [("DBInstanceIdentifier", instance.id.as_str())];
        for (name, value) in [
            ("CPUUtilization", cpu),
            ("FreeStorageSpace", (free + grown) * gibibyte),
            ("DatabaseConnections", connections),
        ] {
            cloudwatch::put(world, "AWS/RDS", name, &dimensions, value);
        }
    }
}

fn arn(world: &World, kind: &str, id: &str) -> String {
    format!(
        "arn:aws:rds:{}:{}:{kind}:{id}",
        world.options.region, world.options.account_id
    )
}

/// RDS pages hold 100 records, and 20 to 100 may be asked for (API reference).
fn marked(records: Vec<Value>, member: &str, input: &Value) -> OpResult {
    let size = integer(input, "MaxRecords").unwrap_or(100);
    if !(20..=100).contains(&size) {
        return Err(ApiError::client(
            "InvalidParameterValue",
            format!("Invalid value {size} for MaxRecords. Must be between 20 and 100"),
        ));
    }
    let (records, next) = page(records, text(input, "Marker"), size as usize, || {
        ApiError::client("InvalidParameterValue", "The specified marker is invalid.")
    })?;
    Ok(present(json!({member: records, "Marker": next})))
}

fn instance_not_found(id: &str) -> ApiError {
    ApiError::client("DBInstanceNotFound", format!("DBInstance {id} not found.")).with_status(404)
}

fn describe(world: &World, input: &Value) -> OpResult {
    let asked = text(input, "DBInstanceIdentifier").map(|id| id.rsplit(':').next().unwrap_or(id));
    let filtered: Vec<String> = list(input, "Filters")
        .iter()
        .filter(|filter| text(filter, "Name") == Some("db-instance-id"))
        .flat_map(|filter| texts(filter, "Values"))
        .collect();
    let found: Vec<Value> = world
        .services
        .rds
        .instances
        .iter()
        .filter(|instance| asked.is_none_or(|id| instance.id.eq_ignore_ascii_case(id)))
        .filter(|instance| filtered.is_empty() || filtered.contains(&instance.id))
        .map(|instance| described(world, instance))
        .collect();
    match asked {
        Some(id) if found.is_empty() => Err(instance_not_found(id)),
        _ => marked(found, "DBInstances", input),
    }
}

fn described(world: &World, instance: &Instance) -> Value {
    let region = &world.options.region;
    json!({
        "DBInstanceIdentifier": instance.id,
        "DBInstanceClass": instance.class,
        "Engine": "mariadb",
        "DBInstanceStatus": status(world, instance),
        "MasterUsername": "bp_admin",
        "DBName": "bp",
        "Endpoint": {"Address": instance.endpoint, "Port": 3306, "HostedZoneId": "Z2R2ITUGPM61AM"},
        "AllocatedStorage": modify::storage(world, &instance.id),
        "InstanceCreateTime": instance.created.epoch_seconds(),
        "PreferredBackupWindow": "04:00-04:30",
        "BackupRetentionPeriod": 7,
        "DBSecurityGroups": [],
        "VpcSecurityGroups": [{"VpcSecurityGroupId": instance.security_group, "Status": "active"}],
        "AvailabilityZone": instance.zone,
        "DBSubnetGroup": {
            "DBSubnetGroupName": instance.subnet_group,
            "VpcId": instance.vpc,
            "SubnetGroupStatus": "Complete",
        },
        "PreferredMaintenanceWindow": "sun:05:00-sun:05:30",
        "PendingModifiedValues": modify::pending(world, &instance.id),
        "LatestRestorableTime": (world.now - std::time::Duration::from_secs(240)).floor_minute().epoch_seconds(),
        "MultiAZ": instance.multi_az,
        "EngineVersion": ENGINE_VERSION,
        "AutoMinorVersionUpgrade": true,
        "LicenseModel": "general-public-license",
        "PubliclyAccessible": false,
        "StorageType": "gp3",
        "StorageEncrypted": true,
        "DbiResourceId": instance.resource_id,
        "CACertificateIdentifier": "rds-ca-rsa2048-g1",
        "DBInstanceArn": arn(world, "db", &instance.id),
        "IAMDatabaseAuthenticationEnabled": false,
        "MonitoringInterval": 60,
        "PerformanceInsightsEnabled": true,
        "DeletionProtection": is_protected(world, &instance.id),
        "MaxAllocatedStorage": 100,
        "TagList": cloudformation::tags_of(world, &instance.id),
        "KmsKeyId": format!("arn:aws:kms:{region}:{}:alias/aws/rds", world.options.account_id),
    })
}
