//! The backend's audit log of bundles: `POST …/ops/comfyui-assets/sync-logs`, which scripts write to with a secret.
//!
//! 201, 404 for a bundle that is not known and 422 for what is too long are the backend's; that another secret gives 401
//! is what its framework does by default.

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};

use crate::options::Layout;
use crate::service::{s3, secretsmanager};
use crate::world::World;

/// The end of the address.
const PATH: &str = "/ops/comfyui-assets/sync-logs";
/// The header with the secret.
const SECRET: &str = "x-asset-ops-secret";
/// The longest values, in characters.
const LONGEST: [(&str, usize); 4] = [
    ("bundle_id", 64),
    ("event", 64),
    ("notes", 2000),
    ("artifact_s3_key", 1024),
];

/// The entries, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) entries: Vec<Value>,
}

/// Answers a request that is for the audit log; `None` for any other.
pub(crate) fn answer(world: &mut World, request: &Request<Bytes>) -> Option<Response<Bytes>> {
    if request.method() != Method::POST || !request.uri().path().ends_with(PATH) {
        return None;
    }
    let (status, body) = judged(world, request);
    let mut response = Response::new(Bytes::from(body.to_string()));
    *response.status_mut() = status;
    let json = http::HeaderValue::from_static("application/json");
    response.headers_mut().insert("content-type", json);
    Some(response)
}

fn judged(world: &mut World, request: &Request<Bytes>) -> (StatusCode, Value) {
    let name = match world.options.layout {
        Layout::Single => "/bp/asset-ops/secret".to_owned(),
        Layout::Staged => format!("/bp/{}/asset-ops/secret", world.options.stage),
    };
    let given = request
        .headers()
        .get(SECRET)
        .and_then(|secret| secret.to_str().ok());
    if given.is_none() || given != secretsmanager::current_text(world, &name).as_deref() {
        return (StatusCode::UNAUTHORIZED, json!({"message": "Unauthorized."}));
    }
    let entry: Value = serde_json::from_slice(request.body()).unwrap_or_default();
    let text = |name: &str| entry[name].as_str().unwrap_or_default();
    let too_long = LONGEST
        .iter()
        .any(|(name, most)| text(name).chars().count() > *most);
    if text("bundle_id").is_empty() || text("event").is_empty() || too_long {
        return (
            StatusCode::UNPROCESSABLE_ENTITY,
            json!({"message": "The given data was invalid."}),
        );
    }
    let end = format!("/{}/manifest.json", text("bundle_id"));
    let bucket = match world.options.layout {
        Layout::Single => format!("bp-models-{}", world.options.account_id),
        Layout::Staged => format!("bp-models-{}-{}", world.options.account_id, world.options.stage),
    };
    if !s3::keys(world, &bucket).iter().any(|key| key.ends_with(&end)) {
        return (StatusCode::NOT_FOUND, json!({"message": "Bundle not found."}));
    }
    world.services.asset_ops.entries.push(entry.clone());
    (StatusCode::CREATED, json!({ "data": entry }))
}
