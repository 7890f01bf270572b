//! What a verb asks of AWS: actions, and the kind of thing that each is on.

use std::collections::BTreeMap;

use super::arns::{alarms, every_bucket, logs, stacks};
use super::document::Conditions;
use super::place::Place;
use crate::layout::App;

/// One action of IAM on one kind of thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Use {
    /// As policies write it, e.g. `ecs:RunTask`.
    pub(crate) action: &'static str,
    pub(crate) on: On,
}

impl Use {
    pub(crate) const fn of(action: &'static str, on: On) -> Self {
        Self { action, on }
    }
}

/// What every change needs for its lease and its entry in the history.
pub(crate) const CHANGE: &[Use] = &[
    Use::of("s3:GetObject", On::Bookkeeping),
    Use::of("s3:PutObject", On::Bookkeeping),
    Use::of("s3:DeleteObject", On::Bookkeeping),
    // Without it S3 answers 403 instead of 404 for a lease that is not there (API Reference, GetObject).
    Use::of("s3:ListBucket", On::LogsBucket),
];

/// What a verb needs that only leaves an entry in the history.
pub(crate) const HISTORY: &[Use] = &[Use::of("s3:PutObject", On::Bookkeeping)];

/// What a session needs when its link breaks: to go on with it, or to end it.
pub(crate) const SESSION: &[Use] = &[
    Use::of("ssm:ResumeSession", On::Sessions),
    Use::of("ssm:TerminateSession", On::Sessions),
];

/// What every verb needs that runs a command in a one-off task and follows it.
pub(crate) const ONE_OFF: &[Use] = &[
    Use::of("ecs:DescribeServices", On::Services),
    Use::of("ecs:DescribeTaskDefinition", On::Anything),
    Use::of("ecs:DescribeTasks", On::Tasks),
    Use::of("ecs:RunTask", On::BackendDefinitions),
    Use::of("ecs:TagResource", On::TagsOfNewTasks),
    Use::of("iam:PassRole", On::TaskRoles),
    Use::of("logs:GetLogEvents", On::BackendLogs),
];

/// Kinds of things. The order is that of the statements in a policy.
///
/// Resource types are those of the Service Authorization Reference; [`On::Anything`] is for actions that have none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum On {
    Anything,
    /// Actions on lists of a cluster's tasks, which only a condition narrows.
    AnythingInCluster,
    Services,
    /// Every service of the cluster, also those that no stack has made.
    AllServices,
    Tasks,
    /// Commands that run in a task: checked on the task and on its cluster.
    CommandsInTasks,
    Deployments,
    Revisions,
    BackendDefinitions,
    Definitions,
    /// Tags of tasks, as far as they come with the start.
    TagsOfNewTasks,
    /// Tags of task definitions, as far as they come with the registration.
    TagsOfNewDefinitions,
    /// The roles that tasks are handed.
    TaskRoles,
    Repositories,
    /// Every repository: a list names none.
    AllRepositories,
    BackendLogs,
    ServiceLogs,
    /// Log groups of the services and of GPU workers.
    Logs,
    /// What Run Command wrote.
    CommandLogs,
    Groups,
    FleetAlarms,
    PlatformAlarms,
    Certificates,
    /// Hosted zones, which have ids of their own.
    Zones,
    Dashboards,
    Budgets,
    DataStack,
    /// Stacks of the core system and of fleets.
    Stacks,
    Databases,
    Snapshots,
    DatabasesAndSnapshots,
    SubnetGroups,
    /// Every cache cluster: DescribeCacheClusters names none.
    CacheClusters,
    ScaleToZeroTopic,
    OpsTopic,
    Topics,
    Secrets,
    /// Master credentials of databases that outlive their stacks.
    KeptSecrets,
    FleetSecrets,
    /// Parameters that belong to no fleet.
    PlatformParameters,
    /// Image, bundle and configuration of fleets.
    FleetParameters,
    ActiveBundles,
    /// What the stacks of fleets are made from.
    FleetConfigurations,
    /// Whether fleets are held.
    Holds,
    /// What the platform had before it was shut down.
    ShutdownRecord,
    /// Bounds of the services, which have ids of their own.
    ScalableTargets,
    /// What a new instance is made of and stands on.
    NewMachines,
    /// Tags of instances, images and security groups, as far as they come with their making.
    TagsOfNewMachines,
    /// Instances that bpctl has started.
    OwnMachines,
    /// Roles that instances are handed.
    MachineRoles,
    /// An image that is made of an instance, and its snapshots.
    NewImages,
    /// Machine images of the fleets: those with their tag.
    MachineImages,
    /// Snapshots behind such images, with the same tag.
    ImageSnapshots,
    /// What says which image instances start from.
    ImagePointers,
    /// The paths that hold the parameters of fleets.
    ParameterPaths,
    /// A shell script on an instance.
    ShellOnInstances,
    /// A session that forwards a port of a task.
    PortOfTasks,
    /// A session that forwards a port of another host through a task.
    PortThroughTasks,
    /// Sessions of Session Manager. They bear the name of the caller or of `ecs-execute-command`, and a random end.
    Sessions,
    /// bpctl's own objects in the logs bucket.
    Bookkeeping,
    LogsBucket,
    /// The platform's buckets, and that of the CDK.
    AllBuckets,
    /// The platform's buckets in every layout, and that of the CDK.
    EveryBucket,
    /// What is in them.
    EveryObject,
    /// Everything under the path of the platform's secrets.
    EverySecret,
    /// Everything under the path of the platform's parameters.
    EveryParameter,
    /// The platform's log groups in every layout.
    EveryLogGroup,
    /// The platform's repositories in every layout, and that of the CDK.
    EveryRepository,
    /// The stack of the CDK's bootstrap.
    Toolkit,
    /// Buckets and parameters that a template may name, whatever they are called.
    Importable,
    /// The buckets of the platform, without that of the CDK.
    PlatformBuckets,
    /// What is in them.
    PlatformObjects,
    /// Buckets that backups go to, whatever they are called.
    BackupBuckets,
    /// What is in them.
    BackupObjects,
    /// Every parameter of the platform.
    AllParameters,
    /// What bundles did on nodes, in the logs bucket.
    AssetSync,
    Bundles,
    Assets,
    ModelsBucket,
    MediaBucket,
    /// What customers upload, and what becomes of it.
    Uploads,
    /// Instances outside the fleets: they have no names.
    DevInstances,
    DevSecurityGroups,
    /// A security group and the VPC that it is made in.
    NewSecurityGroups,
    /// Users and roles of the account.
    Principals,
    /// The identity provider of GitHub's workflows.
    GitHubProvider,
}

impl On {
    /// The identifier of the statement; letters and digits only.
    pub(super) fn sid(self) -> &'static str {
        match self {
            Self::Anything => "Anything",
            Self::AnythingInCluster => "AnythingInCluster",
            Self::Services => "Services",
            Self::AllServices => "AllServices",
            Self::Tasks => "Tasks",
            Self::CommandsInTasks => "CommandsInTasks",
            Self::Deployments => "Deployments",
            Self::Revisions => "Revisions",
            Self::BackendDefinitions => "BackendDefinitions",
            Self::Definitions => "Definitions",
            Self::TagsOfNewTasks => "TagsOfNewTasks",
            Self::TagsOfNewDefinitions => "TagsOfNewDefinitions",
            Self::TaskRoles => "TaskRoles",
            Self::Repositories => "Repositories",
            Self::AllRepositories => "AllRepositories",
            Self::BackendLogs => "BackendLogs",
            Self::ServiceLogs => "ServiceLogs",
            Self::Logs => "Logs",
            Self::CommandLogs => "CommandLogs",
            Self::Groups => "Groups",
            Self::FleetAlarms => "FleetAlarms",
            Self::PlatformAlarms => "PlatformAlarms",
            Self::Certificates => "Certificates",
            Self::Zones => "Zones",
            Self::Dashboards => "Dashboards",
            Self::Budgets => "Budgets",
            Self::OpsTopic => "OpsTopic",
            Self::DataStack => "DataStack",
            Self::Stacks => "Stacks",
            Self::Databases => "Databases",
            Self::Snapshots => "Snapshots",
            Self::DatabasesAndSnapshots => "DatabasesAndSnapshots",
            Self::SubnetGroups => "SubnetGroups",
            Self::CacheClusters => "CacheClusters",
            Self::ScaleToZeroTopic => "ScaleToZeroTopic",
            Self::Topics => "Topics",
            Self::Secrets => "Secrets",
            Self::KeptSecrets => "KeptSecrets",
            Self::FleetSecrets => "FleetSecrets",
            Self::PlatformParameters => "PlatformParameters",
            Self::FleetParameters => "FleetParameters",
            Self::ActiveBundles => "ActiveBundles",
            Self::FleetConfigurations => "FleetConfigurations",
            Self::Holds => "Holds",
            Self::ShutdownRecord => "ShutdownRecord",
            Self::ScalableTargets => "ScalableTargets",
            Self::NewMachines => "NewMachines",
            Self::TagsOfNewMachines => "TagsOfNewMachines",
            Self::OwnMachines => "OwnMachines",
            Self::MachineRoles => "MachineRoles",
            Self::NewImages => "NewImages",
            Self::MachineImages => "MachineImages",
            Self::ImageSnapshots => "ImageSnapshots",
            Self::ImagePointers => "ImagePointers",
            Self::ParameterPaths => "ParameterPaths",
            Self::ShellOnInstances => "ShellOnInstances",
            Self::PortOfTasks => "PortOfTasks",
            Self::PortThroughTasks => "PortThroughTasks",
            Self::Sessions => "Sessions",
            Self::Bookkeeping => "Bookkeeping",
            Self::LogsBucket => "LogsBucket",
            Self::AllBuckets => "AllBuckets",
            Self::EveryBucket => "EveryBucket",
            Self::EveryObject => "EveryObject",
            Self::EverySecret => "EverySecret",
            Self::EveryParameter => "EveryParameter",
            Self::EveryLogGroup => "EveryLogGroup",
            Self::EveryRepository => "EveryRepository",
            Self::Toolkit => "Toolkit",
            Self::Importable => "Importable",
            Self::PlatformBuckets => "PlatformBuckets",
            Self::PlatformObjects => "PlatformObjects",
            Self::BackupBuckets => "BackupBuckets",
            Self::BackupObjects => "BackupObjects",
            Self::AllParameters => "AllParameters",
            Self::AssetSync => "AssetSync",
            Self::Bundles => "Bundles",
            Self::Assets => "Assets",
            Self::ModelsBucket => "ModelsBucket",
            Self::MediaBucket => "MediaBucket",
            Self::Uploads => "Uploads",
            Self::DevInstances => "DevInstances",
            Self::DevSecurityGroups => "DevSecurityGroups",
            Self::NewSecurityGroups => "NewSecurityGroups",
            Self::Principals => "Principals",
            Self::GitHubProvider => "GitHubProvider",
        }
    }

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
            Self::Anything | Self::AnythingInCluster => vec!["*".to_owned()],
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
            Self::GitHubProvider => vec![super::trust::provider(place)],
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
            Self::TaskRoles => one(
                "StringEquals",
                "iam:PassedToService",
                "ecs-tasks.amazonaws.com".to_owned(),
            ),
            _ => BTreeMap::new(),
        }
    }
}
