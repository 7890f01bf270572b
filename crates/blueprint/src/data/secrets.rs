//! The secrets, as they are until somebody fills them in.

use serde_json::{Map, Value, json};

use super::PLACEHOLDER;
use crate::build::{Resource, Template};
use crate::names::Names;
use crate::settings::{Layout, Settings};

/// The secret of the sign-in services, by its logical id.
pub(crate) const OAUTH: &str = "OauthSecrets";

/// The secrets that the backend's containers get values of, by their logical ids.
pub(crate) fn read_by_the_backend(layout: Layout) -> &'static [&'static str] {
    match layout {
        Layout::Single => &["DatabaseSecret", "LaravelAppKey", OAUTH, "AssetOpsSecret"],
        Layout::Staged => &["DatabaseSecret", "LaravelAppKey", "AssetOpsSecret"],
    }
}

/// The keys of the OAuth secret, each a variable of the backend in capital letters (runbook, "Secrets Reference").
pub(crate) const OAUTH_KEYS: [&str; 9] = [
    "google_client_id",
    "google_client_secret",
    "tiktok_client_id",
    "tiktok_client_secret",
    "apple_client_id",
    "apple_client_secret",
    "apple_key_id",
    "apple_team_id",
    "apple_private_key_p8_b64",
];

pub(super) fn add(template: &mut Template, settings: &Settings) {
    let names = Names::of(settings);
    let mut add = |logical: &str, path: &str, description: &str, content: (&str, Value), retained: bool| {
        let (how, value) = content;
        let secret = Resource::new(
            "AWS::SecretsManager::Secret",
            json!({ "Name": names.path(path), "Description": description, how: value }),
        );
        template.add(logical, secret.retained_if(retained));
    };
    // The database outlives its stack. Without these credentials nobody gets into it.
    let credentials = json!({
        "SecretStringTemplate": json!({ "username": "bp_admin" }).to_string(),
        "GenerateStringKey": "password",
        "PasswordLength": 30,
        "ExcludeCharacters": " %+~`#$&*()|[]{}:;<>?!'/@\"\\",
    });
    add(
        "DatabaseSecret",
        "rds/master-credentials",
        "RDS master credentials",
        ("GenerateSecretString", credentials),
        settings.keeps_data() && !settings.upstream_compatible,
    );
    add(
        "RedisAuth",
        "redis/auth-token",
        "Redis AUTH token (not used)",
        generated(32),
        false,
    );
    add(
        "LaravelAppKey",
        "laravel/app-key",
        "Laravel APP_KEY",
        generated(32),
        false,
    );
    add(
        OAUTH,
        "oauth/secrets",
        "OAuth client secrets",
        oauth(settings),
        false,
    );
    add(
        "AssetOpsSecret",
        "asset-ops/secret",
        "Shared secret of asset operations",
        generated(32),
        false,
    );
}

/// Random letters and digits.
fn generated(length: u32) -> (&'static str, Value) {
    let how = json!({ "ExcludePunctuation": true, "PasswordLength": length });
    ("GenerateSecretString", how)
}

/// Containers take keys out of this secret, and a task whose secret is no JSON does not start (Amazon ECS Developer
/// Guide, "Pass Secrets Manager secrets through Amazon ECS environment variables"). The platform begins with a random
/// text, so that no backend task starts before somebody fills it in.
fn oauth(settings: &Settings) -> (&'static str, Value) {
    if settings.upstream_compatible {
        return generated(32);
    }
    let keys: Map<String, Value> = OAUTH_KEYS
        .into_iter()
        .map(|key| (key.to_owned(), json!(PLACEHOLDER)))
        .collect();
    ("SecretString", json!(Value::Object(keys).to_string()))
}
