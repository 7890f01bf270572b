//! The application as an operator meets it: healthy, and in each of its incidents.

use serde_json::{Value, json};

use crate::options::Options;
use crate::scenario::Scenario;
use crate::service::Service;
use crate::world::World;

fn world_with(scenarios: &[Scenario]) -> World {
    World::new(Options {
        scenarios: scenarios.iter().copied().collect(),
        ..Options::default()
    })
}

fn call(world: &mut World, service: Service, operation: &str, input: &Value) -> Value {
    match world.call(service, operation, input) {
        Ok(answer) => answer,
        Err(error) => panic!("{operation}: {error:?}"),
    }
}

fn service(world: &mut World, cluster: &str, name: &str) -> Value {
    let input = json!({"cluster": cluster, "services": [name]});
    call(world, Service::Ecs, "DescribeServices", &input)["services"][0].clone()
}

#[test]
fn a_healthy_platform_is_steady() {
    let mut world = world_with(&[]);
    let backend = service(&mut world, "bp", "bp-backend");
    assert_eq!(
        (&backend["runningCount"], &backend["desiredCount"]),
        (&json!(2), &json!(2))
    );
    assert_eq!(backend["deployments"].as_array().map(Vec::len), Some(1));
    assert_eq!(backend["deployments"][0]["rolloutState"], "COMPLETED");
}
