//! Elastic Compute Cloud, as far as one can look at it: the network, the fleets' instances and what they are made of.
//!
//! It keeps next to nothing of its own. The network is what the network stack says, the instances are those of the
//! Auto Scaling groups, the images those that parameters have pointed to; every answer is put together from them.

mod compute;
mod describe;
mod images;
mod instances;
mod interfaces;
mod network;
mod security_groups;
mod templates;
mod types;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

pub(crate) use images::{bake, register as register_image, share as share_image};
pub(crate) use security_groups::ingress;

use crate::service::cloudformation::{self, Resource};
use crate::service::table::operations;
use crate::world::World;

/// What no other service remembers.
#[derive(Debug, Default)]
pub(crate) struct State {
    images: Vec<images::Image>,
}

operations! {
    Read DescribeAddresses => network::addresses,
    Read DescribeImages => images::images,
    Read DescribeInstanceTypeOfferings => types::offerings,
    Read DescribeInstanceTypes => types::types,
    Read DescribeInstances => instances::instances,
    Read DescribeLaunchTemplateVersions => templates::versions,
    Read DescribeLaunchTemplates => templates::templates,
    Read DescribeNatGateways => network::nat_gateways,
    Read DescribeNetworkInterfaces => interfaces::interfaces,
    Read DescribeRouteTables => network::route_tables,
    Read DescribeSecurityGroups => security_groups::security_groups,
    Read DescribeSnapshots => images::snapshots,
    Read DescribeSpotPriceHistory => types::spot_prices,
    Read DescribeSubnets => network::subnets,
    Read DescribeVolumes => compute::volumes,
    Read DescribeVpcs => network::vpcs,
}

/// The id of a thing that hangs on another: always the same one.
fn derived(prefix: &str, from: &str) -> String {
    let digest = Sha256::digest(format!("{prefix}{from}"));
    let hex: String = digest.iter().take(9).map(|byte| format!("{byte:02x}")).collect();
    format!("{prefix}{}", &hex[..17])
}

/// A number below `bound` that hangs on `from`: always the same one.
fn derived_number(from: &str, bound: u64) -> u64 {
    let digest = Sha256::digest(from);
    let number = digest
        .iter()
        .take(8)
        .fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
    number % bound.max(1)
}

/// The resources of one kind in all stacks, with the name of their stack.
fn resources<'a>(world: &'a World, kind: &'a str) -> impl Iterator<Item = (&'a str, &'a Resource)> {
    cloudformation::resources(world).filter(move |(_, resource)| resource.kind == kind)
}

/// The tags that CloudFormation gives to a resource of a stack, behind a name.
fn stack_tags(stack: &str, logical: &str, name: &str) -> Vec<Value> {
    [
        ("Name", name),
        ("aws:cloudformation:logical-id", logical),
        ("aws:cloudformation:stack-name", stack),
    ]
    .map(|(key, value)| json!({ "Key": key, "Value": value }))
    .into()
}

#[cfg(test)]
mod tests;
