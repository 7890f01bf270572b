//! An Auto Scaling group: what it should have, what it has, and how it came to that.

use std::collections::VecDeque;
use std::time::Duration;

use fleet_scaling::Moment;
use fleet_scaling::policy::{self, Limits};

use super::activity::Activity;
use super::policy::Policy;
use super::refresh::Refresh;
use crate::time::SimTime;
use crate::world::World;

/// Scaling activities are kept for six weeks; the sandbox keeps the newest.
const MOST_ACTIVITIES: usize = 500;

/// Changes of the desired capacity that one activity tells of.
const MOST_CAUSES: usize = 4;

/// The sentence of a `SetDesiredCapacity` in an activity's cause.
pub(super) const BY_USER: &str = "a user request explicitly set group desired capacity";

/// What a group is created with.
#[derive(Clone, Debug)]
pub(crate) struct GroupSpec {
    pub(crate) name: String,
    pub(crate) min: u32,
    pub(crate) max: u32,
    pub(crate) launch_template: String,
    pub(crate) image: Image,
    /// In order of preference.
    pub(crate) instance_types: Vec<String>,
    /// Availability zone and subnet.
    pub(crate) subnets: Vec<(String, String)>,
    pub(crate) warmup: Duration,
    /// Key, value, propagated at launch.
    pub(crate) tags: Vec<(String, String)>,
    pub(crate) created: SimTime,
}

/// Where a launch template gets its image from.
#[derive(Clone, Debug)]
pub(crate) enum Image {
    /// `resolve:ssm:<parameter>`, looked up at every launch.
    Parameter(String),
    /// An AMI id.
    Id(String),
}

/// A group of the account.
#[derive(Debug)]
pub(crate) struct Group {
    pub(super) spec: GroupSpec,
    pub(super) arn: String,
    pub(super) launch_template_id: String,
    /// The version of the launch template: a number, `$Latest` or `$Default`.
    pub(super) template_version: String,
    pub(crate) min: u32,
    pub(crate) max: u32,
    pub(crate) desired: u32,
    pub(super) instances: Vec<Instance>,
    pub(super) policies: Vec<Policy>,
    /// Process and reason.
    pub(super) suspended: Vec<(String, String)>,
    /// Newest first.
    pub(super) activities: VecDeque<Activity>,
    /// Instance refreshes, newest first.
    pub(super) refreshes: VecDeque<Refresh>,
    /// What changed the desired capacity since the last activity.
    pub(super) causes: Vec<String>,
    /// When the group compares what it has with what it should have.
    pub(super) reconcile_at: Option<SimTime>,
    /// Launches that failed in a row.
    pub(super) failures: u32,
    /// Whether the activity about protected instances was written for the present scale-in.
    pub(super) told_protected: bool,
    pub(super) last_scaling: Option<SimTime>,
    /// Spot Instances that EC2 took back so far.
    pub(crate) interruptions: u64,
    /// Spot capacity is gone: launches fail.
    pub(crate) drought: bool,
    /// Workers no longer give up the protection of their instances: they hang.
    pub(crate) holds_protection: bool,
}

/// Where an instance is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LifecycleState {
    Pending,
    InService,
    Terminating,
}

impl LifecycleState {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::InService => "InService",
            Self::Terminating => "Terminating",
        }
    }
}

/// An instance of a group.
#[derive(Clone, Debug)]
pub(crate) struct Instance {
    pub(crate) id: String,
    pub(crate) state: LifecycleState,
    /// When it leaves this state by itself: `Pending` for `InService`, `Terminating` for good.
    pub(super) next: Option<SimTime>,
    pub(crate) launched: SimTime,
    pub(super) in_service: Option<SimTime>,
    /// When its warm-up ends.
    pub(super) warm: SimTime,
    pub(crate) protected: bool,
    pub(super) instance_type: String,
    pub(super) zone: String,
    pub(super) subnet: String,
    pub(super) image: String,
    /// The version of the launch template that it was launched from.
    pub(super) template_version: String,
    /// EC2 takes the Spot Instance back then.
    pub(super) reclaimed: Option<SimTime>,
    /// The activity that ends with the present state.
    pub(super) activity: Option<String>,
}

impl Instance {
    pub(crate) fn instance_type(&self) -> &str {
        &self.instance_type
    }

    pub(crate) fn zone(&self) -> &str {
        &self.zone
    }

    pub(crate) fn subnet(&self) -> &str {
        &self.subnet
    }

    pub(crate) fn image(&self) -> &str {
        &self.image
    }

    /// The version of the launch template that it was launched from.
    pub(crate) fn template_version(&self) -> &str {
        &self.template_version
    }
}

impl Group {
    /// What the group was created with.
    pub(crate) fn spec(&self) -> &GroupSpec {
        &self.spec
    }

    /// The id of its launch template.
    pub(crate) fn launch_template_id(&self) -> &str {
        &self.launch_template_id
    }

    /// The instances of the group.
    pub(crate) fn instances(&self) -> &[Instance] {
        &self.instances
    }

    pub(super) fn protect(&mut self, instance: &str, protected: bool) {
        if let Some(instance) = self.instances.iter_mut().find(|i| i.id == instance) {
            instance.protected = protected;
        }
    }

    /// Workers hang from now on: the instances stay protected until somebody takes the protection away.
    pub(crate) fn hold_protection(&mut self, holds: bool) {
        self.holds_protection = holds;
        for instance in &mut self.instances {
            instance.protected |= holds;
        }
    }

    /// Instances that are not on their way out.
    pub(super) fn active(&self) -> impl Iterator<Item = &Instance> {
        self.instances
            .iter()
            .filter(|instance| instance.state != LifecycleState::Terminating)
    }

    pub(super) fn is_suspended(&self, process: &str) -> bool {
        self.suspended.iter().any(|(name, _)| name == process)
    }

    /// A new desired capacity and what brought it about; the group acts on it some seconds later.
    pub(super) fn set_desired(&mut self, desired: u32, now: SimTime, by: &str) {
        if desired == self.desired {
            return;
        }
        self.causes.push(format!(
            "At {} {by} changing the desired capacity from {} to {desired}.",
            seconds(now),
            self.desired
        ));
        // A cause has at most 1,023 characters: what happened longest ago is left out.
        if self.causes.len() > MOST_CAUSES {
            self.causes.remove(0);
        }
        self.desired = desired;
        self.failures = 0;
        self.told_protected = false;
        self.last_scaling = Some(now);
        self.look_at(now + Duration::from_secs(8));
    }

    pub(super) fn look_at(&mut self, at: SimTime) {
        self.reconcile_at = Some(self.reconcile_at.map_or(at, |earlier| earlier.min(at)));
    }

    /// When the next thing happens by itself.
    pub(super) fn due(&self) -> SimTime {
        self.instances
            .iter()
            .flat_map(|instance| [instance.next, instance.reclaimed])
            .chain([
                self.reconcile_at,
                self.active_refresh().map(|refresh| refresh.next),
            ])
            .flatten()
            .min()
            .unwrap_or(SimTime(i64::MAX))
    }

    pub(super) fn write(&mut self, activity: Activity) {
        self.activities.push_front(activity);
        self.activities.truncate(MOST_ACTIVITIES);
    }

    /// The group as its scaling policies see it.
    pub(super) fn for_policies(&self, now: SimTime) -> policy::Group {
        let active = self.active().count();
        let launching = (self.desired as usize).saturating_sub(active);
        let warming = self.active().filter(|i| i.warm > now).count() + launching;
        policy::Group {
            desired: self.desired,
            warming: u32::try_from(warming).unwrap_or(u32::MAX),
            launching: u32::try_from(launching).unwrap_or(u32::MAX),
            terminating: u32::try_from(self.instances.len() - active).unwrap_or(u32::MAX),
            limits: Limits {
                min: self.min,
                max: self.max,
            },
            cooldown_began: self.last_scaling.map(|at| Moment(at.0)),
        }
    }
}

pub(super) fn create(world: &mut World, spec: GroupSpec, workers: u32, since: SimTime) {
    let arn = format!(
        "arn:aws:autoscaling:{}:{}:autoScalingGroup:{}:autoScalingGroupName/{}",
        world.options.region,
        world.options.account_id,
        world.ids.uuid(),
        spec.name
    );
    let launch_template_id = world.ids.ec2("lt-");
    let image = super::lifecycle::resolve_image(world, &spec.image).unwrap_or_default();
    let instances = (0..workers as usize)
        .map(|position| {
            let (zone, subnet) = spec.subnets[position % spec.subnets.len()].clone();
            Instance {
                id: world.ids.ec2("i-"),
                state: LifecycleState::InService,
                next: None,
                launched: since,
                in_service: Some(since),
                warm: since + spec.warmup,
                protected: false,
                instance_type: spec.instance_types.first().cloned().unwrap_or_default(),
                zone,
                subnet,
                image: image.clone(),
                template_version: "1".to_owned(),
                reclaimed: None,
                activity: None,
            }
        })
        .collect();
    let group = Group {
        arn,
        launch_template_id,
        template_version: "1".to_owned(),
        min: spec.min,
        max: spec.max,
        desired: workers,
        instances,
        policies: Vec::new(),
        suspended: Vec::new(),
        activities: VecDeque::new(),
        refreshes: VecDeque::new(),
        causes: Vec::new(),
        reconcile_at: None,
        failures: 0,
        told_protected: false,
        last_scaling: None,
        interruptions: 0,
        drought: false,
        holds_protection: false,
        spec,
    };
    world
        .services
        .autoscaling
        .groups
        .insert(group.spec.name.clone(), group);
    world.services.autoscaling.generation += 1;
}

/// `2026-01-15T09:00:00Z`, as causes spell it.
pub(super) fn seconds(at: SimTime) -> String {
    format!("{}Z", &at.iso8601()[..19])
}
