//! The parameters of the platform: pointers, configuration and secrets of the fleets, and a few of the core.

use std::collections::BTreeSet;
use std::time::Duration;

use fleet_scaling::fleet::FleetScaling;
use serde_json::json;

use super::fleet_scenarios;
use super::names::Names;
use crate::options::{FleetSeed, Layout};
use crate::service::ssm;
use crate::service::workload::PLACEHOLDER_SECRET;
use crate::world::World;

/// A parameter version written some days and hours before the world begins.
fn put(world: &mut World, hours_ago: u64, name: &str, value: &str, data_type: &str) {
    let at = world.now - Duration::from_secs(3600 * hours_ago);
    ssm::put_at(world, at, name, value, data_type);
}

/// Age of the deployment and of what was done on the day after it, in hours.
const DEPLOYED: u64 = 41 * 24;
const FILLED_IN: u64 = 40 * 24 - 5;

/// The parameters that belong to the whole platform or to a stage.
pub(super) fn platform(world: &mut World, names: &Names) {
    let account = world.options.account_id.clone();
    let stage = world.options.stage.clone();
    let (prefix, suffix, stages) = match world.options.layout {
        Layout::Single => {
            let fleets = world.options.effective_fleets();
            let stages: BTreeSet<String> = fleets
                .into_iter()
                .map(|fleet| fleet.stage)
                .chain(["staging".to_owned(), "production".to_owned()])
                .collect();
            (String::from("/bp"), String::new(), stages)
        }
        Layout::Staged => {
            let stages = BTreeSet::from([stage.clone()]);
            (format!("/bp/{stage}"), format!("-{stage}"), stages)
        }
    };
    for stage in stages {
        let name = names.fleet_secret(&stage);
        put(world, DEPLOYED, &name, PLACEHOLDER_SECRET, "text");
        if !fleet_scenarios::lacks_secret(world, &stage) {
            let secret = world.ids.hex(64);
            put(world, FILLED_IN, &name, &secret, "text");
        }
    }
    let redis = world.services.facts.redis_endpoint.clone();
    let bucket = format!("bp-models-{account}{suffix}");
    put(
        world,
        DEPLOYED,
        &format!("{prefix}/models/bucket"),
        &bucket,
        "text",
    );
    put(
        world,
        DEPLOYED,
        &format!("{prefix}/redis/endpoint"),
        &redis,
        "text",
    );
    if world.options.layout == Layout::Single {
        let profile = "bp-packer-instance-profile";
        put(world, DEPLOYED, "/bp/packer/instance_profile", profile, "text");
    }
}

/// The pointers and the configuration of one fleet.
pub(super) fn fleet(world: &mut World, names: &Names, fleet: &FleetSeed, scaling: &FleetScaling) {
    // The image before the present one is the way back.
    for hours_ago in [20 * 24, 6 * 24 + 3] {
        let image = world.ids.ec2("ami-");
        put(world, hours_ago, &names.ami(fleet), &image, "aws:ec2:image");
    }
    let bundle = match names.desired_config(fleet) {
        Some(name) => {
            let config = json!({
                "template_slug": fleet.template,
                "instance_type": scaling.instance_types.first(),
            });
            put(world, FILLED_IN, &name, &config.to_string(), "text");
            format!("bundles/{}", world.ids.uuid())
        }
        None => world.ids.uuid(),
    };
    let pointer = names.active_bundle(fleet);
    put(world, DEPLOYED, &pointer, "none", "text");
    put(world, 6 * 24, &pointer, &bundle, "text");
}
