//! Cluster, service, secrets, logs and stacks of the application.

use aws_sdk_cloudformation::types::StackStatus;
use aws_sdk_ecs::types::{AwsVpcConfiguration, LaunchType, NetworkConfiguration};
use serde_json::json;

use super::{Names, tasks};
use crate::platform::{Platform, client};

pub(crate) const SUBNETS: [&str; 2] = ["subnet-0aaaaaaaaaaaaaaaa", "subnet-0bbbbbbbbbbbbbbbb"];
pub(crate) const SECURITY_GROUP: &str = "sg-0cccccccccccccccc";

/// The application, with one task of its backend.
pub(crate) async fn application(platform: &Platform) {
    let names = Names::of(platform);
    let ecs = client!(aws_sdk_ecs, platform);
    platform.push(tasks::nginx_image(platform));
    platform.push(tasks::php_image(platform, None));
    client!(aws_sdk_cloudwatchlogs, platform)
        .create_log_group()
        .log_group_name(names.logs)
        .send()
        .await
        .expect("a log group");
    let secrets = secrets(platform, &names).await;
    tasks::register(platform, &secrets, "php-latest").await;
    ecs.create_cluster()
        .cluster_name(names.cluster)
        .send()
        .await
        .expect("a cluster");
    let vpc = AwsVpcConfiguration::builder()
        .set_subnets(Some(SUBNETS.map(str::to_owned).into()))
        .security_groups(SECURITY_GROUP)
        .build()
        .expect("a network");
    ecs.create_service()
        .cluster(names.cluster)
        .service_name(names.backend)
        .task_definition(names.backend)
        .desired_count(1)
        .launch_type(LaunchType::Fargate)
        .network_configuration(NetworkConfiguration::builder().awsvpc_configuration(vpc).build())
        .enable_execute_command(true)
        .send()
        .await
        .expect("a service");
}

/// Secrets Manager and Parameter Store, as name of the environment variable and where its value is.
async fn secrets(platform: &Platform, names: &Names) -> Vec<(String, String)> {
    let client = client!(aws_sdk_secretsmanager, platform);
    let database = json!({"host": "db.internal", "username": "bp_admin", "password": "secret"}).to_string();
    let mut secrets = Vec::new();
    for (variable, name, value, key) in [
        ("APP_KEY", "laravel/app-key", "base64:c2VjcmV0", ""),
        (
            "CENTRAL_DB_PASSWORD",
            "rds/master-credentials",
            &database,
            ":password::",
        ),
        ("REDIS_PASSWORD", "redis/auth-token", "secret", ""),
    ] {
        let created = client
            .create_secret()
            .name(format!("{}/{name}", names.secrets))
            .secret_string(value)
            .send()
            .await
            .expect("a secret");
        let arn = created.arn().expect("an ARN");
        secrets.push((variable.to_owned(), format!("{arn}{key}")));
    }
    secrets
}
