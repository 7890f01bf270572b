//! GPU fleets as the platform sees them, joined from what AWS tells in pieces: groups, stacks,
//! parameters, metrics and alarms.

mod alarms;
mod discover;
mod pointers;
mod scaling;
mod signals;
mod work;

pub(crate) use alarms::{AlarmView, judge, names as alarm_names};
pub(crate) use discover::{Fleet, FleetState, Gap, assemble, discover, known_groups, select, within_stage};
pub(crate) use pointers::{Pointer, Pointers, names as parameter_names};
pub(crate) use scaling::{Facts, Model, facts_of, facts_of_all, model, read_file};
pub(crate) use signals::{Reading, Signals, read as read_signals};
pub(crate) use work::{Verdict, Work};
