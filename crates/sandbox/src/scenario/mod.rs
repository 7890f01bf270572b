//! The ways the platform breaks, by the names an operator picks them with.

mod incident;

use std::fmt;
use std::str::FromStr;

pub(crate) use incident::{Incidents, begin_now, in_force, plan, tick};

macro_rules! scenarios {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal,)+) => {
        /// One way the platform breaks, or `healthy`. Scenarios can be combined.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Scenario { $($(#[doc = $doc])+ $variant,)+ }

        impl Scenario {
            /// Every scenario, in the order of the runbook's troubleshooting tables.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The name on the command line.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// What breaks, and what an operator should find.
            #[must_use]
            pub fn help(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc, "\n",)+).trim_ascii(),)+ }
            }
        }
    };
}

scenarios! {
    /// Nothing is broken. Triage should find nothing.
    Healthy = "healthy",
    /// Migrations fail: php-fpm exits 3 with a Laravel QueryException in `/ecs/bp-backend`. Find the failed column in the task's log.
    MigrationFails = "migration-fails",
    /// A migration has been running for 25 minutes and new ones take 40. Find the running task before starting a second one.
    MigrationSlow = "migration-slow",
    /// The backend image cannot be pulled from ECR. Find CannotPullContainerError in the stopped tasks.
    PullError = "pull-error",
    /// php-fpm is killed (137) minutes after each start, and ECS has no word for it. Find the memory of the tasks at its limit.
    MemoryExhausted = "memory-exhausted",
    /// php-fpm crashes seconds after each start. Find its exit code and last log lines in the stopped tasks.
    CrashLoop = "crash-loop",
    /// A deployment failed and the circuit breaker rolled it back. Find that the running deployment is not the newest one.
    BreakerRollback = "breaker-rollback",
    /// The application key has no value: tasks stop with ResourceInitializationError. Find the secret without AWSCURRENT.
    SecretMissing = "secret-missing",
    /// The OAuth secret holds a random text instead of JSON, as after the first deployment: no backend task can start. Find what ECS says of it.
    OauthNoJson = "oauth-no-json",
    /// Fargate Spot has no capacity, and the frontend runs on Spot alone: it has no task. Find the service event.
    CapacityUnavailable = "capacity-unavailable",
    /// The backend answers 5xx above the P1 threshold although its targets are healthy; no alarm is on, because they count what the load balancer answers itself. Find the exception in the backend log.
    Alb5xx = "alb-5xx",
    /// php-fpm refuses connections from nginx: 502. Find the upstream error in the nginx log.
    Backend502 = "backend-502",
    /// The backend service was scaled to zero: its target group has no targets.
    NoHealthyTargets = "no-healthy-targets",
    /// The platform was shut down, and while it slept somebody has set the frontend to two tasks and the first fleet's maximum to two ("Set scaling limits for your Auto Scaling group", Amazon EC2 Auto Scaling User Guide). Find what `resume` says of it, and decide with `--overwrite` or `--keep`.
    ResumeConflict = "resume-conflict",
    /// The load balancer is not enabled in the zone of the backend's task: its target is unused, and it answers 503 itself.
    ZoneDisabled = "zone-disabled",
    /// Redis is full and throws keys out. Find its memory and its evictions.
    RedisFull = "redis-full",
    /// RDS CPU is at 97 % for more than ten minutes.
    RdsCpu = "rds-cpu",
    /// RDS has 1.2 GB of free storage left.
    RdsStorageLow = "rds-storage-low",
    /// The database refuses connections (security group): `SQLSTATE[HY000] [2002]` in the backend log while RDS is available.
    RdsRefused = "rds-refused",
    /// The fleet secret still holds its placeholder: workers boot but never register.
    FleetSecretPlaceholder = "fleet-secret-placeholder",
    /// The fleet secret was changed while the backend's tasks hold the old one: new workers are refused with 401.
    FleetSecretStale = "fleet-secret-stale",
    /// The backend has 50 workers and allows no more: new ones are refused with 403.
    WorkerLimit = "worker-limit",
    /// The workers come with a fleet that the backend does not have: 404.
    FleetUnknown = "fleet-unknown",
    /// The workers are registered already and come again: 409.
    WorkersRegisteredTwice = "workers-registered-twice",
    /// The fleet has no workflow: new workers are refused with 422.
    FleetWithoutWorkflow = "fleet-without-workflow",
    /// Something registers again and again from the address of the NAT gateway: new workers are refused with 429.
    RegisterThrottled = "register-throttled",
    /// The backend's tasks have no fleet secret: new workers are refused with 503.
    BackendWithoutFleetSecret = "backend-without-fleet-secret",
    /// The platform has a domain and a certificate, and the production fleet was deployed without them: its workers call http, are redirected and never register.
    WorkerAddressStale = "worker-address-stale",
    /// The AMI parameter of the production fleet is missing: launches fail.
    AmiMissing = "ami-missing",
    /// The AMI parameter of the production fleet is plain text, not `aws:ec2:image`, and holds no AMI id: launches fail.
    AmiWrongType = "ami-wrong-type",
    /// The pointer of every staging fleet, or of the only one, names an image that another account shares (Amazon EC2 User Guide, "Share an AMI with specific AWS accounts"): instances start from it, its tags are not shared, and its owner can take it away at any time. Promote it to production.
    AmiForeign = "ami-foreign",
    /// The backend stopped publishing fleet metrics: no scale-out, and missing data takes a busy fleet to zero.
    MetricsSilent = "metrics-silent",
    /// The scheduler of one of two backend tasks has exited: half of the values are missing, and no alarm tells.
    SchedulerStopped = "scheduler-stopped",
    /// A second copy of the application publishes the fleets' metrics as well: every minute has a value too many.
    SecondPublisher = "second-publisher",
    /// The alarm that starts the production fleet's first instance was deleted: its policy is never invoked.
    PolicyWithoutAlarm = "policy-without-alarm",
    /// The alarms of the production fleet watch a slug under which no metric is published: no scale-out.
    WrongDimensions = "wrong-dimensions",
    /// The scale-to-zero topic has no subscription: the step policy still takes an idle fleet to zero, but one whose metrics fall silent keeps running.
    ScaleToZeroUnsubscribed = "scale-to-zero-unsubscribed",
    /// Spot has no GPU capacity: launches fail with UnfulfillableCapacity or InsufficientInstanceCapacity.
    SpotDrought = "spot-drought",
    /// The production fleet's pointer names a newer image than its instances run, and Spot starts no new instance: an instance refresh gets no further than its first replacement. Find the failed launches behind it.
    RefreshNoCapacity = "refresh-no-capacity",
    /// The production fleet's pointer names a newer image than its instances run, and its workers hang with their instances protected from scale-in: an instance refresh waits for them and fails after an hour. Find what it waits for.
    RefreshStuck = "refresh-stuck",
    /// A burst of jobs: the queue is deep for over 30 minutes and the fleet is at its maximum.
    QueueSurge = "queue-surge",
    /// The NAT gateway runs out of ports: ErrorPortAllocation rises, uploads and downloads time out.
    NatExhausted = "nat-exhausted",
    /// The tags that the services pull are gone from ECR. Running tasks live on; the next deployment would fail.
    EcrTagMissing = "ecr-tag-missing",
    /// The newest PHP image was built for `linux/amd64`. Running tasks live on; the next deployment would fail.
    WrongArchitecture = "wrong-architecture",
    /// New backend tasks answer their health checks only four minutes after their start. Deployments take long and succeed.
    SlowHealth = "slow-health",
    /// One object of every bundle in the models bucket has the right size and a wrong byte. Find it by its digest before a bundle is activated.
    BundleCorrupt = "bundle-corrupt",
    /// One object of every bundle in the models bucket is gone, behind a delete marker. Find it before a bundle is activated.
    BundleMissingObject = "bundle-missing-object",
    /// The disk of every GPU node is full: a bundle that is applied to a running node fails at its last asset. Find the error in the output of the command.
    ApplyFails = "apply-fails",
    /// The role that CloudFormation works with may not create Auto Scaling groups: a new stack with one is rolled back (AWS CloudFormation User Guide, "Troubleshooting CloudFormation", "Insufficient IAM permissions"). Find the first resource that failed.
    StackCreateFails = "stack-create-fails",
    /// The role that CloudFormation works with may not update Auto Scaling groups: an update of one fails, and so does the way back (AWS CloudFormation User Guide, "Troubleshooting CloudFormation", "Update rollback failed"). Continue the rollback without the group.
    StackRollbackFailed = "stack-rollback-failed",
    /// Somebody has changed by hand what stacks have deployed: the CPU warning of the database fires at 90 % only, and the load balancer's security group lets SSH in from anywhere (AWS CloudFormation User Guide, "Detect unmanaged configuration changes to stacks and resources with drift detection"). Find both in the drift of their stacks.
    Drifted = "drifted",
    /// A one-off task that nobody stops runs in the cluster, and the cluster's capacity providers belong to the stack: its deletion fails with "The specified capacity provider is in use and cannot be removed" (Amazon ECS API Reference, PutClusterCapacityProviders, ResourceInUseException). Stop the task, and delete the stack again.
    CapacityProviderInUse = "capacity-provider-in-use",
    /// The logs bucket holds objects, and nothing empties it when its stack goes: the deletion fails with "The bucket you tried to delete is not empty" (AWS CloudFormation Template Reference, "AWS::S3::Bucket": only empty buckets can be deleted). Leave it in the account, or empty it.
    BucketNotEmpty = "bucket-not-empty",
    /// The template lets the database go with its stack, and its deletion protection does not (Amazon RDS User Guide, "Deleting a DB instance", "Deletion protection"): the deletion of the stack fails. Leave it in the account, or take the protection off.
    DbProtected = "db-protected",
    /// Instances that are started one by one never register with Systems Manager (its user guide, "Troubleshooting managed node availability"): a builder of an image is never ready. See that it is terminated.
    BuilderNeverReady = "builder-never-ready",
    /// Every third API call is throttled.
    Throttled = "throttled",
    /// The caller's credentials have expired.
    ExpiredCredentials = "expired-credentials",
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// No scenario has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown scenario `{0}`")]
pub struct UnknownScenario(pub String);

impl FromStr for Scenario {
    type Err = UnknownScenario;
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .iter()
            .copied()
            .find(|s| s.name() == name)
            .ok_or_else(|| UnknownScenario(name.to_owned()))
    }
}
