//! The command line that migrates.

use super::request::Databases;
use crate::layout::{LayoutKind, PoolName};

/// The words of the `artisan` command (runbooks: "Database Migrations").
///
/// The current code takes no `--force`; the older one, in the staged layout, wants it, and migrates
/// the central database alone with plain `migrate`, which knows no `--fresh`.
pub(super) fn artisan(layout: LayoutKind, wanted: &Databases) -> Vec<String> {
    let mut words = vec!["php".to_owned(), "artisan".to_owned()];
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

#[cfg(test)]
mod tests {
    use super::*;

    fn request(flags: &str) -> Databases {
        let has = |flag: &str| flags.split(' ').any(|given| given == flag);
        let pools: Vec<PoolName> = flags
            .split(' ')
            .find_map(|flag| flag.strip_prefix("pools="))
            .map(|pools| pools.split(',').map(|pool| pool.parse().unwrap()).collect())
            .unwrap_or_default();
        Databases {
            central: has("central"),
            tenant: has("tenant") || !pools.is_empty(),
            pools,
            fresh: has("fresh"),
            ..Databases::default()
        }
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
            assert_eq!(
                artisan(LayoutKind::Single, &request(flags)).join(" "),
                expected,
                "{flags}"
            );
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
            assert_eq!(
                artisan(LayoutKind::Staged, &request(flags)).join(" "),
                expected,
                "{flags}"
            );
        }
    }
}
