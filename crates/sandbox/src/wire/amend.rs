//! What an account has that nothing here acts on.
//!
//! The seed makes the platform's groups and alarms, and no operation makes others. An operator's account may hold more:
//! policies of other kinds, alarms on metric math, lifecycle hooks. A test that asks what a caller makes of them has the
//! account's answers amended by it; an answer that the API could not give is refused like one of the sandbox's own.

use std::fmt;

use serde_json::Value;

use crate::service::Service;
use crate::world::World;

type Change = Box<dyn Fn(&mut Value) + Send>;

/// What is changed in the answers of operations.
#[derive(Default)]
pub(super) struct Amendments(Vec<(Service, String, Change)>);

impl fmt::Debug for Amendments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|(service, operation, _)| (service, operation)))
            .finish()
    }
}

impl Amendments {
    pub(super) fn apply(&self, service: Service, operation: &str, output: &mut Value) {
        for (_, _, change) in self
            .0
            .iter()
            .filter(|(of, name, _)| *of == service && name == operation)
        {
            change(output);
        }
    }
}

impl World {
    /// From now on `change` is made to each answer of an operation, given in the shapes of the API reference. It concerns
    /// requests over HTTP: the account itself knows nothing of what is added, and does not act on it.
    pub fn amend(&mut self, service: Service, operation: &str, change: impl Fn(&mut Value) + Send + 'static) {
        let amendment = (service, operation.to_owned(), Box::new(change) as Change);
        self.gateway.amendments.0.push(amendment);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::{ask, world};
    use super::*;

    /// The lifecycle hooks of the platform's production fleet.
    fn hooks(world: &mut World) -> (u16, String) {
        let body = "Action=DescribeLifecycleHooks&Version=2011-01-01&AutoScalingGroupName=asg-production-gpu-default";
        let host = [
            ("host", "autoscaling.us-east-1.amazonaws.com"),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        ask(world, &host, body)
    }

    #[test]
    fn an_answer_is_amended_and_still_checked_against_the_api() {
        let mut world = world();
        let (status, plain) = hooks(&mut world);
        assert_eq!((status, plain.contains("drain")), (200, false), "{plain}");
        world.amend(Service::AutoScaling, "DescribeLifecycleHooks", |answer| {
            answer["LifecycleHooks"] = json!([{ "LifecycleHookName": "drain", "HeartbeatTimeout": 900 }]);
        });
        let (status, amended) = hooks(&mut world);
        assert_eq!(status, 200, "{amended}");
        assert!(
            amended.contains("<LifecycleHookName>drain</LifecycleHookName>"),
            "{amended}"
        );
        world.amend(Service::AutoScaling, "DescribeLifecycleHooks", |answer| {
            answer["LifecycleHooks"][0]["Colour"] = json!("green");
        });
        let (status, refused) = hooks(&mut world);
        assert_eq!(status, 500, "{refused}");
        assert!(refused.contains("Colour"), "{refused}");
    }
}
