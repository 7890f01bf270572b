//! Service Quotas: those that fleets and services run into.

use serde_json::{Value, json};

use crate::error::{ApiError, OpResult};
use crate::service::member::{integer, page, present, text};
use crate::service::table::operations;
use crate::world::World;

operations! {
    Read ListServiceQuotas => list_service_quotas,
}

/// Service, quota code, name and the value applied to this account, in vCPUs (Service Quotas console; Amazon EC2 and
/// AWS Fargate endpoints and quotas).
const QUOTAS: &[(&str, &str, &str, f64)] = &[
    ("ec2", "L-DB2E81BA", "Running On-Demand G and VT instances", 8.0),
    ("ec2", "L-417A185B", "Running On-Demand P instances", 0.0),
    ("ec2", "L-3819A6DF", "All G and VT Spot Instance Requests", 96.0),
    ("ec2", "L-C4BD4855", "All P5 Spot Instance Requests", 192.0),
    (
        "ec2",
        "L-34B43A08",
        "All Standard (A, C, D, H, I, M, R, T, Z) Spot Instance Requests",
        640.0,
    ),
    (
        "fargate",
        "L-3032A538",
        "Fargate On-Demand vCPU resource count",
        140.0,
    ),
    ("fargate", "L-36FBB829", "Fargate Spot vCPU resource count", 140.0),
];

fn service_name(code: &str) -> Option<&'static str> {
    match code {
        "ec2" => Some("Amazon Elastic Compute Cloud (Amazon EC2)"),
        "fargate" => Some("AWS Fargate"),
        _ => None,
    }
}

fn list_service_quotas(world: &World, input: &Value) -> OpResult {
    let code = text(input, "ServiceCode").unwrap_or_default();
    let Some(name) = service_name(code) else {
        return Err(ApiError::client(
            "NoSuchResourceException",
            "The request failed because the specified service does not exist.",
        ));
    };
    let quotas = QUOTAS
        .iter()
        .filter(|(service, ..)| *service == code)
        .map(|(_, quota, title, value)| {
            json!({
                "ServiceCode": code,
                "ServiceName": name,
                "QuotaArn": format!(
                    "arn:aws:servicequotas:{}:{}:{code}/{quota}",
                    world.options.region, world.options.account_id
                ),
                "QuotaCode": quota,
                "QuotaName": title,
                "Value": value,
                "Unit": "None",
                "Adjustable": true,
                "GlobalQuota": false,
                "QuotaAppliedAtLevel": "ACCOUNT",
            })
        })
        .collect();
    let size = integer(input, "MaxResults").unwrap_or(100).clamp(1, 100) as usize;
    let (quotas, next) = page(quotas, text(input, "NextToken"), size, || {
        ApiError::client("InvalidPaginationTokenException", "Invalid NextToken")
    })?;
    Ok(present(json!({ "Quotas": quotas, "NextToken": next })))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Options;
    use crate::service::Service;

    #[test]
    fn quotas_are_listed_by_service() {
        let mut world = World::new(Options::default());
        let mut ask = |code: &str| {
            world.call(
                Service::ServiceQuotas,
                "ListServiceQuotas",
                &json!({"ServiceCode": code}),
            )
        };
        let quotas = ask("fargate").unwrap();
        assert_eq!(quotas["Quotas"][1]["QuotaCode"], "L-36FBB829");
        assert_eq!(ask("none").unwrap_err().code, "NoSuchResourceException");
    }
}
