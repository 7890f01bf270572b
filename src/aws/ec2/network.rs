//! DescribeNatGateways and DescribeAddresses: what of a network is paid for by the hour.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::super::Aws;
use super::super::convert::time;
use super::super::pages::Pages;
use crate::error::{Required as _, Result, from_sdk};

/// A NAT gateway.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct NatGateway {
    pub(crate) id: String,
    /// `pending`, `available`, `deleting`, …
    pub(crate) state: String,
    pub(crate) vpc: Option<String>,
    /// Its public addresses.
    pub(crate) addresses: usize,
    pub(crate) created: Option<Timestamp>,
}

/// An elastic IP address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) allocation: String,
    pub(crate) ip: String,
    /// Whether something has it.
    pub(crate) used: bool,
    pub(crate) tags: BTreeMap<String, String>,
}

/// Tags as pairs.
pub(super) fn tags(tags: &[aws_sdk_ec2::types::Tag]) -> BTreeMap<String, String> {
    let pair = |tag: &aws_sdk_ec2::types::Tag| {
        Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned()))
    };
    tags.iter().filter_map(pair).collect()
}

impl Aws {
    /// The NAT gateways of this region; those that were deleted within the last hour are left out.
    pub(crate) async fn nat_gateways(&self) -> Result<Vec<NatGateway>> {
        const REQUEST: &str = "DescribeNatGateways";
        let stream = self
            .ec2_client()
            .await?
            .describe_nat_gateways()
            .into_paginator()
            .send();
        let found = Pages::new("describe the NAT gateways", stream).all().await?;
        let mut gateways = Vec::with_capacity(found.len());
        for gateway in found {
            let state = gateway.state().required(REQUEST, "State")?.as_str().to_owned();
            if state == "deleted" {
                continue;
            }
            let addresses = gateway.nat_gateway_addresses().iter();
            gateways.push(NatGateway {
                id: gateway
                    .nat_gateway_id()
                    .required(REQUEST, "NatGatewayId")?
                    .to_owned(),
                state,
                vpc: gateway.vpc_id().map(str::to_owned),
                addresses: addresses.filter(|one| one.public_ip().is_some()).count(),
                created: time(gateway.create_time()),
            });
        }
        Ok(gateways)
    }

    /// The elastic IP addresses of this region.
    pub(crate) async fn elastic_addresses(&self) -> Result<Vec<Address>> {
        const REQUEST: &str = "DescribeAddresses";
        // The answer is whole: the operation has no pages.
        let answer = self
            .ec2_client()
            .await?
            .describe_addresses()
            .send()
            .await
            .map_err(|error| from_sdk("describe the elastic IP addresses", &error))?;
        answer
            .addresses()
            .iter()
            .map(|address| {
                Ok(Address {
                    allocation: address
                        .allocation_id()
                        .required(REQUEST, "AllocationId")?
                        .to_owned(),
                    ip: address.public_ip().required(REQUEST, "PublicIp")?.to_owned(),
                    used: address.association_id().is_some() || address.network_interface_id().is_some(),
                    tags: tags(address.tags()),
                })
            })
            .collect()
    }
}
