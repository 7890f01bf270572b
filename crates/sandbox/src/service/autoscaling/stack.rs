//! Groups and policies that stacks make, change and delete (CreateAutoScalingGroup, PutScalingPolicy and their kin in
//! the API Reference; the sandbox has them for CloudFormation alone).

use super::group::Group;
use super::{GroupSpec, Image, Policy, PolicyKind, group_mut, policy_arn, validation};
use crate::error::ApiError;
use crate::service::cloudwatch::{self, AlarmSpec, Statistic};
use crate::world::World;

/// The launch template that a group is given.
#[derive(Clone, Debug)]
pub(crate) struct TemplateUse {
    pub(crate) id: String,
    pub(crate) name: String,
    /// A number, `$Latest` or `$Default`.
    pub(crate) version: String,
    pub(crate) image: Image,
    pub(crate) instance_type: Option<String>,
}

/// What an update of a group's resource asks for; sizes that it leaves alone are `None`.
#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) min: Option<u32>,
    pub(crate) max: Option<u32>,
    pub(crate) desired: Option<u32>,
    pub(crate) spec: GroupSpec,
    pub(crate) template: TemplateUse,
}

fn check_sizes(min: u32, max: u32, desired: u32) -> Result<(), ApiError> {
    if max < min {
        return Err(validation(format!(
            "Max bound, {max}, must be greater than or equal to min bound, {min}"
        )));
    }
    if !(min..=max).contains(&desired) {
        return Err(validation(format!(
            "Desired capacity:{desired} must be between the specified min size:{min} and max size:{max}"
        )));
    }
    Ok(())
}

/// Auto Scaling looks at the image when a group is given a launch template, not only when it launches.
fn check_image(world: &World, image: &Image) -> Result<(), ApiError> {
    super::lifecycle::resolve_image(world, image)
        .map(|_| ())
        .map_err(|why| validation(why.trim_end_matches(" Launching EC2 instance failed.")))
}

/// Creates a group without instances; it launches what it is to have.
pub(crate) fn make_group(
    world: &mut World,
    spec: GroupSpec,
    template: TemplateUse,
    desired: u32,
) -> Result<(), ApiError> {
    check_sizes(spec.min, spec.max, desired)?;
    check_image(world, &spec.image)?;
    let (now, name) = (world.now, spec.name.clone());
    super::create_group(world, spec, 0, now);
    if let Some(group) = group_mut(world, &name) {
        group.launch_template_id = template.id;
        group.template_version = template.version;
        let by = "a user request created an AutoScalingGroup";
        group.set_desired(desired, now, by);
    }
    Ok(())
}

/// Changes a group as `UpdateAutoScalingGroup` does. Instances stay as they are: only new ones follow the template.
pub(crate) fn change_group(world: &mut World, name: &str, change: Change) -> Result<(), ApiError> {
    check_image(world, &change.spec.image)?;
    let now = world.now;
    let group = group_mut(world, name).ok_or_else(|| super::no_group(name))?;
    let min = change.min.unwrap_or(group.min);
    let max = change.max.unwrap_or(group.max);
    let desired = match change.desired {
        Some(desired) => desired,
        None => group.desired.clamp(min.min(max), max),
    };
    check_sizes(min, max, desired)?;
    group.spec = GroupSpec {
        created: group.spec.created,
        ..change.spec
    };
    group.launch_template_id = change.template.id;
    group.template_version = change.template.version;
    (group.min, group.max) = (min, max);
    let by = format!(
        "a user request update of AutoScalingGroup constraints to min: {min}, max: {max}, desired: {desired}"
    );
    group.set_desired(desired, now, &by);
    Ok(())
}

/// Takes a group to zero, and away once its last instance is gone. Returns whether it is gone.
pub(crate) fn delete_group(world: &mut World, name: &str) -> bool {
    let now = world.now;
    let Some(group) = group_mut(world, name) else {
        return true;
    };
    // CloudFormation takes the protection away: it deletes a group with all of its instances.
    (group.min, group.max) = (0, 0);
    group.holds_protection = false;
    for instance in &mut group.instances {
        instance.protected = false;
    }
    group.set_desired(
        0,
        now,
        "a user request update of AutoScalingGroup constraints to min: 0, max: 0, desired: 0",
    );
    if !group.instances.is_empty() {
        return false;
    }
    let arns: Vec<String> = group.policies.iter().map(|policy| policy.arn.clone()).collect();
    for arn in arns {
        delete_policy(world, &arn);
    }
    world.services.autoscaling.groups.remove(name);
    world.services.autoscaling.generation += 1;
    true
}

/// Gives a group a policy; a tracking policy brings its two alarms. `None` without the group.
pub(crate) fn put_policy(world: &mut World, group: &str, name: &str, kind: PolicyKind) -> Option<String> {
    super::group(world, group)?;
    let arn = policy_arn(world, group, name);
    let alarms = match &kind {
        PolicyKind::Step(_) => Vec::new(),
        PolicyKind::Tracking { .. } => ["High", "Low"]
            .map(|side| {
                let id = world.ids.uuid();
                let name = format!("TargetTracking-{group}-Alarm{side}-{id}");
                let arn = format!(
                    "arn:aws:cloudwatch:{}:{}:alarm:{name}",
                    world.options.region, world.options.account_id
                );
                (name, arn)
            })
            .to_vec(),
    };
    let policy = Policy {
        name: name.to_owned(),
        arn: arn.clone(),
        kind,
        alarms,
    };
    put_alarms(world, &policy);
    group_mut(world, group)?.add_policy(policy);
    Some(arn)
}

/// Writes the alarms that Auto Scaling makes for a tracking policy.
fn put_alarms(world: &mut World, policy: &Policy) {
    let PolicyKind::Tracking {
        policy: tracking,
        namespace,
        metric,
        dimensions,
    } = &policy.kind
    else {
        return;
    };
    let pair = tracking.alarms();
    for ((name, _), rule) in policy.alarms.iter().zip([pair.high, pair.low]) {
        let spec = AlarmSpec {
            name: name.clone(),
            description: Some(format!(
                "DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {}.",
                policy.arn
            )),
            namespace: namespace.clone(),
            metric: metric.clone(),
            dimensions: dimensions.clone(),
            statistic: Statistic::Average,
            period: 60,
            rule,
            alarm_actions: vec![policy.arn.clone()],
            ok_actions: Vec::new(),
            insufficient_data_actions: Vec::new(),
            actions_enabled: true,
            unit: None,
        };
        cloudwatch::put_alarm(world, spec);
    }
}

fn policy_mut<'a>(world: &'a mut World, arn: &str) -> Option<&'a mut Policy> {
    let groups = world.services.autoscaling.groups.values_mut();
    groups
        .flat_map(|group| &mut group.policies)
        .find(|policy| policy.arn == arn)
}

/// Gives a policy another configuration. Returns whether there is such a policy.
pub(crate) fn change_policy(world: &mut World, arn: &str, kind: PolicyKind) -> bool {
    let Some(policy) = policy_mut(world, arn) else {
        return false;
    };
    policy.kind = kind;
    let policy = policy.clone();
    put_alarms(world, &policy);
    true
}

/// Takes a policy away, with the alarms that Auto Scaling has made for it.
pub(crate) fn delete_policy(world: &mut World, arn: &str) {
    let Some(policy) = policy_mut(world, arn).map(|policy| policy.clone()) else {
        return;
    };
    if matches!(policy.kind, PolicyKind::Tracking { .. }) {
        for (alarm, _) in &policy.alarms {
            cloudwatch::delete_alarm(world, alarm);
        }
    }
    for group in world.services.autoscaling.groups.values_mut() {
        group.policies.retain(|policy| policy.arn != arn);
    }
}

/// An alarm has a policy among its actions: the policy shows it.
pub(crate) fn connect(world: &mut World, policy: &str, alarm: &str, alarm_arn: &str) {
    if let Some(policy) = policy_mut(world, policy)
        && !policy.alarms.iter().any(|(name, _)| name == alarm)
    {
        policy.alarms.push((alarm.to_owned(), alarm_arn.to_owned()));
    }
}

/// An alarm goes, or gets other actions: no policy shows it any more.
pub(crate) fn disconnect(world: &mut World, alarm: &str) {
    for group in world.services.autoscaling.groups.values_mut() {
        for policy in &mut group.policies {
            policy.alarms.retain(|(name, _)| name != alarm);
        }
    }
}

impl Group {
    pub(crate) fn arn(&self) -> &str {
        &self.arn
    }
}
