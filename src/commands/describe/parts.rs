//! What is told of a thing and is no thing of its own.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::aws::cloudformation::StackEvent;
use crate::aws::ecs::{Event, Service};
use crate::aws::elb::TargetHealth;
use crate::change::journal::Record;
use crate::fleet::{BundleAtBoot, Nodes, Skew};
use crate::redact::redact;

/// Something that happened.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(in crate::commands) struct EventPart {
    /// Null where AWS does not tell.
    pub(super) at: Option<Timestamp>,
    pub(super) message: String,
}

impl EventPart {
    pub(super) fn of_service(event: &Event) -> Self {
        Self {
            at: Some(event.at),
            message: redact(&event.message).into_owned(),
        }
    }

    pub(super) fn of_stack(event: &StackEvent) -> Self {
        let what = format!("{} {} {}", event.status, event.kind, event.resource);
        let message = match &event.reason {
            Some(reason) => format!("{what}: {reason}"),
            None => what,
        };
        Self {
            at: event.at,
            message: redact(&message).into_owned(),
        }
    }
}

/// A target of the load balancer.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(in crate::commands) struct TargetPart {
    pub(super) target: String,
    pub(super) zone: Option<String>,
    /// `healthy`, `unhealthy`, `initial`, `draining`, `unused` or `unavailable`.
    pub(super) state: String,
    pub(super) reason: Option<String>,
}

impl TargetPart {
    pub(super) fn of(target: TargetHealth) -> Self {
        Self {
            target: target.id,
            zone: target.zone,
            state: target.state,
            reason: target.description.or(target.reason),
        }
    }
}

/// How many tasks a service has, and how service auto scaling and a deployment may change that.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(in crate::commands) struct ScalingPart {
    pub(super) desired: i32,
    /// Bounds of service auto scaling; null without it, and when it could not be read.
    pub(super) minimum: Option<i32>,
    pub(super) maximum: Option<i32>,
    /// Percent of the desired count that stay while tasks are replaced.
    pub(super) minimum_healthy_percent: Option<i32>,
    pub(super) maximum_percent: Option<i32>,
    pub(super) circuit_breaker: bool,
    /// The circuit breaker goes back to what ran before.
    pub(super) rollback: bool,
    pub(super) capacity_providers: Vec<String>,
}

impl ScalingPart {
    pub(super) fn of(service: &Service, bounds: Option<(i32, i32)>) -> Self {
        Self {
            desired: service.desired,
            minimum: bounds.map(|(minimum, _)| minimum),
            maximum: bounds.map(|(_, maximum)| maximum),
            minimum_healthy_percent: service.rules.minimum_healthy,
            maximum_percent: service.rules.maximum,
            circuit_breaker: service.rules.breaker,
            rollback: service.rules.rollback,
            capacity_providers: service.providers.clone(),
        }
    }

    pub(super) fn text(&self) -> String {
        let percent = |value: Option<i32>| value.map_or_else(|| "?".to_owned(), |value| value.to_string());
        let breaker = match (self.circuit_breaker, self.rollback) {
            (true, true) => "on, rolls back",
            (true, false) => "on, does not roll back",
            (false, _) => "off",
        };
        let bounds = match (self.minimum, self.maximum) {
            (Some(minimum), Some(maximum)) => format!(" (auto scaling {minimum} to {maximum})"),
            _ => String::new(),
        };
        format!(
            "{} desired{bounds}, {} to {} percent while deploying, circuit breaker {breaker}",
            self.desired,
            percent(self.minimum_healthy_percent),
            percent(self.maximum_percent),
        )
    }
}

/// What an instance runs, beside what a new one would.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(in crate::commands) struct SkewPart {
    pub(super) instance: String,
    /// Null when EC2 does not know the instance.
    pub(super) image: Option<String>,
    /// What the pointer names.
    pub(super) pointer_image: Option<String>,
    /// The bundle that was active when it booted: an id, `none`, or null when the pointer does not tell.
    pub(super) bundle: Option<String>,
    pub(super) active_bundle: Option<String>,
    /// In what a new instance would differ: `image`, `launch template`, `bundle`.
    pub(super) differs_in: Vec<&'static str>,
}

impl SkewPart {
    pub(super) fn all(nodes: &Nodes) -> Vec<Self> {
        let pointers = &nodes.pointers;
        let active = pointers
            .bundle
            .as_ref()
            .and_then(|bundle| bundle.bundle_id.clone());
        let nodes_skewed = nodes.nodes.iter().map(|node| Self {
            instance: node.id.clone(),
            image: node.image.clone(),
            pointer_image: pointers.ami.as_ref().map(|pointer| pointer.value.clone()),
            bundle: match &node.bundle {
                BundleAtBoot::None => Some("none".to_owned()),
                BundleAtBoot::Active(id) => Some(id.clone()),
                BundleAtBoot::Unknown => None,
            },
            active_bundle: active.clone(),
            differs_in: nodes.skew(node).into_iter().map(Skew::word).collect(),
        });
        nodes_skewed.collect()
    }
}

/// A step of a run.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(in crate::commands) struct StepPart {
    pub(super) step: String,
    pub(super) summary: String,
    /// `planned`, `in-doubt`, `done` or `failed`.
    pub(super) progress: &'static str,
}

impl StepPart {
    pub(super) fn all(record: &Record) -> Vec<Self> {
        use crate::change::journal::Progress;
        let steps = record.steps.iter().map(|step| Self {
            step: step.id.clone(),
            summary: redact(step.did.as_ref().unwrap_or(&step.summary)).into_owned(),
            progress: match step.progress {
                Progress::Planned => "planned",
                Progress::InDoubt => "in-doubt",
                Progress::Done => "done",
                Progress::Failed => "failed",
            },
        });
        steps.collect()
    }
}
