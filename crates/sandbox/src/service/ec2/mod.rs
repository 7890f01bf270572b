//! Elastic Compute Cloud: the network, the fleets' instances and what they are made of, and instances that somebody
//! starts one by one, with security groups of their own.
//!
//! Of the platform it keeps next to nothing. The network is what the network stack says, the fleets' instances are those
//! of the Auto Scaling groups, the images those that parameters have pointed to; every answer is put together from them.

mod compute;
mod describe;
mod group_rules;
mod image_creation;
mod image_removal;
mod images;
mod instances;
mod interfaces;
mod machine;
mod network;
mod run;
mod security_groups;
mod templates;
mod types;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

pub(crate) use image_removal::managed_by;
pub(crate) use images::{bake, register as register_image, share as share_image};
pub(crate) use machine::{running as running_machines, within as machine_within};
pub(crate) use security_groups::ingress;
pub(crate) use templates::{
    changed as template_changed, data_of as template_data, gone as template_gone, latest as latest_version,
    made as template_made,
};

use crate::error::ApiError;
use crate::service::cloudformation::{self, Resource};
use crate::service::member::flag;
use crate::service::table::operations;
use crate::world::World;

/// What no other service remembers.
#[derive(Debug, Default)]
pub(crate) struct State {
    images: Vec<images::Image>,
    /// The versions of the launch templates that were made or changed since the account was first looked at.
    templates: BTreeMap<String, templates::History>,
    /// Ids of images that were deregistered.
    gone_images: BTreeSet<String>,
    snapshots: Vec<images::Snapshot>,
    /// Instances outside Auto Scaling groups.
    machines: Vec<machine::Machine>,
    /// Security groups that no stack has made.
    made_groups: Vec<security_groups::Made>,
    /// The rules for incoming traffic of groups whose rules somebody has changed, as the API shows them.
    rules: BTreeMap<String, Vec<Value>>,
}

operations! {
    Write AuthorizeSecurityGroupIngress => group_rules::authorize,
    Write CreateImage => image_creation::create_image,
    Write CreateSecurityGroup => group_rules::create_security_group,
    Write DeleteSecurityGroup => group_rules::delete_security_group,
    Write DeleteSnapshot => image_removal::delete_snapshot,
    Write DeregisterImage => image_removal::deregister_image,
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
    Write RevokeSecurityGroupIngress => group_rules::revoke,
    Write RunInstances => run::run_instances,
    Write StopInstances => run::stop_instances,
    Write TerminateInstances => run::terminate_instances,
}

/// Every operation of EC2 can be tried without being carried out.
fn answers_dry_run(input: &Value) -> Result<(), ApiError> {
    if flag(input, "DryRun") == Some(true) {
        let message = "Request would have succeeded, but DryRun flag is set.";
        return Err(ApiError::client("DryRunOperation", message).with_status(412));
    }
    Ok(())
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
mod image_tests;
#[cfg(test)]
mod tests;
