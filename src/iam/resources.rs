//! What the kinds of things are in a place: ARNs, and what must hold besides.

use std::collections::BTreeMap;

use super::arns::{
    alarms, cdk_execution_role, every_bucket, every_cluster, every_stack, in_every_cluster, legacy_stacks,
    logs, stacks,
};
use super::document::Conditions;
use super::place::Place;
use super::trust;
use super::uses::On;
use crate::layout::App;

impl On {
    /// The ARNs or patterns of the things in a place.
    pub(super) fn resources(self, place: &Place) -> Vec<String> {
        let layout = &place.layout;
        let cluster = layout.cluster();
        let apps = [App::Backend, App::Frontend];
        let ecs = |rest: String| place.regional("ecs", &rest);
        let parameters = |names: Vec<String>| -> Vec<String> {
            let arn = |name: String| place.regional("ssm", &format!("parameter{name}"));
            names.into_iter().map(arn).collect()
        };
        let of_services = |kind: &str| -> Vec<String> {
            let services = apps.map(|app| layout.service(app));
            let arns = services
                .iter()
                .map(|name| ecs(format!("service/{cluster}/{name}")))
                .chain(
                    services
                        .iter()
                        .map(|name| ecs(format!("{kind}/{cluster}/{name}/*"))),
                );
            arns.collect()
        };
        match self {
            Self::Anything | Self::AnythingInCluster | Self::AnythingInEveryCluster => vec!["*".to_owned()],
            Self::CommandsInTasks => {
                vec![
                    ecs(format!("cluster/{cluster}")),
                    ecs(format!("task/{cluster}/*")),
                ]
            }
            Self::Services => apps
                .map(|app| ecs(format!("service/{cluster}/{}", layout.service(app))))
                .to_vec(),
            Self::AllServices => vec![ecs(format!("service/{cluster}/*"))],
            Self::EveryService => in_every_cluster(place, "service"),
            Self::EveryTask => in_every_cluster(place, "task"),
            Self::Tasks | Self::TagsOfNewTasks => vec![ecs(format!("task/{cluster}/*"))],
            Self::Deployments => of_services("service-deployment"),
            Self::Revisions => of_services("service-revision"),
            Self::BackendDefinitions => {
                vec![ecs(format!(
                    "task-definition/{}:*",
                    layout.task_family(App::Backend)
                ))]
            }
            Self::Definitions | Self::TagsOfNewDefinitions => apps
                .map(|app| ecs(format!("task-definition/{}:*", layout.task_family(app))))
                .to_vec(),
            Self::TaskRoles => vec![place.global("iam", &format!("role/{}", layout.task_role_pattern()))],
            Self::CdkExecutionRole => vec![cdk_execution_role(place)],
            Self::Repositories => apps
                .map(|app| place.regional("ecr", &format!("repository/{}", layout.repository(app))))
                .to_vec(),
            Self::AllRepositories => vec![place.regional("ecr", "repository/*")],
            Self::BackendLogs => logs(place, vec![layout.log_group(App::Backend)]),
            Self::ServiceLogs => logs(place, apps.map(|app| layout.log_group(app)).to_vec()),
            Self::Logs => {
                let mut groups = apps.map(|app| layout.log_group(app)).to_vec();
                groups.extend(layout.fleet_log_patterns());
                logs(place, groups)
            }
            // Run Command names the group after its document (Systems Manager User Guide, "Configuring Amazon
            // CloudWatch Logs for Run Command").
            Self::CommandLogs => logs(place, vec!["/aws/ssm/AWS-RunShellScript".to_owned()]),
            Self::Groups => {
                let arn = |name: String| {
                    place.regional(
                        "autoscaling",
                        &format!("autoScalingGroup:*:autoScalingGroupName/{name}"),
                    )
                };
                layout.group_patterns().into_iter().map(arn).collect()
            }
            Self::FleetAlarms => alarms(place, layout.fleet_alarm_patterns()),
            Self::PlatformAlarms => alarms(place, layout.platform_alarms()),
            Self::DataStack => stacks(place, layout.core_stack("data").into_iter().collect()),
            Self::Stacks => stacks(place, layout.stack_patterns()),
            Self::LegacyStacks => legacy_stacks(place),
            Self::EveryStack => every_stack(place),
            Self::Databases => vec![place.regional("rds", "db:*")],
            Self::Snapshots => vec![place.regional("rds", "snapshot:*")],
            Self::DatabasesAndSnapshots => [Self::Databases, Self::Snapshots]
                .map(|kind| kind.resources(place))
                .concat(),
            // Certificates have ids of their own.
            Self::Certificates => vec![place.regional("acm", "certificate/*")],
            // Hosted zones have ids of their own, and belong to no account in ARNs.
            Self::Zones => vec![format!("arn:{}:route53:::hostedzone/*", place.partition)],
            // Dashboards and budgets have no region.
            Self::Dashboards => {
                vec![place.global("cloudwatch", &format!("dashboard/{}", layout.dashboard()))]
            }
            Self::Budgets => vec![place.global("budgets", &format!("budget/{}", layout.budget()))],
            Self::OpsTopic => vec![place.regional("sns", &layout.ops_topic())],
            Self::SubnetGroups => vec![place.regional("rds", "subgrp:*")],
            Self::CacheClusters => vec![place.regional("elasticache", "cluster:*")],
            Self::ScaleToZeroTopic => vec![place.regional("sns", &layout.scale_to_zero_topic())],
            Self::Topics => [layout.ops_topic(), layout.scale_to_zero_topic()]
                .map(|name| place.regional("sns", &name))
                .to_vec(),
            // Six random characters end the ARN of every secret (Secrets Manager User Guide, "What's in a secret").
            Self::Secrets => layout
                .secrets()
                .into_iter()
                .map(|(_, name)| place.regional("secretsmanager", &format!("secret:{name}-??????")))
                .collect(),
            Self::KeptSecrets => {
                let name = layout.kept_credentials("*");
                vec![place.regional("secretsmanager", &format!("secret:{name}-??????"))]
            }
            Self::FleetSecrets => {
                let stages = layout.fleet_stages().into_iter();
                parameters(stages.map(|stage| layout.fleet_secret_parameter(stage)).collect())
            }
            Self::PlatformParameters => {
                parameters(layout.parameters().into_iter().map(|(_, name)| name).collect())
            }
            Self::FleetParameters => parameters(layout.fleet_parameter_patterns()),
            Self::ActiveBundles => parameters(layout.active_bundle_patterns()),
            Self::FleetConfigurations => parameters(layout.desired_config_patterns()),
            Self::Holds => parameters(layout.hold_patterns()),
            Self::ShutdownRecord => parameters(vec![layout.shutdown_parameter()]),
            Self::ScalableTargets => vec![place.regional("application-autoscaling", "scalable-target/*")],
            Self::NewMachines => {
                let kinds = [
                    "instance",
                    "volume",
                    "network-interface",
                    "subnet",
                    "security-group",
                ];
                let own = kinds.map(|kind| place.regional("ec2", &format!("{kind}/*")));
                let image = place.shared_regional("ec2", "image/*");
                own.into_iter().chain([image]).collect()
            }
            Self::TagsOfNewMachines => vec![
                place.regional("ec2", "instance/*"),
                place.regional("ec2", "security-group/*"),
                place.regional("ec2", "volume/*"),
                place.shared_regional("ec2", "image/*"),
                place.shared_regional("ec2", "snapshot/*"),
            ],
            Self::OwnMachines => vec![place.regional("ec2", "instance/*")],
            // The role behind packer's profile is the data stack's: CloudFormation's names begin with the stack's.
            Self::MachineRoles => {
                let stack = layout.core_stack("data").into_iter();
                stack
                    .map(|stack| place.global("iam", &format!("role/{stack}-*")))
                    .collect()
            }
            Self::NewImages => vec![
                place.regional("ec2", "instance/*"),
                place.shared_regional("ec2", "image/*"),
                place.shared_regional("ec2", "snapshot/*"),
            ],
            Self::MachineImages => vec![place.shared_regional("ec2", "image/*")],
            Self::ImageSnapshots => vec![place.shared_regional("ec2", "snapshot/*")],
            Self::ImagePointers => parameters(layout.image_patterns()),
            Self::ParameterPaths => {
                let paths = layout.fleet_stages().into_iter();
                let paths = paths.flat_map(|stage| layout.fleet_parameter_paths(stage));
                let mut paths: Vec<String> = paths.map(|path| path.path).collect();
                paths.sort();
                paths.dedup();
                parameters(paths)
            }
            Self::ShellOnInstances => vec![
                place.document_of_aws("AWS-RunShellScript"),
                place.regional("ec2", "instance/*"),
            ],
            Self::PortOfTasks => vec![
                place.document_of_aws("AWS-StartPortForwardingSession"),
                ecs(format!("task/{cluster}/*")),
            ],
            Self::Sessions => vec![place.regional("ssm", "session/*")],
            Self::PortThroughTasks => vec![
                place.document_of_aws("AWS-StartPortForwardingSessionToRemoteHost"),
                ecs(format!("task/{cluster}/*")),
            ],
            Self::Bookkeeping => place.bucket("logs", "/bpctl/*"),
            Self::LogsBucket => place.bucket("logs", ""),
            Self::AllBuckets => {
                let roles = layout.buckets(&place.account).into_iter();
                let mut all: Vec<String> = roles.flat_map(|(role, _)| place.bucket(role, "")).collect();
                all.push(format!(
                    "arn:{}:s3:::cdk-*-assets-{}-{}",
                    place.partition, place.account, place.region
                ));
                all
            }
            Self::EveryBucket => every_bucket(place, ""),
            Self::EveryObject => every_bucket(place, "/*"),
            Self::EverySecret => {
                let path = format!("secret:/{}/*", layout.prefix());
                vec![place.regional("secretsmanager", &path)]
            }
            Self::EveryParameter => parameters(vec![format!("/{}/*", layout.prefix())]),
            Self::EveryLogGroup => {
                let prefix = layout.prefix();
                let groups = [
                    format!("/aws/ecs/containerinsights/{prefix}*"),
                    format!("/aws/lambda/{prefix}-*"),
                    format!("/ecs/{prefix}-*"),
                    "/gpu-workers/*".to_owned(),
                ];
                logs(place, groups.to_vec())
            }
            Self::EveryRepository => [
                format!("repository/{}-*", layout.prefix()),
                "repository/cdk-*-container-assets-*".to_owned(),
            ]
            .map(|name| place.regional("ecr", &name))
            .to_vec(),
            Self::Toolkit => stacks(place, vec!["CDKToolkit".to_owned()]),
            Self::Importable => vec![
                format!("arn:{}:s3:::*", place.partition),
                place.regional("ssm", "parameter/*"),
            ],
            Self::PlatformBuckets | Self::PlatformObjects => {
                let rest = if self == Self::PlatformBuckets { "" } else { "/*" };
                let roles = layout.buckets(&place.account).into_iter();
                roles.flat_map(|(role, _)| place.bucket(role, rest)).collect()
            }
            Self::BackupBuckets => vec![format!("arn:{}:s3:::*", place.partition)],
            Self::BackupObjects => vec![format!("arn:{}:s3:::*/*", place.partition)],
            Self::AllParameters => {
                let paths = layout.parameter_paths().into_iter();
                parameters(paths.map(|path| format!("{path}/*")).collect())
            }
            Self::AssetSync => place.bucket("logs", "/asset-sync/*"),
            Self::Bundles => place.bucket("models", "/bundles/*"),
            Self::Assets => place.bucket("models", "/assets/*"),
            Self::ModelsBucket => place.bucket("models", ""),
            Self::MediaBucket => place.bucket("media", ""),
            Self::Uploads => place.bucket("media", "/tenants/*"),
            Self::DevInstances => vec![place.regional("ec2", "instance/*")],
            Self::DevSecurityGroups => vec![place.regional("ec2", "security-group/*")],
            Self::NewSecurityGroups => ["security-group/*", "vpc/*"]
                .map(|rest| place.regional("ec2", rest))
                .to_vec(),
            Self::Principals => vec![place.global("iam", "role/*"), place.global("iam", "user/*")],
            Self::GitHubProvider => vec![trust::provider(place)],
        }
    }

    /// What must hold besides.
    pub(super) fn conditions(self, place: &Place) -> Conditions {
        let one = |operator: &'static str, key: &str, value: String| {
            BTreeMap::from([(operator, BTreeMap::from([(key.to_owned(), vec![value])]))])
        };
        match self {
            Self::AnythingInCluster => {
                let cluster = place.regional("ecs", &format!("cluster/{}", place.layout.cluster()));
                one("ArnEquals", "ecs:cluster", cluster)
            }
            Self::AnythingInEveryCluster => {
                let key = "ecs:cluster".to_owned();
                BTreeMap::from([("ArnEquals", BTreeMap::from([(key, every_cluster(place))]))])
            }
            Self::TagsOfNewTasks => one("StringEquals", "ecs:CreateAction", "RunTask".to_owned()),
            Self::TagsOfNewDefinitions => one(
                "StringEquals",
                "ecs:CreateAction",
                "RegisterTaskDefinition".to_owned(),
            ),
            Self::MachineImages | Self::ImageSnapshots => {
                one("StringEquals", "aws:ResourceTag/ManagedBy", "packer".to_owned())
            }
            Self::OwnMachines => one("StringEquals", "aws:ResourceTag/ManagedBy", "bpctl".to_owned()),
            Self::TagsOfNewMachines => BTreeMap::from([(
                "StringEquals",
                BTreeMap::from([(
                    "ec2:CreateAction".to_owned(),
                    ["CreateImage", "CreateSecurityGroup", "RunInstances"]
                        .map(str::to_owned)
                        .to_vec(),
                )]),
            )]),
            Self::MachineRoles => one(
                "StringEquals",
                "iam:PassedToService",
                "ec2.amazonaws.com".to_owned(),
            ),
            Self::CdkExecutionRole => one(
                "StringEquals",
                "iam:PassedToService",
                "cloudformation.amazonaws.com".to_owned(),
            ),
            Self::TaskRoles => one(
                "StringEquals",
                "iam:PassedToService",
                "ecs-tasks.amazonaws.com".to_owned(),
            ),
            _ => BTreeMap::new(),
        }
    }
}
