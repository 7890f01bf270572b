//! Instances that somebody starts one by one, outside every Auto Scaling group.

use std::time::Duration;

use serde_json::{Value, json};

use super::derived;
use super::network::{Subnet, all_subnets};
use crate::time::SimTime;
use crate::world::World;

/// How long an instance is `pending`, `stopping` and `shutting-down`. AWS promises no times; these are common ones.
const PENDING: Duration = Duration::from_secs(20);
const STOPPING: Duration = Duration::from_secs(40);
const SHUTTING_DOWN: Duration = Duration::from_secs(35);

/// "Terminated instances remain visible after termination for a short while (usually less than an hour)" (EC2 API
/// Reference, TerminateInstances).
const REMEMBERED: Duration = Duration::from_secs(3600);

/// Code and name of a state (EC2 API Reference, InstanceState).
pub(super) type State = (u32, &'static str);

pub(super) const TERMINATED: State = (48, "terminated");

/// What a volume of an instance is made as.
#[derive(Clone, Debug)]
pub(super) struct Volume {
    pub(super) device: String,
    pub(super) size: i64,
    pub(super) kind: String,
    pub(super) encrypted: bool,
}

/// An instance.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(super) id: String,
    pub(super) reservation: String,
    pub(super) index: usize,
    pub(super) image: String,
    pub(super) kind: String,
    pub(super) profile: Option<String>,
    pub(super) subnet: String,
    pub(super) public: bool,
    pub(super) groups: Vec<String>,
    pub(super) key: Option<String>,
    pub(super) volume: Volume,
    /// As the answer shows them.
    pub(super) metadata: Value,
    pub(super) tags: Vec<Value>,
    /// Whether a shutdown from within terminates it.
    pub(super) ends: bool,
    pub(super) token: Option<String>,
    /// What was asked for with the token.
    pub(super) asked: Value,
    pub(super) launched: SimTime,
    /// When its user data shut it down.
    pub(super) halts: Option<SimTime>,
    pub(super) stopped: Option<SimTime>,
    pub(super) terminated: Option<SimTime>,
}

impl Machine {
    /// What it is at this moment.
    pub(super) fn state(&self, now: SimTime) -> State {
        let halted = self.halts.filter(|at| *at <= now);
        let (by_itself, for_good) = if self.ends { (None, halted) } else { (halted, None) };
        let first = |one: Option<SimTime>, other: Option<SimTime>| one.into_iter().chain(other).min();
        let terminated = first(self.terminated, for_good);
        let stopped = first(self.stopped, by_itself);
        match (terminated, stopped) {
            (Some(at), _) if now < at + SHUTTING_DOWN => (32, "shutting-down"),
            (Some(_), _) => TERMINATED,
            (None, Some(at)) if now < at + STOPPING => (64, "stopping"),
            (None, Some(_)) => (80, "stopped"),
            (None, None) if now < self.launched + PENDING => (0, "pending"),
            (None, None) => (16, "running"),
        }
    }

    pub(super) fn is_forgotten(&self, now: SimTime) -> bool {
        let ended = self.terminated.or(self.halts.filter(|_| self.ends));
        ended.is_some_and(|at| at + SHUTTING_DOWN + REMEMBERED <= now)
    }

    /// Whether it still has its network interface and its volume.
    pub(super) fn exists(&self, now: SimTime) -> bool {
        self.state(now) != TERMINATED
    }

    pub(super) fn interface(&self) -> String {
        derived("eni-", &self.id)
    }

    pub(super) fn volume_id(&self) -> String {
        derived("vol-", &self.id)
    }

    pub(super) fn place(&self, world: &World) -> Option<Subnet> {
        let subnets = all_subnets(world);
        subnets.into_iter().find(|subnet| subnet.id == self.subnet)
    }

    /// Its public address of those that documents use (RFC 5737), while it has one: a stopped instance gives it back.
    pub(super) fn public_address(&self, now: SimTime) -> Option<String> {
        let (code, _) = self.state(now);
        let number = 1 + super::derived_number(&self.id, 254);
        (self.public && code <= 16).then(|| format!("198.51.100.{number}"))
    }

    /// As DescribeVolumes shows its volume.
    pub(super) fn shown_volume(&self, world: &World) -> Value {
        json!({
            "VolumeId": self.volume_id(),
            "AvailabilityZone": self.place(world).map(|place| place.zone),
            "CreateTime": self.launched.epoch_seconds(),
            "Encrypted": self.volume.encrypted,
            "Iops": 3000,
            "Throughput": (self.volume.kind == "gp3").then_some(125),
            "MultiAttachEnabled": false,
            "Size": self.volume.size,
            "SnapshotId": derived("snap-", &self.image),
            "State": "in-use",
            "VolumeType": self.volume.kind,
            "Attachments": [{
                "AttachTime": self.launched.epoch_seconds(),
                "DeleteOnTermination": true,
                "Device": self.volume.device,
                "InstanceId": self.id,
                "State": "attached",
                "VolumeId": self.volume_id(),
            }],
        })
    }
}

/// The instances that AWS still shows.
pub(super) fn machines(world: &World) -> impl Iterator<Item = &Machine> {
    let now = world.now;
    let all = world.services.ec2.machines.iter();
    all.filter(move |machine| !machine.is_forgotten(now))
}

/// One that has an interface in this VPC or subnet, or with this security group.
pub(crate) fn within(world: &World, id: &str) -> Option<String> {
    let is_there = |machine: &&Machine| {
        let place = machine.place(world);
        machine.exists(world.now)
            && (machine.subnet == id
                || place.is_some_and(|place| place.vpc == id)
                || machine.groups.iter().any(|group| group == id))
    };
    machines(world).find(is_there).map(|machine| machine.id.clone())
}

/// Those that run with an instance profile, so that an agent of Systems Manager may register, and since when.
pub(crate) fn running(world: &World) -> impl Iterator<Item = (String, SimTime)> {
    let now = world.now;
    machines(world)
        .filter(move |machine| machine.profile.is_some() && machine.state(now) == (16, "running"))
        .map(|machine| (machine.id.clone(), machine.launched))
}
