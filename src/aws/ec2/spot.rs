//! DescribeSpotPriceHistory: what Spot Instances cost now.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::InstanceType;
use jiff::Timestamp;

use super::super::Aws;
use super::super::convert::{date_time, time};
use super::super::pages::Pages;
use crate::error::{CtlError, ErrorKind, Required as _, Result};

/// Dollars an hour by instance type and zone.
pub(crate) type SpotPrices = BTreeMap<(String, String), f64>;

impl Aws {
    /// The prices in force at `now` for Linux, by type and zone; a type that has none is left out.
    ///
    /// "When you specify a start and end time, the operation returns the prices of the instance types within that time
    /// range. It also returns the last price change before the start time, which is the effective price as of the start
    /// time" (EC2 API Reference, DescribeSpotPriceHistory).
    pub(crate) async fn spot_prices(&self, types: &[String], now: Timestamp) -> Result<SpotPrices> {
        const REQUEST: &str = "DescribeSpotPriceHistory";
        if types.is_empty() {
            return Ok(SpotPrices::new());
        }
        let stream = self
            .ec2_client()
            .await?
            .describe_spot_price_history()
            .set_instance_types(Some(
                types
                    .iter()
                    .map(|kind| InstanceType::from(kind.as_str()))
                    .collect(),
            ))
            .product_descriptions("Linux/UNIX")
            .start_time(date_time(now))
            .end_time(date_time(now))
            .into_paginator()
            .send();
        let found = Pages::new("read the Spot prices", stream).all().await?;
        let mut newest: BTreeMap<(String, String), (Option<Timestamp>, f64)> = BTreeMap::new();
        for price in &found {
            let kind = price.instance_type().required(REQUEST, "InstanceType")?;
            let zone = price.availability_zone().required(REQUEST, "AvailabilityZone")?;
            let text = price.spot_price().required(REQUEST, "SpotPrice")?;
            let dollars: f64 = text.parse().map_err(|_| {
                CtlError::new(ErrorKind::Unexpected, "read the Spot prices")
                    .cause(format!("`{text}` is not a price"))
            })?;
            let at = time(price.timestamp());
            let place = (kind.as_str().to_owned(), zone.to_owned());
            let known = newest.entry(place).or_insert((at, dollars));
            if known.0 < at {
                *known = (at, dollars);
            }
        }
        Ok(newest
            .into_iter()
            .map(|(place, (_, dollars))| (place, dollars))
            .collect())
    }
}
