//! EC2: the images that fleets start from, their machines and launch templates, and instances that are started one by
//! one.

mod create_image;
mod images;
mod instances;
mod network;
mod run;
mod security_groups;
mod snapshots;
mod spot;
mod templates;
mod types;
mod volumes;

pub(crate) use create_image::CreateImage;
pub(crate) use images::Image;
pub(crate) use instances::Machine;
pub(crate) use network::{Address, NatGateway};
pub(crate) use run::{RootVolume, RunInstances, StopInstances, TerminateInstances};
pub(crate) use security_groups::{
    AuthorizeIngress, CreateSecurityGroup, DefaultSubnet, DeleteSecurityGroup, Ingress, RevokeIngress,
    SecurityGroup,
};
pub(crate) use snapshots::{DeleteSnapshot, DeregisterImage, Snapshot};
pub(crate) use spot::SpotPrices;
pub(crate) use templates::Template;
pub(crate) use volumes::Volume;

/// Values of a filter (Amazon EC2 User Guide, "List and filter your resources": 200 for a filter).
const BATCH: usize = 200;
