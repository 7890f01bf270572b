//! The platform's buckets.

use std::time::Duration;

use crate::options::Layout;
use crate::service::s3;
use crate::world::World;

/// How long before the operator's arrival the data stack was deployed.
const AGE: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// Makes the buckets. Only that of the models keeps versions.
pub(super) fn place(world: &mut World) {
    let created = world.now - AGE;
    let suffix = match world.options.layout {
        Layout::Single => world.options.account_id.clone(),
        Layout::Staged => format!("{}-{}", world.options.account_id, world.options.stage),
    };
    for what in ["media", "models", "logs", "access-logs"] {
        s3::create_bucket(world, &format!("bp-{what}-{suffix}"), what == "models", created);
    }
}
