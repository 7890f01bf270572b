//! Cluster, service, secrets, log group and database of the application.

use std::time::Duration;

use aws_sdk_ecs::types::{AwsVpcConfiguration, LaunchType, NetworkConfiguration};
use serde_json::json;
use tokio::time::{Instant, sleep_until};

use super::{Names, tasks};
use crate::platform::{Platform, client};

pub(crate) const SUBNETS: [&str; 2] = ["subnet-0aaaaaaaaaaaaaaaa", "subnet-0bbbbbbbbbbbbbbbb"];
pub(crate) const SECURITY_GROUP: &str = "sg-0cccccccccccccccc";
pub(crate) const DATABASE: &str = "bp-mariadb";

/// The application, with one task of its backend running.
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
    database(platform, &names).await;
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
    while running(platform, &names).await == 0 {
        sleep_until(Instant::now() + Duration::from_millis(100)).await;
    }
}

async fn running(platform: &Platform, names: &Names) -> i32 {
    let answer = client!(aws_sdk_ecs, platform)
        .describe_services()
        .cluster(names.cluster)
        .services(names.backend)
        .send()
        .await
        .expect("a service");
    answer.services()[0].running_count()
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

/// The database, and the stack whose output says where it is.
async fn database(platform: &Platform, names: &Names) {
    let created = client!(aws_sdk_rds, platform)
        .create_db_instance()
        .db_instance_identifier(DATABASE)
        .db_instance_class("db.t4g.medium")
        // The platform's is MariaDB, for which ministack wants a real container; to bpctl it is all the same.
        .engine("oracle-se2")
        .allocated_storage(20)
        .master_username("bp_admin")
        .master_user_password("secret-secret")
        .send()
        .await
        .expect("a database");
    let endpoint = created
        .db_instance()
        .and_then(|database| database.endpoint()?.address())
        .expect("an endpoint");
    stack(platform, names.data_stack, "RdsEndpoint", endpoint).await;
}

/// A stack for the sake of one output.
pub(super) async fn stack(platform: &Platform, name: &str, output: &str, value: &str) {
    let template = json!({
        "Resources": {"Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"}},
        "Outputs": {output: {"Value": value}},
    });
    client!(aws_sdk_cloudformation, platform)
        .create_stack()
        .stack_name(name)
        .template_body(template.to_string())
        .send()
        .await
        .expect("a stack");
}

/// Points the service to the newest revision of its task definition.
pub(crate) async fn deploy_newest(platform: &Platform) {
    let names = Names::of(platform);
    client!(aws_sdk_ecs, platform)
        .update_service()
        .cluster(names.cluster)
        .service(names.backend)
        .task_definition(names.backend)
        .send()
        .await
        .expect("a deployment");
}
