//! What each kind of finding means, what proves it, and what to do: the pages of `bpctl explain`.

use super::catalog::Code;

/// The page of one kind of finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Explanation {
    /// What it means for the platform.
    pub(crate) means: &'static str,
    /// What triage has seen when it says so.
    pub(crate) proof: &'static str,
    /// What an operator does about it.
    pub(crate) remedy: &'static str,
}

macro_rules! explanations {
    ($($code:ident: $means:literal, $proof:literal, $remedy:literal;)+) => {
        /// The page of a kind of finding.
        pub(crate) fn of(code: Code) -> Explanation {
            match code {
                $(Code::$code => Explanation { means: $means, proof: $proof, remedy: $remedy },)+
            }
        }
    };
}

explanations! {
    ServiceMissing:
        "The ECS service is not there, or it is being deleted: its part of the application does not run.",
        "DescribeServices answers MISSING, INACTIVE or DRAINING for the service.",
        "Look with `bpctl stack diff` at what the compute stack would change, then deploy it.";
    ServiceAtZero:
        "Somebody set the desired count to 0. ECS keeps it there until it is raised.",
        "DescribeServices: desired count 0.",
        "The service's events say when; CloudTrail (UpdateService) says who. Then raise the count. Both services at 0 are a shutdown.";
    ServiceShort:
        "Fewer tasks run than wanted. With one left the application works without reserve.",
        "DescribeServices: fewer running than desired, for longer than a task needs to start.",
        "Read the service's events: they say why ECS cannot start or keep the tasks.";
    ServiceUnsteady:
        "Tasks come and go: ECS replaces them again and again.",
        "All wanted tasks run, and since the last steady state an event says that ECS was unable to place a task or to start tasks consistently.",
        "Read the events and the log of the task that stopped last.";
    DeploymentFailing:
        "A new release does not come up. Old tasks serve until the circuit breaker gives up.",
        "The primary deployment has failed tasks, or its rollout state is FAILED.",
        "Read why its tasks stopped (a finding below it says so if ECS does). Mend the release and deploy again.";
    DeploymentRolledBack:
        "The newest release does not run: ECS went back to the last good one.",
        "ListServiceDeployments: the newest one is ROLLBACK_SUCCESSFUL, ROLLBACK_IN_PROGRESS or ROLLBACK_FAILED.",
        "Read the log of the task that failed, mend the release, deploy again.";
    DeploymentStuck:
        "A deployment neither fails nor ends.",
        "The rollout is IN_PROGRESS for more than 20 minutes without failed tasks.",
        "The service's events say whether new tasks are not healthy or old ones do not drain.";
    ImagePullFailed:
        "Tasks stop before they start: their image cannot be fetched.",
        "The stop reason is CannotPullContainerError, or an event says so.",
        "Compare the image in the task definition with the tags in ECR. Denied: the execution role's policy. Another processor: build for linux/arm64.";
    TaskInitializationFailed:
        "Tasks stop before any container starts: a secret, a log group or a network interface could not be had.",
        "The stop reason is ResourceInitializationError or one of its kin.",
        "The message names the resource. The finding tells whether it is missing, denied or out of reach, and what to do.";
    CapacityUnavailable:
        "Fargate has no room for the tasks in the zones of their subnets.",
        "Events or stop reasons say that capacity is unavailable.",
        "ECS tries again by itself. A service on Spot alone stays short until Spot returns: let it use on-demand capacity as well.";
    OutOfMemory:
        "The kernel killed a container for its use of memory.",
        "ECS says OutOfMemoryError of a container with which the task ends, or an essential container was killed (137) while MemoryUtilization of its service was at 95 % or more. Status 137 alone is no proof: ECS kills containers with it too.",
        "Look at what it did in its log. Raise the memory in the task definition, or lower what it does at a time.";
    ContainerCrash:
        "An essential container ends by itself, and its task with it.",
        "ECS says EssentialContainerExited. The essential container that failed by itself is named; where the exit codes do not tell it, all of them are.",
        "Read its last lines: they are quoted, and the next command prints more.";
    HealthChecksFail:
        "Containers run and do not answer their health check, so ECS replaces the tasks.",
        "Stop reasons name failed container or load balancer health checks.",
        "Read the application's log. A slow start wants a longer grace period.";
    TasksPending:
        "Tasks wait to be started and nothing is said of a failure.",
        "Tasks are PROVISIONING or PENDING for more than 10 minutes.",
        "Look at the task's attachments and the subnets' way out to ECR and S3.";
    ServiceUnstarted:
        "The platform is new: the stack has made the service without tasks, because there was no image to run.",
        "The service wants no task, and the template of its stack says so (`DesiredCount` 0).",
        "Go on with the checklist of the first deployment: `bpctl day1` names the next step.";
    MigrationFailed:
        "A one-off migration ended badly: some databases may be migrated and later ones not.",
        "A stopped task that ran the migration command, with a failing exit code, without any, or stopped by somebody.",
        "Read its log, mend the migration, run `bpctl migrate` again: what was finished is recorded.";
    MigrationSlow:
        "A migration runs for long: many tenants, a large table, or a lock.",
        "A running task with the migration command, older than 20 minutes.",
        "Follow it: the next command of the finding does. Do not start a second one.";
    ImageTagMissing:
        "Tags that tasks are started from are not in ECR: what runs lives on, what starts next does not.",
        "DescribeImages has no image with the tag that the task definition names.",
        "Set the tag on a good image, or push the release again.";
    SecretWithoutValue:
        "A secret exists without a current value: tasks that need it cannot start.",
        "No version of the secret carries AWSCURRENT.",
        "Put the value into it, then start new tasks.";
    SecretMissing:
        "A secret that the platform needs is not there.",
        "ListSecrets does not have its name.",
        "Deploy the stack that creates it, then set its value.";
    FleetSecretPlaceholder:
        "Workers share a secret with the backend that nobody ever set: they boot, cost money and never register.",
        "The parameter was never written after the stack made it.",
        "Write a random value into it and start new backend tasks.";
    FleetSecretMissing:
        "The parameter that workers and backend share does not exist.",
        "Parameter Store knows no such name.",
        "Write a random value into it and start new backend tasks.";
    SecretNotJson:
        "Containers take single keys from a secret that holds no JSON: no task can start with it.",
        "The reason of a stopped task: an invalid character where the value of the secret should begin.",
        "Put a JSON object with all keys into the secret and start new backend tasks.";
    ServerErrors:
        "Users see errors.",
        "HTTPCode_Target_5XX_Count and HTTPCode_ELB_5XX_Count of the load balancer over five minutes; the backend's most frequent error is quoted.",
        "Follow the root cause above it. Without one, read the backend's log and think of the last deployment.";
    TargetsUnhealthy:
        "The load balancer does not send requests to some or all tasks.",
        "DescribeTargetHealth: targets are unhealthy, with AWS' reason.",
        "An error: the application's log. No answer: its load, or the security group. Refused: nothing listens on the port.";
    NoTargets:
        "The load balancer has no target to send requests to, and answers 503.",
        "No target is registered, or all are draining.",
        "Look at the service: why does no task of it run?";
    UpstreamRefused:
        "nginx runs and php-fpm beside it accepts no connections: 502.",
        "`connect() failed (111: Connection refused)` to port 9000 in nginx' log.",
        "Read php-fpm's log; start new tasks when it hangs.";
    TargetsUnused:
        "Tasks are registered with the load balancer and get no request from it.",
        "DescribeTargetHealth: state unused. Target.NotInUse means that no listener uses the target group, or that the target's zone is not enabled for the load balancer; the evidence counts the targets by zone.",
        "Compare the load balancer's zones with the subnets of the service; enable the zone or leave its subnet out.";
    TargetHealthUnknown:
        "The load balancer does not check these targets: it sends them requests whether they answer or not.",
        "DescribeTargetHealth: state unavailable, as with health checks that are disabled.",
        "Enable the target group's health check, or deploy the compute stack again.";
    DatabaseCpu:
        "The database works at its limit: everything becomes slow.",
        "CPUUtilization of at least 95 % for ten minutes (P1) or 80 % for five (P2), or the alarm on it.",
        "Find the query or migration behind it in Performance Insights or the backend's log. A larger instance class is the last resort.";
    DatabaseStorage:
        "The volume is nearly full; at 0 the instance stops serving.",
        "FreeStorageSpace below 2 GiB, or the alarm on it.",
        "Grow the volume (it cannot shrink), then look for what fills it.";
    DatabaseUnavailable:
        "The database does not serve.",
        "DescribeDBInstances has no instance, or a status in which it does not serve.",
        "The status says whether it ends by itself (modifying, rebooting) or wants a hand (stopped, storage-full).";
    DatabaseRefuses:
        "The database is available and connections to it are refused or time out.",
        "Connection errors in the backend's log while RDS reports the instance as available.",
        "Check that the database's security group lets that of the backend in on port 3306.";
    DatabaseLogin:
        "The database rejects the backend's user or password.",
        "`Access denied for user` (1045) in the backend's log.",
        "Was the secret rotated? Start new backend tasks so that they read the new value.";
    DatabaseConnections:
        "All connections are taken.",
        "`Too many connections` (1040) in the backend's log.",
        "Look for leaks and for too many workers; `max_connections` depends on the instance class.";
    RedisCpu:
        "Redis works at its limit; sessions, cache and queue become slow.",
        "EngineCPUUtilization of at least 90 % for 10 minutes.",
        "Look for expensive commands; a larger node type helps with traffic.";
    RedisUnreachable:
        "The backend cannot use Redis: no sessions, no queue.",
        "NOAUTH, WRONGPASS or connection errors to Redis in the backend's log.",
        "After a change of the token start new backend tasks; else look at the cluster and its security group.";
    RedisFull:
        "Redis has used the memory that it may use. By its eviction policy it throws keys out (sessions, cached values, queued jobs) or refuses to write.",
        "DatabaseMemoryUsagePercentage of 95 % and more for ten minutes, Evictions above 0 in the last 15 minutes, or `OOM command not allowed` in the backend's log.",
        "Find out what fills it; a larger node type gives it more.";
    NatPortsExhausted:
        "Connections to the outside fail at times.",
        "ErrorPortAllocation of the NAT gateway above 0.",
        "Give the gateway another Elastic IP (each brings 55,000 ports for a destination), or find what opens so many connections to one destination.";
    StackFailed:
        "The last operation on a stack failed: what the code says is not what runs.",
        "DescribeStacks: a failed or rolled-back status.",
        "The stack's events name the first resource that failed. The finding says which of the ways back the status allows.";
    StackSecretExists:
        "A stack cannot create a secret whose name is taken by one that an earlier deployment left.",
        "A stack event: the secret already exists, or is scheduled for deletion.",
        "Import the secret into the stack, or restore or remove the old one, then deploy again.";
    LegacyStacks:
        "Stacks of a generation between the two layouts are left in the account: nothing deploys them any more.",
        "ListStacks names stacks such as `bp-staging-gpu-shared` or `bp-staging-gpu-fleet-upscale`.",
        "See what they still hold (`bpctl fleet list` marks their fleets); take their fleets to zero and delete them when nobody uses them.";
    FleetMetricsSilent:
        "The backend publishes no fleet metrics: fleets cannot scale out, and after 15 minutes the alarm for an empty queue takes missing data for one and sends them to zero.",
        "QueueDepth of all fleets is older than six minutes.",
        "Look at the scheduler's log in the backend; start new backend tasks.";
    FleetNotMeasured:
        "One fleet's metrics are missing while others are published.",
        "No QueueDepth with the fleet's dimensions, others are fresh.",
        "Is the fleet known and enabled in the backend, with this stage and slug?";
    AlarmDimensions:
        "Alarms watch a metric that nobody publishes: no scale-out, and the alarm for an empty queue, which takes missing data for one, keeps the fleet at zero.",
        "The alarms' dimensions are not those that the backend publishes.",
        "Look with `bpctl stack diff` at the fleet's stack, then deploy it.";
    FleetAlarmMissing:
        "Alarms that a fleet should have are not there.",
        "DescribeAlarms does not have their names.",
        "Deploy the fleet's stack, or the monitoring stack.";
    AmiMissing:
        "No instance can be launched: the parameter with the AMI is not there.",
        "Parameter Store knows no such name.",
        "Build an AMI, or write the id of the newest good one into the parameter with the data type aws:ec2:image.";
    AmiWrongType:
        "The AMI parameter was written without its data type, so nothing checked its value.",
        "The parameter's data type is not aws:ec2:image, or its value is no AMI id.",
        "See its history for the last good value, delete it, wait 30 seconds and write it again with the data type: AWS changes no parameter to it.";
    SpotCapacity:
        "AWS has no Spot capacity for the fleet's instance types at the moment.",
        "Scaling activities fail with AWS' words for missing capacity.",
        "It ends by itself. More instance types or zones make it rarer; on-demand capacity ends it.";
    LaunchQuota:
        "A quota of the account stops launches.",
        "Scaling activities fail with the code of a quota, e.g. MaxSpotInstanceCountExceeded.",
        "Ask for a higher quota in Service Quotas.";
    LaunchFailed:
        "Instances cannot be launched, for a reason that is neither capacity nor quota.",
        "Failed scaling activities; AWS' sentence is quoted.",
        "Follow that sentence: the launch template, the AMI, the key, a permission.";
    ProcessesSuspended:
        "Processes of the group are suspended, so it does not scale.",
        "DescribeAutoScalingGroups lists them with the reason.",
        "Ask who suspended them, then resume them; `fleet release --unrecorded` does that for what a hold suspends.";
    WorkersNotRegistering:
        "Instances run and cost money, and no worker reports to the backend.",
        "Instances are in service for longer than a cold start, ActiveWorkers is 0.",
        "Read the worker's log on the instance; compare the fleet secret.";
    NoScaleOut:
        "Jobs wait and no instance comes.",
        "QueueDepth above 0, no instance, for longer than an alarm and a launch take.",
        "The finding says which link is broken: metric, alarm, policy, processes or launch.";
    FleetHeldAtZero:
        "The group's maximum is 0 while jobs wait, as after a graceful shutdown.",
        "MaxSize 0 and QueueDepth above 0.",
        "Set the maximum again when the fleet is to run.";
    FleetAtMaximum:
        "The fleet cannot grow any further while the queue is deep.",
        "Desired capacity equals MaxSize, and jobs wait.",
        "Wait, or raise the maximum: that costs money for as long as the queue is deep.";
    QueueUnserved:
        "Jobs wait and no worker is active.",
        "QueueDepth above 0 and ActiveWorkers 0 for longer than a worker takes to come.",
        "Look at `bpctl fleet status` and `bpctl fleet explain` of the fleet.";
    QueueDeep:
        "Jobs wait for long.",
        "The alarm `queue-deep` is on, or QueueDepth has been high for long.",
        "Is the fleet still growing? `bpctl fleet explain` says what it will do.";
    JobsFail:
        "Workers run and their jobs fail.",
        "The alarm on the fleet's error rate is on.",
        "Read the worker's log: a missing model or node in the bundle, too little GPU memory, broken input.";
    FleetKeepsRunning:
        "An idle fleet keeps its instances, and they cost money.",
        "Queue and workers have been at 0 for long, instances are there.",
        "`bpctl fleet scale-to-zero` takes it down; look why the alarm or the function did not.";
    TopicUnsubscribed:
        "Alarms call for scale-to-zero and no function hears them.",
        "The topic has no subscription of a function.",
        "Deploy the stack that subscribes it, or subscribe it.";
    PolicyWithoutAlarm:
        "A scaling policy that no alarm invokes: the fleet does not do what it is configured for.",
        "DescribePolicies and DescribeAlarms: the alarm is missing, mute, silent, or does not name the policy.",
        "Enable the alarm's actions, or deploy the fleet's stack again.";
    PublisherMissing:
        "Every backend task has a scheduler that publishes the fleets' metrics. One of them does not, so fewer values arrive than there are tasks; with the last one the metrics fall silent. The scheduler is not essential: ECS does not replace its task.",
        "For eight minutes the SampleCount of QueueDepth has been lower than the number of backend tasks, and no task came or went.",
        "Read the scheduler's log, then replace the tasks.";
    PublisherSurplus:
        "Something that is no backend task of this platform publishes its fleets' metrics. What it says counts: alarms take the largest value, so fleets can be kept running or started for jobs that are not there.",
        "For eight minutes the SampleCount of QueueDepth has been higher than the number of backend tasks, and no task came or went.",
        "Find the other copy of the application that has credentials of this account: a laptop, a second deployment, a host with its own cron. End it, or give it another namespace.";
    WorkerAddress:
        "The launch template tells workers another address than the platform has now, as after a deployment of the fleet without the domain and the certificate. Over http a registration is redirected and arrives as another method: workers boot, cost money and never register.",
        "API_BASE_URL in the user data of the deployed template is not the output ApiBaseUrl of the compute stack. The templates of ten stacks are read, those of the fleets with the most instances.",
        "Deploy the fleet's stack with the domain and the certificate in force, and without the stacks it depends on; then replace its instances.";
    FleetHeld:
        "An operator holds the fleet: no alarm changes its capacity, and perhaps no instance starts.",
        "AlarmNotification or Launch of the group is suspended, and the fleet's parameter `hold` says by whom, why and until when.",
        "Nothing as long as that is meant; `fleet release` ends it.";
    HoldOverdue:
        "The time of a hold is over, and the fleet is held all the same: AWS releases nothing by itself.",
        "The record's `until` lies in the past, `released` is null, and the group's processes are suspended.",
        "Ask who holds it, then `fleet release`; `fleet hold --for` gives it a new time.";
    RegisterSecret:
        "The backend refuses workers because their secret is not its own: it was changed after the backend's tasks or the workers had read it.",
        "nginx of the backend logs POST /api/worker/register with status 401.",
        "Replace the backend's tasks, then the fleet's instances: both read the secret when they start.";
    RegisterLimit:
        "The backend has as many workers as it allows (50), also those that are gone and were never signed off.",
        "nginx of the backend logs POST /api/worker/register with status 403.",
        "Remove workers that are gone in the application, or let fewer fleets run at once.";
    RegisterFleetUnknown:
        "Workers come with a slug and a stage of which the backend has no fleet.",
        "nginx of the backend logs POST /api/worker/register with status 404.",
        "Compare FLEET_SLUG and FLEET_STAGE in the launch template with the fleets of the application.";
    RegisterTwice:
        "A worker comes that is registered: it was started again without being signed off, or two run on one instance.",
        "nginx of the backend logs POST /api/worker/register with status 409.",
        "Read the worker's log; replace the instance.";
    RegisterNoWorkflow:
        "The backend knows the fleet, and no workflow is assigned to it: its workers would have nothing to do.",
        "nginx of the backend logs POST /api/worker/register with status 422.",
        "Assign a workflow to the fleet in the application, or take the fleet to zero.";
    RegisterTooOften:
        "More than ten registrations a minute come from one address. All workers have the address of the NAT gateway: one that starts again and again keeps the others out.",
        "nginx of the backend logs POST /api/worker/register with status 429, and none was accepted since.",
        "Find the worker that registers again and again, and end its instance.";
    RegisterUnset:
        "The backend has no fleet secret to compare with, so no worker can register.",
        "nginx of the backend logs POST /api/worker/register with status 503. In maintenance mode the application answers everything with 503.",
        "Set the fleet secret, then replace the backend's tasks, which read it when they start.";
    AlarmOn:
        "An alarm is on, and another finding says why.",
        "DescribeAlarms: ALARM, and its subject is explained by the finding above it.",
        "Mend the finding above it.";
    AlarmUnexplained:
        "An alarm is on and no rule knows why.",
        "DescribeAlarms: ALARM, and no finding explains its subject.",
        "Read the alarm's history and its metric.";
    AlarmActionsDisabled:
        "Alarms that tell nobody.",
        "ActionsEnabled is false, or there is no action where one is needed.",
        "Enable the actions, unless somebody is working on it.";
    AlarmMissing:
        "Alarms that the platform should have are not there.",
        "DescribeAlarms does not have their names.",
        "Deploy the monitoring stack.";
    AlarmUnheard:
        "Alarms go on and nobody is told.",
        "Their topic does not exist, has no subscription, or none that was confirmed.",
        "Subscribe an address and confirm it by the link in the message.";
    CouldNotCheck:
        "Something could not be looked at, so nothing is said of it.",
        "AWS denied, throttled or did not answer a read; the reason is quoted.",
        "Get the permission that it names, or look again. `bpctl triage` without it may miss a cause.";
    PlatformAbsent:
        "The account has nothing of the platform in this region: neither a stack of the layout nor a service.",
        "ListStacks names no stack of the layout, and ECS knows neither service.",
        "See account, region, layout and stage with `bpctl whoami`, then name the right ones; the evidence lists other generations that are here.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_sentences_without_placeholders() {
        for &code in Code::ALL {
            let page = of(code);
            for text in [page.means, page.proof, page.remedy] {
                assert!(
                    text.ends_with('.') || text.ends_with('?'),
                    "{}: {text}",
                    code.id()
                );
                assert!(
                    !text.contains('<') && !text.contains("TODO"),
                    "{}: {text}",
                    code.id()
                );
            }
        }
    }
}
