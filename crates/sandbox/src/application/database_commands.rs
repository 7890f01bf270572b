//! What the application's database commands do, statement by statement, as Laravel prints it.

use std::time::Duration;

use super::artisan_commands::{CENTRAL_DATABASE, finish};
use super::migrations::{self, Migration};
use super::process::{Act, Deed};
use crate::scenario::Scenario;
use crate::scenario::in_force;
use crate::service::rds;
use crate::world::World;

/// Which list of migrations a database gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Those of the central database.
    Central,
    /// Those of a tenant pool, and then its tenants one by one.
    Tenant,
}

/// Laravel prints to 80 columns when there is no terminal.
const COLUMNS: usize = 80;
/// How many tenants a pool holds.
const TENANTS: u64 = 20;
/// Milliseconds per tenant on a slow database: two pools take forty minutes.
const SLOW_TENANT: u64 = 60_000;
/// How much longer a statement takes on a slow database.
const SLOWNESS: u64 = 20;

/// Seeds the central database, one seeder after another.
pub(super) fn seed(world: &mut World, seeders: Vec<String>) -> Vec<Act> {
    if let Some(refusal) = refused(world, "central", "select exists(select 1 from `plans`)") {
        return refusal;
    }
    let mut acts = vec![Act::say(30, "   INFO  Seeding database.")];
    for seeder in seeders {
        if !seeder.ends_with("Seeder") {
            acts.push(Act::say(20, "In Container.php line 946:"));
            acts.push(Act::say(0, format!("  Target class [{seeder}] does not exist.")));
            acts.push(finish(20, 1));
            return acts;
        }
        let took = world.application_ids.between(180, 950);
        let dots = ".".repeat(COLUMNS.saturating_sub(seeder.len() + 13));
        acts.push(Act::say(10, format!("  {seeder} {dots} RUNNING")));
        let time = format!("{took} ms");
        let dots = ".".repeat(COLUMNS.saturating_sub(seeder.len() + time.len() + 11));
        acts.push(Act::say(took, format!("  {seeder} {dots} {time} DONE")));
    }
    acts.push(finish(50, 0));
    acts
}

/// The exception of a database that does not let the application in.
fn refused(world: &World, connection: &str, sql: &str) -> Option<Vec<Act>> {
    (!rds::database::accepts_connections(world)).then(|| {
        vec![
            Act::say(1_050, "In Connection.php line 829:"),
            Act::say(
                0,
                format!("  SQLSTATE[HY000] [2002] Connection refused (Connection: {connection}, SQL: {sql})"),
            ),
            finish(40, 1),
        ]
    })
}

fn connection(database: &str) -> &str {
    if database == CENTRAL_DATABASE {
        "central"
    } else {
        database
    }
}

/// What migrating a database comes to, seen from its present state.
pub(super) fn plan(world: &mut World, database: &str, kind: Kind, fresh: bool) -> Vec<Act> {
    let sql = format!(
        "select exists (select 1 from information_schema.tables where table_schema = '{database}' and table_name = 'migrations' and table_type in ('BASE TABLE', 'SYSTEM VERSIONED')) as `exists`"
    );
    if let Some(refusal) = refused(world, connection(database), &sql) {
        return refusal;
    }
    let mut acts = Vec::new();
    let databases = &mut world.services.rds.databases;
    databases.create(database);
    if fresh {
        databases.wipe(database);
        acts.push(Act::say(
            640,
            dotted("Dropping all tables", Duration::from_millis(612), "DONE"),
        ));
    }
    if world.services.rds.databases.is_empty(database) {
        acts.push(Act::say(20, "   INFO  Preparing database."));
        acts.push(Act::say(
            70,
            dotted("Creating migration table", Duration::from_millis(58), "DONE"),
        ));
    }
    let known = match kind {
        Kind::Central => migrations::central(world),
        Kind::Tenant => migrations::tenant(world),
    };
    let pending: Vec<Migration> = known
        .into_iter()
        .filter(|migration| !world.services.rds.databases.has_applied(database, migration.name))
        .collect();
    let slow = in_force(world, Scenario::MigrationSlow);
    if pending.is_empty() {
        acts.push(Act::say(30, "   INFO  Nothing to migrate."));
    } else {
        acts.push(Act::say(30, "   INFO  Running migrations."));
    }
    for migration in pending {
        let mut took = migration.milliseconds * world.application_ids.between(85, 130) / 100;
        if slow {
            took *= SLOWNESS;
        }
        acts.push(Act::new(
            took,
            Deed::Migrate {
                database: database.to_owned(),
                migration,
                took: Duration::from_millis(took),
            },
        ));
    }
    if kind == Kind::Tenant {
        // Nobody has signed up at a platform that was empty when it was made.
        let tenants = if world.options.empty { 0 } else { TENANTS };
        for tenant in 1..=tenants {
            let took = if slow {
                SLOW_TENANT
            } else {
                world.application_ids.between(30, 70)
            };
            let what = format!("Migrating tenant_{tenant:04} in [{database}]");
            acts.push(Act::say(took, dotted(&what, Duration::from_millis(took), "DONE")));
        }
    }
    acts
}

/// The end of one migration: done, or an exception that ends the command.
pub(super) fn apply(world: &mut World, database: &str, migration: &Migration, took: Duration) -> Vec<Act> {
    let failed = |message: String, status: i32| {
        vec![
            Act::say(0, dotted(migration.name, took, "FAIL")),
            Act::say(10, "In Connection.php line 829:"),
            Act::say(0, message),
            finish(60, status),
        ]
    };
    let connection = connection(database);
    if !rds::database::accepts_connections(world) {
        return failed(
            format!(
                "  SQLSTATE[HY000]: General error: 2006 MySQL server has gone away (Connection: {connection}, SQL: {})",
                statement(migration)
            ),
            1,
        );
    }
    if migration.faulty {
        let table = table(migration);
        return failed(
            format!(
                "  SQLSTATE[42S22]: Column not found: 1054 Unknown column 'priority' in 'SET' (Connection: {connection}, SQL: update `{table}` set `rank` = `priority`)"
            ),
            3,
        );
    }
    if !world.services.rds.databases.apply(database, migration.name) {
        let table = table(migration);
        return failed(
            format!(
                "  SQLSTATE[42S01]: Base table or view already exists: 1050 Table '{table}' already exists (Connection: {connection}, SQL: {})",
                statement(migration)
            ),
            1,
        );
    }
    vec![Act::say(0, dotted(migration.name, took, "DONE"))]
}

/// The table that a migration's name speaks of: what stands before `_table`, after its verb.
fn table(migration: &Migration) -> &'static str {
    let name = migration.name.get(18..).unwrap_or(migration.name);
    let name = name.strip_suffix("_table").unwrap_or(name);
    match name.rsplit_once("_to_") {
        Some((_, table)) => table,
        None => name.strip_prefix("create_").unwrap_or(name),
    }
}

fn statement(migration: &Migration) -> String {
    let verb = if migration.name.contains("_create_") {
        "create"
    } else {
        "alter"
    };
    format!("{verb} table `{}` …", table(migration))
}

/// Laravel's two-column line: `  name ........ 12.34ms DONE`.
fn dotted(name: &str, took: Duration, outcome: &str) -> String {
    let milliseconds = took.as_millis();
    let time = if milliseconds >= 60_000 {
        format!("{}m {}s", milliseconds / 60_000, milliseconds / 1000 % 60)
    } else if milliseconds > 1000 {
        format!("{}s", milliseconds / 1000)
    } else {
        format!("{milliseconds}.{:02}ms", milliseconds * 7 % 100)
    };
    let dots = COLUMNS.saturating_sub(name.chars().count() + time.len() + 11);
    format!("  {name} {} {time} {outcome}", ".".repeat(dots))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dotted_line_fills_eighty_columns() {
        let line = dotted(
            "0001_01_01_000000_create_users_table",
            Duration::from_millis(84),
            "DONE",
        );
        assert_eq!(line.len(), 80 - 2);
        assert!(line.starts_with("  0001_01_01_000000_create_users_table ...") && line.ends_with("ms DONE"));
    }

    #[test]
    fn a_migration_names_its_table() {
        let table_of = |name| {
            table(&Migration {
                name,
                milliseconds: 1,
                faulty: false,
            })
        };
        assert_eq!(table_of("0001_01_01_000000_create_users_table"), "users");
        assert_eq!(
            table_of("2026_01_12_080000_add_fleet_slug_to_ai_job_dispatches_table"),
            "ai_job_dispatches"
        );
    }
}
