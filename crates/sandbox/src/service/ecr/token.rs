//! GetAuthorizationToken: what `docker login` is given. Nothing accepts it: there is no registry behind the account.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::error::OpResult;
use crate::world::World;

/// "The authorization token is valid for 12 hours" (API reference).
const VALID: Duration = Duration::from_secs(12 * 60 * 60);

/// User and password are `AWS` and a long word; `registryIds` is deprecated and makes no difference to the token.
pub(super) fn get_authorization_token(world: &World, _input: &Value) -> OpResult {
    let options = &world.options;
    let digest = Sha256::digest(format!("registry {} {}", options.seed, world.now.0));
    let password: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(json!({
        "authorizationData": [{
            "authorizationToken": STANDARD.encode(format!("AWS:{password}")),
            "expiresAt": (world.now + VALID).epoch_seconds(),
            "proxyEndpoint": format!("https://{}.dkr.ecr.{}.amazonaws.com", options.account_id, options.region),
        }],
    }))
}
