//! The task definitions of backend and frontend.

use super::names::Names;
use crate::options::Layout;
use crate::service::ecr;
use crate::service::ecs::definition::{ContainerDefinition, HealthCheck, TaskDefinition};
use crate::time::SimTime;
use crate::world::World;

/// The secrets' ARNs that the backend's containers refer to.
#[derive(Clone, Debug)]
pub(super) struct SecretArns {
    pub(super) database: String,
    pub(super) asset_ops: String,
    pub(super) oauth: String,
}

/// Asks the frontend for its first page, at the address of the task.
const NODE_CHECK: &str = "const net=require('os').networkInterfaces();const ip=Object.values(net).flat().find(n=>n.family==='IPv4'&&!n.internal).address;require('http').get('http://'+ip+':3000/',r=>process.exit(r.statusCode<400?0:1)).on('error',()=>process.exit(1));";

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

/// The backend: nginx, php-fpm, scheduler and queue-worker, the PHP ones from the image tagged `php_tag`.
pub(super) fn backend(
    world: &World,
    names: &Names,
    arns: &SecretArns,
    base: &str,
    php_tag: &str,
    registered: SimTime,
) -> TaskDefinition {
    let repository = ecr::repository_uri(world, &names.backend_repository);
    let staged = world.options.layout == Layout::Staged;
    let shell = if staged {
        Vec::new()
    } else {
        owned(&["/bin/sh", "-lc"])
    };
    let php = |name: &str, prefix: &str, essential: bool, command: &[&str]| ContainerDefinition {
        name: name.to_owned(),
        image: format!("{repository}:{php_tag}"),
        essential,
        entry_point: shell.clone(),
        command: if shell.is_empty() {
            owned(command)
        } else {
            vec![command.join(" ")]
        },
        environment: environment(world, names, base),
        secrets: secrets(world, names, arns),
        port: None,
        log_group: names.backend_logs.clone(),
        stream_prefix: prefix.to_owned(),
        health_check: None,
    };
    let nginx = ContainerDefinition {
        name: "nginx".to_owned(),
        image: format!("{repository}:nginx-latest"),
        essential: true,
        port: Some(80),
        log_group: names.backend_logs.clone(),
        stream_prefix: "nginx".to_owned(),
        health_check: Some(HealthCheck {
            command: owned(&["CMD-SHELL", "wget -q -O /dev/null http://127.0.0.1/up || exit 1"]),
            interval: 30,
            timeout: 5,
            retries: 3,
            start_period: 60,
        }),
        ..ContainerDefinition::default()
    };
    let worker = [
        "php",
        "artisan",
        "queue:work",
        "--sleep=3",
        "--tries=3",
        "--max-time=3600",
    ];
    TaskDefinition {
        input: None,
        family: names.backend.clone(),
        revision: 42,
        cpu: 1024,
        memory: 2048,
        registered,
        containers: vec![
            nginx,
            php("php-fpm", "php", true, if staged { &[] } else { &["php-fpm"] }),
            php(
                "scheduler",
                "scheduler",
                false,
                &["php", "artisan", "schedule:work"],
            ),
            php("queue-worker", "queue", false, &worker),
        ],
    }
}

/// The variables of every PHP container: 28 in the single layout, 25 in the staged one.
fn environment(world: &World, names: &Names, base: &str) -> Vec<(String, String)> {
    let region = &world.options.region;
    let suffix = &names.bucket_suffix;
    let facts = &world.services.facts;
    let mut variables = vec![
        ("APP_ENV", names.environment.clone()),
        ("APP_DEBUG", (names.environment != "production").to_string()),
        ("APP_URL", base.to_owned()),
        ("LOG_CHANNEL", "stderr".to_owned()),
        ("DB_CONNECTION", "central".to_owned()),
        ("CENTRAL_DB_DRIVER", "mariadb".to_owned()),
        ("CENTRAL_DB_PORT", "3306".to_owned()),
        ("CENTRAL_DB_DATABASE", "bp".to_owned()),
        ("TENANT_POOL_1_DB_DRIVER", "mariadb".to_owned()),
        ("TENANT_POOL_1_DB_DATABASE", "tenant_pool_1".to_owned()),
        ("TENANT_POOL_2_DB_DRIVER", "mariadb".to_owned()),
        ("TENANT_POOL_2_DB_DATABASE", "tenant_pool_2".to_owned()),
        ("REDIS_HOST", facts.redis_endpoint.clone()),
        ("REDIS_PORT", "6379".to_owned()),
        ("CACHE_STORE", "redis".to_owned()),
        ("SESSION_DRIVER", "redis".to_owned()),
        ("QUEUE_CONNECTION", "database".to_owned()),
        ("FILESYSTEM_DISK", "s3".to_owned()),
        ("AWS_DEFAULT_REGION", region.clone()),
        ("COMFYUI_AWS_REGION", region.clone()),
        ("AWS_BUCKET", format!("bp-media-{suffix}")),
        ("COMFYUI_MODELS_BUCKET", format!("bp-models-{suffix}")),
        ("COMFYUI_MODELS_DISK", "comfyui_models".to_owned()),
        ("COMFYUI_LOGS_BUCKET", format!("bp-logs-{suffix}")),
        ("COMFYUI_LOGS_DISK", "comfyui_logs".to_owned()),
    ];
    if world.options.layout == Layout::Single {
        let key = "/var/www/html/storage/keys/Apple_AuthKey.p8";
        variables.push(("FRONTEND_URL", base.to_owned()));
        variables.push(("APPLE_PRIVATE_KEY", key.to_owned()));
        variables.push(("AWS_URL", format!("https://{}", facts.media_domain)));
    }
    variables
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// The secrets of every PHP container: 22 in the single layout, 12 in the staged one, which has no OAuth.
fn secrets(world: &World, names: &Names, arns: &SecretArns) -> Vec<(String, String)> {
    let (region, account) = (&world.options.region, &names.account);
    // The key is referred to by name, without the six characters that end the ARN.
    let app_key = format!(
        "arn:aws:secretsmanager:{region}:{account}:secret:{}",
        names.secret("laravel/app-key")
    );
    let mut secrets = vec![("APP_KEY".to_owned(), app_key)];
    for database in ["CENTRAL", "TENANT_POOL_1", "TENANT_POOL_2"] {
        for key in ["host", "username", "password"] {
            let variable = format!("{database}_DB_{}", key.to_ascii_uppercase());
            secrets.push((variable, format!("{}:{key}::", arns.database)));
        }
    }
    secrets.push(("COMFYUI_ASSET_OPS_SECRET".to_owned(), arns.asset_ops.clone()));
    if world.options.layout == Layout::Single {
        for key in OAUTH_KEYS {
            let variable = key.to_ascii_uppercase();
            secrets.push((variable, format!("{}:{key}::", arns.oauth)));
        }
    }
    for (variable, parameter) in &names.fleet_secrets {
        secrets.push((
            variable.clone(),
            format!("arn:aws:ssm:{region}:{account}:parameter{parameter}"),
        ));
    }
    secrets
}

/// What the OAuth secret holds.
pub(super) const OAUTH_KEYS: [&str; 9] = [
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

/// A value for a key of the OAuth secret made from `random`: the private key is a PEM file in base64, as Apple hands
/// it out (a `.p8` file), the others are texts.
pub(super) fn oauth_value(key: &str, random: &str) -> String {
    use base64::Engine as _;
    if key != "apple_private_key_p8_b64" {
        return random.to_owned();
    }
    let base64 = base64::engine::general_purpose::STANDARD;
    let body = base64.encode(random);
    base64.encode(format!(
        "-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n"
    ))
}

/// The frontend: one Next.js container.
pub(super) fn frontend(world: &World, names: &Names, base: &str, registered: SimTime) -> TaskDefinition {
    let repository = ecr::repository_uri(world, &names.frontend_repository);
    let staged = world.options.layout == Layout::Staged;
    TaskDefinition {
        input: None,
        family: names.frontend.clone(),
        revision: 17,
        cpu: 512,
        memory: 1024,
        registered,
        containers: vec![ContainerDefinition {
            name: "nextjs".to_owned(),
            image: format!("{repository}:latest"),
            essential: true,
            environment: match world.options.layout {
                Layout::Single => vec![
                    ("NODE_ENV".to_owned(), "production".to_owned()),
                    ("NEXT_PUBLIC_API_BASE_URL".to_owned(), format!("{base}/api")),
                    ("NEXT_PUBLIC_API_URL".to_owned(), format!("{base}/api")),
                ],
                Layout::Staged => vec![
                    ("NODE_ENV".to_owned(), "production".to_owned()),
                    ("NEXT_PUBLIC_API_URL".to_owned(), base.to_owned()),
                ],
            },
            port: Some(3000),
            log_group: names.frontend_logs.clone(),
            stream_prefix: "nextjs".to_owned(),
            health_check: Some(HealthCheck {
                command: match world.options.layout {
                    Layout::Single => owned(&["CMD", "node", "-e", NODE_CHECK]),
                    Layout::Staged => owned(&[
                        "CMD-SHELL",
                        "wget -q -O /dev/null http://localhost:3000/ || exit 1",
                    ]),
                },
                interval: 30,
                timeout: if staged { 5 } else { 10 },
                retries: 3,
                start_period: if staged { 30 } else { 60 },
            }),
            ..ContainerDefinition::default()
        }],
    }
}
