//! The independent tier: the real binary against `ministack`, an emulator of AWS that is not ours.
//!
//! What the sandbox believes about AWS, bpctl believes too: here another implementation's belief answers. Run it with
//! `.ci/independent`, which installs the emulator.

#![expect(
    clippy::disallowed_methods,
    reason = "the seed speaks to the emulator past bpctl"
)]

#[path = "emulator/engine/mod.rs"]
mod engine;
#[path = "emulator/ministack.rs"]
mod ministack;
#[path = "emulator/platform.rs"]
mod platform;
#[path = "emulator/seed/mod.rs"]
mod seed;

#[path = "emulator/blueprint.rs"]
mod blueprint;
#[path = "emulator/fleet.rs"]
mod fleet;
#[path = "emulator/identity.rs"]
mod identity;
#[path = "emulator/lease.rs"]
mod lease;
#[path = "emulator/migrate.rs"]
mod migrate;
