//! The Price List Query API: `GetProducts` over the dated list in `products.json`.
//!
//! The list has the products that the platform is billed for, and those beside them that share their families, in the
//! shape of AWS' own ("Using the AWS Price List Query API", AWS Billing User Guide; API Reference, GetProducts and
//! Filter). It is of one region and of [`PUBLISHED`]; a product of another region is not in it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::error::{ApiError, OpResult};
use crate::service::member::{integer, list, page, present, text};
use crate::service::table::operations;
use crate::world::World;

operations! {
    Read GetProducts => get_products,
}

/// When the list was published, as every product says.
const PUBLISHED: &str = "2026-09-11T12:45:02Z";
const VERSION: &str = "20260911124502";

/// The region of the list, and its name in it.
const REGION: (&str, &str) = ("us-east-1", "US East (N. Virginia)");

/// The code of terms on demand, and that of a rate without steps (Price List, "Reading the price list files").
const ON_DEMAND: &str = "JRTCKXETXF";
const ONE_RATE: &str = "6YS6EN2CT7";

/// The most products of a page (API Reference, GetProducts, `MaxResults`), and as many as it has unless told otherwise.
const PAGE: i64 = 100;

/// Services of the list, and how they are called in it.
const SERVICES: &[(&str, &str)] = &[
    ("AWSELB", "Elastic Load Balancing"),
    ("AWSSecretsManager", "AWS Secrets Manager"),
    ("AmazonCloudFront", "Amazon CloudFront"),
    ("AmazonCloudWatch", "AmazonCloudWatch"),
    ("AmazonEC2", "Amazon Elastic Compute Cloud"),
    ("AmazonECR", "Amazon EC2 Container Registry (ECR)"),
    ("AmazonECS", "Amazon Elastic Container Service"),
    ("AmazonElastiCache", "Amazon ElastiCache"),
    ("AmazonRDS", "Amazon Relational Database Service"),
    ("AmazonS3", "Amazon Simple Storage Service"),
    ("AmazonVPC", "Amazon Virtual Private Cloud"),
];

/// A line of the list.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Product {
    service: String,
    family: Option<String>,
    attributes: BTreeMap<String, String>,
    unit: String,
    description: String,
    /// From, to and dollars for a unit.
    tiers: Vec<(String, String, String)>,
}

impl Product {
    /// The list; the committed text is what the tests read.
    fn all() -> Vec<Self> {
        serde_json::from_str(include_str!("products.json")).unwrap_or_default()
    }

    /// With what every product of the service and region says.
    fn complete(mut self) -> Self {
        let name = SERVICES.iter().find(|(code, _)| *code == self.service);
        let mut say = |key: &str, value: &str| {
            self.attributes
                .entry(key.to_owned())
                .or_insert_with(|| value.to_owned());
        };
        if let Some((code, name)) = name {
            say("servicecode", code);
            say("servicename", name);
        }
        // CloudFront's products are of edge locations.
        if self.service != "AmazonCloudFront" {
            let (region, location) = REGION;
            say("regionCode", region);
            say("location", location);
            say("locationType", "AWS Region");
        }
        self
    }

    fn matches(&self, filter: &Value) -> Result<bool, ApiError> {
        let (field, wanted) = (
            text(filter, "Field").unwrap_or_default(),
            text(filter, "Value").unwrap_or_default(),
        );
        let has = match field {
            "ServiceCode" => Some(self.service.as_str()),
            "productFamily" => self.family.as_deref(),
            attribute => self.attributes.get(attribute).map(String::as_str),
        };
        // "you can provide multiple values as a comma-separated string" (API Reference, Filter, ANY_OF and NONE_OF).
        let is_one_of = || has.is_some_and(|has| wanted.split(',').any(|one| one.trim() == has));
        match text(filter, "Type").unwrap_or_default() {
            "TERM_MATCH" | "EQUALS" => Ok(has == Some(wanted)),
            "CONTAINS" => Ok(has.is_some_and(|has| has.contains(wanted))),
            "ANY_OF" => Ok(is_one_of()),
            "NONE_OF" => Ok(!is_one_of()),
            other => Err(invalid(format!("filter type {other} is invalid"))),
        }
    }

    /// Sixteen letters and digits that are the product's alone.
    fn sku(&self) -> String {
        let of = |key: &str| self.attributes.get(key).map_or("", String::as_str);
        let named = [
            &self.service,
            of("usagetype"),
            of("operation"),
            of("databaseEngine"),
            of("cacheEngine"),
        ];
        code(&named.join("|"), 16)
    }

    /// The JSON text that stands in `PriceList`.
    fn shown(&self) -> String {
        let sku = self.sku();
        let term = format!("{sku}.{ON_DEMAND}");
        let dimensions: Map<String, Value> = self
            .tiers
            .iter()
            .map(|(from, to, dollars)| {
                let rate = match self.tiers.len() {
                    1 => ONE_RATE.to_owned(),
                    _ => code(&format!("{sku}|{from}"), 10),
                };
                let code = format!("{term}.{rate}");
                let dimension = json!({
                    "unit": self.unit,
                    "beginRange": from,
                    "endRange": to,
                    "description": self.description,
                    "appliesTo": [],
                    "rateCode": code,
                    "pricePerUnit": { "USD": dollars },
                });
                (code, dimension)
            })
            .collect();
        present(json!({
            "product": { "productFamily": self.family, "attributes": self.attributes, "sku": sku },
            "serviceCode": self.service,
            "terms": { "OnDemand": { term: {
                "priceDimensions": dimensions,
                "sku": sku,
                "effectiveDate": "2026-09-01T00:00:00Z",
                "offerTermCode": ON_DEMAND,
                "termAttributes": {},
            } } },
            "version": VERSION,
            "publicationDate": PUBLISHED,
        }))
        .to_string()
    }
}

/// So many letters and digits that follow from a text (FNV-1a).
fn code(text: &str, length: usize) -> String {
    const LETTERS: &[u8] = b"23456789ABCDEFGHJKMNPQRSTUVWXYZ";
    let mut state: u64 = 0xcbf2_9ce4_8422_2325;
    let mut mix = |byte: u8| {
        state ^= u64::from(byte);
        state = state.wrapping_mul(0x0100_0000_01b3);
        state
    };
    for byte in text.bytes() {
        mix(byte);
    }
    (0..length)
        .map(|place| {
            let drawn = mix(u8::try_from(place).unwrap_or_default());
            char::from(LETTERS[((drawn >> 32) % LETTERS.len() as u64) as usize])
        })
        .collect()
}

fn invalid(what: impl std::fmt::Display) -> ApiError {
    ApiError::client(
        "InvalidParameterException",
        format!("Input Parameters are invalid. {what}"),
    )
}

fn get_products(world: &World, input: &Value) -> OpResult {
    let service = text(input, "ServiceCode").unwrap_or_default();
    if service.is_empty() {
        return Err(invalid("serviceCode cannot be null or empty"));
    }
    if !SERVICES.iter().any(|(known, _)| *known == service) {
        let message = format!("Service code {service} is not found.");
        return Err(ApiError::client("NotFoundException", message));
    }
    if text(input, "FormatVersion").is_some_and(|version| version != "aws_v1") {
        return Err(invalid("formatVersion is invalid"));
    }
    let mut found = Vec::new();
    for product in Product::all() {
        let mut product = product.complete();
        if product.service != service {
            continue;
        }
        let usage = product.attributes.get("usagetype");
        match usage.and_then(|usage| world.options.prices.get(usage)) {
            Some(None) => continue,
            Some(Some(price)) => {
                for (_, _, dollars) in &mut product.tiers {
                    dollars.clone_from(price);
                }
            }
            None => {}
        }
        let mut all = true;
        for filter in list(input, "Filters") {
            all &= product.matches(filter)?;
        }
        if all {
            found.push(product.shown());
        }
    }
    let size = integer(input, "MaxResults").unwrap_or(PAGE).clamp(1, PAGE);
    let (found, next) = page(
        found,
        text(input, "NextToken"),
        usize::try_from(size).unwrap_or(1),
        || ApiError::client("InvalidNextTokenException", "The pagination token is invalid."),
    )?;
    Ok(present(
        json!({ "FormatVersion": "aws_v1", "PriceList": found, "NextToken": next }),
    ))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::options::Options;
    use crate::service::Service;

    fn ask(world: &mut World, service: &str, filters: &[(&str, &str)]) -> Vec<Value> {
        let filters: Vec<Value> = filters
            .iter()
            .map(|(field, value)| json!({"Type": "TERM_MATCH", "Field": field, "Value": value}))
            .collect();
        let input = json!({"ServiceCode": service, "Filters": filters});
        let answer = world.call(Service::Pricing, "GetProducts", &input).unwrap();
        let all = answer["PriceList"].as_array().unwrap().iter();
        all.map(|one| serde_json::from_str(one.as_str().unwrap()).unwrap())
            .collect()
    }

    #[test]
    fn the_list_is_read_whole_and_each_product_has_a_number_of_its_own() {
        let all = Product::all();
        assert!(all.len() > 100, "{}", all.len());
        let numbers: BTreeSet<String> = all.iter().map(Product::sku).collect();
        assert_eq!(numbers.len(), all.len());
        for product in &all {
            assert!(SERVICES.iter().any(|(code, _)| *code == product.service));
            assert!(product.tiers.iter().all(|tier| tier.2.parse::<f64>().is_ok()));
        }
    }

    #[test]
    fn all_filters_must_match_and_a_price_is_where_aws_has_it() {
        let mut world = World::new(Options::default());
        let found = ask(
            &mut world,
            "AmazonRDS",
            &[
                ("regionCode", "us-east-1"),
                ("productFamily", "Database Instance"),
                ("databaseEngine", "MariaDB"),
                ("instanceType", "db.t4g.medium"),
                ("deploymentOption", "Multi-AZ"),
            ],
        );
        assert_eq!(found.len(), 1, "{found:#?}");
        let terms = found[0]["terms"]["OnDemand"].as_object().unwrap();
        let term = terms.values().next().unwrap();
        let dimensions = term["priceDimensions"].as_object().unwrap();
        let dimension = dimensions.values().next().unwrap();
        assert_eq!(dimension["pricePerUnit"]["USD"], "0.1290000000");
        assert_eq!(
            (&dimension["unit"], &dimension["endRange"]),
            (&json!("Hrs"), &json!("Inf"))
        );
        assert_eq!(found[0]["product"]["attributes"]["servicecode"], "AmazonRDS");
        assert_eq!(
            ask(&mut world, "AmazonRDS", &[("regionCode", "eu-west-1")]),
            [Value::Null; 0]
        );
    }

    #[test]
    fn pages_hold_as_many_as_asked_for_and_bad_input_is_refused() {
        let mut world = World::new(Options::default());
        let mut call = |input: Value| world.call(Service::Pricing, "GetProducts", &input);
        let first = call(json!({"ServiceCode": "AmazonECS", "MaxResults": 4})).unwrap();
        assert_eq!(first["PriceList"].as_array().unwrap().len(), 4);
        let next = first["NextToken"].clone();
        let second = call(json!({"ServiceCode": "AmazonECS", "MaxResults": 4, "NextToken": next})).unwrap();
        assert_eq!(second["PriceList"].as_array().unwrap().len(), 2);
        assert_eq!(second.get("NextToken"), None);
        let wrong = [
            (json!({"ServiceCode": "AmazonNothing"}), "NotFoundException"),
            (json!({"ServiceCode": ""}), "InvalidParameterException"),
            (
                json!({"ServiceCode": "AmazonECS", "NextToken": "x"}),
                "InvalidNextTokenException",
            ),
        ];
        for (input, code) in wrong {
            assert_eq!(call(input).unwrap_err().code, code);
        }
    }

    #[test]
    fn a_price_of_the_options_stands_in_for_the_lists_and_none_takes_the_product_away() {
        let mut world = World::new(Options {
            prices: [
                ("NatGateway-Hours".to_owned(), Some("0.9".to_owned())),
                ("NatGateway-Bytes".to_owned(), None),
            ]
            .into(),
            ..Options::default()
        });
        let found = ask(&mut world, "AmazonEC2", &[("productFamily", "NAT Gateway")]);
        assert_eq!(found.len(), 1);
        assert!(found[0].to_string().contains(r#""USD":"0.9""#), "{}", found[0]);
    }
}
