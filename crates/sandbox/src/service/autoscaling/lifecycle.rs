//! How a group follows its desired capacity: launches, failures, terminations.

use std::time::Duration;

use super::activity::{Activity, Status};
use super::group::{Group, Image, Instance, LifecycleState, seconds};
use crate::ids::Ids;
use crate::service::ssm;
use crate::time::SimTime;
use crate::world::World;

/// One second passes for every group that has something to do.
pub(crate) fn tick(world: &mut World) {
    let now = world.now;
    if world.services.autoscaling.due > now {
        return;
    }
    let due: Vec<String> = world
        .services
        .autoscaling
        .groups
        .values()
        .filter(|group| group.due() <= now)
        .map(|group| group.spec.name.clone())
        .collect();
    for name in due {
        let Some(image) = super::group(world, &name).map(|group| resolve_image(world, &group.spec.image))
        else {
            continue;
        };
        let World { ids, services, .. } = world;
        if let Some(group) = services.autoscaling.groups.get_mut(&name) {
            progress(group, now);
            reclaim(group, ids, now);
            super::refresh::advance(group, ids, now);
            if group.reconcile_at.is_some_and(|at| at <= now) {
                group.reconcile_at = None;
                reconcile(group, ids, now, &image);
            }
        }
    }
    let state = &mut world.services.autoscaling;
    state.generation += 1;
    state.due = state
        .groups
        .values()
        .map(Group::due)
        .min()
        .unwrap_or(SimTime(i64::MAX));
}

/// The AMI that a launch template names now, or why there is none.
pub(super) fn resolve_image(world: &World, image: &Image) -> Result<String, String> {
    let name = match image {
        Image::Parameter(name) => name,
        Image::Id(id) if ssm::is_ami(id) => return Ok(id.clone()),
        Image::Id(id) => {
            return Err(format!(
                "You must use a valid fully-formed launch template. Invalid id: \"{id}\" (expecting \"ami-...\"). \
                 Launching EC2 instance failed."
            ));
        }
    };
    let Some(parameter) = ssm::value(world, name) else {
        return Err(format!(
            "You must use a valid fully-formed launch template. The Systems Manager parameter {name} for the AMI \
             could not be found. Launching EC2 instance failed."
        ));
    };
    if !ssm::is_ami(parameter.value()) {
        return Err(format!(
            "You must use a valid fully-formed launch template. Invalid id: \"{}\" (expecting \"ami-...\"). Launching \
             EC2 instance failed.",
            parameter.value()
        ));
    }
    if parameter.data_type() != "aws:ec2:image" {
        return Err(format!(
            "You must use a valid fully-formed launch template. The Systems Manager parameter {name} has the data \
             type {} (expecting \"aws:ec2:image\"). Launching EC2 instance failed.",
            parameter.data_type()
        ));
    }
    Ok(parameter.value().to_owned())
}

/// Instances that are due go on to their next state.
fn progress(group: &mut Group, now: SimTime) {
    let mut finished = Vec::new();
    let mut moved = false;
    for instance in &mut group.instances {
        if instance.next.is_none_or(|at| at > now) {
            continue;
        }
        instance.next = None;
        moved = true;
        finished.extend(instance.activity.take());
        if instance.state == LifecycleState::Pending {
            instance.state = LifecycleState::InService;
            instance.in_service = Some(now);
            instance.warm = now + group.spec.warmup;
        }
    }
    if moved {
        group
            .instances
            .retain(|i| i.state != LifecycleState::Terminating || i.next.is_some());
        for activity in &mut group.activities {
            if finished.contains(&activity.id) {
                activity.finish(now);
            }
        }
    }
}

/// EC2 takes Spot Instances back: the group finds them gone and wants others.
fn reclaim(group: &mut Group, ids: &mut Ids, now: SimTime) {
    let gone: Vec<usize> = (0..group.instances.len())
        .filter(|&at| {
            let instance = &group.instances[at];
            instance.state != LifecycleState::Terminating && instance.reclaimed.is_some_and(|due| due <= now)
        })
        .collect();
    for at in gone {
        let cause = format!(
            "At {} an instance was taken out of service in response to an EC2 health check indicating it has been \
             terminated or stopped.",
            seconds(now)
        );
        terminate(group, at, cause, ids, now);
        group.interruptions += 1;
        group.look_at(now + Duration::from_secs(10));
    }
}

fn reconcile(group: &mut Group, ids: &mut Ids, now: SimTime, image: &Result<String, String>) {
    let active = group.active().count();
    let desired = group.desired as usize;
    if active < desired && !group.is_suspended("Launch") {
        launch(group, ids, now, image, active);
    } else if active > desired && !group.is_suspended("Terminate") {
        scale_in(group, ids, now, active);
    } else if active == desired {
        group.causes.clear();
    }
}

fn launch(group: &mut Group, ids: &mut Ids, now: SimTime, image: &Result<String, String>, active: usize) {
    let missing = group.desired as usize - active;
    let mut cause = std::mem::take(&mut group.causes);
    cause.push(format!(
        "At {} an instance was started in response to a difference between desired and actual capacity, increasing \
         the capacity from {active} to {}.",
        seconds(now),
        group.desired
    ));
    let cause = cause.join("  ");
    let image = match image {
        Ok(image) if !group.drought => image.clone(),
        Ok(_) => {
            // Spot answers differently from one attempt to the next.
            let message = if group.failures.is_multiple_of(2) {
                "Could not launch Spot Instances. UnfulfillableCapacity - Unable to fulfill capacity due to your \
                 request configuration. Please adjust your request and try again. Launching EC2 instance failed."
            } else {
                "Could not launch Spot Instances. InsufficientInstanceCapacity - There is no Spot capacity available \
                 that matches your request. Launching EC2 instance failed."
            };
            return fail(group, ids, now, cause, message);
        }
        Err(why) => return fail(group, ids, now, cause, why),
    };
    group.failures = 0;
    for _ in 0..missing {
        let (zone, subnet) = quietest_place(group);
        let id = ids.ec2("i-");
        let activity = ids.uuid();
        group.write(Activity {
            id: activity.clone(),
            description: format!("Launching a new EC2 instance: {id}"),
            cause: cause.clone(),
            start: now,
            end: None,
            status: Status::InProgress,
            message: None,
            place: Some((zone.clone(), subnet.clone())),
        });
        let ready = now + Duration::from_secs(ids.between(28, 55));
        group.instances.push(Instance {
            id,
            state: LifecycleState::Pending,
            next: Some(ready),
            launched: now,
            in_service: None,
            warm: ready + group.spec.warmup,
            protected: false,
            instance_type: preferred_type(group, ids),
            zone,
            subnet,
            image: image.clone(),
            template_version: group.template_version.clone(),
            reclaimed: None,
            activity: Some(activity),
        });
    }
}

/// Writes the failed launch down and tries again later, each time after twice as long.
fn fail(group: &mut Group, ids: &mut Ids, now: SimTime, cause: String, why: &str) {
    let (zone, subnet) = group.spec.subnets[group.failures as usize % group.spec.subnets.len()].clone();
    group.write(Activity {
        id: ids.uuid(),
        description: format!("Launching a new EC2 instance.  Status Reason: {why}"),
        cause,
        start: now,
        end: Some(now + Duration::from_secs(1)),
        status: Status::Failed,
        message: Some(why.to_owned()),
        place: Some((zone, subnet)),
    });
    let wait = 60u64 << group.failures.min(4);
    group.failures += 1;
    group.look_at(now + Duration::from_secs(wait.min(600)));
}

fn scale_in(group: &mut Group, ids: &mut Ids, now: SimTime, active: usize) {
    let surplus = active - group.desired as usize;
    let mut cause = std::mem::take(&mut group.causes);
    let mut taken = 0;
    while taken < surplus {
        let Some(at) = next_victim(group) else { break };
        if taken == 0 {
            cause.push(format!(
                "At {} an instance was taken out of service in response to a difference between desired and actual \
                 capacity, shrinking the capacity from {active} to {}.",
                seconds(now),
                group.desired
            ));
        }
        taken += 1;
        let id = group.instances[at].id.clone();
        let selected = format!("At {} instance {id} was selected for termination.", seconds(now));
        terminate(group, at, format!("{}  {selected}", cause.join("  ")), ids, now);
    }
    if taken == surplus {
        return;
    }
    if taken == 0 && !group.told_protected {
        let message = "Could not scale to desired capacity because all remaining instances are protected from scale-in.";
        group.told_protected = true;
        group.write(Activity {
            id: ids.uuid(),
            description: message.to_owned(),
            cause: cause.join("  "),
            start: now,
            end: Some(now),
            status: Status::Cancelled,
            message: Some(message.to_owned()),
            place: None,
        });
    }
    group.causes = cause;
    group.look_at(now + Duration::from_secs(5));
}

/// "Default termination policy": the zone with most instances, there the oldest that is not protected.
fn next_victim(group: &Group) -> Option<usize> {
    let in_zone = |zone: &str| group.active().filter(|i| i.zone == zone).count();
    (0..group.instances.len())
        .filter(|&at| {
            let instance = &group.instances[at];
            instance.state != LifecycleState::Terminating && !instance.protected
        })
        .min_by_key(|&at| {
            let instance = &group.instances[at];
            (std::cmp::Reverse(in_zone(&instance.zone)), instance.launched)
        })
}

pub(super) fn terminate(group: &mut Group, at: usize, cause: String, ids: &mut Ids, now: SimTime) {
    let activity = ids.uuid();
    let gone = now + Duration::from_secs(ids.between(35, 80));
    let instance = &mut group.instances[at];
    instance.state = LifecycleState::Terminating;
    instance.next = Some(gone);
    instance.reclaimed = None;
    let interrupted = instance.activity.replace(activity.clone());
    let (description, place) = (
        format!("Terminating EC2 instance: {}", instance.id),
        Some((instance.zone.clone(), instance.subnet.clone())),
    );
    // A launch that had not finished is called off.
    if let Some(launch) = interrupted
        && let Some(launch) = group.activities.iter_mut().find(|a| a.id == launch)
    {
        launch.status = Status::Cancelled;
        launch.end = Some(now);
    }
    group.write(Activity {
        id: activity,
        description,
        cause,
        start: now,
        end: None,
        status: Status::InProgress,
        message: None,
        place,
    });
}

/// The subnet with the fewest instances.
fn quietest_place(group: &Group) -> (String, String) {
    group
        .spec
        .subnets
        .iter()
        .min_by_key(|(zone, _)| group.active().filter(|i| i.zone == *zone).count())
        .cloned()
        .unwrap_or_default()
}

/// `capacity-optimized-prioritized`: mostly the first type, another one where Spot has more of it.
fn preferred_type(group: &Group, ids: &mut Ids) -> String {
    let types = &group.spec.instance_types;
    let position = if ids.unit() < 0.85 { 0 } else { 1 };
    types
        .get(position)
        .or_else(|| types.first())
        .cloned()
        .unwrap_or_default()
}

impl Group {
    /// EC2 announces that it takes every Spot Instance of the group back, the first one in two
    /// minutes and the others each some time later.
    pub(crate) fn reclaim_all(&mut self, now: SimTime) {
        let mut at = now + Duration::from_secs(120);
        for instance in &mut self.instances {
            if instance.state != LifecycleState::Terminating {
                instance.reclaimed = Some(at);
                at = at + Duration::from_secs(90);
            }
        }
    }
}
