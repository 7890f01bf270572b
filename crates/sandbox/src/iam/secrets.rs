//! What requests to Secrets Manager ask of IAM.

use serde_json::Value;

use super::ask::Ask;
use crate::service::member::{list, text, texts};
use crate::service::secretsmanager;
use crate::world::World;

pub(super) fn asks(world: &World, operation: &str, action: &str, input: &Value) -> Vec<Ask> {
    let of = |action: &str, named: &str| {
        // A secret that does not exist is checked under the name that was given.
        let arn = secretsmanager::arn_of(world, named).unwrap_or_else(|| named.to_owned());
        Ask {
            shown: Some(named.to_owned()),
            ..Ask::new(action, arn)
        }
    };
    match operation {
        "ListSecrets" => vec![Ask::new(action, "*")],
        "BatchGetSecretValue" => {
            let mut asks = vec![Ask::new(action, "*")];
            asks.extend(
                texts(input, "SecretIdList")
                    .iter()
                    .map(|named| batch_secret(world, named)),
            );
            if !list(input, "Filters").is_empty() {
                asks.push(Ask::new("secretsmanager:ListSecrets", "*"));
            }
            asks
        }
        // A secret that is not there yet has no random end.
        "CreateSecret" => {
            let name = text(input, "Name").unwrap_or("*");
            let options = &world.options;
            let arn = format!(
                "arn:aws:secretsmanager:{}:{}:secret:{name}-AbCdEf",
                options.region, options.account_id
            );
            let mut asks = vec![Ask::new(action, arn.as_str())];
            // API Reference, CreateSecret: "To add tags, you need secretsmanager:TagResource".
            if !list(input, "Tags").is_empty() {
                asks.push(Ask::new("secretsmanager:TagResource", arn));
            }
            asks
        }
        _ => vec![of(action, text(input, "SecretId").unwrap_or("*"))],
    }
}

/// What BatchGetSecretValue asks about one secret; one that is refused becomes an entry of its `Errors`.
pub(crate) fn batch_secret(world: &World, named: &str) -> Ask {
    let arn = secretsmanager::arn_of(world, named).unwrap_or_else(|| named.to_owned());
    Ask {
        in_part: true,
        shown: Some(named.to_owned()),
        ..Ask::new("secretsmanager:GetSecretValue", arn)
    }
}
