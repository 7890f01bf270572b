//! Identity providers of OpenID Connect.

use serde_json::{Value, json};

use crate::error::{ApiError, OpResult};
use crate::service::member::{list, present, text, texts};
use crate::time::SimTime;
use crate::world::World;

/// Client IDs of a provider (IAM User Guide, "IAM and AWS STS quotas").
const CLIENTS: usize = 100;

/// Whose tokens the account trusts.
#[derive(Debug)]
pub(super) struct Provider {
    /// Without `https://`, as IAM shows it.
    url: String,
    clients: Vec<String>,
    thumbprints: Vec<String>,
    tags: Vec<Value>,
    created: SimTime,
}

pub(super) fn create(world: &mut World, input: &Value) -> OpResult {
    let given = text(input, "Url").unwrap_or_default();
    let Some(url) = given.strip_prefix("https://").filter(|host| !host.is_empty()) else {
        // API Reference, CreateOpenIDConnectProvider: "The URL must begin with https://".
        return Err(ApiError::client(
            "InvalidInput",
            "Invalid Open ID Connect Provider URL",
        ));
    };
    let url = url.trim_end_matches('/').to_owned();
    let arn = arn(world, &url);
    if world.services.iam.providers.contains_key(&arn) {
        let message = format!("Provider with url {given} already exists.");
        return Err(ApiError::client("EntityAlreadyExists", message).with_status(409));
    }
    let clients = texts(input, "ClientIDList");
    if clients.len() > CLIENTS {
        return Err(super::too_long("ClientIdsPerOpenIdConnectProvider", CLIENTS));
    }
    let tags = list(input, "Tags").to_vec();
    let provider = Provider {
        url,
        clients,
        thumbprints: texts(input, "ThumbprintList"),
        tags: tags.clone(),
        created: world.now,
    };
    world.services.iam.providers.insert(arn.clone(), provider);
    Ok(json!({"OpenIDConnectProviderArn": arn, "Tags": tags}))
}

pub(super) fn get(world: &World, input: &Value) -> OpResult {
    let arn = text(input, "OpenIDConnectProviderArn").unwrap_or_default();
    let provider = world.services.iam.providers.get(arn).ok_or_else(|| {
        let message = format!("OpenIDConnect Provider not found for arn {arn}");
        ApiError::client("NoSuchEntity", message).with_status(404)
    })?;
    Ok(present(json!({
        "Url": provider.url,
        "ClientIDList": provider.clients,
        "ThumbprintList": provider.thumbprints,
        "CreateDate": provider.created.epoch_seconds(),
        "Tags": provider.tags,
    })))
}

/// Lets a provider take other clients.
pub(crate) fn accept(world: &mut World, arn: &str, clients: Vec<String>) {
    if let Some(provider) = world.services.iam.providers.get_mut(arn) {
        provider.clients = clients;
    }
}

/// Takes a provider away.
pub(crate) fn remove(world: &mut World, arn: &str) {
    world.services.iam.providers.remove(arn);
}

fn arn(world: &World, url: &str) -> String {
    format!("arn:aws:iam::{}:oidc-provider/{url}", world.options.account_id)
}
