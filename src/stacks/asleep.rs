//! Services that begin without tasks, because there is nothing yet that tasks could run.
//!
//! A service whose images are missing never becomes steady, and CloudFormation rolls its stack back (Amazon ECS
//! Developer Guide, "How the Amazon ECS deployment circuit breaker detects failures"). Such a service is made with a
//! desired count of 0, and the bounds of its automatic scaling begin at 0: Application Auto Scaling lifts what is below
//! them (API Reference, `RegisterScalableTarget`). As soon as there are images the templates state no count again: "For
//! existing services, if a desired count is not specified, it is omitted from the operation" (`AWS::ECS::Service`), and
//! the bounds start the first task. A count that stays in a template would be sent again with every change of the
//! service, and with every rollback to that template.

use serde_json::{Value, json};

const SERVICE: &str = "AWS::ECS::Service";
const BOUNDS: &str = "AWS::ApplicationAutoScaling::ScalableTarget";

/// The logical id of the service with this name.
pub(crate) fn service_named<'a>(template: &'a Value, name: &str) -> Option<&'a str> {
    let resources = template["Resources"].as_object()?.iter();
    let mut services = resources.filter(|(_, shape)| shape["Type"] == SERVICE);
    let found = services.find(|(_, shape)| shape["Properties"]["ServiceName"] == name)?;
    Some(found.0)
}

/// Whether a template makes this service without tasks.
pub(crate) fn is_asleep(template: &Value, logical: &str) -> bool {
    template["Resources"][logical]["Properties"]["DesiredCount"] == 0
}

/// Makes the service without tasks, and lets nothing lift it.
pub(crate) fn put_to_sleep(template: &mut Value, logical: &str) {
    template["Resources"][logical]["Properties"]["DesiredCount"] = json!(0);
    let of_service = format!("${{{logical}.Name}}");
    for shape in template["Resources"]
        .as_object_mut()
        .into_iter()
        .flat_map(|all| all.values_mut())
    {
        let id = &shape["Properties"]["ResourceId"]["Fn::Sub"];
        if shape["Type"] == BOUNDS && id.as_str().is_some_and(|id| id.contains(&of_service)) {
            shape["Properties"]["MinCapacity"] = json!(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stacks::{Change, compare};

    fn compute() -> Value {
        let settings = blueprint::Settings::new("123456789012", "us-east-1");
        let stacks = blueprint::stacks(&settings).unwrap();
        let compute = stacks.into_iter().find(|stack| stack.name == "bp-compute");
        compute.unwrap().template
    }

    #[test]
    fn a_service_asleep_differs_in_its_count_and_its_bounds_alone() {
        let awake = compute();
        let backend = service_named(&awake, "bp-backend").unwrap();
        assert!(!is_asleep(&awake, backend));
        let mut asleep = awake.clone();
        put_to_sleep(&mut asleep, backend);
        assert!(is_asleep(&asleep, backend));
        assert!(!is_asleep(&asleep, service_named(&awake, "bp-frontend").unwrap()));
        let lines: Vec<String> = compare(&asleep, &awake)
            .changes
            .iter()
            .map(Change::line)
            .collect();
        assert_eq!(
            lines,
            [
                "~ BackendScaling (AWS::ApplicationAutoScaling::ScalableTarget): MinCapacity",
                "~ BackendService (AWS::ECS::Service): DesiredCount",
            ]
        );
        assert_eq!(service_named(&awake, "bp-other"), None);
    }
}
