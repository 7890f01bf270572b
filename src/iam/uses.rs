//! What a verb asks of AWS: actions, and the kind of thing that each is on.

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
    /// The same in the clusters of every layout.
    AnythingInEveryCluster,
    Services,
    /// Every service of the cluster, also those that no stack has made.
    AllServices,
    /// Every service of the clusters of every layout.
    EveryService,
    Tasks,
    /// Tasks in the clusters of every layout.
    EveryTask,
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
    /// The role of the CDK's bootstrap that CloudFormation is handed.
    CdkExecutionRole,
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
    /// Stacks of the stage that the generation between the two layouts has made.
    LegacyStacks,
    /// Stacks of every layout, and of the generation between the two.
    EveryStack,
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
            Self::AnythingInEveryCluster => "AnythingInEveryCluster",
            Self::Services => "Services",
            Self::AllServices => "AllServices",
            Self::EveryService => "EveryService",
            Self::Tasks => "Tasks",
            Self::EveryTask => "EveryTask",
            Self::CommandsInTasks => "CommandsInTasks",
            Self::Deployments => "Deployments",
            Self::Revisions => "Revisions",
            Self::BackendDefinitions => "BackendDefinitions",
            Self::Definitions => "Definitions",
            Self::TagsOfNewTasks => "TagsOfNewTasks",
            Self::TagsOfNewDefinitions => "TagsOfNewDefinitions",
            Self::TaskRoles => "TaskRoles",
            Self::CdkExecutionRole => "CdkExecutionRole",
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
            Self::LegacyStacks => "LegacyStacks",
            Self::EveryStack => "EveryStack",
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
}
