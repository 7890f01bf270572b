//! Groups and policies for tests.

use std::collections::BTreeMap;

use super::{Group, Instance, Phase, Policy, PolicyKind};

/// A group of Spot Instances between 0 and 10, with one instance for each phase.
pub(crate) fn group(name: &str, desired: u32, phases: &[Phase]) -> Group {
    Group {
        name: name.to_owned(),
        min: 0,
        max: 10,
        desired,
        instances: phases
            .iter()
            .enumerate()
            .map(|(number, phase)| instance(number, *phase))
            .collect(),
        instance_types: Vec::new(),
        launch_template: None,
        default_warmup_seconds: None,
        suspended: Vec::new(),
        tags: BTreeMap::new(),
        zones: Vec::new(),
        capacity_rebalance: true,
        spot: true,
        default_cooldown_seconds: None,
        deleting: false,
        features: super::groups::Features::default(),
    }
}

/// A healthy instance that scale-in may take.
pub(crate) fn instance(number: usize, phase: Phase) -> Instance {
    Instance {
        id: format!("i-{number}"),
        instance_type: Some("g4dn.xlarge".to_owned()),
        zone: Some("us-east-1a".to_owned()),
        state: format!("{phase:?}"),
        phase,
        healthy: true,
        protected: false,
        image: None,
        launch_template_version: None,
    }
}

/// A policy that is enabled.
pub(crate) fn policy(group: &str, name: &str, alarms: &[impl ToString], kind: PolicyKind) -> Policy {
    Policy {
        group: group.to_owned(),
        name: name.to_owned(),
        arn: format!(
            "arn:aws:autoscaling:us-east-1:123456789012:scalingPolicy:1:autoScalingGroupName/{group}:policyName/{name}"
        ),
        enabled: true,
        warmup_seconds: None,
        alarms: alarms.iter().map(ToString::to_string).collect(),
        kind,
    }
}
