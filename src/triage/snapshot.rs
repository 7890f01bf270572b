//! What the probes saw, as plain data: everything that the rules may know.

use std::collections::BTreeMap;
use std::ops::Deref;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::finding::Severity;
pub(crate) use crate::aws::autoscaling::{Activity, Group, Policy};
pub(crate) use crate::aws::cloudformation::StackSummary;
use crate::aws::cloudformation::{StackEvent, failures_of_last_operation};
pub(crate) use crate::aws::cloudwatch::{Alarm, AlarmState};
pub(crate) use crate::aws::ecr::Image;
use crate::aws::ecs::{self, ServiceDeployment};
pub(crate) use crate::aws::elb::TargetHealth as Target;
use crate::aws::logs::FoundLine;
pub(crate) use crate::aws::rds::DbInstance as Database;
pub(crate) use crate::aws::secretsmanager::SecretFacts;
pub(crate) use crate::aws::sns::Subscription;
pub(crate) use crate::aws::ssm::ParameterFacts;
use crate::error::{ErrorKind, Hint};
pub(crate) use crate::fleet::hold::Hold;
use crate::layout::{App, FleetId, Layout, Stage};

macro_rules! probes {
    ($($(#[$doc:meta])+ $probe:ident = $name:literal, $depth:literal, $blind:ident, $field:ident: $seen:ty;)+) => {
        /// One thing that is looked at. Each reports on its own: none hides another.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(crate) enum Probe { $($(#[$doc])+ $probe,)+ }

        impl Probe {
            pub(crate) const ALL: &[Self] = &[$(Self::$probe,)+];

            /// The name in reports.
            pub(crate) fn name(self) -> &'static str {
                match self { $(Self::$probe => $name,)+ }
            }

            /// Probes that others need for their own question lie deeper.
            pub(crate) fn depth(self) -> u8 {
                match self { $(Self::$probe => $depth,)+ }
            }

            /// How bad it is not to see it: what users notice first is worse.
            pub(crate) fn blind_severity(self) -> Severity {
                match self { $(Self::$probe => Severity::$blind,)+ }
            }
        }

        /// Everything that was seen. In a file each probe has its name and what it saw (`Ok`) or why it saw nothing
        /// (`Err`); one that the file's version did not know is not there.
        #[derive(Clone, Debug, Serialize, Deserialize)]
        pub(crate) struct Snapshot {
            #[serde(with = "super::recording::layout")]
            pub(crate) layout: Layout,
            $($(#[$doc])+ #[serde(rename = $name, default = "super::recording::not_recorded")] pub(crate) $field: Checked<$seen>,)+
        }

        impl Snapshot {
            /// A snapshot in which everything was looked at and nothing is there.
            pub(crate) fn empty(layout: Layout) -> Self {
                Self { layout, $($field: Ok(Default::default()),)+ }
            }

            /// Why a probe saw nothing, if it did not.
            pub(crate) fn blind(&self, probe: Probe) -> Option<&Blind> {
                match probe { $(Probe::$probe => self.$field.as_ref().err(),)+ }
            }

            /// Leaves out what a probe saw.
            pub(super) fn forget(&mut self, probe: Probe, why: Blind) {
                match probe { $(Probe::$probe => self.$field = Err(why),)+ }
            }

            /// Takes what a probe saw at another look in the place of what it sees at this one.
            pub(super) fn recall(&mut self, probe: Probe, other: &Self) {
                match probe { $(Probe::$probe => self.$field.clone_from(&other.$field),)+ }
            }
        }
    };
}

// Every probe: its name in reports, how deep it lies, how bad its blindness is, and what it sees.
probes! {
    /// Both ECS services, their deployments and events.
    Services = "ecs-services", 2, P2, services: Vec<Service>;
    /// The recent service deployments.
    Rollouts = "ecs-deployments", 0, P3, rollouts: Vec<Rollout>;
    /// Stopped tasks and one-off tasks.
    Tasks = "ecs-tasks", 2, P2, tasks: Vec<Task>;
    /// Last log lines of failed containers.
    /// By task id.
    TaskLogs = "task-logs", 0, P3, task_logs: BTreeMap<String, Vec<String>>;
    /// Errors in the backend's log group.
    /// Redacted, oldest first.
    BackendLogs = "backend-logs", 0, P3, backend_logs: Vec<FoundLine>;
    /// Health of the load balancer's targets.
    Targets = "alb-targets", 0, P2, targets: Vec<TargetGroup>;
    /// Alarms of the platform.
    Alarms = "platform-alarms", 2, P2, alarms: Vec<Alarm>;
    /// Metrics of load balancer, database, Redis and NAT.
    Metrics = "platform-metrics", 0, P2, metrics: PlatformMetrics;
    /// Image tags in ECR.
    Images = "ecr-tags", 0, P3, images: Vec<Repository>;
    /// Version stages of the secrets; no value is read.
    Secrets = "secrets", 0, P3, secrets: Vec<Secret>;
    /// The database instance.
    /// `None`: the account has no instance of the platform.
    Database = "rds-instance", 0, P2, database: Option<Database>;
    /// CloudFormation stacks in a failed state, and outputs that name resources.
    Stacks = "stacks", 2, P3, stacks: Vec<UnsettledStack>;
    /// The names of all stacks of the region.
    /// Also of those that are not the layout's.
    StackNames = "stack-names", 3, P3, stack_names: Vec<String>;
    /// Auto Scaling groups of the fleets.
    Groups = "fleet-groups", 3, P2, groups: Vec<FleetGroup>;
    /// Who holds the fleets that have processes suspended.
    /// Only holds in force; an error text where the record cannot be read.
    Holds = "fleet-holds", 0, P3, holds: BTreeMap<FleetId, Result<Hold, String>>;
    /// Alarms of the fleets.
    FleetAlarms = "fleet-alarms", 2, P3, fleet_alarms: Vec<Alarm>;
    /// Scaling policies of the fleets.
    /// By group.
    Policies = "fleet-policies", 3, P3, policies: BTreeMap<String, Vec<Policy>>;
    /// QueueDepth, its number of samples, and ActiveWorkers of the fleets.
    FleetMetrics = "fleet-metrics", 0, P2, fleet_metrics: BTreeMap<FleetId, FleetMetrics>;
    /// Scaling activities of the last hour.
    Activities = "fleet-activities", 0, P3, activities: Vec<Activity>;
    /// Where the workers of the fleets are told to find the backend.
    Addresses = "fleet-addresses", 0, P3, addresses: Addresses;
    /// AMI pointers of the fleets.
    /// By parameter name; a missing one is absent.
    Amis = "fleet-amis", 0, P3, amis: BTreeMap<String, Pointer>;
    /// Whether the fleet secrets still hold their placeholder.
    FleetSecrets = "fleet-secrets", 0, P3, fleet_secrets: Vec<FleetSecret>;
    /// Who listens to the scale-to-zero topic.
    /// Those that the queue-empty alarms speak to.
    Topics = "scale-to-zero-topic", 0, P3, topics: Vec<Topic>;
    /// Who hears the platform's alarms.
    /// Those that the platform's alarms speak to.
    AlertTopics = "alert-topics", 0, P3, alert_topics: Vec<Topic>;
}

impl<'de> Deserialize<'de> for Probe {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let found = Self::ALL.iter().find(|probe| probe.name() == name);
        found
            .copied()
            .ok_or_else(|| serde::de::Error::custom(format!("there is no probe `{name}`")))
    }
}

impl Serialize for Probe {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// Why something could not be checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Blind {
    pub(crate) kind: ErrorKind,
    pub(crate) reason: String,
    #[serde(with = "super::recording::hints")]
    pub(crate) hints: Vec<Hint>,
    /// The probe whose own failure left this one without its question.
    pub(crate) needs: Option<Probe>,
}

/// The answer of a probe: what it saw, or why it saw nothing.
pub(crate) type Checked<T> = Result<T, Blind>;

impl Snapshot {
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

/// One of the platform's services.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Service {
    pub(crate) app: App,
    /// What ECS says; of one that it does not know only that it is [`MISSING`].
    pub(crate) ecs: ecs::Service,
    /// Whether its stack makes it without tasks, until there are images: it was never started.
    pub(crate) unstarted: bool,
}

/// The status of a service that ECS does not know (its word in the failures of DescribeServices).
pub(crate) const MISSING: &str = "MISSING";

impl Deref for Service {
    type Target = ecs::Service;

    fn deref(&self) -> &ecs::Service {
        &self.ecs
    }
}

/// The record of a service's rollout, also of a rolled back one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Rollout {
    pub(crate) app: App,
    pub(crate) record: ServiceDeployment,
}

impl Rollout {
    /// The digits that deployment id and service revision share.
    pub(crate) fn revision(&self) -> &str {
        self.record
            .revision
            .as_deref()
            .map(ecs::short)
            .unwrap_or_default()
    }
}

impl Deref for Rollout {
    type Target = ServiceDeployment;

    fn deref(&self) -> &ServiceDeployment {
        &self.record
    }
}

/// A task of the platform.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
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

/// A target group of a service.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct TargetGroup {
    pub(crate) app: App,
    pub(crate) arn: String,
    pub(crate) targets: Vec<Target>,
}

/// Values of a metric, the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
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
    /// Percent of what the cluster may use.
    pub(crate) redis_memory: Series,
    /// Keys that were thrown out to make room.
    pub(crate) redis_evictions: Series,
    /// Percent of a task's memory, of the task of the backend that uses most.
    pub(crate) backend_memory: Series,
    /// The same of the frontend.
    pub(crate) frontend_memory: Series,
}

impl PlatformMetrics {
    /// The memory of the tasks of a service.
    pub(crate) fn memory(&self, app: App) -> &Series {
        match app {
            App::Backend => &self.backend_memory,
            App::Frontend => &self.frontend_memory,
        }
    }
}

/// An ECR repository of a service.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Repository {
    pub(crate) app: App,
    pub(crate) name: String,
    /// The newest first.
    pub(crate) images: Vec<Image>,
}

impl Repository {
    /// Tags and when their images were pushed, the newest first.
    pub(crate) fn tags(&self) -> impl Iterator<Item = (&str, Option<Timestamp>)> {
        self.images
            .iter()
            .flat_map(|image| image.tags.iter().map(|tag| (tag.as_str(), image.pushed)))
    }

    pub(crate) fn has(&self, tag: &str) -> bool {
        self.tags().any(|(known, _)| known == tag)
    }
}

/// A secret that the layout names.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Secret {
    pub(crate) role: String,
    pub(crate) name: String,
    /// `None`: Secrets Manager does not know the secret.
    pub(crate) facts: Option<SecretFacts>,
}

/// A stack whose last operation failed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct UnsettledStack {
    pub(crate) summary: StackSummary,
    /// The first resources that failed, and why.
    pub(crate) failures: Vec<String>,
}

impl UnsettledStack {
    /// How many failures of a stack are told.
    const FAILURES: usize = 3;

    /// `events` come the newest first.
    pub(crate) fn of(summary: StackSummary, events: &[StackEvent]) -> Self {
        let failures = failures_of_last_operation(&summary.name, events).into_iter();
        let failures = failures.take(Self::FAILURES).map(|event| match &event.reason {
            Some(reason) => format!("`{}` ({}): {reason}", event.resource, event.kind),
            None => format!("`{}` ({})", event.resource, event.kind),
        });
        Self {
            failures: failures.collect(),
            summary,
        }
    }
}

impl Deref for UnsettledStack {
    type Target = StackSummary;

    fn deref(&self) -> &StackSummary {
        &self.summary
    }
}

/// The Auto Scaling group of a fleet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct FleetGroup {
    pub(crate) fleet: FleetId,
    pub(crate) group: Group,
}

impl Deref for FleetGroup {
    type Target = Group;

    fn deref(&self) -> &Group {
        &self.group
    }
}

/// One-minute values of a fleet.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct FleetMetrics {
    pub(crate) queue: Series,
    pub(crate) workers: Series,
    /// How often QueueDepth was published.
    pub(crate) samples: Series,
}

/// Where workers are told to find the backend.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Addresses {
    /// The platform's own, an output of its compute stack.
    pub(crate) platform: Option<String>,
    /// What the launch templates of the fleets hand to their workers, as far as the templates tell.
    pub(crate) fleets: BTreeMap<FleetId, String>,
}

/// An AMI pointer in Parameter Store.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Pointer {
    pub(crate) facts: ParameterFacts,
    /// Read only when the data type is wrong.
    pub(crate) value: Option<String>,
}

impl Deref for Pointer {
    type Target = ParameterFacts;

    fn deref(&self) -> &ParameterFacts {
        &self.facts
    }
}

/// The fleet secret of a stage. The value itself is never kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct FleetSecret {
    pub(crate) stage: Stage,
    pub(crate) name: String,
    /// When its value was last written, where it exists.
    pub(crate) modified: Option<Timestamp>,
    pub(crate) state: FleetSecretState,
}

/// What is known about a fleet secret without keeping it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum FleetSecretState {
    Set,
    Placeholder(ParameterFacts),
    Missing,
}

/// A topic and who listens.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Topic {
    pub(crate) arn: String,
    /// `None`: SNS does not know the topic.
    pub(crate) subscriptions: Option<Vec<Subscription>>,
}

impl Topic {
    /// Subscriptions that receive what is published.
    pub(crate) fn confirmed(&self) -> impl Iterator<Item = &Subscription> {
        let all = self.subscriptions.iter().flatten();
        all.filter(|subscription| subscription.confirmed)
    }

    /// Subscriptions whose receiver has not confirmed them: SNS delivers nothing to them.
    pub(crate) fn pending(&self) -> impl Iterator<Item = &Subscription> {
        let all = self.subscriptions.iter().flatten();
        all.filter(|subscription| !subscription.confirmed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(resource: &str, kind: &str, status: &str, reason: &str) -> StackEvent {
        StackEvent {
            id: String::new(),
            at: None,
            resource: resource.to_owned(),
            kind: kind.to_owned(),
            status: status.to_owned(),
            reason: (!reason.is_empty()).then(|| reason.to_owned()),
            token: None,
        }
    }

    #[test]
    fn the_first_failure_of_the_last_operation_is_told() {
        let stack = "AWS::CloudFormation::Stack";
        let service = "AWS::ECS::Service";
        let summary = StackSummary {
            name: "bp-compute".to_owned(),
            status: "UPDATE_ROLLBACK_COMPLETE".to_owned(),
            status_reason: None,
            updated: None,
        };
        let events = [
            event("bp-compute", stack, "UPDATE_ROLLBACK_COMPLETE", ""),
            event("Frontend", service, "UPDATE_FAILED", "Resource update cancelled"),
            event("Backend", service, "UPDATE_FAILED", "Exceeded attempts to wait"),
            event("bp-compute", stack, "UPDATE_IN_PROGRESS", "User Initiated"),
            event("Old", service, "UPDATE_FAILED", "of last year"),
        ];
        let failed = UnsettledStack::of(summary, &events);
        assert_eq!(
            failed.failures,
            ["`Backend` (AWS::ECS::Service): Exceeded attempts to wait"]
        );
    }
}
