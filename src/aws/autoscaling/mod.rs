//! EC2 Auto Scaling: groups, their policies, their schedules and hooks, their activities, and their capacity.

mod activities;
mod capacity;
mod groups;
mod members;
mod policies;
mod processes;
mod refresh;
#[cfg(test)]
pub(crate) mod sample;
mod schedule;

pub(crate) use activities::Activity;
pub(crate) use capacity::{ResizeGroup, SetDesiredCapacity};
pub(crate) use groups::{Group, Instance, Phase, WarmPool};
pub(crate) use members::{PROTECTED_AT_ONCE, SetInstanceProtection, TerminateInstance};
pub(crate) use policies::{Policy, PolicyKind, Tracked};
#[cfg(test)]
pub(crate) use policies::{Step, TrackedMetric};
pub(crate) use processes::{ResumeProcesses, SuspendProcesses};
pub(crate) use refresh::{
    CancelInstanceRefresh, GoOnWithRefresh, InstanceRefresh, PauseRefresh, ProtectedInstances,
    REFRESH_PROCESS, StartInstanceRefresh,
};
pub(crate) use schedule::{LifecycleHook, ScheduledAction};
