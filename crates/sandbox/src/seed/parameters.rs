//! The parameters of the platform: pointers, configuration and secrets of the fleets, and a few of the core.

use std::collections::BTreeSet;
use std::time::Duration;

use fleet_templates::FleetScaling;
use serde_json::json;

use super::names::Names;
use super::{bundles, fleet_scenarios};
use crate::application::workload::PLACEHOLDER_SECRET;
use crate::options::{FleetSeed, Layout};
use crate::service::{ec2, ssm};
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
    for (_, name, value) in of_data_stack(world, names) {
        put(world, DEPLOYED, &name, &value, "text");
    }
    for stage in stages(world) {
        if !fleet_scenarios::lacks_secret(world, &stage) {
            let secret = world.ids.hex(64);
            put(world, FILLED_IN, &names.fleet_secret(&stage), &secret, "text");
        }
    }
}

/// The parameters that the data stack deploys: logical id, name, and the value that it gives them.
pub(super) fn of_data_stack(world: &World, names: &Names) -> Vec<(String, String, String)> {
    let account = &world.options.account_id;
    let stage = &world.options.stage;
    let (prefix, suffix) = match world.options.layout {
        Layout::Single => (String::from("/bp"), String::new()),
        Layout::Staged => (format!("/bp/{stage}"), format!("-{stage}")),
    };
    let mut parameters: Vec<_> = stages(world)
        .into_iter()
        .map(|stage| {
            let logical = match world.options.layout {
                Layout::Single => format!("FleetSecret{stage}"),
                Layout::Staged => "FleetSecret".to_owned(),
            };
            (logical, names.fleet_secret(&stage), PLACEHOLDER_SECRET.to_owned())
        })
        .collect();
    parameters.push((
        "ModelsBucketParam".to_owned(),
        format!("{prefix}/models/bucket"),
        format!("bp-models-{account}{suffix}"),
    ));
    if world.options.layout == Layout::Single {
        parameters.push((
            "PackerInstanceProfileParam".to_owned(),
            "/bp/packer/instance_profile".to_owned(),
            world.services.facts.packer_profile.clone(),
        ));
    }
    parameters.push((
        "RedisEndpointParam".to_owned(),
        format!("{prefix}/redis/endpoint"),
        world.services.facts.redis_endpoint.clone(),
    ));
    parameters
}

/// The stages that fleets may have.
fn stages(world: &World) -> BTreeSet<String> {
    match world.options.layout {
        Layout::Single => {
            let fleets = world.options.effective_fleets();
            fleets
                .into_iter()
                .map(|fleet| fleet.stage)
                .chain(["staging".to_owned(), "production".to_owned()])
                .collect()
        }
        Layout::Staged => BTreeSet::from([world.options.stage.clone()]),
    }
}

/// The pointers and the configuration of one fleet.
pub(super) fn fleet(world: &mut World, names: &Names, fleet: &FleetSeed, scaling: &FleetScaling) {
    // The image before the present one is the way back.
    let images = [20 * 24, 6 * 24 + 3].map(|hours_ago| {
        let image = world.ids.ec2("ami-");
        put(world, hours_ago, &names.ami(fleet), &image, "aws:ec2:image");
        image
    });
    let bundle = match names.desired_config(fleet) {
        Some(name) => {
            let config = json!({
                "version": 1,
                "template_slug": fleet.template,
                "instance_type": scaling.instance_types.first(),
                "ami_ssm_parameter": names.ami(fleet),
                "enabled": true,
            });
            put(world, FILLED_IN, &name, &config.to_string(), "text");
            format!("bundles/{}", world.ids.uuid())
        }
        None => world.ids.uuid(),
    };
    let id = bundle.trim_start_matches("bundles/").to_owned();
    let earlier = bundle.replace(&id, bundles::EARLIER);
    let pointer = names.active_bundle(fleet);
    put(world, DEPLOYED, &pointer, "none", "text");
    put(world, 20 * 24 - 1, &pointer, &earlier, "text");
    put(world, 6 * 24, &pointer, &bundle, "text");
    for (image, baked) in images.iter().zip([bundles::EARLIER, &id]) {
        ec2::bake(world, image, baked);
    }
}
