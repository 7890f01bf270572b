//! A platform that was shut down, and that somebody has changed since.

use serde_json::{Map, Value, json};

use super::names::Names;
use crate::service::{Service, autoscaling, ecs, ssm};
use crate::world::World;

/// Tasks that somebody has given the frontend since, and instances that the first fleet may have since.
const TASKS: i64 = 2;
const INSTANCES: u32 = 2;

fn parameter(names: &Names) -> String {
    format!("/{}/shutdown", names.system().replacen('-', "/", 1))
}

/// Everything goes down with what it had on record; then one service and one fleet are changed by hand.
pub(in crate::seed) fn begin(world: &mut World) {
    let names = Names::new(&world.options);
    let cluster = names.system();
    let input = json!({"ServiceNamespace": "ecs"});
    let targets = ask(
        world,
        Service::ApplicationAutoScaling,
        "DescribeScalableTargets",
        &input,
    );
    let mut services = Map::new();
    for target in targets["ScalableTargets"].as_array().into_iter().flatten() {
        let name = target["ResourceId"].as_str().and_then(|id| id.rsplit('/').next());
        let Some(name) = name.map(str::to_owned) else {
            continue;
        };
        let desired = ecs::service::named(world, &name).map_or(1, |service| service.desired);
        let bounds = json!({"min": target["MinCapacity"], "max": target["MaxCapacity"]});
        services.insert(name, json!({"desired": desired, "bounds": bounds}));
    }
    let fleets = world.options.effective_fleets();
    let mut sizes = Vec::new();
    for fleet in &fleets {
        let Some(group) = autoscaling::group(world, &names.group(fleet)) else {
            continue;
        };
        let stages = json!({&fleet.stage: [&fleet.slug]});
        sizes.push(json!({"min": group.min, "max": group.max, "desired": group.desired, "of": stages}));
    }
    let record = json!({
        "form": "bpctl.shutdown/2",
        "run": "20260115T000000Z-0123456789ab",
        "by": format!("arn:aws:iam::{}:user/operator", world.options.account_id),
        "since": world.now.iso8601(),
        "reason": "nobody needs it",
        "services": services,
        "fleets": sizes,
        "resumed": null,
        "resumed_by": null,
    });
    ssm::put(world, &parameter(&names), &record.to_string(), "text");
    for name in services.keys() {
        resize_service(
            world,
            &cluster,
            name,
            0,
            (0, services[name]["bounds"]["max"].clone()),
        );
    }
    for fleet in &fleets {
        resize_group(world, &names.group(fleet), json!(0), json!(0), json!(0));
    }
    let frontend = names.core("frontend");
    resize_service(
        world,
        &cluster,
        &frontend,
        TASKS,
        (0, services[&frontend]["bounds"]["max"].clone()),
    );
    if let Some(fleet) = fleets.first() {
        resize_group(world, &names.group(fleet), json!(0), json!(INSTANCES), json!(0));
    }
}

/// Everything is as the record has it, and the record is gone.
pub(in crate::seed) fn mend(world: &mut World) {
    let names = Names::new(&world.options);
    let name = parameter(&names);
    let input = json!({"Names": [&name]});
    let found = ask(world, Service::Ssm, "GetParameters", &input);
    let text = found["Parameters"][0]["Value"].as_str().unwrap_or_default();
    let record: Value = serde_json::from_str(text).unwrap_or_default();
    ssm::remove(world, &name);
    let cluster = names.system();
    for (service, size) in record["services"].as_object().into_iter().flatten() {
        let bounds = &size["bounds"];
        let min = bounds["min"].as_i64().unwrap_or(1);
        let desired = size["desired"].as_i64().unwrap_or(1);
        resize_service(world, &cluster, service, desired, (min, bounds["max"].clone()));
    }
    for size in record["fleets"].as_array().into_iter().flatten() {
        for (stage, slugs) in size["of"].as_object().into_iter().flatten() {
            for slug in slugs.as_array().into_iter().flatten().filter_map(Value::as_str) {
                let (min, max) = (size["min"].clone(), size["max"].clone());
                resize_group(
                    world,
                    &format!("asg-{stage}-{slug}"),
                    min,
                    max,
                    size["desired"].clone(),
                );
            }
        }
    }
}

fn ask(world: &mut World, service: Service, operation: &str, input: &Value) -> Value {
    world.call(service, operation, input).unwrap_or_default()
}

fn resize_service(world: &mut World, cluster: &str, service: &str, desired: i64, bounds: (i64, Value)) {
    let input = json!({
        "ServiceNamespace": "ecs",
        "ResourceId": format!("service/{cluster}/{service}"),
        "ScalableDimension": "ecs:service:DesiredCount",
        "MinCapacity": bounds.0,
        "MaxCapacity": bounds.1,
    });
    ask(
        world,
        Service::ApplicationAutoScaling,
        "RegisterScalableTarget",
        &input,
    );
    let input = json!({"cluster": cluster, "service": service, "desiredCount": desired});
    ask(world, Service::Ecs, "UpdateService", &input);
}

fn resize_group(world: &mut World, group: &str, min: Value, max: Value, desired: Value) {
    let input = json!({
        "AutoScalingGroupName": group,
        "MinSize": min,
        "MaxSize": max,
        "DesiredCapacity": desired,
    });
    ask(world, Service::AutoScaling, "UpdateAutoScalingGroup", &input);
}
