//! The commands of the application's `artisan`: how they are written, and how a task is known by them.

use crate::aws::ecs::Task;
use crate::layout::{LayoutKind, PoolName, SeederClass};

/// The command with these words.
pub(crate) fn artisan(words: &[&str]) -> Vec<String> {
    let all = ["php", "artisan"].iter().chain(words);
    all.map(|&word| word.to_owned()).collect()
}

/// The databases to migrate, and how.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Databases<'a> {
    pub(crate) central: bool,
    pub(crate) tenant: bool,
    /// None means all.
    pub(crate) pools: &'a [PoolName],
    /// Drop all tables first.
    pub(crate) fresh: bool,
}

/// The words that migrate (runbooks: "Database Migrations").
///
/// The current code takes no `--force`; the older one, in the staged layout, wants it, and migrates
/// the central database alone with plain `migrate`, which knows no `--fresh`.
pub(crate) fn migrate(layout: LayoutKind, wanted: &Databases<'_>) -> Vec<String> {
    let mut words = artisan(&[]);
    let mut add = |word: &str| words.push(word.to_owned());
    match layout {
        LayoutKind::Staged if wanted.central && !wanted.tenant && !wanted.fresh => {
            add("migrate");
            add("--force");
            return words;
        }
        LayoutKind::Staged => {
            add("tenancy:pools-migrate");
            add("--force");
        }
        LayoutKind::Single => add("tenancy:pools-migrate"),
    }
    if wanted.central {
        add("--central");
    }
    if wanted.tenant {
        add("--tenant");
    }
    if wanted.fresh {
        add("--fresh");
    }
    if !wanted.pools.is_empty() {
        let names: Vec<&str> = wanted.pools.iter().map(PoolName::as_ref).collect();
        add(&format!("--pools={}", names.join(",")));
    }
    words
}

/// The words that seed the database, with one seeder or all of them.
pub(crate) fn seed(class: Option<&SeederClass>) -> Vec<String> {
    let mut words = artisan(&["db:seed", "--force"]);
    words.extend(class.map(|class| format!("--class={class}")));
    words
}

/// Whether a one-off task migrates databases: bpctl started it for that, or its command says so.
pub(crate) fn is_migration(task: &Task) -> bool {
    let of_a_service = task
        .group
        .as_deref()
        .is_some_and(|group| group.starts_with("service:"));
    let ours = task
        .started_by
        .as_deref()
        .is_some_and(|by| by.starts_with("bpctl/migrate/"));
    let says = |line: &str| line.contains("pools-migrate") || line.contains("artisan migrate");
    let migrates = || task.commands.iter().any(|(_, command)| says(&command.join(" ")));
    !of_a_service && (ours || migrates())
}

/// Whether the command of a task seeds the database.
pub(crate) fn is_seeding(task: &Task, container: &str) -> bool {
    let command = task.command(container).unwrap_or_default();
    command.iter().any(|word| word.contains("db:seed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(layout: LayoutKind, flags: &str) -> String {
        let has = |flag: &str| flags.split(' ').any(|given| given == flag);
        let pools: Vec<PoolName> = flags
            .split(' ')
            .find_map(|flag| flag.strip_prefix("pools="))
            .map(|pools| pools.split(',').map(|pool| pool.parse().unwrap()).collect())
            .unwrap_or_default();
        let wanted = Databases {
            central: has("central"),
            tenant: has("tenant") || !pools.is_empty(),
            pools: &pools,
            fresh: has("fresh"),
        };
        migrate(layout, &wanted).join(" ")
    }

    #[test]
    fn the_current_code_takes_flags_and_no_force() {
        for (flags, expected) in [
            ("", "php artisan tenancy:pools-migrate"),
            ("central", "php artisan tenancy:pools-migrate --central"),
            ("tenant", "php artisan tenancy:pools-migrate --tenant"),
            (
                "central tenant",
                "php artisan tenancy:pools-migrate --central --tenant",
            ),
            ("fresh", "php artisan tenancy:pools-migrate --fresh"),
            (
                "pools=tenant_pool_1,tenant_pool_2",
                "php artisan tenancy:pools-migrate --tenant --pools=tenant_pool_1,tenant_pool_2",
            ),
            (
                "tenant fresh pools=a",
                "php artisan tenancy:pools-migrate --tenant --fresh --pools=a",
            ),
        ] {
            assert_eq!(words(LayoutKind::Single, flags), expected, "{flags}");
        }
    }

    #[test]
    fn the_older_code_wants_force() {
        for (flags, expected) in [
            ("", "php artisan tenancy:pools-migrate --force"),
            ("central", "php artisan migrate --force"),
            (
                "central fresh",
                "php artisan tenancy:pools-migrate --force --central --fresh",
            ),
            ("tenant", "php artisan tenancy:pools-migrate --force --tenant"),
            (
                "central tenant",
                "php artisan tenancy:pools-migrate --force --central --tenant",
            ),
            (
                "pools=a,b",
                "php artisan tenancy:pools-migrate --force --tenant --pools=a,b",
            ),
        ] {
            assert_eq!(words(LayoutKind::Staged, flags), expected, "{flags}");
        }
    }

    fn task(started_by: Option<&str>, command: &[&str]) -> Task {
        Task {
            started_by: started_by.map(str::to_owned),
            commands: vec![(
                "php-fpm".to_owned(),
                command.iter().map(|&word| word.to_owned()).collect(),
            )],
            ..Task::default()
        }
    }

    #[test]
    fn a_migration_is_known_by_its_starter_or_its_command() {
        for (started_by, command) in [
            (Some("bpctl/migrate/0af"), &[][..]),
            (None, &["php artisan tenancy:pools-migrate --tenant"]),
            (Some("github"), &["php", "artisan", "migrate", "--force"]),
            (None, &["php", "artisan", "migrate:fresh", "--force"]),
        ] {
            assert!(is_migration(&task(started_by, command)), "{command:?}");
        }
        for (started_by, command) in [
            (None, &[][..]),
            (Some("ecs-svc/123"), &[]),
            (Some("bpctl/seed/0af"), &["php artisan db:seed --force"]),
            (Some("github"), &["php artisan tinker"]),
        ] {
            assert!(!is_migration(&task(started_by, command)), "{command:?}");
        }
    }

    #[test]
    fn a_task_of_a_service_is_no_migration() {
        let mut task = task(None, &["php artisan migrate --force"]);
        task.group = Some("service:bp-backend".to_owned());
        assert!(!is_migration(&task));
        task.group = Some("family:bp-backend".to_owned());
        assert!(is_migration(&task));
    }
}
