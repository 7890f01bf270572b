//! GPU fleets as the platform sees them, joined from what AWS tells in pieces: groups, stacks,
//! parameters, metrics and alarms; and as the scaling library sees them ([`scaling`]).

pub(crate) mod activity;
mod alarms;
pub(crate) mod desired_config;
mod discover;
pub(crate) mod hold;
mod launches;
mod leaving;
mod name;
mod nodes;
mod pointers;
pub(crate) mod scaling;
mod signals;
mod way_back;
mod work;

pub(crate) use alarms::{AlarmView, judge, names as alarm_names};
pub(crate) use discover::{Fleet, FleetState, Gap, assemble, discover, known_groups, select};
pub(crate) use launches::{FailedLaunches, group as group_failures};
pub(crate) use leaving::{FleetEnd, judge as judge_leaving, lifted_by};
pub(crate) use name::{named, named_one};
pub(crate) use nodes::{BundleAtBoot, Node, Nodes, Skew, look as look_at_nodes};
pub(crate) use pointers::{Pointer, Pointers, bundle_id, names as parameter_names};
pub(crate) use signals::{Reading, Signals, read as read_signals, read_one as read_signals_of};
pub(crate) use way_back::{WayBack, versions_of, way_back, writer};
pub(crate) use work::{
    Verdict, Work, look as look_at_work, of_fleet as work_of, of_fleets as work_of_fleets,
};

use std::fmt;

use crate::error::CommandLine;

/// The command that shows how a fleet is.
pub(crate) fn status_command(fleet: &impl fmt::Display) -> CommandLine {
    CommandLine::bpctl(["fleet", "status"]).args([fleet.to_string()])
}

/// A size of a group in words: minimum, maximum and desired capacity.
pub(crate) fn size((min, max, desired): (u32, u32, u32)) -> String {
    format!("desired {desired} (min {min}, max {max})")
}
