//! The migrations that the application's image carries.

use crate::scenario::Scenario;
use crate::scenario::in_force;
use crate::world::World;

/// One migration file of the application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Migration {
    pub(crate) name: &'static str,
    /// How long it takes on an idle database, in milliseconds.
    pub(crate) milliseconds: u64,
    /// It names a column that does not exist.
    pub(crate) faulty: bool,
}

const fn plain(name: &'static str, milliseconds: u64) -> Migration {
    Migration {
        name,
        milliseconds,
        faulty: false,
    }
}

/// The central database's migrations in order; the last two came with the newest image.
const CENTRAL: &[Migration] = &[
    plain("0001_01_01_000000_create_users_table", 84),
    plain("0001_01_01_000001_create_cache_table", 41),
    plain("0001_01_01_000002_create_jobs_table", 63),
    plain("2025_11_03_090000_create_tenants_table", 52),
    plain("2025_11_03_090100_create_domains_table", 48),
    plain("2025_11_10_101500_create_plans_table", 39),
    plain("2025_11_10_101600_create_subscriptions_table", 57),
    plain("2025_11_18_083000_create_workflows_table", 55),
    plain("2025_11_18_083100_create_effects_table", 61),
    plain("2025_12_01_140000_create_gpu_fleets_table", 58),
    plain("2025_12_01_140100_create_workers_table", 66),
    plain("2025_12_08_111000_create_ai_job_dispatches_table", 93),
    plain("2025_12_15_095500_create_comfyui_assets_table", 71),
    plain("2025_12_15_095600_create_comfyui_bundles_table", 69),
    plain("2026_01_12_080000_add_fleet_slug_to_ai_job_dispatches_table", 412),
    plain("2026_01_13_153000_create_comfyui_sync_logs_table", 74),
];

/// A tenant pool's migrations in order; the last one came with the newest image.
const TENANT: &[Migration] = &[
    plain("2025_11_04_120000_create_videos_table", 77),
    plain("2025_11_04_120100_create_files_table", 64),
    plain("2025_11_19_100000_create_ai_jobs_table", 88),
    plain("2025_12_02_091000_create_token_wallets_table", 53),
    plain("2025_12_02_091100_create_token_transactions_table", 59),
    plain("2026_01_12_081500_add_effect_payload_to_ai_jobs_table", 938),
];

/// How many of each list the running databases have not seen yet.
const NEW_CENTRAL: usize = 2;
const NEW_TENANT: usize = 1;

/// What the present image would apply to the central database.
pub(crate) fn central(world: &World) -> Vec<Migration> {
    with_faulty(
        world,
        CENTRAL,
        "2026_01_15_070000_copy_priority_to_ai_job_dispatches_table",
    )
}

/// What the present image would apply to a tenant pool.
pub(crate) fn tenant(world: &World) -> Vec<Migration> {
    with_faulty(world, TENANT, "2026_01_15_070100_copy_priority_to_ai_jobs_table")
}

fn with_faulty(world: &World, known: &[Migration], name: &'static str) -> Vec<Migration> {
    let mut migrations = known.to_vec();
    if in_force(world, Scenario::MigrationFails) {
        migrations.push(Migration {
            name,
            milliseconds: 31,
            faulty: true,
        });
    }
    migrations
}

/// What the central database had applied before the newest image.
pub(crate) fn applied_central() -> impl Iterator<Item = &'static str> {
    CENTRAL[..CENTRAL.len() - NEW_CENTRAL]
        .iter()
        .map(|migration| migration.name)
}

/// What a tenant pool had applied before the newest image.
pub(crate) fn applied_tenant() -> impl Iterator<Item = &'static str> {
    TENANT[..TENANT.len() - NEW_TENANT]
        .iter()
        .map(|migration| migration.name)
}
