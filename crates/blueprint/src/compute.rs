//! The compute stack: cluster, load balancer, and the two services with their tasks.

mod backend;
mod balancer;
mod frontend;
mod service;

use serde_json::{Value, json};

use crate::build::{Resource, Template, attribute, join, own_arn, reference, sub};
use crate::exports;
use crate::iam;
use crate::names::Names;
use crate::settings::Settings;

pub(crate) fn template(settings: &Settings) -> Value {
    let names = Names::of(settings);
    let mut template = Template::new("ECS cluster, load balancer and services");
    cluster(&mut template, names);
    balancer::add(&mut template, settings);
    backend::add(&mut template, settings);
    frontend::add(&mut template, settings);
    template.output("AlbDns", attribute("Alb", "DNSName"));
    template.output("ApiBaseUrl", base_url(settings));
    template.output("ClusterName", reference("Cluster"));
    exports::balancer_address(names).put(&mut template);
    exports::balancer_full_name(names).put(&mut template);
    exports::backend_targets_full_name(names).put(&mut template);
    template.finish()
}

fn cluster(template: &mut Template, names: Names<'_>) {
    template.add(
        "Cluster",
        Resource::new(
            "AWS::ECS::Cluster",
            json!({
                "ClusterName": names.system(),
                "ClusterSettings": [{ "Name": "containerInsights", "Value": "enabled" }],
            }),
        ),
    );
    template.add(
        "ClusterCapacityProviders",
        Resource::new(
            "AWS::ECS::ClusterCapacityProviderAssociations",
            json!({
                "Cluster": reference("Cluster"),
                "CapacityProviders": ["FARGATE", "FARGATE_SPOT"],
                "DefaultCapacityProviderStrategy": [],
            }),
        ),
    );
}

/// Where people and workers find the platform, without a slash at the end.
fn base_url(settings: &Settings) -> Value {
    address(settings, "")
}

/// A path of the platform's address.
fn address(settings: &Settings, path: &str) -> Value {
    match &settings.domain {
        Some(domain) => json!(format!("https://{}{path}", domain.name)),
        None => join(&[json!("http://"), attribute("Alb", "DNSName"), json!(path)]),
    }
}

/// An image of one of the platform's repositories.
fn image(names: Names<'_>, what: &str, tag: &str) -> Value {
    sub(&format!(
        "${{AWS::AccountId}}.dkr.ecr.${{AWS::Region}}.${{AWS::URLSuffix}}/{}:{tag}",
        names.repository(what)
    ))
}

/// Where a container writes its log: the stream is called `<prefix>/<container>/<task id>`.
fn log_configuration(logs: &str, prefix: &str) -> Value {
    json!({
        "LogDriver": "awslogs",
        "Options": {
            "awslogs-group": reference(logs),
            "awslogs-region": reference("AWS::Region"),
            "awslogs-stream-prefix": prefix,
        },
    })
}

/// Variables as a container definition lists them.
fn variables(variables: Vec<(&str, Value)>) -> Value {
    variables
        .into_iter()
        .map(|(name, value)| json!({ "Name": name, "Value": value }))
        .collect()
}

/// The log group of a service.
fn log_group(template: &mut Template, settings: &Settings, logical: &str, what: &str) {
    let name = Names::of(settings).service_logs(what);
    template.add(
        logical,
        Resource::new(
            "AWS::Logs::LogGroup",
            json!({ "LogGroupName": name, "RetentionInDays": settings.service_log_days() }),
        ),
    );
}

/// What starts a service's tasks may pull its images, write its log, and read what the containers get as secrets.
fn execution_role(names: Names<'_>, what: &str, logs: &str, secrets: &[Value]) -> Resource {
    let mut statements = vec![
        iam::allow(&["ecr:GetAuthorizationToken"], json!("*")),
        iam::allow(
            &[
                "ecr:BatchCheckLayerAvailability",
                "ecr:BatchGetImage",
                "ecr:GetDownloadUrlForLayer",
            ],
            own_arn("ecr", &format!("repository/{}", names.repository(what))),
        ),
        iam::allow(
            &["logs:CreateLogStream", "logs:PutLogEvents"],
            attribute(logs, "Arn"),
        ),
    ];
    statements.extend_from_slice(secrets);
    iam::role("ecs-tasks.amazonaws.com", &[], &statements)
}

/// What ECS Exec asks of a task's own role (Amazon ECS Developer Guide, "Task IAM role", "ECS Exec permissions").
fn exec() -> Value {
    iam::allow(
        &[
            "ssmmessages:CreateControlChannel",
            "ssmmessages:CreateDataChannel",
            "ssmmessages:OpenControlChannel",
            "ssmmessages:OpenDataChannel",
        ],
        json!("*"),
    )
}
