//! The databases inside the RDS instance, as far as migrations see them.

use std::collections::{BTreeMap, BTreeSet};

use crate::world::World;

/// The databases by name.
#[derive(Debug, Default)]
pub(crate) struct Databases {
    schemas: BTreeMap<String, BTreeSet<String>>,
}

impl Databases {
    /// `CREATE DATABASE IF NOT EXISTS`.
    pub(crate) fn create(&mut self, name: &str) {
        self.schemas.entry(name.to_owned()).or_default();
    }

    /// Whether the database's `migrations` table lists the migration.
    pub(crate) fn has_applied(&self, name: &str, migration: &str) -> bool {
        self.schemas
            .get(name)
            .is_some_and(|applied| applied.contains(migration))
    }

    /// Whether nothing at all was ever migrated.
    pub(crate) fn is_empty(&self, name: &str) -> bool {
        self.schemas.get(name).is_none_or(BTreeSet::is_empty)
    }

    /// Notes a migration; `false` when it was there already.
    pub(crate) fn apply(&mut self, name: &str, migration: &str) -> bool {
        self.schemas
            .entry(name.to_owned())
            .or_default()
            .insert(migration.to_owned())
    }

    /// Drops all tables.
    pub(crate) fn wipe(&mut self, name: &str) {
        if let Some(applied) = self.schemas.get_mut(name) {
            applied.clear();
        }
    }
}

/// Whether a container of the platform can connect: the instance runs and the network lets it through.
pub(crate) fn accepts_connections(world: &World) -> bool {
    super::is_serving(world) && !crate::scenario::in_force(world, crate::scenario::Scenario::RdsRefused)
}
