//! Application Auto Scaling: the bounds between which it keeps the desired counts of the services (Application Auto
//! Scaling API Reference).

use serde_json::{Value, json};

use crate::error::{ApiError, OpResult};
use crate::service::ecs;
use crate::service::member::{flag, integer, page, present, text, texts};
use crate::service::table::operations;
use crate::time::SimTime;
use crate::world::World;

operations! {
    Read DescribeScalableTargets => describe_scalable_targets,
    Write RegisterScalableTarget => register_scalable_target,
}

const NAMESPACE: &str = "ecs";
const DIMENSION: &str = "ecs:service:DesiredCount";

/// "The maximum number of scalable targets. This value can be between 1 and 50. The default value is 50."
const PAGE: usize = 50;

/// The scalable targets.
#[derive(Debug, Default)]
pub(crate) struct State {
    targets: Vec<Target>,
}

/// What is scaled, and between which bounds.
#[derive(Clone, Debug)]
struct Target {
    /// `service/<cluster>/<service>`.
    resource: String,
    min: i64,
    max: i64,
    created: SimTime,
    suspended: Suspended,
}

/// Scaling activities that are held back (SuspendedState).
#[derive(Clone, Copy, Debug, Default)]
struct Suspended {
    scale_in: bool,
    scale_out: bool,
    scheduled: bool,
}

/// Puts the bounds of a service of the cluster in place.
pub(crate) fn create(world: &mut World, service: &str, min: i64, max: i64, created: SimTime) {
    let resource = format!("service/{}/{service}", world.services.ecs.cluster);
    world.services.application_autoscaling.targets.push(Target {
        resource,
        min,
        max,
        created,
        suspended: Suspended::default(),
    });
}

/// Takes the bounds of a resource away.
pub(crate) fn delete(world: &mut World, resource: &str) {
    let targets = &mut world.services.application_autoscaling.targets;
    targets.retain(|target| target.resource != resource);
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::client("ValidationException", message)
}

fn arn(world: &World, target: &Target) -> String {
    // FNV-1a: the same name for the same resource, and no draw from the ids of other things.
    let digest = target
        .resource
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |digest, byte| {
            (digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
    format!(
        "arn:aws:application-autoscaling:{}:{}:scalable-target/0ec5{digest:016x}{digest:016x}",
        world.options.region, world.options.account_id
    )
}

fn described(world: &World, target: &Target) -> Value {
    json!({
        "ServiceNamespace": NAMESPACE,
        "ResourceId": target.resource,
        "ScalableDimension": DIMENSION,
        "MinCapacity": target.min,
        "MaxCapacity": target.max,
        "RoleARN": format!(
            "arn:aws:iam::{}:role/aws-service-role/ecs.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_ECSService",
            world.options.account_id
        ),
        "CreationTime": target.created.epoch_seconds(),
        "SuspendedState": {
            "DynamicScalingInSuspended": target.suspended.scale_in,
            "DynamicScalingOutSuspended": target.suspended.scale_out,
            "ScheduledScalingSuspended": target.suspended.scheduled,
        },
        "ScalableTargetARN": arn(world, target),
    })
}

fn describe_scalable_targets(world: &World, input: &Value) -> OpResult {
    let resources = texts(input, "ResourceIds");
    let ours = text(input, "ServiceNamespace") == Some(NAMESPACE)
        && text(input, "ScalableDimension").is_none_or(|dimension| dimension == DIMENSION);
    let found: Vec<Value> = world
        .services
        .application_autoscaling
        .targets
        .iter()
        .filter(|target| ours && (resources.is_empty() || resources.contains(&target.resource)))
        .map(|target| described(world, target))
        .collect();
    let asked = integer(input, "MaxResults").and_then(|size| usize::try_from(size).ok());
    let size = asked.unwrap_or(PAGE).clamp(1, PAGE);
    let (targets, next) = page(found, text(input, "NextToken"), size, || {
        ApiError::client("InvalidNextTokenException", "The next token is invalid.")
    })?;
    Ok(present(json!({ "ScalableTargets": targets, "NextToken": next })))
}

/// "Any parameters that you don't specify are not changed by this update request"; and the current capacity is changed
/// "to a value that is inside of this range" (RegisterScalableTarget).
fn register_scalable_target(world: &mut World, input: &Value) -> OpResult {
    let resource = text(input, "ResourceId").unwrap_or_default().to_owned();
    if text(input, "ServiceNamespace") != Some(NAMESPACE)
        || text(input, "ScalableDimension") != Some(DIMENSION)
    {
        return Err(invalid(
            "the sandbox scales the desired count of ECS services only",
        ));
    }
    let cluster = format!("service/{}/", world.services.ecs.cluster);
    let service = resource.strip_prefix(&cluster).map(str::to_owned);
    let service = service.filter(|name| ecs::service::named(world, name).is_some());
    let service = service.ok_or_else(|| invalid(format!("ECS service doesn't exist: {resource}")))?;
    let (min, max) = (integer(input, "MinCapacity"), integer(input, "MaxCapacity"));
    let now = world.now;
    let targets = &world.services.application_autoscaling.targets;
    let known = targets.iter().position(|target| target.resource == resource);
    let mut target = match (known, min, max) {
        (Some(index), ..) => targets[index].clone(),
        (None, Some(min), Some(max)) => Target {
            resource,
            min,
            max,
            created: now,
            suspended: Suspended::default(),
        },
        (None, ..) => {
            return Err(invalid(
                "You must specify the minimum and maximum capacity to register a new scalable target.",
            ));
        }
    };
    target.min = min.unwrap_or(target.min);
    target.max = max.unwrap_or(target.max);
    if target.min < 0 || target.max < target.min {
        return Err(invalid(
            "Maximum capacity cannot be less than minimum capacity, and neither can be negative",
        ));
    }
    if let Some(state) = input.get("SuspendedState") {
        let suspended = &mut target.suspended;
        for (name, member) in [
            ("DynamicScalingInSuspended", &mut suspended.scale_in),
            ("DynamicScalingOutSuspended", &mut suspended.scale_out),
            ("ScheduledScalingSuspended", &mut suspended.scheduled),
        ] {
            *member = flag(state, name).unwrap_or(*member);
        }
    }
    let (min, max) = (target.min, target.max);
    let named = arn(world, &target);
    let targets = &mut world.services.application_autoscaling.targets;
    match known {
        Some(index) => targets[index] = target,
        None => targets.push(target),
    }
    let desired = ecs::service::named(world, &service).map_or(0, |service| service.desired);
    let bound = |bound: i64| usize::try_from(bound).unwrap_or(usize::MAX);
    let inside = desired.clamp(bound(min), bound(max));
    if inside != desired {
        ecs::set_desired(world, &service, inside);
    }
    Ok(json!({ "ScalableTargetARN": named }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Options;
    use crate::service::Service;

    fn register(world: &mut World, service: &str, bounds: Value) -> OpResult {
        let mut input = json!({
            "ServiceNamespace": "ecs",
            "ResourceId": format!("service/bp/{service}"),
            "ScalableDimension": DIMENSION,
        });
        for (name, value) in bounds.as_object().unwrap() {
            input[name] = value.clone();
        }
        world.call(Service::ApplicationAutoScaling, "RegisterScalableTarget", &input)
    }

    fn bounds(world: &mut World, service: &str) -> (i64, i64) {
        let input = json!({"ServiceNamespace": "ecs", "ResourceIds": [format!("service/bp/{service}")]});
        let found = world
            .call(Service::ApplicationAutoScaling, "DescribeScalableTargets", &input)
            .unwrap();
        let target = &found["ScalableTargets"][0];
        (
            target["MinCapacity"].as_i64().unwrap(),
            target["MaxCapacity"].as_i64().unwrap(),
        )
    }

    fn desired(world: &World) -> usize {
        ecs::service::named(world, "bp-backend").unwrap().desired
    }

    #[test]
    fn what_an_update_does_not_name_stays_and_the_capacity_is_brought_inside_the_bounds() {
        let mut world = World::new(Options::default());
        assert_eq!(bounds(&mut world, "bp-backend"), (1, 4));
        assert_eq!(bounds(&mut world, "bp-frontend"), (1, 3));
        register(&mut world, "bp-backend", json!({"MinCapacity": 2})).unwrap();
        assert_eq!((bounds(&mut world, "bp-backend"), desired(&world)), ((2, 4), 2));
        register(
            &mut world,
            "bp-backend",
            json!({"MinCapacity": 0, "MaxCapacity": 1}),
        )
        .unwrap();
        assert_eq!((bounds(&mut world, "bp-backend"), desired(&world)), ((0, 1), 1));
    }

    #[test]
    fn bounds_in_the_wrong_order_and_services_that_are_not_there_are_refused() {
        let mut world = World::new(Options::default());
        for (service, wrong) in [
            ("bp-backend", json!({"MinCapacity": 5})),
            ("bp-backend", json!({"MaxCapacity": -1})),
            ("none", json!({"MinCapacity": 0, "MaxCapacity": 1})),
        ] {
            let refused = register(&mut world, service, wrong).unwrap_err();
            assert_eq!(refused.code, "ValidationException");
        }
        assert_eq!(bounds(&mut world, "bp-backend"), (1, 4));
    }
}
