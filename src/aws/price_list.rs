//! The Price List Query API: what AWS' products cost.

use std::collections::BTreeMap;

use aws_config::retry::RetryConfig;
use aws_sdk_pricing::config::{Builder, Region};
use aws_sdk_pricing::types::{Filter, FilterType};
use aws_types::SdkConfig;
use jiff::Timestamp;
use serde_json::Value;

use super::Aws;
use super::pages::{Page, Pages};
use crate::error::{CtlError, ErrorKind, Result};

/// The most products of a page (API Reference, GetProducts, `MaxResults`).
const PAGE: i32 = 100;

/// Attempts per call: the prices that bpctl brings along are at hand, and not worth the wait for six.
const ATTEMPTS: u32 = 2;

/// A product of the list with its price on demand.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Listed {
    /// E.g. `regionCode`, `usagetype`, `instanceType`.
    pub(crate) attributes: BTreeMap<String, String>,
    /// By where they begin, the first one first.
    pub(crate) steps: Vec<Step>,
    /// When the list was published.
    pub(crate) published: Option<Timestamp>,
}

/// Dollars for a unit, from so many units of a month on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Step {
    pub(crate) from: f64,
    pub(crate) dollars: f64,
}

impl Listed {
    /// From the text of a member of `PriceList`: `product.attributes`, `terms.OnDemand.*.priceDimensions.*`, and
    /// `publicationDate` ("Reading the price list files", AWS Billing User Guide).
    ///
    /// `None` for what is no product with a price in dollars on demand: products that are only reserved have no such
    /// term, and China's prices are in yuan.
    fn parse(text: &str) -> Option<Self> {
        let document: Value = serde_json::from_str(text).ok()?;
        let attributes = document.pointer("/product/attributes")?.as_object()?;
        let attributes = attributes
            .iter()
            .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())));
        let terms = document.pointer("/terms/OnDemand")?.as_object()?;
        let mut steps = Vec::new();
        for term in terms.values() {
            for dimension in term.get("priceDimensions")?.as_object()?.values() {
                let number = |pointer: &str| dimension.pointer(pointer)?.as_str()?.parse::<f64>().ok();
                let dollars =
                    number("/pricePerUnit/USD").filter(|dollars| dollars.is_finite() && *dollars >= 0.0)?;
                steps.push(Step {
                    from: number("/beginRange").unwrap_or_default(),
                    dollars,
                });
            }
        }
        steps.sort_by(|one, other| one.from.total_cmp(&other.from));
        let published = document.get("publicationDate").and_then(Value::as_str);
        Some(Self {
            attributes: attributes.collect(),
            steps,
            published: published.and_then(|text| text.parse().ok()),
        })
    }

    /// An attribute; empty where the product has none of this name.
    pub(crate) fn attribute(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }

    /// Dollars for a unit in the first step that costs something; what is free of charge before it is not counted.
    pub(crate) fn first_paid(&self) -> Option<f64> {
        let paid = self.steps.iter().find(|step| step.dollars > 0.0);
        paid.map(|step| step.dollars)
    }
}

/// The list is asked for in few regions and says the same of all of them ("Using the AWS Price List Query API", AWS Billing
/// User Guide: us-east-1, eu-central-1 and ap-south-1; in China, cn-northwest-1).
fn home(region: &str) -> &'static str {
    match region.split('-').next() {
        Some("eu" | "il" | "me" | "af") => "eu-central-1",
        Some("ap") => "ap-south-1",
        Some("cn") => "cn-northwest-1",
        _ => "us-east-1",
    }
}

/// How the list is asked for.
pub(super) fn in_its_region(builder: Builder, config: &SdkConfig) -> Builder {
    let region = config.region().map_or("us-east-1", |region| region.as_ref());
    builder
        .region(Region::new(home(region)))
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
}

impl Page for aws_sdk_pricing::operation::get_products::GetProductsOutput {
    type Item = String;
    const OPERATION: &'static str = "GetProducts";
    const LIST: &'static str = "PriceList";

    fn list(self) -> Option<Vec<String>> {
        self.price_list
    }

    fn token(&self) -> Option<&str> {
        self.next_token.as_deref()
    }
}

impl Aws {
    /// The products of a service, by its code, whose attributes have all of these values.
    ///
    /// # Errors
    /// The caller may not ask, nobody answers, or the answer is no price list.
    pub(crate) async fn listed_products(
        &self,
        service: &str,
        attributes: &[(&'static str, String)],
    ) -> Result<Vec<Listed>> {
        let doing = format!("read the price list of {service}");
        let mut filters = Vec::with_capacity(attributes.len());
        for (field, value) in attributes {
            let filter = Filter::builder()
                .r#type(FilterType::TermMatch)
                .field(*field)
                .value(value)
                .build();
            filters
                .push(filter.map_err(|error| CtlError::new(ErrorKind::Unexpected, &*doing).source(&error))?);
        }
        let stream = self
            .pricing_client()
            .await?
            .get_products()
            .service_code(service)
            .set_filters(Some(filters))
            .format_version("aws_v1")
            .max_results(PAGE)
            .into_paginator()
            .send();
        let found = Pages::new(doing, stream).all().await?;
        Ok(found.iter().filter_map(|text| Listed::parse(text)).collect())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn product(dimensions: &Value) -> String {
        json!({
            "product": {"attributes": {"usagetype": "NatGateway-Hours"}, "sku": "A"},
            "terms": {"OnDemand": {"A.B": {"priceDimensions": dimensions}}},
            "publicationDate": "2026-09-11T12:45:02Z",
        })
        .to_string()
    }

    #[test]
    fn a_price_is_that_of_the_first_step_that_costs() {
        let steps = json!({
            "A.B.C": {"beginRange": "25", "endRange": "Inf", "pricePerUnit": {"USD": "0.2500000000"}},
            "A.B.D": {"beginRange": "0", "endRange": "25", "pricePerUnit": {"USD": "0.0000000000"}},
        });
        let listed = Listed::parse(&product(&steps)).unwrap();
        assert_eq!(
            listed.steps[0],
            Step {
                from: 0.0,
                dollars: 0.0
            }
        );
        assert_eq!(listed.first_paid(), Some(0.25));
        assert_eq!(listed.attribute("usagetype"), "NatGateway-Hours");
        assert_eq!(listed.published.unwrap().to_string(), "2026-09-11T12:45:02Z");
    }

    #[test]
    fn what_is_no_price_in_dollars_is_none() {
        for dimensions in [
            json!({"A.B.C": {"beginRange": "0", "pricePerUnit": {"CNY": "0.4"}}}),
            json!({"A.B.C": {"beginRange": "0", "pricePerUnit": {"USD": "much"}}}),
            json!({"A.B.C": {"beginRange": "0", "pricePerUnit": {"USD": "-1"}}}),
            json!({"A.B.C": {"beginRange": "0", "pricePerUnit": {"USD": "NaN"}}}),
        ] {
            assert_eq!(Listed::parse(&product(&dimensions)), None, "{dimensions}");
        }
        assert_eq!(Listed::parse("{}"), None);
        assert_eq!(Listed::parse("garbage"), None);
        let free = json!({"A.B.C": {"beginRange": "0", "pricePerUnit": {"USD": "0.0"}}});
        assert_eq!(Listed::parse(&product(&free)).unwrap().first_paid(), None);
    }

    #[test]
    fn the_list_is_asked_for_where_it_is() {
        let homes = [
            "us-west-2",
            "eu-west-1",
            "ap-northeast-1",
            "cn-north-1",
            "sa-east-1",
        ]
        .map(home);
        assert_eq!(
            homes,
            [
                "us-east-1",
                "eu-central-1",
                "ap-south-1",
                "cn-northwest-1",
                "us-east-1"
            ]
        );
    }
}
