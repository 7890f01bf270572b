//! EC2 Auto Scaling: groups, their activities, and their capacity.

mod activities;
mod capacity;
mod groups;

pub(crate) use activities::Activity;
#[cfg(test)]
pub(crate) use groups::Instance;
pub(crate) use groups::{Group, Phase};
