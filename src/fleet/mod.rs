//! GPU fleets as the platform sees them, joined from what AWS tells in pieces: groups, stacks,
//! parameters, metrics and alarms; and as the scaling library sees them ([`scaling`]).

mod alarms;
mod discover;
pub(crate) mod hold;
mod launches;
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
pub(crate) use name::{named, named_one};
pub(crate) use nodes::{BundleAtBoot, Node, Nodes, Skew, look as look_at_nodes};
pub(crate) use pointers::{Pointer, Pointers, bundle_id, names as parameter_names};
pub(crate) use signals::{Reading, Signals, read as read_signals};
pub(crate) use way_back::{WayBack, way_back};
pub(crate) use work::{Verdict, Work};
