//! One module per kind: its row, and where its rows come from.

pub(in crate::commands) mod alarms;
pub(in crate::commands) mod deployments;
pub(in crate::commands) mod fleets;
pub(in crate::commands) mod images;
pub(in crate::commands) mod instances;
pub(in crate::commands) mod leases;
pub(in crate::commands) mod parameters;
pub(in crate::commands) mod runs;
pub(in crate::commands) mod secrets;
pub(in crate::commands) mod services;
pub(in crate::commands) mod stacks;
pub(in crate::commands) mod tasks;
