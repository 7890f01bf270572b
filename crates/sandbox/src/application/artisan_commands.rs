//! The commands a container of the platform can run: Laravel's `artisan` and a few of the shell's.

use super::command_line::Clause;
use super::database_commands::Kind;
use super::long_running::{Daemon, Kind as DaemonKind};
use super::process::{Act, Deed};

/// What is particular about the application in an image and where it runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Application {
    /// It dies with a PHP fatal error whenever it boots.
    pub(crate) fatal: bool,
    /// `php-fpm` refuses its configuration.
    pub(crate) no_fpm: bool,
    /// `APP_ENV=production`: destructive commands want `--force`.
    pub(crate) production: bool,
    /// The older code, whose `tenancy:pools-migrate` accepts `--force`.
    pub(crate) older: bool,
}

pub(super) const CENTRAL_DATABASE: &str = "bp";
const POOLS: [&str; 2] = ["tenant_pool_1", "tenant_pool_2"];
/// Booting the framework takes this long, in milliseconds.
const BOOT: u64 = 900;

/// What a simple command does.
pub(crate) fn command(clause: &Clause, application: Application) -> Vec<Act> {
    let words: Vec<&str> = clause.words.iter().map(String::as_str).collect();
    match words.as_slice() {
        // Folders, owners and files of the image are not simulated: what prepares them works.
        [
            "true" | ":" | "base64" | "cd" | "chown" | "mkdir" | "printf" | "umask",
            ..,
        ] => vec![finish(5, 0)],
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
        ["php-fpm", ..] if application.no_fpm => bad_pool(),
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

/// Ends the command `after` milliseconds.
pub(super) fn finish(after: u64, status: i32) -> Act {
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

/// A misspelt setting of the pool. php-fpm ends with `FPM_EXIT_CONFIG`, which is 78 (php-src, `sapi/fpm/fpm/fpm.h`).
fn bad_pool() -> Vec<Act> {
    vec![
        Act::say(
            60,
            "ERROR: [/usr/local/etc/php-fpm.d/www.conf:9] unknown entry 'pm.max_childern'",
        ),
        Act::say(
            1,
            "ERROR: Unable to include /usr/local/etc/php-fpm.d/www.conf from /usr/local/etc/php-fpm.conf at line 9",
        ),
        Act::say(
            1,
            "ERROR: failed to load configuration file '/usr/local/etc/php-fpm.conf'",
        ),
        Act::say(1, "ERROR: FPM initialization failed"),
        finish(1, 78),
    ]
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
        "about" => about(application),
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

/// The first of the tables that Laravel's `about` prints.
fn about(application: Application) -> Vec<Act> {
    let row = |name: &str, value: &str| {
        let dots = ".".repeat(78 - name.len() - value.len());
        Act::say(1, format!("  {name} {dots} {value}"))
    };
    let environment = if application.production {
        "production"
    } else {
        "staging"
    };
    let debug = if application.production { "OFF" } else { "ENABLED" };
    vec![
        Act::say(BOOT, ""),
        row("Environment", ""),
        row("Application Name", "BP"),
        row("Laravel Version", "11.31.0"),
        row("PHP Version", "8.3.15"),
        row("Composer Version", "2.8.4"),
        row("Environment", environment),
        row("Debug Mode", debug),
        row("Maintenance Mode", "OFF"),
        row("Timezone", "UTC"),
        row("Locale", "en"),
        finish(20, 0),
    ]
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::application::command_line::commands;

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
}
