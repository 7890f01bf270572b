//! What the probes saw, as plain data: everything that the rules may know.

use std::collections::BTreeMap;
use std::ops::Deref;

use jiff::Timestamp;
use serde::Serialize;

use crate::aws::ecs;
use crate::error::{ErrorKind, Hint};
use crate::layout::{App, FleetId, Layout, Stage};

macro_rules! probes {
    ($($(#[$doc:meta])+ $variant:ident = $name:literal, $depth:literal;)+) => {
        /// One thing that is looked at. Each reports on its own: none hides another.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(crate) enum Probe { $($(#[$doc])+ $variant,)+ }

        impl Probe {
            pub(crate) const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The name in reports.
            pub(crate) fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// Probes that others need for their own question lie deeper.
            pub(crate) fn depth(self) -> u8 {
                match self { $(Self::$variant => $depth,)+ }
            }
        }
    };
}

probes! {
    /// Both ECS services, their deployments and events.
    Services = "ecs-services", 2;
    /// The recent service deployments.
    Rollouts = "ecs-deployments", 0;
    /// Stopped tasks and one-off tasks.
    Tasks = "ecs-tasks", 2;
    /// Last log lines of failed containers.
    TaskLogs = "task-logs", 0;
    /// Errors in the backend's log group.
    BackendLogs = "backend-logs", 0;
    /// Health of the load balancer's targets.
    Targets = "alb-targets", 0;
    /// Alarms of the platform.
    Alarms = "platform-alarms", 2;
    /// Metrics of load balancer, database, Redis and NAT.
    Metrics = "platform-metrics", 0;
    /// Image tags in ECR.
    Images = "ecr-tags", 0;
    /// Version stages of the secrets; no value is read.
    Secrets = "secrets", 0;
    /// The database instance.
    Database = "rds-instance", 0;
    /// CloudFormation stacks in a failed state, and outputs that name resources.
    Stacks = "stacks", 2;
    /// Auto Scaling groups of the fleets.
    Groups = "fleet-groups", 3;
    /// Alarms of the fleets.
    FleetAlarms = "fleet-alarms", 2;
    /// Scaling policies of the fleets.
    Policies = "fleet-policies", 3;
    /// QueueDepth and ActiveWorkers of the fleets.
    FleetMetrics = "fleet-metrics", 0;
    /// Scaling activities of the last hour.
    Activities = "fleet-activities", 0;
    /// AMI pointers of the fleets.
    Amis = "fleet-amis", 0;
    /// Whether the fleet secrets still hold their placeholder.
    FleetSecrets = "fleet-secrets", 0;
    /// Who listens to the scale-to-zero topic.
    Topics = "scale-to-zero-topic", 0;
    /// Who hears the platform's alarms.
    AlertTopics = "alert-topics", 0;
}

impl Serialize for Probe {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// Why something could not be checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Blind {
    pub(crate) kind: ErrorKind,
    pub(crate) reason: String,
    pub(crate) hints: Vec<Hint>,
    /// The probe whose own failure left this one without its question.
    pub(crate) needs: Option<Probe>,
}

/// The answer of a probe: what it saw, or why it saw nothing.
pub(crate) type Checked<T> = Result<T, Blind>;

/// Everything that was seen.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    pub(crate) layout: Layout,
    pub(crate) services: Checked<Vec<Service>>,
    pub(crate) rollouts: Checked<Vec<Rollout>>,
    pub(crate) tasks: Checked<Vec<Task>>,
    /// Last lines of a task's failed container, by task id.
    pub(crate) task_logs: Checked<BTreeMap<String, Vec<String>>>,
    /// Error lines of the backend, oldest first.
    pub(crate) backend_logs: Checked<Vec<LogLine>>,
    pub(crate) targets: Checked<Vec<TargetGroup>>,
    pub(crate) alarms: Checked<Vec<Alarm>>,
    pub(crate) metrics: Checked<PlatformMetrics>,
    pub(crate) images: Checked<Vec<Repository>>,
    pub(crate) secrets: Checked<Vec<Secret>>,
    /// `None`: the account has no database instance of the platform.
    pub(crate) database: Checked<Option<Database>>,
    pub(crate) stacks: Checked<Vec<FailedStack>>,
    pub(crate) groups: Checked<Vec<Group>>,
    pub(crate) fleet_alarms: Checked<Vec<Alarm>>,
    /// Scaling policies by group.
    pub(crate) policies: Checked<BTreeMap<String, Vec<ScalingPolicy>>>,
    pub(crate) fleet_metrics: Checked<BTreeMap<FleetId, FleetMetrics>>,
    pub(crate) activities: Checked<Vec<Activity>>,
    /// AMI pointers by parameter name; a missing one is absent.
    pub(crate) amis: Checked<BTreeMap<String, Pointer>>,
    pub(crate) fleet_secrets: Checked<Vec<FleetSecret>>,
    /// Topics that the queue-empty alarms speak to.
    pub(crate) topics: Checked<Vec<Topic>>,
    /// Topics that the platform's alarms speak to.
    pub(crate) alert_topics: Checked<Vec<Topic>>,
}

impl Snapshot {
    /// A snapshot in which everything was looked at and nothing is there.
    pub(crate) fn empty(layout: Layout) -> Self {
        Self {
            layout,
            services: Ok(Vec::new()),
            rollouts: Ok(Vec::new()),
            tasks: Ok(Vec::new()),
            task_logs: Ok(BTreeMap::new()),
            backend_logs: Ok(Vec::new()),
            targets: Ok(Vec::new()),
            alarms: Ok(Vec::new()),
            metrics: Ok(PlatformMetrics::default()),
            images: Ok(Vec::new()),
            secrets: Ok(Vec::new()),
            database: Ok(None),
            stacks: Ok(Vec::new()),
            groups: Ok(Vec::new()),
            fleet_alarms: Ok(Vec::new()),
            policies: Ok(BTreeMap::new()),
            fleet_metrics: Ok(BTreeMap::new()),
            activities: Ok(Vec::new()),
            amis: Ok(BTreeMap::new()),
            fleet_secrets: Ok(Vec::new()),
            topics: Ok(Vec::new()),
            alert_topics: Ok(Vec::new()),
        }
    }

    /// Why a probe saw nothing, if it did not.
    pub(crate) fn blind(&self, probe: Probe) -> Option<&Blind> {
        match probe {
            Probe::Services => self.services.as_ref().err(),
            Probe::Rollouts => self.rollouts.as_ref().err(),
            Probe::Tasks => self.tasks.as_ref().err(),
            Probe::TaskLogs => self.task_logs.as_ref().err(),
            Probe::BackendLogs => self.backend_logs.as_ref().err(),
            Probe::Targets => self.targets.as_ref().err(),
            Probe::Alarms => self.alarms.as_ref().err(),
            Probe::Metrics => self.metrics.as_ref().err(),
            Probe::Images => self.images.as_ref().err(),
            Probe::Secrets => self.secrets.as_ref().err(),
            Probe::Database => self.database.as_ref().err(),
            Probe::Stacks => self.stacks.as_ref().err(),
            Probe::Groups => self.groups.as_ref().err(),
            Probe::FleetAlarms => self.fleet_alarms.as_ref().err(),
            Probe::Policies => self.policies.as_ref().err(),
            Probe::FleetMetrics => self.fleet_metrics.as_ref().err(),
            Probe::Activities => self.activities.as_ref().err(),
            Probe::Amis => self.amis.as_ref().err(),
            Probe::FleetSecrets => self.fleet_secrets.as_ref().err(),
            Probe::Topics => self.topics.as_ref().err(),
            Probe::AlertTopics => self.alert_topics.as_ref().err(),
        }
    }

    /// A service that was seen.
    pub(crate) fn service(&self, app: App) -> Option<&Service> {
        self.services
            .as_ref()
            .ok()?
            .iter()
            .find(|service| service.app == app)
    }

    /// Every alarm that was seen, the platform's first.
    pub(crate) fn all_alarms(&self) -> impl Iterator<Item = &Alarm> {
        let platform = self.alarms.iter().flatten();
        platform.chain(self.fleet_alarms.iter().flatten())
    }

    /// An alarm by name.
    pub(crate) fn alarm(&self, name: &str) -> Option<&Alarm> {
        self.all_alarms().find(|alarm| alarm.name == name)
    }
}

/// An ECS service.
#[derive(Clone, Debug)]
pub(crate) struct Service {
    pub(crate) app: App,
    /// `ACTIVE`, `DRAINING` or `INACTIVE`; `None` when ECS does not know the service.
    pub(crate) status: Option<String>,
    pub(crate) desired: u32,
    pub(crate) running: u32,
    pub(crate) pending: u32,
    pub(crate) deployments: Vec<Deployment>,
    /// The newest first.
    pub(crate) events: Vec<Event>,
    pub(crate) target_groups: Vec<String>,
}

impl Service {
    pub(crate) fn primary(&self) -> Option<&Deployment> {
        self.deployments.iter().find(|deployment| deployment.primary)
    }
}

/// A deployment that still has tasks.
#[derive(Clone, Debug)]
pub(crate) struct Deployment {
    /// `ecs-svc/<digits>`.
    pub(crate) id: String,
    pub(crate) primary: bool,
    /// Family and revision.
    pub(crate) task_definition: String,
    pub(crate) desired: u32,
    pub(crate) running: u32,
    pub(crate) pending: u32,
    pub(crate) failed: u32,
    /// `IN_PROGRESS`, `COMPLETED` or `FAILED`.
    pub(crate) rollout: Option<String>,
    pub(crate) reason: Option<String>,
    pub(crate) created: Option<Timestamp>,
}

/// A service event.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) at: Timestamp,
    pub(crate) message: String,
}

/// A service deployment: the record of a rollout, also of a rolled back one.
#[derive(Clone, Debug)]
pub(crate) struct Rollout {
    pub(crate) app: App,
    pub(crate) id: String,
    /// The digits that deployment id and service revision share.
    pub(crate) revision: String,
    /// `SUCCESSFUL`, `ROLLBACK_SUCCESSFUL`, …
    pub(crate) status: String,
    pub(crate) reason: Option<String>,
    pub(crate) created: Timestamp,
    pub(crate) finished: Option<Timestamp>,
}

/// A task of the platform.
#[derive(Clone, Debug, Default)]
pub(crate) struct Task {
    /// What ECS says.
    pub(crate) ecs: ecs::Task,
    /// The service that runs it; `None` for a one-off task.
    pub(crate) service: Option<App>,
    /// Containers with which it ends; `None` when its task definition was not read.
    pub(crate) essential: Option<Vec<String>>,
}

impl Task {
    /// Whether the task ends with this container, as far as is known.
    pub(crate) fn is_essential(&self, container: &str) -> bool {
        self.essential
            .as_ref()
            .is_none_or(|names| names.iter().any(|name| name == container))
    }
}

impl Deref for Task {
    type Target = ecs::Task;

    fn deref(&self) -> &ecs::Task {
        &self.ecs
    }
}

/// The ways a task ends that it should not end in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum TaskFault {
    /// An image cannot be pulled.
    Pull,
    /// Secrets, registry login, log driver or network: it fails before any container starts.
    Initialization,
    /// No capacity.
    Capacity,
    /// Out of memory.
    Memory,
    /// An essential container exits.
    Crash,
    /// The load balancer or the container health check gives it up.
    Health,
    /// It never gets past PENDING.
    Pending,
}

/// A line of a log, redacted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogLine {
    pub(crate) at: Timestamp,
    pub(crate) stream: String,
    pub(crate) message: String,
}

/// A target group of a service.
#[derive(Clone, Debug)]
pub(crate) struct TargetGroup {
    pub(crate) app: App,
    pub(crate) arn: String,
    pub(crate) targets: Vec<Target>,
}

/// A target and its health (`healthy`, `unhealthy`, `initial`, `draining`, `unused`).
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) id: String,
    pub(crate) state: String,
    pub(crate) reason: String,
    pub(crate) description: String,
}

/// The state of an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AlarmState {
    Ok,
    Alarm,
    InsufficientData,
}

/// A CloudWatch alarm.
#[derive(Clone, Debug)]
pub(crate) struct Alarm {
    pub(crate) name: String,
    pub(crate) state: AlarmState,
    pub(crate) since: Option<Timestamp>,
    pub(crate) reason: String,
    pub(crate) actions_enabled: bool,
    /// ARNs of the actions of the state ALARM.
    pub(crate) actions: Vec<String>,
    pub(crate) namespace: Option<String>,
    pub(crate) dimensions: Vec<(String, String)>,
}

impl Alarm {
    pub(crate) fn is_on(&self) -> bool {
        self.state == AlarmState::Alarm
    }
}

/// Values of a metric, the oldest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Series(pub(crate) Vec<(Timestamp, f64)>);

impl Series {
    pub(crate) fn last(&self) -> Option<(Timestamp, f64)> {
        self.0.last().copied()
    }

    /// The values not older than `minutes`.
    pub(crate) fn within(&self, now: Timestamp, minutes: i64) -> impl Iterator<Item = f64> {
        let from = now.as_second() - minutes * 60;
        self.0
            .iter()
            .filter(move |(at, _)| at.as_second() >= from)
            .map(|(_, value)| *value)
    }

    /// The sum of the values not older than `minutes`.
    pub(crate) fn sum(&self, now: Timestamp, minutes: i64) -> f64 {
        // An empty sum would be -0.
        self.within(now, minutes).fold(0.0, |sum, value| sum + value)
    }

    /// Whether there are at least `points` values not older than `minutes` and all of them pass.
    pub(crate) fn holds(
        &self,
        now: Timestamp,
        minutes: i64,
        points: usize,
        test: impl Fn(f64) -> bool,
    ) -> bool {
        self.within(now, minutes).count() >= points && self.within(now, minutes).all(test)
    }
}

/// One-minute values of the platform's own metrics.
#[derive(Clone, Debug, Default)]
pub(crate) struct PlatformMetrics {
    pub(crate) target_5xx: Series,
    pub(crate) balancer_5xx: Series,
    pub(crate) requests: Series,
    /// Percent.
    pub(crate) database_cpu: Series,
    /// Bytes.
    pub(crate) database_storage: Series,
    pub(crate) nat_errors: Series,
    /// Percent.
    pub(crate) redis_cpu: Series,
}

/// An ECR repository and its tags.
#[derive(Clone, Debug)]
pub(crate) struct Repository {
    pub(crate) app: App,
    pub(crate) name: String,
    /// Tags and when their images were pushed, the newest first.
    pub(crate) tags: Vec<(String, Option<Timestamp>)>,
}

impl Repository {
    pub(crate) fn has(&self, tag: &str) -> bool {
        self.tags.iter().any(|(known, _)| known == tag)
    }
}

/// A secret that the layout names.
#[derive(Clone, Debug)]
pub(crate) struct Secret {
    pub(crate) role: &'static str,
    pub(crate) name: String,
    pub(crate) exists: bool,
    /// Whether a version carries AWSCURRENT.
    pub(crate) has_value: bool,
    pub(crate) changed: Option<Timestamp>,
}

/// The RDS instance.
#[derive(Clone, Debug)]
pub(crate) struct Database {
    pub(crate) id: String,
    pub(crate) status: String,
    pub(crate) security_groups: Vec<String>,
    /// Gibibytes.
    pub(crate) allocated: Option<i32>,
}

/// A stack whose last operation failed.
#[derive(Clone, Debug)]
pub(crate) struct FailedStack {
    pub(crate) name: String,
    pub(crate) status: String,
    pub(crate) reason: Option<String>,
    /// The first resource that failed, and why.
    pub(crate) failures: Vec<String>,
    pub(crate) updated: Option<Timestamp>,
}

/// The Auto Scaling group of a fleet.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) fleet: FleetId,
    pub(crate) name: String,
    pub(crate) min: u32,
    pub(crate) max: u32,
    pub(crate) desired: u32,
    pub(crate) in_service: u32,
    /// Instances in any state.
    pub(crate) instances: u32,
    /// Processes that are suspended, and why.
    pub(crate) suspended: Vec<(String, String)>,
}

/// A scaling policy of a group.
#[derive(Clone, Debug)]
pub(crate) struct ScalingPolicy {
    pub(crate) name: String,
    pub(crate) enabled: bool,
    /// Whether Auto Scaling keeps the alarms itself.
    pub(crate) tracking: bool,
    /// Names of the alarms that invoke it.
    pub(crate) alarms: Vec<String>,
}

impl ScalingPolicy {
    /// Whether an action of an alarm invokes this policy of that group.
    pub(crate) fn is_invoked_by(&self, group: &str, action: &str) -> bool {
        action.ends_with(&format!(":autoScalingGroupName/{group}:policyName/{}", self.name))
    }
}

/// One-minute values of a fleet.
#[derive(Clone, Debug, Default)]
pub(crate) struct FleetMetrics {
    pub(crate) queue: Series,
    pub(crate) workers: Series,
}

/// A scaling activity.
#[derive(Clone, Debug)]
pub(crate) struct Activity {
    pub(crate) group: String,
    pub(crate) id: String,
    /// `Successful`, `Failed`, `Cancelled`, …
    pub(crate) status: String,
    pub(crate) message: String,
    pub(crate) description: String,
    pub(crate) start: Option<Timestamp>,
}

/// An AMI pointer in Parameter Store.
#[derive(Clone, Debug)]
pub(crate) struct Pointer {
    pub(crate) data_type: String,
    pub(crate) version: i64,
    pub(crate) modified: Option<Timestamp>,
    /// Read only when the data type is wrong.
    pub(crate) value: Option<String>,
}

/// The fleet secret of a stage. The value itself is never kept.
#[derive(Clone, Debug)]
pub(crate) struct FleetSecret {
    pub(crate) stage: Stage,
    pub(crate) name: String,
    pub(crate) state: FleetSecretState,
    pub(crate) version: Option<i64>,
    pub(crate) modified: Option<Timestamp>,
}

/// What is known about a fleet secret without keeping it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FleetSecretState {
    Set,
    Placeholder,
    Missing,
}

/// A topic and who listens.
#[derive(Clone, Debug)]
pub(crate) struct Topic {
    pub(crate) arn: String,
    /// Whether SNS knows it.
    pub(crate) exists: bool,
    /// Protocol and endpoint of confirmed subscriptions.
    pub(crate) subscriptions: Vec<(String, String)>,
    /// Protocol and endpoint of those that nobody has confirmed: nothing is delivered to them.
    pub(crate) pending: Vec<(String, String)>,
}
