//! The states of a DB instance: which serve, which end by themselves, and what the others need.
//!
//! Source: Amazon RDS User Guide, "Viewing Amazon RDS DB instance status". Where the guide says that an
//! instance cannot be recovered, the way out is the one that it names.

use crate::error::Hint;
use crate::triage::commands;
use crate::triage::finding::Severity;
use crate::triage::snapshot::Database;

/// What a state means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    /// It answers queries; whatever is under way changes nothing of that.
    Serves,
    /// It does not answer, or not all the time, until an operation ends by itself.
    UnderWay,
    /// The operator must do something: why it is so, and how it is left.
    Broken(&'static str, Way),
    /// Not in the guide.
    Unknown,
}

/// The way out of a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Start,
    MoreStorage,
    Events,
    Restore,
}

fn meaning(status: &str) -> Meaning {
    use Meaning::{Broken, Serves, UnderWay};
    match status {
        "available"
        | "backing-up"
        | "configuring-enhanced-monitoring"
        | "configuring-iam-database-auth"
        | "configuring-log-exports"
        | "converting-to-vpc"
        | "delete-precheck"
        | "modifying"
        | "moving-to-vpc"
        // A managed password rotates every seven days: the instance goes on with the old one until then.
        | "resetting-master-credentials"
        | "storage-config-upgrade"
        | "storage-initialization"
        | "storage-optimization" => Serves,
        "creating" | "maintenance" | "rebooting" | "renaming" | "starting" | "upgrading" => UnderWay,
        "stopped" | "stopping" => Broken(
            "the instance was stopped; AWS starts it again by itself after seven days",
            Way::Start,
        ),
        "storage-full" => Broken(
            "the storage is full, so the instance stopped serving",
            Way::MoreStorage,
        ),
        "deleting" => Broken("somebody is deleting the instance", Way::Events),
        "failed" => Broken(
            "the instance failed and RDS cannot recover it: restore it to its latest restorable time",
            Way::Restore,
        ),
        "inaccessible-encryption-credentials" => Broken(
            "the KMS key that the storage is encrypted with cannot be used, and RDS cannot recover the instance",
            Way::Restore,
        ),
        "inaccessible-encryption-credentials-recoverable" => Broken(
            "the KMS key that the storage is encrypted with is disabled or out of reach: enable it again, then start the instance",
            Way::Start,
        ),
        "incompatible-network" => Broken(
            "RDS cannot bring the instance back in its VPC: e.g. the subnets have no free address, or one is gone",
            Way::Events,
        ),
        "incompatible-option-group" => Broken(
            "RDS could neither apply a change of the option group nor undo it",
            Way::Events,
        ),
        "incompatible-parameters" => Broken(
            "the instance does not start with the values in its parameter group: take the last change of them back",
            Way::Events,
        ),
        "incompatible-restore" | "restore-error" => Broken(
            "the restore that made this instance did not succeed: restore once more, from another snapshot or time",
            Way::Restore,
        ),
        "incompatible-create" => Broken(
            "the instance could not be created with what it was asked for",
            Way::Events,
        ),
        "insufficient-capacity" => Broken(
            "AWS has no capacity for this class of instance in its zone: try again later, or with another class",
            Way::Events,
        ),
        _ => Meaning::Unknown,
    }
}

/// Whether an instance in this state answers queries. One that this version does not know is not said to
/// be down.
pub(super) fn serves(status: &str) -> bool {
    meaning(status) == Meaning::Serves
}

/// How bad a state is, what is behind it and what to do, for one in which the instance does not serve.
pub(super) fn advice(database: &Database) -> (Severity, &'static str, Hint) {
    let id = &database.id;
    match meaning(&database.status) {
        Meaning::Serves => (Severity::P3, "the instance serves", commands::database(id).into()),
        Meaning::UnderWay => (
            // Maintenance and a new name interrupt it for moments only.
            if matches!(database.status.as_str(), "maintenance" | "renaming") {
                Severity::P2
            } else {
                Severity::P1
            },
            "an operation is under way that ends by itself",
            commands::database_available(id).into(),
        ),
        Meaning::Broken(cause, way) => (
            Severity::P1,
            cause,
            match way {
                Way::Start => commands::start_database(id).into(),
                Way::MoreStorage => commands::grow_database(id, database.allocated),
                Way::Events => commands::database_events(id).into(),
                Way::Restore => commands::database_backups(id).into(),
            },
        ),
        Meaning::Unknown => (
            Severity::P2,
            "this state is not among those that bpctl knows; what it means for the platform is not known",
            commands::database_events(id).into(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(status: &str) -> (Severity, &'static str, String) {
        let (severity, cause, next) = advice(&Database {
            id: "db".to_owned(),
            status: status.to_owned(),
            allocated: Some(20),
            ..Database::default()
        });
        (severity, cause, next.line().to_string())
    }

    #[test]
    fn a_password_that_rotates_and_a_backup_are_no_outage() {
        for status in [
            "available",
            "backing-up",
            "modifying",
            "resetting-master-credentials",
            "storage-optimization",
            "delete-precheck",
        ] {
            assert!(serves(status), "{status}");
        }
    }

    #[test]
    fn every_other_state_of_the_guide_has_its_way_out() {
        for (status, way) in [
            ("creating", "wait db-instance-available"),
            ("rebooting", "wait db-instance-available"),
            ("starting", "wait db-instance-available"),
            ("upgrading", "wait db-instance-available"),
            ("stopped", "start-db-instance"),
            ("stopping", "start-db-instance"),
            ("storage-full", "--allocated-storage 30"),
            (
                "inaccessible-encryption-credentials-recoverable",
                "start-db-instance",
            ),
            ("inaccessible-encryption-credentials", "describe-db-snapshots"),
            ("failed", "describe-db-snapshots"),
            ("incompatible-restore", "describe-db-snapshots"),
            ("restore-error", "describe-db-snapshots"),
            ("deleting", "describe-events"),
            ("incompatible-network", "describe-events"),
            ("incompatible-option-group", "describe-events"),
            ("incompatible-parameters", "describe-events"),
            ("incompatible-create", "describe-events"),
            ("insufficient-capacity", "describe-events"),
        ] {
            assert!(!serves(status), "{status}");
            let (severity, _, next) = judged(status);
            assert_eq!(severity, Severity::P1, "{status}");
            assert!(next.contains(way), "{status}: {next}");
        }
        for status in ["maintenance", "renaming"] {
            assert_eq!(judged(status).0, Severity::P2, "{status}");
        }
    }

    #[test]
    fn an_unknown_state_is_not_called_an_outage() {
        let (severity, cause, _) = judged("dreaming");
        assert_eq!(severity, Severity::P2);
        assert!(cause.contains("not known"), "{cause}");
    }
}
