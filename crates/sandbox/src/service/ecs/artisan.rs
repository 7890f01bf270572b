//! The commands a container of the platform can run: Laravel's `artisan` and a few of the shell's.

use std::time::Duration;

use super::daemon::{Daemon, Kind as DaemonKind};
use super::migration::{self, Fault, Migration};
use super::process::{Act, Deed};
use super::shell::Clause;
use crate::service::rds;
use crate::world::World;

/// Which list of migrations a database gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Central,
    Tenant,
}

/// What is particular about the application in an image and where it runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Application {
    /// It dies with a PHP fatal error whenever it boots.
    pub(crate) fatal: bool,
    /// `APP_ENV=production`: destructive commands want `--force`.
    pub(crate) production: bool,
    /// The older code, whose `tenancy:pools-migrate` accepts `--force`.
    pub(crate) older: bool,
}

const CENTRAL_DATABASE: &str = "bp";
const POOLS: [&str; 2] = ["tenant_pool_1", "tenant_pool_2"];
/// Laravel prints to 80 columns when there is no terminal.
const COLUMNS: usize = 80;
/// Booting the framework takes this long, in milliseconds.
const BOOT: u64 = 900;
/// How many tenants a database holds.
const TENANTS: u64 = 20;

/// What a simple command does.
pub(crate) fn command(clause: &Clause, application: Application) -> Vec<Act> {
    let words: Vec<&str> = clause.words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["true" | ":", ..] => vec![finish(5, 0)],
        ["false", ..] => vec![finish(5, 1)],
        ["exit", status] => vec![Act::new(5, Deed::Quit(status.parse().unwrap_or(2)))],
        ["exit"] => vec![Act::new(5, Deed::Quit(0))],
        ["echo", rest @ ..] => vec![Act::say(5, rest.join(" ")), finish(1, 0)],
        ["sleep", time] => match seconds(time) {
            Some(milliseconds) => vec![finish(milliseconds, 0)],
            None => vec![
                Act::say(5, format!("sleep: invalid time interval '{time}'")),
                finish(1, 1),
            ],
        },
        ["nginx", ..] => serve(DaemonKind::Nginx),
        ["node" | "next", ..] => serve(DaemonKind::Next),
        ["php-fpm", ..] if application.fatal => fatal(),
        ["php-fpm", ..] => serve(DaemonKind::PhpFpm),
        // PHP reads the script from standard input, which is closed: nothing to do, status 0.
        ["php"] => vec![finish(60, 0)],
        ["php", "-v" | "--version", ..] => vec![
            Act::say(40, "PHP 8.3.15 (cli) (built: Dec 24 2024 18:48:26) (NTS)"),
            finish(1, 0),
        ],
        ["php", "artisan" | "./artisan" | "/var/www/html/artisan", ..] if application.fatal => fatal(),
        [
            "php",
            "artisan" | "./artisan" | "/var/www/html/artisan",
            rest @ ..,
        ] => artisan(rest, application),
        ["php", file, ..] => vec![
            Act::say(40, format!("Could not open input file: {file}")),
            finish(1, 1),
        ],
        [unknown, ..] => vec![
            Act::say(
                5,
                match clause.shell {
                    "/bin/sh" => format!("/bin/sh: 1: {unknown}: not found"),
                    entry_point => format!("{entry_point}: 9: exec: {unknown}: not found"),
                },
            ),
            finish(1, 127),
        ],
        [] => vec![finish(1, 0)],
    }
}

fn finish(after: u64, status: i32) -> Act {
    Act::new(after, Deed::Finish(status))
}

fn serve(kind: DaemonKind) -> Vec<Act> {
    vec![Act::new(300, Deed::Serve(Daemon::new(kind)))]
}

/// The milliseconds that `sleep`'s argument means.
fn seconds(time: &str) -> Option<u64> {
    let (number, unit) = match time.char_indices().last()? {
        (index, 's') => (&time[..index], 1),
        (index, 'm') => (&time[..index], 60),
        (index, 'h') => (&time[..index], 3600),
        _ => (time, 1),
    };
    let number: f64 = number.parse().ok()?;
    (number.is_finite() && number >= 0.0).then_some((number * 1000.0) as u64 * unit)
}

fn fatal() -> Vec<Act> {
    vec![
        Act::say(
            1_400,
            "PHP Fatal error:  Uncaught Error: Class \"App\\Providers\\BillingServiceProvider\" not found in /var/www/html/vendor/laravel/framework/src/Illuminate/Foundation/ProviderRepository.php:205",
        ),
        Act::say(0, "Stack trace:"),
        Act::say(
            0,
            "#0 /var/www/html/vendor/laravel/framework/src/Illuminate/Foundation/ProviderRepository.php(141): Illuminate\\Foundation\\ProviderRepository->createProvider()",
        ),
        Act::say(
            0,
            "#1 /var/www/html/vendor/laravel/framework/src/Illuminate/Foundation/Application.php(867): Illuminate\\Foundation\\ProviderRepository->load()",
        ),
        Act::say(0, "#2 {main}"),
        Act::say(
            0,
            "  thrown in /var/www/html/vendor/laravel/framework/src/Illuminate/Foundation/ProviderRepository.php on line 205",
        ),
        finish(1_600, 255),
    ]
}

fn artisan(arguments: &[&str], application: Application) -> Vec<Act> {
    let Some((name, arguments)) = arguments.split_first() else {
        return vec![Act::say(BOOT, "Laravel Framework 11.31.0"), finish(20, 0)];
    };
    match *name {
        "migrate" => migrate(arguments, application, false),
        "migrate:fresh" => migrate(arguments, application, true),
        "tenancy:pools-migrate" => pools_migrate(arguments, application),
        "db:seed" => seed(arguments, application),
        "schedule:work" => serve(DaemonKind::Scheduler),
        "queue:work" => serve(DaemonKind::QueueWorker),
        "--version" | "-V" => vec![Act::say(BOOT, "Laravel Framework 11.31.0"), finish(20, 0)],
        "cache:clear" => vec![
            Act::say(BOOT, "   INFO  Application cache cleared successfully."),
            finish(20, 0),
        ],
        "queue:restart" => vec![
            Act::say(BOOT, "   INFO  Broadcasting queue restart signal."),
            finish(20, 0),
        ],
        unknown => vec![
            Act::say(BOOT, format!("   ERROR  Command \"{unknown}\" is not defined.")),
            finish(20, 1),
        ],
    }
}

/// The first argument that is none of `options`, as Symfony's console refuses it.
fn unknown_option(arguments: &[&str], options: &[&str], synopsis: &str) -> Option<Vec<Act>> {
    let common = [
        "--no-interaction",
        "-n",
        "--ansi",
        "--no-ansi",
        "--quiet",
        "-q",
        "-v",
        "-vv",
        "-vvv",
        "--verbose",
    ];
    let wrong = arguments.iter().find_map(|argument| {
        let option = argument.split_once('=').map_or(*argument, |(option, _)| option);
        (!options.contains(&option) && !common.contains(&option)).then_some(option)
    })?;
    let (place, message) = if wrong.starts_with('-') {
        (
            "In ArgvInput.php line 226:",
            format!("  The \"{wrong}\" option does not exist."),
        )
    } else {
        (
            "In ArgvInput.php line 189:",
            format!("  No arguments expected, got \"{wrong}\"."),
        )
    };
    Some(vec![
        Act::say(BOOT, place),
        Act::say(0, message),
        Act::say(0, synopsis),
        finish(20, 1),
    ])
}

fn cancelled() -> Vec<Act> {
    vec![
        Act::say(
            BOOT,
            "                             APPLICATION IN PRODUCTION.                         ",
        ),
        Act::say(0, "   WARN  Command cancelled."),
        finish(20, 1),
    ]
}

fn migrate(arguments: &[&str], application: Application, fresh: bool) -> Vec<Act> {
    let options = [
        "--force",
        "--database",
        "--path",
        "--realpath",
        "--pretend",
        "--seed",
        "--step",
        "--isolated",
        "--graceful",
    ];
    if let Some(refusal) = unknown_option(
        arguments,
        &options,
        "migrate [--database [DATABASE]] [--force] [--path [PATH]] [--seed] [--step]",
    ) {
        return refusal;
    }
    if application.production && !arguments.contains(&"--force") {
        return cancelled();
    }
    vec![
        Act::new(
            BOOT,
            Deed::Plan {
                database: CENTRAL_DATABASE.to_owned(),
                kind: Kind::Central,
                fresh,
            },
        ),
        finish(50, 0),
    ]
}

fn pools_migrate(arguments: &[&str], application: Application) -> Vec<Act> {
    let mut options = vec!["--central", "--tenant", "--fresh", "--pools"];
    if application.older {
        options.push("--force");
    }
    let synopsis = "tenancy:pools-migrate [--central] [--tenant] [--fresh] [--pools [POOLS]]";
    if let Some(refusal) = unknown_option(arguments, &options, synopsis) {
        return refusal;
    }
    let pools: Vec<&str> = arguments
        .iter()
        .find_map(|argument| argument.strip_prefix("--pools="))
        .map(|pools| {
            pools
                .split(',')
                .map(str::trim)
                .filter(|pool| !pool.is_empty())
                .collect()
        })
        .unwrap_or_default();
    if let Some(unknown) = pools.iter().find(|pool| !POOLS.contains(pool)) {
        return vec![
            Act::say(
                BOOT,
                format!(
                    "   ERROR  Unknown tenant pool [{unknown}]. Known pools: {}.",
                    POOLS.join(", ")
                ),
            ),
            finish(20, 1),
        ];
    }
    let pools = if pools.is_empty() { POOLS.to_vec() } else { pools };
    let fresh = arguments.contains(&"--fresh");
    let both = arguments.contains(&"--central") == arguments.contains(&"--tenant");
    let mut acts = vec![Act::new(BOOT, Deed::Say("Migrating database pools.".to_owned()))];
    if both || arguments.contains(&"--central") {
        acts.push(Act::say(
            40,
            format!("Migrating central database [{CENTRAL_DATABASE}]."),
        ));
        acts.push(Act::new(
            350,
            Deed::Plan {
                database: CENTRAL_DATABASE.to_owned(),
                kind: Kind::Central,
                fresh,
            },
        ));
    }
    if both || arguments.contains(&"--tenant") {
        for pool in pools {
            acts.push(Act::say(
                120,
                format!("Ensuring tenant pool database [{pool}] exists."),
            ));
            acts.push(Act::say(180, format!("Migrating tenant pool database [{pool}].")));
            acts.push(Act::new(
                350,
                Deed::Plan {
                    database: pool.to_owned(),
                    kind: Kind::Tenant,
                    fresh,
                },
            ));
        }
    }
    acts.push(Act::say(60, "   INFO  All requested databases are migrated."));
    acts.push(finish(50, 0));
    acts
}

fn seed(arguments: &[&str], application: Application) -> Vec<Act> {
    if let Some(refusal) = unknown_option(
        arguments,
        &["--force", "--class", "--database"],
        "db:seed [--class [CLASS]] [--database [DATABASE]] [--force] [--] [<class>]",
    ) {
        return refusal;
    }
    if application.production && !arguments.contains(&"--force") {
        return cancelled();
    }
    let class = arguments
        .iter()
        .find_map(|argument| argument.strip_prefix("--class="))
        .unwrap_or("Database\\Seeders\\DatabaseSeeder");
    let class = if class.contains('\\') {
        class.to_owned()
    } else {
        format!("Database\\Seeders\\{class}")
    };
    let seeders: Vec<String> = if class.ends_with("\\DatabaseSeeder") {
        ["Plans", "Users", "Workflows", "Effects"]
            .iter()
            .map(|what| format!("Database\\Seeders\\{what}Seeder"))
            .collect()
    } else {
        vec![class]
    };
    vec![Act::new(BOOT, Deed::Seed { seeders })]
}

/// Seeds the central database, one seeder after another.
pub(crate) fn seed_with(world: &mut World, seeders: Vec<String>) -> Vec<Act> {
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
        let took = world.ids.between(180, 950);
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
pub(crate) fn plan(world: &mut World, database: &str, kind: Kind, fresh: bool) -> Vec<Act> {
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
        Kind::Central => migration::central(world),
        Kind::Tenant => migration::tenant(world),
    };
    let pending: Vec<Migration> = known
        .into_iter()
        .filter(|migration| !world.services.rds.databases.has_applied(database, migration.name))
        .collect();
    if pending.is_empty() {
        acts.push(Act::say(30, "   INFO  Nothing to migrate."));
        return acts;
    }
    acts.push(Act::say(30, "   INFO  Running migrations."));
    for migration in pending {
        let took = migration.milliseconds * world.ids.between(85, 130) / 100;
        if migration.fault == Some(Fault::Backfill) {
            let each = migration.milliseconds / TENANTS;
            for tenant in 1..=TENANTS {
                let what = format!("Migrating tenant_{tenant:04} in [{database}]");
                acts.push(Act::say(each, dotted(&what, Duration::from_millis(each), "DONE")));
            }
            let took = Duration::from_millis(migration.milliseconds);
            acts.push(migrating(0, database, migration, took));
        } else {
            acts.push(migrating(took, database, migration, Duration::from_millis(took)));
        }
    }
    acts
}

fn migrating(after: u64, database: &str, migration: Migration, took: Duration) -> Act {
    Act::new(
        after,
        Deed::Migrate {
            database: database.to_owned(),
            migration,
            took,
        },
    )
}

/// The end of one migration: done, or an exception that ends the command.
pub(crate) fn apply(world: &mut World, database: &str, migration: &Migration, took: Duration) -> Vec<Act> {
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
    if migration.fault == Some(Fault::UnknownColumn) {
        let table = table(migration);
        return failed(
            format!(
                "  SQLSTATE[42S22]: Column not found: 1054 Unknown column 'priority' in 'SET' (Connection: {connection}, SQL: update `{table}` set `rank` = `priority`)"
            ),
            3,
        );
    }
    if !world.services.rds.databases.apply(database, migration.name) && migration.fault.is_none() {
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
    use crate::service::ecs::shell::commands;

    fn said(command_line: &str, application: Application) -> (Vec<String>, Option<i32>) {
        let entry_point = ["/bin/sh".to_owned(), "-lc".to_owned()];
        let clauses = commands(&entry_point, &[command_line.to_owned()]);
        let mut lines = Vec::new();
        let mut status = None;
        for act in command(&clauses[0], application) {
            match act.deed {
                Deed::Say(line) => lines.push(line),
                Deed::Finish(code) | Deed::Quit(code) => status = Some(code),
                _ => {}
            }
        }
        (lines, status)
    }

    #[test]
    fn only_the_older_code_takes_force() {
        let (lines, status) = said(
            "php artisan tenancy:pools-migrate --force",
            Application::default(),
        );
        assert_eq!(status, Some(1));
        assert!(
            lines
                .iter()
                .any(|line| line.contains("The \"--force\" option does not exist."))
        );
        let older = Application {
            older: true,
            ..Application::default()
        };
        assert_eq!(
            said("php artisan tenancy:pools-migrate --force", older).1,
            Some(0)
        );
    }

    #[test]
    fn an_unknown_pool_or_program_is_refused() {
        let (lines, status) = said(
            "php artisan tenancy:pools-migrate --pools=tenant_pool_1,nine",
            Application::default(),
        );
        assert_eq!(status, Some(1));
        assert!(lines[0].contains("[nine]"));
        let (lines, status) = said("composer install", Application::default());
        assert_eq!(
            (lines[0].as_str(), status),
            ("/bin/sh: 1: composer: not found", Some(127))
        );
    }

    #[test]
    fn production_wants_force() {
        let production = Application {
            production: true,
            ..Application::default()
        };
        assert_eq!(said("php artisan migrate", production).1, Some(1));
        assert_eq!(said("php artisan migrate --force", production).1, Some(0));
        assert_eq!(said("php artisan db:seed", production).1, Some(1));
    }

    #[test]
    fn sleep_takes_units() {
        assert_eq!(seconds("2"), Some(2000));
        assert_eq!(seconds("0.5"), Some(500));
        assert_eq!(seconds("3m"), Some(180_000));
        assert_eq!(seconds("soon"), None);
    }

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
                fault: None,
            })
        };
        assert_eq!(table_of("0001_01_01_000000_create_users_table"), "users");
        assert_eq!(
            table_of("2026_01_12_080000_add_fleet_slug_to_ai_job_dispatches_table"),
            "ai_job_dispatches"
        );
    }
}
