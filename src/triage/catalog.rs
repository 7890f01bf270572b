//! Every kind of finding: its stable code, its title, how bad it usually is and where the runbook tells more.

use super::finding::Severity;

macro_rules! catalog {
    ($($(#[$doc:meta])+ $variant:ident = $id:literal, $severity:ident, $title:literal, $runbook:literal;)+) => {
        /// A kind of finding. Codes never change their meaning: tickets and scripts refer to them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(crate) enum Code { $($(#[$doc])+ $variant,)+ }

        impl Code {
            /// All of them, in the order of their codes.
            pub(crate) const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The stable name, e.g. `BP-ECS-003`.
            pub(crate) fn id(self) -> &'static str {
                match self { $(Self::$variant => $id,)+ }
            }

            /// The usual severity; a rule may know better.
            pub(crate) fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity,)+ }
            }

            /// What is wrong, in a few words.
            pub(crate) fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)+ }
            }

            /// The section of the runbook that tells more.
            pub(crate) fn runbook(self) -> &'static str {
                match self { $(Self::$variant => $runbook,)+ }
            }
        }
    };
}

catalog! {
    /// ECS has no such service, or it is being deleted.
    ServiceMissing = "BP-ECS-001", P1, "service does not exist", "Verify app health";
    /// Desired count 0.
    ServiceAtZero = "BP-ECS-002", P1, "service is scaled to zero", "Common Issues: ALB returns 404";
    /// Fewer running tasks than desired.
    ServiceShort = "BP-ECS-003", P2, "service runs too few tasks", "First checks during incidents: ECS service events";
    /// Tasks come and go.
    ServiceUnsteady = "BP-ECS-004", P2, "service reaches no steady state", "First checks during incidents: ECS service events";
    /// A deployment in progress loses tasks, or has failed.
    DeploymentFailing = "BP-ECS-005", P2, "deployment fails", "Common failure modes: ECS deploy failures";
    /// The newest deployment was taken back.
    DeploymentRolledBack = "BP-ECS-006", P2, "deployment was rolled back", "Common failure modes: ECS deploy failures";
    /// A deployment without failures that does not end.
    DeploymentStuck = "BP-ECS-007", P2, "deployment does not finish", "Common failure modes: ECS deploy failures";
    /// Tasks stop because an image cannot be pulled.
    ImagePullFailed = "BP-ECS-008", P2, "image cannot be pulled", "Common failure modes: ECS deploy failures";
    /// Tasks stop before any container starts.
    TaskInitializationFailed = "BP-ECS-009", P2, "tasks cannot be initialised", "Common Issues: ECS tasks stuck in PENDING";
    /// Fargate cannot place tasks.
    CapacityUnavailable = "BP-ECS-010", P2, "no Fargate capacity", "Common Issues: ECS tasks stuck in PENDING";
    /// Containers are killed for their memory.
    OutOfMemory = "BP-ECS-011", P2, "container runs out of memory", "Common Issues: Backend returns 502";
    /// An essential container exits.
    ContainerCrash = "BP-ECS-012", P2, "container crashes", "Common Issues: Backend returns 502";
    /// Health checks give tasks up.
    HealthChecksFail = "BP-ECS-013", P2, "tasks fail their health checks", "First checks during incidents: target health";
    /// Tasks do not leave PENDING.
    TasksPending = "BP-ECS-014", P2, "tasks are stuck in PENDING", "Common Issues: ECS tasks stuck in PENDING";
    /// A new platform's service that its stack makes without tasks.
    ServiceUnstarted = "BP-ECS-015", P3, "service was never started", "Day-1 checklist (first deploy)";
    /// A one-off migration ended badly.
    MigrationFailed = "BP-MIG-001", P2, "migration failed", "Database Migrations";
    /// A one-off migration has been running for long.
    MigrationSlow = "BP-MIG-002", P2, "migration has been running for long", "Database Migrations";
    /// A tag that services pull is not in ECR.
    ImageTagMissing = "BP-IMG-001", P2, "image tag is missing from ECR", "Common failure modes: Missing ECR tags";
    /// A secret has no current value.
    SecretWithoutValue = "BP-SEC-001", P2, "secret has no value", "Set required secrets";
    /// A secret does not exist.
    SecretMissing = "BP-SEC-002", P2, "secret does not exist", "Set required secrets";
    /// The fleet secret was never set.
    FleetSecretPlaceholder = "BP-SEC-003", P2, "fleet secret still holds its placeholder", "Common failure modes: Workers not registering";
    /// The fleet secret's parameter does not exist.
    FleetSecretMissing = "BP-SEC-004", P2, "fleet secret does not exist", "Common failure modes: Workers not registering";
    /// A secret that containers take single keys from is no JSON.
    SecretNotJson = "BP-SEC-005", P2, "secret is no JSON", "Set required secrets";
    /// The load balancer answers 5xx.
    ServerErrors = "BP-ALB-001", P1, "load balancer answers with 5xx", "What to check first: ALB 5xx alarms + target health";
    /// Targets are unhealthy.
    TargetsUnhealthy = "BP-ALB-002", P1, "targets are unhealthy", "What to check first: ALB 5xx alarms + target health";
    /// Nothing is registered.
    NoTargets = "BP-ALB-003", P1, "target group has no usable targets", "Common Issues: ALB returns 404";
    /// php-fpm refuses nginx.
    UpstreamRefused = "BP-ALB-004", P1, "php-fpm refuses connections from nginx (502)", "Common Issues: Backend returns 502";
    /// Targets that the load balancer does not use.
    TargetsUnused = "BP-ALB-005", P2, "load balancer does not use targets", "What to check first: ALB 5xx alarms + target health";
    /// Targets whose health is not checked.
    TargetHealthUnknown = "BP-ALB-006", P3, "health of targets is not known", "What to check first: ALB 5xx alarms + target health";
    /// The database works at its limit.
    DatabaseCpu = "BP-RDS-001", P1, "database CPU is at its limit", "What to check first: RDS CPU + FreeStorageSpace";
    /// The database runs out of storage.
    DatabaseStorage = "BP-RDS-002", P1, "database runs out of storage", "What to check first: RDS CPU + FreeStorageSpace";
    /// The database does not serve.
    DatabaseUnavailable = "BP-RDS-003", P1, "database is not available", "Common Issues: RDS connection refused";
    /// The database is fine but cannot be reached.
    DatabaseRefuses = "BP-RDS-004", P1, "database refuses connections", "Common Issues: RDS connection refused";
    /// The database rejects the backend's user.
    DatabaseLogin = "BP-RDS-005", P1, "database rejects the backend's login", "Secrets Reference: RDS master credentials";
    /// The database has no connections left.
    DatabaseConnections = "BP-RDS-006", P1, "database has too many connections", "What to check first: RDS CPU + FreeStorageSpace";
    /// Redis works at its limit.
    RedisCpu = "BP-RED-001", P2, "Redis CPU is at its limit", "Architecture at a glance";
    /// The backend cannot talk to Redis.
    RedisUnreachable = "BP-RED-002", P1, "backend cannot use Redis", "Secrets Reference: Redis AUTH token";
    /// Redis has no memory left, or throws keys out.
    RedisFull = "BP-RED-003", P2, "Redis runs out of memory", "Architecture at a glance";
    /// The NAT gateway has no ports left.
    NatPortsExhausted = "BP-NAT-001", P2, "NAT gateway runs out of ports", "What to check first: NAT Port Allocation errors";
    /// A stack's last operation failed.
    StackFailed = "BP-CFN-001", P2, "stack is in a failed state", "Infrastructure Changes";
    /// The stack wants to create a secret that exists.
    StackSecretExists = "BP-CFN-002", P2, "stack cannot create a secret that exists", "Common Issues: CDK deploy fails on secrets";
    /// Stacks of a generation that nothing deploys any more.
    LegacyStacks = "BP-CFN-003", P3, "stacks of a legacy generation are left", "Infrastructure Changes";
    /// The backend publishes no fleet metrics at all.
    FleetMetricsSilent = "BP-FLT-001", P1, "fleet metrics are silent", "Common failure modes: No scale-out";
    /// The backend publishes nothing for one fleet.
    FleetNotMeasured = "BP-FLT-002", P2, "metrics of one fleet are silent", "Common failure modes: No scale-out";
    /// Alarms look at other dimensions than the backend publishes.
    AlarmDimensions = "BP-FLT-003", P2, "fleet alarms watch the wrong dimensions", "Common failure modes: No scale-out";
    /// Alarms of a fleet do not exist.
    FleetAlarmMissing = "BP-FLT-004", P2, "fleet alarms do not exist", "Common failure modes: No scale-out";
    /// The AMI parameter does not exist.
    AmiMissing = "BP-FLT-005", P2, "AMI parameter does not exist", "Common failure modes: AMI not found";
    /// The AMI parameter is not an image.
    AmiWrongType = "BP-FLT-006", P2, "AMI parameter does not name an image", "Troubleshooting: Wrong AMI in ASG";
    /// Spot has no capacity.
    SpotCapacity = "BP-FLT-007", P2, "no Spot capacity for the fleet", "Common Issues: GPU workers not starting";
    /// A quota stops launches.
    LaunchQuota = "BP-FLT-008", P2, "an EC2 quota stops launches", "Common Issues: GPU workers not starting";
    /// Launches fail for another reason.
    LaunchFailed = "BP-FLT-009", P2, "launches fail", "Common Issues: GPU workers not starting";
    /// Processes of the group are suspended.
    ProcessesSuspended = "BP-FLT-010", P2, "scaling processes are suspended", "Manage fleet capacity";
    /// Instances are in service but no worker is active.
    WorkersNotRegistering = "BP-FLT-011", P2, "workers do not register", "Common failure modes: Workers not registering";
    /// Jobs wait and no instance is there.
    NoScaleOut = "BP-FLT-012", P2, "fleet does not scale out", "Common failure modes: No scale-out";
    /// The maximum size is 0 while jobs wait.
    FleetHeldAtZero = "BP-FLT-013", P2, "fleet is held at zero while jobs wait", "Graceful scale-down";
    /// The fleet cannot grow any further.
    FleetAtMaximum = "BP-FLT-014", P3, "fleet is at its maximum", "What to check first: GPU QueueDepth vs ActiveWorkers";
    /// Jobs wait and no worker works.
    QueueUnserved = "BP-FLT-015", P2, "jobs wait and no worker is active", "What to check first: GPU QueueDepth vs ActiveWorkers";
    /// Jobs wait for long.
    QueueDeep = "BP-FLT-016", P3, "queue has been deep for long", "Alarm Tiers: Queue Deep";
    /// Jobs fail.
    JobsFail = "BP-FLT-017", P2, "jobs of the fleet fail", "Alarm Tiers: Error Rate";
    /// An idle fleet keeps its instances.
    FleetKeepsRunning = "BP-FLT-018", P3, "idle fleet keeps running", "Common Issues: Scale-to-zero not working";
    /// Nothing listens to the scale-to-zero topic.
    TopicUnsubscribed = "BP-FLT-019", P3, "scale-to-zero topic has no subscription", "Common Issues: Scale-to-zero not working";
    /// A scaling policy that nothing invokes.
    PolicyWithoutAlarm = "BP-FLT-020", P2, "scaling policy has no working alarm", "Common failure modes: No scale-out";
    /// Fewer values than tasks of the backend.
    PublisherMissing = "BP-FLT-021", P3, "a backend task publishes no fleet metrics", "Common failure modes: No scale-out";
    /// More values than tasks of the backend.
    PublisherSurplus = "BP-FLT-022", P2, "fleet metrics have a second publisher", "Common failure modes: No scale-out";
    /// Workers call another address than the platform's.
    WorkerAddress = "BP-FLT-023", P2, "workers call another address", "Common failure modes: Workers not registering";
    /// An operator holds the fleet.
    FleetHeld = "BP-FLT-024", P3, "fleet is held", "Manage fleet capacity";
    /// A hold is still in force after its time.
    HoldOverdue = "BP-FLT-025", P2, "hold of a fleet is overdue", "Manage fleet capacity";
    /// Registrations end with 401.
    RegisterSecret = "BP-REG-001", P2, "workers come with another fleet secret", "Common failure modes: Workers not registering";
    /// Registrations end with 403.
    RegisterLimit = "BP-REG-002", P2, "no more workers may register", "Common failure modes: Workers not registering";
    /// Registrations end with 404.
    RegisterFleetUnknown = "BP-REG-003", P2, "workers name a fleet that is not known", "Common failure modes: Workers not registering";
    /// Registrations end with 409.
    RegisterTwice = "BP-REG-004", P2, "workers are registered already", "Common failure modes: Workers not registering";
    /// Registrations end with 422.
    RegisterNoWorkflow = "BP-REG-005", P2, "fleet has no workflow", "Common failure modes: Workers not registering";
    /// Registrations end with 429.
    RegisterTooOften = "BP-REG-006", P2, "workers register too often", "Common failure modes: Workers not registering";
    /// Registrations end with 503.
    RegisterUnset = "BP-REG-007", P2, "backend has no fleet secret", "Common failure modes: Workers not registering";
    /// An alarm is on for a reason that another finding names.
    AlarmOn = "BP-ALM-001", P2, "alarm is on", "Alarm Tiers";
    /// An alarm is on and no rule knows why.
    AlarmUnexplained = "BP-ALM-002", P2, "alarm is on and no cause was found", "Alarm Tiers";
    /// Alarms without an action.
    AlarmActionsDisabled = "BP-ALM-003", P3, "alarm actions are disabled", "Alarm Tiers";
    /// Alarms of the platform do not exist.
    AlarmMissing = "BP-ALM-004", P3, "platform alarms do not exist", "Alarm Tiers";
    /// Alarms that speak to a topic without a listener.
    AlarmUnheard = "BP-ALM-005", P2, "nobody hears the alarms", "Alarm Tiers";
    /// Something could not be looked at.
    CouldNotCheck = "BP-TRI-001", P2, "could not check", "IAM Permissions";
    /// Nothing of the platform is in this account and region.
    PlatformAbsent = "BP-TRI-002", P1, "the platform is not here", "Infrastructure Changes";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn codes_are_unique_and_numbered_without_gaps() {
        let ids: BTreeSet<&str> = Code::ALL.iter().map(|code| code.id()).collect();
        assert_eq!(ids.len(), Code::ALL.len());
        let titles: BTreeSet<&str> = Code::ALL.iter().map(|code| code.title()).collect();
        assert_eq!(titles.len(), Code::ALL.len());
        let mut last = ("", 0);
        for code in Code::ALL {
            let (area, number) = code.id().rsplit_once('-').unwrap();
            let number: u32 = number.parse().unwrap();
            assert_eq!(area.len(), "BP-ECS".len(), "{}", code.id());
            assert_eq!(
                number,
                if area == last.0 { last.1 + 1 } else { 1 },
                "{}",
                code.id()
            );
            last = (area, number);
        }
    }

    #[test]
    fn titles_fit_a_line_of_the_report() {
        for code in Code::ALL {
            assert!(code.title().len() <= 50, "{}", code.id());
            assert!(!code.title().ends_with('.'), "{}", code.id());
        }
    }
}
