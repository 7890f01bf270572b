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
    pub(super) redis: String,
    pub(super) asset_ops: String,
    pub(super) oauth: String,
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

/// The backend: nginx, php-fpm, scheduler and queue-worker, the PHP ones from the image tagged `php_tag`.
pub(super) fn backend(
    world: &World,
    names: &Names,
    arns: &SecretArns,
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
        environment: environment(world, names),
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

fn environment(world: &World, names: &Names) -> Vec<(String, String)> {
    let region = &world.options.region;
    let suffix = &names.bucket_suffix;
    [
        ("APP_ENV", names.environment.clone()),
        ("APP_DEBUG", (names.environment != "production").to_string()),
        ("LOG_CHANNEL", "stderr".to_owned()),
        ("DB_CONNECTION", "central".to_owned()),
        ("CENTRAL_DB_PORT", "3306".to_owned()),
        ("CENTRAL_DB_DATABASE", "bp".to_owned()),
        ("TENANT_POOL_1_DB_DATABASE", "tenant_pool_1".to_owned()),
        ("TENANT_POOL_2_DB_DATABASE", "tenant_pool_2".to_owned()),
        ("REDIS_HOST", world.services.facts.redis_endpoint.clone()),
        ("REDIS_PORT", "6379".to_owned()),
        ("QUEUE_CONNECTION", "database".to_owned()),
        ("FILESYSTEM_DISK", "s3".to_owned()),
        ("AWS_DEFAULT_REGION", region.clone()),
        ("AWS_BUCKET", format!("bp-media-{suffix}")),
        ("COMFYUI_MODELS_BUCKET", format!("bp-models-{suffix}")),
        ("COMFYUI_LOGS_BUCKET", format!("bp-logs-{suffix}")),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}

fn secrets(world: &World, names: &Names, arns: &SecretArns) -> Vec<(String, String)> {
    let (region, account) = (&world.options.region, &names.account);
    let database = |key: &str| format!("{}:{key}::", arns.database);
    // The key is referred to by name, without the six characters that end the ARN.
    let app_key = format!(
        "arn:aws:secretsmanager:{region}:{account}:secret:{}",
        names.secret("laravel/app-key")
    );
    let mut secrets = vec![
        ("APP_KEY".to_owned(), app_key),
        ("CENTRAL_DB_HOST".to_owned(), database("host")),
        ("CENTRAL_DB_USERNAME".to_owned(), database("username")),
        ("CENTRAL_DB_PASSWORD".to_owned(), database("password")),
        ("REDIS_PASSWORD".to_owned(), arns.redis.clone()),
        (
            "GOOGLE_CLIENT_SECRET".to_owned(),
            format!("{}:google_client_secret::", arns.oauth),
        ),
        ("COMFYUI_ASSET_OPS_SECRET".to_owned(), arns.asset_ops.clone()),
    ];
    for (variable, parameter) in &names.fleet_secrets {
        secrets.push((
            variable.clone(),
            format!("arn:aws:ssm:{region}:{account}:parameter{parameter}"),
        ));
    }
    secrets
}

/// The frontend: one Next.js container.
pub(super) fn frontend(world: &World, names: &Names, registered: SimTime) -> TaskDefinition {
    let repository = ecr::repository_uri(world, &names.frontend_repository);
    TaskDefinition {
        family: names.frontend.clone(),
        revision: 17,
        cpu: 512,
        memory: 1024,
        registered,
        containers: vec![ContainerDefinition {
            name: "nextjs".to_owned(),
            image: format!("{repository}:latest"),
            essential: true,
            environment: vec![("NODE_ENV".to_owned(), "production".to_owned())],
            port: Some(3000),
            log_group: names.frontend_logs.clone(),
            stream_prefix: "nextjs".to_owned(),
            health_check: Some(HealthCheck {
                command: owned(&["CMD-SHELL", "node healthcheck.js || exit 1"]),
                interval: 30,
                timeout: 10,
                retries: 3,
                start_period: 60,
            }),
            ..ContainerDefinition::default()
        }],
    }
}
