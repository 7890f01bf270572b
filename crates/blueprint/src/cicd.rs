//! The stack of the image repositories, and the role of GitHub's workflows where one is asked for.

use serde_json::{Value, json};

use crate::build::{Resource, Template, attribute, own_arn, reference, sub};
use crate::iam;
use crate::names::Names;
use crate::settings::{GitHub, Settings};

/// Where the tokens of GitHub's workflows come from (IAM User Guide, "Create an OpenID Connect identity provider").
const ISSUER: &str = "token.actions.githubusercontent.com";

/// A repository by its logical id and the service whose images it holds.
const REPOSITORIES: [(&str, &str); 2] = [("BackendRepo", "backend"), ("FrontendRepo", "frontend")];

pub(crate) fn template(settings: &Settings) -> Value {
    let names = Names::of(settings);
    let mut template = Template::new("ECR repositories");
    for (logical, what) in REPOSITORIES {
        template.add(logical, repository(&names.repository(what)));
        template.output(&format!("{logical}Uri"), attribute(logical, "RepositoryUri"));
    }
    if let Some(github) = &settings.github {
        deploy_role(&mut template, settings, github);
    }
    template.finish()
}

/// Keeps ten images (runbook, "Stacks"). Tags move, for services pull `latest` ones.
fn repository(name: &str) -> Resource {
    let lifecycle = json!({ "rules": [{
        "rulePriority": 1,
        "description": "keep the last 10 images",
        "selection": { "tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 10 },
        "action": { "type": "expire" },
    }] });
    Resource::new(
        "AWS::ECR::Repository",
        json!({
            "RepositoryName": name,
            "EmptyOnDelete": true,
            "ImageScanningConfiguration": { "ScanOnPush": true },
            "ImageTagMutability": "MUTABLE",
            "LifecyclePolicy": { "LifecyclePolicyText": lifecycle.to_string() },
        }),
    )
}

/// What `deploy` and `db-migrate` need: push images, deploy services, run a task and follow its log.
fn deploy_role(template: &mut Template, settings: &Settings, github: &GitHub) {
    let names = Names::of(settings);
    let provider = if github.provider_exists {
        sub(&format!(
            "arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:oidc-provider/{ISSUER}"
        ))
    } else {
        template.add(
            "GitHubProvider",
            Resource::new(
                "AWS::IAM::OIDCProvider",
                json!({ "Url": format!("https://{ISSUER}"), "ClientIdList": ["sts.amazonaws.com"] }),
            ),
        );
        reference("GitHubProvider")
    };
    let subject = format!("repo:{}:{}", github.repository, github.subject);
    let audience_key = format!("{ISSUER}:aud");
    let subject_key = format!("{ISSUER}:sub");
    let trust = json!({
        "Effect": "Allow",
        "Principal": { "Federated": provider },
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {
            "StringEquals": { audience_key: "sts.amazonaws.com" },
            "StringLike": { subject_key: subject },
        },
    });
    template.add(
        "GitHubDeployRole",
        Resource::new(
            "AWS::IAM::Role",
            json!({
                "AssumeRolePolicyDocument": iam::document(&[trust]),
                "Policies": [{ "PolicyName": "deploy", "PolicyDocument": iam::document(&may_deploy(names)) }],
            }),
        ),
    );
    template.output("GitHubDeployRoleArn", attribute("GitHubDeployRole", "Arn"));
}

fn may_deploy(names: Names<'_>) -> [Value; 7] {
    let repositories: Value = REPOSITORIES
        .iter()
        .map(|(logical, _)| attribute(logical, "Arn"))
        .collect();
    let cluster = names.system();
    let services: Value = ["backend", "frontend"]
        .iter()
        .map(|what| own_arn("ecs", &format!("service/{cluster}/{}", names.core(what))))
        .collect();
    let logs: Value = ["backend", "frontend"]
        .iter()
        .map(|what| own_arn("logs", &format!("log-group:{}:*", names.service_logs(what))))
        .collect();
    let roles = sub(&format!(
        "arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:role/{}-*",
        names.core("compute")
    ));
    [
        iam::allow(&["ecr:GetAuthorizationToken"], json!("*")),
        iam::allow(
            &[
                "ecr:BatchCheckLayerAvailability",
                "ecr:BatchGetImage",
                "ecr:CompleteLayerUpload",
                "ecr:DescribeImages",
                "ecr:GetDownloadUrlForLayer",
                "ecr:InitiateLayerUpload",
                "ecr:PutImage",
                "ecr:UploadLayerPart",
            ],
            repositories,
        ),
        iam::allow(&["ecs:DescribeServices", "ecs:UpdateService"], services),
        iam::allow(
            &["ecs:RunTask"],
            own_arn("ecs", &format!("task-definition/{}:*", names.core("backend"))),
        ),
        iam::allow(
            &["ecs:DescribeTasks", "ecs:StopTask"],
            own_arn("ecs", &format!("task/{cluster}/*")),
        ),
        iam::allow_when(
            &["iam:PassRole"],
            roles,
            "iam:PassedToService",
            "ecs-tasks.amazonaws.com",
        ),
        iam::allow(&["logs:GetLogEvents", "logs:FilterLogEvents"], logs),
    ]
}
